package price

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/when"
)

// An Explanation is how a version prices one call, worked out step by step with
// exact numbers. It is a third reading of SPEC section 4 beside the SELECT that rates
// and the oracle of the tests: what it comes to must be what stands in `rated`.
type Explanation struct {
	Rule    int           // that matched, from 1; 0: none
	Steps   []Calculation // in their order; none where the call could not be worked out
	Credits credit.Amount // 0 where Held
	Held    string        // the reason in `held`, but for account_not_opened, which is no matter of prices
	Why     string        // of Held: what it is about the call, in words
}

// A Calculation is one step of an [Explanation].
type Calculation struct {
	Step   string // credits, each, blocks, tiers, add, sum, multiply, minimum, maximum, round_up_to or round
	Text   string // the arithmetic, with separators between thousands: "3 images × 9 = 27"
	Result string // what the step comes to, exactly; empty where it only chooses
}

// The steps of a calculation. Each, blocks, tiers and credits work out an addend.
const (
	stepCredits = "credits"
	stepEach    = "each"
	stepBlocks  = "blocks"
	stepTiers   = "tiers" // chooses the step of the tiers
	stepAdd     = "add"   // says whether an addition applies
	stepSum     = "sum"
	stepTimes   = "multiply"
	stepMinimum = "minimum"
	stepMaximum = "maximum"
	stepRoundUp = "round_up_to"
	stepRound   = "round" // the one rounding to six digits, always the last
)

// Explain works out what the version makes of a call. value gives what conditions
// and charges name: the text of a dimension, of account, project, key and source, or
// of a quantity, as a plain decimal; what nobody declared is NULL.
func (v *Version) Explain(operation string, value func(name string) when.Value) Explanation {
	for i, rule := range v.Rules {
		if rule.Operation != "" && !when.Like(rule.Operation, operation) || !holds(rule.When, value) {
			continue
		}
		e := explainer{value: value, faults: map[string]string{}}
		price := e.charge(rule.Charge, rule.Add)
		out := Explanation{Rule: i + 1}
		for _, reason := range []string{NullQuantity, UnlistedValue, BeyondLastStep} {
			if why := e.faults[reason]; why != "" {
				out.Held, out.Why = reason, why
				return out
			}
		}
		out.Steps = e.steps
		rounded, err := credit.Round(price)
		if err != nil || rounded.Rat().Cmp(creditLimit) >= 0 {
			out.Held, out.Why = Overflow, exactNumber(price)+" credits do not fit 12 digits before the point"
			return out
		}
		out.Credits = rounded
		out.Steps = append(out.Steps, Calculation{stepRound, becomes("rounded to 6 digits", price, rounded.Rat()), rounded.String()})
		return out
	}
	return Explanation{Held: NoRule, Why: "no rule of " + v.String() + " matches it"}
}

func holds(all []when.Condition, value func(name string) when.Value) bool {
	for _, c := range all {
		if !c.Test.Match(value(c.Name)) {
			return false
		}
	}
	return true
}

// An explainer works out one charge.
type explainer struct {
	value  func(name string) when.Value
	steps  []Calculation
	faults map[string]string // by reason: the first found, in words
}

func (e *explainer) note(step, text string, result *big.Rat) {
	c := Calculation{Step: step, Text: text}
	if result != nil {
		c.Result = exactText(result)
	}
	e.steps = append(e.steps, c)
}

func (e *explainer) fault(reason, why string) *big.Rat {
	if e.faults[reason] == "" {
		e.faults[reason] = why
	}
	return new(big.Rat)
}

// charge is a charge with the additions that hold, in the order of SPEC section 14, 8.
func (e *explainer) charge(c Charge, add []Addition) *big.Rat {
	var terms []*big.Rat
	for _, p := range c.Parts {
		terms = append(terms, e.part(p)...)
	}
	for _, a := range add {
		if !holds(a.When, e.value) {
			e.note(stepAdd, "not added: "+strings.TrimPrefix(a.words(), "+ "), nil)
			continue
		}
		text := "added"
		if len(a.When) > 0 {
			text += ", for " + strings.Join(whenWords(a.When), " and ")
		}
		e.note(stepAdd, text, nil)
		if !a.Charge.plain() {
			terms = append(terms, e.charge(a.Charge, nil))
			continue
		}
		for _, p := range a.Charge.Parts {
			terms = append(terms, e.part(p)...)
		}
	}
	sum := new(big.Rat)
	var texts []string
	for _, term := range terms {
		sum.Add(sum, term)
		texts = append(texts, exactNumber(term))
	}
	if len(terms) > 1 {
		e.note(stepSum, strings.Join(texts, " + ")+" = "+exactNumber(sum), sum)
	}
	return e.modify(c, sum)
}

// modify multiplies, bounds and rounds up, in this order.
func (e *explainer) modify(c Charge, sum *big.Rat) *big.Rat {
	if c.Multiply != nil {
		sum = e.multiply(*c.Multiply, sum)
	}
	if c.Minimum != nil {
		least := c.Minimum.Rat()
		if sum.Cmp(least) > 0 {
			least = sum
		}
		e.note(stepMinimum, becomes("at least "+fixed.Group(c.Minimum.String()), sum, least), least)
		sum = least
	}
	if c.Maximum != nil {
		most := c.Maximum.Rat()
		if sum.Cmp(most) < 0 {
			most = sum
		}
		e.note(stepMaximum, becomes("at most "+fixed.Group(c.Maximum.String()), sum, most), most)
		sum = most
	}
	if c.RoundUpTo != nil {
		step := c.RoundUpTo.Rat()
		up := new(big.Rat).SetInt(ceil(new(big.Rat).Quo(sum, step)))
		up.Mul(up, step)
		e.note(stepRoundUp, becomes("rounded up to "+fixed.Group(c.RoundUpTo.String()), sum, up), up)
		sum = up
	}
	return sum
}

