package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// An unsteady store fails about one operation in twenty, before it happens or after it
// has. It has good and bad spells: of those who open it, one in four finds it well, so that
// a gc gets through, which reads the whole log.
type unsteady struct {
	random   *rand.Rand
	uploaded func() // called after each upload

	mu     sync.Mutex
	opened []*storetest.Failing
	// unknown is how many commits happened although the store said they failed.
	unknown atomic.Int64
}

func (u *unsteady) wrap(store lake.Store) lake.Store {
	u.mu.Lock()
	defer u.mu.Unlock()
	failing := &storetest.Failing{Store: store, Seed: u.random.Uint64()}
	if u.random.IntN(4) > 0 {
		failing.OneIn = 14
	}
	u.opened = append(u.opened, failing)
	return &unsteadyStore{failing, u}
}

func (u *unsteady) count() (operations, failed int64) {
	for _, f := range u.opened {
		operations, failed = operations+f.Operations(), failed+f.Failed()
	}
	return operations, failed
}

type unsteadyStore struct {
	*storetest.Failing
	of *unsteady
}

// Upload implements lake.Store.
func (s *unsteadyStore) Upload(ctx context.Context, key, file string) error {
	err := s.Failing.Upload(ctx, key, file)
	s.of.uploaded()
	return err
}

// CreateIfAbsent implements lake.Store.
func (s *unsteadyStore) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	err := s.Failing.CreateIfAbsent(ctx, key, data)
	if err != nil && strings.HasPrefix(key, "runs/") {
		if there, readErr := lake.ReadAll(ctx, s.Store, key); readErr == nil && bytes.Equal(there, data) {
			s.of.unknown.Add(1)
		}
	}
	return err
}

// A yearLake is a lake that goes through a year.
type yearLake struct {
	site
	*year
	store *unsteady // nil: a quiet year

	now    time.Time
	deeds  []deed // that are still to be done
	errs   []error
	log    bytes.Buffer
	random *rand.Rand

	reader *jobs.Reader        // from here on: at the year's end
	runs   int64               // how many
	rows   map[string][]string // see exactly
}

// person does something by a store that works.
func (l *yearLake) person(do func(context.Context, *jobs.Mill) error) error {
	m, err := l.open(period.FormatInstant(l.deeds[0].at), nil)
	if err != nil {
		return err
	}
	return errors.Join(do(l.t.Context(), m), m.Release())
}

// live lets daemons run until end; kill, where it is not zero, ends them in the middle
// of the job that uploads something from then on.
func (l *yearLake) live(end time.Time, daemons int, kill time.Time) {
	l.t.Helper()
	sim, ctx := jobs.NewSim(l.t.Context(), l.now, end)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, d := range l.deeds {
		sim.At(d.at, func() { l.do(d, sim) })
	}
	uploads := 1 + l.random.IntN(8)
	var wrap func(lake.Store) lake.Store
	if l.store != nil {
		wrap = l.store.wrap
		l.store.uploaded = func() {
			if kill.IsZero() || sim.Now().Before(kill) {
				return
			}
			l.store.mu.Lock()
			defer l.store.mu.Unlock()
			if uploads--; uploads == 0 {
				cancel()
			}
		}
	}
	log := slog.New(slog.NewTextHandler(&l.log, nil))
	random := rand.New(rand.NewPCG(l.random.Uint64(), 0))
	var mu sync.Mutex
	draw := func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() }
	ended := make(chan error, daemons)
	clocks := make([]*jobs.SimClock, daemons)
	for i := range clocks {
		clocks[i] = sim.Clock()
	}
	for _, clock := range clocks {
		o := jobs.ScheduleOptions{
			Config: filepath.Join(l.dir, "creditmill.yaml"), Tool: "test", Log: log, Clock: clock, Idle: clock.Idle, Random: draw, Wrap: wrap,
		}
		go func() { ended <- jobs.Schedule(ctx, o) }()
	}
	for range clocks {
		if err := <-ended; err != nil {
			l.t.Fatal(err)
		}
	}
	l.now = sim.Now()
	if !kill.IsZero() && !l.now.Before(end) {
		l.t.Errorf("nobody was killed from %s to %s", period.FormatInstant(kill), period.FormatInstant(end))
	}
	if len(l.errs) > 0 {
		l.t.Fatal(errors.Join(l.errs...))
	}
}

// do does the next deed.
func (l *yearLake) do(d deed, sim *jobs.Sim) {
	var err error
	if d.set != 0 {
		sim.Set(d.set)
	} else {
		err = d.do(l)
	}
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: %w", period.FormatInstant(d.at), err))
	}
	l.deeds = l.deeds[1:]
}

