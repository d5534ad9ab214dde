package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A resultRow appends the row of that number, counted from 0, to a line.
type resultRow func(line []byte, row []any, number int64) []byte

// csv writes rows with the values as they are: NULL is an empty cell, an empty text a
// quoted one. Of a terminal control characters are escaped.
func (l layout) csv(columns []string) (head string, appendRow resultRow, foot func(rows int64) string) {
	text := func(line []byte, s string) []byte {
		if l.terminal {
			s = printable(s)
		}
		if s != "" && !strings.ContainsAny(s, ",\"\r\n") {
			return append(line, s...)
		}
		return appendCSVText(line, s)
	}
	var line []byte
	for i, name := range columns {
		line = text(separate(line, i), name)
	}
	return string(line) + "\n", func(line []byte, row []any, _ int64) []byte {
		for i, value := range row {
			if line = separate(line, i); value != nil {
				line = text(line, plain(value))
			}
		}
		return append(line, '\n')
	}, func(int64) string { return "" }
}

// rowsJSON writes one document {"columns", "rows"}, a row a line: an object by column name.
func rowsJSON(columns []string) (head string, appendRow resultRow, foot func(rows int64) string, err error) {
	names := make([]string, len(columns))
	seen := map[string]bool{}
	for i, name := range columns {
		if seen[name] {
			return "", nil, nil, fmt.Errorf("two columns are named %s, and a JSON object has one of a name: name them with AS, or print csv", printable(name))
		}
		seen[name] = true
		names[i] = string(appendJSONText(nil, name))
	}
	list := "["
	for i, name := range names {
		if i > 0 {
			list += ", "
		}
		list += name
	}
	return "{\n  \"columns\": " + list + "],\n  \"rows\": [", func(line []byte, row []any, number int64) []byte {
			if number > 0 {
				line = append(line, ',')
			}
			line = append(line, "\n    {"...)
			for i, value := range row {
				if i > 0 {
					line = append(line, ", "...)
				}
				line = append(append(line, names[i]...), ": "...)
				line = appendJSON(line, value)
			}
			return append(line, '}')
		}, func(rows int64) string {
			if rows == 0 {
				return "]\n}\n"
			}
			return "\n  ]\n}\n"
		}, nil
}

// appendJSON appends a cell with all of its digits: decimals are texts.
func appendJSON(line []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(line, "null"...)
	case string:
		return appendJSONText(line, v)
	case decimal:
		return appendJSONText(line, string(v))
	case json.Number:
		return append(line, v...)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // cells always encode
	}
	return append(line, bytes.TrimSuffix(escapeC1(out.Bytes()), []byte("\n"))...)
}
