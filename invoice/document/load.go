package document

import (
	"context"
	stdsql "database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// ErrNotFound is the error of a number that no invoice or note has.
var ErrNotFound = errors.New("no such invoice or note")

// Tables are the names of the live tables that Load reads.
func Tables() []string {
	return []string{lake.Invoices.Name, lake.InvoiceLines.Name, lake.Statements.Name, lake.Balances.Name, lake.AccountEvents.Name}
}

// Load reads a document by its number. The session must have [Tables] as views, with
// the partition as column `period` where they have one. Numbers of nothing are
// [ErrNotFound].
func Load(ctx context.Context, session *duck.Session, calendar period.Calendar, issuer config.Issuer, number string) (*Document, error) {
	d := &Document{
		Calendar: calendar,
		Issuer:   Party{Name: issuer.Name, Address: issuer.Address, TaxID: issuer.TaxID},
	}
	l := &loader{number: number, rows: func(query string, args ...any) (*stdsql.Rows, error) {
		return session.Rows(ctx, query, args...)
	}}
	for _, part := range []func(*loader) error{d.loadInvoice, d.loadLines, d.loadUsage, d.loadBalances, d.loadParty} {
		if err := part(l); err != nil {
			return nil, fmt.Errorf("document %s: %w", number, err)
		}
	}
	return d, nil
}

type loader struct {
	rows   func(query string, args ...any) (*stdsql.Rows, error)
	number string
}

// each calls row for every row of a statement, to scan it.
func (l *loader) each(statement string, row func(*stdsql.Rows) error, args ...any) error {
	rows, err := l.rows(sql.Text(statement), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (d *Document) loadInvoice(l *loader) error {
	found := false
	err := l.each("duckdb/invoice_document", func(rows *stdsql.Rows) error {
		found = true
		var currency, month string
		var due stdsql.NullTime
		var corrects, correctsPeriod stdsql.NullString
		var amounts [5]amount
		if err := rows.Scan(&d.Number, &d.Kind, &d.Account, &currency, &amounts[0], &amounts[1], &amounts[2], &amounts[3], &amounts[4],
			&d.IssuedAt, &due, &corrects, &correctsPeriod, &month); err != nil {
			return err
		}
		d.Subtotal, d.Tax, d.Total = amounts[0].Amount, amounts[1].Amount, amounts[2].Amount
		d.Paid, d.AmountDue = amounts[3].Amount, amounts[4].Amount
		d.DueAt, d.Corrects, d.CorrectsPeriod = due.Time, corrects.String, correctsPeriod.String
		var err, err2 error
		d.Currency, err = money.ParseCurrency(currency)
		d.Period, err2 = period.Parse(month)
		return errors.Join(err, err2)
	}, l.number)
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

func (d *Document) loadLines(l *loader) error {
	return l.each("duckdb/invoice_document_lines", func(rows *stdsql.Rows) error {
		var line Line
		var item, description, cause stdsql.NullString
		var quantity credits
		var unitPrice, taxRate price
		var charged amount
		var from, to stdsql.NullTime
		if err := rows.Scan(&line.Line, &line.Kind, &item, &description, &quantity, &unitPrice, &charged, &taxRate, &from, &to, &cause); err != nil {
			return err
		}
		line.Item, line.Description, line.Cause = item.String, description.String, cause.String
		line.Quantity, line.UnitPrice, line.Amount, line.From, line.To = quantity.Amount, unitPrice.Price, charged.Amount, from.Time, to.Time
		if taxRate.given {
			line.TaxRate = &taxRate.Price
		}
		d.Lines = append(d.Lines, line)
		return nil
	}, l.number, d.Period.String())
}

func (d *Document) loadUsage(l *loader) error {
	return l.each("duckdb/invoice_document_usage", func(rows *stdsql.Rows) error {
		var u Usage
		var project, key stdsql.NullString
		var used credits
		var value amount
		if err := rows.Scan(&u.Operation, &project, &key, &u.Calls, &u.LateCalls, &u.HeldCalls, &used, &value); err != nil {
			return err
		}
		u.Project, u.Key, u.Credits, u.Value = project.String, key.String, used.Amount, value.Amount
		d.Usage = append(d.Usage, u)
		return nil
	}, d.Account, d.Period.String())
}

func (d *Document) loadBalances(l *loader) error {
	return l.each("duckdb/invoice_document_balances", func(rows *stdsql.Rows) error {
		var b Balance
		var expires stdsql.NullTime
		var flows [7]credits
		if err := rows.Scan(&b.BucketID, &b.Kind, &b.Starts, &expires, &flows[0], &flows[1], &flows[2], &flows[3], &flows[4], &flows[5], &flows[6]); err != nil {
			return err
		}
		b.Expires = expires.Time
		for i, to := range []*credit.Amount{&b.Opening, &b.Granted, &b.Burned, &b.Expired, &b.Voided, &b.RolledOut, &b.Remaining} {
			*to = flows[i].Amount
		}
		d.Balances = append(d.Balances, b)
		return nil
	}, d.Account, d.Period.String())
}

// loadParty folds what the account's events say: later ones replace the fields
// they give, and null empties one (SPEC section 5).
func (d *Document) loadParty(l *loader) error {
	return l.each("duckdb/invoice_document_party", func(rows *stdsql.Rows) error {
		var payload string
		if err := rows.Scan(&payload); err != nil {
			return err
		}
		return d.Party.update([]byte(payload))
	}, d.Account, d.Calendar.End(d.Period))
}

func (p *Party) update(payload []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(payload, &given); err != nil {
		return fmt.Errorf("account event: %w", err)
	}
	for field, to := range map[string]*string{"name": &p.Name, "email": &p.Email} {
		if value, ok := given[field]; ok {
			*to = ""
			if err := json.Unmarshal(value, to); err != nil {
				return fmt.Errorf("account event, %s: %w", field, err)
			}
		}
	}
	if value, ok := given["address"]; ok {
		p.Address = nil
		var one string
		if json.Unmarshal(value, &one) == nil && one != "" {
			p.Address = []string{one}
		} else if err := json.Unmarshal(value, &p.Address); err != nil {
			return fmt.Errorf("account event, address: %w", err)
		}
	}
	if value, ok := given["tax"]; ok {
		var tax struct {
			Label, ID     string
			ReverseCharge bool `json:"reverse_charge"`
		}
		if err := json.Unmarshal(value, &tax); err != nil {
			return fmt.Errorf("account event, tax: %w", err)
		}
		p.TaxLabel, p.TaxID, p.ReverseCharge = tax.Label, tax.ID, tax.ReverseCharge
	}
	return nil
}

// What statements give as exact text, as the types it is of.
type (
	amount  struct{ money.Amount }
	credits struct{ credit.Amount }
	price   struct {
		money.Price
		given bool
	}
)

// Scan reads a decimal; NULL is nothing.
func (a *amount) Scan(src any) (err error) {
	if text, ok := src.(string); ok {
		a.Amount, err = money.ParseAmount(text)
	}
	return err
}

// Scan reads a decimal; NULL is nothing.
func (c *credits) Scan(src any) (err error) {
	if text, ok := src.(string); ok {
		c.Amount, err = credit.Parse(text)
	}
	return err
}

// Scan reads a decimal; NULL is not given.
func (p *price) Scan(src any) (err error) {
	if text, ok := src.(string); ok {
		p.given = true
		p.Price, err = money.ParsePrice(text)
	}
	return err
}
