package jobs_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// rerate re-rates from October on and returns the differences.
func (s site) rerate(now string, o jobs.RerateOptions) (jobs.RerateReport, []string) {
	s.t.Helper()
	if o.From.IsZero() {
		o.From = october
	}
	var differences []string
	report, err := s.at(now).Rerate(s.t.Context(), o, func(ctx context.Context, _ jobs.RerateReport, session *duck.Session) error {
		rows, err := session.Rows(ctx, `SELECT concat_ws(' ', draft, period, account, measure, item, unit, "before", "after", calls, '(' || cause || ')') FROM differences ORDER BY draft, period, account, measure, item, cause`)
		if err != nil {
			return err
		}
		defer rows.Close()
		differences = nil
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			differences = append(differences, text)
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return report, differences
}

// dearer makes an image cost so many credits instead of 2, from the beginning.
func (s site) dearer(version, credits string) {
	s.write("prices/api-"+version+".yaml", strings.NewReplacer("version: 1", "version: "+version, "credits: 2", "credits: "+credits).Replace(tiny["prices/api.yaml"]))
}

const december = "2026-12-01T07:00:00Z"

func TestRerateWithNothingChangedSaysNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	head := s.at(december).Lake.State().Head
	for _, commit := range []bool{false, true} {
		report, differences := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{Commit: commit, Reason: "to look"})
		if report.Run != nil || len(differences) > 0 || len(report.Notes) > 0 {
			t.Errorf("commit %v: run %v, notes %v, differences %q", commit, report.Run, report.Notes, differences)
		}
	}
	if got := s.at(december).Lake.State().Head; got != head {
		t.Errorf("the head is run %d, want %d", got, head)
	}
}

// By hand: at 3 credits an image ada's calls cost 12 and 9, her allowance of 10 pays
// 10, and 11 are overage at 0.50: 5.50 instead of 2.00. bob's cost 3 and 9: his pack
// of 5 pays for 5, 7 are denied instead of 3.
func TestAPriceRaisedIsADebitNote(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	before := s.rows()
	s.dearer("2", "3")
	want := []string{
		"2026-10 ada overage credits 4.000000 11.000000 0 (price)",
		"2026-10 ada overage_charge basic/1 USD 2.000000 5.500000 0 (price)",
		"2026-10 ada rated credits 14.000000 21.000000 2 (price)",
		"2026-10 bob denied credits 3.000000 7.000000 0 (price)",
		"2026-10 bob rated credits 8.000000 12.000000 2 (price)",
	}
	_, differences := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{})
	wantRows(t, "differences", differences, want...)
	if got := s.rows(); !reflect.DeepEqual(got, before) {
		t.Error("a dry run changed rows")
	}
	report, differences := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "images were too cheap"})
	wantRows(t, "differences of the commit", differences, want...)
	if report.Run == nil || report.Run.Kind != lake.Rerate || report.Run.Reason != "images were too cheap" {
		t.Fatalf("run %+v", report.Run)
	}
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', period, event_id, price_version, credits, posted_at = time, late) FROM rated ORDER BY event_id`),
		"2026-10 c1 2 12.000000 true false", "2026-10 c2 2 9.000000 true false", "2026-10 c3 2 3.000000 true false", "2026-10 c4 2 9.000000 true false", "2026-10 c5 2 0.000000 true false")
	wantRows(t, "burns", s.ask(`SELECT concat_ws(' ', account, event_id, kind, credits) FROM burns ORDER BY account, posted_at, kind DESC`),
		"ada c1 overage 2.000000", "ada c1 allowance 10.000000", "ada c2 overage 9.000000", "bob c3 pack 3.000000", "bob c4 pack 2.000000", "bob c4 denied 7.000000")
	wantRows(t, "documents", s.ask(`SELECT concat_ws(' ', number, kind, account, period, subtotal, tax, total, paid, amount_due, corrects, corrects_period, due_at) FROM invoices ORDER BY issued_at, number`),
		"INV-2026-000001 invoice ada 2026-10 12.0000 0.0000 12.0000 0.0000 12.0000 2026-11-15 07:00:00",
		"INV-2026-000002 invoice bob 2026-10 4.0000 0.0000 4.0000 4.0000 0.0000 2026-11-15 07:00:00",
		"DN-2026-000001 debit_note ada 2026-11 3.5000 0.0000 3.5000 0.0000 3.5000 INV-2026-000001 2026-10 2026-11-19 00:00:00")
	wantRows(t, "lines of the note", s.ask(`SELECT concat_ws(' ', number, line, kind, item, quantity, amount, "from", "to", cause) FROM invoice_lines WHERE cause IS NOT NULL ORDER BY number, line`),
		"DN-2026-000001 1 overage basic/1 7.000000 3.5000 2026-10-01 00:00:00 2026-11-01 00:00:00 price")
	if again, differences := s.rerate("2026-11-06T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "again"}); again.Run != nil || len(differences) > 0 {
		t.Errorf("again: run %v, %q", again.Run, differences)
	}
	// And lowered again: the notes add up to nothing.
	s.dearer("3", "2")
	s.rerate("2026-11-07T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "they were not"})
	wantRows(t, "notes", s.ask(`SELECT concat_ws(' ', number, kind, total, amount_due, corrects, coalesce(CAST(due_at AS VARCHAR), 'never due')) FROM invoices WHERE kind <> 'invoice' ORDER BY issued_at`),
		"DN-2026-000001 debit_note 3.5000 3.5000 INV-2026-000001 2026-11-19 00:00:00", "CN-2026-000001 credit_note -3.5000 -3.5000 INV-2026-000001 never due")
	after := s.rows()
	for _, table := range []lake.Table{lake.Burns, lake.Ledger, lake.Balances, lake.Statements, lake.Revenue} {
		if !reflect.DeepEqual(after[table.Name], before[table.Name]) {
			t.Errorf("%s is not as it was before both", table.Name)
		}
	}
}

