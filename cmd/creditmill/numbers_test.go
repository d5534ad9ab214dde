package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// documentedQueries are the queries of docs/numbers.md, by the heading that each is the
// first below.
func documentedQueries(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "numbers.md"))
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, part := range regexp.MustCompile(`(?m)^#{1,3} `).Split(string(text), -1) {
		heading, rest, _ := strings.Cut(part, "\n")
		for i, block := range strings.Split(rest, "```sql\n")[1:] {
			query, _, _ := strings.Cut(block, "```")
			name := heading
			if i > 0 {
				name = fmt.Sprintf("%s (%d)", heading, i+1)
			}
			queries[name] = query
		}
	}
	return queries
}

// A numbersCheck compares what the program prints with the documented queries, run as
// `query --format json` runs them.
type numbersCheck struct {
	t       *testing.T
	app     *app
	mill    *jobs.Mill
	reader  *jobs.Reader
	queries map[string]string
	unused  map[string]bool
}

// documentOfDocs is the document's number that stands in the documented queries.
const documentOfDocs = "INV-2026-000001"

// ask runs a documented query with a document's number in its place.
func (c *numbersCheck) ask(heading, number string, given values) []map[string]any {
	c.t.Helper()
	query, ok := c.queries[heading]
	if !ok {
		c.t.Fatalf("docs/numbers.md has no query below %q", heading)
	}
	delete(c.unused, heading)
	if number != "" {
		query = strings.ReplaceAll(query, documentOfDocs, strings.ReplaceAll(number, "'", "''"))
	}
	return c.run("docs/numbers.md, "+heading, query, given)
}

// run runs a query as `query --format json` does, with those parameters that it has.
func (c *numbersCheck) run(name, query string, given values) []map[string]any {
	c.t.Helper()
	used := values{}
	for name, value := range given {
		if strings.Contains(query, "$"+name) {
			used[name] = value
		}
	}
	var out bytes.Buffer
	c.app.stdout = &out
	if err := c.app.query(c.t.Context(), c.reader.Session(), ask{text: query}, queryFlags{format: formatJSON, given: used}); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	rows, ok := decoded(c.t, out.Bytes()).(map[string]any)["rows"].([]any)
	if !ok {
		c.t.Fatalf("%s: no rows in %s", name, &out)
	}
	list := make([]map[string]any, len(rows))
	for i, row := range rows {
		list[i], _ = row.(map[string]any)
	}
	return list
}

