package jobs

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
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
	Blocks  []Block // why it refused; nothing is committed then but ingest and rate
	Totals  lake.Totals
	Head    string // SHA-256 of the log's head
}

// A Block is one reason that a period cannot be closed yet.
type Block struct {
	Reason   string // what is in the way
	Count    int64
	Examples []string
	Resolve  string // the command or file that resolves it
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
	from := m.Calendar.Add(m.Calendar.End(open), m.Config.CloseGrace)
	if m.Now().Before(from) {
		if o.Period.IsZero() {
			return report, nil
		}
		return report, fmt.Errorf("%s may be closed from %s on, its end plus close.grace", open, period.FormatInstant(from))
	}
	report.Period = open
	run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) { return d.closePeriod(ctx, o, &report) })
	report.Run, report.Head = run, m.Lake.State().HeadHash
	return report, err
}

// closePeriod drafts what is left to do of a period's close: the cut and then the rest,
// or, after a crash between the two, the rest.
func (d *desk) closePeriod(ctx context.Context, o CloseOptions, report *CloseReport) (*draft, error) {
	m, p := d.mill, report.Period
	if closing, done := m.Lake.State().Closed(p); done {
		report.Already = &closing
		return nil, nil
	}
	if _, cut := m.Lake.State().Open(m.Config.FirstPeriod); cut {
		burned, err := d.burnDown(ctx, p, time.Time{})
		if err != nil {
			return nil, err
		}
		return d.closing(ctx, p, burned, report)
	}
	// The cut must follow the rating of all usage before it: when it loses to an
	// ingest, all of this is done again.
	ingested, err := m.ingest(ctx, "", true)
	if err != nil {
		return nil, err
	}
	if _, err := m.Rate(ctx); err != nil {
		return nil, err
	}
	if err := m.settleCopies(ctx, p); err != nil {
		return nil, err
	}
	burned, err := d.burnDown(ctx, p, time.Time{})
	if err != nil {
		return nil, err
	}
	if report.Blocks, err = d.blocks(ctx, o, p, ingested, burned); err != nil || len(report.Blocks) > 0 {
		return nil, err
	}
	cut, err := d.cut(ctx, o, p)
	if err != nil {
		return nil, err
	}
	cut.next = func(ctx context.Context) (*draft, error) { return d.closing(ctx, p, burned, report) }
	return cut, nil
}

// cut drafts the run that settles what belongs to the period. Held usage moves to
// the first instant of the next one (SPEC section 14, 26).
func (d *desk) cut(ctx context.Context, o CloseOptions, p period.Period) (*draft, error) {
	m, state := d.mill, d.mill.Lake.State()
	out := &draft{
		run: lake.Run{Kind: lake.Cut, Period: p, Read: state.Head, AcceptedRejects: o.AcceptRejects},
		numbered: func(ctx context.Context, run int64) ([]lake.Output, error) {
			return d.writePeriods(ctx, append(state.Closings(), lake.Closing{Period: p, CutRun: run}))
		},
		replaced: state.Files(lake.Periods),
		survives: func(newer *lake.Run) bool { return leavesAlone(newer, m.Calendar.End(p)) },
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

// leavesAlone reports whether a run brought nothing that a period ending at end
// has to rate, judge or refuse for: usage of later periods alone, as ingest brings
// all day long.
func leavesAlone(run *lake.Run, end time.Time) bool {
	if run.Kind != lake.Ingest || len(*run.Unread) > 0 {
		return false
	}
	for reason := range run.Totals.Rejects {
		if reason != "duplicate" {
			return false
		}
	}
	return !slices.ContainsFunc(run.Files, func(f lake.File) bool {
		return f.Table == lake.AccountEvents.Name || f.Table == lake.Usage.Name && f.MinTime.Before(end)
	})
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

// blocks lists why a period cannot be closed yet (SPEC section 7, step 2).
func (d *desk) blocks(ctx context.Context, o CloseOptions, p period.Period, ingested IngestReport, burned burnedDown) ([]Block, error) {
	m := d.mill
	var blocks []Block
	if len(ingested.Unread) > 0 {
		b := Block{
			Reason: "objects that could not be read", Count: int64(len(ingested.Unread)),
			Resolve: "mend or remove the object, or its source's mapping, and close again",
		}
		for _, u := range ingested.Unread {
			b.Examples = append(b.Examples, u.Object+": "+u.Reason)
		}
		blocks = append(blocks, b.bounded())
	}
	if !o.LeaveHeld {
		held, err := d.heldBlocks(ctx)
		if err != nil {
			return nil, err
		}
		blocks = append(append(blocks, held...), heldEventBlocks(burned.Held)...)
	}
	if rejects := m.Lake.State().BlockingRejects(); !o.AcceptRejects && len(rejects) > 0 {
		for _, reason := range slices.Sorted(maps.Keys(rejects)) {
			blocks = append(blocks, Block{
				Reason: "rejected records: " + reason, Count: rejects[reason],
				Resolve: "see `creditmill rejects --reason " + reason + "`; close with --accept-rejects to go on without them",
			})
		}
	}
	if !o.AcceptSilence {
		for _, s := range m.silence(m.Calendar.End(p)) {
			last := "it has given nothing yet"
			if !s.Time.IsZero() {
				last = "its newest call is of " + period.FormatInstant(s.Time)
			}
			blocks = append(blocks, Block{
				Reason: "source " + s.Source + " has been silent for longer than it should", Count: 1,
				Examples: []string{last}, Resolve: "find out whether its logs arrive; close with --accept-silence if it had no calls",
			})
		}
	}
	return blocks, nil
}

const maxExamples = 5

func (b Block) bounded() Block {
	if len(b.Examples) > maxExamples {
		b.Examples = append(b.Examples[:maxExamples:maxExamples], "and "+strconv.Itoa(int(b.Count)-maxExamples)+" more")
	}
	return b
}
