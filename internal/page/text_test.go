package page

import (
	"math/big"
	"testing"
)

func TestBrief(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"0": "0", "0.05": "0.05", "-20000": "−20,000", "1500000": "1.5 M", "-2000000000": "−2 bn", "5e12": "5 tn", "2e16": "20 × 10¹⁵",
	} {
		n, ok := new(big.Rat).SetString(number)
		if !ok {
			t.Fatal(number)
		}
		if got := Brief(n); got != want {
			t.Errorf("%s: %s, want %s", number, got, want)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"acme": "acme", "a\u202eb": `a\u202eb`, "a\x1bb": `a\x1bb`, "a\xffb": "a\ufffdb", "שלום": "שלום", "a\u200bb": `a\u200bb`, "a\nb": `a\nb`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"abcdef": "abcdef", "abcdefg": "abcde…", "白樺株": "白樺株", "白樺株式": "白樺…"} {
		if got := Cut(text, 6); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
