package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// CloseOptions say which period to close and what to close in spite of.
type CloseOptions struct {
	Period        period.Period // zero: the oldest that may be closed
	LeaveHeld     bool          // held usage and account events post to the next period
	AcceptRejects bool          // every reject so far is accepted
	AcceptSilence bool          // sources silent for longer than expected are
}

// A CloseReport says what a close did. Run is nil when nothing was left to close;
// Already then tells the closing that had been made.
type CloseReport struct {
	Run     *lake.Run
	Period  period.Period
	Already *lake.Closing
	Blocks  []Block // why it refused; nothing is committed then but what comes before the closing run
	Totals  lake.Totals
	Head    string // SHA-256 of the log's head
}

// Close closes a period as SPEC section 7 says: ingest and rate what is there,
// refuse or cut, burn down for good, commit.
func (m *Mill) Close(ctx context.Context, o CloseOptions) (CloseReport, error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return CloseReport{}, err
	}
	open, _ := m.Lake.State().Open(m.Config.FirstPeriod)
	report := CloseReport{Period: o.Period}
	switch {
	case !o.Period.IsZero() && o.Period.Before(m.Config.FirstPeriod):
		return report, ConfigError{fmt.Errorf("%s is before the lake's first period, %s", o.Period, m.Config.FirstPeriod)}
	case !o.Period.IsZero() && o.Period.Before(open):
		closing, _ := m.Lake.State().Closed(o.Period)
		report.Already, report.Head = &closing, m.Lake.State().HeadHash
		return report, nil
	case !o.Period.IsZero() && open.Before(o.Period):
		return report, fmt.Errorf("%s cannot be closed before %s: run `creditmill close --period %s` first", o.Period, open, open)
	}
	from := m.closeFrom(open)
	if m.Now().Before(from) {
		if o.Period.IsZero() {
			return report, nil
		}
		return report, fmt.Errorf("%s may be closed from %s on, its end plus close.grace", open, period.FormatInstant(from))
	}
	report.Period = open
	m.compactBefore(ctx, open)
	c := &closer{mill: m, options: o, period: open, report: &report}
	run, err := c.run(ctx)
	report.Head = m.Lake.State().HeadHash
	if run != nil && run.Kind == lake.Close {
		report.Run = run
		m.compactAfter(ctx, open)
	}
	return report, err
}

// closeFrom is the instant from which on a period may be closed.
func (m *Mill) closeFrom(p period.Period) time.Time {
	return m.Calendar.Add(m.Calendar.End(p), m.Config.CloseGrace)
}

// A closer is one close at work, over all of its attempts.
type closer struct {
	mill    *Mill
	options CloseOptions
	period  period.Period
	report  *CloseReport
	unread  []lake.Unread // the objects that the last listing of all could not take in
	clear   int64         // the newest run with which nothing was in the way; 0: not known
}

// closeRounds is how often a close that lost each of its attempts begins again: who
// ingests or rates all day long delays it, and must not stop it.
const closeRounds = 20

func (c *closer) run(ctx context.Context) (run *lake.Run, err error) {
	for range closeRounds {
		if run, err = c.mill.perform(ctx, c.draft); !errors.Is(err, ErrLost) {
			break
		}
	}
	return run, err
}

// draft drafts what is left to do of the close: the cut and then the rest, or, after
// a crash between the two, the rest.
func (c *closer) draft(ctx context.Context, d *desk) (*draft, error) {
	if _, begun := c.begun(); !begun {
		if err := c.settle(ctx); err != nil {
			return nil, err
		}
	}
	// Settling looked at the log anew: another process may have begun meanwhile.
	if _, begun := c.begun(); begun {
		return c.finish(ctx, d, nil)
	}
	return c.draftCut(ctx, d)
}

// begun returns how far the period's close has come, by whatever process.
func (c *closer) begun() (lake.Closing, bool) {
	for _, closing := range c.mill.Lake.State().Closings() {
		if closing.Period == c.period {
			return closing, true
		}
	}
	return lake.Closing{}, false
}

// settle takes in everything that has landed, rates whatever of the period is not
// rated or would be rated otherwise today, and takes out copies. What others commit
// meanwhile is rated too, for the cut must follow the rating of all usage before it.
func (c *closer) settle(ctx context.Context) error {
	m := c.mill
	ingested, err := m.ingest(ctx, "", true)
	if err != nil {
		return err
	}
	c.unread = ingested.Unread
	for {
		if _, err := m.Rate(ctx); err != nil {
			return err
		}
		if err := m.settleCopies(ctx, c.period); err != nil {
			return err
		}
		if _, begun := c.begun(); begun {
			return nil // by another process
		}
		if rated, err := m.isRated(ctx, c.period); err != nil || rated {
			return err
		}
	}
}

// isRated reports whether all usage that belongs to a period is rated as it would be today.
func (m *Mill) isRated(ctx context.Context, p period.Period) (bool, error) {
	state, end := m.Lake.State(), m.Calendar.End(p)
	if slices.ContainsFunc(state.Files(lake.Usage), func(f lake.File) bool {
		return f.Origin() > state.RatedThrough && f.MinTime.Before(end)
	}) {
		return false, nil
	}
	again, err := m.supersededRatings(ctx)
	return !slices.ContainsFunc(again, func(f lake.File) bool { return f.Partition <= p.String() }), err
}

