package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/catalog"
)

const (
	planHead = "plan: p\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\n" // lines 1 to 3
	planBody = "allowance: 5\nrenews: anniversary\n"                         // lines 4 and 5 when it follows
	packHead = "pack: p\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\n"
	packBody = "credits: 5\nprice: {USD: 1}\n"
)

// TestBadCatalogs: every rule of a catalog, with the place it is told at.
func TestBadCatalogs(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"not a map", "- plan: a\n", "1:1: a plan or a pack is expected here, not a list / a document begins with plan: NAME or pack: NAME"},
		{"empty", "", "1:1: a plan or a pack is expected here, not nothing / a document begins with plan: NAME or pack: NAME"},
		{"neither", "paln: a\n", "1:1: the document is neither a plan nor a pack / a document has one of plan: NAME and pack: NAME"},
		{"both", "plan: a\npack: b\n", "1:1: the document is both a plan and a pack / a document has one of plan: NAME and pack: NAME"},
		{"plan needs", "plan: a\n", "1:1: the plan needs \"allowance\"\n1:1: the plan needs \"effective_from\"\n1:1: the plan needs \"renews\"\n1:1: the plan needs \"version\""},
		{"pack needs", "pack: a\n", "1:1: the pack needs \"credits\"\n1:1: the pack needs \"effective_from\"\n1:1: the pack needs \"price\"\n1:1: the pack needs \"version\""},
		{
			"unknown keys", planHead + planBody + "feee: 1\noverage: {price: {USD: 1}, step: []}\nrollover: {cycles: 1, max: 2}\nrate_limit: {calls: 1, per: day, x: 1}\n",
			"6:1: the plan has no key \"feee\" / did you mean fee?\n7:28: overage has no key \"step\" / did you mean steps?\n8:23: rollover has no key \"max\" / there are cap, cycles\n9:34: rate_limit has no key \"x\" / there are calls, per",
		},
		{"unknown key of a pack", packHead + packBody + "expires: 1 month\n", "6:1: the pack has no key \"expires\" / there are credits, effective_from, expires_after, pack, price, version"},
		{
			"names", "plan: 5\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\n" + planBody + "---\n" + strings.Replace(packHead, "pack: p", "pack: \"a\\nb\"", 1) + packBody,
			"1:7: a text is expected here, not a number / write it in quotes: \"5\"\n7:7: a name has at most 256 bytes and no control characters",
		},
		{
			"empty name", "plan: \"\"\nversion: 0\neffective_from: 2026-01-01\n" + planBody,
			"1:7: an empty text\n2:10: a number between 1 and 2147483647 is expected here, not 0\n3:17: \"2026-01-01\" is no instant (RFC 3339, such as 2026-10-31T22:00:00Z) / write 2026-01-01T00:00:00Z",
		},
		{"twin", planHead + planBody + "---\n" + planHead + planBody, "8:10: version 1 of the plan \"p\" stands already at c.yaml:2:10 / give the new version a number of its own"},
		{"a pack of a plan's name is no twin", planHead + planBody + "---\n" + packHead + packBody, ""},
		{"fee is no map", planHead + planBody + "fee: 99\n", "6:6: a price in each currency is expected here, not a number / write {USD: \"99\"}"},
		{"fee is empty", planHead + planBody + "fee: {}\n", "6:6: a price in each currency is expected here, not an empty map / write {USD: \"10.00\"}"},
		{
			"fee", planHead + planBody + "fee: {usd: 1, USD: -1, EUR: 1e3, JPY: 0.0000000000001, GBP: , CHF: 1000000000000}\n",
			"6:7: \"usd\" is no ISO 4217 currency code (three capitals, such as USD)\n6:20: -1 is negative\n6:29: \"1e3\" is no decimal number / write digits with at most one point, such as 1200 or 0.25\n" +
				"6:39: 0.0000000000001 has more than 12 digits after the point\n6:56: \"GBP\" has no price\n6:68: 1000000000000 has more than 12 digits before the point",
		},
		{"allowance", planHead + "allowance: -1\nrenews: weekly\n", "4:12: -1 is negative\n5:9: \"weekly\" is none of anniversary, calendar / there are anniversary, calendar"},
		{"allowance's digits", planHead + "allowance: 0.0000001\nrenews: calendar\n", "4:12: 0.0000001 has more than 6 digits after the point"},
		{"prorate", planHead + planBody + "prorate: true\n", "6:10: only a calendar plan is prorated / an anniversary cycle is never short: leave it out, or write renews: calendar"},
		{
			"rollover", planHead + planBody + "rollover: {cycles: 0, cap: many}\n",
			"6:20: a number between 1 and 1200 is expected here, not 0\n6:28: \"many\" is no decimal number / write digits with at most one point, such as 1200 or 0.25",
		},
		{"rollover needs cycles", planHead + planBody + "rollover: {cap: 1}\n", "6:11: rollover needs \"cycles\""},
		{"rollover is a map", planHead + planBody + "rollover: 3\n", "6:11: rollover must be a map, not a number"},
		{
			"overage without a price", planHead + planBody + "overage: {per: 0}\n",
			"6:10: overage needs a price, or steps / write price: {USD: \"1.50\"}; a plan without a price of overage has no overage at all\n6:16: it must be more than zero",
		},
		{"overage with both", planHead + planBody + "overage: {price: {USD: 1}, steps: [{price: {USD: 1}}]}\n", "6:35: overage has either a price or steps / leave one of them out"},
		{
			"overage's types", planHead + planBody + "overage: {price: {USD: 1}, protection: yes, blocks: 1, limit: -5}\n",
			"6:40: true or false is expected here, not a text / write true\n6:53: true or false is expected here, not a number\n6:63: -5 is negative",
		},
		{
			"steps", planHead + planBody + "overage:\n  steps:\n    - {up_to: 10, price: {USD: 1}}\n    - {up_to: 10, price: {USD: 1}}\n    - {price: {USD: 1}}\n    - {up_to: 30, cost: 1}\n",
			"9:15: a step must end after the one before, at 10\n10:7: only the last step has no up_to\n11:7: the step needs \"price\"\n" +
				"11:15: the last step has no end / leave it out; how much overage there can be is said by limit\n11:19: the step has no key \"cost\" / there are price, up_to",
		},
		{"no steps", planHead + planBody + "overage: {steps: []}\n", "6:18: steps are a list of at least one step"},
		{
			"rate limit", planHead + planBody + "rate_limit: {calls: 0, per: minute}\n",
			"6:21: a number between 1 and 9223372036854775807 is expected here, not 0\n6:29: \"minute\" is none of hour, day / there are day, hour",
		},
		{
			"pack", packHead + "credits: 0\nprice: \"10.00\"\nexpires_after: 0 days\n",
			"4:10: it must be more than zero\n5:8: a price in each currency is expected here, not a text / write {USD: \"10.00\"}\n6:16: a pack cannot expire at once / leave it out if the pack never expires",
		},
		{
			"currencies differ", planHead + planBody + "fee: {USD: 1, EUR: 1}\noverage: {steps: [{up_to: 1, price: {EUR: 1, USD: 1}}, {price: {USD: 1}}]}\n",
			"7:64: the currencies here are USD, but EUR, USD in line 6 / give every price in the same currencies",
		},
		{
			"currencies of steps differ", planHead + planBody + "overage: {steps: [{up_to: 1, price: {EUR: 1}}, {price: {USD: 1}}]}\n",
			"6:56: the currencies here are USD, but EUR in line 6 / give every price in the same currencies",
		},
		{
			"a currency is dropped", planHead + planBody + "fee: {USD: 1, EUR: 1}\n---\n" + strings.Replace(planHead, "version: 1", "version: 2", 1) + planBody + "fee: {USD: 1}\n",
			"13:6: version 2 of the plan \"p\" has no price in EUR, which version 1 has: whoever pays in it could not renew / keep the currency, or sell a new plan",
		},
		{"a currency is added", planHead + planBody + "fee: {USD: 1}\n---\n" + strings.Replace(planHead, "version: 1", "version: 2", 1) + planBody + "fee: {USD: 1, EUR: 1}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p yamlfile.Problems
			if catalog.Parse([]catalog.File{{Name: "c.yaml", Content: []byte(c.src)}}, &p) == nil {
				t.Error("no catalog")
			}
			var got []string
			for _, problem := range p.List() {
				line := fmt.Sprintf("%d:%d: %s", problem.Line, problem.Column, problem.Message)
				if problem.Hint != "" {
					line += " / " + problem.Hint
				}
				got = append(got, line)
			}
			if joined := strings.Join(got, "\n"); joined != c.want {
				t.Errorf("got\n%s\nwant\n%s", joined, c.want)
			}
		})
	}
}

func TestTwinsInTwoFilesNameBoth(t *testing.T) {
	var p yamlfile.Problems
	catalog.Parse([]catalog.File{{"plans/a.yaml", []byte(planHead + planBody)}, {"plans/b.yaml", []byte("# a copy\n" + planHead + planBody)}}, &p)
	want := `plans/b.yaml:3:10: version 1 of the plan "p" stands already at plans/a.yaml:2:10
    version: 1
             ^
    hint: give the new version a number of its own`
	if got := fmt.Sprint(p.Err()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
