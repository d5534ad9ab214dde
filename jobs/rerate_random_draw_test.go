package jobs_test

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

// A history is what happened to the accounts of one lake, and when the lake came to
// know of it. Stage s is what comes after the close of s periods; the last but one
// stage is after all closes, the last after a first re-rating of all that.
type history struct {
	rand    *rand.Rand
	seed    int
	zone    string
	first   period.Period
	closed  int    // periods, before anything is re-rated from the beginning
	unknown string // plan of accounts that nobody opened; empty: their usage is held
	cal     period.Calendar

	items   []item
	configs []configChange
}

// An item is a line of a log: a call or an account event.
type item struct {
	account, id, line string
	at                time.Time
	index             int // of the period it is of
	stage             int // at which it comes
	voided            int // the stage at which it is voided; -1: never
	call, held        bool
}

// A configChange is a file that comes at a stage.
type configChange struct {
	stage         int
	name, content string
}

// last is the last stage.
func (h *history) last() int { return h.closed + 1 }

// period is the period of an index.
func (h *history) period(index int) period.Period { return h.first.Add(index) }

func pick[T any](h *history, of ...T) T { return of[h.rand.Intn(len(of))] }

// chance is true once in n times.
func (h *history) chance(n int) bool { return h.rand.Intn(n) == 0 }

// drawHistory draws a history. Its accounts each have a theme, so that every lake has
// something of everything.
func drawHistory(seed int) *history {
	h := &history{rand: rand.New(rand.NewSource(int64(seed))), seed: seed}
	h.zone = pick(h, "UTC", "Europe/Madrid", "America/Los_Angeles", "Australia/Lord_Howe")
	h.first = mustPeriod(pick(h, "2026-10", "2026-10", "2027-02", "2027-12"))
	h.closed = pick(h, 2, 2, 3)
	if h.chance(3) {
		h.unknown = pick(h, "basic", "month")
	}
	cal, err := period.NewCalendar(h.zone)
	if err != nil {
		panic(err)
	}
	h.cal = cal
	h.drawConfig()
	for i := range themes {
		h.drawAccount(i)
	}
	return h
}

// instant draws an instant of a few that coincide often, from some days after the
// first period's start to the open period's end.
func (h *history) instant(from int) time.Time {
	start := h.cal.Start(h.first)
	end := h.cal.End(h.period(h.closed))
	for {
		at := h.cal.Start(h.period(h.rand.Intn(h.closed + 1)))
		if !h.chance(6) {
			days := int(end.Sub(start) / (24 * time.Hour))
			at = h.cal.AddDays(start, from+h.rand.Intn(days-from)).Add(time.Duration(pick(h, 0, 12, 12, 18)) * time.Hour)
			if h.chance(3) {
				at = at.Add(time.Duration(h.rand.Intn(50_000)) * time.Second)
			}
		}
		if !at.Before(h.cal.AddDays(start, from)) && at.Before(end) {
			return at
		}
	}
}

// index is that of the period of an instant; what was before the first counts to it.
func (h *history) index(at time.Time) int {
	index := 0
	for !at.Before(h.cal.End(h.period(index))) {
		index++
	}
	return index
}

// stage draws when something is known: one time in late after its period's close.
func (h *history) stage(index, late int) int {
	if late == 0 || !h.chance(late) || index >= h.last() {
		return index
	}
	return index + 1 + h.rand.Intn(h.last()-index)
}

func stampOf(at time.Time) string { return period.FormatInstant(at) }

// event adds an account event; one time in late it comes late.
func (h *history) event(account, kind string, at time.Time, late int, fields string) string {
	id := fmt.Sprintf("%s-e%02d", account, len(h.items))
	if fields != "" {
		fields = "," + fields
	}
	index := h.index(at)
	h.items = append(h.items, item{
		account: account, id: id, at: at, index: index, stage: h.stage(index, late), voided: -1,
		line: fmt.Sprintf(`{"id":%q,"type":%q,"account":%q,"at":%q%s}`, id, kind, account, stampOf(at), fields),
	})
	return id
}

// calls adds n calls of an account from an instant on.
func (h *history) calls(account string, n int, from time.Time, late int) {
	for i := range n {
		at := h.instant(0)
		operation := pick(h, "image.generate", "image.generate", "image.generate", "image.edit", "image.free", "image.new")
		if at.Before(from) {
			continue
		}
		if operation == "image.new" && !h.chance(3) {
			operation = "video.make"
		}
		if h.chance(40) {
			operation = "sound.never" // no table ever prices it
		}
		c := item{
			account: account, id: fmt.Sprintf("%s-c%02d", account, i), at: at, index: h.index(at), voided: -1, call: true,
			held: !slices.Contains([]string{"image.generate", "image.edit", "image.free"}, operation),
		}
		c.stage = h.stage(c.index, late)
		if h.chance(35) {
			c.voided = c.stage + h.rand.Intn(h.last()-c.stage+1)
		}
		quantity := pick(h, 1, 1, 2, 3, 5, 8)
		c.line = fmt.Sprintf(`{"id":%q,"ts":%q,"org":%q,"op":%q,"n":%d}`, c.id, stampOf(at), account, operation, quantity)
		h.items = append(h.items, c)
	}
}

