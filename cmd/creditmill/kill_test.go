package main

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/fixtures/load"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
)

// killsPerStep is how often each step is killed before it may finish.
const killsPerStep = 4

// Any command killed at any moment and run again gives the same rows in every
// table as one that nobody disturbed.
func TestKilledCommandsFinishWhenRunAgain(t *testing.T) {
	t.Parallel()
	cases := storetest.Cases(t, "kill -9: each step of a demo")
	world, err := fixtures.Open("vision")
	if err != nil {
		t.Fatal(err)
	}
	script, err := readDemoScript(world)
	if err != nil {
		t.Fatal(err)
	}
	calm, killed := filepath.Join(t.TempDir(), "calm"), filepath.Join(t.TempDir(), "killed")
	for _, dir := range []string{calm, killed} {
		if err := makeDemoFolder(dir, world); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range script.Steps {
		args := func(dir string) []string {
			list := []string{step.Command, "--config", filepath.Join(dir, defaultConfig), "--now", period.FormatInstant(step.Now)}
			if !step.Period.IsZero() {
				list = append(list, "--period", step.Period.String())
			}
			return list
		}
		began := time.Now()
		if out, err := exec.Command("creditmill", args(calm)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", step.Command, err, out)
		}
		usual := time.Since(began)
		for range kills() {
			cases.Add(int64(runAndKill(t, args(killed), soon(usual))))
		}
		if out, err := exec.Command("creditmill", args(killed)...).CombinedOutput(); err != nil {
			t.Fatalf("%s after %d kills: %v\n%s", step.Command, cases.Load(), err, out)
		}
	}
	compareTables(t, killed, calm)
	readEveryTable(t, filepath.Join(killed, defaultConfig))
}

// compareTables compares every row of every table of two lakes.
func compareTables(t *testing.T, got, want string) {
	t.Helper()
	compareTablesBut(t, got, want, nil)
}

// compareTablesBut leaves columns of tables out.
func compareTablesBut(t *testing.T, got, want string, columns map[string]string) {
	t.Helper()
	for _, table := range lake.Tables() {
		all := "*"
		if left := columns[table.Name]; left != "" {
			all = "* EXCLUDE (" + left + ")"
		}
		rows := func(dir string) string {
			return call(t, "query", "--config", filepath.Join(dir, defaultConfig), "--format", "csv", "SELECT "+all+" FROM "+table.Name+" ORDER BY ALL")
		}
		if got, want := rows(got), rows(want); got != want {
			t.Errorf("table %s: %d bytes of rows differ from the %d wanted", table.Name, len(got), len(want))
		}
	}
}

// An ingest of a thousand objects, killed again and again until one finishes: the
// tables are those of one that nobody disturbed, and nothing is left in scratch.
func TestKilledIngestOfAThousandObjects(t *testing.T) {
	t.Parallel()
	cases := storetest.Cases(t, "kill -9: an ingest of a thousand objects")
	calm, killed := twins(t, load.Options{Calls: 31_000, Accounts: 300, ObjectLines: 30})
	args := func(dir string) []string {
		return []string{"ingest", "--config", filepath.Join(dir, defaultConfig), "--now", "2026-11-01T00:30:00Z"}
	}
	began := time.Now()
	if out, err := exec.Command("creditmill", args(calm)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	usual := time.Since(began)
	for range kills() {
		cases.Add(int64(runAndKill(t, args(killed), soon(usual))))
	}
	for runAndKill(t, args(killed), time.Duration(rand.Int64N(2*int64(usual)))) > 0 {
		cases.Add(1)
	}
	if out := call(t, args(killed)...); !strings.Contains(out, "Nothing new") {
		t.Errorf("the next ingest says %q", out)
	}
	compareTables(t, killed, calm)
	wantEmptyScratch(t, killed)
}

// runAndKill starts the command and kills it after a while; it returns 1 if it
// was still running then.
func runAndKill(t *testing.T, args []string, after time.Duration) int {
	t.Helper()
	cmd := exec.Command("creditmill", args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	exit := new(exec.ExitError)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && !exit.Exited():
		return 1
	default:
		t.Fatalf("creditmill %v: %v", args, err)
		return 0
	}
}
