package jobs_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func wantRows(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// By hand: ada's calls cost 8 and 6 credits; her allowance of 10 pays 8 + 2, and 4
// are overage at 0.50. bob's cost 2 and 6; his pack of 5 pays 2 + 3, and 3 are
// denied, for he has no plan.
func TestAMonthFromLogToInvoice(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	wantRows(t, "burns", s.ask(`SELECT concat_ws(' ', account, event_id, kind, credits) FROM burns ORDER BY account, posted_at, kind`),
		"ada c1 allowance 8.000000", "ada c2 allowance 2.000000", "ada c2 overage 4.000000",
		"bob c3 pack 2.000000", "bob c4 denied 3.000000", "bob c4 pack 3.000000")
	wantRows(t, "invoices", s.ask(`SELECT concat_ws(' ', number, account, subtotal, tax, total, paid, amount_due) FROM invoices ORDER BY number`),
		"INV-2026-000001 ada 12.0000 0.0000 12.0000 0.0000 12.0000", "INV-2026-000002 bob 4.0000 0.0000 4.0000 4.0000 0.0000")
	wantRows(t, "lines", s.ask(`SELECT concat_ws(' ', number, line, kind, item, quantity, amount) FROM invoice_lines ORDER BY number, line`),
		"INV-2026-000001 1 fee basic 1.000000 10.0000", "INV-2026-000001 2 overage basic/1 4.000000 2.0000",
		"INV-2026-000002 1 pack starter 1.000000 4.0000")
	wantRows(t, "rejects", s.ask(`SELECT concat_ws(' ', reason, object, line) FROM rejected`), "duplicate calls/1.jsonl 4")
	wantRows(t, "objects", s.ask(`SELECT concat_ws(' ', object, records, events, rejects, skipped, run) FROM objects ORDER BY object`),
		"accounts/2026-10.jsonl 4 4 0 0 1", "calls/1.jsonl 4 3 1 0 1", "calls/2.jsonl 2 2 0 0 1")
	wantRows(t, "periods", s.ask(`SELECT concat_ws(' ', period, state, cut_run, close_run) FROM periods ORDER BY period`), "2026-10 closed 4 5", "2026-11 open")
}

func TestRunningEverythingAgainCommitsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	head, want := s.at("2026-11-01T07:00:00Z").Lake.State().Head, s.rows()
	m := s.at("2026-11-01T07:00:00Z")
	ingested, err := m.Ingest(t.Context())
	if err != nil || ingested.Run != nil {
		t.Errorf("ingest again: run %v, %v", ingested.Run, err)
	}
	rated, err := m.Rate(t.Context())
	if err != nil || rated.Run != nil {
		t.Errorf("rate again: run %v, %v", rated.Run, err)
	}
	closed, err := m.Close(t.Context(), jobs.CloseOptions{Period: october})
	if err != nil || closed.Run != nil || closed.Already == nil || closed.Already.CloseRun != head {
		t.Errorf("close again: %+v, %v", closed, err)
	}
	if got := m.Lake.State().Head; got != head {
		t.Errorf("the head is run %d, want %d", got, head)
	}
	if got := s.rows(); !reflect.DeepEqual(got, want) {
		t.Error("rows changed")
	}
}

func TestApplyAgainCommitsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:3])
	report, err := s.at(month[2].now).Apply(t.Context())
	if err != nil || report.Run != nil {
		t.Errorf("apply again: run %v, %v", report.Run, err)
	}
}