// themes are what accounts begin with, so that chance need not bring it together.
var themes = []func(h *history, account string){
	func(h *history, account string) { // what is left rolls over, up to a cap
		h.event(account, "subscription.started", h.cal.AddDays(h.cal.Start(h.first), h.rand.Intn(9)-4), 0, `"plan":"roll"`)
	},
	func(h *history, account string) { // part of a month, then overage in steps
		h.event(account, "subscription.started", h.instant(0), 3, `"plan":"month"`)
		h.event(account, "overage.set", h.instant(0), 3, `"protection":false,"limit":12`)
	},
	func(h *history, account string) { // overage at one price, and tax
		h.event(account, "subscription.started", h.cal.AddDays(h.cal.Start(h.first), 3), 0, `"plan":"basic"`)
		h.event(account, "account.updated", h.instant(0), 2, `"tax":{"rate":"0.105"}`)
	},
	func(h *history, account string) { // refilled, with no plan
		h.event(account, "topup.set", h.instant(0), 4, fmt.Sprintf(`"pack":"small","units":%d,"below":%d,"most_per_period":%d`, pick(h, 1, 2), pick(h, 0, 4), pick(h, 1, 3, 20)))
	},
	func(h *history, account string) { // packs and promotions, and refunds
		for range 3 {
			at := h.instant(0)
			id := h.event(account, "pack.purchased", at, 3, fmt.Sprintf(`"pack":"small","units":%q,"paid":%v`, pick(h, "1", "2", "0.333333"), h.chance(2)))
			if h.chance(2) {
				hours := h.rand.Intn(40*24) - 10*24 // before it was bought there is nothing to void
				voided := at.Add(time.Duration(hours) * time.Hour)
				if voided.Before(h.cal.End(h.period(h.closed))) && !voided.Before(h.cal.Start(h.first)) {
					h.event(account, "bucket.voided", voided, 3, fmt.Sprintf(`"bucket":"%s/pack/%s"`, account, id))
					h.items[len(h.items)-1].held = hours < 0
				}
			}
		}
	},
	func(h *history, account string) { // nobody opened it in time, or ever
	},
	func(h *history, account string) { // cancelled, and back again
		at := h.cal.Start(h.first)
		h.event(account, "subscription.started", at, 0, fmt.Sprintf(`"plan":%q`, pick(h, "roll", "whole")))
		h.event(account, "subscription.cancelled", h.instant(5), 2, "")
		h.event(account, "subscription.started", h.instant(20), 3, fmt.Sprintf(`"plan":%q`, pick(h, "roll", "basic", "month")))
	},
	func(h *history, account string) { // a plan and refills
		h.event(account, "subscription.started", h.cal.Start(h.first), 0, `"plan":"whole"`)
		h.event(account, "topup.set", h.cal.AddDays(h.cal.Start(h.first), 2), 0, `"pack":"small","units":1,"below":3,"most_per_period":40`)
	},
	func(h *history, account string) { // charges alone, and a pack that is put on the list late
		h.event(account, "charge.added", h.instant(0), 2, `"amount":"-3.21","description":"goodwill"`)
		h.event(account, "charge.added", h.instant(0), 2, `"amount":"7.00","description":"set-up"`)
		h.event(account, "pack.purchased", h.instant(0), 0, `"pack":"new"`)
		h.items[len(h.items)-1].held = true
	},
}

// drawAccount draws an account's life.
func (h *history) drawAccount(theme int) {
	account := fmt.Sprintf("t%d", theme)
	start := h.cal.Start(h.first)
	opened, late := start, 0
	fields := fmt.Sprintf(`"currency":%q`, pick(h, "USD", "USD", "EUR"))
	if h.chance(2) {
		fields += `,"tax":{"rate":"0.21"}`
	}
	switch {
	case theme == 5 && h.unknown != "" && h.chance(2): // never
	case theme == 5 && h.chance(2):
		h.event(account, "account.opened", opened, 1, fields)
	case theme == 5: // months after its first calls
		h.event(account, "account.opened", h.instant(20), 2, fields)
	default:
		h.event(account, "account.opened", opened, late, fields)
	}
	themes[theme](h, account)
	for range 1 + h.rand.Intn(4) {
		at := h.instant(0)
		switch h.rand.Intn(7) {
		case 0:
			h.event(account, "subscription.changed", at, 2, fmt.Sprintf(`"plan":%q`, pick(h, "basic", "roll", "month", "whole")))
		case 1:
			h.event(account, "pack.purchased", at, 2, fmt.Sprintf(`"pack":%q`, pick(h, "small", "brief")))
		case 2:
			expires := ""
			if h.chance(2) {
				expires = fmt.Sprintf(`,"expires_at":%q`, stampOf(h.cal.AddDays(at, 1+h.rand.Intn(40))))
			}
			h.event(account, "credits.granted", at, 2, fmt.Sprintf(`"credits":%s,"reason":"welcome"%s`, pick(h, "5", "0.75"), expires))
		case 3:
			h.event(account, "overage.set", at, 2, fmt.Sprintf(`"protection":%v`, h.chance(4)))
		case 4:
			h.event(account, "account.updated", at, 2, fmt.Sprintf(`"tax":{"rate":%q}`, pick(h, "0.19", "0")))
		case 5:
			h.event(account, "charge.added", at, 2, `"amount":"1.99","description":"extra"`)
		case 6:
			h.event(account, "bucket.opened", at, 2, fmt.Sprintf(`"kind":%q,"credits":4,"paid":"1.11"`, pick(h, "pack", "promotion", "rollover")))
		}
	}
	h.calls(account, 12+h.rand.Intn(12), start, 4)
}