// By hand: l1 of 30 October costs ada 2 credits more, all of them overage. Until the
// re-rating it is late usage of November, afterwards it is in October as if it had
// come in time.
func TestLateUsageGoesHome(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/calls/late.jsonl", `{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"n1","ts":"2026-11-01T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	s.ingest("2026-11-02T00:00:00Z")
	want := []string{
		"2026-10 ada overage credits 4.000000 6.000000 0 (late usage)",
		"2026-10 ada overage_charge basic/1 USD 2.000000 3.000000 0 (late usage)",
		"2026-10 ada rated credits 0.000000 2.000000 1 (late usage)",
	}
	_, differences := s.rerate("2026-11-02T00:00:00Z", jobs.RerateOptions{})
	wantRows(t, "differences while it is not rated", differences, want...)
	s.rate("2026-11-02T00:00:00Z")
	_, differences = s.rerate("2026-11-02T00:00:00Z", jobs.RerateOptions{})
	wantRows(t, "differences", differences, want...)
	s.rerate("2026-11-02T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "late logs"})
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, period, posted_at, late) FROM rated WHERE event_id IN ('l1', 'n1') ORDER BY event_id`),
		"l1 2026-10 2026-10-30 10:00:00 false", "n1 2026-11 2026-11-01 10:00:00 false")
	wantRows(t, "statement", s.ask(`SELECT concat_ws(' ', account, calls, credits, late_calls) FROM statements WHERE period = '2026-10' AND account = 'ada'`), "ada 3 16.000000 0")
	wantRows(t, "the note", s.ask(`SELECT concat_ws(' ', i.number, i.total, l.kind, l.quantity, l.amount, l.cause) FROM invoices i JOIN invoice_lines l USING (number) WHERE i.kind <> 'invoice'`),
		"DN-2026-000001 1.0000 overage 2.000000 1.0000 late usage")
}

// By hand: without c2 ada's allowance of 10 pays the 8 credits of c1, 2 expire, and
// there is no overage.
func TestAVoidedCallOfAClosedMonthLeavesWithTheReRating(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.void("2026-11-02T00:00:00Z", jobs.VoidOptions{EventID: "c2", Reason: "a test of ours"})
	want := []string{
		"2026-10 ada expired credits 0.000000 2.000000 0 (void)",
		"2026-10 ada overage credits 4.000000 0.000000 0 (void)",
		"2026-10 ada overage_charge basic/1 USD 2.000000 0.000000 0 (void)",
		"2026-10 ada rated credits 6.000000 0.000000 1 (void)",
	}
	_, differences := s.rerate("2026-11-03T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "voids"})
	wantRows(t, "differences", differences, want...)
	wantRows(t, "usage and rated", s.ask(`SELECT event_id FROM usage WHERE event_id = 'c2' UNION ALL SELECT event_id FROM rated WHERE event_id = 'c2'`))
	wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', reason, object, line, detail) FROM rejected WHERE reason = 'voided'`),
		"voided calls/1.jsonl 2 call c2 of account ada was voided: a test of ours")
	wantRows(t, "objects", s.ask(`SELECT concat_ws(' ', object, records, events, rejects, skipped) FROM objects WHERE object = 'calls/1.jsonl'`), "calls/1.jsonl 4 2 2 0")
	if n := s.at(december).Lake.State().PendingVoids(); n != 0 {
		t.Errorf("%d voided calls still wait", n)
	}
	wantRows(t, "the note", s.ask(`SELECT concat_ws(' ', i.number, i.total, l.kind, l.quantity, l.amount, l.cause) FROM invoices i JOIN invoice_lines l USING (number) WHERE i.kind <> 'invoice'`),
		"CN-2026-000001 -2.0000 overage -4.000000 -2.0000 void")
	s.write("raw/calls/again.jsonl", `{"id":"c2","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":3}`)
	s.ingest("2026-11-04T00:00:00Z")
	wantRows(t, "its id stays taken", s.ask(`SELECT count(*) FROM usage WHERE event_id = 'c2'`), "0")
}

