package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/document"
)

// invoiceText is a document for a terminal.
func invoiceText(d *document.Document) string {
	var out bytes.Buffer
	amount := func(m money.Amount) string { return grouped(d.Currency.Format(m)) }
	fmt.Fprintf(&out, "%s %s for %s\n", title(d.Kind), printable(d.Number), d.Period)
	fmt.Fprintf(&out, "  from     %s\n", partyText(d.Issuer))
	fmt.Fprintf(&out, "  to       %s (account %s)\n", partyText(d.Party), printable(d.Account))
	fmt.Fprintf(&out, "  issued   %s\n", instantText(d.IssuedAt))
	if !d.DueAt.IsZero() {
		fmt.Fprintf(&out, "  due      %s\n", instantText(d.DueAt))
	}
	if d.Kind != document.Invoice {
		fmt.Fprintf(&out, "  corrects %s\n", correctsText(d.Corrects, d.CorrectsPeriod))
	}
	head := []string{"line", "kind", "what", "quantity", "unit price", d.Currency.String()}
	if d.Kind != document.Invoice {
		head = append(head, "why")
	}
	lines := newGrid(head...).numbers(0, 3, 4, 5)
	for i := range d.Lines {
		l := &d.Lines[i]
		what := l.Description
		if what == "" {
			what = l.Item
		}
		quantity, price := grouped(l.Quantity.String()), grouped(d.UnitPrice(l))
		if l.Kind == "tax" {
			quantity, price = "", ""
		}
		cells := []string{fmt.Sprint(l.Line), l.Kind, what, quantity, price, amount(l.Amount)}
		if d.Kind != document.Invoice {
			cells = append(cells, l.Why())
		}
		lines.add(cells...)
	}
	fmt.Fprintf(&out, "\n%s\n", lines)
	totals := newGrid("", d.Currency.String()).numbers(1)
	for _, row := range []struct {
		name string
		m    money.Amount
	}{{"subtotal", d.Subtotal}, {"tax", d.Tax}, {"total", d.Total}, {"paid", d.Paid}, {"due", d.AmountDue}} {
		totals.add(row.name, amount(row.m))
	}
	fmt.Fprintf(&out, "%s", totals)
	if usage := usageText(d); usage != "" {
		fmt.Fprintf(&out, "\n%s", usage)
	}
	return out.String()
}

// usageText is the usage of a document by operation, project and key; calls that came
// late or are held have columns where there are any.
func usageText(d *document.Document) string {
	var late, held int64
	for i := range d.Usage {
		late, held = late+d.Usage[i].LateCalls, held+d.Usage[i].HeldCalls
	}
	head := []string{"operation", "project", "key", "calls"}
	if late > 0 {
		head = append(head, "of these late")
	}
	if held > 0 {
		head = append(head, "held")
	}
	head = append(head, "credits", "value")
	usage := newGrid(head...)
	for i := range head[3:] {
		usage.numbers(3 + i)
	}
	for i := range d.Usage {
		u := &d.Usage[i]
		if u.Operation == "" { // the row of an account without usage
			continue
		}
		cells := []string{u.Operation, u.Project, u.Key, grouped(fmt.Sprint(u.Calls))}
		if late > 0 {
			cells = append(cells, grouped(fmt.Sprint(u.LateCalls)))
		}
		if held > 0 {
			cells = append(cells, grouped(fmt.Sprint(u.HeldCalls)))
		}
		usage.add(append(cells, grouped(u.Credits.String()), grouped(d.Currency.Format(u.Value)))...)
	}
	if len(usage.rows) == 0 {
		return ""
	}
	return usage.String()
}

// notesText lists the notes that correct an invoice, and what all of them come to.
func notesText(d *document.Document, notes []document.Note) string {
	if len(notes) == 0 {
		return ""
	}
	grid := newGrid("corrected by", "", "issued", "", "subtotal", "tax", "total", "to pay").numbers(4, 5, 6, 7)
	add := func(name, kind, issued string, s document.Sum) {
		amount := func(m money.Amount) string { return grouped(s.Currency.Format(m)) }
		grid.add(name, kind, issued, s.Currency.String(), amount(s.Subtotal), amount(s.Tax), amount(s.Total), amount(s.AmountDue))
	}
	for i := range notes {
		n := &notes[i]
		add(n.Number, strings.ToLower(title(n.Kind)), d.Calendar.Day(n.IssuedAt), document.Sum{Currency: n.Currency, Subtotal: n.Subtotal, Tax: n.Tax, Total: n.Total, AmountDue: n.AmountDue})
	}
	add("this invoice", "", d.Calendar.Day(d.IssuedAt), d.Together(nil)[0])
	for _, sum := range d.Together(notes) {
		add("together", "", "", sum)
	}
	return "\n" + grid.String()
}

// title is what a kind of document is called.
func title(kind string) string {
	switch kind {
	case document.CreditNote:
		return "Credit note"
	case document.DebitNote:
		return "Debit note"
	}
	return "Invoice"
}

// correctsText says what a note corrects: an invoice, or a month that had none.
func correctsText(number, month string) string {
	if number == "" {
		return month + ", without an invoice"
	}
	return printable(number) + " of " + printable(month)
}

func partyText(p document.Party) string {
	text := p.Name
	for _, line := range p.Address {
		text += ", " + line
	}
	if p.TaxID != "" {
		text += ", " + p.TaxID
	}
	return printable(text)
}
