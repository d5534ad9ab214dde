package jobs_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

var limitsSeed = flag.Uint64("limits.seed", 0, "seed of TestRateLimitBreaches; 0: by the clock")

// limitPlans are the plans of the test's worlds: by name and version, since when, with
// calls per hour or day.
var limitPlans = []struct {
	name    string
	version int
	from    string
	renews  string
	calls   int // 0: no limit
	per     string
}{
	{"hourly", 1, "2020-01-01", "calendar", 3, "hour"},
	{"hourly", 2, "LATER", "calendar", 2, "hour"},
	{"daily", 1, "2020-01-01", "calendar", 5, "day"},
	{"strict", 1, "2020-01-01", "anniversary", 1, "hour"},
	{"strict", 2, "LATER", "anniversary", 7, "day"},
	{"free", 1, "2020-01-01", "calendar", 0, ""},
}

// A limitChange is what happens to an account's subscription; plan "" cancels it.
type limitChange struct {
	at   time.Time
	plan string
}

// A limitWorld is random calls and plan changes in one time zone, over two months, the
// first of which is closed before all calls are there.
type limitWorld struct {
	loc     *time.Location
	first   period.Period
	later   time.Time // from when on second versions are in force
	changes map[string][]limitChange
	calls   []limitCall
}

type limitCall struct {
	at         time.Time
	account    string
	held, late bool
}

// drawLimits draws a world whose calls crowd around clock changes, the months' starts, the
// second versions and changes of plan.
func drawLimits(r *rand.Rand, zone, first string) *limitWorld {
	loc, err := period.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	start, err := time.ParseInLocation("2006-01", first, loc)
	if err != nil {
		panic(err)
	}
	w := &limitWorld{loc: loc, first: mustPeriod(first), changes: map[string][]limitChange{}}
	hour := func() time.Time { return start.Add(time.Duration(r.IntN(60*24)) * time.Hour).Truncate(time.Hour) }
	w.later = hour().UTC()
	crowded := []time.Time{w.later, start, start.AddDate(0, 1, 0), hour(), hour()}
	for t := start; t.Before(start.AddDate(0, 2, 0)); t = t.Add(15 * time.Minute) {
		_, before := t.Zone()
		if _, after := t.Add(15 * time.Minute).Zone(); before != after {
			crowded = append(crowded, t, t.Add(-time.Hour), t.Add(time.Hour), t, t.Add(-time.Hour), t.Add(time.Hour))
		}
	}
	for i := range 6 {
		account := fmt.Sprintf("account-%d", i)
		at := start.AddDate(0, -1, r.IntN(20)).Add(time.Duration(r.IntN(48)) * 30 * time.Minute)
		for range 1 + r.IntN(5) {
			plan := limitPlans[r.IntN(len(limitPlans))].name
			if r.IntN(6) == 0 {
				plan = ""
			}
			w.changes[account] = append(w.changes[account], limitChange{at.UTC(), plan})
			crowded = append(crowded, at)
			if at = at.Add(time.Duration(1+r.IntN(40*24*4)) * 15 * time.Minute); r.IntN(3) == 0 {
				at = crowded[r.IntN(5)].Add(time.Duration(r.IntN(5)-2) * 15 * time.Minute)
			}
		}
		sort.SliceStable(w.changes[account], func(i, j int) bool { return w.changes[account][i].at.Before(w.changes[account][j].at) })
		w.changes[account] = slices.CompactFunc(w.changes[account], func(a, b limitChange) bool { return a.at.Equal(b.at) })
	}
	end := start.AddDate(0, 2, 0)
	for range 3000 {
		at := crowded[r.IntN(len(crowded))].Add(time.Duration(r.IntN(3*60)-60) * time.Minute)
		switch r.IntN(4) {
		case 0: // at the instant itself, or a microsecond before
			at = at.Truncate(time.Hour).Add(-time.Duration(r.IntN(2)) * time.Microsecond)
		case 1:
			at = at.Truncate(30 * time.Minute)
		case 2:
			at = at.AddDate(0, 0, r.IntN(3)-1)
		}
		if at.Before(start) || !at.Before(end) {
			continue
		}
		late := at.Before(start.AddDate(0, 1, 0)) && r.IntN(9) == 0
		w.calls = append(w.calls, limitCall{at.UTC(), fmt.Sprintf("account-%d", r.IntN(7)), r.IntN(15) == 0, late})
	}
	return w
}

