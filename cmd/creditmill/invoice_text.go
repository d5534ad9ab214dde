package main

import (
	"bytes"
	"fmt"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/document"
)

// invoiceText is a document for a terminal.
func invoiceText(d *document.Document) string {
	var out bytes.Buffer
	amount := func(m money.Amount) string { return grouped(d.Currency.Format(m)) }
	kind := map[string]string{document.CreditNote: "Credit note", document.DebitNote: "Debit note"}[d.Kind]
	if kind == "" {
		kind = "Invoice"
	}
	fmt.Fprintf(&out, "%s %s for %s\n", kind, printable(d.Number), d.Period)
	fmt.Fprintf(&out, "  from     %s\n", partyText(d.Issuer))
	fmt.Fprintf(&out, "  to       %s (account %s)\n", partyText(d.Party), printable(d.Account))
	fmt.Fprintf(&out, "  issued   %s\n", instantText(d.IssuedAt))
	if !d.DueAt.IsZero() {
		fmt.Fprintf(&out, "  due      %s\n", instantText(d.DueAt))
	}
	if d.Corrects != "" {
		fmt.Fprintf(&out, "  corrects %s of %s\n", printable(d.Corrects), d.CorrectsPeriod)
	}
	lines := newGrid("line", "kind", "what", "quantity", "unit price", d.Currency.String()).numbers(0, 3, 4, 5)
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
		lines.add(fmt.Sprint(l.Line), l.Kind, what, quantity, price, amount(l.Amount))
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
	if len(d.Usage) > 0 {
		usage := newGrid("operation", "project", "key", "calls", "credits", "value").numbers(3, 4, 5)
		for _, u := range d.Usage {
			if u.Operation != "" {
				usage.add(u.Operation, u.Project, u.Key, grouped(fmt.Sprint(u.Calls)), grouped(u.Credits.String()), amount(u.Value))
			}
		}
		if len(usage.rows) > 0 {
			fmt.Fprintf(&out, "\n%s", usage)
		}
	}
	return out.String()
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
