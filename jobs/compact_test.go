package jobs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// compact compacts a site's lake at an instant, and looks that its rows are the same
// after it, and that nothing is left to do.
func (s site) compact(now string, o jobs.CompactOptions) jobs.CompactReport {
	s.t.Helper()
	before, dry := s.rows(), o
	dry.DryRun = true
	planned, err := s.at(now).Compact(s.t.Context(), dry)
	if err != nil {
		s.t.Fatal(err)
	}
	report, err := s.at(now).Compact(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	if a, b := planned.Total(), report.Total(); a.Before != b.Before || a.After != b.After || a.Rows != b.Rows || a.BytesBefore != b.BytesBefore || planned.Run() != nil {
		s.t.Errorf("planned %+v, done %+v", a, b)
	}
	s.wantSame("compacted at "+now, s.rows(), before)
	if again, err := s.at(now).Compact(s.t.Context(), o); err != nil || again.Run() != nil {
		s.t.Errorf("compacted again: run %v, %v", again.Run(), err)
	}
	return report
}

func (s site) wantSame(what string, got, want map[string][]string) {
	s.t.Helper()
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(got[table], want[table]) {
			s.t.Errorf("%s: table %s:\n%s\nwant\n%s", what, table, strings.Join(got[table], "\n"), strings.Join(want[table], "\n"))
		}
	}
}

// ordinals are the numbers that a site's runs would have if none were a compaction.
func (s site) ordinals() map[int64]int64 {
	numbers, n := map[int64]int64{}, int64(0)
	for _, run := range s.runs() {
		if run.Kind != lake.Compact {
			n++
		}
		numbers[run.Number] = n
	}
	return numbers
}

// said returns the rows of every live table with the numbers that runs would have
// without compactions.
func (s site) said() map[string][]string {
	s.t.Helper()
	reader, err := s.at("2026-12-31T00:00:00Z").Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	ordinals := s.ordinals()
	var runs, numbers []string
	for _, run := range slices.Sorted(maps.Keys(ordinals)) {
		runs, numbers = append(runs, fmt.Sprint(run)), append(numbers, fmt.Sprint(ordinals[run]))
	}
	renumber := "MAP([" + strings.Join(runs, ",") + "],[" + strings.Join(numbers, ",") + "])"
	all := map[string][]string{}
	for _, table := range lake.Tables() {
		columns := "*"
		if of := map[string][]string{"objects": {"run"}, "voided": {"read_by", "void_run"}, "periods": {"cut_run", "close_run"}}[table.Name]; of != nil {
			for i, column := range of {
				of[i] = renumber + "[" + column + "] AS " + column
			}
			columns = "* REPLACE (" + strings.Join(of, ", ") + ")"
		}
		all[table.Name] = query(s.t, reader, "SELECT CAST(t AS VARCHAR) FROM (SELECT "+columns+" FROM "+table.Name+") t ORDER BY ALL")
	}
	return all
}

var runNumber = regexp.MustCompile(`(run"?:? ?)(\d+)`)

// explained is what is said of a call, with the numbers that runs would have without
// compactions.
func (s site) explained(event string) string {
	s.t.Helper()
	text, err := json.MarshalIndent(s.explain(event, jobs.ExplainOptions{Source: "gateway"}).Call, "", " ")
	if err != nil {
		s.t.Fatal(err)
	}
	ordinals := s.ordinals()
	return runNumber.ReplaceAllStringFunc(strings.ReplaceAll(string(text), s.dir, "DIR"), func(found string) string {
		parts := runNumber.FindStringSubmatch(found)
		n, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return parts[1] + fmt.Sprint(ordinals[n])
	})
}

// liveFiles counts the live files of a table, by partition.
func (s site) liveFiles(table lake.Table) map[string]int {
	n := map[string]int{}
	for _, file := range s.at("2026-12-31T00:00:00Z").Lake.State().Files(table) {
		n[file.Partition]++
	}
	return n
}

// many is the tiny world with another source, whose mapping looks for the time under
// a wrong name.
var many = worldOf(map[string]string{
	"raw/calls/1.jsonl": `{"id":"first","ts":"2026-10-02T10:00:00Z","org":"ada","op":"image.generate","n":1}`,
	"raw/calls/2.jsonl": `{"id":"strange","ts":"2026-10-02T11:00:00Z","org":"ada","op":"image.generate"}`,
	"sources/web.yaml": `
source: web
path: web/*.jsonl
format: jsonl
event: {id: id, time: at, account: org, operation: op}
quantities: {images: n}
`,
})

