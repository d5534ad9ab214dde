package jobs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func (s site) again(now, name string) jobs.IngestReport {
	s.t.Helper()
	report, err := s.at(now).IngestAgain(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// The mapping looks for the time under a wrong name; reading again with the right one
// makes calls of what was rejected, each once.
func TestReadingAgainMakesCallsOfRejects(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("sources/gateway.yaml", strings.Replace(tiny["sources/gateway.yaml"], "time: ts", "time: at", 1))
	s.write("raw/calls/3.jsonl", `
{"id":"d1","at":"2026-10-06T10:00:00Z","ts":"2026-10-07T10:00:00Z","org":"ada","op":"image.generate","n":1}
{broken
`)
	s.ingest("2026-10-25T00:00:00Z")
	wantRows(t, "objects", s.ask(objectRows), "accounts/2026-10.jsonl 4 = 4 0 0 run 1",
		"calls/1.jsonl 4 = 0 4 0 run 1", "calls/2.jsonl 2 = 0 2 0 run 1", "calls/3.jsonl 2 = 1 1 0 run 1")

	s.write("sources/gateway.yaml", tiny["sources/gateway.yaml"])
	s.write("raw/calls/4.jsonl", `{"id":"d2","ts":"2026-10-08T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	report := s.again("2026-10-25T00:00:00Z", "gateway")
	if report.Run == nil || report.Again.Objects != 3 || report.Again.Unchanged != 1 || report.Superseded["missing_field"] != 6 {
		t.Fatalf("again: %+v, %+v", report, report.Again)
	}
	totals := report.Run.Totals
	if totals.Records != 7 || totals.Events != 6 || totals.Rejects["duplicate"] != 1 || totals.Skipped != 0 || totals.Superseded["missing_field"] != 6 {
		t.Errorf("totals: %+v", totals)
	}
	wantRows(t, "usage", s.ask(`SELECT concat_ws(' ', event_id, object, line, "time") FROM usage ORDER BY ALL`),
		"c1 calls/1.jsonl 1 2026-10-03 10:00:00", "c2 calls/1.jsonl 2 2026-10-04 10:00:00", "c3 calls/1.jsonl 3 2026-10-05 10:00:00",
		"c4 calls/2.jsonl 1 2026-10-20 10:00:00", "c5 calls/2.jsonl 2 2026-10-21 10:00:00",
		"d1 calls/3.jsonl 1 2026-10-06 10:00:00", "d2 calls/4.jsonl 1 2026-10-08 10:00:00")
	wantRows(t, "rejected", s.ask(rejectedRows), "calls/1.jsonl 4 duplicate", "calls/3.jsonl 2 malformed")
	wantRows(t, "objects", s.ask(objectRows), "accounts/2026-10.jsonl 4 = 4 0 0 run 1",
		"calls/1.jsonl 4 = 0 0 4 run 1", "calls/1.jsonl 4 = 3 1 0 run 2", "calls/2.jsonl 2 = 0 0 2 run 1", "calls/2.jsonl 2 = 2 0 0 run 2",
		"calls/3.jsonl 2 = 1 1 0 run 1", "calls/4.jsonl 1 = 1 0 0 run 2")
	if blocking := s.at("2026-10-26T00:00:00Z").Lake.State().BlockingRejects(); len(blocking) != 1 || blocking["malformed"] != 1 {
		t.Errorf("blocking: %v", blocking)
	}

	head := s.at("2026-10-26T00:00:00Z").Lake.State().Head
	if report := s.again("2026-10-26T00:00:00Z", "gateway"); report.Run != nil || report.Again.Unchanged != 4 {
		t.Errorf("once more: %+v, %+v", report, report.Again)
	}
	if report := s.again("2026-10-26T00:00:00Z", "accounts"); report.Run != nil || report.Again.Objects != 1 {
		t.Errorf("account events: %+v, %+v", report, report.Again)
	}
	if now := s.at("2026-10-26T00:00:00Z").Lake.State().Head; now != head {
		t.Errorf("run %d says nothing", now)
	}
}

func TestReadingAgainTakesASourceOrAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	_, err := s.at("2026-10-26T00:00:00Z").IngestAgain(t.Context(), "gatway")
	if !errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), `no object "gatway": the sources are accounts, gateway; the objects are accounts/2026-10.jsonl, calls/1.jsonl, calls/2.jsonl`) {
		t.Errorf("an unknown name: %v", err)
	}
	if err := os.Remove(filepath.Join(s.dir, "raw", "calls", "2.jsonl")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.at("2026-10-26T00:00:00Z").IngestAgain(t.Context(), "calls/2.jsonl"); err == nil || errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), "is not there any more") {
		t.Errorf("an object that is gone: %v", err)
	}
	report := s.again("2026-10-26T00:00:00Z", "gateway")
	if report.Run != nil || report.Again.Objects != 1 || len(report.Again.Gone) != 1 || report.Again.Gone[0] != "calls/2.jsonl" {
		t.Errorf("a source with an object that is gone: %+v", report.Again)
	}
	if report := s.again("2026-10-26T00:00:00Z", "calls/1.jsonl"); report.Run != nil || report.Again.Objects != 1 || report.Again.Unchanged != 1 {
		t.Errorf("a key: %+v", report.Again)
	}
}

// A mapping mended for the worse: the object is over max_rejected now, and what it
// gave stands.
func TestReadingAgainWithTooManyRejectsChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	want := s.rows()
	s.write("sources/gateway.yaml", strings.Replace(tiny["sources/gateway.yaml"], "time: ts", "time: nosuch", 1)+"max_rejected: 10%\n")
	report := s.again("2026-10-26T00:00:00Z", "gateway")
	if report.Run != nil || len(report.Again.NotRead) != 2 || len(report.Unread) != 0 {
		t.Errorf("%+v, %+v", report, report.Again)
	}
	wantRows(t, "usage", s.rows()["usage"], want["usage"]...)

	s.write("raw/calls/new.jsonl", "{}")
	if report := s.again("2026-10-26T00:00:00Z", "gateway"); report.Run == nil || len(report.Unread) != 1 || len(report.Again.NotRead) != 2 {
		t.Errorf("with a new object that is not taken in: %+v, %+v", report, report.Again)
	}
	s.write("sources/gateway.yaml", tiny["sources/gateway.yaml"]+"max_rejected: 100%\n")
	if report := s.again("2026-10-26T00:00:00Z", "calls/new.jsonl"); report.Run == nil || len(report.Unread) != 0 || report.Again.Objects != 0 {
		t.Errorf("tried again: %+v, %+v", report, report.Again)
	}
}

// Rejects that a close has accepted stay accepted, also where the reason is another
// one now, or they vanish.
func TestReadingAgainLeavesAcceptedRejectsAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/3.jsonl", `
{"id":"d1","ts":"2026-10-06T10:00:00Z","org":"ada","op":"image.generate","n":"x"}
{"id":"","ts":"2026-10-06T10:00:00Z","org":"ada","op":"image.generate","n":"x"}
{"id":"d3","ts":"2026-10-06T10:00:00Z","org":"ada","op":"image.generate","n":"x","images":1}
{"id":"d4","org":"ada","op":"image.generate","n":"x","images":1}
{"id":"c1","ts":"2026-10-03T11:00:00Z","org":"ada","op":"image.generate","n":4}
`)
	s.run(month[:3])
	if report, reasons := s.closeOctober(jobs.CloseOptions{AcceptRejects: true}); report.Run == nil {
		t.Fatalf("close: %q", reasons)
	}
	s.write("sources/gateway.yaml", strings.NewReplacer("{id: id,", "{id: images,", "images: n", "images: images").Replace(tiny["sources/gateway.yaml"]))
	report := s.again("2026-11-02T00:00:00Z", "calls/3.jsonl")
	if report.Run == nil {
		t.Fatalf("again: %+v", report)
	}
	// d1 and c1 lack the id now, as the second does, d3 is a call, and d4 has no time as before.
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', line, reason) FROM rejected WHERE object = 'calls/3.jsonl' ORDER BY line`),
		"1 missing_field", "2 missing_field", "4 missing_field", "5 missing_field")
	if totals := report.Run.Totals; totals.Events != 1 || totals.Rejects["missing_field"] != 2 || totals.Accepted["missing_field"] != 2 || len(totals.Superseded) != 0 {
		t.Errorf("totals: %+v", totals)
	}
	if blocking := s.at("2026-11-02T00:00:00Z").Lake.State().BlockingRejects(); len(blocking) != 0 {
		t.Errorf("blocking: %v", blocking)
	}
	// What has been accepted stays so through another reading.
	s.write("sources/gateway.yaml", tiny["sources/gateway.yaml"])
	s.again("2026-11-03T00:00:00Z", "calls/3.jsonl")
	if blocking := s.at("2026-11-03T00:00:00Z").Lake.State().BlockingRejects(); len(blocking) != 0 {
		t.Errorf("blocking after another reading: %v", blocking)
	}
}

// What was taken back, or found to be a copy by a close, is not a call again.
func TestReadingAgainLeavesVoidedCallsAndCopies(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{EventID: "c2"})
	s.write("raw/calls/copy.jsonl", `{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}`+"\n")
	s.ingest("2026-10-26T00:00:00Z")
	s.rate("2026-10-26T00:00:00Z")
	if _, reasons := s.closeOctober(jobs.CloseOptions{}); len(reasons) != 1 {
		t.Fatalf("close: %q", reasons)
	}
	want, rejected := s.ask(usageRows), s.ask(rejectedRows)
	if report := s.again("2026-11-01T08:00:00Z", "gateway"); report.Run != nil {
		t.Errorf("again: %+v, %+v", report.Run.Totals, report.Again)
	}
	// They are none either where their objects have grown.
	s.write("raw/calls/copy.jsonl", `{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}`+"\n{broken\n")
	s.write("raw/calls/1.jsonl", tiny["raw/calls/1.jsonl"]+"{broken\n")
	if report := s.ingest("2026-11-01T08:00:00Z"); report.Totals.Rejects["malformed"] != 2 || report.Totals.Skipped != 5 {
		t.Errorf("grown: %+v", report.Totals)
	}
	wantRows(t, "usage", s.ask(usageRows), want...)
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', object, line, reason) FROM rejected WHERE reason <> 'malformed' ORDER BY object, line, reason`), rejected...)
}

