package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
)

func open(t *testing.T, store lake.Store) *lake.Lake {
	t.Helper()
	l, err := lake.Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func commit(t *testing.T, l *lake.Lake, run lake.Run) {
	t.Helper()
	run.ID = lake.NewRunID()
	if err := l.Commit(t.Context(), &run); err != nil {
		t.Fatal(err)
	}
}

// output writes a file that stands for a table's Parquet.
func output(t *testing.T, table lake.Table, partition string) lake.Output {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.parquet")
	if err := os.WriteFile(path, []byte("rows of "+table.Name), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	return lake.Output{Table: table, Partition: partition, Path: path, Rows: 1, MinTime: at, MaxTime: at}
}

func upload(t *testing.T, l *lake.Lake, out lake.Output) lake.File {
	t.Helper()
	file, err := l.Upload(t.Context(), lake.NewRunID(), 0, out)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestARunIsSeenWholeOnceCommitted(t *testing.T) {
	folder := newFolder(t)
	l := open(t, folder)
	file := upload(t, l, output(t, lake.Usage, "2026-10-01"))
	for _, table := range lake.Tables() {
		if files := open(t, folder).State().Files(table); len(files) != 0 {
			t.Fatalf("%d files of %s are live before the commit", len(files), table.Name)
		}
	}
	commit(t, l, lake.Run{Kind: lake.Ingest, Files: []lake.File{file}, Columns: []lake.Column{{Name: "model", Type: lake.DimensionType}}})

	state := open(t, folder).State()
	files := state.Files(lake.Usage)
	if len(files) != 1 || files[0].Path != file.Path || files[0].Run != 1 || files[0].Columns != len(lake.Usage.Columns) {
		t.Fatalf("live files %+v", files)
	}
	if !strings.HasPrefix(file.Path, "data/usage/day=2026-10-01/") {
		t.Errorf("path %s", file.Path)
	}
	if len(state.Columns) != 1 || state.Head != 1 || state.HeadHash == "" {
		t.Errorf("state %+v", state)
	}
}

func TestAReplacedFileIsLiveNoLonger(t *testing.T) {
	l := open(t, newFolder(t))
	first := upload(t, l, output(t, lake.Rated, "2026-10"))
	commit(t, l, lake.Run{Kind: lake.Rate, Files: []lake.File{first}})
	second := upload(t, l, output(t, lake.Rated, "2026-10"))
	commit(t, l, lake.Run{Kind: lake.Rate, Files: []lake.File{second}, Replaced: []string{first.Path}})
	if files := l.State().Partition(lake.Rated, "2026-10"); len(files) != 1 || files[0].Path != second.Path {
		t.Errorf("live: %+v", files)
	}
}

// A log that named what is not there could not be read again, by anyone.
func TestARunThatReplacesWhatIsNotLiveIsRefused(t *testing.T) {
	folder := newFolder(t)
	l := open(t, folder)
	first := upload(t, l, output(t, lake.Rated, "2026-10"))
	commit(t, l, lake.Run{Kind: lake.Rate, Files: []lake.File{first}})
	for _, replaced := range [][]string{{"data/rated/none.parquet"}, {first.Path, first.Path}} {
		run := lake.Run{ID: lake.NewRunID(), Kind: lake.Rate, Replaced: replaced}
		if err := l.Commit(t.Context(), &run); err == nil || !strings.Contains(err.Error(), "not live") {
			t.Errorf("replacing %q: %v", replaced, err)
		}
	}
	if head := open(t, folder).State().Head; head != 1 {
		t.Errorf("the head is run %d, want 1", head)
	}
}

func TestTheLoserOfARaceIsToldAndSeesTheWinner(t *testing.T) {
	folder := newFolder(t)
	winner, loser := open(t, folder), open(t, folder)
	commit(t, winner, lake.Run{Kind: lake.Ingest})
	lost := lake.Run{ID: lake.NewRunID(), Kind: lake.Rate}
	if err := loser.Commit(t.Context(), &lost); !errors.Is(err, lake.ErrLost) {
		t.Fatalf("commit gives %v, want ErrLost", err)
	}
	newer, err := loser.Refresh(t.Context())
	if err != nil || len(newer) != 1 || newer[0].Kind != lake.Ingest {
		t.Fatalf("newer runs %+v, %v", newer, err)
	}
	commit(t, loser, lost)
	if head := open(t, folder).State().Head; head != 2 {
		t.Errorf("head is %d, want 2", head)
	}
}

// A store may fail after it has done what it was asked: the commit then looks the
// run up by its id instead of repeating it.
func TestACommitOfUnknownOutcomeIsLookedUp(t *testing.T) {
	folder := newFolder(t)
	flaky := &once{Store: folder}
	l := open(t, flaky)
	flaky.armed = true
	run := lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest}
	if err := l.Commit(t.Context(), &run); err != nil {
		t.Fatalf("the run is in the log, but commit gives %v", err)
	}
	if state := open(t, folder).State(); state.Head != 1 || state.Since(0)[0].ID != run.ID {
		t.Errorf("head %d", state.Head)
	}

	dead := &storetest.Failing{Store: folder, N: 1}
	l = &lake.Lake{Store: dead}
	*l = *open(t, folder)
	l.Store = dead
	if err := l.Commit(t.Context(), &lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest}); !errors.Is(err, storetest.ErrInjected) {
		t.Errorf("a dead store gives %v", err)
	}
	if head := open(t, folder).State().Head; head != 1 {
		t.Errorf("head is %d after a commit that never happened", head)
	}
}

// once fails its first armed create after it has happened.
type once struct {
	lake.Store
	armed bool
}

func (o *once) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	err := o.Store.CreateIfAbsent(ctx, key, data)
	if o.armed {
		o.armed = false
		return errors.Join(storetest.ErrInjected, err)
	}
	return err
}

