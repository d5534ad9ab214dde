package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// isView reports whether a name is that of a view, or of a table of sessions alone.
func isView(name string) bool {
	return slices.Contains(sql.Names("views"), name) || slices.ContainsFunc(madeTables, func(t madeTable) bool { return t.name == name })
}

func errNoView(name string) error {
	names := sql.Names("views")
	for _, made := range madeTables {
		names = append(names, made.name)
	}
	slices.Sort(names)
	return ConfigError{fmt.Errorf("%w; the views are %s", errNoTable(name), strings.Join(names, ", "))}
}

// selectView prepares the rows of a view.
func (e *Export) selectView(ctx context.Context) error {
	reader := &Reader{e.desk, map[string]bool{}}
	if err := reader.Need(ctx, e.Table); err != nil {
		return err
	}
	columns, err := e.desk.session.Describe(ctx, e.Table)
	if err != nil {
		return err
	}
	for i, c := range columns {
		if c.Type == "HUGEINT" { // Parquet would have it as a DOUBLE
			columns[i].Type = "DECIMAL(38,0)"
		}
	}
	e.Columns = columns
	var filters []string
	for _, asked := range [][2]string{{"account", e.Account}, {"period", e.Period.String()}} {
		name, value := asked[0], asked[1]
		switch {
		case value == "":
		case !slices.ContainsFunc(columns, func(c lake.Column) bool { return c.Name == name }):
			return ConfigError{fmt.Errorf("the view %s has no %s: leave out --%[2]s", e.Table, name)}
		default:
			filters = append(filters, name)
			e.rows.args = append(e.rows.args, value)
		}
	}
	e.rows.text = sql.Expand("duckdb/export_view", map[string]any{"View": e.Table, "Columns": columns, "Filters": filters})
	if e.Account != "" {
		if err := e.checkAccount(ctx, e.Table); err != nil {
			return err
		}
	}
	if e.Period.IsZero() {
		return nil
	}
	return e.checkPeriod(lake.Rated)
}
