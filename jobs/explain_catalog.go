package jobs

import (
	"math/big"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// knew reports whether a close or re-rate was made with a version of a plan or pack.
// One that names none of the kind leaves it open, and so does any other run.
func (m *Mill) knew(run int64, kind string, v catalog.VersionRef) bool {
	issued := m.Lake.State().Milestone(run)
	if issued == nil {
		return true
	}
	ofKind := slices.DeleteFunc(slices.Clone(issued.Versions), func(ref lake.VersionRef) bool { return ref.Kind != kind })
	return len(ofKind) == 0 || slices.ContainsFunc(ofKind, func(ref lake.VersionRef) bool { return ref.Name == v.Name && ref.Version == v.Version })
}

// planAt is the version of a plan that was in force at an instant for a run; nil where
// the configuration has none.
func (m *Mill) planAt(run int64, name string, at time.Time) (found *catalog.Plan) {
	for _, p := range m.Catalog.Plans() { // by version: of two of one instant the later
		if p.Name == name && !p.EffectiveFrom.After(at) && m.knew(run, plan, p.VersionRef) && (found == nil || !p.EffectiveFrom.Before(found.EffectiveFrom)) {
			found = p
		}
	}
	return found
}

// packAt is planAt for packs.
func (m *Mill) packAt(run int64, name string, at time.Time) (found *catalog.Pack) {
	for _, p := range m.Catalog.Packs() {
		if p.Name == name && !p.EffectiveFrom.After(at) && m.knew(run, pack, p.VersionRef) && (found == nil || !p.EffectiveFrom.Before(found.EffectiveFrom)) {
			found = p
		}
	}
	return found
}

// planInForce is the plan version by which an account's overage at an instant is
// charged: that of the start of the cycle that ran.
func (b *book) planInForce(at time.Time, run int64) *catalog.Plan {
	e := b.lastEvent(at, isSubscription)
	if e == nil {
		return nil
	}
	start := e.postedAt
	later := func(t time.Time) {
		if t.After(start) && !t.After(at) {
			start = t
		}
	}
	for i := range b.buckets {
		if b.buckets[i].kind == string(bucket.Allowance) {
			later(b.buckets[i].starts)
		}
	}
	for i := range b.lines {
		if b.lines[i].kind == lineFee {
			later(b.lines[i].from)
		}
	}
	return b.mill.planAt(run, e.field("plan"), start)
}

// overagePrice is what one credit costs in a step of a plan's overage; not ok where it
// has no such step or no price in the currency.
func overagePrice(p *catalog.Plan, step int, code string) (price money.Price, perCredit *big.Rat, ok bool) {
	if p == nil || p.Overage == nil || step < 1 || step > len(p.Overage.Steps) {
		return price, nil, false
	}
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return price, nil, false
	}
	if price, ok = p.Overage.Steps[step-1].Price[currency]; !ok {
		return price, nil, false
	}
	return price, new(big.Rat).Quo(price.Rat(), p.Overage.Per.Rat()), true
}
