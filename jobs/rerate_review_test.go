package jobs_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/jobs"
)

// worldOf is the tiny world with files of its own.
func worldOf(more map[string]string) map[string]string {
	world := maps.Clone(tiny)
	maps.Copy(world, more)
	return world
}

// closeAt closes the oldest open month at each instant, whatever is held or rejected.
func (s site) closeAt(instants ...string) {
	s.t.Helper()
	for _, now := range instants {
		report, err := s.at(now).Close(s.t.Context(), jobs.CloseOptions{LeaveHeld: true, AcceptRejects: true})
		if err != nil || report.Run == nil {
			s.t.Fatalf("close at %s: %+v, %v", now, report, err)
		}
	}
}

// commit re-rates from a month on for good, and returns the differences.
func (s site) commit(now, from string) []string {
	s.t.Helper()
	_, differences := s.rerate(now, jobs.RerateOptions{From: mustPeriod(from), Commit: true, Reason: "a test"})
	return differences
}

// notes are the lines of all notes, in the order they were issued.
func (s site) notes() []string {
	s.t.Helper()
	return s.ask(`SELECT concat_ws(' ', i.number, i.account, i.corrects_period, i.currency, i.total, l.kind, l.quantity, l.amount, '(' || l.cause || ')')
		FROM invoices i JOIN invoice_lines l USING (number) WHERE i.kind <> 'invoice' ORDER BY i.issued_at, i.number, l.line`)
}

// By hand: c2 stands in October with 6 credits. A copy of it with another time comes in
// November: it counts once, as it would at the close.
func TestACopyWithAnotherTimeDoesNotGoHome(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/calls/copy.jsonl", `{"id":"c2","ts":"2026-10-09T10:00:00Z","org":"ada","op":"image.generate","n":3}`)
	s.ingest("2026-11-02T00:00:00Z")
	s.rate("2026-11-02T00:00:00Z")
	_, differences := s.rerate("2026-11-03T00:00:00Z", jobs.RerateOptions{})
	wantRows(t, "differences", differences)
	wantRows(t, "differences of the commit", s.commit("2026-11-03T00:00:00Z", "2026-10"))
	wantRows(t, "notes", s.notes())
	s.closeAt(december)
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', period, event_id, credits) FROM rated WHERE event_id = 'c2'`), "2026-10 c2 6.000000")
	wantRows(t, "usage", s.ask(`SELECT object FROM usage WHERE event_id = 'c2'`), "calls/1.jsonl")
}

const anniversary = `
plan: cycle
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "7.00"}
allowance: 10
renews: anniversary
`

// By hand: eve's cycles begin on the 10th. Cancelled on 20 October, she has none in
// November: no fee, and the allowance of 10 that stood at its end is gone. October
// itself is as it was.
func TestALateCancellationIsKnockOnInTheNextMonth(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{
		"plans/cycle.yaml": anniversary,
		"raw/accounts/eve.jsonl": `{"id":"e1","type":"account.opened","account":"eve","at":"2026-10-10T00:00:00Z"}
{"id":"e2","type":"subscription.started","account":"eve","at":"2026-10-10T00:00:00Z","plan":"cycle"}`,
	}))
	s.closeAt("2026-11-01T07:00:00Z", december)
	s.write("raw/accounts/late.jsonl", `{"id":"e3","type":"subscription.cancelled","account":"eve","at":"2026-10-20T00:00:00Z"}`)
	s.ingest("2026-12-02T00:00:00Z")
	wantRows(t, "differences", s.commit("2026-12-03T00:00:00Z", "2026-10"),
		"2026-11 eve balance credits 10.000000 0.000000 0 (knock-on)",
		"2026-11 eve fee cycle USD 7.000000 0.000000 0 (knock-on)")
	wantRows(t, "notes", s.notes(), "CN-2026-000001 eve 2026-11 USD -7.0000 fee -1.000000 -7.0000 (knock-on)")
}

