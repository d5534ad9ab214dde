package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// yearFiles are what stays as it is all year, but for how often jobs run. FIRST is the
// first period, MIDYEAR the instant of a price change.
var yearFiles = map[string]string{
	"creditmill.yaml": `
lake: ./lake
raw: ./raw
first_period: FIRST
timezone: Europe/Amsterdam
currency: EUR
sources: [sources/*.yaml]
prices: [prices/*.yaml]
catalog: [plans/*.yaml]
alerts: [80, 100]
accept: {future: 1h, past: 400 days}
retention: {rejected: 30 days, superseded: 20 days}
schedule:
  ingest:  "0 19 INGEST * *"
  rate:    "30 19 RATE * *"
  apply:   "0 20 APPLY * *"
  close:   "0 6 1 * *"
  compact: "0 3 UPKEEP"
  gc:      "0 4 UPKEEP"
  publish: "0 5 UPKEEP"
`,
	"sources/gateway.yaml": `
source: gateway
path: calls/*.jsonl
format: jsonl
max_rejected: 50%
event: {id: id, time: ts, account: org, operation: op}
quantities: {images: n}
`,
	"sources/accounts.yaml": `
source: accounts
path: accounts/*.jsonl
format: accounts
`,
	"prices/api.yaml": `
table: api
version: 1
effective_from: 2026-01-01T00:00:00Z
applies_to: ["image.*"]
rules:
  - operation: image.generate
    charge: {each: images, credits: 2}
`,
	"prices/api-2.yaml": `
table: api
version: 2
effective_from: MIDYEAR
applies_to: ["image.*"]
rules:
  - operation: image.generate
    charge: {each: images, credits: 3}
`,
	"plans/plans.yaml": `
plan: basic
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {EUR: "10.00"}
allowance: 40
renews: calendar
overage: {per: 1, price: {EUR: "0.50"}, protection: false}
---
plan: monthly
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {EUR: "7.00"}
allowance: 30
renews: anniversary
rollover: {cycles: 2, cap: 20}
overage: {per: 1, price: {EUR: "0.40"}, protection: true}
---
pack: starter
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 50
price: {EUR: "4.00"}
expires_after: 3 months
`,
}

// A year is some months of small logs, and when they land.
type year struct {
	calendar period.Calendar
	first    period.Period
	months   int

	// Of a year that goes wrong, months counted from 0: at whose close the daemon is
	// killed, over whose end it sleeps, in which the clock goes back, with two daemons.
	killed, slept, back, pair int

	voided []string // ids of calls that a person takes back
	calls  []yearCall
}

type yearCall struct {
	id     string
	at     time.Time
	images int
}

// newYear is a year of twelve months with a leap day, or three months of it.
func newYear(t *testing.T, full bool) *year {
	t.Helper()
	calendar, err := period.NewCalendar("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	if full {
		return &year{calendar: calendar, first: mustPeriod("2027-07"), months: 12, killed: 3, slept: 4, back: 7, pair: 9}
	}
	return &year{calendar: calendar, first: mustPeriod("2027-12"), months: 3, killed: 0, slept: 1, back: 1, pair: 1}
}

// at is a local time in a month, counted from 0; day 0 is the last of the month before.
func (y *year) at(month, day, hour, minute int) time.Time {
	start := y.calendar.Start(y.first.Add(month)).In(y.calendar.Location())
	return time.Date(start.Year(), start.Month(), day, hour, minute, 0, 0, y.calendar.Location()).UTC()
}

func (y *year) midyear() time.Time { return y.at(y.months/2, 11, 0, 0) }

// end is when everything has settled after the last close.
func (y *year) end() time.Time { return y.at(y.months, 4, 12, 0) }

// A deed is what the world or a person does at an instant.
type deed struct {
	at  time.Time
	do  func(*yearLake) error
	set time.Duration // of the wall clock, instead of do
}

