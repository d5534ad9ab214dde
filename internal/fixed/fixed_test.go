package fixed_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/fixed"
)

func TestParseIsExactAndStrict(t *testing.T) {
	for _, c := range []struct {
		text, units string
		err         error
	}{
		{"0", "0", nil},
		{"-0.5", "-500000", nil},
		{"1200.250000", "1200250000", nil},
		{"007.1", "7100000", nil},
		{"0.1000000000", "100000", nil}, // trailing zeros are no digits
		{"99999999999999999999999999999999.999999", strings.Repeat("9", 38), nil},
		{"100000000000000000000000000000000", "", fixed.ErrRange},
		{"0.0000001", "", fixed.ErrScale},
		{"", "", fixed.ErrSyntax},
		{"-", "", fixed.ErrSyntax},
		{"+1", "", fixed.ErrSyntax},
		{"1.", "", fixed.ErrSyntax},
		{".5", "", fixed.ErrSyntax},
		{"1e3", "", fixed.ErrSyntax},
		{"1,000", "", fixed.ErrSyntax},
		{"--1", "", fixed.ErrSyntax},
		{"١", "", fixed.ErrSyntax},
	} {
		got, err := fixed.Parse(c.text, 6)
		if !errors.Is(err, c.err) {
			t.Errorf("Parse(%q): error %v, want %v", c.text, err, c.err)
		}
		if c.err == nil && got.BigInt().String() != c.units {
			t.Errorf("Parse(%q) = %s units, want %s", c.text, got.BigInt(), c.units)
		}
	}
}

func TestFormatKeepsTheDigitsItIsTold(t *testing.T) {
	for _, c := range []struct {
		units      int64
		scale, min int
		want       string
	}{
		{0, 6, 0, "0"}, {5, 6, 0, "0.000005"}, {-1_500_000, 6, 0, "-1.5"}, {990_000, 4, 2, "99.00"}, {12, 0, 0, "12"}, {10_005, 4, 2, "1.0005"},
	} {
		if got := fixed.Format(decimal128.FromI64(c.units), c.scale, c.min); got != c.want {
			t.Errorf("Format(%d, %d, %d) = %s, want %s", c.units, c.scale, c.min, got, c.want)
		}
	}
}

// limit is 10^38, the first number that DECIMAL(38) does not hold.
var limit = new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)

// number draws integers of at most 38 digits, the ends and small ones often.
func number(t *rapid.T, label string) *big.Int {
	digits := rapid.SampledFrom([]string{`-?[0-9]{1,38}`, `-?9{38}`, `-?[0-9]{1,3}`, `-?1844674407370955161[0-9]`}).Draw(t, label+" shape")
	n, _ := new(big.Int).SetString(rapid.StringMatching(digits).Draw(t, label), 10)
	return n
}

func TestAddIsCheckedAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := number(t, "a"), number(t, "b")
		want := new(big.Int).Add(a, b)
		defer func() {
			_, overflowed := recover().(fixed.Overflow)
			if fits := want.CmpAbs(limit) < 0; overflowed == fits {
				t.Fatalf("%s + %s: overflow %v, but fits: %v", a, b, overflowed, fits)
			}
		}()
		got := fixed.Add(decimal128.FromBigInt(a), decimal128.FromBigInt(b))
		if got.BigInt().Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s, want %s", a, b, got.BigInt(), want)
		}
	})
}

func TestQuotientRoundsHalvesAwayFromZero(t *testing.T) {
	for _, c := range [][3]int64{{5, 10, 1}, {-5, 10, -1}, {4, 10, 0}, {15, 10, 2}, {25, 10, 3}, {-25, 10, -3}, {5, -10, -1}, {1, 3, 0}, {2, 3, 1}, {0, 7, 0}} {
		if got := fixed.Quotient(big.NewInt(c[0]), big.NewInt(c[1])); got.Int64() != c[2] {
			t.Errorf("Quotient(%d, %d) = %s, want %d", c[0], c[1], got, c[2])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0", "-12.5", "1e9", "99999999999999999999999999999999.999999", "..", "-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := fixed.Parse(text, 6)
		if err != nil {
			return
		}
		again, err := fixed.Parse(fixed.Format(n, 6, 0), 6)
		if err != nil || again != n {
			t.Fatalf("%q is %s units, printed and read again %s, %v", text, n.BigInt(), again.BigInt(), err)
		}
	})
}
