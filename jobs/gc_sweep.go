package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/lake"
)

const (
	gcPaths      = 50_000 // that one run condemns, unless told otherwise
	gcDeletes    = 8      // objects that are deleted at once
	gcFaultsTold = 5      // deletes that failed
)

// sweep deletes what find has found, or counts it: what an earlier gc has condemned at
// once, the rest as soon as a run of this one has.
func (g *collector) sweep(ctx context.Context) error {
	var all, done int64
	if err := g.session.Row(ctx, "SELECT count(*) FROM gc_doomed").Scan(&all); err != nil {
		return err
	}
	tell := g.mill.progress("files")
	most := int64(g.options.Most)
	for ; done < all; done += most {
		part, err := g.doomed(ctx, done)
		if err != nil {
			return err
		}
		if g.options.Delete {
			if part, err = g.condemn(ctx, part); err != nil {
				return err
			}
		}
		if err := g.delete(ctx, part); err != nil {
			return err
		}
		if tell != nil {
			tell(min(done+most, all), all)
		}
	}
	return nil
}

// doomed are some of the objects that may go.
func (g *collector) doomed(ctx context.Context, from int64) ([]oddment, error) {
	rows, err := g.session.Rows(ctx, `SELECT path, "table", bytes, reason FROM gc_doomed WHERE rowid >= $1 AND rowid < $2 ORDER BY rowid`, from, from+int64(g.options.Most))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var part []oddment
	for rows.Next() {
		var o oddment
		if err := rows.Scan(&o.path, &o.place, &o.bytes, &o.reason); err != nil {
			return nil, err
		}
		part = append(part, o)
	}
	return part, rows.Err()
}

// condemn commits a run that lists what is to go, and returns what may be deleted
// then: not what a run has named or condemned that came first. The number of the run
// is what counts: whoever uploaded one of these objects before, and has not named it
// yet, loses its own number to this run and finds the object condemned.
func (g *collector) condemn(ctx context.Context, part []oddment) ([]oddment, error) {
	m := g.mill
	run := lake.Run{Kind: lake.GC, Read: g.read}
	if err := m.stamp(ctx, &run); err != nil {
		return nil, err
	}
	for {
		g.take()
		part = slices.DeleteFunc(part, func(o oddment) bool { return g.taken[o.path] })
		run.Deleted = run.Deleted[:0]
		for _, o := range part {
			if o.reason != GCCondemned {
				run.Deleted = append(run.Deleted, o.path)
			}
		}
		if len(run.Deleted) == 0 {
			return part, nil
		}
		err := m.Lake.Commit(ctx, &run)
		if err == nil {
			g.report.Run = m.Lake.State().Since(run.Number - 1)[0]
			g.take()
			return part, nil
		}
		if !errors.Is(err, lake.ErrLost) {
			return nil, err
		}
		if _, err := m.Lake.Refresh(ctx); err != nil {
			return nil, err
		}
		run.ID = lake.NewRunID()
	}
}

// take notes what runs have named or condemned since the log was compared: also those
// that a commit of this gc has read after its own.
func (g *collector) take() {
	state := g.mill.Lake.State()
	for _, run := range state.Since(g.checked) {
		for _, file := range run.Files {
			g.taken[file.Path] = true
		}
		for _, r := range run.Rewritten {
			g.taken[r.File.Path] = true
		}
		if run.Kind != lake.GC || g.report.Run == nil || run.ID != g.report.Run.ID { // another's, which deletes them
			for _, path := range run.Deleted {
				g.taken[path] = true
			}
		}
	}
	g.checked = state.Head
}

// delete deletes objects, or only counts them. What the store refuses is kept for the
// end.
func (g *collector) delete(ctx context.Context, part []oddment) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(gcDeletes)
	for _, o := range part {
		if !g.options.Delete {
			g.report.count(o)
			continue
		}
		group.Go(func() error {
			err := g.mill.Lake.Store.Delete(ctx, o.path)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				g.report.count(o)
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if g.failed++; len(g.faults) < gcFaultsTold {
				g.faults = append(g.faults, fmt.Errorf("%s: %w", o.path, err))
			}
			return nil
		})
	}
	return group.Wait()
}
