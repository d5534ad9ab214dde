package account_test

import "testing"

// SPEC section 6, Allowance: an anniversary cycle starts on the subscription's
// day and time; a day the month lacks becomes its last, and the next month returns.
func TestAnniversaryClampsAndReturnsToTheAnchorDay(t *testing.T) {
	r := tell(t, 6, []eventDef{opened("10-31 12:00"), starts("s", "10-31 12:00", "free")})
	for month, start := range []string{
		"2026-10-31T12:00:00Z", "2026-11-30T12:00:00Z", "2026-12-31T12:00:00Z", "2027-01-31T12:00:00Z", "2027-02-28T12:00:00Z", "2027-03-31T12:00:00Z",
	} {
		var granted []string
		for _, l := range r.outcomes[month].Ledger {
			if l.Entry == "grant" {
				granted = append(granted, l.BucketID)
			}
		}
		if len(granted) != 1 || granted[0] != "acme/allowance/"+start {
			t.Errorf("month %d: granted %v, want the cycle of %s", month, granted, start)
		}
	}
}

// SPEC section 6: a local time that a clock change skips moves forward by the
// gap, one that comes twice is the earlier. Madrid: 02:30 comes twice on 25 October
// 2026 and does not come on 28 March 2027.
func TestCyclesKeepTheLocalTimeThroughClockChanges(t *testing.T) {
	e := []eventDef{opened("09-25 00:30"), starts("s", "09-25 00:30", "free")} // 02:30 in Madrid
	w := world{zone: "Europe/Madrid", first: "2026-10", catalog: shop(), events: e}
	r := w.runEngine(t, 2)
	r.want(t, 0, "ledger", "ledger 2026-10-25T00:30:00Z grant acme/allowance/2026-10-25T00:30:00Z 100") // the earlier, still summer time
	r.want(t, 1, "ledger", "ledger 2026-11-25T01:30:00Z expire acme/allowance/2026-10-25T00:30:00Z 100",
		"ledger 2026-11-25T01:30:00Z grant acme/allowance/2026-11-25T01:30:00Z 100")

	e = []eventDef{opened("2027-01-28 01:30"), starts("s", "2027-01-28 01:30", "free")} // 02:30 in Madrid
	w = world{zone: "Europe/Madrid", first: "2027-03", catalog: shop(), events: e}
	w.runEngine(t, 2).want(t, 0, "ledger", "ledger 2027-03-28T01:30:00Z grant acme/allowance/2027-03-28T01:30:00Z 100") // 03:30 summer time
}

// SPEC section 6: a calendar plan's first cycle runs from `at` to the next 1st;
// section 14, 38: prorating uses exact elapsed time over the whole local month,
// and percent alerts use the prorated allowance.
func TestCalendarPlanProratesItsFirstCycle(t *testing.T) {
	// 8 of 31 days: 80 of 310 credits, 8.00 of 31.00.
	r := tell(t, 2, []eventDef{opened("10-24 00:00"), starts("s", "10-24 00:00", "month")}, called("10-25 10:00", "63.9"), called("10-25 11:00", "0.1"))
	r.want(t, 0, "charge", "charge fee 2026-10-24T00:00:00Z 2026-10-24T00:00:00Z month x 1 = 8 bucket acme/allowance/2026-10-24T00:00:00Z paid false v1 step 0")
	r.want(t, 0, "alert", "alert percent 80 cycle 2026-10-24T00:00:00Z at 2026-10-25T11:00:00Z usage 64 balance 16")
	r.want(t, 0, "ledger",
		"ledger 2026-10-24T00:00:00Z grant acme/allowance/2026-10-24T00:00:00Z 80",
		"ledger 2026-10-25T11:00:00Z burn acme/allowance/2026-10-24T00:00:00Z 64",
		"ledger 2026-11-01T00:00:00Z expire acme/allowance/2026-10-24T00:00:00Z 16")
	r.want(t, 1, "ledger", "ledger 2026-11-01T00:00:00Z grant acme/allowance/2026-11-01T00:00:00Z 310",
		"ledger 2026-12-01T00:00:00Z expire acme/allowance/2026-11-01T00:00:00Z 310")
}

