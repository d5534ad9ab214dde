package account_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice"
)

var lakesSeed = flag.Int("lakes.seed", 0, "seed of TestLakesOfRandomAccounts; 0: by the clock")

const (
	drawnLakes  = 5
	lakePeriods = 3
)

// Lakes of several random accounts each, burned down and billed month by month by
// invoice.Run: every account's rows are those of its life alone, in memory, which
// TestEngineAgreesWithModel compares with the second implementation. The same rows, to
// the byte, come out when the events come in another order, the calls in other files,
// and apply ran in mid-month.
func TestLakesOfRandomAccounts(t *testing.T) {
	seed := *lakesSeed
	if seed == 0 {
		seed = int(time.Now().UnixNano() % 1e9)
	}
	seen := map[string]int{}
	for i := range drawnLakes {
		accounts := rapid.Custom(drawLake).Example(seed + i)
		t.Logf("-lakes.seed %d: %d accounts from %s in %s", seed+i, len(accounts), accounts[0].first, accounts[0].zone)
		straight, turned := newRandomLake(t, accounts, nil), newRandomLake(t, accounts, rand.New(rand.NewSource(int64(seed+i))))
		alone := make([]result, len(accounts))
		for a, w := range accounts {
			alone[a] = w.runEngine(t, lakePeriods)
		}
		for n := range lakePeriods {
			got, again := straight.close(n), turned.close(n)
			if !slices.Equal(got, again) {
				t.Errorf("period %d: files\n%q\nin another order\n%q", n, got, again)
			}
			for a, w := range accounts {
				want := w.rows(alone[a].outcomes[n], straight.first.Add(n), straight.input.Calendar)
				for table, lines := range want {
					sort.Strings(lines)
					if got := straight.rows(n, w.name(), table); !slices.Equal(got, lines) {
						t.Errorf("period %d, account %s, %s:\n%s\nwant\n%s\n%s", n, w.name(), table, strings.Join(got, "\n"), strings.Join(lines, "\n"), w)
					}
					seen[table] += len(lines)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("rows compared: %v", seen)
	for _, table := range []string{"balances", "ledger", "alerts", "invoices", "invoice_lines", "statements", "revenue"} {
		if seen[table] == 0 {
			t.Errorf("no row of %s was compared", table)
		}
	}
}

// drawLake draws accounts of one lake.
func drawLake(t *rapid.T) []world {
	scene := drawScene(t)
	var accounts []world
	for i := range rapid.IntRange(2, 9).Draw(t, "accounts") {
		w := scene
		w.account = fmt.Sprintf("account-%d", i)
		w.tax = rapid.SampledFrom([]string{"", "0.21", "0.0775"}).Draw(t, "tax")
		w.drawLife(t, lakePeriods)
		accounts = append(accounts, w)
	}
	return accounts
}

// A randomLake is a lake in one DuckDB session. With an order, everything comes in
// that order, and apply runs before each close.
type randomLake struct {
	t        *testing.T
	accounts []world
	order    *rand.Rand // nil: as it is
	session  *duck.Session
	scratch  string
	input    invoice.Input
	first    period.Period
	written  [][]lake.Output // by period
}

func newRandomLake(t *testing.T, accounts []world, order *rand.Rand) *randomLake {
	l := &randomLake{t: t, accounts: accounts, order: order, scratch: t.TempDir()}
	l.session = must(duck.Open(t.Context(), duck.Options{Memory: "500MB", Threads: 2, Scratch: l.scratch}))
	t.Cleanup(func() { l.session.Close() })
	w := accounts[0]
	l.first = must(period.Parse(w.first))
	l.input = invoice.Input{
		Session: l.session, Scratch: l.scratch, FirstPeriod: l.first, Calendar: must(period.NewCalendar(w.zoneName())), Catalog: w.catalog.parse(t),
		Currency: must(money.ParseCurrency("USD")), AlertPercents: w.percent, UnknownPlan: w.unknown,
		Numbers: config.Invoices{Number: must(config.ParseNumber("INV-{year}-{seq:6}"))}, Due: period.Duration{Days: 14},
	}
	events := must(duck.NewBuilder(lake.AccountEvents.Columns))
	var rows [][]any
	for _, w := range accounts {
		for _, e := range w.events {
			rows = append(rows, []any{e.id, e.kind, w.name(), e.at, e.posted, nil, string(w.payload(e))})
		}
	}
	l.shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, row := range rows {
		events.Append(row...)
	}
	if err := l.session.Load(context.Background(), "account_events", events); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *randomLake) shuffle(n int, swap func(i, j int)) {
	if l.order != nil {
		l.order.Shuffle(n, swap)
	}
}

func (l *randomLake) exec(statement string, args ...any) {
	l.t.Helper()
	if err := l.session.Exec(context.Background(), statement, args...); err != nil {
		l.t.Fatalf("%s\n%v", statement, err)
	}
}

// close closes period n and returns what was written: tables and hashes of their files.
func (l *randomLake) close(n int) (hashes []string) {
	l.t.Helper()
	in := l.input
	in.Period = l.first.Add(n)
	in.Now = in.Calendar.End(in.Period).Add(6 * time.Hour)
	in.RatedFiles = l.rate(in.Period)
	l.exec("CREATE OR REPLACE TEMP VIEW left_behind AS SELECT * FROM rated WHERE false")
	for _, table := range []lake.Table{lake.Balances, lake.Burns, lake.Alerts} {
		l.view("prior_"+table.Name, table, n-1, n)
	}
	for _, table := range []lake.Table{lake.Balances, lake.Ledger, lake.InvoiceLines, lake.Invoices} {
		l.view("closed_"+table.Name, table, 0, n)
	}
	for _, statement := range []string{
		"granted AS SELECT bucket_id, sum(granted) AS granted FROM closed_balances WHERE granted > 0 GROUP BY bucket_id",
		"issued AS SELECT number FROM closed_invoices",
		`fixed_currency AS SELECT account FROM closed_balances WHERE price <> 0 UNION SELECT account FROM closed_invoice_lines WHERE amount <> 0
			UNION SELECT account FROM closed_ledger WHERE entry = 'overage'`,
	} {
		l.exec("CREATE OR REPLACE TEMP VIEW " + statement)
	}
	if l.order != nil {
		applied := in
		applied.Provisional, applied.Until = true, in.Calendar.Start(in.Period).Add(time.Duration(l.order.Intn(28*24))*time.Hour)
		if _, err := invoice.Run(context.Background(), applied); err != nil {
			l.t.Fatal(err)
		}
	}
	report, err := invoice.Run(context.Background(), in)
	if err != nil {
		l.t.Fatalf("%v\n%v", err, l.accounts)
	}
	l.written = append(l.written, report.Outputs)
	for _, out := range report.Outputs {
		hashes = append(hashes, fmt.Sprintf("%s %d %s", out.Table.Name, out.Rows, must(lake.HashFile(out.Path))))
		if out.Table.Name == lake.AccountEvents.Name {
			scan := duck.Scan{Columns: out.Table.Columns, Groups: []duck.Group{{Files: []string{out.Path}}}}
			l.exec("CREATE OR REPLACE TEMP TABLE account_events AS " + scan.SQL())
		}
	}
	// What is held posts again (SPEC section 14, 36).
	l.exec("UPDATE account_events SET posted_at = $1 WHERE held IS NOT NULL AND posted_at < $1", in.Calendar.End(in.Period))
	return hashes
}

// view is the rows of the periods from first to before end as name.
func (l *randomLake) view(name string, table lake.Table, first, end int) {
	l.t.Helper()
	scan := duck.Scan{Columns: table.Columns}
	for n := max(first, 0); n < end; n++ {
		for _, out := range l.written[n] {
			if out.Table.Name == table.Name {
				scan.Add(out.Path, 0)
			}
		}
	}
	if err := l.session.View(context.Background(), name, scan); err != nil {
		l.t.Fatal(err)
	}
}

// rate makes a period's rated calls, in one file or three. A call at a period's first
// instant that others follow there is late: its own time is earlier.
func (l *randomLake) rate(p period.Period) (files []string) {
	l.t.Helper()
	var rows [][]any
	for _, w := range l.accounts {
		for i, c := range w.calls {
			if l.input.Calendar.Of(c.t) != p {
				continue
			}
			at, late := c.t, false
			if c.t.Equal(l.input.Calendar.Start(p)) && p != l.first && i+1 < len(w.calls) && w.calls[i+1].t.Equal(c.t) {
				at, late = c.t.Add(time.Duration(i-len(w.calls))*time.Minute), true
			}
			rows = append(rows, []any{
				fmt.Sprintf("call-%03d", i), "api", w.name(), nil, w.keyOf(i), w.operationOf(i), at, "object", int64(i), c.t, late, "api", 1, 1,
				credit.FromMicro(c.micro).Num(), nil,
			})
		}
	}
	l.shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	parts := 1
	if l.order != nil {
		parts = 3
	}
	var scan duck.Scan
	scan.Columns = lake.Rated.Columns
	for part := range parts {
		builder := must(duck.NewBuilder(lake.Rated.Columns))
		for i, row := range rows {
			if i%parts == part {
				builder.Append(row...)
			}
		}
		if err := l.session.Load(context.Background(), "rating", builder); err != nil {
			l.t.Fatal(err)
		}
		path := filepath.Join(l.scratch, fmt.Sprintf("rated-%s-%d.parquet", p, part))
		must(l.session.CopyParquet(context.Background(), "SELECT * FROM rating", path))
		scan.Add(path, 0)
		files = append(files, path)
	}
	if err := l.session.View(context.Background(), "rated", scan); err != nil {
		l.t.Fatal(err)
	}
	return files
}

// What a call was for, by its place.
func (w world) operationOf(i int) string { return []string{"image", "text", "image"}[i%3] }

func (w world) keyOf(i int) any {
	if i%2 == 0 {
		return nil
	}
	return "key"
}

// payload is the event with the account's tax.
func (w world) payload(e eventDef) []byte {
	text := e.payloadOf(w.name())
	if e.kind != "account.opened" || w.tax == "" {
		return text
	}
	return append(text[:len(text)-1:len(text)-1], `,"tax":{"rate":"`+w.tax+`"}}`...)
}
