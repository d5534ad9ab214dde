package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/page"
)

// compareMonthPages makes the page of a world's first month, and of one world's open one
// too, twice, and compares every number on it with the query that the page says it is of.
func compareMonthPages(t *testing.T, world, config string) {
	t.Helper()
	var periods struct {
		Rows []struct{ Period, State string }
	}
	if err := json.Unmarshal([]byte(call(t, "query", "--config", config, "--json", "SELECT period, state FROM periods ORDER BY period")), &periods); err != nil {
		t.Fatal(err)
	}
	pages := periods.Rows[:1]
	if world == "training" {
		pages = append(pages, periods.Rows[len(periods.Rows)-1])
	}
	for _, p := range pages {
		dir := t.TempDir()
		file, again := filepath.Join(dir, "page.html"), filepath.Join(dir, "again.html")
		call(t, "report", "--config", config, "--period", p.Period, "--to", file)
		call(t, "report", "--config", config, "--period", p.Period, "--to", again, "--now", "2031-05-05T05:05:05Z")
		compareFiles(t, file, again)
		compareSections(t, file)
		if numbers := comparePage(t, config, file); p.State == "closed" && numbers < 100 {
			t.Errorf("the page of %s, which is closed, shows only %d numbers", p.Period, numbers)
		}
	}
}

// compareSections compares a page's sections with those that docs/report.md describes.
func compareSections(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, described, _ := strings.Cut(string(document), "\n## The month's page, section by section\n")
	described, _, _ = strings.Cut(described, "\n## ")
	var got, want []string
	for _, m := range regexp.MustCompile(`<h2>(.*?)</h2>`).FindAllStringSubmatch(string(text), -1) {
		got = append(got, m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(described, -1) {
		want = append(want, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page has the sections %q, docs/report.md describes %q", got, want)
	}
}

// compareFiles compares two files byte by byte.
func compareFiles(t *testing.T, a, b string) {
	t.Helper()
	one, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(other) {
		t.Errorf("%s and %s are not the same", a, b)
	}
}

// comparePage runs each statement that a page has below a part with `query --format csv`
// and compares every value that the part shows: what it says is exact with the same text,
// what it writes for people with the same amount. It returns how many numbers there were.
func comparePage(t *testing.T, config, file string) (numbers int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range readPage(t, string(text)) {
		out, code := tryCall(t, "query", "--config", config, "--format", "csv", part.statement)
		if code != exitDone {
			t.Errorf("%s: the page's statement fails:\n%s", part.name, part.statement)
			continue
		}
		rows := readCSV(t, out)
		if len(rows) > 1 && len(part.values) == 0 {
			t.Errorf("%s: %d rows, and nothing of them is shown", part.name, len(rows)-1)
		}
		for _, v := range part.values {
			if v.row+1 >= len(rows) || v.column >= len(rows[0]) {
				t.Errorf("%s shows row %d, column %d of a result of %d rows", part.name, v.row, v.column, len(rows)-1)
				continue
			}
			if err := v.compare(rows[0], rows[v.row+1]); err != nil {
				t.Errorf("%s, row %d: %v", part.name, v.row, err)
			}
			numbers++
		}
		if digits := regexp.MustCompile(`\d+`).FindString(part.otherwise); digits != "" {
			t.Errorf("%s: the page has %s in %q, which is no cell of its query", part.name, digits, part.otherwise)
		}
	}
	return numbers
}

// A pagePart is a part of a page as a reader finds it.
type pagePart struct {
	name, statement string
	values          []pageValue
	otherwise       string // texts that are no values, headings and scales apart
}

// A pageValue is what a page shows of one cell.
type pageValue struct {
	row, column  int
	exact, shown string
	drawn        bool // a bar, which shows no text
}

// compare finds what is wrong with a value beside its row of the CSV. What is written for
// people says the same amount as the exact text, in the currency of its row with no fewer
// digits than that has.
func (v pageValue) compare(head, row []string) error {
	column, want := head[v.column], row[v.column]
	if v.exact != page.Visible(want) {
		return fmt.Errorf("%s is said to be exactly %q, the query gives %q", column, v.exact, want)
	}
	number, ok := new(big.Rat).SetString(want)
	if v.drawn || !ok || !regexp.MustCompile(`^[-−\d.,]+$`).MatchString(v.shown) {
		return nil
	}
	plain := strings.NewReplacer(",", "", "−", "-").Replace(v.shown)
	if got, ok := new(big.Rat).SetString(plain); !ok || got.Cmp(number) != 0 {
		return fmt.Errorf("%s is shown as %q, the query gives %q", column, v.shown, want)
	}
	for i, name := range head {
		c, err := money.ParseCurrency(row[i])
		if name != "currency" || err != nil || !regexp.MustCompile(`\.\d{4}$`).MatchString(want) {
			continue
		}
		if _, fraction, _ := strings.Cut(plain, "."); len(fraction) < c.Digits() {
			return fmt.Errorf("%s is shown as %q in %s", column, v.shown, row[i])
		}
	}
	return nil
}

// readPage reads a page as XML, which it is but for the void elements of its head.
func readPage(t *testing.T, text string) (parts []pagePart) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	type open struct {
		part, statement, quiet bool
		value                  int // its place among the part's values, -1: none
	}
	var (
		stack []open
		quiet = regexp.MustCompile(`^(h3|figcaption|th|title|summary|li)$`)
		scale = regexp.MustCompile(`\b(axis|comment|z)\b`)
	)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			o := open{value: -1}
			if len(stack) > 0 {
				o = stack[len(stack)-1]
			}
			if token.Name.Local == "div" && regexp.MustCompile(`^part\b`).MatchString(attributes["class"]) {
				o = open{part: true, value: -1}
				parts = append(parts, pagePart{})
			}
			if o.part {
				part := &parts[len(parts)-1]
				if name := attributes["data-name"]; name != "" {
					part.name, o.statement = name, true
				}
				if place := attributes["data-cell"]; place != "" {
					v := pageValue{exact: attributes["value"] + attributes["data-value"], drawn: token.Name.Local == "rect"}
					if _, err := fmt.Sscanf(place, "%d %d", &v.row, &v.column); err != nil {
						t.Fatal(err)
					}
					o.value = len(part.values)
					part.values = append(part.values, v)
				}
				o.quiet = o.quiet || quiet.MatchString(token.Name.Local) || scale.MatchString(attributes["class"])
			}
			stack = append(stack, o)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) == 0 || !stack[len(stack)-1].part {
				continue
			}
			o, part := stack[len(stack)-1], &parts[len(parts)-1]
			switch {
			case o.statement:
				part.statement += string(token)
			case o.value >= 0:
				part.values[o.value].shown += string(token)
			case !o.quiet:
				part.otherwise += string(token)
			}
		}
	}
}
