package jobs

import (
	_ "embed" // the page's text
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/creditmill/creditmill/internal/lake"
)

// dictionaryPage is docs/tables.md but for what the dictionary says.
//
//go:embed dictionary_page.md
var dictionaryPage string

// DictionaryPage is docs/tables.md: the dictionary of every table, session table and view
// in Markdown.
func DictionaryPage() string {
	page := template.Must(template.New("tables.md").Delims("<<", ">>").Funcs(template.FuncMap{
		"tables": func() []Described { return describedAs(KindTable) },
		"views":  func() []Described { return slices.Concat(describedAs(KindSession), describedAs(KindView)) },
		"types":  func() []lake.TypeEntry { return lake.Types },
		"units":  func() [][2]string { return lake.Units },
		"joins":  Joins, "columns": columnRows, "cell": markdownCell, "anchor": anchor, "capital": capital,
	}).Parse(dictionaryPage))
	var out strings.Builder
	if err := page.Execute(&out, nil); err != nil {
		panic(fmt.Sprintf("docs/tables.md: %v", err))
	}
	return out.String()
}

func describedAs(kind string) []Described {
	return slices.DeleteFunc(Dictionary(nil), func(d Described) bool { return d.Kind != kind })
}

// anchor is what a link to a heading of that text says.
func anchor(heading string) string {
	return "#" + strings.ReplaceAll(strings.ToLower(heading), " ", "-")
}

// capital is a text with a capital letter first.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// markdownCell is text as a cell of a table.
func markdownCell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// columnRows are the rows of a table's columns, but for its partition, which is said apart.
func columnRows(d Described) string {
	var out strings.Builder
	for _, c := range d.Columns {
		if d.Kind == KindTable && c.Name == d.Partition {
			continue
		}
		meaning := c.Meaning
		if len(c.Values) > 0 {
			meaning += ": `" + strings.Join(c.Values, "`, `") + "`"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | `%s` |\n", c.Name, c.Type, c.Unit, markdownCell(c.Null), markdownCell(meaning), markdownCell(c.Example))
	}
	return out.String()
}
