package invoice

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// What goes through several goroutines comes out the same, to the byte and in the order
// of the accounts, whether one processor does it all or four.
func TestProcessorsDoNotShow(t *testing.T) {
	const accounts = 400
	w := newWorld(t, "UTC", "2026-10", smallPlans)
	w.events(fmt.Sprintf(`SELECT account || '-' || n AS id, type, account, TIMESTAMP '2026-10-01' + to_days(days) AS "at", more FROM
		(SELECT 'a' || lpad(CAST(i AS VARCHAR), 4, '0') AS account FROM range(%d) r(i)),
		(VALUES (1, 'account.opened', 0, ''), (2, 'subscription.started', 0, ',"plan":"pro"'), (3, 'subscription.changed', 19, ',"plan":"none"')) e(n, type, days, more)`,
		accounts))
	w.exec(fmt.Sprintf(`INSERT INTO live_rated BY NAME SELECT '2026-10' AS period, 'n' || i AS event_id, ['api', 'web'][1 + i %% 2] AS source,
		'a' || lpad(CAST(hash(i) %% %d AS VARCHAR), 4, '0') AS account, 'op' || (hash(i, 1) %% 5) AS operation,
		nullif('p' || (hash(i, 2) %% 3), 'p0') AS project, 'k' || (hash(i, 3) %% 7) AS key,
		TIMESTAMP '2026-10-06' + to_seconds(i) AS time, time AS posted_at, false AS late, CAST(1 + i %% 7 AS DECIMAL(18, 6)) AS credits
		FROM range(100000) r(i)`, accounts-20))
	w.input.RatedFiles = []string{w.ratedFile(w.input.Scratch)}
	var dumps []string
	for _, n := range []int{1, 4} {
		before := runtime.GOMAXPROCS(n)
		report, err := w.run("2026-10", "2026-11-01T06:00:00Z", false)
		runtime.GOMAXPROCS(before)
		must(t, err)
		if !slices.IsSortedFunc(report.Held, func(a, b account.Held) int { return strings.Compare(a.Event.Account, b.Event.Account) }) || len(report.Held) != accounts {
			t.Errorf("%d events are held, or not in the order of the accounts", len(report.Held))
		}
		dump := fmt.Sprint(report.Totals, "\n")
		for _, out := range report.Outputs {
			hash, err := lake.HashFile(out.Path)
			must(t, err)
			dump += fmt.Sprintln(out.Table.Name, out.Rows, out.MinTime, out.MaxTime, hash)
		}
		dumps = append(dumps, dump)
	}
	if dumps[0] != dumps[1] {
		t.Errorf("with one processor\n%s\nwith four\n%s", dumps[0], dumps[1])
	}
}

// Usages that were handed back say nothing of the account they were of.
func TestUsagesStartAnew(t *testing.T) {
	s := newStatement()
	first, second := &bucket.Bucket{ID: "first"}, &bucket.Bucket{ID: "second"}
	for _, b := range []*bucket.Bucket{first, second} {
		b.Price, b.Granted = amount(t, "1"), credit.FromInt(10)
		if b == second {
			b.Price = amount(t, "3")
		}
	}
	for range 3 {
		for key := range uint32(5) {
			s.add(usageKey{1, noName, key}, true, 7, []bucket.Split{{Bucket: first, Credits: 3}, {Bucket: second, Credits: 4}})
		}
		s.give(s.take())
		s.add(usageKey{1, noName, 3}, false, 2, []bucket.Split{{Bucket: second, Credits: 2}})
		s.add(usageKey{1, noName, 3}, false, 5, []bucket.Split{{Bucket: second, Credits: 5}})
		got := s.take()
		if len(got) != 1 || got[0].calls != 2 || got[0].late != 0 || got[0].credits.lo != 7 || len(got[0].paid) != 1 || got[0].paid[0].credits.lo != 7 {
			t.Fatalf("%+v", got)
		}
		s.give(got)
	}
}
