package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

// SPEC section 6, Overage: with protection on, the plan's default, it is denied;
// off, it is overage up to the limit, then denied. A later grant does not pay for it.
func TestOverageUpToTheLimitThenDenied(t *testing.T) {
	r := tell(t, 1, []eventDef{
		opened("10-01 00:00"), starts("s", "10-01 00:00", "small"),
		event("off", "10-03 00:00", "overage.set", eventDef{limit: "305"}),
		event("p", "10-06 00:00", "pack.purchased", eventDef{pack: "boost"}),
		event("on", "10-07 00:00", "overage.set", eventDef{protect: true}),
	}, called("10-02 00:00", "1040"), called("10-04 00:00", "300"), called("10-05 00:00", "30"), called("10-06 00:00", "510"), called("10-08 00:00", "1"))
	r.wantCalls(t,
		"allowance acme/allowance/2026-10-01T00:00:00Z 1000 + denied 40",
		"overage small v1 step 1 300",
		"overage small v1 step 1 5 + denied 25",
		"pack acme/pack/p 500 + denied 10",
		"denied 1")
	// 305 × 0.075 = 22.875, half away from zero.
	r.want(t, 0, "charge",
		"charge fee 2026-10-01T00:00:00Z 2026-10-01T00:00:00Z small x 1 = 49 bucket acme/allowance/2026-10-01T00:00:00Z paid false v1 step 0",
		"charge overage 2026-11-01T00:00:00Z 1 small/1 x 305 = 22.88 bucket  paid false v1 step 1",
		"charge pack 2026-10-06T00:00:00Z p boost x 1 = 29 bucket acme/pack/p paid true v0 step 0")
	o := r.outcomes[0].Charges[2]
	if o.Kind != "overage" || o.UnitPrice.String() != "0.075" {
		t.Errorf("the last line is %+v, want overage at 0.075 a credit", o)
	}
}

// SPEC section 14, 21: an overage.set without limit keeps the plan's; without a
// plan, or a price of overage in it, protection is on.
func TestOverageSetWithoutLimitKeepsThePlans(t *testing.T) {
	off := event("off", "10-01 00:00", "overage.set", eventDef{})
	r := tell(t, 1, []eventDef{opened("10-01 00:00"), starts("s", "10-03 00:00", "steps"), starts("t", "10-05 00:00", "none"), off},
		called("10-02 00:00", "1"), called("10-04 00:00", "3500"), called("10-06 00:00", "2"))
	r.wantCalls(t, "denied 1", "overage steps v1 step 1 1000 + overage steps v1 step 2 2000 + denied 500", "denied 2")
}

// SPEC section 5, overage: steps are graduated over the period's overage credits.
func TestOverageStepsAreGraduatedOverThePeriod(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "steps")}, called("10-04 00:00", "900"), called("10-05 00:00", "300"), called("11-05 00:00", "10"))
	r.wantCalls(t, "overage steps v1 step 1 900", "overage steps v1 step 1 100 + overage steps v1 step 2 200", "overage steps v1 step 1 10")
	r.want(t, 0, "charge",
		"charge overage 2026-11-01T00:00:00Z 1 steps/1 x 1000 = 2 bucket  paid false v1 step 1",
		"charge overage 2026-11-01T00:00:00Z 2 steps/2 x 200 = 0.3 bucket  paid false v1 step 2")
	r.want(t, 0, "ledger", "ledger 2026-10-04T00:00:00Z overage  900", "ledger 2026-10-05T00:00:00Z overage  300")
}

// SPEC section 14, 39: with steps and blocks each step's part rounds up by itself.
func TestOverageBlocksRoundUpStepByStep(t *testing.T) {
	r := tell(t, 1, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "blocks")}, called("10-04 00:00", "2500.000001"))
	// 1,500 are two blocks of 2.00, 1,000.000001 two of 1.00.
	r.want(t, 0, "charge",
		"charge overage 2026-11-01T00:00:00Z 1 blocks/1 x 1500 = 4 bucket  paid false v1 step 1",
		"charge overage 2026-11-01T00:00:00Z 2 blocks/2 x 1000.000001 = 2 bucket  paid false v1 step 2")
}

