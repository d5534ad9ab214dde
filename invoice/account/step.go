package account

import (
	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// step does everything that happens at the instant t but its calls, in the order
// of SPEC section 6: buckets expire, allowances roll over, account events, cycles
// start. Then the balance is looked at.
func (m *Machine) step(t int64) error {
	m.cancelJustBefore(t)
	if err := m.endings(t); err != nil {
		return err
	}
	for ; m.next < len(m.events) && m.events[m.next].posted == t; m.next++ {
		e := &m.events[m.next]
		if e.done {
			continue
		}
		m.missing = nil
		reason := m.apply(e)
		switch {
		case reason == "":
		case m.missing != nil && m.counted(e):
			return m.missing
		default:
			m.held = append(m.held, Held{Event: e.Event, Reason: reason})
		}
	}
	if err := m.startCycles(t); err != nil {
		return err
	}
	if !m.dry {
		m.lookAtBalance(t)
	}
	return nil
}

// cancelJustBefore applies the cancellations posted at a cycle's very end: they
// count just before it, so that nothing rolls over and no cycle follows. Where
// that end belonged to the period before, which is closed, the rollover buckets
// expire now (SPEC section 6; section 14, 15 and 43).
func (m *Machine) cancelJustBefore(t int64) {
	ends := m.cycle != nil && m.cycle.end == t
	if !ends && !(t == m.start && m.endedAtStart && !m.dry) || !m.opened {
		return
	}
	for i := m.next; i < len(m.events) && m.events[i].posted == t; i++ {
		if e := &m.events[i]; e.Type == typeCancelled {
			e.done = true
			if ends {
				m.cancel(m.cycle)
			} else if m.renew {
				m.renew = false
				m.shortenRollovers(t)
			}
		}
	}
}

// endings ends what ends at t: buckets, and the cycle with its rollover.
func (m *Machine) endings(t int64) error {
	rolls := m.cycle != nil && m.cycle.end == t && !m.cycle.cancelled && m.cycle.terms.Rollover != nil
	var rolling []*bucket.Bucket
	for _, b := range m.set.Ending(t) {
		if rolls && isAllowance(b) {
			rolling = append(rolling, b)
		} else {
			m.expire(b, credit.Amount{}, t)
		}
	}
	if len(rolling) > 0 {
		if err := m.rollOver(rolling, t); err != nil {
			return err
		}
	}
	if m.cycle != nil && m.cycle.end == t {
		m.endCycle()
	}
	return nil
}

// endCycle ends the running cycle; if nobody cancelled it, the next one is due.
func (m *Machine) endCycle() {
	m.renew = !m.cycle.cancelled
	m.cycle = nil
	m.thresholds = m.thresholds[:0]
}

// expire takes b out and books what expires of it, all but rolled.
func (m *Machine) expire(b *bucket.Bucket, rolled credit.Amount, t int64) {
	expired := m.set.Expire(b, rolled)
	m.flush(b)
	m.entry(t, "expire", b.ID, expired, "")
}

// rollOver moves what is left of the ending cycle's allowances, in paying order
// and as far as the cap allows, into one rollover bucket; the rest expires.
func (m *Machine) rollOver(allowances []*bucket.Bucket, t int64) error {
	rollover := m.cycle.terms.Rollover
	rolled := bucket.Bucket{
		ID: bucket.RolloverID(m.account, instant(t)), Kind: bucket.Rollover, Priority: priorityRollover,
		Starts: instant(t), Expires: m.cycleEndAfter(rollover.Cycles), Item: m.cycle.terms.Name, Currency: m.currency,
	}
	room, capped := m.rolloverRoom(rollover.Cap)
	for _, b := range allowances {
		part := b.Remaining
		if capped {
			part = credit.Min(part, room)
			room = room.Sub(part)
		}
		price, err := b.RolledPrice(part)
		if err != nil {
			return err
		}
		rolled.Granted = rolled.Granted.Add(part)
		rolled.Price = rolled.Price.Add(price)
		m.expire(b, part, t)
		m.entry(t, "rollover_out", b.ID, part, "")
	}
	m.grant(&rolled, t, "rollover_in", "")
	return nil
}

// rolloverRoom is what the cap leaves: the cap less what rollover buckets hold.
func (m *Machine) rolloverRoom(bound *credit.Amount) (room credit.Amount, capped bool) {
	if bound == nil {
		return credit.Amount{}, false
	}
	room = *bound
	for _, b := range m.set.Live() {
		if isRollover(b) {
			room = room.Sub(b.Remaining)
		}
	}
	if room.Sign() < 0 {
		return credit.Amount{}, true
	}
	return room, true
}

// cancel lets c be the last cycle.
func (m *Machine) cancel(c *cycle) {
	if c.cancelled {
		return
	}
	c.cancelled = true
	m.shortenRollovers(c.end)
}

// shortenRollovers lets every rollover bucket expire at t at the latest.
func (m *Machine) shortenRollovers(t int64) {
	for _, b := range m.all {
		if isRollover(b) && bucket.Micro(b.Expires) > t {
			b.Expires = instant(t)
		}
	}
	m.set.Reorder()
}

// leaveBehind makes what is left of the running cycle's allowance that of a
// former plan: it pays first and stays until its own end (SPEC section 6, Plan
// change).
func (m *Machine) leaveBehind(c *cycle) {
	for _, b := range m.all {
		if isAllowance(b) && bucket.Micro(b.Expires) == c.end {
			b.Priority = priorityFormer
		}
	}
	m.set.Reorder()
}

// grant brings a bucket of b.Granted credits into being at t. One of no credits
// is none (SPEC section 14, 25); one that has expired already is granted and
// expires there (36).
func (m *Machine) grant(b *bucket.Bucket, t int64, entry, detail string) {
	if m.dry || b.Granted.Sign() == 0 {
		return
	}
	b.GrantedNow, b.Remaining = b.Granted, b.Granted
	m.all = append(m.all, b)
	m.fixed = m.fixed || b.Price.Sign() != 0
	m.entry(t, entry, b.ID, b.Granted, detail)
	m.set.Add(b)
	if bucket.Micro(b.Expires) <= t {
		m.expire(b, credit.Amount{}, t)
	}
}

// Priorities by kind (SPEC section 6, Order).
const (
	priorityFormer    = 10
	priorityPromotion = 20
	priorityRollover  = 30
	priorityAllowance = 40
	priorityPack      = 50
)

// isAllowance reports whether b is an allowance, not one of a former plan. A
// bucket that was opened keeps in its priority what it was opened as.
func isAllowance(b *bucket.Bucket) bool {
	return b.Priority == priorityAllowance && (b.Kind == bucket.Allowance || b.Kind == bucket.Opened)
}

func isRollover(b *bucket.Bucket) bool {
	return b.Kind == bucket.Rollover || b.Kind == bucket.Opened && b.Priority == priorityRollover
}
