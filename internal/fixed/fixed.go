// Package fixed holds the arithmetic that credits and money share: decimals of
// a fixed scale in a 128-bit integer, parsed and printed exactly, added with a
// check. No binary float ever takes part, and nothing here rounds but
// [Quotient], which says how.
package fixed

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Precision is the number of digits a DECIMAL(38, s) column holds.
const Precision = 38

// What can be wrong with a decimal written as text.
var (
	ErrSyntax = errors.New("not a decimal number")
	ErrScale  = errors.New("too many fractional digits")
	ErrRange  = errors.New("too many digits")
)

// An Overflow is the panic of a sum that left DECIMAL(38). The engine that adds
// on behalf of one account recovers it and names the account; a sum never wraps.
type Overflow struct{ A, B decimal128.Num }

func (o Overflow) Error() string {
	return fmt.Sprintf("a sum of %s and %s units does not fit 38 digits", o.A.BigInt(), o.B.BigInt())
}

var limit = decimal128.GetScaleMultiplier(Precision)

// Fits reports whether n has at most 38 digits.
func Fits(n decimal128.Num) bool { return n.Abs().Sign() >= 0 && n.Abs().Less(limit) }

// Add returns a + b, and panics with an [Overflow] where that leaves 38 digits.
func Add(a, b decimal128.Num) decimal128.Num {
	lo, carry := bits.Add64(a.LowBits(), b.LowBits(), 0)
	hi := a.HighBits() + b.HighBits() + int64(carry)
	sum := decimal128.New(hi, lo)
	// Small sums (less than 2^64 units either way) are most of them.
	if hi != 0 && hi != -1 && ((a.Sign() >= 0) == (b.Sign() >= 0) && (a.Sign() >= 0) != (hi >= 0) || !Fits(sum)) {
		panic(Overflow{a, b})
	}
	return sum
}

// Parse reads a plain decimal ("12", "-0.5", "1200.250000") into units of
// 10^-scale. Exponents, signs other than a leading minus, separators and blanks
// are refused: [ErrSyntax], [ErrScale] or [ErrRange].
func Parse(s string, scale int) (decimal128.Num, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if whole == "" || dotted && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return decimal128.Num{}, fmt.Errorf("%q: %w", s, ErrSyntax)
	}
	if fraction = strings.TrimRight(fraction, "0"); len(fraction) > scale {
		return decimal128.Num{}, fmt.Errorf("%q: %w: at most %d", s, ErrScale, scale)
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > Precision-scale {
		return decimal128.Num{}, fmt.Errorf("%q: %w: at most %d before the point", s, ErrRange, Precision-scale)
	}
	units, _ := new(big.Int).SetString("0"+whole+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if negative {
		units.Neg(units)
	}
	return decimal128.FromBigInt(units), nil
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Format writes n units of 10^-scale with at least min fractional digits and
// without further trailing zeros.
func Format(n decimal128.Num, scale, minDigits int) string {
	text := n.Abs().BigInt().String()
	if len(text) <= scale {
		text = strings.Repeat("0", scale+1-len(text)) + text
	}
	whole, fraction := text[:len(text)-scale], text[len(text)-scale:]
	for len(fraction) > minDigits && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if n.Sign() < 0 {
		whole = "-" + whole
	}
	return whole
}

// Quotient returns num/den rounded to an integer, halves away from zero. den
// must not be zero. It is the one place in creditmill where a number is rounded
// outside SQL; money.Round and credit.Round are its only callers.
func Quotient(num, den *big.Int) *big.Int {
	twice := new(big.Int).Abs(num)
	twice.Lsh(twice, 1)
	d := new(big.Int).Abs(den)
	twice.Add(twice, d).Quo(twice, d.Lsh(d, 1))
	if num.Sign()*den.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

// FromBig returns units as a 128-bit number, or [ErrRange] past 38 digits.
func FromBig(units *big.Int) (decimal128.Num, error) {
	if units.CmpAbs(limit.BigInt()) >= 0 {
		return decimal128.Num{}, ErrRange
	}
	return decimal128.FromBigInt(units), nil
}
