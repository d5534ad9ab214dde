package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/jobs"
)

// A world with a case for every column that may be NULL: usage that is held, late, a copy,
// taken back; accounts that nobody opened, without a plan, without usage; a balance that
// never expires; invoices and notes with and without tax; somebody forgotten.
var motley = map[string]string{
	"creditmill.yaml": `
lake: ./lake
raw: ./raw
first_period: 2026-10
timezone: Europe/Madrid
sources: [sources/*.yaml]
prices: [prices/*.yaml]
catalog: [plans/*.yaml]
`,
	"sources/gateway.yaml": `
source: gateway
path: calls/*.jsonl
format: jsonl
event: {id: id, time: ts, account: org, project: team, key: key, operation: op}
dimensions: {model: model}
quantities: {images: n}
`,
	"sources/accounts.yaml": "source: accounts\npath: accounts/*.jsonl\nformat: accounts\n",
	"prices/api.yaml": `
table: api
version: 1
effective_from: 2026-01-01T00:00:00Z
applies_to: ["image.*"]
rules:
  - operation: image.generate
    charge: {each: images, credits: 2}
`,
	"plans/plans.yaml": `
plan: basic
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "10.00"}
allowance: 10
renews: calendar
overage: {per: 1, price: {USD: "0.50"}, protection: false}
rate_limit: {calls: 2, per: hour}
---
plan: plain
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "10.00"}
allowance: 10
renews: calendar
---
pack: starter
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 5
price: {USD: "4.00"}
`,
	"raw/accounts/2026-10.jsonl": `
{"id":"a1","type":"account.opened","account":"ada","at":"2026-10-01T00:00:00Z","name":"Ada","tax":{"rate":"0.21","label":"VAT"}}
{"id":"a2","type":"subscription.started","account":"ada","at":"2026-10-01T00:00:00Z","plan":"basic"}
{"id":"b1","type":"account.opened","account":"bob","at":"2026-10-02T00:00:00Z"}
{"id":"b2","type":"pack.purchased","account":"bob","at":"2026-10-02T00:00:00Z","pack":"starter"}
{"id":"b3","type":"alert.set","account":"bob","at":"2026-10-02T00:00:00Z","below":4}
{"id":"b4","type":"pack.purchased","account":"bob","at":"2026-10-03T00:00:00Z","pack":"none"}
{"id":"a3","type":"charge.added","account":"ada","at":"2026-10-04T00:00:00Z","amount":"3.00","description":"A visit to Ada"}
{"id":"c1","type":"account.opened","account":"cyd","at":"2026-10-02T00:00:00Z","name":"Cyd"}
{"id":"c2","type":"credits.granted","account":"cyd","at":"2026-10-02T00:00:00Z","credits":5,"reason":"welcome"}
`,
	"raw/calls/1.jsonl": `
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","team":"web","key":"k1","op":"image.generate","model":"m","n":4}
{"id":"c2","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":3}
{"id":"c3","ts":"2026-10-04T10:10:00Z","org":"ada","op":"image.generate","n":1}
{"id":"c4","ts":"2026-10-04T10:20:00Z","org":"ada","op":"image.generate","n":1}
{"id":"c5","ts":"2026-10-05T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"c6","ts":"2026-10-06T10:00:00Z","org":"bob","op":"image.generate"}
{"id":"c7","ts":"2026-10-06T11:00:00Z","org":"bob","op":"video.generate","n":1}
{"id":"c8","ts":"2026-10-06T12:00:00Z","org":"nobody","op":"image.generate","n":1}
{"id":"c9","ts":"2026-10-07T12:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","team":"web","key":"k1","op":"image.generate","model":"m","n":4}
{"id":"c10","ts":"2026-10-08T12:00:00Z","op":"image.generate","n":1}
`,
	// A copy with another time, which the close finds.
	"raw/calls/2.jsonl": `{"id":"c5","ts":"2026-10-09T10:00:00Z","org":"bob","op":"image.generate","n":1}` + "\n",
}

