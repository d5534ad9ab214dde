package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

// follow tells the account's history from the events that a run of n periods left,
// provisional up to until or, with the zero time, closed.
func (w world) follow(t testing.TB, ran result, n int, until time.Time) *account.History {
	t.Helper()
	calendar := must(period.NewCalendar(w.zoneName()))
	first := must(period.Parse(w.first))
	last := first.Add(n - 1)
	if until.IsZero() {
		last = last.Next() // what the close left behind posts there
	}
	p := account.Params{
		Account: w.name(), Period: last, Calendar: calendar, FirstPeriod: first, Catalog: w.catalog.parse(t),
		DefaultCurrency: must(money.ParseCurrency("USD")), UnknownPlan: w.unknown,
	}
	end := calendar.End(p.Period)
	for _, e := range ran.events {
		if e.PostedAt.Before(end) {
			p.Events = append(p.Events, e)
		}
	}
	var firstCall time.Time
	if !until.IsZero() {
		for _, c := range w.calls {
			if firstCall.IsZero() && calendar.Of(c.t) == p.Period {
				firstCall = c.t
			}
		}
	}
	return account.Follow(p, firstCall)
}

// termLines writes terms as modelTerms does.
func termLines(h *account.History) (lines []string) {
	for _, term := range h.Terms() {
		to := "on"
		if !term.To.IsZero() {
			to = stamp(term.To)
		}
		lines = append(lines, fmt.Sprintf("%s v%d %s to %s", term.Plan.Name, term.Plan.Version, stamp(term.From), to))
	}
	return lines
}

// terms are the plan versions in force up to until, by the second implementation.
func (m *model) terms(until time.Time) (lines []string) {
	for i := 0; i < len(m.cycles) && !m.cycles[i].start.After(until); {
		c := m.cycles[i]
		for {
			i++
			followed := i < len(m.cycles) && !m.cycles[i].start.After(until)
			last, cancelled := m.cycles[i-1], m.cycles[i-1].cancelled && !m.cycles[i-1].cancelledAt.After(until)
			to := stamp(last.end)
			switch {
			case followed && !m.cycles[i].start.After(last.end):
				if m.cycles[i].plan.name == c.plan.name && m.cycles[i].plan.version == c.plan.version {
					continue
				}
				to = stamp(m.cycles[i].start)
			case !followed && last.end.After(until) && !cancelled:
				to = "on"
			}
			lines = append(lines, fmt.Sprintf("%s v%d %s to %s", c.plan.name, c.plan.version, stamp(c.start), to))
			break
		}
	}
	return lines
}

// TestHistoryAgreesWithModel tells random lives from the events that closes and applies
// leave, and compares the plan versions in force with the cycles of the second
// implementation, which goes through the calls, too.
func TestHistoryAgreesWithModel(t *testing.T) {
	lives, reached := 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		if lives++; lives > drawnLives/4 {
			return
		}
		w := drawWorld(rt, 3)
		n := rapid.IntRange(1, 3).Draw(rt, "periods")
		m, _ := w.runModel(n)
		calendar := must(period.NewCalendar(w.zoneName()))
		last := must(period.Parse(w.first)).Add(n - 1)
		var until time.Time // of the apply; zero: closed
		end := calendar.End(last).Add(-time.Microsecond)
		if rapid.Bool().Draw(rt, "provisional") {
			until = calendar.Start(last).Add(time.Duration(rapid.IntRange(1, 27*48).Draw(rt, "half hours")) * 30 * time.Minute)
			if at := m.instants(calendar.Start(last), end); len(at) > 0 && rapid.Bool().Draw(rt, "at an event") {
				until = rapid.SampledFrom(at).Draw(rt, "event")
			}
			end = until
		}
		h := w.follow(t, w.runEngineUntil(t, n, until), n, until)
		if rapid.Bool().Draw(rt, "by the way") {
			h.To(end.Add(-36 * time.Hour))
		}
		h.To(end)
		got, want := termLines(h), m.terms(end)
		if !slices.Equal(got, want) {
			rt.Fatalf("until %s, closed %v:\n%s\nmodel:\n%s\n%s", stamp(end), until.IsZero(), strings.Join(got, "\n"), strings.Join(want, "\n"), w)
		}
		m.compareStanding(rt, h.Standing(), end, reached)
		for _, line := range got {
			reached["a term"]++
			if strings.HasSuffix(line, " on") {
				reached["a running one"]++
			}
			if strings.Contains(line, " v2 ") {
				reached["a second version"]++
			}
		}
	})
	t.Log(reached)
	for _, what := range []string{"a term", "a running one", "a second version", "a next allowance"} {
		if reached[what] == 0 && lives >= drawnLives {
			t.Errorf("no life reached %s", what)
		}
	}
}

// instants are when the account's cycles begin and its events post, from one instant to
// another.
func (m *model) instants(from, to time.Time) (all []time.Time) {
	for _, e := range m.events {
		all = append(all, e.posted)
	}
	for _, c := range m.cycles {
		all = append(all, c.start, c.end)
	}
	return slices.DeleteFunc(all, func(t time.Time) bool { return !t.After(from) || t.After(to) })
}

// compareStanding compares the running cycle with the model's, and the allowance that is
// to follow with that of the model's next one.
func (m *model) compareStanding(t failer, s account.Standing, at time.Time, reached map[string]int) {
	t.Helper()
	var c, next *modelCycle
	for i := range m.cycles {
		if !m.cycles[i].start.After(at) {
			c, next = m.cycles[i], nil
		} else if next == nil {
			next = m.cycles[i]
		}
	}
	if c != nil && !c.end.After(at) {
		c = nil
	}
	switch {
	case c == nil && s.Plan == nil:
	case c == nil || s.Plan == nil || s.Plan.Name != c.plan.name || s.Plan.Version != c.plan.version || !s.From.Equal(c.start) || !s.To.Equal(c.end):
		t.Fatalf("at %s it stands %+v, in the model %+v", stamp(at), s, c)
	case c.cancelled && !c.cancelledAt.After(at):
		if s.Next != nil || s.Rolls {
			t.Fatalf("at %s a cycle follows the cancelled one: %+v", stamp(at), s)
		}
	case next != nil && next.start.Equal(c.end) && next.plan.name == c.plan.name && next.anchor.Equal(c.anchor):
		reached["a next allowance"]++
		if s.Next == nil || s.Next.Rat().Cmp(next.allowance) != 0 || s.Rolls != (c.plan.cycles > 0) {
			t.Fatalf("at %s %+v follows, in the model %+v", stamp(at), s, next)
		}
	}
}
