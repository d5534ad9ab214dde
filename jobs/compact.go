package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// CompactOptions say how to compact.
type CompactOptions struct {
	DryRun bool // only report what there is to do
	Least  int  // how many small files of a partition are worth a merge; 0: 4
}

// A CompactReport says what a compaction did, or would do. Runs is empty when there was
// nothing to do.
type CompactReport struct {
	Runs       []*lake.Run
	Partitions []Compacted
}

// Compacted is what became of a partition of a table: of the files that were merged,
// how many there were and how many they became. BytesAfter is 0 of a dry run.
type Compacted struct {
	Table, Partition        string
	Rows                    int64
	Before, After           int
	BytesBefore, BytesAfter int64
}

// Run is the newest run that was committed; nil: none.
func (r CompactReport) Run() *lake.Run {
	if len(r.Runs) == 0 {
		return nil
	}
	return r.Runs[len(r.Runs)-1]
}

// Total is what became of all partitions together.
func (r CompactReport) Total() Compacted {
	var total Compacted
	for _, p := range r.Partitions {
		total.Rows += p.Rows
		total.Before += p.Before
		total.After += p.After
		total.BytesBefore += p.BytesBefore
		total.BytesAfter += p.BytesAfter
	}
	return total
}

// add counts a merge, and the file it made; nil: it would make one.
func (r *CompactReport) add(g merge, made *lake.File) {
	name, partition := g.table.Name, g.files[0].Partition
	i := slices.IndexFunc(r.Partitions, func(c Compacted) bool { return c.Table == name && c.Partition == partition })
	if i < 0 {
		i = len(r.Partitions)
		r.Partitions = append(r.Partitions, Compacted{Table: name, Partition: partition})
	}
	c := &r.Partitions[i]
	for _, file := range g.files {
		c.Rows += file.Rows
	}
	c.Before += len(g.files)
	c.After++
	c.BytesBefore += g.bytes()
	if made != nil {
		c.BytesAfter += made.Bytes
	}
}

// Compact merges the small files of settled days and months into few large ones, with
// the same rows (SPEC section 9). It commits a run for about every 4 GB of them, each
// whole in itself, until nothing is left to merge.
func (m *Mill) Compact(ctx context.Context, o CompactOptions) (CompactReport, error) {
	var report CompactReport
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return report, err
	}
	if o.DryRun {
		for _, g := range m.merges(o.Least, m.isSettled) {
			report.add(g, nil)
		}
		return report, nil
	}
	err := m.compact(ctx, func() []merge { return m.merges(o.Least, m.isSettled) }, &report)
	return report, err
}

// compact does the merges that plan finds, again until it finds none: each run leaves
// fewer files than it found.
func (m *Mill) compact(ctx context.Context, plan func() []merge, report *CompactReport) error {
	var total, done int64
	for _, g := range plan() {
		total += g.bytes()
	}
	tell := m.progress("compact")
	for {
		var merges []merge
		run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
			merges = oneRun(plan())
			before := done
			return d.compact(ctx, merges, func(bytes int64) {
				if before += bytes; tell != nil {
					tell(min(before, total), total)
				}
			})
		})
		if err != nil || run == nil {
			return err
		}
		report.Runs = append(report.Runs, run)
		for i, g := range merges {
			report.add(g, &run.Files[i])
			done += g.bytes()
		}
	}
}

// oneRun are the first merges, as many as one run makes.
func oneRun(merges []merge) []merge {
	var bytes int64
	for i, g := range merges {
		if bytes += g.bytes(); bytes >= runBytes {
			return merges[:i+1]
		}
	}
	return merges
}

// compact drafts a run that makes merges.
func (d *desk) compact(ctx context.Context, merges []merge, tell func(bytes int64)) (*draft, error) {
	if len(merges) == 0 {
		return nil, nil
	}
	out := &draft{run: lake.Run{Kind: lake.Compact, Read: d.mill.Lake.State().Head}}
	replaced := map[string]bool{}
	for i, g := range merges {
		made, err := d.merge(ctx, g, filepath.Join(d.scratch, fmt.Sprintf("compact-%d.parquet", i)))
		if err != nil {
			what := g.table.Name
			if partition := g.files[0].Partition; partition != "" {
				what += " of " + partition
			}
			return nil, fmt.Errorf("merge %d files of %s: %w", len(g.files), what, err)
		}
		out.outputs = append(out.outputs, made)
		out.replaced = append(out.replaced, g.files...)
		for _, file := range g.files {
			replaced[file.Path] = true
		}
		tell(g.bytes())
	}
	// The rows of a file never change: whoever replaced none of these files left them all.
	out.survives = func(newer *lake.Run) bool {
		return !slices.ContainsFunc(newer.Replaced, func(path string) bool { return replaced[path] })
	}
	return out, nil
}