// goes through the year. At its end a person does once what the daemon would do next.
func (l *yearLake) goes() {
	l.t.Helper()
	y := l.year
	l.deeds, l.now = y.deeds(), y.at(0, 1, 0, 30)
	for !l.deeds[0].at.After(l.now) {
		l.do(l.deeds[0], nil)
	}
	if l.store == nil {
		l.live(y.end(), 1, time.Time{})
	} else {
		l.deeds = append(l.deeds,
			deed{at: y.at(y.slept+1, 0, 21, 0), set: 84 * time.Hour},
			deed{at: y.at(y.back, 23, 15, 30), set: -time.Hour}, deed{at: y.at(y.back, 24, 15, 30), set: time.Hour})
		slices.SortStableFunc(l.deeds, func(a, b deed) int { return a.at.Compare(b.at) })
		kill := y.at(y.killed+1, 1, 5, 59)
		l.live(kill.Add(48*time.Hour), 1, kill)
		if from := y.at(y.pair, 5, 2, 0); y.pair > y.killed+1 {
			l.live(from, 1, time.Time{})
		}
		l.live(y.at(y.pair+1, 5, 2, 0), 2, time.Time{})
		l.live(y.end(), 1, time.Time{})
	}
	at := period.FormatInstant(y.end().Add(time.Hour))
	gc := func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.GC(ctx, jobs.GCOptions{Delete: true})
		return err
	}
	l.run([]step{{at, month[0].do}, {at, month[1].do}, {at, month[2].do}, {at, gc}})
}

