// Package when is the grammar of `when` in price rules and of `where` in sources
// (SPEC sections 3, 4 and 14, points 8, 11 and 42): conditions on named values,
// all of which must hold.
//
// The package holds no state and does no I/O. It says what a condition means in
// Go; rate/price says the same in SQL, and a test holds the two to each other.
//
// A text counts as a number only when it is a plain decimal as JSON writes one:
// an optional minus, digits without a leading zero, and optionally a point and
// more digits. "+5", " 5", "05", ".5", "1e3" and "0x1" are texts. Numbers are
// compared at 18 fractional digits, finer ones rounded half away from zero; one
// that needs more than 20 digits before the point counts as text.
package when

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A Condition is one entry of a `when`: what it names, and the test that the
// value must pass. Node is the entry's value, for what a caller finds wrong.
type Condition struct {
	Name string
	Node yamlfile.Node
	Test Test
}

// A Value is what a test is asked about.
type Value struct {
	Text   string // as written; of a quantity its plain decimal
	Null   bool   // absent: only `null` matches it
	Number bool   // a quantity: equality goes by value
}

// A Test holds when any of its members does. The zero Test never holds.
type Test struct{ members []Member }

// Kind tells what a [Member] compares.
type Kind int

// The kinds of members.
const (
	Equal    Kind = iota // the text is equal; against a quantity, the number
	Wildcard             // the text matches, where * stands for any run of characters
	Number               // the number is equal
	Range                // the number is within all bounds
	Null                 // the value is NULL
)

// A Member is one alternative of a [Test].
type Member struct {
	Kind   Kind
	Text   string  // of Equal, Wildcard and, as a plain decimal, Number
	Bounds []Bound // of Range, at least one
	number decimal128.Num
	isOne  bool // number holds the value of Text
}

// A Bound is one end of a range.
type Bound struct {
	Op     string // gt, gte, lt or lte
	Text   string // a plain decimal
	number decimal128.Num
}

// Members returns the alternatives, at least one unless the test is zero. The
// caller must not change them.
func (t Test) Members() []Member { return t.members }

// Match reports whether v passes the test.
func (t Test) Match(v Value) bool {
	for i := range t.members {
		if t.members[i].match(v) {
			return true
		}
	}
	return false
}

func (m *Member) match(v Value) bool {
	if v.Null || m.Kind == Null {
		return v.Null && m.Kind == Null
	}
	switch {
	case m.Kind == Equal && !v.Number:
		return v.Text == m.Text
	case m.Kind == Wildcard:
		return !v.Number && Like(m.Text, v.Text)
	}
	n, ok := number(v.Text)
	if !ok {
		return false
	}
	if m.Kind == Range {
		for _, b := range m.Bounds {
			if !b.holds(n) {
				return false
			}
		}
		return true
	}
	return m.isOne && n == m.number
}

func (b Bound) holds(n decimal128.Num) bool {
	switch c := n.Cmp(b.number); b.Op {
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	case "lt":
		return c < 0
	default:
		return c <= 0
	}
}

// Like reports whether text matches pattern, in which * stands for any run of
// characters, also none, and every other character for itself.
func Like(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, head) {
		return false
	}
	if !wild {
		return len(text) == len(head)
	}
	text = text[len(head):]
	for {
		part, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(text, part)
		}
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text, rest = text[at+len(part):], more
	}
}

// IsNumber reports whether text counts as a number here.
func IsNumber(text string) bool {
	_, ok := number(text)
	return ok
}