// SPEC section 6, Top-up: while there is a shortfall or the balance is under
// `below`, and fewer than most_per_period were bought, one is bought; the
// shortfall burns from it first.
func TestTopUpsAreBoughtInMidCall(t *testing.T) {
	r := tell(t, 2, []eventDef{
		opened("10-01 00:00"), event("p", "10-01 01:00", "pack.purchased", eventDef{pack: "cash", units: "0.5"}),
		event("t", "10-01 02:00", "topup.set", eventDef{pack: "cash", units: "1", below: "500", most: 3}),
	}, called("10-02 00:00", "400"), called("10-02 01:00", "200"), called("10-03 00:00", "6000"), called("10-04 00:00", "1000"), called("11-04 00:00", "0"))
	// 1000 − 400 = 600; − 200 = 400 < 500: one; then 2400 pay the 6000, two more
	// pay 3600 of 4000 and leave 400; the count is used up, so 600 are denied. A call
	// of no credits triggers too, in a new period, once: 2000 is enough.
	r.wantCalls(t, "pack acme/pack/p 400", "pack acme/pack/p 200",
		"pack acme/pack/p 400 + topup acme/topup/2026-10/1 2000 + topup acme/topup/2026-10/2 2000 + topup acme/topup/2026-10/3 1600",
		"topup acme/topup/2026-10/3 400 + denied 600", "")
	r.want(t, 0, "charge",
		"charge pack 2026-10-01T01:00:00Z p cash x 0.5 = 0.5 bucket acme/pack/p paid true v0 step 0",
		"charge topup 2026-10-02T01:00:00Z 1 cash x 1 = 1 bucket acme/topup/2026-10/1 paid false v0 step 0",
		"charge topup 2026-10-03T00:00:00Z 2 cash x 1 = 1 bucket acme/topup/2026-10/2 paid false v0 step 0",
		"charge topup 2026-10-03T00:00:00Z 3 cash x 1 = 1 bucket acme/topup/2026-10/3 paid false v0 step 0")
	r.want(t, 1, "charge", "charge topup 2026-11-04T00:00:00Z 1 cash x 1 = 1 bucket acme/topup/2026-11/1 paid false v0 step 0")
}

// SPEC section 14, 13 and 8: a late pack takes the version of its own `at`, and
// acts as if it happened at posted_at, expiry included.
func TestLatePackTakesTheVersionOfItsOwnTime(t *testing.T) {
	r := tell(t, 2, []eventDef{
		opened("10-01 00:00"), late(event("p", "10-14 00:00", "pack.purchased", eventDef{pack: "boost", unpaid: true}), "11-01 00:00"),
		late(event("b", "10-14 00:00", "pack.purchased", eventDef{pack: "brief"}), "11-01 00:00"), event("q", "10-15 00:00", "pack.purchased", eventDef{pack: "boost"}),
	})
	r.want(t, 0, "charge", "charge pack 2026-10-15T00:00:00Z q boost x 1 = 30 bucket acme/pack/q paid true v0 step 0")
	r.want(t, 1, "charge ledger",
		"charge pack 2026-11-01T00:00:00Z b brief x 1 = 5 bucket acme/pack/b paid true v0 step 0",
		"charge pack 2026-11-01T00:00:00Z p boost x 1 = 29 bucket acme/pack/p paid false v0 step 0",
		"ledger 2026-11-01T00:00:00Z grant acme/pack/b 100", "ledger 2026-11-01T00:00:00Z grant acme/pack/p 500",
		"ledger 2026-11-11T00:00:00Z expire acme/pack/b 100")
}

