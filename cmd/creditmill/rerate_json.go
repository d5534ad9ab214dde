package main

import (
	"math/big"

	"github.com/creditmill/creditmill/invoice/report"
)

// What a re-rating came to.
const (
	rerateCompared  = "compared"  // without --commit
	rerateCommitted = "committed" // run says as which
	rerateUnchanged = "unchanged" // a commit had nothing to say
	rerateRefused   = "refused"   // blocks says why
)

// A rerateDocument is what `rerate --json` prints. Lists named changes have an element
// for each of drafts, in their order.
type rerateDocument struct {
	Outcome  string           `json:"outcome"` // compared, committed, unchanged or refused
	From     string           `json:"from"`
	Through  string           `json:"through"`
	Account  *string          `json:"account"`
	Run      *int64           `json:"run"`
	Reason   *string          `json:"reason"`
	Head     string           `json:"head_sha256"`
	Calls    int64            `json:"calls"`
	Priced   int64            `json:"calls_priced"`
	Drafts   []rerateDraft    `json:"drafts"`
	Totals   []rerateRow      `json:"totals"`
	Causes   []rerateRow      `json:"causes"`
	Periods  []rerateRow      `json:"periods"`
	Rankings []rerateRanking  `json:"rankings"`
	Spread   []rerateBin      `json:"spread"`
	Notes    []rerateNotes    `json:"notes"` // that a commit issues
	Lines    []rerateLine     `json:"lines"` // of account
	AllLines int64            `json:"lines_total"`
	Issued   []issuedDocument `json:"issued"`
	Replaced int64            `json:"files_replaced"`
	Files    []rerateFile     `json:"files"`
	Held     []blockDocument  `json:"held"` // what the replay holds and what stands does not
	Blocks   []blockDocument  `json:"blocks"`
}

type rerateDraft struct {
	Draft    *string `json:"draft"` // null: today's configuration
	Accounts int64   `json:"accounts"`
	More     int64   `json:"accounts_owe_more"`
	Less     int64   `json:"accounts_owe_less"`
	Calls    int64   `json:"calls"`
}

type rerateRow struct {
	Cause   string         `json:"cause,omitempty"`
	Period  string         `json:"period,omitempty"`
	Measure string         `json:"measure"`
	Unit    string         `json:"unit"`
	Changes []rerateChange `json:"changes"`
}

type rerateChange struct {
	Calls  *int64 `json:"calls,omitempty"` // of the measure rated
	Before string `json:"before"`
	After  string `json:"after"`
	Change string `json:"change"`
}

type rerateRanking struct {
	Unit     string          `json:"unit"`
	Accounts []rerateAccount `json:"accounts"`
	Total    int64           `json:"total"` // how many accounts change in the unit
}

type rerateAccount struct {
	Account string         `json:"account"`
	Causes  []string       `json:"causes"`
	Changes []rerateChange `json:"changes"`
	Balance []rerateChange `json:"balance,omitempty"` // of credits
}

// A rerateBin is how many accounts change by an amount between from and to. The bound
// that is nearer to zero is part of the bin, unless it is zero; the other is not.
type rerateBin struct {
	Unit     string  `json:"unit"`
	From     string  `json:"from"`
	To       string  `json:"to"`
	Accounts []int64 `json:"accounts"` // by draft
}

type rerateNotes struct {
	Kind     string        `json:"kind"`
	Currency string        `json:"currency"`
	Sums     []rerateNoted `json:"changes"`
}

type rerateNoted struct {
	Count    int64  `json:"count"`
	Subtotal string `json:"subtotal"`
	Tax      string `json:"tax"`
	Total    string `json:"total"`
}

type rerateLine struct {
	Draft   *string `json:"draft"`
	Period  string  `json:"period"`
	Measure string  `json:"measure"`
	Item    *string `json:"item"`
	Unit    string  `json:"unit"`
	Calls   int64   `json:"calls"`
	Before  string  `json:"before"`
	After   string  `json:"after"`
	Change  string  `json:"change"`
	Cause   string  `json:"cause"`
}

type issuedDocument struct {
	Kind     string `json:"kind"`
	Currency string `json:"currency"`
	rerateNoted
	First string `json:"first"`
	Last  string `json:"last"`
}

