package account_test

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

// compare fails with the first difference, and with the history that made it.
func compare(t failer, w world, got, want result) {
	t.Helper()
	for i := range want.calls {
		if i >= len(got.calls) || got.calls[i] != want.calls[i] {
			t.Fatalf("call %d at %s of %d: engine %q, model %q\n%s", i, stamp(w.calls[i].t), w.calls[i].micro, got.calls[i], want.calls[i], w)
		}
	}
	for p := range want.periods {
		if slices.Equal(got.periods[p], want.periods[p]) {
			continue
		}
		var diff []string
		for _, l := range got.periods[p] {
			if !slices.Contains(want.periods[p], l) {
				diff = append(diff, "engine: "+l)
			}
		}
		for _, l := range want.periods[p] {
			if !slices.Contains(got.periods[p], l) {
				diff = append(diff, "model:  "+l)
			}
		}
		t.Fatalf("period %d:\n%s\n%s", p, strings.Join(diff, "\n"), w)
	}
}

// String tells the history.
func (w world) String() string {
	out := []string{"from " + w.first + " in " + w.zone + ", unknown " + w.unknown}
	for _, e := range w.events {
		out = append(out, fmt.Sprintf("%s posted %s %s", stamp(e.at), stamp(e.posted), e.payload()))
	}
	for i, c := range w.calls {
		out = append(out, fmt.Sprintf("call %d %s %d", i, stamp(c.t), c.micro))
	}
	for _, k := range w.kept {
		out = append(out, fmt.Sprintf("kept %+v", k))
	}
	return strings.Join(out, "\n")
}

// TestEngineAgreesWithModel runs random lives of three months, each month opened
// from the outcome of the one before, and compares every split, bucket, ledger
// row, alert, charge and held event with the second implementation, which knows
// no periods but by their names. It counts what the lives reached, and all that
// features names must be among it.
func TestEngineAgreesWithModel(t *testing.T) {
	reached := map[string]int{}
	lives := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, 3)
		got := w.runEngine(t, 3)
		m, want := w.runModel(3)
		compare(rt, w, got, want)
		for p, o := range got.outcomes {
			burnIdentity(rt, w, p, o)
		}
		lives++
		for what := range m.seen {
			reached[what]++
		}
	})
	for _, what := range slices.Sorted(maps.Keys(reached)) {
		t.Logf("%5d of %d lives: %s", reached[what], lives, what)
	}
	if lives < drawnLives {
		return // told to draw fewer
	}
	for _, what := range features {
		if reached[what] == 0 {
			t.Errorf("no life reached this: %s", what)
		}
	}
	for what := range reached {
		if !slices.Contains(features, what) {
			t.Errorf("not among the features: %s", what)
		}
	}
}

// TestOrderOfEventsFilesDoesNotMatter: events come in whatever order files had.
func TestOrderOfEventFilesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, 2)
		want := w.runEngine(t, 2)
		shuffled := w
		shuffled.events = slices.Clone(w.events)
		rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed"))).Shuffle(len(w.events), func(i, j int) {
			shuffled.events[i], shuffled.events[j] = shuffled.events[j], shuffled.events[i]
		})
		compare(rt, w, shuffled.runEngine(t, 2), want)
	})
}

// TestAProvisionalRunIsTheBeginningOfTheWhole burns a period down to some midnight, as
// apply does: what it says of the time before is what the whole period's run says.
func TestAProvisionalRunIsTheBeginningOfTheWhole(t *testing.T) {
	lives := 0
	rapid.Check(t, func(rt *rapid.T) {
		if lives++; lives > drawnLives/3 {
			return
		}
		w := drawWorld(rt, 2)
		n := rapid.IntRange(1, 2).Draw(rt, "periods")
		m := &model{loc: must(period.LoadLocation(w.zoneName()))}
		first := m.instantOf(must(time.Parse("2006-01", w.first)))
		day := m.monthStart(first, n-1).In(m.loc)
		until := m.instantOf(time.Date(day.Year(), day.Month(), 1+rapid.IntRange(1, 27).Draw(rt, "days"), 0, 0, 0, 0, time.UTC))
		whole, part := w.runEngine(t, n).outcomes[n-1], w.runEngineUntil(t, n, until).outcomes[n-1]
		identities(t, part)
		got, want := beginning(part, until), beginning(whole, until)
		if !slices.Equal(got, want) {
			rt.Fatalf("until %s:\n%s\nof the whole:\n%s\n%s", stamp(until), strings.Join(got, "\n"), strings.Join(want, "\n"), w)
		}
	})
}

// beginning is what an outcome says of the time before until, and of the transitions
// at until, which come before its calls and the top-ups that they need.
func beginning(o account.Outcome, until time.Time) []string {
	var lines []string
	for _, e := range o.Ledger {
		calls := e.Entry == "burn" || e.Entry == "overage" || e.Entry == "denied" || strings.Contains(e.BucketID, "/topup/")
		if e.At.Before(until) || e.At.Equal(until) && !calls {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", stamp(e.At), e.Entry, e.BucketID, e.Credits))
		}
	}
	for _, a := range o.Alerts {
		if a.At.Before(until) {
			lines = append(lines, fmt.Sprintf("alert %s %s at %s usage %s balance %s", a.Kind, a.Threshold, stamp(a.At), a.Usage, a.Balance))
		}
	}
	for _, c := range o.Charges {
		if c.At.Before(until) {
			lines = append(lines, fmt.Sprintf("charge %s %s %s %s", c.Kind, stamp(c.At), c.ID, c.Amount))
		}
	}
	for _, h := range o.Held {
		if !h.Event.PostedAt.After(until) {
			lines = append(lines, "held "+h.Event.ID+" "+h.Reason)
		}
	}
	sort.Strings(lines)
	return lines
}