// SPEC section 14, 27: recognised and breakage are the period's flows, cumulative,
// so that they and what is deferred add up to the price to the last cent.
func TestRevenueIsRoundedCumulatively(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-10 00:00"), event("b", "10-25 00:00", "pack.purchased", eventDef{pack: "brief", units: "0.67"})},
		called("10-26 00:00", "10"), called("10-27 00:00", "10"), called("11-01 00:00", "10"))
	// 67 credits for 3.35, 0.05 each: 20 gone is 1.00; 30 gone is 1.50; 37 expire: 1.85.
	r.want(t, 0, "row", "row acme/pack/b pack p50 2026-10-25T00:00:00Z..2026-11-04T00:00:00Z open 0 grant 67 burn 20 expire 0 void 0 roll 0 left 47 price 3.35 use 1 breakage 0 deferred 2.35 USD")
	r.want(t, 1, "row", "row acme/pack/b pack p50 2026-10-25T00:00:00Z..2026-11-04T00:00:00Z open 47 grant 0 burn 10 expire 37 void 0 roll 0 left 0 price 3.35 use 0.5 breakage 1.85 deferred 0 USD")
}

// SPEC section 5, bucket.voided: what is left goes at `at`; (36) an unknown bucket
// is held, an empty one does nothing.
func TestVoidTakesWhatIsLeft(t *testing.T) {
	void := func(id, when, what string) eventDef { return event(id, when, "bucket.voided", eventDef{bucket: what}) }
	r := tell(t, 3, []eventDef{
		opened("10-01 00:00"), event("p", "10-02 00:00", "pack.purchased", eventDef{pack: "boost"}),
		void("v1", "10-05 00:00", "acme/pack/p"), void("v2", "10-06 00:00", "acme/pack/p"), void("v3", "12-06 00:00", "acme/pack/p"), void("v4", "12-06 00:00", "acme/pack/q"),
	}, called("10-04 00:00", "100"), called("10-05 00:00", "1"))
	r.wantCalls(t, "pack acme/pack/p 100", "denied 1")
	// 100 of 500 for 29.00: 5.80 used, 23.20 broken.
	r.want(t, 0, "row held", "row acme/pack/p pack p50 2026-10-02T00:00:00Z..- open 0 grant 500 burn 100 expire 0 void 400 roll 0 left 0 price 29 use 5.8 breakage 23.2 deferred 0 USD")
	r.want(t, 2, "row held", "held v4 unknown_bucket")
}

// SPEC section 14, 36: a grant already expired at posted_at is granted and expires there.
func TestGrantAlreadyExpiredIsGrantedAndExpires(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-01 00:00"), late(event("g", "10-02 00:00", "credits.granted", eventDef{credits: "10", expires: on("10-20 00:00")}), "11-01 00:00")})
	r.want(t, 1, "ledger", "ledger 2026-11-01T00:00:00Z expire acme/promotion/g 10", "ledger 2026-11-01T00:00:00Z grant acme/promotion/g 10")
}

// SPEC section 14, 23: percent alerts count the cycle's credits, denied ones
// included, over periods, against the current plan's allowance, each once a cycle.
func TestPercentAlertsCountTheCycleOverPeriods(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-20 00:00"), starts("s", "10-20 00:00", "free")},
		called("10-21 00:00", "85"), called("11-02 00:00", "14.999999"), called("11-03 00:00", "0.000001"), called("11-04 00:00", "20"), called("11-20 00:00", "200"))
	r.want(t, 0, "alert", "alert percent 80 cycle 2026-10-20T00:00:00Z at 2026-10-21T00:00:00Z usage 85 balance 15")
	r.want(t, 1, "alert",
		"alert percent 100 cycle 2026-10-20T00:00:00Z at 2026-11-03T00:00:00Z usage 100 balance 0",
		"alert percent 110 cycle 2026-10-20T00:00:00Z at 2026-11-04T00:00:00Z usage 120 balance 0",
		"alert percent 100 cycle 2026-11-20T00:00:00Z at 2026-11-20T00:00:00Z usage 200 balance 0",
		"alert percent 110 cycle 2026-11-20T00:00:00Z at 2026-11-20T00:00:00Z usage 200 balance 0",
		"alert percent 80 cycle 2026-11-20T00:00:00Z at 2026-11-20T00:00:00Z usage 200 balance 0")
}

