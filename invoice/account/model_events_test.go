package account_test

import (
	"math/big"
	"sort"
	"strings"
	"time"
)

// ends lets expire what expires at t or before, and rolls over.
func (m *model) ends(t time.Time) {
	rolls := m.cycle != nil && m.cycle.end.Equal(t) && !m.cycle.cancelled && m.cycle.plan.cycles > 0
	var rolling []*modelBucket
	for _, b := range m.buckets {
		if b.expires.IsZero() || b.expires.After(t) || b.left().Sign() == 0 {
			continue
		}
		if rolls && b.as == "allowance" && b.priority == 40 && b.expires.Equal(t) {
			rolling = append(rolling, b)
		} else {
			m.saw("expired: " + b.kind)
			m.move(b, "expire", b.left(), t)
		}
	}
	sort.Slice(rolling, func(i, j int) bool {
		if !rolling[i].starts.Equal(rolling[j].starts) {
			return rolling[i].starts.Before(rolling[j].starts)
		}
		return rolling[i].id < rolling[j].id
	})
	if len(rolling) > 0 && m.live {
		room := rat("1000000000000000000")
		if m.cycle.plan.cap != "" {
			room = rat(m.cycle.plan.cap)
			for _, b := range m.buckets {
				if b.as == "rollover" {
					room = sub(room, b.left())
				}
			}
			if room.Sign() < 0 {
				room = new(big.Rat)
			}
		}
		n := 0
		for !m.cycleEnd(n).Equal(t) {
			n++
		}
		total, price := new(big.Rat), new(big.Rat)
		if len(rolling) > 1 {
			m.saw("several allowances that roll into one bucket")
		}
		for _, b := range rolling {
			all := b.left()
			part := least(all, room)
			if part.Cmp(all) < 0 {
				m.saw("a rollover cut by its cap")
			}
			room = sub(room, part)
			m.move(b, "expire", sub(all, part), t)
			before := m.gonePrice(b)
			m.move(b, "roll", part, t)
			price = add(price, sub(m.gonePrice(b), before))
			total = add(total, part)
		}
		m.grant(&modelBucket{
			id: m.account + "/rollover/" + t.UTC().Format(time.RFC3339Nano), kind: "rollover", as: "rollover", priority: 30,
			starts: t, expires: m.cycleEnd(n + m.cycle.plan.cycles), granted: total, price: price, rolledIn: true,
		}, t)
	}
	if m.cycle != nil && m.cycle.end.Equal(t) {
		m.next = !m.cycle.cancelled
		if m.cycle.cancelled {
			m.planName = ""
		}
		m.prior, m.cycle, m.lastEnd = m.cycle, nil, t
	}
}

// cycleEnd is the nth cycle end of the running subscription since its anchor.
func (m *model) cycleEnd(n int) time.Time {
	if m.cycle.plan.calendar {
		return m.monthStart(m.cycle.anchor, n+1)
	}
	return m.months(m.cycle.anchor, n+1)
}

// gonePrice is how much of b's price has left it.
func (m *model) gonePrice(b *modelBucket) *big.Rat {
	return m.money(mul(b.price, quo(sub(b.granted, b.left()), b.granted)))
}

func (m *model) move(b *modelBucket, what string, x *big.Rat, t time.Time) {
	if x.Sign() > 0 {
		b.moves = append(b.moves, modelMove{what, x, t, m.period})
	}
}

func (m *model) grant(b *modelBucket, t time.Time) {
	if !m.live || b.granted.Sign() == 0 {
		return
	}
	if b.price.Sign() != 0 {
		m.fixed = true
	}
	b.period = m.period
	m.buckets = append(m.buckets, b)
	if !b.expires.IsZero() && !b.expires.After(t) {
		m.move(b, "expire", b.granted, t)
	}
}

func (m *model) cancel() {
	if m.cycle != nil && !m.cycle.cancelled {
		m.saw("a cancellation")
		m.cycle.cancelled, m.cycle.cancelledAt = true, m.now
		m.shorten(m.cycle.end)
	}
}

func (m *model) shorten(t time.Time) {
	for _, b := range m.buckets {
		if b.as == "rollover" && (b.expires.IsZero() || b.expires.After(t)) && m.inRows(b) {
			b.expires = t
			m.saw("a rollover bucket cut short by a cancellation")
		}
	}
}

// inRows: a bucket that was empty before the period has no row any more.
func (m *model) inRows(b *modelBucket) bool {
	if b.period == m.period {
		return true
	}
	return m.opening(b).Sign() > 0
}

func (m *model) opening(b *modelBucket) *big.Rat {
	if b.period == m.period {
		return new(big.Rat)
	}
	x := b.granted
	for _, v := range b.moves {
		if v.period < m.period {
			x = sub(x, v.x)
		}
	}
	return x
}