func TestCloseComesInOrderAndNotTooEarly(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	for _, c := range []struct{ now, period, want string }{
		{"2026-11-01T05:59:59Z", "2026-10", "may be closed from 2026-11-01T06:00:00Z on"},
		{"2026-12-02T00:00:00Z", "2026-11", "cannot be closed before 2026-10"},
		{"2026-12-02T00:00:00Z", "2026-09", "before the lake's first period"},
	} {
		_, err := s.at(c.now).Close(t.Context(), jobs.CloseOptions{Period: mustPeriod(c.period)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("close %s at %s: %v, want %q", c.period, c.now, err, c.want)
		}
	}
	report, err := s.at("2026-10-15T00:00:00Z").Close(t.Context(), jobs.CloseOptions{})
	if err != nil || report.Run != nil {
		t.Errorf("close of whatever may be closed, in mid-month: %+v, %v", report, err)
	}
}

// close tries to close October and returns the reasons it is refused for.
func (s site) closeOctober(o jobs.CloseOptions) (jobs.CloseReport, []string) {
	s.t.Helper()
	o.Period = october
	report, err := s.at("2026-11-01T07:00:00Z").Close(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	var reasons []string
	for _, b := range report.Blocks {
		reasons = append(reasons, b.Reason)
		if b.Count == 0 || len(b.Examples) == 0 && !strings.HasPrefix(b.Reason, "rejected") || b.Resolve == "" {
			s.t.Errorf("a block that explains nothing: %+v", b)
		}
	}
	return report, reasons
}

func TestCloseRefusesWhatNobodyHasLookedAt(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/3.jsonl", `
{"id":"d1","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.resize"}
{"id":"d2","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}
{"id":"d3","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.generate"}
{"id":"d4","ts":"yesterday","org":"ada","op":"image.generate","n":1}
{"id":"d5","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d6","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d7","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d8","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d9","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d10","ts":"2026-10-22T12:00:00Z","org":"ada","op":"image.free","n":1}
`)
	s.write("raw/accounts/more.jsonl", `{"id":"x1","type":"pack.purchased","account":"bob","at":"2026-10-09T00:00:00Z","pack":"nosuch"}`)
	_, reasons := s.closeOctober(jobs.CloseOptions{})
	if len(reasons) != 5 {
		t.Fatalf("reasons %q, want three held calls, a held account event and a reject", reasons)
	}
	for i, want := range []string{"held calls: account_not_opened", "held calls: no_rule", "held calls: null_quantity", "held account events: ", "rejected records: bad_time"} {
		if !strings.HasPrefix(reasons[i], want) {
			t.Errorf("reason %d is %q, want %q", i, reasons[i], want)
		}
	}
	if _, cut := s.at("2026-11-01T07:00:00Z").Lake.State().Open(october); cut {
		t.Fatal("a refused close has cut the period")
	}

	report, reasons := s.closeOctober(jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
	if len(reasons) > 0 || report.Run == nil {
		t.Fatalf("with the flags: %q", reasons)
	}
	wantRows(t, "held calls moved to November", s.ask(`SELECT concat_ws(' ', event_id, period, posted_at, late, held) FROM rated WHERE held IS NOT NULL ORDER BY event_id`),
		"d1 2026-11 2026-11-01 00:00:00 true no_rule", "d2 2026-11 2026-11-01 00:00:00 true account_not_opened", "d3 2026-11 2026-11-01 00:00:00 true null_quantity")
	wantRows(t, "held account events moved to November", s.ask(`SELECT concat_ws(' ', event_id, posted_at) FROM account_events WHERE held IS NOT NULL`), "x1 2026-11-01 00:00:00")
	wantRows(t, "October counts them", s.ask(`SELECT concat_ws(' ', account, operation, calls, held_calls) FROM statements WHERE held_calls > 0 ORDER BY ALL`),
		"ada image.generate 2 1", "ada image.resize 0 1", "eve image.generate 0 1")
	if blocking := s.at("2026-11-02T00:00:00Z").Lake.State().BlockingRejects(); len(blocking) > 0 {
		t.Errorf("accepted rejects still block: %v", blocking)
	}
}

func TestLateUsagePostsToTheOpenPeriod(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/calls/late.jsonl", `{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	m := s.at("2026-11-02T00:00:00Z")
	if _, err := m.Ingest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, "late usage", s.ask(`SELECT concat_ws(' ', event_id, period, time, posted_at, late) FROM rated WHERE late`),
		"l1 2026-11 2026-10-30 10:00:00 2026-11-01 00:00:00 true")
}

func TestACorrectedPriceRatesAgainBeforeClose(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	s.write("prices/api-2.yaml", strings.NewReplacer("version: 1", "version: 2", "credits: 2", "credits: 3").Replace(tiny["prices/api.yaml"]))
	report, err := s.at("2026-10-26T00:00:00Z").Rate(t.Context())
	if err != nil || report.Run == nil {
		t.Fatalf("rate: %+v, %v", report, err)
	}
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, price_version, credits) FROM rated ORDER BY event_id`),
		"c1 2 12.000000", "c2 2 9.000000", "c3 2 3.000000", "c4 2 9.000000", "c5 2 0.000000")
	if again, err := s.at("2026-10-26T00:00:00Z").Rate(t.Context()); err != nil || again.Run != nil {
		t.Errorf("rate again: %v, %v", again.Run, err)
	}
}

func TestAnAccountOpenedLaterReleasesItsCalls(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/eve.jsonl", `{"id":"e1","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}`)
	s.run(month[:2])
	wantRows(t, "held", s.ask(`SELECT concat_ws(' ', event_id, credits, held) FROM rated WHERE held IS NOT NULL`), "e1 0.000000 account_not_opened")
	s.write("raw/accounts/eve.jsonl", `{"id":"e","type":"account.opened","account":"eve","at":"2026-10-22T00:00:00Z"}`)
	s.run(month[:2])
	wantRows(t, "released", s.ask(`SELECT concat_ws(' ', event_id, credits, coalesce(held, 'free')) FROM rated WHERE account = 'eve'`), "e1 2.000000 free")
}

// Held calls that a close leaves behind post to November, in which eve is opened
// before the close of October.
func TestAnAccountOpenedBeforeTheCutReleasesWhatTheCutMoves(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/eve.jsonl", `{"id":"e1","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}`)
	s.write("raw/accounts/eve.jsonl", `{"id":"e","type":"account.opened","account":"eve","at":"2026-11-01T06:00:00Z"}`)
	if _, reasons := s.closeOctober(jobs.CloseOptions{LeaveHeld: true}); len(reasons) > 0 {
		t.Fatalf("close: %q", reasons)
	}
	wantRows(t, "moved", s.ask(`SELECT concat_ws(' ', event_id, period, held) FROM rated WHERE account = 'eve'`), "e1 2026-11 account_not_opened")
	s.rate("2026-11-02T00:00:00Z")
	wantRows(t, "released", s.ask(`SELECT concat_ws(' ', event_id, period, late, credits, coalesce(held, 'free')) FROM rated WHERE account = 'eve'`), "e1 2026-11 true 2.000000 free")
	if again := s.rate("2026-11-02T00:01:00Z"); again.Run != nil {
		t.Errorf("rate again: %+v", again.Run)
	}
}

func TestAUsedVersionMustNotChange(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	s.write("prices/api.yaml", strings.Replace(tiny["prices/api.yaml"], "credits: 2", "credits: 3", 1))
	_, err := s.open("2026-10-26T00:00:00Z", nil)
	var configError jobs.ConfigError
	if !errors.As(err, &configError) || !strings.Contains(err.Error(), "prices/api.yaml") || !strings.Contains(err.Error(), "api version 1") || !strings.Contains(err.Error(), "run 2") {
		t.Errorf("a changed version gives %v", err)
	}
}

func TestTheFirstRunFixesPeriodZoneAndCurrency(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	s.write("creditmill.yaml", tiny["creditmill.yaml"]+"timezone: Europe/Madrid\ncurrency: EUR\n")
	_, err := s.open("2026-10-26T00:00:00Z", nil)
	if err == nil || !strings.Contains(err.Error(), "timezone is Europe/Madrid") || !strings.Contains(err.Error(), "currency is EUR") {
		t.Errorf("a changed founding gives %v", err)
	}
}

func TestAnObjectOfTwoSourcesIsAConfigurationError(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("sources/twin.yaml", strings.Replace(tiny["sources/gateway.yaml"], "source: gateway", "source: twin", 1))
	_, err := s.at("2026-10-25T00:00:00Z").Ingest(t.Context())
	var configError jobs.ConfigError
	if !errors.As(err, &configError) || !strings.Contains(err.Error(), `calls/1.jsonl": both source gateway`) {
		t.Errorf("ingest gives %v", err)
	}
}

func TestCallsRacingForTheLogAllEndInIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	mills := make([]*jobs.Mill, 4)
	for i := range mills {
		mills[i] = s.at("2026-11-01T07:00:00Z")
	}
	var done sync.WaitGroup
	errs := make([]error, len(mills))
	for i, m := range mills {
		done.Go(func() { _, errs[i] = m.Close(t.Context(), jobs.CloseOptions{Period: october}) })
	}
	done.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("close %d: %v", i, err)
		}
	}
	closes := 0
	for _, run := range s.runs() {
		if run.Kind == lake.Close {
			closes++
		}
	}
	if closes != 1 {
		t.Errorf("%d closes, want one", closes)
	}
	wantRows(t, "invoice numbers", s.ask("SELECT number FROM invoices ORDER BY number"), "INV-2026-000001", "INV-2026-000002")
}

