package source

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// scalar reads a constant text: numbers and booleans stand for themselves.
func (r *reader) scalar(n yamlfile.Node) *string {
	text := n.Text()
	switch n.Kind() {
	case yamlfile.String, yamlfile.Number, yamlfile.Bool:
	default:
		r.p.Add(n, "", "one text or number is expected here, not %s", n.Kind())
	}
	return &text
}

func (r *reader) optional(n yamlfile.Node) *Value {
	if n.IsZero() {
		return nil
	}
	v := r.value(n)
	return &v
}

// value reads a field path, {constant: X}, {key: PATTERN} or {join: [...], with: X}.
func (r *reader) value(n yamlfile.Node) Value {
	if n.Kind() != yamlfile.Map {
		return r.field(n)
	}
	o := r.p.Object(n, "the value")
	var v Value
	constant, key, join, field := o.Get("constant"), o.Get("key"), o.Get("join"), o.Get("field")
	given := 0
	for _, n := range []yamlfile.Node{constant, key, join, field} {
		if !n.IsZero() {
			given++
		}
	}
	switch {
	case given != 1:
		r.p.Add(n, "", "a value is a field path, {constant: X}, {key: PATTERN} or {join: [FIELDS], with: X}")
	case !constant.IsZero():
		v = Value{Kind: Constant, Text: *r.scalar(constant)}
	case !key.IsZero():
		v = Value{Kind: FromKey, Pattern: r.pattern(key, true)}
	case !field.IsZero():
		v = r.field(field)
	default:
		v = Value{Kind: Joined, Text: r.p.String(o.Get("with"))}
		if join.Kind() != yamlfile.List || len(join.Items()) < 2 {
			r.p.Add(join, "", "join takes a list of two values or more")
		}
		for _, item := range join.Items() {
			if item.Kind() == yamlfile.Map && slices.ContainsFunc(item.Pairs(), func(pair yamlfile.Pair) bool { return pair.Key.Text() == "join" }) {
				r.p.Add(item, "", "a join within a join")
				continue
			}
			v.Members = append(v.Members, r.value(item))
		}
	}
	o.Done()
	return v
}

func (r *reader) field(n yamlfile.Node) Value {
	if n.IsZero() {
		return Value{}
	}
	text := r.p.String(n)
	if text == "" {
		if n.Kind() == yamlfile.String {
			r.p.Add(n, "", "a field path is expected here, not an empty text")
		}
		return Value{}
	}
	return Value{Kind: Field, Path: r.fieldPath(text, n)}
}

func (r *reader) fieldPath(text string, n yamlfile.Node) []string {
	if r.format == CSV {
		return []string{text}
	}
	path := SplitPath(text)
	if slices.Contains(path, "") {
		r.p.Add(n, `a dot that is part of a name is written \.`, "%q has an empty part", text)
	}
	return path
}

// SplitPath takes a dotted path apart. A dot within a name is written \. and a
// backslash \\.
func SplitPath(text string) []string {
	var path []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			i++
			part.WriteByte(text[i])
		case text[i] == '.':
			path = append(path, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	return append(path, part.String())
}

// time reads a field path, or {field: F, layout: L, zone: Z}.
func (r *reader) time(n yamlfile.Node) Time {
	if n.Kind() != yamlfile.Map {
		return Time{Path: r.field(n).Path}
	}
	o := r.p.Object(n, "time")
	t := Time{Path: r.field(o.Need("field")).Path}
	layout, zone := o.Get("layout"), o.Get("zone")
	o.Done()
	l, err := r.layout(layout, zone)
	if err != nil {
		at := layout
		if at.IsZero() {
			at = zone
		}
		r.p.Add(at, "", "%v", err)
	}
	t.Layout = l
	return t
}

func (r *reader) layout(layout, zone yamlfile.Node) (Layout, error) {
	text, zoneName := r.p.String(layout), r.p.String(zone)
	switch {
	case layout.IsZero() && zoneName != "" && r.format == Parquet: // of local timestamps
		return Layout{}.InZone(zoneName)
	case layout.IsZero():
		text = "rfc3339"
	}
	return NewLayout(text, zoneName)
}
