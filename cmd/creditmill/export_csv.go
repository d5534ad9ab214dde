package main

import (
	"bufio"
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/creditmill/creditmill/jobs"
)

// writeCSV writes an export as RFC 4180 has it: UTF-8, a header, lines that end in CR
// LF. NULL is an empty cell, an empty text a quoted one. For a terminal, control
// characters are escaped.
func writeCSV(ctx context.Context, out *bufio.Writer, e *jobs.Export, terminal bool) (rows int64, err error) {
	var line []byte
	for i, c := range e.Columns {
		line = appendCSVText(separate(line, i), c.Name)
	}
	if _, err := out.Write(append(line, "\r\n"...)); err != nil {
		return 0, err
	}
	return e.Each(ctx, func(batch arrow.RecordBatch) error {
		for row := range int(batch.NumRows()) {
			line = line[:0]
			for i, column := range batch.Columns() {
				line = separate(line, i)
				switch text, isText := column.(*array.String); {
				case column.IsNull(row):
				case !isText:
					line = appendCell(line, column, row)
				case terminal:
					line = appendCSVText(line, printable(inSpreadsheet(text.Value(row))))
				default:
					line = appendCSVText(line, inSpreadsheet(text.Value(row)))
				}
			}
			if _, err := out.Write(append(line, "\r\n"...)); err != nil {
				return err
			}
		}
		return nil
	})
}

func separate(line []byte, column int) []byte {
	if column > 0 {
		line = append(line, ',')
	}
	return line
}

// inSpreadsheet is a text that no spreadsheet takes for a formula: one that begins,
// blanks aside, with a character that a formula may begin with gets an apostrophe in
// front. So does one that begins with an apostrophe: take the first one away and the
// text is as it was.
func inSpreadsheet(text string) string {
	if text == "" || 'a' <= text[0] && text[0] <= 'z' {
		return text
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, unicode.IsSpace))
	if strings.ContainsRune("=+-@＝＋－＠", first) || strings.IndexByte("'\t\r\n", text[0]) >= 0 {
		return "'" + text
	}
	return text
}

func appendCSVText(line []byte, text string) []byte {
	if text != "" && !strings.ContainsAny(text, ",;\"\r\n\t") {
		return append(line, text...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(text, `"`, `""`)...)
	return append(line, '"')
}
