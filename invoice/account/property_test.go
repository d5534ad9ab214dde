package account_test

import (
	"fmt"
	"math/rand"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// bazaar is a catalog with one of everything: every way to renew, to roll over
// and to go beyond, versions that change in the middle of the history, a plan and
// a pack that have no price in every currency.
func bazaar() catalogDef {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	later := time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC)
	both := func(usd, eur string) map[string]string { return map[string]string{"USD": usd, "EUR": eur} }
	return catalogDef{
		plans: []planDef{
			{name: "free", version: 1, from: from, allowance: "10"},
			{name: "payg", version: 1, from: from, allowance: "0", fee: both("0.00", "0")},
			{name: "basic", version: 1, from: from, allowance: "30", fee: both("9.99", "8.88"), per: "10", steps: []stepDef{{"", both("0.75", "0.7")}}},
			{name: "basic", version: 2, from: later, allowance: "35.5", fee: both("10.99", "9.88"), per: "10", steps: []stepDef{{"", both("0.80", "0.7")}}, limit: "12"},
			{
				name: "roll", version: 1, from: from, allowance: "20", fee: both("7.01", "6"), cycles: 2, cap: "25", per: "7",
				steps: []stepDef{{"5", both("1.333333", "1")}, {"9.5", both("1.1", "1")}, {"", both("0.9", "1")}}, blocks: true,
			},
			{
				name: "month", version: 1, from: from, allowance: "31", calendar: true, prorate: true, fee: both("31.00", "29.99"), cycles: 1, per: "1",
				steps: []stepDef{{"4", both("0.111111111111", "1")}, {"", both("0.05", "1")}}, limit: "20",
			},
			{name: "whole", version: 1, from: from, allowance: "15", calendar: true, fee: both("5.00", "4.99"), cycles: 3},
			{name: "over", version: 1, from: from, allowance: "5", fee: both("0.00", "0.00"), per: "100", steps: []stepDef{{"3", both("9", "8")}, {"", both("7", "6")}}},
			{name: "dollar", version: 1, from: from, allowance: "12", fee: map[string]string{"USD": "1.00"}},
			{name: "future", version: 1, from: later, allowance: "12"},
		},
		packs: []packDef{
			{name: "small", version: 1, from: from, credits: "5", price: both("2.50", "2.49")},
			{name: "small", version: 2, from: later, credits: "6", price: both("2.51", "2.49")},
			{name: "brief", version: 1, from: from, credits: "3.333333", price: both("0.99", "0.98"), days: 9},
			{name: "gift", version: 1, from: from, credits: "4", price: both("0.00", "0")},
			{name: "dollar", version: 1, from: from, credits: "4", price: map[string]string{"USD": "1.01"}},
		},
	}
}

