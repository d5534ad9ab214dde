package document

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// A Selection says which invoices and notes are meant: those that are all of what is
// given. The zero value is all of them.
type Selection struct {
	Period  period.Period
	Account string
	Numbers []string
}

// A NotFoundError names numbers that no invoice or note has.
type NotFoundError struct{ Numbers []string }

func (e NotFoundError) Error() string {
	if len(e.Numbers) == 1 {
		return "there is no invoice " + e.Numbers[0]
	}
	return "there are no invoices " + strings.Join(e.Numbers, ", ")
}

// Picked are the documents of a selection, before they are read.
type Picked struct {
	Count   int64
	Periods []string // that have any, in order; not nil
	Runs    []int64  // that issued any, in order

	session *duck.Session
}

// Pick looks a selection up in the view invoices of a session, in place of an earlier one:
// the live rows with, as last columns, the run that issued them and their period. A number
// of nothing is a [NotFoundError].
func (s Selection) Pick(ctx context.Context, session *duck.Session) (Picked, error) {
	p := Picked{session: session, Periods: []string{}}
	var month, account, numbers any
	if !s.Period.IsZero() {
		month = s.Period.String()
	}
	if s.Account != "" {
		account = s.Account
	}
	if len(s.Numbers) > 0 {
		numbers = strings.Join(s.Numbers, "\n")
	}
	if err := session.Exec(ctx, sql.Text("duckdb/invoice_documents_pick"), month, account, numbers); err != nil {
		return p, fmt.Errorf("look for documents: %w", err)
	}
	if numbers != nil {
		missing, err := p.missing(ctx, numbers)
		if err != nil {
			return p, fmt.Errorf("look for documents: %w", err)
		}
		if missing != nil {
			return p, NotFoundError{missing}
		}
	}
	rows, err := session.Rows(ctx, sql.Text("duckdb/invoice_documents_periods"))
	if err != nil {
		return p, fmt.Errorf("look for documents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var month string
		var run, count int64
		if err := rows.Scan(&month, &run, &count); err != nil {
			return p, err
		}
		p.Periods, p.Runs, p.Count = append(p.Periods, month), append(p.Runs, run), p.Count+count
	}
	p.Periods = slices.Compact(p.Periods)
	slices.Sort(p.Runs)
	p.Runs = slices.Compact(p.Runs)
	return p, rows.Err()
}

func (p Picked) missing(ctx context.Context, numbers any) (missing []string, err error) {
	rows, err := p.session.Rows(ctx, sql.Text("duckdb/invoice_documents_missing"), numbers)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var number string
		if err := rows.Scan(&number); err != nil {
			return nil, err
		}
		missing = append(missing, number)
	}
	return missing, rows.Err()
}

// A Reader reads the documents of a selection one after the other, by number: it
// merges one sorted file a table, so that its memory does not grow with their number.
type Reader struct {
	Count int64 // of documents

	calendar period.Calendar
	issuer   Party

	documents, lines, usage, balances, party, kept *sortedRows
}

