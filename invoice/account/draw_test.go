package account_test

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/period"
)

// bazaar is a catalog with one of everything: every way to renew, to roll over
// and to go beyond, versions that change in the first month, a plan and a pack that
// have no price in every currency.
func bazaar(first time.Time) catalogDef {
	from, later := first.AddDate(0, -9, 0), first.AddDate(0, 0, 19)
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
			{name: "guard", version: 1, from: from, allowance: "8", fee: both("3.00", "2.70"), per: "2", steps: []stepDef{{"", both("1", "1")}}, protect: true},
			{name: "dollar", version: 1, from: from, allowance: "12", fee: map[string]string{"USD": "1.00"}},
			{name: "future", version: 1, from: later, allowance: "12"},
		},
		packs: []packDef{
			{name: "small", version: 1, from: from, credits: "5", price: both("2.50", "2.49")},
			{name: "small", version: 2, from: later, credits: "6", price: both("2.51", "2.49")},
			{name: "brief", version: 1, from: from, credits: "3.333333", price: both("0.99", "0.98"), days: 9},
			{name: "monthly", version: 1, from: from, credits: "4.5", price: both("1.99", "1.98"), months: 1},
			{name: "gift", version: 1, from: from, credits: "4", price: both("0.00", "0")},
			{name: "dollar", version: 1, from: from, credits: "4", price: map[string]string{"USD": "1.01"}},
		},
	}
}

// drawWorld draws a history of n periods on a grid of instants that is coarse
// enough for things to coincide.
func drawWorld(t *rapid.T, n int) world {
	w := drawScene(t)
	w.drawLife(t, n)
	return w
}

// drawScene draws what accounts of one lake share. Among the months are the end of
// February in a leap year and in another, and clock changes of either kind.
func drawScene(t *rapid.T) world {
	w := world{
		first:   rapid.SampledFrom([]string{"2026-10", "2026-10", "2027-02", "2027-12", "2028-01"}).Draw(t, "first period"),
		zone:    rapid.SampledFrom([]string{"UTC", "Europe/Madrid", "America/Los_Angeles", "America/Santiago", "Australia/Lord_Howe"}).Draw(t, "zone"),
		percent: [][]int{nil, {80, 100, 110}, {50, 25}}[rapid.IntRange(0, 2).Draw(t, "alerts")],
	}
	w.catalog = bazaar(must(time.Parse("2006-01", w.first)))
	if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
		w.unknown = rapid.SampledFrom([]string{"free", "basic", "month", "payg"}).Draw(t, "plan of the unknown")
	}
	return w
}

// clockChanges are local times, as in UTC, that the zone skips or shows twice, from
// two months before n periods to their end.
func (w world) clockChanges(n int) (walls []time.Time) {
	loc := must(period.LoadLocation(w.zoneName()))
	first := must(time.Parse("2006-01", w.first))
	for t := first.AddDate(0, -2, 0); t.Before(first.AddDate(0, n, 0)); t = t.Add(time.Hour) {
		_, before := t.In(loc).Zone()
		if _, after := t.Add(time.Hour).In(loc).Zone(); before != after {
			middle := time.Duration(before+after) * time.Second / 2 // of what is skipped or comes twice
			walls = append(walls, t.Add(time.Hour+middle).Truncate(15*time.Minute))
		}
	}
	return walls
}

