package invoice

import (
	"context"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

// The session of a person goes on after Ctrl-C: a view of a stream that is gone, were it
// read then, would end the process.
func TestHistoryTablesThatAreStoppedLeaveNoStream(t *testing.T) {
	t.Parallel()
	s, err := duck.Open(t.Context(), duck.Options{Memory: "500MB", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	tables, err := newHistoryTables(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := tables.make(stopped, s); err != nil {
		t.Logf("stopped: %v", err) // or done already: either is right
	}
	var views int
	if err := s.Row(t.Context(), "SELECT count(*) FROM duckdb_views() WHERE NOT internal").Scan(&views); err != nil || views != 0 {
		t.Errorf("%d views are left, %v", views, err)
	}
}
