package document

import (
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// inCurrency is an invoice whose amounts need every digit of a currency, worked out by
// hand: the tests below know how each number is written.
func inCurrency(t *testing.T, code string, fee, perCredit, overage, charge, subtotal, tax, total, paid, due string) *Document {
	t.Helper()
	at, c, m, p := must[time.Time](t), must[credit.Amount](t), must[money.Amount](t), must[money.Price](t)
	from, to := at(period.ParseInstant("2026-10-01T00:00:00Z")), at(period.ParseInstant("2026-11-01T00:00:00Z"))
	rate := p(money.ParsePrice("0.1"))
	line := func(n int, kind, text, quantity, price, amount string) Line {
		return Line{
			Line: n, Kind: kind, Item: kind, Description: text, Quantity: c(credit.Parse(quantity)), UnitPrice: p(money.ParsePrice(price)),
			Amount: m(money.ParseAmount(amount)), TaxRate: &rate, From: from, To: to,
		}
	}
	return &Document{
		Number: "INV-" + code, Kind: Invoice, Account: "acme", Period: must[period.Period](t)(period.Parse("2026-10")),
		Calendar: must[period.Calendar](t)(period.NewCalendar("UTC")), IssuedAt: to, DueAt: at(period.ParseInstant("2026-11-15T00:00:00Z")),
		Currency: must[money.Currency](t)(money.ParseCurrency(code)), Issuer: Party{Name: "Example API Ltd"}, Party: Party{Name: "Acme"},
		Lines: []Line{
			line(1, "fee", "Plan pro, prorated", "1", "1234.567890123456", fee), // its price is not what it costs
			line(2, "overage", "Overage, pro", "1234567.000001", perCredit, overage),
			line(3, "charge", "Goodwill", "1", charge, charge),
			line(4, "tax", "VAT 10%", "1", tax, tax),
		},
		Subtotal: m(money.ParseAmount(subtotal)), Tax: m(money.ParseAmount(tax)), Total: m(money.ParseAmount(total)),
		Paid: m(money.ParseAmount(paid)), AmountDue: m(money.ParseAmount(due)),
		Usage: []Usage{
			{Operation: "chat", Project: "p1", Calls: 1000, LateCalls: 1, HeldCalls: 2, Credits: c(credit.Parse("1234567.000001")), Value: m(money.ParseAmount(overage))},
			{Operation: "image", Project: "p2", Calls: 7, Credits: c(credit.Parse("0.5")), Value: m(money.ParseAmount(charge)).Neg()},
		},
		Balances: []Balance{{
			BucketID: "acme/allowance/x", Kind: "allowance", Starts: from, Expires: to, Opening: c(credit.Parse("1")), Granted: c(credit.Parse("5000")),
			Burned: c(credit.Parse("4000.25")), Expired: c(credit.Parse("900.5")), Voided: c(credit.Parse("100.25")), Remaining: c(credit.Parse("0")),
		}},
	}
}

var cells = regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>`)

// JSON, HTML and PDF have the same numbers, each with the digits of its currency
// (SPEC section 1, money; section 7, Documents).
func TestAllFormsHaveTheSameNumbers(t *testing.T) {
	for _, test := range []struct {
		code string
		d    *Document
		json []string // line by line: quantity, unit price, amount; then the sums
		show []string // as people read them
	}{
		{
			"USD",
			// 1,235.57 + 1,851.85 − 0.05 = 3,087.37; a tenth is 308.737 → 308.74; 1,234,567.000001 × 0.0015 = 1,851.8505…
			inCurrency(t, "USD", "1235.57", "0.0015", "1851.85", "-0.05", "3087.37", "308.74", "3396.11", "1000", "2396.11"),
			[]string{"1", "1235.57", "1235.57", "1234567.000001", "0.0015", "1851.85", "1", "-0.05", "-0.05", "1", "308.74", "308.74", "3087.37", "308.74", "3396.11", "1000.00", "2396.11"},
			[]string{"1", "1,235.57", "1,235.57", "1,234,567.000001", "0.0015", "1,851.85", "1", "−0.05", "−0.05", "3,087.37", "308.74", "3,396.11 USD", "−1,000.00", "2,396.11 USD"},
		},
		{
			"JPY",
			// 1,235 + 246,913 − 500 = 247,648; a tenth is 24,764.8 → 24,765; 1,234,567.000001 × 0.2 = 246,913.4…
			inCurrency(t, "JPY", "1235", "0.2", "246913", "-500", "247648", "24765", "272413", "0", "272413"),
			[]string{"1", "1235", "1235", "1234567.000001", "0.2", "246913", "1", "-500", "-500", "1", "24765", "24765", "247648", "24765", "272413", "0", "272413"},
			[]string{"1", "1,235", "1,235", "1,234,567.000001", "0.2", "246,913", "1", "−500", "−500", "247,648", "24,765", "272,413 JPY", "272,413 JPY"},
		},
		{
			"KWD",
			// 1,234.568 + 1.235 − 2,000.000 = −764.197; a tenth is −76.4197 → −76.420; 1,234,567.000001 × 0.000001 = 1.234567…
			inCurrency(t, "KWD", "1234.568", "0.000001", "1.235", "-2000", "-764.197", "-76.42", "-840.617", "0", "-840.617"),
			[]string{"1", "1234.568", "1234.568", "1234567.000001", "0.000001", "1.235", "1", "-2000.000", "-2000.000", "1", "-76.420", "-76.420", "-764.197", "-76.420", "-840.617", "0.000", "-840.617"},
			[]string{"1", "1,234.568", "1,234.568", "1,234,567.000001", "0.000001", "1.235", "1", "−2,000.000", "−2,000.000", "−764.197", "−76.420", "−840.617 KWD", "−840.617 KWD"},
		},
	} {
		t.Run(test.code, func(t *testing.T) {
			keep(t, test.code, test.d)
			overage, charge := test.show[5], strings.TrimPrefix(test.show[8], "−")
			usage := []string{
				"1,000", "1", "2", "1,234,567.000001", overage, "7", "0", "0", "0.5", charge, // by operation, then the sum
				"1,007", "1", "2", "1,234,567.500001",
			}
			byProject, balances := usage, []string{"1", "5,000", "4,000.25", "1,000.75", "0"}
			show := slices.Concat(test.show, usage, byProject, balances)

			data := must[[]byte](t)(test.d.JSON())
			if got := jsonNumbers(t, data); strings.Join(got, " ") != strings.Join(test.json, " ") {
				t.Errorf("JSON has\n%v, not\n%v", got, test.json)
			}
			var page []string
			for _, cell := range cells.FindAllStringSubmatch(render(t, test.d), -1) {
				page = append(page, html.UnescapeString(cell[1]))
			}
			inOrder(t, "HTML", page, show)
			content, missing, err := test.d.PDF()
			if err != nil || missing != nil {
				t.Fatal(missing, err)
			}
			var sheet []string
			for _, text := range readPDF(t, content) {
				sheet = append(sheet, text.text)
			}
			inOrder(t, "PDF", sheet, show)
		})
	}
}

func jsonNumbers(t *testing.T, data []byte) (numbers []string) {
	t.Helper()
	var d struct {
		Lines []struct {
			Quantity, Amount string
			UnitPrice        string `json:"unit_price"`
		}
		Subtotal, Tax, Total, Paid string
		AmountDue                  string `json:"amount_due"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	for _, l := range d.Lines {
		numbers = append(numbers, l.Quantity, l.UnitPrice, l.Amount)
	}
	return append(numbers, d.Subtotal, d.Tax, d.Total, d.Paid, d.AmountDue)
}

// inOrder fails unless all of want are among the texts, in that order.
func inOrder(t *testing.T, form string, texts, want []string) {
	t.Helper()
	rest := texts
	for i, number := range want {
		at := 0
		for at < len(rest) && rest[at] != number {
			at++
		}
		if at == len(rest) {
			t.Fatalf("%s lacks %q, number %d of\n%q\nin\n%q", form, number, i+1, want, texts)
		}
		rest = rest[at+1:]
	}
}
