package when

import (
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Scale and IntDigits are the digits that a number keeps after the point, and
// the most it may have before it: together the 38 of the widest decimal.
const (
	Scale     = 18
	IntDigits = 20
)

var tooLarge = decimal128.GetScaleMultiplier(Scale + IntDigits)

// number reads a plain decimal in units of 10^-18; see the package comment.
func number(text string) (decimal128.Num, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if !allDigits(whole) || len(whole) > 1 && whole[0] == '0' || len(whole) > IntDigits || dotted && !allDigits(fraction) {
		return decimal128.Num{}, false
	}
	up := len(fraction) > Scale && fraction[Scale] >= '5'
	fraction = fraction[:min(len(fraction), Scale)]
	var hi, lo uint64
	for _, c := range []byte(whole) {
		hi, lo = timesTen(hi, lo, c-'0')
	}
	for _, c := range []byte(fraction) {
		hi, lo = timesTen(hi, lo, c-'0')
	}
	for range Scale - len(fraction) {
		hi, lo = timesTen(hi, lo, 0)
	}
	if up {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
	}
	n := decimal128.New(int64(hi), lo) // 38 digits leave the sign bit free
	if !n.Less(tooLarge) {
		return decimal128.Num{}, false
	}
	if negative {
		n = n.Negate()
	}
	return n, true
}

func timesTen(hi, lo uint64, plus byte) (uint64, uint64) {
	over, low := bits.Mul64(lo, 10)
	low, carry := bits.Add64(low, uint64(plus), 0)
	return hi*10 + over + carry, low
}

// allDigits reports whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
