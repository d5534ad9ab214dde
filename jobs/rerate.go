package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/rate/price"
	"github.com/creditmill/creditmill/sql"
)

// RerateOptions say which closed periods to replay, and with what.
type RerateOptions struct {
	From   period.Period // the first; all closed ones from there on are replayed
	Drafts []string      // price files laid over today's configuration, a replay for each; empty: today's as it is
	Commit bool          // put the replay in the place of what is live; without drafts
	Reason string        // of the commit, which stays with it
	// LeaveHeld commits although the replay holds what counts as things are live; without
	// it that blocks the commit, as it would a close.
	LeaveHeld bool
}

// A RerateReport says what a re-rating found and did. Run is nil where nothing was
// committed.
type RerateReport struct {
	Run           *lake.Run
	From, Through period.Period
	Drafts        []string
	Calls         int64   // of the replayed periods
	Priced        int64   // calls that were priced anew
	Held          []Block // what the replay holds and the live tables do not
	Blocks        []Block // what is in the way: what the catalog lacks, and nothing was compared then; of a commit, what is held
	Notes         []invoice.NoteTotal
	Head          string // SHA-256 of the log's head
}

// Rerate replays all closed periods from one on with everything known today, or with
// drafts of prices, and compares what comes out with what is live (SPEC section 8).
// look is called with a session in which the view `differences` says what differs
// and why: see sql/duckdb/rerate_begin.sql. Without Commit nothing changes. With it,
// the replay takes the place of what was live, and notes are issued in the open
// period for what accounts were charged otherwise; look is called before that, once
// for each attempt.
func (m *Mill) Rerate(ctx context.Context, o RerateOptions, look func(context.Context, RerateReport, *duck.Session) error) (RerateReport, error) {
	if err := o.check(); err != nil {
		return RerateReport{}, ConfigError{err}
	}
	books, err := m.draftBooks(o.Drafts)
	if err != nil {
		return RerateReport{}, err
	}
	var report RerateReport
	work := func(ctx context.Context, d *desk) (*draft, error) {
		r, err := d.newRerate(o)
		if err != nil {
			return nil, err
		}
		report = RerateReport{From: o.From, Through: r.last(), Drafts: o.Drafts}
		if err := r.replayAll(ctx, books, &report); err != nil || len(report.Blocks) > 0 {
			return nil, err
		}
		if err := look(ctx, report, d.session); err != nil || !o.Commit {
			return nil, err
		}
		if len(report.Held) > 0 && !o.LeaveHeld {
			report.Blocks = report.Held
			return nil, nil
		}
		return r.draft(ctx, &report)
	}
	if !o.Commit {
		if _, err := m.Lake.Refresh(ctx); err != nil {
			return RerateReport{}, err
		}
		_, err := m.attempt(ctx, work)
		report.Head = m.Lake.State().HeadHash
		return report, err
	}
	if err := m.settleOpen(ctx, o.From); err != nil {
		return RerateReport{}, err
	}
	run, err := m.perform(ctx, work)
	report.Run, report.Head = run, m.Lake.State().HeadHash
	return report, err
}

// settleOpen rates what is not rated yet, for it is to be known too, and takes out the
// copies of calls that are told apart by their times, as the open period's close would:
// neither may go home and be billed.
func (m *Mill) settleOpen(ctx context.Context, from period.Period) error {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return err
	}
	open, err := m.replayable(from)
	if err != nil {
		return err
	}
	if _, err := m.Rate(ctx); err != nil {
		return err
	}
	return m.settleCopies(ctx, open)
}

func (o *RerateOptions) check() error {
	o.Reason = strings.TrimSpace(o.Reason)
	switch {
	case o.From.IsZero():
		return errors.New("a re-rating needs the first period to replay")
	case len(slices.Compact(slices.Sorted(slices.Values(o.Drafts)))) < len(o.Drafts):
		return errors.New("a draft of prices is given twice: each is compared once")
	case o.Commit && len(o.Drafts) > 0:
		return errors.New("a draft of prices cannot be committed: put it among the configuration's prices, as a version of its own, and re-rate without it")
	case o.Commit && (o.Reason == "" || !utf8.ValidString(o.Reason)):
		return errors.New("a re-rating that is committed needs a reason: it stays with the run")
	}
	return nil
}

