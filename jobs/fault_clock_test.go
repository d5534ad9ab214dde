package jobs_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// madrid is a billing time zone that changes its clocks twice a year.
const madrid = "Europe/Madrid"

// A clockWorld is two months of the tiny world's plans, with calls in them wherever a
// clock may be misread: hourly over the days of clock changes, at every month's first
// and last microsecond, and every few days between.
type clockWorld struct {
	calendar    period.Calendar
	first       period.Period
	mid, closes time.Time // when the jobs of the middle of the month and the first close run
	files       map[string]string
	perMonth    [2]int // calls
}

func newClockWorld(t *testing.T, first string) clockWorld {
	t.Helper()
	calendar, err := period.NewCalendar(madrid)
	if err != nil {
		t.Fatal(err)
	}
	w := clockWorld{calendar: calendar, first: mustPeriod(first), files: maps.Clone(tiny)}
	for name := range w.files {
		if strings.HasPrefix(name, "raw/") {
			delete(w.files, name)
		}
	}
	start, end := calendar.Start(w.first), calendar.End(w.first)
	w.mid, w.closes = start.AddDate(0, 0, 14).Add(12*time.Hour), end.Add(7*time.Hour)
	w.files["creditmill.yaml"] = strings.Replace(tiny["creditmill.yaml"], "first_period: 2026-10", "timezone: "+madrid+"\nfirst_period: "+first, 1)
	for _, name := range []string{"prices/api.yaml", "plans/plans.yaml"} {
		w.files[name] = strings.ReplaceAll(tiny[name], "2026-01-01", "2025-01-01")
	}
	w.files["plans/plans.yaml"] += strings.NewReplacer("plan: basic", "---\nplan: monthly", "renews: calendar", "renews: anniversary", "---\npack:", "---\npack:").
		Replace(strings.SplitAfter(w.files["plans/plans.yaml"], "protection: false}\n")[0])
	at := period.FormatInstant
	last := end.Add(-24 * time.Hour) // the anniversary of the month's last day
	w.files["raw/accounts/1.jsonl"] = fmt.Sprintf(`
{"id":"a1","type":"account.opened","account":"ada","at":%q}
{"id":"a2","type":"subscription.started","account":"ada","at":%q,"plan":"basic"}
{"id":"b1","type":"account.opened","account":"bob","at":%q}
{"id":"b2","type":"subscription.started","account":"bob","at":%q,"plan":"monthly"}
{"id":"b3","type":"pack.purchased","account":"bob","at":%q,"pack":"starter"}
`, at(start), at(start), at(start), at(last.AddDate(0, 0, -10)), at(last))
	for i := range w.perMonth {
		p := w.first.Add(i)
		for n, instant := range w.instants(p) {
			w.perMonth[i]++
			part := 2 * i
			if !instant.Before(w.mid) {
				part++
			}
			name := fmt.Sprintf("raw/calls/%d.jsonl", part)
			w.files[name] += fmt.Sprintf(`{"id":"%s-%d","ts":%q,"org":%q,"op":"image.generate","n":1}`+"\n", p, n, at(instant), []string{"ada", "bob"}[n%2])
		}
	}
	return w
}

// instants are when calls of a period happen.
func (w clockWorld) instants(p period.Period) []time.Time {
	start, end := w.calendar.Start(p), w.calendar.End(p)
	all := []time.Time{start}
	for day := start.Add(time.Minute); day.Before(end); day = day.AddDate(0, 0, 1) {
		_, morning := day.In(w.calendar.Location()).Zone()
		_, evening := day.Add(22 * time.Hour).In(w.calendar.Location()).Zone()
		step := 100 * time.Hour
		if morning != evening || !day.AddDate(0, 0, 1).Before(end) {
			step = time.Hour
		}
		for t := day; t.Before(day.AddDate(0, 0, 1)) && t.Before(end); t = t.Add(step) {
			all = append(all, t)
		}
	}
	if w.first == p {
		all = append(all, w.mid.Add(-time.Minute)) // fresh when the jobs run
	}
	return append(all, end.Add(-time.Microsecond))
}

// lands writes everything that happened before an instant.
func (w clockWorld) lands(s site, before time.Time) {
	for name, text := range w.files {
		calls, isCalls := strings.CutPrefix(name, "raw/calls/")
		if isCalls && (calls >= "1" && before.Equal(w.mid) || calls >= "2" && before.Equal(w.closes)) {
			continue
		}
		s.write(name, text)
	}
}

// A wrongClock is what the machine's clock says in the middle of the first month.
type wrongClock struct {
	name string
	now  time.Time
}

func (w clockWorld) wrongClocks() []wrongClock {
	end, year := w.calendar.End(w.first), w.mid.Year()
	all := []wrongClock{
		{"an hour back", w.mid.Add(-time.Hour)},
		{"three hours back", w.mid.Add(-3 * time.Hour)}, // more than accept.future
		{"in the month before", w.calendar.Start(w.first).Add(-time.Microsecond)},
		{"a year forward", w.mid.AddDate(1, 0, 0)},
		{"two years forward", w.mid.AddDate(2, 0, 0)}, // more than accept.past
		{"the month's last microsecond", end.Add(-time.Microsecond)},
		{"the month's end", end},
		{"a microsecond into the next month", end.Add(time.Microsecond)},
		{"a leap day's last microsecond", w.calendar.Local(time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)).Add(-time.Microsecond)},
	}
	for _, change := range []time.Time{time.Date(year, 3, 31, 1, 0, 0, 0, time.UTC), time.Date(year, 10, 31, 1, 0, 0, 0, time.UTC)} {
		change = change.AddDate(0, 0, -int(change.Weekday())) // the last Sunday of the month, 01:00 UTC
		all = append(all, wrongClock{"before the change of " + change.Month().String(), change.Add(-time.Microsecond)},
			wrongClock{"at the change of " + change.Month().String(), change})
	}
	// A clock that is too little ahead for anybody to notice closes the month early.
	return slices.DeleteFunc(all, func(c wrongClock) bool {
		return !c.now.Before(end.Add(closeGrace)) && c.now.Before(w.mid.Add(unnoticed))
	})
}

