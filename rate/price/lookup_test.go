package price

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestLongTablesAgreeWithTheOracle rates by tables that are looked up: rules of one
// mould for many values of a text or of the operation, with numbers of their own,
// among rules of every other kind, in any order.
func TestLongTablesAgreeWithTheOracle(t *testing.T) {
	s := session(t)
	for seed := range uint64(6) {
		r := random{rand.New(rand.NewPCG(seed, 6))}
		key := pick(r, []string{"model", "select", "account", keyOperation})
		v := r.longVersion(t, key)
		book, err := parseText(v.yaml())
		if err != nil {
			t.Fatal(err)
		}
		calls := make([]call, 700)
		for i := range calls {
			calls[i] = r.call()
			if r.one(10) {
				continue
			}
			value := r.keyValue()
			calls[i].operation = pick(r, operations)
			switch key {
			case keyOperation:
				calls[i].operation = value
			case "account":
				calls[i].account, calls[i].opened = value, false
				calls[i].texts[key] = &calls[i].account
			default:
				calls[i].texts[key] = &value
			}
		}
		load(t, s, calls)
		options := SelectOptions{Dynamic: testColumns, UnknownAccounts: true}
		rules := map[int]bool{}
		for i, got := range judge(t, s, book, options) {
			calls[i].opened = true
			if want := calls[i].judge([]wordVersion{v}); got != want {
				t.Fatalf("seed %d, key %s, call %d: got %+v, want %+v\n%s\n%s %s", seed, key, i, got, want, v.rules[want.rule-1].yaml(), show(calls[i].texts), show(calls[i].quantities))
			}
			rules[got.rule] = true
		}
		if len(rules) < 20 {
			t.Errorf("seed %d: only %d of %d rules were reached", seed, len(rules), len(v.rules))
		}
		query, err := book.Select(options)
		if err != nil {
			t.Fatal(err)
		}
		if bad := outsideSubset(query); len(bad) > 0 || !strings.Contains(query, "AS _place") {
			t.Fatalf("seed %d, key %s: not in the subset, or not looked up: %q\n%s", seed, key, bad, query)
		}
	}
}

// keyValue is one of the texts that long tables have rules for, and some others.
func (r random) keyValue() string {
	return fmt.Sprintf("%s%d", pick(r, []string{"m", "é", "'", "B", "💥", "%"}), r.IntN(50))
}

// longVersion has a rule of each of a few moulds for each of many values of a key,
// with other numbers, and some rules of every kind between.
func (r random) longVersion(t *testing.T, key string) wordVersion {
	v := wordVersion{table: "api", version: 1, from: date(1, 0), appliesTo: []string{"*"}}
	accepted := func(rule wordRule) bool {
		probe := v
		probe.rules = []wordRule{rule}
		_, err := parseText(probe.yaml())
		return err == nil
	}
	var moulds []wordRule
	for len(moulds) < 3 {
		if mould := r.rule(); accepted(mould) && !slices.ContainsFunc(mould.when, func(w wordWhen) bool { return w.name == key }) {
			moulds = append(moulds, mould)
		}
	}
	if key != keyOperation {
		moulds[0].operation, moulds[0].when = "", nil // so that calls are found whatever else they are
	}
	for len(v.rules) < 200 {
		rule := r.rule() // of no mould
		if !r.one(12) {
			rule = r.cast(pick(r, moulds))
			value := quoted(r.keyValue())
			if r.one(10) {
				value = "[" + value + ", " + quoted(r.keyValue()) + "]"
			}
			if key == keyOperation {
				rule.operation = r.keyValue()
			} else {
				rule.when = append(slices.Clone(rule.when), wordWhen{key, value})
			}
		} else if rule.operation == "" || rule.operation == "*" || len(rule.when) == 0 {
			continue // it would take most calls from the rules behind it
		}
		if accepted(rule) {
			v.rules = append(v.rules, rule)
		}
	}
	r.Shuffle(len(v.rules), func(i, j int) { v.rules[i], v.rules[j] = v.rules[j], v.rules[i] })
	if r.one(2) { // as people write them: by value
		slices.SortStableFunc(v.rules, func(a, b wordRule) int { return strings.Compare(a.value(key), b.value(key)) })
	}
	return v
}

