package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// differingRows is how many rows of each side are told where two relations differ.
const differingRows = 3

// A twofold is two relations that should have the same rows, however often each and in
// whatever order. The names are those of views.
type twofold struct {
	is, should string   // views
	columns    []string // that are compared
}

// compare returns what differs, empty where nothing does. It reads each side once, in
// memory that does not grow; only where something differs are rows looked for.
func (d *desk) compare(ctx context.Context, t twofold) (string, error) {
	var prints [2]string
	var counts [2]int64
	for i, view := range []string{t.is, t.should} {
		if err := d.session.Row(ctx, sql.Expand("duckdb/verify_print", map[string]any{"View": view, "Columns": t.columns})).Scan(&counts[i], &prints[i]); err != nil {
			return "", fmt.Errorf("compare rows: %w", err)
		}
	}
	if counts[0] == counts[1] && prints[0] == prints[1] {
		return "", nil
	}
	var told []string
	for _, side := range []struct{ what, of, without string }{{"there is", t.is, t.should}, {"there should be", t.should, t.is}} {
		statement := sql.Expand("duckdb/verify_differing", map[string]any{"Of": side.of, "Without": side.without, "Columns": t.columns, "Limit": differingRows})
		rows, err := d.texts(ctx, statement)
		if err != nil {
			return "", fmt.Errorf("compare rows: %w", err)
		}
		for _, row := range rows {
			told = append(told, side.what+" "+row)
		}
	}
	text := fmt.Sprintf("%d rows where there should be %d", counts[0], counts[1])
	if counts[0] == counts[1] {
		text = fmt.Sprintf("of %d rows some differ", counts[0])
	}
	return text + ": " + strings.Join(told, "; "), nil
}

// offenders are the first rows of a check of package sql, as text, and how many there are.
func (d *desk) offenders(ctx context.Context, name string, args ...any) (told []string, n int64, err error) {
	statement := "SELECT CAST(t AS VARCHAR) FROM (" + sql.Text(name) + "\n) AS t"
	rows, err := d.session.Rows(ctx, statement, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			return nil, 0, err
		}
		if n++; n <= differingRows {
			told = append(told, row)
		}
	}
	return told, n, rows.Err()
}

// hold makes a check of package sql, whose rows are faults, part of a check.
func (v *verifier) hold(ctx context.Context, d *desk, check *Check, where, name string, args ...any) error {
	told, n, err := d.offenders(ctx, name, args...)
	if err != nil {
		return err
	}
	if n > 0 {
		text := strings.Join(told, "; ")
		if more := n - int64(len(told)); more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
		check.fault(where+", "+name, nextRows, "%s", text)
	}
	return nil
}

func columnNames(columns []duck.Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return list
}

// usageColumns are those of a call, which usage and rated share.
func (v *verifier) usageColumns() []string {
	return columnNames(lake.Usage.Schema(v.mill.Lake.State().Columns))
}
