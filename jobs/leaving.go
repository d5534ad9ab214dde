package jobs

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// A leavingGroup is calls that leave: of one UTC day, brought by one run.
type leavingGroup struct {
	day    string
	run, n int64
}

// leave drafts that the calls in the table leaving leave usage and rated and become
// rejects of that reason. Rated files of periods before from stay as they are.
func (d *desk) leave(ctx context.Context, reason string, from period.Period, out *draft) error {
	groups, err := d.leavingGroups(ctx)
	if err != nil || len(groups) == 0 {
		return err
	}
	leaves := map[string]map[int64]bool{} // by day, of which runs
	for i, g := range groups {
		if leaves[g.day] == nil {
			leaves[g.day] = map[int64]bool{}
		}
		leaves[g.day][g.run] = true
		path := filepath.Join(d.scratch, fmt.Sprintf("leaving-%d.parquet", i))
		rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/leaving_rejected"), path, g.day, g.run, reason)
		if err != nil {
			return fmt.Errorf("reject calls of %s: %w", g.day, err)
		}
		out.outputs = append(out.outputs, lake.Output{
			Table: lake.Rejected, Partition: g.day, Path: path, Rows: rows,
			Tags: map[string]string{lake.TagReadBy: strconv.FormatInt(g.run, 10)},
		})
		out.addRejects(reason, g.n)
	}
	state := d.mill.Lake.State()
	for _, file := range state.Files(lake.Usage) {
		if file.HasOrigin(func(run int64) bool { return leaves[file.Partition][run] }) {
			if err := d.leaveFile(ctx, lake.Usage, file, out); err != nil {
				return err
			}
		}
	}
	first, last := groups[0].day, groups[len(groups)-1].day
	for _, file := range state.Files(lake.Rated) {
		if file.Partition < from.String() || dayOf(*file.MaxTime) < first || dayOf(*file.MinTime) > last {
			continue
		}
		if err := d.leaveFile(ctx, lake.Rated, file, out); err != nil {
			return err
		}
	}
	return d.recount(ctx, sql.Text("duckdb/leaving_recount"), out)
}

func (d *draft) addRejects(reason string, n int64) {
	if d.run.Totals.Rejects == nil {
		d.run.Totals.Rejects = map[string]int64{}
	}
	d.run.Totals.Rejects[reason] += n
}

func (d *desk) leavingGroups(ctx context.Context) ([]leavingGroup, error) {
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/leaving_groups"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var groups []leavingGroup
	for rows.Next() {
		var g leavingGroup
		if err := rows.Scan(&g.day, &g.run, &g.n); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, rows.Err()
}

// leaveFile replaces a file that holds calls that leave with one that does not. It
// stands in for the run that brought the others.
func (d *desk) leaveFile(ctx context.Context, table lake.Table, file lake.File, out *draft) error {
	if err := d.viewWhole(ctx, "file_left", table, file); err != nil {
		return err
	}
	var n int64
	if err := d.session.Row(ctx, sql.Text("duckdb/leaving_in_file")).Scan(&n); err != nil || n == 0 {
		return err
	}
	path := filepath.Join(d.scratch, fmt.Sprintf("stay-%d.parquet", len(out.outputs)))
	rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/leaving_stay"), path)
	if err != nil {
		return fmt.Errorf("take calls out of %s: %w", file.Path, err)
	}
	tags := originTags(file)
	if table.Name == lake.Rated.Name {
		if err := d.countHeld(ctx, tags); err != nil {
			return err
		}
	}
	out.outputs = append(out.outputs, lake.Output{
		Table: table, Partition: file.Partition, Path: path, Rows: rows, MinTime: *file.MinTime, MaxTime: *file.MaxTime, Tags: tags,
	})
	out.replaced = append(out.replaced, file)
	return nil
}

// originTags are the tags of a file that takes another's place.
func originTags(file lake.File) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, file.Tags)
	tags[lake.TagOrigin] = strconv.FormatInt(file.Origin(), 10)
	return tags
}

// countHeld sets the tags of a rated file by the rows that stay.
func (d *desk) countHeld(ctx context.Context, tags map[string]string) error {
	var held, notOpened int64
	if err := d.session.Row(ctx, sql.Text("duckdb/leaving_held")).Scan(&held, &notOpened); err != nil {
		return err
	}
	for tag, n := range map[string]int64{rate.TagHeld: held, rate.TagNotOpened: notOpened} {
		if delete(tags, tag); n > 0 {
			tags[tag] = strconv.FormatInt(n, 10)
		}
	}
	return nil
}

// recount drafts the table objects with changes of its counts, a query of source,
// object, run, events, rejects and skipped: those of its files that have such rows
// are replaced by one.
func (d *desk) recount(ctx context.Context, changes string, out *draft) error {
	if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE recount AS "+changes); err != nil {
		return fmt.Errorf("count the records of objects anew: %w", err)
	}
	files := d.mill.Lake.State().Files(lake.Objects)
	if err := d.viewBy(ctx, "objects_by_file", lake.Objects, files, "file", func(f lake.File) string { return f.Path }); err != nil {
		return err
	}
	changed, err := d.texts(ctx, sql.Text("duckdb/recount_files"))
	if err != nil || len(changed) == 0 {
		return err
	}
	files = slices.DeleteFunc(files, func(f lake.File) bool { return !slices.Contains(changed, f.Path) })
	if err := d.view(ctx, "recounted", lake.Objects, files); err != nil {
		return err
	}
	path := filepath.Join(d.scratch, "recounted.parquet")
	rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/recount_objects"), path)
	if err != nil {
		return fmt.Errorf("count the records of objects anew: %w", err)
	}
	out.outputs = append(out.outputs, lake.Output{Table: lake.Objects, Path: path, Rows: rows})
	out.replaced = append(out.replaced, files...)
	return nil
}

// texts are the first column of a query's rows.
func (d *desk) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := d.session.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// dayOf is the UTC day of an instant, as partitions have it.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
