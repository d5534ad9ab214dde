package price

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
)

// A search finds the first rule of a version that matches a call. Short tables try
// their rules one by one. Long ones, as prices of hundreds of models make them,
// look most of their rules up by the value of one text, their key: what a call
// costs then hardly depends on how many rules there are. The first rule that
// matches is the lesser of the two that are found.
type search struct {
	tried []string // cases over rules without a value of the key
	place string   // of the key's value among those that rules name, from 1; empty: no key
	found []string // cases over rules by that place
}

// few is how many rules, or groups of them, are tried one by one: as many as a
// look-up costs.
const few = 32

func (s statement) search(v *Version) search {
	key := s.key(v.Rules)
	var general []int
	byValue := map[string][]int{}
	var values []string // in the order in which they come
	for i, r := range v.Rules {
		named := s.keyValues(r, key)
		if len(named) == 0 {
			general = append(general, i)
		}
		for _, value := range named {
			if byValue[value] == nil {
				values = append(values, value)
			}
			byValue[value] = append(byValue[value], i)
		}
	}
	found := search{tried: s.inOrder(v.Rules, general)}
	if len(values) == 0 {
		return found
	}
	var texts []string
	var cases []ranged
	for _, group := range s.alike(v.Rules, key, values, byValue) {
		cases = append(cases, group.lookUp(len(texts)+1))
		for _, value := range group.values {
			texts = append(texts, duck.Literal(value))
		}
	}
	column := key
	if key != keyOperation {
		column = s.sql(key)
	}
	found.place = fmt.Sprintf("array_position(%s, %s)", list(texts), column)
	found.found = nested("_place", cases)
	return found
}

// inOrder tries rules, given by their places in the file.
func (s statement) inOrder(rules []Rule, places []int) (cases []string) {
	for _, i := range places {
		cases = append(cases, fmt.Sprintf("WHEN %s THEN %d", s.match(rules[i], ""), i+1))
	}
	return cases
}

// match is the condition of a rule, without that on its key.
func (s statement) match(r Rule, key string) string {
	var conditions []string
	if r.Operation != "" && r.Operation != "*" && key != keyOperation {
		conditions = append(conditions, s.operation(r.Operation))
	}
	for _, c := range r.When {
		if c.Name != key {
			conditions = append(conditions, s.condition(c))
		}
	}
	if len(conditions) == 0 {
		return "true"
	}
	return strings.Join(conditions, " AND ")
}

// operation matches the operation with a pattern. Texts that are compared again and
// again are numbered once, which DuckDB does once for a block of the file.
func (s statement) operation(pattern string) string {
	if strings.Contains(pattern, "*") {
		return like("operation", pattern)
	}
	return fmt.Sprintf("_operation = %d", 1+slices.Index(s.operations, pattern))
}

