package price

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
)

// creditLimit is what one call's credits are less than: they fit DECIMAL(18,6).
var creditLimit = new(big.Rat).SetInt(pow10(12))

// exact reports whether a rule's price can be worked out exactly.
func exact(r Rule, types map[string]string) error {
	_, err := formula(r, columns{types: types})
	return err
}

// formula is a rule's price before it is rounded to credits. It is NULL exactly
// for the calls that one of [faults] names.
//
// Where a huge quantity could leave 38 digits, addends are cut off at a value
// from which on the call overflows anyway, or is brought down by a maximum.
func formula(r Rule, c columns) (amount, error) {
	if a, err := (former{c, false}).charge(r.Charge, r.Add, creditLimit); err == nil {
		return a, nil
	}
	return former{c, true}.charge(r.Charge, r.Add, creditLimit)
}

// A former writes formulas, with addends cut off or not.
type former struct {
	columns
	cut bool
}

// charge is the sum of a charge's parts and additions, and then, in this order,
// multiply, minimum, maximum and round_up_to (SPEC section 14, 8). From limit on
// one value is as good as another.
func (f former) charge(c Charge, add []Addition, limit *big.Rat) (amount, error) {
	if c.Multiply != nil {
		limit = c.Multiply.before(limit)
	}
	addends, err := f.addends(c, add, limit)
	if err != nil {
		return amount{}, err
	}
	sum := addends[0]
	if len(addends) > 1 {
		var list []string
		most := new(big.Int)
		for _, a := range addends {
			list, most = append(list, a.sql), most.Add(most, a.most)
		}
		sum = amount{"(" + strings.Join(list, " + ") + ")", sum.scale, most}
	}
	if sum, err = sum.fits(); err != nil {
		return sum, err
	}
	if c.Multiply != nil {
		if sum, err = f.multiply(sum, *c.Multiply).fits(); err != nil {
			return sum, err
		}
	}
	if sum, err = sum.clamp(c.Minimum, c.Maximum).fits(); err != nil || c.RoundUpTo == nil {
		return sum, err
	}
	return sum.roundUp(*c.RoundUpTo)
}

// addends are the parts and the additions, all of one scale.
func (f former) addends(c Charge, add []Addition, limit *big.Rat) ([]amount, error) {
	scale := f.scale(c.Parts)
	changed := make([]*amount, len(add)) // the additions with modifiers of their own
	for i, a := range add {
		if a.Charge.plain() {
			scale = max(scale, f.scale(a.Charge.Parts))
			continue
		}
		own, err := f.charge(a.Charge, nil, limit)
		if err != nil {
			return nil, err
		}
		changed[i], scale = &own, max(scale, own.scale)
	}
	var list []amount
	for _, part := range c.Parts {
		list = append(list, f.part(part, scale, limit))
	}
	for i, a := range add {
		var own []amount
		if changed[i] != nil {
			own = []amount{changed[i].rescale(scale)}
		} else {
			for _, part := range a.Charge.Parts {
				own = append(own, f.part(part, scale, limit))
			}
		}
		for _, one := range own {
			if len(a.When) > 0 {
				one.sql = fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", f.conditions(a.When), one.sql, sqlDecimal(Decimal{}, scale))
			}
			list = append(list, one)
		}
	}
	for _, a := range list {
		if _, err := a.fits(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// plain reports whether a charge is its parts and nothing else.
func (c Charge) plain() bool {
	return c.Multiply == nil && c.Minimum == nil && c.Maximum == nil && c.RoundUpTo == nil
}

// before is the limit of what is multiplied, such that its product is past limit
// for every factor but zero.
func (m Multiply) before(limit *big.Rat) *big.Rat {
	least := new(big.Rat).SetInt64(1)
	for _, d := range m.factors() {
		if d.Sign() > 0 && d.Rat().Cmp(least) < 0 {
			least = d.Rat()
		}
	}
	return new(big.Rat).Quo(limit, least)
}

func (m Multiply) factors() []Decimal {
	var all []Decimal
	for _, f := range m.Values {
		all = append(all, f.Value)
	}
	if m.Otherwise != nil {
		all = append(all, *m.Otherwise)
	}
	return all
}

func (f former) multiply(a amount, m Multiply) amount {
	scale, most := 0, new(big.Int)
	for _, d := range m.factors() {
		scale = max(scale, d.scale)
	}
	var cases strings.Builder
	fmt.Fprintf(&cases, "CASE %s", f.sql(m.By))
	for _, factor := range m.Values {
		fmt.Fprintf(&cases, " WHEN %s THEN %s", duck.Literal(factor.Text), sqlDecimal(factor.Value, scale))
	}
	if m.Otherwise != nil {
		fmt.Fprintf(&cases, " ELSE %s", sqlDecimal(*m.Otherwise, scale))
	}
	for _, d := range m.factors() {
		if d.at(scale).Cmp(most) > 0 {
			most = d.at(scale)
		}
	}
	return amount{a.sql + " * " + cases.String() + " END", a.scale + scale, new(big.Int).Mul(a.most, most)}
}
