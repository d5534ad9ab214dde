package jobs_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
)

// private is a world of an account, acme, of which everything is known that an account
// event can say, and of others whose names begin alike or are hard to write.
var private = map[string]string{
	"creditmill.yaml": tiny["creditmill.yaml"],
	"sources/gateway.yaml": `
source: gateway
path: calls/*.jsonl
format: jsonl
event: {id: id, time: ts, account: org, project: proj, key: key, operation: op}
dimensions: {tag: tag}
quantities: {images: n}
`,
	"sources/bykey.yaml": `
source: bykey
path: bykey/*/*.jsonl
format: jsonl
event: {id: id, time: ts, account: {key: "bykey/{account}/*"}, operation: op}
quantities: {images: n}
`,
	"sources/accounts.yaml": tiny["sources/accounts.yaml"],
	"prices/api.yaml":       tiny["prices/api.yaml"],
	"plans/plans.yaml":      tiny["plans/plans.yaml"],
	"raw/accounts/1.jsonl": `
{"id":"a1","type":"account.opened","account":"acme","at":"2026-10-01T00:00:00Z","name":"Jane Roe","address":["1 Secret Road","Hidetown"],"email":"jane@acme.example","tax":{"rate":"0.21","label":"VAT","id":"TAXJANE1"},"contact":"call Jane"}
{"id":"a2","type":"subscription.started","account":"acme","at":"2026-10-01T00:00:00Z","plan":"basic"}
{"id":"a3","type":"credits.granted","account":"acme","at":"2026-10-02T00:00:00Z","credits":"4","reason":"Jane complained"}
{"id":"a4","type":"charge.added","account":"acme","at":"2026-10-03T00:00:00Z","amount":"7.50","description":"A visit to Jane Roe"}
{"id":"a5","type":"pack.purchased","account":"acme","at":"2026-10-06T00:00:00Z","pack":"starter"}
{"id":"a6","type":"bucket.voided","account":"acme","at":"2026-10-07T00:00:00Z","bucket":"acme/pack/a5","reason":"Jane paid back"}
{"id":"a7","type":"alert.set","account":"acme","at":"2026-10-05T00:00:00Z","below":"8"}
{"id":"b1","type":"account.opened","account":"acme2","at":"2026-10-01T00:00:00Z","name":"Other Two"}
{"id":"b2","type":"subscription.started","account":"acme2","at":"2026-10-01T00:00:00Z","plan":"basic"}
{"id":"b3","type":"charge.added","account":"acme2","at":"2026-10-03T00:00:00Z","amount":"1.00","description":"A visit"}
{"id":"h1","type":"account.opened","account":"o\"h 100%/é","at":"2026-10-01T00:00:00Z","name":"Hard Name"}
{"id":"h2","type":"pack.purchased","account":"o\"h 100%/é","at":"2026-10-02T00:00:00Z","pack":"starter"}
{"id":"z1","type":"account.opened","account":"zeta","at":"2026-10-01T00:00:00Z","name":"Zeta"}
{"id":"z2","type":"subscription.started","account":"zeta","at":"2026-10-01T00:00:00Z","plan":"basic"}
`,
	"raw/calls/1.jsonl": `
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"acme","op":"image.generate","n":4,"key":"sk-1","proj":"web","tag":"x"}
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"acme2","op":"image.generate","n":3,"key":"sk-1","proj":"web"}
{"id":"c2","ts":"2026-10-04T10:00:00Z","org":"acme","op":"image.generate","n":9,"key":"sk-2"}
{"id":"c3","ts":"2026-10-05T10:00:00Z","org":"o\"h 100%/é","op":"image.generate","n":1,"key":"sk-3"}
{"id":"c4","ts":"2026-10-05T10:00:00Z","org":"zeta","op":"image.generate","n":7}
{"id":"c5","ts":"nonsense","org":"acme","op":"image.generate","n":1}
{"id":"c6","ts":"nonsense","org":"acme2","op":"image.generate","n":1}
{"id":"c7","ts":"nonsense","org":"\u0061cme","op":"image.generate","n":1}
{"id":"c8","ts":"nonsense","org":"o\"h 100%/\u00e9","op":"image.generate","n":1,"key":"sk-1"}
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"acme","op":"image.generate","n":4,"key":"sk-1","proj":"web","tag":"x"}
`,
}

