package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/creditmill/creditmill/jobs"
)

// A member is a name and its value in a JSON object.
type member struct {
	name  string
	value any
}

// writeJSON writes an export as one document: what it is, and then its rows, one a
// line. An account's usage has what it adds up to before the calls. Decimals are texts
// with all of their digits.
func writeJSON(ctx context.Context, out *bufio.Writer, e *jobs.Export) (rows int64, err error) {
	if err := writeHead(out, exportHead(e)); err != nil {
		return 0, err
	}
	list, appendRow := "rows", appendObject
	if e.OfAccount() {
		if err := writeList(out, "summary", appendObject, func(take func(arrow.RecordBatch) error) error { return e.EachSummary(ctx, take) }); err != nil {
			return 0, err
		}
		list, appendRow = "calls", callAppender(e)
	}
	if err := writeList(out, list, appendRow, func(take func(arrow.RecordBatch) error) (err error) {
		rows, err = e.Each(ctx, take)
		return err
	}); err != nil {
		return rows, err
	}
	_, err = out.WriteString("\n}\n")
	return rows, err
}

// writeHead begins the document.
func writeHead(out *bufio.Writer, members []member) error {
	separator := "{"
	for _, m := range members {
		value, err := json.Marshal(m.value)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n  %q: %s", separator, m.name, escapeC1(value)); err != nil {
			return err
		}
		separator = ","
	}
	return nil
}

// A rowAppender appends a row of a batch as a JSON object.
type rowAppender func(line []byte, batch arrow.RecordBatch, row int) []byte

// writeList writes a further member of the document: a list of rows, a line each.
func writeList(out *bufio.Writer, name string, appendRow rowAppender, each func(take func(arrow.RecordBatch) error) error) error {
	if _, err := fmt.Fprintf(out, ",\n  %q: [", name); err != nil {
		return err
	}
	var line []byte
	separator, end := "\n    ", "]"
	err := each(func(batch arrow.RecordBatch) error {
		for row := range int(batch.NumRows()) {
			line = appendRow(append(line[:0], separator...), batch, row)
			if _, err := out.Write(line); err != nil {
				return err
			}
			separator, end = ",\n    ", "\n  ]"
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = out.WriteString(end)
	return err
}

// appendObject appends a row with all of its columns.
func appendObject(line []byte, batch arrow.RecordBatch, row int) []byte {
	line = append(line, '{')
	for i, column := range batch.Columns() {
		line = appendValue(appendName(line, batch.ColumnName(i)), column, row)
	}
	return append(line, '}')
}

// callAppender appends a call: its dimensions and quantities as objects that leave out
// what is NULL, and who paid for it as a list.
func callAppender(e *jobs.Export) rowAppender {
	var call, dimensions, quantities, price []int // places of columns
	for i, c := range e.Columns {
		switch {
		case slices.Contains(e.Dimensions(), c):
			dimensions = append(dimensions, i)
		case slices.Contains(e.Quantities(), c):
			quantities = append(quantities, i)
		case c.Name == "price_table" || len(price) > 0:
			price = append(price, i)
		default:
			call = append(call, i)
		}
	}
	paidBy := len(e.Columns) - 1
	return func(line []byte, batch arrow.RecordBatch, row int) []byte {
		line = append(line, '{')
		for _, i := range call {
			line = appendValue(appendName(line, e.Columns[i].Name), batch.Column(i), row)
		}
		line = appendGiven(appendName(line, "dimensions"), dimensions, batch, row)
		line = appendGiven(appendName(line, "quantities"), quantities, batch, row)
		for _, i := range price[:len(price)-1] {
			line = appendValue(appendName(line, e.Columns[i].Name), batch.Column(i), row)
		}
		// A text that is JSON already.
		line = appendName(line, "paid_by")
		if batch.Column(paidBy).IsNull(row) {
			return append(line, "null}"...)
		}
		return append(appendCell(line, batch.Column(paidBy), row), '}')
	}
}

// appendGiven appends the columns of a row that are not NULL as an object.
func appendGiven(line []byte, columns []int, batch arrow.RecordBatch, row int) []byte {
	line = append(line, '{')
	for _, i := range columns {
		if column := batch.Column(i); column.IsValid(row) {
			line = appendValue(appendName(line, batch.ColumnName(i)), column, row)
		}
	}
	return append(line, '}')
}

// appendName appends the name of a member of an object, behind the members before it.
func appendName(line []byte, name string) []byte {
	if last := line[len(line)-1]; last != '{' {
		line = append(line, ", "...)
	}
	line = append(line, '"')
	line = append(line, name...)
	return append(line, `": `...)
}

// appendValue appends a cell as JSON: decimals and instants as texts.
func appendValue(line []byte, column arrow.Array, row int) []byte {
	if column.IsNull(row) {
		return append(line, "null"...)
	}
	switch column := column.(type) {
	case *array.String:
		return appendJSONText(line, column.Value(row))
	case *array.Decimal128, *array.Timestamp, *array.Date32:
		return append(appendCell(append(line, '"'), column, row), '"')
	default:
		return appendCell(line, column, row)
	}
}

// appendJSONText appends a text as JSON, control characters escaped.
func appendJSONText(line []byte, text string) []byte {
	special := func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }
	if strings.IndexFunc(text, special) < 0 {
		return append(append(append(line, '"'), text...), '"')
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a text always encodes
	}
	return append(line, bytes.TrimSuffix(escapeC1(out.Bytes()), []byte("\n"))...)
}
