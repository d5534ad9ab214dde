package jobs_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// standing is a world whose accounts stand differently: subscribed before the first
// month, renewed by a new version, changed at a cycle's end, cancelled, late, held,
// opened by a first call or still to be opened. Clocks go back on 25 October.
var standing = map[string]string{
	"creditmill.yaml": `
lake: ./lake
raw: ./raw
first_period: 2026-10
timezone: Europe/Amsterdam
sources: [sources/*.yaml]
prices: [prices/*.yaml]
catalog: [plans/*.yaml]
accounts: {unknown: {plan: free}}
accept: {future: 1h, past: 400 days}
`,
	"sources/gateway.yaml":  tiny["sources/gateway.yaml"],
	"sources/accounts.yaml": tiny["sources/accounts.yaml"],
	"prices/api.yaml": `
table: api
version: 1
effective_from: 2026-01-01T00:00:00Z
applies_to: ["op", "op.free"]
rules:
  - operation: op
    charge: {each: images, credits: 1}
  - operation: op.free
    charge: {credits: 0}
`,
	"plans/plans.yaml": `
plan: free
version: 1
effective_from: 2026-01-01T00:00:00Z
allowance: 10
renews: anniversary
---
plan: pro
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "10.00"}
allowance: 100
renews: anniversary
rollover: {cycles: 1}
rate_limit: {calls: 3, per: hour}
---
plan: pro
version: 2
effective_from: 2026-10-20T00:00:00Z
fee: {USD: "12.00"}
allowance: 120
renews: anniversary
rollover: {cycles: 1}
rate_limit: {calls: 4, per: hour}
---
plan: team
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "31.00"}
allowance: 50
renews: calendar
overage: {per: 1, price: {USD: "0.50"}, protection: false}
rate_limit: {calls: 2, per: day}
---
pack: boost
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 100
price: {USD: "5.00"}
expires_after: 12 months
`,
	"raw/accounts/1.jsonl": `
{"id":"a1","type":"account.opened","account":"ann","at":"2026-08-10T00:00:00Z","name":"Ann"}
{"id":"a2","type":"subscription.started","account":"ann","at":"2026-08-15T10:00:00Z","plan":"pro"}
{"id":"b1","type":"account.opened","account":"bob","at":"2026-10-02T08:00:00Z","name":"Bob"}
{"id":"b2","type":"subscription.started","account":"bob","at":"2026-10-02T08:00:00Z","plan":"team"}
{"id":"b3","type":"subscription.cancelled","account":"bob","at":"2026-10-20T00:00:00Z"}
{"id":"f1","type":"account.opened","account":"fay","at":"2026-10-03T00:00:00Z"}
{"id":"f2","type":"subscription.started","account":"fay","at":"2026-10-03T00:00:00Z","plan":"gold"}
{"id":"g1","type":"account.opened","account":"gus","at":"2026-10-05T00:00:00Z","name":"Gus"}
{"id":"g2","type":"subscription.started","account":"gus","at":"2026-10-05T00:00:00Z","plan":"free"}
{"id":"j1","type":"account.opened","account":"jim","at":"2026-10-01T10:00:00Z","name":"Jim"}
{"id":"j2","type":"subscription.started","account":"jim","at":"2026-10-01T10:00:00Z","plan":"free"}
`,
	"raw/calls/1.jsonl": `
{"id":"a1","ts":"2026-10-20T08:00:00Z","org":"ann","op":"op","n":20}
{"id":"a2","ts":"2026-10-21T10:00:00Z","org":"ann","op":"op.free"}
{"id":"a3","ts":"2026-10-21T10:10:00Z","org":"ann","op":"op.free"}
{"id":"a4","ts":"2026-10-21T10:20:00Z","org":"ann","op":"op.free"}
{"id":"a5","ts":"2026-10-21T10:59:59.999999Z","org":"ann","op":"op.free"}
{"id":"a6","ts":"2026-10-21T11:00:00Z","org":"ann","op":"op.free"}
{"id":"a7","ts":"2026-10-21T11:10:00Z","org":"ann","op":"op.free"}
{"id":"a8","ts":"2026-10-21T11:20:00Z","org":"ann","op":"op.free"}
{"id":"a9","ts":"2026-10-21T11:30:00Z","org":"ann","op":"op.unpriced"}
{"id":"b1","ts":"2026-10-04T22:00:00Z","org":"bob","op":"op.free"}
{"id":"b2","ts":"2026-10-05T10:00:00Z","org":"bob","op":"op.free"}
{"id":"b3","ts":"2026-10-05T21:59:00Z","org":"bob","op":"op.free"}
`,
}