// SPEC section 6, Plan change: what is left of the old cycle's allowance stays
// until that cycle's end and is used first.
func TestPlanChangeKeepsOldAllowanceUntilItsEnd(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-05 12:00"), starts("s", "10-05 12:00", "small"), event("c", "10-19 12:00", "subscription.changed", eventDef{plan: "large"})},
		called("10-06 08:00", "650"), called("10-20 08:00", "200"), called("10-22 08:00", "100"), called("11-05 12:00", "7"))
	r.wantCalls(t,
		"allowance acme/allowance/2026-10-05T12:00:00Z 650",
		"allowance acme/allowance/2026-10-05T12:00:00Z 200",
		"allowance acme/allowance/2026-10-05T12:00:00Z 100",
		"allowance acme/allowance/2026-10-19T12:00:00Z 7") // at the old cycle's very end its 50 are gone
	r.want(t, 0, "row",
		"row acme/allowance/2026-10-05T12:00:00Z allowance p10 2026-10-05T12:00:00Z..2026-11-05T12:00:00Z open 0 grant 1000 burn 950 expire 0 void 0 roll 0 left 50 price 49 use 46.55 breakage 0 deferred 2.45 USD",
		"row acme/allowance/2026-10-19T12:00:00Z allowance p40 2026-10-19T12:00:00Z..2026-11-19T12:00:00Z open 0 grant 5000 burn 0 expire 0 void 0 roll 0 left 5000 price 199 use 0 breakage 0 deferred 199 USD")
}

// SPEC section 6, Plan change: the old allowance does not roll over, whatever its plan says.
func TestPlanChangeLeavesNoRollover(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-05 00:00"), starts("s", "10-05 00:00", "roll"), starts("t", "10-10 00:00", "roll")})
	r.want(t, 1, "ledger",
		"ledger 2026-11-05T00:00:00Z expire acme/allowance/2026-10-05T00:00:00Z 100",
		"ledger 2026-11-10T00:00:00Z rollover_out acme/allowance/2026-10-10T00:00:00Z 100",
		"ledger 2026-11-10T00:00:00Z rollover_in acme/rollover/2026-11-10T00:00:00Z 100",
		"ledger 2026-11-10T00:00:00Z grant acme/allowance/2026-11-10T00:00:00Z 100")
}

// SPEC section 6, At one instant: a change at a cycle's very end lets that cycle
// end in the ordinary way and takes the place of the next.
func TestChangeAtCycleEndTakesThePlaceOfTheNext(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-05 00:00"), starts("s", "10-05 00:00", "roll"), starts("t", "11-05 00:00", "small")})
	r.want(t, 1, "ledger",
		"ledger 2026-11-05T00:00:00Z rollover_out acme/allowance/2026-10-05T00:00:00Z 100",
		"ledger 2026-11-05T00:00:00Z rollover_in acme/rollover/2026-11-05T00:00:00Z 100",
		"ledger 2026-11-05T00:00:00Z grant acme/allowance/2026-11-05T00:00:00Z 1000")
	r.want(t, 1, "charge", "charge fee 2026-11-05T00:00:00Z 2026-11-05T00:00:00Z small x 1 = 49 bucket acme/allowance/2026-11-05T00:00:00Z paid false v1 step 0")
}

// SPEC section 6, At one instant: a cancellation at a cycle's end counts just before it.
func TestCancellationAtCycleEndCountsJustBefore(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-05 00:00"), starts("s", "10-05 00:00", "roll"), event("c", "11-05 00:00", "subscription.cancelled", eventDef{})})
	r.want(t, 1, "ledger", "ledger 2026-11-05T00:00:00Z expire acme/allowance/2026-10-05T00:00:00Z 100")
}

