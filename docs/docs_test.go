// Package docs_test keeps the documents true to the program: what they say of
// tables, reasons and configuration is compared with the code, and their example
// is run.
package docs_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/report"
	"github.com/creditmill/creditmill/jobs"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is the text under the heading of that level and title, up to the next
// heading of that level or above.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut("\n"+text, "\n"+heading+"\n")
	if !found {
		t.Fatalf("there is no heading %q", heading)
	}
	level := strings.IndexByte(heading, ' ')
	next := regexp.MustCompile(fmt.Sprintf(`(?m)^#{1,%d} `, level)).FindStringIndex(rest)
	if next != nil {
		rest = rest[:next[0]]
	}
	return rest
}

// rows are the cells of the Markdown tables in text, heads and rules left out.
func rows(text string) (all [][]string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		isHead := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if !strings.HasPrefix(line, "| ") || isHead {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for k := range cells {
			cells[k] = strings.TrimSpace(cells[k])
		}
		all = append(all, cells)
	}
	return all
}

func TestEveryTableIsDocumentedColumnByColumn(t *testing.T) {
	text := read(t, "tables.md")
	described := section(t, text, "## The tables")
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(described, -1) {
		documented = append(documented, m[1])
	}
	var tables []string
	for _, table := range lake.Tables() {
		tables = append(tables, table.Name)
		var got, want []string
		for _, row := range rows(section(t, described, "### "+table.Name)) {
			if len(row) == 6 {
				got = append(got, row[0]+" "+row[1])
			}
		}
		for _, column := range table.Columns {
			want = append(want, column.Name+" "+column.Type)
		}
		if !slices.Equal(got, want) {
			t.Errorf("columns of %s:\ntables.md %s\nthe lake  %s", table.Name, strings.Join(got, ", "), strings.Join(want, ", "))
		}
		if dynamic := strings.Contains(section(t, described, "### "+table.Name), "imensions"); dynamic != table.Dynamic {
			t.Errorf("%s: that dimensions and quantities follow is said: %t, is so: %t", table.Name, dynamic, table.Dynamic)
		}
	}
	if !slices.Equal(documented, tables) {
		t.Errorf("tables.md has the tables %v, the lake %v", documented, tables)
	}
}

func TestTheTablesPageIsThatOfTheDictionary(t *testing.T) {
	page, dictionary := strings.Split(read(t, "tables.md"), "\n"), strings.Split(jobs.DictionaryPage(), "\n")
	for i := range max(len(page), len(dictionary)) {
		if i >= len(page) || i >= len(dictionary) || page[i] != dictionary[i] {
			t.Fatalf("tables.md is not what the dictionary says from line %d on: run `make docs`", i+1)
		}
	}
}

// Lists of values in the dictionary are the constants of the code.
func TestTheDictionaryListsTheValuesOfTheCode(t *testing.T) {
	join := slices.Concat[[]string]
	kinds := constants(t, "../invoice/bucket/bucket.go", "Kind", "")
	var entries []string
	booked := regexp.MustCompile(`m\.(?:entry|grant)\([^"\n]*"([a-z_]+)"`)
	for _, file := range glob(t, "../invoice/account/*.go") {
		for _, m := range booked.FindAllStringSubmatch(read(t, file), -1) {
			entries = append(entries, m[1])
		}
	}
	slices.Sort(entries)
	var states []string
	for _, m := range regexp.MustCompile(`\brow\([^"\n]*"([a-z]+)"`).FindAllStringSubmatch(read(t, "../jobs/close.go"), -1) {
		states = append(states, m[1])
	}
	code := map[string][]string{
		"rejected.reason":     join(constants(t, "../ingest/decode/reason.go", "Reason", ""), []string{"duplicate", "conflict", "voided"}),
		"rated.held":          constants(t, "../rate/price/faults.go", "", ""),
		"account_events.type": constants(t, "../invoice/account/events.go", "", "type"),
		"account_events.held": constants(t, "../invoice/account/events.go", "", "Reason"),
		"burns.kind":          kinds,
		"ledger.entry":        slices.Compact(entries),
		"balances.kind":       slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return k == "overage" || k == "denied" }), // of a shortfall
		"alerts.kind":         constants(t, "../invoice/account/alert.go", "", "alert"),
		"periods.state":       states,
		"invoices.kind": join(constants(t, "../invoice/document/document.go", "", "Invoice"),
			constants(t, "../invoice/document/document.go", "", "CreditNote"), constants(t, "../invoice/document/document.go", "", "DebitNote")),
		"invoice_lines.kind": join(constants(t, "../invoice/account/ledger.go", "", "charge"), constants(t, "../invoice/bill.go", "", "kindTax")),
		"revenue.kind":       constants(t, "../invoice/revenue.go", "", "revenue"),
	}
	for _, entry := range lake.Dictionary() {
		for _, column := range entry.Columns {
			name := entry.Name + "." + column.Name
			known, listed := code[name]
			if delete(code, name); listed != (len(column.Values) > 0) {
				t.Errorf("%s: that its values are listed: %t, that this test knows them: %t", name, !listed, listed)
			}
			got, want := slices.Clone(column.Values), slices.Clone(known)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("values of %s:\nthe dictionary %v\nthe code       %v", name, got, want)
			}
		}
	}
	for name := range code {
		t.Errorf("there is no column %s", name)
	}
	causes := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(columnMeaning(t, "invoice_lines", "cause"), -1)
	for i, cause := range report.Causes {
		if len(causes) != len(report.Causes) || causes[i][1] != cause {
			t.Errorf("the causes of notes are %v, the dictionary has %v", report.Causes, causes)
		}
	}
}