// drawConfig draws the configuration, and what of it is corrected when. A correction
// is a higher version of the same instant.
func (h *history) drawConfig() {
	unknown := "hold"
	if h.unknown != "" {
		unknown = "{plan: " + h.unknown + "}"
	}
	add := func(stage int, name, content string) {
		h.configs = append(h.configs, configChange{stage, name, content})
	}
	add(0, "creditmill.yaml", fmt.Sprintf(`
lake: ./lake
raw: ./raw
first_period: %s
timezone: %s
sources: [sources/*.yaml]
prices: [prices/*.yaml]
catalog: [plans/*.yaml]
accounts: {unknown: %s}
accept: {future: 1h, past: none}
`, h.first, h.zone, unknown))
	add(0, "sources/gateway.yaml", tiny["sources/gateway.yaml"])
	add(0, "sources/accounts.yaml", tiny["sources/accounts.yaml"])
	change := h.instant(5) // an ordinary new price list
	early, mid := "2026-01-01T00:00:00Z", stampOf(change)
	add(0, "prices/api-1.yaml", randomPrices("api", 1, early, pick(h, "0.5", "1"), "0.333333", ""))
	add(0, "prices/api-2.yaml", randomPrices("api", 2, mid, pick(h, "0.75", "1.25"), "0.333333", ""))
	add(0, "plans/1.yaml", randomPlans)
	correction := func() int { return 1 + h.rand.Intn(h.last()) }
	add(correction(), "prices/api-3.yaml", randomPrices("api", 3, early, pick(h, "0.4", "1", "1.6"), pick(h, "0.333333", "0.25"), "image.new"))
	add(correction(), "prices/api-4.yaml", randomPrices("api", 4, mid, pick(h, "0.7", "1.25", "2"), "0.333333", "image.new"))
	add(correction(), "prices/video-1.yaml", randomPrices("video", 1, early, "1", "1", "video.make"))
	if corrected, _, _ := strings.Cut(randomPlans, "---\nplan: month"); h.chance(2) {
		add(correction(), "plans/2.yaml", strings.NewReplacer("version: 1", "version: 2", "19.99", "21.50", "0.75", pick(h, "0.80", "0.75"), "allowance: 12", pick(h, "allowance: 12", "allowance: 14.5")).Replace(
			corrected))
	}
	add(correction(), "plans/new.yaml", `
pack: new
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 7
price: {USD: "3.00", EUR: "2.80"}
`)
}

func randomPrices(table string, version int, from, generate, edit, more string) string {
	rules := fmt.Sprintf("  - {operation: image.generate, charge: {each: images, credits: %q}}\n  - {operation: image.edit, charge: {sum: [{each: images, credits: %q}, {credits: 0.1}]}}\n"+
		"  - {operation: image.free, charge: {credits: 0}}\n", generate, edit)
	if table == "video" {
		rules = ""
	}
	if more != "" {
		rules += "  - {operation: " + more + ", charge: {each: images, credits: 1}}\n"
	}
	applies := map[string]string{"api": "image.*", "video": "video.*"}[table]
	return fmt.Sprintf("table: %s\nversion: %d\neffective_from: %s\napplies_to: [%q]\nrules:\n%s", table, version, from, applies, rules)
}

// randomPlans are the catalog; what is before the plan month is corrected sometimes.
const randomPlans = `plan: basic
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "19.99", EUR: "17.77"}
allowance: 12
renews: anniversary
overage: {per: 1, price: {USD: "0.75", EUR: "0.70"}, protection: false}
---
plan: roll
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "7.01", EUR: "6"}
allowance: 9.5
renews: anniversary
rollover: {cycles: 2, cap: 11}
overage: {per: 2, price: {USD: "1.10", EUR: "1.00"}, protection: false, limit: 30}
---
plan: month
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "31.00", EUR: "29.99"}
allowance: 11
renews: calendar
prorate: true
rollover: {cycles: 1}
overage: {per: 2, blocks: true, protection: false, steps: [{up_to: 4, price: {USD: "1.33", EUR: "1"}}, {price: {USD: "0.9", EUR: "0.8"}}]}
---
plan: whole
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "5.00", EUR: "4.99"}
allowance: 8
renews: calendar
---
pack: small
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 4
price: {USD: "2.51", EUR: "2.49"}
---
pack: brief
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 3.333333
price: {USD: "0.99", EUR: "0.98"}
expires_after: 9 days
`
