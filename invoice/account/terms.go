package account

import (
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// terms are a plan version in the account's currency.
type terms struct {
	*catalog.Plan

	fee   money.Price
	steps []money.Price // of Plan.Overage.Steps; empty: no price of overage
}

// termsAt finds the plan's version in force at an instant, or what is missing for
// it to be had in the account's currency.
func (m *Machine) termsAt(plan string, at time.Time) (*terms, *Missing) {
	version, ok := m.p.Catalog.Plan(plan, at)
	if !ok {
		return nil, m.misses(kindPlan, plan, at, ReasonUnknownPlan)
	}
	t := &terms{Plan: version}
	if version.Fee != nil {
		if t.fee, ok = version.Fee[m.currency]; !ok {
			return nil, m.misses(kindPlan, plan, at, ReasonNoPrice)
		}
	}
	if version.Overage != nil {
		for _, step := range version.Overage.Steps {
			price, ok := step.Price[m.currency]
			if !ok {
				return nil, m.misses(kindPlan, plan, at, ReasonNoPrice)
			}
			t.steps = append(t.steps, price)
		}
	}
	return t, nil
}

// packAt is termsAt for a pack, with the price of a unit.
func (m *Machine) packAt(pack string, at time.Time) (*catalog.Pack, money.Price, *Missing) {
	version, ok := m.p.Catalog.Pack(pack, at)
	if !ok {
		return nil, money.Price{}, m.misses(kindPack, pack, at, ReasonUnknownPack)
	}
	price, ok := version.Price[m.currency]
	if !ok {
		return nil, money.Price{}, m.misses(kindPack, pack, at, ReasonNoPrice)
	}
	return version, price, nil
}

// renewsOneWay reports whether all versions of a plan follow the calendar, or
// all the anniversary.
func renewsOneWay(c *catalog.Catalog, plan string) bool {
	var first *catalog.Plan
	for _, version := range c.Plans() {
		switch {
		case version.Name != plan:
		case first == nil:
			first = version
		case version.Calendar != first.Calendar:
			return false
		}
	}
	return true
}

// oneVersion reports whether every cycle of a plan that starts from an instant to
// another has the version of the first: no other comes into force after it.
func oneVersion(c *catalog.Catalog, plan string, from, to int64) bool {
	for _, version := range c.Plans() {
		if since := version.EffectiveFrom.UnixMicro(); version.Name == plan && since > from && since <= to {
			return false
		}
	}
	return true
}
