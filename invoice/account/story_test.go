package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The tests by hand tell a story: what happened to the account "acme" and what
// it called, and what must come of it. Instants are written "10-05 12:00" or
// "2027-01-31 12:00", in UTC, the year being 2026.

func on(s string) time.Time {
	if s[2] == '-' {
		s = "2026-" + s
	}
	layout := "2006-01-02 15:04"
	if strings.Count(s, ":") == 2 {
		layout = "2006-01-02 15:04:05.999999"
	}
	return must(time.Parse(layout, s))
}

// event is an account event, posted when it happened.
func event(id, when, kind string, e eventDef) eventDef {
	e.id, e.kind, e.at, e.posted = id, kind, on(when), on(when)
	return e
}

// late moves an event to where it posts.
func late(e eventDef, posted string) eventDef {
	e.posted = on(posted)
	return e
}

func opened(when string) eventDef { return event("open", when, "account.opened", eventDef{}) }

func starts(id, when, plan string) eventDef {
	return event(id, when, "subscription.started", eventDef{plan: plan})
}

func called(when, credits string) callDef {
	micro := mul(rat(credits), rat("1000000"))
	return callDef{t: on(when), micro: micro.Num().Int64()}
}

// shop is the catalog of the stories.
func shop() catalogDef {
	from := on("01-01 00:00")
	usd := func(p string) map[string]string { return map[string]string{"USD": p} }
	both := func(p string) map[string]string { return map[string]string{"USD": p, "JPY": p} }
	return catalogDef{
		plans: []planDef{
			{name: "free", version: 1, from: from, allowance: "100"},
			{name: "none", version: 1, from: from, allowance: "0", fee: usd("20.00")},
			{name: "small", version: 1, from: from, allowance: "1000", fee: usd("49.00"), per: "1000", steps: []stepDef{{"", usd("75.00")}}, protect: true},
			{name: "large", version: 1, from: from, allowance: "5000", fee: usd("199.00"), per: "1000", steps: []stepDef{{"", usd("60.00")}}, protect: true},
			{name: "roll", version: 1, from: from, allowance: "100", fee: usd("10.00"), cycles: 2, cap: "150"},
			{name: "keep", version: 1, from: from, allowance: "300", fee: usd("10.00"), cycles: 1},
			{name: "month", version: 1, from: from, allowance: "310", fee: usd("31.00"), calendar: true, prorate: true},
			{name: "steps", version: 1, from: from, allowance: "0", calendar: true, per: "1000", limit: "3000", steps: []stepDef{{"1000", usd("2.00")}, {"", usd("1.50")}}},
			{name: "blocks", version: 1, from: from, allowance: "0", calendar: true, per: "1000", blocks: true, steps: []stepDef{{"1500", usd("2.00")}, {"", usd("1.00")}}},
		},
		packs: []packDef{
			{name: "boost", version: 1, from: from, credits: "500", price: usd("29.00")},
			{name: "boost", version: 2, from: on("10-15 00:00"), credits: "600", price: usd("30.00")},
			{name: "cash", version: 1, from: from, credits: "2000", price: both("1.00")},
			{name: "brief", version: 1, from: from, credits: "100", price: usd("5.00"), days: 10},
		},
	}
}

// A failer is a test, or one draw of a random one.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// tell runs a story through both implementations and wants them to agree.
func tell(t *testing.T, months int, events []eventDef, calls ...callDef) result {
	t.Helper()
	return tellIn(t, world{percent: []int{80, 100, 110}}, months, events, calls...)
}

func tellIn(t *testing.T, w world, months int, events []eventDef, calls ...callDef) result {
	t.Helper()
	w.first, w.events, w.calls = "2026-10", events, calls
	if w.catalog.plans == nil {
		w.catalog = shop()
	}
	r := w.runEngine(t, months)
	_, model := w.runModel(months)
	compare(t, w, r, model)
	return r
}

// wantCalls compares who paid for every call.
func (r result) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.calls, want) {
		t.Errorf("calls were paid\n%s\nwant\n%s", strings.Join(r.calls, "\n"), strings.Join(want, "\n"))
	}
}

// want compares the lines of a month that begin with one of the words.
func (r result) want(t *testing.T, month int, words string, want ...string) {
	t.Helper()
	var got []string
	for _, l := range r.periods[month] {
		if word, _, _ := strings.Cut(l, " "); slices.Contains(strings.Fields(words), word) {
			got = append(got, l)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("month %d, %s: got\n%s\nwant\n%s", month, words, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
