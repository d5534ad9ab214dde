package jobs_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// onS3 is the tiny world with its lake and its logs in object storage, the account
// events in a place of their own.
func onS3(t *testing.T, server *storetest.S3Server, prefix string) site {
	t.Helper()
	s := newSite(t, tiny)
	config := strings.NewReplacer("lake: ./lake", "lake: "+server.Address(prefix+"/lake"), "raw: ./raw", "raw: "+server.Address(prefix+"/raw"),
		"catalog:", "scratch: ./scratch\ncatalog:").Replace(tiny["creditmill.yaml"])
	s.write("creditmill.yaml", config)
	s.write("sources/accounts.yaml", tiny["sources/accounts.yaml"]+"raw: "+server.Address(prefix+"/accounts")+"\n")
	for name := range tiny {
		key, raw := strings.CutPrefix(name, "raw/")
		if !raw {
			continue
		}
		place := prefix + "/raw"
		if strings.HasPrefix(key, "accounts/") {
			place = prefix + "/accounts"
		}
		store, err := lake.NewS3(t.Context(), server.Bucket, place, lake.S3Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Upload(t.Context(), key, filepath.Join(s.dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "raw")); err != nil {
		t.Fatal(err)
	}
	return s
}

// A month billed in object storage has the rows of one billed in folders, but for
// what tells one version of an object from another.
func TestALakeInObjectStorageHasTheSameRows(t *testing.T) {
	server := storetest.StartS3(t)
	local := newSite(t, tiny)
	local.run(month)
	t.Run("good network", func(t *testing.T) {
		storetest.SetEnvironment(t, server.Endpoint)
		sameRows(t, onS3(t, server, "good"), local.rows())
	})
	t.Run("bad network", func(t *testing.T) {
		proxy := storetest.NewProxy(t, server.Endpoint)
		proxy.Fault, proxy.Stall = storetest.OneInTen(), 50*time.Millisecond
		storetest.SetEnvironment(t, proxy.URL)
		sameRows(t, onS3(t, server, "bad"), local.rows())
		if n := proxy.Count(storetest.Lost); n == 0 {
			t.Error("no answer was lost")
		}
	})
}

// sameRows bills the month at a remote site and compares its rows.
func sameRows(t *testing.T, remote site, want map[string][]string) {
	t.Helper()
	for _, step := range month {
		m := remote.at(step.now)
		if err := step.do(t.Context(), m); err != nil {
			t.Fatalf("at %s: %v", step.now, err)
		}
		if err := m.Release(); err != nil {
			t.Error(err)
		}
	}
	got := remote.rows()
	delete(want, lake.Objects.Name)
	objects := got[lake.Objects.Name]
	delete(got, lake.Objects.Name)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rows differ from those of a folder:\n got %v\nwant %v", got, want)
	}
	if len(objects) != 3 || !strings.Contains(objects[0], "etag:") {
		t.Errorf("objects read: %v", objects)
	}
	if usage := got[lake.Usage.Name]; len(usage) != 5 {
		t.Errorf("%d calls, want 5", len(usage))
	}
}

// What a mill fetched goes with it; what a killed process fetched, with the next.
func TestFetchedFilesAreRemoved(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	s := onS3(t, server, "fetched")
	first := s.at(month[0].now)
	if err := errors.Join(month[0].do(t.Context(), first), first.Release()); err != nil {
		t.Fatal(err)
	}
	fetched := func() (n int) {
		files, err := filepath.Glob(filepath.Join(s.dir, "scratch", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if len(filepath.Base(file)) == sha256.Size*2 { // named by a hash
				n++
			}
		}
		return n
	}
	m := s.at("2026-12-01T00:00:00Z")
	reader, err := m.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, reader, "SELECT CAST(count(*) AS VARCHAR) FROM usage"); len(got) != 1 || got[0] != "5" {
		t.Errorf("usage has %v rows, want 5", got)
	}
	all := fetched()
	if all < 4 { // objects, account_events, rejected, and usage of some days
		t.Fatalf("%d files were fetched into scratch", all)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Release(); err != nil {
		t.Error(err)
	}
	if n := fetched(); n != 0 {
		t.Errorf("%d files are left", n)
	}
	// A statement that is known fetches the tables it names.
	for statement, want := range map[string]int{"SELECT CAST(count(*) AS VARCHAR) FROM Rejected": 1, "SELECT '1'": 0} {
		m := s.at("2026-12-01T00:00:00Z")
		reader, err := m.Read(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		if got := query(t, reader, statement); len(got) != 1 || got[0] != "1" {
			t.Errorf("%s gives %v, want 1", statement, got)
		}
		if n := fetched(); n != want {
			t.Errorf("%s fetched %d files, want %d", statement, n, want)
		}
		if err := errors.Join(reader.Close(), m.Release()); err != nil {
			t.Error(err)
		}
	}
	// A session fetches a table when a statement first names it; the others are there to
	// be asked for by name.
	m = s.at("2026-12-01T00:00:00Z")
	if reader, err = m.Sit(t.Context()); err != nil {
		t.Fatal(err)
	}
	usage := "SELECT CAST(count(*) AS VARCHAR) FROM usage"
	if err := reader.Need(t.Context(), "SELECT 'x' -- usage\n /* usage\n-- usage */ AS x"); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{usage, "SELECT event_id FROM usage", "SELECT max(day) FROM usage", "SELECT 1 WHERE EXISTS (FROM usage)"} {
		var text string
		if err := reader.Session().Row(t.Context(), statement).Scan(&text); err == nil || !strings.Contains(err.Error(), "is not fetched") {
			t.Errorf("%s, before it is needed: %q, %v", statement, text, err)
		}
	}
	for _, step := range []struct {
		statement, want string
		fetched         int
	}{
		{"SELECT '2'", "2", 0},
		{"SELECT CAST(count(*) AS VARCHAR) FROM information_schema.columns WHERE table_name LIKE 'reject%' AND column_name = 'reason'", "1", 0},
		{"SELECT CAST(count(*) AS VARCHAR) FROM rejected", "1", 1},
		{"SELECT CAST(count(*) + 1 AS VARCHAR) FROM REJECTED", "2", 1},
		{usage, "5", 1 + len(m.Lake.State().Files(lake.Usage))},
		{usage + " WHERE NOT EXISTS (FROM rejected WHERE reason IS NULL)", "5", 1 + len(m.Lake.State().Files(lake.Usage))},
	} {
		if err := reader.Need(t.Context(), step.statement); err != nil {
			t.Fatal(err)
		}
		if got := query(t, reader, step.statement); len(got) != 1 || got[0] != step.want {
			t.Errorf("%s gives %v, want %s", step.statement, got, step.want)
		}
		if n := fetched(); n != step.fetched {
			t.Errorf("after %s %d files are fetched, want %d", step.statement, n, step.fetched)
		}
	}
	if err := errors.Join(reader.Close(), m.Release()); err != nil {
		t.Error(err)
	}
	// What a process at work has fetched is locked by it; an abandoned folder is not.
	abandoned := filepath.Join(s.dir, "scratch", lake.NewRunID())
	for _, name := range []string{"lock", "fetched"} {
		if err := os.MkdirAll(abandoned, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(abandoned, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.at("2026-12-01T00:00:00Z").Release(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(abandoned); !os.IsNotExist(err) {
		t.Errorf("what a killed process fetched is still there: %v", err)
	}
}
