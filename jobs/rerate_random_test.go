package jobs_test

import (
	"flag"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
)

var (
	rerateSeed      = flag.Int("rerate.seed", 1, "first seed of TestRandomHistoriesRerated")
	rerateHistories = flag.Int("rerate.histories", drawnHistories, "how many histories TestRandomHistoriesRerated draws")
)

// drawnHistories is one for each way to re-rate. More are drawn by hand:
// make test TEST_ARGS='-run TestRandomHistoriesRerated ./jobs -rerate.seed 100 -rerate.histories 30'.
const drawnHistories = 3

// Random histories of nine accounts each, of which a lake learns bit by bit: usage and
// account events of closed periods, voids, corrected prices and plans. However it was
// re-rated, it then says what a second lake says that knew everything from the start
// (SPEC section 8): rows of all tables, and invoices with their notes.
func TestRandomHistoriesRerated(t *testing.T) {
	seen := map[string]int{}
	for seed := *rerateSeed; seed < *rerateSeed+*rerateHistories && !t.Failed(); seed++ {
		h := drawHistory(seed)
		t.Logf("-rerate.seed %d: %s from %s, %d closed, unknown %q", seed, h.zone, h.first, h.closed, h.unknown)
		l := h.tell(t, never)
		way := seed % 3 // 0: at once; 1: also between the closes; 2: first from a later period alone
		if way == 1 {
			l.rerateMeanwhile()
		} else {
			l.closeAll()
			l.learn(h.closed)
		}
		l.learn(h.last())
		if way == 2 {
			l.rerateLater(1, seen)
		}
		l.rerateAll(seen)
		all := h.tell(t, 0)
		all.closeAll()
		all.nothingChanged()
		l.close(h.closed)
		all.close(h.closed)
		h.agree(t, "re-rated", l, all, seen)
		if way == 0 {
			l.raiseAndLower(seen)
		}
	}
	t.Log(seen)
	if *rerateSeed != 1 || *rerateHistories < drawnHistories {
		return
	}
	for _, feature := range reached {
		if seen[feature] == 0 {
			t.Errorf("no history reached: %s", feature)
		}
	}
}

// nothingChanged re-rates a lake that learned nothing since its closes.
func (l *told) nothingChanged() {
	l.t.Helper()
	if report, differences := l.rerateFrom(0, l.last(), true); report.Run != nil || len(differences) > 0 {
		l.t.Errorf("seed %d: nothing changed since the closes: %q", l.seed, differences)
		if report.Run != nil {
			for _, f := range report.Run.Files {
				l.t.Logf("%s %s: %d rows %v", f.Table, f.Partition, f.Rows, f.Tags)
			}
		}
	}
}

