package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// A scheduled job is one that the daemon runs, and how it goes.
type scheduled struct {
	jobSpec
	plan config.Job

	due   time.Time // by its plan
	retry time.Time // while it does not succeed: when it is tried again; zero: by its plan

	began  time.Duration           // at work: since when, by the clock that nobody sets
	cancel context.CancelCauseFunc // at work; else nil

	queued bool // due, and waits for its lane

	attempt  int       // the running or last one, since the last success
	failures int       // in a row; a close that is blocked is none
	blocked  bool      // the last attempt was
	since    time.Time // of the first attempt in a row that did not succeed
	last     time.Time // when the last attempt ended that did not succeed
	err      string    // of it
	success  time.Time // the last; zero: none by this daemon
	run      int64     // that it last committed
	record   string    // key of its record in the lake
	stale    bool      // it has succeeded, and the lake may still have a record of its failures
}

func (s *scheduled) next() time.Time {
	if !s.retry.IsZero() {
		return s.retry
	}
	return s.due
}

// timeLeft is how long a job at work may go on; elapsed is now by the same clock as began.
func (s *scheduled) timeLeft(elapsed time.Duration) time.Duration {
	return s.timeout - (elapsed - s.began)
}

// The states of a job.
const (
	stateWaiting = "waiting" // for its time
	stateQueued  = "queued"  // for another job of its lane
	stateAtWork  = "at_work"
	stateFailing = "failing" // and waits to be tried again
	stateBlocked = "blocked" // by what a person has to look at
	stateStuck   = "stuck"   // it does not end although its time is over
)

// state is the job's when elapsed is now.
func (s *scheduled) state(elapsed time.Duration) string {
	switch {
	case s.cancel != nil && s.timeLeft(elapsed) < -stuckAfter:
		return stateStuck
	case s.cancel != nil:
		return stateAtWork
	case s.failures > 0:
		return stateFailing
	case s.blocked:
		return stateBlocked
	case s.queued:
		return stateQueued
	default:
		return stateWaiting
	}
}

// stuckAfter is how long after its timeout a job that does not end counts as stuck.
const stuckAfter = 10 * time.Minute

// The delays of retries: each is drawn between a second and a limit, which doubles
// from the first to the last with the failures in a row.
const (
	firstDelay = 30 * time.Second
	lastDelay  = time.Hour
)

// delay is how long after a failure the job is tried again: full jitter keeps daemons
// that fail together from coming back together. random is from 0 to less than 1.
func delay(failures int, random float64) time.Duration {
	limit := lastDelay
	if doublings := failures - 1; doublings < 7 { // 30 s × 2⁷ is past the hour
		limit = firstDelay << max(0, doublings)
	}
	return time.Second + time.Duration(random*float64(limit-time.Second))
}

// outcome is how an attempt ended, as the metrics name it.
type outcome string

const (
	outcomeDone      outcome = "done"
	outcomeNothing   outcome = "nothing"
	outcomeFailed    outcome = "failed"
	outcomeBlocked   outcome = "blocked"
	outcomeAbandoned outcome = "abandoned"
)

var outcomes = []outcome{outcomeDone, outcomeNothing, outcomeFailed, outcomeBlocked, outcomeAbandoned}

// A blockedError is a close that waits for a person.
type blockedError struct{ err error }

func (e blockedError) Error() string { return e.err.Error() }
func (e blockedError) Unwrap() error { return e.err }

// A timeoutError is the cause of the end of a job that took too long.
type timeoutError struct {
	job     string
	timeout time.Duration
}

func (e timeoutError) Error() string {
	return fmt.Sprintf("not done after %s and given up: find out what takes so long, or allow it more with --timeout %s=DURATION", e.timeout, e.job)
}

// A panicError is a job that panicked.
type panicError struct {
	value any
	stack []byte
}

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// work makes one attempt at a job and sees to what follows from how it ended. ctx is
// the daemon's, work the attempt's.
func (d *daemon) work(ctx, work context.Context, s *scheduled) {
	began := d.elapsed()
	report, err := d.attempt(work, s)
	if timeout := (timeoutError{}); err != nil && ctx.Err() == nil && errors.As(context.Cause(work), &timeout) {
		err = timeout
	}
	seconds := (d.elapsed() - began).Seconds()
	o := outcomeOf(ctx, report, err)
	d.metrics.ended(s.name, o, seconds)
	d.mu.Lock()
	s.ended(o, err, d.Clock.Now().Round(0), d.Random)
	again := (o == outcomeDone || o == outcomeNothing) && report.again
	if again {
		s.due = d.Clock.Now().Round(0)
	}
	if report.run != nil {
		s.run = report.run.Number
	}
	log := d.Log.With("job", s.name, "seconds", seconds, "attempt", s.attempt, "next", s.next().UTC())
	failure, record := s.failure(), s.record
	if o == outcomeDone || o == outcomeNothing {
		s.attempt, s.record = 0, ""
	}
	d.mu.Unlock()

	switch o {
	case outcomeDone:
		log.Info("job done", append([]any{"run", report.run.Number}, report.detail...)...)
	case outcomeNothing:
		log.Info("job had nothing to commit", report.detail...)
	case outcomeAbandoned:
		log.Info("job abandoned, nothing committed")
		return
	case outcomeBlocked:
		log.Warn("job blocked: a person has to look", "error", err)
	case outcomeFailed:
		if p := (panicError{}); errors.As(err, &p) {
			log = log.With("stack", string(p.stack))
		}
		log.Error("job failed", "error", err)
	}
	d.tell(ctx, s, o, failure, record, log.Warn)
}