// decoded is a JSON text with its numbers as they are written.
func decoded(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// A printed is a JSON document and the paths of the leaves that a query has given.
type printed struct {
	c       *numbersCheck
	name    string
	root    map[string]any
	covered map[string]bool
}

func (c *numbersCheck) printed(name string, text []byte) *printed {
	c.t.Helper()
	root, ok := decoded(c.t, text).(map[string]any)
	if !ok {
		c.t.Fatalf("%s is no object: %s", name, text)
	}
	return &printed{c, name, root, map[string]bool{}}
}

// at is what stands at a path such as "usage_by.operation".
func (p *printed) at(path string) any {
	var value any = p.root
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// list compares a list with the rows of a query, one for each element.
func (p *printed) list(path string, rows []map[string]any) {
	p.c.t.Helper()
	list, ok := p.at(path).([]any)
	if !ok || len(list) != len(rows) {
		p.c.t.Errorf("%s: %s has %d elements, its query %d rows", p.name, path, len(list), len(rows))
		return
	}
	for i, row := range rows {
		p.object(fmt.Sprintf("%s[%d]", path, i), list[i], row)
	}
}

// one compares an object with the only row of a query.
func (p *printed) one(path string, rows []map[string]any) {
	p.c.t.Helper()
	if len(rows) != 1 {
		p.c.t.Fatalf("%s: the query of %q has %d rows", p.name, path, len(rows))
	}
	p.object(path, p.at(path), rows[0])
}

// object compares the fields of an object with the columns of a row of their names.
func (p *printed) object(path string, value any, row map[string]any) {
	p.c.t.Helper()
	fields, ok := value.(map[string]any)
	if !ok {
		p.c.t.Fatalf("%s: %s is no object", p.name, path)
	}
	for column, want := range row {
		place := strings.TrimPrefix(path+"."+column, ".")
		got, ok := fields[column]
		if !ok {
			p.c.t.Errorf("%s: there is no %s, which the query gives", p.name, place)
			continue
		}
		if !sameValue(got, want) {
			p.c.t.Errorf("%s: %s is %v, its query gives %v", p.name, place, got, want)
		}
		p.covered[place] = true
	}
}

var numeral = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

// sameValue compares numbers by value and everything else as it is.
func sameValue(a, b any) bool {
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	if numeral.MatchString(x) && numeral.MatchString(y) {
		left, _ := new(big.Rat).SetString(x)
		right, _ := new(big.Rat).SetString(y)
		return left.Cmp(right) == 0
	}
	return x == y
}

// names are the leaves that may look like numbers and are names.
var names = regexp.MustCompile(`^(account|issuer)\.|^(number|account)$`)

// whole fails for every number of the document that no query has given.
func (p *printed) whole() {
	p.c.t.Helper()
	numbers := 0
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, inner := range value {
				walk(strings.TrimPrefix(path+"."+name, "."), inner)
			}
		case []any:
			for i, inner := range value {
				walk(fmt.Sprintf("%s[%d]", path, i), inner)
			}
		case json.Number, string:
			if !numeral.MatchString(fmt.Sprint(value)) || names.MatchString(path) {
				return
			}
			numbers++
			if !p.covered[path] {
				p.c.t.Errorf("%s: no query of docs/numbers.md gives %s, %v", p.name, path, value)
			}
		}
	}
	walk("", p.root)
	if numbers == 0 {
		p.c.t.Errorf("%s has no number at all", p.name)
	}
}

// checkNumbers compares every number of the documents of a lake, of its balances, its
// billing histories and its statements with the query that docs/numbers.md has for it, and
// all that stands on accounts' pages with the query that they name.
func checkNumbers(t *testing.T, config string) {
	t.Helper()
	looking(t, config, func(c *numbersCheck) {
		for heading := range c.queries {
			c.unused[heading] = true
		}
		if err := c.documents(); err != nil {
			t.Fatal(err)
		}
		months := c.rows("SELECT DISTINCT period FROM balances ORDER BY period")
		for _, row := range []map[string]any{months[0], months[len(months)-1]} {
			if err := c.month(fmt.Sprint(row["period"])); err != nil {
				t.Fatal(err)
			}
		}
		c.accountPages()
		for heading := range c.unused {
			t.Errorf("docs/numbers.md: nothing was compared with the query below %q", heading)
		}
	})
}

// readOnce takes the rows of all tables into the session's memory: hundreds of queries
// of a few rows each are mostly looks into files.
func (c *numbersCheck) readOnce() {
	c.t.Helper()
	names := []string{"issued_statements", "issued_balances"}
	for _, table := range lake.Tables() {
		names = append(names, table.Name)
	}
	for _, name := range names {
		for _, statement := range []string{
			"CREATE TEMP TABLE read_once AS SELECT * FROM " + name, "DROP VIEW " + name, "ALTER TABLE read_once RENAME TO " + name,
		} {
			if err := c.reader.Session().Exec(c.t.Context(), statement); err != nil {
				c.t.Fatalf("%s: %v", statement, err)
			}
		}
	}
}

// rows are those of a query of the test's own.
func (c *numbersCheck) rows(query string, args ...any) []map[string]any {
	c.t.Helper()
	found, err := fetch(c.t.Context(), c.reader.Session(), query, args...)
	if err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return found.objects()
}

// documents compares all invoices and notes, with what has corrected them since.
func (c *numbersCheck) documents() (err error) {
	documents, err := c.mill.Documents(c.t.Context(), document.Selection{})
	if err != nil {
		return err
	}
	defer func() {
		if closing := documents.Close(); err == nil {
			err = closing
		}
	}()
	for {
		d, err := documents.Next()
		if err != nil || d == nil {
			return err
		}
		notes, err := documents.Notes(c.t.Context(), d.Number)
		if err != nil {
			return err
		}
		text, err := d.JSONWith(notes)
		if err != nil {
			return err
		}
		p := c.printed(d.Number, text)
		p.one("", c.ask("The document", d.Number, nil))
		p.one("usage_by.total", c.ask("`usage_by.total`", d.Number, nil))
		for _, path := range []string{"lines", "usage", "usage_by.operation", "usage_by.project", "usage_by.key", "balances", "corrected_by", "together"} {
			p.list(path, c.ask("`"+path+"`", d.Number, nil))
		}
		p.whole()
		c.onPage(d, p)
	}
}

