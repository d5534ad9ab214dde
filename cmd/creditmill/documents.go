package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// documents reads the document of a number, or those of a period, out of the
// committed tables.
func documents(ctx context.Context, m *jobs.Mill, r *jobs.Reader, number string, p period.Period) ([]*document.Document, error) {
	found, err := fetch(ctx, r.Session(), sql.Text("duckdb/document_invoices"), number, p.String())
	if err != nil {
		return nil, err
	}
	var all []*document.Document
	for _, row := range found.objects() {
		d, err := readDocument(ctx, m, r, &cells{row: row})
		if err != nil {
			return nil, fmt.Errorf("invoice %s: %w", plain(row["number"]), err)
		}
		all = append(all, d)
	}
	return all, nil
}

func readDocument(ctx context.Context, m *jobs.Mill, r *jobs.Reader, c *cells) (*document.Document, error) {
	d := &document.Document{
		Number: c.text("number"), Kind: c.text("kind"), Account: c.text("account"), Calendar: m.Calendar,
		IssuedAt: c.instant("issued_at"), DueAt: c.instant("due_at"), Corrects: c.text("corrects"), CorrectsPeriod: c.text("corrects_period"),
		Subtotal: c.amount("subtotal"), Tax: c.amount("tax"), Total: c.amount("total"), Paid: c.amount("paid"), AmountDue: c.amount("amount_due"),
		Issuer: document.Party{Name: m.Config.Issuer.Name, Address: m.Config.Issuer.Address, TaxID: m.Config.Issuer.TaxID},
	}
	var err error
	if d.Currency, err = money.ParseCurrency(c.text("currency")); err != nil {
		return nil, err
	}
	if d.Period, err = period.Parse(c.text("period")); err != nil {
		return nil, err
	}
	if d.Party, err = readParty(ctx, r, d.Account, m.Calendar.End(d.Period)); err != nil {
		return nil, err
	}
	s, month := r.Session(), d.Period.String()
	lines, err := fetch(ctx, s, sql.Text("duckdb/document_lines"), d.Number)
	if err != nil {
		return nil, err
	}
	for _, row := range lines.objects() {
		l := &cells{row: row}
		d.Lines = append(d.Lines, document.Line{
			Line: int(l.integer("line")), Kind: l.text("kind"), Item: l.text("item"), Description: l.text("description"),
			Quantity: l.credits("quantity"), UnitPrice: l.price("unit_price"), Amount: l.amount("amount"), TaxRate: l.rate("tax_rate"),
			From: l.instant("from"), To: l.instant("to"), Cause: l.text("cause"),
		})
		err = errors.Join(err, l.err)
	}
	usage, usageErr := fetch(ctx, s, sql.Text("duckdb/document_usage"), d.Account, month)
	for _, row := range usage.objects() {
		u := &cells{row: row}
		d.Usage = append(d.Usage, document.Usage{
			Operation: u.text("operation"), Project: u.text("project"), Key: u.text("key"), Calls: u.integer("calls"),
			LateCalls: u.integer("late_calls"), HeldCalls: u.integer("held_calls"), Credits: u.credits("credits"), Value: u.amount("value"),
		})
		err = errors.Join(err, u.err)
	}
	balances, balancesErr := fetch(ctx, s, sql.Text("duckdb/document_balances"), d.Account, month)
	for _, row := range balances.objects() {
		b := &cells{row: row}
		d.Balances = append(d.Balances, document.Balance{
			BucketID: b.text("bucket_id"), Kind: b.text("kind"), Starts: b.instant("starts_at"), Expires: b.instant("expires_at"),
			Opening: b.credits("opening"), Granted: b.credits("granted"), Burned: b.credits("burned"), Expired: b.credits("expired"),
			Voided: b.credits("voided"), RolledOut: b.credits("rolled_out"), Remaining: b.credits("remaining"),
		})
		err = errors.Join(err, b.err)
	}
	return d, errors.Join(err, usageErr, balancesErr, c.err)
}

// readParty is who an account is at an instant: later events replace the fields
// that they give, null empties one (SPEC section 5).
func readParty(ctx context.Context, r *jobs.Reader, account string, until time.Time) (document.Party, error) {
	events, err := fetch(ctx, r.Session(), sql.Text("duckdb/document_party"), account, until)
	if err != nil {
		return document.Party{}, err
	}
	var party document.Party
	for _, row := range events.rows {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(plain(row[0])), &fields); err != nil {
			return party, fmt.Errorf("events of account %s: %w", account, err)
		}
		for name, value := range fields {
			var err error
			switch name {
			case "name":
				party.Name, err = given[string](value)
			case "email":
				party.Email, err = given[string](value)
			case "address":
				party.Address, err = addressLines(value)
			case "tax":
				var tax struct {
					Label, ID     string
					ReverseCharge bool `json:"reverse_charge"`
				}
				err = json.Unmarshal(value, &tax)
				party.TaxLabel, party.TaxID, party.ReverseCharge = tax.Label, tax.ID, tax.ReverseCharge
			}
			if err != nil {
				return party, fmt.Errorf("events of account %s: %s: %w", account, name, err)
			}
		}
	}
	return party, nil
}

// given is a JSON value; null is the zero value.
func given[T any](value json.RawMessage) (v T, err error) {
	err = json.Unmarshal(value, &v)
	return v, err
}

func addressLines(value json.RawMessage) ([]string, error) {
	if line, err := given[string](value); err == nil && line != "" {
		return []string{line}, nil
	}
	return given[[]string](value)
}

// cells reads a row's values by column name and keeps the first error.
type cells struct {
	row map[string]any
	err error
}

func (c *cells) text(column string) string { return plain(c.row[column]) }

func (c *cells) keep(column string, err error) {
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("column %s: %w", column, err)
	}
}

func (c *cells) integer(column string) int64 {
	if c.row[column] == nil {
		return 0
	}
	n, err := strconv.ParseInt(c.text(column), 10, 64)
	c.keep(column, err)
	return n
}

func (c *cells) instant(column string) time.Time {
	if c.row[column] == nil {
		return time.Time{}
	}
	t, err := period.ParseInstant(c.text(column))
	c.keep(column, err)
	return t
}

func (c *cells) credits(column string) (a credit.Amount) {
	if c.row[column] == nil {
		return a
	}
	a, err := credit.Parse(c.text(column))
	c.keep(column, err)
	return a
}

func (c *cells) amount(column string) (a money.Amount) {
	if c.row[column] == nil {
		return a
	}
	a, err := money.ParseAmount(c.text(column))
	c.keep(column, err)
	return a
}

func (c *cells) price(column string) (p money.Price) {
	if c.row[column] == nil {
		return p
	}
	p, err := money.ParsePrice(c.text(column))
	c.keep(column, err)
	return p
}

func (c *cells) rate(column string) *money.Price {
	if c.row[column] == nil {
		return nil
	}
	p := c.price(column)
	return &p
}
