package page

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible is a text from outside as a page has it: what has no appearance, or would
// turn the direction of what stands beside it, is spelled out.
func Visible(s string) string {
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

// Width is about how many letters' room a text takes: those of wide scripts take two.
func Width(s string) (letters int) {
	for _, r := range s {
		if letters++; r >= 0x1100 && r < 0x2000 || r >= 0x2e80 {
			letters++
		}
	}
	return letters
}

// Cut is a text of at most that many letters' room by [Width].
func Cut(s string, most int) string {
	if Width(s) <= most {
		return s
	}
	var out strings.Builder
	room := most - 1
	for _, r := range s {
		if room -= Width(string(r)); room < 0 {
			break
		}
		out.WriteRune(r)
	}
	return out.String() + "…"
}

// magnitudes are the sizes that a scale's numbers are shortened by.
var magnitudes = []struct {
	zeros int
	name  string
}{{15, " × 10¹⁵"}, {12, " tn"}, {9, " bn"}, {6, " M"}}

// Brief writes a round number for a scale: "20,000", "1.5 M".
func Brief(n *big.Rat) string {
	for _, m := range magnitudes {
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(m.zeros)), nil))
		if new(big.Rat).Abs(n).Cmp(unit) >= 0 {
			return Group(trim(new(big.Rat).Quo(n, unit).FloatString(scaleDigits), 0)) + m.name
		}
	}
	return Group(trim(n.FloatString(scaleDigits), 0))
}

// scaleDigits is more digits than a mark of a scale has: the smallest amount is of 12.
const scaleDigits = 13

// A span is a piece of a text: words, what people type, or a value of the result.
type span struct {
	Words string
	Code  bool
	Cell  *cell
}

// prose is a text whose parts between backticks are what people type.
func prose(s string) (list []span) {
	for i, words := range strings.Split(Visible(s), "`") {
		if words != "" {
			list = append(list, span{Words: words, Code: i%2 == 1})
		}
	}
	return list
}

// text fills the columns that a text names in braces with their values in a row. What
// names no column is words.
func (p *Part) text(s string, row int) (list []span) {
	for {
		before, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		column := p.Query.column(name)
		if !ok || !closed || column < 0 || row >= len(p.Query.Rows) {
			return append(list, prose(s)...)
		}
		list = append(list, prose(before)...)
		c := p.cell(row, column)
		list = append(list, span{Cell: &c})
		s = after
	}
}
