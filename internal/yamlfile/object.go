package yamlfile

import (
	"slices"
	"strings"
)

// An Object reads a map whose keys are known: each Get or Need makes a key
// known, and Done refuses the others. An Object of an absent value, or of one
// that is no map, has no entries and adds no further problems.
type Object struct {
	problems *Problems
	node     Node
	what     string
	muted    bool
	known    []string
}

// Object begins reading n as a map. what names it in messages: "the source",
// "overage". A problem is added when n is there but no map.
func (p *Problems) Object(n Node, what string) *Object {
	o := &Object{problems: p, node: n, what: what, muted: n.Kind() != Map}
	if !n.IsZero() && o.muted {
		p.Add(n, "", "%s must be a map, not %s", what, n.Kind())
	}
	return o
}

// Node is the map itself.
func (o *Object) Node() Node { return o.node }

// Get returns the value of key, which becomes known; the zero Node when absent.
func (o *Object) Get(key string) Node {
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	if o.muted {
		return Node{}
	}
	for _, pair := range o.node.Pairs() {
		if pair.Key.Text() == key {
			return pair.Value
		}
	}
	return Node{}
}

// Need is Get for a key that must be there: a problem is added at the map when it
// is absent, and at the key when it has no value.
func (o *Object) Need(key string) Node {
	value := o.Get(key)
	switch {
	case o.muted:
	case value.IsZero():
		o.problems.Add(o.node, "", "%s needs %q", o.what, key)
	case value.Kind() == Null:
		o.problems.Add(value, "", "%q has no value", key)
		return Node{}
	}
	return value
}

// Done adds a problem for each key that is not known, with the nearest known key
// as a hint. Call it last.
func (o *Object) Done() {
	if o.muted {
		return
	}
	for _, pair := range o.node.Pairs() {
		if key := pair.Key.Text(); !slices.Contains(o.known, key) {
			o.problems.Add(pair.Key, suggest(key, o.known), "%s has no key %q", o.what, key)
		}
	}
}

// suggest makes a hint of what was meant by a word that is none of those known.
func suggest(word string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(known))
	best, nearest := len(word)/2+1, ""
	for _, k := range sorted {
		if d := distance(strings.ToLower(word), k); d < best {
			best, nearest = d, k
		}
	}
	if nearest != "" {
		return "did you mean " + nearest + "?"
	}
	if len(sorted) == 1 {
		return "the only one is " + sorted[0]
	}
	return "there are " + strings.Join(sorted, ", ")
}

// distance counts the letters to insert, drop, replace or swap with the next to
// turn a into b.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