// SPEC section 14, 24: low balance is looked at after each instant's transitions
// and each call; a renewal at a period's start is one instant, and raises nothing.
func TestLowBalanceAlertsOnceAFall(t *testing.T) {
	low := event("a", "10-01 00:00", "alert.set", eventDef{below: "50"})
	r := tell(t, 3, []eventDef{
		opened("10-01 00:00"), low, starts("s", "10-02 00:00", "free"), event("c", "11-20 00:00", "subscription.cancelled", eventDef{}),
	}, called("10-03 00:00", "50"), called("10-04 00:00", "1"), called("10-05 00:00", "1"))
	r.want(t, 0, "alert", "alert low_balance 50 cycle 2026-10-02T00:00:00Z at 2026-10-04T00:00:00Z usage 51 balance 49")
	r.want(t, 1, "alert") // 100 again on 2 November
	r.want(t, 2, "alert", "alert low_balance 50 cycle - at 2026-12-02T00:00:00Z usage 0 balance 0")

	renewed := tell(t, 2, []eventDef{opened("10-01 00:00"), low, starts("s", "10-01 00:00", "free")})
	renewed.want(t, 0, "alert")
	renewed.want(t, 1, "alert")

	// The last cycle ends with October, so the fall is that of November's first instant.
	ended := tell(t, 2, []eventDef{opened("10-01 00:00"), low, starts("s", "10-01 00:00", "free"), event("c", "10-20 00:00", "subscription.cancelled", eventDef{})})
	ended.want(t, 0, "alert")
	ended.want(t, 1, "alert", "alert low_balance 50 cycle - at 2026-11-01T00:00:00Z usage 0 balance 0")
}

// SPEC section 5 and section 14, 37: the currency may change until money was
// charged; what has no price in it is held.
func TestCurrencyIsFixedByTheFirstCharge(t *testing.T) {
	yen := func(id, when string) eventDef {
		return event(id, when, "account.updated", eventDef{currency: "JPY", name: "Acme KK"})
	}
	r := tell(t, 2, []eventDef{
		opened("10-01 00:00"), yen("u1", "10-02 00:00"), event("p", "10-03 00:00", "pack.purchased", eventDef{pack: "boost"}),
		event("q", "10-04 00:00", "pack.purchased", eventDef{pack: "cash", units: "2.5"}), event("u2", "11-05 00:00", "account.updated", eventDef{currency: "USD"}),
	})
	r.want(t, 0, "charge held profile",
		"held p no_price",
		"charge pack 2026-10-04T00:00:00Z q cash x 2.5 = 3 bucket acme/pack/q paid true v0 step 0", // 2.5 yen, rounded to whole ones
		"profile Acme KK JPY")
	r.want(t, 1, "held", "held p no_price", "held u2 currency_fixed")
}

// SPEC section 5: events of an account that nobody opened by the period's end are
// held (14, 17); an account.opened later in the period is enough.
func TestAccountNotOpenedHoldsItsEvents(t *testing.T) {
	r := tell(t, 2, []eventDef{starts("s", "10-02 00:00", "free"), opened("11-20 00:00")})
	r.want(t, 0, "held opened ledger", "held s account_not_opened", "opened false")
	r.want(t, 1, "held opened ledger", "opened true", "ledger 2026-11-01T00:00:00Z grant acme/allowance/2026-11-01T00:00:00Z 100",
		"ledger 2026-12-01T00:00:00Z expire acme/allowance/2026-11-01T00:00:00Z 100")
}

// SPEC section 14, 35: unknown: {plan: P}: the first priced call opens the account,
// with a cycle from its posted_at; the next period knows.
func TestFirstCallOpensUnknownAccount(t *testing.T) {
	r := tellIn(t, world{unknown: "free"}, 2, []eventDef{starts("s", "10-02 00:00", "small")},
		called("10-11 08:00:00.5", "30"), called("10-12 00:00", "5"), called("11-02 00:00", "5"))
	r.wantCalls(t, "allowance acme/allowance/2026-10-11T08:00:00.5Z 30", "allowance acme/allowance/2026-10-11T08:00:00.5Z 5",
		"allowance acme/allowance/2026-10-11T08:00:00.5Z 5") // the held event posts again on 1 November: what is left of the old plan pays first
	r.want(t, 0, "held opened", "held s account_not_opened", "opened true")
	if implied := r.outcomes[0].Implied; len(implied) != 2 || !strings.Contains(string(implied[1].Payload), `"plan":"free"`) {
		t.Errorf("implied %v, want an opening and a subscription to free", implied)
	}
}

