package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// A visited store lets another process do its work just before the nth operation of
// the one that uses it, counted from 1.
type visited struct {
	lake.Store
	n          int64 // 0: never
	visit      func()
	operations atomic.Int64
}

func (v *visited) turn() {
	if v.operations.Add(1) == v.n {
		v.visit()
	}
}

func (v *visited) List(ctx context.Context, prefix string) iter.Seq2[lake.Object, error] {
	v.turn()
	return v.Store.List(ctx, prefix)
}

func (v *visited) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	v.turn()
	return v.Store.Open(ctx, key)
}

func (v *visited) Upload(ctx context.Context, key, file string) error {
	v.turn()
	return v.Store.Upload(ctx, key, file)
}

func (v *visited) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	v.turn()
	return v.Store.CreateIfAbsent(ctx, key, data)
}

// closeVisited closes October at a site while, before the nth operation on the store, a
// visit takes place. It returns how many operations there were.
func (s site) closeVisited(n int64, visit func()) (jobs.CloseReport, int64) {
	s.t.Helper()
	v := &visited{n: n, visit: visit}
	m, err := s.open(month[3].now, func(store lake.Store) lake.Store {
		v.Store = store
		return v
	})
	if err != nil {
		s.t.Fatal(err)
	}
	report, err := m.Close(s.t.Context(), jobs.CloseOptions{Period: october})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(report.Blocks) > 0 {
		s.t.Fatalf("blocked: %+v", report.Blocks)
	}
	return report, v.operations.Load()
}

// The tables that a close writes for good, and October's calls.
var billed = []string{"rated", "burns", "ledger", "balances", "alerts", "invoices", "invoice_lines", "statements", "revenue"}

// files are October's live files by what they hold: the same rows give the same bytes.
func (s site) files() []string {
	s.t.Helper()
	var files []string
	state := s.at("2026-12-01T00:00:00Z").Lake.State()
	for _, table := range lake.Tables() {
		for _, f := range state.Partition(table, october.String()) {
			if slices.Contains(billed, f.Table) {
				files = append(files, fmt.Sprintf("%s %d %s", f.Table, f.Rows, f.SHA256))
			}
		}
	}
	slices.Sort(files)
	return files
}

// wantOneClose checks that the log has one cut and one close, and nothing of October
// in between but what ingest and rate may commit.
func (s site) wantOneClose() (cut int64) {
	s.t.Helper()
	kinds := map[lake.Kind]int{}
	for _, run := range s.runs() {
		kinds[run.Kind]++
		if run.Kind == lake.Cut {
			cut = run.Number
		}
	}
	if kinds[lake.Cut] != 1 || kinds[lake.Close] != 1 {
		s.t.Fatalf("runs by kind %v, want one cut and one close", kinds)
	}
	return cut
}

// Another process closes the month, from its first step to its last, at any moment of a
// close: there is one cut, one close, and one set of invoices.
func TestAnotherProcessClosesAtAnyMomentOfAClose(t *testing.T) {
	before := newSite(t, tiny)
	before.run(month[:2])
	calm := before.copied()
	_, operations := calm.closeVisited(0, nil)
	want := calm.files()
	if operations < 15 || len(want) < 8 {
		t.Fatalf("only %d store operations, files %q", operations, want)
	}
	t.Logf("%d store operations, another close before each", operations)
	for n := range operations {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Parallel()
			s := site{t, before.dir}.copied()
			report, _ := s.closeVisited(n+1, func() {
				other, err := s.at(month[3].now).Close(t.Context(), jobs.CloseOptions{Period: october})
				if err != nil || other.Run == nil && other.Already == nil {
					t.Errorf("the other close: %+v, %v", other, err)
				}
			})
			if report.Run == nil && report.Already == nil {
				t.Errorf("the close neither closed nor says who did: %+v", report)
			}
			s.wantOneClose()
			if got := s.files(); !slices.Equal(got, want) {
				t.Errorf("files\n%q\nwant\n%q", got, want)
			}
		})
	}
}

