package decode

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