// SPEC section 14, 15: where that end was the last thing of a closed period, the
// rollover buckets expire at the cancellation's posted_at.
func TestCancellationAfterTheCloseExpiresRolloverAtOnce(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "roll"), late(event("c", "10-31 18:00", "subscription.cancelled", eventDef{}), "11-01 00:00")})
	r.want(t, 0, "ledger",
		"ledger 2026-10-01T00:00:00Z grant acme/allowance/2026-10-01T00:00:00Z 100",
		"ledger 2026-11-01T00:00:00Z rollover_out acme/allowance/2026-10-01T00:00:00Z 100",
		"ledger 2026-11-01T00:00:00Z rollover_in acme/rollover/2026-11-01T00:00:00Z 100")
	r.want(t, 1, "ledger charge", "ledger 2026-11-01T00:00:00Z expire acme/rollover/2026-11-01T00:00:00Z 100")
}

// SPEC section 14, 43: a late cancellation cancels the cycle that runs at posted_at.
func TestLateCancellationCancelsTheRunningCycle(t *testing.T) {
	r := tell(t, 3, []eventDef{opened("09-15 00:00"), starts("s", "09-15 00:00", "free"), late(event("c", "10-10 00:00", "subscription.cancelled", eventDef{}), "11-01 00:00")})
	r.want(t, 1, "ledger", "ledger 2026-11-15T00:00:00Z expire acme/allowance/2026-10-15T00:00:00Z 100")
	r.want(t, 2, "ledger")
}

// SPEC section 6, Rollover: the unused allowance moves to a bucket that expires N
// cycles later, up to the cap less what rollover buckets hold; (27) its price is
// its share; it never rolls again.
func TestRolloverMovesTheRestUpToTheCap(t *testing.T) {
	r := tell(t, 4, []eventDef{opened("10-10 00:00"), starts("s", "10-10 00:00", "roll")}, called("10-20 00:00", "10"), called("11-20 00:00", "30"))
	// 90 roll on 10 November until 10 January. 30 are taken from them (priority 30
	// before 40), 60 are left: the cap of 150 leaves room for 90 of the next 100.
	r.wantCalls(t, "allowance acme/allowance/2026-10-10T00:00:00Z 10", "rollover acme/rollover/2026-11-10T00:00:00Z 30")
	r.want(t, 1, "row",
		"row acme/allowance/2026-10-10T00:00:00Z allowance p40 2026-10-10T00:00:00Z..2026-11-10T00:00:00Z open 90 grant 0 burn 0 expire 0 void 0 roll 90 left 0 price 10 use 0 breakage 0 deferred 0 USD",
		"row acme/allowance/2026-11-10T00:00:00Z allowance p40 2026-11-10T00:00:00Z..2026-12-10T00:00:00Z open 0 grant 100 burn 0 expire 0 void 0 roll 0 left 100 price 10 use 0 breakage 0 deferred 10 USD",
		"row acme/rollover/2026-11-10T00:00:00Z rollover p30 2026-11-10T00:00:00Z..2027-01-10T00:00:00Z open 0 grant 90 burn 30 expire 0 void 0 roll 0 left 60 price 9 use 3 breakage 0 deferred 6 USD")
	r.want(t, 2, "ledger",
		"ledger 2026-12-10T00:00:00Z expire acme/allowance/2026-11-10T00:00:00Z 10",
		"ledger 2026-12-10T00:00:00Z rollover_out acme/allowance/2026-11-10T00:00:00Z 90",
		"ledger 2026-12-10T00:00:00Z rollover_in acme/rollover/2026-12-10T00:00:00Z 90",
		"ledger 2026-12-10T00:00:00Z grant acme/allowance/2026-12-10T00:00:00Z 100")
	// On 10 January the first rollover bucket expires before the next one is made.
	r.want(t, 3, "ledger",
		"ledger 2027-01-10T00:00:00Z expire acme/rollover/2026-11-10T00:00:00Z 60",
		"ledger 2027-01-10T00:00:00Z expire acme/allowance/2026-12-10T00:00:00Z 40",
		"ledger 2027-01-10T00:00:00Z rollover_out acme/allowance/2026-12-10T00:00:00Z 60",
		"ledger 2027-01-10T00:00:00Z rollover_in acme/rollover/2027-01-10T00:00:00Z 60",
		"ledger 2027-01-10T00:00:00Z grant acme/allowance/2027-01-10T00:00:00Z 100")
}

