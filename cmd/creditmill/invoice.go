package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// The formats of `invoice`; JSON is formatJSON.
const (
	formatText = "text"
	formatHTML = "html"
)

func (a *app) invoiceCommand() *cobra.Command {
	var format, output, month, to string
	cmd := &cobra.Command{
		Use:   "invoice NUMBER | invoice --period MONTH --to DIR",
		Short: "Show an invoice, or write those of a month into a folder",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(month)
			if err != nil {
				return err
			}
			switch {
			case len(args) == 1 && month+to != "", len(args) == 0 && (month == "" || to == "" || output != ""):
				return usagef("name one invoice, or a month with --period and a folder with --to")
			case format == "" && len(args) == 0:
				format = formatHTML
			case format == "":
				format = formatText
			}
			if a.json && len(args) == 1 {
				format = formatJSON
			}
			if format != formatText && format != formatJSON && format != formatHTML {
				return usagef("--format %s: choose text, json or html", format)
			}
			return a.read(cmd.Context(), func(m *jobs.Mill, r *jobs.Reader) error {
				if len(args) == 0 {
					names, err := a.writeInvoices(cmd.Context(), m, r, p, to, format)
					if err != nil {
						return err
					}
					return a.wrote(p, to, names)
				}
				return a.invoice(cmd.Context(), m, r, args[0], format, output)
			}, document.Tables()...)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&format, "format", "", "text, json or html (default: text; with --to: html)")
	flags.StringVar(&output, "output", "", "write the document into this `FILE`")
	flags.StringVar(&month, "period", "", "write the documents of this `MONTH`, such as 2026-10")
	flags.StringVar(&to, "to", "", "write them into this `FOLDER`, a file each")
	return cmd
}

func (a *app) invoice(ctx context.Context, m *jobs.Mill, r *jobs.Reader, number, format, output string) error {
	d, err := document.Load(ctx, r.Session(), m.Calendar, m.Config.Issuer, number)
	if errors.Is(err, document.ErrNotFound) {
		return withHint(fmt.Errorf("there is no invoice %s", number), "`creditmill query \"SELECT number, account, total FROM invoices ORDER BY ALL\"` lists them")
	}
	if err != nil {
		return err
	}
	content, err := render(d, format)
	if err != nil {
		return err
	}
	if output != "" {
		return os.WriteFile(output, content, 0o644)
	}
	_, err = a.stdout.Write(content)
	return err
}

// writeInvoices writes the documents of a period into a folder, a file each, and
// returns the files' names.
func (a *app) writeInvoices(ctx context.Context, m *jobs.Mill, r *jobs.Reader, p period.Period, folder, format string) ([]string, error) {
	numbers, err := fetch(ctx, r.Session(), sql.Text("duckdb/show_invoice_numbers"), p.String())
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	extension := map[string]string{formatText: ".txt", formatJSON: ".json", formatHTML: ".html"}[format]
	var names []string
	for _, row := range numbers.rows {
		d, err := document.Load(ctx, r.Session(), m.Calendar, m.Config.Issuer, plain(row[0]))
		if err != nil {
			return nil, err
		}
		content, err := render(d, format)
		if err != nil {
			return nil, err
		}
		name := filepath.Join(folder, d.Number+extension)
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (a *app) wrote(p period.Period, folder string, names []string) error {
	if a.json {
		if names == nil {
			names = []string{}
		}
		return a.print(map[string]any{"period": p.String(), "files": names})
	}
	if len(names) == 0 {
		a.printf("%s has no invoices.\n", p)
		return nil
	}
	a.printf("Wrote %s of %s into %s.\n", count(int64(len(names)), "document"), p, folder)
	return nil
}

func render(d *document.Document, format string) ([]byte, error) {
	switch format {
	case formatJSON:
		return d.JSON()
	case formatHTML:
		var out bytes.Buffer
		err := d.HTML(&out)
		return out.Bytes(), err
	default:
		return []byte(invoiceText(d)), nil
	}
}

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
		quantity, price := grouped(l.Quantity.String()), grouped(priceText(l.UnitPrice, d.Currency))
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

// priceText is a unit price with at least the digits of its currency, and all
// that it has.
func priceText(p money.Price, currency money.Currency) string {
	return fixed.Format(p.Num(), money.PriceScale, currency.Digits())
}
