package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

const publishNow = "2026-12-26T00:00:00Z"

// publish publishes a site's lake.
func (s site) publish(o jobs.PublishOptions) jobs.PublishReport {
	s.t.Helper()
	report, err := s.at(publishNow).Publish(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// copyDir is where the copy of a site lies by default.
func (s site) copyDir() string { return filepath.Join(s.dir, "lake", "published") }

// publishedFiles are the files of a published copy with their bytes, without what says of
// which run and lake it is.
func publishedFiles(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	files := map[string]int64{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if name, _ := filepath.Rel(dir, file); err == nil && !strings.HasPrefix(name, "_") {
			files[filepath.ToSlash(name)] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// asOf reads what a published copy says of itself; nil: nothing.
func asOf(t *testing.T, dir string) *jobs.AsOf {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "_as_of.json"))
	if os.IsNotExist(err) {
		return nil
	}
	document := new(jobs.AsOf)
	if err == nil {
		err = json.Unmarshal(text, document)
	}
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// specTables are the tables of SPEC section 11 with what each is partitioned by.
var specTables = map[string]string{
	"objects": "", "usage": "day", "rejected": "day", "rated": "period", "account_events": "", "burns": "period", "ledger": "period", "balances": "period",
	"alerts": "period", "invoices": "period", "invoice_lines": "period", "statements": "period", "revenue": "period", "periods": "",
}

// wantPublished checks that the copy in dir is of the newest run of the site's lake: that
// it says so, that DuckDB reads the rows of each table from it that `query` shows, and
// that all files of a table have the same columns.
func (s site) wantPublished(dir string) {
	s.t.Helper()
	state, said := s.at(publishNow).Lake.State(), asOf(s.t, dir)
	if said == nil || said.Run != state.Head || said.Head != state.HeadHash {
		s.t.Fatalf("the copy says %+v, and the newest run is %d", said, state.Head)
	}
	session, err := duck.Open(s.t.Context(), duck.Options{Folders: []string{dir}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer session.Close()
	files, want := publishedFiles(s.t, dir), s.rows()
	for _, table := range said.Tables {
		partition, known := specTables[table.Table]
		if !known {
			s.t.Errorf("published a table %s", table.Table)
		}
		var paths []string
		var size int64
		for name, bytes := range files {
			if strings.HasPrefix(name, table.Table+"/") {
				paths, size = append(paths, filepath.Join(dir, name)), size+bytes
				if between := path.Dir(strings.TrimPrefix(name, table.Table+"/")); partition == "" && between != "." || partition != "" && !strings.HasPrefix(between, partition+"=") {
					s.t.Errorf("%s does not lie under its %s", name, partition)
				}
				delete(files, name)
			}
		}
		if int64(len(paths)) != table.Files || size != table.Bytes || int64(len(want[table.Table])) != table.Rows {
			s.t.Errorf("%s has %d files of %d bytes and %d rows, the copy says %+v", table.Table, len(paths), size, len(want[table.Table]), table)
		}
		if len(paths) > 0 {
			wantRows(s.t, table.Table, readParquet(s.t, session, dir, table.Table, partition), want[table.Table]...)
			wantOneSchema(s.t, session, table.Table, paths)
		} else if len(want[table.Table]) > 0 {
			s.t.Errorf("%s is not published", table.Table)
		}
	}
	if len(said.Tables) != len(specTables) || len(files) > 0 {
		s.t.Errorf("%d tables, and besides %v", len(said.Tables), files)
	}
}

// readParquet reads a table of a copy as an analyst does, by a glob.
func readParquet(t *testing.T, session *duck.Session, dir, table, partition string) []string {
	t.Helper()
	types := ""
	if partition != "" {
		types = ", hive_types = {" + duck.Literal(partition) + ": VARCHAR}"
	}
	return firstColumn(t, session, "SELECT CAST(t AS VARCHAR) FROM read_parquet("+duck.Literal(filepath.Join(dir, table, "**", "*.parquet"))+
		", hive_partitioning = true"+types+") t ORDER BY ALL")
}

// wantOneSchema checks that files have the same columns, as Parquet has them.
func wantOneSchema(t *testing.T, session *duck.Session, table string, paths []string) {
	t.Helper()
	var schemas int
	err := session.Row(t.Context(), "SELECT count(DISTINCT columns) FROM (SELECT file_name, string_agg(concat_ws(' ', name, type, duckdb_type, repetition_type), '; ') AS columns"+
		" FROM parquet_schema("+duck.List(paths)+") WHERE num_children IS NULL GROUP BY file_name)").Scan(&schemas)
	if err != nil || schemas != 1 {
		t.Errorf("the files of %s have %d lists of columns, %v", table, schemas, err)
	}
}

// publishHistory bills two months of which the first is published, and then brings a
// dimension, late calls, a re-rate and a compaction: some files are to be rewritten, some
// to be removed.
func publishHistory(t *testing.T) (s site, published site) {
	t.Helper()
	s = newSite(t, faultWorld())
	history := faultHistory()
	run := func(commands []command) {
		for _, c := range commands {
			s.prepare(c)
			s.run([]step{c.step})
		}
	}
	closed := slices.IndexFunc(history, func(c command) bool { return c.name == "close" }) + 1
	run(history[:closed])
	s.publish(jobs.PublishOptions{})
	published = s.copied()
	s.write("sources/gateway.yaml", tiny["sources/gateway.yaml"]+"dimensions: {model: model}\n")
	compacted := slices.IndexFunc(history, func(c command) bool { return c.name == "compact" }) + 1
	s.write("raw/calls/8.jsonl", `{"id":"m1","ts":"2026-11-07T10:00:00Z","org":"ada","op":"image.generate","n":2,"model":"large"}`)
	run(history[closed:compacted])
	return s, published
}

// What is true of every copy, of a lake to which everything has happened.
func TestPublish(t *testing.T) {
	t.Parallel()
	s, before := publishHistory(t)
	for name, test := range map[string]func(t *testing.T, s, before site){
		"the rows of the lake": publishedRows, "rewritten files keep their order": publishedOrder, "damage": publishedDamage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, site{t, s.dir}.copied(), site{t, before.dir})
		})
	}
}

// What is published is what `query` shows, whatever has happened to the lake: files of
// several runs, files that lack a dimension, files that a compaction gave hidden columns,
// a re-rate, a person who was forgotten, a gc.
func publishedRows(t *testing.T, s, before site) {
	before.wantPublished(before.copyDir())
	was := publishedFiles(t, before.copyDir())
	report := s.publish(jobs.PublishOptions{})
	s.wantPublished(s.copyDir())
	if !report.Changed || report.Linked == 0 || report.Copied != 0 || report.Rewritten == 0 || report.Removed == 0 || report.Bytes == 0 || len(report.Strays) > 0 {
		t.Errorf("published %+v", report)
	}
	is := publishedFiles(t, s.copyDir())
	kept := 0
	for name := range is {
		if _, there := was[name]; there {
			kept++
		}
	}
	if kept == 0 || kept == len(is) || int64(len(is)) != report.Files || int64(len(is)-kept) != report.Linked+report.Rewritten {
		t.Errorf("%d of %d files stayed, %+v", kept, len(is), report)
	}
	s.wantLinks(was, is)
	wantUntouched(t, s, func() {
		if again := s.publish(jobs.PublishOptions{}); again.Changed || again.Linked+again.Copied+again.Rewritten+again.Removed != 0 || again.Files != report.Files {
			t.Errorf("published again: %+v", again)
		}
	})

	forget, gc := faultHistory()[18], faultHistory()[17]
	s.run([]step{forget.step})
	s.wantPublished(s.copyDir()) // by itself
	for name := range publishedFiles(t, s.copyDir()) {
		text, err := os.ReadFile(filepath.Join(s.copyDir(), name))
		if err != nil || bytes.Contains(text, []byte("bob")) {
			t.Errorf("%s has a name that was forgotten, or %v", name, err)
		}
	}
	s.run([]step{gc.step})
	s.publish(jobs.PublishOptions{}) // the gc has dropped the text of rejects
	s.wantPublished(s.copyDir())
}

// wantLinks checks that the files that are new in the copy are the lake's own, but for
// those that their names tell.
func (s site) wantLinks(before, files map[string]int64) {
	s.t.Helper()
	for name := range files {
		if _, old := before[name]; old || strings.Count(path.Base(name), "-") == 2 {
			continue
		}
		original, err := os.Stat(filepath.Join(s.dir, "lake", "data", name))
		published, err2 := os.Lstat(filepath.Join(s.copyDir(), name))
		if err != nil || err2 != nil || !os.SameFile(original, published) {
			s.t.Errorf("%s is no link to the lake's file: %v, %v", name, err, err2)
		}
	}
}

// wantUntouched checks that nothing below a site's copy is written, not even the same again.
func wantUntouched(t *testing.T, s site, do func()) {
	t.Helper()
	times := func() string {
		var text strings.Builder
		err := filepath.WalkDir(s.copyDir(), func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				fmt.Fprintln(&text, file, info.ModTime(), info.Size())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	before := times()
	do()
	if after := times(); after != before {
		t.Errorf("the copy was touched: before\n%s\nafter\n%s", before, after)
	}
}

// The rows of a file that is rewritten stay in their order.
func publishedOrder(t *testing.T, s, _ site) {
	s.publish(jobs.PublishOptions{})
	m := s.at(publishNow)
	session, err := duck.Open(t.Context(), duck.Options{Folders: []string{s.dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	ids := func(file string) string {
		var text string
		err := session.Row(t.Context(), "SELECT string_agg(coalesce(account, '') || coalesce(event_id, '') || line, ' ' ORDER BY file_row_number) FROM read_parquet("+duck.Literal(file)+", file_row_number = true)").Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	rewritten := 0
	for name := range publishedFiles(t, s.copyDir()) {
		base := path.Base(name)
		if !strings.HasPrefix(name, "usage/") || strings.Count(base, "-") != 2 {
			continue
		}
		original := path.Join("data", path.Dir(name), base[:strings.LastIndexByte(base, '-')]+".parquet")
		local, err := m.Lake.Store.Fetch(t.Context(), original)
		if err != nil {
			t.Fatal(err)
		}
		if is, was := ids(filepath.Join(s.copyDir(), name)), ids(local); is != was {
			t.Errorf("%s has the rows %s, the lake's file %s", name, is, was)
		}
		rewritten++
	}
	if rewritten == 0 {
		t.Error("no file of usage was rewritten")
	}
}

// What is wrong with a copy is seen by names and sizes, whatever `_as_of.json` says, and
// only that is done again; Full does everything again.
func publishedDamage(t *testing.T, s, _ site) {
	whole := s.publish(jobs.PublishOptions{})
	files := publishedFiles(t, s.copyDir())
	pick := func(rewritten bool) string {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if strings.Count(path.Base(name), "-") == 2 == rewritten {
				return filepath.Join(s.copyDir(), name)
			}
		}
		t.Fatal("there is no such file")
		return ""
	}
	replace := func(file, text string) { // a link is cut before it is written to
		if err := os.Remove(file); err == nil {
			err = os.WriteFile(file, []byte(text), 0o600)
			if err == nil {
				return
			}
		}
		t.Fatal(file)
	}
	linked, rewritten := pick(false), pick(true)
	for _, damage := range []struct {
		what             string
		do               func()
		links, rewritten int64
		removed          int64
	}{
		{"a link cut short", func() { replace(linked, "PAR1") }, 1, 0, 0},
		{"a link gone", func() { _ = os.Remove(linked) }, 1, 0, 0},
		{"a rewritten file cut short", func() { replace(rewritten, "PAR1") }, 0, 1, 0},
		{"a rewritten file gone", func() { _ = os.Remove(rewritten) }, 0, 1, 0},
		{"files of before", func() {
			replaced := filepath.Join(filepath.Dir(linked), "01M81RBPRVR55QANX0TFNM7VQZ-3.parquet")
			if err := os.Link(linked, replaced); err != nil {
				t.Fatal(err)
			}
		}, 0, 0, 1},
		{"no word of the run", func() { _ = os.Remove(filepath.Join(s.copyDir(), "_as_of.json")) }, 0, 0, 0},
		{"nonsense for a word", func() { replace(filepath.Join(s.copyDir(), "_as_of.json"), "{") }, 0, 0, 0},
	} {
		damage.do()
		dry := s.publish(jobs.PublishOptions{DryRun: true})
		if !dry.Changed || dry.Copied != damage.links || dry.Rewritten != damage.rewritten || dry.Removed != damage.removed {
			t.Errorf("%s: a dry run says %+v", damage.what, dry)
		}
		report := s.publish(jobs.PublishOptions{})
		if !report.Changed || report.Linked != damage.links || report.Rewritten != damage.rewritten || report.Removed != damage.removed {
			t.Errorf("%s: published %+v", damage.what, report)
		}
		if got := publishedFiles(t, s.copyDir()); !maps.Equal(got, files) {
			t.Errorf("%s: there are %v, want %v", damage.what, got, files)
		}
	}
	report := s.publish(jobs.PublishOptions{Full: true})
	if report.Linked+report.Rewritten != whole.Files || report.Removed != 0 {
		t.Errorf("in full: %+v", report)
	}
	s.wantPublished(s.copyDir())
}

// Foreign files that have come stay, and are told of; what a killed publish left goes after
// a day.
func TestWhatElseLiesInTheCopy(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.publish(jobs.PublishOptions{})
	s.write("lake/published/usage/day=2026-10-03/notes.parquet", "mine")
	s.write("lake/published/README.md", "mine")
	s.write("lake/published/usage/day=2026-10-03/.tmp-01M81RBPRVR55QANX0TFNM7VQZ", "left")
	s.write("lake/published/usage/.tmp-01M81RBPRVR55QANX0TFNM7VQZ", "just now")
	old := instant(t, "2026-01-01T00:00:00Z")
	if err := os.Chtimes(filepath.Join(s.copyDir(), "usage", "day=2026-10-03", ".tmp-01M81RBPRVR55QANX0TFNM7VQZ"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.copyDir(), "_as_of.json")); err != nil {
		t.Fatal(err)
	}
	report := s.publish(jobs.PublishOptions{})
	if want := []string{"README.md", "usage/day=2026-10-03/notes.parquet"}; !slices.Equal(report.Strays, want) {
		t.Errorf("strays %q, want %q", report.Strays, want)
	}
	files := publishedFiles(t, s.copyDir())
	for name, want := range map[string]bool{
		"README.md": true, "usage/day=2026-10-03/notes.parquet": true, "usage/.tmp-01M81RBPRVR55QANX0TFNM7VQZ": true,
		"usage/day=2026-10-03/.tmp-01M81RBPRVR55QANX0TFNM7VQZ": false,
	} {
		if _, there := files[name]; there != want {
			t.Errorf("%s is there: %v", name, there)
		}
	}
}

// A place that is another lake's, or may be, is refused before anything is changed there.
func TestAPlaceOfAnotherLakeIsRefused(t *testing.T) {
	t.Parallel()
	s, other := newSite(t, tiny), newSite(t, tiny)
	s.run(month[:1])
	other.run(month[:1])
	s.publish(jobs.PublishOptions{})
	for place, want := range map[string]string{
		s.copyDir():                            "holds the copy of another lake: name another place in publish:, or empty that one",
		filepath.Join(s.dir, "lake", "data"):   "and no _lake.json that says whose: they may be a lake's own. Name another place in publish:, or empty that one",
		filepath.Join(other.dir, "raw", "sub"): "must not lie within each other",
	} {
		twin := other.copied()
		twin.write("creditmill.yaml", strings.Replace(tiny["creditmill.yaml"], "raw: ./raw\n", "", 1)+"publish: "+place+"\n")
		for _, source := range []string{"gateway", "accounts"} {
			twin.write("sources/"+source+".yaml", tiny["sources/"+source+".yaml"]+"raw: "+filepath.Join(other.dir, "raw")+"\n")
		}
		before := publishedFiles(t, s.dir)
		_, err := twin.at(publishNow).Publish(t.Context(), jobs.PublishOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", place, err)
		}
		if after := publishedFiles(t, s.dir); len(after) != len(before) {
			t.Errorf("%s: %d files where there were %d", place, len(after), len(before))
		}
	}
	s.wantPublished(s.copyDir())
}

// A place where other things lie is refused before anything is changed there, a dry run too;
// what is empty, and what is claimed, is taken.
func TestAPlaceThatIsNotEmptyIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	s.write("lake/published/hosts", "somebody's")
	s.write("lake/published/doctor/01M81RBPRVR55QANX0TFNM7VQZ", "left by a doctor")
	for _, dry := range []bool{true, false} {
		_, err := s.at(publishNow).Publish(t.Context(), jobs.PublishOptions{DryRun: dry})
		want := s.copyDir() + " has no _lake.json that says whose copy it is, and holds something else, such as hosts: name another place in publish:, or remove what is there"
		if !errors.As(err, new(jobs.ConfigError)) || err.Error() != want {
			t.Errorf("error: %v", err)
		}
	}
	if files := publishedFiles(t, s.copyDir()); len(files) != 2 {
		t.Errorf("there are %v", files)
	}
	if err := os.Remove(filepath.Join(s.copyDir(), "hosts")); err != nil {
		t.Fatal(err)
	}
	s.publish(jobs.PublishOptions{})
}

// The very first publish may be cut off anywhere: the next goes on.
func TestAFirstPublishThatWasCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	counting := &storetest.Failing{Writes: true}
	if err := s.copied().try(publishing, counting); err != nil {
		t.Fatal(err)
	}
	for n := range counting.Operations() {
		cut := s.copied()
		if err := cut.try(publishing, &storetest.Failing{N: n + 1, Writes: true, After: n%2 == 0}); err == nil || !isInjected(err) {
			t.Errorf("operation %d: %v", n, err)
		}
		cut.publish(jobs.PublishOptions{})
		if asOf(t, cut.copyDir()) == nil {
			t.Errorf("operation %d: the copy says nothing of its run", n)
		}
	}
}

// A copy of a lake, or one that was restored from a backup, does not take the copy back.
func TestACopyOfTheLakeDoesNotTakeThePublishedOneBack(t *testing.T) {
	t.Parallel()
	s, dir := newSite(t, tiny), t.TempDir()
	s.write("creditmill.yaml", tiny["creditmill.yaml"]+"publish: "+dir+"\n")
	s.run(month)
	s.publish(jobs.PublishOptions{})
	older, diverged := s.copied(), s.copied()
	forget := func(s site) (jobs.ForgetReport, error) {
		return s.at(publishNow).Forget(t.Context(), jobs.ForgetOptions{Account: "bob", Reason: "a test", Random: bytes.NewReader(make([]byte, 16))})
	}
	if _, err := forget(s); err != nil {
		t.Fatal(err)
	}
	diverged.write("raw/calls/9.jsonl", `{"id":"n1","ts":"2026-10-21T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	diverged.run(month[:1])
	for name, other := range map[string]site{"older": older, "diverged": diverged} {
		_, err := other.at(publishNow).Publish(t.Context(), jobs.PublishOptions{})
		if !errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), "that the log of this lake does not have: is this lake a copy of another") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.wantPublished(dir)
	report, err := forget(diverged)
	if report.Run == nil || err == nil || errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), "may have the name still") {
		t.Errorf("a forget of the diverged lake: %v", err)
	}
	diverged.publish(jobs.PublishOptions{Full: true})
	diverged.wantPublished(dir)
}

// A copy that does not say whose it is may have the name: a forget says so.
func TestAForgetSeesACopyThatDoesNotSayWhoseItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.publish(jobs.PublishOptions{})
	for _, name := range []string{"_as_of.json", "_lake.json"} {
		if err := os.Remove(filepath.Join(s.copyDir(), name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, again := range []bool{false, true} {
		report, err := s.at(publishNow).Forget(t.Context(), jobs.ForgetOptions{Account: "bob", Reason: "a test", Random: bytes.NewReader(make([]byte, 16))})
		if err == nil || (report.Run == nil) != again || !strings.Contains(err.Error(), "may have the name still") || !strings.Contains(err.Error(), "and no _lake.json that says whose") {
			t.Errorf("forget, again %v: %v", again, err)
		}
	}
}

// Where the disk is full the error says of which table and which place, and that the copy
// does not say what run it is of.
func TestAFullDiskOfTheCopy(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	m, err := s.open(publishNow, func(store lake.Store) lake.Store { return refusing{store, syscall.ENOSPC} })
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Publish(t.Context(), jobs.PublishOptions{})
	if !errors.As(err, new(jobs.UnsaidError)) || !errors.Is(err, syscall.ENOSPC) || !regexp.MustCompile(`^write a file of [a-z_]+ to `+regexp.QuoteMeta(s.copyDir())+`: no space left on device$`).MatchString(err.Error()) {
		t.Errorf("publish: %v", err)
	}
	if err := m.KeepPublished(t.Context()); err == nil || !strings.Contains(err.Error(), " is not up to date, and has no _as_of.json: write a file of ") {
		t.Errorf("after a run: %v", err)
	}
	if asOf(t, s.copyDir()) != nil {
		t.Error("the copy says what run it is of")
	}
}

// The copy may lie in a folder of its own, named by a link too; with `publish: never` there is none.
func TestACopyInAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	s, dir := newSite(t, tiny), t.TempDir()
	place, left, old := filepath.Join(t.TempDir(), "for analysts"), filepath.Join(dir, ".tmp-01M81RBPRVR55QANX0TFNM7VQZ"), instant(t, "2026-01-01T00:00:00Z")
	if err := errors.Join(os.Symlink(dir, place), os.WriteFile(left, []byte("left"), 0o600), os.Chtimes(left, old, old)); err != nil {
		t.Fatal(err)
	}
	s.write("creditmill.yaml", tiny["creditmill.yaml"]+"publish: "+place+"\n")
	s.run(month)
	s.publish(jobs.PublishOptions{})
	s.wantPublished(dir) // without what was left
	if _, err := os.Stat(s.copyDir()); !os.IsNotExist(err) {
		t.Errorf("published in the lake too: %v", err)
	}
	s.write("creditmill.yaml", tiny["creditmill.yaml"]+"publish: never\n")
	_, err := s.at(publishNow).Publish(t.Context(), jobs.PublishOptions{})
	if err == nil || !strings.Contains(err.Error(), "the configuration says `publish: never`") {
		t.Errorf("never: %v", err)
	}
	if err := s.at(publishNow).KeepPublished(t.Context()); err != nil {
		t.Errorf("where none is wanted: %v", err)
	}
}

// A lake without runs has nothing to publish.
func TestNothingIsPublishedOfAnEmptyLake(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	if report := s.publish(jobs.PublishOptions{}); report.Run != 0 || report.Changed {
		t.Errorf("published %+v", report)
	}
	if _, err := os.Stat(s.copyDir()); !os.IsNotExist(err) {
		t.Errorf("there is a copy: %v", err)
	}
}

// A place that cannot be written to fails the publish, and nothing else.
func TestACopyThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:3])
	s.write("lake/published", "a file")
	err := s.at(publishNow).KeepPublished(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the published copy in "+s.copyDir()+" is not up to date") || !strings.Contains(err.Error(), "`creditmill publish` tries again") {
		t.Errorf("error: %v", err)
	}
	_, err = s.at(rerateNow).Forget(t.Context(), jobs.ForgetOptions{Account: "bob", Reason: "a test", Random: bytes.NewReader(make([]byte, 16))})
	if err == nil || !strings.Contains(err.Error(), "may have the name still: run the same command again, or `creditmill publish`") {
		t.Errorf("forget: %v", err)
	}
	if err := os.Remove(s.copyDir()); err != nil {
		t.Fatal(err)
	}
	s.run(month[3:])
	s.publish(jobs.PublishOptions{})
	s.wantPublished(s.copyDir())
}

// A forget that could not reach the copy is finished by the same command.
func TestAForgetThatWasCutOffBeforeTheCopy(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.publish(jobs.PublishOptions{})
	forget := func(account string, f func(lake.Store) lake.Store) (jobs.ForgetReport, error) {
		m, err := s.open(rerateNow, f)
		if err != nil {
			t.Fatal(err)
		}
		return m.Forget(t.Context(), jobs.ForgetOptions{Account: account, Reason: "a test", Random: bytes.NewReader(make([]byte, 16))})
	}
	unknown := func(account string) {
		t.Helper()
		wantUntouched(t, s, func() {
			if _, err := forget(account, nil); !errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), "no rows of this name") {
				t.Errorf("forget %s: %v", account, err)
			}
		})
	}
	full := func(store lake.Store) lake.Store { return refusing{store, syscall.ENOSPC} }
	if err := os.Remove(filepath.Join(s.copyDir(), "_as_of.json")); err != nil {
		t.Fatal(err)
	}
	unknown("nobody") // nobody was forgotten: the copy is none of its business
	report, err := forget("bob", full)
	if !errors.As(err, new(jobs.UnsaidError)) || !strings.Contains(err.Error(), "the rows of the lake have a pseudonym, but the published copy in "+s.copyDir()+" may have the name still") {
		t.Fatalf("forget: %v", err)
	}
	run := report.Run.Number
	if _, err := forget("bob", full); !errors.As(err, new(jobs.UnsaidError)) {
		t.Errorf("forget again, the disk is full still: %v", err)
	}
	if report, err := forget("bob", nil); err != nil || report.Run != nil || report.Published != run {
		t.Errorf("forget again: %+v, %v", report, err)
	}
	s.wantPublished(s.copyDir())
	unknown("bob")
	s.write("raw/calls/9.jsonl", `{"id":"n1","ts":"2026-10-21T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	s.run(month[:1])
	unknown("bob") // the copy lags behind, but not behind a forget
}

// A refusing store has no copy made.
type refusing struct {
	lake.Store

	err error
}

func (r refusing) Copy(context.Context, string, lake.Place) (bool, error) {
	return false, fmt.Errorf("copy this to that: %w", r.err)
}
