package credit_test

import (
	"math/big"
	"testing"

	"github.com/creditmill/creditmill/internal/credit"
)

func TestAmountsAreExact(t *testing.T) {
	tenth, err := credit.Parse("0.1")
	if err != nil {
		t.Fatal(err)
	}
	var sum credit.Amount
	for range 10 {
		sum = sum.Add(tenth)
	}
	if sum != credit.FromInt(1) {
		t.Errorf("ten tenths are %s, want 1", sum)
	}
	if got := credit.FromInt(5).Sub(credit.FromMicro(1)).String(); got != "4.999999" {
		t.Errorf("5 - 0.000001 = %s", got)
	}
}

func TestRoundGoesToSixDigitsHalvesAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		num, den int64
		want     string
	}{{1, 3, "0.333333"}, {2, 3, "0.666667"}, {5, 10_000_000, "0.000001"}, {-5, 10_000_000, "-0.000001"}, {49, 100_000_000, "0"}} {
		got, err := credit.Round(big.NewRat(c.num, c.den))
		if err != nil || got.String() != c.want {
			t.Errorf("%d/%d rounds to %s, %v; want %s", c.num, c.den, got, err, c.want)
		}
	}
}
