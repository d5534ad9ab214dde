package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// ScheduleOptions are what the daemon needs besides its configuration.
type ScheduleOptions struct {
	Config   string // path of creditmill.yaml, which is read anew for each job
	Tool     string // version of creditmill, for manifests
	Log      *slog.Logger
	Listener net.Listener             // of /healthz, /readyz and /metrics, closed at the end; nil: none
	Timeouts map[string]time.Duration // by job, instead of the usual ones

	Clock  Clock                       // nil: the machine's
	Random func() float64              // from 0 to less than 1, for the delays of retries; nil: a source of the program's own
	Wrap   func(lake.Store) lake.Store // as in [Options]

	// Idle, where not nil, is called whenever no job is at work, before the daemon
	// waits on its clock, with the next instant at which one is due. A clock that
	// is simulated moves on there: while a job is at work it need not.
	Idle func(next time.Time)
}

// A Clock is the time as the daemon sees it, safe for concurrent use.
//
// One that has a method Elapsed() time.Duration too, the time since some instant by
// a clock that nobody sets, tells by it how far Now was set; of others the monotonic
// reading in the instants of Now tells, as it does of the machine's.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type machineClock struct{}

func (machineClock) Now() time.Time                         { return time.Now() }
func (machineClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

const (
	// longestWait is after how long the daemon looks at the clock again, whatever is
	// due next: a timer of a machine that slept, or whose clock was set, comes late.
	longestWait = 30 * time.Second
	// clockJump is the difference between the wall clock and the time that has passed
	// from which on the clock counts as set, or the machine as having slept.
	clockJump = time.Minute
)

// Schedule is the daemon: it runs the configured jobs at their times until ctx ends,
// and then waits for the jobs at work, whose contexts have ended too (SPEC section
// 10). It keeps nothing on disk that it trusts: at its start, and when instants were
// missed, each job that can catch up runs once, for a job looks at the lake for what
// to do. Two daemons on one lake are harmless: the commit decides.
//
// The books (ingest, rate, apply, close) and the upkeep run side by side, each one job
// at a time; a job that fails is tried again and keeps no other waiting. What the
// daemon does not do itself is in the logs, the metrics, the health check and the
// records of [Mill.Failures].
func Schedule(ctx context.Context, o ScheduleOptions) error {
	return schedule(ctx, o, scheduledJobs)
}

func schedule(ctx context.Context, o ScheduleOptions, table []jobSpec) error {
	setup, err := LoadSetup(o.Config)
	if err != nil {
		return err
	}
	if o.Clock == nil {
		o.Clock = machineClock{}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	d := &daemon{ScheduleOptions: o, setup: setup, ended: make(chan struct{}, 1)}
	d.elapsed = elapsedOf(o.Clock)
	d.metrics = newMetrics(d)
	if d.jobs, err = planned(setup.Config.Schedule, table, o.Timeouts); err != nil {
		return err
	}
	if o.Listener != nil {
		defer d.serve()()
	}
	d.run(ctx)
	return nil
}

// planned are the jobs of a schedule, in the order of the table.
func planned(schedule []config.Job, table []jobSpec, timeouts map[string]time.Duration) ([]*scheduled, error) {
	for _, plan := range schedule {
		if !slices.ContainsFunc(table, func(spec jobSpec) bool { return spec.name == plan.Name }) {
			return nil, ConfigError{fmt.Errorf("schedule.%s: this version of creditmill has no such job: write never, or leave it out", plan.Name)}
		}
	}
	var jobs []*scheduled
	for _, spec := range table {
		if i := slices.IndexFunc(schedule, func(plan config.Job) bool { return plan.Name == spec.name }); i >= 0 {
			if t, ok := timeouts[spec.name]; ok {
				spec.timeout = t
			}
			jobs = append(jobs, &scheduled{jobSpec: spec, plan: schedule[i]})
		}
	}
	return jobs, nil
}

func elapsedOf(clock Clock) func() time.Duration {
	if steady, ok := clock.(interface{ Elapsed() time.Duration }); ok {
		return steady.Elapsed
	}
	start := clock.Now()
	return func() time.Duration { return clock.Now().Sub(start) }
}

// A daemon is a schedule at work.
type daemon struct {
	ScheduleOptions
	elapsed func() time.Duration
	metrics *metrics
	ended   chan struct{} // a job has ended
	held    heldCache
	working sync.WaitGroup

	mu      sync.Mutex // guards what follows, and what jobs say of their state
	jobs    []*scheduled
	lanes   [lanes]laneState
	setup   *Setup // the newest that could be read
	ready   bool   // the lake has been opened
	stopped bool
	wall    time.Time     // of the last look at the clock
	woke    time.Duration // elapsed then
	jumps   int64
	lake    *lakeView // nil: not known yet
}

// A laneState is what a lane does.
type laneState struct {
	queue []*scheduled // due and not yet begun
	at    *scheduled   // at work; nil: none
}

func (d *daemon) run(ctx context.Context) {
	d.begin()
	for ctx.Err() == nil {
		now := d.look()
		next, idle := d.startDue(ctx, now)
		wait := longestWait
		if !next.IsZero() {
			wait = min(wait, next.Sub(now))
		}
		if idle && d.Idle != nil {
			d.Idle(next)
		}
		select {
		case <-ctx.Done():
		case <-d.ended:
		case <-d.Clock.After(wait):
		}
	}
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	d.working.Wait()
	d.Log.Info("stopped")
}

// begin makes due what catches up.
func (d *daemon) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wall, d.woke = d.Clock.Now().Round(0), d.elapsed()
	var names []string
	for _, s := range d.jobs {
		names = append(names, s.name)
		d.metrics.known(s.name)
		if s.due = s.plan.Next(d.wall); s.atStart {
			s.due = d.wall
		}
	}
	d.Log.Info("started", "version", d.Tool, "lake", d.setup.Config.Lake.String(), "timezone", d.setup.Config.TimeZone, "jobs", names)
}

// look reads the clock and notices when it was set. After it went back, what is due
// next is worked out anew: instants that lie far ahead would not come.
func (d *daemon) look() time.Time {
	now, elapsed := d.Clock.Now().Round(0), d.elapsed()
	d.mu.Lock()
	defer d.mu.Unlock()
	jump := now.Sub(d.wall) - max(0, elapsed-d.woke) // time that has passed never goes back
	d.wall, d.woke = now, elapsed
	if jump.Abs() <= clockJump {
		return now
	}
	d.jumps++
	d.Log.Warn("the clock was set, or the machine slept: missed jobs run once now", "by", jump.Round(time.Second).String(), "now", now.UTC())
	if jump > 0 {
		return now
	}
	for _, s := range d.jobs {
		s.due = s.plan.Next(now)
		if !s.retry.IsZero() {
			s.retry = s.retry.Add(jump)
		}
	}
	return now
}

// startDue starts a job in each lane that is free, and cancels what is at work for too
// long. next is the instant at which the loop has something to do again, zero for
// none; idle says that no job is at work.
//
// What is due is queued in the order of the table, and the queue is worked off before
// anything is queued again: a job that is always due keeps no other waiting.
func (d *daemon) startDue(ctx context.Context, now time.Time) (next time.Time, idle bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	idle = true
	soonest := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for i := range d.lanes {
		l := &d.lanes[i]
		if l.at == nil && len(l.queue) == 0 {
			for _, s := range d.jobs {
				if s.lane == lane(i) && !s.next().After(now) {
					s.queued = true
					l.queue = append(l.queue, s)
				}
			}
		}
		if l.at == nil && len(l.queue) > 0 {
			l.at, l.queue = l.queue[0], l.queue[1:]
			d.start(ctx, l.at, now)
		}
		if l.at != nil {
			idle = false
			if left := l.at.timeLeft(d.woke); left > 0 {
				soonest(now.Add(left))
			} else {
				l.at.cancel(timeoutError{l.at.name, l.at.timeout})
			}
			continue
		}
		for _, s := range d.jobs {
			if s.lane == lane(i) {
				soonest(s.next())
			}
		}
	}
	return next, idle
}

// start begins a job. What its plan says until now, it does.
func (d *daemon) start(ctx context.Context, s *scheduled, now time.Time) {
	s.due = s.plan.Next(now)
	s.queued, s.began, s.attempt = false, d.woke, s.attempt+1
	work, cancel := context.WithCancelCause(ctx)
	s.cancel = cancel
	d.Log.Info("job began", "job", s.name, "attempt", s.attempt)
	d.working.Go(func() {
		defer cancel(nil)
		d.work(ctx, work, s)
		d.mu.Lock()
		s.cancel, d.lanes[s.lane].at = nil, nil
		d.mu.Unlock()
		select {
		case d.ended <- struct{}{}:
		default: // the loop has not taken note of another yet: it looks at all lanes
		}
	})
}
