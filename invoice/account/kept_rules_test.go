package account_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

// kept is a top-up of a unit of cash that was charged before.
func kept(n int, when string) keptDef {
	return keptDef{n: n, at: on(when), pack: "cash", units: "1", unit: "1", granted: "2000", price: "1", in: "USD"}
}

// refilled are the settings of TestTopUpsAreBoughtInMidCall: 1,000 credits, and top-ups of 2,000.
func refilled(most int) []eventDef {
	return []eventDef{
		opened("10-01 00:00"), event("p", "10-01 01:00", "pack.purchased", eventDef{pack: "cash", units: "0.5"}),
		event("t", "10-01 02:00", "topup.set", eventDef{pack: "cash", units: "1", below: "500", most: most}),
	}
}

func tellKept(t *testing.T, months int, list []keptDef, events []eventDef, calls ...callDef) result {
	t.Helper()
	return tellIn(t, world{kept: list}, months, events, calls...)
}

// SPEC section 14, 44: a kept top-up answers the first need at its own instant; when
// they are used up and may be, new ones are bought.
func TestKeptTopUpAnswersTheFirstNeedAtItsOwnInstant(t *testing.T) {
	r := tellKept(t, 1, []keptDef{kept(2, "10-03 00:00"), kept(1, "10-02 01:00")}, refilled(3),
		called("10-02 01:00", "100"), called("10-02 01:00", "450"), called("10-03 00:00", "2500"), called("10-03 00:00", "100"),
		called("10-04 00:00", "3000"), called("10-05 00:00", "500"))
	// 900 are enough, 450 are not: the first. 2,450 pay 2,500 but for 50: the second, which
	// holds 1,850 after the next call. 1,150 of 3,000 are short: a third, new, leaves 850.
	// 350 would need a fourth.
	r.wantCalls(t, "pack acme/pack/p 100", "pack acme/pack/p 450",
		"pack acme/pack/p 450 + topup acme/topup/2026-10/1 2000 + topup acme/topup/2026-10/2 50", "topup acme/topup/2026-10/2 100",
		"topup acme/topup/2026-10/2 1850 + topup acme/topup/2026-10/3 1150", "topup acme/topup/2026-10/3 500")
	r.want(t, 0, "charge",
		"charge pack 2026-10-01T01:00:00Z p cash x 0.5 = 0.5 bucket acme/pack/p paid true v0 step 0",
		"charge topup 2026-10-02T01:00:00Z 1 cash x 1 = 1 bucket acme/topup/2026-10/1 paid false v0 step 0",
		"charge topup 2026-10-03T00:00:00Z 2 cash x 1 = 1 bucket acme/topup/2026-10/2 paid false v0 step 0",
		"charge topup 2026-10-04T00:00:00Z 3 cash x 1 = 1 bucket acme/topup/2026-10/3 paid false v0 step 0")
}

// SPEC section 14, 44: one that nobody needs comes after the calls of its instant, be
// there any or not; a call of the next microsecond finds it.
func TestKeptTopUpThatNobodyNeedsComesAfterItsInstantsCalls(t *testing.T) {
	promotion := event("g", "10-05 00:00", "credits.granted", eventDef{credits: "30", expires: on("10-05 00:00:00.000001")})
	r := tellKept(t, 1, []keptDef{kept(1, "10-05 00:00"), kept(2, "10-07 00:00"), kept(3, "10-31 23:59:59.999999")},
		[]eventDef{opened("10-01 00:00"), promotion},
		called("10-05 00:00", "20"), called("10-05 00:00", "10"), called("10-05 00:00:00.000001", "2100"), called("10-08 00:00", "2000"))
	r.wantCalls(t, "promotion acme/promotion/g 20", "promotion acme/promotion/g 10", "topup acme/topup/2026-10/1 2000 + denied 100", "topup acme/topup/2026-10/2 2000")
	r.want(t, 0, "row",
		"row acme/promotion/g promotion p20 2026-10-05T00:00:00Z..2026-10-05T00:00:00.000001Z open 0 grant 30 burn 30 expire 0 void 0 roll 0 left 0 price 0 use 0 breakage 0 deferred 0 USD",
		"row acme/topup/2026-10/1 topup p50 2026-10-05T00:00:00Z..- open 0 grant 2000 burn 2000 expire 0 void 0 roll 0 left 0 price 1 use 1 breakage 0 deferred 0 USD",
		"row acme/topup/2026-10/2 topup p50 2026-10-07T00:00:00Z..- open 0 grant 2000 burn 2000 expire 0 void 0 roll 0 left 0 price 1 use 1 breakage 0 deferred 0 USD",
		"row acme/topup/2026-10/3 topup p50 2026-10-31T23:59:59.999999Z..- open 0 grant 2000 burn 0 expire 0 void 0 roll 0 left 2000 price 1 use 0 breakage 0 deferred 1 USD")
}

