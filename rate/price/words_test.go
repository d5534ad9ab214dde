package price

import (
	"slices"
	"testing"
)

// rulesOf parses rules in flow style, one each.
func rulesOf(t *testing.T, rules ...string) []Rule {
	t.Helper()
	text := head + "rules:\n"
	for _, rule := range rules {
		text += "  - {" + rule + "}\n"
	}
	book, err := parseText(text)
	if err != nil {
		t.Fatal(err)
	}
	return book.Versions()[0].Rules
}

func TestPriceWords(t *testing.T) {
	tests := []struct {
		rule string
		want []string
	}{
		{"charge: {credits: 0}", []string{"0 a call"}},
		{"charge: {each: images, credits: 9}", []string{"9 × images"}},
		{`charge: {each: images, credits: "9.50"}`, []string{"9.5 × images"}},
		{"charge: {each: pixels, per: 1000000, credits: 300000}", []string{"300000 per 1000000 pixels"}},
		{`charge: {each: seconds, per: "0.5", credits: 3}`, []string{"3 per 0.5 seconds"}},
		{`charge: {each: seconds, per: 60, blocks: true, credits: "0.25"}`, []string{"0.25 per started 60 seconds"}},
		{"charge: {each: seconds, per: 1, blocks: true, credits: 2}", []string{"2 × started seconds"}},
		{
			"charge: {each: images, tiers: {by: pixels, mode: volume, steps: [{up_to: 1048576, credits: 4}, {credits: 8}]}}",
			[]string{"by pixels: 4 × images up to 1048576, above that 8 × images"},
		},
		{
			"charge: {each: images, tiers: {mode: graduated, steps: [{up_to: 10, credits: 1}, {up_to: 100, credits: \"0.5\"}]}}",
			[]string{"by parts of images: 1 × images up to 10, 0.5 × images up to 100, above that held"},
		},
		{"charge: {each: images, tiers: {mode: graduated, steps: [{credits: 1}]}}", []string{"1 × images"}},
		{"charge: {each: images, tiers: {by: pixels, mode: volume, steps: [{credits: 1}]}}", []string{"by pixels: 1 × images"}},
		{
			"charge: {each: seconds, per: 60, blocks: true, tiers: {mode: volume, steps: [{up_to: 600, credits: 3}, {credits: 2}]}, minimum: 1}",
			[]string{"(by seconds: 3 per started 60 seconds up to 600, above that 2 per started 60 seconds)", "at least 1"},
		},
		{
			"charge: {sum: [{each: images, per: 1000000, credits: 300000}, {each: pixels, per: 1000000, credits: 1200000}], minimum: 1}",
			[]string{"300000 per 1000000 images", "+ 1200000 per 1000000 pixels", "at least 1"},
		},
		{
			`charge: {each: images, credits: 9}, add: [{when: {status: "true", model: [a, null]}, charge: {each: images, credits: 1}}, {charge: {credits: 2, maximum: 1}}]`,
			[]string{"9 × images", `+ 1 × images when status is "true" and model is "a" or absent`, "+ (2 a call, at most 1)"},
		},
		{
			`charge: {sum: [{each: seconds, credits: "0.25"}, {credits: 2}], multiply: {by: model, values: {t4: 1, "a b": 4, otherwise: 2, "": 3}, otherwise: "0.5"}, minimum: 1, maximum: 5000, round_up_to: "0.01"}`,
			[]string{"0.25 × seconds", "+ 2 a call", `× by model: t4 1, "a b" 4, "otherwise" 2, "" 3, otherwise 0.5`, "at least 1", "at most 5000", "rounded up to 0.01"},
		},
		{"charge: {credits: 2, multiply: {by: model, values: {a: 1}}}", []string{"2 a call", "× by model: a 1, otherwise held"}},
	}
	for _, tc := range tests {
		if got := rulesOf(t, tc.rule)[0].PriceWords(); !slices.Equal(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.rule, got, tc.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"9 × images"}, "9 × images"},
		{[]string{"9 × images", "+ 1 a call", "+ 2 a call when model is \"a\"", "at least 1", "rounded up to 1"}, "9 × images + 1 a call + 2 a call when model is \"a\", at least 1, rounded up to 1"},
	} {
		if got := OneLine(tc.lines); got != tc.want {
			t.Errorf("%q: got %s", tc.lines, got)
		}
	}
}

func TestWhenWords(t *testing.T) {
	tests := []struct {
		when string
		want []string
	}{
		{"model: high", []string{`model is "high"`}},
		{`model: "a\nb"`, []string{`model is "a\nb"`}},
		{`model: "gpt-*"`, []string{`model is like "gpt-*"`}},
		{"status: 500", []string{"status is 500"}},
		{"status: 500.0", []string{"status is 500"}},
		{`status: "500"`, []string{`status is "500"`}},
		{"status: -0.50", []string{"status is -0.5"}},
		{"status: {gte: 500, lt: 600}", []string{"status is at least 500 and less than 600"}},
		{"status: {gt: 0, lte: 1.5}", []string{"status is more than 0 and at most 1.5"}},
		{"images: null", []string{"images is absent"}},
		{`model: [high, "x*", 7, null], project: p`, []string{`model is "high", like "x*", 7 or absent`, `project is "p"`}},
	}
	for _, tc := range tests {
		if got := rulesOf(t, "when: {"+tc.when+"}, charge: {credits: 1}")[0].WhenWords(); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.when, got, tc.want)
		}
	}
	if r := rulesOf(t, "charge: {credits: 1}")[0]; r.OperationWords() != "any" || len(r.WhenWords()) != 0 {
		t.Errorf("a rule for all calls: %q, %q", r.OperationWords(), r.WhenWords())
	}
	if r := rulesOf(t, `operation: "image.*", charge: {credits: 1}`)[0]; r.OperationWords() != "image.*" {
		t.Errorf("got %q", r.OperationWords())
	}
}
