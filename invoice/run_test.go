package invoice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/sql"
)

const smallPlans = `
plan: pro
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "10.00"}
allowance: 100
renews: anniversary
overage: {per: 10, price: {USD: "2.00"}, protection: false}
`

// acme subscribes in October and calls; rows are "time credits".
func smallWorld(t *testing.T) *world {
	w := newWorld(t, "UTC", "2026-10", smallPlans)
	w.event(`{"id":"a1","type":"account.opened","account":"acme","at":"2026-10-02T00:00:00Z","name":"Acme"}`)
	w.event(`{"id":"a2","type":"subscription.started","account":"acme","at":"2026-10-02T00:00:00Z","plan":"pro"}`)
	w.call("2026-10", "c1", "acme", "op", "k", "2026-10-03 00:00:00", "90", "")
	w.call("2026-10", "c2", "acme", "op", "k", "2026-10-04 00:00:00", "25", "")
	return w
}

// rows are a query's rows as text, joined.
func (w *world) rows(query string) string {
	w.t.Helper()
	rows, err := w.session.Rows(context.Background(), "SELECT concat_ws(' ', COLUMNS(*)) FROM ("+query+")")
	must(w.t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var row string
		must(w.t, rows.Scan(&row))
		all = append(all, row)
	}
	must(w.t, rows.Err())
	return strings.Join(all, "; ")
}

func (w *world) want(query, want string) {
	w.t.Helper()
	if got := w.rows("SELECT concat_ws(' ', " + query + ""); got != want {
		w.t.Errorf("%s:\n got %s\nwant %s", query, got, want)
	}
}

func TestRunSmall(t *testing.T) {
	w := smallWorld(t)
	report := w.close("2026-10", "2026-11-01T06:00:00Z")
	// 115 credits: 100 of the allowance, 15 overage at 2.00 for 10: 3.00.
	w.want("number, subtotal, tax, total, amount_due) FROM live_invoices", "INV-2026-000001 13.0000 0.0000 13.0000 13.0000")
	w.want("line, kind, item, quantity, amount) FROM live_invoice_lines ORDER BY line", "1 fee pro 1.000000 10.0000; 2 overage pro/1 15.000000 3.0000")
	// The value: 100 × 10.00 ÷ 100 + 15 × 0.20.
	w.want("account, operation, key, calls, credits, value) FROM live_statements", "acme op k 2 115.000000 13.0000")
	if report.Totals.Calls != 2 || report.Totals.Accounts != 1 || report.Totals.Invoices != 1 ||
		report.Totals.Credits["allowance"] != "100" || report.Totals.Credits["overage"] != "15" || report.Totals.Money["USD"] != "13" {
		t.Errorf("totals %+v", report.Totals)
	}
	times := map[string]string{}
	for _, out := range report.Outputs {
		times[out.Table.Name] = out.MinTime.Format("01-02") + " " + out.MaxTime.Format("01-02")
	}
	if times["burns"] != "10-03 10-04" || times["ledger"] != "10-02 10-04" {
		t.Errorf("times %v", times)
	}
	// The next period goes on from there: number 2, the allowance of the new cycle, nothing else.
	w.close("2026-11", "2026-12-01T06:00:00Z")
	w.want("period, number, total) FROM live_invoices ORDER BY number", "2026-10 INV-2026-000001 13.0000; 2026-11 INV-2026-000002 10.0000")
	w.want("operation, calls, credits, held_calls, value, currency) FROM live_statements WHERE period = '2026-11'", "0 0.000000 0 0.0000 USD")
	// A new year counts from 1.
	w.close("2026-12", "2027-01-01T06:00:00Z")
	w.want("number) FROM live_invoices WHERE period = '2026-12'", "INV-2027-000001")
}

