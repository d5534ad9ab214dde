package spool

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// A Picker is the few rows of a reader whose value in a column of integers is
// wanted, in memory of their own.
type Picker struct {
	*Reader
	column int
	keep   func(int64) bool
	rows   *array.RecordBuilder
	picked arrow.RecordBatch
}

const pickedRows = 4 << 10

// Pick returns the rows of all days whose value in the column of that name keep
// wants.
func (s *Spool) Pick(name string, keep func(int64) bool) *Picker {
	return &Picker{
		Reader: s.Read(s.Days()), column: s.schema.FieldIndices(name)[0], keep: keep,
		rows: array.NewRecordBuilder(mallocator.NewMallocator(), s.schema),
	}
}

// Close gives up the memory of all batches.
func (p *Picker) Close() error {
	p.drop()
	p.rows.Release()
	return p.Reader.Close()
}

func (p *Picker) drop() {
	if p.picked != nil {
		p.picked.Release()
		p.picked = nil
	}
}

// Next moves on to the next rows picked.
func (p *Picker) Next() bool {
	p.drop()
	n := 0
	for n < pickedRows && p.Reader.Next() {
		values, _ := p.current.Column(p.column).(*array.Int64)
		for row, value := range values.Int64Values() {
			if p.keep(value) {
				p.add(row)
				n++
			}
		}
	}
	if n == 0 || p.err != nil {
		return false
	}
	p.picked = p.rows.NewRecordBatch()
	return true
}

// add copies a row.
func (p *Picker) add(row int) {
	for i, from := range p.current.Columns() {
		to := p.rows.Field(i)
		if from.IsNull(row) {
			to.AppendNull()
			continue
		}
		switch from := from.(type) {
		case *array.Int32:
			builderOf[*array.Int32Builder](to).Append(from.Value(row))
		case *array.Int64:
			builderOf[*array.Int64Builder](to).Append(from.Value(row))
		case *array.Timestamp:
			builderOf[*array.TimestampBuilder](to).Append(from.Value(row))
		case *array.Decimal128:
			builderOf[*array.Decimal128Builder](to).Append(from.Value(row))
		case *array.String:
			builderOf[*array.StringBuilder](to).Append(from.Value(row))
		default:
			panic("no column of a spool is of type " + from.DataType().String())
		}
	}
}

// builderOf is a builder of the type that its column has.
func builderOf[B array.Builder](b array.Builder) B {
	builder, ok := b.(B)
	if !ok {
		panic(fmt.Sprintf("a %T for a column of a spool", b))
	}
	return builder
}

// RecordBatch is what Next picked.
func (p *Picker) RecordBatch() arrow.RecordBatch { return p.picked }

// Record is RecordBatch.
func (p *Picker) Record() arrow.RecordBatch { return p.picked }
