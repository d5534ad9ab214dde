package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// A process is killed before or after each operation on the store in turn; the same
// commands, run again, must leave the rows of a lake that was never disturbed.
func TestACrashAtAnyStoreOperationLosesAndDoublesNothing(t *testing.T) {
	crash(t, newSite(t, tiny), month, 30)
}

// The same of a reading again, when the time of a call has come that lay in the future
// at first, and of a void.
func TestACrashOfAReadingAgainAndAVoid(t *testing.T) {
	world := maps.Clone(tiny)
	world["raw/calls/3.jsonl"] = `{"id":"f1","ts":"2026-10-26T10:00:00Z","org":"ada","op":"image.generate","n":1}`
	s := newSite(t, world)
	s.run(month[:2])
	want := crash(t, s, []step{
		{"2026-10-27T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.IngestAgain(ctx, "gateway")
			return err
		}},
		{"2026-10-27T00:01:00Z", func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.Void(ctx, jobs.VoidOptions{EventID: "c2", Reason: "a test"})
			return err
		}},
	}, 20)
	if len(want["voided"]) != 1 || len(want["rejected"]) != 2 || len(want["usage"]) != 5 {
		t.Errorf("voided %q, rejected %q, usage %q", want["voided"], want["rejected"], want["usage"])
	}
}

// crash runs steps on copies of a site, a failure in each, and returns the rows that
// all of them must have. There must be at least that many operations.
func crash(t *testing.T, before site, steps []step, least int64) map[string][]string {
	t.Helper()
	undisturbed := before.copied()
	operations := int64(0)
	for _, step := range steps {
		counting := &storetest.Failing{}
		m, err := undisturbed.open(step.now, wrapping(counting))
		if err == nil {
			err = step.do(t.Context(), m)
		}
		if err != nil {
			t.Fatal(err)
		}
		operations += counting.Operations()
	}
	want := undisturbed.rows()
	if operations < least {
		t.Fatalf("only %d store operations: the count is broken", operations)
	}
	t.Logf("%d store operations, each failed before and after", operations)
	for n := int64(1); n <= operations; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/after=%v", n, after), func(t *testing.T) {
				t.Parallel()
				crashed := site{t, before.dir}.copied()
				crashed.run(steps[crashed.runFailing(steps, n, after):])
				if got := crashed.rows(); !reflect.DeepEqual(got, want) {
					t.Errorf("rows differ from an undisturbed lake's:\n got %v\nwant %v", got, want)
				}
			})
		}
	}
	return want
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

// runFailing runs the steps until the store has failed at its nth operation, and
// returns the step to go on with: the one that failed.
func (s site) runFailing(steps []step, n int64, after bool) int {
	s.t.Helper()
	done := int64(0)
	for i, step := range steps {
		failing := &storetest.Failing{N: n - done, After: after}
		m, err := s.open(step.now, wrapping(failing))
		if err == nil {
			err = step.do(s.t.Context(), m)
		}
		if done += failing.Operations(); done >= n {
			if err != nil && !errors.Is(err, storetest.ErrInjected) {
				s.t.Fatalf("the store failed, but the error is %v", err)
			}
			return i
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	s.t.Fatalf("operation %d was never reached", n)
	return 0
}
