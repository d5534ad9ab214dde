package row

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/spool"
)

// fixed are the columns that a Reader has before the dynamic ones.
var fixed = []lake.Column{
	{Name: "#object", Type: "INTEGER"},
	{Name: "#line", Type: "BIGINT"},
	{Name: "#offset", Type: "BIGINT"},
	{Name: "#period", Type: "INTEGER"},
	{Name: "time", Type: "TIMESTAMP"},
	{Name: "event_id", Type: "VARCHAR"},
	{Name: "account", Type: "VARCHAR"},
	{Name: "project", Type: "VARCHAR"},
	{Name: "key", Type: "VARCHAR"},
	{Name: "operation", Type: "VARCHAR"},
}

// A Reader is rows as record batches, for DuckDB to pull: the columns above, whose
// names begin with # where no user could have given them, and the dynamic ones.
type Reader struct {
	rows    *Rows
	days    []int32
	month   func(micros int64) int32
	want    func(object int32) bool // nil: every object; else only where its rows stand is read
	part    *spool.Part
	rest    []byte
	builder *array.RecordBuilder
	current arrow.RecordBatch
	err     error
}

const readRows = 8 << 10 // of a batch

// Read returns a reader of the rows of some days. month gives the number of the
// period of an instant.
func (r *Rows) Read(days []int32, month func(micros int64) int32) (*Reader, error) {
	return r.read(append(append([]lake.Column{}, fixed...), r.columns...), &Reader{days: days, month: month})
}

// ReadPlaces returns a reader of where the rows of some objects stand: #object,
// #line, #offset and time alone.
func (r *Rows) ReadPlaces(want func(object int32) bool) (*Reader, error) {
	return r.read([]lake.Column{fixed[0], fixed[1], fixed[2], fixed[4]}, &Reader{days: r.Days(), want: want})
}

func (r *Rows) read(columns []lake.Column, reader *Reader) (*Reader, error) {
	schema, err := duck.ArrowSchema(columns)
	if err != nil {
		return nil, err
	}
	reader.rows, reader.part, reader.builder = r, &spool.Part{}, array.NewRecordBuilder(mallocator.NewMallocator(), schema)
	return reader, nil
}

// Close gives up the memory of all batches.
func (r *Reader) Close() error {
	r.drop()
	r.builder.Release()
	return r.part.Close()
}

func (r *Reader) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// Schema implements array.RecordReader, as do the methods below.
func (r *Reader) Schema() *arrow.Schema { return r.builder.Schema() }

// Next moves on to the next rows.
func (r *Reader) Next() bool {
	r.drop()
	n := 0
	for n < readRows && r.open() {
		var row packed
		row, r.rest = next(r.rest)
		if r.want != nil && !r.want(row.object()) {
			continue
		}
		r.append(row)
		n++
	}
	if n == 0 || r.err != nil {
		return false
	}
	r.current = r.builder.NewRecordBatch()
	return true
}

// open goes on to the next day's rows where there are none left.
func (r *Reader) open() bool {
	for len(r.rest) == 0 && r.err == nil && len(r.days) > 0 {
		err := r.part.Close()
		var part *spool.Part
		if part, r.err = r.rows.spool.Open(r.days[0]); r.err == nil {
			r.part, r.rest, r.days = part, part.Rows, r.days[1:]
		}
		r.err = errors.Join(r.err, err)
	}
	return len(r.rest) > 0 && r.err == nil
}

func (r *Reader) append(p packed) {
	names := r.rows.Names
	column := func(i int) array.Builder { return r.builder.Field(i) }
	account, rest := p.account()
	as[*array.Int32Builder](column(0)).Append(p.object())
	as[*array.Int64Builder](column(1)).Append(int64(rest.uvarint()))
	as[*array.Int64Builder](column(2)).Append(int64(rest.uvarint()))
	if r.want != nil {
		as[*array.TimestampBuilder](column(3)).Append(arrow.Timestamp(p.time()))
		return
	}
	as[*array.Int32Builder](column(3)).Append(r.month(p.time()))
	as[*array.TimestampBuilder](column(4)).Append(arrow.Timestamp(p.time()))
	as[*array.StringBuilder](column(5)).BinaryBuilder.Append(p.id())
	buildText(column(6), account.in(names))
	for i := 7; i < len(fixed); i++ {
		buildText(column(i), rest.text().in(names))
	}
	for i, c := range r.rows.columns {
		to := column(len(fixed) + i)
		if c.Type == lake.DimensionType {
			buildText(to, rest.text().in(names))
			continue
		}
		switch units := rest.units(); {
		case units < 0:
			to.AppendNull()
		case c.Type == lake.IntegerQuantityType:
			as[*array.Int64Builder](to).Append(units)
		default:
			as[*array.Decimal128Builder](to).Append(decimal128.FromI64(units))
		}
	}
}

func buildText(to array.Builder, text []byte) {
	if text == nil {
		to.AppendNull()
		return
	}
	as[*array.StringBuilder](to).BinaryBuilder.Append(text)
}

// as is a builder of the type that its column has; another is a programming error
// and panics.
func as[B array.Builder](b array.Builder) B {
	builder, ok := b.(B)
	if !ok {
		panic(fmt.Sprintf("a %T for a column of packed rows", b))
	}
	return builder
}

// RecordBatch is the batch that Next came to.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch.
func (r *Reader) Record() arrow.RecordBatch { return r.current }

// Err is what kept batches from coming.
func (r *Reader) Err() error { return r.err }

// Retain does nothing: the run owns the reader.
func (r *Reader) Retain() {}

// Release does nothing.
func (r *Reader) Release() {}
