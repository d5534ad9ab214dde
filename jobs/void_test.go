package jobs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func (s site) void(now string, o jobs.VoidOptions) jobs.VoidReport {
	s.t.Helper()
	if o.Reason == "" {
		o.Reason = "a load test"
	}
	report, err := s.at(now).Void(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

func (s site) ingest(now string) jobs.IngestReport {
	s.t.Helper()
	report, err := s.at(now).Ingest(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

func (s site) rate(now string) jobs.RateReport {
	s.t.Helper()
	report, err := s.at(now).Rate(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

const (
	usageRows    = `SELECT concat_ws(' ', event_id, account, object, line) FROM usage ORDER BY event_id, object, line`
	ratedRows    = `SELECT concat_ws(' ', event_id, period, credits, coalesce(held, '-')) FROM rated ORDER BY event_id, period`
	rejectedRows = `SELECT concat_ws(' ', object, line, reason) FROM rejected ORDER BY object, line, reason`
	objectRows   = `SELECT concat_ws(' ', object, records || ' =', events, rejects, skipped, 'run', run) FROM objects ORDER BY object, run`
)

func TestAVoidedCallLeavesUsageAndRated(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:3])
	report := s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{EventID: "c2", Reason: "logged twice under other ids"})
	if report.Run == nil || report.Run.Kind != lake.Void || report.Calls != 1 || report.Pending != 0 || report.Credits != "6.000000" || report.NoRaw != 0 {
		t.Errorf("void: %+v", report)
	}
	if totals := report.Run.Totals; totals.Calls != 1 || totals.Rejects["voided"] != 1 || totals.Credits["voided"] != "6.000000" {
		t.Errorf("totals: %+v", totals)
	}
	wantRows(t, "usage", s.ask(usageRows), "c1 ada calls/1.jsonl 1", "c3 bob calls/1.jsonl 3", "c4 bob calls/2.jsonl 1", "c5 bob calls/2.jsonl 2")
	wantRows(t, "rated", s.ask(ratedRows), "c1 2026-10 8.000000 -", "c3 2026-10 2.000000 -", "c4 2026-10 6.000000 -", "c5 2026-10 0.000000 -")
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' | ', object, line, coalesce(byte_offset, -1), reason, detail, raw, day) FROM rejected WHERE reason = 'voided'`),
		`calls/1.jsonl | 2 | -1 | voided | call c2 of account ada was voided: logged twice under other ids | {"id":"c2","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":3} | 2026-10-04`)
	wantRows(t, "objects", s.ask(objectRows), "accounts/2026-10.jsonl 4 = 4 0 0 run 1", "calls/1.jsonl 4 = 2 2 0 run 1", "calls/2.jsonl 2 = 2 0 0 run 1")
	wantRows(t, "voided", s.ask(`SELECT concat_ws(' ', event_id, account, images, read_by, void_reason, void_pending, void_run) FROM voided`),
		"c2 ada 3 1 logged twice under other ids false 4")
	if blocking := s.at("2026-10-26T00:00:00Z").Lake.State().BlockingRejects(); len(blocking) > 0 {
		t.Errorf("a voided call blocks the close: %v", blocking)
	}
	if rated := s.rate("2026-10-26T00:00:00Z"); rated.Run != nil {
		t.Errorf("the calls that stayed are rated again: %+v", rated.Run.Totals)
	}

	again := s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{EventID: "c2"})
	if again.Run != nil || len(again.Before) != 1 || again.Before[0].Run != 4 || again.Before[0].Pending {
		t.Errorf("void again: %+v", again)
	}
	if _, reasons := s.closeOctober(jobs.CloseOptions{}); len(reasons) > 0 {
		t.Fatalf("close: %q", reasons)
	}
	// ada's 8 credits lie within her allowance of 10: no overage.
	wantRows(t, "burns", s.ask(`SELECT concat_ws(' ', event_id, kind, credits) FROM burns WHERE account = 'ada'`), "c1 allowance 8.000000")
}

func TestAVoidBeforeRating(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	if report := s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{EventID: "c1"}); report.Calls != 1 || report.Pending != 0 || report.Credits != "0.000000" {
		t.Errorf("void: %+v", report)
	}
	s.rate("2026-10-26T00:00:00Z")
	wantRows(t, "rated", s.ask(ratedRows), "c2 2026-10 6.000000 -", "c3 2026-10 2.000000 -", "c4 2026-10 6.000000 -", "c5 2026-10 0.000000 -")
}

func TestAVoidedIDStaysTaken(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{EventID: "c3"})
	s.write("raw/calls/3.jsonl", `
{"id":"c3","ts":"2026-10-05T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"c3","ts":"2026-10-05T10:00:00Z","org":"bob","op":"image.generate","n":2}
{"id":"c3","ts":"2026-10-05T11:00:00Z","org":"bob","op":"image.generate","n":1}
`)
	s.ingest("2026-10-26T00:00:00Z")
	s.write("raw/calls/4.jsonl", `{"id":"c3","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}`)
	s.ingest("2026-10-26T00:00:00Z")
	wantRows(t, "rejected", s.ask(rejectedRows), "calls/1.jsonl 3 voided", "calls/1.jsonl 4 duplicate",
		"calls/3.jsonl 1 duplicate", "calls/3.jsonl 2 conflict", "calls/3.jsonl 3 conflict")
	wantRows(t, "another day, before the close", s.ask(`SELECT object FROM usage WHERE event_id = 'c3'`), "calls/4.jsonl")
	if _, reasons := s.closeOctober(jobs.CloseOptions{AcceptRejects: true}); len(reasons) > 0 {
		t.Fatalf("close: %q", reasons)
	}
	wantRows(t, "another day, after the close", s.ask(`SELECT object FROM usage WHERE event_id = 'c3'`))
	wantRows(t, "rejected by the close", s.ask(`SELECT concat_ws(' ', object, line, reason, detail) FROM rejected WHERE object = 'calls/4.jsonl'`),
		"calls/4.jsonl 1 conflict another copy of call c3 of account bob came first: calls/1.jsonl line 3")
	wantRows(t, "bob's burns", s.ask(`SELECT concat_ws(' ', event_id, kind, credits) FROM burns WHERE account = 'bob' ORDER BY posted_at, kind`),
		"c4 denied 1.000000", "c4 pack 5.000000")
	// Another month is another call.
	s.write("raw/calls/5.jsonl", `{"id":"c3","ts":"2026-11-05T10:00:00Z","org":"bob","op":"image.generate","n":1}`)
	s.ingest("2026-11-06T00:00:00Z")
	wantRows(t, "another month", s.ask(`SELECT object FROM usage WHERE event_id = 'c3'`), "calls/5.jsonl")
}

func TestAVoidOfAWholeObject(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	report := s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{Object: "calls/1.jsonl"})
	if report.Calls != 3 || len(report.Listed) != 3 || report.Credits != "16.000000" {
		t.Errorf("void: %+v", report)
	}
	wantRows(t, "usage", s.ask(usageRows), "c4 bob calls/2.jsonl 1", "c5 bob calls/2.jsonl 2")
	wantRows(t, "rejected", s.ask(rejectedRows), "calls/1.jsonl 1 voided", "calls/1.jsonl 2 voided", "calls/1.jsonl 3 voided", "calls/1.jsonl 4 duplicate")
	wantRows(t, "objects", s.ask(objectRows), "accounts/2026-10.jsonl 4 = 4 0 0 run 1", "calls/1.jsonl 4 = 0 4 0 run 1", "calls/2.jsonl 2 = 2 0 0 run 1")
	// It grows: its lines stay what they are.
	s.write("raw/calls/1.jsonl", tiny["raw/calls/1.jsonl"]+`{"id":"c9","ts":"2026-10-05T12:00:00Z","org":"bob","op":"image.generate","n":1}`)
	s.ingest("2026-10-26T00:00:00Z")
	wantRows(t, "usage of the grown object", s.ask(usageRows), "c4 bob calls/2.jsonl 1", "c5 bob calls/2.jsonl 2", "c9 bob calls/1.jsonl 5")
	wantRows(t, "objects", s.ask(objectRows)[1:3], "calls/1.jsonl 4 = 0 4 0 run 1", "calls/1.jsonl 5 = 1 0 4 run 4")
}

func TestTheRawTextOfAVoidedCallThatIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	if err := os.Remove(filepath.Join(s.dir, "raw", "calls", "1.jsonl")); err != nil {
		t.Fatal(err)
	}
	s.write("raw/calls/2.jsonl", "changed")
	for _, id := range []string{"c1", "c4"} {
		if report := s.void("2026-10-26T00:00:00Z", jobs.VoidOptions{EventID: id}); report.NoRaw != 1 {
			t.Errorf("%s: %+v", id, report)
		}
	}
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', object, line, coalesce(raw, '-')) FROM rejected WHERE reason = 'voided' ORDER BY ALL`),
		"calls/1.jsonl 1 -", "calls/2.jsonl 1 -")
}

func TestAVoidOfAClosedPeriodWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	before := s.ask(ratedRows)
	report := s.void("2026-11-02T00:00:00Z", jobs.VoidOptions{EventID: "c4"})
	if report.Run == nil || report.Calls != 1 || report.Pending != 1 || !report.Listed[0].Pending || report.Listed[0].Period != "2026-10" {
		t.Fatalf("void: %+v", report)
	}
	wantRows(t, "rated", s.ask(ratedRows), before...)
	wantRows(t, "voided", s.ask(`SELECT concat_ws(' ', event_id, void_pending, void_run) FROM voided`), "c4 true 6")
	wantRows(t, "rejected", s.ask(rejectedRows), "calls/1.jsonl 4 duplicate")
	status, err := s.at("2026-11-02T00:00:00Z").Status(t.Context())
	if err != nil || status.PendingVoids != 1 {
		t.Errorf("status: %d pending, %v", status.PendingVoids, err)
	}
	if again := s.void("2026-11-02T00:00:00Z", jobs.VoidOptions{EventID: "c4"}); again.Run != nil || len(again.Before) != 1 || !again.Before[0].Pending {
		t.Errorf("void again: %+v", again)
	}
	// Nothing that comes later takes it for a copy of itself.
	s.write("raw/calls/late.jsonl", `{"id":"c4","ts":"2026-10-22T10:00:00Z","org":"bob","op":"image.generate","n":1}`)
	if report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{AcceptRejects: true}); err != nil || report.Run == nil {
		t.Fatalf("close: %+v, %v", report, err)
	}
	wantRows(t, "usage", s.ask(`SELECT concat_ws(' ', event_id, object) FROM usage WHERE event_id = 'c4'`), "c4 calls/2.jsonl")
	wantRows(t, "rated", s.ask(ratedRows), before...)
}

func TestAVoidOfLateAndHeldUsageIsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/held.jsonl", `{"id":"h1","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.resize"}`)
	s.run(month[:2])
	if report, _ := s.closeOctober(jobs.CloseOptions{LeaveHeld: true}); report.Run == nil {
		t.Fatal("not closed")
	}
	s.write("raw/calls/late.jsonl", `{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	s.ingest("2026-11-02T00:00:00Z")
	s.write("raw/calls/later.jsonl", `{"id":"l2","ts":"2026-10-30T11:00:00Z","org":"ada","op":"image.generate","n":1}`)
	s.rate("2026-11-02T00:00:00Z")
	s.ingest("2026-11-02T00:00:00Z") // l2 is not rated
	for _, id := range []string{"h1", "l1", "l2"} {
		if report := s.void("2026-11-03T00:00:00Z", jobs.VoidOptions{EventID: id}); report.Calls != 1 || report.Pending != 0 {
			t.Errorf("%s: %+v", id, report)
		}
	}
	s.rate("2026-11-03T00:00:00Z")
	wantRows(t, "rated in November", s.ask(`SELECT event_id FROM rated WHERE period = '2026-11'`))
	status, err := s.at("2026-11-03T00:00:00Z").Status(t.Context())
	if err != nil || len(status.Held) > 0 || status.Unrated > 0 {
		t.Errorf("status: %+v, %v", status, err)
	}
}

// A void between the cut and the end of a close finds the month cut: its calls wait.
func TestAVoidDuringAClose(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:3])
	s.write("raw/calls/nov.jsonl", `{"id":"n1","ts":"2026-11-01T01:00:00Z","org":"ada","op":"image.generate","n":1}`)
	s.ingest("2026-11-01T06:30:00Z")
	s.rate("2026-11-01T06:31:00Z")
	var waits, leaves jobs.VoidReport
	cutting := &between{after: lake.Cut, do: func() {
		waits = s.void("2026-11-01T07:00:00Z", jobs.VoidOptions{EventID: "c4"})
		leaves = s.void("2026-11-01T07:00:00Z", jobs.VoidOptions{EventID: "n1"})
	}}
	m, err := s.open("2026-11-01T07:00:00Z", cutting.wrap)
	if err != nil {
		t.Fatal(err)
	}
	report, err := m.Close(t.Context(), jobs.CloseOptions{Period: october})
	if err != nil || report.Run == nil || waits.Pending != 1 || leaves.Calls != 1 || leaves.Pending != 0 {
		t.Fatalf("close: %+v, %v; voids: %+v and %+v", report, err, waits, leaves)
	}
	wantRows(t, "bob's burns", s.ask(`SELECT concat_ws(' ', event_id, kind, credits) FROM burns WHERE account = 'bob' ORDER BY posted_at, kind`),
		"c3 pack 2.000000", "c4 denied 3.000000", "c4 pack 3.000000")
}

// between does something once, behind the commit of the first run of a kind.
type between struct {
	lake.Store
	after lake.Kind
	do    func()
}

func (b *between) wrap(s lake.Store) lake.Store {
	b.Store = s
	return b
}

func (b *between) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	err := b.Store.CreateIfAbsent(ctx, key, data)
	if do := b.do; do != nil && err == nil && strings.Contains(string(data), `"kind": "`+string(b.after)+`"`) {
		b.do = nil
		do()
	}
	return err
}

// Another run commits first: the void is worked out again and finds what that brought.
func TestAVoidThatLosesTheRaceIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:1])
	racing := &racing{do: func() { s.rate("2026-10-25T01:00:00Z") }}
	m, err := s.open("2026-10-25T01:00:00Z", racing.wrap)
	if err != nil {
		t.Fatal(err)
	}
	report, err := m.Void(t.Context(), jobs.VoidOptions{EventID: "c1", Reason: "a test"})
	if err != nil || report.Run.Number != 3 || report.Credits != "8.000000" {
		t.Errorf("void: %+v, %v", report, err)
	}
	wantRows(t, "rated", s.ask(ratedRows), "c2 2026-10 6.000000 -", "c3 2026-10 2.000000 -", "c4 2026-10 6.000000 -", "c5 2026-10 0.000000 -")
	wantRows(t, "voided", s.ask(`SELECT concat_ws(' ', event_id, void_run) FROM voided`), "c1 3")
}

// racing does something once, before the first manifest is created.
type racing struct {
	lake.Store
	do func()
}

func (r *racing) wrap(s lake.Store) lake.Store {
	r.Store = s
	return r
}

func (r *racing) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	if do := r.do; do != nil && strings.HasPrefix(key, "runs/") {
		r.do = nil
		do()
	}
	return r.Store.CreateIfAbsent(ctx, key, data)
}

func TestAVoidIsRefusedWhereItIsNotClearWhatIsMeant(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/twins.jsonl", `
{"id":"t1","ts":"2026-10-05T10:00:00Z","org":"bob","op":"image.free"}
{"id":"t1","ts":"2026-10-06T10:00:00Z","org":"ada","op":"image.free"}
{"id":"t2","ts":"2026-10-31T10:00:00Z","org":"ada","op":"image.free"}
{"id":"t2","ts":"2026-11-01T10:00:00Z","org":"ada","op":"image.free"}
`)
	s.ingest("2026-11-02T00:00:00Z")
	for _, c := range []struct {
		options jobs.VoidOptions
		want    string
		usage   bool
	}{
		{jobs.VoidOptions{EventID: "t1", Reason: "x"}, "\n  --account ada\n  --account bob", true},
		{jobs.VoidOptions{EventID: "t2", Reason: "x"}, "\n  --period 2026-10\n  --period 2026-11", true},
		{jobs.VoidOptions{EventID: "t1", Reason: " "}, "needs a reason", true},
		{jobs.VoidOptions{EventID: "nosuch", Reason: "x"}, `there is no such call: event "nosuch"`, false},
		{jobs.VoidOptions{EventID: "t1", Account: "eve", Reason: "x"}, "there is no such call", false},
		{jobs.VoidOptions{Object: "calls/nosuch", Reason: "x"}, "no object calls/nosuch was read", false},
		{jobs.VoidOptions{Object: "accounts/2026-10.jsonl", Reason: "x"}, "has given no calls", false},
	} {
		_, err := s.at("2026-11-02T00:00:00Z").Void(t.Context(), c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, new(jobs.ConfigError)) != c.usage || errors.Is(err, jobs.ErrNoSuchCall) == c.usage {
			t.Errorf("%+v: %v", c.options, err)
		}
	}
	s.void("2026-11-02T00:00:00Z", jobs.VoidOptions{EventID: "t1", Account: "ada"})
	s.void("2026-11-02T00:00:00Z", jobs.VoidOptions{EventID: "t2", Period: october})
	wantRows(t, "usage", s.ask(`SELECT concat_ws(' ', event_id, account, "time") FROM usage WHERE object = 'calls/twins.jsonl' ORDER BY ALL`),
		"t1 bob 2026-10-05 10:00:00", "t2 ada 2026-11-01 10:00:00")
	// The id is still of two accounts: nobody voids the other one by asking again.
	if _, err := s.at("2026-11-02T00:00:00Z").Void(t.Context(), jobs.VoidOptions{EventID: "t1", Reason: "x"}); !errors.As(err, new(jobs.ConfigError)) {
		t.Errorf("t1 again: %v", err)
	}
}