// SPEC section 14, 38 and 15: an opened allowance that ends with the cycle rolls
// with the cycle's own, into one bucket, prices added.
func TestSeveralAllowancesRollIntoOneBucket(t *testing.T) {
	r := tell(t, 2, []eventDef{
		opened("10-01 00:00"), starts("s", "10-10 00:00", "keep"),
		event("o", "10-10 00:00", "bucket.opened", eventDef{as: "allowance", credits: "50", paid: "2.50", expires: on("11-10 00:00")}),
	})
	r.want(t, 1, "ledger",
		"ledger 2026-11-10T00:00:00Z rollover_out acme/allowance/2026-10-10T00:00:00Z 300",
		"ledger 2026-11-10T00:00:00Z rollover_out acme/opened/o 50",
		"ledger 2026-11-10T00:00:00Z rollover_in acme/rollover/2026-11-10T00:00:00Z 350",
		"ledger 2026-11-10T00:00:00Z grant acme/allowance/2026-11-10T00:00:00Z 300")
	for _, b := range r.outcomes[1].Buckets {
		if b.Kind == "rollover" && b.Price.String() != "12.5" {
			t.Errorf("the rollover bucket's price is %s, want 10 + 2.50", b.Price)
		}
	}
}

// SPEC section 6, Rollover: the cap holds for all that rolls together; what starts
// first rolls first.
func TestCapHoldsForSeveralAllowances(t *testing.T) {
	r := tell(t, 2, []eventDef{
		opened("10-01 00:00"), starts("s", "10-10 00:00", "roll"),
		event("o", "10-12 00:00", "bucket.opened", eventDef{as: "allowance", credits: "80", expires: on("11-10 00:00")}),
	})
	r.want(t, 1, "ledger",
		"ledger 2026-11-10T00:00:00Z rollover_out acme/allowance/2026-10-10T00:00:00Z 100",
		"ledger 2026-11-10T00:00:00Z rollover_out acme/opened/o 50",
		"ledger 2026-11-10T00:00:00Z expire acme/opened/o 30",
		"ledger 2026-11-10T00:00:00Z rollover_in acme/rollover/2026-11-10T00:00:00Z 150",
		"ledger 2026-11-10T00:00:00Z grant acme/allowance/2026-11-10T00:00:00Z 100")
}

// SPEC section 6, Rollover: nothing rolls over after a cancellation, and rollover
// buckets expire at the last cycle's end; (14) subscribing again does not restore.
func TestCancellationShortensRolloverAndResubscribingDoesNotRestore(t *testing.T) {
	r := tell(t, 3, []eventDef{
		opened("10-10 00:00"), starts("s", "10-10 00:00", "roll"), event("c", "11-20 00:00", "subscription.cancelled", eventDef{}), starts("t", "11-25 00:00", "roll"),
	})
	// 100 rolled on 10 November would have lasted until 10 January.
	r.want(t, 2, "ledger",
		"ledger 2026-12-10T00:00:00Z expire acme/allowance/2026-11-10T00:00:00Z 100",
		"ledger 2026-12-10T00:00:00Z expire acme/rollover/2026-11-10T00:00:00Z 100",
		"ledger 2026-12-25T00:00:00Z rollover_out acme/allowance/2026-11-25T00:00:00Z 100",
		"ledger 2026-12-25T00:00:00Z rollover_in acme/rollover/2026-12-25T00:00:00Z 100",
		"ledger 2026-12-25T00:00:00Z grant acme/allowance/2026-12-25T00:00:00Z 100")
}

// SPEC section 5: a cancelled subscription's cycle runs to its end and none follows.
func TestCancelledCycleRunsToItsEnd(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-10 00:00"), starts("s", "10-10 00:00", "small"), event("c", "10-12 00:00", "subscription.cancelled", eventDef{})},
		called("11-09 23:59", "400"), called("11-10 00:00", "5"))
	r.wantCalls(t, "allowance acme/allowance/2026-10-10T00:00:00Z 400", "denied 5")
	r.want(t, 1, "charge")
	r.want(t, 1, "profile", "profile  USD")
}

