package jobs

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// settleCopies takes the calls out of billing that came twice with different
// times: an event counts once per source, account, id and period of its time, and
// ingest compares only with calls of the same days (SPEC section 3, Once). The copy
// with the earliest run, object and line stays; the others become rejects of reason
// `conflict`, which block the close like any other.
func (m *Mill) settleCopies(ctx context.Context, closing period.Period) error {
	_, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		out := &draft{run: lake.Run{Kind: lake.Copies, Period: closing}}
		for _, p := range m.periodsToCompare(closing) {
			if err := d.settleCopiesOf(ctx, p, out); err != nil {
				return nil, err
			}
		}
		if len(out.outputs) == 0 {
			return nil, nil
		}
		return out, nil
	})
	return err
}

// periodsToCompare are the period being closed and those of the late usage that
// posts to it. One that a single run has brought needs no look: ingest made it.
func (m *Mill) periodsToCompare(closing period.Period) []period.Period {
	state := m.Lake.State()
	runs := map[period.Period]map[int64]bool{}
	fresh := map[period.Period]bool{closing: true}
	for _, file := range state.Files(lake.Usage) {
		for p := m.Calendar.Of(*file.MinTime); !m.Calendar.Of(*file.MaxTime).Before(p); p = p.Next() {
			if runs[p] == nil {
				runs[p] = map[int64]bool{}
			}
			runs[p][file.Run] = true
			if state.PostingPeriod(file.Run, m.Config.FirstPeriod) == closing && p.Before(closing) {
				fresh[p] = true
			}
		}
	}
	return slices.DeleteFunc(slices.SortedFunc(maps.Keys(fresh), func(a, b period.Period) int {
		if a.Before(b) {
			return -1
		}
		return 1
	}), func(p period.Period) bool { return len(runs[p]) < 2 })
}

// settleCopiesOf adds to a draft what the copies among a period's calls change.
func (d *desk) settleCopiesOf(ctx context.Context, p period.Period, out *draft) error {
	m, state := d.mill, d.mill.Lake.State()
	start, end := m.Calendar.Start(p), m.Calendar.End(p)
	files := slices.DeleteFunc(state.Files(lake.Usage), func(f lake.File) bool { return !f.MinTime.Before(end) || f.MaxTime.Before(start) })
	scan, err := d.scan(ctx, lake.Usage, nil)
	if err != nil {
		return err
	}
	scan.Partition = "run"
	for _, file := range files {
		path, err := m.Lake.Path(ctx, file)
		if err != nil {
			return err
		}
		scan.AddTo(strconv.FormatInt(file.Run, 10), path, file.Columns)
	}
	if err := d.session.View(ctx, "period_usage", scan); err != nil {
		return err
	}
	if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE copies AS "+sql.Text("duckdb/copies_found"), start, end); err != nil {
		return fmt.Errorf("look for copies in %s: %w", p, err)
	}
	days, err := d.copiesByDay(ctx)
	if err != nil || len(days) == 0 {
		return err
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		if err := d.rejectCopies(ctx, p, day, out); err != nil {
			return err
		}
		out.addRejects("conflict", days[day])
	}
	for _, file := range files {
		if days[file.Partition] > 0 {
			if err := d.withoutCopies(ctx, lake.Usage, file, out); err != nil {
				return err
			}
		}
	}
	for _, file := range state.Files(lake.Rated) {
		if file.MinTime.Before(end) && !file.MaxTime.Before(start) && file.Partition >= out.run.Period.String() {
			if err := d.withoutCopies(ctx, lake.Rated, file, out); err != nil {
				return err
			}
		}
	}
	return d.recountObjects(ctx, p, out)
}

func (d *draft) addRejects(reason string, n int64) {
	if d.run.Totals.Rejects == nil {
		d.run.Totals.Rejects = map[string]int64{}
	}
	d.run.Totals.Rejects[reason] += n
}

// copiesByDay counts the copies found by the UTC day of their time.
func (d *desk) copiesByDay(ctx context.Context) (map[string]int64, error) {
	rows, err := d.session.Rows(ctx, `SELECT strftime("time", '%Y-%m-%d'), count(*) FROM copies GROUP BY 1`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // only read
	days := map[string]int64{}
	for rows.Next() {
		var day string
		var n int64
		if err := rows.Scan(&day, &n); err != nil {
			return nil, err
		}
		days[day] = n
	}
	return days, rows.Err()
}

func (d *desk) rejectCopies(ctx context.Context, p period.Period, day string, out *draft) error {
	path := filepath.Join(d.scratch, fmt.Sprintf("copies-%s-%s.parquet", p, day))
	rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/copies_rejected"), path, day)
	if err != nil {
		return fmt.Errorf("reject copies of %s: %w", day, err)
	}
	out.outputs = append(out.outputs, lake.Output{Table: lake.Rejected, Partition: day, Path: path, Rows: rows})
	return nil
}

// withoutCopies replaces a file that holds copies with one that does not.
func (d *desk) withoutCopies(ctx context.Context, table lake.Table, file lake.File, out *draft) error {
	if err := d.view(ctx, "settling", table, []lake.File{file}); err != nil {
		return err
	}
	path := filepath.Join(d.scratch, fmt.Sprintf("settled-%d.parquet", len(out.outputs)))
	rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/copies_left_out"), path)
	if err != nil {
		return fmt.Errorf("take copies out of %s: %w", file.Path, err)
	}
	if rows == file.Rows {
		return nil
	}
	tags := maps.Clone(file.Tags)
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

// countHeld sets the tags of a rated file without its copies.
func (d *desk) countHeld(ctx context.Context, tags map[string]string) error {
	var held, notOpened int64
	if err := d.session.Row(ctx, sql.Text("duckdb/copies_held")).Scan(&held, &notOpened); err != nil {
		return err
	}
	for tag, n := range map[string]int64{rate.TagHeld: held, rate.TagNotOpened: notOpened} {
		if delete(tags, tag); n > 0 {
			tags[tag] = strconv.FormatInt(n, 10)
		}
	}
	return nil
}

// recountObjects moves the copies from events to rejects in the table objects.
func (d *desk) recountObjects(ctx context.Context, p period.Period, out *draft) error {
	objects := d.mill.Lake.State().Files(lake.Objects)
	if err := d.view(ctx, "objects", lake.Objects, objects); err != nil {
		return err
	}
	// A second period of one draft goes on from what the first has counted.
	if i := slices.IndexFunc(out.outputs, func(o lake.Output) bool { return o.Table.Name == lake.Objects.Name }); i >= 0 {
		counted, err := d.scan(ctx, lake.Objects, nil)
		if err != nil {
			return err
		}
		counted.Add(out.outputs[i].Path, 0)
		if err := d.session.View(ctx, "objects", counted); err != nil {
			return err
		}
		out.outputs = slices.Delete(out.outputs, i, i+1)
	} else {
		out.replaced = append(out.replaced, objects...)
	}
	path := filepath.Join(d.scratch, fmt.Sprintf("objects-%s.parquet", p))
	rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/copies_recounted"), path)
	if err != nil {
		return fmt.Errorf("count copies by object: %w", err)
	}
	out.outputs = append(out.outputs, lake.Output{Table: lake.Objects, Path: path, Rows: rows})
	return nil
}