// SPEC section 14, 29: burns are summed by bucket and day of the billing time zone.
func TestLedgerSumsBurnsByLocalDay(t *testing.T) {
	w := world{zone: "Europe/Madrid", first: "2026-10", catalog: shop(), events: []eventDef{opened("10-02 00:00"), starts("s", "10-02 00:00", "free")}}
	w.calls = []callDef{called("10-03 21:00", "1"), called("10-03 21:59", "2"), called("10-03 22:00", "4"), called("10-03 22:30", "0"), called("10-04 12:00", "8")}
	w.runEngine(t, 1).want(t, 0, "ledger",
		"ledger 2026-10-02T00:00:00Z grant acme/allowance/2026-10-02T00:00:00Z 100",
		"ledger 2026-10-03T21:59:00Z burn acme/allowance/2026-10-02T00:00:00Z 3",
		"ledger 2026-10-04T12:00:00Z burn acme/allowance/2026-10-02T00:00:00Z 12")
}

// SPEC section 5, charge.added: a one-off line; one that rounds to zero is left out.
func TestOneOffChargesMayBeNegative(t *testing.T) {
	r := tell(t, 1, []eventDef{opened("10-01 00:00"), event("a", "10-02 00:00", "charge.added", eventDef{amount: "-12.345"}), event("b", "10-03 00:00", "charge.added", eventDef{amount: "0.004"})})
	r.want(t, 0, "charge", "charge charge 2026-10-02T00:00:00Z a a x 1 = -12.35 bucket  paid false v0 step 0")
}

// SPEC section 6: ids that become part of another are percent-encoded.
func TestBucketIDsArePercentEncoded(t *testing.T) {
	e := event("evt/1 %", "10-02 00:00", "pack.purchased", eventDef{pack: "boost"})
	r := world{first: "2026-10", catalog: shop(), events: []eventDef{opened("10-01 00:00"), e}}.runEngine(t, 1)
	if got := r.outcomes[0].Buckets[0].ID; got != "acme/pack/evt%2F1%20%25" {
		t.Errorf("the bucket is %q", got)
	}
}

// params are those of the account in October, for tests of the machine itself.
func params(t *testing.T, events ...eventDef) account.Params {
	p := account.Params{
		Account: acct, Period: must(period.Parse("2026-10")), FirstPeriod: must(period.Parse("2026-10")), Calendar: must(period.NewCalendar("UTC")),
		Catalog: shop().parse(t), DefaultCurrency: must(money.ParseCurrency("USD")),
	}
	for _, e := range events {
		p.Events = append(p.Events, account.Event{ID: e.id, Type: e.kind, Account: acct, At: e.at, PostedAt: e.posted, Payload: e.payload()})
	}
	return p
}

// SPEC section 7: apply goes as far as time has come: nothing ends or renews later.
func TestUntilStopsTheTransitions(t *testing.T) {
	p := params(t, opened("10-01 00:00"), starts("s", "09-20 00:00", "free"), event("g", "10-05 00:00", "credits.granted", eventDef{credits: "5", expires: on("10-25 00:00")}))
	p.Until = on("10-20 00:00")
	o := must(must(account.Open(p)).Finish())
	if len(o.Buckets) != 2 || o.Buckets[0].ID != "acme/allowance/2026-10-20T00:00:00Z" || o.Buckets[1].Remaining.String() != "5" {
		t.Errorf("until 20 October: %+v", outcomeLines(o))
	}
	p.Until = p.Until.Add(-time.Microsecond)
	if o := must(must(account.Open(p)).Finish()); len(o.Buckets) != 1 {
		t.Errorf("until just before 20 October: %+v", outcomeLines(o))
	}
}

