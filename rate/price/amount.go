package price

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/lake"
)

// errInexact is a charge that 38 digits cannot hold exactly.
var errInexact = errors.New("this charge cannot be worked out exactly in 38 digits")

// An amount is an SQL expression for a non-negative number of type
// DECIMAL(38, scale), or NULL, with the greatest value that it can have. The
// bound is what makes a charge safe: every operation below is emitted only where
// its result is known to fit.
type amount struct {
	sql   string
	scale int
	most  *big.Int // in units of 10^-scale
}

var capacity = new(big.Int).Sub(pow10(fixed.Precision), one)

// fits fails where the amount could leave 38 digits.
func (a amount) fits() (amount, error) {
	if a.scale > fixed.Precision || a.most.Cmp(capacity) > 0 {
		return a, errInexact
	}
	return a, nil
}

// sqlDecimal writes d as DECIMAL(38, scale), marked.
func sqlDecimal(d Decimal, scale int) string { return marked(d.fixed(scale), scale) }

func constant(d Decimal, scale int) amount { return amount{sqlDecimal(d, scale), scale, d.at(scale)} }

// quantityScale is the number of digits after the point of a quantity's column.
func quantityScale(columnType string) int {
	if columnType == lake.DecimalQuantityType {
		return 6
	}
	return 0
}

// quantityMost is the greatest value of a quantity's column.
func quantityMost(columnType string) Decimal {
	if columnType == lake.DecimalQuantityType {
		return decimal(new(big.Int).Sub(pow10(18), one), 6)
	}
	return decimal(new(big.Int).Sub(new(big.Int).Lsh(one, 63), one), 0)
}

// columns says how a quantity or text is written in SQL and what type it has.
type columns struct {
	types   map[string]string
	missing map[string]bool // not recorded in the lake yet: NULL in every row
}

func (c columns) sql(name string) string {
	if c.missing[name] {
		return "CAST(NULL AS " + c.types[name] + ")"
	}
	return duck.Identifier(name)
}

// clamp keeps an amount within minimum and maximum.
func (a amount) clamp(minimum, maximum *Decimal) amount {
	if minimum == nil && maximum == nil {
		return a
	}
	scale := a.scale
	var cases strings.Builder
	for _, limit := range []*Decimal{minimum, maximum} {
		if limit != nil {
			scale = max(scale, limit.scale)
		}
	}
	wide := a.rescale(scale)
	if minimum != nil {
		fmt.Fprintf(&cases, " WHEN %s < %s THEN %s", wide.sql, sqlDecimal(*minimum, scale), sqlDecimal(*minimum, scale))
		if wide.most.Cmp(minimum.at(scale)) < 0 {
			wide.most = minimum.at(scale)
		}
	}
	if maximum != nil {
		fmt.Fprintf(&cases, " WHEN %s > %s THEN %s", wide.sql, sqlDecimal(*maximum, scale), sqlDecimal(*maximum, scale))
		if wide.most.Cmp(maximum.at(scale)) > 0 {
			wide.most = maximum.at(scale)
		}
	}
	// Not greatest() and least(): with NULL they differ between engines.
	wide.sql = "CASE" + cases.String() + " ELSE " + wide.sql + " END"
	return wide
}

// rescale gives an amount more digits after the point.
func (a amount) rescale(scale int) amount {
	if scale == a.scale {
		return a
	}
	most := new(big.Int).Mul(a.most, pow10(scale-a.scale))
	return amount{fmt.Sprintf("CAST(%s AS DECIMAL(38,%d))", a.sql, scale), scale, most}
}

// roundUp rounds up to a multiple of step, whose inverse is a decimal.
func (a amount) roundUp(step Decimal) (amount, error) {
	inverse, ok := quotient(whole(1), step, priceDigits)
	if !ok {
		return a, errInexact
	}
	times := new(big.Int).Mul(a.most, inverse.at(inverse.scale))
	if a.scale+inverse.scale > fixed.Precision || times.Cmp(capacity) > 0 {
		// Multiples of step have no more digits than step: round up to those first.
		// Just under a half is added, so that rounding to the nearest is rounding up.
		if a.scale <= step.scale || a.scale > fixed.Precision-1 || new(big.Int).Mul(a.most, big.NewInt(2)).Cmp(capacity) > 0 {
			return a, errInexact
		}
		almostHalf := decimal(new(big.Int).Sub(new(big.Int).Quo(pow10(a.scale-step.scale), big.NewInt(2)), one), a.scale)
		most := new(big.Int).Add(new(big.Int).Quo(a.most, pow10(a.scale-step.scale)), one)
		a.sql = fmt.Sprintf("CAST(%s + %s AS DECIMAL(38,%d))", a.sql, sqlDecimal(almostHalf, a.scale), step.scale)
		a.scale, a.most = step.scale, most
		times.Mul(most, inverse.at(inverse.scale))
		if a.scale+inverse.scale > fixed.Precision || times.Cmp(capacity) > 0 {
			return a, errInexact
		}
	}
	multiples := a.sql
	if inverse.Cmp(whole(1)) != 0 {
		multiples += " * " + sqlDecimal(inverse, inverse.scale)
	}
	count := new(big.Int).Add(new(big.Int).Quo(times, pow10(a.scale+inverse.scale)), one)
	sql := "ceil(" + multiples + ")"
	if step.Cmp(whole(1)) != 0 {
		sql += " * " + sqlDecimal(step, step.scale)
	} else {
		sql = "CAST(" + sql + " AS DECIMAL(38,0))"
	}
	return amount{sql, step.scale, count.Mul(count, step.at(step.scale))}.fits()
}

// credits rounds to the digits of the column credits: here, once, halves away
// from zero. It is NULL where the amount does not fit.
func (a amount) credits() string {
	rounded := "TRY_CAST(" + a.sql + " AS DECIMAL(18,6))"
	if a.scale <= 6 || a.scale > 12 {
		return rounded
	}
	// DuckDB divides 128-bit numbers slowly: what fits 64 bits goes first.
	return fmt.Sprintf("COALESCE(TRY_CAST(TRY_CAST(%s AS DECIMAL(18,%d)) AS DECIMAL(18,6)), %s)", a.sql, a.scale, rounded)
}
