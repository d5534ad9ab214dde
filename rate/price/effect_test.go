package price

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// alone is a version in force for all time, as the oracle reads it.
func alone(w wordVersion) []wordVersion {
	w.from = time.Time{}
	return []wordVersion{w}
}

// TestOnlyAgreesWithTheOracle rates random calls by each version of random tables
// alone.
func TestOnlyAgreesWithTheOracle(t *testing.T) {
	s := session(t)
	for seed := range uint64(4) {
		r := random{rand.New(rand.NewPCG(seed, 5))}
		words, book := r.versions(t)
		calls := make([]call, 300)
		for i := range calls {
			calls[i] = r.call()
		}
		load(t, s, calls)
		for k, w := range words {
			got := judge(t, s, book.Only(book.Find(w.table, w.version)), SelectOptions{Dynamic: testColumns, OpenedBefore: november})
			for i, c := range calls {
				if want := c.judge(alone(w)); got[i] != want {
					t.Fatalf("seed %d version %d call %d: got %+v, want %+v", seed, k, i, got[i], want)
				}
			}
		}
		if v := book.Find(words[0].table, words[0].version); v.From.IsZero() {
			t.Fatal("the book's own version was changed")
		}
	}
}

// TestCompareSelectAgreesWithTheOracle sums up by hand what the oracle makes of each
// call by one version and by the other.
func TestCompareSelectAgreesWithTheOracle(t *testing.T) {
	s := session(t)
	seen := map[string]int{}
	for seed := range uint64(12) {
		r := random{rand.New(rand.NewPCG(seed, 6))}
		words, book := r.versions(t)
		calls := make([]call, 500)
		for i := range calls {
			calls[i] = r.call()
		}
		load(t, s, calls)
		mustExec(t, s, "CREATE OR REPLACE TEMP TABLE period_rated AS SELECT *, 'x' AS price_table, 7 AS rule, CAST(3 AS DECIMAL(18,6)) AS credits, 'held' AS held FROM usage_posted")
		mustExec(t, s, "DROP TABLE usage_posted")
		before, after := pick(r, words), pick(r, words) // also of different tables

		type group struct {
			calls, changed int
			before, after  *big.Rat
		}
		want := map[string]*group{}
		for _, c := range calls {
			if !c.likeAny(before.appliesTo) && !c.likeAny(after.appliesTo) {
				continue
			}
			c.opened = true
			old, now := c.judge(alone(before)), c.judge(alone(after))
			key := fmt.Sprintf("%q %q %q %q", c.account, c.operation, old.held, now.held)
			if want[key] == nil {
				want[key] = &group{before: new(big.Rat), after: new(big.Rat)}
			}
			g := want[key]
			g.calls++
			if old.credits != now.credits {
				g.changed++
			}
			g.before.Add(g.before, rat(old.credits))
			g.after.Add(g.after, rat(now.credits))
			seen[old.held]++
		}
		var wanted []string
		for _, key := range slices.Sorted(maps.Keys(want)) {
			g := want[key]
			wanted = append(wanted, fmt.Sprintf("%s: %d %d %s %s", key, g.calls, g.changed, g.before.FloatString(6), g.after.FloatString(6)))
		}

		query, err := book.CompareSelect(book.Find(before.table, before.version), book.Find(after.table, after.version), testColumns)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.Rows(context.Background(), "SELECT account, operation, coalesce(held_before, ''), coalesce(held_after, ''), calls, changed, "+
			"CAST(credits_before AS VARCHAR), CAST(credits_after AS VARCHAR), typeof(credits_before), typeof(credits_after) FROM (\n"+query+"\n)")
		if err != nil {
			t.Fatalf("%v\n%s", err, query)
		}
		var got []string
		for rows.Next() {
			var account, operation, heldBefore, heldAfter, credits, creditsAfter, type1, type2 string
			var n, changed int
			if err := rows.Scan(&account, &operation, &heldBefore, &heldAfter, &n, &changed, &credits, &creditsAfter, &type1, &type2); err != nil {
				t.Fatal(err)
			}
			if type1 != "DECIMAL(38,6)" || type2 != type1 {
				t.Fatalf("sums are %s and %s", type1, type2)
			}
			got = append(got, fmt.Sprintf("%q %q %q %q: %d %d %s %s", account, operation, heldBefore, heldAfter, n, changed, credits, creditsAfter))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		slices.Sort(got)
		slices.Sort(wanted)
		if !slices.Equal(got, wanted) {
			t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, strings.Join(got, "\n"), strings.Join(wanted, "\n"))
		}
	}
	t.Log(seen)
	for _, reason := range []string{"", NoRule, NullQuantity} {
		if seen[reason] < 20 {
			t.Errorf("only %d calls were held as %q before: the test does not reach it", seen[reason], reason)
		}
	}
}
