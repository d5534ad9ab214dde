package jobs_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// lacking is the tiny world with accounts that the catalog cannot serve to the month's
// end: emil's and eva's plan costs money from 20 October on and has no price in EUR when
// it renews on the 25th and 28th; otto's refill has none from the 15th on. ada and
// bob lack nothing. Two things more are in the way of a close.
func lacking() map[string]string {
	world := maps.Clone(tiny)
	world["plans/club.yaml"] = `
plan: club
version: 1
effective_from: 2026-01-01T00:00:00Z
allowance: 10
renews: anniversary
---
plan: club
version: 2
effective_from: 2026-10-20T00:00:00Z
fee: {USD: "1.00"}
allowance: 10
renews: anniversary
`
	world["plans/refill.yaml"] = `
pack: refill
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 4
price: {USD: "1.00", EUR: "1.00"}
---
pack: refill
version: 2
effective_from: 2026-10-15T00:00:00Z
credits: 4
price: {USD: "1.00"}
`
	world["raw/accounts/lacking.jsonl"] = `
{"id":"m1","type":"account.opened","account":"emil","at":"2026-09-25T12:00:00Z","currency":"EUR"}
{"id":"m2","type":"subscription.started","account":"emil","at":"2026-09-25T12:00:00Z","plan":"club"}
{"id":"v1","type":"account.opened","account":"eva","at":"2026-09-28T12:00:00Z","currency":"EUR"}
{"id":"v2","type":"subscription.started","account":"eva","at":"2026-09-28T12:00:00Z","plan":"club"}
{"id":"v3","type":"pack.purchased","account":"eva","at":"2026-10-02T12:00:00Z","pack":"nosuch"}
{"id":"o1","type":"account.opened","account":"otto","at":"2026-10-01T00:00:00Z","currency":"EUR"}
{"id":"o2","type":"topup.set","account":"otto","at":"2026-10-01T00:00:00Z","pack":"refill","units":1,"below":0,"most_per_period":9}
`
	world["raw/calls/lacking.jsonl"] = `
{"id":"e1","ts":"2026-10-24T10:00:00Z","org":"emil","op":"image.generate","n":1}
{"id":"e2","ts":"2026-10-26T10:00:00Z","org":"emil","op":"image.generate","n":1}
{"id":"o1","ts":"2026-10-14T10:00:00Z","org":"otto","op":"image.generate","n":1}
{"id":"o2","ts":"2026-10-16T10:00:00Z","org":"otto","op":"image.generate","n":2}
{"id":"x1","ts":"2026-10-16T10:00:00Z","org":"ada","op":"image.unknown","n":2}
`
	return world
}

// mend gives what lacking lacks, in new versions.
func (s site) mend() {
	s.write("plans/mended.yaml", `
plan: club
version: 3
effective_from: 2026-10-25T12:00:00Z
fee: {USD: "1.00", EUR: "2.00"}
allowance: 10
renews: anniversary
---
pack: refill
version: 3
effective_from: 2026-10-15T00:00:00Z
credits: 4
price: {USD: "1.00", EUR: "3.00"}
---
pack: nosuch
version: 1
effective_from: 2026-10-01T00:00:00Z
credits: 4
price: {USD: "1.00", EUR: "3.00"}
`)
	s.write("prices/more.yaml", `
table: more
version: 1
effective_from: 2026-01-01T00:00:00Z
applies_to: ["other.*"]
rules: [{charge: {credits: 0}}]
`)
	s.write("prices/api-2.yaml", strings.Replace(tiny["prices/api.yaml"], "version: 1", "version: 2", 1)+"  - operation: image.unknown\n    charge: {credits: 0}\n")
}