func columnMeaning(t *testing.T, table, column string) string {
	t.Helper()
	for _, entry := range lake.Dictionary() {
		for _, c := range entry.Columns {
			if entry.Name == table && c.Name == column {
				return c.Meaning
			}
		}
	}
	t.Fatalf("there is no column %s.%s", table, column)
	return ""
}

// glob are the Go files of a pattern but for tests.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
}

func TestEveryFieldOfTheManifestIsDocumented(t *testing.T) {
	text := section(t, read(t, "lake.md"), "### The manifest")
	fields := regexp.MustCompile(`json:"([a-z_0-9]+)`).FindAllStringSubmatch(read(t, "../internal/lake/manifest.go"), -1)
	if len(fields) < 30 {
		t.Fatalf("only %d fields were found in the code", len(fields))
	}
	for _, field := range fields {
		if !strings.Contains(text, "`"+field[1]+"`") {
			t.Errorf("lake.md does not name the manifest's field %s", field[1])
		}
	}
}

// constants are the string constants of a Go file: those of the type given, or
// where none is given the untyped ones whose name begins with prefix.
func constants(t *testing.T, file, typ, prefix string) (values []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		ident, _ := spec.Type.(*ast.Ident)
		wanted := typ != "" && ident != nil && ident.Name == typ ||
			typ == "" && spec.Type == nil && strings.HasPrefix(spec.Names[0].Name, prefix)
		for _, value := range spec.Values {
			literal, ok := value.(*ast.BasicLit)
			if !wanted || !ok || literal.Kind != token.STRING {
				continue
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, text)
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("no constants were found in %s", file)
	}
	return values
}

// reasons are the texts in backquotes in the first column of the tables in text.
func reasons(text string) (all []string) {
	for _, row := range rows(text) {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[0], -1) {
			all = append(all, m[1])
		}
	}
	return all
}

func compareReasons(t *testing.T, what string, documented, known []string) {
	t.Helper()
	documented, known = slices.Clone(documented), slices.Clone(known)
	slices.Sort(documented)
	slices.Sort(known)
	if !slices.Equal(documented, known) {
		t.Errorf("%s:\nconfiguration.md %v\nthe code         %v", what, documented, known)
	}
}

func TestEveryReasonIsDocumented(t *testing.T) {
	text := read(t, "configuration.md")
	// What decoding gives, what settling copies adds, and what nothing gives yet.
	rejects := append(constants(t, "../ingest/decode/reason.go", "Reason", ""), "duplicate", "conflict", "voided")
	compareReasons(t, "reject reasons", reasons(section(t, text, "### Rejects")), rejects)
	compareReasons(t, "reasons of held calls", reasons(section(t, text, "### Held calls")), constants(t, "../rate/price/faults.go", "", ""))

	_, after, found := strings.Cut(section(t, text, "## Account events"), "| reason |")
	if !found {
		t.Fatal("there is no table of reasons under Account events")
	}
	compareReasons(t, "reasons of held account events", reasons("| reason |"+after), constants(t, "../invoice/account/events.go", "", "Reason"))
}