// exactOperations are the operations that rules name without a wildcard.
func exactOperations(versions []*Version) (list []string) {
	for _, v := range versions {
		for _, r := range v.Rules {
			if r.Operation != "" && !strings.Contains(r.Operation, "*") {
				list = append(list, r.Operation)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// keyOperation is the key of tables that price by the operation above all.
const keyOperation = "operation"

// key chooses the text by which rules are looked up: the one that leaves the
// fewest to try. It is empty where the table is short, or no text would help.
func (s statement) key(rules []Rule) (key string) {
	least := len(rules) / 2
	if len(rules) <= few {
		return ""
	}
	seen := map[string]bool{}
	consider := func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		general, named := 0, 0
		values := map[string]bool{}
		for _, r := range rules {
			list := s.keyValues(r, name)
			if len(list) == 0 {
				general++
			}
			named += len(list)
			for _, value := range list {
				values[value] = true
			}
		}
		if len(values) == 0 {
			return
		}
		if cost := general + (named+len(values)-1)/len(values); cost < least {
			key, least = name, cost
		}
	}
	consider(keyOperation)
	for _, r := range rules {
		for _, c := range r.When {
			consider(c.Name)
		}
	}
	return key
}

// keyValues are the texts one of which a rule asks of its key; none if the rule
// does not depend on the key, or in another way.
func (s statement) keyValues(r Rule, key string) (values []string) {
	switch key {
	case "":
		return nil
	case keyOperation:
		if r.Operation == "" || strings.Contains(r.Operation, "*") {
			return nil
		}
		return []string{r.Operation}
	}
	for _, c := range r.When {
		if c.Name != key || s.types[key] != lake.DimensionType {
			continue
		}
		for _, m := range c.Test.Members() {
			if m.Kind != when.Equal {
				return nil
			}
			if !slices.Contains(values, m.Text) {
				values = append(values, m.Text)
			}
		}
	}
	return values
}

// A kin is values of the key whose rules are alike: they ask the same of a call in
// the same order, but for numbers.
type kin struct {
	values    []string
	shapes    []string     // of the conditions
	rules     [][]int      // by condition: the number of the rule for each value
	constants [][][]string // by condition and constant: for each value
}

// alike puts values together whose rules are alike.
func (s statement) alike(rules []Rule, key string, values []string, byValue map[string][]int) (groups []*kin) {
	byShape := map[string]*kin{}
	for _, value := range values {
		var shapes []string
		var numbers [][]string
		for _, i := range byValue[value] {
			text, constants := shape(s.match(rules[i], key))
			shapes, numbers = append(shapes, text), append(numbers, constants)
		}
		name := strings.Join(shapes, between)
		group := byShape[name]
		if group == nil {
			group = &kin{shapes: shapes, rules: make([][]int, len(shapes)), constants: make([][][]string, len(shapes))}
			for i := range shapes {
				group.constants[i] = make([][]string, len(numbers[i]))
			}
			byShape[name], groups = group, append(groups, group)
		}
		group.values = append(group.values, value)
		for i, rule := range byValue[value] {
			group.rules[i] = append(group.rules[i], rule+1)
			for k, number := range numbers[i] {
				group.constants[i][k] = append(group.constants[i][k], number)
			}
		}
	}
	return groups
}

// lookUp finds the rule of a call whose key has one of the group's values: the
// first of them stands in the key's list at place first.
func (g *kin) lookUp(first int) ranged {
	at := placeFrom("_place", first)
	lines := []string{"CASE"}
	for i, shape := range g.shapes {
		lines = append(lines, fmt.Sprintf("  WHEN %s THEN %s", fill(shape, g.constants[i], at), ruleAt(g.rules[i], at)))
	}
	return ranged{first, first + len(g.values) - 1, append(lines, "END")}
}

// ruleAt is the number of the rule for the value at a place, from 1. A file whose
// rules are written alike for each value needs no array.
func ruleAt(rules []int, at string) string {
	step := 0
	if len(rules) > 1 {
		step = rules[1] - rules[0]
	}
	texts := make([]string, len(rules))
	even := step >= 0
	for i, rule := range rules {
		texts[i] = strconv.Itoa(rule)
		even = even && rule == rules[0]+i*step
	}
	switch {
	case even && step == 0:
		return texts[0]
	case even:
		return fmt.Sprintf("(%s) * %d + %d", at, step, rules[0]-step)
	default:
		return list(texts) + "[" + at + "]"
	}
}

// placeFrom counts a column from first on, from 1.
func placeFrom(column string, first int) string {
	if first == 1 {
		return column
	}
	return fmt.Sprintf("%s - %d", column, first-1)
}

// A ranged expression, in lines, is for the numbers from first to last.
type ranged struct {
	first, last int
	lines       []string
}

// nested writes the cases of ascending ranges as a tree, so that a call walks
// through few of them.
func nested(column string, cases []ranged) (lines []string) {
	for len(cases) > few {
		var outer []ranged
		for block := range slices.Chunk(cases, few/2) {
			inner := append(append([]string{"CASE"}, indented(nested(column, block))...), "END")
			outer = append(outer, ranged{block[0].first, block[len(block)-1].last, inner})
		}
		cases = outer
	}
	for _, c := range cases {
		during := fmt.Sprintf("%s = %d", column, c.first)
		if c.first != c.last {
			during = fmt.Sprintf("%s BETWEEN %d AND %d", column, c.first, c.last)
		}
		lines = append(lines, "WHEN "+during+" THEN "+c.lines[0])
		lines = append(lines, c.lines[1:]...)
	}
	return lines
}

func indented(lines []string) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = "  " + line
	}
	return list
}
