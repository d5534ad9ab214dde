package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
)

// A lane is a line of jobs that run one at a time.
type lane int

const (
	books  lane = iota // what bills: each step looks at what the one before committed
	upkeep             // what keeps the lake in order
	lanes              // how many there are
)

// A jobSpec says of a job how the daemon runs it.
type jobSpec struct {
	name    string
	lane    lane
	timeout time.Duration // after which an attempt is given up
	atStart bool          // it runs when the daemon starts: it looks at the lake for what was missed
	do      func(context.Context, *daemon) (jobReport, error)
}

// scheduledJobs are the jobs that this version can run by the clock. Of a lane, those
// that are due together run in this order.
var scheduledJobs = []jobSpec{
	{"ingest", books, 6 * time.Hour, true, onLake(ingestJob)},
	{"rate", books, 6 * time.Hour, true, onLake(rateJob)},
	{"apply", books, 2 * time.Hour, true, onLake(applyJob)},
	{"close", books, 12 * time.Hour, true, onLake(closeJob)},
	{"compact", upkeep, 6 * time.Hour, true, onLake(compactJob)},
	{"publish", upkeep, 6 * time.Hour, true, onLake(publishJob)},
	{"gc", upkeep, 6 * time.Hour, true, onLake(gcJob)},
	{"verify", upkeep, 24 * time.Hour, false, verifyJob},
}

// ScheduledJobs are the names of the jobs that the daemon can run, and after how long
// it gives each up.
func ScheduledJobs() (names []string, timeouts map[string]time.Duration) {
	timeouts = map[string]time.Duration{}
	for _, spec := range scheduledJobs {
		names = append(names, spec.name)
		timeouts[spec.name] = spec.timeout
	}
	return names, timeouts
}

// A jobReport says what an attempt at a job did.
type jobReport struct {
	run    *lake.Run // the last it committed; nil: none
	detail []any     // for the log: keys and values
	again  bool      // there may be more to do at once
}

// onLake is a job that works at a Mill of its own, made from the configuration as it
// is then.
func onLake(do func(context.Context, *Mill) (jobReport, error)) func(context.Context, *daemon) (jobReport, error) {
	return func(ctx context.Context, d *daemon) (report jobReport, err error) {
		setup, err := d.load()
		if err != nil {
			return report, err
		}
		m, err := Open(ctx, setup, d.options())
		if err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, m.Release()) }()
		d.opened()
		if report, err = do(ctx, m); err == nil || errors.As(err, new(blockedError)) {
			d.view(ctx, m)
		}
		return report, err
	}
}

// load reads the configuration anew.
func (d *daemon) load() (*Setup, error) {
	setup, err := LoadSetup(d.Config)
	if err == nil {
		d.mu.Lock()
		d.setup = setup
		d.mu.Unlock()
	}
	return setup, err
}

// options are those of every Mill of the daemon.
func (d *daemon) options() Options {
	return Options{Now: d.Clock.Now, MachineClock: true, Log: d.Log, Tool: d.Tool, Wrap: func(store lake.Store) lake.Store {
		if d.Wrap != nil {
			store = d.Wrap(store)
		}
		return watchedStore{store, d.metrics.committed}
	}}
}

func (d *daemon) opened() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = true
}

func ingestJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.Ingest(ctx)
	return jobReport{run: r.Run, detail: []any{
		"objects", r.Totals.Objects, "records", r.Totals.Records, "events", r.Totals.Events, "rejects", sum(r.Totals.Rejects), "unread_objects", len(r.Unread),
	}}, err
}

func rateJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.Rate(ctx)
	return jobReport{run: r.Run, detail: []any{"calls", r.Totals.Calls, "held", sum(r.Totals.Held)}}, err
}

// applyJob leaves a period alone whose close has begun: it is the close's to finish.
func applyJob(ctx context.Context, m *Mill) (jobReport, error) {
	if open, cut := m.Lake.State().Open(m.Config.FirstPeriod); cut {
		return jobReport{detail: []any{"period", open.String(), "reason", "its close has begun"}}, nil
	}
	r, err := m.Apply(ctx)
	return jobReport{run: r.Run, detail: []any{"period", r.Period.String(), "held_account_events", len(r.Held), "blocks", len(r.Missing)}}, err
}

// closeJob closes the oldest period that may be closed; after a long pause it is due
// again at once, for the next.
func closeJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.Close(ctx, CloseOptions{})
	report := jobReport{run: r.Run, detail: []any{"period", r.Period.String()}, again: r.Run != nil || r.Already != nil}
	if err == nil && len(r.Blocks) > 0 {
		err = blockedError{fmt.Errorf("%s cannot be closed: %w", r.Period, blocked(r.Blocks))}
	}
	if err == nil && r.Run != nil {
		m.publishAfter(ctx)
	}
	return report, err
}

// verifyJob fails where anything is wrong. A lake without runs has nothing to verify.
func verifyJob(ctx context.Context, d *daemon) (report jobReport, err error) {
	setup, err := d.load()
	if err != nil {
		return report, err
	}
	if empty, err := d.isEmpty(ctx, setup); err != nil || empty {
		return report, err
	}
	r, err := Verify(ctx, setup, d.options(), VerifyOptions{})
	if err != nil {
		return report, err
	}
	report.detail = []any{"runs", r.Runs, "checks", len(r.Checks), "strays", len(r.Strays)}
	for _, check := range r.Checks {
		if len(check.Faults) > 0 {
			f := check.Faults[0]
			err = errors.Join(err, fmt.Errorf("%s: %d wrong, the first: %s: %s; %s", check.What, int64(len(check.Faults))+check.More, f.Where, f.Found, f.Next))
		}
	}
	return report, err
}

func (d *daemon) isEmpty(ctx context.Context, setup *Setup) (empty bool, err error) {
	m, err := openAsIs(ctx, setup, d.options())
	if err != nil {
		return false, err
	}
	return m.Lake.State().Head == 0, m.Release()
}

// A watchedStore tells of the runs that are committed through it.
type watchedStore struct {
	lake.Store
	committed func(manifest []byte)
}

// CreateIfAbsent is the store's.
func (s watchedStore) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	err := s.Store.CreateIfAbsent(ctx, key, data)
	if err == nil && strings.HasPrefix(key, "runs/") {
		s.committed(data)
	}
	return err
}
