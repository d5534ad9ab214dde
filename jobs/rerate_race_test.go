package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// moments are when it matters whether another process comes between: of each run that
// a job commits, before its last look at the log, before the first thing that it
// writes, and before its commit.
func moments(turns []turn) (all []int) {
	look, write := 0, -1
	for i, o := range turns {
		switch {
		case o.class() == "create runs":
			all = append(all, look, write, i)
			write = -1
		case o.operation == "open" && write < 0:
			look = i
		case write < 0 && o.operation != "fetch":
			write = i
		}
	}
	return all
}

// visited runs a job while, before its nth operation on the store, from 0, a visit
// takes place.
func (s site) visited(job step, n int, visit func()) error {
	s.t.Helper()
	came := false
	m, err := s.open(job.now, watching(func(at int, _ turn) {
		if at == n {
			came = true
			visit()
		}
	}))
	if err == nil {
		err = job.do(s.t.Context(), m)
	}
	if !came {
		s.t.Errorf("operation %d was never reached, %v", n, err)
	}
	return err
}

// Whoever reads sees what is live before a re-rate or after it, in all tables at
// once, at whatever moment of it he begins, and for as long as he reads.
func readDuringRerate(before, calm site, turns []turn) {
	t := before.t
	old, rerated := before.seen(), calm.seen()
	if old == rerated {
		t.Fatal("nothing was re-rated")
	}
	s := before.copied()
	opened, err := s.at(rerateNow).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	// Readers who never stop, and one at each moment of the re-rate that matters.
	stop := make(chan struct{})
	var readers sync.WaitGroup
	var mu sync.Mutex
	saw := map[string]int{}
	look := func() string {
		got := s.seen()
		mu.Lock()
		defer mu.Unlock()
		saw[got]++
		return got
	}
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				look()
			}
		}
	})
	when := moments(turns)
	m, err := s.open(rerateNow, watching(func(n int, o turn) {
		want, committed := old, when[len(when)-1]
		if n > committed {
			want = rerated
		}
		if n != committed+1 && !slices.Contains(when, n) {
			return
		}
		if got := look(); got != want {
			t.Errorf("before operation %d, %v, one sees\n%s\nwant\n%s", n, o, got, want)
		}
	}))
	if err == nil {
		err = rerateStep.do(t.Context(), m)
	}
	last := look()
	close(stop)
	readers.Wait()
	if err != nil || last != rerated {
		t.Errorf("after it one sees\n%s\nwant\n%s\n%v", last, rerated, err)
	}
	t.Logf("%d readings saw the old, %d the new", saw[old], saw[rerated])
	for got := range saw {
		if got != old && got != rerated {
			t.Errorf("one sees\n%s\nneither the old\n%s\nnor the new\n%s", got, old, rerated)
		}
	}
	if got := strings.Join(query(t, opened, everything), "\n"); got != old {
		t.Errorf("who began before sees\n%s\nwant\n%s", got, old)
	}
}

// everything is what agrees between tables of one generation alone, in one statement:
// what accounts burned by balances, ledger, burns and calls, and what they are charged
// for overage by invoices with their notes, and by the ledger.
const everything = `
SELECT concat_ws(' ', 'burned', period, account, sum(b), sum(l), sum(u), sum(r)) AS line FROM (
    SELECT period, account, burned AS b, 0 AS l, 0 AS u, 0 AS r FROM balances
    UNION ALL SELECT period, account, 0, credits, 0, 0 FROM ledger WHERE entry IN ('burn', 'overage', 'denied')
    UNION ALL SELECT period, account, 0, 0, credits, 0 FROM burns
    UNION ALL SELECT period, account, 0, 0, 0, credits FROM rated
) WHERE period < '2026-12' GROUP BY period, account
UNION ALL
SELECT concat_ws(' ', 'overage', period, account, sum(charged), sum(due)) FROM (
    SELECT coalesce(d.corrects_period, d.period) AS period, l.account, l.amount AS charged, 0 AS due
    FROM invoice_lines l JOIN invoices d USING (number) WHERE l.kind = 'overage'
    UNION ALL SELECT period, account, 0, credits / 2 FROM ledger WHERE entry = 'overage'
) GROUP BY period, account
UNION ALL SELECT concat_ws(' ', 'documents', count(*), sum(total)) FROM invoices
UNION ALL SELECT concat_ws(' ', 'statements', period, sum(credits)) FROM statements GROUP BY period
UNION ALL SELECT concat_ws(' ', 'revenue', period, sum(amount)) FROM revenue GROUP BY period
UNION ALL SELECT concat_ws(' ', 'usage', count(*)) FROM usage
UNION ALL SELECT concat_ws(' ', 'voided', count(*), count(*) FILTER (void_pending)) FROM voided
UNION ALL SELECT concat_ws(' ', 'event', event_id, posted_at) FROM account_events
ORDER BY line`

