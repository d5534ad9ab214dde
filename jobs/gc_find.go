package jobs

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

const gcRows = 100_000 // rows that are loaded at once

// find compares what lies under data/ with what the log says of it. It reads the
// whole log and lists everything, each in passing: the tables are DuckDB's.
func (g *collector) find(ctx context.Context) error {
	if err := g.session.Exec(ctx, sql.Text("duckdb/gc_begin")); err != nil {
		return err
	}
	if err := g.log(ctx); err != nil {
		return fmt.Errorf("read what runs have named: %w", err)
	}
	if err := g.list(ctx); err != nil {
		return fmt.Errorf("list what there is: %w", err)
	}
	now := g.mill.Now()
	if err := g.session.Exec(ctx, sql.Text("duckdb/gc_doomed"), now, now.Add(-settles)); err != nil {
		return fmt.Errorf("compare what there is with what runs have named: %w", err)
	}
	return nil
}

// A loader fills a table in batches.
type loader struct {
	*desk

	table   string
	columns []duck.Column
	builder *duck.Builder
	rows    int
}

func (l *loader) add(ctx context.Context, values ...any) (err error) {
	if l.builder == nil {
		if l.builder, err = duck.NewBuilder(l.columns); err != nil {
			return err
		}
	}
	l.builder.Append(values...)
	if l.rows++; l.rows < gcRows {
		return nil
	}
	return l.flush(ctx)
}

func (l *loader) flush(ctx context.Context) error {
	if l.builder == nil {
		return nil
	}
	builder := l.builder
	l.builder, l.rows = nil, 0
	if err := l.session.Load(ctx, "gc_batch", builder); err != nil {
		return err
	}
	return l.session.Exec(ctx, "INSERT INTO "+duck.Identifier(l.table)+" SELECT * FROM gc_batch")
}

// log loads what runs say of paths.
func (g *collector) log(ctx context.Context) error {
	load := &loader{desk: g.desk, table: "gc_logged", columns: []duck.Column{{Name: "path", Type: "VARCHAR"}, {Name: "what", Type: "VARCHAR"}, {Name: "until", Type: "TIMESTAMP"}}}
	tell := g.mill.progress("log")
	err := g.mill.eachRun(ctx, 1, g.read, func(run *lake.Run) error {
		if tell != nil {
			tell(run.Number, g.read)
		}
		return g.logRun(ctx, run, load)
	})
	if err != nil {
		return err
	}
	for path := range keptFiles(g.mill.Lake.State()) {
		if err := load.add(ctx, path, "kept", nil); err != nil {
			return err
		}
	}
	return load.flush(ctx)
}

func (g *collector) logRun(ctx context.Context, run *lake.Run, load *loader) error {
	for _, file := range run.Files {
		if err := load.add(ctx, file.Path, "named", nil); err != nil {
			return err
		}
	}
	for _, r := range run.Rewritten {
		if err := load.add(ctx, r.File.Path, "named", nil); err != nil {
			return err
		}
	}
	until := g.mill.Calendar.Add(run.Now, g.mill.Config.Retention.Superseded)
	if soonest := run.Now.Add(settles); until.Before(soonest) || run.Kind == lake.GC { // whose files have the text that was to go
		until = soonest
	}
	for _, path := range run.Replaced {
		if err := load.add(ctx, path, "replaced", until); err != nil {
			return err
		}
	}
	for _, path := range run.Deleted {
		if err := load.add(ctx, path, "condemned", nil); err != nil {
			return err
		}
	}
	return nil
}

// keptFiles are the paths of files that never go: those that are live, and those that
// documents are made of.
func keptFiles(state *lake.State) map[string]bool {
	kept := map[string]bool{}
	for _, table := range lake.Tables() {
		for _, file := range state.Files(table) {
			kept[file.Path] = true
		}
	}
	for path := range documentFiles(state) {
		kept[path] = true
	}
	return kept
}

// documentFiles are the paths of the files that issued documents are made of and that
// may be live no longer: account events as they were at each close and re-rate, and
// what closes wrote of statements and balances.
func documentFiles(state *lake.State) map[string]bool {
	paths := map[string]bool{}
	for _, file := range state.Retained() {
		paths[file.Path] = true
	}
	for _, table := range []lake.Table{lake.Statements, lake.Balances} {
		for _, file := range closeFiles(state, table) {
			paths[file.Path] = true
		}
	}
	return paths
}

// list loads what lies under data/. Keys that are not of the lake's making are
// strays.
func (g *collector) list(ctx context.Context) error {
	load := &loader{desk: g.desk, table: "gc_listed", columns: []duck.Column{
		{Name: "path", Type: "VARCHAR"}, {Name: "table", Type: "VARCHAR"}, {Name: "bytes", Type: "BIGINT"}, {Name: "written", Type: "TIMESTAMP"},
	}}
	tables := map[string]lake.Table{}
	for _, table := range lake.Tables() {
		tables[table.Name] = table
	}
	for object, err := range g.mill.Lake.Store.List(ctx, "data/") {
		if err != nil {
			return err
		}
		table, written, ok := dataKey(object.Key, tables)
		if !ok {
			g.report.stray(object.Key)
			continue
		}
		if err := load.add(ctx, object.Key, table, object.Bytes, written); err != nil {
			return err
		}
	}
	return load.flush(ctx)
}

var dataKeys = regexp.MustCompile(`^data/([a-z_]+)/(?:(day|period)=[0-9-]+/)?([0-7][0-9A-HJKMNP-TV-Z]{25})-[0-9]+\.parquet$`)

// dataKey is the table of a key that the lake has made, and when the run began that
// made it, by the clock of its machine; not ok for any other key.
func dataKey(key string, tables map[string]lake.Table) (table string, written time.Time, ok bool) {
	m := dataKeys.FindStringSubmatch(key)
	if m == nil {
		return "", time.Time{}, false
	}
	t, known := tables[m[1]]
	if !known || m[2] != partitionColumn(t) {
		return "", time.Time{}, false
	}
	written, ok = idTime(m[3])
	return t.Name, written, ok
}

// idTime is when an id was made.
func idTime(id string) (time.Time, bool) {
	parsed, err := ulid.ParseStrict(id)
	if err != nil {
		return time.Time{}, false
	}
	return ulid.Time(parsed.Time()).UTC(), true
}
