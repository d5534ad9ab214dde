package price

import (
	"fmt"
	"math/big"
	"strings"
)

// scale is the number of fractional digits that the sum of parts needs.
func (f former) scale(parts []Part) (scale int) {
	for _, p := range parts {
		for i, step := range p.Steps {
			unit := 0
			if p.Each != "" && !p.Blocks {
				unit = max(quantityScale(f.types[p.Each]), p.from(i).scale)
				if p.Split && i < len(p.Steps)-1 { // the next steps add what this one charges in full
					unit = max(unit, step.UpTo.scale)
				}
			}
			scale = max(scale, unit+step.Price.scale)
		}
	}
	return scale
}

// from is where the quantity that step i charges begins.
func (p Part) from(i int) Decimal {
	if !p.Split || i == 0 {
		return Decimal{}
	}
	return *p.Steps[i-1].UpTo
}

// part is one addend, cut off at limit where the former does that.
func (f former) part(p Part, scale int, limit *big.Rat) amount {
	if p.Each == "" {
		return constant(p.Steps[0].Price, scale)
	}
	all := amount{scale: scale, most: new(big.Int)}
	var cases strings.Builder
	for i, step := range p.Steps {
		value := f.step(p, i, scale, limit)
		if value.most.Cmp(all.most) > 0 {
			all.most = value.most
		}
		switch {
		case p.By == "" || len(p.Steps) == 1 && step.UpTo == nil && p.By == p.Each:
			return value
		case step.UpTo != nil:
			fmt.Fprintf(&cases, " WHEN %s THEN %s", f.compare(p.By, "<=", *step.UpTo), value.sql)
		case p.By == p.Each:
			fmt.Fprintf(&cases, " ELSE %s", value.sql)
		default: // not ELSE: without the quantity that chooses, there is no price
			fmt.Fprintf(&cases, " WHEN %s IS NOT NULL THEN %s", f.sql(p.By), value.sql)
		}
	}
	all.sql = "CASE" + cases.String() + " END"
	return all
}

// step is what a part charges at its step i.
func (f former) step(p Part, i int, scale int, limit *big.Rat) amount {
	columnType := f.types[p.Each]
	digits, most := quantityScale(columnType), quantityMost(columnType)
	step, from, before := p.Steps[i], p.from(i), Decimal{}
	if p.Split {
		before = p.before(i)
		if step.UpTo != nil && step.UpTo.Cmp(most) < 0 {
			most = *step.UpTo
		}
	}
	var value amount
	units := big.NewRat(0, 1) // charged at most
	if most.Cmp(from) > 0 {
		units.Sub(most.Rat(), from.Rat())
	}
	if p.Blocks {
		count := ceil(new(big.Rat).Quo(units, p.Per.Rat()))
		value.sql = f.blocks(p, from) + " * " + sqlDecimal(step.Price, scale)
		value.most = new(big.Int).Mul(count, step.Price.at(scale))
	} else {
		inner := max(digits, from.scale)
		quantity := fmt.Sprintf("CAST(%s AS DECIMAL(38,%d))", f.sql(p.Each), inner)
		if from.Sign() > 0 {
			quantity = "(" + quantity + " - " + sqlDecimal(from, inner) + ")"
		}
		value.sql = quantity + " * " + sqlDecimal(step.Price, scale-inner)
		value.most = ceil(new(big.Rat).Mul(units, new(big.Rat).SetInt(step.Price.at(scale))))
		if step.Price.Cmp(whole(1)) == 0 && from.Sign() == 0 {
			value.sql = fmt.Sprintf("CAST(%s AS DECIMAL(38,%d))", f.sql(p.Each), scale)
		}
	}
	value.scale = scale
	if before.Sign() > 0 {
		value.sql = "(" + sqlDecimal(before, scale) + " + " + value.sql + ")"
		value.most.Add(value.most, before.at(scale))
	}
	if top := ceil(limit); f.cut && value.most.Cmp(new(big.Int).Mul(top, pow10(scale))) > 0 {
		value = f.cutOff(p, i, value, decimal(top, 0), before)
	}
	return value
}

// before is what the steps under step i charge in full.
func (p Part) before(i int) (sum Decimal) {
	for k := range i {
		units := p.Steps[k].UpTo.sub(p.from(k))
		if p.Blocks {
			units = decimal(ceil(new(big.Rat).Quo(units.Rat(), p.Per.Rat())), 0)
		}
		sum = sum.add(units.mul(p.Steps[k].Price))
	}
	return sum
}

// cutOff makes value top for every quantity that is charged more than top.
func (f former) cutOff(p Part, i int, value amount, top, before Decimal) amount {
	digits, price := quantityScale(f.types[p.Each]), p.Steps[i].Price
	sql := sqlDecimal(top, value.scale)
	value.most = top.at(value.scale)
	if before.Cmp(top) > 0 {
		value.sql = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN %s END", f.sql(p.Each), sql)
		return value
	}
	// The greatest quantity that is charged top or less.
	units := new(big.Rat).Quo(top.sub(before).Rat(), price.Rat())
	if p.Blocks {
		units.Mul(new(big.Rat).SetInt(floor(units)), p.Per.Rat())
	}
	units.Add(units, p.from(i).Rat())
	greatest := decimal(floor(units.Mul(units, new(big.Rat).SetInt(pow10(digits)))), digits)
	value.sql = fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", f.compare(p.Each, ">", greatest), sql, value.sql)
	return value
}

// blocks counts the blocks of p.Per that the quantity beyond from has started,
// in whole numbers and without a division: the quantity is rounded up to a
// multiple of the block, and that times 1/block is so near to the count that the
// nearest whole number is the count.
func (f former) blocks(p Part, from Decimal) string {
	digits := quantityScale(f.types[p.Each])
	quantity := f.sql(p.Each)
	if digits > 0 {
		quantity = fmt.Sprintf("CAST(CAST(%s AS DECIMAL(38,%d)) * CAST('%s' AS DECIMAL(38,0)) AS BIGINT)", quantity, digits, pow10(digits))
	}
	if from.Sign() > 0 {
		quantity = fmt.Sprintf("(%s - %s)", quantity, from.at(digits))
	}
	block := p.Per.at(digits)
	if block.Cmp(one) == 0 {
		return fmt.Sprintf("CAST(%s AS DECIMAL(38,0))", quantity)
	}
	inverse, scale := inverse(block)
	return fmt.Sprintf("CAST((CAST(%s AS DECIMAL(38,0)) + mod(%s - mod(%s, %s), %s)) * %s AS DECIMAL(38,0))",
		quantity, block, quantity, block, block, sqlDecimal(inverse, scale))
}

// inverse is 1/block with as many digits as the product with the greatest
// multiple of block leaves room for. Its error is at most half of its last digit,
// so the product is off by less than a half: see TestBlockInverse.
func inverse(block *big.Int) (Decimal, int) {
	greatest := new(big.Int).Lsh(one, 63)
	greatest.Add(greatest, block)
	for scale := 37; ; scale-- {
		// Rounded to the nearest.
		units := new(big.Int).Quo(new(big.Int).Add(new(big.Int).Mul(pow10(scale), big.NewInt(2)), block), new(big.Int).Lsh(block, 1))
		if new(big.Int).Mul(units, greatest).Cmp(capacity) <= 0 {
			return decimal(units, scale), scale
		}
	}
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

func ceil(r *big.Rat) *big.Int {
	n := new(big.Int).Div(new(big.Int).Neg(r.Num()), r.Denom()) // Div rounds down
	return n.Neg(n)
}
