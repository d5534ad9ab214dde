package account

import (
	"errors"
	"math"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A Machine is one account going through one period: [Open], then every priced
// call in burning order, then [Machine.Finish]. All instants inside are
// microseconds since 1970, UTC.
//
// Most calls are paid by one alone and change nothing else: the first bucket, or
// where all are empty the running step of overage, or nobody. For those the
// Machine keeps how many credits are free to go that way (up to the bucket's or
// step's end, the next alert and the next top-up) and until when (the next
// transition or the day's end); what they took is booked when something else happens.
type Machine struct {
	p          Params
	account    string
	start, end int64

	// The fast path: what may still go the way of fast[0] before until.
	free, freed int64 // credits; -1: none, and what free was when last armed
	until       int64
	last        int64 // instant of the last call
	lastBurn    int64 // instant of the last of them that burned
	fast        [1]bucket.Split
	fastStep    int // of overage, from 0

	set    bucket.Set
	all    []*bucket.Bucket // every bucket with a row in balances
	splits []bucket.Split
	retire func(*bucket.Bucket) // flush, as a value made once

	events       []posted
	next         int   // of events
	now          int64 // the instant last stepped through
	started      bool  // the start's own transitions are done
	finished     bool
	dry          bool // before the period: only state changes
	endedAtStart bool // a cycle ended at the very start
	openingCycle time.Time

	settings
	opened  bool
	fixed   bool // the currency (SPEC section 14, 37)
	implied []Event

	sub     *subscription // that of the running or due cycle
	cycle   *cycle        // the running one, nil: none
	renew   bool          // the next cycle starts at this instant
	pending *pending      // a subscription event of this instant

	usage      credit.Amount // rated in the cycle
	thresholds []threshold   // not reached yet, ascending
	armed      bool          // the balance has been at or over `below`

	overage []*overageUse // by plan version
	topUps  int           // bought in the period, kept ones from its start
	kept    []KeptTopUp   // not granted yet, in the order they will be

	dayEnd         int64
	overDay, noDay daySum // overage and denied of the running day

	ledger  []bucket.Entry
	alerts  []bucket.Alert
	charges []Charge
	held    []Held
	missing *Missing // what the catalog lacked last
	history *History // told of every cycle; nil: nobody asks

	byID    map[string]*bucket.Bucket // the first of all, as many as are indexed; made for the first void
	indexed int
	makers  map[string]int // events by the bucket they make, made when first asked
}

// Call burns one priced call: credits in millionths, zero or more, at postedAt in
// microseconds, within the period and not before the call before. Everything that
// happens up to and including that instant happens first. It returns who pays
// for it, in burning order. The next call reuses the slice; the buckets and prices
// in it stay what they are, but the buckets' flows are complete only after
// [Machine.Finish].
func (m *Machine) Call(postedAt, credits int64) ([]bucket.Split, error) {
	if postedAt >= m.last && postedAt < m.until && uint64(credits) <= uint64(m.free) && m.free >= 0 {
		m.last = postedAt
		if credits == 0 {
			return nil, nil
		}
		m.free -= credits
		m.lastBurn = postedAt
		m.fast[0].Credits = credits
		return m.fast[:], nil
	}
	return m.call(postedAt, credits)
}

// call is Call with everything that may happen.
func (m *Machine) call(at, credits int64) (splits []bucket.Split, err error) {
	if m.finished || credits < 0 || at < m.last || at >= m.end {
		return nil, m.failed(at, errOrder)
	}
	m.now = at
	defer m.recoverOverflow(&err)
	m.settle()
	if err := m.advance(at); err != nil {
		return nil, err
	}
	m.turnDay(at)
	if !m.opened {
		if err := m.openByCall(at); err != nil {
			return nil, m.failed(at, err)
		}
	}
	m.now, m.last = at, at
	if err := m.burn(at, credits); err != nil {
		return nil, m.failed(at, err)
	}
	m.arm()
	return m.splits, nil
}

// burn lets buckets, top-ups and overage pay, and denies what is left.
func (m *Machine) burn(at, credits int64) error {
	m.usage = m.usage.Add(credit.FromMicro(credits))
	var left int64
	left, m.splits = m.set.Pay(at, credits, m.splits[:0], m.retire)
	left, err := m.topUp(at, left)
	if err != nil {
		return err
	}
	if left > 0 {
		m.fallShort(at, left)
	}
	m.reachPercents(at)
	m.lookAtBalance(at)
	return nil
}

// settle books what the fast path burned.
func (m *Machine) settle() {
	if used := m.freed - m.free; used > 0 {
		m.usage = m.usage.Add(credit.FromMicro(used))
		switch m.fast[0].Kind {
		case bucket.Overage:
			m.overageUse().add(m.fastStep, used)
			m.overDay.add(m.lastBurn, used)
			m.fixed = true
		case bucket.Denied:
			m.noDay.add(m.lastBurn, used)
		default:
			m.set.Burn(m.lastBurn, used, m.retire)
		}
	}
	m.free, m.freed = -1, -1
}

// arm finds who pays for the next ordinary calls, and how far they go.
func (m *Machine) arm() {
	m.free, m.freed = -1, -1
	m.until = min(m.nextInstant(), m.keptInstant(), m.dayEnd, m.end)
	if !m.opened {
		return
	}
	free, first := mostCredits, m.set.First()
	buys := m.topup != nil && m.topUps < m.topup.most
	switch {
	case first != nil:
		m.fast[0] = bucket.Split{Kind: first.Kind, Bucket: first}
		free = first.Remaining
		if m.below != nil && m.armed {
			free = credit.Min(free, m.set.Balance().Sub(*m.below))
		}
		if buys {
			free = credit.Min(free, m.set.Balance().Sub(m.topup.below))
		}
	case buys:
		return
	default:
		m.fast[0] = bucket.Split{Kind: bucket.Denied}
		if m.runsOver() {
			if use, step, room := m.overageRoom(); room.Sign() > 0 {
				m.fast[0] = bucket.Split{Kind: bucket.Overage, Price: &use.prices[step]}
				m.fastStep, free = step, credit.Min(free, room)
			}
		}
	}
	if len(m.thresholds) > 0 {
		free = credit.Min(free, m.thresholds[0].at.Sub(m.usage).Sub(credit.FromMicro(1)))
	}
	if free.Sign() >= 0 {
		n, _ := credit.Min(free, mostCredits).Micro()
		m.free, m.freed = n, n
	}
}

// mostCredits is as far as the fast path counts.
var mostCredits = credit.FromMicro(math.MaxInt64)

// nextInstant is when something happens next by itself: bucket.Never if nothing does.
func (m *Machine) nextInstant() int64 {
	if !m.started {
		return m.start
	}
	next := m.set.NextExpiry()
	if m.cycle != nil {
		next = min(next, m.cycle.end)
	}
	if m.next < len(m.events) {
		next = min(next, m.events[m.next].posted)
	}
	return next
}

// advance steps through every instant up to and including to, but not the
// period's end. A kept top-up comes after its instant's calls: one at to has still
// to wait.
func (m *Machine) advance(to int64) error {
	for {
		t := m.nextInstant()
		if kept := m.keptInstant(); kept < min(t, to) {
			if err := m.grantKeptAfter(); err != nil {
				return err
			}
			continue
		}
		if t > to || t >= m.end {
			return nil
		}
		m.started = true
		m.now = t
		if err := m.step(t); err != nil {
			return m.failed(t, err)
		}
	}
}

// Held are the events so far that make no sense. It is for an account that cannot
// go on; else they are in the [Outcome].
func (m *Machine) Held() []Held { return m.held }

// Finish runs the account on to the period's end, or to Params.Until, and
// returns what the period did. What ends by then includes what ends at the very
// end; what is granted there belongs to the next period (SPEC section 7, step 4).
func (m *Machine) Finish() (out Outcome, err error) {
	if m.finished {
		return Outcome{}, m.failed(m.end, errors.New("the period is finished already"))
	}
	m.now = m.last
	defer m.recoverOverflow(&err)
	m.settle()
	m.finished = true
	provisional := !m.p.Until.IsZero() && m.p.Until.UnixMicro() < m.end
	to := m.end
	if provisional {
		to = m.p.Until.UnixMicro()
	}
	if err := m.advance(to); err != nil {
		return Outcome{}, err
	}
	profile := m.profile()
	if !provisional {
		m.now = m.end
		if err := m.endings(m.end); err != nil {
			return Outcome{}, m.failed(m.end, err)
		}
	}
	m.flushDay()
	return m.outcome(profile)
}

// openByCall opens an account that nobody opened with its first priced call
// (SPEC section 14, 35).
func (m *Machine) openByCall(at int64) error {
	if m.p.UnknownPlan == "" {
		return errors.New("the account was never opened: its usage is to be held")
	}
	if _, missing := m.termsAt(m.p.UnknownPlan, instant(at)); missing != nil {
		return missing
	}
	m.opened = true
	m.implied = impliedEvents(m.account, m.p.UnknownPlan, instant(at))
	m.pending = &pending{plan: m.p.UnknownPlan}
	return m.startCycles(at)
}
