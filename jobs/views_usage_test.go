package jobs_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// Held and late calls in the views of usage: in an open month as they are rated, in a
// closed one as its statements count them. ada's calls cost 4 × 2 and 3 × 2, bob's 1 × 2
// and 3 × 2 and one of 0; one of bob's has no price. The close leaves it behind, and then
// ada's of October 30 arrives, for 5 × 2, which posts at the first instant of November.
func TestViewsOfUsageCountHeldAndLateCalls(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["raw/calls/3.jsonl"] = `{"id":"c6","ts":"2026-10-22T10:00:00Z","org":"bob","op":"video.make","n":1}` + "\n"
	world["plans/plans.yaml"] = strings.NewReplacer(`{USD: "10.00"}`, `{USD: "10.00", EUR: "9.00"}`, `{USD: "0.50"}`, `{USD: "0.50", EUR: "0.40"}`).Replace(tiny["plans/plans.yaml"])
	s := newSite(t, world)
	const byOperation = "SELECT concat_ws(' ', period, account, operation, calls, credits, late_calls, held_calls) FROM usage_by_operation ORDER BY 1"
	const byDay = "SELECT concat_ws(' ', day, operation, calls, credits, late_calls, held_calls, period) FROM usage_by_day ORDER BY 1"
	const top = "SELECT concat_ws(' ', period, rank, account, name, calls, credits, COALESCE(charges || ' ' || currency, '-')) FROM top_accounts ORDER BY 1"
	answer := func(columns, name string) string {
		text := strings.NewReplacer("$period", "'2026-11'", "$account", "'ada'").Replace(sql.Text("questions/" + name))
		return "SELECT CAST(row(" + columns + ") AS VARCHAR) FROM (" + text + ")"
	}
	adas := answer("period, calls, credits, overage, denied, charged, paid, due, currency, remaining", "account")
	expect := func(statement string, want ...string) {
		t.Helper()
		if got := s.ask(statement); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", statement, got, want)
		}
	}

	expect(byOperation)
	expect(byDay)
	expect(top)
	s.run(month[:2])
	inOctober := []string{
		"2026-10 ada image.generate 2 14.000000 0 0", "2026-10 bob image.free 1 0.000000 0 0",
		"2026-10 bob image.generate 2 8.000000 0 0", "2026-10 bob video.make 0 0.000000 0 1",
	}
	expect(byOperation, inOctober...)
	expect(top, "2026-10 1 ada Ada 2 14.000000 -", "2026-10 2 bob Bob 3 8.000000 -")
	days := []string{
		"2026-10-03 image.generate 1 8.000000 0 0 2026-10", "2026-10-04 image.generate 1 6.000000 0 0 2026-10",
		"2026-10-05 image.generate 1 2.000000 0 0 2026-10", "2026-10-20 image.generate 1 6.000000 0 0 2026-10", "2026-10-21 image.free 1 0.000000 0 0 2026-10",
	}
	expect(byDay, append(slices.Clone(days), "2026-10-22 video.make 0 0.000000 0 1 2026-10")...)

	s.run([]step{{"2026-11-01T07:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Close(ctx, jobs.CloseOptions{Period: october, LeaveHeld: true})
		return err
	}}})
	november := "2026-11 bob video.make 0 0.000000 0 1"
	expect(byOperation, append(slices.Clone(inOctober), november)...)
	expect("SELECT concat_ws(' ', period, account, operation, calls, credits, late_calls, held_calls) FROM statements ORDER BY 1", inOctober...)
	expect(byDay, append(slices.Clone(days), "2026-11-01 video.make 0 0.000000 0 1 2026-11")...)

	s.write("raw/calls/4.jsonl", `{"id":"c8","ts":"2026-10-30T10:00:00Z","org":"ada","op":"image.generate","n":5}`+"\n")
	late := slices.Clone(month[:2])
	late[0].now, late[1].now = "2026-11-02T00:00:00Z", "2026-11-02T00:01:00Z"
	s.run(late)
	expect(byOperation, slices.Concat(inOctober, []string{"2026-11 ada image.generate 1 10.000000 1 0", november})...)
	expect(byDay, slices.Concat(days, []string{"2026-11-01 image.generate 1 10.000000 1 0 2026-11", "2026-11-01 video.make 0 0.000000 0 1 2026-11"})...)
	// ada's fee of 10 and 4 credits of overage at 0.50, bob's pack of 4 and what goes beyond its 5 credits: denied. In
	// November bob has only a held call, and nobody has looked what ada's 10 credits burn.
	bobs := "2026-10 2 bob Bob 3 8.000000 4.0000 USD"
	expect(top, "2026-10 1 ada Ada 2 14.000000 12.0000 USD", bobs, "2026-11 1 ada Ada 1 10.000000 -")
	expect(adas, "(2026-10, 2, 14.000000, 4.000000, 0.000000, 12.0000, 0.0000, 12.0000, USD, 0.000000)",
		"(2026-11, 1, 10.000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
	expect(answer("rank, rank_before, account, change, charges, currency, charges_before, currency_before", "largest_accounts"),
		"(1, 1, ada, -4.000000, NULL, NULL, 12.0000, USD)")
	// The lake has no dimension model, and its calls no project and no key: the views say so.
	expect("SELECT concat_ws(' ', period, COALESCE(model, '-'), operation, calls, credits, late_calls, held_calls) FROM usage_by_model WHERE period = '2026-11' ORDER BY 1",
		"2026-11 - image.generate 1 10.000000 1 0", "2026-11 - video.make 0 0.000000 0 1")
	expect("SELECT concat_ws(' ', period, account, COALESCE(project, '-'), COALESCE(key, '-'), calls, credits, late_calls, held_calls) FROM usage_by_project ORDER BY 1",
		"2026-10 ada - - 2 14.000000 0 0", "2026-10 bob - - 3 8.000000 0 1", "2026-11 ada - - 1 10.000000 1 0", "2026-11 bob - - 0 0.000000 0 1")

	// A re-rate takes ada's call home, whose 10 credits are all overage: 5.00 more for October, on a debit note of November.
	s.run([]step{{"2026-11-03T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := commitRerate(ctx, m); return err }}})
	inOctober[0] = "2026-10 ada image.generate 3 24.000000 0 0"
	expect(byOperation, append(inOctober, november)...)
	expect(top, "2026-10 1 ada Ada 3 24.000000 17.0000 USD", bobs)
	expect("SELECT concat_ws(' ', line, documents, invoiced, corrected, amount) FROM ("+strings.ReplaceAll(sql.Text("questions/invoiced"), "$period", "'2026-10'")+")",
		"fee 1 10.0000 0.0000 10.0000", "pack 1 4.0000 0.0000 4.0000", "overage 2 2.0000 5.0000 7.0000",
		"total 3 16.0000 5.0000 21.0000", "paid 1 4.0000 0.0000 4.0000", "due 2 12.0000 5.0000 17.0000")

	// ada was billed in euros before her first fee: all dollars are taken back, and October comes to 9 and 14 at 0.40.
	s.write("raw/accounts/2.jsonl", `{"id":"a1-2","type":"account.updated","account":"ada","at":"2026-10-01T00:00:00Z","currency":"EUR"}`+"\n")
	s.take("2026-11-04T00:00:00Z")
	s.run([]step{{"2026-11-05T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := commitRerate(ctx, m); return err }}})
	expect("SELECT concat_ws(' ', currency, sum(subtotal)) FROM invoices WHERE account = 'ada' GROUP BY currency ORDER BY 1", "EUR 14.6000", "USD 0.0000")
	expect(top, "2026-10 1 ada Ada 3 24.000000 14.6000 EUR", bobs)
	expect(adas, "(2026-10, 3, 24.000000, 14.000000, 0.000000, 14.6000, 0.0000, 14.6000, EUR, 0.000000)")
}