// onPage compares a note's lines with those on its account's page, which has the first
// sixty lines of its month.
func (c *numbersCheck) onPage(d *document.Document, p *printed) {
	c.t.Helper()
	lines, _ := p.at("lines").([]any)
	if d.Kind == document.Invoice || len(lines) > 30 {
		return
	}
	month := cmp.Or(d.CorrectsPeriod, d.Period.String())
	rows := c.run("account_lines", sql.Text("report/account_lines"), values{accountParameter: d.Account, periodParameter: month})
	rows = slices.DeleteFunc(rows, func(row map[string]any) bool { return row["document"] != d.Number })
	if len(rows) != len(lines) {
		c.t.Errorf("%s has %d lines, the page of %s in %s has %d of them", d.Number, len(lines), d.Account, month, len(rows))
		return
	}
	for i, row := range rows {
		line, _ := lines[i].(map[string]any)
		for _, name := range []string{"line", "quantity", "unit_price", "amount"} {
			if !sameValue(line[name], row[name]) {
				c.t.Errorf("%s, line %d: %s is %v, on the page %v", d.Number, i+1, name, line[name], row[name])
			}
		}
	}
}

// The page of an account rounds prices as the documented query of `lines` does.
func TestLinesOfAPageRoundAsDocumented(t *testing.T) {
	t.Parallel()
	cases := func(query string) (list []string) {
		for _, m := range regexp.MustCompile(`(?:WHEN (?:l\.)?currency IN (\([^)]*\)) THEN|ELSE) ([0-9.]+)\n`).FindAllStringSubmatch(query, -1) {
			list = append(list, m[1]+m[2])
		}
		return list
	}
	got, want := cases(sql.Text("report/account_lines")), cases(documentedQueries(t)["`lines`"])
	if len(want) < 2 || !slices.Equal(got, want) {
		t.Errorf("account_lines has halves of currencies' digits %q, docs/numbers.md %q", got, want)
	}
}

// month compares the balances of two accounts in a month, the statement and the billing
// history of one of them, and what ties the month's numbers together.
func (c *numbersCheck) month(month string) error {
	accounts := c.rows("SELECT account, count(*) AS buckets FROM balances WHERE period = $1 GROUP BY account ORDER BY buckets DESC, account", month)
	for i, row := range accounts[:min(2, len(accounts))] {
		account := fmt.Sprint(row["account"])
		given := values{accountParameter: account, periodParameter: month}
		if err := c.balance(account, month, given); err != nil {
			return err
		}
		if i == 0 {
			c.history(account, given)
			c.statement(account, month, given)
		}
	}
	lost := "SELECT currency, b.breakage, r.breakage AS revenue FROM revenue_by_month AS r LEFT JOIN (SELECT currency, sum(breakage) AS breakage FROM (" +
		sql.Text("report/month_expired") + ") GROUP BY currency) AS b USING (currency) WHERE r.period = $period AND coalesce(b.breakage, 0) <> r.breakage"
	if bad := c.run("month_expired", lost, values{periodParameter: month}); len(bad) > 0 {
		c.t.Errorf("%s: what month_expired says was lost is not the month's revenue: %v", month, bad)
	}
	for heading := range c.queries {
		if strings.HasPrefix(heading, "The same number in two places") {
			if bad := c.ask(heading, "", values{periodParameter: month}); len(bad) > 0 {
				c.t.Errorf("%s, %s: %v", month, heading, bad)
			}
		}
	}
	return nil
}

