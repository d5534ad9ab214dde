package ingest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

const logs = "../fixtures/logs"

// TestReadyExamples maps the sample logs that docs/sources.md presents, and compares
// with what was worked out by hand.
func TestReadyExamples(t *testing.T) {
	expectations, err := filepath.Glob(filepath.Join(logs, "*", "expected.txt"))
	if err != nil || len(expectations) < 5 {
		t.Fatalf("%d examples, %v", len(expectations), err)
	}
	for _, file := range expectations {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var p yamlfile.Problems
			sources := source.Parse([]source.File{{Name: "source.yaml", Text: readFile(t, folder, "source.yaml")}}, &p)
			if err := p.Err(); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			next := 0
			for line := range strings.Lines(string(readFile(t, folder, "expected.txt"))) {
				if name := strings.TrimSpace(line); !strings.HasPrefix(line, "line ") {
					got.WriteString(name + "\n")
					tried(t, &got, sources[next], name, readFile(t, folder, name))
					next++
				}
			}
			expect(t, folder, got.String(), string(readFile(t, folder, "expected.txt")))
			if next != len(sources) {
				t.Errorf("%d logs for %d sources", next, len(sources))
			}
		})
	}
}

func readFile(t *testing.T, folder, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// tried writes what becomes of a log's records, a line each, as expected.txt has it.
func tried(t *testing.T, to *strings.Builder, s *source.Source, name string, text []byte) {
	t.Helper()
	records, err := ingest.Try(t.Context(), s, s.Name+"/"+name, bytes.NewReader(text), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		to.WriteString("line " + strconv.FormatInt(r.Line, 10) + ": " + [...]string{"call", "account event", "rejected " + r.Reason + ", " + r.Detail, "skipped"}[r.Kind])
		for _, f := range r.Fields {
			value := f.Value
			if strings.Contains(value, " ") {
				value = strconv.Quote(value)
			}
			if !f.Null {
				to.WriteString(" " + f.Name + "=" + value)
			}
		}
		to.WriteString("\n")
	}
}
