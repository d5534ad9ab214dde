package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// Notes of a November in which October was re-rated. acme's overage of 6.00 was charged at
// a price that should have been 0.50: 55.00 − 5.50 = 49.50, of which 21 % are 10.395, so
// 10.40, and 11.55 had been charged. hobby had no invoice in September.
const (
	madeUpNotes = `SELECT * FROM (VALUES
		('CN-2026-000001', 'credit_note', 'acme', 'USD', -5.5::DECIMAL(38,4), -1.15::DECIMAL(38,4), -6.65::DECIMAL(38,4), 0::DECIMAL(38,4), -6.65::DECIMAL(38,4),
			TIMESTAMP '2026-11-20 09:00:00', NULL::TIMESTAMP, 'INV-2026-000001', '2026-10'),
		('DN-2026-000001', 'debit_note', 'hobby', 'USD', 1, 0, 1, 0, 1, TIMESTAMP '2026-11-20 09:00:00', TIMESTAMP '2026-12-04 09:00:00', NULL, '2026-09'))
		n(number, kind, account, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at, corrects, corrects_period)`
	madeUpNoteLines = `SELECT * FROM (VALUES
		('CN-2026-000001', 1, 'acme', 'overage', 'team/1', 'Overage, team', 0::DECIMAL(38,6), 0.0005::DECIMAL(38,12), -5.5::DECIMAL(38,4),
			0.21::DECIMAL(38,12), 'USD', TIMESTAMP '2026-10-01', TIMESTAMP '2026-11-01', 'price'),
		('CN-2026-000001', 2, 'acme', 'tax', 'VAT', 'VAT 21% on -5.50 USD', 1, -1.15, -1.15, 0.21, 'USD', TIMESTAMP '2026-10-01', TIMESTAMP '2026-11-01', 'price'),
		('DN-2026-000001', 1, 'hobby', 'charge', 'x', 'Setup', 1, 1, 1, NULL, 'USD', TIMESTAMP '2026-09-05', TIMESTAMP '2026-09-05', 'account event, knock-on'))
		l(number, line, account, kind, item, description, quantity, unit_price, amount, tax_rate, currency, "from", "to", cause)`
)