// drawTheme begins a life with what chance alone seldom brings together.
func (w *world) drawTheme(t *rapid.T, n int, first time.Time) {
	theme := rapid.IntRange(0, 9).Draw(t, "theme")
	if theme > 4 {
		return // nothing special
	}
	m := &model{loc: first.Location()}
	add := func(kind string, at time.Time, e eventDef) {
		e.id, e.kind, e.at, e.posted = fmt.Sprintf("t%02d", len(w.events)), kind, at.UTC(), at.UTC()
		if kind == "bucket.opened" && at.Before(first) {
			e.posted = first.UTC()
		}
		w.events = append(w.events, e)
	}
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	day := func(label string, from, to int) time.Time {
		return first.AddDate(0, 0, rapid.IntRange(from, to).Draw(t, label)).Add(time.Duration(rapid.SampledFrom([]int{0, 12}).Draw(t, label+" hour")) * time.Hour)
	}
	add("account.opened", first.AddDate(0, 0, -50), eventDef{})
	switch theme {
	case 0: // allowances that roll over, several at once, up to a cancellation
		anchor := day("anchor", -20, 10)
		plan := pick("plan", "roll", "roll", "whole", "month")
		end := func(label string) time.Time {
			k := rapid.IntRange(1, n).Draw(t, label)
			if plan == "roll" {
				return m.months(anchor, k)
			}
			return m.monthStart(anchor, k)
		}
		add("subscription.started", anchor, eventDef{plan: plan})
		for range rapid.IntRange(0, 3).Draw(t, "brought over") {
			add("bucket.opened", day("opened", -10, 40), eventDef{as: pick("as", "allowance", "allowance", "rollover"), credits: pick("credits", "7.5", "12"), paid: "1.11", expires: end("expires")})
		}
		if rapid.Bool().Draw(t, "cancelled") {
			at := end("cancelled")
			if rapid.Bool().Draw(t, "at no end") {
				at = at.Add(-36 * time.Hour)
			}
			add("subscription.cancelled", at, eventDef{})
		}
	case 1: // beyond all buckets
		add("subscription.started", day("anchor", -20, 10), eventDef{plan: pick("plan", "basic", "roll", "month", "over", "guard", "guard")})
		if rapid.IntRange(0, 3).Draw(t, "the plan's") == 0 {
			break
		}
		add("overage.set", day("set", -20, 20), eventDef{protect: rapid.IntRange(0, 2).Draw(t, "protect") == 0, limit: pick("limit", "", "8", "3")})
	case 2: // refilled
		add("topup.set", day("set", -20, 20), eventDef{
			pack: pick("pack", "small", "brief", "monthly", "dollar"), units: pick("units", "1", "2"), below: pick("below", "3", "10"), most: rapid.IntRange(1, 4).Draw(t, "most"),
		})
	case 3: // a day that not every month has, or a time that not every day has
		anchor := first.AddDate(0, rapid.IntRange(-1, n-1).Draw(t, "month"), -1-rapid.IntRange(0, 1).Draw(t, "days before"))
		if changes := w.clockChanges(n); len(changes) > 0 && rapid.Bool().Draw(t, "at a clock change") {
			c := rapid.SampledFrom(changes).Draw(t, "change").AddDate(0, -rapid.IntRange(1, 2).Draw(t, "months before"), 0)
			anchor = m.instantOf(c)
		}
		add("subscription.started", anchor, eventDef{plan: pick("plan", "free", "basic", "roll")})
		if rapid.IntRange(0, 2).Draw(t, "cancelled") == 0 {
			add("subscription.cancelled", m.months(anchor, rapid.IntRange(1, n).Draw(t, "after")), eventDef{})
		}
	case 4: // refunds, and prices that one currency lacks
		for i := range rapid.IntRange(1, 3).Draw(t, "refunds") {
			at := day("bought", 0, 60)
			add("pack.purchased", at, eventDef{pack: pick("pack", "small", "monthly", "dollar"), currency: ""})
			bought := w.events[len(w.events)-1].id
			if rapid.IntRange(0, 2).Draw(t, "late") == 0 && n > 1 && at.Before(first.AddDate(0, 1, 0)) {
				w.events[len(w.events)-1].posted = first.AddDate(0, 1, 0).UTC()
			}
			if i == 0 {
				add("account.updated", at.Add(-time.Hour), eventDef{currency: pick("currency", "USD", "EUR")})
			}
			add("bucket.voided", at.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "days after")), eventDef{bucket: w.name() + "/pack/" + bought})
		}
	}
}