// By hand: the fee was to be 12 and the allowance 8. In October ada's 14 credits are 6
// over, at 0.50, instead of 4; in November her 12 are 4 over instead of 2.
func TestACorrectedPlanIsAPriceInEveryMonth(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.closeAt("2026-11-01T07:00:00Z")
	s.write("raw/calls/3.jsonl", `{"id":"n1","ts":"2026-11-05T10:00:00Z","org":"ada","op":"image.generate","n":6}`)
	s.closeAt(december)
	basic, _, _ := strings.Cut(tiny["plans/plans.yaml"], "---")
	s.write("plans/basic-2.yaml", strings.NewReplacer("version: 1", "version: 2", "10.00", "12.00", "allowance: 10", "allowance: 8").Replace(basic))
	wantRows(t, "differences", s.commit("2026-12-03T00:00:00Z", "2026-10"),
		"2026-10 ada fee basic USD 10.000000 12.000000 0 (price)",
		"2026-10 ada overage credits 4.000000 6.000000 0 (price)",
		"2026-10 ada overage_charge basic/1 USD 2.000000 3.000000 0 (price)",
		"2026-11 ada fee basic USD 10.000000 12.000000 0 (price)",
		"2026-11 ada overage credits 2.000000 4.000000 0 (price)",
		"2026-11 ada overage_charge basic/1 USD 1.000000 2.000000 0 (price)")
	// The price of overage alone, from 0.50 to 0.75, and of the pack.
	s.write("plans/starter-2.yaml", "pack: starter\nversion: 2\neffective_from: 2026-01-01T00:00:00Z\ncredits: 5\nprice: {USD: \"5.00\"}\n")
	s.write("plans/basic-3.yaml", strings.NewReplacer("version: 1", "version: 3", "10.00", "12.00", "allowance: 10", "allowance: 8", "0.50", "0.75").Replace(basic))
	wantRows(t, "differences of the price of overage", s.commit("2026-12-04T00:00:00Z", "2026-10"),
		"2026-10 ada overage_charge basic/1 USD 3.000000 4.500000 0 (price)",
		"2026-10 bob pack starter USD 4.000000 5.000000 0 (price)",
		"2026-11 ada overage_charge basic/1 USD 2.000000 3.000000 0 (price)")
}

// By hand: dan's five images are his allowance of 10; at 3 credits they are 5 over, at
// 2.5 they are 2.5 over, at 2 none, and at 3 again 5.
func TestDescriptionsOfNotesDoNotPileUp(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{
		"raw/accounts/dan.jsonl": `{"id":"d1","type":"account.opened","account":"dan","at":"2026-10-01T00:00:00Z"}
{"id":"d2","type":"subscription.started","account":"dan","at":"2026-10-01T00:00:00Z","plan":"basic"}`,
		"raw/calls/dan.jsonl": `{"id":"x1","ts":"2026-10-05T10:00:00Z","org":"dan","op":"image.generate","n":5}`,
	}))
	s.closeAt("2026-11-01T07:00:00Z")
	for i, credits := range []string{"3", "2.5", "2", "3"} {
		s.dearer(fmt.Sprint(i+2), credits)
		s.commit(fmt.Sprintf("2026-11-0%dT00:00:00Z", i+2), "2026-10")
	}
	said := s.ask(`SELECT concat_ws(' ', l.amount, regexp_replace(l.description, ', basic.*', '')) FROM invoices i JOIN invoice_lines l USING (number) WHERE i.account = 'dan' AND l.cause IS NOT NULL ORDER BY i.issued_at`)
	wantRows(t, "lines", said, "2.5000 Overage", "-1.2500 Corrected: Overage", "-1.2500 No longer due: Overage", "2.5000 Overage")
}