func TestABrokenChainIsRefused(t *testing.T) {
	folder := newFolder(t)
	l := open(t, folder)
	for range 2 {
		commit(t, l, lake.Run{Kind: lake.Ingest})
	}
	path := filepath.Join(folder.String(), "runs", "0000000001.json")
	manifest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(manifest), `"kind": "ingest"`, `"kind": "rate"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.Open(t.Context(), folder, nil); err == nil || !strings.Contains(err.Error(), "chain is broken") {
		t.Errorf("a changed manifest gives %v", err)
	}
}

func TestLateUsagePostsToTheFirstPeriodNotCutWhenItWasIngested(t *testing.T) {
	october, err := period.Parse("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, newFolder(t))
	commit(t, l, lake.Run{Kind: lake.Ingest})                      // 1
	commit(t, l, lake.Run{Kind: lake.Cut, Period: october})        // 2
	commit(t, l, lake.Run{Kind: lake.Ingest})                      // 3: before the close, after the cut
	commit(t, l, lake.Run{Kind: lake.Close, Period: october})      // 4
	commit(t, l, lake.Run{Kind: lake.Cut, Period: october.Next()}) // 5
	for run, want := range map[int64]string{1: "2026-10", 3: "2026-11", 6: "2026-12"} {
		if got := l.State().PostingPeriod(run, october); got.String() != want {
			t.Errorf("usage of run %d posts to %s, want %s", run, got, want)
		}
	}
	if open, cut := l.State().Open(october); open.String() != "2026-11" || !cut {
		t.Errorf("open is %s, cut %v", open, cut)
	}
}

func TestAcceptedRejectsBlockNoMore(t *testing.T) {
	october, _ := period.Parse("2026-10")
	l := open(t, newFolder(t))
	commit(t, l, lake.Run{Kind: lake.Ingest, Totals: lake.Totals{Rejects: map[string]int64{"malformed": 2, "duplicate": 5}}})
	if got := fmt.Sprint(l.State().BlockingRejects()); got != "map[malformed:2]" {
		t.Errorf("blocking: %s", got)
	}
	commit(t, l, lake.Run{Kind: lake.Cut, Period: october, AcceptedRejects: true})
	if got := l.State().BlockingRejects(); len(got) != 0 {
		t.Errorf("blocking after they were accepted: %v", got)
	}
}
