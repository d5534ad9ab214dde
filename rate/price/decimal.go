package price

import (
	"fmt"
	"math/big"
	"strings"
)

// A Decimal is an exact, non-negative decimal of a price file. Its scale is the
// number of digits after the point that are needed, so equal values are equal
// in both fields. The zero value is 0.
type Decimal struct {
	units *big.Int // of 10^-scale; nil: 0
	scale int
}

var one = big.NewInt(1)

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func decimal(units *big.Int, scale int) Decimal {
	units = new(big.Int).Set(units)
	ten, rest := big.NewInt(10), new(big.Int)
	for scale > 0 {
		if quotient, _ := new(big.Int).QuoRem(units, ten, rest); rest.Sign() == 0 {
			units, scale = quotient, scale-1
			continue
		}
		break
	}
	return Decimal{units, scale}
}

// whole is the Decimal of an integer.
func whole(n int64) Decimal { return Decimal{big.NewInt(n), 0} }

// parseDecimal reads text that [yamlfile.Problems.Amount] let through.
func parseDecimal(text string) Decimal {
	digits, fraction, _ := strings.Cut(text, ".")
	units, ok := new(big.Int).SetString(digits+fraction, 10)
	if !ok {
		return Decimal{}
	}
	return decimal(units, len(fraction))
}

// quotient returns a/b if that is a decimal of at most digits fractional digits.
func quotient(a, b Decimal, digits int) (Decimal, bool) {
	r := new(big.Rat).Quo(a.Rat(), b.Rat())
	r.Mul(r, new(big.Rat).SetInt(pow10(digits)))
	if !r.IsInt() {
		return Decimal{}, false
	}
	return decimal(r.Num(), digits), true
}

// Rat returns d as an exact rational.
func (d Decimal) Rat() *big.Rat { return new(big.Rat).SetFrac(d.at(d.scale), pow10(d.scale)) }

// Sign is 0 for zero, else 1.
func (d Decimal) Sign() int { return d.at(d.scale).Sign() }

// Cmp is negative, zero or positive as d is less than, equal to or more than e.
func (d Decimal) Cmp(e Decimal) int {
	scale := max(d.scale, e.scale)
	return d.at(scale).Cmp(e.at(scale))
}

// at returns d in units of 10^-scale, which must not be coarser than d's own.
func (d Decimal) at(scale int) *big.Int {
	if scale < d.scale {
		panic(fmt.Sprintf("%s needs more than %d digits after the point", d, scale))
	}
	if d.units == nil {
		return new(big.Int)
	}
	return new(big.Int).Mul(d.units, pow10(scale-d.scale))
}

func (d Decimal) add(e Decimal) Decimal {
	scale := max(d.scale, e.scale)
	return decimal(new(big.Int).Add(d.at(scale), e.at(scale)), scale)
}

func (d Decimal) sub(e Decimal) Decimal {
	scale := max(d.scale, e.scale)
	return decimal(new(big.Int).Sub(d.at(scale), e.at(scale)), scale)
}

func (d Decimal) mul(e Decimal) Decimal {
	return decimal(new(big.Int).Mul(d.at(d.scale), e.at(e.scale)), d.scale+e.scale)
}

// String writes d without trailing zeros.
func (d Decimal) String() string { return d.fixed(d.scale) }

// fixed writes d with so many digits after the point, not fewer than it needs.
func (d Decimal) fixed(scale int) string {
	text := d.at(scale).String()
	if scale == 0 {
		return text
	}
	if len(text) <= scale {
		text = strings.Repeat("0", scale+1-len(text)) + text
	}
	return text[:len(text)-scale] + "." + text[len(text)-scale:]
}

// intDigits is the number of digits before the point.
func (d Decimal) intDigits() int {
	n := new(big.Int).Quo(d.at(d.scale), pow10(d.scale))
	if n.Sign() == 0 {
		return 0
	}
	return len(n.String())
}
