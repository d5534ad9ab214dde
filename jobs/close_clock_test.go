package jobs_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// A machine whose clock runs a year ahead closes nothing by itself: neither the month
// that goes on nor those that have not been. With the clock put right all goes on, and
// a clock that was given is believed.
func TestAClockAYearAheadClosesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	closeAt := func(now string, o jobs.CloseOptions) jobs.CloseReport {
		t.Helper()
		at, err := period.ParseInstant(now)
		if err != nil {
			t.Fatal(err)
		}
		setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := jobs.Open(t.Context(), setup, jobs.Options{
			Now: func() time.Time { return at }, MachineClock: true, Log: slog.New(slog.DiscardHandler), Tool: "test",
		})
		if err != nil {
			t.Fatal(err)
		}
		report, err := m.Close(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	report := closeAt("2027-11-01T07:00:00Z", jobs.CloseOptions{})
	if report.Run != nil || len(report.Blocks) != 1 || !strings.HasPrefix(report.Blocks[0].Reason, "no call of any source since 2026-10-") {
		t.Fatalf("a year ahead: run %v, blocks %+v", report.Run, report.Blocks)
	}
	if report = closeAt("2026-11-01T07:00:00Z", jobs.CloseOptions{}); report.Run == nil || report.Period != october {
		t.Fatalf("with the right clock: %+v", report)
	}
	// November had no call at all: that is for a person to say.
	if report = closeAt("2026-12-01T07:00:00Z", jobs.CloseOptions{}); report.Run != nil || len(report.Blocks) != 1 {
		t.Fatalf("an empty month: run %v, blocks %+v", report.Run, report.Blocks)
	}
	if report = closeAt("2026-12-01T07:00:00Z", jobs.CloseOptions{AcceptSilence: true}); report.Run == nil {
		t.Errorf("an empty month, accepted: blocks %+v", report.Blocks)
	}
	if report, err := s.at("2027-01-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{}); err != nil || report.Run == nil {
		t.Errorf("with --now: blocks %+v, %v", report.Blocks, err)
	}
}