func newRerateDocument(r rerateResult) rerateDocument {
	document := rerateDocument{
		Outcome: rerateCompared, From: r.From.String(), Through: r.Through.String(), Reason: optional(r.reason), Run: number(r.Run), Head: r.Head, Calls: r.Calls, Priced: r.Priced,
		Drafts: []rerateDraft{}, Totals: []rerateRow{}, Causes: []rerateRow{}, Periods: []rerateRow{}, Rankings: []rerateRanking{}, Spread: []rerateBin{},
		Notes: []rerateNotes{}, Lines: []rerateLine{}, Issued: []issuedDocument{}, Files: append([]rerateFile{}, r.files...), Held: newBlockDocuments(r.Held), Blocks: newBlockDocuments(r.Blocks),
	}
	switch {
	case len(r.Blocks) > 0:
		document.Outcome = rerateRefused
	case r.Run != nil:
		document.Outcome, document.Replaced = rerateCommitted, int64(len(r.Run.Replaced))
	case r.reason != "":
		document.Outcome = rerateUnchanged
	}
	for _, n := range r.RerateReport.Notes {
		write := func(a interface{ Rat() *big.Rat }) string { return report.Text(n.Currency, a.Rat()) }
		document.Issued = append(document.Issued, issuedDocument{
			n.Kind, n.Currency, rerateNoted{n.Count, write(n.Subtotal), write(n.Tax), write(n.Total)}, n.First, n.Last,
		})
	}
	if r.summary != nil {
		document.add(r.summary)
	}
	return document
}

// add fills in what a re-rating found.
func (d *rerateDocument) add(s *report.Summary) {
	d.Account = optional(s.Account)
	for _, draft := range s.Drafts {
		d.Drafts = append(d.Drafts, rerateDraft{optional(draft.Name), draft.Accounts, draft.More, draft.Less, draft.Calls})
	}
	for _, row := range s.Totals {
		d.Totals = append(d.Totals, newRerateRow(row))
	}
	for _, row := range s.Causes {
		document := newRerateRow(row)
		document.Cause = row.Name
		d.Causes = append(d.Causes, document)
	}
	for _, row := range s.Periods {
		document := newRerateRow(row)
		document.Period = row.Name
		d.Periods = append(d.Periods, document)
	}
	for _, ranking := range s.Rankings {
		document := rerateRanking{Unit: ranking.Unit, Accounts: []rerateAccount{}, Total: ranking.Of}
		for _, a := range ranking.Accounts {
			account := rerateAccount{Account: a.Name, Causes: a.Causes, Changes: newRerateChanges(ranking.Unit, a.Changes)}
			if ranking.Unit == report.Credits {
				account.Balance = newRerateChanges(ranking.Unit, a.Balances)
			}
			document.Accounts = append(document.Accounts, account)
		}
		d.Rankings = append(d.Rankings, document)
	}
	for _, h := range s.Histograms {
		for _, b := range h.Bins {
			from, to := b.Bounds()
			if b.Power < 0 {
				from, to = to.Neg(to), from.Neg(from)
			}
			d.Spread = append(d.Spread, rerateBin{h.Unit, from.String(), to.String(), b.Counts})
		}
	}
	for _, n := range s.Notes {
		document := rerateNotes{Kind: n.Kind, Currency: n.Currency}
		for i, count := range n.Counts {
			write := func(amount *big.Rat) string { return report.Text(n.Currency, amount) }
			document.Sums = append(document.Sums, rerateNoted{count, write(n.Subtotal[i]), write(n.Tax[i]), write(n.Total(i))})
		}
		d.Notes = append(d.Notes, document)
	}
	d.AllLines = s.AllLines
	for _, l := range s.Lines {
		c := newRerateChanges(l.Unit, []report.Change{l.Change})[0]
		d.Lines = append(d.Lines, rerateLine{
			optional(s.Drafts[l.Draft].Name), l.Period, l.Measure, optional(l.Item), l.Unit, l.Calls, c.Before, c.After, c.Change, l.Cause,
		})
	}
}

func newRerateRow(r report.Row) rerateRow {
	document := rerateRow{Measure: r.Measure, Unit: r.Unit, Changes: newRerateChanges(r.Unit, r.Changes)}
	if r.Measure == report.Rated {
		for i := range document.Changes {
			document.Changes[i].Calls = &r.Calls[i]
		}
	}
	return document
}

func newRerateChanges(unit string, changes []report.Change) []rerateChange {
	var list []rerateChange
	for _, c := range changes {
		list = append(list, rerateChange{Before: report.Text(unit, c.Before), After: report.Text(unit, c.After), Change: report.Text(unit, c.Difference())})
	}
	return list
}
