package rate

import (
	"fmt"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/rate/price"
	statements "github.com/creditmill/creditmill/sql"
)

// A Replay rates calls of closed periods once more (SPEC section 8): those from Home
// on post at their own time and are not late, whatever they did before; OpenStart of
// the batches is not asked for. The files have [BeforeColumns] behind their own and
// then, for each of Drafts, [DraftColumns].
type Replay struct {
	Home time.Time
	// Drafts are prices beside the book: what they make of each call, in the same pass.
	Drafts []*price.Book
	// Dry leaves away what a comparison does not ask for: the files have [DryColumns] in
	// the place of rated's.
	Dry bool
}

// BeforeColumns are what a replay's calls were before it: the instant they posted at
// and their credits, NULL for a call that was not rated.
var BeforeColumns = []lake.Column{{Name: "_posted_before", Type: "TIMESTAMP"}, {Name: "_credits_before", Type: "DECIMAL(18,6)"}}

// DraftColumns are what the i-th draft makes of a call: its credits and why it is
// held. No dimension begins with an underscore.
func DraftColumns(i int) []lake.Column {
	return []lake.Column{
		{Name: fmt.Sprintf("_credits_%d", i), Type: "DECIMAL(18,6)"},
		{Name: fmt.Sprintf("_held_%d", i), Type: "VARCHAR"},
	}
}

// DryColumns are the columns of rated that burning and comparing ask for.
func DryColumns() []lake.Column {
	asked := []string{
		"event_id", "source", "account", "project", "key", "operation", "time", "posted_at", "late", "price_table", "price_version", "credits", "held",
	}
	return slices.DeleteFunc(slices.Clone(lake.Rated.Columns), func(c lake.Column) bool { return !slices.Contains(asked, c.Name) })
}

// home is the instant as SQL.
func (r *Replay) home() string {
	if r == nil {
		return ""
	}
	return price.Timestamp(r.Home)
}

// replaySelect is the SELECT of a replay: each draft prices what the one before
// returns, with what it found beside.
func (r *run) replaySelect(options price.SelectOptions) (string, error) {
	var columns []string
	for _, c := range slices.Concat(lake.Usage.Columns, []lake.Column{{Name: "posted_at"}, {Name: "late"}}, r.Dynamic, BeforeColumns) {
		columns = append(columns, c.Name)
	}
	options.Beside = names(BeforeColumns)
	type draft struct {
		Select        string
		Credits, Held string
	}
	var drafts []draft
	for i, book := range r.Replay.Drafts {
		compiled, err := book.Select(options)
		if err != nil {
			return "", err
		}
		beside := names(DraftColumns(i))
		drafts = append(drafts, draft{compiled, beside[0], beside[1]})
		options.Beside = append(slices.Clone(options.Beside), beside...)
	}
	compiled, err := r.Book.Select(options)
	if err != nil {
		return "", err
	}
	source := statements.Expand("duckdb/rate_replay_calls", map[string]any{"Columns": columns})
	for _, d := range drafts {
		source = statements.Expand("duckdb/rate_replay_draft", map[string]any{"Columns": columns, "Source": source, "Draft": d})
		columns = append(columns, d.Credits, d.Held)
	}
	var returned []string
	if r.Replay.Dry {
		returned = append(names(DryColumns()), options.Beside...)
	}
	return statements.Expand("duckdb/rate_replay", map[string]any{"Columns": returned, "Source": source, "Select": compiled}), nil
}
