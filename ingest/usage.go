package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest/row"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// sortBytes is Input.SortBytes where it is not given.
const sortBytes = 256 << 20

// writeUsage writes each day's usage, sorted, several days side by side.
func (r *run) writeUsage(ctx context.Context) error {
	var objects row.Objects
	for _, o := range r.Objects {
		objects.Keys = append(objects.Keys, o.Key)
		objects.Sources = append(objects.Sources, o.Source.Name)
	}
	sorting := r.usage.NewSorting(objects, r.dynamic, cmp.Or(r.SortBytes, sortBytes))
	days := r.usage.Days()
	files := make([][]row.File, len(days))
	var session sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, day := range days {
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			session.Lock()
			keep, err := r.keeper(ctx, day)
			session.Unlock()
			if err == nil {
				files[i], err = sorting.Files(day, keep, func(n int) string {
					return filepath.Join(r.Scratch, fmt.Sprintf("%s-%s-%d.parquet", lake.Usage.Name, dayText(day), n))
				})
			}
			if err = errors.Join(err, r.usage.Remove(day)); err != nil {
				return fmt.Errorf("write usage of %s: %w", dayText(day), err)
			}
			return nil
		})
	}
	err := group.Wait()
	r.newest = map[string]time.Time{}
	for i, day := range days {
		for _, f := range files[i] {
			for name, at := range f.Newest {
				if at.After(r.newest[name]) {
					r.newest[name] = at
				}
			}
			r.outputs = append(r.outputs, lake.Output{
				Table: lake.Usage, Partition: dayText(day), Path: f.Path, Rows: f.Rows, MinTime: f.First, MaxTime: f.Last,
				Columns: len(lake.Usage.Columns) + len(r.dynamic),
			})
		}
	}
	return err
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
