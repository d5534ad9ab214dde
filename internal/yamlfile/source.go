package yamlfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// jsonNumber is what is a number when it stands without quotes.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// How deep a file may nest, on one line and by indentation. The parser recurses;
// without a bound a hostile file could exhaust the stack, which nothing recovers.
const (
	maxDepth  = 64
	maxIndent = 512
)

// refuseAtMost is how many values that the package refuses are still reported
// one by one.
const refuseAtMost = 20

// A source is a file as it was read: its name and its lines, for showing.
type source struct {
	name  string
	lines []string
}

func newSource(name string, src []byte) *source {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(bytes.TrimPrefix(src, bom)))
	return &source{name, strings.Split(text, "\n")}
}

var bom = []byte("\xef\xbb\xbf")

func (f *source) position(line, column int) Position { return Position{f.name, line, max(column, 1)} }

func (f *source) node(kind Kind, pos Position) Node {
	return Node{&node{file: f, pos: pos, kind: kind}}
}

// bad is a value that a problem has been added for already.
func (f *source) bad(pos Position) Node {
	n := f.node(String, pos)
	n.n.bad = true
	return n
}

// decode refuses bytes that no text file of YAML holds, and returns the text
// with its line ends made one kind.
func (f *source) decode(src []byte, p *Problems) (string, bool) {
	if len(src) > MaxBytes {
		p.add(f, Position{File: f.name}, "split it into several files", fmt.Sprintf("the file has %d bytes; at most %d are read", len(src), MaxBytes))
		return "", false
	}
	before := p.Len()
	for i, line := range f.lines {
		f.decodeLine(i+1, line, p)
		if p.Len() > before+refuseAtMost {
			break
		}
	}
	return strings.Join(f.lines, "\n"), p.Len() == before
}

// decodeLine adds a problem for the first thing in a line that is no text.
func (f *source) decodeLine(number int, line string, p *Problems) {
	column := 0
	comment := strings.HasPrefix(strings.TrimLeft(line, " \t"), "#")
	previous := rune(' ')
	for i, r := range line {
		column++
		size := utf8.RuneLen(r)
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(line[i:], "\uFFFD"):
			p.add(f, f.position(number, column), "save the file as UTF-8", fmt.Sprintf("the byte 0x%02x is not UTF-8", line[i]))
			return
		case r == '\t' && !comment:
			p.add(f, f.position(number, column), `indent with spaces; in a text write "\t"`, "a tab")
			return
		case r == '#' && previous == ' ':
			comment = true
		case r < ' ' && r != '\t' || r == 0x7f || size > 1 && r >= 0x80 && r < 0xa0:
			p.add(f, f.position(number, column), fmt.Sprintf(`in a text in double quotes write "\x%02x"`, r), fmt.Sprintf("the control character U+%04X", r))
			return
		case r == 0xfeff:
			p.add(f, f.position(number, column), "", "a byte order mark inside the file")
			return
		}
		previous = r
	}
}

// refused says why a token is not part of the YAML that is read here, and what
// to write instead.
func refused(tk *token.Token) (message, hint string) {
	switch tk.Type {
	case token.AnchorType:
		return "anchors (&name) are not supported", "a text that begins with & is written in quotes"
	case token.AliasType:
		return "aliases (*name) are not supported", "a text that begins with * is written in quotes"
	case token.TagType:
		return "tags (!name) are not supported", "a text that begins with ! is written in quotes"
	case token.DirectiveType:
		return "directives (%YAML, %TAG) are not supported", "a text that begins with % is written in quotes"
	case token.MergeKeyType:
		return "merge keys (<<) are not supported", "write the keys out"
	case token.MappingKeyType:
		return "complex keys (?) are not supported", "a text that begins with ? is written in quotes"
	}
	return "", ""
}

// check refuses, by its tokens, what need not or must not reach the parser. It
// reports whether the file can be parsed all the same.
func (f *source) check(tokens token.Tokens, p *Problems) bool {
	flow, line, onLine, count := 0, 0, 0, 0
	for _, tk := range tokens {
		if tk.Position == nil {
			continue
		}
		if tk.Position.Line != line {
			line, onLine = tk.Position.Line, 0
			if flow == 0 && tk.Position.Column > maxIndent && tk.Type != token.CommentType && tk.Prev != nil && tk.Prev.Type != token.LiteralType && tk.Prev.Type != token.FoldedType {
				onLine = maxDepth + 1
			}
		}
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingValueType, token.MappingKeyType:
			if flow == 0 {
				onLine++
			}
		}
		if flow > maxDepth || onLine > maxDepth {
			p.add(f, f.position(tk.Position.Line, tk.Position.Column), "", "nested too deeply")
			return false
		}
		if message, hint := refused(tk); message != "" {
			p.add(f, f.position(tk.Position.Line, tk.Position.Column), hint, message)
			if count++; count == refuseAtMost {
				return false
			}
		}
	}
	return true
}
