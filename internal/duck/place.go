package duck

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/jedib0t/go-pretty/v6/text"
)

// shown is how DuckDB shows where an error stands: the line, a long one shortened, and
// under it a caret.
var shown = regexp.MustCompile(`(?m)^LINE (\d+): (.*)\n( *)\^`)

// pointed shows a place of a text, in characters, as DuckDB shows where an error stands.
func pointed(statement string, place int) string {
	const most = 60 // characters of a line before and after the place
	characters := []rune(strings.TrimRight(statement, " \t\r\n"))
	place = min(place, len(characters))
	line, begin := 1, 0
	for i, r := range characters[:place] {
		if r == '\n' {
			line, begin = line+1, i+1
		}
	}
	head := fmt.Sprintf("LINE %d: ", line)
	if place-begin > most {
		head, begin = head+"...", place-most
	}
	head += string(characters[begin:place])
	rest, _, _ := strings.Cut(string(characters[place:]), "\n")
	if tail := []rune(rest); len(tail) > most {
		rest = string(tail[:most]) + "..."
	}
	caret := 0
	for _, r := range head {
		caret += max(1, text.RuneWidth(r))
	}
	return head + strings.TrimRight(rest, "\r") + "\n" + strings.Repeat(" ", caret) + "^"
}

// Place says where in a statement an error of DuckDB stands: the line and the character
// in it, both counted from 1; column is 0 where DuckDB's error does not tell it, line too.
func Place(err error, statement string) (line, column int) {
	if !errors.As(err, new(*duckdb.Error)) {
		return 0, 0
	}
	m := shown.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, 0
	}
	line, _ = strconv.Atoi(m[1])
	lines := strings.Split(statement, "\n")
	if line < 1 || line > len(lines) {
		return 0, 0
	}
	return line, columnAt(lines[line-1], m[2], len(m[3])-len("LINE : ")-len(m[1]))
}

// columnAt is the character of a line over the caret that is width columns of a terminal
// into the line as it is shown; 0 if that cannot be told.
func columnAt(line, shown string, width int) int {
	before := 0 // characters left out
	if strings.HasPrefix(shown, "...") && !strings.HasPrefix(line, shown) {
		shown, width = strings.TrimPrefix(shown, "..."), width-len("...")
		visible := strings.TrimSuffix(shown, "...")
		at := strings.Index(line, visible)
		if at < 0 || strings.Contains(line[at+1:], visible) {
			return 0
		}
		before = len([]rune(line[:at]))
	}
	column := 1
	for _, r := range shown {
		if width <= 0 {
			break
		}
		width -= max(1, text.RuneWidth(r))
		column++
	}
	return before + column
}

// A movedError is an error of DuckDB whose message shows another line number.
type movedError struct {
	message string
	err     error
}

func (e movedError) Error() string { return e.message }
func (e movedError) Unwrap() error { return e.err }

// above is an error of a statement before which stand lines that are none of the user's:
// it shows the number of the line without them.
func above(err error, lines int) error {
	if !errors.As(err, new(*duckdb.Error)) {
		return err
	}
	message := shown.ReplaceAllStringFunc(err.Error(), func(place string) string {
		m := shown.FindStringSubmatch(place)
		line, _ := strconv.Atoi(m[1])
		number := strconv.Itoa(max(1, line-lines))
		caret := len(m[3]) - len(m[1]) + len(number)
		return fmt.Sprintf("LINE %s: %s\n%s^", number, m[2], strings.Repeat(" ", max(0, caret)))
	})
	return movedError{message, err}
}
