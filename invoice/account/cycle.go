package account

import (
	"math/big"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A subscription is a plan that runs, cycle after cycle.
type subscription struct {
	plan   string
	anchor time.Time // anniversary cycles count from here
	cycles int       // anniversary cycles since the anchor, before the running one
}

// pending is a subscription event of this instant, whose cycle is about to start.
type pending struct {
	plan      string
	at        time.Time // the event's own; zero where none came
	cancelled bool      // by a later event of the same instant
}

// A cycle is one term of a plan, [start, end).
type cycle struct {
	start, end int64
	terms      *terms
	share      *big.Rat // of fee and allowance, for a short first cycle that is prorated; nil: all
	cancelled  bool     // none follows
}

// startCycles starts the cycle that is due at t: that of a subscription event,
// which takes the place of any other, or the next of the running subscription.
func (m *Machine) startCycles(t int64) error {
	switch {
	case m.pending != nil:
		if m.cycle != nil {
			m.leaveBehind(m.cycle)
		}
		m.sub = &subscription{plan: m.pending.plan, anchor: instant(t)}
		if err := m.startCycle(t); err != nil {
			return err
		}
		if m.pending.cancelled {
			m.cancel(m.cycle)
		}
	case m.renew:
		if err := m.renewCycle(t); err != nil {
			return err
		}
	}
	m.pending, m.renew = nil, false
	return nil
}

// renewCycle starts the cycle that follows the one that ended at t.
func (m *Machine) renewCycle(t int64) error {
	m.sub.cycles++
	return m.startCycle(t)
}

// startCycle starts a cycle of m.sub at t by the plan version in force there:
// its fee is charged, its allowance granted.
func (m *Machine) startCycle(t int64) error {
	if err := m.setCycle(t); err != nil || m.dry {
		return err
	}
	c := m.cycle
	from, to := instant(c.start), instant(c.end)
	fee, unit := c.terms.fee.Rat(), c.terms.fee
	var err error
	if c.share != nil {
		fee.Mul(fee, c.share)
		if unit, err = money.RoundPrice(fee); err != nil {
			return err
		}
	}
	b := &bucket.Bucket{
		ID: bucket.AllowanceID(m.account, from), Kind: bucket.Allowance, Priority: priorityAllowance,
		Starts: from, Expires: to, Item: c.terms.Name, Granted: c.allowance(), Currency: m.currency,
	}
	var eventAt time.Time
	if m.pending != nil {
		eventAt = m.pending.at
	}
	b.Price, err = m.charge(Charge{
		Kind: chargeFee, EventAt: eventAt, At: from, ID: period.FormatInstant(from), Item: c.terms.Name, Description: c.terms.Name,
		Quantity: credit.FromInt(1), UnitPrice: unit, From: from, To: to,
		Plan: c.terms.Name, Version: c.terms.Version, BucketID: bucketID(b),
	}, fee)
	if err != nil {
		return err
	}
	m.grant(b, t, "grant", c.terms.Name)
	m.usage = credit.Amount{}
	m.setThresholds()
	return nil
}

// setCycle makes the cycle of m.sub that starts at t the running one.
func (m *Machine) setCycle(t int64) error {
	terms, missing := m.termsAt(m.sub.plan, instant(t))
	if missing != nil {
		return missing
	}
	c := &cycle{start: t, terms: terms}
	calendar := m.p.Calendar
	if terms.Calendar {
		month := calendar.Of(instant(t))
		first, end := calendar.Start(month).UnixMicro(), calendar.End(month).UnixMicro()
		c.end = end
		if terms.Prorate && t != first {
			c.share = big.NewRat(end-t, end-first)
		}
	} else {
		if calendar.AddMonths(m.sub.anchor, m.sub.cycles).UnixMicro() != t {
			// The plan's versions before this one followed the calendar: count from here.
			m.sub.anchor, m.sub.cycles = instant(t), 0
		}
		c.end = calendar.AddMonths(m.sub.anchor, m.sub.cycles+1).UnixMicro()
	}
	m.cycle = c
	if m.history != nil {
		m.history.cycles = append(m.history.cycles, c)
	}
	return nil
}

// allowance is what c grants: the plan's, or its share of it, to six digits.
func (c *cycle) allowance() credit.Amount {
	if c.share == nil {
		return c.terms.Allowance
	}
	part, err := credit.Round(new(big.Rat).Mul(c.terms.Allowance.Rat(), c.share))
	if err != nil { // a share of what fits, fits
		return c.terms.Allowance
	}
	return part
}

// cycleEndAfter is the nth cycle end after that of the running cycle.
func (m *Machine) cycleEndAfter(n int) time.Time {
	if m.cycle.terms.Calendar {
		return m.p.Calendar.Start(m.p.Calendar.Of(instant(m.cycle.end)).Add(n))
	}
	return m.p.Calendar.AddMonths(m.sub.anchor, m.sub.cycles+1+n)
}

// skipCycles lets the cycles of the time before the period go by, up to the one
// that holds t or ends there.
func (m *Machine) skipCycles(t int64) error {
	for m.cycle != nil && m.cycle.end < t {
		ended := m.cycle
		m.endCycle()
		if ended.cancelled {
			break
		}
		m.renew = false
		// Cycles in between need no visit while the plan renews in one way.
		at := ended.end
		m.sub.cycles++
		if renewsOneWay(m.p.Catalog, m.sub.plan) && (m.history == nil || oneVersion(m.p.Catalog, m.sub.plan, ended.start, t)) {
			at = m.lastStartBefore(ended, t)
			ended.end = at // one cycle for all in between, to whoever looks back
		}
		if err := m.setCycle(at); err != nil {
			return err
		}
	}
	return nil
}

// lastStartBefore finds the last cycle start before t of a subscription whose
// cycle ended has ended before t, and counts m.sub.cycles up to it.
func (m *Machine) lastStartBefore(ended *cycle, t int64) int64 {
	calendar := m.p.Calendar
	if ended.terms.Calendar {
		return calendar.Start(calendar.Of(instant(t - 1))).UnixMicro()
	}
	local, target := m.sub.anchor.In(calendar.Location()), instant(t).In(calendar.Location())
	// At most one too many, as a cycle ends within the month after that of its start.
	n := (target.Year()-local.Year())*12 + int(target.Month()) - int(local.Month())
	for n > m.sub.cycles && calendar.AddMonths(m.sub.anchor, n).UnixMicro() >= t {
		n--
	}
	m.sub.cycles = max(n, m.sub.cycles)
	return calendar.AddMonths(m.sub.anchor, m.sub.cycles).UnixMicro()
}

// bucketID is b's id, if it holds anything.
func bucketID(b *bucket.Bucket) string {
	if b.Granted.IsZero() {
		return ""
	}
	return b.ID
}
