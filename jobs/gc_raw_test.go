package jobs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

const rawRows = `SELECT concat_ws(' ', object, line, byte_offset, reason, coalesce(raw, '-'), '|', detail) FROM rejected ORDER BY object, line, reason`

// rejecting is a lake with rejects of October that a close has accepted, and one that
// none has.
func rejecting(t *testing.T) site {
	t.Helper()
	world := maps.Clone(tiny)
	world["creditmill.yaml"] += "retention: {rejected: 10 days}\n"
	world["raw/calls/1.jsonl"] = `
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4}
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4}
{"id":"secret \"x\"","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":"my secret"}
my secret
`
	s := newSite(t, world)
	s.ingest("2026-10-25T00:00:00Z")
	s.rate("2026-10-25T00:01:00Z")
	s.closeWith("2026-11-01T07:00:00Z", jobs.CloseOptions{AcceptRejects: true})
	s.write("raw/calls/3.jsonl", "{\"id\":\"d1\",\"ts\":\"2026-10-05T10:00:00Z\",\"org\":\"ada\",\"op\":\"image.generate\",\"n\":\"a later secret\"}\n")
	s.ingest("2026-11-02T00:00:00Z")
	return s
}

// Ten days are kept. The rejects of October 3rd and 4th are older than that long before;
// one without a time of its own lies under the 25th, when it was read, and its text goes
// at the end of November 4th. What nobody has accepted keeps its text.
func TestGCDropsTheRawTextOfOldRejects(t *testing.T) {
	t.Parallel()
	s := rejecting(t)
	const (
		copyRow   = `calls/1.jsonl 2 80 duplicate {"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4} | the event is that of calls/1.jsonl line 1`
		number    = `calls/1.jsonl 3 160 bad_number {"id":"secret \"x\"","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":"my secret"} | n "my secret" is no whole number`
		malformed = `calls/1.jsonl 4 260 malformed my secret | `
		later     = `calls/3.jsonl 1 0 bad_number {"id":"d1","ts":"2026-10-05T10:00:00Z","org":"ada","op":"image.generate","n":"a later secret"} | n "a later secret" is no whole number`

		copyDropped   = `calls/1.jsonl 2 80 duplicate - | the event is that of calls/1.jsonl line 1`
		numberDropped = `calls/1.jsonl 3 160 bad_number - | n "…" is no whole number`
	)
	before := s.ask(rawRows)
	malformedDetail := strings.TrimPrefix(before[2], malformed)
	if strings.Contains(malformedDetail, "secret") {
		t.Fatalf("the detail quotes the record: %q", malformedDetail)
	}
	wantRows(t, "rejected", before, copyRow, number, malformed+malformedDetail, later)

	const early, late = "2026-11-05T00:00:00Z", "2026-11-05T00:00:00.000001Z"
	dry, err := s.at(early).GC(t.Context(), jobs.GCOptions{})
	if err != nil || dry.Raws != (jobs.GCRaws{Files: 2, Rows: 2}) {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	wantRows(t, "rejected after a dry run", s.ask(rawRows), before...)
	report := s.gc(early)
	if report.Raws != dry.Raws || report.Run == nil || report.Run.Kind != lake.GC || len(report.Run.Files) != 2 || len(report.Run.Replaced) != 2 || len(report.Run.Deleted) > 0 {
		t.Errorf("gc: %+v", report)
	}
	wantRows(t, "rejected", s.ask(rawRows), copyDropped, numberDropped, malformed+malformedDetail, later)
	if report := s.gc(late); report.Raws != (jobs.GCRaws{Files: 1, Rows: 1}) {
		t.Errorf("gc: %+v", report.Raws)
	}
	dropped := []string{copyDropped, numberDropped, `calls/1.jsonl 4 260 malformed - | ` + malformedDetail, later}
	wantRows(t, "rejected", s.ask(rawRows), dropped...)
	if report := s.gc(late); report.Run != nil || report.Raws.Files > 0 {
		t.Errorf("again: %+v", report)
	}
	s.wantRight("without raw text")

	// An object that has grown is read again, and so is a whole source: what is rejected
	// already stays as it is.
	grown := s.copied()
	for _, site := range []site{s, grown} {
		if site.dir == grown.dir {
			text, err := os.ReadFile(filepath.Join(site.dir, "raw", "calls", "1.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			site.write("raw/calls/1.jsonl", string(text)+"{\"id\":\"c9\",\"ts\":\"2026-10-06T10:00:00Z\",\"org\":\"ada\",\"op\":\"image.generate\",\"n\":1}\n")
			site.ingest("2026-11-06T00:00:00Z")
		} else if report := site.again("2026-11-06T00:00:00Z", "gateway"); report.Run != nil {
			t.Errorf("read again: %+v", report.Run.Totals)
		}
		wantRows(t, "rejected, read again", site.ask(rawRows), dropped...)
		site.wantRight("read again")
	}
	if blocking := grown.at(late).Lake.State().BlockingRejects(); len(blocking) != 1 || blocking["bad_number"] != 1 {
		t.Errorf("blocking: %v", blocking)
	}
}

// What a re-rating takes back, and what is voided, has its raw text from the logs: rejects
// without text are in nobody's way.
func TestRejectsWithoutRawTextAreInNobodysWay(t *testing.T) {
	t.Parallel()
	s := rejecting(t)
	s.gc("2026-11-05T00:00:00.000001Z")
	s.void("2026-11-06T00:00:00Z", jobs.VoidOptions{EventID: "c1"})
	if report, _ := s.rerate("2026-11-07T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "a test"}); report.Run == nil {
		t.Fatal("nothing was re-rated")
	}
	if got := s.ask(`SELECT raw FROM rejected WHERE reason = 'voided'`); len(got) != 1 || !strings.Contains(got[0], `"c1"`) {
		t.Errorf("voided: %q", got)
	}
	if n := len(s.ask(`SELECT object FROM rejected WHERE raw IS NULL`)); n != 3 {
		t.Errorf("%d rejects without text", n)
	}
	s.wantRight("re-rated")
	if !slices.ContainsFunc(s.manifests(), func(run *lake.Run) bool { return run.Kind == lake.GC }) {
		t.Error("no gc run")
	}
}

// A compaction has made one file of the rejects of four runs: without text, its rows say
// still which run brought each.
func TestGCDropsTheRawTextOfCompactedRejects(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["creditmill.yaml"] += "retention: {rejected: 10 days}\n"
	s := newSite(t, world)
	for i := range 4 {
		s.write(fmt.Sprintf("raw/calls/bad-%d.jsonl", i), fmt.Sprintf(`{"id":"b%d","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":"secret"}`+"\n", i))
		s.ingest("2026-10-25T00:00:00Z")
	}
	s.rate("2026-10-25T00:01:00Z")
	s.closeWith("2026-11-01T07:00:00Z", jobs.CloseOptions{AcceptRejects: true})
	s.run([]step{{"2026-11-02T00:00:00Z", workers["compact"]}})
	const fourth = `SELECT concat_ws(' ', object, reason, coalesce(raw, '-')) FROM rejected WHERE day = '2026-10-04' ORDER BY object`
	if files := s.at("2026-11-02T00:00:00Z").Lake.State().Partition(lake.Rejected, "2026-10-04"); len(files) != 1 || !files[0].Compacted() {
		t.Fatalf("not compacted: %+v", files)
	}
	if report := s.gc("2026-11-03T00:00:00Z"); report.Raws.Rows < 4 {
		t.Errorf("gc: %+v", report.Raws)
	}
	wantRows(t, "rejected", s.ask(fourth), "calls/bad-0.jsonl bad_number -", "calls/bad-1.jsonl bad_number -", "calls/bad-2.jsonl bad_number -", "calls/bad-3.jsonl bad_number -")
	if files := s.at("2026-11-03T00:00:00Z").Lake.State().Partition(lake.Rejected, "2026-10-04"); len(files) != 1 || !slices.Equal(files[0].Origins(), []int64{1, 2, 3, 4}) {
		t.Errorf("files %+v", files)
	}
	s.wantRight("without text")
	if report := s.again("2026-11-04T00:00:00Z", "gateway"); report.Run != nil {
		t.Errorf("read again: %+v", report.Run.Totals)
	}
	s.wantRebuilt()
}
