package jobs

import (
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/internal/when"
	"github.com/creditmill/creditmill/rate/price"
)

// samePrices refuses where a price depends on the name: under the pseudonym the same
// calls would be priced otherwise, and what was billed could not be verified any more.
func (f *forgetting) samePrices() error {
	for _, v := range f.mill.Prices.Versions() {
		for i, rule := range v.Rules {
			if f.pricedByName(&rule) {
				return ConfigError{fmt.Errorf("%s: rule %d of price table %s prices by this %s: under another name its calls would cost something else, so it cannot be forgotten",
					v.File, i+1, v.VersionRef, f.column)}
			}
		}
	}
	return nil
}

// pricedByName reports whether a rule tells the name from the pseudonym.
func (f *forgetting) pricedByName(rule *price.Rule) bool {
	conditions, charges := slices.Clone(rule.When), []*price.Charge{&rule.Charge}
	for i := range rule.Add {
		conditions = append(conditions, rule.Add[i].When...)
		charges = append(charges, &rule.Add[i].Charge)
	}
	for _, c := range conditions {
		if c.Name == f.column && c.Test.Match(when.Value{Text: f.name}) != c.Test.Match(when.Value{Text: f.pseudonym}) {
			return true
		}
	}
	for _, c := range charges {
		if c.Multiply != nil && c.Multiply.By == f.column && slices.ContainsFunc(c.Multiply.Values, func(v price.Factor) bool { return v.Text == f.name }) {
			return true
		}
	}
	return false
}
