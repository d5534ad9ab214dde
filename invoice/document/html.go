package document

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
)

//go:embed invoice.html
var page string

// HTML writes the document as one file without scripts or references, fit for
// A4. Text is escaped wherever it comes from.
func (d *Document) HTML(w io.Writer) error {
	parsed, err := template.New("document").Parse(page)
	if err != nil {
		return fmt.Errorf("document template: %w", err)
	}
	if err := parsed.Execute(w, d.view()); err != nil {
		return fmt.Errorf("document %s: %w", d.Number, err)
	}
	return nil
}

// What the template shows, as text: it formats nothing itself.
type (
	view struct {
		Title, Number, Period, Issued, Due, Corrects, CorrectsPeriod string
		Account, Currency                                            string
		Issuer, Party                                                Party
		Lines                                                        []lineView
		Tax                                                          []lineView
		Subtotal, Total, Paid, AmountDue                             string
		IsPaid, HasPaid, ReverseCharge, IsNote                       bool
		Usage                                                        []usageView
		UsageTotal                                                   usageView
		Late, Held                                                   bool
		Balances                                                     []balanceView
		Zone                                                         string
	}
	lineView struct {
		Description, Item, Detail, Period, Quantity, UnitPrice, Amount, Cause string
	}
	usageView struct{ Operation, Calls, Late, Held, Credits, Value string }

	balanceView struct{ Kind, Starts, Expires, Opening, Granted, Burned, Gone, Remaining string }
)

func (d *Document) view() view {
	v := view{
		Title: titles[d.Kind], Number: d.Number, Period: monthOf(d.Calendar.Start(d.Period).In(d.Calendar.Location())),
		Issued: d.date(d.IssuedAt), Due: d.date(d.DueAt), Corrects: d.Corrects, CorrectsPeriod: d.CorrectsPeriod,
		Account: d.Account, Currency: d.Currency.String(), Issuer: d.Issuer, Party: d.Party,
		Subtotal: d.money(d.Subtotal), Total: d.money(d.Total), Paid: d.money(d.Paid.Neg()), AmountDue: d.money(d.AmountDue),
		IsPaid: d.AmountDue.IsZero() && !d.Paid.IsZero(), HasPaid: !d.Paid.IsZero(), ReverseCharge: d.reverseCharge(), IsNote: d.Kind != Invoice,
		Zone: d.Calendar.Location().String(),
	}
	if v.Title == "" {
		v.Title = d.Kind
	}
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind == "tax" {
			v.Tax = append(v.Tax, lineView{Description: taxText(l), Amount: d.money(l.Amount)})
			continue
		}
		v.Lines = append(v.Lines, d.lineView(l))
	}
	total := Usage{}
	for _, u := range d.byOperation() {
		v.Usage = append(v.Usage, d.usageView(u))
		total.Calls, total.LateCalls, total.HeldCalls = total.Calls+u.Calls, total.LateCalls+u.LateCalls, total.HeldCalls+u.HeldCalls
		total.Credits, total.Value = total.Credits.Add(u.Credits), total.Value.Add(u.Value)
	}
	v.UsageTotal, v.Late, v.Held = d.usageView(total), total.LateCalls > 0, total.HeldCalls > 0
	for i := range d.Balances {
		b := &d.Balances[i]
		v.Balances = append(v.Balances, balanceView{
			Kind: kindName(b.Kind), Starts: d.date(b.Starts), Expires: d.date(b.Expires), Opening: number(b.Opening),
			Granted: number(b.Granted), Burned: number(b.Burned),
			Gone: number(b.Expired.Add(b.Voided).Add(b.RolledOut)), Remaining: number(b.Remaining),
		})
	}
	return v
}

// titles are what documents are called.
var titles = map[string]string{Invoice: "Invoice", CreditNote: "Credit note", DebitNote: "Debit note"}

func (d *Document) lineView(l *Line) lineView {
	description := l.Description
	if description == "" {
		description = l.Item
	}
	return lineView{
		Description: description, Detail: lineKinds[l.Kind], Period: d.span(l.From, l.To), Quantity: number(l.Quantity),
		UnitPrice: group(l.UnitPrice.String(), d.Currency.Digits()), Amount: d.money(l.Amount), Cause: l.Cause,
	}
}

// lineKinds say in words what a line is for.
var lineKinds = map[string]string{
	"fee": "Plan fee", "pack": "Credit pack", "topup": "Automatic top-up", "charge": "",
	"overage": "Credits beyond the allowance",
}

func (d *Document) usageView(u Usage) usageView {
	return usageView{
		Operation: u.Operation, Calls: count(u.Calls), Late: count(u.LateCalls), Held: count(u.HeldCalls),
		Credits: number(u.Credits), Value: d.money(u.Value),
	}
}

func taxText(l *Line) string {
	if l.TaxRate == nil || l.Description != "" {
		return l.Description
	}
	return l.Item
}

var bucketKinds = map[string]string{
	"allowance": "Monthly allowance", "rollover": "Rolled over", "pack": "Credit pack", "topup": "Top-up",
	"promotion": "Promotion", "opened": "Brought over",
}

func kindName(kind string) string {
	if name, ok := bucketKinds[kind]; ok {
		return name
	}
	return kind
}

// date is the day of t in the billing time zone; empty for the zero time.
func (d *Document) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(d.Calendar.Location()).Format("2 Jan 2006")
}

// span is the days from one instant to another, which is not part of it: one that
// ends at midnight ends with the day before.
func (d *Document) span(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	local := to.In(d.Calendar.Location())
	if to.After(from) && local.Hour() == 0 && local.Minute() == 0 && local.Second() == 0 && local.Nanosecond() == 0 {
		to = to.Add(-time.Microsecond)
	}
	first, last := d.date(from), d.date(to)
	if first == last {
		return first
	}
	return first + " – " + last
}

func monthOf(t time.Time) string { return t.Format("January 2006") }

func (d *Document) money(a money.Amount) string {
	return group(d.Currency.Format(a), d.Currency.Digits())
}

func number(a credit.Amount) string { return group(a.String(), 0) }

func count(n int64) string { return group(fmt.Sprint(n), 0) }

// group writes a decimal as people do: thousands apart, a real minus, and at
// least digits after the point.
func group(decimal string, digits int) string {
	negative := strings.HasPrefix(decimal, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(decimal, "-"), ".")
	for len(fraction) < digits {
		fraction += "0"
	}
	var out strings.Builder
	if negative {
		out.WriteString("−")
	}
	for i, digit := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteByte(digit)
	}
	if fraction != "" {
		out.WriteString("." + fraction)
	}
	return out.String()
}