// slots ingests four small objects for each of some days, and rates them.
func (s site) slots(month string, days ...int) {
	s.t.Helper()
	for _, day := range days {
		for slot := range 4 {
			at := fmt.Sprintf("%s-%02dT%02d", month, day, 6*slot)
			call := func(id, account string, n int) string {
				return fmt.Sprintf(`{"id":%q,"ts":%q,"org":%q,"op":"image.generate","n":%d}`, id+"-"+at, at+":10:00Z", account, n)
			}
			s.write("raw/calls/"+at+".jsonl", strings.Join([]string{
				call("a", "ada", slot+1), call("b", "bob", 1), call("a", "ada", slot+1), // a duplicate
				fmt.Sprintf(`{"id":"m-%s","ts":"%s:20:00Z","org":"ada","n":1}`, at, at), // without an operation
			}, "\n")+"\n")
			s.write("raw/web/"+at+".jsonl", fmt.Sprintf(`{"id":"w-%s","ts":"%s:30:00Z","org":"bob","op":"image.free","n":1}`, at, at))
			s.write("raw/accounts/"+at+".jsonl", fmt.Sprintf(`{"id":"u-%s","type":"account.updated","account":"ada","at":"%s:00:00Z","name":"Ada %s"}`, at, at, at))
			s.ingest(at + ":45:00Z")
		}
		s.rate(fmt.Sprintf("%s-%02dT23:00:00Z", month, day))
	}
}