// Copies that a close takes out, and their files: what stays is not rated again, and
// posts where it did.
func TestCallsBesideACopyAreRatedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	s.write("raw/calls/copy.jsonl", `
{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"k1","ts":"2026-10-09T11:00:00Z","org":"bob","op":"image.generate","n":1}
`)
	s.ingest("2026-10-26T00:00:00Z")
	s.rate("2026-10-26T00:00:00Z")
	if _, reasons := s.closeOctober(jobs.CloseOptions{}); len(reasons) != 1 {
		t.Fatalf("close: %q", reasons)
	}
	s.write("raw/calls/more.jsonl", `{"id":"m1","ts":"2026-10-10T11:00:00Z","org":"bob","op":"image.generate","n":1}`)
	if report, reasons := s.closeOctober(jobs.CloseOptions{AcceptRejects: true}); report.Run == nil {
		t.Fatalf("close: %q", reasons)
	}
	s.write("raw/calls/nov.jsonl", `{"id":"n1","ts":"2026-11-01T11:00:00Z","org":"bob","op":"image.generate","n":1}`)
	s.ingest("2026-11-02T00:00:00Z")
	s.rate("2026-11-02T00:00:00Z")
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, period) FROM rated WHERE account = 'bob' ORDER BY ALL`),
		"c3 2026-10", "c4 2026-10", "c5 2026-10", "k1 2026-10", "m1 2026-10", "n1 2026-11")
	if unread := s.at("2026-11-02T00:00:00Z").Lake.State().Files(lake.Rated); len(unread) == 0 {
		t.Error("nothing is rated")
	}
}
