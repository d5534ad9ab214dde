package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/period"
)

// printable escapes what could move a terminal's cursor, hide text or turn its
// direction: ids and raw lines come from logs, and anybody can write those.
func printable(s string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case clean(r), r == utf8.RuneError && size > 1:
			out.WriteRune(r)
		case r == utf8.RuneError:
			fmt.Fprintf(&out, `\x%02x`, s[0])
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return out.String()
}

// printableLines is printable for a text whose line ends are its own.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// grouped is an exact decimal for people: "1234567.8900" as "1,234,567.8900".
func grouped(decimal string) string { return fixed.Group(decimal) }

// trimmed leaves out the zeros at the end of a decimal's fraction.
func trimmed(decimal string) string {
	if !strings.Contains(decimal, ".") {
		return decimal
	}
	return strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
}

// count writes a number of things: "1 call", "1,200 calls".
func count(n int64, thing string) string {
	text := grouped(strconv.FormatInt(n, 10)) + " " + thing
	if n == 1 {
		return text
	}
	return text + "s"
}

// byReason writes counts in the order of their names: "conflict 1, duplicate 2".
func byReason(counts map[string]int64) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		if counts[reason] != 0 {
			parts = append(parts, printable(reason)+" "+grouped(strconv.FormatInt(counts[reason], 10)))
		}
	}
	return strings.Join(parts, ", ")
}

func total(counts map[string]int64) (sum int64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// instantText writes an instant, "" for none.
func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return period.FormatInstant(t)
}

// fold breaks a text into lines of at most width characters, each after prefix.
func fold(text, prefix string, width int) string {
	var out strings.Builder
	line := 0
	for _, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case line == 0:
			out.WriteString(prefix)
		case line+1+length > width:
			out.WriteString("\n" + prefix)
			line = 0
		default:
			out.WriteByte(' ')
			line++
		}
		out.WriteString(word)
		line += length
	}
	return out.String() + "\n"
}
