package invoice

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// A world is a small lake in one DuckDB session: tables named live_TABLE hold
// what is committed, and the views that Run wants are made over them.
type world struct {
	t       testing.TB
	session *duck.Session
	input   Input
}

func newWorld(t testing.TB, zone, first, catalogText string, folders ...string) *world {
	t.Helper()
	ctx := context.Background()
	scratch := t.TempDir()
	session, err := duck.Open(ctx, duck.Options{Memory: "1GB", Threads: 2, Scratch: scratch, Folders: folders})
	must(t, err)
	t.Cleanup(func() { session.Close() })
	calendar, err := period.NewCalendar(zone)
	must(t, err)
	start, err := period.Parse(first)
	must(t, err)
	problems := &yamlfile.Problems{}
	plans := catalog.Parse([]catalog.File{{Name: "catalog.yaml", Content: []byte(catalogText)}}, problems)
	must(t, problems.Err())
	number, err := config.ParseNumber("INV-{year}-{seq:6}")
	must(t, err)
	dollar, err := money.ParseCurrency("USD")
	must(t, err)
	w := &world{t: t, session: session, input: Input{
		Session: session, Scratch: scratch, Period: start, FirstPeriod: start, Calendar: calendar, Catalog: plans, Currency: dollar,
		AlertPercents: []int{80, 100, 110}, Numbers: config.Invoices{Number: number}, Due: period.Duration{Days: 14},
	}}
	for _, table := range lake.Tables() {
		if table.Name == lake.Periods.Name {
			continue
		}
		w.exec("CREATE TEMP TABLE live_" + table.Name + " (period VARCHAR, " + columnList(table.Columns, true) + ")")
	}
	for _, view := range []string{
		"account_events AS SELECT * EXCLUDE (period) FROM live_account_events",
		"granted AS SELECT bucket_id, sum(granted) AS granted FROM live_balances WHERE granted > 0 GROUP BY bucket_id",
		"fixed_currency AS SELECT account FROM live_balances WHERE price <> 0",
		"issued AS SELECT number FROM live_invoices",
		"left_behind AS SELECT * FROM live_rated WHERE false",
	} {
		w.exec("CREATE TEMP VIEW " + view)
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	if err := w.session.Exec(context.Background(), statement, args...); err != nil {
		w.t.Fatalf("%s\n%v", statement, err)
	}
}

func columnList(columns []lake.Column, types bool) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = duck.Identifier(c.Name)
		if types {
			list[i] += " " + c.Type
		}
	}
	return strings.Join(list, ", ")
}

// event adds an account event as it came; it posts as it would at ingest.
func (w *world) event(line string) {
	w.t.Helper()
	var e struct{ ID, Type, Account, At string }
	must(w.t, json.Unmarshal([]byte(line), &e))
	at, err := period.ParseInstant(e.At)
	must(w.t, err)
	posted := at
	if earliest := w.input.Calendar.Start(w.input.FirstPeriod); e.Type == "bucket.opened" && at.Before(earliest) {
		posted = earliest
	}
	w.exec("INSERT INTO live_account_events VALUES (NULL, $1, $2, $3, $4, $5, NULL, $6)", e.ID, e.Type, e.Account, at, posted, line)
}

// call adds a rated call. held is empty or the reason.
func (w *world) call(p, id, account, operation, key, at, credits, held string) {
	w.t.Helper()
	w.exec(`INSERT INTO live_rated BY NAME SELECT $1 AS period, $2 AS event_id, 'api' AS source, $3 AS account, $4 AS operation,
		nullif($5, '') AS key, CAST($6 AS TIMESTAMP) AS time, CAST($6 AS TIMESTAMP) AS posted_at, false AS late,
		CAST($7 AS DECIMAL(18,6)) AS credits, nullif($8, '') AS held`, p, id, account, operation, key, at, credits, held)
}

// views makes the views of one period.
func (w *world) views(p period.Period) {
	w.t.Helper()
	prior := duck.Literal(p.Add(-1).String())
	w.exec("CREATE OR REPLACE TEMP VIEW rated AS SELECT * EXCLUDE (period) FROM live_rated WHERE period = " + duck.Literal(p.String()))
	for _, table := range []string{"balances", "burns", "alerts"} {
		w.exec("CREATE OR REPLACE TEMP VIEW prior_" + table + " AS SELECT * EXCLUDE (period) FROM live_" + table + " WHERE period = " + prior)
	}
}

// close burns the period down for good and commits what comes of it.
func (w *world) close(p, now string) Report {
	w.t.Helper()
	report, err := w.run(p, now, false)
	must(w.t, err)
	w.commit(report)
	return report
}

func (w *world) run(p, now string, provisional bool) (Report, error) {
	w.t.Helper()
	var err error
	in := w.input
	in.Period, err = period.Parse(p)
	must(w.t, err)
	in.Now, err = period.ParseInstant(now)
	must(w.t, err)
	in.Provisional = provisional
	if provisional {
		in.Until = in.Now
	}
	w.views(in.Period)
	return Run(context.Background(), in)
}

