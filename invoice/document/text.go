package document

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
)

// notShown stands in print for a character that cannot be shown: one that would
// steer the reader's screen, and in PDF one that no font has.
const notShown = utf8.RuneError

// shown is a text from outside as documents for people have it. What would turn
// the direction of what follows, or has no appearance at all, becomes [notShown];
// line ends and odd blanks become blanks. JSON has the text as it came.
func shown(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return showRune(r) != r }) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.Map(showRune, s)
}

func showRune(r rune) rune {
	switch {
	case r < 0x7f && r >= ' ':
		return r
	case r == '\u00a0' || r == '\u3000': // no-break and ideographic space are meant
		return r
	case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r) || r == '\u2028' || r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r) && !isMark(r), unicode.Is(unicode.Noncharacter_Code_Point, r),
		r >= 0xe0000 && r < 0xe0100: // tags: text that nobody sees
		return notShown
	}
	return r
}

// isMark reports whether r is one of the characters that have no appearance and do no
// harm: marks of direction for their neighbours, joiners, places where a word may break.
func isMark(r rune) bool {
	switch {
	case r >= '\u200b' && r <= '\u200f', r == '\u061c', r == '\u00ad', r == '\u2060', r == '\ufeff':
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// paragraphs are the lines of a text, as shown; empty ones are left out.
func paragraphs(texts ...string) (lines []string) {
	for _, text := range texts {
		for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' }) {
			if line = strings.TrimSpace(shown(line)); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// date is the day of t in the billing time zone; empty for the zero time.
func (d *Document) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(d.Calendar.Location()).Format("2 Jan 2006")
}

// span is the days from one instant to another, which is not part of it: one that
// ends at midnight ends with the day before.
func (d *Document) span(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	local := to.In(d.Calendar.Location())
	if to.After(from) && local.Hour() == 0 && local.Minute() == 0 && local.Second() == 0 && local.Nanosecond() == 0 {
		to = to.Add(-time.Microsecond)
	}
	first, last := d.date(from), d.date(to)
	if first == last {
		return first
	}
	return first + " – " + last
}

func (d *Document) money(a money.Amount) string { return group(d.Currency.Format(a)) }

func number(a credit.Amount) string { return group(a.String()) }

func count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// group writes a decimal as people do: thousands apart, and a real minus.
func group(decimal string) string { return strings.Replace(fixed.Group(decimal), "-", "−", 1) }
