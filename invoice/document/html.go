package document

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed invoice.html
var htmlText string

// longNumber is how many letters of a number stay on one line: more would widen the page.
const longNumber = 24

var htmlTemplate = sync.OnceValue(func() *template.Template {
	long := func(number string) bool { return len(number) > longNumber }
	return template.Must(template.New("document").Funcs(template.FuncMap{"long": long}).Parse(htmlText))
})

// HTML writes the document as one file without scripts or references. It prints on A4
// and on Letter, and reads on a phone. Text is escaped wherever it comes from.
func (d *Document) HTML(w io.Writer) error {
	if err := htmlTemplate().Execute(w, d.view()); err != nil {
		return fmt.Errorf("document %s: %w", d.Number, err)
	}
	return nil
}
