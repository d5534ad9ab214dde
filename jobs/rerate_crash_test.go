package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// rerateNow is when the tests of committed re-rates re-rate.
const rerateNow = "2026-12-03T00:00:00Z"

// twoMonths is a lake with two closed months of which a re-rate has everything to
// correct: a price that was wrong, late calls, a late account event, a call voided
// after its close, and calls that the closes left held, of which one is priced now. All of
// December's usage is rated.
func twoMonths(t *testing.T) site {
	t.Helper()
	world := maps.Clone(tiny)
	world["raw/calls/3.jsonl"] = `
{"id":"h1","ts":"2026-10-12T10:00:00Z","org":"ada","op":"image.resize","n":1}
{"id":"h2","ts":"2026-10-13T10:00:00Z","org":"ada","op":"image.unknown","n":1}
`
	s := newSite(t, world)
	closing := func(ctx context.Context, m *jobs.Mill) error {
		report, err := m.Close(ctx, jobs.CloseOptions{LeaveHeld: true})
		if err == nil && report.Run == nil {
			err = fmt.Errorf("not closed: %+v", report.Blocks)
		}
		return err
	}
	s.run([]step{{"2026-10-25T00:00:00Z", month[0].do}, {"2026-11-01T07:00:00Z", closing}})
	s.write("raw/calls/4.jsonl", `
{"id":"n1","ts":"2026-11-05T10:00:00Z","org":"ada","op":"image.generate","n":2}
{"id":"n2","ts":"2026-11-06T10:00:00Z","org":"bob","op":"image.generate","n":1}
`)
	s.run([]step{{"2026-12-01T07:00:00Z", closing}})
	s.write("prices/api-2.yaml", strings.NewReplacer("version: 1", "version: 2", "credits: 2", "credits: 3").Replace(tiny["prices/api.yaml"])+
		"  - operation: image.resize\n    charge: {credits: 1}\n")
	s.write("raw/calls/5.jsonl", `
{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"l2","ts":"2026-11-07T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"d1","ts":"2026-12-01T12:00:00Z","org":"ada","op":"image.generate","n":1}
`)
	s.write("raw/accounts/late.jsonl", `{"id":"b3","type":"pack.purchased","account":"bob","at":"2026-10-10T00:00:00Z","pack":"starter"}`+"\n")
	s.run([]step{
		{"2026-12-02T00:00:00Z", month[0].do},
		{"2026-12-02T00:01:00Z", month[1].do},
		{"2026-12-02T00:02:00Z", month[2].do},
		{"2026-12-02T00:03:00Z", func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.Void(ctx, jobs.VoidOptions{EventID: "c4", Reason: "a test"})
			return err
		}},
	})
	return s
}

// commitRerate re-rates everything and commits.
func commitRerate(ctx context.Context, m *jobs.Mill) (jobs.RerateReport, error) {
	return m.Rerate(ctx, jobs.RerateOptions{From: october, Commit: true, Reason: "a test"}, lookAway)
}

func lookAway(context.Context, jobs.RerateReport, *duck.Session) error { return nil }

// A generation is what is live, table by table: the same rows give the same bytes.
func (s site) generation() []string {
	s.t.Helper()
	var files []string
	state := s.at(rerateNow).Lake.State()
	for _, table := range lake.Tables() {
		for _, f := range state.Files(table) {
			files = append(files, fmt.Sprintf("%s %s %d %s", f.Table, f.Partition, f.Rows, f.SHA256))
		}
	}
	slices.Sort(files)
	return files
}

// wantNamedFiles checks that every file that any run names lies in the lake as the
// run wrote it.
func (s site) wantNamedFiles() {
	s.t.Helper()
	for _, run := range s.runs() {
		for _, file := range run.Files {
			sum, err := lake.HashFile(filepath.Join(s.dir, "lake", filepath.FromSlash(file.Path)))
			if err != nil || sum != file.SHA256 {
				s.t.Errorf("file %s of run %d: SHA-256 %s, want %s, %v", file.Path, run.Number, sum, file.SHA256, err)
			}
		}
	}
}

// A turn is an operation on a store.
type turn struct{ operation, key string }

// class is what is told apart in a row of operations: what is done in which folder.
func (o turn) class() string {
	folder, _, _ := strings.Cut(o.key, "/")
	return o.operation + " " + folder
}

// A watched store says what it is about to do. Operations are counted from 0, those
// that storetest.Failing counts.
type watched struct {
	lake.Store
	before func(n int, o turn)

	mu sync.Mutex
	n  int
}

