package jobs_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
)

// documents writes the documents of a selection in all formats and returns the files.
func (s site) documents(selection document.Selection) map[string][]byte {
	s.t.Helper()
	folder := s.t.TempDir()
	_, err := s.at("2026-12-02T07:00:00Z").WriteDocuments(s.t.Context(), selection, document.Files{Folder: folder, Formats: document.Formats()})
	if err != nil {
		s.t.Fatal(err)
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name())); err != nil {
			s.t.Fatal(err)
		}
	}
	return files
}

// SPEC section 7, Documents: made from the committed tables, the same whenever they are
// made again, whatever has happened since; party and address as at the period's end.
func TestDocumentsAreTheSameMonthsLater(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month)
	want := s.documents(document.Selection{Period: october})
	if len(want) != 6 {
		t.Fatalf("%d files", len(want))
	}
	s.write("raw/accounts/2026-11.jsonl", `
{"id":"n1","type":"account.updated","account":"ada","at":"2026-11-03T00:00:00Z","name":"Another name"}
{"id":"n2","type":"account.updated","account":"bob","at":"2026-10-03T00:00:00Z","name":"Too late"}
`)
	s.write("raw/calls/9.jsonl", `
{"id":"late","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"next","ts":"2026-11-22T10:00:00Z","org":"ada","op":"image.generate","n":1}
`)
	report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{})
	if err != nil || report.Run == nil {
		t.Fatalf("%+v, %v", report.Blocks, err)
	}
	all := s.documents(document.Selection{})
	for name, content := range want {
		if !bytes.Equal(all[name], content) {
			t.Errorf("%s has changed", name)
		}
	}
	if november := string(all["INV-2026-000003.html"]); !strings.Contains(november, "Another name") || len(all) <= len(want) {
		t.Errorf("November's documents are not there, or have an old name: %d files", len(all))
	}
	one := s.documents(document.Selection{Numbers: []string{"INV-2026-000002"}})
	if len(one) != 3 || !bytes.Equal(one["INV-2026-000002.pdf"], want["INV-2026-000002.pdf"]) {
		t.Errorf("one by its number is not as among others: %d files", len(one))
	}
}

// aRerate commits a run as a re-rate commits it: files that take the place of all live
// ones of their table and partition, made of SELECTs over the live tables, and added ones.
type aRerate struct {
	now     string
	from    period.Period
	instead map[string]string // by table and partition, a slash between them
	added   map[string]string
}

