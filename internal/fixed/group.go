package fixed

import "strings"

// Group puts commas between the thousands of a decimal: "-1234567.8900" becomes
// "-1,234,567.8900". For people only, never in JSON or CSV.
func Group(decimal string) string {
	digits, negative := strings.CutPrefix(decimal, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dotted {
		whole += "." + fraction
	}
	if negative {
		return "-" + whole
	}
	return whole
}
