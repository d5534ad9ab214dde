package document

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sample is birch's invoice of the world models, whose numbers were worked out
// by hand, with names that are hard to print.
func sample(t *testing.T) *Document {
	t.Helper()
	at, c, m := must[time.Time](t), must[credit.Amount](t), must[money.Amount](t)
	rate := must[money.Price](t)(money.RoundPrice(big.NewRat(21, 100)))
	unit := must[money.Price](t)(money.ParsePrice("1"))
	line := func(n int, kind, units, amount, when string) Line {
		return Line{
			Line: n, Kind: kind, Item: "usd", Description: "usd", Quantity: c(credit.Parse(units)), UnitPrice: unit,
			Amount: m(money.ParseAmount(amount)), TaxRate: &rate, From: at(period.ParseInstant(when)), To: at(period.ParseInstant(when)),
		}
	}
	d := &Document{
		Number: "INV-2026-000002", Kind: Invoice, Account: "birch", Period: must[period.Period](t)(period.Parse("2026-10")),
		Calendar: must[period.Calendar](t)(period.NewCalendar("Europe/Amsterdam")),
		IssuedAt: at(period.ParseInstant("2026-11-01T06:00:00Z")), DueAt: at(period.ParseInstant("2026-11-15T06:00:00Z")),
		Currency: must[money.Currency](t)(money.ParseCurrency("USD")),
		Issuer:   Party{Name: "Models API B.V.", Address: []string{"Keizersgracht 1", "1015 CJ Amsterdam", "The Netherlands"}, TaxID: "NL000000001B01"},
		Party: Party{
			Name: "Birch & Söhne <b>B.V.</b> 白樺株式会社", Address: []string{"Damrak 2", "Amsterdam", strings.Repeat("Llanfairpwllgwyngyll", 6)},
			Email: "pay@birch.example", TaxID: "NL000000002B01", TaxLabel: "VAT 21%",
		},
		Lines: []Line{
			line(1, "pack", "2.5", "2.50", "2026-10-01T07:10:00Z"),
			line(2, "pack", "1", "1.00", "2026-10-23T08:00:00Z"),
			line(3, "topup", "5", "5.00", "2026-10-05T08:00:00Z"),
			line(4, "topup", "5", "5.00", "2026-10-09T08:00:00Z"),
			line(5, "topup", "5", "5.00", "2026-10-09T08:00:00Z"),
			{
				Line: 6, Kind: "tax", Item: "VAT 21%", Description: "VAT 21% on 18.50 USD", Quantity: credit.FromInt(1), Amount: m(money.ParseAmount("3.89")),
				TaxRate: &rate, From: at(period.ParseInstant("2026-09-30T22:00:00Z")), To: at(period.ParseInstant("2026-10-31T23:00:00Z")),
			},
		},
		Subtotal: m(money.ParseAmount("18.50")), Tax: m(money.ParseAmount("3.89")), Total: m(money.ParseAmount("22.39")),
		Paid: m(money.ParseAmount("4.24")), AmountDue: m(money.ParseAmount("18.15")),
		Usage: []Usage{
			{Operation: "chat.completion", Key: "bi-1", Calls: 7, Credits: c(credit.Parse("35702700")), Value: m(money.ParseAmount("17.65"))},
			{Operation: "画像.生成", Key: "bi-1", Calls: 1200, LateCalls: 3, Credits: c(credit.Parse("0.037037"))},
			{Operation: "chat.completion", Key: "bi-2", Calls: 3, Credits: c(credit.Parse("300"))},
		},
	}
	for _, b := range [][2]string{{"pack", "5000000"}, {"topup", "10000000"}, {"topup", "10000000"}} {
		d.Balances = append(d.Balances, Balance{
			BucketID: "birch/" + b[0], Kind: b[0], Starts: d.Lines[0].From, Granted: c(credit.Parse(b[1])), Burned: c(credit.Parse(b[1])),
		})
	}
	return d
}

