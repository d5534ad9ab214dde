package docs_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/money"
)

// The query of `lines` has half the minor unit of every currency that has not two digits.
func TestNumbersKnowTheMinorUnits(t *testing.T) {
	t.Parallel()
	want := map[string]string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				currency, err := money.ParseCurrency(string([]rune{a, b, c}))
				if err == nil && currency.Digits() != 2 {
					want[currency.String()] = "0." + strings.Repeat("0", currency.Digits()) + "5"
				}
			}
		}
	}
	query := section(t, read(t, "numbers.md"), "### `lines`")
	got := map[string]string{}
	for _, when := range regexp.MustCompile(`WHEN currency IN \(([^)]*)\) THEN ([0-9.]+)\n`).FindAllStringSubmatch(query, -1) {
		for code := range strings.SplitSeq(when[1], ", ") {
			got[strings.Trim(code, "'")] = when[2]
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("numbers.md: half the minor unit by currency is %v, want %v", got, want)
	}
	if !strings.Contains(query, "ELSE 0.005\n") {
		t.Error("numbers.md: half the minor unit of all other currencies is not 0.005")
	}
}