// SPEC section 7: apply publishes provisional balances, ledger and alerts, and changes nothing that a close does.
func TestRunProvisional(t *testing.T) {
	w := smallWorld(t)
	report, err := w.run("2026-10", "2026-10-15T00:00:00Z", true)
	must(t, err)
	var names []string
	for _, out := range report.Outputs {
		names = append(names, out.Table.Name)
	}
	if strings.Join(names, " ") != "ledger balances alerts" || report.Totals.Invoices != 0 || report.Totals.Calls != 2 {
		t.Errorf("outputs %v, totals %+v", names, report.Totals)
	}
	w.close("2026-10", "2026-11-01T06:00:00Z")
	w.want("number) FROM live_invoices", "INV-2026-000001")
}

// SPEC section 14, 26: held usage counts in held_calls and in nothing else, also of accounts that nobody opened.
func TestStatementsCountHeldCalls(t *testing.T) {
	w := smallWorld(t)
	w.call("2026-10", "h1", "acme", "op", "k", "2026-10-05 00:00:00", "0", "no_rule")
	w.call("2026-10", "h2", "acme", "other", "", "2026-10-05 00:00:00", "0", "no_rule")
	w.call("2026-10", "h3", "nobody", "op", "", "2026-10-05 00:00:00", "0", "account_not_opened")
	w.event(`{"id":"z1","type":"account.opened","account":"zero","at":"2026-10-02T00:00:00Z"}`)
	w.event(`{"id":"z2","type":"subscription.started","account":"zero","at":"2026-10-02T00:00:00Z","plan":"pro"}`)
	w.event(`{"id":"y1","type":"account.opened","account":"yonder","at":"2026-10-02T00:00:00Z"}`) // neither bucket nor usage
	w.close("2026-10", "2026-11-01T06:00:00Z")
	w.want("account, coalesce(operation, '-'), coalesce(key, '-'), calls, credits, held_calls, value, currency) FROM live_statements ORDER BY account, operation",
		"acme op k 2 115.000000 1 13.0000 USD; acme other - 0 0.000000 1 0.0000 USD; nobody op - 0 0.000000 1 0.0000 USD; zero - - 0 0.000000 0 0.0000 USD")
}

// What makes no sense is noted in account_events, once.
func TestHeldAccountEvents(t *testing.T) {
	w := smallWorld(t)
	w.event(`{"id":"a9","type":"subscription.changed","account":"acme","at":"2026-10-20T00:00:00Z","plan":"gold"}`)
	report := w.close("2026-10", "2026-11-01T06:00:00Z")
	if len(report.Held) != 1 || report.Held[0].Event.ID != "a9" || report.Held[0].Reason != "unknown_plan" {
		t.Errorf("held %+v", report.Held)
	}
	w.want("event_id, coalesce(held, '-')) FROM live_account_events ORDER BY event_id", "a1 -; a2 -; a9 unknown_plan")
	again, err := w.run("2026-10", "2026-10-31T00:00:00Z", true)
	must(t, err)
	if slices.ContainsFunc(again.Outputs, func(o lake.Output) bool { return o.Table.Name == lake.AccountEvents.Name }) {
		t.Error("account_events written again though nothing changed")
	}
}

// SPEC section 14, 35: what the first call opened stays known.
func TestUnknownAccountsOpenOnce(t *testing.T) {
	w := newWorld(t, "UTC", "2026-10", smallPlans)
	w.input.UnknownPlan = "pro"
	w.call("2026-10", "c1", "walk-in", "op", "", "2026-10-03 00:00:00", "1", "")
	w.call("2026-11", "c2", "walk-in", "op", "", "2026-11-02 00:00:00", "1", "")
	w.close("2026-10", "2026-11-01T06:00:00Z")
	w.want("type, \"at\") FROM live_account_events ORDER BY type", "account.opened 2026-10-03 00:00:00; subscription.started 2026-10-03 00:00:00")
	w.close("2026-11", "2026-12-01T06:00:00Z")
	w.want("period, bucket_id, opening, granted) FROM live_balances WHERE period = '2026-11' ORDER BY starts_at",
		"2026-11 walk-in/allowance/2026-10-03T00:00:00Z 99.000000 0.000000; 2026-11 walk-in/allowance/2026-11-03T00:00:00Z 0.000000 100.000000")
	w.want("item, kind, amount) FROM live_revenue WHERE period = '2026-11' ORDER BY kind", "pro breakage 9.8000; pro use 0.1000")
}