// A running subscription or refill that finds no version or no price blocks the close,
// beside all other reasons, so that finance sees everything at once (SPEC section 7).
func TestCloseTellsAllThatTheCatalogLacks(t *testing.T) {
	t.Parallel()
	s := newSite(t, lacking())
	report, reasons := s.closeOctober(jobs.CloseOptions{})
	wantRows(t, "reasons", reasons,
		"accounts that cannot go on: pack refill has no price in EUR", "accounts that cannot go on: plan club has no price in EUR",
		"held calls: no_rule", "held account events: unknown_pack")
	wantRows(t, "accounts and instants", slices.Concat(report.Blocks[0].Examples, report.Blocks[1].Examples, report.Blocks[3].Examples),
		"account otto at 2026-10-16T10:00:00Z: pack refill",
		"account emil at 2026-10-25T12:00:00Z: plan club", "account eva at 2026-10-28T12:00:00Z: plan club",
		"pack.purchased v3 of account eva at 2026-10-02T12:00:00Z")
	for i, want := range []string{
		"write a version of pack refill with a price in EUR into plans/refill.yaml that is in force at 2026-10-16T10:00:00Z: ",
		"write a version of plan club with a price in EUR into plans/club.yaml that is in force at 2026-10-25T12:00:00Z: ",
	} {
		if got := strings.Replace(report.Blocks[i].Resolve, s.dir+"/", "", 1); !strings.HasPrefix(got, want) {
			t.Errorf("block %d is resolved by %q, want %q", i, got, want)
		}
	}
	// No flag closes in spite of them, and nothing was cut.
	if _, reasons = s.closeOctober(jobs.CloseOptions{LeaveHeld: true}); len(reasons) != 2 {
		t.Errorf("with --leave-held: %q", reasons)
	}
	if _, cut := s.at(month[3].now).Lake.State().Open(october); cut {
		t.Fatal("a refused close has cut the month")
	}
	s.mend()
	if report, reasons = s.closeOctober(jobs.CloseOptions{}); report.Run == nil {
		t.Fatalf("mended, the close is refused: %q", reasons)
	}
	wantRows(t, "invoices", s.ask(`SELECT concat_ws(' ', account, currency, total) FROM invoices ORDER BY account`),
		"ada USD 12.0000", "bob USD 4.0000", "emil EUR 2.0000", "eva EUR 5.0000", "otto EUR 4.0000")
}

// Apply leaves such accounts out, whole, says so, and applies the others.
func TestApplyLeavesOutWhatTheCatalogCannotServe(t *testing.T) {
	t.Parallel()
	s := newSite(t, lacking())
	for _, c := range []struct {
		now      string
		missing  int
		entries  string // accounts with entries in the ledger: emil's call of the 24th is denied, for his allowance is of before the first period
		balances string
	}{
		{"2026-10-24T12:00:00Z", 1, "ada bob emil", "ada bob"},
		{"2026-10-29T00:00:00Z", 2, "ada bob", "ada bob"},
	} {
		s.run([]step{{c.now, month[0].do}, {c.now, month[1].do}})
		report, err := s.at(c.now).Apply(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Missing) != c.missing {
			t.Errorf("at %s %+v is missing, want %d things", c.now, report.Missing, c.missing)
		}
		wantRows(t, "accounts with balances at "+c.now, s.ask(`SELECT string_agg(DISTINCT account, ' ' ORDER BY account) FROM balances`), c.balances)
		wantRows(t, "accounts with entries at "+c.now, s.ask(`SELECT string_agg(DISTINCT account, ' ' ORDER BY account) FROM ledger`), c.entries)
	}
	// Mended, they are back.
	s.mend()
	s.run([]step{{"2026-10-29T00:00:00Z", month[1].do}, {"2026-10-29T00:00:00Z", month[2].do}})
	wantRows(t, "accounts with balances", s.ask(`SELECT string_agg(DISTINCT account, ' ' ORDER BY account) FROM balances`), "ada bob emil eva otto")
}

