package jobs_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// A process is killed before or after each operation on the store in turn; the same
// commands, run again, must leave the rows of a lake that was never disturbed.
func TestACrashAtAnyStoreOperationLosesAndDoublesNothing(t *testing.T) {
	undisturbed := newSite(t, tiny)
	operations := int64(0)
	for _, step := range month {
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
	if operations < 30 {
		t.Fatalf("only %d store operations: the count is broken", operations)
	}
	t.Logf("%d store operations, each failed before and after", operations)
	for n := int64(1); n <= operations; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/after=%v", n, after), func(t *testing.T) {
				t.Parallel()
				crashed := newSite(t, tiny)
				crashed.run(month[crashed.runFailing(n, after):])
				if got := crashed.rows(); !reflect.DeepEqual(got, want) {
					t.Errorf("rows differ from an undisturbed lake's:\n got %v\nwant %v", got, want)
				}
			})
		}
	}
}

func wrapping(f *storetest.Failing) func(lake.Store) lake.Store {
	return func(s lake.Store) lake.Store {
		f.Store = s
		return f
	}
}

// runFailing runs the month until the store has failed at its nth operation, and
// returns the step to go on with: the one that failed.
func (s site) runFailing(n int64, after bool) int {
	s.t.Helper()
	done := int64(0)
	for i, step := range month {
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
