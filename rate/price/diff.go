package price

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Difference is what changes from one version to another.
type Difference struct {
	Added, Removed []string     // patterns of applies_to, in their order
	Rules          []RuleChange // in the order of the rules after; one that is gone at its number before
}

// A RuleChange is a rule that is not as it was. Rules are the same one when they
// are for the same operation under the same conditions.
type RuleChange struct {
	Kind          ChangeKind
	Moved         bool // also Changed: it has another place among the rules that stayed
	Before, After int  // its number, from 1; 0: not there
	Rule, Was     Rule // Was is only there for Changed
}

// A ChangeKind says what became of a rule.
type ChangeKind string

// The kinds of changes of rules.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed" // the price
	Moved   ChangeKind = "moved"   // only
)

// Differences compares two versions by what they say.
func Differences(before, after *Version) Difference {
	d := Difference{Added: without(after.AppliesTo, before.AppliesTo), Removed: without(before.AppliesTo, after.AppliesTo)}
	places := map[string][]int{} // of the rules before that have found none yet
	for i, r := range before.Rules {
		places[r.identity()] = append(places[r.identity()], i)
	}
	was := make([]int, len(after.Rules)) // the place before, or -1
	var stayed []int
	for i, r := range after.Rules {
		was[i] = -1
		if list := places[r.identity()]; len(list) > 0 {
			was[i], places[r.identity()] = list[0], list[1:]
			stayed = append(stayed, was[i])
		}
	}
	inOrder := longestAscent(stayed)
	for i, r := range after.Rules {
		if was[i] < 0 {
			d.Rules = append(d.Rules, RuleChange{Kind: Added, After: i + 1, Rule: r})
			continue
		}
		old, moved := before.Rules[was[i]], !inOrder[was[i]]
		switch {
		case old.price() != r.price():
			d.Rules = append(d.Rules, RuleChange{Kind: Changed, Moved: moved, Before: was[i] + 1, After: i + 1, Rule: r, Was: old})
		case moved:
			d.Rules = append(d.Rules, RuleChange{Kind: Moved, Moved: true, Before: was[i] + 1, After: i + 1, Rule: r})
		}
	}
	for i, r := range before.Rules {
		if !slices.Contains(stayed, i) {
			d.Rules = append(d.Rules, RuleChange{Kind: Removed, Before: i + 1, Rule: r})
		}
	}
	slices.SortStableFunc(d.Rules, func(a, b RuleChange) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.After, a.Before), cmp.Or(b.After, b.Before)), cmp.Compare(a.After, b.After))
	})
	return d
}

func without(list, taken []string) (left []string) {
	for _, one := range list {
		if !slices.Contains(taken, one) {
			left = append(left, one)
		}
	}
	return left
}

// identity is the same for rules of the same operation and conditions, in
// whatever order these are written.
func (r Rule) identity() string {
	conditions := make([]string, 0, len(r.When))
	for _, c := range r.When {
		var members []string
		for _, m := range c.Test.Members() {
			members = append(members, memberWords(m))
		}
		slices.Sort(members)
		conditions = append(conditions, c.Name+" is "+strings.Join(slices.Compact(members), " or "))
	}
	slices.Sort(conditions)
	return strconv.Quote(r.Operation) + " " + strings.Join(conditions, " and ")
}

// price is the same for rules of the same price, in whatever order factors are
// written.
func (r Rule) price() string {
	r.Charge = r.Charge.inOrder()
	r.Add = slices.Clone(r.Add)
	for i := range r.Add {
		r.Add[i].Charge = r.Add[i].Charge.inOrder()
	}
	return strings.Join(r.PriceWords(), "\n")
}

func (c Charge) inOrder() Charge {
	if c.Multiply != nil {
		m := *c.Multiply
		m.Values = slices.SortedFunc(slices.Values(m.Values), func(a, b Factor) int { return strings.Compare(a.Text, b.Text) })
		c.Multiply = &m
	}
	return c
}

// longestAscent picks the most numbers that go upwards as they stand.
func longestAscent(numbers []int) map[int]bool {
	var ends []int                      // ends[k]: the place of the least number that k+1 picked ones can end with
	before := make([]int, len(numbers)) // the place of the one picked before, or -1
	for i, n := range numbers {
		k, _ := slices.BinarySearchFunc(ends, n, func(at, n int) int { return cmp.Compare(numbers[at], n) })
		before[i] = -1
		if k > 0 {
			before[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		} else {
			ends[k] = i
		}
	}
	picked := map[int]bool{}
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = before[i] {
			picked[numbers[i]] = true
		}
	}
	return picked
}
