package invoice

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// The kinds of charges that nothing but their description depends on.
const (
	kindPack  = "pack"
	kindTopUp = "topup"
)

// A describer writes what invoice lines are for, in words for who pays them. It
// explains what the line's numbers alone do not: which part of the overage a step is,
// why blocks cost more than the credits in them, and that a fee is not a whole month's.
type describer struct {
	catalog  *catalog.Catalog
	calendar period.Calendar
	currency money.Currency
	buckets  []*bucket.Bucket // of the account
}

func (d *describer) charge(c *account.Charge) string {
	switch c.Kind {
	case kindFee:
		return d.fee(c) + d.late("subscribed", c)
	case kindOverage:
		return d.overage(c)
	case kindPack:
		return d.pack("Pack", c) + d.late("bought", c)
	case kindTopUp:
		return d.pack("Top-up", c)
	}
	return c.Description + d.late("of", c)
}

// late says when what a line charges was, where that became known, or could be charged,
// only after its month had been closed: the line itself has the instant it posted to.
func (d *describer) late(what string, c *account.Charge) string {
	if c.EventAt.IsZero() || !c.EventAt.Before(c.At) || c.Description == "" {
		return ""
	}
	return ", " + what + " " + c.EventAt.In(d.calendar.Location()).Format("2 January 2006") + ", posted late"
}

// fee says of the fee of a short first cycle that it is, and which days it is for.
func (d *describer) fee(c *account.Charge) string {
	text := "Plan " + c.Description
	plan := d.plan(c)
	if plan == nil || !plan.Calendar || !plan.Prorate || c.From.Equal(d.calendar.Start(d.calendar.Of(c.From))) {
		return text
	}
	first, last := c.From.In(d.calendar.Location()), c.To.Add(-time.Microsecond).In(d.calendar.Location())
	days := last.Format("2 January 2006")
	if first.Day() != last.Day() {
		days = fmt.Sprintf("%d to %s", first.Day(), days)
	}
	return text + ", prorated for " + days
}

// overage says which credits a step is of, and how many blocks were charged.
func (d *describer) overage(c *account.Charge) string {
	text := "Overage, " + c.Plan
	plan := d.plan(c)
	if plan == nil || plan.Overage == nil || c.Step < 1 || c.Step > len(plan.Overage.Steps) {
		return text
	}
	o := plan.Overage
	var parts []string
	if steps := o.Steps; len(steps) > 1 {
		upTo := steps[c.Step-1].UpTo
		switch {
		case c.Step == 1:
			parts = append(parts, "up to "+fixed.Group(upTo.String())+" credits")
		case upTo == nil:
			parts = append(parts, "over "+fixed.Group(steps[c.Step-2].UpTo.String())+" credits")
		default:
			parts = append(parts, fixed.Group(steps[c.Step-2].UpTo.String())+" to "+fixed.Group(upTo.String())+" credits")
		}
	}
	if o.Blocks {
		block := "blocks"
		n := blocks(c.Quantity, o.Per)
		if n == "1" {
			block = "block"
		}
		part := fixed.Group(n) + " started " + block + " of " + fixed.Group(o.Per.String()) + " credits"
		if price, ok := o.Steps[c.Step-1].Price[d.currency]; ok {
			part += " at " + fixed.Group(fixed.Format(price.Num(), money.PriceScale, d.currency.Digits())) + " " + d.currency.String()
		}
		parts = append(parts, part)
	}
	if parts != nil {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// pack says what was bought.
func (d *describer) pack(what string, c *account.Charge) string {
	text := what + " " + c.Description
	at := slices.IndexFunc(d.buckets, func(b *bucket.Bucket) bool { return b.ID == c.BucketID })
	if c.BucketID == "" || at < 0 {
		return text
	}
	return text + ": " + fixed.Group(d.buckets[at].Granted.String()) + " credits"
}

// plan is the version that a charge is by; nil where the catalog lacks it.
func (d *describer) plan(c *account.Charge) *catalog.Plan {
	if d.catalog == nil {
		return nil
	}
	for _, plan := range d.catalog.Plans() {
		if plan.Name == c.Plan && plan.Version == c.Version {
			return plan
		}
	}
	return nil
}

// tax names the tax and its rate, and what it is on.
func (d *describer) tax(label string, tax *account.Tax, subtotal money.Amount) string {
	if tax.ReverseCharge {
		return label + ": the recipient accounts for the tax (reverse charge)"
	}
	if rate := percent(tax.Rate); rate != "" && !slices.Contains(strings.Fields(label), rate) {
		label += " " + rate
	}
	return label + " on " + fixed.Group(d.currency.Format(subtotal)) + " " + d.currency.String()
}

// percent writes a rate, a fraction, as people do: "21%", "8.875%"; empty for none.
func percent(rate *big.Rat) string {
	if rate == nil {
		return ""
	}
	hundred := new(big.Rat).Mul(rate, big.NewRat(100, 1))
	text := hundred.FloatString(10)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// blocks counts the blocks of credits that were started.
func blocks(credits, per credit.Amount) string {
	q := new(big.Rat).Quo(credits.Rat(), per.Rat())
	whole := new(big.Int).Add(q.Num(), new(big.Int).Sub(q.Denom(), big.NewInt(1)))
	return whole.Quo(whole, q.Denom()).String()
}