// A rerate is one attempt at a re-rating.
type rerate struct {
	*desk
	options RerateOptions
	periods []period.Period // that are replayed
	open    period.Period
	home    time.Time // what happened from here on goes where it happened
	end     time.Time // the open period's start

	leaving  int64               // calls that stand in them, and leave
	standing map[string]standing // of rated files, by path

	events string             // local file of all account events, at the instants they are of
	rated  rate.Report        // of the calls that were priced
	calls  map[string][]calls // by period

	replayed *replay // the first; of a commit, the one
}

// replayable returns the open period, or says why periods from one on are not to be
// re-rated.
func (m *Mill) replayable(from period.Period) (period.Period, error) {
	open, cut := m.Lake.State().Open(m.Config.FirstPeriod)
	switch {
	case cut:
		return open, fmt.Errorf("period %s is being closed: run `creditmill close --period %s` to finish that first", open, open)
	case from.Before(m.Config.FirstPeriod):
		return open, ConfigError{fmt.Errorf("%s is before the lake's first period, %s", from, m.Config.FirstPeriod)}
	case !from.Before(open):
		return open, ConfigError{fmt.Errorf("%s is not closed: a period that is open is rated with today's prices anyway, by `creditmill rate`", from)}
	}
	return open, nil
}

// newRerate is a re-rating of all closed periods from one on.
func (d *desk) newRerate(o RerateOptions) (*rerate, error) {
	m := d.mill
	open, err := m.replayable(o.From)
	if err != nil {
		return nil, err
	}
	r := &rerate{
		desk: d, options: o, open: open, home: m.Calendar.Start(o.From), end: m.Calendar.Start(open), standing: map[string]standing{},
		calls: map[string][]calls{},
	}
	for p := o.From; p.Before(open); p = p.Next() {
		r.periods = append(r.periods, p)
	}
	return r, nil
}

// last is the last period that is replayed.
func (r *rerate) last() period.Period { return r.periods[len(r.periods)-1] }

// replayAll replays the periods with each book and gathers the differences.
func (r *rerate) replayAll(ctx context.Context, books []draftBook, report *RerateReport) error {
	if err := r.beginDifferences(ctx); err != nil {
		return err
	}
	if err := r.takeLeaving(ctx); err != nil {
		return err
	}
	if err := r.takeEventsHome(ctx); err != nil {
		return err
	}
	if err := r.price(ctx, books); err != nil {
		return err
	}
	report.Priced = r.rated.Calls
	var replays []*replay
	for number, book := range books {
		replays = append(replays, r.newReplay(number, book))
	}
	r.replayed = replays[0]
	for _, p := range r.periods {
		if err := r.replayPeriod(ctx, p, replays, report); err != nil || len(report.Blocks) > 0 {
			return err
		}
	}
	for _, replay := range replays {
		if err := replay.compareAll(ctx, report); err != nil {
			return err
		}
	}
	return nil
}

func (r *rerate) replayPeriod(ctx context.Context, p period.Period, replays []*replay, report *RerateReport) (err error) {
	dealt, err := r.deal(ctx, p, replays)
	if err != nil {
		return err
	}
	if dealt != nil {
		defer func() { err = errors.Join(err, dealt.Close()) }()
	}
	for _, replay := range replays {
		if err := replay.run(ctx, p, dealt, report); err != nil || len(report.Blocks) > 0 {
			return err
		}
	}
	return nil
}

// beginDifferences makes the tables that the comparison fills.
func (r *rerate) beginDifferences(ctx context.Context) error {
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_begin")); err != nil {
		return fmt.Errorf("begin to compare: %w", err)
	}
	if err := r.view(ctx, "live_events", lake.AccountEvents, r.mill.Lake.State().Files(lake.AccountEvents)); err != nil {
		return err
	}
	if err := r.view(ctx, "priced_balances", lake.Balances, r.mill.Lake.State().Files(lake.Balances)); err != nil {
		return err
	}
	return r.soldViews(ctx)
}

// A draftBook is the prices of a replay.
type draftBook struct {
	name string // of the draft; empty: the configuration as it is
	book *price.Book
}
