package document

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// noteLine is one line of a made-up note, as its row has it.
type noteLine struct{ kind, text, quantity, price, amount, cause string }

// note is a note to birch's invoice, issued in December.
func note(t *testing.T, kind string, lines []noteLine, subtotal, tax, total string) *Document {
	t.Helper()
	at, c, m, p := must[time.Time](t), must[credit.Amount](t), must[money.Amount](t), must[money.Price](t)
	d := sample(t)
	d.Number, d.Kind, d.Corrects, d.CorrectsPeriod = "CN-2026-000001", kind, "INV-2026-000002", "2026-10"
	d.Period, d.IssuedAt, d.DueAt = must[period.Period](t)(period.Parse("2026-12")), at(period.ParseInstant("2026-12-10T09:00:00Z")), time.Time{}
	if kind == DebitNote {
		d.Number, d.DueAt = "DN-2026-000001", at(period.ParseInstant("2026-12-24T09:00:00Z"))
	}
	from, to, rate := d.Lines[5].From, d.Lines[5].To, d.Lines[0].TaxRate
	d.Lines = nil
	for i, l := range lines {
		d.Lines = append(d.Lines, Line{
			Line: i + 1, Kind: l.kind, Item: l.kind, Description: l.text, Quantity: c(credit.Parse(l.quantity)), UnitPrice: p(money.ParsePrice(l.price)),
			Amount: m(money.ParseAmount(l.amount)), TaxRate: rate, From: from, To: to, Cause: l.cause,
		})
	}
	d.Subtotal, d.Tax, d.Total, d.Paid = m(money.ParseAmount(subtotal)), m(money.ParseAmount(tax)), m(money.ParseAmount(total)), money.Amount{}
	d.AmountDue, d.Usage, d.Balances = d.Total, nil, nil
	return d
}