// drawWorld draws a history of n periods on a grid of instants that is coarse
// enough for things to coincide.
func drawWorld(t *rapid.T, n int) world {
	w := world{first: "2026-10", catalog: bazaar(), percent: [][]int{nil, {80, 100, 110}, {50, 25}}[rapid.IntRange(0, 2).Draw(t, "alerts")]}
	w.zone = rapid.SampledFrom([]string{"UTC", "UTC", "Europe/Madrid", "America/Los_Angeles"}).Draw(t, "zone")
	loc := must(time.LoadLocation(w.zone))
	first := time.Date(2026, 10, 1, 0, 0, 0, 0, loc)
	end := first.AddDate(0, n, 0)
	days := int(end.Sub(first).Hours()/24) + 1
	days0 := -45                                                                 // how long before the first period the history begins
	busy := rapid.SliceOfN(rapid.IntRange(0, days-1), 1, 4).Draw(t, "busy days") // on which much happens
	moment := func(label string, from int) time.Time {
		day := rapid.IntRange(from, days-1).Draw(t, label+" day")
		if rapid.Bool().Draw(t, label+" on a busy day") {
			day = rapid.SampledFrom(busy).Draw(t, label+" busy day")
		}
		if rapid.IntRange(0, 3).Draw(t, label+" first") == 0 {
			return first.AddDate(0, rapid.IntRange(0, n-1).Draw(t, label+" month"), 0).UTC()
		}
		hour := rapid.SampledFrom([]int{0, 0, 12, 12, 18}).Draw(t, label+" hour")
		return time.Date(2026, 10, 1+day, hour, 0, 0, 0, loc).UTC()
	}
	amount := func(label string) string {
		return rapid.SampledFrom([]string{"1", "3", "7.5", "12", "20", "0.333333", "0.000001"}).Draw(t, label)
	}
	if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
		w.unknown = rapid.SampledFrom([]string{"free", "basic", "month", "payg"}).Draw(t, "plan of the unknown")
	}
	kinds := []string{
		"account.updated", "subscription.started", "subscription.changed", "subscription.changed", "subscription.cancelled", "subscription.cancelled",
		"pack.purchased", "pack.purchased", "bucket.opened", "bucket.opened", "bucket.voided", "credits.granted", "charge.added",
		"overage.set", "overage.set", "topup.set", "topup.set", "topup.cleared", "alert.set", "alert.set",
	}
	plans := []string{"free", "payg", "basic", "basic", "roll", "roll", "roll", "month", "month", "whole", "whole", "over", "over", "dollar", "future", "nothing"}
	packs := []string{"small", "small", "brief", "brief", "gift", "dollar", "nothing"}
	var voidable []string
	for i := range rapid.IntRange(0, 14).Draw(t, "events") {
		e := eventDef{id: fmt.Sprintf("e%02d", i), kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
		if i == 0 && rapid.IntRange(0, 7).Draw(t, "opened") > 0 {
			e.kind = "account.opened"
		}
		e.at = moment("event", days0)
		if i == 1 && rapid.Bool().Draw(t, "first plan") {
			e.kind = "subscription.started"
		}
		if e.kind == "bucket.opened" && e.at.Before(first) {
			e.posted = first.UTC()
		} else {
			e.posted = e.at
		}
		if rapid.IntRange(0, 7).Draw(t, "late") == 0 && e.at.After(first) { // arrived after a cut
			for m := 1; m < n; m++ {
				if cut := first.AddDate(0, m, 0).UTC(); cut.After(e.at) {
					e.posted = cut
					break
				}
			}
		}
		expiry := func() {
			switch rapid.IntRange(0, 4).Draw(t, "expires") {
			case 0:
			case 4: // the end of an anniversary cycle
				e.expires = e.posted
				for _, s := range w.events {
					if strings.HasPrefix(s.kind, "subscription") {
						l := s.posted.In(loc)
						e.expires = time.Date(l.Year(), l.Month()+time.Month(rapid.IntRange(1, 4).Draw(t, "cycles")), l.Day(), l.Hour(), 0, 0, 0, loc).UTC()
					}
				}
			case 1: // the end of some month: a calendar cycle's end
				e.expires = first.AddDate(0, rapid.IntRange(1, n).Draw(t, "months"), 0).UTC()
			default:
				e.expires = moment("expiry", 0)
			}
		}
		switch e.kind {
		case "account.opened", "account.updated":
			e.name = rapid.SampledFrom([]string{"", "Acme", "Acme Ltd"}).Draw(t, "name")
			e.currency = rapid.SampledFrom([]string{"", "", "USD", "EUR"}).Draw(t, "currency")
		case "subscription.started", "subscription.changed":
			e.plan = rapid.SampledFrom(plans).Draw(t, "plan")
			voidable = append(voidable, acct+"/allowance/"+stamp(e.posted))
		case "pack.purchased":
			e.pack = rapid.SampledFrom(packs).Draw(t, "pack")
			e.units = rapid.SampledFrom([]string{"", "1", "2", "0.5", "0.333333"}).Draw(t, "units")
			e.unpaid = rapid.Bool().Draw(t, "unpaid")
			voidable = append(voidable, acct+"/pack/"+e.id)
		case "bucket.opened":
			e.as = rapid.SampledFrom([]string{"allowance", "allowance", "rollover", "pack", "topup", "promotion"}).Draw(t, "as")
			e.credits = amount("opened")
			e.paid = rapid.SampledFrom([]string{"", "", "3.33"}).Draw(t, "paid")
			expiry()
			voidable = append(voidable, acct+"/opened/"+e.id)
		case "bucket.voided":
			e.bucket = rapid.SampledFrom(append(voidable, acct+"/pack/never", acct+"/topup/2026-10/1")).Draw(t, "bucket")
		case "credits.granted":
			e.credits = amount("promotion")
			e.priority = rapid.SampledFrom([]int{0, 0, 5, 30, 40, 60}).Draw(t, "priority")
			expiry()
			voidable = append(voidable, acct+"/promotion/"+e.id)
		case "charge.added":
			e.amount = rapid.SampledFrom([]string{"10", "-3.21", "0.004", "0"}).Draw(t, "amount")
		case "overage.set":
			e.protect = rapid.IntRange(0, 3).Draw(t, "protect") == 0
			e.limit = rapid.SampledFrom([]string{"", "", "8", "0"}).Draw(t, "limit")
		case "topup.set":
			e.pack = rapid.SampledFrom(packs).Draw(t, "pack")
			e.units = rapid.SampledFrom([]string{"1", "0.5", "2"}).Draw(t, "units")
			e.below = rapid.SampledFrom([]string{"0", "3", "10"}).Draw(t, "below")
			e.most = rapid.IntRange(0, 4).Draw(t, "most")
		case "alert.set":
			e.below = rapid.SampledFrom([]string{"0", "5", "15"}).Draw(t, "below")
		}
		w.events = append(w.events, e)
	}
	opened := w.unknown != ""
	for _, e := range w.events {
		opened = opened || e.kind == "account.opened"
	}
	if opened {
		at := first.UTC()
		if w.unknown == "" { // usage before the period of the opening would be held
			for _, e := range w.events {
				if e.kind == "account.opened" && e.posted.After(at) {
					local := e.posted.In(loc)
					at = time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, loc).UTC()
				}
			}
		}
		for range rapid.IntRange(0, 40).Draw(t, "calls") {
			c := callDef{t: moment("call", 0)}
			if rapid.IntRange(0, 2).Draw(t, "off the grid") == 0 {
				c.t = c.t.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "seconds")) * time.Second)
			}
			c.micro = rapid.SampledFrom([]int64{0, 1, 500_000, 1_000_000, 1_000_000, 2_500_000, 5_000_000, 9_999_999, 40_000_000}).Draw(t, "credits")
			if !c.t.Before(at) && c.t.Before(end) {
				w.calls = append(w.calls, c)
			}
		}
		sort.SliceStable(w.calls, func(i, j int) bool { return w.calls[i].t.Before(w.calls[j].t) })
	}
	return w
}

