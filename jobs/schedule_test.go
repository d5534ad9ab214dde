package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
)

// A stub is a daemon whose jobs do what a test says.
type stub struct {
	t       *testing.T
	sim     *Sim
	ctx     context.Context
	options ScheduleOptions
	table   []jobSpec

	mu  sync.Mutex
	ran []string // "15T04:05:06 job"
	log bytes.Buffer
}

// newStub schedules jobs by cron expressions; those not named never run.
func newStub(t *testing.T, start, end string, crons map[string]string) *stub {
	t.Helper()
	dir := t.TempDir()
	source := "source: calls\npath: \"*.jsonl\"\nformat: jsonl\nevent: {id: id, time: ts, account: org, operation: op}\n"
	if err := os.WriteFile(filepath.Join(dir, "calls.yaml"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "lake: ./lake\nraw: ./raw\nfirst_period: 2026-10\nsources: [calls.yaml]\nschedule:\n"
	for _, job := range []string{"ingest", "rate", "apply", "close", "publish", "verify"} {
		expression, ok := crons[job]
		if !ok {
			expression = "never"
		}
		text += fmt.Sprintf("  %s: %q\n", job, expression)
	}
	path := filepath.Join(dir, "creditmill.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &stub{t: t}
	s.sim, s.ctx = NewSim(t.Context(), onThe(t, start), onThe(t, end))
	clock := s.sim.Clock()
	s.options = ScheduleOptions{
		Config: path, Clock: clock, Idle: clock.Idle, Random: func() float64 { return 0.5 }, Tool: "test",
		Log: slog.New(slog.NewTextHandler(&locked{mu: &s.mu, w: &s.log}, nil)),
	}
	for _, spec := range scheduledJobs {
		s.do(spec.name, func(context.Context) error { return nil })
	}
	return s
}

type locked struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func onThe(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := period.ParseInstant(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// do makes a job do something; that it began is noted.
func (s *stub) do(job string, what func(context.Context) error) {
	i := slices.IndexFunc(scheduledJobs, func(spec jobSpec) bool { return spec.name == job })
	spec := scheduledJobs[i]
	spec.do = func(ctx context.Context, _ *daemon) (jobReport, error) {
		began := s.sim.Now().Format("02T15:04:05")
		s.mu.Lock()
		s.ran = append(s.ran, began+" "+job)
		s.mu.Unlock()
		return jobReport{}, what(ctx)
	}
	if i = slices.IndexFunc(s.table, func(spec jobSpec) bool { return spec.name == job }); i >= 0 {
		s.table[i] = spec
	} else {
		s.table = append(s.table, spec)
	}
}

// run runs the daemon to the end of the simulation and compares what ran.
func (s *stub) run(want ...string) {
	s.t.Helper()
	if err := schedule(s.ctx, s.options, s.table); err != nil {
		s.t.Fatal(err)
	}
	if !slices.Equal(s.ran, want) {
		s.t.Errorf("ran\n %s\nwant\n %s\nlog\n%s", strings.Join(s.ran, "\n "), strings.Join(want, "\n "), s.log.String())
	}
}

func (s *stub) logged(want string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.Contains(s.log.String(), want) {
		s.t.Errorf("the log does not say %q:\n%s", want, s.log.String())
	}
}

// failures are the records in the lake.
func (s *stub) failures() []Failure {
	s.t.Helper()
	setup, err := LoadSetup(s.options.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := Open(s.t.Context(), setup, Options{Now: s.sim.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	failures, err := m.Failures(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return failures
}

func TestAtTheStartEachJobCatchesUpInOrderAndVerifyWaits(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:07:00Z", "2026-11-10T10:00:00Z", map[string]string{
		"close": "0 6 1 * *", "apply": "0 9 * * *", "rate": "20 * * * *", "ingest": "*/15 * * * *", "verify": "40 9 * * *",
	})
	s.run(
		"10T09:07:00 ingest", "10T09:07:00 rate", "10T09:07:00 apply", "10T09:07:00 close",
		"10T09:15:00 ingest", "10T09:20:00 rate", "10T09:30:00 ingest", "10T09:40:00 verify", "10T09:45:00 ingest",
	)
}

// The machine sleeps from 09:16 to 14:16: 20 instants of ingest, 5 of rate and one of
// apply are missed.
func TestMissedInstantsRunOnceAfterAPause(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:07:00Z", "2026-11-10T14:31:00Z", map[string]string{
		"apply": "0 12 * * *", "rate": "20 * * * *", "ingest": "*/15 * * * *",
	})
	s.sim.At(onThe(t, "2026-11-10T09:16:00Z"), func() { s.sim.Set(5 * time.Hour) })
	s.run(
		"10T09:07:00 ingest", "10T09:07:00 rate", "10T09:07:00 apply", "10T09:15:00 ingest",
		"10T14:16:00 ingest", "10T14:16:00 rate", "10T14:16:00 apply",
		"10T14:20:00 rate", "10T14:30:00 ingest",
	)
	s.logged("the clock was set, or the machine slept")
	s.logged("by=5h0m0s")
}

func TestAClockThatIsSetBackComputesInstantsAnew(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:50:00Z", "2026-11-10T10:31:00Z", map[string]string{"rate": "20 * * * *", "close": "0 6 1 * *"})
	s.sim.At(onThe(t, "2026-11-10T10:01:00Z"), func() { s.sim.Set(-time.Hour) })
	s.run(
		"10T09:50:00 rate", "10T09:50:00 close",
		"10T09:20:00 rate", // the clock showed 09:01 then
		"10T10:20:00 rate",
	)
	s.logged("by=-1h0m0s")
}

// A year ahead by mistake: what is due runs once, and nothing again before its next
// time. Set right again, nothing waits for a year to pass.
func TestAClockAYearAheadAndBack(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	s := newStub(t, "2026-11-10T09:50:00Z", "2026-12-01T06:30:00Z", map[string]string{"ingest": "0 12 * * 1", "close": "0 6 1 * *"})
	s.sim.At(onThe(t, "2026-11-10T10:00:00Z"), func() { s.sim.Set(year) })
	s.sim.At(onThe(t, "2027-11-10T10:30:00Z"), func() { s.sim.Set(-year) })
	s.sim.end = onThe(t, "2028-01-01T00:00:00Z")
	s.sim.At(onThe(t, "2026-12-01T06:30:00Z"), s.sim.stop)
	s.run(
		"10T09:50:00 ingest", "10T09:50:00 close",
		"10T10:00:00 ingest", "10T10:00:00 close", // missed, for all the daemon can know
		"16T12:00:00 ingest", "23T12:00:00 ingest", "30T12:00:00 ingest", "01T06:00:00 close",
	)
}

// NTP moves the clock back by seconds: what ran for an instant does not run for it
// again.
func TestASmallStepBackRunsNothingTwice(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:50:00Z", "2026-11-10T10:14:00Z", map[string]string{"ingest": "*/15 * * * *"})
	s.do("ingest", func(context.Context) error {
		if s.sim.Now().Minute() == 0 {
			s.sim.Set(-20 * time.Second)
		}
		return nil
	})
	s.run("10T09:50:00 ingest", "10T10:00:00 ingest")
}

// A job that takes longer than the time between two instants runs again at once, and
// keeps no other job of its lane from its turn.
func TestAJobThatIsAlwaysDueKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T10:05:00Z", map[string]string{"ingest": "*/15 * * * *", "rate": "10 * * * *"})
	s.do("ingest", func(context.Context) error { s.sim.Pass(20 * time.Minute); return nil })
	s.run("10T09:00:00 ingest", "10T09:20:00 rate", "10T09:20:00 ingest", "10T09:40:00 ingest", "10T10:00:00 ingest")
}

// By hand: a delay is 1 s + 0.5 × (limit − 1 s), and the limits are 30 s, 60 s, 120 s.
func TestAFailureIsTriedAgainEverLaterAndThenByThePlan(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T09:31:00Z", map[string]string{"ingest": "*/15 * * * *", "rate": "*/15 * * * *"})
	attempts := 0
	s.do("ingest", func(context.Context) error {
		if attempts++; attempts <= 3 {
			return errors.New("the store is down")
		}
		return nil
	})
	var during []Failure
	s.sim.At(onThe(t, "2026-11-10T09:01:00Z"), func() { during = s.failures() })
	s.run(
		"10T09:00:00 ingest", "10T09:00:00 rate",
		"10T09:00:15 ingest", // 15.5 s
		"10T09:00:46 ingest", // 30.5 s
		"10T09:01:46 ingest", // 60.5 s, and well again
		"10T09:15:00 ingest", "10T09:15:00 rate", "10T09:30:00 ingest", "10T09:30:00 rate",
	)
	start := onThe(t, "2026-11-10T09:00:00Z")
	want := Failure{
		Job: "ingest", Since: start, Last: start.Add(46 * time.Second), Attempts: 3, Error: "the store is down",
		Next: start.Add(106*time.Second + 500*time.Millisecond),
	}
	if len(during) != 1 || during[0] != want {
		t.Errorf("recorded while it failed: %+v\nwant %+v", during, want)
	}
	if left := s.failures(); len(left) != 0 {
		t.Errorf("recorded after it succeeded: %+v", left)
	}
}

func TestDelaysHaveFullJitterWithinTheirBounds(t *testing.T) {
	t.Parallel()
	limits := []time.Duration{30, 60, 120, 240, 480, 960, 1920, 3600, 3600}
	for i, limit := range limits {
		limit *= time.Second
		if low := delay(i+1, 0); low != time.Second {
			t.Errorf("the shortest delay after %d failures is %s", i+1, low)
		}
		if high := delay(i+1, 0.999999); high >= limit || high < limit-time.Second {
			t.Errorf("the longest delay after %d failures is %s, want just below %s", i+1, high, limit)
		}
	}
	if d := delay(1_000_000, 0.5); d != time.Second/2+30*time.Minute {
		t.Errorf("after a million failures: %s", d)
	}
}

func TestALostRunIsTriedAgainSoonAndAConfigurationErrorLater(t *testing.T) {
	t.Parallel()
	now := onThe(t, "2026-11-10T09:00:00Z")
	half := func() float64 { return 0.5 }
	for range 3 {
		lost, wrong := &scheduled{failures: 9}, &scheduled{}
		lost.ended(outcomeFailed, fmt.Errorf("ingest: %w", ErrLost), now, half)
		wrong.ended(outcomeFailed, ConfigError{errors.New("no such plan")}, now, half)
		if d := lost.retry.Sub(now); d != 15500*time.Millisecond {
			t.Errorf("a lost run is tried again after %s", d)
		}
		if d := wrong.retry.Sub(now); d != time.Hour {
			t.Errorf("with a wrong configuration it is tried again after %s", d)
		}
	}
}

// The books hang, the upkeep goes on; after its time the hanging job is given up and
// the others of its lane have their turn.
func TestAJobThatHangsIsGivenUpAfterItsTime(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T09:36:00Z", map[string]string{"ingest": "0 * * * *", "rate": "0 * * * *", "verify": "10 * * * *"})
	s.options.Timeouts = map[string]time.Duration{"ingest": 30 * time.Minute}
	first, verified := true, make(chan struct{})
	s.do("verify", func(context.Context) error { close(verified); return nil })
	s.do("ingest", func(ctx context.Context) error {
		if !first {
			return nil
		}
		first = false
		s.sim.Pass(10 * time.Minute)
		<-verified // while it hangs
		s.sim.Pass(20 * time.Minute)
		<-ctx.Done()
		return fmt.Errorf("read: %w", ctx.Err())
	})
	s.run("10T09:00:00 ingest", "10T09:10:00 verify", "10T09:30:00 rate", "10T09:30:15 ingest")
	s.logged("not done after 30m0s and given up")
	s.logged("--timeout ingest=DURATION")
}

func TestAJobThatPanicsFails(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T09:00:20Z", map[string]string{"ingest": "@hourly", "rate": "@hourly"})
	s.do("ingest", func(context.Context) error { panic("index out of range") })
	s.run("10T09:00:00 ingest", "10T09:00:00 rate", "10T09:00:15 ingest")
	s.logged("panic: index out of range")
	s.logged("schedule_test.go") // the stack
	if f := s.failures(); len(f) != 1 || f[0].Error != "panic: index out of range" || f[0].Attempts != 2 {
		t.Errorf("recorded: %+v", f)
	}
}

// A close that is blocked is tried again hourly, is no failure, and its record says so.
func TestABlockedCloseWaitsForAPersonAndIsTriedHourly(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-01T06:00:00Z", "2026-11-01T09:30:00Z", map[string]string{"ingest": "0 8 * * *", "close": "0 6 1 * *"})
	attempts := 0
	s.do("close", func(context.Context) error {
		if attempts++; attempts <= 3 {
			return blockedError{errors.New("2026-10 cannot be closed: held calls: no_rule (2)")}
		}
		return nil
	})
	var during []Failure
	s.sim.At(onThe(t, "2026-11-01T08:30:00Z"), func() { during = s.failures() })
	s.run("01T06:00:00 ingest", "01T06:00:00 close", "01T07:00:00 close", "01T08:00:00 ingest", "01T08:00:00 close", "01T09:00:00 close")
	if len(during) != 1 || !during[0].Blocked || during[0].Attempts != 3 || !during[0].Since.Equal(onThe(t, "2026-11-01T06:00:00Z")) || !during[0].Next.Equal(onThe(t, "2026-11-01T09:00:00Z")) {
		t.Errorf("recorded while it was blocked: %+v", during)
	}
	if left := s.failures(); len(left) != 0 {
		t.Errorf("recorded after it was closed: %+v", left)
	}
}

func TestStoppedInTheMiddleOfAJob(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T10:00:00Z", map[string]string{"ingest": "@hourly", "rate": "@hourly"})
	s.do("ingest", func(ctx context.Context) error {
		s.sim.stop()
		<-ctx.Done()
		return errors.New("interrupted: the statement was cancelled") // not every library returns the context's error
	})
	s.run("10T09:00:00 ingest")
	s.logged("job abandoned, nothing committed")
	s.logged("msg=stopped")
	if left := s.failures(); len(left) != 0 {
		t.Errorf("to be stopped is no failure: %+v", left)
	}
}

func TestAJobOfALaterVersionIsRefused(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T10:00:00Z", nil)
	text, err := os.ReadFile(s.options.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.options.Config, append(text, "  gc: \"@daily\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	table := slices.DeleteFunc(slices.Clone(s.table), func(spec jobSpec) bool { return spec.name == "gc" })
	err = schedule(s.ctx, s.options, table)
	if !errors.As(err, new(ConfigError)) || !strings.Contains(err.Error(), "schedule.gc: this version of creditmill has no such job") {
		t.Errorf("error: %v", err)
	}
}

// A job that ignores the end of its time, and a loop that stands still, are unhealthy;
// two failures in a row and a blocked close are not.
func TestWhatIsUnhealthy(t *testing.T) {
	t.Parallel()
	cancel := func(error) {}
	for _, c := range []struct {
		name    string
		job     scheduled
		woke    time.Duration // of the loop; it is three hours after the start now
		state   string
		healthy bool
	}{
		{"waiting", scheduled{}, 3 * time.Hour, stateWaiting, true},
		{"in its time", scheduled{began: 2*time.Hour + time.Second, cancel: cancel}, 3 * time.Hour, stateAtWork, true},
		{"being given up", scheduled{began: 110 * time.Minute, cancel: cancel}, 3 * time.Hour, stateAtWork, true},
		{"not giving up", scheduled{began: 110*time.Minute - time.Second, cancel: cancel}, 3 * time.Hour, stateStuck, false},
		{"failed twice", scheduled{failures: 2}, 3 * time.Hour, stateFailing, true},
		{"failed three times", scheduled{failures: 3, err: "the store is down"}, 3 * time.Hour, stateFailing, false},
		{"blocked", scheduled{blocked: true}, 3 * time.Hour, stateBlocked, true},
		{"the loop a little late", scheduled{queued: true}, 3*time.Hour - deadAfter, stateQueued, true},
		{"the loop stands still", scheduled{}, 3*time.Hour - deadAfter - time.Second, stateWaiting, false},
	} {
		c.job.timeout = time.Hour
		d := &daemon{elapsed: func() time.Duration { return 3 * time.Hour }, woke: c.woke, jobs: []*scheduled{&c.job}}
		if h := d.health(); h.Healthy != c.healthy || h.Healthy != (len(h.Reasons) == 0) || h.Jobs[0].State != c.state {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
}

// The names, units and helps of the metrics are as Prometheus wants them.
func TestMetricsAreNamedByConvention(t *testing.T) {
	t.Parallel()
	s := newStub(t, "2026-11-10T09:00:00Z", "2026-11-10T10:00:00Z", map[string]string{"ingest": "@hourly"})
	d := &daemon{ScheduleOptions: s.options, elapsed: func() time.Duration { return 0 }}
	d.metrics = newMetrics(d)
	d.jobs = []*scheduled{{jobSpec: s.table[0], success: s.sim.now}}
	d.metrics.known("ingest")
	d.metrics.committed([]byte(`{"run":1,"kind":"ingest","totals":{"records":3,"events":2,"rejects":{"bad_time":1}}}`))
	one := map[string]int64{"no_rule": 1}
	d.lake = &lakeView{
		newest: map[string]time.Time{"calls": s.sim.now}, lastClose: s.sim.now, held: one, rejects: one, files: map[string]int{"usage": 1},
	}
	problems, err := testutil.GatherAndLint(d.metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := d.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if name := f.GetName(); !strings.HasPrefix(name, "creditmill_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("metric %s", name)
		}
	}
}

// A record of failures that could not be deleted when its job succeeded goes when any
// job next tells the lake how it went.
func TestAStaleRecordOfFailuresGoesLater(t *testing.T) {
	store, err := lake.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := recordFailure(t.Context(), store, Failure{Job: "apply", Error: "no answer"}, ""); err != nil {
		t.Fatal(err)
	}
	apply, rate := &scheduled{jobSpec: jobSpec{name: "apply"}, stale: true}, &scheduled{jobSpec: jobSpec{name: "rate"}}
	d := &daemon{jobs: []*scheduled{apply, rate}}
	records := func() (n int) {
		for _, err := range store.List(t.Context(), failuresPrefix) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	failing := &storetest.Failing{Store: store, N: 2} // the listing comes through, the delete does not
	if err := d.clearStale(t.Context(), failing); err == nil || !apply.stale || records() != 1 {
		t.Errorf("on a store that fails: %v, stale %v, %d records", err, apply.stale, records())
	}
	rate.stale = true
	if err := d.clearStale(t.Context(), store); err != nil || apply.stale || rate.stale || records() != 0 {
		t.Errorf("with the next success: %v, stale %v, %d records", err, apply.stale, records())
	}
}
