// Package money holds amounts and unit prices in a currency.
//
// An Amount is DECIMAL(38,4), a Price DECIMAL(38,12) (SPEC section 1). Amounts
// are made from exact rationals in one place, [Currency.Round]: to the currency's
// ISO 4217 minor unit, halves away from zero.
package money

import (
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/fixed"
)

// Fractional digits of the two types.
const (
	AmountScale = 4
	PriceScale  = 12
)

// An Amount is an amount of money of no particular currency: the account it
// belongs to has one. The zero value is nothing.
type Amount struct{ units decimal128.Num }

// ParseAmount reads a plain decimal of at most 34 integer and 4 fractional digits.
func ParseAmount(s string) (Amount, error) {
	n, err := fixed.Parse(s, AmountScale)
	return Amount{n}, err
}

// AmountFromNum returns the amount that a DECIMAL(38,4) column holds.
func AmountFromNum(n decimal128.Num) Amount { return Amount{n} }

// Num returns what a DECIMAL(38,4) column holds for a.
func (a Amount) Num() decimal128.Num { return a.units }

// Rat returns a as an exact rational.
func (a Amount) Rat() *big.Rat { return new(big.Rat).SetFrac(a.units.BigInt(), big.NewInt(10_000)) }

// Add returns a + b; it panics with fixed.Overflow past 38 digits.
func (a Amount) Add(b Amount) Amount { return Amount{fixed.Add(a.units, b.units)} }

// Sub returns a - b.
func (a Amount) Sub(b Amount) Amount { return Amount{fixed.Add(a.units, b.units.Negate())} }

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{a.units.Negate()} }

// Cmp is negative, zero or positive as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) int { return a.units.Cmp(b.units) }

// Sign is -1, 0 or 1.
func (a Amount) Sign() int { return a.units.Sign() }

// IsZero reports whether a is nothing.
func (a Amount) IsZero() bool { return a == Amount{} }

// String writes a without trailing zeros; [Currency.Format] writes it as people do.
func (a Amount) String() string { return fixed.Format(a.units, AmountScale, 0) }

// A Price is an exact unit price, or a plan's or pack's price before it becomes
// an amount.
type Price struct{ units decimal128.Num }

// ParsePrice reads a plain decimal of at most 26 integer and 12 fractional digits.
func ParsePrice(s string) (Price, error) {
	n, err := fixed.Parse(s, PriceScale)
	return Price{n}, err
}

// PriceFromNum returns the price that a DECIMAL(38,12) column holds.
func PriceFromNum(n decimal128.Num) Price { return Price{n} }

// Num returns what a DECIMAL(38,12) column holds for p.
func (p Price) Num() decimal128.Num { return p.units }

// Rat returns p as an exact rational.
func (p Price) Rat() *big.Rat {
	return new(big.Rat).SetFrac(p.units.BigInt(), decimal128.GetScaleMultiplier(PriceScale).BigInt())
}

// Sign is -1, 0 or 1.
func (p Price) Sign() int { return p.units.Sign() }

// String writes p without trailing zeros.
func (p Price) String() string { return fixed.Format(p.units, PriceScale, 0) }

// RoundPrice returns r to twelve digits, halves away from zero: what a unit
// price per credit is shown as. It prices nothing; amounts are made from r.
func RoundPrice(r *big.Rat) (Price, error) {
	scale := decimal128.GetScaleMultiplier(PriceScale).BigInt()
	n, err := fixed.FromBig(fixed.Quotient(scale.Mul(scale, r.Num()), r.Denom()))
	return Price{n}, err
}
