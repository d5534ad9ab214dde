package source

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Pattern is a glob over object keys: * stands for any run of characters but /,
// ** for any run at all, {yyyy}, {mm}, {dd} and {hh} for the digits of a date, and
// any other {name} for the shortest run that is not empty and has no /. The zero
// Pattern matches nothing.
type Pattern struct {
	text   string
	expr   *regexp.Regexp
	named  string // the one name that is no part of a date; empty: none
	prefix string // before the first wildcard
	dated  bool   // has {yyyy}
}

var dateParts = map[string]string{"yyyy": `\d{4}`, "mm": `\d{2}`, "dd": `\d{2}`, "hh": `\d{2}`}

var (
	wildcard = regexp.MustCompile(`\*\*/|\*\*|\*|\{[^{}]*\}|[{}]`)
	partName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// parsePattern compiles text. Its named part that is no date part is allowed, and
// then required, where named says so.
func parsePattern(text string, named bool) (Pattern, error) {
	p := Pattern{text: text, prefix: text}
	if text == "" {
		return p, errors.New("an empty pattern matches nothing")
	}
	if strings.HasPrefix(text, "/") {
		return p, errors.New("a pattern has no leading /: it is matched against the key under the raw store")
	}
	var expr strings.Builder
	expr.WriteString(`\A`)
	rest, seen := text, map[string]bool{}
	for {
		at := wildcard.FindStringIndex(rest)
		if at == nil {
			break
		}
		if expr.Len() == len(`\A`) && p.prefix == text {
			p.prefix = rest[:at[0]]
		}
		expr.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		token := rest[at[0]:at[1]]
		rest = rest[at[1]:]
		part, err := p.token(token, named, seen)
		if err != nil {
			return p, err
		}
		expr.WriteString(part)
	}
	expr.WriteString(regexp.QuoteMeta(rest) + `\z`)
	if named && p.named == "" {
		return p, errors.New("a pattern that cuts a value out of the key names it, such as gateway/{account}/*")
	}
	p.dated = seen["yyyy"]
	var err error
	if p.expr, err = regexp.Compile(expr.String()); err != nil {
		return p, fmt.Errorf("the pattern is too long, or is not UTF-8: %w", err)
	}
	return p, nil
}

func (p *Pattern) token(token string, named bool, seen map[string]bool) (string, error) {
	switch token {
	case "**/":
		return `(?:[\s\S]*/)?`, nil
	case "**":
		return `[\s\S]*`, nil
	case "*":
		return `[^/]*`, nil
	case "{", "}":
		return "", fmt.Errorf("a %s that stands alone", token)
	}
	name := token[1 : len(token)-1]
	digits, date := dateParts[name]
	switch {
	case !date && !named:
		return "", fmt.Errorf("%s is no part of a date; a path knows {yyyy}, {mm}, {dd} and {hh}", token)
	case !partName.MatchString(name):
		return "", fmt.Errorf("%s is no name (small letters, digits and _)", token)
	case !date && p.named != "" && p.named != name:
		return "", fmt.Errorf("{%s} and %s: a pattern cuts out one value", p.named, token)
	case seen[name]:
		if date {
			return digits, nil // the same date again, as in {yyyy}/{mm}/{yyyy}-{mm}.log
		}
		return "", fmt.Errorf("%s stands twice", token)
	}
	seen[name] = true
	if date {
		return "(?P<" + name + ">" + digits + ")", nil
	}
	p.named = name
	return "(?P<" + name + ">[^/]+?)", nil
}

// String is the pattern as written.
func (p Pattern) String() string { return p.text }

// Match returns what the pattern's names stand for in key.
func (p Pattern) Match(key string) (fields map[string]string, ok bool) {
	if p.expr == nil || !strings.HasPrefix(key, p.prefix) {
		return nil, false
	}
	found := p.expr.FindStringSubmatch(key)
	if found == nil {
		return nil, false
	}
	fields = map[string]string{}
	for i, name := range p.expr.SubexpNames() {
		if name != "" {
			fields[name] = found[i]
		}
	}
	return fields, true
}

// Cut returns the part of key that the pattern names.
func (p Pattern) Cut(key string) (string, bool) {
	fields, ok := p.Match(key)
	return fields[p.named], ok
}

// prefixOn is what keys of that UTC day begin with, as far as it is known.
func (p Pattern) prefixOn(day time.Time) string {
	text := strings.NewReplacer("{yyyy}", day.Format("2006"), "{mm}", day.Format("01"), "{dd}", day.Format("02")).Replace(p.text)
	if at := wildcard.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	return text
}
