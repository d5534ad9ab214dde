package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// A command is a job with what lands before it, as a step of the history that the
// fault tests disturb.
type command struct {
	name string
	step
	lands map[string]string // files of the site, whole
}

// faultWorld is the tiny world with a call of the future and two that no rule prices.
func faultWorld() map[string]string {
	world := maps.Clone(tiny)
	world["creditmill.yaml"] += "retention: {rejected: 30 days, superseded: 10 days}\n"
	world["raw/calls/3.jsonl"] = `
{"id":"f1","ts":"2026-10-26T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"h1","ts":"2026-10-12T10:00:00Z","org":"ada","op":"image.resize","n":1}
{"id":"h2","ts":"2026-10-13T10:00:00Z","org":"ada","op":"image.unknown","n":1}
`
	return world
}

// faultHistory bills two months with everything that can happen to a lake, each job in
// it at least once. A new job joins the fault tests by a line here.
func faultHistory() []command {
	closing := func(ctx context.Context, m *jobs.Mill) error {
		report, err := m.Close(ctx, jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
		if err == nil && report.Run == nil && len(report.Blocks) > 0 {
			err = fmt.Errorf("not closed: %+v", report.Blocks)
		}
		return err
	}
	ingest, rate, apply := month[0].do, month[1].do, month[2].do
	void := func(o jobs.VoidOptions) func(context.Context, *jobs.Mill) error {
		o.Reason = "a test"
		return func(ctx context.Context, m *jobs.Mill) error { _, err := m.Void(ctx, o); return err }
	}
	again := func(ctx context.Context, m *jobs.Mill) error { _, err := m.IngestAgain(ctx, "gateway"); return err }
	return []command{
		{"ingest of new objects", step{"2026-10-25T00:00:00Z", ingest}, nil},
		{"rate", step{"2026-10-25T00:01:00Z", rate}, nil},
		{"apply", step{"2026-10-25T00:02:00Z", apply}, nil},
		{"ingest of an object that grew", step{"2026-10-25T01:00:00Z", ingest}, map[string]string{
			"raw/calls/2.jsonl": tiny["raw/calls/2.jsonl"] + `{"id":"g1","ts":"2026-10-22T10:00:00Z","org":"bob","op":"image.generate","n":1}` + "\n",
			"raw/calls/4.jsonl": `{"id":"v1","ts":"2026-10-23T10:00:00Z","org":"ada","op":"image.generate","n":5}` + "\n",
		}},
		{"ingest --again", step{"2026-10-27T00:00:00Z", again}, nil},
		{"void of a call", step{"2026-10-27T00:01:00Z", void(jobs.VoidOptions{EventID: "c2"})}, nil},
		{"void of an object", step{"2026-10-27T00:02:00Z", void(jobs.VoidOptions{Object: "calls/4.jsonl"})}, nil},
		{"close", step{"2026-11-01T07:00:00Z", closing}, map[string]string{
			"raw/calls/5.jsonl": `{"id":"l0","ts":"2026-10-30T10:00:00Z","org":"bob","op":"image.generate","n":1}` + "\n",
		}},
		{"ingest of late calls", step{"2026-11-20T00:00:00Z", ingest}, map[string]string{
			"raw/calls/6.jsonl": `
{"id":"n1","ts":"2026-11-05T10:00:00Z","org":"ada","op":"image.generate","n":2}
{"id":"n2","ts":"2026-11-06T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}
`,
		}},
		{"rate of late calls", step{"2026-11-20T00:01:00Z", rate}, nil},
		{"apply after a close", step{"2026-11-20T00:02:00Z", apply}, nil},
		{"void of a closed month's call", step{"2026-11-20T00:03:00Z", void(jobs.VoidOptions{EventID: "c4"})}, nil},
		{"close of the next month", step{"2026-12-01T07:00:00Z", closing}, nil},
		{"ingest of a late account event", step{"2026-12-02T00:00:00Z", ingest}, map[string]string{
			"raw/calls/7.jsonl":       `{"id":"d1","ts":"2026-12-01T12:00:00Z","org":"ada","op":"image.generate","n":1}` + "\n",
			"raw/accounts/late.jsonl": `{"id":"b3","type":"pack.purchased","account":"bob","at":"2026-10-10T00:00:00Z","pack":"starter"}` + "\n",
		}},
		{"rate anew", step{"2026-12-02T00:01:00Z", rate}, map[string]string{
			"prices/api-2.yaml": strings.NewReplacer("version: 1", "version: 2", "credits: 2", "credits: 3").Replace(tiny["prices/api.yaml"]) +
				"  - operation: image.resize\n    charge: {credits: 1}\n",
		}},
		{"rerate --commit", rerateStep, nil},
		{"compact", step{"2026-12-20T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.Compact(ctx, jobs.CompactOptions{Least: 2})
			return err
		}}, nil},
		{"gc", step{"2026-12-25T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.GC(ctx, jobs.GCOptions{Delete: true})
			return err
		}}, nil},
		{"forget", step{"2026-12-25T00:01:00Z", func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.Forget(ctx, jobs.ForgetOptions{Account: "bob", Reason: "a test", Random: bytes.NewReader(make([]byte, 16))})
			if err != nil && strings.Contains(err.Error(), "no rows of this name") {
				return nil // forgotten already
			}
			return err
		}}, nil},
	}
}

