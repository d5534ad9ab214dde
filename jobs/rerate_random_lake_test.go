package jobs_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/jobs"
)

// A told is a lake to which a history is told.
type told struct {
	site
	*history
	from int // what is of this period's index or later is known at that stage already; never: all as it came
}

const never = 99

// tell begins a lake: with from 0, one that knows everything from the start.
func (h *history) tell(t *testing.T, from int) *told {
	t.Helper()
	return &told{site: newSite(t, nil), history: h, from: from}
}

// when is the stage at which an item comes to this lake, and whether it is logged: a
// call that is voided before its period is closed never was.
func (l *told) when(i item) (stage int, logged bool) {
	if i.index < l.from {
		return i.stage, i.voided < 0 || i.stage < l.from // it posts to the period that is open at its stage
	}
	return min(i.stage, l.from), i.voided < 0
}

// clock is a time after a stage began: with everything known at once, after all of them.
func (l *told) clock(stage int, later time.Duration) string {
	if stage >= l.from {
		stage = l.last()
	}
	return stampOf(l.cal.End(l.period(min(stage, l.closed))).Add(7*time.Hour + time.Duration(stage)*time.Hour + later))
}

// learn writes what comes at a stage; calls that are voided then are.
func (l *told) learn(stage int) {
	l.t.Helper()
	for _, c := range l.configs {
		if min(c.stage, l.from) == stage {
			l.write(c.name, c.content)
		}
	}
	logs := map[string]*strings.Builder{}
	for _, i := range l.items {
		at, logged := l.when(i)
		if at != stage {
			continue
		}
		name := fmt.Sprintf("raw/accounts/%d-%d.jsonl", i.stage, i.index)
		if i.call {
			name = fmt.Sprintf("raw/calls/%d-%d.jsonl", i.stage, i.index)
		}
		if logs[name] == nil {
			logs[name] = &strings.Builder{}
		}
		line := i.line
		if !logged {
			line = "" // which is no record, and keeps the numbers of the others
		}
		fmt.Fprintln(logs[name], line)
	}
	for name, log := range logs {
		l.write(name, "\n"+log.String()) // write takes one blank line off
	}
	if len(logs) == 0 {
		return
	}
	voids := slices.DeleteFunc(slices.Clone(l.items), func(i item) bool {
		_, logged := l.when(i)
		return i.voided != stage || !logged
	})
	if len(voids) == 0 && stage < l.closed {
		return // the close ingests
	}
	if _, err := l.at(l.clock(stage, 0)).Ingest(l.t.Context()); err != nil {
		l.t.Fatalf("seed %d: ingest at stage %d: %v", l.seed, stage, err)
	}
	for _, i := range voids {
		if _, err := l.at(l.clock(stage, time.Minute)).Void(l.t.Context(), jobs.VoidOptions{EventID: i.id, Reason: "logged by mistake"}); err != nil {
			l.t.Fatalf("seed %d: void %s at stage %d: %v", l.seed, i.id, stage, err)
		}
	}
}

// close closes the period of an index, and leaves behind what is held.
func (l *told) close(index int) {
	l.t.Helper()
	report, err := l.at(l.clock(index, 2*time.Minute)).Close(l.t.Context(), jobs.CloseOptions{Period: l.period(index), LeaveHeld: true})
	if err == nil && len(report.Blocks) > 0 {
		err = fmt.Errorf("blocked: %+v", report.Blocks)
	}
	if err != nil {
		l.t.Fatalf("seed %d: close %s: %v", l.seed, l.period(index), err)
	}
}

// closeAll tells everything up to a stage, with the closes between.
func (l *told) closeAll() {
	l.t.Helper()
	for index := range l.closed {
		l.learn(index)
		l.close(index)
	}
}

// A row is one of a table, as text without what may differ.
type row struct{ period, account, text string }

// compared are the rows that two lakes that know the same have in common, by what
// they are of: the live tables, and invoices with their notes.
var compared = map[string]string{
	"rated":          `SELECT period, account, CAST(t AS VARCHAR) FROM rated AS t`,
	"burns":          `SELECT period, account, CAST(t AS VARCHAR) FROM burns AS t`,
	"ledger":         `SELECT period, account, CAST(t AS VARCHAR) FROM ledger AS t`,
	"balances":       `SELECT period, account, CAST(t AS VARCHAR) FROM balances AS t`,
	"revenue":        `SELECT period, account, CAST(t AS VARCHAR) FROM revenue AS t`,
	"statements":     `SELECT period, account, CAST(t AS VARCHAR) FROM statements AS t`,
	"account events": `SELECT '', account, CAST(t AS VARCHAR) FROM account_events AS t`,
	"invoices and notes": `SELECT coalesce(corrects_period, period), account, concat_ws(' ', currency, sum(subtotal), sum(tax), sum(total))
		FROM invoices GROUP BY coalesce(corrects_period, period), account, currency HAVING sum(subtotal) <> 0 OR sum(tax) <> 0`,
	"their lines": `SELECT coalesce(d.corrects_period, d.period), l.account, concat_ws(' ', l.kind, l.currency, sum(l.amount))
		FROM invoice_lines AS l JOIN invoices AS d ON d.number = l.number
		GROUP BY coalesce(d.corrects_period, d.period), l.account, l.kind, l.currency HAVING sum(l.amount) <> 0`,
}

