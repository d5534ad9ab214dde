// Package sql holds every statement that is more than a line, a file each.
//
// portable/ is one pure SELECT a file in the subset that DuckDB and Trino share;
// duckdb/ runs on the embedded DuckDB alone; checks/ return the rows that break a
// rule, so none is good; views/ are what analysts query by name; joins/ show how tables
// join; questions/ are ready to be asked, and report/ are what the pages of `report`
// show, both of the live tables and views, with $period and $account for what the user
// names.
package sql

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"

	"github.com/creditmill/creditmill/internal/duck"
)

//go:embed */*.sql
var files embed.FS

// Text returns the statement of that name, such as "duckdb/sort_rated". An
// unknown name is a programming error and panics; a test names every file.
func Text(name string) string {
	text, err := files.ReadFile(name + ".sql")
	if err != nil {
		panic(fmt.Sprintf("no statement %s: %v", name, err))
	}
	return string(text)
}

// Names are the names of the statements in a folder, such as "views", in order: without
// the folder.
func Names(folder string) []string {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		panic(fmt.Sprintf("no statements in %s: %v", folder, err))
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".sql")
	}
	return names
}

// Expand returns the statement of that name with its {{...}} filled in from
// data: lists of columns, which SQL cannot bind. Values are bound, not expanded.
// In the text, `ident` quotes a name and `literal` a string.
func Expand(name string, data any) string {
	parsed := template.Must(template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"ident": duck.Identifier, "literal": duck.Literal,
	}).Parse(Text(name)))
	var out strings.Builder
	if err := parsed.Execute(&out, data); err != nil {
		panic(fmt.Sprintf("statement %s: %v", name, err))
	}
	return out.String()
}