func outcomeOf(ctx context.Context, report jobReport, err error) outcome {
	switch {
	case err == nil && report.run != nil:
		return outcomeDone
	case err == nil:
		return outcomeNothing
	case ctx.Err() != nil:
		return outcomeAbandoned
	case errors.As(err, new(blockedError)):
		return outcomeBlocked
	default:
		return outcomeFailed
	}
}

// ended notes how an attempt ended at the instant now.
func (s *scheduled) ended(o outcome, err error, now time.Time, random func() float64) {
	switch o {
	case outcomeDone, outcomeNothing:
		s.retry, s.failures, s.blocked, s.since, s.err, s.success = time.Time{}, 0, false, time.Time{}, "", now
		return
	case outcomeAbandoned:
		return
	case outcomeBlocked:
		s.failures, s.blocked, s.retry = 0, true, now.Add(lastDelay)
	case outcomeFailed:
		s.failures, s.blocked = s.failures+1, false
		switch {
		case errors.As(err, new(ConfigError)):
			s.retry = now.Add(lastDelay) // nothing changes by itself
		case errors.Is(err, ErrLost):
			s.retry = now.Add(delay(1, random())) // the store is well, and others are busy
		default:
			s.retry = now.Add(delay(s.failures, random()))
		}
	}
	s.last, s.err = now, err.Error()
	if s.since.IsZero() {
		s.since = now
	}
}

// failure is what the lake is told of a job that did not succeed.
func (s *scheduled) failure() Failure {
	return Failure{
		Job: s.name, Since: s.since.UTC(), Last: s.last.UTC(), Attempts: s.attempt, Error: s.err, Blocked: s.blocked, Next: s.retry.UTC(),
	}
}

// attempt runs the job; a panic is its failure.
func (d *daemon) attempt(ctx context.Context, s *scheduled) (report jobReport, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicError{value, debug.Stack()}
		}
	}()
	return s.do(ctx, d)
}

// recordTimeout is how long the lake is given to take a record of a failure, also
// when the daemon is about to end.
const recordTimeout = 20 * time.Second

// tell keeps the records of failures in the lake as they are. What cannot be written
// is in the log, and harms nothing.
func (d *daemon) tell(ctx context.Context, s *scheduled, o outcome, failure Failure, previous string, warn func(string, ...any)) {
	telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	succeeded := o == outcomeDone || o == outcomeNothing
	d.mu.Lock()
	s.stale = succeeded
	d.mu.Unlock()
	err := d.withStore(telling, func(store lake.Store) error {
		cleared := d.clearStale(telling, store)
		if succeeded {
			return cleared
		}
		key, err := recordFailure(telling, store, failure, previous)
		if key != "" {
			d.mu.Lock()
			s.record = key
			d.mu.Unlock()
		}
		return errors.Join(cleared, err)
	})
	if err != nil {
		warn("the lake's record of the job's failures could not be kept", "reason", err)
	}
}

// clearStale deletes the records of jobs that have succeeded since, also of those
// whose record could not be deleted then.
func (d *daemon) clearStale(ctx context.Context, store lake.Store) error {
	d.mu.Lock()
	stale := slices.DeleteFunc(slices.Clone(d.jobs), func(s *scheduled) bool { return !s.stale })
	d.mu.Unlock()
	var errs []error
	for _, s := range stale {
		err := clearFailures(ctx, store, s.name)
		d.mu.Lock()
		s.stale = s.stale && err != nil
		d.mu.Unlock()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// withStore opens the store of the lake that the newest configuration names.
func (d *daemon) withStore(ctx context.Context, do func(lake.Store) error) (err error) {
	d.mu.Lock()
	c := d.setup.Config
	d.mu.Unlock()
	stores := newStores(c)
	defer func() { err = errors.Join(err, stores.close()) }()
	store, err := stores.at(ctx, c.Lake)
	if err != nil {
		return err
	}
	if d.Wrap != nil {
		store = d.Wrap(store)
	}
	return do(store)
}