// seen is what a reader who comes now sees.
func (s site) seen() string {
	s.t.Helper()
	reader, err := s.at(rerateNow).Read(s.t.Context())
	if err != nil {
		s.t.Error(err)
		return err.Error()
	}
	defer reader.Close()
	return strings.Join(query(s.t, reader, everything), "\n")
}

// Another re-rate, from the same period or a later one, is committed at any moment of
// a re-rate: what is live is as after one alone, or, if the other was from November on,
// of the two one after the other.
func rerateDuringRerate(before, calm site, turns []turn) {
	t := before.t
	november := func(s site) {
		report, err := s.at(rerateNow).Rerate(s.t.Context(), jobs.RerateOptions{From: october.Next(), Commit: true, Reason: "a test"}, lookAway)
		if err != nil || report.Run == nil {
			s.t.Errorf("re-rate from November: run %v, %v", report.Run, err)
		}
	}
	after := before.copied()
	november(after)
	after.run([]step{rerateStep})
	wants := [][]string{calm.generation(), after.generation()}
	wantRows(t, "what one re-rate says and what two do", after.charges(), calm.charges()...)
	for i, n := range moments(turns) {
		t.Run(fmt.Sprint("before operation ", n), func(t *testing.T) {
			t.Parallel()
			s := site{t, before.dir}.copied()
			err := s.visited(rerateStep, n, func() {
				if i%2 == 0 {
					s.run([]step{rerateStep})
				} else {
					november(s)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			got := s.generation()
			if !slices.ContainsFunc(wants, func(want []string) bool { return slices.Equal(got, want) }) {
				t.Errorf("live files\n%q\nwant\n%q\nor\n%q", got, wants[0], wants[1])
			}
			s.wantNamedFiles()
		})
	}
}

// atOnce lets two re-rates loose on a lake: one commits, the other has nothing to say
// then, and what is live is as after one alone.
func (s site) atOnce(want []string) {
	s.t.Helper()
	runs := make(chan *lake.Run, 2)
	var both sync.WaitGroup
	for range 2 {
		m := s.at(rerateNow)
		both.Go(func() {
			report, err := commitRerate(s.t.Context(), m)
			if err != nil {
				s.t.Error(err)
			}
			runs <- report.Run
		})
	}
	both.Wait()
	if first, second := <-runs, <-runs; (first == nil) == (second == nil) {
		s.t.Errorf("runs %v and %v, want one", first, second)
	}
	if got := s.generation(); !slices.Equal(got, want) {
		s.t.Errorf("live files\n%q\nwant\n%q", got, want)
	}
}

// chargesQuery is what each account is charged for each period, by invoices and notes.
const chargesQuery = `
SELECT concat_ws(' ', coalesce(corrects_period, period), account, sum(total)) FROM invoices
GROUP BY coalesce(corrects_period, period), account HAVING sum(total) <> 0`

func (s site) charges() []string {
	s.t.Helper()
	return s.ask(chargesQuery + " ORDER BY ALL")
}

// What lands during a re-rate: calls, late ones and of the open period, and an
// account event, late too, that changes what is owed.
const (
	landingCalls = `
{"id":"l3","ts":"2026-10-29T10:00:00Z","org":"ada","op":"image.generate","n":2}
{"id":"d2","ts":"2026-12-02T12:00:00Z","org":"bob","op":"image.generate","n":1}
`
	landingEvent = `{"id":"a3","type":"charge.added","account":"ada","at":"2026-10-20T00:00:00Z","amount":"1.00","description":"Setup"}` + "\n"
)

// land ingests calls and, where one is given, an account event, and rates them or not.
func (s site) land(event string, rated bool) {
	s.t.Helper()
	s.write("raw/calls/6.jsonl", landingCalls)
	if event != "" {
		s.write("raw/accounts/6.jsonl", event)
	}
	s.run([]step{{rerateNow, month[0].do}})
	if rated {
		s.run([]step{{rerateNow, month[1].do}})
	}
}

// Usage and account events land during a re-rate, and ingest and rate commit them, or
// ingest alone: each call is rated once, and when all is re-rated once more, the closed
// periods are those of a lake to which they came before.
func landDuringRerate(before site, turns []turn) {
	t := before.t
	want := map[string][]string{}
	for _, event := range []string{"", landingEvent} {
		calm := before.copied()
		calm.land(event, true)
		calm.run([]step{rerateStep})
		want[event] = calm.closedRows()
	}
	when := moments(turns)
	for _, v := range []struct {
		n     int
		event string
		rated bool
	}{{when[0], "", false}, {when[0], "", true}, {when[1], landingEvent, false}, {when[2], "", true}} {
		t.Run(fmt.Sprintf("before operation %d, event: %v, rated: %v", v.n, v.event != "", v.rated), func(t *testing.T) {
			t.Parallel()
			s := site{t, before.dir}.copied()
			if err := s.visited(rerateStep, v.n, func() { s.land(v.event, v.rated) }); err != nil {
				t.Fatal(err)
			}
			s.run([]step{{rerateNow, month[1].do}})
			wantRows(t, "calls that are not rated once, or not where they belong", s.ask(`
				SELECT concat_ws(' ', u.event_id, string_agg(concat_ws(' ', period, late), ', ')) AS line
				FROM usage u LEFT JOIN rated r USING (source, account, event_id, time)
				GROUP BY u.event_id, time
				HAVING count(r.event_id) <> 1 OR bool_or(late) <> bool_or(period = '2026-12' AND time < TIMESTAMP '2026-12-01')
				ORDER BY line`))
			s.run([]step{rerateStep})
			if got := s.closedRows(); !slices.Equal(got, want[v.event]) {
				t.Errorf("closed periods\n%q\nwant\n%q", got, want[v.event])
			}
			s.wantNamedFiles()
		})
	}
}

// closedRows are the rows of October and November that a re-rate replaces, what is
// charged for them, and December's calls.
func (s site) closedRows() []string {
	s.t.Helper()
	rows := []string{chargesQuery, "SELECT concat_ws(' ', event_id, credits, late, held) FROM rated WHERE period = '2026-12'"}
	for _, table := range []string{"rated", "burns", "ledger", "balances", "statements", "revenue"} {
		rows = append(rows, "SELECT CAST(t AS VARCHAR) FROM "+table+" t WHERE period < '2026-12'")
	}
	return s.ask("SELECT * FROM (" + strings.Join(rows, " UNION ALL ") + ") ORDER BY ALL")
}

// closeNow is when the tests of re-rates and closes at once do both.
const closeNow = "2027-01-01T07:00:00Z"

// December is closed at any moment of a re-rate, and re-rated at any moment of its
// close: it is as if one had followed the other. A re-rate that comes between a close's
// cut and its end says so, and is done after it.
func closeDuringRerate(before site) {
	t := before.t
	rerating := step{closeNow, rerateStep.do}
	closing := step{closeNow, func(ctx context.Context, m *jobs.Mill) error {
		report, err := m.Close(ctx, jobs.CloseOptions{Period: mustPeriod("2026-12"), LeaveHeld: true})
		if err == nil && report.Run == nil && report.Already == nil {
			err = fmt.Errorf("not closed: %+v", report.Blocks)
		}
		return err
	}}
	reratingTurns, first := before.turns(rerating)
	closingTurns, second := before.turns(closing)
	first.run([]step{closing})
	second.run([]step{rerating})
	wants := [][]string{first.generation(), second.generation()}
	wantRows(t, "charges by the order of the two", first.charges(), second.charges()...)
	var mu sync.Mutex
	outcomes := map[int]int{}
	t.Run("moments", func(t *testing.T) {
		for name, job := range map[string]struct {
			turns      []turn
			job, other step
		}{
			"a close during a re-rate": {reratingTurns, rerating, closing},
			"a re-rate during a close": {closingTurns, closing, rerating},
		} {
			for i, n := range moments(job.turns) {
				if i%3 == 1 { // as before the commit: nothing is read in between
					continue
				}
				t.Run(fmt.Sprint(name, " before operation ", n), func(t *testing.T) {
					t.Parallel()
					s := site{t, before.dir}.copied()
					var otherErr error
					err := s.visited(job.job, n, func() { otherErr = job.other.do(t.Context(), s.at(closeNow)) })
					for _, e := range []error{err, otherErr} {
						if e != nil && !strings.Contains(e.Error(), "period 2026-12 is being closed: run `creditmill close --period 2026-12` to finish that first") {
							t.Fatal(errors.Join(err, otherErr))
						}
					}
					if err != nil || otherErr != nil {
						s.run([]step{rerating})
					}
					got := s.generation()
					which := slices.IndexFunc(wants, func(want []string) bool { return slices.Equal(got, want) })
					if which < 0 {
						t.Errorf("live files\n%q\nare neither\n%q\nnor\n%q", got, wants[0], wants[1])
					}
					mu.Lock()
					outcomes[which]++
					mu.Unlock()
					s.wantNamedFiles()
				})
			}
		}
	})
	t.Logf("re-rated before the close %d times, after it %d times", outcomes[0], outcomes[1])
	if outcomes[0] == 0 || outcomes[1] == 0 {
		t.Error("the two came in one order only")
	}
}