// A lake of many small runs, compacted between every step, says what the same lake says
// that never was: rows of all tables, explanations, and what later steps do to them.
func TestACompactedLakeSaysTheSame(t *testing.T) {
	t.Parallel()
	plain, small := newSite(t, many), newSite(t, many)
	both := func(now string, do func(s site)) {
		t.Helper()
		do(plain)
		do(small)
		if _, err := small.at(now).Compact(t.Context(), jobs.CompactOptions{Least: 2}); err != nil {
			t.Fatal(err)
		}
		small.wantSame("as of "+now, small.said(), plain.said())
	}
	mustClose := func(s site, now string, o jobs.CloseOptions) {
		t.Helper()
		if report := s.closeWith(now, o); report.Run == nil {
			t.Fatalf("not closed: %+v", report.Blocks)
		}
	}

	both("2026-10-09T00:00:00Z", func(s site) { s.slots("2026-10", 3) })
	// Of the day four files of usage, and as many of rejected, which no close has
	// accepted; first and strange came with the first ingest.
	for table, want := range map[string]map[string]int{
		"usage":    {"2026-10-02": 1, "2026-10-03": 1},
		"rejected": {"2026-10-03": 1},
		"objects":  {"": 1}, "account_events": {"": 1},
	} {
		if got := small.liveFiles(tableOf(table)); !maps.Equal(got, want) {
			t.Errorf("files of %s: %v, want %v", table, got, want)
		}
	}

	both("2026-10-10T00:00:00Z", func(s site) { // an object has grown, and one was logged by mistake
		grown := "raw/calls/2026-10-03T06.jsonl"
		content, err := os.ReadFile(filepath.Join(s.dir, grown))
		if err != nil {
			t.Fatal(err)
		}
		s.write(grown, string(content)+`{"id":"grown","ts":"2026-10-03T06:30:00Z","org":"bob","op":"image.generate","n":1}`)
		s.ingest("2026-10-09T01:00:00Z")
		s.rate("2026-10-09T02:00:00Z")
		s.void("2026-10-09T03:00:00Z", jobs.VoidOptions{EventID: "a-2026-10-03T12", Reason: "a test"})
		s.void("2026-10-09T04:00:00Z", jobs.VoidOptions{Object: "calls/2026-10-03T00.jsonl", Reason: "another"})
	})
	both("2026-11-02T00:00:00Z", func(s site) {
		mustClose(s, "2026-11-01T07:00:00Z", jobs.CloseOptions{Period: october, LeaveHeld: true, AcceptRejects: true})
	})
	both("2026-11-09T00:00:00Z", func(s site) { // rejects that were accepted become late calls, and others come late
		s.write("sources/web.yaml", strings.Replace(many["sources/web.yaml"], "time: at", "time: ts", 1))
		for _, day := range []int{3, 4} {
			s.write(fmt.Sprintf("raw/calls/late-%d.jsonl", day), fmt.Sprintf(`{"id":"late-%d","ts":"2026-10-%02dT11:00:00Z","org":"ada","op":"image.generate","n":1}`, day, day))
			s.ingest(fmt.Sprintf("2026-11-01T%02d:00:00Z", 8+day))
		}
		s.slots("2026-11", 3)
		s.again("2026-11-04T00:00:00Z", "web")
		s.again("2026-11-04T01:00:00Z", "calls/2026-10-03T06.jsonl")
		s.rate("2026-11-04T02:00:00Z")
		s.void("2026-11-04T03:00:00Z", jobs.VoidOptions{EventID: "b-2026-10-03T18", Reason: "of a closed month"})
		s.void("2026-11-04T04:00:00Z", jobs.VoidOptions{EventID: "late-4", Reason: "late by mistake"})
	})
	both("2026-12-05T00:00:00Z", func(s site) {
		mustClose(s, "2026-12-01T07:00:00Z", jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
	})
	both("2026-12-06T00:00:00Z", func(s site) {
		s.dearer("2", "3")
		s.commit("2026-12-05T01:00:00Z", "2026-10")
	})
	for _, event := range []string{"a-2026-10-03T06", "b-2026-10-03T18", "grown", "late-3", "a-2026-11-03T00", "a-2026-10-03T12"} {
		if got, want := small.explained(event), plain.explained(event); got != want {
			t.Errorf("explained: %s\nwant %s", got, want)
		}
	}
	small.wantRight("compacted")
	small.wantRebuilt()
}

func tableOf(name string) lake.Table {
	tables := lake.Tables()
	return tables[slices.IndexFunc(tables, func(t lake.Table) bool { return t.Name == name })]
}

// What has changed in a file since its run wrote it is not merged as if it were billed.
func TestACompactionRefusesAChangedFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, many)
	s.slots("2026-10", 3)
	m := s.at("2026-10-09T00:00:00Z")
	files := m.Lake.State().Partition(lake.Usage, "2026-10-03")
	path := filepath.Join(s.dir, "lake", filepath.FromSlash(files[2].Path))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	head := m.Lake.State().Head
	report, err := m.Compact(t.Context(), jobs.CompactOptions{})
	if err == nil || !strings.Contains(err.Error(), "merge 4 files of usage of 2026-10-03: "+files[2].Path+" has SHA-256 ") || report.Run() != nil {
		t.Errorf("run %v, %v", report.Run(), err)
	}
	if now := s.at("2026-10-09T00:00:00Z").Lake.State().Head; now != head {
		t.Errorf("run %d was committed", now)
	}
}

// Few files, days that are not over long, and calls that are held or not rated stay.
func TestACompactionLeavesWhatMayStillChange(t *testing.T) {
	t.Parallel()
	s := newSite(t, many)
	s.slots("2026-10", 3, 4)
	report := s.compact("2026-10-06T23:59:59Z", jobs.CompactOptions{})
	var got []string
	for _, p := range report.Partitions {
		got = append(got, fmt.Sprintf("%s %s %d to %d, %d rows", p.Table, p.Partition, p.Before, p.After, p.Rows))
	}
	// Eight ingests, of which the first also read accounts, first and strange: 3 objects
	// each and 3 more. Of October are rated: those of the first rating, the second's day 4.
	wantRows(t, "merges", got,
		"objects  8 to 1, 27 rows", "account_events  8 to 1, 12 rows", "usage 2026-10-03 4 to 1, 8 rows", "rejected 2026-10-03 4 to 1, 12 rows")
	run := report.Run()
	if run.Kind != lake.Compact || len(run.Files) != 4 || len(run.Replaced) != 24 || len(report.Runs) != 1 {
		t.Errorf("run %+v", run)
	}
	for _, file := range run.Files {
		if file.Table == "usage" && (file.Tags["origins"] != "1 2 3 4" || file.Tags["origin"] != "4" || file.MinTime.Format("15:04") != "00:10" || file.MaxTime.Format("15:04") != "18:10") {
			t.Errorf("usage: %+v", file)
		}
	}
}