// laterEvents and laterCalls come after October was closed.
const (
	laterEvents = `
{"id":"b4","type":"pack.purchased","account":"bob","at":"2026-11-01T08:00:00Z","pack":"boost"}
{"id":"b5","type":"topup.set","account":"bob","at":"2026-11-01T08:00:00Z","pack":"boost","units":1,"below":0,"most_per_period":1}
{"id":"d1","type":"account.opened","account":"dan","at":"2026-11-10T00:00:00Z","name":"Dan"}
{"id":"d2","type":"subscription.started","account":"dan","at":"2026-11-10T00:00:00Z","plan":"pro"}
{"id":"d3","type":"subscription.cancelled","account":"dan","at":"2026-11-12T00:00:00Z"}
{"id":"e1","type":"account.opened","account":"eve","at":"2026-10-10T00:00:00Z","name":"Eve","currency":"USD"}
{"id":"e2","type":"subscription.started","account":"eve","at":"2026-10-10T00:00:00Z","plan":"pro"}
{"id":"g3","type":"subscription.changed","account":"gus","at":"2026-11-05T01:00:00Z","plan":"pro"}
{"id":"h1","type":"account.opened","account":"hal","at":"2026-11-25T00:00:00Z"}
{"id":"h2","type":"subscription.started","account":"hal","at":"2026-11-25T00:00:00Z","plan":"pro"}
{"id":"i1","type":"account.opened","account":"iva","at":"2026-10-31T23:00:00Z","name":"Iva"}
{"id":"i2","type":"subscription.started","account":"iva","at":"2026-10-31T23:00:00Z","plan":"team"}
{"id":"j3","type":"subscription.cancelled","account":"jim","at":"2026-10-20T00:00:00Z"}
{"id":"j4","type":"credits.granted","account":"jim","at":"2026-11-01T00:00:00Z","credits":7,"reason":"a month","expires_at":"2026-12-20T12:00:00Z"}
{"id":"j5","type":"credits.granted","account":"jim","at":"2026-11-01T00:00:00Z","credits":8,"reason":"and more","expires_at":"2026-12-20T12:00:00.000001Z"}
{"id":"k1","type":"account.opened","account":"kit","at":"2026-11-01T00:00:00Z"}
{"id":"k2","type":"credits.granted","account":"kit","at":"2026-11-01T00:00:00Z","credits":"1000000000000000000000000000000","reason":"never to run out"}
`
	laterCalls = `
{"id":"a10","ts":"2026-10-21T11:40:00Z","org":"ann","op":"op.free"}
{"id":"a11","ts":"2026-11-14T00:00:00Z","org":"ann","op":"op","n":5}
{"id":"a12","ts":"2026-11-16T00:00:00Z","org":"ann","op":"op","n":30}
{"id":"a13","ts":"2026-11-17T10:00:00Z","org":"ann","op":"op.free"}
{"id":"a14","ts":"2026-11-17T10:01:00Z","org":"ann","op":"op.free"}
{"id":"a15","ts":"2026-11-17T10:02:00Z","org":"ann","op":"op.free"}
{"id":"a16","ts":"2026-11-17T10:03:00Z","org":"ann","op":"op.free"}
{"id":"a17","ts":"2026-11-17T10:04:00Z","org":"ann","op":"op.free"}
{"id":"a18","ts":"2026-11-18T10:00:00Z","org":"ann","op":"op.free"}
{"id":"a19","ts":"2026-11-18T10:01:00Z","org":"ann","op":"op.free"}
{"id":"a20","ts":"2026-11-18T10:02:00Z","org":"ann","op":"op.free"}
{"id":"a21","ts":"2026-11-18T10:03:00Z","org":"ann","op":"op.free"}
{"id":"b4","ts":"2026-11-13T11:59:59.999999Z","org":"bob","op":"op","n":7}
{"id":"b5","ts":"2026-11-13T12:00:00Z","org":"bob","op":"op","n":10}
{"id":"c1","ts":"2026-11-18T09:00:00Z","org":"cat","op":"op","n":4}
{"id":"g1","ts":"2026-11-19T00:00:00Z","org":"gus","op":"op","n":118}
{"id":"i1","ts":"2026-11-15T00:00:00Z","org":"iva","op":"op","n":70}
{"id":"k1","ts":"2026-11-15T00:00:00Z","org":"kit","op":"op","n":1}
`
	lateCall  = `{"id":"e2","ts":"2026-11-29T00:00:01Z","org":"eve","op":"op","n":24}` + "\n"
	lastCalls = `
{"id":"e1","ts":"2026-11-29T00:00:00Z","org":"eve","op":"op","n":24}
{"id":"i2","ts":"2026-11-28T00:00:00Z","org":"iva","op":"op","n":14}
`
)