// compare fails with the first difference, and with the history that made it.
func compare(t failer, w world, got, want result) {
	t.Helper()
	for i := range want.calls {
		if i >= len(got.calls) || got.calls[i] != want.calls[i] {
			t.Fatalf("call %d at %s of %d: engine %q, model %q\n%s", i, stamp(w.calls[i].t), w.calls[i].micro, got.calls[i], want.calls[i], w)
		}
	}
	for p := range want.periods {
		if slices.Equal(got.periods[p], want.periods[p]) {
			continue
		}
		var diff []string
		for _, l := range got.periods[p] {
			if !slices.Contains(want.periods[p], l) {
				diff = append(diff, "engine: "+l)
			}
		}
		for _, l := range want.periods[p] {
			if !slices.Contains(got.periods[p], l) {
				diff = append(diff, "model:  "+l)
			}
		}
		t.Fatalf("period %d:\n%s\n%s", p, strings.Join(diff, "\n"), w)
	}
}

// String tells the history.
func (w world) String() string {
	out := []string{"zone " + w.zone + ", unknown " + w.unknown}
	for _, e := range w.events {
		out = append(out, fmt.Sprintf("%s posted %s %s", stamp(e.at), stamp(e.posted), e.payload()))
	}
	for i, c := range w.calls {
		out = append(out, fmt.Sprintf("call %d %s %d", i, stamp(c.t), c.micro))
	}
	return strings.Join(out, "\n")
}

// TestEngineAgreesWithModel runs random lives of three months, each month opened
// from the outcome of the one before, and compares every split, bucket, ledger
// row, alert, charge and held event with the second implementation, which knows
// no periods but by their names.
func TestEngineAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, 3)
		got := w.runEngine(t, 3)
		_, want := w.runModel(3)
		compare(rt, w, got, want)
		for p, o := range got.outcomes {
			burnIdentity(rt, w, p, o)
		}
	})
}

// TestOrderOfEventsFilesDoesNotMatter: events come in whatever order files had.
func TestOrderOfEventFilesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, 2)
		want := w.runEngine(t, 2)
		shuffled := w
		shuffled.events = slices.Clone(w.events)
		rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed"))).Shuffle(len(w.events), func(i, j int) {
			shuffled.events[i], shuffled.events[j] = shuffled.events[j], shuffled.events[i]
		})
		compare(rt, w, shuffled.runEngine(t, 2), want)
	})
}
