package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

// Ten times the buckets take about ten times as long, not a hundred: packs bought one
// after the other, half of which expire, calls that take one each, and voids.
func TestTimeGrowsWithBucketsNotWithTheirSquare(t *testing.T) {
	const few, many = 2000, 20_000
	best := func(n int) time.Duration {
		p := manyPacks(t, n)
		var least time.Duration
		for range 3 {
			began := time.Now()
			out := burnPacks(t, p, n)
			if took := time.Since(began); least == 0 || took < least {
				least = took
			}
			identities(t, out)
			if len(out.Buckets) != n || len(out.Held) > 0 {
				t.Fatalf("%d buckets of %d packs, %d events held", len(out.Buckets), n, len(out.Held))
			}
		}
		return least
	}
	short, long := best(few), best(many)
	t.Logf("%d buckets %v, %d buckets %v", few, short, many, long)
	if long > 50*short {
		t.Errorf("%d buckets take %v, %d take %v", few, short, many, long)
	}
}

// manyPacks is an account that buys a pack of ten credits every ten seconds from 1 October
// on. Later it gets refunds for every tenth.
func manyPacks(t *testing.T, n int) account.Params {
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	price := map[string]string{"USD": "0.10"}
	defs := catalogDef{packs: []packDef{{name: "ten", version: 1, from: from, credits: "10", price: price}, {name: "brief", version: 1, from: from, credits: "10", price: price, days: 20}}}
	p := account.Params{
		Account: acct, Period: must(period.Parse("2026-10")), FirstPeriod: must(period.Parse("2026-10")), Calendar: must(period.NewCalendar("UTC")),
		Catalog: defs.parse(t), DefaultCurrency: must(money.ParseCurrency("USD")),
	}
	add := func(e eventDef) {
		p.Events = append(p.Events, account.Event{ID: e.id, Type: e.kind, Account: acct, At: e.at, PostedAt: e.at, Payload: e.payload()})
	}
	add(eventDef{id: "open", kind: "account.opened", at: from})
	for i := range n {
		at := from.Add(time.Duration(i) * 10 * time.Second)
		add(eventDef{id: fmt.Sprint(i), kind: "pack.purchased", at: at, pack: []string{"ten", "brief"}[i%2]})
		if i%10 == 0 {
			add(eventDef{id: fmt.Sprintf("refund-%d", i), kind: "bucket.voided", at: at.Add(15 * 24 * time.Hour), bucket: fmt.Sprintf("%s/pack/%d", acct, i)})
		}
	}
	return p
}

// burnPacks calls for half of the packs.
func burnPacks(t *testing.T, p account.Params, n int) account.Outcome {
	m := must(account.Open(p))
	from := time.Date(2026, 10, 4, 0, 0, 0, 0, time.UTC)
	for i := range n / 2 {
		if _, err := m.Call(from.Add(time.Duration(i)*(27*24*time.Hour/time.Duration(n/2))).UnixMicro(), 10_000_000); err != nil {
			t.Fatal(err)
		}
	}
	return must(m.Finish())
}