// broken are rows that no lake may have: calls that are not paid for to the last
// digit, buckets that do not add up, and periods that do not open with what the one
// before left (SPEC sections 6 and 7).
var broken = map[string]string{
	"credits": `SELECT period, account, CAST(sum(credits) AS VARCHAR) FROM (SELECT period, account, credits FROM rated UNION ALL SELECT period, account, -credits FROM burns)
		WHERE period IN (SELECT period FROM periods WHERE state = 'closed') GROUP BY period, account HAVING sum(credits) <> 0`,
	"flows": `SELECT period, account, concat(bucket_id, ' ', sum(credits)) FROM (
			SELECT period, account, bucket_id, credits FROM ledger WHERE entry IN ('burn', 'overage', 'denied')
			UNION ALL SELECT period, account, bucket_id, -credits FROM burns)
		GROUP BY period, account, bucket_id HAVING sum(credits) <> 0`,
	"buckets": `SELECT period, account, bucket_id FROM balances WHERE opening + granted <> burned + expired + voided + rolled_out + remaining`,
	"openings": `SELECT b.period, b.account, b.bucket_id FROM balances AS b
		LEFT JOIN balances AS a ON a.bucket_id = b.bucket_id AND a.period = strftime(CAST(concat(b.period, '-01') AS DATE) - INTERVAL 1 MONTH, '%Y-%m')
		WHERE b.opening <> coalesce(a.remaining, 0)`,
}

// measured is what differences are of: credits and money by account and period.
var measured = map[string]string{
	"rated": `SELECT period, account, concat('rated  credits ', sum(credits)) FROM rated GROUP BY period, account`,
	"flows": `SELECT period, account, concat(CASE entry WHEN 'expire' THEN 'expired' ELSE entry END, '  credits ', sum(credits))
		FROM ledger WHERE entry IN ('overage', 'denied', 'expire') GROUP BY period, account, entry`,
	"balance": `SELECT period, account, concat('balance  credits ', sum(remaining)) FROM balances GROUP BY period, account`,
	"money": `SELECT coalesce(d.corrects_period, d.period), l.account,
			concat(CASE l.kind WHEN 'overage' THEN 'overage_charge' ELSE l.kind END, ' ', CASE WHEN l.kind <> 'tax' THEN l.item END, ' ', l.currency, ' ', sum(l.amount))
		FROM invoice_lines AS l JOIN invoices AS d ON d.number = l.number
		GROUP BY coalesce(d.corrects_period, d.period), l.account, l.kind, CASE WHEN l.kind <> 'tax' THEN l.item END, l.currency`,
}

// snapshot returns the rows of some queries.
func (l *told) snapshot(queries map[string]string) map[string][]row {
	l.t.Helper()
	reader, err := l.at(l.clock(l.last(), 0)).Read(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	defer reader.Close()
	all := map[string][]row{}
	for name, statement := range queries {
		rows, err := reader.Session().Rows(l.t.Context(), statement)
		if err != nil {
			l.t.Fatalf("%s: %v", name, err)
		}
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.period, &r.account, &r.text); err != nil {
				l.t.Fatal(err)
			}
			all[name] = append(all[name], r)
		}
		if err := rows.Err(); err != nil {
			l.t.Fatal(err)
		}
		rows.Close()
		slices.SortFunc(all[name], func(a, b row) int {
			return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.period, b.period), cmp.Compare(a.text, b.text))
		})
	}
	return all
}

// sameRows compares rows of the accounts that may be compared, and
// says what differs of the first account that does.
func (h *history) sameRows(t *testing.T, what string, got, want map[string][]row, of func(row) bool) {
	t.Helper()
	wrong := map[string]string{} // by account
	for _, table := range slices.Sorted(maps.Keys(want)) {
		count := map[row]int{}
		for _, r := range want[table] {
			count[r]++
		}
		for _, r := range got[table] {
			count[r]--
		}
		for _, r := range slices.SortedFunc(maps.Keys(count), func(a, b row) int {
			return cmp.Or(cmp.Compare(a.period, b.period), cmp.Compare(a.text, b.text))
		}) {
			if n := count[r]; n != 0 && of(r) {
				sign := map[bool]string{true: "missing", false: "surplus"}[n > 0]
				wrong[r.account] += fmt.Sprintf("  %s %s %s: %s\n", sign, table, r.period, r.text)
			}
		}
	}
	for _, account := range slices.Sorted(maps.Keys(wrong)) {
		t.Errorf("seed %d (%s from %s, %d closed, unknown %q): %s, account %s:\n%s%s", h.seed, h.zone, h.first, h.closed, h.unknown, what, account, wrong[account], h.life(account))
		break
	}
	if len(wrong) > 1 {
		t.Errorf("seed %d: %s, and %d accounts more", h.seed, what, len(wrong)-1)
	}
}

// life is all that happened to an account.
func (h *history) life(account string) string {
	var b strings.Builder
	for _, i := range h.items {
		if i.account == account {
			fmt.Fprintf(&b, "    stage %d", i.stage)
			if i.voided >= 0 {
				fmt.Fprintf(&b, ", voided at %d", i.voided)
			}
			fmt.Fprintf(&b, ": %s\n", i.line)
		}
	}
	for _, c := range h.configs {
		if c.stage > 0 {
			fmt.Fprintf(&b, "    stage %d: %s\n", c.stage, c.name)
		}
	}
	return b.String()
}

// rerateFrom re-rates from the period of an index on.
func (l *told) rerateFrom(index, stage int, commit bool) (jobs.RerateReport, []string) {
	l.t.Helper()
	report, differences := l.rerate(l.clock(stage, 3*time.Minute), jobs.RerateOptions{From: l.period(index), Commit: commit, Reason: "to know better", LeaveHeld: true})
	if len(report.Blocks) > 0 {
		l.t.Fatalf("seed %d: re-rate from %s: %+v", l.seed, l.period(index), report.Blocks)
	}
	slices.Sort(differences) // of one item there may be several currencies
	return report, differences
}
