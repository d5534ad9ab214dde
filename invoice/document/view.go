package document

import (
	"cmp"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/period"
)

// What HTML and PDF show, as text: both print this and format nothing themselves,
// so that they cannot differ.
type (
	view struct {
		Title, Number, Period string
		Facts                 []factView
		Issuer, Party         partyView
		Lines                 []lineView
		Sums                  []sumView
		Notes                 []string
		Usage                 []usageView
		UsageNotes            []string
		Balances              []balanceView
		Footer                string
	}
	factView  struct{ Name, Value string }
	partyView struct {
		Name  string
		Lines []string // address, and what else is known
		Soft  []string // tax ID and account
	}
	lineView struct {
		Description, Cause, Period, Quantity, UnitPrice, Amount string
	}
	// A sumView is one line under the table of lines.
	sumView struct {
		Name, Amount string
		Weight       int    // sumPlain and up
		Cause        string // of a note's tax
	}
	// A usageView is usage added up by one of its parts.
	usageView struct {
		Title, Head string
		Late, Held  bool // whether the columns are shown
		Value       string
		Rows        []usageRow
		Total       usageRow
	}
	usageRow struct{ Name, Calls, Late, Held, Credits, Value string }

	balanceView struct{ Kind, Starts, Expires, Opening, Granted, Burned, Gone, Remaining string }
)

// The weights of sums.
const (
	sumPlain = iota
	sumTotal
	sumDue
)

// mostRows is how many rows of a table of usage or buckets are printed: the largest,
// and one for all others. JSON has them all.
const mostRows = 60

// titles are what documents are called.
var titles = map[string]string{Invoice: "Invoice", CreditNote: "Credit note", DebitNote: "Debit note"}

func (d *Document) title() string {
	if title, ok := titles[d.Kind]; ok {
		return title
	}
	return shown(d.Kind)
}

func (d *Document) view() view {
	v := view{
		Title: d.title(), Number: shown(d.Number), Period: d.month(), Facts: d.facts(),
		Issuer: newParty(&d.Issuer), Party: newParty(&d.Party), Sums: d.sums(), Notes: d.notes(),
	}
	v.Issuer.Lines = append(v.Issuer.Lines, paragraphs(d.Issuer.Email)...)
	v.Party.Lines = append(v.Party.Lines, paragraphs(d.Party.Email)...)
	v.Party.Soft = append(v.Party.Soft, "Account "+shown(d.Account))
	for i := range d.Lines {
		if l := &d.Lines[i]; l.Kind != kindTax {
			v.Lines = append(v.Lines, lineView{
				Description: shown(l.text()), Cause: reason(l), Period: d.span(l.From, l.To), Quantity: number(l.Quantity),
				UnitPrice: group(d.UnitPrice(l)), Amount: d.money(l.Amount),
			})
		}
	}
	for _, part := range d.parts() {
		v.Usage = append(v.Usage, d.usageView(part))
	}
	v.UsageNotes = d.usageNotes()
	v.Balances = d.balanceViews()
	v.Footer = v.Title + " " + v.Number
	if d.Issuer.Name != "" {
		v.Footer += " · " + shown(d.Issuer.Name)
	}
	return v
}

func (d *Document) month() string { return d.monthOf(d.Period) }

func (d *Document) monthOf(p period.Period) string {
	return d.Calendar.Start(p).In(d.Calendar.Location()).Format("January 2006")
}

func newParty(p *Party) partyView {
	v := partyView{Name: shown(p.Name), Lines: paragraphs(p.Address...)}
	if p.TaxID != "" {
		v.Soft = append(v.Soft, "Tax ID "+shown(p.TaxID))
	}
	return v
}

func (d *Document) facts() []factView {
	facts := []factView{{d.title() + " number", shown(d.Number)}, {"Issued", d.date(d.IssuedAt)}}
	corrects, month := "", ""
	if d.isNote() {
		corrects, month = cmp.Or(shown(d.Corrects), "no invoice"), d.correctedMonth()
	}
	for _, fact := range []factView{
		{"Due", d.date(d.DueAt)},
		{"Period", d.month()},
		{"Corrects", corrects},
		{"Period corrected", month},
		{"Currency", d.Currency.String()},
	} {
		if fact.Value != "" {
			facts = append(facts, fact)
		}
	}
	return facts
}

// reason is why a note has the line, in a sentence's place; empty on an invoice.
func reason(l *Line) string {
	if l.Cause == "" {
		return ""
	}
	return "Reason: " + shown(l.Why())
}

// text is what a line is for: its description, or its item where it has none.
func (l *Line) text() string { return cmp.Or(l.Description, l.Item) }

func (d *Document) sums() []sumView {
	sums := []sumView{{Name: "Subtotal", Amount: d.money(d.Subtotal)}}
	for i := range d.Lines {
		if l := &d.Lines[i]; l.Kind == kindTax {
			sums = append(sums, sumView{Name: shown(l.text()), Amount: d.money(l.Amount), Cause: reason(l)})
		}
	}
	code := " " + d.Currency.String()
	sums = append(sums, sumView{Name: "Total", Amount: d.money(d.Total) + code, Weight: sumTotal})
	if !d.Paid.IsZero() {
		sums = append(sums, sumView{Name: "Already paid", Amount: d.money(d.Paid.Neg())})
	}
	due := "Amount due"
	switch {
	case d.AmountDue.Sign() < 0:
		due = "In your favour"
	case d.AmountDue.Sign() > 0 && !d.DueAt.IsZero():
		due = "Amount due by " + d.date(d.DueAt)
	}
	return append(sums, sumView{Name: due, Amount: d.money(d.AmountDue) + code, Weight: sumDue})
}

