package jobs_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// madeRun commits a run by hand, without the files it names.
func (s site) madeRun(m *jobs.Mill, run lake.Run) {
	s.t.Helper()
	run.ID = lake.NewRunID()
	if run.Kind == lake.Ingest && run.Unread == nil {
		run.Unread = &[]lake.Unread{}
	}
	if err := m.Lake.Commit(s.t.Context(), &run); err != nil {
		s.t.Fatal(err)
	}
}

func statusAt(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := period.ParseInstant(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// usageFile is a file of usage of a day, said to have rows and bytes.
func usageFile(path string, day time.Time, rows, bytes int64) lake.File {
	end := day.Add(time.Hour)
	return lake.File{Path: "data/usage/" + path, Table: "usage", Partition: day.Format(time.DateOnly), Rows: rows, Bytes: bytes, MinTime: &day, MaxTime: &end}
}

// status opens the mill at an instant and looks.
func (s site) status(now string) jobs.Status {
	s.t.Helper()
	status, err := s.at(now).Status(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// Tables of many small files are named once those are settled, rated, and many.
func TestStatusNamesFragmentedTables(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	m := s.at("2026-10-20T00:00:00Z")
	day, next := statusAt(t, "2026-10-10T00:00:00Z"), statusAt(t, "2026-10-11T00:00:00Z")
	files := []lake.File{usageFile("large", day, 1, 128<<20)} // large enough as it is
	for i := range 251 {
		files = append(files, usageFile(fmt.Sprint("a", i), day, 2, 1000))
	}
	for i := range 5 {
		files = append(files, usageFile(fmt.Sprint("b", i), next, 2, 1000))
	}
	for i := range 3 { // too few in their partition
		files = append(files, usageFile(fmt.Sprint("c", i), statusAt(t, "2026-10-12T00:00:00Z"), 2, 1000))
	}
	s.madeRun(m, lake.Run{Kind: lake.Ingest, Now: m.Now(), Files: files})
	if got := s.status("2026-10-20T00:00:00Z"); len(got.Fragmented) != 0 || got.Unrated != 1+2*259 {
		t.Errorf("not rated yet: %+v, %d calls not rated", got.Fragmented, got.Unrated)
	}
	s.madeRun(m, lake.Run{Kind: lake.Rate, Now: m.Now(), Read: 1})
	want := []jobs.Fragments{{Table: "usage", Files: 256, Bytes: 256_000}}
	if got := s.status("2026-10-14T00:00:01Z").Fragmented; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// October 11 ends at midnight of the 12th, and is settled two days later.
	if got := s.status("2026-10-14T00:00:00Z").Fragmented; len(got) != 0 {
		t.Errorf("251 small files that are settled are not many, got %+v", got)
	}
	if got := s.status("2026-10-20T00:00:00Z"); got.Unrated != 0 {
		t.Errorf("%d calls are not rated", got.Unrated)
	}
}

// Late usage is told by the month it happened in, as far as that is closed; nothing of
// the open month, and nothing that is held.
func TestStatusTellsLateUsageByItsMonth(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.run([]step{{"2026-12-01T07:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
		report, err := m.Close(ctx, jobs.CloseOptions{})
		if err == nil && report.Run == nil {
			err = fmt.Errorf("November is not closed: %+v", report.Blocks)
		}
		return err
	}}})
	s.write("raw/calls/3.jsonl", `
{"id":"l1","ts":"2026-10-31T23:59:59.999999Z","org":"ada","op":"image.generate","n":4}
{"id":"l2","ts":"2026-11-01T00:00:00Z","org":"ada","op":"image.generate","n":3}
{"id":"l3","ts":"2026-11-30T23:59:59Z","org":"bob","op":"image.generate","n":1}
{"id":"l4","ts":"2026-11-15T12:00:00Z","org":"bob","op":"image.unknown","n":1}
{"id":"n1","ts":"2026-12-01T00:00:00Z","org":"bob","op":"image.generate","n":1}
`)
	s.run([]step{
		{"2026-12-02T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Ingest(ctx); return err }},
		{"2026-12-02T00:20:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Rate(ctx); return err }},
	})
	got := s.status("2026-12-02T01:00:00Z")
	want := []jobs.LateUsage{
		{Period: october, Calls: 1, Credits: "8.000000"},               // 4 images at 2
		{Period: mustPeriod("2026-11"), Calls: 2, Credits: "8.000000"}, // 3 + 1 images at 2
	}
	if !slices.Equal(got.Late, want) {
		t.Errorf("late usage: got %+v, want %+v", got.Late, want)
	}
	if len(got.Held) != 1 || got.Held[0] != (jobs.HeldCount{Period: "2026-12", Reason: "no_rule", Calls: 1}) {
		t.Errorf("held: %+v", got.Held)
	}
	if got.LastClose == nil || got.LastClose.Period != mustPeriod("2026-11") || got.Rerates != 0 {
		t.Errorf("the last close: %+v, %d re-rates since", got.LastClose, got.Rerates)
	}
}

// A job is overdue when work has waited for it for more than an hour after its time.
func TestStatusTellsOverdueJobs(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny) // rate at 20 past each hour, close on the 1st at 06:00
	s.run([]step{{"2026-10-25T10:20:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Ingest(ctx); return err }}})
	overdue := func(now, job string) time.Time {
		jobs := s.status(now).Jobs
		return jobs[slices.IndexFunc(jobs, func(j jobStatus) bool { return j.Job == job })].Overdue
	}
	for _, c := range []struct{ now, job, want string }{
		{"2026-10-25T12:20:00Z", "rate", ""}, // due at 11:20, for the usage came at 10:20 itself
		{"2026-10-25T12:20:01Z", "rate", "2026-10-25T11:20:00Z"},
		{"2026-11-01T07:00:00Z", "close", ""},
		{"2026-11-01T07:00:01Z", "close", "2026-11-01T06:00:00Z"},
		{"2026-11-01T07:00:01Z", "ingest", ""},
	} {
		if got := overdue(c.now, c.job); c.want == "" && !got.IsZero() || c.want != "" && !got.Equal(statusAt(t, c.want)) {
			t.Errorf("%s at %s: overdue since %s, want %q", c.job, c.now, got, c.want)
		}
	}
}

type jobStatus = jobs.JobStatus

// manifests counts the manifests that are read from a store.
type manifests struct {
	lake.Store

	read atomic.Int64
}

func (c *manifests) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if len(key) > 5 && key[:5] == "runs/" {
		c.read.Add(1)
	}
	return c.Store.Open(ctx, key)
}

// longLog makes a log of n runs of all kinds, with closes of three months and re-rates,
// its clocks going on by a minute a run.
func (s site) longLog(n int) []lake.Run {
	s.t.Helper()
	m := s.at("2026-10-01T00:00:00Z")
	random := rand.New(rand.NewPCG(1, 2))
	open, at := october, statusAt(s.t, "2026-10-01T00:00:00Z")
	var made []lake.Run
	for i := range n {
		run := lake.Run{Kind: lake.Ingest, Now: at.Add(time.Duration(i) * time.Minute)}
		switch draw := random.IntN(20); {
		case i == n/4 || i == n/2 || i == 3*n/4:
			cut := run
			cut.Kind, cut.Period = lake.Cut, open
			s.madeRun(m, cut)
			made = append(made, cut)
			run.Kind, run.Period = lake.Close, open
			open = open.Next()
		case draw < 6:
			run.Kind = lake.Rate
		case draw < 9:
			run.Kind, run.Period = lake.Apply, open
		case draw == 9 && open != october:
			run.Kind, run.Period = lake.Rerate, october
			for p := october; p.Before(open); p = p.Next() {
				run.Files = append(run.Files, lake.File{Path: fmt.Sprintf("data/ledger/%d-%s", i, p), Table: "ledger", Partition: p.String()})
			}
		}
		s.madeRun(m, run)
		made = append(made, run)
	}
	return made
}

// The runs that a filter selects are those that looking at every run selects, and no
// more manifests are read than that takes.
func TestRunsAreFoundReadingBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	all := s.longLog(400)
	november := mustPeriod("2026-11")
	recent := all[len(all)-100].Now
	for _, c := range []struct {
		name   string
		filter jobs.RunFilter
		most   int64 // manifests read besides those that opening reads
	}{
		{"newest", jobs.RunFilter{Limit: 20}, 64},
		{"closes", jobs.RunFilter{Kinds: []lake.Kind{lake.Close}, Limit: 20}, 0},
		{"two closes and re-rates", jobs.RunFilter{Kinds: []lake.Kind{lake.Close, lake.Rerate}, Limit: 2}, 0},
		{"applies", jobs.RunFilter{Kinds: []lake.Kind{lake.Apply}, Limit: 5}, 128},
		{"a closed month", jobs.RunFilter{Period: november, Limit: 1000}, 160},
		{"the open month", jobs.RunFilter{Period: mustPeriod("2027-01"), Limit: 1000}, 160},
		{"a month to come", jobs.RunFilter{Period: mustPeriod("2027-02"), Limit: 1000}, 0},
		{"since", jobs.RunFilter{Since: recent, Limit: 1000}, 192},
		{"ratings since", jobs.RunFilter{Since: recent, Kinds: []lake.Kind{lake.Rate}, Limit: 3}, 64},
		{"all", jobs.RunFilter{Limit: 1000}, 640},
		{"exactly all", jobs.RunFilter{Limit: len(all)}, 640},
	} {
		var want []int64
		for i, run := range slices.Backward(all) {
			f := c.filter
			selected := len(f.Kinds) == 0 || slices.Contains(f.Kinds, run.Kind)
			selected = selected && !run.Now.Before(f.Since)
			ofPeriod := f.Period.IsZero() || run.Period == f.Period
			for _, file := range run.Files {
				ofPeriod = ofPeriod || file.Partition == f.Period.String()
			}
			if selected && ofPeriod {
				want = append(want, int64(i)+1)
			}
		}
		more := len(want) > c.filter.Limit
		want = want[:min(len(want), c.filter.Limit)]

		counting := &manifests{}
		m, err := s.open("2026-12-01T00:00:00Z", func(store lake.Store) lake.Store { counting.Store = store; return counting })
		if err != nil {
			t.Fatal(err)
		}
		before := counting.read.Load()
		runs, gotMore, err := m.Runs(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, run := range runs {
			got = append(got, run.Number)
		}
		if !slices.Equal(got, want) || gotMore != more {
			t.Errorf("%s: got %v, more %t; want %v, more %t", c.name, got, gotMore, want, more)
		}
		if read := counting.read.Load() - before; read > c.most {
			t.Errorf("%s: %d manifests were read, %d are enough", c.name, read, c.most)
		}
	}
	t.Run("status", s.statusReadsLittle)
}

// statusReadsLittle checks that a status of a long log reads the newest runs alone.
func (s site) statusReadsLittle(t *testing.T) {
	counting := &manifests{}
	m, err := s.open("2026-12-01T00:00:00Z", func(store lake.Store) lake.Store { counting.Store = store; return counting })
	if err != nil {
		t.Fatal(err)
	}
	status, err := m.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// 128 of the newest, one that asks whether there is another, and what opening reads.
	if read := counting.read.Load(); read > 128+1+64 {
		t.Errorf("%d manifests were read", read)
	}
	if len(status.Runs) != 5 || status.Runs[0].Number != status.Head {
		t.Errorf("the newest runs: %d of them", len(status.Runs))
	}
	for _, job := range status.Jobs {
		if job.LastRun == 0 && job.Job != "apply" && job.Job != "publish" { // a publish is no run
			t.Errorf("%s: its last run was not found", job.Job)
		}
	}
}
