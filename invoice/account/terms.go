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

// termsAt finds the plan's version in force at an instant, or the reason why it
// cannot be had in that currency.
func termsAt(c *catalog.Catalog, plan string, at time.Time, currency money.Currency) (*terms, string) {
	version, ok := c.Plan(plan, at)
	if !ok {
		return nil, ReasonUnknownPlan
	}
	t := &terms{Plan: version}
	if version.Fee != nil {
		if t.fee, ok = version.Fee[currency]; !ok {
			return nil, ReasonNoPrice
		}
	}
	if version.Overage != nil {
		for _, step := range version.Overage.Steps {
			price, ok := step.Price[currency]
			if !ok {
				return nil, ReasonNoPrice
			}
			t.steps = append(t.steps, price)
		}
	}
	return t, ""
}

// packAt is termsAt for a pack, with the price of a unit.
func packAt(c *catalog.Catalog, pack string, at time.Time, currency money.Currency) (*catalog.Pack, money.Price, string) {
	version, ok := c.Pack(pack, at)
	if !ok {
		return nil, money.Price{}, ReasonUnknownPack
	}
	price, ok := version.Price[currency]
	if !ok {
		return nil, money.Price{}, ReasonNoPrice
	}
	return version, price, ""
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
