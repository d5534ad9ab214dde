package decode

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/creditmill/creditmill/internal/lake"
)

// Columns of a batch of what is no usage. Names that begin with # are no user's:
// none of his can.
const (
	otherObject    = iota // #object INTEGER
	otherKind             // #kind INTEGER: a [RowKind]
	otherLine             // #line BIGINT
	otherOffset           // #offset BIGINT
	otherTime             // time TIMESTAMP: the event's, or NULL in a reject that has none
	otherID               // event_id: of an account event, as the two behind it
	otherAccount          // account
	otherOperation        // operation: its type
	otherReason           // #reason: of a reject
	otherDetail           // #detail: of a reject
	otherRaw              // #raw: the record's text; of an account event its payload
)

// A RowKind says what a row of a batch is.
type RowKind int32

// The kinds of row.
const (
	UsageRow RowKind = iota // a usage event that may be a copy: its text; the event is a row of usage
	AccountRow
	RejectRow
	SkippedRow // only where Options.KeepSkipped asks for them
)

type fixedField struct {
	name, sql string
	typ       arrow.DataType
}

var otherFields = []fixedField{
	otherObject:    {"#object", "INTEGER", arrow.PrimitiveTypes.Int32},
	otherKind:      {"#kind", "INTEGER", arrow.PrimitiveTypes.Int32},
	otherLine:      {"#line", "BIGINT", arrow.PrimitiveTypes.Int64},
	otherOffset:    {"#offset", "BIGINT", arrow.PrimitiveTypes.Int64},
	otherTime:      {"time", "TIMESTAMP", &arrow.TimestampType{Unit: arrow.Microsecond}},
	otherID:        {"event_id", "VARCHAR", arrow.BinaryTypes.String},
	otherAccount:   {"account", "VARCHAR", arrow.BinaryTypes.String},
	otherOperation: {"operation", "VARCHAR", arrow.BinaryTypes.String},
	otherReason:    {"#reason", "VARCHAR", arrow.BinaryTypes.String},
	otherDetail:    {"#detail", "VARCHAR", arrow.BinaryTypes.String},
	otherRaw:       {"#raw", "VARCHAR", arrow.BinaryTypes.String},
}

// OtherSchema is that of the other batches.
func OtherSchema() *arrow.Schema { return arrow.NewSchema(schemaFields(otherFields...), nil) }

// OtherColumns is OtherSchema as DuckDB has it.
func OtherColumns() []lake.Column {
	var columns []lake.Column
	for _, f := range otherFields {
		columns = append(columns, lake.Column{Name: f.name, Type: f.sql})
	}
	return columns
}

func schemaFields(list ...fixedField) []arrow.Field {
	var fields []arrow.Field
	for _, f := range list {
		fields = append(fields, arrow.Field{Name: f.name, Type: f.typ, Nullable: true})
	}
	return fields
}

// What bounds a batch.
const (
	batchRows = 4 << 10
	batchText = 16 << 20
)

// A batch is the rows being filled. A column that a row appends nothing to is NULL
// there.
type batch struct {
	schema *arrow.Schema
	cols   []*column
	rows   int
	raw    int // bytes of #raw and #detail so far
}

func newBatch(pool *Pool, schema *arrow.Schema) *batch {
	b := &batch{schema: schema}
	for _, f := range schema.Fields() {
		b.cols = append(b.cols, newColumn(pool, f.Type, batchRows))
	}
	return b
}

func (b *batch) full() bool { return b.rows == batchRows || b.raw > batchText }

// take returns the rows so far as a record batch, and begins anew.
func (b *batch) take() arrow.RecordBatch {
	arrays := make([]arrow.Array, len(b.cols))
	for i, c := range b.cols {
		arrays[i] = c.finish(b.rows)
	}
	record := array.NewRecordBatch(b.schema, arrays, int64(b.rows))
	for i, c := range b.cols {
		arrays[i].Release()
		c.begin()
	}
	b.rows, b.raw = 0, 0
	return record
}

func (b *batch) free() {
	for _, c := range b.cols {
		c.free()
	}
}
