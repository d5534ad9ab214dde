package price

import (
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
)

// rules finds the rule: the first that matches wins. Where many rules in a row
// differ by the value of one dimension, as prices of hundreds of models do, they
// are looked up by that value instead of tried one by one.
func (s statement) rules(v *Version) []string {
	var parts [][]string // each the cases of one CASE; the first that finds a rule wins
	tried := 0           // rules before this one are in parts
	for i := 0; i < len(v.Rules); {
		name, end := s.lookup(v.Rules, i)
		if end-i <= 2*block {
			i++
			continue
		}
		if tried < i {
			parts = append(parts, s.inOrder(v.Rules, tried, i))
		}
		parts = append(parts, s.byValue(v.Rules, i, end, name))
		i, tried = end, end
	}
	if tried < len(v.Rules) {
		parts = append(parts, s.inOrder(v.Rules, tried, len(v.Rules)))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	lines := []string{"WHEN true THEN COALESCE("}
	for i, part := range parts {
		lines = append(lines, "  CASE")
		for _, line := range part {
			lines = append(lines, "    "+line)
		}
		if i < len(parts)-1 {
			lines = append(lines, "  END,")
		} else {
			lines = append(lines, "  END)")
		}
	}
	return lines
}

// inOrder tries the rules from start to end, exclusive.
func (s statement) inOrder(rules []Rule, start, end int) (cases []string) {
	for i := start; i < end; i++ {
		var conditions []string
		if rules[i].Operation != "" {
			conditions = append(conditions, operation(rules[i].Operation))
		}
		cases = append(cases, s.match(conditions, rules[i].When, i))
	}
	return cases
}

// match is the case of one rule.
func (s statement) match(conditions []string, all []when.Condition, i int) string {
	if len(all) > 0 {
		conditions = append(conditions, s.conditions(all))
	}
	if len(conditions) == 0 {
		conditions = []string{"true"}
	}
	return fmt.Sprintf("WHEN %s THEN %d", strings.Join(conditions, " AND "), i+1)
}

// lookup returns the dimension and the end of the longest run of rules from start
// on that are all for one operation and each for one value of that dimension.
func (s statement) lookup(rules []Rule, start int) (name string, end int) {
	first := rules[start]
	if first.Operation == "" {
		return "", start
	}
	for _, c := range first.When {
		if s.types[c.Name] != lake.DimensionType {
			continue
		}
		n := start
		for n < len(rules) && rules[n].Operation == first.Operation {
			if _, ok := valueOf(rules[n], c.Name); !ok {
				break
			}
			n++
		}
		if n > end {
			name, end = c.Name, n
		}
	}
	return name, end
}

// valueOf returns the one text that a rule asks of a dimension, if there is one.
func valueOf(r Rule, name string) (string, bool) {
	for _, c := range r.When {
		if members := c.Test.Members(); c.Name == name && len(members) == 1 && members[0].Kind == when.Equal {
			return members[0].Text, true
		}
	}
	return "", false
}

// byValue looks rules up by the value of a dimension: by blocks of values in the
// order of their bytes, which is the order of texts on every engine. Rules of one
// value stay in their order.
func (s statement) byValue(rules []Rule, start, end int, name string) []string {
	byValue := map[string][]int{}
	var values []string
	for i := start; i < end; i++ {
		value, _ := valueOf(rules[i], name)
		if byValue[value] == nil {
			values = append(values, value)
		}
		byValue[value] = append(byValue[value], i)
	}
	slices.Sort(values)
	lines := []string{"WHEN " + operation(rules[start].Operation) + " THEN CASE"}
	for chunk := range slices.Chunk(values, block) {
		lines = append(lines, fmt.Sprintf("  WHEN %s <= %s THEN CASE", s.sql(name), duck.Literal(chunk[len(chunk)-1])))
		for _, value := range chunk {
			for _, i := range byValue[value] {
				lines = append(lines, "    "+s.match(nil, rules[i].When, i))
			}
		}
		lines = append(lines, "  END")
	}
	return append(lines, "END")
}
