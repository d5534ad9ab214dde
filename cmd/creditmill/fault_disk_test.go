package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creditmill/creditmill/fixtures/load"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// No file may grow beyond a limit, as on a disk that is full: DuckDB's files in scratch
// and those of the lake alike. The error names the file that has no room; with more room
// the same command goes on, until it gets through.
func TestFaultNoRoomForFiles(t *testing.T) {
	t.Parallel()
	cases := storetest.Cases(t, "no room for files, of DuckDB too")
	calm, full := twins(t, load.Options{Calls: 6_000, Accounts: 60})
	factor := 4
	if storetest.Full() {
		factor = 2
	}
	for _, args := range [][]string{
		{"ingest", "--now", "2026-10-31T12:00:00Z"},
		{"rate", "--now", "2026-10-31T12:00:00Z"},
		{"apply", "--now", "2026-10-31T12:00:00Z"},
		{"close", "--period", "2026-10", "--accept-rejects", "--leave-held", "--now", "2026-11-01T07:00:00Z"},
	} {
		must(t, calm, args...)
		for blocks := 1; ; blocks *= factor {
			limited := append([]string{"-c", `ulimit -f "$0"; exec creditmill "$@"`, fmt.Sprint(blocks)}, in(full, args...)...)
			out, err := exec.Command("sh", limited...).CombinedOutput()
			if err == nil {
				break
			}
			cases.Add(1)
			exit := new(exec.ExitError)
			if !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if exit.ExitCode() != exitFailed || !strings.Contains(string(out), full) || !strings.Contains(strings.ToLower(string(out)), "file too large") {
				t.Fatalf("%s with room for %d blocks: %v\n%s", args[0], blocks, err, out)
			}
		}
	}
	compareTables(t, full, calm)
	must(t, full, "verify", "--now", "2026-11-03T08:00:00Z")
	wantEmptyScratch(t, full)
}

// nobody is a user without any rights: the tests may run as root, who may write anywhere.
const nobody = 65534

// A lake that may be read alone: with scratch elsewhere every command that looks works,
// and every one that writes names the folder; without, the error says what to set.
func TestFaultReadOnlyLake(t *testing.T) {
	t.Parallel()
	cases := storetest.Cases(t, "lake in a folder without write permission")
	d := newDuel(t, nil, "")
	const now = "2026-10-31T12:00:00Z"
	d.must("ingest", "--now", now)
	d.must("rate", "--now", now)
	d.land("calls/more.jsonl", `{"id":"more","ts":"2026-10-30T10:00:00Z","org":"duel-01","op":"image.generate","n":1}`+"\n")
	elsewhere := t.TempDir()
	program := filepath.Join(elsewhere, "creditmill")
	test, err := os.Executable()
	if err == nil {
		err = os.Link(test, program)
	}
	for _, path := range []string{filepath.Dir(elsewhere), elsewhere, d.dir} {
		err = errors.Join(err, os.Chmod(path, 0o777))
	}
	if err != nil {
		t.Fatal(err)
	}
	readOnly(t, d.dir, 0)
	t.Cleanup(func() { readOnly(t, d.dir, 0o200) })
	run := func(config string, args ...string) (string, error) {
		cmd := exec.Command(program, append(args, "--config", config, "--now", now)...)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	writing := [][]string{{"ingest"}, {"apply"}, {"void", "--event", "1-0", "--account", "duel-01", "--reason", "a test"}}
	looking := [][]string{
		{"status"}, {"runs"}, {"query", "SELECT count(*) FROM usage"}, {"held"}, {"rejects"}, {"files", "usage"}, {"verify"}, {"balance", "duel-01"}, {"explain", "1-0", "--account", "duel-01"},
	}
	before := lakeFiles(t, d.dir)
	plain := filepath.Join(d.dir, defaultConfig)
	for _, args := range slices.Concat(writing, looking) {
		if out, err := run(plain, args...); err != nil && !strings.Contains(out, "set `scratch:`") {
			t.Errorf("%s without scratch elsewhere: %v\n%s", args[0], err, out)
		}
		cases.Add(1)
	}
	text, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	// A configuration that names its scratch, in a folder that may be written.
	with := filepath.Join(elsewhere, defaultConfig)
	replaced := strings.NewReplacer("./", d.dir+"/", "[sources/", "["+d.dir+"/sources/", "[prices", "["+d.dir+"/prices", "[plans", "["+d.dir+"/plans").Replace(string(text))
	if err := os.WriteFile(with, []byte(replaced+"scratch: "+filepath.Join(elsewhere, "scratch")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range looking {
		if out, err := run(with, args...); err != nil {
			t.Errorf("%s with scratch elsewhere: %v\n%s", args[0], err, out)
		}
		cases.Add(1)
	}
	for _, args := range writing {
		if out, err := run(with, args...); err == nil || !strings.Contains(out, filepath.Join(d.dir, "lake")) || !strings.Contains(out, "permission denied") {
			t.Errorf("%s on a lake that may not be written: %v\n%s", args[0], err, out)
		}
		cases.Add(1)
	}
	if after := lakeFiles(t, d.dir); after != before {
		t.Errorf("the lake's files were\n%s\nand are\n%s", before, after)
	}
	readOnly(t, d.dir, 0o200)
	d.must("ingest", "--now", now)
	if got := d.query("SELECT count(*) FROM usage"); got != fmt.Sprintf("%d\n", 3*duelAccounts+1) {
		t.Errorf("%s calls, want %d and the one that landed", got, 3*duelAccounts)
	}
}

// readOnly gives everybody the right to read a folder, and its owner those of own.
func readOnly(t *testing.T, dir string, own fs.FileMode) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o444)
		if entry.IsDir() {
			mode = 0o555
		}
		return os.Chmod(path, mode|own)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lakeFiles names the files of a folder's lake with their sizes.
func lakeFiles(t *testing.T, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(filepath.Join(dir, "lake"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			fmt.Fprintln(&list, path, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}
