package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

const logs = "../fixtures/logs"

var excerpt = regexp.MustCompile("(?m)^<!-- (file|from): (\\S+) -->\n```\\w+\n((?:[^`]|`[^`])*?)```$")

// The sources on the page are the files that a test in package ingest runs, and what is
// said to come out of them is what that test expects.
func TestSourcesOnThePageAreTheExamples(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range excerpt.FindAllStringSubmatch(read(t, "sources.md"), -1) {
		whole := read(t, filepath.Join(logs, m[2]))
		shown[m[2]] = true
		if m[1] == "file" && m[3] != whole {
			t.Errorf("%s is not as sources.md shows it", m[2])
		}
		for line := range strings.Lines(m[3]) {
			if m[1] == "from" && !strings.Contains("\n"+whole, "\n"+line) {
				t.Errorf("%s has no line %q", m[2], line)
			}
		}
	}
	folders, err := os.ReadDir(logs)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		for _, file := range []string{"source.yaml", "expected.txt"} {
			if name := path.Join(folder.Name(), file); !shown[name] {
				t.Errorf("sources.md does not show %s", name)
			}
		}
	}
}

// What the page says of numbers is tried out.
func TestNumbersOnThePageAreRead(t *testing.T) {
	const yaml = `
source: numbers
path: '*'
format: jsonl
event: {id: {constant: x}, time: {field: t, layout: unix_s}, account: {constant: x}, operation: {constant: x}}
quantities: {whole: whole, decimal: {field: decimal, type: decimal}}
`
	var p yamlfile.Problems
	sources := source.Parse([]source.File{{Name: "numbers.yaml", Text: []byte(yaml)}}, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	table := rows(section(t, read(t, "sources.md"), "### Numbers"))
	if len(table) < 20 {
		t.Fatalf("%d numbers", len(table))
	}
	for _, row := range table {
		for i, name := range []string{"whole", "decimal"} {
			record := `{"t":0,"` + name + `":` + strings.Trim(row[0], "`") + `}`
			got, err := ingest.Try(t.Context(), sources[0], "x", strings.NewReader(record), 1)
			if err != nil || len(got) != 1 {
				t.Fatalf("%s: %v, %v", record, got, err)
			}
			result := "`" + got[0].Reason + "`"
			if at := slices.IndexFunc(got[0].Fields, func(f ingest.TryField) bool { return f.Name == name }); at >= 0 {
				result = got[0].Fields[at].Value
			}
			if result != row[1+i] {
				t.Errorf("%s of %s is %s, sources.md says %s", name, row[0], result, row[1+i])
			}
		}
	}
}
