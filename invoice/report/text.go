package report

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/fixed"
)

// visible is a text from outside as the page has it: what has no appearance, or would
// turn the direction of what stands beside it, is spelled out.
func visible(s string) string {
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(s, string(utf8.RuneError)) {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		out.WriteString(quoted[1 : len(quoted)-1])
	}
	return out.String()
}

// width is about how many letters' room a text takes: those of wide scripts take two.
func width(s string) (letters int) {
	for _, r := range s {
		if letters++; r >= 0x1100 && r < 0x2000 || r >= 0x2e80 {
			letters++
		}
	}
	return letters
}

// cut is a text for a chart's label, of at most that many letters' room.
func cut(s string, most int) string {
	if width(s) <= most {
		return s
	}
	var out strings.Builder
	room := most - 1
	for _, r := range s {
		if room -= width(string(r)); room < 0 {
			break
		}
		out.WriteRune(r)
	}
	return out.String() + "…"
}

func count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// things writes a number of things: "1 call", "1,200 calls".
func things(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

func amount(unit string, n *big.Rat) string { return group(Text(unit, n)) }

// signed is an amount by which something changes.
func signed(unit string, n *big.Rat) string {
	if n.Sign() > 0 {
		return "+" + amount(unit, n)
	}
	return amount(unit, n)
}

// magnitudes are the sizes that a scale's numbers are shortened by.
var magnitudes = []struct {
	zeros int
	name  string
}{{15, " × 10¹⁵"}, {12, " tn"}, {9, " bn"}, {6, " M"}}

// brief writes a round number for a scale: "20,000", "1.5 M".
func brief(n *big.Rat) string {
	for _, m := range magnitudes {
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(m.zeros)), nil))
		if new(big.Rat).Abs(n).Cmp(unit) >= 0 {
			return group(Text(Credits, new(big.Rat).Quo(n, unit))) + m.name
		}
	}
	return group(Text(Credits, n))
}

// group writes a decimal as people do: thousands apart, and a real minus.
func group(decimal string) string { return strings.Replace(fixed.Group(decimal), "-", "−", 1) }
