package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// A madePage is an account's page and what a reader finds on it.
type madePage struct {
	account string
	text    string
	parts   []pagePart
}

// accountPage makes an account's page of a month, "" for the newest.
func (c *numbersCheck) accountPage(account, month string) madePage {
	c.t.Helper()
	p, err := parsePeriod(month)
	if err != nil {
		c.t.Fatal(err)
	}
	made, err := c.mill.ReportAccount(c.t.Context(), account, p)
	if err != nil {
		c.t.Fatalf("page of %q, %s: %v", account, month, err)
	}
	var bare, text bytes.Buffer
	if err := made.Write(&bare); err != nil {
		c.t.Fatal(err)
	}
	if strings.Contains(bare.String(), "SELECT") {
		c.t.Errorf("the page of %q shows statements to the customer", account)
	}
	made.Bare = false
	if err := made.Write(&text); err != nil {
		c.t.Fatal(err)
	}
	return madePage{account, text.String(), readPage(c.t, text.String())}
}

// compare runs each statement of a page as `query` does, and compares all that the page
// shows with its rows.
func (c *numbersCheck) compare(p madePage) {
	c.t.Helper()
	numbers := 0
	for _, part := range p.parts {
		var out bytes.Buffer
		c.app.stdout = &out
		if err := c.app.query(c.t.Context(), c.reader.Session(), ask{text: part.statement}, queryFlags{format: formatCSV}); err != nil {
			c.t.Errorf("page of %q, %s: %v\n%s", p.account, part.name, err, part.statement)
			continue
		}
		rows := readCSV(c.t, out.String())
		if len(rows) > 1 && len(part.values) == 0 {
			c.t.Errorf("page of %q, %s: %d rows, and nothing of them is shown", p.account, part.name, len(rows)-1)
		}
		for _, v := range part.values {
			if v.row+1 >= len(rows) || v.column >= len(rows[0]) {
				c.t.Errorf("page of %q, %s shows row %d, column %d of a result of %d rows", p.account, part.name, v.row, v.column, len(rows)-1)
				continue
			}
			if err := v.compare(rows[0], rows[v.row+1]); err != nil {
				c.t.Errorf("page of %q, %s, row %d: %v", p.account, part.name, v.row, err)
			}
			numbers++
		}
		if digits := regexp.MustCompile(`\d+`).FindString(part.otherwise); digits != "" {
			c.t.Errorf("page of %q, %s: %s in %q is no cell of its query", p.account, part.name, digits, part.otherwise)
		}
	}
	if numbers < 20 {
		c.t.Errorf("page of %q: only %d values", p.account, numbers)
	}
}

// shown are the texts that a part shows of a column's cells, by rows; a drawing shows the
// same ones again.
func (p madePage) shown(t *testing.T, name string, column int) (list []string) {
	t.Helper()
	for _, part := range p.parts {
		if part.name != "report/"+name {
			continue
		}
		seen := map[int]bool{}
		for _, v := range part.values {
			if v.column == column && !v.drawn && !seen[v.row] {
				seen[v.row] = true
				list = append(list, v.shown)
			}
		}
		return list
	}
	t.Fatalf("the page of %q has no part %s", p.account, name)
	return nil
}

// has fails where a part shows something else of a column than it should; place is the
// statement and the column, as "account_sums/0".
func (c *numbersCheck) has(p madePage, place string, want []string) {
	c.t.Helper()
	name, column, _ := strings.Cut(place, "/")
	at, err := strconv.Atoi(column)
	if err != nil {
		c.t.Fatal(err)
	}
	if got := p.shown(c.t, name, at); !slices.Equal(got, want) {
		c.t.Errorf("page of %q, %s: %q, want %q", p.account, place, got, want)
	}
}

// private fails for what a page says of others than its account, and for what is the
// operator's own affair: places of logs, and why calls are held.
func (c *numbersCheck) private(p madePage) {
	c.t.Helper()
	for _, query := range []string{
		"SELECT account AS id FROM balances WHERE account <> $1 UNION SELECT account FROM rated WHERE account <> $1 UNION SELECT account FROM account_events WHERE account <> $1",
		"SELECT bucket_id AS id FROM balances WHERE account <> $1",
		"SELECT number AS id FROM invoices WHERE account <> $1",
		"SELECT object AS id FROM objects WHERE $1 <> ''",
		"SELECT held AS id FROM rated WHERE held IS NOT NULL AND $1 <> ''",
		"SELECT payload ->> '$.email' AS id FROM account_events WHERE payload ->> '$.email' IS NOT NULL AND $1 <> ''",
	} {
		for _, row := range c.rows(query, p.account) {
			id := fmt.Sprint(row["id"])
			if !strings.Contains(p.text, id) {
				continue
			}
			if regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(id) + `($|[^\w-])`).MatchString(p.text) {
				c.t.Errorf("the page of %q has %q", p.account, id)
			}
		}
	}
}