// By hand, of ada, taxed at 0.21. October: 10.00 fee and 4 over for 2.00, tax 2.52.
// November: 10.00 and 2 over for 1.00, tax 2.31. Then come late, one re-rating each:
// 5.00 of goodwill in October (tax 1.47 on 7.00); 0.10 of tax from 10 November (1.10 on
// 11.00), re-rated from November alone; reverse charge from 20 October, until then; 3
// credits an image (October 11 over, 5.50; November 8 over, 4.00, tax 1.40 on 14.00);
// and 2 again.
func TestTaxesAndChargesOverManyReRates(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{
		"raw/accounts/tax.jsonl": `{"id":"a3","type":"account.updated","account":"ada","at":"2026-10-01T00:00:00Z","tax":{"rate":"0.21"}}`,
	}))
	s.closeAt("2026-11-01T07:00:00Z")
	s.write("raw/calls/3.jsonl", `{"id":"n1","ts":"2026-11-05T10:00:00Z","org":"ada","op":"image.generate","n":6}`)
	s.closeAt(december)
	wantRows(t, "invoices", s.ask(`SELECT concat_ws(' ', period, subtotal, tax) FROM invoices WHERE account = 'ada' ORDER BY period`), "2026-10 12.0000 2.5200", "2026-11 11.0000 2.3100")
	late := func(name, line, now, from string) {
		t.Helper()
		s.write("raw/accounts/"+name+".jsonl", line)
		s.ingest(now)
		s.commit(now, from)
	}
	late("goodwill", `{"id":"l1","type":"charge.added","account":"ada","at":"2026-10-25T00:00:00Z","amount":"-5.00","description":"goodwill"}`, "2026-12-02T00:00:00Z", "2026-10")
	late("rate", `{"id":"l2","type":"account.updated","account":"ada","at":"2026-11-10T00:00:00Z","tax":{"rate":"0.10"}}`, "2026-12-03T00:00:00Z", "2026-11")
	late("reverse", `{"id":"l3","type":"account.updated","account":"ada","at":"2026-10-20T00:00:00Z","tax":{"rate":"0.21","reverse_charge":true}}`, "2026-12-04T00:00:00Z", "2026-10")
	s.dearer("2", "3")
	s.commit("2026-12-05T00:00:00Z", "2026-10")
	s.dearer("3", "2")
	s.commit("2026-12-07T00:00:00Z", "2026-11")
	s.commit("2026-12-08T00:00:00Z", "2026-10")
	wantRows(t, "notes", s.notes(),
		"CN-2026-000001 ada 2026-10 USD -6.0500 charge 1.000000 -5.0000 (account event)", "CN-2026-000001 ada 2026-10 USD -6.0500 tax 1.000000 -1.0500 (account event)",
		"CN-2026-000002 ada 2026-11 USD -1.2100 tax 1.000000 -1.2100 (account event)",
		"CN-2026-000003 ada 2026-10 USD -1.4700 tax 1.000000 -1.4700 (account event)",
		"DN-2026-000001 ada 2026-10 USD 3.5000 overage 7.000000 3.5000 (price)",
		"DN-2026-000002 ada 2026-11 USD 3.3000 overage 6.000000 3.0000 (price)", "DN-2026-000002 ada 2026-11 USD 3.3000 tax 1.000000 0.3000 (price)",
		"CN-2026-000004 ada 2026-11 USD -3.3000 overage -6.000000 -3.0000 (price)", "CN-2026-000004 ada 2026-11 USD -3.3000 tax 1.000000 -0.3000 (price)",
		"CN-2026-000005 ada 2026-10 USD -3.5000 overage -7.000000 -3.5000 (price)")
	s.closeAt("2027-01-01T07:00:00Z")
	wantRows(t, "every month", s.ask(`SELECT concat_ws(' ', coalesce(corrects_period, period), sum(subtotal), sum(tax)) FROM invoices WHERE account = 'ada' GROUP BY coalesce(corrects_period, period) ORDER BY ALL`),
		"2026-10 7.0000 0.0000", "2026-11 11.0000 1.1000", "2026-12 10.0000 1.0000")
}

// By hand: October's 12.00 were taxed at 0.21, 2.52. From 3 October the tax was another
// of 0.19, 2.28; then 12.00 are given back, and that one is no longer due.
func TestTheTaxOfTheLastNoteIsNoLongerDue(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{
		"raw/accounts/tax.jsonl": `{"id":"a3","type":"account.updated","account":"ada","at":"2026-10-01T00:00:00Z","tax":{"rate":"0.21","label":"VAT"}}`,
	}))
	s.closeAt("2026-11-01T07:00:00Z")
	for i, line := range []string{
		`{"id":"l1","type":"account.updated","account":"ada","at":"2026-10-03T00:00:00Z","tax":{"rate":"0.19","label":"MwSt"}}`,
		`{"id":"l2","type":"charge.added","account":"ada","at":"2026-10-04T00:00:00Z","amount":"-12.00","description":"all back"}`,
	} {
		now := fmt.Sprintf("2026-11-0%dT00:00:00Z", i+2)
		s.write(fmt.Sprintf("raw/accounts/late-%d.jsonl", i), line)
		s.ingest(now)
		s.commit(now, "2026-10")
	}
	wantRows(t, "lines", s.ask(`SELECT concat_ws(' ', number, item, amount, description) FROM invoice_lines WHERE cause IS NOT NULL ORDER BY number, line`),
		"CN-2026-000001 MwSt -0.2400 MwSt 19% on 12.00 USD",
		"CN-2026-000002 l2 -12.0000 all back", "CN-2026-000002 MwSt -2.2800 No longer due: MwSt 19% on 12.00 USD")
}