// The same call logged twice with different times, days and runs apart: ingest sees
// no twin among the same days' calls, close does.
func TestACopyWithAnotherTimeCountsOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	s.write("raw/calls/copy.jsonl", `{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}`)
	s.run(month[:2])
	wantRows(t, "usage before the close", s.ask(`SELECT concat_ws(' ', event_id, object) FROM usage WHERE event_id = 'c3' ORDER BY object`),
		"c3 calls/1.jsonl", "c3 calls/copy.jsonl")
	_, reasons := s.closeOctober(jobs.CloseOptions{})
	wantRows(t, "reasons", reasons, "rejected records: conflict")
	report, _ := s.closeOctober(jobs.CloseOptions{AcceptRejects: true})
	if report.Run == nil {
		t.Fatalf("close: %+v", report)
	}
	wantRows(t, "usage", s.ask(`SELECT concat_ws(' ', event_id, object, line) FROM usage WHERE event_id = 'c3'`), "c3 calls/1.jsonl 3")
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, object, line) FROM rated WHERE event_id = 'c3'`), "c3 calls/1.jsonl 3")
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', object, line, reason, day, detail) FROM rejected WHERE reason = 'conflict'`),
		"calls/copy.jsonl 1 conflict 2026-10-09 another copy of call c3 of account bob came first: calls/1.jsonl line 3")
	wantRows(t, "objects add up", s.ask(`SELECT concat_ws(' ', records, events, rejects, skipped) FROM objects WHERE object = 'calls/copy.jsonl'`), "1 0 1 0")
	wantRows(t, "bob's burns", s.ask(`SELECT concat_ws(' ', event_id, kind, credits) FROM burns WHERE account = 'bob' ORDER BY posted_at, kind`),
		"c3 pack 2.000000", "c4 denied 3.000000", "c4 pack 3.000000")
}

func TestALateCopyOfAClosedPeriodCountsOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/calls/late.jsonl", `{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}`)
	report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{AcceptRejects: true})
	if err != nil || report.Run == nil {
		t.Fatalf("close: %+v, %v", report, err)
	}
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, object, period) FROM rated WHERE event_id = 'c3'`), "c3 calls/1.jsonl 2026-10")
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', object, reason) FROM rejected WHERE reason = 'conflict'`), "calls/late.jsonl conflict")
}

// runs are the manifests of the lake, oldest first.
func (s site) runs() []*lake.Run {
	s.t.Helper()
	whole, err := lake.OpenWhole(s.t.Context(), s.at("2026-12-01T00:00:00Z").Lake.Store)
	if err != nil {
		s.t.Fatal(err)
	}
	return whole.State().Since(0)
}