func render(t *testing.T, d *Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := d.HTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Set to a folder, the environment's CREDITMILL_DOCUMENTS keeps what the tests
// render, for people to look at.
func keep(t *testing.T, name string, d *Document) {
	t.Helper()
	folder := os.Getenv("CREDITMILL_DOCUMENTS")
	if folder == "" {
		return
	}
	for _, format := range Formats() {
		content, _, err := d.Render(format)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+"."+string(format)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHTMLShowsEverything(t *testing.T) {
	html := render(t, sample(t))
	keep(t, "invoice", sample(t))
	for _, want := range []string{
		"INV-2026-000002", "October 2026", "1 Nov 2026", "15 Nov 2026", "Models API B.V.", "NL000000001B01", "NL000000002B01",
		"白樺株式会社", "VAT 21% on 18.50 USD", ">3.89<", "22.39 USD", "−4.24", "18.15 USD", "2.5", "35,703,000", "画像.生成", "1,200",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(html, never) {
			t.Errorf("the page is not self-contained: %q", never)
		}
	}
	if again := render(t, sample(t)); again != html {
		t.Error("made again it differs")
	}
}

func TestHTMLEscapesHostileText(t *testing.T) {
	const hostile = `</style><script>alert(1)</script>"'&{{.}}` + "\u202e"
	d := sample(t)
	d.Party = Party{Name: hostile, Address: []string{hostile}, Email: hostile, TaxID: hostile}
	d.Issuer, d.Account, d.Number, d.Corrects = d.Party, hostile, hostile, hostile
	for i := range d.Lines {
		d.Lines[i].Description, d.Lines[i].Cause = hostile, hostile
	}
	d.Usage[0].Operation, d.Balances[0].Kind = hostile, hostile
	html := render(t, d)
	if strings.Contains(html, "<script") || strings.Count(html, "</style>") != 1 {
		t.Error("markup of the data is markup of the page")
	}
	data := must[[]byte](t)(d.JSON())
	var back struct {
		Number  string
		Account struct{ Name string }
	}
	if err := json.Unmarshal(data, &back); err != nil || back.Account.Name != hostile || back.Number != hostile {
		t.Errorf("JSON does not give the text back: %v", err)
	}
}

func TestHTMLSaysReverseChargeAndPaid(t *testing.T) {
	d := sample(t)
	d.Party.ReverseCharge, d.Tax, d.Total, d.Paid, d.AmountDue = true, money.Amount{}, d.Subtotal, d.Subtotal, money.Amount{}
	d.Lines[5].Amount, d.Lines[5].Description = money.Amount{}, "VAT: the recipient accounts for the tax (reverse charge)"
	html := render(t, d)
	keep(t, "reverse", d)
	for _, want := range []string{"Reverse charge: no tax is charged on this invoice", "under tax ID NL000000002B01", "Paid in full"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

func TestAmountsFollowTheCurrency(t *testing.T) {
	for _, test := range []struct{ code, amount, want string }{
		{"USD", "1234567.5", "1,234,567.50"},
		{"JPY", "1200", "1,200"},
		{"KWD", "-0.125", "−0.125"},
		{"USD", "-1000", "−1,000.00"},
		{"USD", "999.99", "999.99"},
	} {
		d := &Document{Currency: must[money.Currency](t)(money.ParseCurrency(test.code))}
		if got := d.money(must[money.Amount](t)(money.ParseAmount(test.amount))); got != test.want {
			t.Errorf("%s %s: %s, not %s", test.amount, test.code, got, test.want)
		}
	}
}

func TestSpanEndsWithTheLastDay(t *testing.T) {
	at := must[time.Time](t)
	d := &Document{Calendar: must[period.Calendar](t)(period.NewCalendar("Europe/Amsterdam"))}
	for _, test := range []struct{ from, to, want string }{
		{"2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", "1 Oct 2026 – 31 Oct 2026"}, // local midnights
		{"2026-10-17T10:30:00Z", "2026-11-17T11:30:00Z", "17 Oct 2026 – 17 Nov 2026"},
		{"2026-10-17T10:30:00Z", "2026-10-17T10:30:00Z", "17 Oct 2026"},
		{"2026-10-16T22:00:00Z", "2026-10-16T22:00:00Z", "17 Oct 2026"}, // an instant at midnight
	} {
		if got := d.span(at(period.ParseInstant(test.from)), at(period.ParseInstant(test.to))); got != test.want {
			t.Errorf("%s to %s: %s, not %s", test.from, test.to, got, test.want)
		}
	}
}

func TestJSON(t *testing.T) {
	data := string(must[[]byte](t)(sample(t).JSON()))
	order := []string{
		`"number": "INV-2026-000002"`, `"kind"`, `"period": "2026-10"`, `"issued_at": "2026-11-01T06:00:00Z"`, `"corrects": null`, `"issuer"`,
		`"account"`, `"lines"`, `"quantity": "2.5"`, `"unit_price": "1.00"`, `"amount": "2.50"`, `"tax_rate": "0.21"`, `"subtotal": "18.50"`,
		`"tax": "3.89"`, `"total": "22.39"`, `"paid": "4.24"`, `"amount_due": "18.15"`, `"usage"`, `"credits": "35702700"`, `"balances"`,
	}
	rest := data
	for _, want := range order {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%s is not in its place in\n%s", want, data)
		}
		rest = after
	}
}
