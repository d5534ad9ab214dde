// Package page draws the results of queries as one HTML file: cards, charts and
// tables, each with the statement that gave its numbers folded below it.
//
// It knows nothing of what the numbers mean, and makes none: every amount on a page is
// the text of one cell of a result, and every element that shows one says of which row
// and column it is (data-cell) and what its exact text is (value, or data-value in a
// chart). Charts are drawn in whole pixels from the exact decimals. A page has no script
// and refers to nothing outside itself; it follows the reader's choice of light or dark,
// prints, and reads on a phone. Text from outside stays text.
//
// The same page is the same bytes.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed page.html
var pageText string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

// A Page is a title, what is to be known of the whole, and sections.
type Page struct {
	Issuer      string // who is above the title; may be empty
	Title       string
	Lead        string // what the page is, in a sentence
	State       string // what holds of all of it, such as that it is provisional; may be empty
	Provisional bool   // State is a warning
	Bare        bool   // the statements are left out: the reader has no use for them
	Facts       []Fact
	Sections    []Section
	Footer      []string // paragraphs
}

// A Fact is what a page says of itself. Numbers belong into a part, which has a query.
type Fact struct{ Name, Value string }

// A Section is parts under one heading.
type Section struct {
	Title string
	About string // a sentence below the heading; may be empty
	Parts []Part
}

// A Part shows the result of one query as cards, charts and a table. Texts of a part may
// name a column of the result in braces ("{calls} calls"): its value in the first row
// takes that place, and in a card's texts that of the card's row.
type Part struct {
	Title   string // may be empty
	About   string // a sentence below the title; may be empty
	Query   Query
	Empty   string   // the sentence that stands there if the query has no rows
	Columns []Column // of the table, in order, and how columns are shown; those that are not here are shown by their type
	Cards   []Card   // for each row
	Charts  []Chart
	Table   Table
	Down    string // with Across and Value: the table has a row for each value of this column,
	Across  string // and a column for each of this one,
	Value   string // and in it the value of this one
	Note    string // below the table; may be empty
	Half    bool   // may stand beside another such part
}

// A Column is how a column of a result is shown.
type Column struct {
	Name  string // in the result
	Title string // for people; "": the name with blanks for underscores
	As    Format
	Null  string // what is shown of NULL; "": a dash
}

// A Card is one value, large. Of a row where it is NULL there is none.
type Card struct {
	Title string // "": the column's
	Value string // the column
	Note  string // may be empty
	Mark  bool   // it wants attention where it is not zero
}

// A Table says whether a part has a table.
type Table int

// What a part's table may be.
const (
	Auto   Table = iota // folded if it is long
	Shown               // never folded
	Folded              // always folded
	None                // left out: cards or charts show every cell
)

// A Chart is a drawing of a result: [Columns], [Bars] or [Waterfall].
type Chart interface {
	draw(p *Part, half bool) *drawing
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	v, err := p.view()
	if err != nil {
		return fmt.Errorf("page %s: %w", p.Title, err)
	}
	if err := pageTemplate().Execute(w, v); err != nil {
		return fmt.Errorf("page %s: %w", p.Title, err)
	}
	return nil
}