// begin starts the cycle that is due.
func (m *model) begin(t time.Time) {
	anchor := t
	var cancelled bool
	switch {
	case m.fresh != nil:
		if m.cycle != nil {
			for _, b := range m.buckets {
				if b.as == "allowance" && b.priority == 40 && b.expires.Equal(m.cycle.end) && m.inRows(b) {
					b.priority = 10
					if b.left().Sign() > 0 {
						m.saw("a plan change that leaves an allowance behind")
					}
				}
			}
		} else if m.prior != nil && m.prior.cancelled && m.live {
			m.saw("a subscription after a cancellation")
		}
		m.planName, cancelled = m.fresh.plan, m.fresh.cancelled
	case m.next:
		anchor = m.prior.anchor
	default:
		return
	}
	m.fresh, m.next = nil, false
	plan, reason := m.findPlan(m.planName, t)
	if reason != "" {
		panic("model: cycle cannot start: " + reason)
	}
	m.cycle = &modelCycle{start: t, plan: plan, anchor: anchor}
	m.cycles = append(m.cycles, m.cycle)
	for n := 0; ; n++ {
		if m.cycle.end = m.cycleEnd(n); m.cycle.end.After(t) {
			break
		}
	}
	share := big.NewRat(1, 1)
	if plan.calendar && plan.prorate {
		month := m.cycle.end.Sub(m.monthStart(t, 0))
		share = big.NewRat(int64(m.cycle.end.Sub(t)), int64(month))
	}
	m.cycle.allowance = roundTo(mul(rat(plan.allowance), share), 6)
	if m.live {
		m.sawCycle(share)
	}
	if m.live {
		fee := new(big.Rat)
		if plan.fee != nil {
			fee = m.money(mul(rat(plan.fee[m.currency]), share))
		}
		b := &modelBucket{
			id: m.account + "/allowance/" + t.UTC().Format(time.RFC3339Nano), kind: "allowance", as: "allowance", priority: 40,
			starts: t, expires: m.cycle.end, granted: m.cycle.allowance, price: fee,
		}
		m.charge(modelCharge{kind: "fee", id: t.UTC().Format(time.RFC3339Nano), item: plan.name, at: t, quantity: rat("1"), amount: fee, bucket: b.id, version: plan.version}, b)
		m.grant(b, t)
	}
	if cancelled {
		m.cancel()
	}
}

// sawCycle counts what is worth knowing about the cycle that begins.
func (m *model) sawCycle(share *big.Rat) {
	c := m.cycle
	start, end, anchor := c.start.In(m.loc), c.end.In(m.loc), c.anchor.In(m.loc)
	_, was := start.Zone()
	_, is := end.Zone()
	for what, so := range map[string]bool{
		"a cycle of a calendar plan":                     c.plan.calendar,
		"a cycle of an anniversary plan":                 !c.plan.calendar,
		"a prorated cycle":                               share.Cmp(big.NewRat(1, 1)) < 0,
		"a cycle over a clock change":                    was != is,
		"a cycle that ends on a month's last day":        !c.plan.calendar && end.Day() < anchor.Day(),
		"a cycle that ends on 29 February":               end.Month() == time.February && end.Day() == 29,
		"a cycle that ends at a skipped local time":      !c.plan.calendar && m.jumps(anchor, end),
		"a cycle that ends at a local time coming twice": !c.plan.calendar && m.comesTwice(c.end),
		"a renewal by a new version":                     m.prior != nil && m.prior.end.Equal(c.start) && m.prior.plan.name == c.plan.name && m.prior.plan.version != c.plan.version,
		"a plan without an allowance":                    c.allowance.Sign() == 0,
	} {
		if so {
			m.saw(what)
		}
	}
}

func (m *model) charge(c modelCharge, b *modelBucket) {
	if c.amount.Sign() == 0 {
		return
	}
	if b != nil && b.granted.Sign() == 0 {
		c.bucket = ""
	}
	c.period = m.period
	m.fixed = true
	m.charges = append(m.charges, c)
}

func (m *model) buy(b *modelBucket, c modelCharge, pack packDef, units *big.Rat, t time.Time) {
	b.starts, b.as, b.priority = t, "pack", 50
	b.granted = roundTo(mul(units, rat(pack.credits)), 6)
	b.price = m.money(mul(units, rat(pack.price[m.currency])))
	if l := t.In(m.loc); pack.days > 0 {
		b.expires = m.instantOf(time.Date(l.Year(), l.Month(), l.Day()+pack.days, l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC))
	} else if pack.months > 0 {
		b.expires = m.months(t, pack.months)
	}
	c.at, c.item, c.quantity, c.amount, c.bucket = t, pack.name, units, b.price, b.id
	m.charge(c, b)
	m.grant(b, t)
}

