package yamlfile

import (
	"slices"
	"strconv"
	"strings"
)

// Canonical writes what a value says and not how it is laid out. Two values have
// one canonical text if and only if they have the same kinds, scalars as written,
// items in order and entries in any order; comments, line breaks, indents, block
// or flow style and the kind of quotes do not count. The form never changes:
// hashes of it are kept in lakes.
func (n Node) Canonical() string {
	var b strings.Builder
	n.canonical(&b)
	return b.String()
}

func (n Node) canonical(b *strings.Builder) {
	switch n.Kind() {
	case Null:
		b.WriteString("null")
	case String:
		b.WriteString(strconv.Quote(n.Text()))
	case Number, Bool:
		b.WriteString(n.Text())
	case List:
		b.WriteByte('[')
		for i, item := range n.Items() {
			if i > 0 {
				b.WriteByte(',')
			}
			item.canonical(b)
		}
		b.WriteByte(']')
	case Map:
		pairs := slices.Clone(n.Pairs())
		slices.SortFunc(pairs, func(a, b Pair) int { return strings.Compare(a.Key.Text(), b.Key.Text()) })
		b.WriteByte('{')
		for i, pair := range pairs {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Quote(pair.Key.Text()))
			b.WriteByte(':')
			pair.Value.canonical(b)
		}
		b.WriteByte('}')
	}
}