// late is what becomes known when October is closed.
var late = map[string]string{
	"raw/calls/3.jsonl": `
{"id":"l1","ts":"2026-10-10T10:00:00Z","org":"bob","team":"web","op":"image.generate","n":1}
{"id":"l2","ts":"2026-11-02T10:00:00Z","org":"bob","op":"image.generate","n":1}
`,
	"raw/accounts/2026-11.jsonl": `
{"id":"d1","type":"account.opened","account":"dan","at":"2026-10-20T00:00:00Z","name":"Dan"}
{"id":"d2","type":"subscription.started","account":"dan","at":"2026-10-20T00:00:00Z","plan":"plain"}
`,
}

// A motleyLake is a folder with a configuration.
type motleyLake struct {
	t   *testing.T
	dir string
}

func (l motleyLake) write(files map[string]string) {
	l.t.Helper()
	for name, text := range files {
		path := filepath.Join(l.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.TrimPrefix(text, "\n")), 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
}

func (l motleyLake) config() string { return filepath.Join(l.dir, defaultConfig) }

func (l motleyLake) run(now string, args ...string) {
	l.t.Helper()
	call(l.t, append(args, "--config", l.config(), "--now", now)...)
}

// What the dictionary says holds at every turn of a lake with all kinds of rows, and
// every column that may be NULL is so in one of them.
func TestTheDictionaryHoldsInAMotleyLake(t *testing.T) {
	t.Parallel()
	l := motleyLake{t, t.TempDir()}
	l.write(motley)
	null := map[string]bool{}
	check := func() { maps.Copy(null, checkDictionary(t, l.config())) }

	check() // a lake without runs
	l.run("2026-10-08T20:00:00Z", "ingest")
	check()
	l.run("2026-10-25T00:00:00Z", "rate")
	l.run("2026-10-25T00:00:00Z", "apply")
	l.run("2026-10-25T00:00:00Z", "void", "--event", "c9", "--reason", "a test")
	l.run("2026-11-01T07:00:00Z", "close", "--period", "2026-10", "--leave-held", "--accept-rejects")
	l.write(late)
	l.run("2026-11-03T00:00:00Z", "ingest")
	l.run("2026-11-03T00:10:00Z", "rate")
	l.run("2026-11-03T00:20:00Z", "void", "--event", "c3", "--reason", "another test")
	l.run("2026-11-03T00:30:00Z", "apply")
	check() // a voided call waits, a late one lies in November
	if l.rows("voided", "void_pending") == 0 || l.rows("rated", "late AND held IS NULL") == 0 {
		t.Error("no voided call waits, or no call is late")
	}
	l.run("2026-11-04T00:00:00Z", "rerate", "--from", "2026-10", "--commit", "--reason", "what came late")
	check()
	if l.rows("invoices", "kind = 'credit_note'") == 0 || l.rows("invoices", "kind = 'debit_note' AND corrects IS NULL") == 0 {
		t.Error("there is no credit note, or no debit note of an account without an invoice")
	}
	l.run("2026-11-05T00:00:00Z", "forget", "--account", "ada", "--reason", "asked")
	check()
	readPublished(t, l.config())

	for _, d := range jobs.Dictionary(nil) {
		for _, c := range d.Columns {
			if name := d.Name + "." + c.Name; c.Null != "" && !null[name] && neverHere[name] == "" {
				t.Errorf("%s may be NULL, %q, but is so nowhere in this test", name, c.Null)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(neverHere)) {
		if null[name] {
			t.Errorf("%s is NULL here: no reason is needed", name)
		}
	}
}

// neverHere are columns whose NULL this lake does not show, with why.
var neverHere = map[string]string{
	"accounts_running_out.days_left":   "a balance for 100 years",
	"accounts_running_out.runs_out_on": "a balance for 100 years",
}

// rows counts the rows of a table for which a condition holds.
func (l motleyLake) rows(table, condition string) int {
	l.t.Helper()
	found := readCSV(l.t, call(l.t, "query", "--config", l.config(), "--format", "csv", "SELECT 1 FROM "+table+" WHERE "+condition))
	return len(found) - 1
}