// merge writes the rows of files into one, in their table's order, and looks whether it
// has them all and no others.
func (d *desk) merge(ctx context.Context, g merge, path string) (lake.Output, error) {
	if err := d.intact(ctx, g.files); err != nil {
		return lake.Output{}, err
	}
	columns, err := d.mergedView(ctx, g)
	if err != nil {
		return lake.Output{}, err
	}
	rows, err := d.session.CopyParquet(ctx, "SELECT * FROM merged ORDER BY "+mergedOrder(g.table), path)
	if err != nil {
		return lake.Output{}, err
	}
	made := duck.Scan{Columns: columns}
	made.Add(path, 0)
	if err := d.session.View(ctx, "merged_file", made); err != nil {
		return lake.Output{}, err
	}
	different, err := d.compare(ctx, twofold{is: "merged_file", should: "merged", columns: columnNames(columns)})
	if err != nil {
		return lake.Output{}, err
	}
	var should int64
	for _, file := range g.files {
		should += file.Rows
	}
	if different == "" && rows != should {
		different = fmt.Sprintf("%d rows where their runs say %d", rows, should)
	}
	if different != "" {
		return lake.Output{}, fmt.Errorf("the merged file would not have the rows of the others, nothing is committed: %s", different)
	}
	first, last := g.span()
	return lake.Output{
		Table: g.table, Partition: g.files[0].Partition, Path: path, Rows: rows, Columns: len(g.table.Schema(d.mill.Lake.State().Columns)),
		MinTime: first, MaxTime: last, Tags: g.tags,
	}, nil
}

// mergedOrder is the order of a table's files, with more where it is not total.
func mergedOrder(table lake.Table) string {
	switch table.Name {
	case lake.Objects.Name:
		return "source, object, run"
	case lake.AccountEvents.Name:
		return `account, "at", event_id`
	case lake.Rejected.Name:
		return "object, source, line, " + lake.OriginColumn + ", reason"
	default:
		return `account, "time", source, event_id, object, line`
	}
}

// hashing is how many files are hashed at once.
const hashing = 4

// intact looks whether files are as their runs wrote them: a merge replaces them, and
// what was changed in one would be taken for what was billed.
func (d *desk) intact(ctx context.Context, files []lake.File) error {
	paths, err := d.mill.Lake.Paths(ctx, files)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(hashing)
	for i, file := range files {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			sum, err := lake.HashFile(paths[i])
			if err == nil && sum != file.SHA256 {
				err = fmt.Errorf("%s has SHA-256 %s, but run %d wrote %s: it was changed; restore the file from a backup or an older version of it", file.Path, sum, file.Run, file.SHA256)
			}
			return err
		})
	}
	return group.Wait()
}

// mergedView makes the rows of a merge readable as merged, with the hidden columns of
// its table, and returns the columns.
func (d *desk) mergedView(ctx context.Context, g merge) ([]duck.Column, error) {
	state := d.mill.Lake.State()
	columns, hidden := g.table.Schema(state.Columns), g.table.Hidden()
	if len(hidden) == 0 {
		return columns, d.view(ctx, "merged", g.table, g.files)
	}
	builder, err := duck.NewBuilder([]duck.Column{{Name: "file", Type: "VARCHAR"}, {Name: lake.OriginColumn, Type: "BIGINT"}, {Name: lake.ReadByColumn, Type: "BIGINT"}})
	if err != nil {
		return nil, err
	}
	for _, file := range g.files {
		builder.Append(file.Path, file.Origin(), file.ReadBy())
	}
	if err := d.session.Load(ctx, "merged_from", builder); err != nil {
		return nil, err
	}
	if err := d.viewHidden(ctx, "merging", g.table, g.files, "#file", func(f lake.File) string { return f.Path }); err != nil {
		return nil, err
	}
	statement := sql.Expand("duckdb/compact_merged", map[string]any{"Columns": columns, "Hidden": hidden})
	return slices.Concat(columns, hidden), d.session.Exec(ctx, statement)
}

// viewHidden is viewBy with the hidden columns of compacted files after those of the
// table, NULL for other files; with an empty column no file is labelled.
func (d *desk) viewHidden(ctx context.Context, name string, table lake.Table, files []lake.File, column string, label func(lake.File) string) error {
	paths, err := d.mill.Lake.Paths(ctx, files)
	if err != nil {
		return err
	}
	return d.session.View(ctx, name, d.mill.Lake.State().ScanHidden(table, files, paths, column, label))
}

// viewWhole makes one file readable with all that it holds: what takes its place keeps
// the hidden columns.
func (d *desk) viewWhole(ctx context.Context, name string, table lake.Table, file lake.File) error {
	if !file.Compacted() {
		return d.view(ctx, name, table, []lake.File{file})
	}
	return d.viewHidden(ctx, name, table, []lake.File{file}, "", nil)
}

// compactBefore merges what is badly fragmented of the tables that a close of a period
// keeps as they are, and compactAfter of what it leaves. A failure is none of the close.
func (m *Mill) compactBefore(ctx context.Context, p period.Period) {
	m.compactFragments(ctx, p, lake.AccountEvents)
}

func (m *Mill) compactAfter(ctx context.Context, p period.Period) {
	m.compactFragments(ctx, p, lake.Objects, lake.Usage, lake.Rated)
}

func (m *Mill) compactFragments(ctx context.Context, p period.Period, tables ...lake.Table) {
	var report CompactReport
	err := m.compact(ctx, func() []merge { return m.merges(0, m.fragments(p, tables...)) }, &report)
	if err != nil && !errors.Is(err, context.Canceled) {
		m.Log.Warn("the period's small files could not be merged; `creditmill compact` tries again", "period", p.String(), "error", err)
	}
}
