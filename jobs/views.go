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
// partition (day or period) as the last column (SPEC section 11), and the views of
// sql/views and the tables of [madeTables] stand beside them. Of these, and of the
// tables of a remote lake, which cost a download each, there are only those that the
// given statements name, or all where none is known.
func (m *Mill) Read(ctx context.Context, statements ...string) (_ *Reader, err error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	views := m.viewTexts()
	used := newNamed(views, statements)
	for _, table := range m.tablesIn(used) {
		if err := d.liveView(ctx, table); err != nil {
			return nil, err
		}
	}
	for _, made := range madeTables {
		if used.has(made.name) {
			if err := made.make(ctx, d); err != nil {
				return nil, fmt.Errorf("table %s: %w", made.name, err)
			}
		}
	}
	for _, name := range used.inOrder(views) {
		if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+duck.Identifier(name)+" AS "+views[name]); err != nil {
			return nil, fmt.Errorf("view %s: %w", name, err)
		}
	}
	return &Reader{d}, nil
}

// viewTexts are the SELECTs of sql/views by their names, for this lake.
func (m *Mill) viewTexts() map[string]string {
	texts := map[string]string{}
	for _, name := range sql.Names("views") {
		texts[name] = sql.Expand("views/"+name, lakeText{m})
	}
	return texts
}

// A named knows which names statements use, themselves or by the views that they use.
type named struct{ texts []string } // in small letters; empty: every name

func newNamed(views map[string]string, statements []string) named {
	var n named
	for _, statement := range statements {
		n.texts = append(n.texts, strings.ToLower(statement))
	}
	for added := map[string]bool{}; len(n.texts) > 0; {
		before := len(added)
		for name, text := range views {
			if !added[name] && n.has(name) {
				added[name] = true
				n.texts = append(n.texts, strings.ToLower(text))
			}
		}
		if len(added) == before {
			break
		}
	}
	return n
}

func (n named) has(name string) bool {
	return len(n.texts) == 0 || slices.ContainsFunc(n.texts, func(text string) bool { return strings.Contains(text, name) })
}

// inOrder are the views that are used, each after those that it uses.
func (n named) inOrder(views map[string]string) (order []string) {
	var add func(name string)
	add = func(name string) {
		if slices.Contains(order, name) {
			return
		}
		for _, other := range slices.Sorted(maps.Keys(views)) {
			if other != name && strings.Contains(views[name], other) && !strings.Contains(views[other], name) {
				add(other)
			}
		}
		order = append(order, name)
	}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		if n.has(name) {
			add(name)
		}
	}
	return order
}

// tablesIn are the tables to be read: in a remote lake those that are named, and all if
// none is.
func (m *Mill) tablesIn(used named) []lake.Table {
	if m.Config.Lake.Scheme == "" {
		return lake.Tables()
	}
	tables := slices.DeleteFunc(lake.Tables(), func(t lake.Table) bool {
		return !used.has(t.Name) && !slices.ContainsFunc(madeTables, func(made madeTable) bool {
			return used.has(made.name) && slices.Contains(made.from, t.Name)
		})
	})
	if len(tables) == 0 {
		return lake.Tables()
	}
	return tables
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
