package yamlfile

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/period"
)

// The readers below take a value of one type. They add a problem and return the
// zero value when the value is of another; an absent value is the zero value
// without a problem.

// String reads a text. A number, true, false or nothing is refused, with the
// hint to write it in quotes.
func (p *Problems) String(n Node) string {
	if n.IsZero() {
		return ""
	}
	switch n.Kind() {
	case String:
		return n.Text()
	case Number, Bool:
		p.Add(n, "write it in quotes: "+strconv.Quote(n.Text()), "a text is expected here, not %s", n.Kind())
	case Null:
		p.Add(n, `an empty text is written ""`, "a text is expected here, not nothing")
	default:
		p.Add(n, "", "a text is expected here, not %s", n.Kind())
	}
	return ""
}

// Strings reads a list of texts.
func (p *Problems) Strings(n Node) []string {
	if n.IsZero() {
		return nil
	}
	if n.Kind() != List {
		hint := ""
		if n.Kind() == String {
			hint = "write it as a list of one: [" + strconv.Quote(n.Text()) + "]"
		}
		p.Add(n, hint, "a list of texts is expected here, not %s", n.Kind())
		return nil
	}
	texts := make([]string, 0, len(n.Items()))
	for _, item := range n.Items() {
		texts = append(texts, p.String(item))
	}
	return texts
}

var integer = regexp.MustCompile(`^-?[0-9]+$`)

// Int reads a whole number that is written without quotes, point or exponent.
func (p *Problems) Int(n Node) int64 {
	if n.IsZero() {
		return 0
	}
	if n.Kind() != Number {
		hint := ""
		if n.Quoted() && integer.MatchString(n.Text()) {
			hint = "write it without quotes"
		}
		p.Add(n, hint, "a whole number is expected here, not %s", n.Kind())
		return 0
	}
	if !integer.MatchString(n.Text()) {
		p.Add(n, "", "a whole number is expected here, not %s", n.Text())
		return 0
	}
	i, err := strconv.ParseInt(n.Text(), 10, 64)
	if err != nil {
		p.Add(n, "", "the number %s is too large", n.Text())
		return 0
	}
	return i
}

// Bool reads true or false.
func (p *Problems) Bool(n Node) bool {
	if n.IsZero() {
		return false
	}
	if n.Kind() != Bool {
		hint := ""
		switch strings.ToLower(n.Text()) {
		case "yes", "on", "true":
			hint = "write true"
		case "no", "off", "false":
			hint = "write false"
		}
		p.Add(n, hint, "true or false is expected here, not %s", n.Kind())
		return false
	}
	return strings.EqualFold(n.Text(), "true")
}

// Decimal reads a plain decimal number, quoted or not, of at most intDigits
// digits before and scale digits after the point, and returns its text as it was
// written; "" when there is none. Signs other than a leading minus, exponents
// and separators are refused. It may be negative: see [Problems.Amount].
func (p *Problems) Decimal(n Node, scale, intDigits int) string {
	if n.IsZero() {
		return ""
	}
	if n.Kind() != Number && n.Kind() != String {
		p.Add(n, "", "a decimal number is expected here, not %s", n.Kind())
		return ""
	}
	text := n.Text()
	_, err := fixed.Parse(text, scale)
	whole, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	switch {
	case errors.Is(err, fixed.ErrScale):
		p.Add(n, "", "%s has more than %d digits after the point", text, scale)
	case errors.Is(err, fixed.ErrRange), err == nil && len(strings.TrimLeft(whole, "0")) > intDigits:
		p.Add(n, "", "%s has more than %d digits before the point", text, intDigits)
	case err != nil:
		p.Add(n, "write digits with at most one point, such as 1200 or 0.25", "%q is no decimal number", text)
	default:
		return text
	}
	return ""
}

// Amount is Decimal for what cannot be negative.
func (p *Problems) Amount(n Node, scale, intDigits int) string {
	text := p.Decimal(n, scale, intDigits)
	if strings.HasPrefix(text, "-") && strings.ContainsAny(text, "123456789") {
		p.Add(n, "", "%s is negative", text)
		return ""
	}
	return strings.TrimPrefix(text, "-")
}

// Instant reads RFC 3339 and cuts it to the microsecond, in UTC.
func (p *Problems) Instant(n Node) time.Time {
	text := p.String(n)
	if text == "" {
		p.refuseEmpty(n, "an instant (RFC 3339, such as 2026-10-31T22:00:00Z)")
		return time.Time{}
	}
	t, err := period.ParseInstant(text)
	if err != nil {
		hint := ""
		if _, dateErr := time.Parse(time.DateOnly, text); dateErr == nil {
			hint = "write " + text + "T00:00:00Z"
		}
		p.Add(n, hint, "%v", err)
	}
	return t
}

// Duration reads a duration such as 6h, 30m, 14 days or 12 months.
func (p *Problems) Duration(n Node) period.Duration {
	if n.Kind() == Number {
		p.Add(n, "write its unit: "+n.Text()+" days, "+n.Text()+"h", "a duration is expected here, not a number")
		return period.Duration{}
	}
	text := p.String(n)
	if text == "" {
		p.refuseEmpty(n, "a duration (such as 6h, 30m, 14 days or 12 months)")
		return period.Duration{}
	}
	d, err := period.ParseDuration(text)
	if err != nil {
		p.Add(n, "", "%v", err)
	}
	return d
}

// OneOf reads a text that must be one of those allowed.
func (p *Problems) OneOf(n Node, allowed ...string) string {
	if n.IsZero() {
		return ""
	}
	if n.Kind() != String {
		p.Add(n, "", "one of %s is expected here, not %s", strings.Join(allowed, ", "), n.Kind())
		return ""
	}
	if !slices.Contains(allowed, n.Text()) {
		p.Add(n, suggest(n.Text(), allowed), "%q is none of %s", n.Text(), strings.Join(allowed, ", "))
		return ""
	}
	return n.Text()
}

// refuseEmpty adds a problem for an empty text.
func (p *Problems) refuseEmpty(n Node, wanted string) {
	if n.Kind() == String {
		p.Add(n, "", "%s is expected here, not an empty text", wanted)
	}
}
