package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// What a slot holds.
type slotKind uint8

const (
	slotNull slotKind = iota
	slotString
	slotNumber
	slotBool
	slotContainer // an object or a list
)

// A slot is a mapped value of the record at hand: the text of a string without
// its escapes, of a number as written. It points into the line or the arena and is
// good until the next record.
type slot struct {
	text []byte
	kind slotKind
}

// values are the mapped values of the record at hand, by node of the tree.
type values struct {
	seen  []uint32 // the record a node was last met in
	slots []slot
	turn  uint32 // this record
}

func newValues(t *tree) values {
	return values{seen: make([]uint32, len(t.nodes)), slots: make([]slot, len(t.nodes))}
}

// next forgets the record before.
func (v *values) next() {
	v.turn++
	if v.turn == 0 { // once in 4 billion records
		clear(v.seen)
		v.turn = 1
	}
}

// get returns the value of a node, which is slotNull where the record has none.
func (v *values) get(node int32) slot {
	if v.seen[node] != v.turn {
		return slot{}
	}
	return v.slots[node]
}

// A scanner reads one JSON object and keeps the values of a [tree]'s paths. It
// takes what RFC 8259 takes, and further wants: valid UTF-8, no nesting beyond
// maxDepth, and no mapped member, nor one on the way to it, given twice (what two
// readers may read in two ways is no record to bill by). Elsewhere a repeated
// name does no harm. Half of a surrogate pair (\ud800) is refused in mapped
// values, where it would make different ids the same.
//
// The line must be followed by a newline and seven more bytes that may be read,
// so that no step has to look where it ends: a newline ends strings, numbers and
// blanks alike.
type scanner struct {
	values
	b     []byte
	end   int
	tree  *tree
	guess [][]guess
	arena []byte
	fault string // why the last record is malformed
	at    int    // and where in the line
}

// A guess is a member that stood at this place in the record before: most logs
// write their fields in one order.
type guess struct {
	raw   []byte // `"name":`
	child int32
}

const (
	maxDepth   = 512
	maxGuesses = 128
	slack      = 8 // bytes behind a line that may be read; the first is a newline
)

func newScanner(t *tree) *scanner {
	return &scanner{values: newValues(t), tree: t, guess: make([][]guess, len(t.nodes))}
}

// scan reads b[:end], with b[end] a newline and len(b) >= end+slack.
func (s *scanner) scan(b []byte, end int) bool {
	s.b, s.end, s.fault, s.arena = b, end, "", s.arena[:0]
	s.next()
	i := s.blanks(0)
	if b[i] != '{' {
		// Say what is wrong with it, if it is no JSON at all.
		if j := s.skip(i, 0); j >= 0 && s.blanks(j) == end {
			s.fail(i, "not a JSON object")
		} else if j >= 0 {
			s.fail(s.blanks(j), "something follows the JSON value")
		}
		return false
	}
	if i = s.object(0, i, 1); i < 0 {
		return false
	}
	if i = s.blanks(i); i != end {
		s.fail(i, "something follows the object")
		return false
	}
	return true
}

func (s *scanner) fail(at int, why string) int {
	if s.fault == "" {
		s.fault, s.at = why, at
		if at >= s.end {
			s.fault = "the line ends inside the JSON value"
		}
	}
	return -1
}

func (s *scanner) blanks(i int) int {
	for s.b[i] == ' ' || s.b[i] == '\t' || s.b[i] == '\r' {
		i++
	}
	return i
}

// object reads the object at b[i], whose members are the children of node, and
// returns where it ends.
func (s *scanner) object(node int32, i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	i = s.blanks(i + 1)
	if s.b[i] == '}' {
		return i + 1
	}
	guesses := s.guess[node]
	for place := 0; ; place++ {
		var child int32
		if place < len(guesses) && hasPrefix(s.b[i:], guesses[place].raw) {
			child = guesses[place].child
			i += len(guesses[place].raw)
		} else if i, child = s.member(node, i, place); i < 0 {
			return -1
		}
		if s.b[i] <= ' ' {
			i = s.blanks(i)
		}
		if child == 0 {
			i = s.skip(i, depth)
		} else {
			i = s.value(child, i, depth)
		}
		if i < 0 {
			return -1
		}
		if s.b[i] <= ' ' {
			i = s.blanks(i)
		}
		switch s.b[i] {
		case ',':
			i++
			if s.b[i] <= ' ' {
				i = s.blanks(i)
			}
		case '}':
			return i + 1
		default:
			return s.fail(i, "expected , or }")
		}
	}
}

func hasPrefix(b, prefix []byte) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == string(prefix)
}