// deeds are what lands and what a person does, in order.
func (y *year) deeds() []deed {
	var all []deed
	add := func(at time.Time, do func(*yearLake) error) { all = append(all, deed{at: at, do: do}) }
	lands := func(at time.Time, name, text string) {
		add(at, func(l *yearLake) error { l.write(name, text); return nil })
	}
	y.calls, y.voided = nil, nil
	for m := range y.months {
		name := y.first.Add(m).String()
		growing := y.lines(m, 3, 6)
		if m%3 == 2 {
			growing += fmt.Sprintf(`{"id":"%s-bad","ts":"yesterday","org":"ada","op":"image.generate","n":1}`+"\n", name)
			add(y.at(m+1, 1, 9, 30), closesAccepting)
		}
		lands(y.at(m, 8, 12, 0), "raw/calls/"+name+"-a.jsonl", growing)
		lands(y.at(m, 15, 12, 0), "raw/calls/"+name+"-a.jsonl", growing+y.lines(m, 10, 13))
		if m%2 == 0 {
			id := name + "-10-10-ada"
			y.voided = append(y.voided, id)
			add(y.at(m, 18, 12, 0), voids(id))
		}
		if m == 1 {
			events := y.event("dan-1", "account.opened", "dan", y.at(m, 9, 0, 0), "") +
				y.event("dan-2", "subscription.started", "dan", y.at(m, 9, 9, 0), `,"plan":"basic"`)
			lands(y.at(m, 21, 12, 0), "raw/accounts/"+name+"-dan.jsonl", events)
		}
		second := y.lines(m, 17, 20)
		if m%3 == 1 { // not yet to be believed when it lands
			second += y.line(m, 26, 12, 0, "bob")
			add(y.at(m, 27, 12, 0), readsAgain)
		}
		lands(y.at(m, 22, 12, 0), "raw/calls/"+name+"-b.jsonl", second)
		lands(y.at(m+1, 0, 19, 30), "raw/calls/"+name+"-c.jsonl", y.lines(m, 25)+y.linesAt(m, y.daysOf(m), 2, 30))
		if m+1 == y.months {
			continue
		}
		// Late: of the month that was closed, and a copy of what was there.
		late := y.linesAt(m, y.daysOf(m), 22, 0) + strings.SplitAfter(growing, "\n")[0]
		for _, account := range []string{"ada", "bob"} {
			late += y.call(fmt.Sprintf("%s-last-%s", name, account), y.calendar.End(y.first.Add(m)).Add(-time.Microsecond), account, 1)
		}
		lands(y.at(m+1, 6, 12, 0), "raw/calls/"+name+"-late.jsonl", late)
		lands(y.at(m+1, 6, 12, 0), "raw/accounts/"+name+"-late.jsonl", y.event("late-"+name, "pack.purchased", "bob", y.at(m, 14, 12, 0), `,"pack":"starter"`))
	}
	lands(y.at(0, 1, 0, 0), "raw/accounts/first.jsonl", y.event("ada-1", "account.opened", "ada", y.at(0, 1, 0, 0), `,"name":"Ada","tax":{"rate":"0.21","label":"VAT"}`)+
		y.event("ada-2", "subscription.started", "ada", y.at(0, 1, 0, 0), `,"plan":"basic"`)+
		y.event("ada-3", "alert.set", "ada", y.at(0, 1, 0, 0), `,"below":"15"`)+
		y.event("bob-1", "account.opened", "bob", y.at(0, 1, 0, 0), `,"name":"Bob"`)+
		y.event("bob-2", "subscription.started", "bob", y.at(0, 1, 0, 0).Add(-20*time.Hour), `,"plan":"monthly"`)+ // on the last day of a month
		y.event("cyd-1", "account.opened", "cyd", y.at(0, 1, 8, 0), `,"name":"Cyd"`)+
		y.event("cyd-2", "pack.purchased", "cyd", y.at(0, 1, 9, 0), `,"pack":"starter","paid":false`)+
		y.event("cyd-3", "topup.set", "cyd", y.at(0, 1, 9, 0), `,"pack":"starter","units":1,"below":10,"most_per_period":3`))
	lands(y.at(1, 10, 12, 0), "raw/accounts/later.jsonl",
		y.event("ada-4", "credits.granted", "ada", y.at(1, 11, 0, 0), fmt.Sprintf(`,"credits":25,"reason":"sorry","expires_at":%q`, period.FormatInstant(y.at(2, 11, 0, 0))))+
			y.event("cyd-4", "charge.added", "cyd", y.at(1, 12, 0, 0), `,"amount":"12.34","description":"Training"`)+
			y.event("ada-5", "subscription.changed", "ada", y.at(y.months/2, 15, 10, 0), `,"plan":"monthly"`))
	if y.months > 6 { // a call of a closed month is taken back, and closed months are rated again
		id := fmt.Sprintf("%s-6-10-cyd", y.first.Add(3))
		y.voided = append(y.voided, id)
		add(y.at(6, 17, 12, 0), voids(id))
		add(y.at(6, 24, 12, 0), rerates)
	}
	slices.SortStableFunc(all, func(a, b deed) int { return a.at.Compare(b.at) })
	return all
}

