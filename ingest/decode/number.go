package decode

// A number is decimal text taken apart: digits × 10^exp, with no sign.
type number struct {
	negative bool
	digits   [40]byte // the first significant digits; their values, not their characters
	n        int      // how many there are, at most len(digits)
	exp      int      // of the last of digits
	more     bool     // digits behind the kept ones that are not all zero
}

// What can be wrong with a quantity, in the order in which it is said.
type numberFault uint8

const (
	numberOK numberFault = iota
	numberBad
	numberNegative
	numberOverflow
)

// maxExponent bounds what is read of an exponent: beyond it every number is zero
// or overflows.
const maxExponent = 1 << 20

// parse reads -?\d+(\.\d+)?([eE][+-]?\d+)?: what JSON takes, and zeros in front,
// which number strings may have.
func (x *number) parse(text []byte) bool {
	*x = number{}
	i := 0
	if i < len(text) && text[i] == '-' {
		x.negative = true
		i++
	}
	start := i
	for ; i < len(text) && text[i]-'0' < 10; i++ {
		x.add(text[i]-'0', false)
	}
	if i == start {
		return false
	}
	if i < len(text) && text[i] == '.' {
		i++
		start = i
		for ; i < len(text) && text[i]-'0' < 10; i++ {
			x.add(text[i]-'0', true)
		}
		if i == start {
			return false
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		down := false
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			down = text[i] == '-'
			i++
		}
		start = i
		exp := 0
		for ; i < len(text) && text[i]-'0' < 10; i++ {
			if exp < maxExponent*4 {
				exp = exp*10 + int(text[i]-'0')
			}
		}
		if i == start {
			return false
		}
		if down {
			exp = -exp
		}
		x.exp += exp
	}
	return i == len(text)
}

func (x *number) add(digit byte, fraction bool) {
	switch {
	case x.n == 0 && digit == 0: // a leading zero
		if fraction {
			x.exp--
		}
	case x.n < len(x.digits):
		x.digits[x.n] = digit
		x.n++
		if fraction {
			x.exp--
		}
	default:
		x.more = x.more || digit != 0
		if !fraction {
			x.exp++
		}
	}
}

// scaled returns x × 10^scale as an integer, halves away from zero; exact says
// whether nothing was rounded off. ok is false where it would be over limit.
func (x *number) scaled(scale int, limit int64) (value int64, exact, ok bool) {
	exp := x.exp + scale
	last := x.n // digits that count in full
	if exp < 0 {
		last = max(x.n+exp, -1)
	}
	for i := range max(last, 0) {
		if value > (limit-int64(x.digits[i]))/10 {
			return 0, false, false
		}
		value = value*10 + int64(x.digits[i])
	}
	if exp >= 0 {
		for range exp {
			if value == 0 {
				break
			}
			if value > limit/10 {
				return 0, false, false
			}
			value *= 10
		}
		return value, !x.more, true
	}
	exact = !x.more
	for i := max(last, 0); i < x.n; i++ {
		exact = exact && x.digits[i] == 0
	}
	if last >= 0 && last < x.n && x.digits[last] >= 5 {
		if value == limit {
			return 0, false, false
		}
		value++
	}
	return value, exact, true
}

func (x *number) zero() bool { return x.n == 0 }

const maxInt64 = 1<<63 - 1

// parseInteger reads a BIGINT quantity: any integral value (3.0 and 1e3 too).
func parseInteger(text []byte) (int64, numberFault) {
	if len(text) > 0 && len(text) < 19 {
		value := int64(0)
		i := 0
		for ; i < len(text) && text[i]-'0' < 10; i++ {
			value = value*10 + int64(text[i]-'0')
		}
		if i == len(text) {
			return value, numberOK
		}
	}
	var x number
	if !x.parse(text) {
		return 0, numberBad
	}
	value, exact, ok := x.scaled(0, maxInt64)
	switch {
	case ok && !exact:
		return 0, numberBad
	case x.negative && !x.zero():
		return 0, numberNegative
	case !ok:
		return 0, numberOverflow
	}
	return value, numberOK
}

const maxDecimal = 999_999_999_999_999_999 // DECIMAL(18,6) in millionths

// parseDecimal reads a DECIMAL(18,6) quantity as millionths; finer digits round
// half away from zero.
func parseDecimal(text []byte) (int64, numberFault) {
	var x number
	if !x.parse(text) {
		return 0, numberBad
	}
	value, _, ok := x.scaled(6, maxDecimal)
	switch {
	case x.negative && !x.zero():
		return 0, numberNegative
	case !ok:
		return 0, numberOverflow
	}
	return value, numberOK
}

// parseUnix reads a count of 10^-scale seconds as microseconds, finer ones cut
// off (towards the past).
func parseUnix(text []byte, scale int) (int64, bool) {
	var x number
	if !x.parse(text) {
		return 0, false
	}
	exp := x.exp + 6 - scale
	value := int64(0)
	kept := x.n
	if exp < 0 {
		kept = max(x.n+exp, 0)
	}
	for _, digit := range x.digits[:kept] {
		if value > maxDecimal/10 {
			return 0, false
		}
		value = value*10 + int64(digit)
	}
	for range max(exp, 0) {
		if value == 0 {
			break
		}
		if value > maxDecimal/10 {
			return 0, false
		}
		value *= 10
	}
	if x.negative {
		value = -value
		cut := x.more
		for _, digit := range x.digits[kept:x.n] {
			cut = cut || digit != 0
		}
		if cut {
			value--
		}
	}
	return value, value >= minMicros && value <= maxMicros
}
