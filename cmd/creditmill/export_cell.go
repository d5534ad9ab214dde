package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// appendCell appends a cell that is not NULL as text: numbers with all of their
// digits, instants as RFC 3339. A type that no table and no view has is a programming error and
// panics.
func appendCell(line []byte, column arrow.Array, row int) []byte {
	switch column := column.(type) {
	case *array.String:
		return append(line, column.Value(row)...)
	case *array.Int64:
		return strconv.AppendInt(line, column.Value(row), 10)
	case *array.Int32:
		return strconv.AppendInt(line, int64(column.Value(row)), 10)
	case *array.Boolean:
		return strconv.AppendBool(line, column.Value(row))
	case *array.Timestamp:
		return time.UnixMicro(int64(column.Value(row))).UTC().AppendFormat(line, time.RFC3339Nano)
	case *array.Date32:
		return column.Value(row).ToTime().AppendFormat(line, time.DateOnly)
	case *array.Decimal128:
		if t, ok := column.DataType().(*arrow.Decimal128Type); ok {
			return appendDecimal(line, column.Value(row), int(t.Scale))
		}
	}
	panic(fmt.Sprintf("no text for a column of %s", column.DataType()))
}

// appendDecimal appends units of 10^-scale with all of their digits.
func appendDecimal(line []byte, units decimal128.Num, scale int) []byte {
	return append(line, decimalText(units.BigInt(), scale)...)
}
