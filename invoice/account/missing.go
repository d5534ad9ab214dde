package account

import (
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/money"
)

// A Missing is the error of an account that the catalog cannot serve. What an
// event asks for and the catalog lacks holds the event; but a running plan that
// must renew, a top-up that must be bought, or what an event of a closed period
// was granted then, has no event to hold: the account cannot go on, and whoever
// keeps the catalog has to mend it.
type Missing struct {
	Account  string
	At       time.Time // when it is needed
	Kind     string    // plan or pack
	Name     string
	Reason   string // ReasonUnknownPlan, ReasonUnknownPack or ReasonNoPrice
	Currency money.Currency
}

// The kinds of what may be missing.
const (
	kindPlan = "plan"
	kindPack = "pack"
)

// Error tells what the catalog lacks.
func (e *Missing) Error() string {
	if e.Reason == ReasonNoPrice {
		return fmt.Sprintf("%s %q has no price in %s: write a version with one into the catalog", e.Kind, e.Name, e.Currency)
	}
	return fmt.Sprintf("%s %q has no version in force: write one into the catalog", e.Kind, e.Name)
}

// reason is why an event that asks for it is held; empty if nothing is missing.
func (e *Missing) reason() string {
	if e == nil {
		return ""
	}
	return e.Reason
}

// misses notes what the catalog lacks.
func (m *Machine) misses(kind, name string, at time.Time, reason string) *Missing {
	m.missing = &Missing{Account: m.account, At: at, Kind: kind, Name: name, Reason: reason, Currency: m.currency}
	return m.missing
}

// counted reports whether an event before the period was applied when its own
// period was closed: held ones post again in the next. In the first period none
// has been judged for good.
func (m *Machine) counted(e *posted) bool {
	return m.dry && m.p.Period != m.p.FirstPeriod && e.Held == ""
}
