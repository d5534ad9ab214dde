package credit_test

import (
	"math"
	"testing"

	"github.com/creditmill/creditmill/internal/credit"
)

func TestMicroSaysWhetherItFits64Bits(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		if got, fits := credit.FromMicro(n).Micro(); !fits || got != n {
			t.Errorf("%d: got %d, fits %v", n, got, fits)
		}
	}
	for _, a := range []credit.Amount{
		credit.FromMicro(math.MaxInt64).Add(credit.FromMicro(1)), credit.FromMicro(math.MinInt64).Sub(credit.FromMicro(1)),
	} {
		if _, fits := a.Micro(); fits {
			t.Errorf("%s credits fit 64 bits of millionths", a)
		}
	}
}