// A sum past 38 digits is an error that names account and instant, never a wrap.
func TestOverflowNamesAccountAndInstant(t *testing.T) {
	most := "99999999999999999999999999999999.999999"
	_, err := must(account.Open(params(t, opened("10-01 00:00"),
		event("g", "10-05 00:00", "credits.granted", eventDef{credits: most}), event("h", "10-06 00:00", "credits.granted", eventDef{credits: most})))).Finish()
	if err == nil || !strings.Contains(err.Error(), `account "acme" at 2026-10-06T00:00:00Z`) || !strings.Contains(err.Error(), "38 digits") {
		t.Errorf("error %v", err)
	}
	over := "99999999999999999999999999999999"
	o := must(must(account.Open(params(t, opened("10-01 00:00"), event("p", "10-05 00:00", "pack.purchased", eventDef{pack: "boost", units: over})))).Finish())
	if len(o.Held) != 1 || o.Held[0].Reason != account.ReasonOverflow || len(o.Charges) != 0 {
		t.Errorf("a pack of more credits than there can be: held %v, charged %v", o.Held, o.Charges)
	}
}

// Calls come in order and within the period; usage of an account never opened does not come at all.
func TestCallsOutOfPlaceAreRefused(t *testing.T) {
	m := must(account.Open(params(t, opened("10-01 00:00"))))
	_ = must(m.Call(on("10-05 00:00").UnixMicro(), 1))
	for _, c := range []struct {
		when    string
		credits int64
	}{{"10-04 00:00", 1}, {"11-01 00:00", 1}, {"10-06 00:00", -1}} {
		if _, err := m.Call(on(c.when).UnixMicro(), c.credits); err == nil {
			t.Errorf("%s, %d credits: no error", c.when, c.credits)
		}
	}
	if _, err := must(account.Open(params(t))).Call(on("10-05 00:00").UnixMicro(), 1); err == nil {
		t.Error("a call of an account never opened: no error")
	}
}

// What an event lacks or misspells holds it; nothing is guessed.
func TestMalformedEventsAreHeld(t *testing.T) {
	events := []eventDef{opened("10-01 00:00")}
	p := params(t, events...)
	for kind, payload := range map[string]string{
		"subscription.started": `{}`, "pack.purchased": `{"pack":"boost","units":0}`, "bucket.opened": `{"kind":"overage","credits":5}`,
		"bucket.voided": `{}`, "credits.granted": `{"credits":"1e99"}`, "charge.added": `{"amount":"ten"}`, "overage.set": `{"limit":5}`,
		"topup.set": `{"pack":"boost","units":1,"below":5}`, "alert.set": `{"below":-1}`, "account.updated": `{"currency":"usd"}`, "never.heard": `{}`,
	} {
		p.Events = append(p.Events, account.Event{ID: kind, Type: kind, Account: acct, At: on("10-02 00:00"), PostedAt: on("10-02 00:00"), Payload: []byte(payload)})
	}
	o := must(must(account.Open(p)).Finish())
	if len(o.Held) != 11 || len(o.Ledger)+len(o.Charges) != 0 {
		t.Errorf("held %v, did %v", o.Held, outcomeLines(o))
	}
	for _, h := range o.Held {
		if h.Reason != account.ReasonMalformed {
			t.Errorf("%s: %s, want malformed", h.Event.ID, h.Reason)
		}
	}
}