// accountPages looks at the page of the account with the most buckets in the lake's
// newest month.
func (c *numbersCheck) accountPages() {
	c.t.Helper()
	rows := c.rows("SELECT account, count(*) AS n FROM balances WHERE period = (SELECT max(period) FROM balances) GROUP BY account ORDER BY n DESC, account")
	p := c.accountPage(fmt.Sprint(rows[0]["account"]), "")
	c.compare(p)
	c.private(p)
}

// acme's page after a re-rate, with numbers worked out by hand: October has 1,100 + 150 +
// 40 - 200 = 1,090 credits (testdata/rerate.txt), of which 1,000 are the allowance's. Its
// invoice was 66.55 (49.00 + 6.00, 21 % tax), the note -0.73. December, the open month,
// has a call of 7 of 1,000 credits; November's 1,000 expired on December 2.
func (c *numbersCheck) reratedPages() {
	c.t.Helper()
	october := c.accountPage("acme", "2026-10")
	c.compare(october)
	c.private(october)
	for name, want := range map[string][]string{
		"account_sums/0":       {"0"},
		"account_sums/1":       {"1,090"},
		"account_sums/3":       {"90"},
		"account_sums/4":       {"0"},
		"account_buckets/5":    {"1,000"},
		"account_operations/0": {"image.generate", "chat.completion"},
		"account_operations/2": {"940", "150"},
		"account_operations/3": {"86.24", "13.76"}, // 940/1090 = 0.86238…, 150/1090 = 0.13761…
		"account_charged/0":    {"2"},
		"account_charged/3":    {"65.82"},
		"account_lines/4":      {"0.06", "−0.13", "49.00", "0.06", "11.55"}, // 10 credits less at 6.00 a hundred; taxes and fees are one each
		"account_lines/5":      {"−0.60", "−0.13", "49.00", "6.00", "11.55"},
		"account_documents/6":  {"66.55", "−0.73"},
		"account_documents/11": {"corrected by CN-2026-000001", "corrects INV-2026-000001"},
		"account_unpaid/1":     {"50", "40"}, // 750 on the 4th, 150 on the 9th and 150 on the 20th are 50 too many, and then 40 more
	} {
		c.has(october, name, want)
	}
	if !strings.Contains(october.text, "The month is closed.") || strings.Contains(october.text, "Provisional") {
		c.t.Error("October's page does not say that the month is closed")
	}
	file := filepath.Join(c.t.TempDir(), "page.html")
	call(c.t, "report", "--config", c.app.config, "--account", "acme", "--period", "2026-10", "--to", file, "--sql", "--now", "2031-05-05T05:05:05Z")
	if again, err := os.ReadFile(file); err != nil || string(again) != october.text {
		c.t.Errorf("October's page, made again at another time, is another: %v", err)
	}
	december := c.accountPage("acme", "2026-12")
	c.compare(december)
	c.private(december)
	if !strings.Contains(december.text, "Provisional: the month is not over.") {
		c.t.Error("December's page does not say that it is provisional")
	}
	for name, want := range map[string][]string{"account_sums": {"993"}, "account_expiring": {"2027-01-02"}} {
		if got := december.shown(c.t, name, 0); !slices.Equal(got, want) {
			c.t.Errorf("acme in 2026-12, %s: %q, want %q", name, got, want)
		}
	}

	// hobby has used 60 + 45 + 25 × 5 = 230 credits in October, and nothing since: each month has its row.
	hobby := c.accountPage("hobby", "2026-12")
	c.compare(hobby)
	c.has(hobby, "account_months/0", []string{"2026-10", "2026-11", "2026-12"})
	c.has(hobby, "account_months/2", []string{"230", "0", "0"})
}

