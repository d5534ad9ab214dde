package jobs

import (
	stdsql "database/sql"
	"testing"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/rate/price"
)

// What the arithmetic does not come to is said, rule, credits and reason alike.
func TestAnExplanationThatDisagreesSaysSo(t *testing.T) {
	t.Parallel()
	row := func(rule int64, credits, held string) *ratedRow {
		return &ratedRow{rule: stdsql.NullInt64{Int64: rule, Valid: rule > 0}, credits: credits, held: stdsql.NullString{String: held, Valid: held != ""}}
	}
	six := credit.FromInt(6)
	for _, tc := range []struct {
		row        *ratedRow
		worked     price.Explanation
		difference string // empty: they agree
	}{
		{row(2, "6.000000", ""), price.Explanation{Rule: 2, Credits: six}, ""},
		{row(2, "7.500000", ""), price.Explanation{Rule: 2, Credits: six}, "rated: rule 2, 7.5 credits; worked out here: rule 2, 6 credits"},
		{row(1, "6.000000", ""), price.Explanation{Rule: 2, Credits: six}, "rated: rule 1, 6 credits; worked out here: rule 2, 6 credits"},
		{row(0, "0.000000", price.NoRule), price.Explanation{Held: price.NoRule}, ""},
		{row(0, "0.000000", price.NoRule), price.Explanation{Rule: 2, Credits: six}, "rated: rule 0, 0 credits, held: no_rule; worked out here: rule 2, 6 credits"},
		{row(2, "0.000000", price.AccountNotOpened), price.Explanation{Rule: 2, Credits: six}, ""},
	} {
		var p ExplainedPrice
		p.compare(tc.row, tc.worked)
		if p.Agrees == nil || *p.Agrees != (tc.difference == "") || p.Difference != nil && *p.Difference != tc.difference {
			t.Errorf("%+v and %+v: agrees %v, %v", tc.row, tc.worked, *p.Agrees, p.Difference)
		}
	}
}

func TestAnIDStandsInARecordByItself(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw, id string
		want    bool
	}{
		{`{"id":"r1","n":1}`, "r1", true},
		{`{"id":"r10","n":1}`, "r1", false},
		{`{"id":"xr1","to":"r1"}`, "r1", true},
		{`r1,2026-10-01`, "r1", true},
		{`2026-10-01,r1`, "r1", true},
		{`{"id":17}`, "17", true},
		{``, "r1", false},
	} {
		if got := standsIn(tc.raw, tc.id); got != tc.want {
			t.Errorf("%s in %s: %v", tc.id, tc.raw, got)
		}
	}
}
