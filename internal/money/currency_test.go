package money_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/money"
)

// everyCode gives all codes of three capitals that ParseCurrency takes, by the digits
// of their minor unit.
func everyCode() map[int][]string {
	codes := map[int][]string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if currency, err := money.ParseCurrency(string([]rune{a, b, c})); err == nil {
					codes[currency.Digits()] = append(codes[currency.Digits()], currency.String())
				}
			}
		}
	}
	return codes
}

// ISO 4217, list one of 2026-01-01: 165 codes with a minor unit, of which 139 have two
// digits; and 11 that were withdrawn from it since 2014, of which BYR had none.
func TestMinorUnitsAreThoseOfISO4217(t *testing.T) {
	codes := everyCode()
	for digits, want := range map[int]string{
		0: "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		if got := strings.Join(codes[digits], " "); got != want {
			t.Errorf("%d digits: %s, want %s", digits, got, want)
		}
	}
	if n := len(codes[2]); n != 139+10 || len(codes) != 4 {
		t.Errorf("%d codes have two digits, want 149, and no others than 0, 2, 3 and 4 are; got %v", n, codes)
	}
	// Two digits in ISO 4217, where they are little used: other lists say none.
	for _, code := range strings.Fields("AFN ALL AMD COP GYD IDR IRR KPW LAK LBP MGA MMK MNT MUR PKR RSD SLL SOS SYP TZS UZS YER MRO STD") {
		if !slices.Contains(codes[2], code) {
			t.Errorf("%s does not have two digits", code)
		}
	}
}

func TestRoundOfCurrenciesThatOtherListsRoundToWholeUnits(t *testing.T) {
	for _, c := range []struct{ currency, amount, want string }{
		{"COP", "19.90", "19.90"},
		{"IDR", "0.40", "0.40"},
		{"PKR", "1299.50", "1299.50"},
		{"PKR", "1299.505", "1299.51"},
		{"IQD", "1.2345", "1.235"},
		{"JPY", "19.90", "20"},
		{"KWD", "19.9005", "19.901"},
		{"CLF", "0.01234", "0.0123"},
		{"CLF", "-0.01235", "-0.0124"},
		{"UYW", "1.00005", "1.0001"},
		{"BYR", "0.5", "1"},
	} {
		currency, err := money.ParseCurrency(c.currency)
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := new(big.Rat).SetString(c.amount)
		got, err := currency.Round(exact)
		if err != nil || currency.Format(got) != c.want {
			t.Errorf("%s %s rounds to %s, %v; want %s", c.currency, c.amount, currency.Format(got), err, c.want)
		}
	}
}

func TestParseCurrencyTakesCodesInUseAndWithdrawnOnes(t *testing.T) {
	for _, code := range strings.Fields("MRU STN VES VED SLE UYW ZWG XCG XAD BYN USN CHE CHW BOV COU MXV HRK LTL BGN ANG ZWL") {
		if got, err := money.ParseCurrency(code); err != nil || got.String() != code {
			t.Errorf("ParseCurrency(%q) = %s, %v", code, got, err)
		}
	}
}

func TestParseCurrencyRefusesWhatHasNoMinorUnit(t *testing.T) {
	for _, code := range strings.Fields("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX") {
		if got, err := money.ParseCurrency(code); err == nil || !strings.Contains(err.Error(), "has no minor unit") {
			t.Errorf("ParseCurrency(%q) = %s, %v; want an error that says why", code, got, err)
		}
	}
}

func TestParseCurrencyWantsISOCodesInCapitals(t *testing.T) {
	for _, code := range []string{"", "usd", "Usd", "US", "USDT", " USD", "USD ", "XQZ", "DEM", "840", "€"} {
		if got, err := money.ParseCurrency(code); err == nil || !got.IsZero() {
			t.Errorf("ParseCurrency(%q) = %s, %v; want an error", code, got, err)
		}
	}
}
