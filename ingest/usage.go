package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/spool"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// A sorting is a day that is sorted while DuckDB writes the day before.
type sorting struct {
	rows *spool.Sorted
	err  error
}

// sortRows is Input.SortRows where it is not given.
const sortRows = 4 << 20

// writeUsage writes each day's usage, sorted. A day's rows are put in order here,
// which takes a fraction of the time that they take through DuckDB's sort, where 16
// bytes a row are little memory; DuckDB sorts, and spills, the days that are larger.
func (r *run) writeUsage(ctx context.Context) (err error) {
	pool := decode.NewPool()
	defer pool.Close()
	days := r.days()
	next := make(chan sorting, 1)
	began := -1 // the day being sorted, or sorted and not written
	begin := func(i int) error {
		if i == len(days) || !r.usage.CanSort(days[i], cmp.Or(r.SortRows, sortRows)) {
			return nil
		}
		keep, err := r.keeper(ctx, days[i])
		if err != nil {
			return err
		}
		began = i
		go func() {
			rows, err := r.sort(days[i], keep, pool)
			next <- sorting{rows, err}
		}()
		return nil
	}
	defer func() {
		if began >= 0 {
			if s := <-next; s.err == nil {
				err = errors.Join(err, s.rows.Close())
			}
		}
	}()
	for i, day := range days {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i == 0 {
			if err := begin(0); err != nil {
				return err
			}
		}
		var sorted sorting
		if began == i {
			sorted, began = <-next, -1
		}
		err := sorted.err
		if err == nil {
			err = begin(i + 1)
		}
		switch {
		case err == nil && sorted.rows != nil:
			err = r.writeSorted(ctx, day, sorted.rows)
		case err == nil:
			err = r.writeUnsorted(ctx, day)
		case sorted.rows != nil:
			err = errors.Join(err, sorted.rows.Close())
		}
		if err := errors.Join(err, r.usage.Remove(day)); err != nil {
			return fmt.Errorf("write usage of %s: %w", dayText(day), err)
		}
	}
	return nil
}

// A place is where a record stands.
type place struct {
	object int32
	line   int64
}

// keeper returns what tells whether a row of a day's usage counts.
func (r *run) keeper(ctx context.Context, day int32) (func(object int32, line int64) bool, error) {
	settled := map[place]bool{}
	rows, err := r.Session.Rows(ctx, sql.Text("duckdb/ingest_settled_day"), dayStart(day), dayStart(day+1))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.object, &p.line); err != nil {
			return nil, err
		}
		settled[p] = true
	}
	return func(object int32, line int64) bool {
		return r.read[object].kept() && (len(settled) == 0 || !settled[place{object, line}])
	}, rows.Err()
}

func (r *run) sort(day int32, keep func(int32, int64) bool, pool *decode.Pool) (*spool.Sorted, error) {
	var objects spool.Objects
	for _, o := range r.Objects {
		objects.Keys = append(objects.Keys, o.Key)
		objects.Sources = append(objects.Sources, o.Source.Name)
	}
	var dynamic []string
	for _, c := range r.dynamic {
		dynamic = append(dynamic, c.Name)
	}
	return r.usage.Sort(day, objects, dynamic, keep, pool)
}

func (r *run) usageOf(day int32) lake.Output {
	return lake.Output{Table: lake.Usage, Partition: dayText(day), Columns: len(lake.Usage.Columns) + len(r.dynamic)}
}

// writeSorted writes a day that was sorted, and closes it.
func (r *run) writeSorted(ctx context.Context, day int32, rows *spool.Sorted) error {
	out := r.usageOf(day)
	var found bool
	if out.MinTime, out.MaxTime, found = rows.Times(); !found {
		return rows.Close()
	}
	err := r.scan("ingest_sorted_batches", rows, func() error {
		return r.write(context.WithoutCancel(ctx), out, sql.Expand("duckdb/ingest_usage_sorted", r.dynamic))
	})
	return errors.Join(err, rows.Close())
}

// writeUnsorted lets DuckDB sort and write a day.
func (r *run) writeUnsorted(ctx context.Context, day int32) error {
	query := sql.Expand("duckdb/ingest_usage_day", map[string]any{"Columns": r.dynamic, "Settled": r.settled})
	batches := r.usage.Read([]int32{day}, usageColumns(r.dynamic)...)
	err := r.scan("ingest_day_batches", batches, func() error { return r.write(context.WithoutCancel(ctx), r.usageOf(day), query) })
	return errors.Join(err, batches.Close())
}

// usageColumns are the columns of the spool that make a row of usage, and more.
func usageColumns(dynamic []lake.Column, more ...string) []string {
	names := append(slices.Clone(more), "#object", "#line", "time", "event_id", "account", "project", "key", "operation")
	for _, c := range dynamic {
		names = append(names, c.Name)
	}
	return names
}