func (c *numbersCheck) balance(account, month string, given values) error {
	p, err := parsePeriod(month)
	if err != nil {
		return err
	}
	standing, err := c.mill.Standing(p)
	if err != nil {
		return err
	}
	b := accountBalance{Account: account, Standing: standing}
	if err := b.read(c.t.Context(), c.app, c.reader, 10_000); err != nil {
		return err
	}
	text, err := json.Marshal(b.document())
	if err != nil {
		return err
	}
	d := c.printed("balance of "+account+" in "+month, text)
	d.one("", c.ask("`creditmill balance`", "", given))
	d.list("buckets", c.ask("`buckets` of `creditmill balance`", "", given))
	d.list("ledger", c.ask("`ledger` of `creditmill balance`", "", given))
	d.whole()
	return nil
}

func (c *numbersCheck) history(account string, given values) {
	p := c.printed("invoices of "+account, []byte(call(c.t, "invoice", "--config", c.app.config, "--account", account, "--json")))
	if len(c.ask("`invoices` of `creditmill invoice`", "", given)) > 0 {
		p.one("", c.ask("`creditmill invoice`", "", given))
		p.list("invoices", c.ask("`invoices` of `creditmill invoice`", "", given))
		p.list("sums", c.ask("`sums` of `creditmill invoice`", "", given))
		p.whole()
	}
}

// statement compares an account's usage as it is exported, and works its value out again
// from the parts that are documented.
func (c *numbersCheck) statement(account, month string, given values) {
	p := c.printed("usage of "+account+" in "+month, []byte(call(c.t, "export", "usage", "--config", c.app.config, "--account", account, "--period", month)))
	calls := c.ask("`calls` of `creditmill export usage`", "", given)
	list, _ := p.at("calls").([]any)
	if len(list) != len(calls) {
		c.t.Fatalf("%s has %d calls, its query %d", p.name, len(list), len(calls))
	}
	if p.root["provisional"] == true || len(calls) == 0 {
		return
	}
	p.root["run"] = nil // the newest run: of what was exported, and no number of the account's
	p.list("summary", c.ask("`summary` of `creditmill export usage`", "", given))
	paid := c.ask("`paid_by` of `creditmill export usage`", "", given)
	for i, row := range calls {
		call, _ := list[i].(map[string]any)
		for name := range call {
			place := fmt.Sprintf("calls[%d].%s", i, name)
			switch inner := call[name].(type) {
			case map[string]any: // dimensions, quantities
				for name, value := range inner {
					if !sameValue(value, row[name]) {
						c.t.Errorf("%s: %s.%s is %v, its query gives %v", p.name, place, name, value, row[name])
					}
					p.covered[place+"."+name] = true
				}
			case []any: // paid_by
				for j, part := range inner {
					if len(paid) == 0 || paid[0]["event_id"] != call["event_id"] {
						c.t.Fatalf("%s: %s[%d] has no row of its query", p.name, place, j)
					}
					delete(paid[0], "event_id")
					p.object(fmt.Sprintf("%s[%d]", place, j), part, paid[0])
					paid = paid[1:]
				}
			default:
				if !sameValue(inner, row[name]) {
					c.t.Errorf("%s: %s is %v, its query gives %v", p.name, place, inner, row[name])
				}
				p.covered[place] = true
			}
		}
	}
	if len(paid) > 0 {
		c.t.Errorf("%s: the query has parts that nobody paid: %v", p.name, paid)
	}
	p.whole()
	c.values(p, c.ask("The value of usage", "", given))
}

// values works out what each row of a statement was worth, where no overage is in it.
func (c *numbersCheck) values(p *printed, parts []map[string]any) {
	worth, beyond := map[string]*big.Rat{}, map[string]bool{}
	for _, part := range parts {
		row := fmt.Sprint(part["operation"], "/", part["project"], "/", part["key"])
		if part["bucket_id"] == nil {
			beyond[row] = true
			continue
		}
		value := exactly(c.t, part["credits"])
		value.Mul(value, exactly(c.t, part["price"]))
		value.Quo(value, exactly(c.t, part["granted"]))
		if worth[row] == nil {
			worth[row] = new(big.Rat)
		}
		worth[row].Add(worth[row], value)
	}
	list, _ := p.at("summary").([]any)
	for _, entry := range list {
		entry, _ := entry.(map[string]any)
		row := fmt.Sprint(entry["operation"], "/", entry["project"], "/", entry["key"])
		if worth[row] == nil || beyond[row] {
			continue
		}
		digits := 2
		if entry["currency"] == "JPY" {
			digits = 0
		}
		want, _ := new(big.Rat).SetString(worth[row].FloatString(digits)) // halves away from zero
		if exactly(c.t, entry["value"]).Cmp(want) != 0 {
			c.t.Errorf("%s: %s is worth %v, its parts come to %s", p.name, row, entry["value"], want.FloatString(digits))
		}
	}
}