// By hand: nobody opened eve and fay. eve's six images of 20 October are 12 credits, 2
// over; an earlier call comes late: 4 over. fay's only call is voided: she never was,
// and owes neither October's fee nor November's.
func TestUnknownAccountsBeginEarlierOrNeverWere(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{
		"creditmill.yaml":    tiny["creditmill.yaml"] + "accounts: {unknown: {plan: basic}}\n",
		"raw/calls/un.jsonl": `{"id":"e1","ts":"2026-10-20T10:00:00Z","org":"eve","op":"image.generate","n":6}` + "\n" + `{"id":"f1","ts":"2026-10-25T10:00:00Z","org":"fay","op":"image.generate","n":1}`,
	}))
	s.closeAt("2026-11-01T07:00:00Z", december)
	wantRows(t, "invoices", s.ask(`SELECT concat_ws(' ', account, period, total) FROM invoices WHERE account IN ('eve', 'fay') ORDER BY ALL`),
		"eve 2026-10 11.0000", "eve 2026-11 10.0000", "fay 2026-10 10.0000", "fay 2026-11 10.0000")
	s.write("raw/calls/late.jsonl", `{"id":"e0","ts":"2026-10-05T10:00:00Z","org":"eve","op":"image.generate","n":1}`)
	s.ingest("2026-12-02T00:00:00Z")
	s.void("2026-12-02T00:00:00Z", jobs.VoidOptions{EventID: "f1", Reason: "a test of ours"})
	s.commit("2026-12-03T00:00:00Z", "2026-10")
	wantRows(t, "every month", s.ask(`SELECT concat_ws(' ', account, coalesce(corrects_period, period), sum(total)) FROM invoices WHERE account IN ('eve', 'fay') GROUP BY account, coalesce(corrects_period, period) ORDER BY ALL`),
		"eve 2026-10 12.0000", "eve 2026-11 10.0000", "fay 2026-10 0.0000", "fay 2026-11 0.0000")
	wantRows(t, "what is known of fay", s.ask(`SELECT account FROM account_events WHERE account = 'fay' UNION ALL SELECT account FROM balances WHERE account = 'fay' UNION ALL SELECT account FROM statements WHERE account = 'fay'`))
	wantRows(t, "eve began", s.ask(`SELECT concat_ws(' ', event_id, posted_at) FROM account_events WHERE account = 'eve' ORDER BY event_id`), "first-call/opened 2026-10-05 10:00:00", "first-call/started 2026-10-05 10:00:00")
	s.closeAt("2027-01-01T07:00:00Z")
	wantRows(t, "December", s.ask(`SELECT concat_ws(' ', account, total) FROM invoices WHERE kind = 'invoice' AND period = '2026-12' ORDER BY ALL`), "ada 10.0000", "eve 10.0000")
}

