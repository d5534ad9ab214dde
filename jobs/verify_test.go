package jobs_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// verify verifies a site's lake as of the end of 2026.
func (s site) verify(o jobs.VerifyOptions) jobs.VerifyReport {
	s.t.Helper()
	report, err := s.tryVerify(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

func (s site) tryVerify(o jobs.VerifyOptions) (jobs.VerifyReport, error) {
	s.t.Helper()
	setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	now := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	return jobs.Verify(s.t.Context(), setup, jobs.Options{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Tool: "test"}, o)
}

// wantRight fails the test where a verification finds a fault or skips a check.
func (s site) wantRight(what string) jobs.VerifyReport {
	s.t.Helper()
	report := s.verify(jobs.VerifyOptions{})
	for _, c := range report.Checks {
		if len(c.Faults) > 0 || c.Skipped != "" {
			s.t.Errorf("%s: %s: skipped %q, faults %+v", what, c.What, c.Skipped, c.Faults)
		}
	}
	return report
}

// faultsOf are a report's faults as text.
func faultsOf(report jobs.VerifyReport) string {
	var text strings.Builder
	for _, c := range report.Checks {
		for _, f := range c.Faults {
			fmt.Fprintf(&text, "%s: %s: %s\n", c.What, f.Where, f.Found)
		}
	}
	return text.String()
}

// troubled bills October and goes on: calls are voided, late, held and left behind, an
// object has grown, and an event came twice.
func troubled(t *testing.T) site {
	world := maps.Clone(tiny)
	world["raw/calls/held.jsonl"] = `
{"id":"h1","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.resize"}
{"id":"h2","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}
{"id":"h3","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.generate"}
`
	world["raw/accounts/held.jsonl"] = `{"id":"x1","type":"pack.purchased","account":"bob","at":"2026-10-09T00:00:00Z","pack":"nosuch"}`
	s := newSite(t, world)
	s.run(month[:3])
	s.void("2026-10-25T01:00:00Z", jobs.VoidOptions{EventID: "c2"})
	s.write("raw/calls/2.jsonl", tiny["raw/calls/2.jsonl"]+`{"id":"c6","ts":"2026-10-22T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"c7","ts":"nonsense","org":"bob","op":"image.generate","n":1}
`)
	s.ingest("2026-10-25T02:00:00Z")
	s.write("raw/accounts/eve.jsonl", `{"id":"e1","type":"account.opened","account":"eve","at":"2026-11-01T06:00:00Z"}`)
	s.closeWith("2026-11-01T07:00:00Z", jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
	s.write("raw/calls/late.jsonl", `
{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"n1","ts":"2026-11-03T10:00:00Z","org":"ada","op":"image.generate","n":7}
`)
	_, starter, _ := strings.Cut(tiny["plans/plans.yaml"], "---")
	s.write("plans/nosuch.yaml", strings.Replace(starter, "starter", "nosuch", 1))
	s.ingest("2026-11-04T00:00:00Z")
	s.rate("2026-11-04T00:01:00Z")
	s.void("2026-11-04T00:02:00Z", jobs.VoidOptions{EventID: "c4", Reason: "too late"})
	s.closeWith("2026-12-01T07:00:00Z", jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
	return s
}

// closeWith closes the oldest period that may be closed.
func (s site) closeWith(now string, o jobs.CloseOptions) jobs.CloseReport {
	s.t.Helper()
	report, err := s.at(now).Close(s.t.Context(), o)
	if err != nil || report.Run == nil {
		s.t.Fatalf("close at %s: %+v, %v", now, report.Blocks, err)
	}
	return report
}

func TestVerifyFindsNothingInALakeThatIsRight(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	if _, err := s.tryVerify(jobs.VerifyOptions{}); err == nil || !strings.Contains(err.Error(), "has no runs") {
		t.Errorf("a lake without runs: %v", err)
	}
	for i := range month {
		s.run(month[i : i+1])
		s.wantRight(fmt.Sprintf("after step %d", i+1))
	}
	report := s.wantRight("a month")
	counts := map[string]int64{}
	for _, c := range report.Checks {
		counts[c.What] = c.Count
	}
	want := map[string]int64{"the log and its chain": 5, "records of objects": 3, "calls and their rated rows": 5, "prices of calls": 5, "burn-down of closed periods": 1, "identities of each period": 1}
	for what, n := range want {
		if counts[what] != n {
			t.Errorf("%s: %d looked at, want %d", what, counts[what], n)
		}
	}
	troubled := troubled(t)
	troubled.wantRight("a troubled lake")
	t.Log(troubled.ask("SELECT count(*) FROM rated"))
}

// A byte changed anywhere in the lake is found and named (SPEC section 9), and so is an
// object that is gone.
func TestAByteChangedAnywhereIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	s := troubled(t)
	var keys []string
	root := filepath.Join(s.dir, "lake")
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasPrefix(path, ".scratch") {
			keys = append(keys, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	runs := len(s.runs())
	newest := fmt.Sprintf("runs/%010d.json", runs)
	head := s.at("2026-12-31T00:00:00Z").Lake.State().HeadHash
	kinds := map[string]int{}
	for i, key := range keys {
		kind := strings.Split(strings.TrimPrefix(key, "data/"), "/")[0]
		if kinds[kind]++; kinds[kind] > 4 && kind != "runs" {
			continue
		}
		path := filepath.Join(root, filepath.FromSlash(key))
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(content)
		changed[(i*7919+11)%len(changed)] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := s.tryVerify(jobs.VerifyOptions{Quick: true, Head: head})
		found := key
		if key == newest {
			found = "" // only its hash tells, or that it is no manifest any more
		}
		if err != nil || report.Faults() == 0 || !strings.Contains(faultsOf(report), found) {
			t.Errorf("a byte of %s changed: %v, %s", key, err, faultsOf(report))
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		report, err = s.tryVerify(jobs.VerifyOptions{Quick: true, Head: head})
		if err != nil || report.Faults() == 0 || key != newest && !strings.Contains(faultsOf(report), key) {
			t.Errorf("%s is gone: %v, %s", key, err, faultsOf(report))
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range lake.Tables() {
		if kinds[table.Name] == 0 && table.Name != lake.KeptParties.Name { // nobody was forgotten
			t.Errorf("no file of %s was tried", table.Name)
		}
	}
	if kinds["runs"] != runs || kinds["configs"] == 0 {
		t.Errorf("tried %v", kinds)
	}
	s.wantRight("restored")
}

// A re-rating takes late calls and voids home, prices October anew and leaves what is
// held in the open month; the months after it are closed and re-rated again.
func rerated(t *testing.T) site {
	s := troubled(t)
	s.wantRight("before the re-rating")
	s.dearer("2", "3")
	for i, now := range []string{"2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z"} {
		if i == 1 {
			s.write("raw/calls/later.jsonl", `{"id":"l2","ts":"2026-10-31T10:00:00Z","org":"bob","op":"image.generate","n":2}`)
			s.ingest(now)
		}
		if report, _ := s.rerate(now, jobs.RerateOptions{Commit: true, Reason: "a test"}); report.Run == nil {
			t.Fatalf("re-rating at %s changed nothing", now)
		}
		s.wantRight("re-rated at " + now)
	}
	s.closeWith("2027-01-01T07:00:00Z", jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
	return s
}

func TestARerateIsVerifiedAndRebuilt(t *testing.T) {
	t.Parallel()
	s := rerated(t)
	s.wantRight("closed after re-ratings")
	s.wantRebuilt()
}

// Accounts that a first call opens: the events that it stood for are among the account
// events by now, and the burn-down is the same.
func TestFirstCallsAreVerifiedAndRebuilt(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["creditmill.yaml"] += "accounts: {unknown: {plan: basic}}\n"
	world["raw/calls/new.jsonl"] = `
{"id":"z1","ts":"2026-10-08T10:00:00Z","org":"zoe","op":"image.generate","n":2}
{"id":"z2","ts":"2026-10-09T10:00:00Z","org":"zoe","op":"image.generate","n":9}
`
	s := newSite(t, world)
	s.run(month)
	s.wantRight("after October")
	s.write("raw/calls/more.jsonl", `{"id":"z3","ts":"2026-11-09T10:00:00Z","org":"zoe","op":"image.generate","n":1}`)
	s.closeWith("2026-12-01T07:00:00Z", jobs.CloseOptions{})
	s.wantRight("after November")
	s.wantRebuilt()
}

// Somebody rewrites a call's price and every manifest after it, so that all hashes are
// right: what the call costs by its run's prices, the burn-down and the logs still say
// otherwise, and so does the hash that the close printed.
func TestAForgedLogIsFoundByWhatItSays(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	m := s.at("2026-12-31T00:00:00Z")
	head := m.Lake.State().HeadHash
	reader, err := m.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	file := m.Lake.State().Files(lake.Rated)[0]
	path := filepath.Join(s.dir, "lake", filepath.FromSlash(file.Path))
	forged := filepath.Join(s.dir, "lake", "forged.parquet")
	if _, err := reader.Session().CopyParquet(t.Context(), `SELECT * REPLACE (CAST(credits + 1 AS DECIMAL(18,6)) AS credits) FROM read_parquet($1, hive_partitioning = false)`, forged, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(forged, path); err != nil {
		t.Fatal(err)
	}
	sum, err := lake.HashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(text string) string { // the first of that size is the file, or the test fails
		text = strings.Replace(text, fmt.Sprintf(`"bytes": %d,`, file.Bytes), fmt.Sprintf(`"bytes": %d,`, info.Size()), 1)
		return strings.Replace(text, file.SHA256, sum, 1)
	}
	before := ""
	for _, run := range s.runs() {
		manifest := filepath.Join(s.dir, "lake", "runs", fmt.Sprintf("%010d.json", run.Number))
		content, err := os.ReadFile(manifest)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(content), run.Previous, before, min(1, len(run.Previous)))
		if run.Number == file.Run {
			text = rewrite(text)
		}
		if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		before = lake.HashOf([]byte(text))
	}
	if report := s.verify(jobs.VerifyOptions{Quick: true}); report.Faults() > 0 {
		t.Fatalf("the forgery is not well made: %s", faultsOf(report))
	}
	found := faultsOf(s.verify(jobs.VerifyOptions{}))
	for _, want := range []string{
		"prices of calls: " + file.Path + " of run 2: is not priced as run 2 was to price it",
		"burn-down of closed periods: period 2026-10, written by run 5, table burns: ",
		"period 2026-10, checks/credits_rated: {'account': ada, 'rated': 1",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("found %s\nwant %s", found, want)
		}
	}
	if found := faultsOf(s.verify(jobs.VerifyOptions{Quick: true, Head: head})); !strings.Contains(found, "no manifest has the SHA-256 "+head) {
		t.Errorf("with the hash that the close printed: %s", found)
	}
	if found := faultsOf(s.rebuild()); !strings.Contains(found, "table rated: of 5 rows some differ") {
		t.Errorf("rebuilt: %s", found)
	}
}
