package price

import (
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// Only is a book of one version, in force for all time.
func (b *Book) Only(v *Version) *Book {
	alone := *v
	alone.From, alone.Until = beforeAll, time.Time{}
	return &Book{versions: []*Version{&alone}, types: b.types}
}

// beforeAll is before every call. The zero time would be "without end" as well.
var beforeAll = time.Date(1000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Counts reports whether the version is in force at an instant.
func (v *Version) Counts(at time.Time) bool { return v.inForce(at) }

// CompareSelect is the SELECT that prices every call of the view period_rated, with
// the columns of rated and then those of dynamic, by each of two versions alone as if
// it were in force for all time, in one pass. Calls that neither applies to are
// left out, and every account counts as opened. It returns a row for each account,
// operation and pair of reasons held_before and held_after, with calls, those of
// them whose credits differ (changed), credits_before and credits_after.
func (b *Book) CompareSelect(before, after *Version, dynamic []lake.Column) (string, error) {
	passed := []string{creditsBefore, heldBefore}
	first, err := b.Only(before).Select(SelectOptions{Dynamic: dynamic, UnknownAccounts: true})
	if err != nil {
		return "", err
	}
	second, err := b.Only(after).Select(SelectOptions{Dynamic: dynamic, UnknownAccounts: true, Beside: passed})
	if err != nil {
		return "", err
	}
	var columns []string
	for _, c := range slices.Concat(lake.Usage.Columns, []lake.Column{{Name: "posted_at"}, {Name: "late"}}, dynamic) {
		columns = append(columns, c.Name)
	}
	return sql.Expand("duckdb/prices_compare", map[string]any{
		"Columns": columns, "Operations": appliesTo(slices.Concat(before.AppliesTo, after.AppliesTo)),
		"CreditsBefore": creditsBefore, "HeldBefore": heldBefore, "Before": first, "After": second,
	}), nil
}

// What the first pricing found, beside the columns of usage: no dimension begins
// with an underscore.
const (
	creditsBefore = "_before_credits"
	heldBefore    = "_before_held"
)