// SPEC section 14, 44: kept ones count towards most_per_period from the start, and
// new ones are numbered after them.
func TestKeptTopUpsCountFromTheStart(t *testing.T) {
	list := []keptDef{kept(1, "10-20 00:00"), kept(2, "10-25 00:00")}
	r := tellKept(t, 1, list, refilled(2), called("10-05 00:00", "1200"), called("10-20 00:00", "1"))
	r.wantCalls(t, "pack acme/pack/p 1000 + denied 200", "topup acme/topup/2026-10/1 1")
	r = tellKept(t, 1, list, refilled(3), called("10-05 00:00", "1200"), called("10-06 00:00", "1900"))
	r.wantCalls(t, "pack acme/pack/p 1000 + topup acme/topup/2026-10/3 200", "topup acme/topup/2026-10/3 1800 + denied 100")
	r.want(t, 0, "charge",
		"charge pack 2026-10-01T01:00:00Z p cash x 0.5 = 0.5 bucket acme/pack/p paid true v0 step 0",
		"charge topup 2026-10-05T00:00:00Z 3 cash x 1 = 1 bucket acme/topup/2026-10/3 paid false v0 step 0",
		"charge topup 2026-10-20T00:00:00Z 1 cash x 1 = 1 bucket acme/topup/2026-10/1 paid false v0 step 0",
		"charge topup 2026-10-25T00:00:00Z 2 cash x 1 = 1 bucket acme/topup/2026-10/2 paid false v0 step 0")
}

// SPEC section 14, 30: kept top-ups stay at their instants by their own terms: before
// the settings, after a cancellation, of a pack that is sold no more.
func TestKeptTopUpIsByItsOwnTerms(t *testing.T) {
	retired := keptDef{n: 1, at: on("10-01 00:00"), expires: on("10-20 00:00"), pack: "retired", units: "0.5", unit: "6.666666666667", granted: "50", price: "3.33", in: "USD"}
	r := tellKept(t, 2, []keptDef{retired, kept(2, "10-15 00:00"), kept(1, "11-20 00:00")}, []eventDef{
		opened("10-01 00:00"), starts("s", "10-01 00:00", "free"), event("c", "10-02 00:00", "subscription.cancelled", eventDef{}),
		event("t", "10-03 00:00", "topup.set", eventDef{pack: "brief", units: "3", below: "0", most: 1}),
		event("x", "10-04 00:00", "topup.cleared", eventDef{}),
	}, called("10-01 00:00", "110"), called("11-20 00:00", "2010"))
	// 100 of the allowance and 10 of 50 pay the first; 40 expire. 2,000 go over the month's
	// end; 10 are short where the last one comes.
	r.wantCalls(t, "allowance acme/allowance/2026-10-01T00:00:00Z 100 + topup acme/topup/2026-10/1 10", "topup acme/topup/2026-10/2 2000 + topup acme/topup/2026-11/1 10")
	r.want(t, 0, "charge",
		"charge topup 2026-10-01T00:00:00Z 1 retired x 0.5 = 3.33 bucket acme/topup/2026-10/1 paid false v0 step 0",
		"charge topup 2026-10-15T00:00:00Z 2 cash x 1 = 1 bucket acme/topup/2026-10/2 paid false v0 step 0")
	// 3.33 × 10 ÷ 50 = 0.666.
	r.want(t, 0, "row",
		"row acme/allowance/2026-10-01T00:00:00Z allowance p40 2026-10-01T00:00:00Z..2026-11-01T00:00:00Z open 0 grant 100 burn 100 expire 0 void 0 roll 0 left 0 price 0 use 0 breakage 0 deferred 0 USD",
		"row acme/topup/2026-10/1 topup p50 2026-10-01T00:00:00Z..2026-10-20T00:00:00Z open 0 grant 50 burn 10 expire 40 void 0 roll 0 left 0 price 3.33 use 0.67 breakage 2.66 deferred 0 USD",
		"row acme/topup/2026-10/2 topup p50 2026-10-15T00:00:00Z..- open 0 grant 2000 burn 0 expire 0 void 0 roll 0 left 2000 price 1 use 0 breakage 0 deferred 1 USD")
	c := r.outcomes[0].Charges[0]
	if c.UnitPrice.String() != "6.666666666667" || c.Description != "retired" || !c.From.Equal(on("10-01 00:00")) || !c.To.Equal(c.From) {
		t.Errorf("the line is %+v, want it as the close made it", c)
	}
}

