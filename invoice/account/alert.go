package account

import (
	"math/big"
	"slices"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// The kinds of alert.
const (
	alertPercent    = "percent"
	alertLowBalance = "low_balance"
)

// A threshold is a number of credits in a cycle that raises an alert.
type threshold struct {
	percent int
	at      credit.Amount
}

// setThresholds works out the running cycle's thresholds: percentages of the
// allowance it granted itself (SPEC section 14, 23 and 38), rounded up to what
// credits can reach.
func (m *Machine) setThresholds() {
	m.thresholds = m.thresholds[:0]
	allowance := m.cycle.allowance()
	if allowance.IsZero() {
		return
	}
	for _, percent := range m.p.AlertPercents {
		m.thresholds = append(m.thresholds, threshold{percent, percentOf(allowance, percent)})
	}
	slices.SortFunc(m.thresholds, func(a, b threshold) int { return a.percent - b.percent })
}

func percentOf(allowance credit.Amount, percent int) credit.Amount {
	product := new(big.Int).Mul(allowance.Num().BigInt(), big.NewInt(int64(percent)))
	product.Add(product, big.NewInt(99)).Quo(product, big.NewInt(100))
	n, err := fixed.FromBig(product)
	if err != nil {
		panic(fixed.Overflow{A: allowance.Num(), B: allowance.Num()})
	}
	return credit.FromNum(n)
}

// reachPercents raises the alerts of the thresholds that the cycle's usage has
// reached with the call at at.
func (m *Machine) reachPercents(at int64) {
	n := 0
	for n < len(m.thresholds) && !m.usage.Less(m.thresholds[n].at) {
		m.alert(alertPercent, credit.FromInt(int64(m.thresholds[n].percent)), at)
		n++
	}
	m.thresholds = m.thresholds[n:]
}

// lookAtBalance raises an alert if the usable balance has fallen under `below`
// since it was last looked at (SPEC section 14, 24).
func (m *Machine) lookAtBalance(at int64) {
	if m.below == nil {
		return
	}
	under := m.set.Balance().Less(*m.below)
	if under && m.armed {
		m.alert(alertLowBalance, *m.below, at)
	}
	m.armed = !under
}

func (m *Machine) alert(kind string, value credit.Amount, at int64) {
	a := bucket.Alert{Kind: kind, Threshold: value, At: instant(at), Balance: m.set.Balance()}
	if m.cycle != nil {
		a.CycleStart, a.Usage = instant(m.cycle.start), m.usage
	}
	m.alerts = append(m.alerts, a)
}