// event applies e, or says why not.
func (m *model) event(e eventDef) string {
	t := e.posted
	switch e.kind {
	case "account.opened", "account.updated":
		if e.currency != "" && e.currency != m.currency {
			if m.fixed && m.live {
				return "currency_fixed"
			}
			old := m.currency
			m.currency = e.currency
			reason := ""
			switch {
			case m.fresh != nil:
				_, reason = m.findPlan(m.fresh.plan, t)
			case m.cycle != nil:
				_, reason = m.findPlan(m.planName, m.cycle.start)
			case m.next:
				_, reason = m.findPlan(m.planName, t)
			}
			if reason == "" && m.topup != nil {
				_, reason = m.findPack(m.topup.pack, t)
			}
			if reason != "" {
				m.currency = old
				return reason
			}
		}
		if e.currency != "" && m.live {
			m.saw("a currency set")
		}
		if e.name != "" {
			m.name = e.name
		}
	case "subscription.started", "subscription.changed":
		if _, reason := m.findPlan(e.plan, t); reason != "" {
			return reason
		}
		m.fresh = &planStart{plan: e.plan}
	case "subscription.cancelled":
		if m.fresh != nil {
			m.fresh.cancelled = true
		} else {
			m.cancel()
		}
	case "overage.set":
		protect := e.protect
		m.protect, m.limit = &protect, e.limit
	case "topup.set":
		if _, reason := m.findPack(e.pack, t); reason != "" {
			return reason
		}
		m.topup = &e
	case "topup.cleared":
		m.topup = nil
	case "alert.set":
		m.alert = &e
		m.over = m.balance(t).Cmp(rat(e.below)) >= 0
	}
	if !m.live {
		return ""
	}
	switch e.kind {
	case "pack.purchased":
		pack, reason := m.findPack(e.pack, e.at)
		if reason != "" {
			return reason
		}
		units := rat("1")
		if e.units != "" {
			units = rat(e.units)
		}
		if now, _ := m.findPack(e.pack, t); now.version != pack.version {
			m.saw("a late pack by the version of its own time")
		}
		m.buy(&modelBucket{id: m.account + "/pack/" + e.id, kind: "pack"}, modelCharge{kind: "pack", id: e.id, paid: !e.unpaid}, pack, units, t)
	case "bucket.opened":
		b := &modelBucket{
			id: m.account + "/opened/" + e.id, kind: "opened", as: e.as, starts: t, expires: e.expires, granted: rat(e.credits), price: new(big.Rat),
			priority: map[string]int{"allowance": 40, "rollover": 30, "pack": 50, "topup": 50, "promotion": 20}[e.as],
		}
		m.saw("opened as " + e.as)
		if e.paid != "" {
			b.price = m.money(rat(e.paid))
		}
		if e.as == "rollover" && m.cycle != nil && m.cycle.cancelled && (b.expires.IsZero() || b.expires.After(m.cycle.end)) {
			b.expires = m.cycle.end
		}
		m.grant(b, t)
	case "credits.granted":
		b := &modelBucket{
			id: m.account + "/promotion/" + e.id, kind: "promotion", as: "promotion", starts: t, expires: e.expires,
			granted: rat(e.credits), price: new(big.Rat), priority: 20,
		}
		if e.priority != 0 {
			b.priority = e.priority
			m.saw("a promotion with a priority")
		}
		if !b.expires.IsZero() && !b.expires.After(t) {
			m.saw("a grant that has expired already")
		}
		m.grant(b, t)
	case "bucket.voided":
		for _, b := range m.buckets {
			if b.id == e.bucket {
				m.saw(map[bool]string{true: "a void of a balance", false: "a void of an empty bucket"}[b.left().Sign() > 0])
				m.move(b, "void", b.left(), t)
				return ""
			}
		}
		// What the id says of a time before the period is believed: it would be empty now.
		parts := strings.Split(e.bucket, "/")
		if parts[1] == "topup" && parts[2] < m.periodStart(m.period).In(m.loc).Format("2006-01") && parts[2] >= m.first.In(m.loc).Format("2006-01") {
			return ""
		}
		if at, err := time.Parse(time.RFC3339Nano, parts[2]); err == nil && !at.After(m.periodStart(m.period)) && !at.Before(m.first) {
			return ""
		}
		return "unknown_bucket"
	case "charge.added":
		if strings.HasPrefix(e.amount, "-") {
			m.saw("a negative charge")
		}
		m.charge(modelCharge{kind: "charge", id: e.id, item: e.id, at: t, quantity: rat("1"), amount: m.money(rat(e.amount))}, nil)
	}
	return ""
}