// Names that would be markup, SQL or a turn of the reading direction, an account of ten
// thousand buckets, late and held calls, an account that did nothing, and none at all.
func TestAccountPagesOfStrangers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	call(t, "init", dir, "--now", "2026-11-15T12:00:00Z")
	run := func(now string, args ...string) {
		t.Helper()
		call(t, append(args, "--config", config, "--now", now)...)
	}
	write := func(name string, lines ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const hostile, crowded = `</pre><script>alert('x')</script> $period {calls}`, "crowded"
	inJSON := strings.NewReplacer(`"`, `\"`).Replace(hostile)
	events := []string{
		`{"id":"h1","type":"account.opened","account":"` + inJSON + `","at":"2026-10-02T00:00:00Z","name":"<img src=x onerror=alert(1)> ` + "\u202egnp.exe" + `"}`,
		`{"id":"h2","type":"subscription.started","account":"` + inJSON + `","at":"2026-10-02T00:00:00Z","plan":"team"}`,
		`{"id":"h3","type":"charge.added","account":"` + inJSON + `","at":"2026-10-03T00:00:00Z","amount":"1.00","description":"<b>bold</b> {credits}"}`,
		`{"id":"q1","type":"account.opened","account":"quiet","at":"2026-10-02T00:00:00Z"}`,
		`{"id":"b1","type":"account.opened","account":"buyer","at":"2026-10-02T00:00:00Z"}`,
		`{"id":"b2","type":"subscription.started","account":"buyer","at":"2026-10-02T00:00:00Z","plan":"limited"}`,
		`{"id":"b3","type":"pack.purchased","account":"buyer","at":"2026-10-04T00:00:00Z","pack":"boost"}`,
		`{"id":"b4","type":"overage.set","account":"buyer","at":"2026-10-06T00:00:00Z","protection":false}`,
		`{"id":"b5","type":"bucket.voided","account":"buyer","at":"2026-10-08T00:00:00Z","bucket":"buyer/pack/b3","reason":"suspected fraud"}`,
		`{"id":"m0","type":"account.opened","account":"crowded","at":"2026-10-02T00:00:00Z","name":"Many"}`,
	}
	for i := range 10_000 { // 2 credits each, to be used from 2026-10-02 on, in the order of their ends
		events = append(events, fmt.Sprintf(`{"id":"g%05d","type":"credits.granted","account":"crowded","at":"2026-10-02T00:00:00Z","credits":2,"expires_at":"2027-%02d-01T00:00:00Z","reason":"internal remark"}`, i, i%12+1))
	}
	write("raw/accounts/strangers.jsonl", events...)
	write("plans/limited.yaml", "plan: limited", "version: 1", "effective_from: 2020-01-01T00:00:00Z", "fee: {USD: \"5.00\"}", "allowance: 10", "renews: anniversary",
		"rate_limit: {calls: 1, per: hour}")
	write("raw/gateway/strangers.jsonl",
		`{"request_id":"l1","ts":"2026-10-05T10:00:00Z","org":"buyer","op":"image.generate","params":{"n":3},"status":200}`,
		`{"request_id":"l2","ts":"2026-10-05T10:59:59Z","org":"buyer","op":"image.generate","params":{"n":4},"status":200}`,
		`{"request_id":"l3","ts":"2026-10-05T11:00:00Z","org":"buyer","op":"image.generate","params":{"n":4},"status":200}`,
		`{"request_id":"s1","ts":"2026-10-05T00:00:00Z","org":"`+inJSON+`","auth":{"project":"<i>p</i>","key_id":"' OR 1=1 --"},"op":"image.generate","params":{"n":3},"status":200}`,
		`{"request_id":"s2","ts":"2026-10-06T00:00:00Z","org":"crowded","op":"image.generate","params":{"n":30},"status":200}`)
	run("2026-11-15T12:00:00Z", "ingest")
	run("2026-11-15T12:00:00Z", "rate")
	run("2026-11-15T12:00:00Z", "close")
	write("raw/gateway/later.jsonl",
		`{"request_id":"s3","ts":"2026-10-07T00:00:00Z","org":"`+inJSON+`","op":"image.generate","params":{"n":5},"status":200}`,
		`{"request_id":"s4","ts":"2026-11-07T00:00:00Z","org":"`+inJSON+`","op":"chat.completion","model":"none such","status":200}`)
	run("2026-11-15T12:01:00Z", "ingest")
	run("2026-11-15T12:01:00Z", "rate")

	looking(t, config, func(c *numbersCheck) {
		stranger := c.accountPage(hostile, "2026-10")
		c.compare(stranger)
		c.private(stranger)
		for _, raw := range []string{"<script", "<img", "<b>", "<i>", "\u202e"} {
			if strings.Contains(stranger.text, raw) {
				t.Errorf("the page has %q", raw)
			}
		}
		if got := stranger.shown(t, "account_sums", 1); !slices.Equal(got, []string{"3"}) {
			t.Errorf("credits used: %q, want 3", got)
		}

		// November is open and was not applied: nothing is known of balances. A call of
		// October came late, and one has no price.
		open := c.accountPage(hostile, "2026-11")
		c.compare(open)
		c.private(open)
		for _, text := range []string{"Provisional: what was used so far.", "Calls being looked at", "being looked at", "came late"} {
			if !strings.Contains(open.text, text) {
				t.Errorf("the open month's page lacks %q", text)
			}
		}
		if got := open.shown(t, "account_late", 0); !slices.Equal(got, []string{"2026-10"}) {
			t.Errorf("late calls of %q", got)
		}
		if got := open.shown(t, "account_sums", 6); !slices.Equal(got, []string{"1"}) {
			t.Errorf("calls being looked at: %q, want 1", got)
		}

		// 10,000 buckets of 2: 30 are used, so 15 are empty at October's end. 40 are shown,
		// and 9,960 in one row: 19,920 granted, all of them left.
		crowd := c.accountPage(crowded, "2026-10")
		c.compare(crowd)
		if got := crowd.shown(t, "account_buckets", 0); len(got) != 42 || got[40] != "and 9960 more" || got[41] != "All" {
			t.Errorf("%d rows of buckets, at their end %q", len(got), got[max(0, len(got)-2):])
		}
		if got := crowd.shown(t, "account_buckets", 7); len(got) != 42 || got[40] != "19,920" || got[41] != "19,970" {
			t.Errorf("left: %q", got[max(0, len(got)-2):])
		}
		if len(crowd.text) > 200_000 {
			t.Errorf("the page of 10,000 buckets has %d bytes", len(crowd.text))
		}
		if strings.Contains(crowd.text, "internal remark") {
			t.Error("the page tells why credits were granted")
		}

		// buyer has called twice in an hour in which it may call once, and used 11: 10 of the
		// allowance and 1 of the pack, of which 499 were taken back.
		buyer := c.accountPage("buyer", "2026-10")
		c.compare(buyer)
		c.private(buyer)
		for place, want := range map[string][]string{
			"account_breaches/0": {"2026-10-05 10:00"},
			"account_breaches/2": {"2"},
			"account_breaches/4": {"1"},
			"account_buckets/0":  {"Allowance", "Pack", "All"},
			"account_buckets/5":  {"10", "1", "11"},
			"account_buckets/6":  {"0", "499", "499"},
			"account_events/1":   {"Credits taken back", "Overage allowed", "Pack bought", "Allowance of the plan", "Plan begun", "Account opened"},
			"account_events/3":   {"499", " ", "500", "10", " ", " "},
		} {
			c.has(buyer, place, want)
		}
		if strings.Contains(buyer.text, "suspected fraud") {
			t.Error("the page tells why credits were taken back")
		}
		// Of the pack's 29.00, 1 of 500 credits was used: 0.058. The rest is breakage, though nothing expired.
		c.like("month_expired", c.run("month_expired", sql.Text("report/month_expired"), values{periodParameter: "2026-10"}), []map[string]any{
			{"kind": "pack", "currency": "USD", "buckets": 1, "accounts": 1, "expired": 0, "voided": 499, "breakage": "28.94"},
		})

		quiet := c.accountPage("quiet", "")
		if !strings.Contains(quiet.text, "Nothing was used.") || !strings.Contains(quiet.text, "There were no credits in this month.") {
			t.Error("the page of an account that did nothing does not say so")
		}
		if _, err := c.mill.ReportAccount(t.Context(), "nobody", c.mill.Config.FirstPeriod); err == nil || !strings.Contains(err.Error(), "there is no account nobody: there are ") {
			t.Errorf("of an account that is not there: %v", err)
		}
		if _, err := c.mill.ReportAccount(t.Context(), crowded, c.mill.Config.FirstPeriod.Add(5)); err == nil || !strings.Contains(err.Error(), "2027-03") {
			t.Errorf("of a month to come: %v", err)
		}
	})
}

// looking opens a lake to be looked at, with all tables and views.
func looking(t *testing.T, config string, look func(*numbersCheck)) {
	t.Helper()
	c := &numbersCheck{t: t, queries: documentedQueries(t), unused: map[string]bool{}}
	c.app = &app{name: "creditmill", stdout: os.Stdout, stderr: os.Stderr, clock: time.Now, config: config}
	err := c.app.read(t.Context(), func(m *jobs.Mill, r *jobs.Reader) error {
		c.mill, c.reader = m, r
		c.readOnce()
		look(c)
		return nil
	})
	for _, m := range c.app.mills {
		if err := m.Release(); err != nil {
			t.Error(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
