package account_test

import (
	"math/big"
	"sort"
	"time"
)

func (b *modelBucket) left() *big.Rat {
	x := b.granted
	for _, v := range b.moves {
		x = sub(x, v.x)
	}
	return x
}

// usable lists the buckets that can pay at t, in paying order.
func (m *model) usable(t time.Time) []*modelBucket {
	var out []*modelBucket
	for _, b := range m.buckets {
		if !b.starts.After(t) && (b.expires.IsZero() || b.expires.After(t)) && b.left().Sign() > 0 {
			out = append(out, b)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.priority != b.priority {
			return a.priority < b.priority
		}
		if !a.expires.Equal(b.expires) {
			return b.expires.IsZero() || !a.expires.IsZero() && a.expires.Before(b.expires)
		}
		if !a.starts.Equal(b.starts) {
			return a.starts.Before(b.starts)
		}
		return a.id < b.id
	})
	return out
}

func (m *model) balance(t time.Time) *big.Rat {
	x := new(big.Rat)
	for _, b := range m.usable(t) {
		x = add(x, b.left())
	}
	return x
}

// cycleUsage is what was rated since the running cycle's start.
func (m *model) cycleUsage() *big.Rat {
	x := new(big.Rat)
	if m.cycle == nil {
		return x
	}
	for _, c := range m.rated {
		if !c.t.Before(m.cycle.start) {
			x = add(x, big.NewRat(c.micro, 1_000_000))
		}
	}
	return x
}

func (m *model) findPlan(name string, t time.Time) (planDef, string) {
	found := false
	var best planDef
	for _, p := range m.catalog.plans {
		if p.name == name && !p.from.After(t) && (!found || p.from.After(best.from) || p.from.Equal(best.from) && p.version > best.version) {
			best, found = p, true
		}
	}
	if !found {
		return best, "unknown_plan"
	}
	if best.fee != nil && best.fee[m.currency] == "" {
		return best, "no_price"
	}
	if len(best.steps) > 0 && best.steps[0].price[m.currency] == "" {
		return best, "no_price"
	}
	return best, ""
}

func (m *model) findPack(name string, t time.Time) (packDef, string) {
	found := false
	var best packDef
	for _, p := range m.catalog.packs {
		if p.name == name && !p.from.After(t) && (!found || p.from.After(best.from) || p.from.Equal(best.from) && p.version > best.version) {
			best, found = p, true
		}
	}
	if !found {
		return best, "unknown_pack"
	}
	if best.price[m.currency] == "" {
		return best, "no_price"
	}
	return best, ""
}

// months is the local date and time n months after t, its day clamped.
func (m *model) months(t time.Time, n int) time.Time {
	l := t.In(m.loc)
	year, month := l.Year(), int(l.Month())-1+n
	year, month = year+month/12, month%12+1
	day := l.Day()
	for time.Date(year, time.Month(month), day, 12, 0, 0, 0, time.UTC).Month() != time.Month(month) {
		day--
	}
	return m.instantOf(time.Date(year, time.Month(month), day, l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC))
}

func (m *model) monthStart(t time.Time, n int) time.Time {
	l := t.In(m.loc)
	return m.instantOf(time.Date(l.Year(), l.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC))
}

// instantOf is the first instant at which the clocks show what wall shows in UTC. Where
// they never do they skip it, and it is as much later as they skip. It goes through
// the instants in question by quarters of an hour: clocks change at such.
func (m *model) instantOf(wall time.Time) time.Time {
	const step = 15 * time.Minute
	shown := func(t time.Time) time.Time {
		_, offset := t.In(m.loc).Zone()
		return t.Add(time.Duration(offset) * time.Second)
	}
	if before, after := shown(wall.Add(-26*time.Hour)), shown(wall.Add(26*time.Hour)); after.Sub(before) == 52*time.Hour {
		return wall.Add(wall.Add(-26 * time.Hour).Sub(before)) // no change near
	}
	for t := wall.Add(-15 * time.Hour); ; t = t.Add(step) {
		now, next := shown(t), shown(t.Add(step))
		if now.Equal(wall) {
			return t
		}
		if gap := next.Sub(now) - step; now.Before(wall) && next.After(wall) {
			return t.Add(step).Add(wall.Add(gap).Sub(next))
		}
	}
}

// comesTwice says whether the clocks show the same again within three hours after t, and
// jumps whether they show another time of day at end than at anchor.
func (m *model) comesTwice(t time.Time) bool {
	for later := t.Add(15 * time.Minute); later.Before(t.Add(3 * time.Hour)); later = later.Add(15 * time.Minute) {
		if later.In(m.loc).Format(time.DateTime) == t.In(m.loc).Format(time.DateTime) {
			return true
		}
	}
	return false
}