// SPEC section 6, Order: priority, then expiry (never last), then start, then id.
func TestBucketsPayInOrder(t *testing.T) {
	r := tell(t, 1, []eventDef{
		opened("10-01 00:00"), starts("s", "10-01 00:00", "free"),
		event("p1", "10-02 00:00", "pack.purchased", eventDef{pack: "boost"}),
		event("p2", "10-02 00:00", "pack.purchased", eventDef{pack: "boost"}),
		event("p0", "10-03 00:00", "pack.purchased", eventDef{pack: "boost"}),
		event("b", "10-04 00:00", "pack.purchased", eventDef{pack: "brief"}),
		event("g", "10-04 00:00", "credits.granted", eventDef{credits: "10"}),
		event("h", "10-04 00:00", "credits.granted", eventDef{credits: "10", priority: 60}),
		event("r", "10-04 00:00", "bucket.opened", eventDef{as: "rollover", credits: "10"}),
	}, called("10-05 00:00", "1700"))
	r.wantCalls(t, "promotion acme/promotion/g 10 + opened acme/opened/r 10 + allowance acme/allowance/2026-10-01T00:00:00Z 100 + "+
		"pack acme/pack/b 100 + pack acme/pack/p1 500 + pack acme/pack/p2 500 + pack acme/pack/p0 480")
}

// SPEC section 6, Order: a bucket pays at t when starts_at <= t < expires_at.
func TestExpiryComesBeforeTheCallsOfItsInstant(t *testing.T) {
	r := tell(t, 1, []eventDef{opened("10-01 00:00"), event("b", "10-04 00:00", "pack.purchased", eventDef{pack: "brief"})},
		called("10-04 00:00", "1"), called("10-13 23:59:59.999999", "1"), called("10-14 00:00", "1"))
	r.wantCalls(t, "pack acme/pack/b 1", "pack acme/pack/b 1", "denied 1")
}

// SPEC section 7, step 4: what ends does so in (start, end], what is granted in
// [start, end).
func TestEndsBelongToTheOldPeriodAndGrantsToTheNew(t *testing.T) {
	r := tell(t, 2, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "small")}, called("11-01 00:00", "5"))
	r.want(t, 0, "ledger charge",
		"charge fee 2026-10-01T00:00:00Z 2026-10-01T00:00:00Z small x 1 = 49 bucket acme/allowance/2026-10-01T00:00:00Z paid false v1 step 0",
		"ledger 2026-10-01T00:00:00Z grant acme/allowance/2026-10-01T00:00:00Z 1000",
		"ledger 2026-11-01T00:00:00Z expire acme/allowance/2026-10-01T00:00:00Z 1000")
	r.wantCalls(t, "allowance acme/allowance/2026-11-01T00:00:00Z 5")
}

// SPEC section 5: events before first_period set the state, but grant and charge nothing.
func TestEventsBeforeTheFirstPeriodOnlySetState(t *testing.T) {
	r := tell(t, 1, []eventDef{
		opened("01-17 10:00"), starts("s", "01-17 10:30", "small"), event("p", "09-01 00:00", "pack.purchased", eventDef{pack: "boost"}),
		event("x", "09-01 00:00", "charge.added", eventDef{amount: "5"}), event("a", "09-02 00:00", "alert.set", eventDef{below: "100"}),
		late(event("o", "09-30 12:00", "bucket.opened", eventDef{as: "allowance", credits: "420", expires: on("10-17 10:30")}), "10-01 00:00"),
	}, called("10-02 09:00", "350"))
	r.want(t, 0, "ledger charge alert",
		"alert low_balance 100 cycle 2026-09-17T10:30:00Z at 2026-10-02T09:00:00Z usage 350 balance 70",
		"charge fee 2026-10-17T10:30:00Z 2026-10-17T10:30:00Z small x 1 = 49 bucket acme/allowance/2026-10-17T10:30:00Z paid false v1 step 0",
		"ledger 2026-10-01T00:00:00Z grant acme/opened/o 420",
		"ledger 2026-10-02T09:00:00Z burn acme/opened/o 350",
		"ledger 2026-10-17T10:30:00Z expire acme/opened/o 70",
		"ledger 2026-10-17T10:30:00Z grant acme/allowance/2026-10-17T10:30:00Z 1000")
}

