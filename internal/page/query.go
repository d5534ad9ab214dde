package page

import (
	"math/big"
	"strings"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
)

// A Query is a statement and its result.
type Query struct {
	Name    string // of the statement, such as "report/month_days"
	About   string // what the statement gives and where it takes it from; may be empty
	Text    string // the statement, ready to be run by whoever reads the page
	Columns []string
	Types   []string // DuckDB's, such as "DECIMAL(38,6)"
	Rows    [][]Cell

	digits []int // fractional ones of the longest number of each column
}

// A Cell is a value as `creditmill query --format csv` writes it.
type Cell struct {
	Text string
	Null bool
}

// A Format is how a value is written for people. What is exact stays beside it.
type Format int

// Formats of values.
const (
	ByType  Format = iota // integers and decimals grouped, decimals without trailing zeros, else as it is
	Money                 // with the digits of the row's column `currency`
	Text                  // as it is, also of a number
	Instant               // without the T and, at full minutes, the seconds
)

// ColumnCurrency is the column that says the currency of a row's [Money].
const ColumnCurrency = "currency"

// column is the place of a column in the result, -1 for none.
func (q *Query) column(name string) int {
	for i, c := range q.Columns {
		if c == name {
			return i
		}
	}
	return -1
}

func (q *Query) numeric(column int) bool {
	t := q.Types[column]
	return strings.HasPrefix(t, "DECIMAL") || strings.HasSuffix(t, "INT") || t == "INTEGER"
}

// whole reports whether a column holds whole numbers alone.
func (q *Query) whole(column int) bool {
	return q.numeric(column) && !strings.HasPrefix(q.Types[column], "DECIMAL")
}

// number is a cell as a number; zero where it is none.
func (q *Query) number(row, column int) *big.Rat {
	n, ok := new(big.Rat).SetString(q.Rows[row][column].Text)
	if !ok || q.Rows[row][column].Null {
		return new(big.Rat)
	}
	return n
}

// A cell is a value of a result as a page shows it.
type cell struct {
	Row, Column int
	Exact       string // of a number or instant all of it; of other text what is visible
	Shown       string
	Zeros       string // that follow it where numbers stand below each other
	Null        bool
	Number      bool
}

// written is all that a table or chart shows of a value.
func (c cell) written() string { return c.Shown + c.Zeros }

// none is what stands for NULL.
const none = "–"

func (p *Part) cell(row, column int) cell {
	value := p.Query.Rows[row][column]
	spec := p.spec(p.Query.Columns[column])
	c := cell{Row: row, Column: column, Exact: Visible(value.Text), Null: value.Null, Number: p.Query.numeric(column) && spec.As != Text}
	switch {
	case value.Null && spec.Null != "":
		c.Shown = spec.Null
	case value.Null:
		c.Shown = none
	default:
		c.Shown = p.shown(row, value.Text, c.Number, spec.As, p.Query.Types[column])
		if c.Number && spec.As != Money {
			c.Zeros = padding(c.Shown, p.Query.digits[column])
		}
	}
	return c
}

// How many letters' room a text may take in a table: one that can be broken into lines, and
// one with a word that cannot. Its exact text stays beside it.
const (
	longestText = 200
	longestWord = 64
)

func (p *Part) shown(row int, exact string, number bool, as Format, columnType string) string {
	switch {
	case as == Money:
		if i := p.Query.column(ColumnCurrency); i >= 0 {
			return Amount(exact, p.Query.Rows[row][i].Text)
		}
		return Group(trim(exact, 0))
	case number:
		return Group(trim(exact, 0))
	case as == Instant || as == ByType && columnType == "TIMESTAMP":
		return instant(exact)
	}
	text, longest := Visible(exact), longestText
	for _, word := range strings.Fields(text) {
		if Width(word) > longestWord {
			longest = longestWord
		}
	}
	return Cut(text, longest)
}

// align finds how many fractional digits the longest number of each column has.
func (p *Part) align() {
	q := &p.Query
	q.digits = make([]int, len(q.Columns))
	for column := range q.Columns {
		if !q.numeric(column) {
			continue
		}
		for _, row := range q.Rows {
			_, fraction, _ := strings.Cut(trim(row[column].Text, 0), ".")
			q.digits[column] = max(q.digits[column], len(fraction))
		}
	}
}

// spec is how a column is shown.
func (p *Part) spec(name string) Column {
	for _, c := range p.Columns {
		if c.Name == name {
			return c
		}
	}
	return Column{Name: name}
}

// title names a column for people.
func (c Column) title() string {
	if c.Title != "" {
		return c.Title
	}
	return strings.ReplaceAll(c.Name, "_", " ")
}

// Amount writes money for people, with the digits of its currency and no fewer than it
// needs. Of no known currency it is written as it is.
func Amount(exact, currency string) string {
	digits := 0
	if c, err := money.ParseCurrency(currency); err == nil {
		digits = c.Digits()
	}
	return Group(trim(exact, digits))
}

// padding are the zeros, with the point if there is none, that give a number so many
// fractional digits.
func padding(number string, digits int) string {
	_, fraction, dotted := strings.Cut(number, ".")
	if len(fraction) >= digits {
		return ""
	}
	zeros := strings.Repeat("0", digits-len(fraction))
	if !dotted {
		return "." + zeros
	}
	return zeros
}

// trim takes trailing zeros off a decimal, down to that many digits.
func trim(decimal string, digits int) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	for len(fraction) > digits && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	for len(fraction) < digits {
		fraction += "0"
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// Group writes a decimal as people do: thousands apart, and a real minus.
func Group(decimal string) string { return strings.Replace(fixed.Group(decimal), "-", "−", 1) }

// instant writes an instant in RFC 3339 UTC for people: "2026-10-05 13:30 UTC".
func instant(exact string) string {
	day, clock, ok := strings.Cut(strings.TrimSuffix(exact, "Z"), "T")
	if !ok {
		return exact
	}
	return day + " " + strings.TrimSuffix(clock, ":00") + " UTC"
}
