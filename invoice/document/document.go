// Package document turns the rows of committed invoices and notes into what people
// read: JSON, HTML that is one file and prints well, and PDF (SPEC section 7, Documents).
//
// A [Document] is made from rows of the committed tables, the account's events
// and the issuer of the configuration, and from nothing else: no clock, no
// network, no font or setting of the machine. Made again it is the same, byte for
// byte. It computes no money; it only adds statement rows up by operation, project
// and key. HTML and PDF show the same texts: both print a document's view.
//
// The documents of a month are read in one pass over sorted files ([Picked.Open]) and
// written side by side ([Write]): memory holds a few documents, however many there are.
package document

import (
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// The kinds of document, as in the table invoices.
const (
	Invoice    = "invoice"
	CreditNote = "credit_note"
	DebitNote  = "debit_note"
)

// kindTax is the kind of the line that is a tax.
const kindTax = "tax"

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

// UnitPrice is the price of one unit or credit as all forms of the document have it:
// with at least the digits of the currency, and no more than it needs. Of a single
// unit it is the line's amount: the table's price of a prorated fee has digits that
// the invoice does not charge.
func (d *Document) UnitPrice(l *Line) string {
	if l.Quantity == credit.FromInt(1) {
		return d.Currency.Format(l.Amount)
	}
	return fixed.Format(l.UnitPrice.Num(), money.PriceScale, d.Currency.Digits())
}

// reverseCharge reports whether the tax line says so: the party accounts for the tax.
func (d *Document) reverseCharge() bool {
	for i := range d.Lines {
		if d.Lines[i].Kind == kindTax {
			return d.Party.ReverseCharge && d.Tax.IsZero()
		}
	}
	return false
}
