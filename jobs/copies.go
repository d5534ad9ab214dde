package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// settleCopies takes the calls out of billing that came twice with different
// times: an event counts once per source, account, id and period of its time, and
// ingest compares only with calls of the same days (SPEC section 3, Once). The copy
// with the earliest run, object and line stays, even if it was taken back; the others
// become rejects of reason `conflict`, which block the close like any other.
func (m *Mill) settleCopies(ctx context.Context, closing period.Period) error {
	_, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		if open, cut := m.Lake.State().Open(m.Config.FirstPeriod); cut || open != closing {
			return nil, nil // another process has cut it
		}
		return d.copies(ctx, closing)
	})
	return err
}

// copies drafts that the copies among the calls of a period being closed leave.
func (d *desk) copies(ctx context.Context, closing period.Period) (*draft, error) {
	out := &draft{run: lake.Run{Kind: lake.Copies, Period: closing}}
	if err := d.session.Exec(ctx, sql.Text("duckdb/leaving_begin")); err != nil {
		return nil, err
	}
	for p := range d.mill.periodsToCompare(closing) {
		if err := d.findCopies(ctx, p); err != nil {
			return nil, fmt.Errorf("look for copies in %s: %w", p, err)
		}
	}
	if err := d.leave(ctx, "conflict", closing, out); err != nil || len(out.outputs) == 0 {
		return nil, err
	}
	return out, nil
}

// periodsToCompare are the period being closed and those of the late usage that
// posts to it. One that a single run has brought needs no look: ingest made it.
func (m *Mill) periodsToCompare(closing period.Period) map[period.Period]bool {
	state := m.Lake.State()
	runs := map[period.Period]map[int64]bool{}
	fresh := map[period.Period]bool{closing: true}
	note := func(file lake.File, run int64, late bool) {
		for p := m.Calendar.Of(*file.MinTime); !m.Calendar.Of(*file.MaxTime).Before(p); p = p.Next() {
			if runs[p] == nil {
				runs[p] = map[int64]bool{}
			}
			runs[p][run] = true
			if late && p.Before(closing) {
				fresh[p] = true
			}
		}
	}
	for _, file := range state.Files(lake.Usage) {
		for _, run := range file.Origins() {
			note(file, run, state.PostingPeriod(run, m.Config.FirstPeriod) == closing)
		}
	}
	for _, file := range state.Files(lake.Voided) {
		note(file, file.Run, false) // whatever runs had brought its calls
	}
	maps.DeleteFunc(fresh, func(p period.Period, _ bool) bool { return len(runs[p]) < 2 })
	return fresh
}

// findCopies adds the copies among a period's calls to the table leaving.
func (d *desk) findCopies(ctx context.Context, p period.Period) error {
	state := d.mill.Lake.State()
	start, end := d.mill.Calendar.Start(p), d.mill.Calendar.End(p)
	if err := d.usageByRun(ctx, "period_usage", within(state.Files(lake.Usage), start, end)); err != nil {
		return err
	}
	if err := d.view(ctx, "period_voided", lake.Voided, within(state.Files(lake.Voided), start, end)); err != nil {
		return err
	}
	if err := d.session.Exec(ctx, sql.Text("duckdb/copies_period")); err != nil {
		return err
	}
	return d.session.Exec(ctx, sql.Text("duckdb/copies_found"), start, end)
}

// within are the files that may have rows of a span of time.
func within(files []lake.File, start, end time.Time) []lake.File {
	return slices.DeleteFunc(files, func(f lake.File) bool { return !f.MinTime.Before(end) || f.MaxTime.Before(start) })
}

// usageByRun makes files of usage readable, with the run that brought each row in the
// last column, #run, a text.
func (d *desk) usageByRun(ctx context.Context, name string, files []lake.File) error {
	const column = "#run" // no name that a dimension may have
	paths, err := d.mill.Lake.Paths(ctx, files)
	if err != nil {
		return err
	}
	return d.session.View(ctx, name, d.mill.Lake.State().ScanByOrigin(lake.Usage, files, paths, column))
}
