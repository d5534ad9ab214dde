package jobs_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/jobs"
)

// rebuild makes a site's lake anew in a folder of its own.
func (s site) rebuild() jobs.VerifyReport {
	s.t.Helper()
	setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	now := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC) // what the machine says does not matter
	report, err := jobs.Rebuild(s.t.Context(), setup, jobs.Options{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Tool: "test"},
		filepath.Join(s.t.TempDir(), "anew"))
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

func (s site) wantRebuilt() jobs.VerifyReport {
	s.t.Helper()
	report := s.rebuild()
	for _, c := range report.Checks {
		if len(c.Faults) > 0 || c.Skipped != "" {
			s.t.Errorf("rebuilt: %s: skipped %q, faults %+v", c.What, c.Skipped, c.Faults)
		}
	}
	return report
}

// Given the same raw objects, configuration and runs, a lake rebuilt elsewhere has the
// same rows in every table (SPEC section 9).
func TestALakeRebuiltElsewhereHasTheSameRows(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	report := s.wantRebuilt()
	if n := report.Checks[1].Count; n != 5 {
		t.Errorf("%d runs made anew, want 5", n)
	}
	troubled(t).wantRebuilt()
}

// An object that grew was read twice, and both contents are its first bytes; one that
// changed otherwise, or is gone, is named.
func TestARebuildNamesLogsThatAreGone(t *testing.T) {
	t.Parallel()
	s := troubled(t)
	grown := filepath.Join(s.dir, "raw", "calls", "2.jsonl")
	content, err := os.ReadFile(grown)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ content, want string }{
		{string(content) + "\n{}\n", ""},
		{strings.Replace(string(content), `"n":3`, `"n":4`, 1), "object calls/2.jsonl of source gateway: was changed since: it is sha256:"},
		{strings.Replace(string(content), `"n":3`, `"n":33`, 1), "was changed since, and not only by growing; run 1 read "},
		{"", "calls/2.jsonl of source gateway: was changed since: it has 0 bytes now; run 5 read "},
		{"gone", "calls/2.jsonl of source gateway: is gone; run 1 read "},
	} {
		if err := os.WriteFile(grown, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.content == "gone" {
			if err := os.Remove(grown); err != nil {
				t.Fatal(err)
			}
		}
		report := s.rebuild()
		if found := faultsOf(report); !strings.Contains(found, c.want) || c.want == "" && found != "" {
			t.Errorf("with calls/2.jsonl as %q: %s, want %q", c.content, found, c.want)
		}
	}
}

func TestARebuildDiffersWhereTheLakeWasNotMadeOfItsLogs(t *testing.T) {
	t.Parallel()
	s := troubled(t)
	other := newSite(t, map[string]string{})
	if err := os.CopyFS(other.dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	// The same bytes at another place: rows name the object that they stand in.
	if err := os.Rename(filepath.Join(other.dir, "raw", "calls", "late.jsonl"), filepath.Join(other.dir, "raw", "calls", "moved.jsonl")); err != nil {
		t.Fatal(err)
	}
	if found := faultsOf(other.rebuild()); !strings.Contains(found, "object calls/late.jsonl of source gateway: is gone") {
		t.Error(found)
	}
}
