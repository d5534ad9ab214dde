package account_test

import (
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

func benchmarkMachine(tb testing.TB, events ...eventDef) *account.Machine {
	return must(account.Open(benchmarkParams(tb, events...)))
}

func benchmarkParams(tb testing.TB, events ...eventDef) account.Params {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	usd := func(p string) map[string]string { return map[string]string{"USD": p} }
	defs := catalogDef{
		plans: []planDef{
			{name: "big", version: 1, from: from, allowance: "1000000000000", fee: usd("99"), calendar: true},
			{name: "over", version: 1, from: from, allowance: "10", fee: usd("99"), calendar: true, per: "1000", steps: []stepDef{{"", usd("1.50")}}},
		},
		packs: []packDef{{name: "p", version: 1, from: from, credits: "1000000", price: usd("1")}},
	}
	p := account.Params{
		Account: acct, Period: must(period.Parse("2026-10")), FirstPeriod: must(period.Parse("2026-10")), Calendar: must(period.NewCalendar("UTC")),
		Catalog: defs.parse(tb), DefaultCurrency: must(money.ParseCurrency("USD")), AlertPercents: []int{80, 100, 110},
	}
	for _, e := range events {
		e.at = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
		p.Events = append(p.Events, account.Event{ID: e.id, Type: e.kind, Account: acct, At: e.at, PostedAt: e.at, Payload: e.payload()})
	}
	return p
}

// benchmarkCalls spreads b.N calls of one credit over the month.
func benchmarkCalls(b *testing.B, events ...eventDef) {
	m := benchmarkMachine(b, append([]eventDef{{id: "1", kind: "account.opened"}}, events...)...)
	start, month := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), 31*24*time.Hour.Microseconds()
	b.ReportAllocs()
	b.ResetTimer()
	n := int64(b.N)
	step := max(month/n-1, 0)
	at := start
	for range n {
		if _, err := m.Call(at, 1_000_000); err != nil {
			b.Fatal(err)
		}
		at += step
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mcalls/s")
}

// BenchmarkCall is the ordinary call: the first bucket pays all of it.
func BenchmarkCall(b *testing.B) {
	benchmarkCalls(b, eventDef{id: "2", kind: "subscription.started", plan: "big"})
}

// BenchmarkCallWatched is the same with an automatic top-up and an alert to watch for.
func BenchmarkCallWatched(b *testing.B) {
	benchmarkCalls(b,
		eventDef{id: "2", kind: "subscription.started", plan: "big"},
		eventDef{id: "3", kind: "topup.set", pack: "p", units: "1", below: "1000", most: 3},
		eventDef{id: "4", kind: "alert.set", below: "5000"})
}

// BenchmarkCallDenied is an account that has run dry.
func BenchmarkCallDenied(b *testing.B) {
	benchmarkCalls(b, eventDef{id: "2", kind: "subscription.started", plan: "over"})
}

// BenchmarkCallOverage is an account that goes on beyond its buckets.
func BenchmarkCallOverage(b *testing.B) {
	benchmarkCalls(b, eventDef{id: "2", kind: "subscription.started", plan: "over"}, eventDef{id: "3", kind: "overage.set"})
}

// BenchmarkAccount is what an account costs besides its calls: open and close.
func BenchmarkAccount(b *testing.B) {
	p := benchmarkParams(b, eventDef{id: "1", kind: "account.opened"}, eventDef{id: "2", kind: "subscription.started", plan: "big"})
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_ = account.CycleStart(p)
		_ = must(must(account.Open(p)).Finish())
	}
}

// TestCallDoesNotAllocate: ten million calls must not be ten million allocations,
// whoever pays for them.
func TestCallDoesNotAllocate(t *testing.T) {
	for name, events := range map[string][]eventDef{
		"first bucket": {{id: "2", kind: "subscription.started", plan: "big"}},
		"denied":       {{id: "2", kind: "subscription.started", plan: "over"}},
		"overage":      {{id: "2", kind: "subscription.started", plan: "over"}, {id: "3", kind: "overage.set"}},
	} {
		m := benchmarkMachine(t, append([]eventDef{{id: "1", kind: "account.opened"}}, events...)...)
		at := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC).UnixMicro()
		for range 20 { // the slices find their size
			_ = must(m.Call(at, 1_000_000))
		}
		if n := testing.AllocsPerRun(1000, func() {
			at++
			_ = must(m.Call(at, 1_000_000))
		}); n != 0 {
			t.Errorf("%s: %v allocations a call", name, n)
		}
	}
}
