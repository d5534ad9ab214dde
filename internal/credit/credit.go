// Package credit is the unit of usage: a decimal with six fractional digits.
//
// One call's credits fit DECIMAL(18,6); every sum, bucket and balance is
// DECIMAL(38,6) (SPEC section 1). An Amount is exact: it is an integer number of
// millionths, and a sum that would not fit panics with [fixed.Overflow] rather
// than wrap.
package credit

import (
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/fixed"
)

// Scale is the number of fractional digits of an Amount.
const Scale = 6

// An Amount is a number of credits. The zero value is no credits; Amounts
// compare with == and [Amount.Cmp].
type Amount struct{ micro decimal128.Num }

// Parse reads a plain decimal of at most 32 integer and 6 fractional digits.
func Parse(s string) (Amount, error) {
	n, err := fixed.Parse(s, Scale)
	return Amount{n}, err
}

// FromMicro returns n millionths of a credit.
func FromMicro(n int64) Amount { return Amount{decimal128.FromI64(n)} }

// FromInt returns n whole credits.
func FromInt(n int64) Amount { return Amount{decimal128.FromI64(n).Mul(decimal128.FromI64(1_000_000))} }

// FromNum returns the credits that a DECIMAL(_, 6) column holds.
func FromNum(n decimal128.Num) Amount { return Amount{n} }

// Num returns what a DECIMAL(_, 6) column holds for a.
func (a Amount) Num() decimal128.Num { return a.micro }

// Rat returns a as an exact rational.
func (a Amount) Rat() *big.Rat { return new(big.Rat).SetFrac(a.micro.BigInt(), big.NewInt(1_000_000)) }

// Round returns r to six digits, halves away from zero; fixed.ErrRange where it
// does not fit.
func Round(r *big.Rat) (Amount, error) {
	n, err := fixed.FromBig(fixed.Quotient(new(big.Int).Mul(r.Num(), big.NewInt(1_000_000)), r.Denom()))
	return Amount{n}, err
}

// Add returns a + b.
func (a Amount) Add(b Amount) Amount { return Amount{fixed.Add(a.micro, b.micro)} }

// Sub returns a - b.
func (a Amount) Sub(b Amount) Amount { return Amount{fixed.Add(a.micro, b.micro.Negate())} }

// Cmp is negative, zero or positive as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) int { return a.micro.Cmp(b.micro) }

// Less reports whether a < b.
func (a Amount) Less(b Amount) bool { return a.micro.Less(b.micro) }

// Sign is -1, 0 or 1.
func (a Amount) Sign() int { return a.micro.Sign() }

// IsZero reports whether a is no credits.
func (a Amount) IsZero() bool { return a == Amount{} }

// Min returns the smaller of a and b.
func Min(a, b Amount) Amount {
	if b.Less(a) {
		return b
	}
	return a
}

// String writes a without trailing zeros: "5713067.4".
func (a Amount) String() string { return fixed.Format(a.micro, Scale, 0) }

// Micro returns a as millionths, and whether they fit 64 bits; where they do not,
// the number means nothing.
func (a Amount) Micro() (n int64, fits bool) {
	n = int64(a.micro.LowBits())
	return n, a.micro.HighBits() == n>>63
}