// drawLife draws what happened to one account, and what it called.
func (w *world) drawLife(t *rapid.T, n int) {
	loc := must(period.LoadLocation(w.zoneName()))
	month := must(time.Parse("2006-01", w.first))
	first := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, loc)
	end := first.AddDate(0, n, 0)
	days := int(end.Sub(first).Hours()/24) + 1
	days0 := -45                                                                 // how long before the first period the history begins
	busy := rapid.SliceOfN(rapid.IntRange(0, days-1), 1, 4).Draw(t, "busy days") // on which much happens
	changes := w.clockChanges(n)
	moment := func(label string, from int) time.Time {
		if len(changes) > 0 && rapid.IntRange(0, 7).Draw(t, label+" at a clock change") == 0 { // or months before
			c := rapid.SampledFrom(changes).Draw(t, label+" change").AddDate(0, -rapid.IntRange(0, 2).Draw(t, label+" months before"), 0)
			at := time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), 0, 0, loc)
			if !at.Before(first.AddDate(0, 0, from)) && at.Before(end) {
				return at.UTC()
			}
		}
		day := rapid.IntRange(from, days-1).Draw(t, label+" day")
		if rapid.Bool().Draw(t, label+" on a busy day") {
			day = rapid.SampledFrom(busy).Draw(t, label+" busy day")
		}
		if rapid.IntRange(0, 3).Draw(t, label+" first") == 0 {
			return first.AddDate(0, rapid.IntRange(0, n-1).Draw(t, label+" month"), 0).UTC()
		}
		hour := rapid.SampledFrom([]int{0, 0, 12, 12, 18}).Draw(t, label+" hour")
		return time.Date(first.Year(), first.Month(), 1+day, hour, 0, 0, 0, loc).UTC()
	}
	amount := func(label string) string {
		return rapid.SampledFrom([]string{"1", "3", "7.5", "12", "20", "0.333333", "0.000001"}).Draw(t, label)
	}
	kinds := []string{
		"account.updated", "subscription.started", "subscription.changed", "subscription.changed", "subscription.cancelled", "subscription.cancelled",
		"pack.purchased", "pack.purchased", "bucket.opened", "bucket.opened", "bucket.voided", "bucket.voided", "credits.granted", "credits.granted", "charge.added",
		"overage.set", "overage.set", "topup.set", "topup.set", "topup.cleared", "alert.set", "alert.set",
	}
	plans := []string{"free", "payg", "basic", "basic", "roll", "roll", "roll", "month", "month", "whole", "whole", "over", "over", "guard", "guard", "dollar", "future", "nothing"}
	packs := []string{"small", "small", "brief", "brief", "monthly", "gift", "dollar", "nothing"}
	voidable := []string{w.name() + "/pack/never", w.name() + "/topup/" + w.first + "/1"}
	w.drawTheme(t, n, first)
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
						e.expires = time.Date(l.Year(), l.Month()+time.Month(rapid.IntRange(1, 4).Draw(t, "cycles")), l.Day(), l.Hour(), l.Minute(), 0, 0, loc).UTC()
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
			voidable = append(voidable, w.name()+"/allowance/"+stamp(e.posted))
		case "pack.purchased":
			e.pack = rapid.SampledFrom(packs).Draw(t, "pack")
			e.units = rapid.SampledFrom([]string{"", "1", "2", "0.5", "0.333333"}).Draw(t, "units")
			e.unpaid = rapid.Bool().Draw(t, "unpaid")
			voidable = append(voidable, w.name()+"/pack/"+e.id)
		case "bucket.opened":
			e.as = rapid.SampledFrom([]string{"allowance", "allowance", "rollover", "pack", "topup", "promotion"}).Draw(t, "as")
			e.credits = amount("opened")
			e.paid = rapid.SampledFrom([]string{"", "", "3.33"}).Draw(t, "paid")
			expiry()
			voidable = append(voidable, w.name()+"/opened/"+e.id)
		case "bucket.voided":
			e.bucket = rapid.SampledFrom(voidable).Draw(t, "bucket")
		case "credits.granted":
			e.credits = amount("promotion")
			e.priority = rapid.SampledFrom([]int{0, 0, 5, 30, 40, 60}).Draw(t, "priority")
			expiry()
			voidable = append(voidable, w.name()+"/promotion/"+e.id)
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
}
