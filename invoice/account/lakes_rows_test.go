package account_test

import (
	"context"
	"fmt"
	"math/big"
	"sort"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
)

// compared is the columns of a table that rows compares.
var compared = map[string]string{
	"ledger":        `"at", entry, bucket_id, credits`,
	"balances":      `bucket_id, kind, priority, starts_at, expires_at, opening, granted, burned, expired, voided, rolled_out, remaining, price, recognised, breakage, deferred, currency`,
	"alerts":        `kind, threshold, cycle_start, "at", usage, balance`,
	"invoice_lines": `kind, item, quantity, amount, currency`,
	"invoices":      `currency, subtotal, tax, total, paid, amount_due`,
	"statements":    `operation, key, calls, credits, currency`,
	"revenue":       `item, kind, amount, currency`,
}

// rows are an account's rows of a table in a period, as lines in order.
func (l *randomLake) rows(n int, name, table string) (lines []string) {
	l.t.Helper()
	for _, one := range lake.Tables() {
		if one.Name == table {
			l.view("comparing", one, n, n+1)
		}
	}
	rows, err := l.session.Rows(context.Background(), "SELECT "+compared[table]+" FROM comparing WHERE account = $1", name)
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	columns := must(rows.Columns())
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			l.t.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			switch v := v.(type) {
			case nil:
				cells = append(cells, "-")
			case time.Time:
				cells = append(cells, stamp(v))
			default:
				cells = append(cells, plain(fmt.Sprint(v)))
			}
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	if err := rows.Err(); err != nil {
		l.t.Fatal(err)
	}
	sort.Strings(lines)
	return lines
}

// rows is what the tables must say of a period and its outcome.
func (w world) rows(o account.Outcome, p period.Period, calendar period.Calendar) map[string][]string {
	rows := map[string][]string{"ledger": nil, "balances": nil, "alerts": nil, "invoice_lines": nil, "invoices": nil, "statements": nil, "revenue": nil}
	add := func(table string, cells ...any) {
		var texts []string
		for _, cell := range cells {
			text := fmt.Sprint(cell)
			switch c := cell.(type) {
			case time.Time:
				text = stamp(c)
			case string:
				if c == "" {
					text = "-"
				}
			}
			texts = append(texts, text)
		}
		rows[table] = append(rows[table], strings.Join(texts, " "))
	}
	currency := o.Profile.Currency
	for _, e := range o.Ledger {
		add("ledger", e.At, e.Entry, e.BucketID, e.Credits)
	}
	for _, b := range o.Buckets {
		add("balances", b.ID, b.Kind, b.Priority, b.Starts, b.Expires, b.Opening, b.GrantedNow, b.Burned, b.Expired, b.Voided, b.RolledOut, b.Remaining,
			b.Price, b.Recognised, b.Breakage, b.Deferred, currency)
	}
	for _, a := range o.Alerts {
		add("alerts", a.Kind, a.Threshold, a.CycleStart, a.At, a.Usage, a.Balance)
	}
	w.bill(o, add)
	calls, credits := map[[2]any]int{}, map[[2]any]*big.Rat{}
	for i, c := range w.calls {
		if key := [2]any{w.operationOf(i), w.keyOf(i)}; calendar.Of(c.t) == p {
			if calls[key]++; credits[key] == nil {
				credits[key] = new(big.Rat)
			}
			credits[key].Add(credits[key], big.NewRat(c.micro, 1_000_000))
		}
	}
	for key, n := range calls {
		name := key[1]
		if name == nil {
			name = ""
		}
		add("statements", key[0], name, n, num(credits[key]), currency)
	}
	if len(calls) == 0 && len(o.Buckets) > 0 {
		add("statements", "", "", 0, 0, currency)
	}
	return rows
}

// bill makes invoice, lines, revenue and statement of an outcome in rationals.
func (w world) bill(o account.Outcome, add func(table string, cells ...any)) {
	m, sum := model{currency: o.Profile.Currency.String()}, func(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
	subtotal, prepaid := new(big.Rat), new(big.Rat)
	earned := map[[2]string]*big.Rat{}
	earn := func(item, kind string, amount *big.Rat) {
		key := [2]string{item, kind}
		if earned[key] == nil {
			earned[key] = new(big.Rat)
		}
		earned[key].Add(earned[key], amount)
	}
	for _, b := range o.Buckets {
		earn(b.Item, "use", b.Recognised.Rat())
		earn(b.Item, "breakage", b.Breakage.Rat())
	}
	lines := 0
	for _, c := range o.Charges {
		add("invoice_lines", c.Kind, c.Item, c.Quantity, c.Amount, m.currency)
		lines++
		subtotal.Add(subtotal, c.Amount.Rat())
		if c.Paid {
			prepaid.Add(prepaid, c.Amount.Rat())
		}
		switch {
		case c.Kind == "overage":
			earn(c.Plan, "overage", c.Amount.Rat())
		case c.BucketID != "":
		case c.Kind == "fee":
			earn(c.Item, "fee", c.Amount.Rat())
		default:
			earn(c.Item, "other", c.Amount.Rat())
		}
	}
	for key, amount := range earned {
		if amount.Sign() != 0 {
			add("revenue", key[0], key[1], num(amount), m.currency)
		}
	}
	tax, paidTax := new(big.Rat), new(big.Rat)
	if o.Profile.Tax != nil {
		tax, paidTax = m.money(mul(subtotal, o.Profile.Tax.Rate)), m.money(mul(prepaid, o.Profile.Tax.Rate))
		if subtotal.Sign() != 0 {
			add("invoice_lines", "tax", "Tax", 1, num(tax), m.currency)
		}
	}
	if lines > 0 {
		total, paid := sum(subtotal, tax), sum(prepaid, paidTax)
		add("invoices", m.currency, num(subtotal), num(tax), num(total), num(paid), num(sub(total, paid)))
	}
}
