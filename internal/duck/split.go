package duck

import "strings"

// A Statement is one of those of a text.
type Statement struct {
	// Text is the statement without the semicolon that ends it, after as many empty lines
	// and blanks as what stands before it takes: DuckDB says of an error where in the whole
	// text it is.
	Text string
	Line int // in which it begins, counted from 1
}

// Split takes a text apart at the semicolons that end statements: those that stand in no
// string, name or comment. What has no words is left out. open reports whether something
// stands after the last semicolon that a further line may go on with: a statement, or a
// string, name or comment that has not ended.
func Split(text string) (statements []Statement, open bool) {
	start, words := 0, false // of the statement, and whether it has any
	add := func(end int) {
		if words {
			lead := len(text[start:end]) - len(strings.TrimLeft(text[start:end], " \t\r\n\f\v"))
			before := text[:start+lead]
			line := strings.Count(before, "\n")
			blanks := len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
			statements = append(statements, Statement{strings.Repeat("\n", line) + strings.Repeat(" ", blanks) + text[start+lead:end], line + 1})
		}
		words = false
	}
	for at := 0; at < len(text); {
		kind, end := token(text, at)
		switch kind {
		case tokenEnd:
			add(at)
			start = end
		case tokenWord:
			words = true
		case tokenOpen:
			words, open = true, true
		}
		at = end
	}
	open = open || words
	add(len(text))
	return statements, open
}

// Single is the one statement of a text, without a semicolon at its end. A text of none or
// of several is returned as it is.
func Single(text string) string {
	if statements, _ := Split(text); len(statements) == 1 {
		return statements[0].Text
	}
	return text
}

// Begin is where the statement of a text begins, comments before it aside: the line and
// the character in it, both counted from 1, 0 where there is none. Of several statements
// it is the second, which is one too many.
func Begin(text string) (line, column int) {
	begin, found, inside := 0, 0, false
	for at := 0; at < len(text) && found < 2; {
		kind, end := token(text, at)
		switch {
		case kind == tokenEnd:
			inside = false
		case kind != tokenBlank && !inside:
			inside, begin = true, at
			found++
		}
		at = end
	}
	if found == 0 {
		return 0, 0
	}
	before := text[:begin]
	return strings.Count(before, "\n") + 1, len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
}

// The kinds of tokens that [Split] tells apart.
const (
	tokenBlank = iota // blanks and comments
	tokenEnd          // the end of a statement
	tokenWord         // anything else
	tokenOpen         // a string, name or comment that does not end
)

// token is the kind of the token that begins at a place of a text, and where it ends, as
// DuckDB reads it.
func token(text string, at int) (kind, end int) {
	rest := text[at:]
	switch c := rest[0]; {
	case c == ';':
		return tokenEnd, at + 1
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		return tokenBlank, at + 1
	case strings.HasPrefix(rest, "--"):
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			return tokenBlank, at + end
		}
		return tokenBlank, len(text)
	case strings.HasPrefix(rest, "/*"):
		return comment(text, at)
	case c == '\'' || c == '"':
		return quoted(text, at+1, c, false)
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		return quoted(text, at+2, '\'', true)
	case c == '$':
		return dollarQuoted(text, at)
	case inWord(c):
		end := at + 1
		for end < len(text) && (inWord(text[end]) || text[end] == '$') {
			end++
		}
		return tokenWord, end
	default:
		return tokenWord, at + 1
	}
}

func inWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// comment is one between /* and */, which may hold others.
func comment(text string, at int) (kind, end int) {
	depth := 0
	for end = at; end < len(text); {
		switch {
		case strings.HasPrefix(text[end:], "/*"):
			depth++
			end += 2
		case strings.HasPrefix(text[end:], "*/"):
			depth--
			end += 2
		default:
			end++
		}
		if depth == 0 {
			return tokenBlank, end
		}
	}
	return tokenOpen, end
}

// quoted is a string or name whose first character stands at from; its quote stands in it
// twice, or where escapes are behind a backslash.
func quoted(text string, from int, quote byte, escapes bool) (kind, end int) {
	for end = from; end < len(text); end++ {
		switch {
		case escapes && text[end] == '\\':
			end++
		case text[end] != quote:
		case end+1 < len(text) && text[end+1] == quote:
			end++
		default:
			return tokenWord, end + 1
		}
	}
	return tokenOpen, len(text)
}

// dollarQuoted is a string between $$ and $$ or $word$ and $word$; else it is a $ alone.
func dollarQuoted(text string, at int) (kind, end int) {
	end = at + 1
	for end < len(text) && inWord(text[end]) && (end > at+1 || text[end] < '0' || text[end] > '9') {
		end++
	}
	if end == len(text) || text[end] != '$' {
		return tokenWord, end
	}
	mark := text[at : end+1]
	if closing := strings.Index(text[end+1:], mark); closing >= 0 {
		return tokenWord, end + 1 + closing + len(mark)
	}
	return tokenOpen, len(text)
}

// WithoutComments is a text with a blank in the place of each comment.
func WithoutComments(text string) string {
	var plain strings.Builder
	for at := 0; at < len(text); {
		kind, end := token(text, at)
		switch piece := text[at:end]; {
		case kind == tokenBlank && len(piece) > 1, kind == tokenOpen && strings.HasPrefix(piece, "/*"):
			plain.WriteByte(' ')
		default:
			plain.WriteString(piece)
		}
		at = end
	}
	return plain.String()
}

// OneLine is a text of several lines as lines that read the same: as one, unless a comment
// or a string goes to the end of a line.
func OneLine(text string) []string {
	text = strings.TrimSpace(text)
	var one strings.Builder
	for at := 0; at < len(text); {
		kind, end := token(text, at)
		switch piece := text[at:end]; {
		case piece == "\n" || piece == "\r":
			one.WriteByte(' ')
		case strings.HasPrefix(piece, "--") && end < len(text), strings.Contains(piece, "\n") && kind != tokenBlank, strings.HasPrefix(piece, "/*") && strings.Contains(piece, "\n"):
			return strings.Split(text, "\n")
		default:
			one.WriteString(piece)
		}
		at = end
	}
	return []string{one.String()}
}