func (y *year) daysOf(month int) int {
	return y.at(month+1, 0, 12, 0).In(y.calendar.Location()).Day()
}

func (y *year) event(id, kind, account string, at time.Time, fields string) string {
	return fmt.Sprintf(`{"id":%q,"type":%q,"account":%q,"at":%q%s}`+"\n", id, kind, account, period.FormatInstant(at), fields)
}

// lines are calls of all accounts on some days at ten.
func (y *year) lines(month int, days ...int) string {
	var text strings.Builder
	for _, day := range days {
		text.WriteString(y.linesAt(month, day, 10, 0))
	}
	return text.String()
}

func (y *year) linesAt(month, day, hour, minute int) string {
	text := y.line(month, day, hour, minute, "ada") + y.line(month, day, hour, minute, "bob") + y.line(month, day, hour, minute, "cyd")
	if month > 1 || month == 1 && day >= 10 {
		text += y.line(month, day, hour, minute, "dan") // held until the 21st of his first month
	}
	return text
}

func (y *year) line(month, day, hour, minute int, account string) string {
	images := map[string]int{"ada": 3, "bob": 1 + month%3/2*2, "cyd": 3, "dan": 2}[account]
	return y.call(fmt.Sprintf("%s-%d-%d-%s", y.first.Add(month), day, hour, account), y.at(month, day, hour, minute), account, images)
}

func (y *year) call(id string, at time.Time, account string, images int) string {
	y.calls = append(y.calls, yearCall{id, at, images})
	return fmt.Sprintf(`{"id":%q,"ts":%q,"org":%q,"op":"image.generate","n":%d}`+"\n", id, period.FormatInstant(at), account, images)
}

// voids, and what follows, is what a person does.
func voids(id string) func(*yearLake) error {
	return func(l *yearLake) error {
		return l.person(func(ctx context.Context, m *jobs.Mill) error {
			_, err := m.Void(ctx, jobs.VoidOptions{EventID: id, Reason: "a test"})
			return err
		})
	}
}

func readsAgain(l *yearLake) error {
	return l.person(func(ctx context.Context, m *jobs.Mill) error { _, err := m.IngestAgain(ctx, "gateway"); return err })
}

func closesAccepting(l *yearLake) error {
	return l.person(func(ctx context.Context, m *jobs.Mill) error {
		r, err := m.Close(ctx, jobs.CloseOptions{AcceptRejects: true})
		if err == nil && r.Run == nil {
			err = fmt.Errorf("a close that accepts rejects closed nothing: %+v", r.Blocks)
		}
		return err
	})
}

func rerates(l *yearLake) error {
	return l.person(func(ctx context.Context, m *jobs.Mill) error {
		r, err := m.Rerate(ctx, jobs.RerateOptions{From: m.Config.FirstPeriod, Commit: true, Reason: "a test"}, lookAway)
		if err == nil && r.Run == nil {
			err = fmt.Errorf("a re-rate committed nothing: %+v", r.Blocks)
		}
		return err
	})
}
