package account_test

import (
	"fmt"
	"time"
)

// keep grants and charges the first top-up of this instant that was charged before
// and is not granted yet, if there is one.
func (m *model) keep(t time.Time) bool {
	first := -1
	for i, k := range m.kept {
		if k.at.Equal(t) && !m.done[i] && (first < 0 || k.n < m.kept[first].n) {
			first = i
		}
	}
	if first < 0 {
		return false
	}
	m.done[first] = true
	k := &m.kept[first]
	if k.in == "" {
		k.in = m.currency
	}
	if m.cycle == nil && m.prior != nil && m.prior.cancelled {
		m.saw("kept: after a cancellation")
	}
	if t.Equal(m.periodStart(m.period)) {
		m.saw("kept: at the period's start")
	}
	if !m.opened {
		m.saw("kept: of an account that is not opened")
	}
	id := fmt.Sprintf("%s/topup/%s/%d", m.account, m.periodStart(m.period).In(m.loc).Format("2006-01"), k.n)
	b := &modelBucket{id: id, kind: "topup", as: "pack", priority: 50, starts: t, expires: k.expires, granted: rat(k.granted), price: rat(k.price)}
	m.charge(modelCharge{kind: "topup", id: fmt.Sprint(k.n), item: k.pack, at: t, quantity: rat(k.units), amount: b.price, bucket: id, n: k.n}, b)
	m.grant(b, t)
	return true
}

// sawKept counts what a kept top-up answers.
func (m *model) sawKept(short bool) {
	switch {
	case m.topup == nil:
		m.saw("kept: for a shortfall without settings")
	case short:
		m.saw("kept: for a shortfall")
	default:
		m.saw("kept: for the balance")
	}
}

// keptOfPeriod counts the period's top-ups that were charged before, granted yet or not.
func (m *model) keptOfPeriod() (n int) {
	for _, k := range m.kept {
		if !k.at.Before(m.periodStart(m.period)) && k.at.Before(m.periodStart(m.period+1)) {
			n++
		}
	}
	return n
}
