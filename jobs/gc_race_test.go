package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// landed is a lake whose first calls are read, and another log that is not.
func landed(t *testing.T) site {
	t.Helper()
	s := newSite(t, tiny)
	s.run(month[:1])
	s.write("raw/calls/3.jsonl", `{"id":"c9","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"c8","ts":"2026-10-23T10:00:00Z","org":"ada","op":"image.generate","n":1}
broken
`)
	return s
}

// An ingest has uploaded its files when a gc whose clock is a century ahead takes them
// for those of a dead run: the gc is committed first, and the ingest is worked out again.
func TestARunWhoseFilesAreCondemnedIsWorkedOutAgain(t *testing.T) {
	t.Parallel()
	calm := landed(t)
	calm.ingest("2026-10-26T00:00:00Z")
	s := landed(t)
	var condemned []string
	m, err := s.open("2026-10-26T00:00:00Z", watching(func(_ int, o turn) {
		if o.operation == "create" && strings.HasPrefix(o.key, "runs/") && condemned == nil {
			report := s.gc(gcLast.now)
			condemned = report.Run.Deleted
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	report, err := m.Ingest(t.Context())
	if err != nil || report.Run == nil || report.Run.Number != 3 {
		t.Fatalf("%+v, %v", report.Run, err)
	}
	if len(condemned) != 4 { // two days of usage, one of rejected, and objects
		t.Errorf("condemned %q", condemned)
	}
	for _, f := range report.Run.Files {
		if slices.Contains(condemned, f.Path) {
			t.Errorf("%s is condemned and live", f.Path)
		}
	}
	wantRows(t, "usage", s.ask(usageRows), calm.ask(usageRows)...)
	s.wantStored("after both", s.staying("2026-10-26T00:00:00Z", days400))
	s.wantRight("after both")
}

// The other way round: a gc has listed the files of an ingest at work and the ingest is
// committed first, or while the gc commits the first of its runs; the gc takes them off
// its list.
func TestAGCTakesOffItsListWhatARunNames(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]struct {
		at   func(turn) bool
		runs []int64 // of the ingest, the gc's last, and how many files the gc deletes
	}{
		"before its first run": {func(o turn) bool { return o.operation == "create" && o.key == "runs/0000000002.json" }, []int64{2, 5, 3}},
		"after its first run":  {func(o turn) bool { return o.operation == "open" && o.key == "runs/0000000002.json" }, []int64{3, 5, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := landed(t)
			old := strayKeys(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
			uploaded, proceed := make(chan struct{}), make(chan struct{})
			var ingested jobs.IngestReport
			var ingesting sync.WaitGroup
			ingesting.Go(func() {
				reached := false
				m, err := s.open("2026-10-26T00:00:00Z", watching(func(_ int, o turn) {
					if o.operation == "create" && strings.HasPrefix(o.key, "runs/") && !reached {
						reached = true
						close(uploaded)
						<-proceed
					}
				}))
				if err == nil {
					ingested, err = m.Ingest(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			})
			<-uploaded
			s.litter(old...)
			created, done := false, false
			m, err := s.open(gcLast.now, watching(func(_ int, o turn) {
				created = created || o.operation == "create" && o.key == "runs/0000000002.json"
				if created && !done && first.at(o) {
					done = true
					close(proceed)
					ingesting.Wait()
				}
			}))
			if err != nil {
				t.Fatal(err)
			}
			report, err := m.GC(t.Context(), jobs.GCOptions{Delete: true, Most: 2})
			if err != nil || !done {
				t.Fatalf("%+v, %v, %v", report, err, done)
			}
			if ingested.Run == nil || ingested.Run.Number != first.runs[0] || report.Run == nil || report.Run.Number != first.runs[1] || report.Files() != first.runs[2] {
				t.Errorf("ingest %+v, gc %+v", ingested.Run, report)
			}
			s.wantStored("after both", s.staying("2026-10-26T00:00:00Z", days400))
			s.wantRight("after both")
		})
	}
}

// future is the tiny world a hundred years later: what runs upload now is old by its
// clock, so that every gc takes it for what a dead run has left.
func future(server *storetest.S3Server, prefix string) map[string]string {
	world := map[string]string{}
	for name, content := range tiny {
		world[strings.ReplaceAll(name, "2026", "2126")] = strings.ReplaceAll(content, "2026-", "2126-")
	}
	world["creditmill.yaml"] += "retention: {superseded: 0m, rejected: 1 day}\n"
	if server != nil {
		world["creditmill.yaml"] = strings.Replace(world["creditmill.yaml"], "lake: ./lake", "lake: "+server.Address(prefix)+"\nscratch: ./scratch", 1)
	}
	return world
}

// workers are commands at work beside others.
var workers = map[string]func(context.Context, *jobs.Mill) error{
	"gc": func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.GC(ctx, jobs.GCOptions{Delete: true, Most: 5})
		return err
	},
	"ingest": func(ctx context.Context, m *jobs.Mill) error { _, err := m.Ingest(ctx); return err },
	"rate":   func(ctx context.Context, m *jobs.Mill) error { _, err := m.Rate(ctx); return err },
	"apply":  func(ctx context.Context, m *jobs.Mill) error { _, err := m.Apply(ctx); return err },
	"close": func(ctx context.Context, m *jobs.Mill) error {
		report, err := m.Close(ctx, jobs.CloseOptions{AcceptRejects: true})
		if err == nil && report.Run == nil {
			err = fmt.Errorf("not closed: %+v", report.Blocks)
		}
		return err
	},
	"rerate": func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Rerate(ctx, jobs.RerateOptions{From: mustPeriod("2126-10"), Commit: true, Reason: "a test"}, lookAway)
		return err
	},
	"void": func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Void(ctx, jobs.VoidOptions{EventID: "c2", Reason: "a test"})
		return err
	},
	"compact": func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Compact(ctx, jobs.CompactOptions{})
		return err
	},
	"query": func(ctx context.Context, m *jobs.Mill) error {
		reader, err := m.Read(ctx)
		if err != nil {
			return err
		}
		defer reader.Close()
		for _, table := range lake.Tables() {
			if err := reader.Session().Exec(ctx, "SELECT * FROM "+table.Name); err != nil {
				return err
			}
		}
		return nil
	},
	"explain": func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Explain(ctx, "c1", jobs.ExplainOptions{})
		return err
	},
}

// Commands of all kinds work side by side with gcs, days after days: none fails, and what
// is live, or documents are made of, is there and right at the end of each day.
func TestGCBesideEveryOtherCommand(t *testing.T) {
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		besideOthers(t, newSite(t, future(nil, "")), 6)
	})
	t.Run("S3", func(t *testing.T) {
		server := storetest.StartS3(t)
		storetest.SetEnvironment(t, server.Endpoint)
		besideOthers(t, newSite(t, future(server, "beside")), 3)
	})
}