// A note names the invoice it corrects, or says that there was none, and of each line
// why; amounts of a credit note are negative, it is never due, and what a note says of
// usage is its lines alone (SPEC section 8 and section 14, 31 and 40).
func TestNotesSayWhatTheyCorrect(t *testing.T) {
	// 12,000 credits at 0.0015 were 18.00, at 0.001 they are 12.00; a top-up of 5.00 was not needed; 21 % of −11.00.
	less := note(t, CreditNote, []noteLine{
		{"topup", "Top-up usd: not needed", "-1", "5", "-5", "late usage, knock-on"},
		{"overage", "Overage, startup", "0", "0.001", "-6", "price"},
		{"tax", "VAT 21% on −11.00 USD", "1", "-2.31", "-2.31", "price, late usage, knock-on"},
	}, "-11", "-2.31", "-13.31")
	// A short cycle that nobody had charged: 99.00 × 83,000 ÷ 86,400 = 95.104166…; 21 % of 95.10 = 19.971.
	more := note(t, DebitNote, []noteLine{
		{"fee", "Plan startup", "1", "95.104166666667", "95.10", "account event"},
		{"tax", "VAT 21% on 95.10 USD", "1", "19.97", "19.97", "account event"},
	}, "95.10", "19.97", "115.07")
	more.Corrects = ""
	taxAlone := note(t, CreditNote, []noteLine{{"tax", "VAT: the recipient accounts for the tax", "-1", "3.89", "-3.89", "account event, void"}}, "0", "-3.89", "-3.89")

	for _, test := range []struct {
		name         string
		d            *Document
		want, never  []string
		json, amount []string
	}{
		{
			"credit-note", less,
			[]string{
				"Credit note", "Credit note number", "CN-2026-000001", "Issued", "10 Dec 2026", "Period", "December 2026", "Corrects", "INV-2026-000002", "Period corrected", "October 2026",
				"Top-up usd: not needed", "Reason: usage became known late; follows from the correction of an earlier month", "1 Oct 2026 – 31 Oct 2026", "−1", "5.00", "−5.00",
				"Overage, startup", "Reason: a price was corrected", "0", "0.001", "−6.00",
				"Subtotal", "−11.00", "VAT 21% on −11.00 USD", "Reason: a price was corrected; usage became known late; follows from the correction of an earlier month", "−2.31",
				"Total", "−13.31 USD", "In your favour", "−13.31 USD",
				"This credit note corrects invoice INV-2026-000002 of October 2026, which stays as it was issued. Each amount is what should have been charged less what was charged so far",
			},
			[]string{"Due", "Amount due", "Already paid", "Usage", "Credits", "nothing to pay", "No invoice"},
			[]string{"CN-2026-000001", "credit_note", "2026-12", "INV-2026-000002", "2026-10", "price, late usage, knock-on"},
			[]string{"-1", "5.00", "-5.00", "0", "0.001", "-6.00", "1", "-2.31", "-2.31", "-11.00", "-2.31", "-13.31", "0.00", "-13.31"},
		},
		{
			"debit-note", more,
			[]string{
				"Debit note", "Debit note number", "DN-2026-000001", "Due", "24 Dec 2026", "Corrects", "no invoice", "Period corrected", "October 2026",
				"Plan startup", "Reason: an event of the account became known late", "1", "95.10", "95.10", "Subtotal", "95.10", "19.97", "115.07 USD",
				"Amount due by 24 Dec 2026", "115.07 USD", "No invoice was issued for October 2026, so this debit note names none.",
			},
			[]string{"In your favour", "Already paid", "Usage", "Credits", "which stays as it was issued"},
			[]string{"DN-2026-000001", "debit_note", "2026-12", "", "2026-10", "account event"},
			[]string{"1", "95.10", "95.10", "1", "19.97", "19.97", "95.10", "19.97", "115.07", "0.00", "115.07"},
		},
		{
			"tax-alone", taxAlone,
			[]string{"Subtotal", "0.00", "VAT: the recipient accounts for the tax", "Reason: an event of the account became known late; calls were taken back", "−3.89", "Total", "−3.89 USD", "In your favour"},
			[]string{"Description", "Quantity", "Reverse charge"},
			[]string{"CN-2026-000001", "credit_note", "2026-12", "INV-2026-000002", "2026-10", "account event, void"},
			[]string{"-1", "3.89", "-3.89", "0.00", "-3.89", "-3.89", "0.00", "-3.89"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			keep(t, test.name, test.d)
			html := render(t, test.d)
			_, texts := pdf(t, test.d)
			_, page, _ := strings.Cut(unescaped(html), "<body>")
			sheet := allText(texts)
			for _, want := range test.want {
				if !strings.Contains(page, want) || !strings.Contains(unspaced(sheet), unspaced(want)) {
					t.Errorf("%q is not in HTML or not in PDF", want)
				}
			}
			for _, never := range test.never {
				if strings.Contains(page, ">"+never) || slices.ContainsFunc(texts, func(p printed) bool { return strings.HasPrefix(p.text, never) }) {
					t.Errorf("%q is in a note", never)
				}
			}
			onThePage(t, test.d)
			data := must[[]byte](t)(test.d.JSON())
			if got := jsonNumbers(t, data); !slices.Equal(got, test.amount) {
				t.Errorf("JSON has\n%q, not\n%q", got, test.amount)
			}
			var back struct {
				Number, Kind, Period, Corrects string
				CorrectsPeriod                 string `json:"corrects_period"`
				Lines                          []struct{ Cause string }
				Usage, Balances                []any
			}
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			if got := []string{back.Number, back.Kind, back.Period, back.Corrects, back.CorrectsPeriod, back.Lines[len(back.Lines)-1].Cause}; !slices.Equal(got, test.json) {
				t.Errorf("JSON has\n%q, not\n%q", got, test.json)
			}
			if back.Usage == nil || back.Balances == nil || len(back.Usage)+len(back.Balances) > 0 {
				t.Errorf("JSON has %v and %v", back.Usage, back.Balances)
			}
		})
	}
}

