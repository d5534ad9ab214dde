package price

import (
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// Digits of the decimals of a price file (SPEC section 4).
const (
	priceDigits  = 12 // before and after the point
	factorDigits = 6  // after the point, of multiply
	unitDigits   = 18 // before the point, of per and up_to: they count what a quantity counts
)

// charge reads a rule's charge or an addition's, with its modifiers.
func (p *parser) charge(n yamlfile.Node) (c Charge) {
	if n.IsZero() {
		return c
	}
	o := p.Object(n, "a charge")
	if sum := o.Get("sum"); !sum.IsZero() {
		c.Parts = p.sum(sum)
		for _, key := range partKeys {
			if clash := o.Get(key); !clash.IsZero() {
				p.Add(clash, "move it into a member of sum", "a charge with sum has no %q of its own", key)
			}
		}
	} else {
		c.Parts = []Part{p.part(o)}
	}
	c.Multiply = p.multiply(o.Get("multiply"))
	c.Minimum = p.credits(o.Get("minimum"))
	c.Maximum = p.credits(o.Get("maximum"))
	if c.Minimum != nil && c.Maximum != nil && c.Minimum.Cmp(*c.Maximum) > 0 {
		p.Add(o.Get("maximum"), "", "the maximum is under the minimum")
	}
	if r := o.Get("round_up_to"); !r.IsZero() {
		if c.RoundUpTo = p.credits(r); c.RoundUpTo != nil {
			if c.RoundUpTo.Sign() == 0 {
				p.Add(r, "", "nothing rounds up to multiples of zero")
				c.RoundUpTo = nil
			} else if inverse, ok := quotient(whole(1), *c.RoundUpTo, priceDigits); !ok || inverse.intDigits() > priceDigits {
				p.Add(r, "such as 1, 0.5 or 0.01", "1/%s is no decimal of at most %d digits", c.RoundUpTo, priceDigits)
			}
		}
	}
	o.Done()
	return c
}

var (
	partKeys     = []string{"each", "per", "blocks", "credits", "tiers"}
	modifierKeys = []string{"multiply", "minimum", "maximum", "round_up_to", "sum"}
)

func (p *parser) sum(n yamlfile.Node) (parts []Part) {
	if n.Kind() != yamlfile.List || len(n.Items()) == 0 {
		p.Add(n, "", "sum is a list of at least one charge")
	}
	for _, item := range n.Items() {
		o := p.Object(item, "a member of sum")
		parts = append(parts, p.part(o))
		for _, key := range modifierKeys {
			if modifier := o.Get(key); !modifier.IsZero() {
				p.Add(modifier, "move it beside sum, where it changes the whole charge", "a member of sum takes no %q", key)
			}
		}
		o.Done()
	}
	return parts
}

// part reads each, per, blocks, credits and tiers.
func (p *parser) part(o *yamlfile.Object) Part {
	each, per, blocks, credits, tiers := o.Get("each"), o.Get("per"), o.Get("blocks"), o.Get("credits"), o.Get("tiers")
	part := Part{Each: p.column(each, "quantity"), Per: whole(1), Blocks: p.Bool(blocks)}
	if d := p.units(per); d != nil {
		if part.Per = *d; d.Sign() == 0 {
			p.Add(per, "", "per must be more than zero")
			part.Per = whole(1)
		}
	}
	if each.IsZero() {
		for key, n := range map[string]yamlfile.Node{"per": per, "blocks": blocks, "tiers": tiers} {
			if !n.IsZero() {
				p.Add(n, "name a quantity: each: images", "%q needs \"each\"", key)
			}
		}
	}
	if part.Blocks && per.IsZero() {
		p.Add(blocks, "write per: 1 to round up to whole units", "\"blocks\" needs \"per\"")
	}
	switch {
	case !tiers.IsZero() && !credits.IsZero():
		p.Add(credits, "each step has its own credits", "a charge with tiers has no credits of its own")
	case !tiers.IsZero():
		p.tiers(tiers, &part)
	case credits.IsZero():
		p.Add(o.Node(), "", "a charge needs credits, tiers or sum")
	default:
		part.Steps = []Step{{Price: p.price(credits, part)}}
	}
	if part.Blocks && p.types[part.Each] != "" {
		p.blocks(per, tiers, part)
	}
	return part
}

// price reads credits and divides them by per; a price for blocks stays whole.
func (p *parser) price(n yamlfile.Node, part Part) Decimal {
	d := p.credits(n)
	if d == nil {
		return Decimal{}
	}
	if part.Blocks {
		return *d
	}
	price, ok := quotient(*d, part.Per, priceDigits)
	if !ok || price.intDigits() > priceDigits {
		p.Add(n, "choose credits and per so that it is, or charge whole blocks: true",
			"%s/%s is no decimal of at most %d digits before and %d after the point, so the price would not be exact", d, part.Per, priceDigits, priceDigits)
		return Decimal{}
	}
	return price
}

func (p *parser) tiers(n yamlfile.Node, part *Part) {
	o := p.Object(n, "tiers")
	by := o.Get("by")
	part.By = part.Each
	if !by.IsZero() {
		part.By = p.column(by, "quantity")
	}
	mode := p.OneOf(o.Need("mode"), "volume", "graduated")
	part.Split = mode == "graduated"
	if part.Split && part.By != part.Each {
		p.Add(by, "leave it out, or write mode: volume", "graduated tiers split the quantity that is charged: by must be %s", part.Each)
	}
	steps := o.Need("steps")
	if !steps.IsZero() && (steps.Kind() != yamlfile.List || len(steps.Items()) == 0) {
		p.Add(steps, "", "steps are a list of at least one step")
	}
	for i, item := range steps.Items() {
		step := p.Object(item, "a step")
		upToNode := step.Get("up_to")
		upTo := p.units(upToNode)
		if upToNode.IsZero() && i < len(steps.Items())-1 && item.Kind() == yamlfile.Map {
			p.Add(item, "only the last step may be without", "a step needs \"up_to\"")
		}
		if upTo != nil && i > 0 {
			if before := part.Steps[i-1].UpTo; before != nil && upTo.Cmp(*before) <= 0 {
				p.Add(upToNode, "", "steps go upwards: %s is not more than %s", upTo, before)
			}
		}
		part.Steps = append(part.Steps, Step{upTo, p.price(step.Need("credits"), *part)})
		step.Done()
	}
	o.Done()
}

// blocks checks that started blocks can be counted in whole numbers.
func (p *parser) blocks(per, tiers yamlfile.Node, part Part) {
	digits := quantityScale(p.types[part.Each])
	if part.Per.scale > digits || !part.Per.at(max(digits, part.Per.scale)).IsInt64() {
		p.Add(per, "", "blocks of %s: %s has no such amounts; it is a %s", part.Per, part.Each, p.types[part.Each])
	}
	if !part.Split {
		return
	}
	for _, step := range part.Steps {
		if step.UpTo != nil && (step.UpTo.scale > digits || !step.UpTo.at(digits).IsInt64()) {
			p.Add(tiers, "", "blocks up to %s: %s has no such amounts; it is a %s", step.UpTo, part.Each, p.types[part.Each])
		}
	}
}

func (p *parser) multiply(n yamlfile.Node) *Multiply {
	if n.IsZero() {
		return nil
	}
	o := p.Object(n, "multiply")
	m := &Multiply{By: p.column(o.Need("by"), "dimension"), Otherwise: p.factor(o.Get("otherwise"))}
	values := o.Need("values")
	if !values.IsZero() && (values.Kind() != yamlfile.Map || len(values.Pairs()) == 0) {
		p.Add(values, "such as {t4: 1, a100: 4}", "values are a map of texts to factors")
	}
	for _, pair := range values.Pairs() {
		if d := p.factor(pair.Value); d != nil {
			m.Values = append(m.Values, Factor{pair.Key.Text(), *d})
		}
	}
	o.Done()
	return m
}

func (p *parser) factor(n yamlfile.Node) *Decimal { return p.decimal(n, factorDigits, priceDigits) }

func (p *parser) credits(n yamlfile.Node) *Decimal { return p.decimal(n, priceDigits, priceDigits) }

func (p *parser) units(n yamlfile.Node) *Decimal { return p.decimal(n, priceDigits, unitDigits) }

// decimal reads a decimal that is not negative; nil when absent or wrong.
func (p *parser) decimal(n yamlfile.Node, fractionDigits, intDigits int) *Decimal {
	text := p.Amount(n, fractionDigits, intDigits)
	if text == "" {
		return nil
	}
	d := parseDecimal(text)
	return &d
}