// privateLake bills October and November of the private world: late calls, an update, a
// voided call, a re-rate with notes, and a December that is under way.
func privateLake(t *testing.T) site {
	t.Helper()
	s := newSite(t, maps.Clone(private))
	s.run(month[:3])
	s.closeWith("2026-11-01T07:00:00Z", jobs.CloseOptions{AcceptRejects: true})
	s.write("raw/accounts/2.jsonl", `
{"id":"a8","type":"account.updated","account":"acme","at":"2026-11-02T00:00:00Z","name":"Jane Doe"}
{"id":"a9","type":"charge.added","account":"acme","at":"2026-10-30T00:00:00Z","amount":"2.50","description":"Late visit to Jane"}
`)
	s.write("raw/calls/2.jsonl", `
{"id":"n1","ts":"2026-11-03T10:00:00Z","org":"acme","op":"image.generate","n":7,"key":"sk-1"}
{"id":"n2","ts":"2026-11-03T10:00:00Z","org":"acme2","op":"image.generate","n":7,"key":"sk-2"}
{"id":"n3","ts":"2026-11-04T10:00:00Z","org":"acme","op":"image.generate","n":1}
{"id":"n4","ts":"2026-10-30T10:00:00Z","org":"acme","op":"image.generate","n":2}
{"id":"n5","ts":"2026-11-05T10:00:00Z","org":"zeta","op":"image.generate","n":2}
`)
	s.write("raw/bykey/acme/1.jsonl", `
{"id":"k1","ts":"2026-11-06T10:00:00Z","op":"image.generate","n":1}
{"id":"k2","ts":"never","op":"image.generate","n":1}
`)
	s.ingest("2026-11-07T00:00:00Z")
	s.rate("2026-11-07T00:01:00Z")
	s.void("2026-11-07T00:02:00Z", jobs.VoidOptions{EventID: "n3", Account: "acme", Reason: "acme asked"})
	s.closeWith("2026-12-01T07:00:00Z", jobs.CloseOptions{AcceptRejects: true})
	s.dearer("2", "3")
	if report, _ := s.rerate("2026-12-02T07:00:00Z", jobs.RerateOptions{Commit: true, Reason: "dearer"}); report.Run == nil {
		t.Fatalf("no re-rate: %+v", report)
	}
	s.write("raw/calls/3.jsonl", `
{"id":"d1","ts":"2026-12-03T10:00:00Z","org":"acme","op":"image.generate","n":2,"key":"sk-1"}
{"id":"d2","ts":"2026-12-03T10:00:00Z","org":"zeta","op":"image.generate","n":2}
`)
	s.ingest("2026-12-04T00:00:00Z")
	s.rate("2026-12-04T00:01:00Z")
	if _, err := s.at("2026-12-04T00:02:00Z").Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// forget forgets, with a pseudonym of those bits.
func (s site) forget(o jobs.ForgetOptions, bits byte) jobs.ForgetReport {
	s.t.Helper()
	o.Reason, o.Random = "asked to", bytes.NewReader(bytes.Repeat([]byte{bits}, 16))
	report, err := s.at("2026-12-05T00:00:00Z").Forget(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// nobody is the pseudonym of zeros in base 32; it comes after acme2 in the order of names.
var nobody = "forgotten-" + strings.Repeat("a", 26)

// contents is everything in a site's lake as text: by file the rows of Parquet, and the
// bytes of all others.
func (s site) contents() map[string]string {
	s.t.Helper()
	session, err := duck.Open(s.t.Context(), duck.Options{Memory: "500MB", Scratch: s.t.TempDir(), Folders: []string{s.dir}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer session.Close()
	all := map[string]string{}
	root := filepath.Join(s.dir, "lake")
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".parquet") {
			content, err := os.ReadFile(path)
			all[key] = string(content)
			return err
		}
		rows, err := session.Rows(s.t.Context(), "SELECT CAST(t AS VARCHAR) FROM read_parquet("+duck.Literal(path)+", hive_partitioning = false) AS t")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			all[key] += text + "\n"
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// wantNameless fails the test where anything in the lake but kept_parties has one of the
// texts. The key of a raw object that has the name stays, and so does what somebody gave
// a void as its reason in the log.
func (s site) wantNameless(what string, known ...string) {
	s.t.Helper()
	for key, text := range s.contents() {
		if strings.HasPrefix(key, "data/kept_parties/") {
			continue
		}
		text = strings.NewReplacer("acme2", "", "bykey/acme/1.jsonl", "", `"reason": "acme asked"`, "").Replace(text)
		for _, one := range known {
			if at := strings.Index(text, one); at >= 0 {
				s.t.Errorf("%s: %s has %s: %s", what, key, one, text[max(0, at-100):min(len(text), at+100)])
			}
		}
	}
}

// renamed are rows in which an account has another name, by a change of their text.
func renamed(rows []string, was, wasInIDs, is string) []string {
	names := strings.NewReplacer("'account': "+was+",", "'account': "+is+",",
		"'bucket_id': "+wasInIDs+"/", "'bucket_id': "+is+"/", "'bucket_id': '"+wasInIDs+"/", "'bucket_id': '"+is+"/")
	var all []string
	for _, row := range rows {
		all = append(all, names.Replace(row))
	}
	return slices.Sorted(slices.Values(all))
}

// plainTables have nothing of a person but the name.
var plainTables = []string{"objects", "usage", "rated", "burns", "balances", "alerts", "invoices", "statements", "revenue", "periods"}

// want fails the test where the first column of a query's rows is not so.
func (s site) want(statement string, want ...string) {
	s.t.Helper()
	if got := s.ask(statement); !slices.Equal(got, want) {
		s.t.Errorf("%s:\n got %s\nwant %s", statement, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// wantDocuments fails the test where documents are not what they were.
func (s site) wantDocuments(what string, want map[string][]byte) {
	s.t.Helper()
	is := s.documents(document.Selection{})
	for name, content := range want {
		if !bytes.Equal(is[name], content) {
			s.t.Errorf("%s: %s has changed", what, name)
		}
	}
}

// SPEC section 9: forget erases a person: pseudonyms in the rows, raw text dropped,
// invoices kept; a committed replacement that verify accepts. Everything goes on then.
func TestForgetAnAccount(t *testing.T) {
	t.Parallel()
	s := privateLake(t)
	documents := s.documents(document.Selection{})
	key := site{t, s.dir}.copied()
	t.Run("a key", func(t *testing.T) {
		t.Parallel()
		key.t = t
		forgetAKey(t, key, documents)
	})
	before := s.rows()
	dry, err := s.at("2026-12-05T00:00:00Z").Forget(t.Context(), jobs.ForgetOptions{Account: "acme", DryRun: true, Random: bytes.NewReader(make([]byte, 16))})
	if err != nil || dry.Run != nil || dry.Pseudonym != "" || !reflect.DeepEqual(s.rows(), before) {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	report := s.forget(jobs.ForgetOptions{Account: "acme"}, 0)
	if run := report.Run; run == nil || !slices.Equal(run.Forgotten, []lake.Forgotten{{Column: "account", Pseudonym: nobody}}) || run.Reason != "asked to" {
		t.Errorf("run %+v", run)
	}
	if !slices.Equal(dry.Tables, report.Tables) || dry.Deleted != report.Deleted || report.Deleted != int64(len(report.Run.Deleted)) {
		t.Errorf("the dry run said %+v, %d files, and then there were %+v, %d", dry.Tables, dry.Deleted, report.Tables, report.Deleted)
	}
	// Calls: c1, c2, n1, n4, k1, d1. Rejects: bad times of c5, c7 and k2, the copy of c1, and n3, which was voided.
	for table, rows := range map[string]int64{"usage": 6, "rated": 6, "rejected": 5, "account_events": 9, "voided": 1, "invoices": 4} {
		if i := slices.IndexFunc(report.Tables, func(f jobs.ForgottenTable) bool { return f.Table == table }); i < 0 || report.Tables[i].Rows != rows {
			t.Errorf("%s: %+v, not %d rows", table, report.Tables, rows)
		}
	}
	if !slices.Equal(report.Objects, []string{"bykey/acme/1.jsonl"}) || report.More != 0 || report.Documents != 4 {
		t.Errorf("%+v", report)
	}
	if want := []jobs.StillNamed{{Where: "usage.object", Count: 1}, {Where: "rated.object", Count: 1}, {Where: "runs/0000000008.json", Count: 1}}; !slices.Equal(report.Left, want) {
		t.Errorf("left: %+v", report.Left)
	}
	after := s.rows()
	for _, table := range plainTables {
		if want := renamed(before[table], "acme", "acme", nobody); !slices.Equal(slices.Sorted(slices.Values(after[table])), want) {
			t.Errorf("%s:\n got %s\nwant %s", table, strings.Join(after[table], "\n     "), strings.Join(want, "\n     "))
		}
	}
	s.wantTexts()
	s.wantNameless("after", "acme", "Jane", "Secret", "Hidetown", "TAXJANE1", "complained", "visit to")
	s.wantDocuments("after", documents)
	s.wantRight("after")
	goesOn(t, s, documents)
}

// wantTexts wants what a forget leaves of the texts about the account acme.
func (s site) wantTexts() {
	s.t.Helper()
	s.want("SELECT replace(payload, '"+nobody+"', 'P') FROM account_events WHERE account = '"+nobody+"' ORDER BY event_id",
		`{"account":"P","at":"2026-10-01T00:00:00Z","id":"a1","tax":{"label":"VAT","rate":"0.21"},"type":"account.opened"}`,
		`{"account":"P","at":"2026-10-01T00:00:00Z","id":"a2","plan":"basic","type":"subscription.started"}`,
		`{"account":"P","at":"2026-10-02T00:00:00Z","credits":"4","id":"a3","type":"credits.granted"}`,
		`{"account":"P","amount":"7.50","at":"2026-10-03T00:00:00Z","id":"a4","type":"charge.added"}`,
		`{"account":"P","at":"2026-10-06T00:00:00Z","id":"a5","pack":"starter","type":"pack.purchased"}`,
		`{"account":"P","at":"2026-10-07T00:00:00Z","bucket":"P/pack/a5","id":"a6","type":"bucket.voided"}`,
		`{"account":"P","at":"2026-10-05T00:00:00Z","below":"8","id":"a7","type":"alert.set"}`,
		`{"account":"P","at":"2026-11-02T00:00:00Z","id":"a8","type":"account.updated"}`,
		`{"account":"P","amount":"2.50","at":"2026-10-30T00:00:00Z","id":"a9","type":"charge.added"}`)
	s.want(`SELECT concat_ws(' ', object, line, reason, CASE WHEN detail = 'forgotten' AND raw IS NULL THEN 'forgotten' WHEN raw IS NOT NULL THEN 'stays' END)
		FROM rejected ORDER BY object, line`,
		"bykey/acme/1.jsonl 2 bad_time forgotten", "calls/1.jsonl 6 bad_time forgotten", "calls/1.jsonl 7 bad_time stays",
		"calls/1.jsonl 8 bad_time forgotten", "calls/1.jsonl 9 bad_time stays", "calls/1.jsonl 10 duplicate forgotten", "calls/2.jsonl 3 voided forgotten")
	s.want("SELECT concat_ws(' ', entry, credits, detail) FROM ledger WHERE account = '"+nobody+"' AND entry IN ('grant', 'void') ORDER BY \"at\", entry",
		"grant 10.000000 basic", "grant 4.000000", "grant 5.000000 starter", "void 5.000000", "grant 10.000000 basic", "grant 10.000000 basic")
	s.want("SELECT concat_ws(' ', number, amount, description) FROM invoice_lines WHERE account = '"+nobody+"' AND kind = 'charge' ORDER BY number, line",
		"CN-2026-000001 -2.5000 No longer due: ", "DN-2026-000001 2.5000", "INV-2026-000001 7.5000", "INV-2026-000005 2.5000")
	s.want("SELECT concat_ws(' ', account, event_id, void_reason) FROM voided", nobody+" n3 forgotten")
	s.want("SELECT number || ' ' || account || ' ' || party FROM kept_parties WHERE number = 'INV-2026-000001'",
		`INV-2026-000001 acme {"name":"Jane Roe","address":["1 Secret Road","Hidetown"],"email":"jane@acme.example","tax_id":"TAXJANE1","tax_label":"VAT","lines":{"3":"A visit to Jane Roe"}}`)
}

// goesOn applies, re-rates and closes after acme was forgotten.
func goesOn(t *testing.T, s site, documents map[string][]byte) {
	t.Helper()
	if _, err := s.at("2026-12-06T00:00:00Z").Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.dearer("3", "4")
	if report, _ := s.rerate("2026-12-07T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "dearer again"}); report.Run == nil {
		t.Fatalf("no re-rate: %+v", report)
	}
	// October: c1 of 4 images, c2 of 9 and n4 of 2, a credit more each, are 15 × 0.50 of overage more: 47.00 and 9.87 of tax,
	// where 39.50 and 8.30 were charged.
	numbers := s.ask("SELECT number FROM invoices WHERE account = '" + nobody + "' AND corrects = 'INV-2026-000001' AND issued_at > TIMESTAMP '2026-12-06' AND total = 9.07")
	if len(numbers) != 1 {
		t.Fatalf("the forgotten account has the notes %q", numbers)
	}
	s.closeWith("2027-01-01T07:00:00Z", jobs.CloseOptions{})
	all := s.documents(document.Selection{})
	if note := string(all[numbers[0]+".json"]); !strings.Contains(note, `"id": "acme"`) || !strings.Contains(note, `"name": "Jane Roe"`) {
		t.Errorf("the note to a kept invoice is for somebody else: %s", note)
	}
	issued := s.ask("SELECT number FROM invoices WHERE account = '" + nobody + "' AND kind = 'invoice' AND period = '2026-12'")
	if len(issued) != 1 || !strings.Contains(string(all[issued[0]+".json"]), `"id": "`+nobody+`",`+"\n"+`    "name": null`) {
		t.Errorf("December's invoice of a forgotten account: %s", all[issued[0]+".json"])
	}
	s.wantDocuments("later", documents)
	s.wantNameless("later", "acme", "Jane")
	s.wantRight("later")
	again := jobs.ForgetOptions{Account: "acme", Reason: "again", Random: bytes.NewReader(make([]byte, 16))}
	if _, err := s.at("2027-01-02T00:00:00Z").Forget(t.Context(), again); !errors.As(err, new(jobs.ConfigError)) {
		t.Errorf("a name that is forgotten: %v", err)
	}
	setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	o := jobs.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Tool: "test"}
	if _, err := jobs.Rebuild(t.Context(), setup, o, filepath.Join(t.TempDir(), "new")); !errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), "has forgotten somebody") {
		t.Errorf("rebuild: %v", err)
	}
}

// forgetAKey forgets a key of two accounts in a lake that is compact, and then an account
// whose name is hard to write.
func forgetAKey(t *testing.T, s site, documents map[string][]byte) {
	t.Helper()
	if report, err := s.at("2026-12-04T12:00:00Z").Compact(t.Context(), jobs.CompactOptions{Least: 2}); err != nil || len(report.Runs) == 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	before := s.rows()
	report := s.forget(jobs.ForgetOptions{Key: "sk-1"}, 0)
	after := s.rows()
	for _, table := range append([]string{"account_events", "ledger", "invoice_lines"}, plainTables...) {
		var want []string
		for _, row := range before[table] {
			want = append(want, strings.ReplaceAll(row, "'key': sk-1,", "'key': "+nobody+","))
		}
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(after[table])), want) {
			t.Errorf("%s:\n got %s\nwant %s", table, strings.Join(after[table], "\n     "), strings.Join(want, "\n     "))
		}
	}
	// Line 9 of calls/1.jsonl has the key, in a record of another account, and so has the copy of c1.
	s.want("SELECT concat_ws(' ', object, line) FROM rejected WHERE raw IS NULL ORDER BY line", "calls/1.jsonl 9", "calls/1.jsonl 10")
	if report.Documents != 0 || len(report.Left) > 0 || len(report.Objects) > 0 {
		t.Errorf("%+v", report)
	}
	s.wantNameless("a key", "sk-1")
	is := s.documents(document.Selection{})
	for name, content := range is {
		had := bytes.Contains(documents[name], []byte("sk-1"))
		if bytes.Contains(content, []byte("sk-1")) || had == bytes.Equal(content, documents[name]) && !strings.HasSuffix(name, ".pdf") {
			t.Errorf("%s has the key, or has changed for another reason", name)
		}
	}

	s.forget(jobs.ForgetOptions{Account: `o"h 100%/é`}, 0xff)
	other, last := "forgotten-"+strings.Repeat("7", 25)+"4", s.rows()
	for _, table := range plainTables {
		want := renamed(after[table], `'o"h 100%/é'`, "o%22h%20100%25%2F%C3%A9", other)
		if got := slices.Sorted(slices.Values(last[table])); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", table, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	s.wantNameless("a hard name", "h 100", "h%20100", "Hard")
	s.wantDocuments("a hard name", is)
	s.wantRight("a hard name")
}
