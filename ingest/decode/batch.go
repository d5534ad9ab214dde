package decode

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/creditmill/creditmill/internal/lake"
)

// Columns of a batch that are not the user's. Their names begin with #, which no
// name of his can. A row is a usage event, an account event or a reject.
const (
	colObject    = iota // #object INTEGER: which object, by the number the caller gave it
	colKind             // #kind INTEGER: a [RowKind]
	colLine             // #line BIGINT
	colOffset           // #offset BIGINT: of the record in the unpacked stream
	colHash             // #hash BIGINT: of (source, account, event id, period); usage only
	colPeriod           // #period INTEGER: months since year 0 of the event's period; usage only
	colTime             // time TIMESTAMP: the event's, or NULL in a reject that has none
	colID               // event_id
	colAccount          // account
	colProject          // project
	colKey              // key
	colOperation        // operation; of an account event its type
	colReason           // #reason: of a reject
	colDetail           // #detail: of a reject
	colRaw              // #raw: of a reject, and of usage that may be a copy; of an account event its payload
	colDynamic          // the first dimension or quantity
)

// A RowKind says what a row of a batch is.
type RowKind int32

// The kinds of row.
const (
	UsageRow RowKind = iota
	AccountRow
	RejectRow
	SkippedRow // only where Options.KeepSkipped asks for them
)

var fixedFields = [colDynamic]struct {
	name, sql string
	typ       arrow.DataType
}{
	{"#object", "INTEGER", arrow.PrimitiveTypes.Int32},
	{"#kind", "INTEGER", arrow.PrimitiveTypes.Int32},
	{"#line", "BIGINT", arrow.PrimitiveTypes.Int64},
	{"#offset", "BIGINT", arrow.PrimitiveTypes.Int64},
	{"#hash", "BIGINT", arrow.PrimitiveTypes.Int64},
	{"#period", "INTEGER", arrow.PrimitiveTypes.Int32},
	{"time", "TIMESTAMP", &arrow.TimestampType{Unit: arrow.Microsecond}},
	{"event_id", "VARCHAR", arrow.BinaryTypes.String},
	{"account", "VARCHAR", arrow.BinaryTypes.String},
	{"project", "VARCHAR", arrow.BinaryTypes.String},
	{"key", "VARCHAR", arrow.BinaryTypes.String},
	{"operation", "VARCHAR", arrow.BinaryTypes.String},
	{"#reason", "VARCHAR", arrow.BinaryTypes.String},
	{"#detail", "VARCHAR", arrow.BinaryTypes.String},
	{"#raw", "VARCHAR", arrow.BinaryTypes.String},
}

// Columns are a batch's columns, as DuckDB has them, with the user's behind.
func Columns(dynamic []lake.Column) []lake.Column {
	columns := make([]lake.Column, 0, int(colDynamic)+len(dynamic))
	for _, f := range fixedFields {
		columns = append(columns, lake.Column{Name: f.name, Type: f.sql})
	}
	return append(columns, dynamic...)
}

// Schema is Columns as Arrow has them.
func Schema(dynamic []lake.Column) *arrow.Schema {
	var fields []arrow.Field
	for _, f := range fixedFields {
		fields = append(fields, arrow.Field{Name: f.name, Type: f.typ, Nullable: true})
	}
	for _, c := range dynamic {
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrowType(c.Type), Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func arrowType(sql string) arrow.DataType {
	switch sql {
	case lake.DimensionType:
		return arrow.BinaryTypes.String
	case lake.IntegerQuantityType:
		return arrow.PrimitiveTypes.Int64
	case lake.DecimalQuantityType:
		return &arrow.Decimal128Type{Precision: 18, Scale: 6}
	default:
		panic("no dimension or quantity is of type " + sql)
	}
}

// batchRows and batchText bound a batch.
const (
	batchRows = 16 << 10
	batchText = 16 << 20
)

// A batch is the rows being filled.
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
		arrays[i] = c.finish()
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