// SPEC section 14, 25: a plan with allowance 0 makes no bucket; its fee is charged.
func TestPlanWithoutAllowanceMakesNoBucket(t *testing.T) {
	r := tell(t, 1, []eventDef{opened("10-02 00:00"), starts("s", "10-02 00:00", "none")}, called("10-03 00:00", "5"))
	r.want(t, 0, "row ledger charge alert",
		"charge fee 2026-10-02T00:00:00Z 2026-10-02T00:00:00Z none x 1 = 20 bucket  paid false v1 step 0",
		"ledger 2026-10-03T00:00:00Z denied  5")
}

// SPEC section 14, 14: of several at one instant only the last starts a cycle.
func TestLastSubscriptionOfAnInstantCounts(t *testing.T) {
	r := tell(t, 2, []eventDef{
		opened("10-01 00:00"), late(starts("z", "10-05 00:00", "large"), "11-01 00:00"), late(starts("a", "10-06 00:00", "small"), "11-01 00:00"), starts("b", "11-01 00:00", "nothing"),
	})
	r.want(t, 1, "charge held",
		"charge fee 2026-11-01T00:00:00Z 2026-11-01T00:00:00Z small x 1 = 49 bucket acme/allowance/2026-11-01T00:00:00Z paid false v1 step 0",
		"held b unknown_plan")
}

// SPEC section 6, Rollover: a rollover balance brought over after a cancellation
// ends with the last cycle, as every rollover bucket then does.
func TestRolloverOpenedAfterCancellationEndsWithTheLastCycle(t *testing.T) {
	r := tell(t, 1, []eventDef{
		opened("09-10 00:00"), starts("s", "09-10 00:00", "roll"), event("c", "09-20 00:00", "subscription.cancelled", eventDef{}),
		event("o", "10-02 00:00", "bucket.opened", eventDef{as: "rollover", credits: "40", expires: on("12-10 00:00")}),
		event("p", "10-02 00:00", "bucket.opened", eventDef{as: "pack", credits: "4", expires: on("12-10 00:00")}),
	})
	r.want(t, 0, "ledger", "ledger 2026-10-02T00:00:00Z grant acme/opened/o 40", "ledger 2026-10-02T00:00:00Z grant acme/opened/p 4",
		"ledger 2026-10-10T00:00:00Z expire acme/opened/o 40")
}

// SPEC section 14, 37: until the currency is fixed it may change in mid-cycle, and
// the running plan's prices with it.
func TestCurrencyChangeInMidCycleChangesTheOveragePrice(t *testing.T) {
	w := world{catalog: catalogDef{plans: []planDef{{
		name: "p", version: 1, from: on("01-01 00:00"), allowance: "1", per: "1", steps: []stepDef{{"", map[string]string{"USD": "2.00", "EUR": "3.00"}}},
	}}}}
	r := tellIn(t, w, 1, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "p"), event("u", "10-02 00:00", "account.updated", eventDef{currency: "EUR"})}, called("10-01 12:00", "1"), called("10-03 00:00", "4"))
	r.want(t, 0, "charge profile", "charge overage 2026-11-01T00:00:00Z 1 p/1 x 4 = 12 bucket  paid false v1 step 1", "profile  EUR p v1")

	// The first credit of overage fixes it.
	r = tellIn(t, w, 1, []eventDef{opened("10-01 00:00"), starts("s", "10-01 00:00", "p"), event("u", "10-04 00:00", "account.updated", eventDef{currency: "EUR"})},
		called("10-03 00:00", "1"), called("10-03 00:00", "0.001"))
	r.want(t, 0, "held", "held u currency_fixed")
}
