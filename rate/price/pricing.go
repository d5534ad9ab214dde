package price

import (
	"fmt"
	"strconv"
	"strings"
)

// A pricing is how a version's rules price. Rules alike in all but their numbers
// share a formula and take the numbers from arrays, by their order among the
// version's rules, in which those that are alike stand together. A short table
// does without.
type pricing struct {
	order    string   // of a rule; empty: the rule's number is used
	formulas []string // cases
	faults   []string // cases: why a call has no price
}

func (s statement) pricing(v *Version) (p pricing) {
	formulas, faults := make([]string, len(v.Rules)), make([]string, len(v.Rules))
	for i, r := range v.Rules {
		price, err := formula(r, s.columns)
		if err != nil {
			panic(fmt.Sprintf("%s: a rule that Parse let through: %v", v.VersionRef, err))
		}
		formulas[i], faults[i] = price.credits(), faultsOf(r, s.columns).sql()
	}
	if len(v.Rules) <= few {
		return pricing{"", together("_rule", formulas), together("_rule", faults)}
	}
	var prices, reasons []ranged
	order := make([]string, len(v.Rules))
	first := 1
	for _, alike := range sameFormula(formulas, faults) {
		for i, rule := range alike.rules {
			order[rule] = strconv.Itoa(first + i)
		}
		text := fill(alike.shape, alike.constants, placeFrom("_order", first))
		price, reason, _ := strings.Cut(text, between)
		last := first + len(alike.rules) - 1
		prices = append(prices, ranged{first, last, []string{price}})
		reasons = append(reasons, ranged{first, last, []string{reason}})
		first = last + 1
	}
	return pricing{list(order) + "[_rule]", nested("_order", prices), nested("_order", reasons)}
}

// between stands between two expressions that are handled as one.
const between = mark + "/" + mark

// A formulaShape is a formula and its faults that rules share, but for constants.
type formulaShape struct {
	shape     string
	rules     []int      // from 0
	constants [][]string // by constant: for each rule
}

func sameFormula(formulas, faults []string) (groups []*formulaShape) {
	byShape := map[string]*formulaShape{}
	for i := range formulas {
		text, values := shape(formulas[i] + between + faults[i])
		group := byShape[text]
		if group == nil {
			group = &formulaShape{shape: text, constants: make([][]string, len(values))}
			byShape[text], groups = group, append(groups, group)
		}
		group.rules = append(group.rules, i)
		for k, value := range values {
			group.constants[k] = append(group.constants[k], value)
		}
	}
	return groups
}
