package decode

import (
	"slices"
	"strings"
)

// A document is a JSON value read whole. Account events are; there are few.
type document struct {
	kind    slotKind
	list    bool     // of a slotContainer: a list, not an object
	text    string   // of a string without escapes, of a number as written
	names   []string // of an object's members
	members []document
}

// member returns a member that is there and not null.
func (d *document) member(name string) (document, bool) {
	for i, n := range d.names {
		if n == name {
			return d.members[i], d.members[i].kind != slotNull
		}
	}
	return document{}, false
}

// document reads the object in b[:end], with b as scan wants it. Unlike scan it
// refuses every name given twice: an account event is kept whole.
func (s *scanner) document(b []byte, end int) (document, bool) {
	if !s.scan(b, end) { // checks the grammar, so that what follows need not
		return document{}, false
	}
	d, _ := s.read(s.blanks(0))
	return d, s.fault == ""
}

func (s *scanner) read(i int) (document, int) {
	switch s.b[i] {
	case '"':
		text, end := s.readString(i)
		return document{kind: slotString, text: text}, end
	case '{', '[':
		return s.readMembers(i)
	}
	end := s.skip(i, 0)
	text := string(s.b[i:end])
	switch text {
	case "null":
		return document{}, end
	case "true", "false":
		return document{kind: slotBool, text: text}, end
	}
	return document{kind: slotNumber, text: text}, end
}

func (s *scanner) readString(i int) (string, int) {
	end, escaped := s.str(i + 1)
	text := s.b[i+1 : end]
	if escaped {
		var ok bool
		if text, ok = s.unescape(text); !ok {
			s.fail(i, "half of a surrogate pair")
		}
	}
	return string(text), end + 1
}

func (s *scanner) readMembers(i int) (document, int) {
	d := document{kind: slotContainer, list: s.b[i] == '['}
	i = s.blanks(i + 1)
	for s.b[i] != '}' && s.b[i] != ']' {
		if s.b[i] == ',' {
			i = s.blanks(i + 1)
		}
		if !d.list {
			name, end := s.readString(i)
			d.names = append(d.names, name)
			i = s.blanks(s.blanks(end) + 1) // behind the colon
		}
		var member document
		member, i = s.read(i)
		d.members = append(d.members, member)
		i = s.blanks(i)
	}
	sorted := slices.Sorted(slices.Values(d.names))
	if len(slices.Compact(sorted)) < len(d.names) {
		s.fail(i, "a name stands twice in the object that ends here")
	}
	return d, i + 1
}

// canonical appends the document without blanks, members sorted by name, numbers
// as written and strings with no escape that is not needed: equal events give
// equal bytes.
func (d *document) canonical(to []byte) []byte {
	switch d.kind {
	case slotNull:
		return append(to, "null"...)
	case slotString:
		return appendJSONString(to, d.text)
	case slotNumber, slotBool:
		return append(to, d.text...)
	}
	if d.list {
		to = append(to, '[')
		for i := range d.members {
			if i > 0 {
				to = append(to, ',')
			}
			to = d.members[i].canonical(to)
		}
		return append(to, ']')
	}
	order := make([]int, len(d.names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(d.names[a], d.names[b]) })
	to = append(to, '{')
	for n, i := range order {
		if n > 0 {
			to = append(to, ',')
		}
		to = append(appendJSONString(to, d.names[i]), ':')
		to = d.members[i].canonical(to)
	}
	return append(to, '}')
}

func appendJSONString(to []byte, text string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	for _, c := range []byte(text) {
		switch {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < ' ':
			to = append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}