// draftCut drafts the cut, or nothing where something is in the way.
//
// Whether an account event makes sense can depend on the calls before it, so the
// whole period is burned down before its cut; this burn-down serves for good if no
// other process comes between. A cut that lost to new calls alone, which are rated
// and not held, is tried again at once: else who ingests all day long would keep
// the month open. What they may make of an account event is looked at after the cut.
func (c *closer) draftCut(ctx context.Context, d *desk) (*draft, error) {
	m, p := c.mill, c.period
	var burned *burnedDown
	if c.broughtCallsAlone(c.clear) {
		if err := d.burnViews(ctx, p); err != nil {
			return nil, err
		}
	} else {
		all, err := d.burnDown(ctx, p, time.Time{})
		if err != nil {
			return nil, err
		}
		burned = &all
	}
	var err error
	if c.report.Blocks, err = c.blocks(ctx, d, burned); err != nil || len(c.report.Blocks) > 0 {
		return nil, err
	}
	c.clear = m.Lake.State().Head
	cut, err := d.cut(ctx, c.options, p)
	if err != nil {
		return nil, err
	}
	cut.next = func(ctx context.Context) (*draft, error) { return c.finish(ctx, d, burned) }
	return cut, nil
}

// broughtCallsAlone reports whether all runs since head, which is not 0, are such
// that only usage can have come to the period, and its ratings.
func (c *closer) broughtCallsAlone(head int64) bool {
	return head != 0 && !slices.ContainsFunc(c.mill.Lake.State().Since(head), func(run *lake.Run) bool { return !bringsCalls(run) })
}

// finish drafts the run that closes a period that is cut, unless another process has
// committed that already. burned is what it burned down to, nil where that is to be done.
func (c *closer) finish(ctx context.Context, d *desk, burned *burnedDown) (*draft, error) {
	if closing, _ := c.begun(); closing.CloseRun != 0 {
		c.report.Already = &closing
		return nil, nil
	}
	if burned == nil || !c.mill.stand(lake.AccountEvents, burned.events) { // a compaction may have come between
		all, err := d.burnDown(ctx, c.period, time.Time{})
		if err != nil {
			return nil, err
		}
		burned = &all
	}
	if c.report.Blocks = c.lateBlocks(burned); len(c.report.Blocks) > 0 {
		return nil, nil
	}
	return d.closing(ctx, c.period, *burned, c.report)
}

// stand reports whether files of a table are live still.
func (m *Mill) stand(table lake.Table, files []lake.File) bool {
	live := m.Lake.State().Files(table)
	return !slices.ContainsFunc(files, func(f lake.File) bool {
		return !slices.ContainsFunc(live, func(l lake.File) bool { return l.Path == f.Path })
	})
}

// lateBlocks are what is in the way of a period that is cut: what changed since, for
// at the cut nothing was.
func (c *closer) lateBlocks(burned *burnedDown) []Block {
	blocks := c.mill.missingBlocks(burned.Missing)
	closing, _ := c.begun()
	if left := c.mill.Lake.State().Milestone(closing.CutRun).LeftHeld; left || c.options.LeaveHeld {
		return blocks
	}
	return append(blocks, heldEventBlocks(burned.Held)...)
}

// closing drafts the run that closes a period that is cut: nothing that ingest or
// rate commit from the cut on changes what it says.
func (d *desk) closing(ctx context.Context, p period.Period, burned burnedDown, report *CloseReport) (*draft, error) {
	state := d.mill.Lake.State()
	outputs, replaced, err := d.postHeldEvents(ctx, burned, p)
	if err != nil {
		return nil, err
	}
	report.Totals = burned.totals
	closings := state.Closings()
	return &draft{
		run:      lake.Run{Kind: lake.Close, Period: p, Read: state.Head, Totals: burned.totals, Versions: d.mill.catalogVersions(p)},
		outputs:  outputs,
		replaced: slices.Concat(provisional(state, p), replaced, state.Files(lake.Periods)),
		numbered: func(ctx context.Context, run int64) ([]lake.Output, error) {
			closings[len(closings)-1].CloseRun = run
			return d.writePeriods(ctx, closings)
		},
		survives: func(newer *lake.Run) bool {
			return newer.Kind == lake.Ingest || newer.Kind == lake.Rate || newer.Kind == lake.Void
		},
	}, nil
}

// writePeriods writes the table periods: one row a period that is cut or closed,
// and the open one.
func (d *desk) writePeriods(ctx context.Context, closings []lake.Closing) ([]lake.Output, error) {
	m := d.mill
	builder, err := duck.NewBuilder(lake.Periods.Columns)
	if err != nil {
		return nil, err
	}
	row := func(p period.Period, state string, cut, closed any) {
		builder.Append(p.String(), m.Calendar.Start(p), m.Calendar.End(p), state, cut, closed)
	}
	open := m.Config.FirstPeriod
	for _, c := range closings {
		if c.CloseRun == 0 {
			row(c.Period, "cut", c.CutRun, nil)
		} else {
			row(c.Period, "closed", c.CutRun, c.CloseRun)
		}
		open = c.Period.Next()
	}
	row(open, "open", nil, nil)
	out, err := d.writeTable(ctx, lake.Periods, "", builder, "period")
	return []lake.Output{out}, err
}
