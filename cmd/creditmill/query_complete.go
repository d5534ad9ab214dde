package main

import (
	"slices"
	"strings"
	"unicode"

	"github.com/creditmill/creditmill/sql"
)

// A completion completes the names of tables and columns, and dot commands with what they
// take.
type completion struct {
	tables []string            // of tables and views
	names  []string            // of these and of columns
	after  map[string][]string // what dot commands take, by their names
	show   func(text string)   // prints above the line
}

func newCompletion(s *session) *completion {
	c := &completion{after: map[string][]string{
		".format": formats, ".timer": {"off", "on"}, ".question": sql.Names("questions"), ".help": nil,
	}}
	for _, d := range s.dictionary() {
		c.after[".schema"] = append(c.after[".schema"], d.Name)
		c.tables, c.names = append(c.tables, d.Name), append(c.names, d.Name)
		for _, column := range d.Columns {
			c.names = append(c.names, column.Name)
		}
	}
	slices.Sort(c.names)
	c.names = slices.Compact(c.names)
	return c
}

// key implements the callback of [term.Terminal]: at a tabulator the word before the
// cursor is completed as far as it is plain, and else what it may become is shown.
func (c *completion) key(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	word, found := c.find(line[:pos])
	if len(found) == 0 || word == "" && !strings.HasPrefix(line, ".") {
		return line, pos, true
	}
	whole := found[0]
	for _, name := range found {
		whole = common(whole, name)
	}
	switch {
	case len(found) == 1 && !strings.HasPrefix(line[pos:], " "):
		whole += " "
	case len(whole) <= len(word):
		if len(found) > 1 {
			c.show(fold(strings.Join(found, "  "), "", lineLength))
		}
		return line, pos, true
	}
	start := line[:pos-len(word)] + whole
	return start + line[pos:], len(start), true
}

// tableFollows are the words after which a table is named.
var tableFollows = []string{"from", "join", "describe", "summarize", "table"}

// find is the word at the end of a text and what it may become.
func (c *completion) find(text string) (word string, found []string) {
	candidates := c.names
	if strings.HasPrefix(text, ".") {
		command, _, argument := strings.Cut(text, " ")
		if candidates = c.after[command]; !argument {
			candidates = nil
			for _, command := range dotCommands() {
				candidates = append(candidates, command.name)
			}
		}
		word = text[strings.LastIndexByte(text, ' ')+1:]
	} else {
		word = text[strings.LastIndexFunc(text, func(r rune) bool {
			return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})+1:]
		before := strings.Fields(strings.ToLower(strings.TrimSuffix(text, word)))
		if len(before) > 0 && slices.Contains(tableFollows, before[len(before)-1]) {
			candidates = c.tables
		}
	}
	for _, name := range candidates {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			found = append(found, name)
		}
	}
	return word, found
}

// common is what two names begin with.
func common(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}
