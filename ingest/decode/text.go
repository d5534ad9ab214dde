package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by its high bit, the first byte of w that a string cannot simply
// pass over: a quote, a backslash, a control character, or one beyond ASCII.
// Bytes above the first marked one may be marked in error.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return (w | (quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & highs
}

// str checks a string from behind its opening quote and returns where its closing
// quote is.
func (s *scanner) str(i int) (end int, escaped bool) {
	b := s.b
	for {
		m := special(binary.LittleEndian.Uint64(b[i:]))
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		switch c := b[i]; {
		case c == '"':
			return i, escaped
		case c == '\\':
			escaped = true
			if i = s.escape(i); i < 0 {
				return -1, false
			}
		case c < ' ':
			return s.fail(i, "a control character in a string"), false
		default:
			r, size := utf8.DecodeRune(b[i:s.end])
			if r == utf8.RuneError && size < 2 {
				return s.fail(i, "not UTF-8"), false
			}
			i += size
		}
	}
}

// escape checks the escape at b[i] and returns where it ends.
func (s *scanner) escape(i int) int {
	switch s.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if _, ok := hexDigit(s.b[k]); !ok {
				return s.fail(k, "expected a hexadecimal digit")
			}
		}
		return i + 6
	default:
		return s.fail(i+1, "no such escape")
	}
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case c-'0' < 10:
		return rune(c - '0'), true
	case c|0x20-'a' < 6:
		return rune(c|0x20-'a') + 10, true
	default:
		return 0, false
	}
}
