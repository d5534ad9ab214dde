package price

import (
	"math/big"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
)

// values are those of a dimension or quantity that a condition lets through, or
// all that it can have.
type values struct {
	null     bool
	texts    []string
	patterns []string   // of texts
	numbers  []interval // of a quantity, or of texts by the number that they are
	test     when.Test
}

// An interval holds its ends, in units of the last digit that a number keeps: so
// each range of numbers is one interval.
type interval struct{ low, high *big.Int }

// everyValue is what a name can be at all: every call has an account and a source,
// and a quantity is never negative (SPEC section 3).
func everyValue(name, columnType string) values {
	if isQuantity(columnType) {
		return values{null: true, numbers: []interval{everyNumber(columnType)}}
	}
	return values{null: name != "account" && name != "source", patterns: []string{"*"}}
}

func everyNumber(columnType string) interval {
	if columnType == lake.DimensionType {
		return interval{new(big.Int).Neg(capacity), capacity}
	}
	return interval{new(big.Int), quantityMost(columnType).at(quantityScale(columnType))}
}

// valuesOf are the values that a condition lets through and that its name can have.
func valuesOf(c when.Condition, columnType string) values {
	every := everyValue(c.Name, columnType)
	set := values{test: c.Test}
	for _, m := range c.Test.Members() {
		switch {
		case m.Kind == when.Null:
			set.null = set.null || every.null
		case m.Kind == when.Range:
			set.add(m.Bounds, columnType)
		case m.Kind == when.Number || isQuantity(columnType):
			set.add([]when.Bound{{Op: "gte", Text: m.Text}, {Op: "lte", Text: m.Text}}, columnType)
		case m.Kind == when.Wildcard:
			set.patterns = append(set.patterns, m.Text)
		default:
			set.texts = append(set.texts, m.Text)
		}
	}
	slices.SortFunc(set.numbers, func(a, b interval) int { return a.low.Cmp(b.low) })
	return set
}

// add adds the numbers within all bounds.
func (s *values) add(bounds []when.Bound, columnType string) {
	i := everyNumber(columnType)
	scale := when.Scale
	if isQuantity(columnType) {
		scale = quantityScale(columnType)
	}
	unit := pow10(when.Scale - scale)
	for _, b := range bounds {
		at := signed(b.Text)
		down := new(big.Int).Div(at, unit)
		up := new(big.Int).Neg(new(big.Int).Div(new(big.Int).Neg(at), unit))
		switch b.Op {
		case "gte":
			i.low = larger(i.low, up)
		case "gt":
			i.low = larger(i.low, down.Add(down, one))
		case "lte":
			i.high = smaller(i.high, down)
		case "lt":
			i.high = smaller(i.high, up.Sub(up, one))
		}
	}
	if i.low.Cmp(i.high) <= 0 {
		s.numbers = append(s.numbers, i)
	}
}

// signed is a plain decimal in units of 10^-18.
func signed(text string) *big.Int {
	digits, negative := strings.CutPrefix(text, "-")
	n := parseDecimal(digits).at(when.Scale)
	if negative {
		n.Neg(n)
	}
	return n
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}

func smaller(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return b
	}
	return a
}

// none: no value is let through.
func (s values) none() bool {
	return !s.null && len(s.texts)+len(s.patterns)+len(s.numbers) == 0
}

// within reports whether every value of s is certainly one of t, of the same name.
func (s values) within(t values) bool {
	if s.null && !t.null || slices.ContainsFunc(s.texts, func(text string) bool { return !t.holds(text) }) {
		return false
	}
	for _, pattern := range s.patterns {
		if more, sure := someText([]string{pattern}, t.patterns); more || !sure {
			return false
		}
	}
	return slices.ContainsFunc(t.patterns, matchesEverything) || covered(s.numbers, t.numbers)
}

// apart reports whether certainly no value is one of s and of t, of the same name.
func (s values) apart(t values) bool {
	switch {
	case s.null && t.null,
		slices.ContainsFunc(s.texts, t.holds), slices.ContainsFunc(t.texts, s.holds),
		len(s.numbers) > 0 && len(t.patterns) > 0, len(t.numbers) > 0 && len(s.patterns) > 0:
		return false
	}
	for _, pattern := range s.patterns {
		if slices.ContainsFunc(t.patterns, func(another string) bool { return overlap(pattern, another) }) {
			return false
		}
	}
	for _, i := range s.numbers {
		if slices.ContainsFunc(t.numbers, func(k interval) bool { return i.low.Cmp(k.high) <= 0 && k.low.Cmp(i.high) <= 0 }) {
			return false
		}
	}
	return true
}

// holds reports whether a text is one of the values of a dimension.
func (s values) holds(text string) bool {
	return s.test.Match(when.Value{Text: text}) || slices.ContainsFunc(s.patterns, func(pattern string) bool { return when.Like(pattern, text) })
}

func matchesEverything(pattern string) bool { return strings.Trim(pattern, "*") == "" }

// covered reports whether intervals lie in others, which may do it together. These
// go upwards by their low ends.
func covered(all, by []interval) bool {
	for _, i := range all {
		next := i.low // the first number that is not covered yet
		for _, k := range by {
			if k.low.Cmp(next) <= 0 && k.high.Cmp(next) >= 0 {
				next = new(big.Int).Add(k.high, one)
			}
		}
		if next.Cmp(i.high) <= 0 {
			return false
		}
	}
	return true
}
