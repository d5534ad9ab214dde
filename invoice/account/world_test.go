package account_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// A world is one account's life as a test tells it, for the engine or the model.
type world struct {
	account string // empty: acme
	tax     string // rate, where the account was opened; empty: none
	zone    string // empty: UTC
	first   string // the first period
	catalog catalogDef
	percent []int
	unknown string
	events  []eventDef
	calls   []callDef
	kept    []keptDef // of any period
}

const acct = "acme"

func (w world) name() string {
	if w.account == "" {
		return acct
	}
	return w.account
}

// payload is the event as a log would say it of acme.
func (e eventDef) payload() json.RawMessage { return e.payloadOf(acct) }

func (e eventDef) payloadOf(account string) json.RawMessage {
	f := map[string]any{"id": e.id, "type": e.kind, "account": account, "at": stamp(e.at)}
	put := func(key, value string) {
		if value != "" {
			f[key] = value
		}
	}
	put("name", e.name)
	put("currency", e.currency)
	put("plan", e.plan)
	put("pack", e.pack)
	put("units", e.units)
	put("kind", e.as)
	put("bucket", e.bucket)
	put("amount", e.amount)
	put("limit", e.limit)
	put("below", e.below)
	put("paid", e.paid)
	if e.credits != "" {
		f["credits"] = json.Number(e.credits)
	}
	if !e.expires.IsZero() {
		f["expires_at"] = stamp(e.expires)
	}
	if e.unpaid {
		f["paid"] = false
	}
	if e.priority != 0 {
		f["priority"] = e.priority
	}
	if e.kind == "overage.set" {
		f["protection"] = e.protect
	}
	if e.kind == "topup.set" {
		f["most_per_period"] = e.most
	}
	src, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return src
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// yaml writes the catalog as its files would.
func (d catalogDef) yaml() string {
	var docs []string
	prices := func(in map[string]string) string {
		var parts []string
		for c, p := range in {
			parts = append(parts, fmt.Sprintf("%s: %q", c, p))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	for _, p := range d.plans {
		y := fmt.Sprintf("plan: %s\nversion: %d\neffective_from: %s\nallowance: %s\n", p.name, p.version, stamp(p.from), p.allowance)
		y += map[bool]string{true: "renews: calendar\n", false: "renews: anniversary\n"}[p.calendar]
		if p.prorate {
			y += "prorate: true\n"
		}
		if p.fee != nil {
			y += "fee: " + prices(p.fee) + "\n"
		}
		if p.cycles > 0 {
			y += fmt.Sprintf("rollover: {cycles: %d", p.cycles)
			if p.cap != "" {
				y += ", cap: " + p.cap
			}
			y += "}\n"
		}
		if p.steps != nil {
			y += fmt.Sprintf("overage:\n  per: %s\n  protection: %v\n  blocks: %v\n", p.per, p.protect, p.blocks)
			if p.limit != "" {
				y += "  limit: " + p.limit + "\n"
			}
			y += "  steps:\n"
			for _, s := range p.steps {
				y += "    - {price: " + prices(s.price)
				if s.upTo != "" {
					y += ", up_to: " + s.upTo
				}
				y += "}\n"
			}
		}
		docs = append(docs, y)
	}
	for _, p := range d.packs {
		y := fmt.Sprintf("pack: %s\nversion: %d\neffective_from: %s\ncredits: %s\nprice: %s\n", p.name, p.version, stamp(p.from), p.credits, prices(p.price))
		if p.days > 0 {
			y += fmt.Sprintf("expires_after: %d days\n", p.days)
		}
		if p.months > 0 {
			y += fmt.Sprintf("expires_after: %d months\n", p.months)
		}
		docs = append(docs, y)
	}
	return strings.Join(docs, "---\n")
}

// parse reads the catalog as the program does.
func (d catalogDef) parse(t testing.TB) *catalog.Catalog {
	t.Helper()
	var p yamlfile.Problems
	c := catalog.Parse([]catalog.File{{Name: "catalog.yaml", Content: []byte(d.yaml())}}, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

// result is what a run says, period by period, in lines that compare.
type result struct {
	calls    []string // one a call
	periods  [][]string
	outcomes []account.Outcome
	events   []account.Event // as the last period leaves them; without what a first call stands for, where it is provisional
}

// runEngine runs the world through n periods, each opened from what the one
// before left.
func (w world) runEngine(t testing.TB, n int) result { return w.runEngineUntil(t, n, time.Time{}) }

// runEngineUntil is runEngine with the last period no further than until, without the
// calls from then on; the zero time is its end.
func (w world) runEngineUntil(t testing.TB, n int, until time.Time) result {
	t.Helper()
	calendar := must(period.NewCalendar(w.zoneName()))
	first := must(period.Parse(w.first))
	events := append([]eventDef(nil), w.events...)
	parsed := w.catalog.parse(t)
	var out result
	var opening account.Opening
	var implied []account.Event
	held := map[string]string{}
	next := 0
	for i := range n {
		p := first.Add(i)
		end := calendar.End(p)
		params := account.Params{
			Account: w.name(), Period: p, Calendar: calendar, FirstPeriod: first, Catalog: parsed,
			DefaultCurrency: must(money.ParseCurrency("USD")), AlertPercents: w.percent, UnknownPlan: w.unknown, Opening: opening,
			Events: append([]account.Event(nil), implied...), Kept: w.keptIn(p, calendar),
		}
		for _, e := range events {
			params.Events = append(params.Events, account.Event{
				ID: e.id, Type: e.kind, Account: w.name(), At: e.at, PostedAt: e.posted, Payload: w.payload(e), Held: cmp.Or(held[e.id], e.held),
			})
		}
		if i == n-1 {
			params.Until = until
		}
		if since := account.CycleStart(params); !since.IsZero() {
			for _, c := range w.calls[:next] {
				if !c.t.Before(since) {
					params.Opening.CycleUsage = params.Opening.CycleUsage.Add(credit.FromMicro(c.micro))
				}
			}
		}
		m, err := account.Open(params)
		if err != nil {
			t.Fatal(err)
		}
		if i == n-1 && !until.IsZero() {
			end = until
		}
		for ; next < len(w.calls) && w.calls[next].t.Before(end); next++ {
			splits, err := m.Call(w.calls[next].t.UnixMicro(), w.calls[next].micro)
			if err != nil {
				t.Fatal(err)
			}
			out.calls = append(out.calls, splitLine(splits))
		}
		o, err := m.Finish()
		if err != nil {
			t.Fatal(err)
		}
		out.outcomes = append(out.outcomes, o)
		out.periods = append(out.periods, outcomeLines(o))
		identities(t, o)

		opening.Buckets = nil
		opening.ExpiredAtStart = credit.Amount{}
		for _, b := range o.Buckets {
			if !b.Remaining.IsZero() {
				opening.Buckets = append(opening.Buckets, b)
			}
			if b.Expires.Equal(end) {
				opening.ExpiredAtStart = opening.ExpiredAtStart.Add(b.Expired)
			}
		}
		opening.CurrencyFixed = o.CurrencyFixed
		opening.Alerts = append(opening.Alerts, o.Alerts...)
		if i < n-1 || until.IsZero() {
			implied = append(implied, o.Implied...)
		}
		clear(held)
		for _, h := range o.Held {
			for j := range events {
				if events[j].id == h.Event.ID {
					events[j].posted, held[h.Event.ID] = end, h.Reason
				}
			}
		}
	}
	out.events = implied
	for _, e := range events {
		out.events = append(out.events, account.Event{
			ID: e.id, Type: e.kind, Account: w.name(), At: e.at, PostedAt: e.posted, Payload: w.payload(e), Held: cmp.Or(held[e.id], e.held),
		})
	}
	return out
}

func (w world) zoneName() string {
	if w.zone == "" {
		return "UTC"
	}
	return w.zone
}

// runModel runs the same through the second implementation.
func (w world) runModel(n int) (*model, result) {
	loc := must(period.LoadLocation(w.zoneName()))
	month := must(time.ParseInLocation("2006-01", w.first, loc))
	m := &model{
		account: w.name(), catalog: w.catalog, loc: loc, first: month.UTC(), percent: w.percent, unknown: w.unknown, currency: "USD",
		events: append([]eventDef(nil), w.events...), calls: w.calls, kept: append([]keptDef(nil), w.kept...), done: map[int]bool{},
	}
	m.run(n - 1)
	var out result
	for i := range w.calls {
		if !w.calls[i].t.Before(m.periodStart(n)) {
			break
		}
		var parts []string
		for _, p := range m.pays[i] {
			switch {
			case p.bucket != nil:
				parts = append(parts, p.bucket.kind+" "+p.bucket.id+" "+num(p.x))
			case p.kind == "overage":
				parts = append(parts, fmt.Sprintf("overage %s v%d step %d %s", p.plan, p.version, p.step, num(p.x)))
			default:
				parts = append(parts, p.kind+" "+num(p.x))
			}
		}
		out.calls = append(out.calls, strings.Join(parts, " + "))
	}
	for i := range n {
		out.periods = append(out.periods, m.lines(i))
	}
	return m, out
}
