//go:build duckdb_arrow

package duck

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// batchRows is how many rows a Builder puts into one record batch.
const batchRows = 8192

// A Builder makes record batches of a few columns from Go values: for tables
// small enough that a value at a time is no matter.
type Builder struct {
	columns []Column
	record  *array.RecordBuilder
	batches []arrow.RecordBatch
	pending int
}

// NewBuilder returns a builder of those columns. Its memory is C's: release the
// reader it gives.
func NewBuilder(columns []Column) (*Builder, error) {
	schema, err := ArrowSchema(columns)
	if err != nil {
		return nil, err
	}
	return &Builder{columns: columns, record: array.NewRecordBuilder(mallocator.NewMallocator(), schema)}, nil
}

// ArrowSchema maps the types that the lake's tables have onto Arrow's.
func ArrowSchema(columns []Column) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		dataType, err := arrowType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		fields[i] = arrow.Field{Name: c.Name, Type: dataType, Nullable: true}
	}
	return arrow.NewSchema(fields, nil), nil
}

func arrowType(duckType string) (arrow.DataType, error) {
	switch duckType {
	case "VARCHAR":
		return arrow.BinaryTypes.String, nil
	case "BIGINT":
		return arrow.PrimitiveTypes.Int64, nil
	case "INTEGER":
		return arrow.PrimitiveTypes.Int32, nil
	case "BOOLEAN":
		return arrow.FixedWidthTypes.Boolean, nil
	case "TIMESTAMP":
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	}
	if precision, scale, ok := DecimalType(duckType); ok {
		return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}, nil
	}
	return nil, fmt.Errorf("no Arrow type for %s", duckType)
}

// Append adds a row: a value a column, nil for NULL. Values are string, int64,
// int, bool, time.Time and decimal128.Num as the column's type wants; another is
// a programming error and panics.
func (b *Builder) Append(values ...any) {
	if len(values) != len(b.columns) {
		panic(fmt.Sprintf("%d values for %d columns", len(values), len(b.columns)))
	}
	for i, value := range values {
		appendValue(b.record.Field(i), b.columns[i].Name, value)
	}
	if b.pending++; b.pending == batchRows {
		b.flush()
	}
}

func appendValue(field array.Builder, column string, value any) {
	switch f := field.(type) {
	case *array.StringBuilder:
		if v, ok := value.(string); ok {
			f.Append(v)
			return
		}
	case *array.Int64Builder:
		if v, ok := value.(int64); ok {
			f.Append(v)
			return
		}
	case *array.Int32Builder:
		if v, ok := value.(int); ok {
			f.Append(int32(v))
			return
		}
	case *array.BooleanBuilder:
		if v, ok := value.(bool); ok {
			f.Append(v)
			return
		}
	case *array.TimestampBuilder:
		if v, ok := value.(time.Time); ok {
			f.Append(arrow.Timestamp(v.UnixMicro()))
			return
		}
	case *array.Decimal128Builder:
		if v, ok := value.(decimal128.Num); ok {
			f.Append(v)
			return
		}
	}
	if value != nil {
		panic(fmt.Sprintf("column %s: a %T in a %T", column, value, field))
	}
	field.AppendNull()
}

func (b *Builder) flush() {
	if b.pending > 0 {
		b.batches = append(b.batches, b.record.NewRecordBatch())
		b.pending = 0
	}
}

// Reader returns the rows appended so far, once; the Builder is spent. The caller
// releases the reader.
func (b *Builder) Reader() (array.RecordReader, error) {
	b.flush()
	defer b.record.Release()
	defer func() {
		for _, batch := range b.batches {
			batch.Release() // the reader has its own hold
		}
	}()
	return array.NewRecordReader(b.record.Schema(), b.batches)
}

// Load makes the rows of a builder the temporary table name, in place of what
// had that name before.
func (s *Session) Load(ctx context.Context, name string, b *Builder) error {
	reader, err := b.Reader()
	if err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	defer reader.Release()
	err = s.Stream("loading", reader, func() error {
		return s.Exec(ctx, "CREATE OR REPLACE TEMP TABLE "+Identifier(name)+" AS SELECT * FROM loading")
	})
	if err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	return nil
}
