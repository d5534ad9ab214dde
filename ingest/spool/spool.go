// Package spool keeps record batches in scratch files of one run, a file a UTC day,
// between decoding and the statements that read them.
//
// A file is nothing but the batches' buffers one behind the other; what lies where
// is known to the [Spool] alone, so a file means nothing to another process, and a
// crash leaves some to be swept with the rest of scratch. Buffers have Arrow's
// layout and are read where they lie: a file is mapped into memory, which costs
// neither a copy nor memory that the system could not take back.
package spool

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
)

// A Spool is the batches of one run. Nothing may be read before the last write has
// returned.
type Spool struct {
	schema *arrow.Schema
	folder string
	mu     sync.Mutex
	days   map[int32]*day
}

// A day is one file.
type day struct {
	path    string
	size    int64
	batches []batch
}

// A batch says where a record batch lies in the file.
type batch struct {
	offset  int64
	rows    int
	columns []column
}

// A column's buffers: validity, fixed-size values or offsets, and text. One that
// has no value at all takes no room.
type column struct {
	nulls   int
	buffers [3]span
}

// A span is bytes from the batch's offset on.
type span struct{ at, length int32 }

// align is what spans begin at multiples of.
const align = 64

// New returns an empty spool of batches of that schema, with files in folder.
func New(folder string, schema *arrow.Schema) *Spool {
	return &Spool{schema: schema, folder: folder, days: map[int32]*day{}}
}

// A Writer adds batches. Several work side by side, each for one goroutine.
type Writer struct {
	spool *Spool
	buf   []byte
	err   error
}

// Writer returns a new writer.
func (s *Spool) Writer() *Writer { return &Writer{spool: s} }

// Err is the first error of writing.
func (w *Writer) Err() error { return w.err }

// Write takes over a batch of a day, numbered since 1970, and reports whether it
// was kept: where not, Err says why.
func (w *Writer) Write(number int32, record arrow.RecordBatch) (ok bool) {
	defer record.Release()
	if w.err == nil {
		if err := w.write(number, record); err != nil {
			w.err = fmt.Errorf("write decoded records to scratch: %w", err)
		}
	}
	return w.err == nil
}

func (w *Writer) write(number int32, record arrow.RecordBatch) (err error) {
	b := batch{rows: int(record.NumRows()), columns: make([]column, record.NumCols())}
	w.buf = w.buf[:0]
	for i, array := range record.Columns() {
		data, c := array.Data(), &b.columns[i]
		if c.nulls = data.NullN(); c.nulls == b.rows {
			continue
		}
		for n, buffer := range data.Buffers() {
			if buffer == nil {
				continue
			}
			c.buffers[n] = span{int32(len(w.buf)), int32(buffer.Len())}
			w.buf = append(w.buf, buffer.Bytes()...)
			for len(w.buf)%align != 0 {
				w.buf = append(w.buf, 0)
			}
		}
	}
	path, offset := w.spool.add(number, b, len(w.buf))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.WriteAt(w.buf, offset)
	return err
}

// add notes a batch of that many bytes, and says where it goes.
func (s *Spool) add(number int32, b batch, bytes int) (path string, offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.days[number]
	if d == nil {
		d = &day{path: filepath.Join(s.folder, "spool-"+strconv.Itoa(int(number)))}
		s.days[number] = d
	}
	b.offset = d.size
	d.size += int64(bytes)
	d.batches = append(d.batches, b)
	return d.path, b.offset
}

// Days are the days that have rows, in order.
func (s *Spool) Days() []int32 { return slices.Sorted(maps.Keys(s.days)) }

// Remove gives up a day's rows.
func (s *Spool) Remove(number int32) error {
	d := s.days[number]
	if d == nil {
		return nil
	}
	delete(s.days, number)
	return os.Remove(d.path)
}

// Close gives up all rows.
func (s *Spool) Close() error {
	var err error
	for _, number := range s.Days() {
		err = errors.Join(err, s.Remove(number))
	}
	return err
}