func besideOthers(t *testing.T, s site, last int) {
	days := []struct{ now, work string }{
		{"2126-10-24T00:00:00Z", "ingest"},
		{"2126-10-26T00:00:00Z", "gc ingest rate apply query"},
		{"2126-10-28T00:00:00Z", "gc gc ingest rate apply void query explain compact"},
		{"2126-11-01T07:00:00Z", "gc gc ingest rate query explain close"},
		{"2126-11-04T00:00:00Z", "gc gc ingest rate apply query explain rerate compact"},
		{"2126-11-07T00:00:00Z", "gc gc ingest rate apply query explain compact"},
	}
	for i, day := range days[:last] {
		s.write(fmt.Sprintf("raw/calls/more-%d.jsonl", i), fmt.Sprintf(`{"id":"m%d","ts":"2126-10-%02dT10:00:00Z","org":"ada","op":"image.generate","n":%d}
{"id":"c1","ts":"2126-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4}
`, i, 6+i, i+1))
		if day.work != "ingest" {
			s.killed(day.now)
		}
		var group sync.WaitGroup
		for _, name := range strings.Fields(day.work) {
			group.Go(func() {
				m, err := s.open(day.now, nil)
				if err == nil {
					err = errors.Join(workers[name](t.Context(), m), m.Release())
				}
				if err != nil && !errors.Is(err, jobs.ErrLost) {
					t.Errorf("%s at %s: %v", name, day.now, err)
				}
			})
		}
		group.Wait()
		if wrong := faultsOf(s.verify(jobs.VerifyOptions{Quick: true})); wrong != "" {
			t.Errorf("after %s: %s", day.now, wrong)
		}
	}
	s.run([]step{{"2126-12-01T00:00:00Z", workers["gc"]}})
	s.wantRight("at the end")
	if last == len(days) { // on S3 there is no folder to look into
		s.wantStored("at the end", s.staying("2126-12-01T00:00:00Z", func(at time.Time) time.Time { return at.Add(24 * time.Hour) }))
	}
}

// killed leaves the uploads of an ingest that was killed before its commit.
func (s site) killed(now string) {
	s.t.Helper()
	m, err := s.open(now, func(st lake.Store) lake.Store { return &doomed{st} })
	if err == nil {
		_, err = m.Ingest(s.t.Context())
	}
	if !errors.Is(err, errKilled) {
		s.t.Errorf("an ingest that is killed ends with %v", err)
	}
}

// A doomed store ends its process at the first commit.
type doomed struct{ lake.Store }

var errKilled = errors.New("killed")

func (d *doomed) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	if strings.HasPrefix(key, "runs/") {
		return errKilled
	}
	return d.Store.CreateIfAbsent(ctx, key, data)
}

// A gc deletes files that a verification was about to look at, and that by its clock
// should have been there.
func TestAVerificationThatAGCOvertakesBeginsAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/calls/3.jsonl", `{"id":"n1","ts":"2026-11-03T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	for _, now := range []string{"2026-11-02T00:00:00Z", "2026-11-04T00:00:00Z"} {
		s.run([]step{{now, month[0].do}, {now, month[1].do}, {now, month[2].do}})
	}
	setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	now := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	report, err := jobs.Verify(t.Context(), setup, jobs.Options{
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Tool: "test",
		Wrap: watching(func(_ int, o turn) {
			if o.operation == "open" && strings.HasPrefix(o.key, "data/") {
				once.Do(func() {
					if report := s.gc(gcLast.now); report.Files() == 0 {
						t.Error("gc has deleted nothing")
					}
				})
			}
		}),
	}, jobs.VerifyOptions{})
	if wrong := faultsOf(report); err != nil || wrong != "" {
		t.Errorf("%v\n%s", err, wrong)
	}
}
