package money

import (
	"fmt"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/fixed"
)

// A Currency is an ISO 4217 currency with its minor unit. The zero value is none.
type Currency struct {
	code   string
	digits int
}

// ParseCurrency reads an ISO 4217 code in capitals ("USD"): one that can be billed in.
// Unknown codes are an error, and codes of ISO 4217 without a minor unit (gold, XAU).
func ParseCurrency(code string) (Currency, error) {
	digits, known := minorUnit(code)
	switch {
	case !known:
		return Currency{}, fmt.Errorf("%q is no ISO 4217 currency code (three capitals, such as USD)", code)
	case digits < 0:
		return Currency{}, fmt.Errorf("%q has no minor unit in ISO 4217, so nothing can be billed in it: name a currency, such as USD", code)
	default:
		return Currency{code, digits}, nil
	}
}

// String is the ISO 4217 code.
func (c Currency) String() string { return c.code }

// Digits is the number of fractional digits of the minor unit: USD 2, JPY 0, KWD 3.
func (c Currency) Digits() int { return c.digits }

// IsZero reports whether c is no currency.
func (c Currency) IsZero() bool { return c == Currency{} }

// Round returns r to c's minor unit, halves away from zero. It is the one
// rounding of money (SPEC section 1); fixed.ErrRange where it does not fit.
func (c Currency) Round(r *big.Rat) (Amount, error) { return c.RoundFraction(r.Num(), r.Denom()) }

// RoundFraction is Round of num/den, which need not be in lowest terms: finding
// them is most of the cost of a sum of fractions. den must not be zero.
func (c Currency) RoundFraction(num, den *big.Int) (Amount, error) {
	minor := decimal128.GetScaleMultiplier(c.digits).BigInt()
	units := fixed.Quotient(new(big.Int).Mul(num, minor), den)
	units.Mul(units, decimal128.GetScaleMultiplier(AmountScale-c.digits).BigInt())
	n, err := fixed.FromBig(units)
	return Amount{n}, err
}

// Format writes an amount with c's own digits: "99.00", "1200".
func (c Currency) Format(a Amount) string { return fixed.Format(a.units, AmountScale, c.digits) }
