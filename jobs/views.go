package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// A Reader is a read-only session over the live tables, for `query` and for the
// commands that look things up.
type Reader struct {
	*desk
	there map[string]bool // tables and views that can be read
}

// Read opens a session in which every live table is a view of its name, with its
// partition (day or period) as the last column (SPEC section 11), and the views of
// sql/views and the tables of [madeTables] stand beside them. Of these, and of the
// tables of a remote lake, which cost a download each, there are only those that the
// given statements name, or all where none is known.
func (m *Mill) Read(ctx context.Context, statements ...string) (*Reader, error) {
	r, err := m.Sit(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.Need(ctx, statements...); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Sit opens a session of the newest run that has no tables yet: [Reader.Need] brings
// those of a statement before it is run.
func (m *Mill) Sit(ctx context.Context) (*Reader, error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, err
	}
	return &Reader{d, map[string]bool{}}, nil
}

// Need makes what statements name readable, as of the run that the session was opened at:
// no other [Mill.Read] or [Mill.Sit] of the mill may have come between. Of the tables of a
// remote lake that are not named there are the columns alone: to read one is an error. A
// statement that asks what there is sees, on a local lake, all.
func (r *Reader) Need(ctx context.Context, statements ...string) error {
	m := r.mill
	views := m.viewTexts()
	used := newNamed(views, statements)
	if m.Config.Lake.Scheme == "" && slices.ContainsFunc(statements, asksForNames) {
		used = named{}
	}
	for _, table := range lake.Tables() {
		if r.there[table.Name] {
			continue
		}
		if m.Config.Lake.Scheme != "" && !used.table(table) {
			if err := r.announce(ctx, table); err != nil {
				return err
			}
			continue
		}
		if err := r.viewBy(ctx, table.Name, table, m.Lake.State().Files(table), partitionColumn(table), partitionOf); err != nil {
			return err
		}
		r.there[table.Name] = true
	}
	for _, made := range madeTables {
		if !used.has(made.name) || r.there[made.name] {
			continue
		}
		if err := made.make(ctx, r.desk); err != nil {
			return fmt.Errorf("table %s: %w", made.name, err)
		}
		r.there[made.name] = true
	}
	for _, name := range used.inOrder(views) {
		if r.there[name] {
			continue
		}
		if err := r.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+duck.Identifier(name)+" AS "+views[name]); err != nil {
			return fmt.Errorf("view %s: %w", name, err)
		}
		r.there[name] = true
	}
	return nil
}

// announce makes a table known by its name and columns; reading it fails.
func (r *Reader) announce(ctx context.Context, table lake.Table) error {
	columns := table.Schema(r.mill.Lake.State().Columns)
	if name := partitionColumn(table); name != "" {
		columns = append(slices.Clone(columns), lake.Column{Name: name, Type: "VARCHAR"})
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = fmt.Sprintf("CAST(NULL AS %s) AS %s", c.Type, duck.Identifier(c.Name))
	}
	return r.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+duck.Identifier(table.Name)+" AS SELECT "+strings.Join(list, ", ")+
		" WHERE error("+duck.Literal("the table "+table.Name+" is not fetched: name it as it is written here")+") IS NULL")
}

var namesAsked = regexp.MustCompile(`(?i)\bshow\b|\binformation_schema\b`)

// asksForNames reports whether a statement asks what tables there are.
func asksForNames(statement string) bool { return namesAsked.MatchString(statement) }

var commentLines = regexp.MustCompile(`(?m)^\s*--.*$`)

// uncommented is a statement without its lines of comment: what they name is not used.
// With a comment of the other kind in it, which might end on such a line, it stays whole.
func uncommented(statement string) string {
	if strings.Contains(statement, "/*") {
		return statement
	}
	return commentLines.ReplaceAllString(statement, "")
}

// viewTexts are the SELECTs of sql/views by their names, for this lake.
func (m *Mill) viewTexts() map[string]string {
	texts := map[string]string{}
	for _, name := range sql.Names("views") {
		texts[name] = uncommented(sql.Expand("views/"+name, lakeText{m}))
	}
	return texts
}

// A named knows which names statements use, themselves or by the views that they use.
type named struct{ texts []string } // in small letters; empty: every name

func newNamed(views map[string]string, statements []string) named {
	var n named
	for _, statement := range statements {
		n.texts = append(n.texts, strings.ToLower(duck.WithoutComments(statement)))
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
	return len(n.texts) == 0 || slices.ContainsFunc(n.texts, func(text string) bool { return names(text, name) })
}

// names reports whether a text has a name as a whole word.
func names(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(name)
		if !continuesWord(text[:i], utf8.DecodeLastRuneInString) && !continuesWord(text[from:], utf8.DecodeRuneInString) {
			return true
		}
	}
}

func continuesWord(text string, end func(string) (rune, int)) bool {
	r, _ := end(text)
	return text != "" && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

// inOrder are the views that are used, each after those that it uses.
func (n named) inOrder(views map[string]string) (order []string) {
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, other := range slices.Sorted(maps.Keys(views)) {
			if names(views[name], other) {
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

// table reports whether a table is to be read: by its name, or for what is made of it.
func (n named) table(t lake.Table) bool {
	return n.has(t.Name) || slices.ContainsFunc(madeTables, func(made madeTable) bool {
		return n.has(made.name) && slices.Contains(made.from, t.Name)
	})
}

// Close ends the session.
func (r *Reader) Close() error { return r.close() }

// Session is the reader's DuckDB session.
func (r *Reader) Session() *duck.Session { return r.session }

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
