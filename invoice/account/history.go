package account

import (
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// A History follows one account through its events alone, from the first of them on, by
// the machine that bills it: plans, cycles and settings, and nothing is granted or
// charged. What calls decide it is told by whoever follows: which events are held, and
// when the first call opens the account.
type History struct {
	m         *Machine
	firstCall int64 // that opens it, and is still to come; bucket.Never: none
	openedAt  time.Time
	cycles    []*cycle // in their order; some are several of one version
	err       error    // the catalog cannot serve the account any further
}

// Follow begins an account's history. The params are those of the period that holds the
// last instant to be asked for, without an Opening; events that are held have no say in
// it. firstCall is the first priced call of the open period, the zero time if there is
// none: it opens an account that nobody has opened (SPEC section 14, 35).
func Follow(p Params, firstCall time.Time) *History {
	h := &History{firstCall: bucket.Never}
	counting := make([]Event, 0, len(p.Events))
	var opened *Event
	for i := range p.Events {
		e := &p.Events[i]
		if e.Type == typeOpened && (opened == nil || e.PostedAt.Before(opened.PostedAt)) { // also one that is held opens the account
			opened = e
		}
		if e.Held == "" {
			counting = append(counting, *e)
		}
	}
	switch {
	case p.UnknownPlan != "" && !firstCall.IsZero() && (opened == nil || !opened.PostedAt.Before(p.Calendar.End(p.Calendar.Of(firstCall)))):
		h.firstCall, h.openedAt = firstCall.UnixMicro(), firstCall
	case opened != nil:
		h.openedAt = opened.At
	}
	p.Events, p.FirstPeriod = counting, p.Period // what makes no sense is left out, whenever it is of
	h.m = newMachine(p)
	h.m.dry, h.m.history = true, h
	// An account that is opened is so for all that is before: what came before the period
	// of its opening was held, and posts again later (SPEC section 14, 17 and 36).
	h.m.opened = opened != nil && h.firstCall == bucket.Never
	return h
}

// To moves on to an instant, with all that happens there but its calls. It stands still
// where the catalog cannot serve the account: its last cycle has ended then.
func (h *History) To(at time.Time) {
	if h.err == nil {
		h.err = h.to(at.UnixMicro())
	}
}

func (h *History) to(at int64) error {
	m := h.m
	for {
		next := int64(bucket.Never)
		if m.next < len(m.events) {
			next = m.events[m.next].posted
		}
		if min(next, h.firstCall) > at {
			break
		}
		if h.firstCall < next {
			call := h.firstCall
			h.firstCall = bucket.Never
			if err := m.openByCall(call); err != nil {
				return err
			}
			continue
		}
		if err := m.skipCycles(next); err != nil {
			return err
		}
		if err := m.step(next); err != nil {
			return err
		}
	}
	if err := m.skipCycles(at); err != nil {
		return err
	}
	if m.cycle != nil && m.cycle.end == at {
		return m.step(at)
	}
	return nil
}

// Opened reports whether the account is opened where its history has come: by an event
// of whenever in its period, or by the first call.
func (h *History) Opened() bool { return h.m.opened }

// OpenedAt is when the account was opened, as the first event to do so says, or by its
// first call; the zero time if nothing has.
func (h *History) OpenedAt() time.Time { return h.openedAt }

// A Term is a plan version that was in force for an account over [From, To): cycles of
// one version that follow each other are one.
type Term struct {
	Plan     *catalog.Plan
	From, To time.Time // To is zero while a cycle runs that nobody has cancelled
}

// Terms are the plan versions in force so far, in their order.
func (h *History) Terms() []Term {
	var terms []Term
	for i, c := range h.cycles {
		to := c.end
		if i+1 < len(h.cycles) {
			to = min(to, h.cycles[i+1].start)
		}
		term := Term{Plan: c.terms.Plan, From: instant(c.start), To: instant(to)}
		if c == h.m.cycle && !c.cancelled {
			term.To = time.Time{}
		}
		if last := len(terms) - 1; last >= 0 && terms[last].Plan == term.Plan && terms[last].To.Equal(term.From) {
			terms[last].To = term.To
			continue
		}
		terms = append(terms, term)
	}
	return terms
}

// A Standing is an account as its history has come.
type Standing struct {
	Name          string
	Currency      money.Currency
	CurrencyNamed bool           // by an event; else it is the default
	Plan          *catalog.Plan  // that governs the running cycle; nil: none runs
	From, To      time.Time      // of the running cycle
	Allowance     credit.Amount  // that it granted
	Next          *credit.Amount // what the cycle after it grants, by the version in force at To today; nil: none follows
	Rolls         bool           // at To what is left of the allowance rolls over, as far as the plan's cap allows
	Protection    bool           // what no bucket pays is denied; else it is overage, as far as a limit goes
	TopUp         bool           // it buys top-ups by itself
}

// Standing is the account as it stands.
func (h *History) Standing() Standing {
	m := h.m
	s := Standing{Name: m.name, Currency: m.currency, CurrencyNamed: m.named, Protection: !m.runsOver(), TopUp: m.topup != nil && m.topup.most > 0}
	if m.cycle == nil {
		return s
	}
	s.Plan, s.From, s.To, s.Allowance = m.cycle.terms.Plan, instant(m.cycle.start), instant(m.cycle.end), m.cycle.allowance()
	if m.cycle.cancelled {
		return s
	}
	s.Rolls = m.cycle.terms.Rollover != nil
	ahead, sub := *m, *m.sub
	ahead.sub, ahead.history = &sub, nil
	sub.cycles++
	if ahead.setCycle(m.cycle.end) == nil {
		next := ahead.cycle.allowance()
		s.Next = &next
	}
	return s
}
