package lake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
)

// A lake that opens from a checkpoint is the one that reads every manifest, whatever
// has happened in it.
func TestACheckpointIsTheFoldOfTheLog(t *testing.T) {
	store := newFolder(t)
	l := open(t, store)
	commitAMonthOfEverything(t, l)
	for l.State().Head < 40 {
		commit(t, l, lake.Run{Kind: lake.Ingest, Totals: lake.Totals{Rejects: map[string]int64{"bad_time": 1}}})
	}
	if keys := keysUnder(t, store, "checkpoints/"); len(keys) != 2 || !strings.HasPrefix(keys[1], "checkpoints/0000000032-") {
		t.Fatalf("checkpoints %q: wanted those of runs 16 and 32", keys)
	}
	whole, err := lake.OpenWhole(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	if n, faults, err := lake.InspectCheckpoints(t.Context(), whole); n != 2 || len(faults) > 0 || err != nil {
		t.Errorf("%d checkpoints, %v, %v", n, faults, err)
	}
	fast := open(t, store)
	if got := len(fast.State().Since(32)); got != 8 {
		t.Errorf("%d runs read beside the checkpoint, wanted 8", got)
	}
	wantSameState(t, fast.State(), whole.State())
	for _, opened := range []*lake.Lake{fast, whole} { // and so goes on
		runs, err := opened.Runs(t.Context(), 30, 99)
		if err != nil || len(runs) != 11 || runs[0].Number != 30 || runs[10].Number != 40 {
			t.Errorf("runs 30 to 40: %d of them, %v", len(runs), err)
		}
		if run, err := opened.Run(t.Context(), 3); err != nil || run.Kind != lake.Apply {
			t.Errorf("run 3: %v, %v", run, err)
		}
		if _, err := opened.Run(t.Context(), 41); err == nil || err.Error() != "there is no run 41: the newest is 40" {
			t.Errorf("run 41: %v", err)
		}
	}
}

// commitAMonthOfEverything commits runs that set everything a state knows.
func commitAMonthOfEverything(t *testing.T, l *lake.Lake) {
	t.Helper()
	october, err := period.Parse("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 31, 12, 0, 0, 123_456_000, time.UTC)
	sha256, err := l.KeepConfig(t.Context(), []byte("lake: ./lake"))
	if err != nil {
		t.Fatal(err)
	}
	usage, events := upload(t, l, output(t, lake.Usage, "2026-10-31")), upload(t, l, output(t, lake.AccountEvents, ""))
	usage.Tags = map[string]string{lake.TagOrigin: "1"}
	commit(t, l, lake.Run{
		Kind: lake.Ingest, Now: at, FullListing: true, Founding: &lake.Founding{FirstPeriod: october, TimeZone: "UTC", Currency: "USD"},
		Columns: []lake.Column{{Name: "images", Type: "BIGINT"}}, Files: []lake.File{usage, events},
		Configs: []lake.ConfigRef{{Name: "creditmill.yaml", SHA256: sha256}},
		Unread:  &[]lake.Unread{{Source: "s", Object: "o", Identity: "i", Reason: "r"}}, Newest: []lake.SourceTime{{Source: "s", Time: at}},
		Totals: lake.Totals{Rejects: map[string]int64{"too_old": 2}},
	})
	rated := upload(t, l, output(t, lake.Rated, "2026-10"))
	commit(t, l, lake.Run{Kind: lake.Rate, Read: 1, Files: []lake.File{rated}, Versions: []lake.VersionRef{{Kind: "price table", Name: "api", Version: 1, SHA256: "ab"}}})
	commit(t, l, lake.Run{Kind: lake.Apply, Now: at, Period: october})
	commit(t, l, lake.Run{Kind: lake.Cut, Period: october, AcceptedRejects: true})
	statements := upload(t, l, output(t, lake.Statements, "2026-10"))
	commit(t, l, lake.Run{Kind: lake.Close, Period: october, Files: []lake.File{statements}})
	later := upload(t, l, output(t, lake.AccountEvents, ""))
	commit(t, l, lake.Run{Kind: lake.Rerate, Period: october, Reason: "r", Files: []lake.File{later}, Replaced: []string{events.Path, statements.Path}})
	anew := upload(t, l, output(t, lake.Statements, "2026-10"))
	commit(t, l, lake.Run{
		Kind: lake.Forget, Reason: "asked", Forgotten: []lake.Forgotten{{Column: "account", Pseudonym: "forgotten-1"}},
		Rewritten: []lake.Rewrite{{Path: statements.Path, File: anew}}, Deleted: []string{statements.Path},
	})
}

// wantSameState compares all that a state tells, but which runs were read.
func wantSameState(t *testing.T, got, want *lake.State) {
	t.Helper()
	told := func(s *lake.State) map[string]any {
		open, cut := s.Open(period.Period{})
		used, run := s.Used(lake.VersionRef{Kind: "price table", Name: "api", Version: 1})
		configs := s.Configs()
		slices.Sort(configs)
		all := map[string]any{
			"head": s.Head, "hash": s.HeadHash, "founding": s.Founding, "columns": s.Columns, "unread": s.Unread, "newest": s.Newest, "listed": s.Listed,
			"rated": s.RatedThrough, "rejects": s.Rejects, "accepted": s.Accepted, "closings": s.Closings(), "open": open, "cut": cut, "used": used, "used by": run,
			"configs": configs, "milestones": s.Milestones(), "retained": s.Retained(), "applied": s.Applied(s.Milestones()[0].Period),
			"standing": s.Standing(s.Milestone(5).Files[0]),
		}
		for _, table := range lake.Tables() {
			all[table.Name] = s.Files(table)
		}
		return all
	}
	is, should := told(got), told(want)
	for what := range should {
		if !reflect.DeepEqual(is[what], should[what]) {
			t.Errorf("%s: %+v, by the whole log %+v", what, is[what], should[what])
		}
	}
}

func TestWhatDocumentsAreMadeOfIsRetained(t *testing.T) {
	l := open(t, newFolder(t))
	commitAMonthOfEverything(t, l)
	state := l.State()
	retained := state.Retained()
	if len(retained) != 1 || retained[0].Table != lake.AccountEvents.Name || retained[0].Run != 1 || retained[0].Replaced != 6 {
		t.Errorf("retained %+v: wanted the account events of run 1, which the close of run 5 knew and run 6 replaced", retained)
	}
	statements := state.Milestone(5).Files[0]
	anew := state.Since(6)[0].Rewritten[0].File
	if got := state.Standing(statements); got.Path != anew.Path || got.Run != 5 {
		t.Errorf("%+v stands in for %s, wanted %s of run 5", got, statements.Path, anew.Path)
	}
	if !state.Deleted(statements.Path) || state.Deleted(anew.Path) {
		t.Error("deleted is not what run 7 says")
	}
}

// A run that was being made when its files were condemned has lost.
func TestARunOfCondemnedFilesLoses(t *testing.T) {
	store := newFolder(t)
	slow, collector := open(t, store), open(t, store)
	file := upload(t, slow, output(t, lake.Usage, "2026-10-31"))
	commit(t, collector, lake.Run{Kind: lake.GC, Deleted: []string{file.Path}})
	run := lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest, Files: []lake.File{file}}
	for range 2 { // the second time it has read the gc run
		if err := slow.Commit(t.Context(), &run); err == nil || !strings.Contains(err.Error(), lake.ErrLost.Error()) {
			t.Fatalf("commit: %v", err)
		}
		if _, err := slow.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A checkpoint is never in the way: damaged, of another format, of runs that are not
// there, or gone while it is to be read.
func TestABadCheckpointIsPassedOver(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, store *lake.Folder, key, path string){
		"damaged": func(t *testing.T, _ *lake.Folder, _, path string) {
			rewrite(t, path, func(data []byte) []byte {
				return bytes.Replace(data, []byte(`"rated_through":0`), []byte(`"rated_through":9`), 1)
			})
		},
		"cut off": func(t *testing.T, _ *lake.Folder, _, path string) {
			rewrite(t, path, func(data []byte) []byte { return data[:len(data)/2] })
		},
		"of another format": func(t *testing.T, store *lake.Folder, key, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data = bytes.Replace(data, []byte(`"format":1`), []byte(`"format":999`), 1)
			other := fmt.Sprintf("checkpoints/0000000032-%s.json", lake.HashOf(data))
			if err := errors.Join(store.CreateIfAbsent(t.Context(), other, data), store.Delete(t.Context(), key)); err != nil {
				t.Fatal(err)
			}
		},
		"of a run that is not there": func(t *testing.T, store *lake.Folder, _, _ string) {
			for n := 32; n <= 35; n++ {
				if err := store.Delete(t.Context(), fmt.Sprintf("runs/%010d.json", n)); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newFolder(t)
			l := open(t, store)
			for range 35 {
				commit(t, l, lake.Run{Kind: lake.Ingest})
			}
			key := keysUnder(t, store, "checkpoints/0000000032")[0]
			spoil(t, store, key, filepath.Join(store.String(), filepath.FromSlash(key)))
			var log bytes.Buffer
			again, err := lake.Open(t.Context(), store, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			whole, err := lake.OpenWhole(t.Context(), store)
			if err != nil {
				t.Fatal(err)
			}
			if again.State().HeadHash != whole.State().HeadHash || len(again.State().Since(16)) != int(whole.State().Head)-16 {
				t.Errorf("head %d, wanted %d, from the checkpoint of run 16", again.State().Head, whole.State().Head)
			}
			if !strings.Contains(log.String(), "passed over") {
				t.Errorf("log: %s", log.String())
			}
			_, faults, err := lake.InspectCheckpoints(t.Context(), whole)
			if wanted := 1; err != nil || len(faults) != wanted && name != "of another format" {
				t.Errorf("%v, %v: wanted %d fault", faults, err, wanted)
			}
		})
	}
}

// Two processes that commit at once write the same checkpoint; a store that fails at
// it fails no commit.
func TestACheckpointFailsNoCommit(t *testing.T) {
	folder := newFolder(t)
	failing := &storetest.Failing{Store: folder}
	l := open(t, failing)
	for range 15 {
		commit(t, l, lake.Run{Kind: lake.Ingest})
	}
	failing.N = failing.Operations() + 4 // create 16, read it, read 17, create the checkpoint
	commit(t, l, lake.Run{Kind: lake.Ingest})
	if keys := keysUnder(t, folder, "checkpoints/"); len(keys) != 0 {
		t.Fatalf("checkpoints %q", keys)
	}
	other := open(t, folder)
	commit(t, other, lake.Run{Kind: lake.Ingest})
	if keys := keysUnder(t, folder, "checkpoints/"); len(keys) != 1 || !strings.HasPrefix(keys[0], "checkpoints/0000000017-") {
		t.Fatalf("the next run wrote checkpoints %q", keys)
	}
}

// A long log opens with a handful of requests.
func TestALongLogOpensFromItsCheckpoint(t *testing.T) {
	store := newFolder(t)
	writeLog(t, store, 3000)
	l := open(t, store) // reads them all: there is no checkpoint yet
	commit(t, l, lake.Run{Kind: lake.Ingest})
	for range 15 {
		commit(t, l, lake.Run{Kind: lake.Ingest})
	}
	counting := &storetest.Failing{Store: store}
	if l := open(t, counting); l.State().Head != 3016 {
		t.Fatalf("head %d", l.State().Head)
	}
	// A listing, the checkpoint, its manifest, 15 runs, and those asked for that are not there.
	if n := counting.Operations(); n > 3+15+16 {
		t.Errorf("%d requests", n)
	}
}

// writeLog writes manifests of many runs as a month of ingests every quarter of an
// hour with a compaction a day leaves them.
func writeLog(t testing.TB, store *lake.Folder, runs int) {
	t.Helper()
	before := ""
	if err := os.MkdirAll(filepath.Join(store.String(), "runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	var small []string
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for n := 1; n <= runs; n++ {
		file := lake.File{
			Path: fmt.Sprintf("data/usage/day=2026-10-01/01K8Z3N0E5J2Q4V6W8X0%06d-0.parquet", n), Table: lake.Usage.Name, Partition: "2026-10-01", Rows: 1000, Bytes: 30_000, Columns: 14,
			SHA256: lake.HashOf([]byte{byte(n)}), MinTime: &at, MaxTime: &at,
		}
		run := lake.Run{
			Number: int64(n), ID: lake.NewRunID(), Kind: lake.Ingest, Now: at, Previous: before, Read: int64(n - 1), Files: []lake.File{file},
			Configs: []lake.ConfigRef{{Name: "creditmill.yaml", SHA256: lake.HashOf(nil)}, {Name: "prices/api.yaml", SHA256: lake.HashOf(nil)}},
		}
		if small = append(small, file.Path); len(small) > 96 {
			run.Kind, run.Replaced, small = lake.Compact, small[:len(small)-1], nil
		}
		data, err := json.MarshalIndent(run, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, '\n')
		before = lake.HashOf(data)
		if err := os.WriteFile(filepath.Join(store.String(), "runs", fmt.Sprintf("%010d.json", n)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a log of 100,000 runs.
func BenchmarkOpen(b *testing.B) {
	store, err := lake.NewFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	writeLog(b, store, 100_000)
	began := time.Now()
	l, err := lake.Open(b.Context(), store, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("without a checkpoint: %s", time.Since(began))
	run := lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest}
	if err := l.Commit(b.Context(), &run); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if l, err := lake.Open(b.Context(), store, nil); err != nil || l.State().Head != 100_001 {
			b.Fatal(err)
		}
	}
}

func keysUnder(t *testing.T, store lake.Store, prefix string) []string {
	t.Helper()
	var keys []string
	for object, err := range store.List(context.Background(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, object.Key)
	}
	return keys
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}
