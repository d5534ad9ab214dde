package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// A Reader is a read-only session over the live tables, for `query` and for the
// commands that look things up.
type Reader struct {
	*desk
}

// Read opens a session in which every live table is a view of its name, with its
// partition (day or period) as the last column (SPEC section 11). Statements that
// are given, or names of tables, say what is fetched from a remote lake: see
// [Mill.tablesIn].
func (m *Mill) Read(ctx context.Context, statements ...string) (*Reader, error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, err
	}
	for _, table := range m.tablesIn(statements) {
		if err := d.liveView(ctx, table); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	for name, statement := range viewsIn(statements) {
		if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+duck.Identifier(name)+" AS "+statement); err != nil {
			return nil, errors.Join(fmt.Errorf("view %s: %w", name, err), d.close())
		}
	}
	return &Reader{d}, nil
}

// viewsIn are the SELECTs over the live tables that statements use by a name, or
// all of them if no statement is known.
func viewsIn(statements []string) map[string]string {
	views := map[string]string{"revenue_by_month": sql.Text("views/revenue_by_month")}
	text := strings.ToLower(strings.Join(statements, "\n"))
	maps.DeleteFunc(views, func(name, _ string) bool { return len(statements) > 0 && !strings.Contains(text, name) })
	return views
}

// tablesIn are the tables to be read for statements: in a remote lake, where each
// costs a download, those whose names occur in their text, and all if none does or
// no statement is known.
func (m *Mill) tablesIn(statements []string) []lake.Table {
	if m.Config.Lake.Scheme == "" || len(statements) == 0 {
		return lake.Tables()
	}
	text := strings.ToLower(strings.Join(slices.AppendSeq(slices.Clone(statements), maps.Values(viewsIn(statements))), "\n"))
	named := slices.DeleteFunc(lake.Tables(), func(t lake.Table) bool { return !strings.Contains(text, t.Name) })
	if len(named) == 0 {
		return lake.Tables()
	}
	return named
}

// Close ends the session.
func (r *Reader) Close() error { return r.close() }

// Session is the reader's DuckDB session.
func (r *Reader) Session() *duck.Session { return r.session }

func (d *desk) liveView(ctx context.Context, table lake.Table) error {
	return d.viewBy(ctx, table.Name, table, d.mill.Lake.State().Files(table), partitionColumn(table), partitionOf)
}

// partitionColumn is the last column of a table's view, "" for none.
func partitionColumn(table lake.Table) string {
	switch table.Partition {
	case lake.ByDay:
		return "day"
	case lake.ByPeriod:
		return "period"
	default:
		return ""
	}
}

func partitionOf(file lake.File) string { return file.Partition }

// Files lists the live files of a table, of one partition or of all.
func (m *Mill) Files(table, partition string) ([]lake.File, error) {
	for _, t := range lake.Tables() {
		if t.Name != table {
			continue
		}
		if partition == "" {
			return m.Lake.State().Files(t), nil
		}
		return m.Lake.State().Partition(t, partition), nil
	}
	return nil, errNoTable(table)
}

func errNoTable(name string) error {
	var names []string
	for _, t := range lake.Tables() {
		names = append(names, t.Name)
	}
	return ConfigError{fmt.Errorf("there is no table %s; the tables are %s", name, strings.Join(names, ", "))}
}