func (w *watched) turn(operation, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before(w.n, turn{operation, key})
	w.n++
}

func (w *watched) List(ctx context.Context, prefix string) iter.Seq2[lake.Object, error] {
	w.turn("list", prefix)
	return w.Store.List(ctx, prefix)
}

func (w *watched) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	w.turn("open", key)
	return w.Store.Open(ctx, key)
}

func (w *watched) Fetch(ctx context.Context, key string) (string, error) {
	w.turn("fetch", key)
	return w.Store.Fetch(ctx, key)
}

func (w *watched) Upload(ctx context.Context, key, file string) error {
	w.turn("upload", key)
	return w.Store.Upload(ctx, key, file)
}

func (w *watched) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	w.turn("create", key)
	return w.Store.CreateIfAbsent(ctx, key, data)
}

func (w *watched) Copy(ctx context.Context, key string, from lake.Place) (bool, error) {
	w.turn("copy", key)
	return w.Store.Copy(ctx, key, from)
}

func (w *watched) Delete(ctx context.Context, key string) error {
	w.turn("delete", key)
	return w.Store.Delete(ctx, key)
}

func watching(before func(int, turn)) func(lake.Store) lake.Store {
	return func(s lake.Store) lake.Store { return &watched{Store: s, before: before} }
}

// turns are the operations of a job on a copy of the site, which is returned too.
func (s site) turns(job step) (turns []turn, done site) {
	s.t.Helper()
	done = s.copied()
	m, err := done.open(job.now, watching(func(_ int, o turn) { turns = append(turns, o) }))
	if err == nil {
		err = job.do(s.t.Context(), m)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return turns, done
}

// rerateStep is a committed re-rate of everything.
var rerateStep = step{rerateNow, func(ctx context.Context, m *jobs.Mill) error {
	report, err := commitRerate(ctx, m)
	if err == nil && len(report.Blocks) > 0 {
		err = fmt.Errorf("blocked: %+v", report.Blocks)
	}
	return err
}}

// By hand, at 3 credits an image and 1 for h1, which had no price. October: ada's
// calls cost 12, 9, 1 and 3, of which her allowance pays 10; 15 are overage at 0.50, and
// 2.00 were charged. bob's one cost 3 when c4 is taken back, of two packs of 5;
// one for 4.00 was charged. November: ada's 6 are in her allowance, bob's 3 and 3
// in what the packs left. So ada owes 5.50 more for October, bob 4.00.
func TestACommittedRerate(t *testing.T) {
	before := twoMonths(t)
	turns, calm := before.turns(rerateStep)
	wantRows(t, "notes", calm.ask(`SELECT concat_ws(' ', number, account, total, corrects, corrects_period, period) FROM invoices WHERE kind <> 'invoice' ORDER BY number`),
		"DN-2026-000001 ada 5.5000 INV-2026-000001 2026-10 2026-12", "DN-2026-000002 bob 4.0000 INV-2026-000002 2026-10 2026-12")
	wantRows(t, "rated", calm.ask(`SELECT concat_ws(' ', period, event_id, account, credits, late, held) FROM rated ORDER BY period, event_id`),
		"2026-10 c1 ada 12.000000 false", "2026-10 c2 ada 9.000000 false", "2026-10 c3 bob 3.000000 false", "2026-10 c5 bob 0.000000 false",
		"2026-10 h1 ada 1.000000 false", "2026-10 l1 ada 3.000000 false", "2026-11 l2 bob 3.000000 false", "2026-11 n1 ada 6.000000 false",
		"2026-11 n2 bob 3.000000 false", "2026-12 d1 ada 3.000000 false", "2026-12 h2 ada 0.000000 true no_rule")
	wantRows(t, "balances", calm.ask(`SELECT concat_ws(' ', period, account, sum(burned), sum(expired), sum(remaining)) FROM balances WHERE period < '2026-12' GROUP BY period, account ORDER BY ALL`),
		"2026-10 ada 10.000000 0.000000 0.000000", "2026-10 bob 3.000000 0.000000 7.000000",
		"2026-11 ada 6.000000 4.000000 0.000000", "2026-11 bob 6.000000 0.000000 1.000000")
	wantRows(t, "live tables", []string{strings.Join(changedBy(calm.at(rerateNow).Lake.State()), " ")},
		"account_events balances burns invoice_lines invoices ledger objects rated rejected revenue statements usage voided")

	t.Run("two at once", func(t *testing.T) {
		t.Parallel()
		site{t, before.dir}.copied().atOnce(calm.generation())
	})
	t.Run("crash at any store operation", func(t *testing.T) {
		t.Parallel()
		crashRerate(site{t, before.dir}, site{t, calm.dir}, turns)
	})
	t.Run("readers", func(t *testing.T) {
		t.Parallel()
		readDuringRerate(site{t, before.dir}, site{t, calm.dir}, turns)
	})
	t.Run("another re-rate", func(t *testing.T) {
		t.Parallel()
		rerateDuringRerate(site{t, before.dir}, site{t, calm.dir}, turns)
	})
	t.Run("ingest and rate", func(t *testing.T) {
		t.Parallel()
		landDuringRerate(site{t, before.dir}, turns)
	})
	t.Run("a close", func(t *testing.T) {
		t.Parallel()
		closeDuringRerate(site{t, before.dir})
	})
}

// changedBy are the tables that the newest run has changed.
func changedBy(state *lake.State) []string {
	changed := map[string]bool{}
	run := state.Since(state.Head - 1)[0]
	for _, file := range run.Files {
		changed[file.Table] = true
	}
	for _, path := range run.Replaced {
		changed[strings.Split(path, "/")[1]] = true
	}
	return slices.Sorted(maps.Keys(changed))
}

// lanes is how many lakes are crashed side by side.
const lanes = 2

// alike is how many uploads or fetches in a row are taken for alike: the first of each
// so many is tried, and the last of all.
const alike = 5

// A crashAt is a store's failure at its nth operation, from 1.
type crashAt struct {
	n     int
	after bool
}

// crashes are the failures to try of a job's operations: before the first of each row
// of one class, for before another is after the one before, and after each.
func crashes(turns []turn) (all []crashAt) {
	row := 0
	for i, o := range turns {
		if i == 0 || o.class() != turns[i-1].class() {
			row = 0
			all = append(all, crashAt{i + 1, false})
		}
		last := i+1 == len(turns) || o.class() != turns[i+1].class()
		if last || o.operation != "upload" && o.operation != "fetch" || row%alike == 0 {
			all = append(all, crashAt{i + 1, true})
		}
		row++
	}
	return all
}

// crashRerate kills a re-rate before and after its operations on the store: what is
// live is the old generation or the new one to the last byte, every file that a run
// names is there, and the next re-rate goes on from whatever the crashes before have left.
func crashRerate(before, calm site, turns []turn) {
	t := before.t
	old, rerated, want := before.generation(), calm.generation(), calm.rows()
	all := crashes(turns)
	if len(turns) < 30 || len(all) < 20 || slices.Equal(old, rerated) {
		t.Fatalf("only %d store operations, or nothing re-rated", len(turns))
	}
	t.Logf("%d store operations, %d crashes", len(turns), len(all))
	for lane := range lanes {
		t.Run(fmt.Sprint("lane ", lane+1), func(t *testing.T) {
			t.Parallel()
			s := site{t, before.dir}.copied()
			committed := 0
			for i := lane; i < len(all); i += lanes {
				c := all[i]
				m, err := s.open(rerateNow, wrapping(&storetest.Failing{N: int64(c.n), After: c.after}))
				if err == nil {
					err = rerateStep.do(t.Context(), m)
				}
				if err != nil && !errors.Is(err, storetest.ErrInjected) {
					t.Fatalf("%+v: the store failed, but the error is %v", c, err)
				}
				s.wantNamedFiles()
				switch got := s.generation(); {
				case slices.Equal(got, old):
				case slices.Equal(got, rerated):
					if committed++; committed == 1 {
						s.wantNothingLeft(want)
					}
					s = site{t, before.dir}.copied()
				default:
					t.Fatalf("%+v: live files\n%q\nare neither the old\n%q\nnor the new\n%q", c, got, old, rerated)
				}
			}
			if committed == 0 {
				t.Error("no crash came after the commit")
			}
			s.run([]step{rerateStep})
			if got := s.generation(); !slices.Equal(got, rerated) {
				t.Errorf("live files\n%q\nwant\n%q", got, rerated)
			}
		})
	}
}

// wantNothingLeft checks that a re-rate has nothing more to say, and the rows.
func (s site) wantNothingLeft(want map[string][]string) {
	s.t.Helper()
	if report, err := commitRerate(s.t.Context(), s.at(rerateNow)); err != nil || report.Run != nil {
		s.t.Errorf("another re-rate: run %+v, %v", report.Run, err)
	}
	if got := s.rows(); !reflect.DeepEqual(got, want) {
		s.t.Errorf("rows\n%v\nwant\n%v", got, want)
	}
}
