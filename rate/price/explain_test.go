package price

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/creditmill/creditmill/internal/when"
)

// valueOf is what [Version.Explain] is asked with, of a call of the tests.
func valueOf(c call) func(name string) when.Value {
	return func(name string) when.Value {
		text, isText := c.texts[name]
		if !isText {
			text = c.quantities[name]
		}
		if text == nil {
			return when.Value{Null: true, Number: !isText}
		}
		return when.Value{Text: *text, Number: !isText}
	}
}

// TestExplainAgreesWithTheSelect explains random calls by random tables, and rates
// them by the SELECT: rule, credits and reason are the same to the last digit, and the
// last step comes to the credits.
func TestExplainAgreesWithTheSelect(t *testing.T) {
	const tables, callsEach = 20, 500
	s := session(t)
	seen := map[string]int{}
	for seed := range uint64(tables) {
		r := random{rand.New(rand.NewPCG(seed, 12))}
		_, book := r.versions(t)
		calls := make([]call, callsEach)
		for i := range calls {
			calls[i] = r.call()
		}
		load(t, s, calls)
		for i, want := range judge(t, s, book, SelectOptions{Dynamic: testColumns, UnknownAccounts: true}) {
			c := calls[i]
			got := verdict{credits: "0.000000", held: NoRule}
			if v := book.InForce(c.operation, c.time); v != nil {
				e := v.Explain(c.operation, valueOf(c))
				got = verdict{v.Table, v.Version, e.Rule, decimal(e.Credits.Num().BigInt(), 6).fixed(6), e.Held}
				switch n := len(e.Steps); {
				case e.Held != "" && e.Why == "":
					t.Errorf("seed %d call %d: held as %s without a word", seed, i, e.Held)
				case e.Held == "" && (n == 0 || e.Steps[n-1].Result != e.Credits.String()):
					t.Errorf("seed %d call %d: %s credits, but the steps are %q", seed, i, e.Credits, e.Steps)
				}
			}
			seen[want.held]++
			if got != want {
				t.Fatalf("seed %d call %d: explained as %+v, rated as %+v\ntexts %s quantities %s", seed, i, got, want, show(c.texts), show(c.quantities))
			}
		}
	}
	for _, reason := range []string{"", NoRule, NullQuantity, UnlistedValue, BeyondLastStep, Overflow} {
		if seen[reason] < 100 {
			t.Errorf("only %d calls were held as %q: the test does not reach it", seen[reason], reason)
		}
	}
}

