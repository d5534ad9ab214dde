package account

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/period"
)

// parseExpiry reads an optional expires_at; absent is the zero time, never.
func parseExpiry(s *string) (time.Time, bool) {
	if s == nil {
		return time.Time{}, true
	}
	t, err := period.ParseInstant(*s)
	return t, err == nil
}

// A decimal is a JSON number or a string that holds one, as written; empty:
// absent or null. Anything else is an error of the JSON around it.
type decimal string

// UnmarshalJSON keeps the number's text.
func (d *decimal) UnmarshalJSON(src []byte) error {
	if string(src) == "null" {
		return nil
	}
	if src[0] == '"' {
		var s string
		if err := json.Unmarshal(src, &s); err != nil {
			return err
		}
		*d = decimal(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(src, &n); err != nil {
		return err
	}
	*d = decimal(n)
	return nil
}

// paidAmount is what was paid for a balance brought over, a decimal; true or
// false there say no amount, and are none.
type paidAmount decimal

// UnmarshalJSON keeps a number's text and drops a boolean.
func (p *paidAmount) UnmarshalJSON(src []byte) error {
	if string(src) == "true" || string(src) == "false" {
		return nil
	}
	return (*decimal)(p).UnmarshalJSON(src)
}

// credits reads d exactly as credits: at most six fractional digits.
func (d decimal) credits() (credit.Amount, bool) {
	r, ok := d.rat()
	if !ok {
		return credit.Amount{}, false
	}
	a, err := credit.Round(r)
	return a, err == nil && a.Rat().Cmp(r) == 0
}

// rat reads d exactly. Longer texts and exponents than any amount has are refused.
func (d decimal) rat() (*big.Rat, bool) {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(string(d)), "e")
	if scientific {
		if n, err := strconv.Atoi(exponent); err != nil || n < -40 || n > 40 {
			return nil, false
		}
	}
	if mantissa == "" || len(mantissa) > 80 || strings.Trim(mantissa, "-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(strings.ToLower(string(d)))
}
