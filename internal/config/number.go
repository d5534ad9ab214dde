package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A Number is a template of document numbers, such as "INV-{year}-{seq:6}". The
// zero value renders nothing.
type Number struct {
	text   string
	before string // of {seq}; may hold {year}
	after  string
	width  int // zeros are written in front up to this many digits
}

var (
	placeholder   = regexp.MustCompile(`\{[^{}]*\}`)
	sequence      = regexp.MustCompile(`^\{seq(:([1-9]|1[0-8]))?\}$`)
	numberLetters = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

// ParseNumber reads a template: letters, digits, dot, underscore and hyphen, {year}
// any number of times, and {seq} or {seq:DIGITS} once.
func ParseNumber(text string) (Number, error) {
	n := Number{text: text}
	found := 0
	rest := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		if m := sequence.FindStringSubmatch(p); m != nil {
			found++
			n.width, _ = strconv.Atoi(m[2])
			return ""
		}
		if p == "{year}" {
			return ""
		}
		found = -1000
		return ""
	})
	switch {
	case found < 0:
		return Number{}, fmt.Errorf("%q: only {year} and {seq} or {seq:6} may stand in braces", text)
	case found != 1:
		return Number{}, fmt.Errorf("%q must have {seq} once, such as INV-{year}-{seq:6}", text)
	case !numberLetters.MatchString(rest):
		return Number{}, fmt.Errorf("%q: a number is made of letters, digits, dot, underscore and hyphen", text)
	}
	at := strings.Index(text, "{seq")
	n.before, n.after = text[:at], text[at+strings.Index(text[at:], "}")+1:]
	return n, nil
}

// String is the template as it was written.
func (n Number) String() string { return n.text }

// Render writes the number of a document that is issued in that year of the
// billing time zone. seq counts from 1 within [Number.Series].
func (n Number) Render(year int, seq int64) string {
	return fmt.Sprintf("%s%0*d%s", inYear(n.before, year), n.width, seq, inYear(n.after, year))
}

// Series is the rendering of everything but {seq}, which stays as it is: each
// series counts by itself, and templates of one series count together.
func (n Number) Series(year int) string {
	return inYear(n.before, year) + "{seq}" + inYear(n.after, year)
}

func inYear(text string, year int) string {
	return strings.ReplaceAll(text, "{year}", fmt.Sprintf("%04d", year))
}

// mayMeet reports whether two different templates could render one number: they
// are the same but for digits next to {seq}.
func (n Number) mayMeet(m Number) bool {
	bare := func(n Number) [2]string {
		return [2]string{strings.TrimRight(inYear(n.before, 0), "0123456789"), strings.TrimLeft(inYear(n.after, 0), "0123456789")}
	}
	return n.text != m.text && bare(n) == bare(m)
}

func (r reader) invoices(n yamlfile.Node) {
	o := r.Object(n, "invoices")
	nodes := []yamlfile.Node{o.Get("number"), o.Get("credit"), o.Get("debit")}
	templates := []string{"INV-{year}-{seq:6}", "CN-{year}-{seq:6}", "DN-{year}-{seq:6}"}
	numbers := make([]Number, len(nodes))
	for i, node := range nodes {
		text := templates[i]
		if !node.IsZero() {
			if text = r.String(node); text == "" && node.Kind() != yamlfile.String {
				continue
			}
		}
		var err error
		if numbers[i], err = ParseNumber(text); err != nil {
			r.Add(node, "", "%v", err)
			continue
		}
		for j := range i {
			if numbers[j].text != "" && numbers[i].mayMeet(numbers[j]) {
				at := node
				if at.IsZero() {
					at = nodes[j]
				}
				r.Add(at, "let them begin differently, such as INV- and CN-", "%q and %q could give two documents one number", numbers[j], numbers[i])
			}
		}
	}
	r.c.Invoices = Invoices{Number: numbers[0], Credit: numbers[1], Debit: numbers[2], Due: r.duration(o.Get("due"), "14 days")}
	o.Done()
}