// By hand: October of Madrid ends at 23:00 UTC. Late come a call of its last
// microsecond, one of November's first instant, and of another source one with an id
// that is taken in the first, with a dimension that no file had: 2 and 5 credits go
// home, all of them over. Then that call alone is voided.
func TestRerateAtAMonthsEndWithTwoSourcesAndANewColumn(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{"creditmill.yaml": tiny["creditmill.yaml"] + "timezone: Europe/Madrid\n"}))
	s.closeAt("2026-11-01T07:00:00Z")
	s.write("sources/twin.yaml", strings.NewReplacer("gateway", "twin", "calls/", "twin/").Replace(tiny["sources/gateway.yaml"])+"dimensions: {quality: q}\n")
	s.write("prices/api-2.yaml", strings.NewReplacer("version: 1", "version: 2", "rules:\n", "rules:\n  - {operation: image.generate, when: {quality: high}, charge: {each: images, credits: 5}}\n").Replace(tiny["prices/api.yaml"]))
	s.write("raw/calls/late.jsonl", `{"id":"x1","ts":"2026-10-31T22:59:59.999999Z","org":"ada","op":"image.generate","n":1}
{"id":"x2","ts":"2026-10-31T23:00:00Z","org":"ada","op":"image.generate","n":1}`)
	s.write("raw/twin/1.jsonl", `{"id":"c2","ts":"2026-10-31T22:30:00Z","org":"ada","op":"image.generate","n":1,"q":"high"}`)
	s.ingest("2026-11-02T00:00:00Z")
	s.commit("2026-11-03T00:00:00Z", "2026-10")
	const rated = `SELECT concat_ws(' ', source, event_id, period, late, credits, quality) FROM rated WHERE account = 'ada' ORDER BY time`
	wantRows(t, "rated", s.ask(rated), "gateway c1 2026-10 false 8.000000", "gateway c2 2026-10 false 6.000000", "twin c2 2026-10 false 5.000000 high",
		"gateway x1 2026-10 false 2.000000", "gateway x2 2026-11 false 2.000000")
	s.closeAt(december)
	s.void("2026-12-02T00:00:00Z", jobs.VoidOptions{EventID: "c2", Source: "twin", Reason: "a test of ours"})
	s.commit("2026-12-03T00:00:00Z", "2026-10")
	wantRows(t, "rated after the void", s.ask(rated), "gateway c1 2026-10 false 8.000000", "gateway c2 2026-10 false 6.000000",
		"gateway x1 2026-10 false 2.000000", "gateway x2 2026-11 false 2.000000")
	wantRows(t, "notes", s.notes(), "DN-2026-000001 ada 2026-10 USD 3.5000 overage 7.000000 3.5000 (late usage)", "CN-2026-000001 ada 2026-10 USD -2.5000 overage -5.000000 -2.5000 (void)")
}

// By hand: l1 of October posted to November, which it took 2 over for 1.00. Voided like
// c2 of October, it leaves with a re-rating from November; c2 waits for one from October.
func TestVoidsOfSeveralMonthsWaitForTheirReRating(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	s.write("raw/calls/late.jsonl", `{"id":"l1","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"n1","ts":"2026-11-05T10:00:00Z","org":"ada","op":"image.generate","n":5}`)
	s.closeAt(december)
	for _, id := range []string{"l1", "c2"} {
		s.void("2026-12-02T00:00:00Z", jobs.VoidOptions{EventID: id, Reason: "a test of ours"})
	}
	wantRows(t, "from November", s.commit("2026-12-03T00:00:00Z", "2026-11"),
		"2026-11 ada overage credits 2.000000 0.000000 0 (void)",
		"2026-11 ada overage_charge basic/1 USD 1.000000 0.000000 0 (void)",
		"2026-11 ada rated credits 2.000000 0.000000 1 (void)")
	if n := s.at(december).Lake.State().PendingVoids(); n != 1 {
		t.Errorf("%d voided calls wait, want 1", n)
	}
	wantRows(t, "from October", s.commit("2026-12-04T00:00:00Z", "2026-10"),
		"2026-10 ada expired credits 0.000000 2.000000 0 (void)",
		"2026-10 ada overage credits 4.000000 0.000000 0 (void)",
		"2026-10 ada overage_charge basic/1 USD 2.000000 0.000000 0 (void)",
		"2026-10 ada rated credits 6.000000 0.000000 1 (void)")
	wantRows(t, "once more", s.commit("2026-12-05T00:00:00Z", "2026-10"))
}