// becomes says what a bound or a rounding makes of a number.
func becomes(what string, from, to *big.Rat) string {
	if from.Cmp(to) == 0 {
		return what + ": " + exactNumber(from) + " stays"
	}
	return what + ": " + exactNumber(from) + " becomes " + exactNumber(to)
}

func (e *explainer) multiply(m Multiply, sum *big.Rat) *big.Rat {
	is := e.value(m.By)
	said := m.By + " " + bare(is.Text)
	if is.Null {
		said = m.By + " is absent"
	}
	var factor *Decimal
	for i := range m.Values {
		if !is.Null && m.Values[i].Text == is.Text {
			factor = &m.Values[i].Value
		}
	}
	if factor == nil {
		factor, said = m.Otherwise, said+", otherwise"
	}
	if factor == nil {
		return e.fault(UnlistedValue, strings.TrimSuffix(said, ", otherwise")+", and multiply has neither that nor `otherwise`")
	}
	product := new(big.Rat).Mul(sum, factor.Rat())
	e.note(stepTimes, fmt.Sprintf("%s × %s (%s) = %s", exactNumber(sum), fixed.Group(factor.String()), said, exactNumber(product)), product)
	return product
}

// part is one addend, or those of the steps that a quantity is split over.
func (e *explainer) part(p Part) []*big.Rat {
	if p.Each == "" {
		price := p.Steps[0].Price
		e.note(stepCredits, fixed.Group(price.String())+" a call", price.Rat())
		return []*big.Rat{price.Rat()}
	}
	quantity, ok := e.quantity(p.Each)
	by, byOK := quantity, ok
	if p.By != "" && p.By != p.Each {
		by, byOK = e.quantity(p.By)
	}
	if last := p.Steps[len(p.Steps)-1].UpTo; p.By != "" && byOK && last != nil && by.Cmp(last.Rat()) > 0 {
		return []*big.Rat{e.fault(BeyondLastStep, fmt.Sprintf("%s %s are beyond the last step, up to %s", exactNumber(by), p.By, fixed.Group(last.String())))}
	}
	switch {
	case !ok || !byOK:
		return []*big.Rat{new(big.Rat)}
	case p.tiered() && p.Split:
		return e.split(p, quantity)
	case p.tiered():
		i := 0
		for p.Steps[i].UpTo != nil && by.Cmp(p.Steps[i].UpTo.Rat()) > 0 {
			i++
		}
		e.note(stepTiers, fmt.Sprintf("%s %s: step %d of %d%s", exactNumber(by), p.By, i+1, len(p.Steps), bounds(p.Steps, i)), nil)
		return []*big.Rat{e.price(p, "", quantity, p.Steps[i].Price)}
	default:
		return []*big.Rat{e.price(p, "", quantity, p.Steps[0].Price)}
	}
}

// bounds says which quantities a step is for.
func bounds(steps []Step, i int) (text string) {
	if i > 0 {
		text = ", above " + fixed.Group(steps[i-1].UpTo.String())
	}
	if steps[i].UpTo != nil {
		text += ", up to " + fixed.Group(steps[i].UpTo.String())
	}
	return text
}

// split prices each part of a quantity in its step.
func (e *explainer) split(p Part, quantity *big.Rat) (terms []*big.Rat) {
	from := new(big.Rat)
	for i, step := range p.Steps {
		to, last := quantity, true
		if step.UpTo != nil && quantity.Cmp(step.UpTo.Rat()) > 0 {
			to, last = step.UpTo.Rat(), false
		}
		which := "the next "
		if i == 0 {
			which = "the first "
		}
		terms = append(terms, e.price(p, which, new(big.Rat).Sub(to, from), step.Price))
		if last {
			break
		}
		from = to
	}
	return terms
}

// price is a quantity at a price of the part.
func (e *explainer) price(p Part, which string, quantity *big.Rat, price Decimal) *big.Rat {
	of := which + exactNumber(quantity) + " " + p.Each
	per := fixed.Group(p.Per.String())
	if p.Blocks {
		started := new(big.Rat).SetInt(ceil(new(big.Rat).Quo(quantity, p.Per.Rat())))
		result := new(big.Rat).Mul(started, price.Rat())
		e.note(stepBlocks, fmt.Sprintf("%s in started blocks of %s: %s × %s = %s", of, per, exactNumber(started), fixed.Group(price.String()), exactNumber(result)), result)
		return result
	}
	result := new(big.Rat).Mul(quantity, price.Rat())
	if p.Per.Cmp(whole(1)) != 0 {
		of += " ÷ " + per
	}
	e.note(stepEach, fmt.Sprintf("%s × %s = %s", of, fixed.Group(price.mul(p.Per).String()), exactNumber(result)), result)
	return result
}

func (e *explainer) quantity(name string) (*big.Rat, bool) {
	is := e.value(name)
	if is.Null {
		return e.fault(NullQuantity, name+" is absent"), false
	}
	r, ok := new(big.Rat).SetString(is.Text)
	if !ok {
		return e.fault(NullQuantity, name+" is no number: "+strconv.Quote(is.Text)), false
	}
	return r, true
}

// exactText writes a number in full: prices are decimals and blocks are whole, so
// what they make are decimals.
func exactText(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

func exactNumber(r *big.Rat) string { return fixed.Group(exactText(r)) }
