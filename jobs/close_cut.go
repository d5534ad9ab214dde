package jobs

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// cut drafts the run that settles what belongs to the period. Held usage moves to
// the first instant of the next one (SPEC section 14, 26).
func (d *desk) cut(ctx context.Context, o CloseOptions, p period.Period) (*draft, error) {
	m, state := d.mill, d.mill.Lake.State()
	out := &draft{
		run: lake.Run{Kind: lake.Cut, Period: p, Read: state.Head, AcceptedRejects: o.AcceptRejects, LeftHeld: o.LeaveHeld},
		numbered: func(ctx context.Context, run int64) ([]lake.Output, error) {
			return d.writePeriods(ctx, append(state.Closings(), lake.Closing{Period: p, CutRun: run}))
		},
		replaced: state.Files(lake.Periods),
		survives: func(newer *lake.Run) bool { return leavesAlone(newer, p, m.Calendar.End(p)) },
	}
	next := p.Next()
	for i, file := range state.Partition(lake.Rated, p.String()) {
		if heldRows(file) == 0 {
			continue
		}
		outputs, err := d.moveHeld(ctx, file, i, p, m.Calendar.Start(next))
		if err != nil {
			return nil, err
		}
		out.outputs = append(out.outputs, outputs...)
		out.replaced = append(out.replaced, file)
	}
	return out, nil
}

// leavesAlone reports whether a run brought nothing that a period ending at end has
// to rate, judge or refuse for: usage of later periods alone, as ingest brings all day
// long, and its ratings; what apply publishes is replaced by the close.
func leavesAlone(run *lake.Run, p period.Period, end time.Time) bool {
	return noneOf(run, func(f lake.File) bool { return f.Table == lake.Usage.Name && f.MinTime.Before(end) }) &&
		noneOf(run, func(f lake.File) bool { return f.Table == lake.Rated.Name && f.Partition <= p.String() }) && bringsCalls(run)
}

// bringsCalls reports whether a run brought nothing but calls, as ingest and rate do.
func bringsCalls(run *lake.Run) bool {
	switch run.Kind {
	case lake.Ingest:
		for reason := range run.Totals.Rejects {
			if reason != "duplicate" {
				return false
			}
		}
		return len(*run.Unread) == 0 && noneOf(run, ofAccountEventFiles)
	case lake.Rate, lake.Apply:
		return noneOf(run, ofAccountEventFiles)
	case lake.Compact, lake.GC:
		return true // the rows that count are as they were
	default:
		return false
	}
}

func ofAccountEventFiles(f lake.File) bool { return f.Table == lake.AccountEvents.Name }

func noneOf(run *lake.Run, such func(lake.File) bool) bool {
	return !slices.ContainsFunc(run.Files, such)
}

// moveHeld splits a rated file: the priced rows stay, the held ones post at the
// next period's start.
func (d *desk) moveHeld(ctx context.Context, file lake.File, n int, p period.Period, postedAt time.Time) ([]lake.Output, error) {
	if err := d.view(ctx, "splitting", lake.Rated, []lake.File{file}); err != nil {
		return nil, err
	}
	part := func(statement, partition string, tags map[string]string, args ...any) (lake.Output, error) {
		path := filepath.Join(d.scratch, fmt.Sprintf("held-%d-%s.parquet", n, partition))
		rows, err := d.session.CopyParquet(ctx, statement, path, args...)
		if err != nil {
			return lake.Output{}, fmt.Errorf("move held usage of %s: %w", file.Path, err)
		}
		return lake.Output{
			Table: lake.Rated, Partition: partition, Path: path, Rows: rows, MinTime: *file.MinTime, MaxTime: *file.MaxTime, Tags: tags,
		}, nil
	}
	stay, err := part(sql.Text("duckdb/cut_stay"), p.String(), map[string]string{rate.TagPrices: file.Tags[rate.TagPrices]})
	if err != nil {
		return nil, err
	}
	moved := maps.Clone(file.Tags)
	moved[tagLeft] = p.String()
	move, err := part(sql.Text("duckdb/cut_move"), p.Next().String(), moved, postedAt)
	return []lake.Output{stay, move}, err
}
