package lake_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
)

// A log is inspected as bytes: each way to damage it, and what is said of which manifest.
func TestInspectLogNamesTheManifest(t *testing.T) {
	dir := t.TempDir()
	store, err := lake.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, store)
	for range 3 {
		commit(t, l, lake.Run{Kind: lake.Rate})
	}
	inspect := func() *lake.Log {
		t.Helper()
		log, err := lake.InspectLog(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	if log := inspect(); log.Runs != 3 || len(log.Faults)+len(log.Strays) > 0 || log.Hashes[2] != l.State().HeadHash {
		t.Errorf("of a log that is right: %+v", log)
	}
	for _, c := range []struct {
		run       int
		from, to  string
		key, want string
	}{
		{1, `"kind": "rate"`, `"kind": "void"`, "runs/0000000001.json", "but runs/0000000002.json names"},
		{2, `{`, `[`, "runs/0000000002.json", "is no manifest"},
		{2, `"run": 2`, `"run": 5`, "runs/0000000002.json", "says that it is run 5"},
		{3, `"run"`, ` "run"`, "runs/0000000003.json", "is not as this program writes a manifest"},
		{3, `"kind": "rate"`, `"kind": "rate", "more": 1`, "runs/0000000003.json", "is not as this program writes a manifest"},
		{1, `"previous": ""`, `"previous": "00"`, "runs/0000000001.json", "names a manifest before it"},
		{2, "", "", "runs/0000000002.json", "is missing, though there is runs/0000000003.json"},
	} {
		path := filepath.Join(dir, "runs", fmt.Sprintf("%010d.json", c.run))
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(content), c.from, c.to, 1)
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.from == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		} else if changed == string(content) {
			t.Fatalf("%s does not have %s", path, c.from)
		}
		faults := inspect().Faults
		if !slices.ContainsFunc(faults, func(f lake.Fault) bool { return f.Key == c.key && strings.Contains(f.Found, c.want) }) {
			t.Errorf("%s for %s in run %d: %+v, want %s: %s", c.to, c.from, c.run, faults, c.key, c.want)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "runs", "notes.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if log := inspect(); len(log.Faults) > 0 || !slices.Equal(log.Strays, []string{"runs/notes.txt"}) {
		t.Errorf("with a stray: %+v", log)
	}
}

// The state of then is that which the log had then, also for whoever goes on from it.
func TestThroughIsTheStateOfThen(t *testing.T) {
	store, err := lake.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, store)
	var heads []string
	for range 3 {
		commit(t, l, lake.Run{Kind: lake.Rate, Read: l.State().Head})
		heads = append(heads, l.State().HeadHash)
	}
	for n := int64(1); n <= 3; n++ {
		then, err := lake.OpenThrough(t.Context(), store, n)
		if err != nil {
			t.Fatal(err)
		}
		if s := then.State(); s.Head != n || s.HeadHash != heads[n-1] || s.RatedThrough != n-1 {
			t.Errorf("through %d: head %d %s, rated through %d", n, s.Head, s.HeadHash, s.RatedThrough)
		}
	}
	then, err := lake.OpenThrough(t.Context(), store, 1)
	if err != nil {
		t.Fatal(err)
	}
	if newer, err := then.Refresh(t.Context()); err != nil || len(newer) != 2 || then.State().HeadHash != heads[2] {
		t.Errorf("going on: %d runs, %v", len(newer), err)
	}
}