// askAlone is ask with the views that the statement names and no others.
func (s site) askAlone(statement string) []string {
	s.t.Helper()
	reader, err := s.at("2026-12-01T00:00:00Z").Read(s.t.Context(), statement)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	return query(s.t, reader, statement)
}

// take ingests and rates.
func (s site) take(now string) {
	s.t.Helper()
	m := s.at(now)
	if _, err := m.Ingest(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if _, err := m.Rate(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// closeLeaving closes a month with what it holds left for the next.
func (s site) closeLeaving(now, month string) {
	s.t.Helper()
	s.run([]step{{now, func(ctx context.Context, m *jobs.Mill) error {
		_, err := m.Close(ctx, jobs.CloseOptions{Period: mustPeriod(month), LeaveHeld: true})
		return err
	}}})
}

// What accounts are subscribed to, hold and lose, worked out by hand at three instants:
// October closed, November applied on the 20th, November closed.
func TestViewsOfHowAccountsStand(t *testing.T) {
	t.Parallel()
	s := newSite(t, standing)
	const (
		accounts      = `SELECT concat_ws(' ', account, coalesce(name, '-'), coalesce(currency, '-'), opened_at, coalesce(plan, '-')) FROM accounts ORDER BY account`
		subscriptions = `SELECT concat_ws(' ', account, plan, plan_version, from_at, coalesce(CAST(to_at AS VARCHAR), '-'), rate_calls, rate_per) FROM subscriptions ORDER BY account, from_at`
		breaches      = `SELECT concat_ws(' ', account, plan, window_start, window_end, rate_per, calls, rate_calls, period) FROM rate_limit_breaches ORDER BY account, window_start`
		expiring      = `SELECT concat_ws(' ', bucket_id, kind, expires_at, days_left, remaining, deferred, currency, rolls_over) FROM balances_expiring ORDER BY expires_at, bucket_id`
		running       = `SELECT concat_ws(' ', account, usable, used_7_days, coalesce(CAST(days_left AS VARCHAR), '-'), coalesce(CAST(runs_out_on AS VARCHAR), '-'), coalesce(CAST(renews_at AS VARCHAR), '-'), before_renewal, protection, topup) FROM accounts_running_out ORDER BY account`
	)
	wantRows(t, "as_of of nothing", s.askAlone(`SELECT concat_ws(' ', run, coalesce(CAST(run_at AS VARCHAR), '-'), coalesce(balances_period, '-')) FROM as_of`), "0 - -")
	for _, nothing := range []string{accounts, subscriptions, breaches, expiring, running} {
		wantRows(t, "nothing yet", s.askAlone(nothing))
	}

	s.take("2026-11-01T06:00:00Z")
	wantRows(t, "before there are balances", s.askAlone(`SELECT account || ' ' || plan FROM accounts WHERE plan IS NOT NULL ORDER BY account`), "ann pro", "gus free", "jim free")
	// Fay's plan is not in the catalog: held, where there are no periods yet; the close leaves that for November.
	heldIn := func(what string, months ...string) {
		t.Helper()
		for _, month := range []string{"2026-10", "2026-11", "2026-12"} {
			held := s.askAlone(strings.ReplaceAll("SELECT concat_ws(' ', account, reason, records) FROM ("+sql.Text("questions/exceptions")+") WHERE what = 'held account event'", "$period", "'"+month+"'"))
			if slices.Contains(months, month) {
				wantRows(t, what+", "+month, held, "fay unknown_plan 1")
			} else {
				wantRows(t, what+", "+month, held)
			}
		}
	}
	heldIn("not judged")
	s.run([]step{{"2026-11-01T06:30:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Apply(ctx); return err }}})
	heldIn("judged", "2026-10")
	s.closeLeaving("2026-11-02T06:00:00Z", "2026-10")
	heldIn("left", "2026-11")
	// Ann's second version is to come with the cycle of 15 November; bob's calls lie on
	// one local day, but he made three.
	wantRows(t, "October: breaches", s.askAlone(breaches),
		"ann pro 2026-10-21 10:00:00 2026-10-21 11:00:00 hour 4 3 2026-10", "bob team 2026-10-04 22:00:00 2026-10-05 22:00:00 day 3 2 2026-10")
	wantRows(t, "October: subscriptions", s.askAlone(subscriptions),
		"ann pro 1 2026-08-15 10:00:00 - 3 hour", "bob team 1 2026-10-02 08:00:00 2026-10-31 23:00:00 2 day",
		"gus free 1 2026-10-05 00:00:00 -", "jim free 1 2026-10-01 10:00:00 -")
	// At the month's end: bob's plan is gone with the instant.
	wantRows(t, "October: accounts", s.askAlone(accounts),
		"ann Ann USD 2026-08-10 00:00:00 pro", "bob Bob USD 2026-10-02 08:00:00 -", "fay - - 2026-10-03 00:00:00 -",
		"gus Gus - 2026-10-05 00:00:00 free", "jim Jim - 2026-10-01 10:00:00 free")

	s.write("raw/accounts/2.jsonl", laterEvents)
	s.write("raw/calls/2.jsonl", laterCalls)
	s.take("2026-11-20T11:00:00Z")
	s.run([]step{{"2026-11-20T12:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Apply(ctx); return err }}})
	wantRows(t, "as_of", s.askAlone(`SELECT concat_ws(' ', balances_period, balances_at) FROM as_of`), "2026-11 2026-11-20 12:00:00")
	wantRows(t, "November: accounts", s.askAlone(accounts),
		"ann Ann USD 2026-08-10 00:00:00 pro", "bob Bob USD 2026-10-02 08:00:00 -", "cat - - 2026-11-18 09:00:00 free",
		"dan Dan USD 2026-11-10 00:00:00 pro", "eve Eve USD 2026-10-10 00:00:00 pro", "fay - - 2026-10-03 00:00:00 -",
		"gus Gus USD 2026-10-05 00:00:00 pro", "hal - - 2026-11-25 00:00:00 -", "iva Iva USD 2026-10-31 23:00:00 team", "jim Jim - 2026-10-01 10:00:00 -",
		"kit - - 2026-11-01 00:00:00 -")
	// Eve's events were late: they act at November's first instant. Jim's cancellation too:
	// it ends the cycle that ran then. 12:00 local is 11:00 UTC after the clocks went back.
	wantRows(t, "November: subscriptions", s.askAlone(subscriptions),
		"ann pro 1 2026-08-15 10:00:00 2026-11-15 11:00:00 3 hour", "ann pro 2 2026-11-15 11:00:00 - 4 hour",
		"bob team 1 2026-10-02 08:00:00 2026-10-31 23:00:00 2 day", "cat free 1 2026-11-18 09:00:00 -",
		"dan pro 2 2026-11-10 00:00:00 2026-12-10 00:00:00 4 hour", "eve pro 2 2026-10-31 23:00:00 - 4 hour",
		"gus free 1 2026-10-05 00:00:00 2026-11-05 01:00:00", "gus pro 2 2026-11-05 01:00:00 - 4 hour",
		"iva team 1 2026-10-31 23:00:00 - 2 day", "jim free 1 2026-10-01 10:00:00 2026-11-01 11:00:00")
	// Ann's fourth call of 21 October 11:00 was late, and the fifth is held.
	wantRows(t, "November: breaches", s.askAlone(breaches),
		"ann pro 2026-10-21 10:00:00 2026-10-21 11:00:00 hour 4 3 2026-10", "ann pro 2026-11-17 10:00:00 2026-11-17 11:00:00 hour 5 4 2026-11",
		"bob team 2026-10-04 22:00:00 2026-10-05 22:00:00 day 3 2 2026-10")
	// Ann: 100 − 25 roll over, 75 for 7.50, of which 30 are used; 120 more since the 15th.
	// Bob: 17 of 100 for 5.00 are used. Gus: 118 of 120 for 12.00.
	wantRows(t, "November: expiring", s.askAlone(expiring),
		"eve/allowance/2026-10-31T23:00:00Z allowance 2026-11-30 23:00:00 10 120.000000 12.0000 USD true",
		"gus/allowance/2026-11-05T01:00:00Z allowance 2026-12-05 01:00:00 14 2.000000 0.2000 USD true",
		"dan/allowance/2026-11-10T00:00:00Z allowance 2026-12-10 00:00:00 19 120.000000 12.0000 USD false",
		"ann/allowance/2026-11-15T11:00:00Z allowance 2026-12-15 11:00:00 24 120.000000 12.0000 USD true",
		"ann/rollover/2026-11-15T11:00:00Z rollover 2026-12-15 11:00:00 24 45.000000 4.5000 USD false",
		"cat/allowance/2026-11-18T09:00:00Z allowance 2026-12-18 09:00:00 27 6.000000 0.0000 USD false",
		"jim/promotion/j4 promotion 2026-12-20 12:00:00 30 7.000000 0.0000 USD false",
		"jim/promotion/j5 promotion 2026-12-20 12:00:00.000001 30 8.000000 0.0000 USD false",
		"bob/pack/b4 pack 2027-11-01 08:00:00 345 83.000000 4.1500 USD false")
	wantRows(t, "November: expires within 30 days", s.askAlone(`SELECT bucket_id FROM (`+sql.Text("questions/expiring")+`) WHERE account = 'jim'`), "jim/promotion/j4")
	// Days: 165 × 7 ÷ 35 = 33; 83 × 7 ÷ 10 = 58.1; 6 × 7 ÷ 4 = 10.5, which is midnight UTC;
	// 2 × 7 ÷ 118; iva used 50 of her allowance and 20 beyond it.
	wantRows(t, "November: running out", s.askAlone(running),
		"ann 165.000000 35.000000 33 2026-12-23 2026-12-15 11:00:00 false true false", "bob 83.000000 10.000000 58 2027-01-17 - true true true",
		"cat 6.000000 4.000000 10 2026-12-01 2026-12-18 09:00:00 true true false", "gus 2.000000 118.000000 0 2026-11-20 2026-12-05 01:00:00 true true false",
		"iva 0.000000 70.000000 0 2026-11-20 2026-11-30 23:00:00 true false false",
		"kit 999999999999999999999999999999.000000 1.000000 - - - false true false")
	wantRows(t, "November: standings", s.askAlone(`SELECT concat_ws(' ', account, plan, plan_version, from_at, to_at, allowance, coalesce(CAST(next_allowance AS VARCHAR), '-'), rolls_over, protection, topup)
		FROM standings WHERE account IN ('bob', 'dan', 'eve', 'iva') ORDER BY account`),
		"bob - false true true", "dan pro 2 2026-11-10 00:00:00 2026-12-10 00:00:00 120.000000 - false true false",
		"eve pro 2 2026-10-31 23:00:00 2026-11-30 23:00:00 120.000000 120.000000 true true false",
		"iva team 1 2026-10-31 23:00:00 2026-11-30 23:00:00 50.000000 50.000000 false false false")

	s.write("raw/calls/3.jsonl", lastCalls)
	s.take("2026-12-01T01:00:00Z")
	s.closeLeaving("2026-12-02T06:00:00Z", "2026-11")
	// At the end of November: eve's 96 have rolled over, and December grants 120 anew at once:
	// 216 × 7 ÷ 24 = 63 days. Iva has her next 50: 50 × 7 ÷ 14 = 25.
	wantRows(t, "end of November: running out", s.askAlone(running),
		"eve 216.000000 24.000000 63 2027-02-02 2026-12-31 23:00:00 false true false", "iva 50.000000 14.000000 25 2026-12-26 2026-12-31 23:00:00 true false false")
	wantRows(t, "end of November: opened by a call", s.askAlone(accounts)[2:3], "cat - - 2026-11-18 09:00:00 free")
	wantRows(t, "end of November: hal", s.askAlone(`SELECT concat_ws(' ', plan, plan_version, from_at, coalesce(CAST(to_at AS VARCHAR), '-')) FROM subscriptions WHERE account = 'hal'`), "pro 2 2026-11-25 00:00:00 -")

	// A call of November that is late burns 24 of eve's, 192 are left, and says nothing of the pace: 192 × 7 ÷ 24 = 56
	// days from December 3 on.
	s.write("raw/calls/4.jsonl", lateCall)
	s.take("2026-12-03T07:00:00Z")
	s.run([]step{{"2026-12-03T08:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Apply(ctx); return err }}})
	wantRows(t, "December: running out", s.askAlone(running),
		"eve 192.000000 24.000000 56 2027-01-28 2026-12-31 23:00:00 false true false", "iva 50.000000 14.000000 25 2026-12-28 2026-12-31 23:00:00 true false false")
}
