package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// A RunFilter selects runs. What is zero selects all.
type RunFilter struct {
	Kinds  []lake.Kind
	Period period.Period // applies, copies, the cut and the close of that period, and re-rates that wrote rows of it
	Since  time.Time     // runs whose clock says this instant or a later one
	Limit  int           // at least 1: so many, the newest
}

// logWindow is how many manifests are read at once by who goes through the log.
const logWindow = 256

// eachRun goes through the runs from first to last, oldest first, in memory that does
// not grow with the log.
func (m *Mill) eachRun(ctx context.Context, first, last int64, do func(*lake.Run) error) error {
	for ; first <= last; first += logWindow {
		runs, err := m.Lake.Runs(ctx, first, min(first+logWindow-1, last))
		if err != nil {
			return err
		}
		for _, run := range runs {
			if err := do(run); err != nil {
				return err
			}
		}
	}
	return nil
}

// runsWindow is how many manifests are read at once, going back through the log.
const runsWindow = 64

// Runs returns the runs that a filter selects, newest first, and whether older ones may
// match that were not looked for. It reads back from the newest no further than it must:
// cuts, closes and re-rates are known without reading; a period has its place in the log;
// and Since ends the search at the first 64 runs in a row that are all before it.
func (m *Mill) Runs(ctx context.Context, f RunFilter) (runs []*lake.Run, more bool, err error) {
	first, last := int64(1), m.Lake.State().Head
	if len(f.Kinds) > 0 && !slices.ContainsFunc(f.Kinds, notMilestone) {
		last = 0
	} else if !f.Period.IsZero() {
		first, last = m.runsOf(f.Period)
	}
	for _, run := range slices.Backward(m.Lake.State().Milestones()) {
		if run.Number <= last || !f.selects(run) {
			continue
		}
		if len(runs) == f.Limit {
			return runs, true, nil
		}
		runs = append(runs, run)
	}
	for ; last >= first; last -= runsWindow {
		if len(runs) == f.Limit {
			return runs, true, nil
		}
		window, err := m.Lake.Runs(ctx, max(first, last-runsWindow+1), last)
		if err != nil {
			return nil, false, err
		}
		recent := false
		for _, run := range slices.Backward(window) {
			recent = recent || !run.Now.Before(f.Since)
			if !f.selects(run) {
				continue
			}
			if len(runs) == f.Limit {
				return runs, true, nil
			}
			runs = append(runs, run)
		}
		if !recent {
			break
		}
	}
	return runs, false, nil
}

func notMilestone(kind lake.Kind) bool {
	return kind != lake.Cut && kind != lake.Close && kind != lake.Rerate
}

// runsOf are the first and the last run that may be of a period, its re-rates left out:
// those between the close of the one before and its own.
func (m *Mill) runsOf(p period.Period) (first, last int64) {
	state := m.Lake.State()
	open, _ := state.Open(m.Config.FirstPeriod)
	if p.Before(m.Config.FirstPeriod) || open.Before(p) {
		return 1, 0
	}
	first, last = 1, state.Head
	for _, c := range state.Closings() {
		if c.CloseRun != 0 && c.Period.Before(p) {
			first = c.CloseRun + 1
		}
		if c.CloseRun != 0 && c.Period == p {
			last = c.CloseRun
		}
	}
	return first, last
}

func (f RunFilter) selects(run *lake.Run) bool {
	if len(f.Kinds) > 0 && !slices.Contains(f.Kinds, run.Kind) || run.Now.Before(f.Since) {
		return false
	}
	if f.Period.IsZero() || run.Period == f.Period {
		return true
	}
	return run.Kind == lake.Rerate && slices.ContainsFunc(run.Files, func(file lake.File) bool { return file.Partition == f.Period.String() })
}