// site writes the world.
func (w *limitWorld) site(t *testing.T) site {
	var plans, events []string
	for _, p := range limitPlans {
		doc := fmt.Sprintf("plan: %s\nversion: %d\neffective_from: %s\nallowance: 0\nrenews: %s\n",
			p.name, p.version, strings.Replace(p.from+"T00:00:00Z", "LATERT00:00:00Z", period.FormatInstant(w.later), 1), p.renews)
		if p.calls > 0 {
			doc += fmt.Sprintf("rate_limit: {calls: %d, per: %s}\n", p.calls, p.per)
		}
		plans = append(plans, doc)
	}
	for account := range 7 {
		name := fmt.Sprintf("account-%d", account)
		events = append(events, fmt.Sprintf(`{"id":"open","type":"account.opened","account":%q,"at":"2020-01-01T00:00:00Z"}`, name))
		for i, c := range w.changes[name] {
			kind, plan := "subscription.changed", fmt.Sprintf(`,"plan":%q`, c.plan)
			if c.plan == "" {
				kind, plan = "subscription.cancelled", ""
			}
			events = append(events, fmt.Sprintf(`{"id":"e%d","type":%q,"account":%q,"at":%q%s}`, i, kind, name, period.FormatInstant(c.at), plan))
		}
	}
	config := strings.NewReplacer("Europe/Amsterdam", w.loc.String(), "2026-10", w.first.String()).Replace(standing["creditmill.yaml"])
	return newSite(t, map[string]string{
		"creditmill.yaml":      config,
		"sources/gateway.yaml": tiny["sources/gateway.yaml"], "sources/accounts.yaml": tiny["sources/accounts.yaml"], "prices/api.yaml": standing["prices/api.yaml"],
		"plans/plans.yaml": strings.Join(plans, "---\n"), "raw/accounts/1.jsonl": strings.Join(events, "\n"),
	})
}

// write writes the calls that are late, or those that are not.
func (w *limitWorld) write(s site, late bool) {
	var lines []string
	for i, c := range w.calls {
		op := "op.free"
		if c.held {
			op = "op.unpriced"
		}
		if c.late == late {
			lines = append(lines, fmt.Sprintf(`{"id":"c%d","ts":%q,"org":%q,"op":%q}`, i, period.FormatInstant(c.at), c.account, op))
		}
	}
	s.write(fmt.Sprintf("raw/calls/late-%v.jsonl", late), strings.Join(lines, "\n"))
}

// limitAt is the place of the plan version in force for an account at an instant: cycle
// by cycle from the first change on.
func (w *limitWorld) limitAt(account string, t time.Time) (place int, ok bool) {
	version := func(plan string, at time.Time) int {
		best := -1
		for i, p := range limitPlans {
			if p.name == plan && (p.from != "LATER" || !at.Before(w.later)) {
				best = i
			}
		}
		return best
	}
	changes := w.changes[account]
	var anchor, cycleEnd time.Time // cycleEnd zero: none runs
	var months int
	running, cancelled := -1, false
	start := func(plan string, at time.Time) {
		running = version(plan, at)
		if local := at.In(w.loc); limitPlans[running].renews == "calendar" {
			cycleEnd = time.Date(local.Year(), local.Month()+1, 1, 0, 0, 0, 0, w.loc)
			return
		}
		months++
		cycleEnd = wallMonths(anchor, months, w.loc)
	}
	for {
		var next time.Time
		if len(changes) > 0 {
			next = changes[0].at
		}
		endsFirst := !cycleEnd.IsZero() && (next.IsZero() || !next.Before(cycleEnd))
		switch {
		case endsFirst && cycleEnd.After(t), !endsFirst && (next.IsZero() || next.After(t)):
			return running, !cycleEnd.IsZero()
		case endsFirst:
			// A cancellation at a cycle's very end counts just before it.
			at := cycleEnd
			if next.Equal(at) && changes[0].plan == "" {
				cancelled, changes = true, changes[1:]
			}
			cycleEnd = time.Time{}
			if !cancelled && (len(changes) == 0 || !changes[0].at.Equal(at)) {
				start(limitPlans[running].name, at)
			}
			cancelled = false
		case changes[0].plan == "":
			cancelled, changes = !cycleEnd.IsZero(), changes[1:]
		default:
			anchor, months, cancelled = next, 0, false
			start(changes[0].plan, next)
			changes = changes[1:]
		}
	}
}

