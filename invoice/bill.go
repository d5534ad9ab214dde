package invoice

import (
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/account"
)

// kindTax is the kind of an invoice's last line; the others are those of account.Charge.
const kindTax = "tax"

// A bill is an invoice before it has a number.
type bill struct {
	lines                            []line
	subtotal, tax, total, paid, owed money.Amount
}

// A line is one row of invoice_lines.
type line struct {
	kind, item, description string
	quantity                credit.Amount
	unitPrice               money.Price
	amount                  money.Amount
	from, to                time.Time
}

// makeBill turns an account's charges, in their order, into the lines and totals
// of its invoice (SPEC section 7, Invoice lines; section 14, 28 and 40). Charges
// that are zero are left out; without any there is no line. start and end are
// the period's; words describes the lines, its account's part is filled in here.
func makeBill(out *account.Outcome, words describer, start, end time.Time) (b bill, err error) {
	words.currency, words.buckets = out.Profile.Currency, out.Buckets
	var prepaid money.Amount
	for i := range out.Charges {
		c := &out.Charges[i]
		if c.Amount.IsZero() {
			continue
		}
		b.lines = append(b.lines, line{
			kind: c.Kind, item: lineItem(c), description: words.charge(c), quantity: c.Quantity,
			unitPrice: c.UnitPrice, amount: c.Amount, from: c.From, to: c.To,
		})
		b.subtotal = b.subtotal.Add(c.Amount)
		if c.Paid {
			prepaid = prepaid.Add(c.Amount)
		}
	}
	tax, currency := out.Profile.Tax, out.Profile.Currency
	if b.tax, err = taxOn(b.subtotal, tax, currency); err != nil {
		return b, err
	}
	paidTax, err := taxOn(prepaid, tax, currency)
	if err != nil {
		return b, err
	}
	if tax != nil && !b.subtotal.IsZero() {
		taxLine, err := makeTaxLine(&words, b.subtotal, b.tax, tax)
		if err != nil {
			return b, err
		}
		taxLine.from, taxLine.to = start, end
		b.lines = append(b.lines, taxLine)
	}
	b.total = b.subtotal.Add(b.tax)
	b.paid = prepaid.Add(paidTax)
	b.owed = b.total.Sub(b.paid)
	return b, nil
}

// lineItem is the plan or pack; of overage, the plan and the step from 1; of a
// charge, its event.
func lineItem(c *account.Charge) string {
	switch {
	case c.Kind == kindOverage:
		return c.Plan + "/" + strconv.Itoa(c.Step)
	case c.Item == "":
		return c.ID
	}
	return c.Item
}

// taxOn is the tax on an amount, rounded once to the minor unit: nothing without
// tax and with reverse charge.
func taxOn(amount money.Amount, tax *account.Tax, currency money.Currency) (money.Amount, error) {
	if tax == nil || tax.ReverseCharge || tax.Rate == nil {
		return money.Amount{}, nil
	}
	rounded, err := currency.Round(new(big.Rat).Mul(tax.Rate, amount.Rat()))
	if err != nil {
		return rounded, fmt.Errorf("tax on %s: %w", amount, err)
	}
	return rounded, nil
}

func makeTaxLine(words *describer, subtotal, amount money.Amount, tax *account.Tax) (line, error) {
	// The unit price of one tax is the tax; an amount has fewer digits than a price.
	unitPrice, err := money.RoundPrice(amount.Rat())
	if err != nil {
		return line{}, err
	}
	label := tax.Label
	if label == "" {
		label = "Tax"
	}
	return line{
		kind: kindTax, item: label, description: words.tax(label, tax, subtotal), quantity: credit.FromInt(1),
		unitPrice: unitPrice, amount: amount,
	}, nil
}

// taxRate is the rate that applied to the account's lines: 0 with reverse
// charge; ok is false without tax.
func taxRate(tax *account.Tax) (rate money.Price, ok bool, err error) {
	switch {
	case tax == nil:
		return rate, false, nil
	case tax.ReverseCharge || tax.Rate == nil:
		return rate, true, nil
	}
	rate, err = money.RoundPrice(tax.Rate)
	return rate, true, err
}