func exactly(t *testing.T, value any) *big.Rat {
	t.Helper()
	n, ok := new(big.Rat).SetString(fmt.Sprint(value))
	if !ok {
		t.Fatalf("%v is no number", value)
	}
	return n
}

// SPEC section 7 and 8: also of an invoice whose month was re-rated since, of the notes
// that correct it, and of a month that is only applied.
func TestNumbersOfARerate(t *testing.T) {
	t.Parallel()
	config := reratedLake(t)
	checkNumbers(t, config)
	looking(t, config, func(c *numbersCheck) { c.reratedPages() })
	if n := len(readCSV(t, call(t, "query", "--config", config, "--format", "csv", "SELECT number FROM invoices WHERE kind <> 'invoice'"))) - 1; n != 3 {
		t.Errorf("%d notes, want 3", n)
	}
	differ := readCSV(t, call(t, "query", "--config", config, "--format", "csv", "SELECT * FROM issued_statements EXCEPT SELECT * FROM statements"))
	if len(differ) < 2 {
		t.Error("the re-rate has left every statement as it was issued")
	}
	lateTwice(t, config)
}

// lateTwice closes December with a late call of October and one of November of the same id,
// of 30 and 40 credits: they post at one instant, and 70 credits burn for them, those of
// November's allowance, which runs to December 2. With the 7 of r-010 they are 77 of the
// 1,000 that cost 49.00: 3.773.
func lateTwice(t *testing.T, config string) {
	t.Helper()
	const month, now = "2026-12", "2027-01-02T12:00:00Z"
	late := filepath.Join(filepath.Dir(config), "raw", "gateway", "twice.jsonl")
	if err := os.WriteFile(late, []byte(`{"request_id":"r-011","ts":"2026-10-26T12:00:00Z","org":"acme","op":"image.generate","params":{"n":30},"status":200}
{"request_id":"r-011","ts":"2026-11-26T12:00:00Z","org":"acme","op":"image.generate","params":{"n":40},"status":200}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"ingest", "rate", "close"} {
		call(t, command, "--config", config, "--now", now)
	}
	looking(t, config, func(c *numbersCheck) {
		given := values{accountParameter: "acme", periodParameter: month}
		c.statement("acme", month, given)
		joined := "SELECT event_id, cost, count(*) AS burns, sum(paid) AS paid FROM (" + sql.Text("joins/burns_rated") + ") WHERE account = $account AND period = $period GROUP BY event_id, cost ORDER BY event_id"
		for _, like := range []struct {
			name      string
			got, want []map[string]any
		}{
			{"burns and calls", c.run("burns_rated", joined, given), []map[string]any{
				{"event_id": "r-010", "cost": 7, "burns": 1, "paid": 7}, {"event_id": "r-011", "cost": 70, "burns": 2, "paid": 70},
			}},
			{"parts of the value", c.ask("The value of usage", "", given), []map[string]any{
				{"credits": 70, "price": 49, "granted": 1000}, {"credits": 7, "price": 49, "granted": 1000},
			}},
			{"value", c.rows("SELECT credits, value FROM statements WHERE account = 'acme' AND period = $1 AND credits > 0", month), []map[string]any{
				{"credits": 77, "value": "3.77"},
			}},
		} {
			c.like(like.name, like.got, like.want)
		}
		c.billedAnew()
	})
}

// like fails where rows are not those that there should be, in the columns that are named.
func (c *numbersCheck) like(name string, got, want []map[string]any) {
	c.t.Helper()
	if len(got) != len(want) {
		c.t.Errorf("%s: %v, want %v", name, got, want)
		return
	}
	for i, row := range want {
		for column, value := range row {
			if !sameValue(got[i][column], value) {
				c.t.Errorf("%s, row %d: %s is %v, want %v", name, i+1, column, got[i][column], value)
			}
		}
	}
}

// billedAnew takes back what acme was charged for October, 5.40 of overage and 65.82 in
// all, and charges 5.00 and 60.50 in another currency, as a re-rate would whose account has
// another one: it stands once, with the amount that is left. A third one has no sum.
func (c *numbersCheck) billedAnew() {
	c.t.Helper()
	add := func(number, overage, total, currency string) {
		c.t.Helper()
		for _, statement := range []string{
			fmt.Sprintf("INSERT INTO invoices SELECT * REPLACE ('%s' AS number, %s AS total, '%s' AS currency) FROM invoices WHERE number = 'CN-2026-000001'", number, total, currency),
			fmt.Sprintf("INSERT INTO invoice_lines SELECT * REPLACE ('%s' AS number, %s AS amount, '%s' AS currency) FROM invoice_lines WHERE number = 'CN-2026-000001' AND kind = 'overage'", number, overage, currency),
		} {
			if err := c.reader.Session().Exec(c.t.Context(), statement); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	charged := func(overage, total, currency any) {
		c.t.Helper()
		given := values{accountParameter: "acme", periodParameter: "2026-10"}
		c.like("month_overage", c.run("month_overage", sql.Text("report/month_overage"), given), []map[string]any{
			{"account": "acme", "overage": 90, "amount": overage, "currency": currency, "denied": 0, "shown": 2, "of": 2},
			{"account": "hobby", "overage": 0, "amount": nil, "currency": nil, "denied": 5, "shown": 2, "of": 2},
		})
		c.like("account_months", c.run("account_months", sql.Text("report/account_months"), given), []map[string]any{
			{"month": "2026-10", "credits": 1090, "overage": 90, "charged": total, "currency": currency},
		})
	}
	charged("5.40", "65.82", "USD")
	add("CN-2026-000090", "-5.40", "-65.82", "USD")
	charged("0.00", "0.00", "USD")
	add("DN-2026-000090", "5.00", "60.50", "EUR")
	charged("5.00", "60.50", "EUR")
	add("DN-2026-000091", "1.00", "1.21", "GBP")
	charged(nil, nil, nil)
}

// reratedLake is the example of init with October and November closed and then re-rated,
// as testdata/rerate.txt has it, and with December applied.
func reratedLake(t *testing.T) (config string) {
	t.Helper()
	const now = "2026-12-05T12:00:00Z"
	dir := filepath.Join(t.TempDir(), "shop")
	config = filepath.Join(dir, defaultConfig)
	call(t, "init", dir, "--now", "2026-11-15T12:00:00Z")
	run := func(args ...string) { t.Helper(); call(t, append(args, "--config", config, "--now", now)...) }
	run("ingest")
	run("rate")
	run("close")
	run("close")
	text, err := os.ReadFile(filepath.Join(dir, "prices", "api.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"prices/api-2.yaml": strings.NewReplacer("version: 1", "version: 2", "credits: 4}", "credits: 5}").Replace(string(text)),
		"raw/gateway/late.jsonl": `{"request_id":"r-009","ts":"2026-10-25T12:00:00Z","org":"acme","op":"image.generate","params":{"n":40},"status":200}
{"request_id":"r-010","ts":"2026-12-04T12:00:00Z","org":"acme","op":"image.generate","params":{"n":7},"status":200}
`,
		"raw/accounts/newco.jsonl": `{"id":"evt-6","type":"account.opened","account":"newco","at":"2026-10-20T09:00:00Z","name":"New Co"}
{"id":"evt-7","type":"subscription.started","account":"newco","at":"2026-10-20T09:00:00Z","plan":"team"}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("ingest")
	run("void", "--event", "r-001", "--reason", "a load test")
	run("rerate", "--from", "2026-10", "--commit", "--reason", "uploads of October")
	run("rate")
	run("apply")
	return config
}