// SPEC section 5, account.updated: later ones replace the fields they give.
func TestProfileIsThatOfThePeriodsEnd(t *testing.T) {
	p := params(t, opened("10-01 00:00"))
	for id, payload := range map[string]string{
		"1": `{"name":"Acme","email":"a@acme.example","address":["1 Road","Leeds"],"tax":{"rate":"0.21","label":"VAT 21%","id":"NL1"}}`,
		"2": `{"email":null,"tax":{"rate":0.19,"label":"VAT","reverse_charge":true}}`,
	} {
		at := on("10-02 00:00")
		p.Events = append(p.Events, account.Event{ID: id, Type: "account.updated", Account: acct, At: at, PostedAt: at, Payload: []byte(payload)})
	}
	got := must(must(account.Open(p)).Finish()).Profile
	if got.Name != "Acme" || got.Email != "" || len(got.Address) != 2 || got.Tax == nil || got.Tax.Rate.FloatString(2) != "0.19" || !got.Tax.ReverseCharge || got.Tax.ID != "" {
		t.Errorf("profile %+v, tax %+v", got, got.Tax)
	}
}

// SPEC section 6, Alerts: the instant at which credits reach a percentage, be it
// a fraction of a millionth; one passed before it was asked for raises nothing.
func TestPercentAlertsAreExactAndOnlyForWhatIsReached(t *testing.T) {
	w := world{percent: []int{50}, catalog: catalogDef{plans: []planDef{{name: "tiny", version: 1, from: on("01-01 00:00"), allowance: "0.000003"}}}}
	r := tellIn(t, w, 1, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "tiny")}, called("10-02 00:00", "0.000001"), called("10-03 00:00", "0.000001"))
	r.want(t, 0, "alert", "alert percent 50 cycle 2026-10-01T00:00:00Z at 2026-10-03T00:00:00Z usage 0.000002 balance 0.000001")

	p := params(t, opened("09-20 00:00"), starts("s", "09-20 00:00", "free"))
	p.FirstPeriod = p.FirstPeriod.Add(-1)
	p.AlertPercents = []int{100, 80} // new in October; 85 of 100 were used in September
	p.Opening.CycleUsage = must(credit.Parse("85"))
	m := must(account.Open(p))
	_ = must(m.Call(on("10-02 00:00").UnixMicro(), 1_000_000))
	_ = must(m.Call(on("10-03 00:00").UnixMicro(), 14_000_000))
	if o := must(m.Finish()); len(o.Alerts) != 1 || o.Alerts[0].Threshold.String() != "100" || !o.Alerts[0].At.Equal(on("10-03 00:00")) {
		t.Errorf("alerts %+v, want 100 %% on 3 October", o.Alerts)
	}
}

// A plan whose versions go from the calendar to the anniversary counts its months
// from the first cycle of the new version.
func TestVersionsMayChangeHowAPlanRenews(t *testing.T) {
	for _, c := range []struct {
		calendarFirst bool
		want          []string
	}{
		{true, []string{"2026-09-10", "2026-10-01", "2026-11-01", "2026-12-01"}},
		{false, []string{"2026-09-10", "2026-10-10", "2026-11-01", "2026-12-01"}},
	} {
		w := world{first: "2026-09", events: []eventDef{opened("09-01 00:00"), starts("s", "09-10 00:00", "p")}, catalog: catalogDef{plans: []planDef{
			{name: "p", version: 1, from: on("01-01 00:00"), allowance: "10", calendar: c.calendarFirst},
			{name: "p", version: 2, from: on("10-01 00:00"), allowance: "10", calendar: !c.calendarFirst},
		}}}
		var starts []string
		for _, o := range w.runEngine(t, 4).outcomes {
			for _, e := range o.Ledger {
				if e.Entry == "grant" {
					starts = append(starts, e.At.Format(time.DateOnly))
				}
			}
		}
		if !slices.Equal(starts, c.want) {
			t.Errorf("calendar first %v: cycles start %v, want %v", c.calendarFirst, starts, c.want)
		}
		// The same when all of it lies before the first period.
		p := params(t, w.events...)
		p.Period, p.FirstPeriod, p.Catalog = must(period.Parse("2026-12")), must(period.Parse("2026-12")), w.catalog.parse(t)
		p.Events[1].PostedAt = on("09-10 00:00")
		o := must(must(account.Open(p)).Finish())
		if o.Buckets[0].Starts.Format(time.DateOnly) != "2026-12-01" {
			t.Errorf("calendar first %v: December opens with %s", c.calendarFirst, o.Buckets[0].ID)
		}
	}
}