func (w *world) commit(report Report) {
	w.t.Helper()
	for _, out := range report.Outputs {
		if out.Table.Name == lake.AccountEvents.Name {
			w.exec("DELETE FROM live_account_events")
		}
		scan := duck.Scan{Columns: out.Table.Columns, Groups: []duck.Group{{Files: []string{out.Path}}}}
		w.exec("INSERT INTO live_" + out.Table.Name + " SELECT " + duck.Literal(out.Partition) + ", * FROM (" + scan.SQL() + ")")
	}
}

// loadRated reads a world's expected/rated.csv into live_rated.
func (w *world) loadRated(path string) {
	header := csvHeader(w.t, path)
	known := []string{"period"}
	selects := []string{"period"}
	for _, c := range lake.Rated.Columns {
		if slices.Contains(header, c.Name) {
			known = append(known, duck.Identifier(c.Name))
			selects = append(selects, castText(c))
		}
	}
	w.exec("INSERT INTO live_rated (" + strings.Join(known, ", ") + ") SELECT " + strings.Join(selects, ", ") + " FROM " + csvScan(path))
}

func castText(c lake.Column) string {
	value := "nullif(" + duck.Identifier(c.Name) + ", '')"
	if c.Type == "TIMESTAMP" {
		value = "CAST(" + value + " AS TIMESTAMPTZ)"
	}
	return "CAST(" + value + " AS " + c.Type + ") AS " + duck.Identifier(c.Name)
}

func csvScan(path string) string {
	return "read_csv(" + duck.Literal(path) + ", header = true, all_varchar = true, quote = '\"')"
}

func csvHeader(t testing.TB, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	header, err := csv.NewReader(file).Read()
	must(t, err)
	return header
}

// expect compares a table, all periods, with a world's expected rows, in the
// columns that those have.
func (w *world) expect(table lake.Table, path string) {
	w.t.Helper()
	header := csvHeader(w.t, path)
	names, casts := []string{"period"}, []string{"period"}
	for _, c := range table.Columns {
		if slices.Contains(header, c.Name) {
			names = append(names, duck.Identifier(c.Name))
			casts = append(casts, castText(c))
		}
	}
	if len(names) != len(header) {
		w.t.Errorf("%s: columns %v are not those of %s", path, header, table.Name)
	}
	got := "SELECT " + strings.Join(names, ", ") + " FROM live_" + table.Name
	want := "SELECT " + strings.Join(casts, ", ") + " FROM " + csvScan(path)
	for what, query := range map[string]string{
		"missing": want + " EXCEPT ALL " + got,
		"surplus": got + " EXCEPT ALL " + want,
	} {
		broken, err := offenders(context.Background(), w.session, query, nil)
		must(w.t, err)
		if broken != "" {
			w.t.Errorf("%s, %s rows: %s", table.Name, what, broken)
		}
	}
}

func readFiles(t testing.TB, glob string) []string {
	t.Helper()
	paths, err := filepath.Glob(glob)
	must(t, err)
	if len(paths) == 0 {
		t.Fatalf("no file %s", glob)
	}
	return paths
}

// Two of the worlds of SPEC section 13, from their expected rated calls on: the
// expected rows were worked out by hand.
func TestWorlds(t *testing.T) {
	for _, test := range []struct {
		name, zone string
		closes     [][2]string // period, now
	}{
		{"vision", "UTC", [][2]string{{"2026-10", "2026-11-01T07:00:00Z"}, {"2026-11", "2026-12-01T07:00:00Z"}}},
		{"models", "Europe/Amsterdam", [][2]string{{"2026-10", "2026-11-01T06:00:00Z"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder, err := filepath.Abs(filepath.Join("..", "fixtures", test.name))
			must(t, err)
			var plans []string
			for _, path := range readFiles(t, filepath.Join(folder, "plans", "*.yaml")) {
				content, err := os.ReadFile(path)
				must(t, err)
				plans = append(plans, string(content))
			}
			w := newWorld(t, test.zone, test.closes[0][0], strings.Join(plans, "\n---\n"), folder)
			for _, path := range readFiles(t, filepath.Join(folder, "raw", "billing", "*.jsonl")) {
				file, err := os.Open(path)
				must(t, err)
				for lines := bufio.NewScanner(file); lines.Scan(); {
					w.event(lines.Text())
				}
				file.Close()
			}
			w.loadRated(filepath.Join(folder, "expected", "rated.csv"))
			for _, c := range test.closes {
				w.close(c[0], c[1])
			}
			for _, table := range []lake.Table{
				lake.Burns, lake.Ledger, lake.Balances, lake.Alerts, lake.Invoices, lake.InvoiceLines, lake.Statements, lake.Revenue,
			} {
				w.expect(table, filepath.Join(folder, "expected", table.Name+".csv"))
			}
		})
	}
}
