// Package report says what a re-rate found: it sums the differences up that a
// re-rate has worked out, and shows them as a page (SPEC section 8).
//
// The differences are the view `differences` of a session, one row for each draft,
// period, account, measure, item and cause. Nothing here grows with the number of
// accounts: sums are made in SQL, and lists are bounded. Every number is exact; what
// a chart draws is measured in whole pixels from exact numbers.
package report

import (
	"math/big"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// Credits is the unit of what is not money; the others are currency codes.
const Credits = "credits"

// The measures that differences are summed up by. Those of money come first.
const (
	Subtotal = "subtotal" // every invoice line but the tax
	Tax      = "tax"
	Total    = "total" // Subtotal and Tax
	Rated    = "rated" // what the periods' calls come to
	Overage  = "overage"
	Denied   = "denied"
	Expired  = "expired"
	Balance  = "balance" // what all buckets hold at a period's end; in all, at the last one's
)

var measures = []string{Subtotal, Tax, Total, Rated, Overage, Denied, Expired, Balance}

// Causes are what a difference can come from, in the order in which they are named.
var Causes = []string{"price", "late usage", "void", "account event", "knock-on"}

// Options say what to report.
type Options struct {
	From, Through period.Period // the periods that were re-rated, both included
	Drafts        []string      // the drafts' names; none: today's configuration
	Account       string        // this one alone, with its lines; empty: all
	Limit         int           // of each list of accounts, and of lines
}

// A Summary is what a re-rate found. Whatever differs by draft is a slice with one
// element for each of Drafts.
type Summary struct {
	Options

	Drafts     []Draft
	Totals     []Row // by measure
	Causes     []Row // Total and Rated, by cause
	Periods    []Row // Total and the measures of credits, by period
	Rankings   []Ranking
	Histograms []Histogram
	Notes      []Notes
	Lines      []Line // of Options.Account
	AllLines   int64  // how many there are
}

// A Draft is one set of prices that was tried.
type Draft struct {
	Name       string // empty: today's configuration
	Accounts   int64  // that differ in anything
	More, Less int64  // accounts that owe more, and less, in some currency
	Calls      int64  // whose credits differ
}

// Label names a draft for people.
func (d Draft) Label() string {
	if d.Name == "" {
		return "today's configuration"
	}
	return d.Name
}

// Nothing reports whether there is no difference at all.
func (s *Summary) Nothing() bool {
	return !slices.ContainsFunc(s.Drafts, func(d Draft) bool { return d.Accounts > 0 })
}

// Units are the currencies that differ, by their codes, and then [Credits].
func (s *Summary) Units() []string {
	var units []string
	for _, r := range s.Totals {
		if !slices.Contains(units, r.Unit) {
			units = append(units, r.Unit)
		}
	}
	return units
}

// A Change is an amount before and after. Sums are over what differs alone: what
// stays the same is in neither.
type Change struct{ Before, After *big.Rat }

func noChange() Change { return Change{new(big.Rat), new(big.Rat)} }

// Difference is how much more it is after.
func (c Change) Difference() *big.Rat { return new(big.Rat).Sub(c.After, c.Before) }

func (c Change) add(d Change) {
	c.Before.Add(c.Before, d.Before)
	c.After.Add(c.After, d.After)
}

// A Row is a sum of differences.
type Row struct {
	Name    string // the cause or the period
	Measure string
	Unit    string
	Calls   []int64 // of Rated: how many calls differ
	Changes []Change
}

// A Ranking is the accounts whose change of a unit is the largest: of money what they
// are charged with tax, of credits what their calls are rated at.
type Ranking struct {
	Unit     string
	Accounts []Account
	Of       int64 // how many accounts change in the unit
}

// An Account is one account's change of a unit.
type Account struct {
	Name     string
	Changes  []Change
	Balances []Change // of credits: what it holds at the end of the last period
	Causes   []string // over all drafts, in the order of [Causes]
}

// A Histogram is how many accounts change by how much of a unit.
type Histogram struct {
	Unit string
	Bins []Bin // without gaps, from the largest decrease to the largest increase
}

// A Bin is the accounts whose change has the same power of ten.
type Bin struct {
	Power  int // 1: less than 1; 2: from 1 to below 10; negative: a decrease
	Counts []int64
}

// Bounds are the least and the greatest size of a change in the bin, without its
// sign; the least is part of it, the greatest is not.
func (b Bin) Bounds() (from, to *big.Int) {
	power := max(b.Power, -b.Power)
	edge := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	if power == 1 {
		return new(big.Int), edge(0)
	}
	return edge(power - 2), edge(power - 1)
}

// The kinds of notes.
const (
	CreditNote = "credit_note"
	DebitNote  = "debit_note"
)

// Notes are the notes of one kind and currency: those that a commit issues.
type Notes struct {
	Kind     string
	Currency string
	Counts   []int64
	Subtotal []*big.Rat // negative on credit notes
	Tax      []*big.Rat
}

// Total is what a draft's notes come to.
func (n Notes) Total(draft int) *big.Rat { return new(big.Rat).Add(n.Subtotal[draft], n.Tax[draft]) }

// A Line is one difference of an account.
type Line struct {
	Draft   int // index of Summary.Drafts
	Period  string
	Measure string // as the differences name it
	Item    string
	Unit    string
	Change  Change
	Calls   int64
	Cause   string
}

// Text writes an exact amount of a unit: credits without zeros at the end, money with
// the digits of its currency.
func Text(unit string, amount *big.Rat) string {
	if unit != Credits {
		if parsed, err := money.ParseAmount(amount.FloatString(money.AmountScale)); err == nil {
			if currency, err := money.ParseCurrency(unit); err == nil {
				return currency.Format(parsed)
			}
		}
	}
	text := strings.TrimRight(amount.FloatString(6), "0")
	return strings.TrimSuffix(text, ".")
}