func (r aRerate) commit(s site) *lake.Run {
	s.t.Helper()
	ctx, m := s.t.Context(), s.at(r.now)
	scratch := s.t.TempDir()
	session, err := duck.Open(ctx, duck.Options{Memory: "500MB", Scratch: scratch, Folders: []string{s.dir}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer session.Close()
	for _, table := range lake.Tables() {
		scan := m.Lake.State().Scan(table, nil, nil)
		scan.Partition = "period"
		for _, file := range m.Lake.State().Files(table) {
			path, err := m.Lake.Path(ctx, file)
			if err != nil {
				s.t.Fatal(err)
			}
			scan.AddTo(file.Partition, path, file.Columns)
		}
		if table.Name != lake.Periods.Name {
			if err := session.View(ctx, table.Name, scan); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	run := &lake.Run{ID: lake.NewRunID(), Kind: lake.Rerate, Now: m.Now(), Read: m.Lake.State().Head, Tool: "test", Period: r.from, Reason: "a test"}
	for _, tables := range []map[string]string{r.instead, r.added} {
		for _, place := range slices.Sorted(maps.Keys(tables)) {
			name, partition, _ := strings.Cut(place, "/")
			i := slices.IndexFunc(lake.Tables(), func(t lake.Table) bool { return t.Name == name })
			out := lake.Output{Table: lake.Tables()[i], Partition: partition, Path: filepath.Join(scratch, fmt.Sprintf("%d.parquet", len(run.Files)))}
			if out.Rows, err = session.CopyParquet(ctx, tables[place], out.Path); err != nil {
				s.t.Fatalf("%s: %v", place, err)
			}
			file, err := m.Lake.Upload(ctx, run.ID, len(run.Files), out)
			if err != nil {
				s.t.Fatal(err)
			}
			run.Files = append(run.Files, file)
			if _, replaces := r.instead[place]; replaces {
				for _, old := range m.Lake.State().Partition(out.Table, partition) {
					run.Replaced = append(run.Replaced, old.Path)
				}
			}
		}
	}
	if err := m.Lake.Commit(ctx, run); err != nil {
		s.t.Fatal(err)
	}
	return run
}

// rerateOctober makes all different that October's documents are made of, and issues two
// notes: ada paid for 4 credits of overage too much, 4 × 0.50 = 2.00, and a charge of 1.00
// was forgotten, whose note is as those of a month without an invoice are.
var rerateOctober = aRerate{
	now: "2026-11-10T09:00:00Z", from: october,
	instead: map[string]string{
		"statements/2026-10": "SELECT * EXCLUDE (period) REPLACE (calls + 100 AS calls, credits * 2 AS credits) FROM statements WHERE period = '2026-10'",
		"balances/2026-10":   "SELECT * EXCLUDE (period) REPLACE (granted + 7 AS granted, burned + 7 AS burned) FROM balances WHERE period = '2026-10'",
		"account_events/":    `SELECT * EXCLUDE (period) REPLACE ("at" AS posted_at) FROM account_events`,
	},
	added: map[string]string{
		"invoices/2026-11": `SELECT * FROM (VALUES
			('CN-2026-000001', 'credit_note', 'ada', 'USD', -2::DECIMAL(38,4), 0::DECIMAL(38,4), -2::DECIMAL(38,4), 0::DECIMAL(38,4), -2::DECIMAL(38,4),
				TIMESTAMP '2026-11-10 09:00:00', NULL::TIMESTAMP, 'INV-2026-000001', '2026-10'),
			('DN-2026-000001', 'debit_note', 'bob', 'USD', 1, 0, 1, 0, 1, TIMESTAMP '2026-11-10 09:00:00', TIMESTAMP '2026-11-24 09:00:00', NULL, '2026-10'))
			n(number, kind, account, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at, corrects, corrects_period)`,
		"invoice_lines/2026-11": `SELECT * FROM (VALUES
			('CN-2026-000001', 1, 'ada', 'overage', 'basic/1', 'Overage, basic', -4::DECIMAL(38,6), 0.5::DECIMAL(38,12), -2::DECIMAL(38,4),
				NULL::DECIMAL(38,12), 'USD', TIMESTAMP '2026-10-01', TIMESTAMP '2026-11-01', 'price, void'),
			('DN-2026-000001', 1, 'bob', 'charge', 'x', 'Setup', 1, 1, 1, NULL, 'USD', TIMESTAMP '2026-10-05', TIMESTAMP '2026-10-05', 'account event'))
			l(number, line, account, kind, item, description, quantity, unit_price, amount, tax_rate, currency, "from", "to", cause)`,
	},
}

// SPEC sections 7 and 8: an issued invoice stays, and so does its document, although a
// re-rate replaces the statements, balances and account events that it is made of. A note
// stays too, when the month that it was issued in is closed and re-rated.
func TestDocumentsAreTheSameAfterARerate(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month)
	want := s.documents(document.Selection{Period: october})
	if len(want) != 6 {
		t.Fatalf("%d files", len(want))
	}
	same := func(when string, want map[string][]byte, s site) {
		t.Helper()
		all := s.documents(document.Selection{})
		for name, content := range want {
			if !bytes.Equal(all[name], content) {
				t.Errorf("%s, %s has changed", when, name)
			}
		}
		month := s.documents(document.Selection{Period: october}) // the other way to come by them
		one := s.documents(document.Selection{Numbers: []string{"INV-2026-000001"}})
		for _, format := range []string{"json", "html", "pdf"} {
			if name := "INV-2026-000001." + format; !bytes.Equal(month[name], want[name]) || !bytes.Equal(one[name], want[name]) {
				t.Errorf("%s, %s differs by period or by number", when, name)
			}
		}
	}
	// Known after the close, true before: it posts to November, and a re-rate takes it home.
	s.write("raw/accounts/late.jsonl", `
{"id":"n1","type":"account.updated","account":"ada","at":"2026-10-03T00:00:00Z","name":"Ada Ltd"}
`)
	if _, err := s.at("2026-11-05T00:00:00Z").Ingest(t.Context()); err != nil {
		t.Fatal(err)
	}
	same("with a late account event", want, s)
	rerateOctober.commit(s)
	if got := s.ask("SELECT CAST(sum(calls) AS VARCHAR) FROM statements WHERE period = '2026-10' AND account = 'ada'"); got[0] == "2" {
		t.Fatal("the re-rate replaced nothing")
	}
	same("re-rated", want, s)

	// A note belongs to the month that it was issued in.
	notes := s.documents(document.Selection{Period: mustPeriod("2026-11")})
	if len(notes) != 6 {
		t.Fatalf("November has %d files", len(notes))
	}
	for name, texts := range map[string][]string{
		"CN-2026-000001.html": {"Credit note", "Ada Ltd", "Corrects", "INV-2026-000001", "October 2026", "November 2026", "−2.00 USD", "Reason: a price was corrected; calls were taken back", "In your favour"},
		"DN-2026-000001.html": {"Debit note", "Bob", "no invoice", "October 2026", "1.00 USD", "Amount due by 24 Nov 2026", "an event of the account became known late"},
		"CN-2026-000001.json": {`"due_at": null`, `"corrects": "INV-2026-000001"`, `"corrects_period": "2026-10"`, `"total": "-2.00"`, `"cause": "price, void"`, `"usage": []`, `"balances": []`},
		"DN-2026-000001.json": {`"corrects": null`, `"corrects_period": "2026-10"`, `"due_at": "2026-11-24T09:00:00Z"`},
	} {
		for _, text := range texts {
			if !strings.Contains(string(notes[name]), text) {
				t.Errorf("%s lacks %q", name, text)
			}
		}
	}
	documents, err := s.at("2026-11-11T00:00:00Z").Documents(t.Context(), document.Selection{Numbers: []string{"INV-2026-000001"}})
	if err != nil {
		t.Fatal(err)
	}
	if of, err := documents.Notes(t.Context(), "INV-2026-000001"); err != nil || len(of) != 1 || of[0].Number != "CN-2026-000001" || of[0].Total.String() != "-2" || of[0].Period != "2026-11" {
		t.Errorf("%+v, %v", of, err)
	}
	if err := documents.Close(); err != nil {
		t.Fatal(err)
	}

	// What is said later is not in a note, though it is true before the note was issued.
	maps.Copy(want, notes)
	s.write("raw/accounts/2026-11.jsonl", `
{"id":"n2","type":"account.updated","account":"ada","at":"2026-11-07T00:00:00Z","name":"Ada Holding"}
`)
	report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{})
	if err != nil || report.Run == nil {
		t.Fatalf("%+v, %v", report.Blocks, err)
	}
	same("with November closed", want, s)
	if all := s.documents(document.Selection{}); !strings.Contains(string(all["INV-2026-000003.html"]), "Ada Holding") {
		t.Error("November's invoice has another name")
	}
	want = s.documents(document.Selection{})
	again := rerateOctober
	again.now, again.added = "2026-12-10T09:00:00Z", nil
	again.instead = maps.Clone(again.instead)
	again.instead["statements/2026-11"] = "SELECT * EXCLUDE (period) REPLACE (calls + 50 AS calls) FROM statements WHERE period = '2026-11'"
	again.instead["balances/2026-11"] = "SELECT * EXCLUDE (period) REPLACE (granted + 5 AS granted, burned + 5 AS burned) FROM balances WHERE period = '2026-11'"
	again.instead["account_events/"] = "SELECT * EXCLUDE (period) REPLACE ('{\"name\":\"Nobody\"}' AS payload) FROM account_events"
	again.commit(s)
	same("re-rated again", want, s)
}

// The same with a re-rate as it is: ada's 14 credits of October cost 21 at 3 an image, 11 of
// them overage instead of 4, 7 × 0.50 = 3.50 more.
func TestDocumentsOfARerate(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month)
	want := s.documents(document.Selection{})
	s.dearer("2", "3")
	report, _ := s.rerate("2026-11-05T00:00:00Z", jobs.RerateOptions{Commit: true, Reason: "a wrong price"})
	if report.Run == nil {
		t.Fatal("the re-rate changed nothing")
	}
	all := s.documents(document.Selection{})
	for name, content := range want {
		if !bytes.Equal(all[name], content) {
			t.Errorf("%s has changed", name)
		}
	}
	if len(all) != len(want)+3 {
		t.Errorf("%d files, and before %d", len(all), len(want))
	}
	for name, texts := range map[string][]string{
		"DN-2026-000001.html": {"Debit note", "Corrects", "INV-2026-000001", "Overage, basic", "Reason: a price was corrected", "3.50 USD", "Amount due by 19 Nov 2026"},
		"DN-2026-000001.json": {`"period": "2026-11"`, `"corrects_period": "2026-10"`, `"quantity": "7"`, `"unit_price": "0.50"`, `"amount": "3.50"`, `"cause": "price"`, `"usage": []`},
	} {
		for _, text := range texts {
			if !strings.Contains(string(all[name]), text) {
				t.Errorf("%s lacks %q:\n%s", name, text, all[name])
			}
		}
	}
}

func TestDocumentsOfNothing(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month[:2])
	if files := s.documents(document.Selection{Period: october}); len(files) != 0 {
		t.Errorf("%d files before any close", len(files))
	}
	_, err := s.at("2026-11-01T07:00:00Z").Documents(t.Context(), document.Selection{Numbers: []string{"INV-2026-000001"}})
	if missing := new(document.NotFoundError); !errors.As(err, missing) || !slices.Equal(missing.Numbers, []string{"INV-2026-000001"}) {
		t.Error(err)
	}
}
