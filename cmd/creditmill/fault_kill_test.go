package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/fixtures/load"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// kills is how often each command is killed before it may finish.
func kills() int {
	if storetest.Full() {
		return 10
	}
	return killsPerStep
}

// soon is a moment at which a command that usually takes so long is still at work.
func soon(usual time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(usual)*3/4 + 1)) }

// twins are two folders with the same world: one for commands that nobody disturbs.
func twins(t *testing.T, options load.Options) (calm, disturbed string) {
	t.Helper()
	calm, disturbed = filepath.Join(t.TempDir(), "calm"), filepath.Join(t.TempDir(), "disturbed")
	for _, dir := range []string{calm, disturbed} {
		if _, err := load.Write(t.Context(), dir, options); err != nil {
			t.Fatal(err)
		}
	}
	return calm, disturbed
}

// must runs a command of a folder to its end and returns how long it took.
func must(t *testing.T, dir string, args ...string) time.Duration {
	t.Helper()
	began := time.Now()
	if out, err := exec.Command("creditmill", in(dir, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("creditmill %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return time.Since(began)
}

// in is a command line for the configuration of a folder.
func in(dir string, args ...string) []string {
	return append(args, "--config", filepath.Join(dir, defaultConfig))
}

// The commands that bill a month of 30,000 calls, take calls back and re-rate are killed
// (SIGKILL) again and again before each may finish.
func TestFaultKillWhileBilling(t *testing.T) {
	t.Parallel()
	cases := storetest.Cases(t, "kill -9: void, close and rerate of a busy month")
	calm, killed := twins(t, load.Options{Calls: 30_000, Accounts: 300})
	for _, dir := range []string{calm, killed} {
		must(t, dir, "ingest", "--now", "2026-10-31T12:00:00Z")
		must(t, dir, "rate", "--now", "2026-10-31T12:00:00Z")
	}
	first := func(statement string) []string {
		_, row, _ := strings.Cut(call(t, in(calm, "query", "--format", "csv", statement)...), "\n")
		return strings.Split(strings.TrimSpace(row), ",")
	}
	object := first("SELECT min(object) FROM usage")[0]
	event := first("SELECT event_id, account, source FROM rated WHERE credits > 100 AND object <> '" + object + "' ORDER BY ALL LIMIT 1")
	for _, args := range [][]string{
		{"void", "--object", object, "--reason", "a test", "--now", "2026-10-31T13:00:00Z"},
		{"apply", "--now", "2026-10-31T14:00:00Z"},
		{"close", "--period", "2026-10", "--accept-rejects", "--leave-held", "--now", "2026-11-01T07:00:00Z"},
		{"void", "--event", event[0], "--account", event[1], "--source", event[2], "--reason", "a test", "--now", "2026-11-02T07:00:00Z"},
		{"rerate", "--from", "2026-10", "--commit", "--reason", "a test", "--now", "2026-11-02T08:00:00Z"},
	} {
		usual := must(t, calm, args...)
		for range kills() {
			cases.Add(int64(runAndKill(t, in(killed, args...), soon(usual))))
		}
		must(t, killed, args...)
	}
	compareTables(t, killed, calm)
	if out := call(t, in(killed, "verify", "--now", "2026-11-03T08:00:00Z")...); !strings.Contains(out, "Everything is as it should be") {
		t.Errorf("verify says\n%s", out)
	}
	wantEmptyScratch(t, killed)
}

// wantEmptyScratch checks that a folder's scratch holds nothing of any process.
func wantEmptyScratch(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, "lake", ".scratch", "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in scratch: %q, %v", left, err)
	}
}

// The daemon is killed again and again while it catches up; what it has left is finished
// by commands, and everything but the instants of the clock is as theirs alone.
func TestFaultKillTheDaemon(t *testing.T) {
	t.Parallel()
	cases := storetest.Cases(t, "kill -9: the daemon while it catches up")
	calm, killed := filepath.Join(t.TempDir(), "calm"), filepath.Join(t.TempDir(), "killed")
	call(t, "init", calm)
	config := filepath.Join(calm, defaultConfig)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.Replace(text, []byte("grace: 6h"), []byte("grace: 0h"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(killed, os.DirFS(calm)); err != nil {
		t.Fatal(err)
	}
	commands := [][]string{{"ingest"}, {"rate"}, {"apply"}, {"close", "--accept-silence"}, {"apply"}}
	var usual time.Duration
	for _, args := range commands {
		usual += must(t, calm, args...)
	}
	for range kills() {
		cases.Add(int64(runAndKill(t, in(killed, "schedule"), soon(usual))))
	}
	// A close it was killed in may stand at its cut, where there is no burning down the
	// month any more: the close comes first.
	for _, args := range [][]string{{"ingest"}, {"rate"}, {"close", "--accept-silence"}, {"apply"}} {
		must(t, killed, args...)
	}
	clocks := map[string]string{"invoices": "issued_at, due_at", "objects": "run", "periods": "cut_run, close_run"}
	compareTablesBut(t, killed, calm, clocks)
	wantEmptyScratch(t, killed)
}