// read opens the lake's tables, until the end of until.
func (l *yearLake) read(until *testing.T) {
	l.t.Helper()
	reader, err := l.site.at(period.FormatInstant(l.end())).Read(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	until.Cleanup(func() {
		if err := reader.Close(); err != nil {
			until.Error(err)
		}
	})
	l.reader = reader
}

func (l *yearLake) ask(statement string) []string { return query(l.t, l.reader, statement) }

// exactly are the rows of all tables but for what tells when or how often a job was
// tried: the numbers of runs, and when the invoices were issued, which wantOnce holds
// against the runs that issued them.
func (l *yearLake) exactly() map[string][]string {
	l.t.Helper()
	leftOut := map[string]string{
		lake.Objects.Name: "EXCLUDE (run)", lake.Periods.Name: "EXCLUDE (cut_run, close_run)", lake.Invoices.Name: "EXCLUDE (issued_at, due_at)",
		lake.Voided.Name: "EXCLUDE (read_by, void_run)",
	}
	all := map[string][]string{}
	for _, table := range lake.Tables() {
		all[table.Name] = l.ask(fmt.Sprintf("SELECT CAST(t AS VARCHAR) FROM (SELECT * %s FROM %s) t ORDER BY ALL", leftOut[table.Name], table.Name))
	}
	return all
}

// wantOnce checks that every month was closed once, that the invoices are issued by the
// run that closed it, with numbers without gaps, and that verify finds nothing.
func (l *yearLake) wantOnce() {
	l.t.Helper()
	now := period.FormatInstant(l.end().Add(time.Hour))
	m := l.site.at(now)
	var closed, issued []string
	for _, run := range m.Lake.State().Milestones() {
		if run.Kind == lake.Close {
			closed = append(closed, run.Period.String())
			issued = append(issued, fmt.Sprintf("%s %d", run.Period, run.Now.UnixMicro()))
		}
	}
	l.runs = m.Lake.State().Head
	var months []string
	for i := range l.months {
		months = append(months, l.first.Add(i).String())
	}
	wantRows(l.t, "closes", closed, months...)
	wantRows(l.t, "instants of issue", l.ask("SELECT DISTINCT concat_ws(' ', period, epoch_us(issued_at)) AS issued FROM invoices WHERE kind = 'invoice' ORDER BY issued"), issued...)
	wantRows(l.t, "invoices that are not due after 14 days", l.ask("SELECT number FROM invoices WHERE kind <> 'credit_note' AND abs(epoch_us(due_at) - epoch_us(issued_at) - 14 * 86400000000) > 3600000000"))
	next := map[string]int{}
	for _, number := range l.ask("SELECT number FROM invoices ORDER BY number") {
		series := number[:strings.LastIndex(number, "-")]
		next[series]++
		if want := fmt.Sprintf("%s-%06d", series, next[series]); number != want {
			l.t.Errorf("number %s, want %s", number, want)
		}
	}
	setup, err := jobs.LoadSetup(filepath.Join(l.dir, "creditmill.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	report, err := jobs.Verify(l.t.Context(), setup, jobs.Options{Now: l.end, Log: slog.New(slog.DiscardHandler), Tool: "test"}, jobs.VerifyOptions{})
	if err != nil || report.Faults() > 0 {
		l.t.Errorf("verify: %+v, %v", report.Checks, err)
	}
	if failures, err := m.Failures(l.t.Context()); err != nil || len(failures) > 0 {
		l.t.Logf("failures left: %+v, %v", failures, err)
	}
}

// wantRich checks a quiet year against a count of what landed, and that there was
// everything in it that the year is for.
func (l *yearLake) wantRich() {
	l.t.Helper()
	calls, credits := 0, 0
	for _, c := range l.calls {
		price := 2
		if !c.at.Before(l.midyear()) {
			price = 3
		}
		if !slices.Contains(l.voided, c.id) {
			calls, credits = calls+1, credits+price*c.images
		}
	}
	wantRows(l.t, "calls and their credits", l.ask("SELECT concat_ws(' ', (SELECT count(*) FROM usage), count(*), CAST(sum(credits) AS BIGINT), count(held)) FROM rated"),
		fmt.Sprintf("%d %d %d 0", calls, calls, credits))
	wantRows(l.t, "entries of the ledger", l.ask("SELECT DISTINCT entry FROM ledger ORDER BY entry"),
		"burn", "denied", "expire", "grant", "overage", "rollover_in", "rollover_out")
	wantRows(l.t, "kinds of buckets", l.ask("SELECT DISTINCT kind FROM balances ORDER BY kind"), "allowance", "pack", "promotion", "rollover", "topup")
	wantRows(l.t, "reasons of rejects", l.ask("SELECT DISTINCT reason FROM rejected ORDER BY reason"), "bad_time", "duplicate", "voided")
	wantRows(l.t, "versions of prices", l.ask("SELECT DISTINCT price_version FROM rated ORDER BY price_version"), "1", "2")
	wantRows(l.t, "late calls, late account events", l.ask("SELECT concat_ws(' ', (SELECT count(*) > 0 FROM rated WHERE late), (SELECT count(*) > 0 FROM account_events e WHERE e.posted_at > e.at))"), "true true")
}

// A store that fails one operation in twenty, a daemon that is killed, sleeps over the
// 1st of a month, has a clock that goes back and shares a month with another: after a
// year of that, every row of every table is as after a quiet one.
func TestFaultsOfAYear(t *testing.T) {
	cases := storetest.Cases(t, "a year of daemons on a store that fails")
	full := storetest.Full()
	seeds, often := []uint64{1, 2, 3}, []string{"INGEST", "*", "RATE", "*/2", "APPLY", "*/7", "UPKEEP", "* * 0"}
	if !full {
		seeds, often = []uint64{storetest.Seed(t)}, []string{"INGEST", "7,9,15,23", "RATE", "9,23", "APPLY", "24", "UPKEEP", "26 * *"}
	}
	y := newYear(t, full)
	files := map[string]string{}
	for name, text := range yearFiles {
		files[name] = strings.NewReplacer(append(often, "FIRST", y.first.String(), "MIDYEAR", period.FormatInstant(y.midyear()))...).Replace(text)
	}
	quiet := &yearLake{site: newSite(t, files), year: y, random: rand.New(rand.NewPCG(0, 0))}
	lakes := []*yearLake{quiet}
	for _, seed := range seeds {
		lakes = append(lakes, &yearLake{
			site: newSite(t, files), year: newYear(t, full), random: rand.New(rand.NewPCG(seed, 1)),
			store: &unsteady{random: rand.New(rand.NewPCG(seed, 2))},
		})
	}
	whole := t
	t.Run("lakes", func(t *testing.T) {
		for i, l := range lakes {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				l.t = t
				l.goes()
				l.read(whole)
				l.wantOnce()
				l.rows = l.exactly()
				l.tell()
			})
		}
	})
	if t.Failed() {
		return
	}
	quiet.t = t
	quiet.wantRich()
	for i, l := range lakes[1:] {
		for table, want := range quiet.rows {
			if got := l.rows[table]; !slices.Equal(got, want) {
				t.Errorf("%s of the year drawn by %d: %d rows, want %d\n not wanted %q\n    missing %q", table, seeds[i], len(got), len(want), less(got, want), less(want, got))
			}
		}
		cases.Add(1)
	}
}

// less are the rows that are not among others.
func less(rows, others []string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return slices.Contains(others, row) })
}

// tell logs what a year was like.
func (l *yearLake) tell() {
	l.t.Helper()
	log := l.log.String()
	l.t.Logf("%d runs, %d closes, %d calls, %s invoices and notes; %d attempts at jobs, of which %d failed",
		l.runs, l.months, len(l.rows[lake.Usage.Name]), l.ask("SELECT count(*) FROM invoices")[0], strings.Count(log, `msg="job began"`), strings.Count(log, `msg="job failed"`))
	if l.store != nil {
		operations, failed := l.store.count()
		l.t.Logf("of %d operations on the store %d failed; %d commits had happened although the store said that they failed", operations, failed, l.store.unknown.Load())
	}
}