// By hand: the pack of 5 October comes in November. At home it pays the 3 credits that
// were denied, and 2 are left: November opens with 2 where it had none.
func TestALateAccountEventGoesHome(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/accounts/late.jsonl", `{"id":"p9","type":"pack.purchased","account":"bob","at":"2026-10-05T00:00:00Z","pack":"starter","paid":false}`)
	s.ingest("2026-11-02T00:00:00Z")
	wantRows(t, "until then", s.ask(`SELECT concat_ws(' ', event_id, posted_at) FROM account_events WHERE event_id = 'p9'`), "p9 2026-11-01 00:00:00")
	_, differences := s.rerate("2026-11-03T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "late packs"})
	wantRows(t, "differences", differences,
		"2026-10 bob balance credits 0.000000 2.000000 0 (account event)",
		"2026-10 bob denied credits 3.000000 0.000000 0 (account event)",
		"2026-10 bob pack starter USD 0.000000 4.000000 0 (account event)")
	wantRows(t, "at home", s.ask(`SELECT concat_ws(' ', event_id, posted_at) FROM account_events WHERE event_id = 'p9'`), "p9 2026-10-05 00:00:00")
	wantRows(t, "the note", s.ask(`SELECT concat_ws(' ', i.number, i.total, i.paid, i.amount_due, l.kind, l.quantity, l.unit_price, l.amount, l."from", l.cause) FROM invoices i JOIN invoice_lines l USING (number) WHERE i.kind <> 'invoice'`),
		"DN-2026-000001 4.0000 0.0000 4.0000 pack 1.000000 4.000000000000 4.0000 2026-10-05 00:00:00 account event")
	m := s.at(december)
	if closed, err := m.Close(t.Context(), jobs.CloseOptions{}); err != nil || closed.Run == nil {
		t.Fatalf("close November: %+v, %v", closed, err)
	}
	wantRows(t, "November opens with it", s.ask(`SELECT concat_ws(' ', bucket_id, opening, granted, remaining) FROM balances WHERE period = '2026-11' AND account = 'bob'`),
		"bob/pack/p9 2.000000 0.000000 2.000000")
	wantRows(t, "and does not bill it again", s.ask(`SELECT concat_ws(' ', l.kind, l.amount) FROM invoice_lines l JOIN invoices i USING (number) WHERE i.kind = 'invoice' AND l.account = 'bob' AND l.period = '2026-11'`))
}

// A rule that is gone holds the calls it priced: they wait in the open month, and are
// not billed in October.
func TestCallsThatNoPriceFitsAnyMoreWaitInTheOpenMonth(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("prices/api-2.yaml", "table: api\nversion: 2\neffective_from: 2026-01-01T00:00:00Z\napplies_to: [\"image.*\"]\nrules:\n  - {operation: image.generate, when: {images: {gte: 4}}, charge: {credits: 8}}\n")
	refused, _ := s.rerate("2026-11-03T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "a rule lost"})
	if refused.Run != nil || len(refused.Blocks) != 1 || refused.Blocks[0].Reason != "2026-10: calls held: no_rule" || refused.Blocks[0].Count != 4 {
		t.Errorf("what would be held blocks the commit: run %v, blocks %+v", refused.Run, refused.Blocks)
	}
	s.rerate("2026-11-03T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "a rule lost", LeaveHeld: true})
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, period, posted_at, late, credits, held) FROM rated ORDER BY event_id`),
		"c1 2026-10 2026-10-03 10:00:00 false 8.000000", "c2 2026-11 2026-11-01 00:00:00 true 0.000000 no_rule", "c3 2026-11 2026-11-01 00:00:00 true 0.000000 no_rule",
		"c4 2026-11 2026-11-01 00:00:00 true 0.000000 no_rule", "c5 2026-11 2026-11-01 00:00:00 true 0.000000 no_rule")
	wantRows(t, "October counts them", s.ask(`SELECT concat_ws(' ', account, operation, calls, held_calls) FROM statements WHERE period = '2026-10' ORDER BY ALL`),
		"ada image.generate 1 1", "bob image.free 0 1", "bob image.generate 0 2")
	s.dearer("3", "2")
	s.rerate("2026-11-04T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "and found"})
	wantRows(t, "released", s.ask(`SELECT concat_ws(' ', event_id, period, late, credits, held) FROM rated ORDER BY event_id`),
		"c1 2026-10 false 8.000000", "c2 2026-10 false 6.000000", "c3 2026-10 false 2.000000", "c4 2026-10 false 6.000000", "c5 2026-10 false 0.000000")
	wantRows(t, "notes", s.ask(`SELECT concat_ws(' ', number, total) FROM invoices WHERE kind <> 'invoice' ORDER BY issued_at`), "CN-2026-000001 -2.0000", "DN-2026-000001 2.0000")
}

// Two drafts are compared beside each other, in one pass over the calls: each as if it
// were alone.
func TestDraftsAreComparedBesideEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	dearer := strings.NewReplacer("version: 1", "version: 2", "credits: 2", "credits: 3").Replace(tiny["prices/api.yaml"])
	free := strings.NewReplacer("credits: 2", "credits: 0").Replace(tiny["prices/api.yaml"]) // in the place of version 1
	held := "table: api\nversion: 2\neffective_from: 2026-01-01T00:00:00Z\napplies_to: [\"image.*\"]\nrules:\n  - {operation: image.generate, when: {images: {gte: 4}}, charge: {credits: 8}}\n"
	s.write("drafts/dearer.yaml", dearer)
	s.write("drafts/free.yaml", free)
	s.write("drafts/held.yaml", held)
	names := []string{s.dir + "/drafts/dearer.yaml", s.dir + "/drafts/free.yaml", s.dir + "/drafts/held.yaml"}
	_, together := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{Drafts: names})
	var alone []string
	for _, name := range names {
		_, differences := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{Drafts: []string{name}})
		alone = append(alone, differences...)
	}
	wantRows(t, "differences", together, alone...)
	wantRows(t, "of the free draft", together[5:11],
		names[1]+" 2026-10 ada expired credits 0.000000 10.000000 0 (price)",
		names[1]+" 2026-10 ada overage credits 4.000000 0.000000 0 (price)",
		names[1]+" 2026-10 ada overage_charge basic/1 USD 2.000000 0.000000 0 (price)",
		names[1]+" 2026-10 ada rated credits 14.000000 0.000000 2 (price)",
		names[1]+" 2026-10 bob balance credits 0.000000 5.000000 0 (price)",
		names[1]+" 2026-10 bob denied credits 3.000000 0.000000 0 (price)")
	if head := s.at(december).Lake.State().Head; head != 5 {
		t.Errorf("comparing drafts committed run %d", head)
	}
}

// eve's call of October is left behind twice: October does not know her, November
// does. Re-rating with nothing changed says so again.
func TestRerateLeavesBehindWhatClosesHaveLeftBehind(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/eve.jsonl", `{"id":"e1","ts":"2026-10-22T11:00:00Z","org":"eve","op":"image.generate","n":1}
{"id":"z1","ts":"2026-10-23T11:00:00Z","org":"ada","op":"image.resize","n":1}`)
	s.write("raw/accounts/eve.jsonl", `{"id":"e","type":"account.opened","account":"eve","at":"2026-11-08T00:00:00Z"}
{"id":"v","type":"bucket.voided","account":"bob","at":"2026-10-20T00:00:00Z","bucket":"bob/pack/b9"}
{"id":"b9","type":"pack.purchased","account":"bob","at":"2026-10-31T00:00:00Z","pack":"starter"}`)
	for _, now := range []string{"2026-11-01T07:00:00Z", december} {
		if report, err := s.at(now).Close(t.Context(), jobs.CloseOptions{LeaveHeld: true}); err != nil || report.Run == nil {
			t.Fatalf("close at %s: %+v, %v", now, report, err)
		}
	}
	wantRows(t, "held calls are counted where they were held", s.ask(`SELECT concat_ws(' ', period, account, calls, held_calls) FROM statements WHERE account = 'eve' OR operation = 'image.resize' ORDER BY ALL`),
		"2026-10 ada 0 1", "2026-10 eve 0 1", "2026-11 ada 0 1", "2026-11 eve 1 0")
	head := s.at(december).Lake.State().Head
	for _, from := range []string{"2026-10", "2026-11"} {
		report, differences := s.rerate("2026-12-02T00:00:00Z", jobs.RerateOptions{From: mustPeriod(from), Commit: true, Reason: "to look"})
		if len(differences) > 0 || report.Run != nil {
			t.Errorf("from %s: run %+v, differences %q", from, report.Run, differences)
		}
	}
	if got := s.at(december).Lake.State().Head; got != head {
		t.Errorf("the head is run %d, want %d", got, head)
	}
}
