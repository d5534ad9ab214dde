package fixed_test

import (
	"testing"

	"github.com/creditmill/creditmill/internal/fixed"
)

func TestGroup(t *testing.T) {
	for decimal, want := range map[string]string{
		"0": "0", "999": "999", "1000": "1,000", "-100": "-100", "-123456": "-123,456",
		"1234567.8900": "1,234,567.8900", "-1234.5": "-1,234.5", "0.123456": "0.123456", "": "",
	} {
		if got := fixed.Group(decimal); got != want {
			t.Errorf("%q: got %q, want %q", decimal, got, want)
		}
	}
}
