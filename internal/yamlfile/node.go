package yamlfile

import "fmt"

// A Kind is the type of a YAML value.
type Kind int

// The kinds of values. A value that is absent or not written is Null.
const (
	Null Kind = iota
	String
	Number
	Bool
	List
	Map
)

// String says what a value of this kind is, as messages do: "a list".
func (k Kind) String() string {
	switch k {
	case Null:
		return "nothing"
	case String:
		return "a text"
	case Number:
		return "a number"
	case Bool:
		return "true or false"
	case List:
		return "a list"
	case Map:
		return "a map"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// A Position is a place in a file. Line and Column count from 1, columns in
// characters; both are 0 where a problem concerns a file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String writes "file:line:column", or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Node is one value of a YAML file, with its position. The zero Node stands
// for a value that is absent; every method may be called on it. Nodes compare
// with ==, as places of a file.
type Node struct{ n *node }

type node struct {
	file   *source
	pos    Position
	kind   Kind
	text   string
	quoted bool
	bad    bool // a problem was added already; further ones would only repeat it
	items  []Node
	pairs  []Pair
}

// A Pair is an entry of a map.
type Pair struct{ Key, Value Node }

// IsZero reports whether the value is absent. A value that is there but empty
// ("key:") is not absent: its Kind is Null.
func (n Node) IsZero() bool { return n.n == nil }

// Kind is the type of the value.
func (n Node) Kind() Kind {
	if n.n == nil {
		return Null
	}
	return n.n.kind
}

// Text is a scalar's text without its quotes. A number's text is exactly as it
// was written: "1.50" stays "1.50". Lists and maps have none.
func (n Node) Text() string {
	if n.n == nil {
		return ""
	}
	return n.n.text
}

// Quoted reports whether a scalar was written in quotes or as a block of text.
func (n Node) Quoted() bool { return n.n != nil && n.n.quoted }

// Items are the values of a List.
func (n Node) Items() []Node {
	if n.n == nil {
		return nil
	}
	return n.n.items
}

// Pairs are the entries of a Map in the order of the file; no two have a key of
// the same text.
func (n Node) Pairs() []Pair {
	if n.n == nil {
		return nil
	}
	return n.n.pairs
}

// Pos is where the value begins: for a block map its first key, for an empty
// value the key it belongs to.
func (n Node) Pos() Position {
	if n.n == nil {
		return Position{}
	}
	return n.n.pos
}