// notes are sentences to be seen.
func (d *Document) notes() (notes []string) {
	if d.isNote() {
		notes = append(notes, d.correction())
	}
	if d.reverseCharge() {
		note := "Reverse charge: no tax is charged on this " + strings.ToLower(d.title()) + ". The recipient accounts for the tax"
		if d.Party.TaxID != "" {
			note += " under tax ID " + shown(d.Party.TaxID)
		}
		notes = append(notes, note+".")
	}
	if d.AmountDue.IsZero() {
		if d.Paid.IsZero() {
			notes = append(notes, "There is nothing to pay.")
		} else {
			notes = append(notes, "Paid in full, there is nothing left to pay.")
		}
	}
	return notes
}

func (d *Document) usageView(part usagePart) usageView {
	v := usageView{Title: part.title + " in " + d.month(), Head: part.head, Value: "Value (" + d.Currency.String() + ")"}
	total := d.usageTotal()
	v.Late, v.Held = total.LateCalls > 0, total.HeldCalls > 0
	printed, others := part.rows, Usage{}
	if len(printed) > mostRows {
		bySize := slices.Clone(printed)
		slices.SortStableFunc(bySize, func(a, b namedUsage) int {
			return cmp.Or(b.Credits.Cmp(a.Credits), cmp.Compare(b.Calls, a.Calls))
		})
		printed = bySize[:mostRows]
		for i := range bySize[mostRows:] {
			others.add(&bySize[mostRows+i].Usage)
		}
	}
	for i := range printed {
		v.Rows = append(v.Rows, d.usageRow(cmp.Or(shown(printed[i].name), part.none), &printed[i].Usage))
	}
	if more := len(part.rows) - len(printed); more > 0 {
		v.Rows = append(v.Rows, d.usageRow(count(int64(more))+" others", &others))
	}
	v.Total = d.usageRow("Total", &total)
	return v
}

func (d *Document) usageRow(name string, u *Usage) usageRow {
	return usageRow{
		Name: name, Calls: count(u.Calls), Late: count(u.LateCalls), Held: count(u.HeldCalls), Credits: number(u.Credits), Value: d.money(u.Value),
	}
}

func (d *Document) usageNotes() []string {
	total := d.usageTotal()
	if total.Calls == 0 && total.HeldCalls == 0 {
		return nil
	}
	notes := []string{"Value is what these credits cost at the price of the plan, pack or overage that paid for them. It adds nothing to the amounts above."}
	if total.LateCalls > 0 {
		notes = append(notes, d.lateCalls(total.LateCalls))
	}
	if total.HeldCalls > 0 {
		notes = append(notes, "Calls held back had no price yet when the period was closed. They are not part of this document.")
	}
	return notes
}

func (d *Document) lateCalls(n int64) string {
	start := d.Calendar.Start(d.Period).In(d.Calendar.Location()).Format("2 January 2006")
	calls, they, their := "calls are", "They", "their"
	if n == 1 {
		calls, they, their = "calls is", "It", "its"
	}
	return count(n) + " of these " + calls + " late: from before " + start + ". " + they + " became known, or could be priced, only after " + their + " month had been closed."
}

func (d *Document) balanceViews() (views []balanceView) {
	row := func(kind string, b *Balance) balanceView {
		return balanceView{
			Kind: kind, Starts: d.date(b.Starts), Opening: number(b.Opening), Granted: number(b.Granted), Burned: number(b.Burned),
			Gone: number(b.Expired.Add(b.Voided).Add(b.RolledOut)), Remaining: number(b.Remaining),
		}
	}
	var others Balance
	for i := range d.Balances {
		b := &d.Balances[i]
		if i >= mostRows {
			for _, sum := range [][2]*credit.Amount{
				{&others.Opening, &b.Opening},
				{&others.Granted, &b.Granted},
				{&others.Burned, &b.Burned},
				{&others.Expired, &b.Expired},
				{&others.Voided, &b.Voided},
				{&others.RolledOut, &b.RolledOut},
				{&others.Remaining, &b.Remaining},
			} {
				*sum[0] = sum[0].Add(*sum[1])
			}
			continue
		}
		v := row(bucketKind(b.Kind), b)
		if v.Expires = d.date(b.Expires); v.Expires == "" {
			v.Expires = "no end"
		}
		views = append(views, v)
	}
	if more := len(d.Balances) - mostRows; more > 0 {
		views = append(views, row(count(int64(more))+" others", &others))
	}
	return views
}

var bucketKinds = map[string]string{
	"allowance": "Monthly allowance", "rollover": "Rolled over", "pack": "Credit pack", "topup": "Top-up",
	"promotion": "Promotion", "opened": "Brought over",
}

func bucketKind(kind string) string {
	if name, ok := bucketKinds[kind]; ok {
		return name
	}
	return shown(kind)
}
