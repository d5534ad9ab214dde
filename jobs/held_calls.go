package jobs

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate/price"
	"github.com/creditmill/creditmill/sql"
)

// HeldCalls are the calls that are kept out of billing, of all periods.
type HeldCalls struct {
	ByReason map[string]int64
	Groups   []HeldGroup // the largest first, as many as were asked for
	All      int64       // groups that there are
}

// A HeldGroup is the calls of one operation that one version of a price table left
// without a price for one reason.
type HeldGroup struct {
	Reason, Operation string
	Table             string // empty: no version was in force
	Version           int
	File              string // of the version; empty where the configuration no longer has it
	Rule              int    // that all of them matched; 0: none, or not all the same
	Calls             int64
	Accounts          int64
	Account           string // one of them, the first by name
	First, Last       time.Time
	Resolve           string // what releases them: the file to write, the command to run
}

// HeldCalls counts the held calls and says what releases them. The session has them
// as held_rated then: rated with the column period, of the files that hold any.
func (r *Reader) HeldCalls(ctx context.Context, limit int) (HeldCalls, error) {
	held := HeldCalls{ByReason: map[string]int64{}}
	var files []lake.File
	for _, file := range r.mill.Lake.State().Files(lake.Rated) {
		if heldRows(file) > 0 {
			files = append(files, file)
		}
	}
	if err := r.viewBy(ctx, "held_rated", lake.Rated, files, "period", partitionOf); err != nil {
		return held, err
	}
	counts, err := r.session.Rows(ctx, "SELECT held, count(*) FROM held_rated WHERE held IS NOT NULL GROUP BY held")
	if err != nil {
		return held, fmt.Errorf("count held calls: %w", err)
	}
	defer counts.Close()
	for counts.Next() {
		var reason string
		var n int64
		if err := counts.Scan(&reason, &n); err != nil {
			return held, err
		}
		held.ByReason[reason] = n
	}
	if err := counts.Err(); err != nil {
		return held, fmt.Errorf("count held calls: %w", err)
	}
	rows, err := r.session.Rows(ctx, sql.Text("duckdb/held_groups"), limit)
	if err != nil {
		return held, fmt.Errorf("group held calls: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var g HeldGroup
		var table stdsql.NullString
		var version, rule stdsql.NullInt64
		if err := rows.Scan(&g.Reason, &table, &version, &g.Operation, &rule, &g.Calls, &g.Accounts, &g.Account, &g.First, &g.Last, &held.All); err != nil {
			return held, err
		}
		g.Table, g.Version, g.Rule = table.String, int(version.Int64), int(rule.Int64)
		if v := r.mill.Prices.Find(g.Table, g.Version); v != nil {
			g.File = v.File
		}
		g.Resolve = r.mill.resolveGroup(g)
		held.Groups = append(held.Groups, g)
	}
	return held, rows.Err()
}

// resolveGroup says what releases a group of held calls.
func (m *Mill) resolveGroup(g HeldGroup) string {
	if g.Reason == price.AccountNotOpened {
		whom := "account " + g.Account
		if g.Accounts > 1 {
			whom = fmt.Sprintf("each of the %d accounts, such as %s", g.Accounts, g.Account)
		}
		return "send an account.opened for " + whom + ", then `creditmill ingest` and `creditmill rate`; or set `accounts: {unknown: {plan: …}}`, then `creditmill rate`"
	}
	recorded := m.Prices.Find(g.Table, g.Version)
	for _, at := range []time.Time{g.First, g.Last} {
		if v := m.Prices.InForce(g.Operation, at); v != nil && v != recorded {
			return fmt.Sprintf("`creditmill rate`: %s (%s) is in force for them since", v.VersionRef, v.File)
		}
	}
	switch {
	case g.Table == "":
		return m.resolveUnpriced(g)
	case recorded == nil:
		return Resolve(g.Reason)
	}
	resolve := fmt.Sprintf("write version %d of %s, a copy of %s of the same effective_from (%s) %s, then `creditmill rate`",
		m.Prices.Next(g.Table), g.Table, recorded.File, period.FormatInstant(recorded.From), change(g, recorded))
	if g.Reason == price.Overflow {
		resolve += "; or take a wrongly logged call back with `creditmill void`"
	}
	return resolve
}

// resolveUnpriced says what releases calls for which no version was in force.
func (m *Mill) resolveUnpriced(g HeldGroup) string {
	from := period.FormatInstant(g.First)
	v := m.Prices.Earliest(g.Operation)
	if v == nil {
		return fmt.Sprintf("no price table applies to %s: write one of an effective_from no later than %s whose applies_to has it, then `creditmill rate`", g.Operation, from)
	}
	if !v.From.After(g.First) {
		return fmt.Sprintf("%s (%s) prices %s, but the version of %s that followed it does not: write version %d of %[4]s, a copy of the one in force at %[6]s of the same effective_from whose applies_to has it, then `creditmill rate`",
			v.VersionRef, v.File, g.Operation, v.Table, m.Prices.Next(v.Table), from)
	}
	return fmt.Sprintf("%s (%s) prices %s, but only from %s on: write a version %d of an effective_from no later than %s, then `creditmill rate`",
		v.VersionRef, v.File, g.Operation, period.FormatInstant(v.From), m.Prices.Next(v.Table), from)
}

// change says what the copy of a version that held calls must have otherwise.
func change(g HeldGroup, v *price.Version) string {
	rule, quantities := "the rule that they match", []string(nil)
	if g.Rule > 0 && g.Rule <= len(v.Rules) {
		rule = fmt.Sprintf("rule %d (%s)", g.Rule, v.Place(g.Rule))
		quantities = v.Rules[g.Rule-1].Quantities()
	}
	switch g.Reason {
	case price.NoRule:
		return "with a rule for " + g.Operation + " that matches them"
	case price.NullQuantity:
		name := "quantity"
		if len(quantities) == 1 {
			name = quantities[0]
		}
		of := ""
		if len(quantities) > 1 {
			of = ", the quantity being one of " + strings.Join(quantities, ", ")
		}
		return fmt.Sprintf("with a rule `when: {%s: null}` before %s%s", name, rule, of)
	case price.UnlistedValue:
		return "in which multiply of " + rule + " has their value, or `otherwise`"
	case price.BeyondLastStep:
		return "in which the last step of " + rule + " has no up_to"
	case price.Overflow:
		return "in which " + rule + " has a `maximum`, for their credits do not fit 12 digits before the point"
	default:
		return "that prices them"
	}
}
