package ingest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/source"
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
	take := func(b arrow.RecordBatch) bool {
		defer b.Release()
		for row := range int(b.NumRows()) {
			if t := tryRecord(b, row); t.Kind != TryEvent || t.Raw == "" { // else the text of a copy
				records = append(records, t)
			}
		}
		return true
	}
	d := decode.New(decode.Options{
		Dynamic: columns, Calendar: calendar, Seen: decode.NewSeen(1), Pool: pool, KeepSkipped: true, Limit: int64(n),
		Oldest: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), Latest: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		Twice: decode.NewSeen(1), Usage: func(_ int32, b arrow.RecordBatch) bool { return take(b) }, Other: take,
	})
	defer d.Close()
	var unpacker decode.Unpacker
	defer unpacker.Close()
	in := &watched{r: r, read: func(int64) {}}
	_, err = d.Object(ctx, src, 0, key, unpacker.Open(key, in))
	if err == nil {
		err = d.Flush()
	}
	slices.SortFunc(records, func(a, b TryRecord) int { return cmp.Compare(a.Offset, b.Offset) })
	return records, errors.Join(err, in.err)
}

// tryRecord reads a row of a batch.
func tryRecord(b arrow.RecordBatch, row int) TryRecord {
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
			if !strings.HasPrefix(field.Name, "#") {
				t.Fields = append(t.Fields, TryField{field.Name, value, null})
			}
		}
	}
	return t.tidy()
}

// tidy keeps the fields that the record's kind has, by their names in its table.
func (t TryRecord) tidy() TryRecord {
	switch t.Kind {
	case TryReject, TrySkipped:
		t.Fields = nil
	case TryAccountEvent:
		names := map[string]string{"event_id": "event_id", "operation": "type", "account": "account", "time": "at"}
		var fields []TryField
		for _, f := range t.Fields {
			if name, has := names[f.Name]; has {
				fields = append(fields, TryField{name, f.Value, f.Null})
			}
		}
		fields = append(fields, TryField{Name: "payload", Value: t.Raw})
		t.Fields = fields
		t.Raw = ""
	}
	return t
}

func valueText(column arrow.Array, row int) string {
	if times, ok := column.(*array.Timestamp); ok {
		return period.FormatInstant(time.UnixMicro(int64(times.Value(row))))
	}
	return strings.Clone(column.ValueStr(row)) // the batch's memory is used again
}
