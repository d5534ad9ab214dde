package when

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// Parse reads the map under `when` or `where`, in file order. An absent node is
// no condition. What is wrong goes to p; the names are the caller's to check.
func Parse(n yamlfile.Node, p *yamlfile.Problems) []Condition {
	if n.IsZero() {
		return nil
	}
	if n.Kind() != yamlfile.Map {
		p.Add(n, `such as {model: small, status: {gte: 500}}`, "conditions are a map of names to what they must be")
		return nil
	}
	var conditions []Condition
	for _, pair := range n.Pairs() {
		conditions = append(conditions, Condition{pair.Key.Text(), pair.Value, parseTest(pair.Value, p)})
	}
	return conditions
}

func parseTest(n yamlfile.Node, p *yamlfile.Problems) Test {
	if n.Kind() != yamlfile.List {
		return Test{parseMember(n, p, nil)}
	}
	if len(n.Items()) == 0 {
		p.Add(n, "", "an empty list matches nothing")
	}
	var members []Member
	for _, item := range n.Items() {
		if item.Kind() == yamlfile.List {
			p.Add(item, "write one flat list", "a list within a list")
			continue
		}
		members = parseMember(item, p, members)
	}
	return Test{members}
}

func parseMember(n yamlfile.Node, p *yamlfile.Problems, to []Member) []Member {
	text := n.Text()
	switch n.Kind() {
	case yamlfile.Null:
		return append(to, Member{Kind: Null})
	case yamlfile.String:
		if strings.Contains(text, "*") {
			return append(to, Member{Kind: Wildcard, Text: text})
		}
		value, isOne := number(text)
		return append(to, Member{Kind: Equal, Text: text, number: value, isOne: isOne})
	case yamlfile.Number:
		value, ok := plain(n, p)
		if !ok {
			return to
		}
		return append(to, Member{Kind: Number, Text: text, number: value, isOne: true})
	case yamlfile.Map:
		if bounds := parseRange(n, p); len(bounds) > 0 {
			return append(to, Member{Kind: Range, Bounds: bounds})
		}
		return to
	default:
		p.Add(n, `write "`+text+`" in quotes: it is compared as text`, "%s is neither a text nor a number", text)
		return to
	}
}

func parseRange(n yamlfile.Node, p *yamlfile.Problems) (bounds []Bound) {
	for _, pair := range n.Pairs() {
		op := pair.Key.Text()
		switch op {
		case "gt", "gte", "lt", "lte":
		default:
			p.Add(pair.Key, "a range is a map of gt, gte, lt and lte", "unknown bound %q", op)
			continue
		}
		switch pair.Value.Kind() {
		case yamlfile.Number, yamlfile.String:
		default:
			p.Add(pair.Value, "", "a bound is a number")
			continue
		}
		if value, ok := plain(pair.Value, p); ok {
			bounds = append(bounds, Bound{op, pair.Value.Text(), value})
		}
	}
	switch {
	case len(n.Pairs()) == 0:
		p.Add(n, "a range is a map of gt, gte, lt and lte", "an empty range")
	case empty(bounds):
		p.Add(n, "", "no number is within this range")
	}
	return bounds
}

// empty reports whether some lower bound is past some upper one.
func empty(bounds []Bound) bool {
	for _, low := range bounds {
		for _, high := range bounds {
			if strings.HasPrefix(low.Op, "gt") && strings.HasPrefix(high.Op, "lt") {
				if c := low.number.Cmp(high.number); c > 0 || c == 0 && (low.Op == "gt" || high.Op == "lt") {
					return true
				}
			}
		}
	}
	return false
}

func plain(n yamlfile.Node, p *yamlfile.Problems) (value decimal128.Num, ok bool) {
	text := n.Text()
	value, ok = number(text)
	if _, fraction, _ := strings.Cut(text, "."); ok && len(fraction) > Scale {
		ok = false
	}
	if !ok {
		p.Add(n, "", "%q is no plain decimal number (such as 500, -1 or 0.25) of at most %d digits before and %d after the point", text, IntDigits, Scale)
	}
	return value, ok
}
