package jobs_test

import (
	"flag"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

var compactSeed = flag.Int("compact.seed", 4, "seed of TestARandomHistoryCompacted")

// A random history whose lake is compacted after every close and re-rate says what the
// same lake says that never was.
func TestARandomHistoryCompacted(t *testing.T) {
	t.Parallel()
	h := drawHistory(*compactSeed)
	plain, small := h.tell(t, never), h.tell(t, never)
	both := func(stage int, do func(l *told)) {
		t.Helper()
		do(plain)
		do(small)
		if _, err := small.at(small.clock(stage, 72*time.Hour)).Compact(t.Context(), jobs.CompactOptions{Least: 2}); err != nil {
			t.Fatal(err)
		}
	}
	for index := range h.closed {
		both(index, func(l *told) { l.learn(index); l.close(index) })
		if index == 1 {
			both(index, func(l *told) { l.rerateFrom(0, index, true) })
		}
	}
	both(h.closed, func(l *told) { l.learn(h.closed) })
	both(h.last(), func(l *told) { l.learn(h.last()); l.rerateFrom(0, h.last(), true) })
	small.wantSame("compacted", small.said(), plain.said())
	small.wantRight("compacted")
	if files, all := small.liveFiles(), plain.liveFiles(); files >= all {
		t.Errorf("%d files, and without compactions %d", files, all)
	}
}

// liveFiles is how many files are live, of all tables.
func (l *told) liveFiles() (n int) {
	state := l.at(l.clock(l.last(), 96*time.Hour)).Lake.State()
	for _, table := range lake.Tables() {
		n += len(state.Files(table))
	}
	return n
}
