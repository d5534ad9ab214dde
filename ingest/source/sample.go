package source

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A sampled is what one field looked like in a log's first records.
type sampled struct {
	path     string // as a source writes it
	name     string // its last part, in small letters
	values   map[string]int
	seen     int
	numbers  int // JSON numbers, or CSV cells that are numbers
	integers int
	texts    int
	longest  int
}

// SampleRecords is how many records of a log a draft looks at.
const SampleRecords = 500

const sampleDistinct = 200

var errNoRecords = errors.New("the file holds no record: give one with some in it")

// readSample returns the fields of the first records in the order of their first
// appearance.
func readSample(key string, r io.Reader) (fields []*sampled, format Format, records int, err error) {
	if r, err = unpack(key, r); err != nil {
		return nil, 0, 0, err
	}
	in := bufio.NewReaderSize(r, 1<<20)
	if start, err := in.Peek(3); err == nil && string(start) == "\xEF\xBB\xBF" {
		_, _ = in.Discard(3)
	}
	start, err := in.Peek(1)
	if err != nil {
		return nil, 0, 0, errNoRecords
	}
	s := sample{at: map[string]*sampled{}}
	if start[0] == '{' {
		records, err = s.lines(in)
		return s.fields, JSONLines, records, err
	}
	records, err = s.table(in)
	return s.fields, CSV, records, err
}

func unpack(key string, r io.Reader) (io.Reader, error) {
	switch Packed(key) {
	case ".gz":
		return gzip.NewReader(r)
	case ".zst":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	default:
		return r, nil
	}
}

type sample struct {
	fields []*sampled
	at     map[string]*sampled
}

func (s *sample) lines(in io.Reader) (records int, err error) {
	d := json.NewDecoder(in)
	d.UseNumber()
	for records < SampleRecords {
		var record map[string]any
		if err := d.Decode(&record); err != nil {
			if records > 0 {
				break // a broken line does not spoil what came before
			}
			return 0, fmt.Errorf("the first line is no JSON object: %w", err)
		}
		records++
		s.object("", record)
	}
	return records, nil
}

func (s *sample) object(prefix string, record map[string]any) {
	names := make([]string, 0, len(record))
	for name := range record {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		path := prefix + strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), ".", `\.`)
		switch v := record[name].(type) {
		case map[string]any:
			s.object(path+".", v)
		case string:
			s.field(path, name).text(v)
		case json.Number:
			s.field(path, name).number(v.String())
		case bool:
			s.field(path, name).text(strconv.FormatBool(v))
		}
	}
}

func (s *sample) table(in io.Reader) (records int, err error) {
	c := csv.NewReader(in)
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if err != nil {
		return 0, fmt.Errorf("the file is neither JSON lines nor CSV: %w", err)
	}
	for records < SampleRecords {
		row, err := c.Read()
		if err != nil {
			break
		}
		records++
		for i, cell := range row {
			if i >= len(header) || cell == "" || header[i] == "" {
				continue
			}
			f := s.field(header[i], header[i])
			if _, err := strconv.ParseFloat(cell, 64); err == nil && strings.Trim(cell, "0123456789.-") == "" {
				f.number(cell)
			} else {
				f.text(cell)
			}
		}
	}
	if records == 0 {
		return 0, errors.New("the file has a header and no records")
	}
	return records, nil
}

func (s *sample) field(path, name string) *sampled {
	f := s.at[path]
	if f == nil {
		f = &sampled{path: path, name: strings.ToLower(name), values: map[string]int{}}
		s.at[path] = f
		s.fields = append(s.fields, f)
	}
	f.seen++
	return f
}

func (f *sampled) text(v string) {
	f.texts++
	f.value(v)
}

func (f *sampled) number(v string) {
	f.numbers++
	if strings.Trim(strings.TrimPrefix(v, "-"), "0123456789") == "" {
		f.integers++
	}
	f.value(v)
}

func (f *sampled) value(v string) {
	f.longest = max(f.longest, len(v))
	if _, known := f.values[v]; known || len(f.values) < sampleDistinct {
		f.values[v]++
	}
}

// layout returns how every value is written, if all are times.
func (f *sampled) layout() (layout string, ok bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "02/Jan/2006:15:04:05 -0700"} {
		if f.texts > 0 && f.all(func(v string) bool { _, err := time.Parse(layout, v); return err == nil }) {
			return layout, true
		}
	}
	for _, clock := range []struct {
		layout   string
		from, to float64
	}{{"unix_s", 1e9, 4e9}, {"unix_ms", 1e12, 4e12}, {"unix_us", 1e15, 4e15}} {
		in := func(v string) bool {
			n, err := strconv.ParseFloat(v, 64)
			return err == nil && n >= clock.from && n < clock.to
		}
		if f.numbers == f.seen && f.all(in) {
			return clock.layout, true
		}
	}
	return "", false
}

func (f *sampled) all(holds func(string) bool) bool {
	for v := range f.values {
		if !holds(v) {
			return false
		}
	}
	return len(f.values) > 0
}
