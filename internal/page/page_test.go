package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func written(t *testing.T, p Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func ofPart(p Part) Page {
	return Page{Title: "October 2026", Sections: []Section{{Title: "Usage", Parts: []Part{p}}}}
}

// exact are the values that a page says it shows, by "row column".
func exact(t *testing.T, text string) map[string]string {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	values := map[string]string{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return values
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		if element, ok := token.(xml.StartElement); ok {
			var place, value string
			for _, a := range element.Attr {
				switch a.Name.Local {
				case "data-cell":
					place = a.Value
				case "value", "data-value":
					value = a.Value
				}
			}
			if place != "" {
				values[place] = value
			}
		}
	}
}

func TestNumbersAreWrittenForPeopleAndKeptExact(t *testing.T) {
	q := result([]string{"n BIGINT", "credits DECIMAL(38,6)", "amount DECIMAL(38,4)", "currency VARCHAR", "at TIMESTAMP", "run BIGINT"},
		[]string{"1234567", "-1234.500000", "1234.5000", "USD", "2026-10-05T13:30:00Z", "1234"},
		[]string{"0", "0.000001", "1234.0000", "JPY", "2026-10-05T13:30:07.25Z", "NULL"})
	text := written(t, ofPart(Part{Query: q, Columns: []Column{
		{Name: "n"}, {Name: "credits"}, {Name: "amount", As: Money}, {Name: "currency"}, {Name: "at"}, {Name: "run", As: Text},
	}}))
	for _, want := range []string{
		`>1,234,567</data>`, `>−1,234.5</data><span class="z">00000</span>`, `>0.000001</data></td>`, `>1,234.50</data>`, `<data value="1234.0000" data-cell="1 2">1,234</data></td>`,
		`>2026-10-05 13:30 UTC</data>`, `>2026-10-05 13:30:07.25 UTC</data>`, `>1234</data>`, `<span data-cell="1 5">–</span>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	values := exact(t, text)
	if values["0 1"] != "-1234.500000" || values["1 2"] != "1234.0000" || values["1 4"] != "2026-10-05T13:30:07.25Z" {
		t.Errorf("exact values %v", values)
	}
}

// Names and ids come from logs: none of them becomes markup, turns what stands beside it,
// or widens the page.
func TestTextFromOutsideStaysText(t *testing.T) {
	hostile := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "\u202etxt.exe\u2066", "a\x00b\x1b[31m", "</pre><style>*{display:none}</style>", "{calls}", "`code`",
		strings.Repeat("長", 85), strings.Repeat("w", 256), "مرحبا", "\xff\xfe",
	}
	var rows [][]string
	for _, name := range hostile {
		rows = append(rows, []string{name, "1000"})
	}
	q := result([]string{"account VARCHAR", "calls BIGINT"}, rows...)
	q.Text = "SELECT '</pre><script>alert(1)</script>'"
	text := written(t, Page{
		Issuer: hostile[0] + hostile[2], Title: hostile[1] + hostile[2], Lead: hostile[4] + hostile[3], State: hostile[0] + hostile[2], Facts: []Fact{{"Name", hostile[0] + hostile[3]}},
		Sections: []Section{{Title: hostile[0], About: hostile[0], Parts: []Part{{
			Title: hostile[0], Query: q, Cards: []Card{{Title: "{account}", Value: "calls", Note: "{account}"}},
			Charts: []Chart{Bars{Title: hostile[0], Label: "account", Value: "calls"}, Columns{Over: "account", Places: hostile[:3], Series: "account", Value: "calls"}},
			Note:   "{account} {nothing}",
		}}}}, Footer: []string{hostile[0]},
	})
	for _, not := range []string{"<script", "<img", "</pre><style", "\u202e", "\u2066", "\x00", "\x1b"} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %q", not)
		}
	}
	for _, want := range []string{`\u202etxt.exe\u2066`, `a\x00b\x1b[31m`, `{calls}`, "{nothing}", "مرحبا", `…</text>`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if want := ">" + strings.Repeat("w", 63) + "…</data>"; !strings.Contains(text, want) {
		t.Errorf("the page has no %s", want)
	}
	values := exact(t, text)
	if values["0 0"] != hostile[0] || values["3 0"] != `a\x00b\x1b[31m` || values["7 0"] != hostile[7] {
		t.Errorf("exact values %q, %q", values["0 0"], values["7 0"])
	}
	for _, width := range regexp.MustCompile(`viewBox="0 0 (\d+) `).FindAllStringSubmatch(text, -1) {
		if width[1] != "920" && width[1] != "12" {
			t.Errorf("a chart is %s pixels wide", width[1])
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	q := result([]string{"account VARCHAR", "calls BIGINT"}, []string{"acme", "3"})
	p := ofPart(Part{Query: q, Charts: []Chart{Bars{Label: "account", Value: "calls"}}})
	text := written(t, p)
	for _, not := range []string{"<script", "http:", "https:", "src=", "@import", "<link", "<iframe", "<form", "javascript:", "onload"} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %s", not)
		}
	}
	for _, reference := range regexp.MustCompile(`(?:href="|url\()[^#]`).FindAllString(text, -1) {
		t.Errorf("the page refers to something: %s", reference)
	}
	if !strings.Contains(text, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("the page has no policy")
	}
	if again := written(t, p); again != text {
		t.Error("the same page is other bytes")
	}
}

func TestPartWithoutRowsSaysSo(t *testing.T) {
	q := result([]string{"account VARCHAR", "calls BIGINT"})
	text := written(t, ofPart(Part{
		Title: "By account", Query: q, Empty: "Nobody called. `creditmill ingest` reads.", Note: "of {calls}",
		Cards: []Card{{Title: "Calls", Value: "calls"}}, Charts: []Chart{Bars{Label: "account", Value: "calls"}},
	}))
	if !strings.Contains(text, "Nobody called. <code>creditmill ingest</code> reads.") || strings.Contains(text, "<table") || strings.Contains(text, "of {calls}") || !strings.Contains(text, "SELECT 1</pre>") {
		_, part, _ := strings.Cut(text, "<main>")
		t.Errorf("the part is %s", part)
	}
}

func TestLongTablesAreFolded(t *testing.T) {
	rows := func(n int) (q Query) {
		q = result([]string{"account VARCHAR", "calls BIGINT"})
		for range n {
			q.Rows = append(q.Rows, []Cell{{Text: "a"}, {Text: "1"}})
		}
		return q
	}
	chart := []Chart{Bars{Label: "account", Value: "calls"}}
	for _, c := range []struct {
		part   Part
		folded bool
	}{
		{Part{Query: rows(12), Charts: chart}, false},
		{Part{Query: rows(13), Charts: chart}, true},
		{Part{Query: rows(40)}, false},
		{Part{Query: rows(41)}, true},
		{Part{Query: rows(41), Table: Shown}, false},
		{Part{Query: rows(1), Table: Folded}, true},
	} {
		text := written(t, ofPart(c.part))
		if got := strings.Contains(text, `<details class="numbers">`); got != c.folded || !strings.Contains(text, "<table") {
			t.Errorf("%d rows: folded %v, want %v", len(c.part.Query.Rows), got, c.folded)
		}
	}
}

func TestCrossedTableHasEachValueOnce(t *testing.T) {
	q := result([]string{"day DATE", "operation VARCHAR", "calls BIGINT"},
		[]string{"2026-10-02", "chat", "1"}, []string{"2026-10-03", "chat", "2"}, []string{"2026-10-01", "NULL", "3"}, []string{"2026-10-02", "NULL", "4"})
	p := Part{Query: q, Down: "day", Across: "operation", Value: "calls", Columns: []Column{{Name: "operation", Null: "all others"}}}
	p.align()
	var rows []string
	for _, row := range p.table().Rows {
		var cells []string
		for _, c := range row {
			if c == nil {
				cells = append(cells, "")
			} else {
				cells = append(cells, c.Shown)
			}
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	if want := "2026-10-01||3 2026-10-02|1|4 2026-10-03|2|"; strings.Join(rows, " ") != want {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if head := p.table().Head; len(head) != 3 || head[0].Words != "day" || head[1].Cell.Shown != "chat" || head[2].Cell.Shown != "all others" {
		t.Errorf("head %+v", head)
	}
}

func TestPartOfAMissingColumnIsAnError(t *testing.T) {
	q := result([]string{"calls BIGINT"}, []string{"1"})
	for _, p := range []Part{
		{Query: q, Cards: []Card{{Value: "cals"}}}, {Query: q, Columns: []Column{{Name: "cals"}}}, {Query: q, Charts: []Chart{Bars{Label: "cals", Value: "calls"}}},
	} {
		page := ofPart(p)
		if err := page.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "report/test: its result has no column cals") {
			t.Errorf("error %v", err)
		}
	}
}
