package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

var compactStep = step{"2026-10-09T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
	_, err := m.Compact(ctx, jobs.CompactOptions{})
	return err
}}

var voidStep = step{"2026-10-09T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
	_, err := m.Void(ctx, jobs.VoidOptions{EventID: "a-2026-10-03T12", Reason: "a test"})
	return err
}}

// A compaction and another job, whichever is committed first: both are, and the rows are
// those of the one after the other. What brings other files does not disturb a
// compaction; what replaced files that it merged lets it begin again.
func TestACompactionAndOthersAtOnce(t *testing.T) {
	t.Parallel()
	before := newSite(t, many)
	before.slots("2026-10", 3)
	commit := func(turns []turn) int { // the moment before the first commit
		return slices.IndexFunc(turns, func(o turn) bool { return o.class() == "create runs" })
	}
	landing := step{"2026-10-09T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Ingest(ctx)
		return err
	}}
	for _, c := range []struct {
		what          string
		visited, come step
		kinds         string // of the runs after the first five
	}{
		{"a compaction, by an ingest", compactStep, landing, "ingest compact"},
		{"a compaction, by a void of what it merges", compactStep, voidStep, "void compact"},
		{"a void, by a compaction of its files", voidStep, compactStep, "compact void"},
		{"an ingest, by a compaction", landing, compactStep, "compact ingest"},
	} {
		s := before.copied()
		s.write("raw/calls/landed.jsonl", `{"id":"landed","ts":"2026-10-03T13:00:00Z","org":"bob","op":"image.generate","n":1}`)
		calm := s.copied()
		calm.run([]step{c.visited, c.come})
		turns, _ := s.turns(c.visited)
		if err := s.visited(c.visited, commit(turns), func() { s.run([]step{c.come}) }); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		var kinds []string
		for _, run := range s.runs()[5:] {
			kinds = append(kinds, string(run.Kind))
		}
		if got := strings.Join(kinds, " "); got != c.kinds {
			t.Errorf("%s: runs %s, want %s", c.what, got, c.kinds)
		}
		s.wantSame(c.what, s.said(), calm.said())
		s.wantNamedFiles()
	}
}

// Whatever operation on the store fails, done or not, a compaction is there whole or not
// at all, and the next one finishes the work.
func TestACompactionOnAStoreThatFails(t *testing.T) {
	t.Parallel()
	before := newSite(t, many)
	before.slots("2026-10", 3)
	turns, calm := before.turns(compactStep)
	rows := calm.said()
	for i, o := range turns {
		if i > 0 && turns[i-1].class() == o.class() {
			continue // one of its kind
		}
		for _, after := range []bool{false, true} {
			s := before.copied()
			if err := s.try(compactStep, &storetest.Failing{N: int64(i + 1), After: after}); err != nil && !errors.Is(err, storetest.ErrInjected) {
				t.Fatal(err)
			}
			s.run([]step{compactStep})
			what := fmt.Sprintf("the store failed at %v, done: %v", o, after)
			s.wantSame(what, s.said(), rows)
			if n := s.liveFiles(lake.Usage)["2026-10-03"]; n != 1 {
				t.Errorf("%s: %d files of usage", what, n)
			}
		}
	}
}

// By hand: three logs with a call on each day of October make 93 files of rated. The
// close leaves one, by a run of its own; and three of usage a day, which are few.
func TestACloseLeavesItsPeriodCompact(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	for n := range 3 {
		var log strings.Builder
		for day := range 31 {
			fmt.Fprint(&log, call(fmt.Sprintf("n%d-%d", n, day), fmt.Sprintf("10-%02dT%02d", day+1, 12+n), 1))
		}
		s.write(fmt.Sprintf("raw/calls/many-%d.jsonl", n), log.String())
		s.ingest(fmt.Sprintf("2026-10-31T2%d:00:00Z", n))
		s.rate(fmt.Sprintf("2026-10-31T2%d:30:00Z", n))
	}
	report := s.closeWith("2026-11-01T07:00:00Z", jobs.CloseOptions{AcceptRejects: true, LeaveHeld: true})
	runs := s.runs()
	last := runs[len(runs)-1]
	if last.Kind != lake.Compact || last.Number != report.Run.Number+1 || last.Previous != report.Head || report.Run.Kind != lake.Close {
		t.Errorf("run %d of %s after the close %d", last.Number, last.Kind, report.Run.Number)
	}
	if n := s.liveFiles(lake.Rated)["2026-10"]; n != 1 || len(last.Files) != 1 {
		t.Errorf("%d files of rated, run %+v", n, last.Files)
	}
	if n := s.liveFiles(lake.Usage)["2026-10-31"]; n != 3 {
		t.Errorf("%d files of usage of a day", n)
	}
	s.wantRight("closed and compact")
}
