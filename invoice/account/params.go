package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// Params is everything that decides what one period does to one account.
type Params struct {
	Account         string
	Period          period.Period
	Calendar        period.Calendar
	FirstPeriod     period.Period
	Catalog         *catalog.Catalog
	DefaultCurrency money.Currency
	AlertPercents   []int     // percent of a cycle's allowance, more than zero, in any order
	UnknownPlan     string    // `unknown: {plan: P}` (SPEC section 14, 35); empty: hold
	Opening         Opening   // zero in the first period
	Events          []Event   // all of the account's live events posted before the period's end, in any order; those posted before its start only set state
	Until           time.Time // apply: how far time has come; zero: the period's end

	// Kept are the top-ups of the period that were charged before, all of them, in
	// any order: a re-rate keeps them.
	Kept []KeptTopUp
}

// Open prepares the period of one account: what its earlier events make of it,
// and the buckets it opens with. Nothing of the period has happened yet.
func Open(p Params) (m *Machine, err error) {
	m, err = replay(p)
	if err != nil {
		return nil, err
	}
	defer m.recoverOverflow(&err)
	if err := m.openKept(); err != nil {
		return nil, err
	}
	m.openBuckets()
	m.openCycle()
	m.armed = m.below != nil && !m.set.Balance().Add(p.Opening.ExpiredAtStart).Less(*m.below)
	return m, nil
}

// CycleStart returns the start of the cycle that was running when the period
// began, and the zero time if there was none or one starts there and then: whoever
// opens the period has to fetch what was rated since as Opening.CycleUsage. It
// looks at p.Events alone, and leaves what is wrong with them to Open.
func CycleStart(p Params) time.Time {
	m, err := replay(p)
	if err != nil {
		return time.Time{}
	}
	return m.CycleStart()
}

// CycleStart is the package's CycleStart of the machine's Params; it changes
// nothing and is meant to be called before the first call.
func (m *Machine) CycleStart() time.Time { return m.openingCycle }

// newMachine is a machine to which nothing has happened yet, not even its account's
// opening.
func newMachine(p Params) *Machine {
	m := &Machine{
		p:       p,
		account: p.Account,
		start:   p.Calendar.Start(p.Period).UnixMicro(),
		end:     p.Calendar.End(p.Period).UnixMicro(),
		free:    -1,
		freed:   -1,
	}
	m.settings.currency = p.DefaultCurrency
	m.retire = m.flush
	m.last = m.start
	m.sortEvents()
	return m
}

// replay brings a new machine to the period's start by the events before it, in
// which nothing is granted or charged.
func replay(p Params) (m *Machine, err error) {
	m = newMachine(p)
	defer m.recoverOverflow(&err)
	m.opened = slices.ContainsFunc(m.events, func(e posted) bool { return e.Type == typeOpened })
	m.dry = true
	for m.next < len(m.events) && m.events[m.next].posted < m.start {
		t := m.events[m.next].posted
		if err := m.skipCycles(t); err != nil {
			return nil, m.failed(t, err)
		}
		if err := m.step(t); err != nil {
			return nil, m.failed(t, err)
		}
	}
	if err := m.skipCycles(m.start); err != nil {
		return nil, m.failed(m.start, err)
	}
	if m.cycle != nil && m.cycle.end == m.start {
		m.endCycle() // the period before did what there was to do
		m.endedAtStart = true
	}
	m.dry = false
	if m.cycle != nil {
		m.openingCycle = instant(m.cycle.start)
	}
	return m, nil
}

// A posted is an event where it acts.
type posted struct {
	Event
	posted, at int64 // microseconds
	done       bool  // a cancellation that counted just before its instant
}

// sortEvents puts the events before the period's end in the order they are
// applied: by instant; there account.opened first, then by `at` and id (SPEC
// sections 5 and 6; section 14, 12).
func (m *Machine) sortEvents() {
	m.events = make([]posted, 0, len(m.p.Events))
	for _, e := range m.p.Events {
		if t := e.PostedAt.UnixMicro(); t < m.end {
			m.events = append(m.events, posted{Event: e, posted: t, at: e.At.UnixMicro()})
		}
	}
	slices.SortFunc(m.events, func(a, b posted) int {
		switch {
		case a.posted != b.posted:
			return sign(a.posted < b.posted)
		case (a.Type == typeOpened) != (b.Type == typeOpened):
			return sign(a.Type == typeOpened)
		case a.at != b.at:
			return sign(a.at < b.at)
		}
		return strings.Compare(a.ID, b.ID)
	})
}

func sign(before bool) int {
	if before {
		return -1
	}
	return 1
}

// openBuckets takes over what the period before left, without its flows.
func (m *Machine) openBuckets() {
	for _, old := range m.p.Opening.Buckets {
		if old.Remaining.IsZero() {
			continue
		}
		b := &bucket.Bucket{
			ID: old.ID, Kind: old.Kind, Priority: old.Priority, Starts: old.Starts, Expires: old.Expires,
			Item: old.Item, Granted: old.Granted, Currency: old.Currency, Price: old.Price,
			Opening: old.Remaining, Remaining: old.Remaining,
		}
		m.all = append(m.all, b)
		m.fixed = m.fixed || b.Price.Sign() != 0
	}
	m.set.AddAll(m.all)
	m.fixed = m.fixed || m.p.Opening.CurrencyFixed
}

// openCycle takes over how far the running cycle's alerts have come.
func (m *Machine) openCycle() {
	if m.cycle == nil {
		return
	}
	m.usage = m.p.Opening.CycleUsage
	m.setThresholds()
	start := instant(m.cycle.start)
	m.thresholds = slices.DeleteFunc(m.thresholds, func(t threshold) bool {
		return !m.usage.Less(t.at) || slices.ContainsFunc(m.p.Opening.Alerts, func(a bucket.Alert) bool {
			return a.Kind == alertPercent && a.CycleStart.Equal(start) && a.Threshold == credit.FromInt(int64(t.percent))
		})
	})
}

// failed says where it went wrong: account and instant.
func (m *Machine) failed(at int64, err error) error {
	return fmt.Errorf("account %q at %s: %w", m.account, period.FormatInstant(instant(at)), err)
}

// recoverOverflow turns the panic of a sum past 38 digits into an error.
func (m *Machine) recoverOverflow(err *error) {
	switch r := recover().(type) {
	case nil:
	case fixed.Overflow:
		*err = m.failed(m.now, r)
	default:
		panic(r)
	}
}

var errOrder = errors.New("calls must come in order of posted_at, within the period, with credits of zero or more")

// instant is the inverse of bucket.Micro.
func instant(micro int64) time.Time {
	if micro == bucket.Never {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