// A kept top-up goes before overage, as any does, and is voided as any is.
func TestKeptTopUpGoesBeforeOverageAndCanBeVoided(t *testing.T) {
	r := tellKept(t, 1, []keptDef{kept(1, "10-04 00:00"), kept(2, "10-06 00:00")}, []eventDef{
		opened("10-01 00:00"), starts("s", "10-01 00:00", "steps"),
		event("v", "10-07 00:00", "bucket.voided", eventDef{bucket: "acme/topup/2026-10/2"}),
		event("w", "10-05 00:00", "bucket.voided", eventDef{bucket: "acme/topup/2026-10/2"}), // it is not yet
	}, called("10-04 00:00", "2010"), called("10-08 00:00", "1"))
	r.wantCalls(t, "topup acme/topup/2026-10/1 2000 + overage steps v1 step 1 10", "overage steps v1 step 1 1")
	r.want(t, 0, "held", "held w unknown_bucket")
	r.want(t, 0, "row",
		"row acme/topup/2026-10/1 topup p50 2026-10-04T00:00:00Z..- open 0 grant 2000 burn 2000 expire 0 void 0 roll 0 left 0 price 1 use 1 breakage 0 deferred 0 USD",
		"row acme/topup/2026-10/2 topup p50 2026-10-06T00:00:00Z..- open 0 grant 2000 burn 0 expire 0 void 2000 roll 0 left 0 price 1 use 0 breakage 1 deferred 0 USD")
}

// A top-up of no price has no line that names its pack: it is that of the settings
// there, else it is named after its kind.
func TestKeptTopUpOfUnknownPack(t *testing.T) {
	free := keptDef{n: 1, at: on("10-05 00:00"), units: "0", granted: "5", price: "0", in: "USD"}
	r := tellKept(t, 1, []keptDef{free}, []eventDef{opened("10-01 00:00")})
	set := tellKept(t, 1, []keptDef{free}, refilled(1))
	for want, o := range map[string]account.Outcome{"topup": r.outcomes[0], "cash": set.outcomes[0]} {
		b := o.Buckets[len(o.Buckets)-1]
		entry := o.Ledger[len(o.Ledger)-1]
		if b.ID != "acme/topup/2026-10/1" || b.Item != want || entry.Detail != want {
			t.Errorf("bucket %s of item %q, granted as %q, want item %q", b.ID, b.Item, entry.Detail, want)
		}
	}
	r.want(t, 0, "charge")
}

// A kept top-up is a fact also where today nobody opens the account: it is charged in
// its own currency and granted, while usage stays held.
func TestKeptTopUpOfAnAccountNotOpened(t *testing.T) {
	euros := kept(1, "10-05 00:00")
	euros.in = "EUR"
	w := world{first: "2026-10", catalog: shop(), kept: []keptDef{euros}}
	r := w.runEngine(t, 1)
	r.want(t, 0, "charge ledger profile opened",
		"charge topup 2026-10-05T00:00:00Z 1 cash x 1 = 1 bucket acme/topup/2026-10/1 paid false v0 step 0",
		"ledger 2026-10-05T00:00:00Z grant acme/topup/2026-10/1 2000", "profile  EUR", "opened false")
}

// SPEC section 14, 37: the currency is fixed once money was charged. What was kept was
// charged: an event that comes home before it cannot change its currency, unless it
// is changed back by then.
func TestKeptTopUpFixesTheCurrency(t *testing.T) {
	update := func(id, when, currency string) eventDef {
		return event(id, when, "account.updated", eventDef{currency: currency})
	}
	w := world{first: "2026-10", catalog: bazaar(on("10-01 00:00")), kept: []keptDef{kept(1, "10-10 00:00")}}
	w.events = []eventDef{opened("10-01 00:00"), update("u", "10-05 00:00", "EUR")}
	w.runEngine(t, 1).want(t, 0, "held profile", "held u currency_fixed", "profile  USD")
	w.events = append(w.events, update("v", "10-07 00:00", "USD"), update("x", "10-08 00:00", "EUR"))
	w.runEngine(t, 1).want(t, 0, "held profile", "held x currency_fixed", "profile  USD")
}

// openKept opens October of an account with kept top-ups.
func openKept(t *testing.T, events []account.Event, list ...account.KeptTopUp) error {
	t.Helper()
	october := must(period.Parse("2026-10"))
	m, err := account.Open(account.Params{
		Account: acct, Period: october, Calendar: must(period.NewCalendar("UTC")), FirstPeriod: october.Add(-1), Catalog: shop().parse(t),
		DefaultCurrency: must(money.ParseCurrency("USD")), Events: events, Kept: list,
	})
	if err == nil {
		_, err = m.Finish()
	}
	return err
}

