package price

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestManyRulesAreLookedUp: a long table is compiled to a look-up by value; the
// first rule in the file that matches still wins.
func TestManyRulesAreLookedUp(t *testing.T) {
	s := session(t)
	for seed := range uint64(4) {
		r := random{rand.New(rand.NewPCG(seed, 6))}
		v := wordVersion{table: "api", version: 1, from: date(1, 0), appliesTo: []string{"*"}}
		plain := func(credits int) wordCharge {
			return wordCharge{parts: []wordPart{{credits: fmt.Sprint(credits)}}}
		}
		for len(v.rules) < 150 {
			n := len(v.rules)
			rule := wordRule{operation: "chat.completion", when: []wordWhen{{"model", quoted(fmt.Sprintf("%s%d", pick(r, []string{"m", "é", "'", "B", "💥"}), r.IntN(40)))}}, charge: plain(n + 1)}
			if r.one(3) {
				rule.when = append(rule.when, wordWhen{"status", pick(r, []string{"{gte: 500}", `"200"`, "null"})})
			}
			if n < 3 || n == 80 && seed%2 == 0 || n > 145 {
				rule = wordRule{when: []wordWhen{{"account", "never"}, {"status", pick(r, []string{"503", "null"})}}, charge: plain(n + 1)}
			}
			v.rules = append(v.rules, rule)
		}
		book, err := parseText(v.yaml())
		if err != nil {
			t.Fatal(err)
		}
		calls := make([]call, 1500)
		for i := range calls {
			calls[i] = r.call()
			calls[i].operation = pick(r, []string{"chat.completion", "chat.completion", "chat.completion", "x"})
			calls[i].texts["status"] = pick(r, []*string{nil, new("200"), new("503")})
			if !r.one(10) {
				calls[i].texts["model"] = new(fmt.Sprintf("%s%d", pick(r, []string{"m", "é", "'", "B", "💥"}), r.IntN(40)))
			}
		}
		load(t, s, calls)
		rules := map[int]bool{}
		for i, got := range judge(t, s, book, SelectOptions{Dynamic: testColumns, OpenedBefore: november}) {
			if want := calls[i].judge([]wordVersion{v}); got != want {
				t.Fatalf("seed %d call %d: got %+v, want %+v; texts %s", seed, i, got, want, show(calls[i].texts))
			}
			rules[got.rule] = true
		}
		if len(rules) < 50 {
			t.Errorf("seed %d: only %d rules were reached", seed, len(rules))
		}
	}
}
