package jobs_test

import (
	"testing"

	"github.com/creditmill/creditmill/jobs"
)

// eve calls in October and is opened in November; bob takes back a pack before he buys
// it. The close of October leaves both behind, November lets them go, and a re-rating
// of both leaves them there: nothing differs, nothing waits for December, and the call
// is billed once.
func TestWhatALaterPeriodReleasedStaysThere(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/3.jsonl", `{"id":"d1","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}`)
	s.write("raw/accounts/more.jsonl", `
{"id":"e1","type":"account.opened","account":"eve","at":"2026-11-08T00:00:00Z"}
{"id":"v1","type":"bucket.voided","account":"bob","at":"2026-10-22T00:00:00Z","bucket":"bob/pack/p1"}
{"id":"p1","type":"pack.purchased","account":"bob","at":"2026-10-30T00:00:00Z","pack":"starter"}
`)
	s.run(month[:3])
	s.closeOctober(jobs.CloseOptions{LeaveHeld: true})
	for n, now := range []string{"2026-12-02T00:00:00Z", "2027-01-02T00:00:00Z"} {
		if n == 1 {
			report, differences := s.rerate("2026-12-05T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "to look"})
			if report.Run != nil || len(differences) > 0 {
				t.Errorf("nothing changed, but run %+v, differences %q", report.Run, differences)
			}
		}
		report, err := s.at(now).Close(t.Context(), jobs.CloseOptions{Period: october.Add(n + 1)})
		if err != nil || report.Run == nil {
			t.Fatalf("close: %v, %+v", err, report.Blocks)
		}
	}
	wantRows(t, "eve's call", s.ask(`SELECT concat_ws(' ', event_id, posted_at, late, credits, held) FROM rated WHERE account = 'eve'`), "d1 2026-11-01 00:00:00 true 2.000000")
	wantRows(t, "its burn", s.ask(`SELECT concat_ws(' ', event_id, period, kind, credits) FROM burns WHERE account = 'eve'`), "d1 2026-11 denied 2.000000")
	wantRows(t, "bob's event", s.ask(`SELECT concat_ws(' ', event_id, posted_at, held) FROM account_events WHERE event_id = 'v1'`), "v1 2026-11-01 00:00:00")
	wantRows(t, "what it took", s.ask(`SELECT concat_ws(' ', period, bucket_id, credits) FROM ledger WHERE entry = 'void'`), "2026-11 bob/pack/p1 5.000000")
}

// A call of an account that is never opened is held by every re-rating anew, and one
// that is opened late, with an instant of October, is billed there.
func TestARerateTakesHomeWhatWasHeld(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/3.jsonl", `
{"id":"d1","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}
{"id":"d2","ts":"2026-10-22T11:00:00Z","org":"zoe","op":"image.generate","n":1}
`)
	s.run(month[:3])
	s.closeOctober(jobs.CloseOptions{LeaveHeld: true})
	s.write("raw/accounts/eve.jsonl", `{"id":"e1","type":"account.opened","account":"eve","at":"2026-10-08T00:00:00Z"}`)
	if _, err := s.at("2026-11-04T00:00:00Z").Ingest(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, differences := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "eve is known"})
	wantRows(t, "differences", differences, "2026-10 eve denied credits 0.000000 2.000000 0 (late usage, account event)", "2026-10 eve rated credits 0.000000 2.000000 1 (late usage)")
	wantRows(t, "calls", s.ask(`SELECT concat_ws(' ', event_id, posted_at, late, credits, held) FROM rated WHERE event_id IN ('d1', 'd2') ORDER BY event_id`),
		"d1 2026-10-22 11:00:00 false 2.000000", "d2 2026-11-01 00:00:00 true 0.000000 account_not_opened")
	wantRows(t, "statements of October", s.ask(`SELECT concat_ws(' ', account, calls, held_calls) FROM statements WHERE account IN ('eve', 'zoe') AND operation = 'image.generate' ORDER BY account`), "eve 1 0", "zoe 0 1")
	if again, differences := s.rerate("2026-11-06T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "again"}); again.Run != nil || len(differences) > 0 {
		t.Errorf("again: run %+v, differences %q", again.Run, differences)
	}
}
