package document

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

func (d *Document) isNote() bool { return d.Kind == CreditNote || d.Kind == DebitNote }

// causes say in words why a note's line differs from what was charged, by the words of
// the column cause.
var causes = map[string]string{
	"price":         "a price was corrected",
	"late usage":    "usage became known late",
	"void":          "calls were taken back",
	"account event": "an event of the account became known late",
	"knock-on":      "follows from the correction of an earlier month",
}

// Why says in words why a note has the line; empty on an invoice.
func (l *Line) Why() string {
	if l.Cause == "" {
		return ""
	}
	words := strings.Split(l.Cause, ", ")
	for i, word := range words {
		if text, ok := causes[word]; ok {
			words[i] = text
		}
	}
	return strings.Join(words, "; ")
}

// correctedMonth is the month that a note is about, in words.
func (d *Document) correctedMonth() string {
	p, err := period.Parse(d.CorrectsPeriod)
	if err != nil {
		return shown(d.CorrectsPeriod)
	}
	return d.monthOf(p)
}

// correction says what a note corrects and what its numbers are, for people.
func (d *Document) correction() string {
	title := strings.ToLower(d.title())
	text := "This " + title + " corrects invoice " + shown(d.Corrects) + " of " + d.correctedMonth() + ", which stays as it was issued."
	if d.Corrects == "" {
		text = "No invoice was issued for " + d.correctedMonth() + ", so this " + title + " names none."
	}
	return text + " Each amount is what should have been charged less what was charged so far; quantities are what changed, unit prices those that count now."
}

// A Note is what an invoice's reader wants to know of a note that corrects it.
type Note struct {
	Number, Kind                    string
	Period                          string // it was issued in
	IssuedAt                        time.Time
	Currency                        money.Currency // where the account's was corrected, another than the invoice's
	Subtotal, Tax, Total, AmountDue money.Amount
}

// Notes looks up the notes that correct an invoice, in the order they were issued, in the
// session's view invoices (see [Selection.Pick]).
func Notes(ctx context.Context, session *duck.Session, number string) (notes []Note, err error) {
	rows, err := session.Rows(ctx, sql.Text("duckdb/invoice_documents_notes"), number)
	if err != nil {
		return nil, fmt.Errorf("notes to %s: %w", number, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n Note
		var currency string
		var amounts [4]string
		if err := rows.Scan(&n.Number, &n.Kind, &n.Period, &n.IssuedAt, &currency, &amounts[0], &amounts[1], &amounts[2], &amounts[3]); err != nil {
			return nil, fmt.Errorf("notes to %s: %w", number, err)
		}
		if n.Currency, err = money.ParseCurrency(currency); err != nil {
			return nil, fmt.Errorf("note %s: %w", n.Number, err)
		}
		for i, to := range []*money.Amount{&n.Subtotal, &n.Tax, &n.Total, &n.AmountDue} {
			if *to, err = money.ParseAmount(amounts[i]); err != nil {
				return nil, fmt.Errorf("note %s: %w", n.Number, err)
			}
		}
		notes = append(notes, n)
	}
	return notes, rows.Err()
}

// A Sum is what documents of one currency come to.
type Sum struct {
	Currency                        money.Currency
	Subtotal, Tax, Total, AmountDue money.Amount
}

// Together is what a document and notes to it come to, by currency: its own first, the
// others as they come.
func (d *Document) Together(notes []Note) []Sum {
	sums := []Sum{{d.Currency, d.Subtotal, d.Tax, d.Total, d.AmountDue}}
	for i := range notes {
		n := &notes[i]
		at := slices.IndexFunc(sums, func(s Sum) bool { return s.Currency == n.Currency })
		if at < 0 {
			at = len(sums)
			sums = append(sums, Sum{Currency: n.Currency})
		}
		s := &sums[at]
		s.Subtotal, s.Tax, s.Total, s.AmountDue = s.Subtotal.Add(n.Subtotal), s.Tax.Add(n.Tax), s.Total.Add(n.Total), s.AmountDue.Add(n.AmountDue)
	}
	return sums
}