func TestEveryTypeOfAccountEventIsDocumented(t *testing.T) {
	text := section(t, read(t, "configuration.md"), "## Account events")
	before, _, _ := strings.Cut(text, "| reason |")
	compareReasons(t, "types of account events", reasons(before), constants(t, "../invoice/account/events.go", "", "type"))
}

func TestEveryScheduledJobIsDocumented(t *testing.T) {
	text := section(t, read(t, "configuration.md"), "## creditmill.yaml")
	for _, job := range config.Jobs() {
		if !strings.Contains(text, "`"+job+"`") {
			t.Errorf("configuration.md does not name the job %s under schedule", job)
		}
	}
}

// Headings and files that the pages link to must be there.
func TestLinksBetweenThePagesLead(t *testing.T) {
	pages := map[string]string{}
	names, err := filepath.Glob("*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d pages, %v", len(names), err)
	}
	for _, name := range names {
		pages[name] = read(t, name)
	}
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	for name, text := range pages {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := pages[name]
			if m[1] != "" {
				if _, err := os.Stat(m[1]); err != nil {
					t.Errorf("%s links to %s: %v", name, m[1], err)
					continue
				}
				if target = pages[m[1]]; m[2] != "" && target == "" {
					target = read(t, m[1])
				}
			}
			leads := slices.ContainsFunc(heading.FindAllStringSubmatch(target, -1), func(h []string) bool {
				return strings.ReplaceAll(strings.ToLower(h[1]), " ", "-") == m[2]
			})
			if m[2] != "" && !leads {
				t.Errorf("%s links to #%s, which no heading of the page is", name, m[2])
			}
		}
	}
}

var block = regexp.MustCompile("(?m)^(?:<!-- file: (\\S+) -->\n)?```(\\w*)\n((?:[^`]|`[^`])*?)```$")

// example writes the marked blocks of configuration.md into a folder.
func example(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	text := read(t, "configuration.md")
	blocks := block.FindAllStringSubmatch(text, -1)
	if fences := strings.Count("\n"+text, "\n```"); fences != 2*len(blocks) {
		t.Fatalf("%d fences, but %d blocks were understood", fences, len(blocks))
	}
	for _, b := range blocks {
		if b[1] == "" {
			t.Errorf("a block of configuration.md has no mark, as in <!-- file: creditmill.yaml -->:\n%s", b[3])
			continue
		}
		path := filepath.Join(folder, filepath.FromSlash(b[1]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b[3]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// The example on the page is read without a problem, and everything it logs is
// priced, judged and burned.
func TestTheExampleWorks(t *testing.T) {
	setup, err := jobs.LoadSetup(filepath.Join(example(t), config.FileName))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	mill, err := jobs.Open(ctx, setup, jobs.Options{
		Now: func() time.Time { return time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler), Tool: "docs",
	})
	if err != nil {
		t.Fatal(err)
	}
	tests, err := mill.TestPrices(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if tests.Passed != 4 || tests.Err() != nil {
		t.Errorf("%d tests of prices passed, the page has 4: %v", tests.Passed, tests.Err())
	}
	ingested, err := mill.Ingest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	totals := ingested.Totals
	if totals.Events != 4 || totals.AccountEvents != 10 || totals.Skipped != 0 || len(totals.Rejects)+len(ingested.Unread) != 0 {
		t.Errorf("ingest took in %+v, unread %v; the page has 4 calls and 10 account events", totals, ingested.Unread)
	}
	rated, err := mill.Rate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// By the rules of the page: 3 images of high quality at 9; 1,200 × 0.3 + 80 × 1.2 for the tokens;
	// an upscaled image of 1,048,576 pixels at 4 and two of more at 8 each.
	const want = "503" // 27 + 456 + 4 + 16
	if rated.Totals.Calls != 4 || len(rated.Totals.Held) != 0 || rated.Totals.Credits["rated"] != want {
		t.Errorf("rating came to %+v, not 4 calls of %s credits", rated.Totals, want)
	}
	applied, err := mill.Apply(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(applied.Held) != 0 {
		t.Errorf("account events are held: %v", applied.Held)
	}
}
