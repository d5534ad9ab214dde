package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
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

// selectView prepares the rows of a view, in the order of its columns: a view has none of
// its own.
func (e *Export) selectView(ctx context.Context) error {
	reader := &Reader{e.desk, map[string]bool{}}
	if err := reader.Need(ctx, e.Table); err != nil {
		return err
	}
	columns, err := e.desk.session.Describe(ctx, e.Table)
	if err != nil {
		return err
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = duck.Identifier(c.Name)
		if c.Type == "HUGEINT" { // Parquet would have it as a DOUBLE
			columns[i].Type = "DECIMAL(38,0)"
			list[i] = fmt.Sprintf("CAST(%s AS %s) AS %[1]s", list[i], columns[i].Type)
		}
	}
	e.Columns = columns
	filter := func(name string, value string) error {
		if value == "" {
			return nil
		}
		if !slices.ContainsFunc(columns, func(c lake.Column) bool { return c.Name == name }) {
			return ConfigError{fmt.Errorf("the view %s has no %s: leave out --%[2]s", e.Table, name)}
		}
		e.rows.text += " AND " + duck.Identifier(name) + " = ?"
		e.rows.args = append(e.rows.args, value)
		return nil
	}
	e.rows.text = "SELECT " + strings.Join(list, ", ") + " FROM " + duck.Identifier(e.Table) + " WHERE true"
	if err := filter("account", e.Account); err != nil {
		return err
	}
	if err := filter("period", e.Period.String()); err != nil {
		return err
	}
	e.rows.text += " ORDER BY ALL"
	if e.Account != "" {
		if err := e.checkAccount(ctx, e.Table); err != nil {
			return err
		}
	}
	if !e.Period.IsZero() {
		return e.checkPeriod(lake.Rated)
	}
	return nil
}