func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// Who looks an invoice up sees its notes and what all of it comes to; the document never
// has them.
func TestJSONWithNotes(t *testing.T) {
	d, m := sample(t), must[money.Amount](t)
	yen := must[money.Currency](t)(money.ParseCurrency("JPY"))
	notes := []Note{
		{
			Number: "CN-2026-000001", Kind: CreditNote, Period: "2026-12", IssuedAt: d.IssuedAt, Currency: d.Currency, Subtotal: m(money.ParseAmount("-11")), Tax: m(money.ParseAmount("-2.31")),
			Total: m(money.ParseAmount("-13.31")), AmountDue: m(money.ParseAmount("-13.31")),
		},
		{
			Number: "DN-2026-000001", Kind: DebitNote, Period: "2026-12", IssuedAt: d.IssuedAt, Currency: d.Currency, Subtotal: m(money.ParseAmount("2")), Tax: m(money.ParseAmount("0.42")),
			Total: m(money.ParseAmount("2.42")), AmountDue: m(money.ParseAmount("2.42")),
		},
		{
			Number: "DN-2026-000002", Kind: DebitNote, Period: "2027-01", IssuedAt: d.DueAt, Currency: yen, Subtotal: m(money.ParseAmount("100")),
			Total: m(money.ParseAmount("100")), AmountDue: m(money.ParseAmount("100")),
		},
	}
	document := string(must[[]byte](t)(d.JSON()))
	with := string(must[[]byte](t)(d.JSONWith(notes)))
	rest, same := strings.CutPrefix(with, strings.TrimSuffix(document, "\n}\n"))
	if !same {
		t.Fatalf("the document's own fields differ:\n%s", with)
	}
	// 18.50 − 11.00 + 2.00; 3.89 − 2.31 + 0.42; 22.39 − 13.31 + 2.42; 18.15 − 13.31 + 2.42.
	want := `, "corrected_by": [ {` +
		` "number": "CN-2026-000001", "kind": "credit_note", "period": "2026-12", "issued_at": "2026-11-01T06:00:00Z",` +
		` "currency": "USD", "subtotal": "-11.00", "tax": "-2.31", "total": "-13.31", "amount_due": "-13.31" }, {` +
		` "number": "DN-2026-000001", "kind": "debit_note", "period": "2026-12", "issued_at": "2026-11-01T06:00:00Z",` +
		` "currency": "USD", "subtotal": "2.00", "tax": "0.42", "total": "2.42", "amount_due": "2.42" }, {` +
		` "number": "DN-2026-000002", "kind": "debit_note", "period": "2027-01", "issued_at": "2026-11-15T06:00:00Z",` +
		` "currency": "JPY", "subtotal": "100", "tax": "0", "total": "100", "amount_due": "100" } ],` +
		` "together": [ { "currency": "USD", "subtotal": "9.50", "tax": "2.00", "total": "11.50", "amount_due": "7.26" },` +
		` { "currency": "JPY", "subtotal": "100", "tax": "0", "total": "100", "amount_due": "100" } ] }`
	if got := strings.Join(strings.Fields(rest), " "); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	if none := string(must[[]byte](t)(d.JSONWith(nil))); !strings.Contains(none, `"corrected_by": []`) || !strings.Contains(none, `"total": "22.39"`) {
		t.Error(none)
	}
}

// Calls of earlier months are counted apart, in words too (SPEC section 8).
func TestLateCallsAreSaid(t *testing.T) {
	d := sample(t) // three of its calls are late, in a billing time zone ahead of UTC
	keep(t, "late", d)
	many := "3 of these calls are late: from before 1 October 2026. They became known, or could be priced, only after their month had been closed."
	_, texts := pdf(t, d)
	if html := render(t, d); !strings.Contains(html, many) || !strings.Contains(html, "of these late") || !strings.Contains(unspaced(allText(texts)), unspaced(many)) {
		t.Errorf("HTML or PDF lacks %q", many)
	}
	d.Usage[1].LateCalls = 1
	one := "1 of these calls is late: from before 1 October 2026. It became known, or could be priced, only after its month had been closed."
	if html := render(t, d); !strings.Contains(html, one) {
		t.Errorf("HTML lacks %q", one)
	}
	d.Usage[1].LateCalls = 0
	if html := render(t, d); strings.Contains(html, " late") {
		t.Error("late calls where there are none")
	}
}
