package jobs

import (
	"encoding/base32"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The columns that name whom a forget makes nameless.
const (
	columnAccount = "account"
	columnKey     = "key"
)

// A person is whom a forget makes nameless: an account, or a key.
type person struct {
	column    string // account or key
	name      string
	pseudonym string
	mention   string // a regular expression, of RE2, that finds the name in a text
}

// pseudonymPrefix begins every pseudonym; what follows is random.
const pseudonymPrefix = "forgotten-"

var pseudonymPattern = regexp.MustCompile(`^` + pseudonymPrefix + `[a-z2-7]{26}$`)

// newPerson makes up a pseudonym, of which the name cannot be computed.
func newPerson(column, name string, random io.Reader) (person, error) {
	var bits [16]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return person{}, fmt.Errorf("make up a pseudonym: %w", err)
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(bits[:])
	return person{column: column, name: name, pseudonym: pseudonymPrefix + strings.ToLower(text), mention: mention(name)}, nil
}

// The text around a name that is a word of its own. What stands before it may be an
// escape, whose last character is a letter or a digit.
const (
	wordBefore = `(?:^|[^\pL\pN_]|%[0-9A-Fa-f]{2}|\\[bfnrt]|\\u[0-9A-Fa-f]{4})`
	wordAfter  = `(?:$|[^\pL\pN_])`
)

// mention is a regular expression that finds a name in a text such as a log line: as a
// word of its own, each of its characters as it is or as JSON, CSV or a URL writes it.
func mention(name string) string {
	var out strings.Builder
	if first, _ := utf8.DecodeRuneInString(name); inWord(first) {
		out.WriteString(wordBefore)
	}
	for _, r := range name {
		out.WriteString("(?:" + strings.Join(spellings(r), "|") + ")")
	}
	if last, _ := utf8.DecodeLastRuneInString(name); inWord(last) {
		out.WriteString(wordAfter)
	}
	return out.String()
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// spellings are the ways in which a character may be written, as regular expressions.
func spellings(r rune) []string {
	all := []string{regexp.QuoteMeta(string(r))}
	unit := func(n uint16) string { return fmt.Sprintf(`\\u(?i:%04x)`, n) }
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		all = append(all, unit(uint16(high))+unit(uint16(low)))
	} else {
		all = append(all, unit(uint16(r)))
	}
	encoded := ""
	for _, b := range []byte(string(r)) {
		encoded += fmt.Sprintf("%%(?i:%02x)", b)
	}
	all = append(all, encoded)
	switch r {
	case '"':
		all = append(all, `\\"`, `""`)
	case '\\', '/':
		all = append(all, `\\`+regexp.QuoteMeta(string(r)))
	case ' ':
		all = append(all, `\+`)
	}
	return all
}

// mentions reports whether a text names the person.
func (p person) mentions(text string) bool { return regexp.MustCompile(p.mention).MatchString(text) }