// member reads a name and its colon, and remembers both as the guess for place.
func (s *scanner) member(node int32, i, place int) (next int, child int32) {
	if s.b[i] != '"' {
		return s.fail(i, "expected a name in quotes"), 0
	}
	end, escaped := s.str(i + 1)
	if end < 0 {
		return -1, 0
	}
	name := s.b[i+1 : end]
	if escaped {
		var ok bool
		if name, ok = s.unescape(name); !ok {
			name = nil // no mapped path has half a surrogate pair
		}
	}
	child = s.tree.child(node, name)
	next = s.blanks(end + 1)
	if s.b[next] != ':' {
		return s.fail(next, "expected :"), 0
	}
	next++
	if guesses := s.guess[node]; !escaped && place < maxGuesses && next == end+2 {
		raw := append([]byte(nil), s.b[i:next]...)
		if place < len(guesses) {
			guesses[place] = guess{raw, child}
		} else if place == len(guesses) {
			s.guess[node] = append(guesses, guess{raw, child})
		}
	}
	return next, child
}

// value reads a mapped value, or an object on the way to one.
func (s *scanner) value(node int32, i, depth int) int {
	if s.seen[node] == s.turn {
		return s.fail(i, "a mapped field stands twice")
	}
	s.seen[node] = s.turn
	switch s.b[i] {
	case '"':
		end, escaped := s.str(i + 1)
		if end < 0 {
			return -1
		}
		text := s.b[i+1 : end]
		if escaped && s.tree.nodes[node].mapped {
			var ok bool
			if text, ok = s.unescape(text); !ok {
				return s.fail(i, "half of a surrogate pair")
			}
		}
		s.slots[node] = slot{text, slotString}
		return end + 1
	case '{':
		s.slots[node] = slot{nil, slotContainer}
		if s.tree.nodes[node].children == nil {
			return s.skip(i, depth)
		}
		return s.object(node, i, depth+1)
	case '[':
		s.slots[node] = slot{nil, slotContainer}
		return s.skip(i, depth)
	case 't', 'f':
		end := s.skip(i, depth)
		if end >= 0 {
			s.slots[node] = slot{s.b[i:end], slotBool}
		}
		return end
	case 'n':
		s.slots[node] = slot{}
		return s.skip(i, depth)
	default:
		end := s.number(i)
		if end >= 0 {
			s.slots[node] = slot{s.b[i:end], slotNumber}
		}
		return end
	}
}

// skip checks the value at b[i] and returns where it ends.
func (s *scanner) skip(i, depth int) int {
	switch s.b[i] {
	case '"':
		end, _ := s.str(i + 1)
		if end < 0 {
			return -1
		}
		return end + 1
	case '{':
		return s.skipObject(i, depth+1)
	case '[':
		return s.skipList(i, depth+1)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	default:
		return s.number(i)
	}
}

func (s *scanner) word(i int, word string) int {
	if b := s.b[i:]; len(b) < len(word) || string(b[:len(word)]) != word {
		return s.fail(i, "expected a value")
	}
	return i + len(word)
}

func (s *scanner) skipObject(i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	i = s.blanks(i + 1)
	if s.b[i] == '}' {
		return i + 1
	}
	for {
		if s.b[i] != '"' {
			return s.fail(i, "expected a name in quotes")
		}
		end, _ := s.str(i + 1)
		if end < 0 {
			return -1
		}
		if i = s.blanks(end + 1); s.b[i] != ':' {
			return s.fail(i, "expected :")
		}
		if i = s.skip(s.blanks(i+1), depth); i < 0 {
			return -1
		}
		i = s.blanks(i)
		if s.b[i] == '}' {
			return i + 1
		}
		if s.b[i] != ',' {
			return s.fail(i, "expected , or }")
		}
		i = s.blanks(i + 1)
	}
}

func (s *scanner) skipList(i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	i = s.blanks(i + 1)
	if s.b[i] == ']' {
		return i + 1
	}
	for {
		if i = s.skip(i, depth); i < 0 {
			return -1
		}
		i = s.blanks(i)
		if s.b[i] == ']' {
			return i + 1
		}
		if s.b[i] != ',' {
			return s.fail(i, "expected , or ]")
		}
		i = s.blanks(i + 1)
	}
}

// number checks a number: -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
func (s *scanner) number(i int) int {
	b := s.b
	start := i
	if b[i] == '-' {
		i++
	}
	switch {
	case b[i] == '0':
		i++
	case b[i]-'1' < 9:
		for i++; b[i]-'0' < 10; i++ {
		}
	case i == start:
		return s.fail(i, "expected a value")
	default:
		return s.fail(i, "expected a digit")
	}
	if b[i] == '.' {
		i++
		if b[i]-'0' >= 10 {
			return s.fail(i, "expected a digit")
		}
		for i++; b[i]-'0' < 10; i++ {
		}
	}
	if b[i] == 'e' || b[i] == 'E' {
		i++
		if b[i] == '+' || b[i] == '-' {
			i++
		}
		if b[i]-'0' >= 10 {
			return s.fail(i, "expected a digit")
		}
		for i++; b[i]-'0' < 10; i++ {
		}
	}
	return i
}

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
