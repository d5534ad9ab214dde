package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Problem is one thing that is wrong in a file.
type Problem struct {
	Position
	Message string
	Hint    string // what to do about it; may be empty
	Source  string // the line of the file; empty where Position has no line
}

// String writes the problem as creditmill shows it: "file:line:column: message",
// the source line with a caret under the column, and the hint. It has no line
// end, and no control characters but the line ends between these parts.
func (p Problem) String() string {
	var b strings.Builder
	if where := p.Position.String(); where != "" {
		b.WriteString(printable(where))
		b.WriteString(": ")
	}
	b.WriteString(printable(p.Message))
	if p.Line > 0 {
		line, caret := excerpt(p.Source, p.Column)
		b.WriteString("\n    " + line + "\n    " + strings.Repeat(" ", caret) + "^")
	}
	if p.Hint != "" {
		b.WriteString("\n    hint: " + printable(p.Hint))
	}
	return b.String()
}

// Problems collects everything that is wrong in any number of files. The zero
// value is ready to use. It is not safe for concurrent use.
type Problems struct {
	list []Problem
	seen map[Problem]bool
}

// Add records a problem with a value, at its position. The hint says what to do
// and may be empty. A problem that was added before is not repeated, nor one with a
// value that was refused already.
func (p *Problems) Add(n Node, hint, format string, args ...any) {
	if n.n == nil {
		p.record(Problem{Message: fmt.Sprintf(format, args...), Hint: hint})
		return
	}
	if !n.n.bad {
		p.add(n.n.file, n.n.pos, hint, fmt.Sprintf(format, args...))
	}
}

// AddFile records a problem that concerns a file as a whole, such as one that
// cannot be read.
func (p *Problems) AddFile(file, hint, format string, args ...any) {
	p.record(Problem{Position: Position{File: file}, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (p *Problems) add(f *source, pos Position, hint, message string) {
	problem := Problem{Position: pos, Message: message, Hint: hint}
	if pos.Line > 0 && pos.Line <= len(f.lines) {
		problem.Source = f.lines[pos.Line-1]
	}
	p.record(problem)
}

func (p *Problems) record(problem Problem) {
	if p.seen[problem] {
		return
	}
	if p.seen == nil {
		p.seen = map[Problem]bool{}
	}
	p.seen[problem] = true
	p.list = append(p.list, problem)
}

// Len is the number of problems so far.
func (p *Problems) Len() int { return len(p.list) }

// List returns the problems sorted by file and position.
func (p *Problems) List() []Problem {
	sorted := slices.Clone(p.list)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return sorted
}

// Err returns nil when there is no problem, else an [*Error] that lists all of
// them.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &Error{p.List()}
}

// An Error is all that is wrong in the files that were read, sorted by file and
// position; there is at least one problem.
type Error struct{ Problems []Problem }

// Error writes every problem as [Problem.String] does, an empty line between.
func (e *Error) Error() string {
	texts := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		texts[i] = problem.String()
	}
	return strings.Join(texts, "\n\n")
}

// Of a long line so many characters are shown, and so many of them before the column.
const (
	shownWidth = 120
	shownLead  = 80
)

// excerpt cuts the part of a line that holds the column, and returns it with the
// number of characters before the caret.
func excerpt(line string, column int) (string, int) {
	runes := []rune(line)
	for i, r := range runes {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			runes[i] = '\u00b7'
			if r == '\t' {
				runes[i] = ' '
			}
		}
	}
	caret := min(max(column-1, 0), len(runes))
	if len(runes) <= shownWidth {
		return string(runes), caret
	}
	start := max(0, min(caret-shownLead, len(runes)-shownWidth))
	end := min(len(runes), start+shownWidth)
	shown, lead := string(runes[start:end]), ""
	if start > 0 {
		lead = "..."
	}
	if end < len(runes) {
		shown += "..."
	}
	return lead + shown, caret - start + len(lead)
}

// printable escapes what could move a terminal's cursor or hide text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, escapeControls(s))
}

func escapeControls(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