func TestRunOfNothing(t *testing.T) {
	w := newWorld(t, "UTC", "2026-10", smallPlans)
	report := w.close("2026-10", "2026-11-01T06:00:00Z")
	if len(report.Outputs) != 8 || report.Totals.Accounts != 0 {
		t.Errorf("%+v", report)
	}
}

// An account that cannot be burned down stops the run, names itself, and leaves nothing waiting.
func TestRunNamesTheCallThatFails(t *testing.T) {
	w := smallWorld(t)
	w.call("2026-10", "x1", "nobody", "op", "", "2026-10-05 00:00:00", "1", "")
	_, err := w.run("2026-10", "2026-11-01T06:00:00Z", false)
	if err == nil || !strings.Contains(err.Error(), `"nobody"`) || !strings.Contains(err.Error(), `"x1"`) {
		t.Error(err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	w := smallWorld(t)
	w.views(w.input.Period)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, w.input); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Every check tells of what it is for: each is fed one row that breaks it.
func TestChecksFindWhatIsBroken(t *testing.T) {
	breaks := map[string]string{
		"credits_rated":      "UPDATE live_ledger SET credits = credits + 0.000001 WHERE entry = 'overage'",
		"burns_in_ledger":    "UPDATE live_burns SET bucket_id = 'x' WHERE event_id = 'c1'",
		"bucket_credits":     "UPDATE live_balances SET remaining = remaining + 1",
		"bucket_ledger":      "UPDATE live_balances SET granted = granted + 1",
		"bucket_opening":     "UPDATE live_balances SET opening = 1",
		"bucket_money":       "UPDATE live_balances SET deferred = deferred + 0.01",
		"invoice_totals":     "UPDATE live_invoice_lines SET amount = amount + 0.01 WHERE line = 1",
		"invoice_numbers":    "INSERT INTO live_invoices SELECT * FROM live_invoices",
		"revenue_recognised": "DELETE FROM live_revenue WHERE kind = 'use'",
		"revenue_charged":    "UPDATE live_balances SET price = 0",
		"statement_credits":  "UPDATE live_statements SET calls = 3",
	}
	ran := slices.Concat(burnChecks(), billChecks(), closeChecks())
	for _, check := range ran {
		if _, known := breaks[strings.TrimPrefix(check, "checks/")]; !known {
			t.Errorf("check %s is not tested", check)
		}
	}
	for name, statement := range breaks {
		w := smallWorld(t)
		w.close("2026-10", "2026-11-01T06:00:00Z")
		for _, table := range []lake.Table{
			lake.Rated, lake.Burns, lake.Ledger, lake.Balances, lake.Invoices, lake.InvoiceLines, lake.Statements, lake.Revenue,
		} {
			w.exec("CREATE OR REPLACE TEMP VIEW " + table.Name + " AS SELECT * EXCLUDE (period) FROM live_" + table.Name)
		}
		w.exec("CREATE OR REPLACE TEMP VIEW issued AS SELECT NULL AS number WHERE false")
		w.exec("CREATE OR REPLACE TEMP TABLE rated_accounts AS SELECT account, count(*) AS calls, sum(credits) AS credits FROM live_rated GROUP BY account")
		for _, broken := range []bool{false, true} {
			if broken {
				w.exec(statement)
			}
			told, err := offenders(context.Background(), w.session, sql.Text("checks/"+name), nil)
			must(t, err)
			if (told != "") != broken {
				t.Errorf("%s, broken %v, tells %q", name, broken, told)
			}
		}
	}
}

// A run whose output does not add up fails: here the period before has lost a bucket's credits.
func TestRunFailsWhenIdentitiesDo(t *testing.T) {
	w := smallWorld(t)
	w.close("2026-10", "2026-11-01T06:00:00Z")
	w.exec("UPDATE live_balances SET remaining = 1, deferred = 5")
	report, err := w.run("2026-11", "2026-12-01T06:00:00Z", false)
	if err == nil || len(report.Checks) == 0 || !strings.Contains(err.Error(), "bucket_") {
		t.Errorf("%v, %v", report.Checks, err)
	}
}

func TestNumbersGoOnWhereTheyWere(t *testing.T) {
	w := newWorld(t, "UTC", "2026-10", smallPlans)
	for _, number := range []string{"INV-2026-000007", "INV-2026-000010", "INV-2026-x", "INV-2025-000099", "CN-2026-000500", "INV-2026-"} {
		w.exec("INSERT INTO live_invoices (number) VALUES ($1)", number)
	}
	for _, test := range []struct {
		template string
		year     int
		want     string
	}{
		{"INV-{year}-{seq:6}", 2026, "INV-2026-000011 INV-2026-000012"},
		{"INV-{year}-{seq:6}", 2025, "INV-2025-000100 INV-2025-000101"},
		{"CN-{year}-{seq}", 2026, "CN-2026-501 CN-2026-502"},
		{"{seq}-{year}", 2026, "1-2026 2-2026"},
	} {
		template, err := config.ParseNumber(test.template)
		must(t, err)
		n, err := openNumbers(context.Background(), w.session, template, test.year)
		must(t, err)
		if got := n.next() + " " + n.next(); got != test.want {
			t.Errorf("%s: %s, not %s", test.template, got, test.want)
		}
	}
}

// A document is made from the committed rows alone.
func TestDocumentOfACommittedInvoice(t *testing.T) {
	w := smallWorld(t)
	w.event(`{"id":"a3","type":"account.updated","account":"acme","at":"2026-10-09T00:00:00Z","address":["1 Road","Town"],"tax":{"rate":"0.1","label":"GST","id":"G1"}}`)
	w.event(`{"id":"a4","type":"account.updated","account":"acme","at":"2026-11-09T00:00:00Z","name":"Later Ltd"}`)
	w.close("2026-10", "2026-11-01T06:00:00Z")
	for _, name := range []string{"invoice_lines", "statements", "balances"} {
		w.exec("CREATE TEMP VIEW " + name + " AS SELECT * FROM live_" + name)
	}
	w.exec("CREATE TEMP VIEW invoices AS SELECT * EXCLUDE (period), 7 AS run, period FROM live_invoices")
	w.exec("CREATE TEMP VIEW party_events AS SELECT *, 7 AS first_run, 7 AS last_run FROM live_account_events")
	w.exec("CREATE TEMP TABLE kept_parties (number VARCHAR, account VARCHAR, party VARCHAR)")
	w.exec(`CREATE TEMP VIEW periods AS SELECT '2026-10' AS period, TIMESTAMP '2026-11-01' AS "end"`)
	issuer := config.Issuer{Name: "Example API Ltd", Address: []string{"Here"}, TaxID: "EX123"}
	picked, err := document.Selection{Numbers: []string{"INV-2026-000001"}}.Pick(context.Background(), w.session)
	must(t, err)
	documents, err := picked.Open(context.Background(), w.input.Scratch, w.input.Calendar, issuer)
	must(t, err)
	defer documents.Close()
	d, err := documents.Next()
	must(t, err)
	// 13.00 + 10 % = 14.30
	if d.Party.Name != "Acme" || d.Party.TaxID != "G1" || len(d.Lines) != 3 || d.Total.String() != "14.3" || len(d.Usage) != 1 || len(d.Balances) != 1 {
		t.Errorf("%+v", d)
	}
	if next, err := documents.Next(); next != nil || err != nil {
		t.Error(next, err)
	}
	_, err = document.Selection{Numbers: []string{"INV-2026-000002", "INV-2026-000001"}}.Pick(context.Background(), w.session)
	if missing := new(document.NotFoundError); !errors.As(err, missing) || len(missing.Numbers) != 1 || missing.Numbers[0] != "INV-2026-000002" {
		t.Error(err)
	}
}
