package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
)

// gc deletes what may go, at an instant.
func (s site) gc(now string) jobs.GCReport {
	s.t.Helper()
	report, err := s.at(now).GC(s.t.Context(), jobs.GCOptions{Delete: true})
	if err != nil {
		s.t.Fatalf("gc at %s: %v", now, err)
	}
	return report
}

// stored are the keys under a prefix of the lake's folder, with what lists hide.
func (s site) stored(prefix string) []string {
	s.t.Helper()
	root := filepath.Join(s.dir, "lake")
	var keys []string
	err := filepath.WalkDir(filepath.Join(root, prefix), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			key, _ := filepath.Rel(root, path)
			keys = append(keys, filepath.ToSlash(key))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// A filed is what the log says of a file, by a naive reading of all manifests.
type filed struct {
	lake.File

	by       *lake.Run
	replaced *lake.Run // nil: live
	document bool      // that was issued is made of it
}

func (s site) manifests() (runs []*lake.Run) {
	s.t.Helper()
	for _, key := range s.stored("runs") {
		data, err := os.ReadFile(filepath.Join(s.dir, "lake", key))
		run := new(lake.Run)
		if err == nil {
			err = json.Unmarshal(data, run)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		runs = append(runs, run)
	}
	return runs
}

func (s site) filed() map[string]*filed {
	s.t.Helper()
	files := map[string]*filed{}
	for _, run := range s.manifests() {
		for _, path := range run.Replaced {
			files[path].replaced = run
		}
		for _, file := range run.Files {
			files[file.Path] = &filed{File: file, by: run}
		}
		if run.Kind != lake.Close && run.Kind != lake.Rerate {
			continue
		}
		for _, f := range files {
			switch f.Table {
			case "account_events":
				f.document = f.document || f.replaced == nil
			case "statements", "balances":
				f.document = f.document || f.by == run && run.Kind == lake.Close
			}
		}
	}
	return files
}

// staying are the files that a run names and that a gc must leave at an instant: live,
// for a document, or replaced no longer than a retention before.
func (s site) staying(now string, kept func(time.Time) time.Time) (paths []string) {
	s.t.Helper()
	at, err := period.ParseInstant(now)
	if err != nil {
		s.t.Fatal(err)
	}
	for path, f := range s.filed() {
		if f.replaced == nil || f.document || !kept(f.replaced.Now).Before(at) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

func days400(t time.Time) time.Time { return t.AddDate(0, 0, 400) }

// wantStored checks which files lie under data/.
func (s site) wantStored(what string, want []string) {
	s.t.Helper()
	if got := s.stored("data"); !slices.Equal(got, want) {
		s.t.Errorf("%s: there are\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func without(keys []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return slices.Contains(gone, key) })
}

// gcLast is a gc by a clock that is a century ahead: to it, everything is old.
var gcLast = step{"2126-01-01T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
	_, err := m.GC(ctx, jobs.GCOptions{Delete: true, Most: 30})
	return err
}}

// Two closed months that were re-rated: much has been replaced, and of that documents
// are made.
func TestGCOfTwoMonths(t *testing.T) {
	t.Parallel()
	s := twoMonths(t)
	s.run([]step{rerateStep})
	kinds := map[string]int{}
	for _, f := range s.filed() {
		switch {
		case f.replaced == nil:
			kinds["live"]++
		case f.document:
			kinds["document "+f.Table]++
		default:
			kinds["replaced"]++
		}
	}
	if kinds["live"] < 10 || kinds["replaced"] < 10 || kinds["document account_events"] < 1 || kinds["document statements"] < 2 || kinds["document balances"] < 2 {
		t.Fatalf("the lake has too little of everything: %v", kinds)
	}
	t.Run("what was replaced long ago", func(t *testing.T) {
		t.Parallel()
		deletesReplaced(site{t, s.dir}.copied())
	})
	t.Run("crash at any store operation", func(t *testing.T) {
		t.Parallel()
		crashesOfGC(site{t, s.dir})
	})
}

// Files that were replaced go once retention.superseded has passed, to the microsecond;
// those that are live and those that documents are made of never.
func deletesReplaced(s site) {
	t := s.t
	s.write("creditmill.yaml", tiny["creditmill.yaml"]+"retention: {rejected: 9999 days}\n")
	before, rows := s.stored("data"), s.rows()
	var first time.Time // of the replacements
	for _, f := range s.filed() {
		if f.replaced != nil && !f.document && (first.IsZero() || f.replaced.Now.Before(first)) {
			first = f.replaced.Now
		}
	}
	documents := s.issued("2026-10", "2026-11", "2026-12")
	exactly := days400(first)
	for _, c := range []struct {
		now  time.Time
		goes bool
	}{{exactly, false}, {exactly.Add(time.Microsecond), true}} {
		now := period.FormatInstant(c.now)
		want := s.staying(now, days400)
		dry, err := s.at(now).GC(t.Context(), jobs.GCOptions{})
		if err != nil || dry.Run != nil || dry.Deleted || int(dry.Files()) != len(before)-len(want) {
			t.Errorf("dry run at %s: %+v, %v", now, dry, err)
		}
		s.wantStored("after a dry run", before)
		report := s.gc(now)
		s.wantStored("at "+now, want)
		if goes := report.Run != nil; goes != c.goes || goes != (len(want) < len(before)) || report.Files() != dry.Files() || report.Bytes() != dry.Bytes() {
			t.Errorf("at %s: %+v", now, report)
		}
		if report.Run != nil && (report.Run.Kind != lake.GC || !slices.Equal(report.Run.Deleted, without(before, want...)) || len(report.Run.Files)+len(report.Run.Replaced) > 0) {
			t.Errorf("at %s the run is %+v", now, report.Run)
		}
	}
	if again := s.gc(period.FormatInstant(exactly.Add(time.Microsecond))); again.Run != nil || again.Files() > 0 {
		t.Errorf("again: %+v", again)
	}
	const muchLater = "2036-01-01T00:00:00Z"
	want := s.staying(muchLater, days400)
	report := s.gc(muchLater)
	s.wantStored("much later", want)
	for _, g := range report.Groups {
		if g.Reason != jobs.GCReplaced {
			t.Errorf("reason %+v", g)
		}
	}
	if got := s.rows(); !maps.EqualFunc(got, rows, slices.Equal[[]string]) {
		t.Error("the rows are others")
	}
	if got := s.issued("2026-10", "2026-11", "2026-12"); len(got) < 15 || !maps.Equal(got, documents) {
		t.Errorf("of %d documents some are others", len(got))
	}
	s.wantRight("after gc") // by whose clock nothing may be missing for its age

	for path, f := range s.filed() {
		if f.replaced != nil && f.document {
			if err := os.Remove(filepath.Join(s.dir, "lake", path)); err != nil {
				t.Fatal(err)
			}
			if found := faultsOf(s.verify(jobs.VerifyOptions{Quick: true})); !strings.Contains(found, path) {
				t.Errorf("%s is gone, of which documents are made, and verify finds %q", path, found)
			}
			break
		}
	}
}

// issued are the documents of some months, in all formats, by file name.
func (s site) issued(months ...string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, month := range months {
		for name, content := range s.documents(document.Selection{Period: mustPeriod(month)}) {
			all[name] = string(content)
		}
	}
	return all
}

// strayKeys are keys of files that no run names, made at an instant.
func strayKeys(at time.Time) []string {
	id := ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String()
	return []string{"data/objects/" + id + "-0.parquet", "data/usage/day=2026-10-03/" + id + "-1.parquet", "data/rated/period=2026-10/" + id + "-12.parquet"}
}

func (s site) litter(keys ...string) {
	for _, key := range keys {
		s.write("lake/"+key, "litter")
	}
}

// A month is billed, and runs that were killed have left files.
func TestGCOfWhatNoRunNames(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.litter(strayKeys(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))...)
	if report := s.gc("2026-10-25T00:00:00Z"); report.Files() > 0 || len(s.stored("data")) != 3 {
		t.Errorf("a lake without runs: %+v", report)
	}
	s.run(month)
	for name, test := range map[string]func(site){
		"by age and name": deletesUnnamed, "a store that refuses": goesOnWhereRefused, "several runs": condemnsInSeveralRuns,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(site{t, s.dir}.copied())
		})
	}
}

// Files that no run names go a day after they were made; whatever does not look like a
// file of the lake is told and left alone.
func deletesUnnamed(s site) {
	t := s.t
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	old, young := strayKeys(now.Add(-24*time.Hour-time.Millisecond)), strayKeys(now.Add(-24*time.Hour))
	id := strings.TrimSuffix(filepath.Base(old[0]), "-0.parquet")
	others := []string{
		"data/_published/x.parquet", "data/nosuch/" + id + "-0.parquet", "data/objects/" + id + "-0.parquet.bak", "data/objects/" + strings.ToLower(id) + "-0.parquet",
		"data/objects/day=2026-10-01/" + id + "-0.parquet", "data/rated/" + id + "-0.parquet", "data/readme.txt",
	}
	slices.Sort(others)
	s.litter(young...)
	s.litter(others...)
	s.litter("elsewhere/"+filepath.Base(old[0]), "published/x", "data.txt", "configs/nosuch")
	want, elsewhere := s.stored("data"), append(s.stored("elsewhere"), s.stored("configs")...)
	for _, key := range s.stored("data") { // those of 2020
		if info, err := os.ReadFile(filepath.Join(s.dir, "lake", key)); err == nil && string(info) == "litter" && !slices.Contains(young, key) && !slices.Contains(others, key) {
			want = without(want, key)
		}
	}
	s.litter(old...)
	report := s.gc(period.FormatInstant(now))
	s.wantStored("after gc", want)
	if report.Run == nil || len(report.Run.Deleted) != 6 || report.Files() != 6 || report.Bytes() != 6*int64(len("litter")) || len(report.Groups) != 3 || report.Groups[0] != (jobs.GCGroup{Place: "objects", Reason: jobs.GCUnnamed, Files: 2, Bytes: 12}) {
		t.Errorf("report %+v", report)
	}
	if !slices.Equal(report.Strays, others) || report.More != 0 {
		t.Errorf("strays %q, want %q", report.Strays, others)
	}
	if got := append(s.stored("elsewhere"), s.stored("configs")...); !slices.Equal(got, elsewhere) || len(s.stored("published")) != 1 {
		t.Errorf("elsewhere %q, want %q", got, elsewhere)
	}
	s.wantRight("after gc")
}

// Checkpoints beyond the newest two, old failures of jobs that are not scheduled, and
// what a write that was cut off left, go without a run.
func TestGCDeletesWhatIsLeftOver(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	const now = "2027-01-31T00:00:00Z"
	at := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	id := func(t time.Time) string { return ulid.MustNew(ulid.Timestamp(t), ulid.DefaultEntropy()).String() }
	hash := strings.Repeat("0a", 32)
	failure := func(job string, t time.Time) string { return "failures/" + job + "-" + id(t) + ".json" }
	old, young := at.AddDate(0, 0, -30).Add(-time.Millisecond), at.AddDate(0, 0, -30)
	stay := []string{
		"checkpoints/0000000900-" + hash + ".json", "checkpoints/0000000900-" + strings.Repeat("0b", 32) + ".json", "checkpoints/0000000800-" + hash + ".json",
		failure("ingest", old), failure("verify", young), "data/objects/.tmp-" + id(old), "runs/.tmp-other", ".tmp-" + id(old),
	}
	gone := []string{
		"checkpoints/0000000700-" + hash + ".json", "checkpoints/0000000016-" + hash + ".json", failure("verify", old), failure("compact", old),
		"data/objects/.tmp-" + id(old), "runs/.tmp-" + id(young),
	}
	strays := []string{"checkpoints/x.json", "failures/notes.txt"}
	s.litter(slices.Concat(stay, gone, strays)...)
	for _, key := range gone[4:] {
		long := time.Now().Add(-25 * time.Hour)
		if err := os.Chtimes(filepath.Join(s.dir, "lake", key), long, long); err != nil {
			t.Fatal(err)
		}
	}
	head := s.at(now).Lake.State().Head
	report := s.gc(now)
	if report.Run != nil || s.at(now).Lake.State().Head != head || report.Files() != 6 || !slices.Equal(report.Strays, strays) {
		t.Errorf("report %+v", report)
	}
	there := s.stored("")
	for _, key := range slices.Concat(stay, strays) {
		if !slices.Contains(there, key) {
			t.Errorf("%s is gone", key)
		}
	}
	for _, key := range gone {
		if slices.Contains(there, key) {
			t.Errorf("%s is there", key)
		}
	}
}

// A stubborn store refuses to delete some objects.
type stubborn struct {
	lake.Store
	refuses func(key string) bool
}

func (s *stubborn) Delete(ctx context.Context, key string) error {
	if s.refuses(key) {
		return errors.New("access denied")
	}
	return s.Store.Delete(ctx, key)
}

// What the store refuses to delete is said at the end, the others go, and the next gc
// deletes the rest without another run.
func goesOnWhereRefused(s site) {
	t := s.t
	s.gc("2026-11-02T00:00:00Z")
	const now = "2026-11-02T00:00:00Z"
	want := s.stored("data")
	var all []string
	for i := range 4 {
		all = append(all, strayKeys(time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC))...)
	}
	s.litter(all...)
	refuse := func(st lake.Store) lake.Store {
		return &stubborn{st, func(key string) bool { return strings.HasPrefix(key, "data/usage/") }}
	}
	m, err := s.open(now, refuse)
	if err != nil {
		t.Fatal(err)
	}
	report, err := m.GC(t.Context(), jobs.GCOptions{Delete: true})
	head := s.at(now).Lake.State().Head
	if err == nil || !strings.Contains(err.Error(), "refused to delete 4 objects") || !strings.Contains(err.Error(), "access denied") ||
		report.Files() != 8 || report.Run == nil || report.Run.Number != head {
		t.Fatalf("%+v, %v", report, err)
	}
	s.wantRight("refused")
	report = s.gc(now)
	if report.Run != nil || s.at(now).Lake.State().Head != head || report.Files() != 4 || len(report.Groups) != 1 || report.Groups[0].Reason != jobs.GCCondemned {
		t.Errorf("again: %+v", report)
	}
	s.wantStored("again", want)
}

// A gc of many paths commits several runs, each of no more than it is told.
func condemnsInSeveralRuns(s site) {
	t := s.t
	s.gc("2026-11-02T00:00:00Z")
	const now = "2026-11-02T00:00:00Z"
	want, head := s.stored("data"), s.at(now).Lake.State().Head
	for i := range 3 {
		s.litter(strayKeys(time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC))...)
	}
	report, err := s.at(now).GC(t.Context(), jobs.GCOptions{Delete: true, Most: 4})
	if err != nil || report.Files() != 9 || report.Run == nil || report.Run.Number != head+3 || len(report.Run.Deleted) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	s.wantStored("after gc", want)
	s.wantRight("after gc")
	s.wantRebuilt()
}

// A process is killed before each operation on the store, and after those that are not
// seen by the next: nothing that stays is gone, and the next gc leaves what an
// undisturbed one does.
func crashesOfGC(before site) {
	t := before.t
	for i := range 3 {
		before.litter(strayKeys(time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC))...)
	}
	turns, calm := before.turns(gcLast)
	rows := calm.rows()
	calm.wantStored("undisturbed", calm.staying(gcLast.now, days400))
	var all []crashAt
	deletes := 0
	for i, o := range turns {
		another := i == 0 || o.class() != turns[i-1].class()
		if o.operation == "delete" {
			deletes++
			another = another || deletes%20 == 0
		}
		if commit := o.class() == "create runs"; another || commit {
			all = append(all, crashAt{i + 1, false})
			if commit {
				all = append(all, crashAt{i + 1, true})
			}
		}
	}
	if deletes < 30 || len(all) < 12 {
		t.Fatalf("only %d deletes, %d crashes", deletes, len(all))
	}
	t.Logf("%d store operations, %d crashes", len(turns), len(all))
	for i, c := range all {
		s := site{t, before.dir}.copied()
		m, err := s.open(gcLast.now, wrapping(&storetest.Failing{N: int64(c.n), After: c.after}))
		if err == nil {
			err = gcLast.do(t.Context(), m)
		}
		if err != nil && !strings.Contains(err.Error(), storetest.ErrInjected.Error()) {
			t.Fatalf("%+v: the store failed, but the error is %v", c, err)
		}
		there := s.stored("data")
		for _, key := range s.staying(gcLast.now, days400) {
			if !slices.Contains(there, key) {
				t.Errorf("%+v: %s is gone", c, key)
			}
		}
		s.run([]step{gcLast})
		s.wantStored(fmt.Sprintf("%+v", c), s.staying(gcLast.now, days400))
		if i == len(all)/2 {
			s.wantRight(fmt.Sprintf("%+v", c))
			if got := s.rows(); !maps.EqualFunc(got, rows, slices.Equal[[]string]) {
				t.Errorf("%+v: the rows are others", c)
			}
		}
	}
}