func (m *model) jumps(anchor, end time.Time) bool {
	return anchor.In(m.loc).Format(time.TimeOnly) != end.In(m.loc).Format(time.TimeOnly)
}

// periodStart is the start of period number n, the first is 0.
func (m *model) periodStart(n int) time.Time { return m.monthStart(m.first, n) }

// run goes through everything up to the end of period number last.
func (m *model) run(last int) {
	if m.loc == nil {
		m.loc = time.UTC
	}
	m.pays = make([][]modelPay, len(m.calls))
	t := m.first
	for _, e := range m.events {
		if e.posted.Before(t) {
			t = e.posted
		}
	}
	for _, e := range m.events {
		m.openedE = m.openedE || e.kind == "account.opened" && e.posted.Before(m.periodStart(1))
	}
	m.opened = m.openedE
	m.live = t.Equal(m.first)
	m.instant(t, m.live)
	for {
		n, ok := m.nextInstant(t)
		end := m.periodStart(m.period + 1)
		if !ok || n.After(end) {
			n = end
		}
		if !m.live && !n.Before(m.first) {
			if n.After(m.first) {
				n = m.first
			}
			m.live = true
			m.instant(n, true)
			t = n
			continue
		}
		if n.Equal(end) {
			m.ends(end)
			m.closePeriod()
			m.period++
			if m.period > last {
				return
			}
			for _, e := range m.events {
				m.openedE = m.openedE || e.kind == "account.opened" && e.posted.Before(m.periodStart(m.period+1))
			}
			m.opened = m.opened || m.openedE
			m.instant(end, true)
			t = end
			continue
		}
		m.instant(n, false)
		t = n
	}
}

// nextInstant is the first instant after t at which anything happens.
func (m *model) nextInstant(t time.Time) (time.Time, bool) {
	var best time.Time
	consider := func(c time.Time) {
		if c.After(t) && (best.IsZero() || c.Before(best)) {
			best = c
		}
	}
	for _, e := range m.events {
		consider(e.posted)
	}
	for _, c := range m.calls {
		consider(c.t)
	}
	for _, k := range m.kept {
		consider(k.at)
	}
	for _, b := range m.buckets {
		consider(b.expires)
	}
	if m.cycle != nil {
		consider(m.cycle.end)
	}
	if !m.live {
		consider(m.first)
	}
	return best, !best.IsZero()
}

// instant does all of one instant; at a period's start what ends there has ended.
func (m *model) instant(t time.Time, start bool) {
	m.now = t
	events := m.eventsAt(t)
	skip := map[string]bool{}
	boundary := m.cycle != nil && m.cycle.end.Equal(t)
	if start && m.period == 0 && boundary { // the time before is no period: its ends are its own
		m.ends(t)
	}
	ended := start && m.endedAt(t)
	if m.opened && (boundary && !ended || ended) {
		for _, e := range events {
			if e.kind != "subscription.cancelled" {
				continue
			}
			skip[e.id] = true
			if ended {
				if m.next {
					m.saw("a cancellation that comes after the close of the cycle's end")
					m.next, m.planName = false, ""
					m.shorten(t)
				}
			} else {
				m.saw("a cancellation at a cycle's very end")
				m.cancel()
			}
		}
	}
	m.ends(t)
	for _, e := range events {
		if skip[e.id] {
			continue
		}
		reason := "account_not_opened"
		if m.opened {
			reason = m.event(e)
		}
		switch {
		case reason != "":
			m.held = append(m.held, modelHeld{e.id, reason, m.period})
			m.saw("held: " + reason)
		case !m.live:
			m.saw("an event of before the first period")
		default:
			m.saw("event: " + e.kind)
			if !e.posted.Equal(e.at) && !e.at.Before(m.first) {
				m.saw("a late event")
			}
		}
	}
	m.begin(t)
	if m.live {
		m.look(t)
		for i, c := range m.calls {
			if c.t.Equal(t) {
				m.call(i, c)
			}
		}
		for m.keep(t) {
			m.saw("kept: after the calls")
			m.look(t)
		}
	}
}

// endedAt says whether a cycle ended at the very start of this period: the last
// thing the period before did.
func (m *model) endedAt(t time.Time) bool { return !m.lastEnd.IsZero() && m.lastEnd.Equal(t) }

func (m *model) eventsAt(t time.Time) []eventDef {
	var out []eventDef
	for _, e := range m.events {
		if e.posted.Equal(t) {
			out = append(out, e)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if (a.kind == "account.opened") != (b.kind == "account.opened") {
			return a.kind == "account.opened"
		}
		if !a.at.Equal(b.at) {
			return a.at.Before(b.at)
		}
		return a.id < b.id
	})
	return out
}
