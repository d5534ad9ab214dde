package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// forgetFiles is how many files are looked into at once.
const forgetFiles = 500

// personal are the tables whose rows say of whom they are, by the column that does.
func personal(column string) []lake.Table {
	return slices.DeleteFunc(lake.Tables(), func(t lake.Table) bool {
		return t.Name == lake.KeptParties.Name || t.Name != lake.Rejected.Name && !slices.ContainsFunc(t.Columns, func(c lake.Column) bool { return c.Name == column })
	})
}

// expand fills a statement in: the person, and what else it needs.
func (f *forgetting) expand(name string, more map[string]any) string {
	data := map[string]any{"Column": f.column, "Name": f.name, "Pseudonym": f.pseudonym, "Mention": f.mention}
	for key, value := range more {
		data[key] = value
	}
	return sql.Expand(name, data)
}

// findRows looks for rows of the person: in live files, in those that documents are made
// of, and in whatever else lies under data/. That there is none which is live is
// errUnknownPerson.
func (f *forgetting) findRows(ctx context.Context) error {
	if err := f.places(ctx); err != nil {
		return err
	}
	var voided int64
	if err := f.session.Row(ctx, "SELECT count(*) FROM forget_places").Scan(&voided); err != nil {
		return err
	}
	tables, known := personal(f.column), voided > 0
	for _, table := range tables {
		n, err := f.findLive(ctx, table)
		if err != nil {
			return err
		}
		mentioned := table.Name == lake.Rejected.Name || table.Name == lake.Voided.Name // perhaps no more than that
		known = known || n > 0 && !mentioned
	}
	if !known {
		return ConfigError{fmt.Errorf("there is no %s %q: %w; `creditmill query` finds names, which are written as the logs write them", f.column, f.name, errUnknownPerson)}
	}
	if err := f.findStanding(ctx); err != nil {
		return err
	}
	return f.findDead(ctx, tables)
}

// places makes the table forget_places: where voided calls of the person stand, whose
// records are rejects now; and forget_sources, the sources that are the person's alone.
func (f *forgetting) places(ctx context.Context) error {
	if err := f.view(ctx, "forget_voided", lake.Voided, f.state.Files(lake.Voided)); err != nil {
		return err
	}
	if err := f.session.Exec(ctx, f.expand("duckdb/forget_places", nil)); err != nil {
		return fmt.Errorf("look for voided calls: %w", err)
	}
	builder, err := duck.NewBuilder([]duck.Column{{Name: "source", Type: "VARCHAR"}})
	if err != nil {
		return err
	}
	for _, s := range f.mill.Sources {
		value := &s.Account
		if f.column == columnKey {
			value = s.Key
		}
		if value != nil && value.Kind == source.Constant && value.Text == f.name {
			builder.Append(s.Name)
		}
	}
	return f.session.Load(ctx, "forget_sources", builder)
}

// findLive notes the live files of a table that have rows of the person.
func (f *forgetting) findLive(ctx context.Context, table lake.Table) (rows int64, err error) {
	files := f.state.Files(table)
	found, err := f.rowsIn(ctx, table, files)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	for _, file := range files {
		if n := found[file.Path]; n > 0 {
			f.rewrites = append(f.rewrites, rewriting{table: table, old: file, live: true})
			f.condemned = append(f.condemned, file.Path)
			rows += n
		}
	}
	f.report.Tables = append(f.report.Tables, ForgottenTable{Table: table.Name, Rows: rows, Files: int64(len(found))})
	return rows, nil
}

// findStanding notes the files, live no longer, that documents are made of.
func (f *forgetting) findStanding(ctx context.Context) error {
	for _, table := range []lake.Table{lake.AccountEvents, lake.Statements, lake.Balances} {
		live := map[string]bool{}
		for _, file := range f.state.Files(table) {
			live[file.Path] = true
		}
		files := slices.DeleteFunc(f.standing(table), func(file lake.File) bool { return live[file.Path] })
		found, err := f.rowsIn(ctx, table, files)
		if err != nil {
			return err
		}
		for _, file := range files {
			if found[file.Path] > 0 {
				f.rewrites = append(f.rewrites, rewriting{table: table, old: file})
				f.condemned = append(f.condemned, file.Path)
			}
		}
		i := slices.IndexFunc(f.report.Tables, func(t ForgottenTable) bool { return t.Table == table.Name })
		if i < 0 && len(found) > 0 {
			i = len(f.report.Tables)
			f.report.Tables = append(f.report.Tables, ForgottenTable{Table: table.Name})
		}
		if len(found) > 0 {
			f.report.Tables[i].Kept = int64(len(found))
		}
	}
	return nil
}

