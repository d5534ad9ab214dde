package main

import (
	"context"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// listInvoices prints the newest invoices and notes of a selection, and what all of
// them come to.
func (a *app) listInvoices(ctx context.Context, s document.Selection, limit int) error {
	var account, month any
	tables := []string{lake.Invoices.Name}
	if s.Account != "" {
		account = s.Account
		tables = append(tables, lake.AccountEvents.Name)
	}
	if !s.Period.IsZero() {
		month = s.Period.String()
	}
	return a.read(ctx, func(m *jobs.Mill, r *jobs.Reader) error {
		found, err := fetch(ctx, r.Session(), sql.Text("duckdb/show_invoice_list"), account, month, limit)
		if err != nil {
			return err
		}
		sums, err := fetch(ctx, r.Session(), sql.Text("duckdb/show_invoice_sums"), account, month)
		if err != nil {
			return err
		}
		if len(sums.rows) == 0 && s.Account != "" {
			if err := r.CheckAccount(ctx, s.Account); err != nil {
				return err
			}
		}
		return a.invoices(m.Calendar, s, found, sums)
	}, tables...)
}

func (a *app) invoices(calendar period.Calendar, s document.Selection, found, sums result) error {
	amounts := []string{"subtotal", "tax", "total", "paid", "amount_due"}
	rows, _ := found.document(amounts...)
	totals, _ := sums.document(amounts...)
	var all int64
	if len(found.rows) > 0 {
		_, all = found.document()
	}
	if a.json {
		return a.print(map[string]any{
			"account": optional(s.Account), "period": optional(s.Period.String()), "invoices": rows, "total": all, "sums": totals,
		})
	}
	if len(rows) == 0 {
		a.printf("There are no invoices%s.\n", ofSelection(s))
		return nil
	}
	grid := newGrid("number", "kind", "account", "month", "issued", "due", "", "total", "paid", "to pay").numbers(7, 8, 9)
	for _, row := range rows {
		kind := plain(row["kind"])
		if kind != document.Invoice {
			kind += " for " + correctsText(plain(row["corrects"]), plain(row["corrects_period"]))
		}
		grid.add(plain(row["number"]), kind, plain(row["account"]), plain(row["period"]), day(calendar, row["issued_at"]), day(calendar, row["due_at"]), plain(row["currency"]),
			moneyOf(row["total"]), moneyOf(row["paid"]), moneyOf(row["amount_due"]))
	}
	a.printf("%s%s\n", grid, more(len(rows), all))
	total := newGrid("together", "documents", "total", "paid", "to pay").numbers(1, 2, 3, 4)
	for _, row := range totals {
		total.add(plain(row["currency"]), pretty(row["documents"]), moneyOf(row["total"]), moneyOf(row["paid"]), moneyOf(row["amount_due"]))
	}
	a.printf("%s", total)
	return nil
}

func ofSelection(s document.Selection) string {
	text := ""
	if s.Account != "" {
		text += " of " + printable(s.Account)
	}
	if !s.Period.IsZero() {
		text += " in " + s.Period.String()
	}
	return text
}

// moneyOf is an amount that has its currency's digits already.
func moneyOf(amount any) string { return grouped(plain(amount)) }

// day is the date of an instant, of a row, in the billing time zone.
func day(calendar period.Calendar, instant any) string {
	t, err := period.ParseInstant(plain(instant))
	if err != nil {
		return ""
	}
	return calendar.Day(t)
}
