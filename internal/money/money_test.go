package money_test

import (
	"math/big"
	"testing"

	"github.com/creditmill/creditmill/internal/money"
)

func TestRoundGoesToTheMinorUnitHalvesAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		currency  string
		num, den  int64
		formatted string
	}{
		{"USD", 5, 1000, "0.01"},
		{"USD", -5, 1000, "-0.01"},
		{"USD", 4999, 1_000_000, "0.00"},
		{"USD", 1, 3, "0.33"},
		{"JPY", 1, 2, "1"},
		{"JPY", -1, 2, "-1"},
		{"KWD", 15, 10_000, "0.002"},
		{"EUR", 99, 1, "99.00"},
	} {
		currency, err := money.ParseCurrency(c.currency)
		if err != nil {
			t.Fatal(err)
		}
		got, err := currency.Round(big.NewRat(c.num, c.den))
		if err != nil || currency.Format(got) != c.formatted {
			t.Errorf("%s: %d/%d rounds to %s, %v; want %s", c.currency, c.num, c.den, currency.Format(got), err, c.formatted)
		}
	}
}

func TestRoundFractionNeedsNoLowestTerms(t *testing.T) {
	usd, err := money.ParseCurrency("USD")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		num, den int64
		want     string
	}{{50, 10_000, "0.01"}, {-50, 10_000, "-0.01"}, {49, 10_000, "0.00"}, {600, 8, "75.00"}} {
		got, err := usd.RoundFraction(big.NewInt(c.num), big.NewInt(c.den))
		if err != nil || usd.Format(got) != c.want {
			t.Errorf("%d/%d rounds to %s, %v; want %s", c.num, c.den, usd.Format(got), err, c.want)
		}
	}
}

func TestRoundRefusesWhatDoesNotFit(t *testing.T) {
	usd, err := money.ParseCurrency("USD")
	if err != nil {
		t.Fatal(err)
	}
	huge := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(34), nil))
	if got, err := usd.Round(huge); err == nil {
		t.Errorf("10^34 USD rounds to %s, want an error", got)
	}
}

func TestPricesKeepTwelveDigits(t *testing.T) {
	p, err := money.ParsePrice("0.000000000001")
	if err != nil || p.Rat().Cmp(big.NewRat(1, 1_000_000_000_000)) != 0 {
		t.Errorf("0.000000000001 is %s, %v", p.Rat(), err)
	}
	third, err := money.RoundPrice(big.NewRat(2, 3))
	if err != nil || third.String() != "0.666666666667" {
		t.Errorf("2/3 is shown as %s, %v", third, err)
	}
}
