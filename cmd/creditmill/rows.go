package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
)

// A decimal is an exact decimal with all the digits of its column's scale.
type decimal string

// A result is the rows of a query: cells are nil, string, bool, json.Number,
// decimal, []any or map[string]any.
type result struct {
	columns []string
	numeric []bool
	rows    [][]any
}

// fetch runs a query whose result is small.
func fetch(ctx context.Context, s *duck.Session, query string, args ...any) (result, error) {
	var out result
	columns, numeric, err := each(ctx, s, query, func(row []any) error {
		out.rows = append(out.rows, row)
		return nil
	}, args...)
	out.columns, out.numeric = columns, numeric
	return out, err
}

// each runs a query whose result is small and hands over its rows one by one.
func each(ctx context.Context, s *duck.Session, query string, take func(row []any) error, args ...any) (columns []string, numeric []bool, err error) {
	rows, err := s.Rows(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	return eachOf(rows, take)
}

// eachOf hands over rows one by one, and closes them.
func eachOf(rows *sql.Rows, take func(row []any) error) (columns []string, numeric []bool, err error) {
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	for _, t := range types {
		columns = append(columns, t.Name())
		numeric = append(numeric, isNumeric(t))
	}
	for rows.Next() {
		values, targets := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, nil, err
		}
		for i, t := range types {
			values[i] = cell(values[i], t.DatabaseTypeName())
		}
		if err := take(values); err != nil {
			return nil, nil, err
		}
	}
	return columns, numeric, rows.Err()
}

func isNumeric(t *sql.ColumnType) bool {
	name := t.DatabaseTypeName()
	return strings.HasPrefix(name, "DECIMAL") || strings.HasSuffix(name, "INT") || strings.HasSuffix(name, "INTEGER") ||
		name == "DOUBLE" || name == "FLOAT"
}

// MarshalJSON writes the decimal as a string: a JSON number would become a float
// where it is read.
func (d decimal) MarshalJSON() ([]byte, error) { return json.Marshal(string(d)) }

// plain is a cell as CSV holds it: NULL is empty.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case decimal:
		return string(v)
	case bool, json.Number:
		return fmt.Sprint(v)
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(data)
	}
}

// pretty is a cell as a table for people shows it.
func pretty(value any) string {
	switch v := value.(type) {
	case decimal:
		return grouped(trimmed(string(v)))
	case json.Number:
		if !strings.ContainsAny(v.String(), "e") {
			return grouped(v.String())
		}
		return v.String()
	default:
		return plain(v)
	}
}

// grid sets a result as a table.
func (r result) grid() *grid {
	g := newGrid(r.columns...)
	g.right = r.numeric
	for _, row := range r.rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = pretty(value)
		}
		g.add(cells...)
	}
	return g
}

// objects are the rows of a result by column name, with all digits.
func (r result) objects() []map[string]any {
	list := make([]map[string]any, 0, len(r.rows))
	for _, row := range r.rows {
		object := make(map[string]any, len(row))
		for i, value := range row {
			object[r.columns[i]] = value
		}
		list = append(list, object)
	}
	return list
}

// columnOf is the column in which a query with a limit says how many rows there
// are without it.
const columnOf = "of"

// document are the rows of a result as a command's JSON document holds them:
// credits without trailing zeros, the amounts of the named columns with the digits
// of the row's currency. of is how many rows there are without the query's limit.
func (r result) document(amounts ...string) (rows []map[string]any, of int64) {
	rows = r.objects()
	of = int64(len(rows))
	for _, row := range rows {
		for name, value := range row {
			d, ok := value.(decimal)
			switch {
			case !ok:
			case slices.Contains(amounts, name):
				row[name] = inCurrency(d, plain(row["currency"]))
			default:
				row[name] = decimal(trimmed(string(d)))
			}
		}
		if all, err := strconv.ParseInt(plain(row[columnOf]), 10, 64); err == nil {
			of = all
			delete(row, columnOf)
		}
	}
	return rows, of
}

// more says how many rows a limit left out.
func more(shown int, of int64) string {
	if of <= int64(shown) {
		return ""
	}
	return "  and " + grouped(strconv.FormatInt(of-int64(shown), 10)) + " more: --limit shows more of them\n"
}