// A plan that was sold and is taken out of the catalog is missed by whoever is on it,
// with --leave-held too: the account must not go on as if it had never subscribed.
func TestATakenPlanStopsItsSubscribers(t *testing.T) {
	t.Parallel()
	world := lacking()
	delete(world, "raw/calls/lacking.jsonl")
	world["plans/club.yaml"] = strings.ReplaceAll(world["plans/club.yaml"], `{USD: "1.00"}`, `{USD: "1.00", EUR: "2.00"}`)
	s := newSite(t, world)
	if report, reasons := s.closeOctober(jobs.CloseOptions{LeaveHeld: true}); report.Run == nil {
		t.Fatalf("October is refused: %q", reasons)
	}
	if err := os.Remove(filepath.Join(s.dir, "plans", "club.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, leave := range []bool{false, true} {
		report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{LeaveHeld: leave})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Blocks) == 0 || report.Blocks[0].Reason != "accounts that cannot go on: plan club has no version in force" || report.Blocks[0].Count != 2 ||
			!strings.Contains(report.Blocks[0].Resolve, "a file of `catalog` in ") {
			t.Errorf("leave held %v: %+v", leave, report.Blocks)
		}
	}
	applied, err := s.at("2026-11-20T00:00:00Z").Apply(t.Context())
	if err != nil || len(applied.Missing) != 1 {
		t.Errorf("apply: %+v, %v", applied, err)
	}
	s.write("plans/club.yaml", world["plans/club.yaml"])
	report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{LeaveHeld: true})
	if err != nil || report.Run == nil {
		t.Fatalf("with the plan back: %+v, %v", report, err)
	}
	wantRows(t, "fees of November", s.ask(`SELECT concat_ws(' ', account, item, amount) FROM invoice_lines WHERE kind = 'fee' AND period = '2026-11' ORDER BY account`),
		"ada basic 10.0000", "emil club 2.0000", "eva club 2.0000")
}

// SPEC section 14, 36: held account events that a close leaves behind post again at the
// next period's first instant, those of before the first period too.
func TestHeldAccountEventsOfBeforeTheFirstPeriodPostAgain(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["raw/accounts/early.jsonl"] = `{"id":"w1","type":"subscription.started","account":"bob","at":"2026-09-15T00:00:00Z","plan":"gold"}`
	world["raw/accounts/ahead.jsonl"] = `{"id":"w2","type":"pack.purchased","account":"bob","at":"2026-12-15T00:00:00Z","pack":"starter"}`
	s := newSite(t, world)
	if report, reasons := s.closeOctober(jobs.CloseOptions{LeaveHeld: true}); report.Run == nil {
		t.Fatalf("October is refused: %q", reasons)
	}
	wantRows(t, "account events", s.ask(`SELECT concat_ws(' ', event_id, posted_at, held) FROM account_events WHERE event_id LIKE 'w%' ORDER BY event_id`),
		"w1 2026-11-01 00:00:00 unknown_plan", "w2 2026-12-15 00:00:00")
}

// A month that is cut is refused all the same for what the catalog has lost since, until
// it is back or --leave-held says that it may be left behind.
func TestACutMonthIsRefusedForWhatTheCatalogLostSince(t *testing.T) {
	t.Parallel()
	before := newSite(t, tiny)
	before.run(month[:2])
	s := before.cutAlone()
	s.write("plans/plans.yaml", strings.Replace(tiny["plans/plans.yaml"], "pack: starter", "pack: other", 1))
	_, reasons := s.closeOctober(jobs.CloseOptions{})
	wantRows(t, "reasons", reasons, "held account events: unknown_pack")
	if got := s.at(month[3].now).Lake.State().Head; got != 3 {
		t.Errorf("the head is run %d, want the cut, 3", got)
	}
	left := s.copied()
	if report, reasons := left.closeOctober(jobs.CloseOptions{LeaveHeld: true}); report.Run == nil {
		t.Errorf("with --leave-held: %q", reasons)
	}
	s.write("plans/plans.yaml", tiny["plans/plans.yaml"])
	if report, reasons := s.closeOctober(jobs.CloseOptions{}); report.Run == nil {
		t.Fatalf("with the pack back: %q", reasons)
	}
	calm := before.copied()
	calm.closeVisited(0, nil)
	if got, want := s.files(), calm.files(); !slices.Equal(got, want) {
		t.Errorf("files\n%q\nwant\n%q", got, want)
	}
}

// cutAlone is a copy of the site whose close was killed right after the cut.
func (s site) cutAlone() site {
	s.t.Helper()
	for n := int64(1); ; n++ {
		twin := s.copied()
		m, err := twin.open(month[3].now, wrapping(&storetest.Failing{N: n, Writes: true}))
		if err == nil {
			_, err = m.Close(s.t.Context(), jobs.CloseOptions{Period: october})
		}
		if _, cut := twin.at(month[3].now).Lake.State().Open(october); cut {
			return twin
		}
		if err == nil {
			s.t.Fatal("no close was killed after its cut")
		}
	}
}