// standing are the files of a table that issued documents are made of, each once.
func (f *forgetting) standing(table lake.Table) []lake.File {
	var files []lake.File
	if table.Name == lake.AccountEvents.Name {
		for _, file := range f.state.Retained() {
			files = append(files, file.File)
		}
	} else if slices.ContainsFunc(personal(f.column), func(t lake.Table) bool { return t.Name == table.Name }) {
		files = closeFiles(f.state, table)
	}
	if f.column == columnKey && table.Name == lake.AccountEvents.Name {
		return nil // they name no key
	}
	slices.SortFunc(files, func(a, b lake.File) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(files, func(a, b lake.File) bool { return a.Path == b.Path })
}

// findDead condemns the other files under data/ that have rows of the person: earlier
// generations, and what runs have left that were never committed.
func (f *forgetting) findDead(ctx context.Context, tables []lake.Table) error {
	kept, byName := keptFiles(f.state), map[string]lake.Table{}
	for _, table := range tables {
		byName[table.Name] = table
	}
	dead := map[string][]lake.File{} // by table
	for object, err := range f.mill.Lake.Store.List(ctx, "data/") {
		if err != nil {
			return err
		}
		if name, _, ours := dataKey(object.Key, byName); ours && !kept[object.Key] {
			dead[name] = append(dead[name], lake.File{Path: object.Key, Table: name, Bytes: object.Bytes})
		}
	}
	for _, table := range tables { // of one that is no table any more, nobody knows anything
		for batch := range slices.Chunk(dead[table.Name], forgetFiles) {
			if err := f.condemnDead(ctx, table, batch); err != nil {
				return err
			}
		}
	}
	slices.Sort(f.condemned)
	return nil
}

// condemnDead condemns those of some files, which are not live, that have rows of the
// person. One that cannot be read is told of: no run needs it.
func (f *forgetting) condemnDead(ctx context.Context, table lake.Table, files []lake.File) error {
	found, err := f.rowsIn(ctx, table, files)
	if err == nil {
		f.condemned = slices.AppendSeq(f.condemned, maps.Keys(found))
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	if len(files) == 1 {
		f.report.Left = append(f.report.Left, StillNamed{Where: files[0].Path + ", perhaps: it cannot be read", Count: 1})
		return nil
	}
	for i := range files { // one of them; which?
		if err := f.condemnDead(ctx, table, files[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// rowsIn counts the rows of the person in files of a table, by path; files without are
// left out.
func (f *forgetting) rowsIn(ctx context.Context, table lake.Table, files []lake.File) (map[string]int64, error) {
	found := map[string]int64{}
	for batch := range slices.Chunk(files, forgetFiles) {
		paths, err := f.mill.Lake.Paths(ctx, batch)
		if err != nil {
			return nil, err
		}
		keys := map[string]string{}
		for i, path := range paths {
			keys[path] = batch[i].Path
		}
		if err := f.countRows(ctx, table, paths, func(path string, n int64) { found[keys[path]] = n }); err != nil {
			return nil, fmt.Errorf("look for rows in %s: %w", table.Name, err)
		}
	}
	return found, nil
}

func (f *forgetting) countRows(ctx context.Context, table lake.Table, paths []string, found func(path string, n int64)) error {
	rows, err := f.session.Rows(ctx, sql.Expand("duckdb/forget_found", f.data(table, paths)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		var n int64
		if err := rows.Scan(&path, &n); err != nil {
			return err
		}
		found(path, n)
	}
	return rows.Err()
}

// finishForgetting deletes what earlier forgets have condemned and not come to delete,
// and returns how many files that were. A dry run only counts them.
func (m *Mill) finishForgetting(ctx context.Context, dry bool) (n int64, err error) {
	there := map[string]bool{}
	for object, err := range m.Lake.Store.List(ctx, "data/") {
		if err != nil {
			return 0, err
		}
		there[object.Key] = true
	}
	var left []string
	err = m.eachRun(ctx, 1, m.Lake.State().Head, func(run *lake.Run) error {
		for _, path := range run.Deleted {
			if run.Kind == lake.Forget && there[path] {
				left = append(left, path)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if dry {
		return int64(len(left)), nil
	}
	return int64(len(left)), m.deleteCondemned(ctx, left)
}

// deleteCondemned deletes files that a committed run has condemned.
func (m *Mill) deleteCondemned(ctx context.Context, paths []string) error {
	var mu sync.Mutex
	var faults []error
	var group errgroup.Group
	group.SetLimit(uploads)
	for _, path := range paths {
		group.Go(func() error {
			if err := m.Lake.Store.Delete(ctx, path); err != nil {
				mu.Lock()
				defer mu.Unlock()
				faults = append(faults, err)
			}
			return nil
		})
	}
	_ = group.Wait() // faults are gathered
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("the rows have a pseudonym, but %d of %d files with the name in them could not be deleted: run the same command again, or `creditmill gc --delete`: %w",
		len(faults), len(paths), faults[0])
}