// Late calls and calls of the next month land at any moment of a close, and ingest, rate
// and apply commit them. What was ingested before the cut is billed by this close, and
// nothing else is; calls are never left unrated on the wrong side of it.
func TestIngestAndRateAtAnyMomentOfAClose(t *testing.T) {
	before := newSite(t, tiny)
	before.run(month[:1])
	land := func(s site) {
		s.write("raw/calls/late.jsonl", `{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
		s.write("raw/calls/next.jsonl", `{"id":"n1","ts":"2026-11-01T06:30:00Z","org":"ada","op":"image.generate","n":1}`)
	}
	with := before.copied()
	land(with)
	with.closeVisited(0, nil)
	without := before.copied()
	_, operations := without.closeVisited(0, nil)
	wants := map[bool][]string{true: with.files(), false: without.files()}
	var inTime, late atomic.Int64
	t.Run("visits", func(t *testing.T) {
		for n := range operations {
			t.Run(fmt.Sprint(n+1), func(t *testing.T) {
				t.Parallel()
				s := site{t, before.dir}.copied()
				s.closeVisited(n+1, func() {
					land(s)
					m := s.at(month[3].now)
					_, err := m.Ingest(t.Context())
					if n%3 > 0 {
						_, rateErr := m.Rate(t.Context())
						err = errors.Join(err, rateErr)
					}
					if _, cut := m.Lake.State().Open(october); n%3 > 1 && !cut {
						_, applyErr := m.Apply(t.Context())
						err = errors.Join(err, applyErr)
					}
					if err != nil {
						t.Error(err)
					}
				})
				s.run(month[1:2])
				cut := s.wantOneClose()
				m := s.at("2026-12-01T00:00:00Z")
				belongs := slices.ContainsFunc(m.Lake.State().Files(lake.Usage), func(f lake.File) bool { return f.Partition == "2026-10-30" && f.Origin() < cut })
				if belongs {
					inTime.Add(1)
				} else {
					late.Add(1)
				}
				if got := s.files(); !slices.Equal(got, wants[belongs]) {
					t.Errorf("in time %v: files\n%q\nwant\n%q", belongs, got, wants[belongs])
				}
				wantRows(t, "the late call and that of November", s.ask(`SELECT concat_ws(' ', event_id, period, late) FROM rated WHERE event_id IN ('l1', 'n1') ORDER BY event_id`),
					fmt.Sprintf("l1 %s %v", map[bool]string{true: "2026-10", false: "2026-11"}[belongs], !belongs), "n1 2026-11 false")
			})
		}
	})
	t.Logf("%d visits: %d before the cut, %d after it", operations, inTime.Load(), late.Load())
	if inTime.Load() == 0 || late.Load() == 0 {
		t.Error("the visits all came on one side of the cut")
	}
}

// A compaction of the very files that a close reads and replaces, at any moment of it:
// the close goes on, and what it bills is what it would have billed.
func TestACompactionAtAnyMomentOfAClose(t *testing.T) {
	before := newSite(t, tiny)
	// An apply holds the subscription, for nobody has opened the account; the close, which knows better, writes the account events anew.
	before.write("raw/accounts/one.jsonl", `{"id":"n1","type":"subscription.cancelled","account":"late","at":"2026-10-03T00:00:00Z"}`)
	before.run(month[:3])
	before.write("raw/accounts/two.jsonl", `{"id":"n2","type":"account.opened","account":"late","at":"2026-10-02T00:00:00Z"}`)
	before.run(month[:2])
	wantRows(t, "held", before.ask(`SELECT event_id FROM account_events WHERE held IS NOT NULL`), "n1")
	bills := func(s site) []string {
		return slices.DeleteFunc(s.files(), func(f string) bool { return strings.HasPrefix(f, "rated ") }) // which it may have merged
	}
	calm := before.copied()
	_, operations := calm.closeVisited(0, nil)
	want := bills(calm)
	var compacted atomic.Int64
	t.Run("visits", func(t *testing.T) {
		for n := rand.Int64N(3); n < operations; n += 3 {
			t.Run(fmt.Sprint(n+1), func(t *testing.T) {
				t.Parallel()
				s := site{t, before.dir}.copied()
				report, _ := s.closeVisited(n+1, func() {
					report, err := s.at(month[3].now).Compact(t.Context(), jobs.CompactOptions{Least: 2})
					if err != nil {
						t.Error(err)
					}
					if slices.ContainsFunc(report.Partitions, func(c jobs.Compacted) bool { return c.Table == lake.AccountEvents.Name }) {
						compacted.Add(1)
					}
				})
				if report.Run == nil {
					t.Errorf("not closed: %+v", report)
				}
				s.wantOneClose()
				if got := bills(s); !slices.Equal(got, want) {
					t.Errorf("files\n%q\nwant\n%q", got, want)
				}
			})
		}
	})
	if compacted.Load() == 0 {
		t.Error("no compaction merged account events")
	}
}