// copied is a copy of a site.
func (s site) copied() site {
	s.t.Helper()
	twin := site{s.t, s.t.TempDir()}
	if err := os.CopyFS(twin.dir, os.DirFS(s.dir)); err != nil {
		s.t.Fatal(err)
	}
	return twin
}

func wrapping(f *storetest.Failing) func(lake.Store) lake.Store {
	return func(s lake.Store) lake.Store {
		f.Store = s
		return f
	}
}

// A moment is a site before a command of a history, everything landed, and what must
// be live after the command.
type moment struct {
	command
	before     site
	operations int64
	head       int64 // the newest run
	rows       map[string][]string
	files      []string // see site.generation
}

// moments runs a history at a site that nobody disturbs and keeps copies of it.
func (s site) moments(history []command) []moment {
	s.t.Helper()
	all := make([]moment, len(history))
	for i, c := range history {
		s.prepare(c)
		all[i] = moment{command: c, before: s.copied()}
		counting := &storetest.Failing{}
		if err := s.try(c.step, counting); err != nil {
			s.t.Fatalf("%s: %v", c.name, err)
		}
		all[i].operations = counting.Operations()
		all[i].head, all[i].rows, all[i].files = s.at(rerateNow).Lake.State().Head, s.rows(), s.generation()
	}
	return all
}

// prepare writes what lands before a command.
func (s site) prepare(c command) {
	s.t.Helper()
	for name, text := range c.lands {
		s.write(name, text)
	}
}

// try runs a job over a store that fails.
func (s site) try(job step, f *storetest.Failing) error {
	s.t.Helper()
	m, err := s.open(job.now, wrapping(f))
	if err != nil {
		return err
	}
	return errors.Join(job.do(s.t.Context(), m), m.Release())
}

// isInjected says whether an error tells of a failure of the store, in whatever words.
func isInjected(err error) bool { return strings.Contains(err.Error(), storetest.ErrInjected.Error()) }

// wantMoment checks that what is live is what an undisturbed lake has, and that every
// live file lies there as the log says.
func (s site) wantMoment(want moment) {
	s.t.Helper()
	if got := s.generation(); !slices.Equal(got, want.files) {
		if got := s.rows(); !reflect.DeepEqual(got, want.rows) {
			s.t.Errorf("%s: rows differ from an undisturbed lake's:\n got %v\nwant %v", want.name, got, want.rows)
		}
	}
	state := s.at(rerateNow).Lake.State()
	for _, table := range lake.Tables() {
		for _, file := range state.Files(table) {
			sum, err := lake.HashFile(filepath.Join(s.dir, "lake", filepath.FromSlash(file.Path)))
			if err != nil || sum != file.SHA256 {
				s.t.Errorf("%s: live file %s has SHA-256 %s, want %s, %v", want.name, file.Path, sum, file.SHA256, err)
			}
		}
	}
}

// A storeFault is a failure of the store during a command.
type storeFault struct {
	at          int // in the list of moments
	n           int64
	after, once bool
}

func (f storeFault) failing() *storetest.Failing {
	return &storetest.Failing{N: f.n, After: f.after, Once: f.once}
}

