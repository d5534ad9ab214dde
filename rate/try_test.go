package rate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/rate/price"
)

var tried = []lake.Column{
	{Name: "model", Type: lake.DimensionType}, {Name: "images", Type: lake.IntegerQuantityType}, {Name: "seconds", Type: lake.DecimalQuantityType},
}

const triedTable = `
table: api
version: 1
effective_from: 2026-10-01T00:00:00Z
applies_to: ["image.*"]
rules:
  - when: {project: [free, null], source: batch}
    charge: {credits: 0}
  - operation: image.generate
    charge: {each: images, credits: 9}
  - operation: image.scale
    charge: {each: images, tiers: {mode: graduated, steps: [{up_to: 10, credits: 1}]}}
  - operation: image.train
    charge: {each: seconds, credits: "0.25", multiply: {by: model, values: {small: 1, large: 4}}}
`

func try(t *testing.T, text string, tables ...string) ([]price.Test, []price.Verdict) {
	t.Helper()
	var p yamlfile.Problems
	tests := price.ParseTests([]price.File{{Name: "tests/a.yaml", Content: []byte(text)}}, tried, []string{"web", "batch"}, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	calls := make([]price.Call, len(tests))
	for i, test := range tests {
		calls[i] = test.Call
	}
	verdicts, err := Try(t.Context(), benchSession(t), mustBook(t, tried, tables...), tried, calls)
	if err != nil {
		t.Fatal(err)
	}
	return tests, verdicts
}

// TestTryJudgesLikeARun: every reason but that an account is not opened, and the
// last microsecond before a price changes. By hand: 2 × 9 = 18, then 2 × 10 = 20;
// 3.000004 × 0.25 × 4 = 3.000004; 3.000001 × 0.25 = 0.75000025, rounded 0.75.
func TestTryJudgesLikeARun(t *testing.T) {
	newer := strings.NewReplacer("version: 1", "version: 2", "10-01", "10-15", "credits: 9", "credits: 10").Replace(triedTable)
	tests, verdicts := try(t, `
defaults: {time: 2026-10-05T12:00:00Z, images: 2, operation: image.generate}
tests:
  - {credits: 18, table: api, version: 1, rule: 2, call: {}}
  - {credits: 18, version: 1, call: {time: 2026-10-14T23:59:59.9999999Z}}
  - {credits: 20, version: 2, rule: 2, call: {time: 2026-10-15T00:00:00Z}}
  - {held: no_rule, call: {time: 2026-09-30T23:59:59.999999Z}}
  - {held: no_rule, table: api, version: 1, call: {operation: image.none}}
  - {held: null_quantity, rule: 2, call: {images: null}}
  - {held: beyond_last_step, rule: 3, call: {operation: image.scale, images: 11}}
  - {credits: 10, rule: 3, call: {operation: image.scale, images: 10}}
  - {credits: 3.000004, call: {operation: image.train, model: large, seconds: 3.000004}}
  - {credits: 0.75, call: {operation: image.train, model: small, seconds: 3.000001}}
  - {held: unlisted_value, rule: 4, call: {operation: image.train, model: tiny, seconds: 1}}
  - {held: overflow, rule: 2, call: {images: 111111111112}}
  - {credits: 999999999999, call: {images: 111111111111}}
  - {credits: 0, rule: 1, call: {source: batch}}
  - {credits: 18, call: {source: batch, project: mine}}
  - {credits: 18, call: {model: "\x00';--"}}
`, triedTable, newer)
	for i, test := range tests {
		if !test.Passes(verdicts[i]) {
			t.Errorf("%s: %s: got %s, want %s", test.Node.Pos(), test.Call, verdicts[i], test.Want)
		}
	}
}

// A test that wants something else does not pass, and without prices every call is
// held.
func TestTryTellsApart(t *testing.T) {
	const text = `
defaults: {time: 2026-10-05T12:00:00Z, images: 2, operation: image.generate}
tests:
  - {credits: 18.000001, call: {}}
  - {credits: 18, version: 2, call: {}}
  - {credits: 18, rule: 3, call: {}}
  - {credits: 18, table: chat, call: {}}
  - {held: overflow, call: {}}
`
	tests, verdicts := try(t, text, triedTable)
	for i, test := range tests {
		if got := verdicts[i].String(); test.Passes(verdicts[i]) || got != "18 credits (api version 1, rule 2)" {
			t.Errorf("%s: got %s", test.Node.Pos(), got)
		}
	}
	_, verdicts = try(t, text)
	for _, got := range verdicts {
		if got.String() != "held: no_rule" {
			t.Errorf("without prices: %s", got)
		}
	}
}

// TestTryManyCalls: verdicts come in the order of the calls, over several record
// batches.
func TestTryManyCalls(t *testing.T) {
	var text strings.Builder
	text.WriteString("defaults: {time: 2026-10-05T12:00:00Z, operation: image.generate}\ntests:\n")
	for i := range 20_000 {
		fmt.Fprintf(&text, "  - {call: {images: %d}, credits: %d}\n", i, 9*i)
	}
	tests, verdicts := try(t, text.String(), triedTable)
	for i, test := range tests {
		if !test.Passes(verdicts[i]) {
			t.Fatalf("%s: %s: got %s, want %s", test.Node.Pos(), test.Call, verdicts[i], test.Want)
		}
	}
}