// By hand: tom's first call of 8 credits bought two top-ups of 5 at its instant, 4.00
// each. Then a pack is 5.00, and a call of 4 comes late: 2 were left, a third is
// bought. At 3 credits an image the calls cost 12 and 6: the two give 10, the third
// comes with its own call, and 2 + 1 are denied, for three are all he may have.
func TestTopUpsThatWereChargedStay(t *testing.T) {
	t.Parallel()
	s := newSite(t, worldOf(map[string]string{
		"raw/accounts/tom.jsonl": `{"id":"t1","type":"account.opened","account":"tom","at":"2026-10-01T00:00:00Z"}
{"id":"t2","type":"topup.set","account":"tom","at":"2026-10-01T00:00:00Z","pack":"starter","units":1,"below":0,"most_per_period":3}`,
		"raw/calls/tom.jsonl": `{"id":"x1","ts":"2026-10-05T10:00:00Z","org":"tom","op":"image.generate","n":4}`,
	}))
	s.closeAt("2026-11-01T07:00:00Z")
	_, packs, _ := strings.Cut(tiny["plans/plans.yaml"], "---\n")
	s.write("plans/starter-2.yaml", strings.NewReplacer("version: 1", "version: 2", "4.00", "5.00").Replace(packs))
	s.write("raw/accounts/free.jsonl", `{"id":"b8","type":"charge.added","account":"bob","at":"2026-10-02T00:00:00Z","amount":"-1.00","description":"as it was offered"}`)
	s.write("raw/calls/late.jsonl", `{"id":"x2","ts":"2026-10-06T10:00:00Z","org":"tom","op":"image.generate","n":2}`)
	s.ingest("2026-11-02T00:00:00Z")
	tom := func(differences []string) (his []string) {
		for _, d := range differences {
			if strings.Contains(d, " tom ") {
				his = append(his, d)
			}
		}
		return his
	}
	wantRows(t, "late usage", tom(s.commit("2026-11-03T00:00:00Z", "2026-10")),
		"2026-10 tom balance credits 2.000000 3.000000 0 (late usage)",
		"2026-10 tom rated credits 0.000000 4.000000 1 (late usage)",
		"2026-10 tom topup starter USD 0.000000 5.000000 0 (late usage)")
	s.dearer("2", "3")
	wantRows(t, "dearer", tom(s.commit("2026-11-04T00:00:00Z", "2026-10")),
		"2026-10 tom balance credits 3.000000 0.000000 0 (price)",
		"2026-10 tom denied credits 0.000000 3.000000 0 (price)",
		"2026-10 tom rated credits 12.000000 18.000000 2 (price)")
	s.dearer("3", "2")
	s.commit("2026-11-05T00:00:00Z", "2026-10")
	wantRows(t, "bob's pack is dearer and his charge makes up for it: no note", s.ask(`SELECT account FROM invoices WHERE kind <> 'invoice' AND account = 'bob'`))
	s.closeAt(december)
	wantRows(t, "top-ups", s.ask(`SELECT concat_ws(' ', bucket_id, opening, remaining, price, deferred) FROM balances WHERE account = 'tom' AND period = '2026-11'`),
		"tom/topup/2026-10/3 3.000000 3.000000 5.0000 3.0000")
	wantRows(t, "charged", s.ask(`SELECT concat_ws(' ', i.kind, l.amount, l.quantity, l.unit_price) FROM invoices i JOIN invoice_lines l USING (number) WHERE i.account = 'tom' ORDER BY i.issued_at`),
		"invoice 4.0000 1.000000 4.000000000000", "invoice 4.0000 1.000000 4.000000000000", "debit_note 5.0000 1.000000 5.000000000000")
}

// On a lake with late, held and voided calls, what is committed as a version says what
// it said as a draft, beside another.
func TestADraftSaysWhatItsCommitSays(t *testing.T) {
	t.Parallel()
	s := twoMonths(t)
	draft := strings.NewReplacer("version: 1", "version: 3", "credits: 2", "credits: 5").Replace(tiny["prices/api.yaml"])
	s.write("drafts/api-3.yaml", draft)
	s.write("drafts/api-4.yaml", strings.NewReplacer("version: 3", "version: 4", "{each: images, credits: 5}", "{credits: 1}").Replace(draft))
	names := []string{s.dir + "/drafts/api-4.yaml", s.dir + "/drafts/api-3.yaml"}
	_, together := s.rerate(rerateNow, jobs.RerateOptions{Drafts: names})
	s.write("prices/api-3.yaml", draft)
	committed := s.commit(rerateNow, "2026-10")
	for i := range committed {
		committed[i] = names[1] + " " + committed[i]
	}
	wantRows(t, "the draft beside another", together[:len(committed)], committed...)
}