// TestExplainWritesTheArithmeticOut: by hand.
func TestExplainWritesTheArithmeticOut(t *testing.T) {
	tests := []struct {
		rule   string
		values map[string]string // quantities and texts; those not named are absent
		want   []string
	}{
		{"charge: {credits: 9}", nil, []string{"9 a call", "rounded to 6 digits: 9 stays"}},
		{"charge: {each: images, credits: 9}", map[string]string{"images": "3"}, []string{"3 images × 9 = 27", "rounded to 6 digits: 27 stays"}},
		{
			"charge: {each: pixels, per: 1000000, credits: 300000}",
			map[string]string{"pixels": "12345"},
			[]string{"12,345 pixels ÷ 1,000,000 × 300,000 = 3,703.5", "rounded to 6 digits: 3,703.5 stays"},
		},
		{ // 95 ÷ 60 is 1.58, so two blocks are started
			`charge: {each: seconds, per: 60, blocks: true, credits: "0.25"}`,
			map[string]string{"seconds": "95.000000"},
			[]string{"95 seconds in started blocks of 60: 2 × 0.25 = 0.5", "rounded to 6 digits: 0.5 stays"},
		},
		{ // 0.0000005 × 3 = 0.0000015, a half goes away from zero
			`charge: {each: images, credits: "0.0000005"}`,
			map[string]string{"images": "3"},
			[]string{"3 images × 0.0000005 = 0.0000015", "rounded to 6 digits: 0.0000015 becomes 0.000002"},
		},
		{
			"charge: {each: images, tiers: {by: pixels, mode: volume, steps: [{up_to: 1048576, credits: 4}, {credits: 8}]}}",
			map[string]string{"images": "3", "pixels": "2000000"},
			[]string{"2,000,000 pixels: step 2 of 2, above 1,048,576", "3 images × 8 = 24", "rounded to 6 digits: 24 stays"},
		},
		{ // inclusive
			"charge: {each: images, tiers: {by: pixels, mode: volume, steps: [{up_to: 1048576, credits: 4}, {credits: 8}]}}",
			map[string]string{"images": "3", "pixels": "1048576"},
			[]string{"1,048,576 pixels: step 1 of 2, up to 1,048,576", "3 images × 4 = 12", "rounded to 6 digits: 12 stays"},
		},
		{ // 10 × 1 + 90 × 0.5 + 5 × 0.1
			`charge: {each: images, tiers: {mode: graduated, steps: [{up_to: 10, credits: 1}, {up_to: 100, credits: "0.5"}, {credits: "0.1"}]}}`,
			map[string]string{"images": "105"},
			[]string{"the first 10 images × 1 = 10", "the next 90 images × 0.5 = 45", "the next 5 images × 0.1 = 0.5", "10 + 45 + 0.5 = 55.5", "rounded to 6 digits: 55.5 stays"},
		},
		{ // each step's part is rounded up by itself: ⌈90÷60⌉ = 2, ⌈30÷60⌉ = 1
			"charge: {each: seconds, per: 60, blocks: true, tiers: {mode: graduated, steps: [{up_to: 90, credits: 3}, {credits: 2}]}}",
			map[string]string{"seconds": "120"},
			[]string{
				"the first 90 seconds in started blocks of 60: 2 × 3 = 6", "the next 30 seconds in started blocks of 60: 1 × 2 = 2",
				"6 + 2 = 8", "rounded to 6 digits: 8 stays",
			},
		},
		{ // the addition joins the sum before multiply; bounds and round_up_to follow
			`charge: {sum: [{each: seconds, credits: "0.25"}, {credits: 2}], multiply: {by: model, values: {t4: 1, a100: 4}}, minimum: 1, maximum: 20, round_up_to: 4}, add: [{when: {select: "yes"}, charge: {each: images, credits: 1}}, {when: {select: "no"}, charge: {credits: 5}}]`,
			map[string]string{"seconds": "4.5", "model": "a100", "select": "yes", "images": "1"},
			[]string{
				"4.5 seconds × 0.25 = 1.125", "2 a call", `added, for select is "yes"`, "1 images × 1 = 1", `not added: 5 a call when select is "no"`,
				"1.125 + 2 + 1 = 4.125", "4.125 × 4 (model a100) = 16.5", "at least 1: 16.5 stays", "at most 20: 16.5 stays",
				"rounded up to 4: 16.5 becomes 20", "rounded to 6 digits: 20 stays",
			},
		},
		{
			"charge: {credits: 2, multiply: {by: model, values: {a: 1}, otherwise: 3}, minimum: 7, maximum: 100}", nil,
			[]string{"2 a call", "2 × 3 (model is absent, otherwise) = 6", "at least 7: 6 becomes 7", "at most 100: 7 stays", "rounded to 6 digits: 7 stays"},
		},
		{ // an addition with bounds of its own
			"charge: {credits: 1}, add: [{charge: {each: images, credits: 2, maximum: 5}}]",
			map[string]string{"images": "4"},
			[]string{"1 a call", "added", "4 images × 2 = 8", "at most 5: 8 becomes 5", "1 + 5 = 6", "rounded to 6 digits: 6 stays"},
		},
	}
	for _, tc := range tests {
		e := explained(t, tc.rule, tc.values)
		var got []string
		for _, step := range e.Steps {
			got = append(got, step.Text)
		}
		if e.Held != "" || e.Rule != 1 || !slices.Equal(got, tc.want) {
			t.Errorf("%s of %v:\ngot  %q, held %q\nwant %q", tc.rule, tc.values, got, e.Held, tc.want)
		}
	}
}

func TestExplainSaysWhyACallIsHeld(t *testing.T) {
	tests := []struct {
		rule      string
		values    map[string]string
		held, why string
	}{
		{"when: {model: a}, charge: {credits: 1}", nil, NoRule, "no rule of api version 1 matches it"},
		{"charge: {each: images, credits: 1}", nil, NullQuantity, "images is absent"},
		{"charge: {credits: 2, multiply: {by: model, values: {a: 1}}}", map[string]string{"model": "h 100"}, UnlistedValue, "model \"h 100\", and multiply has neither that nor `otherwise`"},
		{
			"charge: {each: images, tiers: {mode: graduated, steps: [{up_to: 10, credits: 1}]}}",
			map[string]string{"images": "1200"},
			BeyondLastStep, "1,200 images are beyond the last step, up to 10",
		},
		{"charge: {each: images, credits: 1000}", map[string]string{"images": "1000000000"}, Overflow, "1,000,000,000,000 credits do not fit 12 digits before the point"},
		// Of several reasons the first in the order of section 4.
		{"charge: {sum: [{each: pixels, tiers: {mode: volume, steps: [{up_to: 1, credits: 1}]}}, {each: images, credits: 1}]}", map[string]string{"pixels": "2"}, NullQuantity, "images is absent"},
		// What an addition lacks holds the call only where the addition applies.
		{"charge: {credits: 1}, add: [{when: {model: a}, charge: {each: images, credits: 1}}]", map[string]string{"model": "b"}, "", ""},
		{"charge: {credits: 1}, add: [{when: {model: a}, charge: {each: images, credits: 1}}]", map[string]string{"model": "a"}, NullQuantity, "images is absent"},
	}
	for _, tc := range tests {
		if e := explained(t, tc.rule, tc.values); e.Held != tc.held || e.Why != tc.why {
			t.Errorf("%s of %v: held %q, %q; want %q, %q", tc.rule, tc.values, e.Held, e.Why, tc.held, tc.why)
		}
	}
}

// explained explains a call of values by a table of one rule.
func explained(t *testing.T, rule string, values map[string]string) Explanation {
	t.Helper()
	book, err := parseText(head + "rules:\n  - {" + rule + "}\n")
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", rule, err))
	}
	return book.Versions()[0].Explain("image.x", func(name string) when.Value {
		text, is := values[name]
		return when.Value{Text: text, Null: !is, Number: isQuantity(book.types[name])}
	})
}