func (r wordRule) value(key string) string {
	if key == keyOperation {
		return r.operation
	}
	for _, w := range r.when {
		if w.name == key {
			return w.test
		}
	}
	return ""
}

// cast is the mould with other prices.
func (r random) cast(mould wordRule) wordRule {
	price := func() string {
		return pick(r, []string{"1", "2", "3", "25", "0.5", "0.25", "1.25", "40", "0.000001", "999999999999.999999999999"})
	}
	charge := func(c wordCharge) wordCharge {
		c.parts = slices.Clone(c.parts)
		for i := range c.parts {
			if c.parts[i].credits = price(); c.parts[i].mode == "" {
				continue
			}
			c.parts[i].steps = slices.Clone(c.parts[i].steps)
			for k := range c.parts[i].steps {
				c.parts[i].steps[k][1] = price()
			}
		}
		if c.minimum != "" {
			c.minimum = pick(r, []string{"1", "2", "0.5"})
		}
		return c
	}
	mould.charge = charge(mould.charge)
	mould.add = slices.Clone(mould.add)
	for i := range mould.add {
		mould.add[i].charge = charge(mould.add[i].charge)
	}
	return mould
}

func TestNestedWalksThroughFew(t *testing.T) {
	var cases []ranged
	for i := range 2000 {
		cases = append(cases, ranged{2*i + 1, 2*i + 2, []string{fmt.Sprint(i)}})
	}
	s := session(t)
	var wrong, lines int
	text := "CASE " + strings.Join(nested("range", cases), "\n") + " END"
	err := s.Row(t.Context(), "SELECT count(*) FILTER (WHERE "+text+" IS DISTINCT FROM (range - 1) // 2), count(*) FROM range(1, 4001)").Scan(&wrong, &lines)
	if err != nil || wrong != 0 || lines != 4000 {
		t.Errorf("%d of %d are wrong, %v", wrong, lines, err)
	}
	if top := len(nested("range", cases)); strings.Count(text, "\n") < 2000 || top == 0 {
		t.Errorf("%d lines", top)
	}
}

func TestShapesKeepWhatConstantsAre(t *testing.T) {
	expression := "a > " + marked("-5", wholeNumber) + " AND b * " + marked("0.00120", 5) + " < " + marked("1234567890123456789", 0)
	text, values := shape(expression)
	small, units := shape(marked("-0.05", 2))
	if got := fill(small, [][]string{{units[0], units[0]}}, "_place"); got != "CAST('-0.05' AS DECIMAL(38,2))" {
		t.Errorf("a negative fraction became %s", got)
	}
	if fmt.Sprint(values) != "[-5 120]" {
		t.Errorf("values %q", values)
	}
	if got, want := inline(expression), "a > -5 AND b * CAST('0.00120' AS DECIMAL(38,5)) < CAST('1234567890123456789' AS DECIMAL(38,0))"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := fill(text, [][]string{{"-5", "-5"}, {"120", "7"}}, "_place"), "a > -5 AND b * (CAST(ARRAY[120, 7][_place] AS DECIMAL(38,0)) * CAST('0.00001' AS DECIMAL(38,5))) < CAST('1234567890123456789' AS DECIMAL(38,0))"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRuleNumbersOfEvenSteps(t *testing.T) {
	for _, test := range []struct {
		rules []int
		want  string
	}{
		{[]int{7}, "7"}, {[]int{7, 7, 7}, "7"}, {[]int{2, 7, 12}, "(at) * 5 + -3"}, {[]int{12, 7, 2}, "ARRAY[12, 7, 2][at]"}, {[]int{1, 2, 4}, "ARRAY[1, 2, 4][at]"},
	} {
		if got := ruleAt(test.rules, "at"); got != test.want {
			t.Errorf("%v: got %s, want %s", test.rules, got, test.want)
		}
	}
}