// closeGrace is close.grace where it is not set; unnoticed is how far ahead of the
// newest call a machine's clock may be for a close to believe it.
const (
	closeGrace = 6 * time.Hour
	unnoticed  = 62 * 24 * time.Hour
)

// byMachine does a round of jobs by the machine's clock, as a schedule would: what a
// close finds in its way stays there.
func (s site) byMachine(now time.Time) (closed period.Period) {
	s.t.Helper()
	setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := jobs.Open(s.t.Context(), setup, jobs.Options{
		Now: func() time.Time { return now }, MachineClock: true, Log: slog.New(slog.DiscardHandler), Tool: "test",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { return month[0].do(s.t.Context(), m) },
		func() error { return month[1].do(s.t.Context(), m) },
		func() error { return month[2].do(s.t.Context(), m) },
		func() error {
			report, err := m.Close(s.t.Context(), jobs.CloseOptions{})
			if report.Run != nil {
				closed = report.Period
			}
			return err
		},
	} {
		if err := do(); err != nil {
			s.t.Fatalf("at %s: %v", period.FormatInstant(now), err)
		}
	}
	if err := m.Release(); err != nil {
		s.t.Fatal(err)
	}
	return closed
}

// rowsButRuns are the rows of all tables without the numbers of runs, which tell how
// often something was committed. Of objects, which have a row for each reading, they are
// what all readings of one came to.
func (s site) rowsButRuns() map[string][]string {
	s.t.Helper()
	rows := s.rows()
	rows[lake.Objects.Name] = s.ask("SELECT concat_ws(' ', object, sum(events), sum(rejects)) FROM objects GROUP BY object ORDER BY object")
	rows[lake.Periods.Name] = s.ask("SELECT CAST(t AS VARCHAR) FROM (SELECT * EXCLUDE (cut_run, close_run) FROM periods) t ORDER BY ALL")
	return rows
}

// bill goes through the two months; wrong, where it is not zero, is what the clock says
// first in the middle of the first one. It returns the rows after the right clock's
// jobs there, and at the end.
func (w clockWorld) bill(s site, wrong time.Time) (mid, end map[string][]string) {
	s.t.Helper()
	w.lands(s, w.mid)
	if !wrong.IsZero() {
		if closed := s.byMachine(wrong); !closed.IsZero() {
			s.t.Errorf("a clock at %s closed %s", period.FormatInstant(wrong), closed)
		}
		// What that clock had rejected is read again, as `status` says.
		m := s.at(period.FormatInstant(w.mid))
		if _, err := m.IngestAgain(s.t.Context(), "gateway"); err != nil {
			s.t.Fatal(errors.Join(err, m.Release()))
		}
	}
	if closed := s.byMachine(w.mid); !closed.IsZero() {
		s.t.Errorf("%s was closed in its middle", closed)
	}
	mid = s.rowsButRuns()
	w.lands(s, w.closes)
	if closed := s.byMachine(w.closes); closed != w.first {
		s.t.Errorf("at %s %q was closed, want %s", w.closes, closed, w.first)
	}
	after := w.calendar.End(w.first.Next()).Add(7 * time.Hour)
	w.lands(s, after)
	if closed := s.byMachine(after); closed != w.first.Next() {
		s.t.Errorf("at %s %q was closed, want %s", after, closed, w.first.Next())
	}
	return mid, s.rowsButRuns()
}

// The clock is wrong for a while in the middle of a month, in all ways that calendars
// know. Nothing is closed that is not over; with the right clock everything comes to what
// it would have come to.
func TestFaultsOfTheClock(t *testing.T) {
	cases := storetest.Cases(t, "clock wrong for a while")
	random := rand.New(rand.NewPCG(storetest.Seed(t), 0))
	months := []string{"2026-03", "2026-10", "2028-02"} // a clock change forward, one back, a leap day
	if !storetest.Full() {
		months = []string{months[random.IntN(len(months))]}
	}
	for _, first := range months {
		t.Run(first, func(t *testing.T) {
			w := newClockWorld(t, first)
			calm := newSite(t, nil)
			mid, end := w.bill(calm, time.Time{})
			for i, n := range w.perMonth {
				want := fmt.Sprintf("%s %d %d false", w.first.Add(i), n, 2*n)
				got := calm.ask(fmt.Sprintf("SELECT concat_ws(' ', period, count(*), CAST(sum(credits) AS BIGINT), bool_or(late)) FROM rated WHERE period = '%s' GROUP BY period", w.first.Add(i)))
				wantRows(t, "calls of the month", got, want)
			}
			wrong := w.wrongClocks()
			if !storetest.Full() {
				random.Shuffle(len(wrong), func(a, b int) { wrong[a], wrong[b] = wrong[b], wrong[a] })
				wrong = wrong[:4]
			}
			for _, clock := range wrong {
				t.Run(clock.name, func(t *testing.T) {
					t.Parallel()
					gotMid, gotEnd := w.bill(newSite(t, nil), clock.now)
					if !reflect.DeepEqual(gotMid, mid) {
						t.Errorf("with the right clock again rows are\n%v\nwant\n%v", gotMid, mid)
					}
					if !reflect.DeepEqual(gotEnd, end) {
						t.Errorf("at the end rows are\n%v\nwant\n%v", gotEnd, end)
					}
					cases.Add(1)
				})
			}
		})
	}
}