// storeFaults are failures of every operation of every command: before it happens and
// after, of which one is for good and the other once, drawn. Where share is not 0 there
// are so many of each command, drawn.
func storeFaults(moments []moment, random *rand.Rand, share int) []storeFault {
	var all []storeFault
	for i, m := range moments {
		var of []storeFault
		for n := int64(1); n <= m.operations; n++ {
			once := random.IntN(2) == 0
			of = append(of, storeFault{i, n, false, once}, storeFault{i, n, true, !once})
		}
		random.Shuffle(len(of), func(a, b int) { of[a], of[b] = of[b], of[a] })
		if share > 0 {
			of = of[:min(len(of), share)]
		}
		all = append(all, of...)
	}
	return all
}

// shareInShort is how many failures of the store in each command `make test` tries.
const shareInShort = 5

// Whatever happens to a lake in a folder during any command: the same command, run
// again, must leave the rows of a lake that was never disturbed.
func TestFaultsOfAFolder(t *testing.T) {
	moments := newSite(t, faultWorld()).moments(faultHistory())
	wantFaultHistory(t, moments)
	seed := storetest.Seed(t)
	for i, kind := range []struct {
		name string
		try  func(*testing.T, []moment, *rand.Rand)
	}{
		{"one operation fails", oneOperationFails},
		{"one in ten", oneInTenFails},
		{"disk full", diskFull},
		{"read-only", readOnly},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			kind.try(t, moments, rand.New(rand.NewPCG(seed, uint64(i))))
		})
	}
}

// The store fails at an operation of a command, of every kind, before it happens or
// after it has happened, for good or once.
func oneOperationFails(t *testing.T, moments []moment, random *rand.Rand) {
	cases := storetest.Cases(t, "folder: one operation of any job fails")
	share := shareInShort
	if storetest.Full() {
		share = 0
	}
	for _, fault := range storeFaults(moments, random, share) {
		m := moments[fault.at]
		t.Run(fmt.Sprintf("%s/%d after=%v once=%v", m.name, fault.n, fault.after, fault.once), func(t *testing.T) {
			t.Parallel()
			s, failing := site{t, m.before.dir}.copied(), fault.failing()
			if err := s.try(m.step, failing); err != nil && !isInjected(err) {
				t.Errorf("the store failed, but the error is %v", err)
			}
			if failing.Failed() == 0 {
				return // side by side it went another way, with fewer operations
			}
			s.run([]step{m.step})
			s.wantMoment(m)
			cases.Add(1)
		})
	}
}

// wantFaultHistory checks that the history holds what the fault tests are for. By hand:
// of 15 calls read by the end, c2, v1 and c4 are taken back, and so rejected besides
// the copy of c1; f1 was rejected too, and read again when its time had come.
func wantFaultHistory(t *testing.T, moments []moment) {
	t.Helper()
	last := moments[len(moments)-1].rows
	for table, want := range map[string]int{"usage": 12, "voided": 3, "rejected": 4, "account_events": 5} {
		if got := len(last[table]); got != want {
			t.Errorf("%s has %d rows, want %d: %q", table, got, want, last[table])
		}
	}
	for i, m := range moments {
		if m.operations < 3 || i > 0 && m.head == moments[i-1].head {
			t.Errorf("%s: %d operations, and it committed nothing", m.name, m.operations)
		}
	}
}

// Every command of the history runs a few times over a store of which one operation in
// ten fails, before or after it has happened, and then over one that has come back. What
// is live then is what an undisturbed lake has; the next command goes on from there,
// with all that the failures have left behind.
func oneInTenFails(t *testing.T, moments []moment, random *rand.Rand) {
	cases := storetest.Cases(t, "folder: one operation in ten fails")
	lakes := 1
	if storetest.Full() {
		lakes = 6
	}
	for i := range lakes {
		seed := random.Uint64()
		t.Run(fmt.Sprint("lake ", i+1), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, faultWorld())
			for _, m := range moments {
				s.prepare(m.command)
				for range attemptsAtOneInTen {
					seed++
					failing := &storetest.Failing{OneIn: 10, Seed: seed}
					err := s.try(m.step, failing)
					if failing.Failed() > 0 {
						cases.Add(1)
					}
					if err == nil {
						break
					}
					if !isInjected(err) {
						t.Fatalf("%s: the store failed, but the error is %v", m.name, err)
					}
				}
				s.run([]step{m.step})
				s.wantMoment(m)
			}
		})
	}
}

// attemptsAtOneInTen is how often a command is tried before the store comes back: one
// with many operations would not get through in any number of attempts.
const attemptsAtOneInTen = 4