// Open sorts what the documents are made of into files in a folder that the session
// may write, and reads them. Beside invoices, the session must have these views for the
// periods and runs picked, with the period as last column where they have one:
// invoice_lines; statements and balances as the period's close wrote them; periods;
// party_events, the account events with first_run and last_run, the runs that issued
// documents from first to last at which the row was live; and kept_parties. Close the
// Reader.
func (p Picked) Open(ctx context.Context, scratch string, calendar period.Calendar, issuer config.Issuer) (_ *Reader, err error) {
	r := &Reader{
		Count: p.Count, calendar: calendar,
		issuer: Party{Name: issuer.Name, Address: issuer.Address, TaxID: issuer.TaxID},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	for _, sorted := range []struct {
		to        **sortedRows
		statement string
	}{
		{&r.documents, "duckdb/invoice_documents"},
		{&r.lines, "duckdb/invoice_documents_lines"},
		{&r.usage, "duckdb/invoice_documents_usage"},
		{&r.balances, "duckdb/invoice_documents_balances"},
		{&r.party, "duckdb/invoice_documents_party"},
		{&r.kept, "duckdb/invoice_documents_kept"},
	} {
		path := filepath.Join(scratch, filepath.Base(sorted.statement)+".parquet")
		// It is read once and at once: small row groups keep the reader's memory small, and
		// packing would cost more than it saves.
		copyTo := "COPY (" + sql.Text(sorted.statement) + "\n) TO " + duck.Literal(path) + " (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 8192)"
		if err := p.session.Exec(ctx, copyTo); err != nil {
			return nil, fmt.Errorf("%s: %w", sorted.statement, err)
		}
		if *sorted.to, err = openSortedRows(ctx, path); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Close ends the reading.
func (r *Reader) Close() error {
	return errors.Join(r.documents.close(), r.lines.close(), r.usage.close(), r.balances.close(), r.party.close(), r.kept.close())
}

// Next reads the next document; nil at the end.
func (r *Reader) Next() (*Document, error) {
	if r.documents.batch == nil {
		return nil, nil
	}
	d := &Document{Calendar: r.calendar, Issuer: r.issuer}
	doc := r.documents.docs[r.documents.row]
	for _, part := range []struct {
		rows *sortedRows
		take func(record) error
	}{
		{r.documents, d.takeInvoice},
		{r.lines, d.takeLine},
		{r.usage, d.takeUsage},
		{r.balances, d.takeBalance},
		{r.party, func(row record) error { return d.Party.update([]byte(row.text(1))) }},
		{r.kept, d.takeKept},
	} {
		if err := part.rows.each(doc, part.take); err != nil {
			return nil, fmt.Errorf("document %s: %w", d.Number, err)
		}
	}
	return d, nil
}

func (d *Document) takeInvoice(row record) (err error) {
	d.Number, d.Kind, d.Account = row.text(1), row.text(2), row.text(3)
	d.Subtotal, d.Tax, d.Total, d.Paid, d.AmountDue = row.amount(5), row.amount(6), row.amount(7), row.amount(8), row.amount(9)
	d.IssuedAt, d.DueAt, d.Corrects, d.CorrectsPeriod = row.instant(10), row.instant(11), row.text(12), row.text(13)
	if d.Currency, err = money.ParseCurrency(row.text(4)); err != nil {
		return err
	}
	d.Period, err = period.Parse(row.text(14))
	return err
}

func (d *Document) takeLine(row record) (err error) {
	l := Line{
		Line: row.ordinal(1), Kind: row.text(2), Item: row.text(3), Description: row.text(4), Quantity: row.credits(5), Amount: row.amount(7),
		From: row.instant(9), To: row.instant(10), Cause: row.text(11),
	}
	if l.UnitPrice, err = row.price(6); err != nil {
		return err
	}
	if !row.null(8) {
		rate, err := row.price(8)
		if err != nil {
			return err
		}
		l.TaxRate = &rate
	}
	d.Lines = append(d.Lines, l)
	return nil
}

func (d *Document) takeUsage(row record) error {
	d.Usage = append(d.Usage, Usage{
		Operation: row.text(1), Project: row.text(2), Key: row.text(3), Calls: row.count(4), LateCalls: row.count(5), HeldCalls: row.count(6),
		Credits: row.credits(7), Value: row.amount(8),
	})
	return nil
}

func (d *Document) takeBalance(row record) error {
	d.Balances = append(d.Balances, Balance{
		BucketID: row.text(1), Kind: row.text(2), Starts: row.instant(3), Expires: row.instant(4),
		Opening: row.credits(5), Granted: row.credits(6), Burned: row.credits(7), Expired: row.credits(8), Voided: row.credits(9),
		RolledOut: row.credits(10), Remaining: row.credits(11),
	})
	return nil
}