// wallMonths is n months after an instant at the same local time: the first instant whose
// clock shows it, or shows it no longer to come.
func wallMonths(anchor time.Time, n int, loc *time.Location) time.Time {
	local := anchor.In(loc)
	day := local.Day()
	for time.Date(local.Year(), local.Month()+time.Month(n), day, 0, 0, 0, 0, time.UTC).Day() != day {
		day--
	}
	wall := time.Date(local.Year(), local.Month()+time.Month(n), day, local.Hour(), local.Minute(), 0, 0, time.UTC)
	_, offset := wall.Add(-26 * time.Hour).In(loc).Zone()
	plain := wall.Add(-time.Duration(offset) * time.Second)
	for t := plain.Add(-3 * time.Hour); t.Before(plain.Add(3 * time.Hour)); t = t.Add(15 * time.Minute) {
		if _, is := t.In(loc).Zone(); t.Add(time.Duration(is) * time.Second).Equal(wall) {
			return t
		}
	}
	return plain // skipped: as much later as the clocks skip
}

// breaches are the windows over their limit, call by call, with how many there are of
// what is rare.
func (w *limitWorld) breaches() (lines []string, rare map[string]int) {
	rare = map[string]int{}
	for _, window := range []struct{ per, shows string }{{"hour", "2006-01-02 15 -0700"}, {"day", "2006-01-02"}} {
		calls := map[string][]time.Time{}
		for _, c := range w.calls {
			if !c.held && !c.late {
				key := c.account + " " + c.at.In(w.loc).Format(window.shows)
				calls[key] = append(calls[key], c.at)
			}
		}
		for key, times := range calls {
			account, label, _ := strings.Cut(key, " ")
			last := slices.MaxFunc(times, time.Time.Compare)
			place, ok := w.limitAt(account, last)
			if !ok || limitPlans[place].per != window.per || len(times) <= limitPlans[place].calls {
				continue
			}
			in := func(t time.Time) bool { return t.In(w.loc).Format(window.shows) == label }
			from := last.Truncate(time.Minute)
			for in(from.Add(-time.Minute)) {
				from = from.Add(-time.Minute)
			}
			to := from
			for in(to) {
				to = to.Add(time.Minute)
			}
			_, before := from.Add(-time.Minute).In(w.loc).Zone()
			_, after := to.In(w.loc).Zone()
			rare[fmt.Sprintf("%s of %s", window.per, to.Sub(from))]++
			if before != after {
				rare[window.per+" beside or over a clock change"]++
			}
			if other, _ := w.limitAt(account, slices.MinFunc(times, time.Time.Compare)); other != place {
				rare["a plan change within"]++
			}
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s %d %d %s", account, limitPlans[place].name, from.Format(time.DateTime), to.Format(time.DateTime),
				window.per, len(times), limitPlans[place].calls, from.In(w.loc).Format("2006-01")))
		}
	}
	slices.Sort(lines)
	return lines, rare
}

// told is what the view says once the first month is closed and the late calls are there.
func (w *limitWorld) told(t *testing.T) []string {
	s := w.site(t)
	w.write(s, false)
	calendar, err := period.NewCalendar(w.loc.String())
	if err != nil {
		t.Fatal(err)
	}
	closing := period.FormatInstant(calendar.End(w.first.Next()).Add(7 * time.Hour))
	s.take(closing)
	s.closeLeaving(closing, w.first.String())
	w.write(s, true)
	s.take(closing)
	return s.askAlone(`SELECT concat_ws(' ', account, plan, window_start, window_end, rate_per, calls, rate_calls, period) AS line FROM rate_limit_breaches ORDER BY line`)
}

