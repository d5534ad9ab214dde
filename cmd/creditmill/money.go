package main

import (
	"context"
	"math/big"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// issued are the documents of a period as JSON holds them, amounts with the
// digits of their currency.
func issued(ctx context.Context, m *jobs.Mill, p period.Period) (invoices []map[string]any, err error) {
	err = reading(ctx, m, func(r *jobs.Reader) error {
		found, err := fetch(ctx, r.Session(), sql.Text("duckdb/show_invoices"), p.String())
		invoices, _ = found.document("subtotal", "tax", "total", "paid", "amount_due")
		return err
	}, lake.Invoices.Name)
	return invoices, err
}

// inCurrency writes an amount with the digits of its currency: "99.00", "1200".
// An amount that does not read as one is left as it is.
func inCurrency(amount decimal, code string) decimal {
	parsed, err := money.ParseAmount(string(amount))
	if err != nil {
		return amount
	}
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return amount
	}
	return decimal(currency.Format(parsed))
}

// moneyText is an amount for people.
func moneyText(value any, code string) string {
	if amount, ok := value.(decimal); ok {
		return grouped(string(inCurrency(amount, code)))
	}
	return pretty(value)
}

// A sum adds amounts up exactly.
type sum struct {
	n        int64
	units    *big.Rat
	currency string
}

func (s sum) text() string {
	return string(inCurrency(decimal(s.units.FloatString(money.AmountScale)), s.currency))
}

// sumByCurrency adds up the totals of invoices.
func sumByCurrency(invoices []map[string]any) map[string]sum {
	sums := map[string]sum{}
	for _, invoice := range invoices {
		code := plain(invoice["currency"])
		s, ok := sums[code]
		if !ok {
			s = sum{units: new(big.Rat), currency: code}
		}
		if amount, ok := new(big.Rat).SetString(plain(invoice["total"])); ok {
			s.units.Add(s.units, amount)
		}
		s.n++
		sums[code] = s
	}
	return sums
}