// rerateMeanwhile closes all periods and re-rates between the closes, and after them
// with half of what comes late.
func (l *told) rerateMeanwhile() {
	l.t.Helper()
	for index := range l.closed {
		l.learn(index)
		l.close(index)
		if index > 0 {
			l.rerateFrom(l.rand.Intn(index+1), index, true)
		}
	}
	l.learn(l.closed)
	m := l.at(l.clock(l.closed, 0))
	if _, err := m.Rate(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if _, err := m.Apply(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.rerateFrom(l.rand.Intn(l.closed), l.closed, true)
}

// rerateLater re-rates from a later period alone: nothing before it changes, and a
// lake that knew everything from there on says the same.
func (l *told) rerateLater(from int, seen map[string]int) {
	l.t.Helper()
	stay := map[string]string{
		"posted": fmt.Sprintf(`SELECT period, account, concat(event_id, ' ', posted_at) FROM rated WHERE time < '%s'`, l.cal.Start(l.period(from)).UTC().Format("2006-01-02 15:04:05")),
	}
	if _, err := l.at(l.clock(l.last(), 0)).Rate(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	files, posted := l.filesBefore(from), l.snapshot(stay)["posted"]
	l.rerateFrom(from, l.last(), true)
	if now := l.filesBefore(from); !slices.Equal(now, files) {
		l.t.Errorf("seed %d: re-rated from %s, files of the periods before:\n%q\nwere\n%q", l.seed, l.period(from), now, files)
	}
	voided := map[string]bool{}
	for _, i := range l.items {
		voided[i.id] = i.voided >= 0
	}
	now := l.snapshot(stay)["posted"]
	for _, r := range posted {
		if id, _, _ := strings.Cut(r.text, " "); !slices.Contains(now, r) && !voided[id] {
			l.t.Errorf("seed %d: re-rated from %s, a call of before is not any more: %v", l.seed, l.period(from), r)
		}
	}
	reference := l.tell(l.t, from)
	reference.closeAll()
	reference.learn(l.closed)
	reference.learn(l.last())
	if _, err := reference.at(reference.clock(l.last(), 0)).Rate(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.agree(l.t, fmt.Sprintf("re-rated from %s on", l.period(from)), l, reference, seen)
	seen["re-rated from a later period"]++
}

// filesBefore are the live files of the periods before one.
func (l *told) filesBefore(index int) (paths []string) {
	state := l.at(l.clock(l.last(), 0)).Lake.State()
	for _, table := range []lake.Table{lake.Rated, lake.Burns, lake.Ledger, lake.Balances, lake.Statements, lake.Revenue, lake.Invoices, lake.InvoiceLines, lake.Alerts} {
		for i := range index {
			for _, f := range state.Partition(table, l.period(i).String()) {
				paths = append(paths, f.Path+" "+f.SHA256)
			}
		}
	}
	return paths
}

// rerateAll re-rates all closed periods: the dry run and the commit say the same,
// which is what changes in the tables, and a second one says nothing.
func (l *told) rerateAll(seen map[string]int) {
	l.t.Helper()
	before, topups := l.snapshot(measured), l.topups()
	dry, said := l.rerateFrom(0, l.last(), false)
	report, differences := l.rerateFrom(0, l.last(), true)
	if !slices.Equal(said, differences) {
		l.t.Errorf("seed %d: the dry run said\n%s\nthe commit\n%s", l.seed, strings.Join(said, "\n"), strings.Join(differences, "\n"))
	}
	if dry.Run != nil || report.Run == nil && len(differences) > 0 {
		l.t.Errorf("seed %d: runs %v of the dry run, %v of the commit", l.seed, dry.Run, report.Run)
	}
	l.changesAreSaid(before, l.snapshot(measured), differences, seen)
	if now := l.topups(); !slices.Equal(now, topups) {
		for _, topup := range topups {
			if !slices.Contains(now, topup) {
				l.t.Errorf("seed %d: a top-up that was charged is gone: %v", l.seed, topup)
			}
		}
		seen["a re-rating bought a top-up"]++
	}
	if again, differences := l.rerateFrom(0, l.last(), true); again.Run != nil || len(differences) > 0 {
		l.t.Errorf("seed %d: re-rated again: run %v, %q", l.seed, again.Run, differences)
	}
}

// topups are the top-ups of the closed periods.
func (l *told) topups() []row {
	return l.snapshot(map[string]string{"topups": fmt.Sprintf(`SELECT period, account, concat(bucket_id, ' ', starts_at, ' ', granted) FROM balances
		WHERE kind = 'topup' AND granted > 0 AND period < '%s'`, l.period(l.closed))})["topups"]
}

// changesAreSaid compares the differences with the tables before and after.
func (l *told) changesAreSaid(before, after map[string][]row, differences []string, seen map[string]int) {
	l.t.Helper()
	changes := map[string]*big.Rat{} // by period, account, measure, item and unit
	add := func(key, amount string, sign int64) {
		n, ok := new(big.Rat).SetString(amount)
		if !ok {
			l.t.Fatalf("no amount in %q", key+" "+amount)
		}
		if changes[key] == nil {
			changes[key] = new(big.Rat)
		}
		changes[key].Add(changes[key], n.Mul(n, big.NewRat(sign, 1)))
	}
	for sign, snapshot := range map[int64]map[string][]row{-1: before, 1: after} {
		for _, rows := range snapshot {
			for _, r := range rows {
				if r.period < l.period(l.closed).String() {
					at := strings.LastIndex(r.text, " ")
					add(r.period+" "+r.account+" "+r.text[:at], r.text[at+1:], sign)
				}
			}
		}
	}
	for _, said := range differences {
		figures, cause, _ := strings.Cut(said, " (")
		seen["cause: "+strings.TrimSuffix(cause, ")")]++
		f := strings.Fields(figures)
		n := len(f)
		item := ""
		if n == 8 && f[2] != "tax" {
			item = f[3]
		}
		key := strings.Join([]string{f[0], f[1], f[2], item, f[n-4]}, " ")
		if f[n-3] == f[n-2] && f[2] != "rated" {
			l.t.Errorf("seed %d: nothing differs in %q", l.seed, said)
		}
		add(key, f[n-3], 1)
		add(key, f[n-2], -1)
	}
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		if changes[key].Sign() != 0 {
			l.t.Errorf("seed %d: %s: the tables changed by %s more than the differences say:\n%s", l.seed, key, changes[key].FloatString(6), strings.Join(differences, "\n"))
			return
		}
	}
}

// agree compares two lakes that should say the same of the accounts of which that can
// be asked, and counts what they have.
func (h *history) agree(t *testing.T, what string, l, reference *told, seen map[string]int) {
	t.Helper()
	got, want := l.snapshot(compared), reference.snapshot(compared)
	skip := map[string]bool{}
	// What was charged is kept, and answers needs that are gone: such accounts are
	// left to the tests of the engine.
	bought := map[string]map[row]bool{}
	topups := map[string]string{"topups": `SELECT period, account, concat(bucket_id, ' ', starts_at, ' ', granted) FROM balances WHERE kind = 'topup' AND granted > 0`}
	for _, rows := range [][]row{l.snapshot(topups)["topups"], reference.snapshot(topups)["topups"]} {
		for _, r := range rows {
			if bought[r.account] == nil {
				bought[r.account] = map[row]bool{}
			}
			bought[r.account][r] = !bought[r.account][r] // true: only one of the two has it
		}
	}
	for account, rows := range bought {
		if slices.Contains(slices.Collect(maps.Values(rows)), true) {
			skip[account] = true
			seen["an account of which other top-ups were kept"]++
		} else {
			seen["an account of the same top-ups"]++
		}
	}
	if reference.from > 0 { // what was held before is not priced there again
		for _, i := range h.items {
			skip[i.account] = skip[i.account] || i.account == "t5" || i.held && i.index < reference.from
		}
	}
	seen["accounts compared"] += len(themes) - len(skip)
	h.sameRows(t, what, got, want, func(r row) bool { return !skip[r.account] })
	for name, rows := range l.snapshot(broken) {
		t.Errorf("seed %d: %s, broken %s: %v", h.seed, what, name, rows)
	}
	for name, rows := range l.snapshot(features) {
		for _, r := range rows {
			if !skip[r.account] {
				seen[name+": "+r.text]++
			}
		}
	}
}

// features are what histories are to reach, of accounts that are compared.
var features = map[string]string{
	"ledger":   `SELECT '', account, entry FROM ledger GROUP BY account, entry`,
	"burned":   `SELECT '', account, kind FROM burns GROUP BY account, kind`,
	"note":     `SELECT '', account, kind FROM invoices WHERE kind <> 'invoice' GROUP BY account, kind`,
	"on notes": `SELECT '', account, l.kind FROM invoice_lines AS l WHERE cause IS NOT NULL GROUP BY account, l.kind`,
	"because":  `SELECT DISTINCT '', account, word FROM (SELECT account, unnest(string_split(cause, ', ')) AS word FROM invoice_lines WHERE cause IS NOT NULL)`,
	"rejected": `SELECT '', '', reason FROM rejected GROUP BY reason`,
	"held":     `SELECT '', account, held FROM rated WHERE held IS NOT NULL GROUP BY account, held`,
	"released": `SELECT '', account, operation FROM rated WHERE held IS NULL AND operation IN ('image.new', 'video.make') GROUP BY account, operation`,
	"opened":   `SELECT '', account, CASE WHEN event_id LIKE 't%' THEN 'by an event' ELSE 'by its first call' END AS how FROM account_events WHERE type = 'account.opened' GROUP BY account, how`,
}

// reached are features that the histories drawn by default have, and must not lose.
var reached = []string{
	"a re-rating bought a top-up", "an account of the same top-ups", "raised and lowered", "re-rated from a later period",
	"because: account event", "because: knock-on", "because: late usage", "because: price", "because: void",
	"burned: allowance", "burned: denied", "burned: opened", "burned: overage", "burned: pack", "burned: promotion", "burned: rollover", "burned: topup",
	"held: no_rule", "ledger: expire", "ledger: rollover_in", "ledger: void", "note: credit_note", "note: debit_note",
	"on notes: charge", "on notes: fee", "on notes: overage", "on notes: pack", "on notes: tax", "on notes: topup",
	"opened: by an event", "opened: by its first call", "rejected: voided", "released: image.new", "released: video.make",
}

// raiseAndLower makes everything four times as dear, re-rates, takes that back and
// re-rates: the notes add up to nothing, but for the top-ups that were bought meanwhile.
func (l *told) raiseAndLower(seen map[string]int) {
	l.t.Helper()
	queries := maps.Clone(compared)
	delete(queries, "rated") // which names the versions
	before, topups := l.snapshot(queries), l.topupAccounts()
	for n, each := range []string{"each: images, per: 0.25,", "each: images,"} {
		for _, c := range l.configs {
			former := strings.TrimSuffix(strings.TrimPrefix(c.name, "prices/api-"), ".yaml")
			if former != "3" && former != "4" {
				continue
			}
			version := fmt.Sprint(former, n)
			l.write("prices/api-"+version+".yaml", strings.NewReplacer("version: "+former, "version: "+version, "each: images,", each).Replace(c.content))
		}
		if report, _ := l.rerateFrom(0, l.last(), true); report.Run == nil || len(report.Notes) == 0 {
			l.t.Errorf("seed %d: %s: run %v, notes %v", l.seed, each, report.Run, report.Notes)
		}
	}
	now := l.topupAccounts()
	l.sameRows(l.t, "raised and lowered", l.snapshot(queries), before, func(r row) bool { return now[r.account] == topups[r.account] })
	seen["raised and lowered"]++
}

// topupAccounts is how many top-ups each account has.
func (l *told) topupAccounts() map[string]string {
	all := map[string]string{}
	for _, r := range l.snapshot(map[string]string{"n": `SELECT '', account, CAST(count(*) AS VARCHAR) FROM balances WHERE kind = 'topup' AND granted > 0 GROUP BY account`})["n"] {
		all[r.account] = r.text
	}
	return all
}
