// Package document turns the rows of committed invoices and notes into what people
// read: JSON, HTML that is one file and prints well, and PDF (SPEC section 7, Documents).
//
// A [Document] is made from rows of the committed tables, the account's events
// and the issuer of the configuration, and from nothing else: no clock, no
// network, no font or setting of the machine. The rows are those that were live when
// the document was issued, so that made again it is the same, byte for byte, whatever
// was re-rated since. It computes no money; it only adds statement rows up by operation,
// project and key. HTML and PDF show the same texts: both print a document's view.
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

	Corrects       string // notes: the invoice; empty: the period had none
	CorrectsPeriod string // notes

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
// the invoice does not charge. A note's quantity and price are what changed and what holds
// now, and their product need not be its amount: there the price rounds where it is.
func (d *Document) UnitPrice(l *Line) string {
	one, oneLess := credit.FromInt(1), credit.FromInt(-1)
	switch {
	case d.Kind == Invoice && l.Quantity == one:
		return d.Currency.Format(l.Amount)
	case d.isNote() && (l.Quantity == one || l.Quantity == oneLess):
		if rounded, err := d.Currency.Round(l.UnitPrice.Rat()); err == nil && (rounded == l.Amount || rounded == l.Amount.Neg()) {
			return d.Currency.Format(rounded)
		}
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