// Clocks on Lord Howe Island go back by half an hour on 4 April 2027 at 02:00, which is
// 15:00 UTC the day before, and on by as much on 3 October: half of an hour comes twice,
// as a window of its own, and an hour is half as long.
func TestRateLimitWhereClocksChangeByHalfAnHour(t *testing.T) {
	t.Parallel()
	for _, world := range []struct {
		first string
		calls []string
		want  []string
	}{
		{
			"2027-03",
			[]string{
				"2027-04-03T14:00:00Z", "2027-04-03T14:40:00Z", "2027-04-03T14:50:00Z", "2027-04-03T14:59:59.999999Z", // 01:00 to 02:00
				"2027-04-03T15:00:00Z", "2027-04-03T15:10:00Z", "2027-04-03T15:20:00Z", "2027-04-03T15:29:59.999999Z", // 01:30 again
				"2027-04-03T15:30:00Z", "2027-04-03T15:40:00Z", "2027-04-03T16:29:59.999999Z", // 02:00 to 03:00: as many as allowed
				"2027-03-04T14:00:00Z",
			},
			[]string{
				"account-0 hourly 2027-04-03 14:00:00 2027-04-03 15:00:00 hour 4 3 2027-04",
				"account-0 hourly 2027-04-03 15:00:00 2027-04-03 15:30:00 hour 4 3 2027-04",
			},
		},
		{
			"2027-09",
			[]string{
				"2027-10-02T15:29:00Z", "2027-10-02T15:29:59.999999Z", // before 02:00
				"2027-10-02T15:30:00Z", "2027-10-02T15:40:00Z", "2027-10-02T15:50:00Z", "2027-10-02T15:59:59Z", // 02:30 to 03:00
				"2027-10-02T16:00:00Z", "2027-09-04T14:00:00Z",
			},
			[]string{"account-0 hourly 2027-10-02 15:30:00 2027-10-02 16:00:00 hour 4 3 2027-10"},
		},
	} {
		w := drawLimits(rand.New(rand.NewPCG(1, 1)), "Australia/Lord_Howe", world.first)
		start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		w.calls, w.changes, w.later = nil, map[string][]limitChange{"account-0": {{start, "hourly"}}}, start.AddDate(5, 0, 0)
		for _, at := range world.calls {
			t, err := period.ParseInstant(at)
			if err != nil {
				panic(err)
			}
			w.calls = append(w.calls, limitCall{at: t, account: "account-0"})
		}
		wantRows(t, world.first, w.told(t), world.want...)
	}
}

// SPEC section 14, 32: the view over random calls and changes of plan, crowded around
// clock changes, is what counting call by call gives.
func TestRateLimitBreaches(t *testing.T) {
	seed := *limitsSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano() % 1e9)
	}
	for _, world := range []struct {
		zone, first string // of two months
	}{
		{"Europe/Amsterdam", "2026-10"},
		{"Australia/Lord_Howe", "2027-03"},
		{"America/St_Johns", "2026-10"},
		{"UTC", "2026-10"},
	} {
		t.Run(world.zone+" "+world.first, func(t *testing.T) {
			t.Parallel()
			t.Logf("-limits.seed %d", seed)
			w := drawLimits(rand.New(rand.NewPCG(seed, 0)), world.zone, world.first)
			got := w.told(t)
			want, rare := w.breaches()
			if len(want) < 20 {
				t.Errorf("only %d breaches", len(want))
			}
			if !slices.Equal(got, want) {
				t.Errorf("the view and not the count: %q\nthe count and not the view: %q\nchanges: %v", notIn(got, want), notIn(want, got), w.changes)
			}
			t.Logf("%d calls, %d breaches: %v", len(w.calls), len(want), rare)
		})
	}
}

func notIn(all, taken []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(line string) bool { return slices.Contains(taken, line) })
}
