// Package catalog is the plans and packs that are sold (SPEC section 5).
//
// A [Catalog] is every version of every plan and pack; which one governs a cycle
// or a purchase is decided by an instant, in [Catalog.Plan] and [Catalog.Pack]. It
// is immutable and pure: no I/O, no clock. What a version says is exact: credits
// and prices are the decimals of the file.
//
// A version that a committed run has used never changes. Its SHA256 is of what the
// document says, without its comments and layout, so that a file may be tidied
// up, and further versions may be added to it.
package catalog

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// A File is one catalog file: its name as messages give it, and what it holds.
type File struct {
	Name    string
	Content []byte
}

// A VersionRef says which version of a plan or pack is meant, since when it
// counts, and what it says.
type VersionRef struct {
	Name          string
	Version       int       // 1 and up
	EffectiveFrom time.Time // in force from here, inclusive, in UTC
	SHA256        string    // of what the document says, in hexadecimal
	File          string    // that holds it, as messages name it
}

// A Plan is one version of a plan.
type Plan struct {
	VersionRef

	Fee       Prices        // of a cycle; nil: free in every currency
	Allowance credit.Amount // of a cycle; zero makes no bucket (SPEC section 14, 25)
	Calendar  bool          // cycles start on the 1st in the billing time zone; else on the anniversary
	Prorate   bool          // calendar only: a short first cycle in proportion of its seconds
	Rollover  *Rollover     // nil: what is left of the allowance expires
	Overage   *Overage      // nil: there is no price of overage, so protection is on
	RateLimit *RateLimit    // nil: none
}

// Rollover says what becomes of an allowance that is left.
type Rollover struct {
	Cycles int            // that a rollover bucket lasts
	Cap    *credit.Amount // the most that all rollover buckets may hold together; nil: no bound
}

// Overage is the price of credits beyond all buckets.
type Overage struct {
	Per        credit.Amount  // the credits that a price is for, more than zero
	Steps      []Step         // graduated over a period's overage; at least one, the last without UpTo
	Blocks     bool           // every started Per of a step is charged whole
	Protection bool           // calls that no bucket pays are denied, not charged
	Limit      *credit.Amount // of a period's overage; nil: unlimited
}

// A Step is the price of a part of the overage.
type Step struct {
	UpTo  *credit.Amount // inclusive; nil: without end
	Price Prices         // of Overage.Per credits
}

// RateLimit is what calls are compared with (SPEC section 14, 32).
type RateLimit struct {
	Calls int64 // at least 1
	Day   bool  // per day of the billing time zone; else per clock hour
}

// A Pack is one version of a pack.
type Pack struct {
	VersionRef

	Credits      credit.Amount    // of one unit, more than zero
	Price        Prices           // of one unit
	ExpiresAfter *period.Duration // after the purchase; nil: never
}

// Prices are a price in each currency it is asked in. All prices of one plan or
// pack version have the same currencies.
type Prices map[money.Currency]money.Price

// Currencies are those of the prices, by code.
func (p Prices) Currencies() []money.Currency {
	return slices.SortedFunc(maps.Keys(p), func(a, b money.Currency) int { return cmp.Compare(a.String(), b.String()) })
}

// Currencies are those that the plan has prices in, by code; none when it asks
// no money at all, and so suits every currency.
func (p *Plan) Currencies() []money.Currency {
	if p.Fee == nil && p.Overage != nil {
		return p.Overage.Steps[0].Price.Currencies()
	}
	return p.Fee.Currencies()
}

// A Catalog is every version of every plan and pack.
type Catalog struct {
	plans []*Plan // by name, then version
	packs []*Pack
}

// Plans returns all versions of all plans, by name and version. The caller must not
// change them.
func (c *Catalog) Plans() []*Plan { return c.plans }

// Packs returns all versions of all packs, by name and version. The caller must not
// change them.
func (c *Catalog) Packs() []*Pack { return c.packs }

// PlanNames returns the name of every plan once, sorted.
func (c *Catalog) PlanNames() []string {
	var names []string
	for _, p := range c.plans {
		names = append(names, p.Name)
	}
	return slices.Compact(names)
}

// Plan returns the version of a plan that is in force at an instant: the one with
// the greatest EffectiveFrom not after it, of two with the same instant the higher
// version. It reports false when there is none.
func (c *Catalog) Plan(name string, at time.Time) (*Plan, bool) {
	var found *Plan
	for _, p := range c.plans {
		if p.Name == name && p.inForce(at) && (found == nil || !p.EffectiveFrom.Before(found.EffectiveFrom)) {
			found = p // of two with the same instant the later in c.plans, which is the higher version
		}
	}
	return found, found != nil
}

// Pack returns the version of a pack that is in force at an instant, as Plan does.
func (c *Catalog) Pack(name string, at time.Time) (*Pack, bool) {
	var found *Pack
	for _, p := range c.packs {
		if p.Name == name && p.inForce(at) && (found == nil || !p.EffectiveFrom.Before(found.EffectiveFrom)) {
			found = p
		}
	}
	return found, found != nil
}

func (v *VersionRef) inForce(at time.Time) bool { return !v.EffectiveFrom.After(at) }

func compareVersions(a, b VersionRef) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
}
