package price

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// changes writes a difference as short texts: "changed 2 3 moved".
func changes(t *testing.T, before, after []string) []string {
	t.Helper()
	list := []string{}
	for _, c := range Differences(&Version{Rules: rulesOf(t, before...)}, &Version{Rules: rulesOf(t, after...)}).Rules {
		text := fmt.Sprintf("%s %d %d", c.Kind, c.Before, c.After)
		if c.Moved {
			text += " moved"
		}
		list = append(list, text)
	}
	return list
}

func TestDifferencesOfRules(t *testing.T) {
	a, b, c := "operation: image.a, charge: {credits: 1}", "operation: image.b, charge: {credits: 1}", "operation: image.c, charge: {credits: 1}"
	c2 := "operation: image.c, charge: {credits: 2}"
	tests := []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"nothing", []string{a, b, c}, []string{a, b, c}, []string{}},
		{"one in front moves none", []string{b, c}, []string{a, b, c}, []string{"added 0 1"}},
		{"one gone moves none", []string{a, b, c}, []string{b, c}, []string{"removed 1 0"}},
		{"a price", []string{a, b, c}, []string{a, b, c2}, []string{"changed 3 3"}},
		{"the last one first", []string{a, b, c}, []string{c, a, b}, []string{"moved 3 1 moved"}},
		{"the last one first, with a price", []string{a, b, c}, []string{c2, a, b}, []string{"changed 3 1 moved"}},
		{"the first one last", []string{a, b, c}, []string{b, c, a}, []string{"moved 1 3 moved"}},
		{"all", []string{a, b}, []string{c}, []string{"removed 1 0", "added 0 1", "removed 2 0"}},
		{
			"conditions and factors in another order",
			[]string{`when: {model: [x, "y*"], images: {gte: 1}}, charge: {credits: 1, multiply: {by: model, values: {a: 1, b: 2}}}`},
			[]string{`when: {images: {gte: 1}, model: ["y*", x, x]}, charge: {credits: "1.0", multiply: {by: model, values: {b: 2, a: 1}}}`},
			[]string{},
		},
		{"a condition", []string{"when: {model: x}, charge: {credits: 1}"}, []string{"when: {model: [x, z]}, charge: {credits: 1}"}, []string{"removed 1 0", "added 0 1"}},
		{"a text is no number", []string{"when: {model: 5}, charge: {credits: 1}"}, []string{`when: {model: "5"}, charge: {credits: 1}`}, []string{"removed 1 0", "added 0 1"}},
		{
			"an addition's factors",
			[]string{"charge: {credits: 1}, add: [{charge: {credits: 1, multiply: {by: model, values: {a: 1}}}}]"},
			[]string{"charge: {credits: 1}, add: [{charge: {credits: 1, multiply: {by: model, values: {a: 2}}}}]"},
			[]string{"changed 1 1"},
		},
		{"of two alike the second", []string{a, a, b}, []string{a, "operation: image.a, charge: {credits: 3}", b}, []string{"changed 2 2"}},
	}
	for _, tc := range tests {
		if got := changes(t, tc.before, tc.after); strings.Join(got, ", ") != strings.Join(tc.want, ", ") {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDifferencesOfOperations(t *testing.T) {
	d := Differences(&Version{AppliesTo: []string{"a.*", "b.*", "c"}}, &Version{AppliesTo: []string{"c", "d", "a.*"}})
	if !slices.Equal(d.Added, []string{"d"}) || !slices.Equal(d.Removed, []string{"b.*"}) || len(d.Rules) > 0 {
		t.Errorf("got %+v", d)
	}
	if d := Differences(&Version{AppliesTo: []string{"a", "b"}}, &Version{AppliesTo: []string{"b", "a"}}); len(d.Added)+len(d.Removed) > 0 {
		t.Errorf("another order: got %+v", d)
	}
}

func TestLongestAscent(t *testing.T) {
	for _, tc := range []struct {
		numbers []int
		want    int
	}{{nil, 0}, {[]int{4}, 1}, {[]int{0, 1, 2}, 3}, {[]int{2, 1, 0}, 1}, {[]int{3, 0, 1, 4, 2, 5}, 4}, {[]int{5, 0, 6, 1, 7, 2, 3}, 4}} {
		picked := longestAscent(tc.numbers)
		last := -1
		for _, n := range tc.numbers {
			if picked[n] {
				if n < last {
					t.Errorf("%v: %v does not go upwards", tc.numbers, picked)
				}
				last = n
			}
		}
		if len(picked) != tc.want {
			t.Errorf("%v: picked %v, want %d", tc.numbers, picked, tc.want)
		}
	}
}
