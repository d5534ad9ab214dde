package catalog

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// priceDigits before the point are as many as a price of credits may have (SPEC
// section 4).
const priceDigits = 12

// A pricedNode is prices and where they stand.
type pricedNode struct {
	node   yamlfile.Node
	prices Prices
}

// prices reads a map from currency to price. Absent prices are nil.
func (r *parser) prices(n yamlfile.Node) Prices {
	if n.IsZero() {
		return nil
	}
	if n.Kind() != yamlfile.Map || len(n.Pairs()) == 0 {
		hint := `write {USD: "10.00"}`
		if n.Kind() == yamlfile.Number || n.Kind() == yamlfile.String && n.Text() != "" {
			hint = `write {USD: "` + n.Text() + `"}`
		}
		what := n.Kind().String()
		if n.Kind() == yamlfile.Map {
			what = "an empty map"
		}
		r.Add(n, hint, "a price in each currency is expected here, not %s", what)
		return nil
	}
	prices, unknown := Prices{}, false
	for _, pair := range n.Pairs() {
		text := ""
		if pair.Value.Kind() == yamlfile.Null {
			r.Add(pair.Value, "", "%q has no price", pair.Key.Text())
		} else {
			text = r.Amount(pair.Value, money.PriceScale, priceDigits)
		}
		currency, err := money.ParseCurrency(pair.Key.Text())
		if err != nil {
			r.Add(pair.Key, "", "%v", err)
			unknown = true
			continue
		}
		prices[currency], _ = money.ParsePrice(text) // an empty text, told already, is zero
	}
	if unknown {
		return nil // its currencies cannot be compared with others
	}
	return prices
}

// sameCurrencies refuses prices of one version that differ in their set of
// currencies (SPEC section 14, 37): an account of a currency must find all of them.
func (r *parser) sameCurrencies(all []pricedNode) {
	var first pricedNode
	for _, p := range all {
		switch {
		case p.prices == nil:
		case first.prices == nil:
			first = p
		case !slices.Equal(p.prices.Currencies(), first.prices.Currencies()):
			pos := first.node.Pos()
			r.Add(p.node, "give every price in the same currencies", "the currencies here are %s, but %s in line %d",
				codes(p.prices), codes(first.prices), pos.Line)
		}
	}
}

// refuseDropped refuses a plan version without a currency that an older one has:
// a running subscription would find no price at its next cycle.
func (r *parser) refuseDropped(c *Catalog) {
	for i, plan := range c.plans {
		now := plan.Currencies()
		if i == 0 || c.plans[i-1].Name != plan.Name || len(now) == 0 {
			continue
		}
		for _, currency := range c.plans[i-1].Currencies() {
			if !slices.Contains(now, currency) {
				r.Add(r.currencies[plan], "keep the currency, or sell a new plan", "version %d of the plan %q has no price in %s, which version %d has: whoever pays in it could not renew",
					plan.Version, plan.Name, currency, c.plans[i-1].Version)
			}
		}
	}
}

func codes(p Prices) string {
	var codes []string
	for _, currency := range p.Currencies() {
		codes = append(codes, currency.String())
	}
	return strings.Join(codes, ", ")
}

// overage reads the price of overage, and returns where prices stand in it.
func (r *parser) overage(n yamlfile.Node) (*Overage, []pricedNode) {
	o := r.Object(n, "overage")
	defer o.Done()
	over := &Overage{Per: credit.FromInt(1), Blocks: r.Bool(o.Get("blocks")), Protection: true, Limit: r.optional(o.Get("limit"))}
	if per := o.Get("per"); !per.IsZero() {
		over.Per = r.positive(per)
	}
	if protection := o.Get("protection"); !protection.IsZero() {
		over.Protection = r.Bool(protection)
	}
	price, steps := o.Get("price"), o.Get("steps")
	var priced []pricedNode
	switch {
	case !price.IsZero() && !steps.IsZero():
		r.Add(steps, "leave one of them out", "overage has either a price or steps")
		fallthrough
	case !price.IsZero():
		priced = []pricedNode{{price, r.prices(price)}}
		over.Steps = []Step{{Price: priced[0].prices}}
	case steps.IsZero():
		if n.Kind() == yamlfile.Map {
			r.Add(n, `write price: {USD: "1.50"}; a plan without a price of overage has no overage at all`, "overage needs a price, or steps")
		}
		over.Steps = []Step{{}}
	default:
		over.Steps, priced = r.steps(steps)
	}
	return over, priced
}

// steps reads the parts of graduated overage, at least one.
func (r *parser) steps(n yamlfile.Node) (steps []Step, priced []pricedNode) {
	if n.Kind() != yamlfile.List || len(n.Items()) == 0 {
		r.Add(n, "", "steps are a list of at least one step")
		return []Step{{}}, nil
	}
	last := len(n.Items()) - 1
	var below credit.Amount
	for i, item := range n.Items() {
		o := r.Object(item, "the step")
		price := o.Need("price")
		step := Step{Price: r.prices(price)}
		upTo := o.Get("up_to")
		switch {
		case upTo.IsZero():
			if i < last && item.Kind() == yamlfile.Map {
				r.Add(item, "", "only the last step has no up_to")
			}
		case i == last:
			r.Add(upTo, "leave it out; how much overage there can be is said by limit", "the last step has no end")
		default:
			before := r.Len()
			a := r.positive(upTo)
			if r.Len() == before && !below.Less(a) {
				r.Add(upTo, "", "a step must end after the one before, at %s", below)
			}
			step.UpTo, below = &a, a
		}
		o.Done()
		steps, priced = append(steps, step), append(priced, pricedNode{price, step.Price})
	}
	return steps, priced
}
