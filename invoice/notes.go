package invoice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// Kinds of documents that correct an invoice.
const (
	creditNote = "credit_note"
	debitNote  = "debit_note"
)

// A NotesInput is what closed periods charge otherwise than their invoices and the
// notes so far say. The session must have these views:
//
//	changed_charges  account, period, currency, kind, item, description, quantity, unit_price, before, after,
//	                 tax_rate, from, to, cause: a row for each line that changed
//	sold_documents   the invoices and notes so far, with their period
//	issued           number: of all of them
type NotesInput struct {
	Session  *duck.Session
	Scratch  string        // folder for the output files, which the session may read and write
	Period   period.Period // the open one: the notes are issued in it
	Calendar period.Calendar
	Now      time.Time // they are issued then
	Numbers  config.Invoices
	Due      period.Duration // after Now; of debit notes
}

// A NoteTotal is what the notes of one kind and currency come to.
type NoteTotal struct {
	Kind                 string // credit_note or debit_note
	Currency             string
	Count                int64
	Subtotal, Tax, Total money.Amount
	First, Last          string // numbers
}

// Notes writes rows of invoices and of invoice_lines: a credit or debit note for each
// account, period and currency of which the charges or the tax changed, by account,
// then period (SPEC section 8; section 14, 31).
func Notes(ctx context.Context, in NotesInput) (outputs []lake.Output, totals []NoteTotal, err error) {
	dir, err := os.MkdirTemp(in.Scratch, "notes-*")
	if err != nil {
		return nil, nil, fmt.Errorf("scratch: %w", err)
	}
	path := filepath.Join(dir, "changed.parquet")
	if err := copyToScratch(ctx, in.Session, sql.Text("duckdb/invoice_changed_charges"), path); err != nil {
		return nil, nil, fmt.Errorf("charges that changed: %w", err)
	}
	rows, err := openAccountRows(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.close()) }()
	n, err := newNoteWriter(ctx, in, dir)
	if err != nil {
		return nil, nil, err
	}
	for account, ok := rows.peek(); ok; account, ok = rows.peek() {
		if err := rows.each(string([]byte(account)), n.add); err != nil {
			return nil, nil, errors.Join(err, n.notes.discard(), n.lines.discard())
		}
	}
	for _, w := range []struct {
		rows  *rowWriter
		table lake.Table
	}{{n.notes, lake.Invoices}, {n.lines, lake.InvoiceLines}} {
		out, err := w.rows.finish(ctx, in.Session, w.table, dir, in.Period.String())
		if err != nil {
			return nil, nil, err
		}
		outputs = append(outputs, out)
	}
	return outputs, n.totals, nil
}

// A noteWriter makes notes of changed charges that come note by note.
type noteWriter struct {
	NotesInput
	credit, debit *numbers
	notes, lines  *rowWriter
	totals        []NoteTotal // by kind, then currency

	account, period, currency, number string // of the note that the last line is of
	line                              int
}

func newNoteWriter(ctx context.Context, in NotesInput, dir string) (n *noteWriter, err error) {
	n = &noteWriter{NotesInput: in}
	year := in.Now.In(in.Calendar.Location()).Year()
	if n.credit, err = openNumbers(ctx, in.Session, in.Numbers.Credit, year); err != nil {
		return nil, err
	}
	if n.debit, err = openNumbers(ctx, in.Session, in.Numbers.Debit, year); err != nil {
		return nil, err
	}
	if in.Numbers.Credit == in.Numbers.Debit {
		n.debit = n.credit
	}
	if n.notes, err = newRowWriter(dir, "notes", lake.Invoices.Columns); err != nil {
		return nil, err
	}
	if n.lines, err = newRowWriter(dir, "note_lines", lake.InvoiceLines.Columns); err != nil {
		return nil, errors.Join(err, n.notes.discard())
	}
	return n, nil
}

// add adds a line, and the note that it is the first of. The row is one of
// invoice_changed_charges.sql.
func (n *noteWriter) add(r record) error {
	account, period, currency := r.text(0), r.text(1), r.text(2)
	if account != n.account || period != n.period || currency != n.currency {
		n.account, n.period, n.currency = account, period, currency
		n.begin(r)
	}
	n.line++
	quantity, _ := r.decimal(9)
	unitPrice, _ := r.decimal(10)
	amount, _ := r.decimal(11)
	row := n.lines.text(n.number).ordinal(n.line).text(account).text(r.text(6)).text(r.text(7)).text(r.text(8)).
		credits(quantity).decimal(unitPrice.Num()).decimal(amount.Num())
	if rate, taxed := r.decimal(12); taxed {
		row.decimal(rate.Num())
	} else {
		row.null()
	}
	row.text(currency).instant(r.instant(13)).instant(r.instant(14)).text(r.text(15)).end()
	return nil
}

// begin begins a note.
func (n *noteWriter) begin(r record) {
	n.line = 0
	subtotal, tax := amountIn(r, 3), amountIn(r, 4)
	total := subtotal.Add(tax)
	kind, series, due := debitNote, n.debit, n.Calendar.Add(n.Now, n.Due)
	if total.Sign() < 0 || total.IsZero() && subtotal.Sign() < 0 {
		kind, series, due = creditNote, n.credit, time.Time{}
	}
	n.number = series.next()
	n.notes.text(n.number).text(kind).text(n.account).text(n.currency).amount(subtotal).amount(tax).amount(total).
		amount(money.Amount{}).amount(total).stamp(n.Now).instant(due).text(r.text(5)).text(n.period).end()
	n.count(kind, subtotal, tax)
}

func amountIn(r record, column int) money.Amount {
	n, _ := r.decimal(column)
	return money.AmountFromNum(n.Num())
}

// count adds a note to the totals.
func (n *noteWriter) count(kind string, subtotal, tax money.Amount) {
	at := 0
	for at < len(n.totals) && (n.totals[at].Kind < kind || n.totals[at].Kind == kind && n.totals[at].Currency < n.currency) {
		at++
	}
	if at == len(n.totals) || n.totals[at].Kind != kind || n.totals[at].Currency != n.currency {
		n.totals = append(n.totals[:at], append([]NoteTotal{{Kind: kind, Currency: n.currency, First: n.number}}, n.totals[at:]...)...)
	}
	t := &n.totals[at]
	t.Count, t.Last = t.Count+1, n.number
	t.Subtotal, t.Tax = t.Subtotal.Add(subtotal), t.Tax.Add(tax)
	t.Total = t.Subtotal.Add(t.Tax)
}
