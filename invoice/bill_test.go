package invoice

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

func currency(t rapid.TB, code string) money.Currency {
	c, err := money.ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func amount(t rapid.TB, text string) money.Amount {
	a, err := money.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// SPEC section 7, Invoice lines; section 14, 28 and 40. All numbers by hand.
func TestBill(t *testing.T) {
	vat := &account.Tax{Rate: big.NewRat(21, 100), Label: "VAT 21%"}
	reverse := &account.Tax{Rate: big.NewRat(19, 100), Label: "VAT", ReverseCharge: true}
	paid := func(amounts string) account.Charge {
		return account.Charge{Kind: "pack", Item: "usd", Amount: amount(t, amounts), Paid: true}
	}
	other := func(amounts string) account.Charge {
		return account.Charge{Kind: "charge", ID: "e1", Amount: amount(t, amounts)}
	}
	for _, test := range []struct {
		name     string
		currency string
		tax      *account.Tax
		charges  []account.Charge
		want     string // lines' kinds and items; subtotal tax total paid due
	}{
		{"nothing", "USD", vat, nil, "; 0 0 0 0 0"},
		{"zero lines are left out", "USD", vat, []account.Charge{other("0"), other("0")}, "; 0 0 0 0 0"},
		// 18.50 × 0.21 = 3.885, away from zero 3.89; paid 3.50 × 0.21 = 0.735 → 0.74
		{"tax is rounded once", "USD", vat, []account.Charge{paid("2.5"), paid("1"), other("15")}, "pack usd, pack usd, charge e1, tax VAT 21%; 18.5 3.89 22.39 4.24 18.15"},
		{"no tax", "USD", nil, []account.Charge{paid("10"), other("15")}, "pack usd, charge e1; 25 0 25 10 15"},
		{"reverse charge keeps its line at 0", "USD", reverse, []account.Charge{other("30")}, "charge e1, tax VAT; 30 0 30 0 30"},
		// -0.05 × 0.21 = -0.0105 → -0.01
		{"a negative charge", "USD", vat, []account.Charge{other("-0.05")}, "charge e1, tax VAT 21%; -0.05 -0.01 -0.06 0 -0.06"},
		{"lines that cancel out have no tax line", "USD", vat, []account.Charge{other("5"), other("-5")}, "charge e1, charge e1; 0 0 0 0 0"},
		// 150 × 0.21 = 31.5 → 32 yen
		{"yen have no cents", "JPY", vat, []account.Charge{other("150")}, "charge e1, tax VAT 21%; 150 32 182 0 182"},
		{
			"overage names plan and step", "USD", nil,
			[]account.Charge{{Kind: "overage", Plan: "pro", Version: 2, Step: 1, Item: "x", Amount: amount(t, "22.88")}},
			"overage pro/1; 22.88 0 22.88 0 22.88",
		},
	} {
		out := account.Outcome{Charges: test.charges, Profile: account.Profile{Tax: test.tax, Currency: currency(t, test.currency)}}
		b, err := makeBill(&out, describer{}, time.Unix(0, 0), time.Unix(1, 0))
		must(t, err)
		var lines []string
		for _, l := range b.lines {
			lines = append(lines, l.kind+" "+l.item)
		}
		var sums []string
		for _, a := range []money.Amount{b.subtotal, b.tax, b.total, b.paid, b.owed} {
			sums = append(sums, a.String())
		}
		if got := strings.Join(lines, ", ") + "; " + strings.Join(sums, " "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// SPEC section 7, Revenue.
func TestRevenue(t *testing.T) {
	out := account.Outcome{
		Buckets: []*bucket.Bucket{
			{Kind: bucket.Allowance, Item: "pro", Recognised: amount(t, "49"), Breakage: amount(t, "0")},
			{Kind: bucket.Allowance, Item: "pro", Recognised: amount(t, "1.25"), Breakage: amount(t, "3")},
			{Kind: bucket.Pack, Item: "boost"},
		},
		Charges: []account.Charge{
			{Kind: "fee", Item: "pro", Amount: amount(t, "49"), BucketID: "a/allowance/x"}, // its bucket recognises it
			{Kind: "fee", Item: "support", Amount: amount(t, "7")},
			{Kind: "charge", Item: "e1", Amount: amount(t, "-2")},
			{Kind: "overage", Item: "pro/1", Plan: "pro", Step: 1, Amount: amount(t, "5")},
			{Kind: "overage", Item: "pro/2", Plan: "pro", Step: 2, Amount: amount(t, "6")},
		},
	}
	var got []string
	for _, e := range makeRevenue(&out) {
		got = append(got, e.item+" "+e.kind+" "+e.amount.String())
	}
	want := "pro use 50.25, pro breakage 3, support fee 7, e1 other -2, pro overage 11"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// A usage's value against the formula of SPEC section 14 in rationals.
func TestStatementValueIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := currency(t, rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency"))
		buckets := make([]*bucket.Bucket, rapid.SampledFrom([]int{3, 3, 3, 40}).Draw(t, "buckets"))
		for i := range buckets {
			buckets[i] = &bucket.Bucket{
				Price:   money.AmountFromNum(credit.FromMicro(rapid.Int64Range(0, 1e15).Draw(t, "price")).Num()),
				Granted: credit.FromMicro(rapid.Int64Range(1, 1e18).Draw(t, "granted")),
			}
		}
		price := &bucket.OveragePrice{Credit: big.NewRat(rapid.Int64Range(0, 1e9).Draw(t, "n"), rapid.Int64Range(1, 1e9).Draw(t, "d"))}
		s := newStatement()
		exact := new(big.Rat)
		var total credit.Amount
		for range rapid.IntRange(0, 2*len(buckets)).Draw(t, "calls") {
			var splits []bucket.Split
			var all int64
			for range rapid.IntRange(0, 3).Draw(t, "splits") {
				n := rapid.Int64Range(1, 1e17).Draw(t, "credits")
				all += n
				part := credit.FromMicro(n).Rat()
				switch who := rapid.IntRange(0, len(buckets)+1).Draw(t, "who"); who {
				case len(buckets):
					splits = append(splits, bucket.Split{Kind: bucket.Denied, Credits: n})
				case len(buckets) + 1:
					splits = append(splits, bucket.Split{Kind: bucket.Overage, Credits: n, Price: price})
					exact.Add(exact, part.Mul(part, price.Credit))
				default:
					b := buckets[who]
					splits = append(splits, bucket.Split{Kind: bucket.Pack, Credits: n, Bucket: b})
					exact.Add(exact, part.Quo(part.Mul(part, b.Price.Rat()), b.Granted.Rat()))
				}
			}
			total = total.Add(credit.FromMicro(all))
			s.add(usageKey{1, 2, 3}, false, all, splits)
		}
		want, err := c.Round(exact)
		if err != nil {
			t.Skip(err)
		}
		for _, u := range s.take() {
			got, err := u.value(c)
			if err != nil || got != want || u.credits.amount() != total {
				t.Fatalf("value %s of %s credits, %v; want %s of %s", got, u.credits.amount(), err, want, total)
			}
		}
	})
}

func TestSumsCarry(t *testing.T) {
	var s sum
	for range 20 { // 20 × (2^63-1) leaves 64 bits
		s.add(1<<63 - 1)
	}
	if got := s.amount().String(); got != "184467440737095.51614" {
		t.Error(got)
	}
}