// TestKeptTopUpsThatCannotBe: what no close can have charged is an error.
func TestKeptTopUpsThatCannotBe(t *testing.T) {
	usd := must(money.ParseCurrency("USD"))
	one := account.KeptTopUp{N: 1, At: on("10-05 00:00"), Price: must(money.ParseAmount("1")), Currency: usd}
	with := func(change func(*account.KeptTopUp)) account.KeptTopUp {
		k := one
		change(&k)
		return k
	}
	updated := eventDef{id: "u", kind: "account.updated", at: on("09-05 00:00"), currency: "EUR"}
	euros := []account.Event{
		{ID: "open", Type: "account.opened", At: on("09-01 00:00"), PostedAt: on("09-01 00:00"), Payload: opened("09-01 00:00").payload()},
		{ID: "u", Type: updated.kind, At: updated.at, PostedAt: updated.at, Payload: updated.payload()},
	}
	for _, c := range []struct {
		events []account.Event
		kept   []account.KeptTopUp
		want   string
	}{
		{nil, []account.KeptTopUp{one}, ""},
		{nil, []account.KeptTopUp{one, one}, "top-up 1 cannot be kept"},
		{nil, []account.KeptTopUp{with(func(k *account.KeptTopUp) { k.N = 0 })}, "top-up 0 cannot be kept"},
		{nil, []account.KeptTopUp{with(func(k *account.KeptTopUp) { k.At = on("11-01 00:00") })}, "top-up 1 cannot be kept"},
		{nil, []account.KeptTopUp{with(func(k *account.KeptTopUp) { k.At = on("09-30 23:59:59.999999") })}, "top-up 1 cannot be kept"},
		{euros, []account.KeptTopUp{one}, "acme/topup/2026-10/1 was charged in USD, but by the account's events its currency is EUR"},
		{euros, []account.KeptTopUp{with(func(k *account.KeptTopUp) { k.Price = money.Amount{} })}, ""},
	} {
		err := openKept(t, c.events, c.kept...)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// SPEC section 8: a re-rate puts a late event where it belongs. Once it posts at its
// own time, nothing tells that it was late or was held there: not the pack's
// version and expiry, not the cycle that is cancelled, not where a plan's anchor is.
func TestAnEventThatCameHomeActsAsIfItHadNeverBeenLate(t *testing.T) {
	onTime := []eventDef{
		opened("10-01 00:00"), starts("s", "10-05 00:00", "roll"), event("p", "10-14 00:00", "pack.purchased", eventDef{pack: "brief"}),
		event("c", "11-03 00:00", "subscription.cancelled", eventDef{}), starts("r", "11-20 00:00", "free"),
		event("b", "11-21 00:00", "bucket.voided", eventDef{bucket: "acme/pack/never"}),
	}
	calls := []callDef{called("10-15 00:00", "150"), called("11-06 00:00", "20"), called("11-22 00:00", "1")}
	want := tell(t, 3, onTime, calls...)
	home := slices.Clone(onTime)
	for i := range home {
		home[i].held = "unknown_plan" // as it was judged where it had posted
	}
	w := world{first: "2026-10", percent: []int{80, 100, 110}, catalog: shop(), events: home, calls: calls}
	got := w.runEngine(t, 3)
	compare(t, w, got, want)
	for _, r := range []result{got, want} {
		for i := range r.outcomes {
			for j := range r.outcomes[i].Held {
				r.outcomes[i].Held[j].Event.Held = ""
			}
		}
	}
	if !reflect.DeepEqual(got.outcomes, want.outcomes) {
		t.Errorf("got\n%+v\nwant\n%+v", got.outcomes, want.outcomes)
	}
	// The pack expires ten days after its own time; the cancelled cycle is the one that
	// began on 5 October: 100 of its allowance went, nothing rolls.
	want.want(t, 0, "ledger",
		"ledger 2026-10-05T00:00:00Z grant acme/allowance/2026-10-05T00:00:00Z 100", "ledger 2026-10-14T00:00:00Z grant acme/pack/p 100",
		"ledger 2026-10-15T00:00:00Z burn acme/allowance/2026-10-05T00:00:00Z 100", "ledger 2026-10-15T00:00:00Z burn acme/pack/p 50",
		"ledger 2026-10-24T00:00:00Z expire acme/pack/p 50")
	want.want(t, 1, "ledger", "ledger 2026-11-06T00:00:00Z denied  20",
		"ledger 2026-11-20T00:00:00Z grant acme/allowance/2026-11-20T00:00:00Z 100", "ledger 2026-11-22T00:00:00Z burn acme/allowance/2026-11-20T00:00:00Z 1")
}
