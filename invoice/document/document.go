// Package document turns the rows of a committed invoice into what people read:
// JSON, and HTML that is one file and prints well (SPEC section 7, Documents).
//
// A [Document] is made from rows of the committed tables, the account's events
// and the issuer of the configuration, and from nothing else: no clock, no
// network, no machine. Made again it is the same, byte for byte. It computes no
// money; it only adds statement rows up by operation.
package document

import (
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// The kinds of document, as in the table invoices.
const (
	Invoice    = "invoice"
	CreditNote = "credit_note"
	DebitNote  = "debit_note"
)

// A Document is one invoice or note.
type Document struct {
	Number   string
	Kind     string
	Account  string
	Period   period.Period
	Calendar period.Calendar // its time zone is that of the dates in print
	IssuedAt time.Time
	DueAt    time.Time // zero: never due
	Currency money.Currency

	Corrects       string // notes: the invoice; empty: none
	CorrectsPeriod string

	Issuer Party
	Party  Party // as at the period's end

	Lines                                 []Line
	Subtotal, Tax, Total, Paid, AmountDue money.Amount

	Usage    []Usage // in the table's order
	Balances []Balance
}

// A Party is who bills or is billed. What is not known is empty.
type Party struct {
	Name    string
	Address []string
	Email   string
	TaxID   string

	// Of the party billed: its tax as it stands at the period's end.
	TaxLabel      string
	ReverseCharge bool
}

// A Line is one row of invoice_lines.
type Line struct {
	Line        int
	Kind        string
	Item        string
	Description string
	Quantity    credit.Amount
	UnitPrice   money.Price
	Amount      money.Amount
	TaxRate     *money.Price // nil: no tax
	From, To    time.Time
	Cause       string // of notes
}

// Usage is one row of statements.
type Usage struct {
	Operation, Project, Key     string
	Calls, LateCalls, HeldCalls int64
	Credits                     credit.Amount
	Value                       money.Amount
}

// A Balance is one row of balances.
type Balance struct {
	BucketID string
	Kind     string
	Starts   time.Time
	Expires  time.Time // zero: never

	Opening, Granted, Burned, Expired, Voided, RolledOut, Remaining credit.Amount
}

// byOperation adds usage up by operation, in order of first appearance; the row
// of an account without usage is left out.
func (d *Document) byOperation() []Usage {
	var sums []Usage
	index := map[string]int{}
	for _, u := range d.Usage {
		if u.Operation == "" {
			continue
		}
		i, ok := index[u.Operation]
		if !ok {
			i = len(sums)
			index[u.Operation] = i
			sums = append(sums, Usage{Operation: u.Operation})
		}
		s := &sums[i]
		s.Calls += u.Calls
		s.LateCalls += u.LateCalls
		s.HeldCalls += u.HeldCalls
		s.Credits = s.Credits.Add(u.Credits)
		s.Value = s.Value.Add(u.Value)
	}
	return sums
}

// reverseCharge reports whether the tax line says so: the party accounts for the tax.
func (d *Document) reverseCharge() bool {
	for i := range d.Lines {
		if d.Lines[i].Kind == "tax" {
			return d.Party.ReverseCharge && d.Tax.IsZero()
		}
	}
	return false
}