// issueNotes commits a run that issues them, as a re-rate does.
func issueNotes(t *testing.T, config string) {
	t.Helper()
	ctx, now := t.Context(), time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	setup, err := jobs.LoadSetup(config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := jobs.Open(ctx, setup, jobs.Options{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	session, err := duck.Open(ctx, duck.Options{Memory: "200MB", Scratch: scratch})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	october, err := period.Parse("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	run := &lake.Run{ID: lake.NewRunID(), Kind: lake.Rerate, Now: now, Read: m.Lake.State().Head, Tool: "test", Period: october, Reason: "a test"}
	for i, made := range []struct {
		table lake.Table
		rows  string
	}{{lake.Invoices, madeUpNotes}, {lake.InvoiceLines, madeUpNoteLines}} {
		out := lake.Output{Table: made.table, Partition: "2026-11", Path: filepath.Join(scratch, fmt.Sprintf("%d.parquet", i))}
		if out.Rows, err = session.CopyParquet(ctx, made.rows, out.Path); err != nil {
			t.Fatal(err)
		}
		file, err := m.Lake.Upload(ctx, run.ID, i, out)
		if err != nil {
			t.Fatal(err)
		}
		run.Files = append(run.Files, file)
	}
	if err := m.Lake.Commit(context.WithoutCancel(ctx), run); err != nil {
		t.Fatal(err)
	}
}

// A note is listed in the month that it was issued in, with what it corrects; who looks an
// invoice up sees its notes and what all of it comes to; the documents stay as they were
// (SPEC section 8).
func TestInvoiceShowsItsNotes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	run := func(line string) string {
		t.Helper()
		return call(t, append(strings.Fields(line), "--config", config, "--now", "2026-11-21T12:00:00Z")...)
	}
	has := func(line string, want ...string) string {
		t.Helper()
		out := run(line)
		flat := strings.Join(strings.Fields(out), " ")
		for _, text := range want {
			if !strings.Contains(flat, text) {
				t.Errorf("%s lacks %q:\n%s", line, text, out)
			}
		}
		return out
	}
	never := func(line string, out string, unwanted ...string) {
		t.Helper()
		for _, text := range unwanted {
			if strings.Contains(out, text) {
				t.Errorf("%s has %q:\n%s", line, text, out)
			}
		}
	}
	call(t, "init", dir, "--now", "2026-11-15T12:00:00Z")
	run("close")
	before := map[string]string{}
	for _, line := range []string{"invoice INV-2026-000001 --format json", "invoice INV-2026-000001 --html", "invoice INV-2026-000001 --format json --json"} {
		before[line] = run(line)
	}
	text := run("invoice INV-2026-000001")
	never("before", text, "corrected by", "together")
	has("invoice INV-2026-000001 --json", `"corrected_by": [], "together": [ { "currency": "USD", "subtotal": "55.00", "tax": "11.55", "total": "66.55", "amount_due": "66.55" } ] }`)

	issueNotes(t, config)

	for line, want := range before {
		if got := run(line); got != want {
			t.Errorf("%s has changed:\n%s", line, got)
		}
	}
	if rest, same := strings.CutPrefix(has("invoice INV-2026-000001",
		"corrected by issued subtotal tax total to pay", "this invoice 2026-11-21 USD 55.00 11.55 66.55 66.55",
		"CN-2026-000001 credit note 2026-11-20 USD -5.50 -1.15 -6.65 -6.65", "together USD 49.50 10.40 59.90 59.90"), text); !same || rest == "" {
		t.Errorf("the invoice itself is shown in another way:\n%s", text+rest)
	}
	has("invoice INV-2026-000001 --json", `"number": "INV-2026-000001"`,
		`"corrected_by": [ { "number": "CN-2026-000001", "kind": "credit_note", "period": "2026-11", "issued_at": "2026-11-20T09:00:00Z", "currency": "USD", "subtotal": "-5.50", "tax": "-1.15", "total": "-6.65", "amount_due": "-6.65" } ]`,
		`"together": [ { "currency": "USD", "subtotal": "49.50", "tax": "10.40", "total": "59.90", "amount_due": "59.90" } ] }`)

	never("October", has("invoice --period 2026-10", "INV-2026-000001 invoice acme 2026-10"), "CN-", "DN-")
	never("November", has("invoice --period 2026-11",
		"CN-2026-000001 credit_note for INV-2026-000001 of 2026-10 acme 2026-11 2026-11-20 USD -6.65 0.00 -6.65",
		"DN-2026-000001 debit_note for 2026-09, without an invoice hobby 2026-11 2026-11-20 2026-12-04 USD 1.00 0.00 1.00"), "INV-2026-000002")
	has("invoice --account acme", "CN-2026-000001", "INV-2026-000001", "USD 2 59.90 0.00 59.90")
	never("a credit note", has("invoice CN-2026-000001", "Credit note CN-2026-000001 for 2026-11", "corrects INV-2026-000001 of 2026-10",
		"1 overage Overage, team 0 0.0005 -5.50 a price was corrected", "2 tax VAT 21% on -5.50 USD -1.15 a price was corrected", "due -6.65"), "operation", "corrected by", "due      2026")
	has("invoice DN-2026-000001", "Debit note DN-2026-000001 for 2026-11", "due 2026-12-04", "corrects 2026-09, without an invoice",
		"an event of the account became known late; follows from the correction of an earlier month")
	has("invoice DN-2026-000001 --json", `"corrects": null, "corrects_period": "2026-09"`, `"corrected_by": []`)

	// Written, they are files among those of the month.
	out := filepath.Join(t.TempDir(), "november")
	has("invoice --period 2026-11 --format html,pdf,json --to "+out, "Wrote 2 documents as html, json, pdf")
}

// compareDocuments writes every document of a lake twice, month by month and then all by
// their numbers: they are the same bytes (SPEC section 7, Documents).
func compareDocuments(t *testing.T, config string) {
	t.Helper()
	const formats = "html,json,pdf"
	byMonth, byNumber := t.TempDir(), t.TempDir()
	months := readCSV(t, call(t, "query", "--config", config, "--format", "csv", "SELECT DISTINCT period FROM invoices"))[1:]
	for _, month := range months {
		call(t, "invoice", "--config", config, "--period", month[0], "--to", byMonth, "--format", formats)
	}
	args := []string{"invoice", "--config", config, "--to", byNumber, "--format", formats}
	numbers := readCSV(t, call(t, "query", "--config", config, "--format", "csv", "SELECT number FROM invoices"))[1:]
	for _, number := range numbers {
		args = append(args, number[0])
	}
	call(t, args...)
	files, err := os.ReadDir(byMonth)
	if err != nil || len(files) == 0 || len(files) != 3*len(numbers) {
		t.Fatalf("%d files of %d documents: %v", len(files), len(numbers), err)
	}
	for _, file := range files {
		one, err := os.ReadFile(filepath.Join(byMonth, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if other, err := os.ReadFile(filepath.Join(byNumber, file.Name())); err != nil || !bytes.Equal(one, other) {
			t.Errorf("%s made again is another: %v", file.Name(), err)
		}
	}
}
