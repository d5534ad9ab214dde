package ingest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// A TryRecord is one record as it would be ingested.
type TryRecord struct {
	Line   int64
	Offset int64
	Kind   TryKind
	Reason string // of a reject
	Detail string
	Raw    string     // of a reject or a skipped record: its first 4 KiB
	Fields []TryField // of an event: the columns of usage, or those of account_events
}

// A TryKind says what a record would become.
type TryKind int

// What a record can become.
const (
	TryEvent TryKind = iota
	TryAccountEvent
	TryReject
	TrySkipped
)

// A TryField is a column's value as text; Null where it has none.
type TryField struct {
	Name, Value string
	Null        bool
}

// Try maps the first n records of an object as Run would, but for what depends on
// the clock and on other records: future, too_old, duplicate and conflict.
func Try(ctx context.Context, src *source.Source, key string, r io.Reader, n int) ([]TryRecord, error) {
	columns, err := source.Columns(nil, src)
	if err != nil {
		return nil, err
	}
	calendar, err := period.NewCalendar("UTC")
	if err != nil {
		return nil, err
	}
	pool := decode.NewPool()
	defer pool.Close()
	var records []TryRecord
	d := decode.New(decode.Options{
		Dynamic: columns, Calendar: calendar, Seen: decode.NewSeen(1), Pool: pool, KeepSkipped: true, Limit: int64(n),
		Oldest: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), Latest: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		Twice: decode.NewSeen(1),
		Usage: func(u *decode.Usage) bool {
			records = append(records, tryUsage(u, columns))
			return true
		},
		Other: func(b arrow.RecordBatch) bool {
			defer b.Release()
			for row := range int(b.NumRows()) {
				if t := tryOther(b, row); t.Kind != TryEvent { // else the text of a copy
					records = append(records, t)
				}
			}
			return true
		},
	})
	defer d.Close()
	var unpacker decode.Unpacker
	defer unpacker.Close()
	in := &watched{r: r, read: func(int64) {}}
	stream := unpacker.Open(key, in)
	if file := wholeFile(r); file != nil && src.Format == source.Parquet {
		stream = file
	}
	_, err = d.Object(ctx, src, 0, key, stream)
	if err == nil {
		err = d.Flush()
	}
	slices.SortFunc(records, func(a, b TryRecord) int { return cmp.Compare(a.Offset, b.Offset) })
	return records, errors.Join(err, in.err)
}

// wholeFile is a file that can be read at any place; nil: r is none.
func wholeFile(r io.Reader) *io.SectionReader {
	file, ok := r.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return io.NewSectionReader(file, 0, info.Size())
}

// Draft drafts a source from a log: see [source.Draft], which reads text alone. A log
// is Parquet where its key ends so, or where it is a file that begins so.
func Draft(name, key string, r io.Reader) (text string, err error) {
	if ending := source.Packed(key); ending != "" && strings.HasSuffix(key, ".parquet"+ending) {
		return "", fmt.Errorf("a Parquet file is packed within, and one that is packed again (%s) is not read: unpack it", ending)
	}
	file := wholeFile(r)
	if !strings.HasSuffix(key, ".parquet") && !beginsAsParquet(file) {
		return source.Draft(name, key, r)
	}
	if file != nil {
		r = file
	}
	lines, err := decode.ParquetLines(r, source.SampleRecords)
	if err != nil {
		return "", err
	}
	return source.DraftRows(name, key, source.Parquet, bytes.NewReader(lines))
}

func beginsAsParquet(file *io.SectionReader) bool {
	magic := make([]byte, 4)
	if file == nil {
		return false
	}
	_, err := file.ReadAt(magic, 0)
	return err == nil && string(magic) == "PAR1"
}

// tryUsage is what a usage event is in the table usage.
func tryUsage(u *decode.Usage, columns []lake.Column) TryRecord {
	text := func(name string, value []byte) TryField {
		return TryField{Name: name, Value: string(value), Null: value == nil}
	}
	t := TryRecord{Line: u.Line, Offset: u.Offset, Kind: TryEvent, Fields: []TryField{
		{Name: "time", Value: period.FormatInstant(time.UnixMicro(u.Time))},
		text("event_id", u.ID), text("account", u.Account),
		text("project", u.Project), text("key", u.Key), text("operation", u.Operation),
	}}
	for i, c := range columns {
		f := TryField{Name: c.Name, Null: u.Units[i] < 0}
		switch {
		case c.Type == lake.DimensionType:
			f = text(c.Name, u.Texts[i])
		case f.Null:
		case c.Type == lake.IntegerQuantityType:
			f.Value = strconv.FormatInt(u.Units[i], 10)
		default:
			f.Value = decimal128.FromI64(u.Units[i]).ToString(quantityScale)
		}
		t.Fields = append(t.Fields, f)
	}
	return t
}

// quantityScale is the number of digits behind the point of lake.DecimalQuantityType.
const quantityScale = 6

// tryOther reads a row of a batch of the rest.
func tryOther(b arrow.RecordBatch, row int) TryRecord {
	t := TryRecord{}
	for i, field := range b.Schema().Fields() {
		column := b.Column(i)
		null, value := column.IsNull(row), ""
		if !null {
			value = valueText(column, row)
		}
		switch field.Name {
		case "#kind":
			kind, _ := column.(*array.Int32)
			t.Kind = TryKind(kind.Value(row))
		case "#line":
			line, _ := column.(*array.Int64)
			t.Line = line.Value(row)
		case "#offset":
			offset, _ := column.(*array.Int64)
			t.Offset = offset.Value(row)
		case "#reason":
			t.Reason = value
		case "#detail":
			t.Detail = value
		case "#raw":
			t.Raw = value
		default:
			if name, has := accountEventNames[field.Name]; has {
				t.Fields = append(t.Fields, TryField{name, value, null})
			}
		}
	}
	if t.Kind != TryAccountEvent {
		t.Fields = nil
		return t
	}
	t.Fields = append(t.Fields, TryField{Name: "payload", Value: t.Raw})
	t.Raw = ""
	return t
}

// accountEventNames are the columns of account_events by those of a batch.
var accountEventNames = map[string]string{"event_id": "event_id", "operation": "type", "account": "account", "time": "at"}

func valueText(column arrow.Array, row int) string {
	if times, ok := column.(*array.Timestamp); ok {
		return period.FormatInstant(time.UnixMicro(int64(times.Value(row))))
	}
	return strings.Clone(column.ValueStr(row)) // the batch's memory is used again
}
