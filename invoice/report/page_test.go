package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hostile are an account, an item and a draft's name that somebody wrote to be read as
// something else: as markup, from right to left, as a terminal's command.
const hostile = `
('<b>.yaml', '2026-08', '<script>alert("1")</script>', 'fee', '"><img src=x>', 'USD', 1, 2, 0, 'price'),
('<b>.yaml', '2026-08', 'evil' || chr(8238) || 'gpj.exe', 'fee', 'pro', 'USD', 1, 3, 0, 'price'),
('<b>.yaml', '2026-08', 'red' || chr(27) || '[31m', 'rated', NULL, 'credits', 1, 12345678901234567890.123456, 0, 'price'),
('<b>.yaml', '2026-08', 'שלום', 'fee', 'pro', 'USD', 4, 1, 0, 'price')`

func pageOf(t *testing.T, s *Summary, p Page) string {
	t.Helper()
	p.Now, p.Head, p.Tool = time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC), "abc123", "dev"
	var out bytes.Buffer
	if err := s.HTML(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func wants(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page has no %q", text)
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	s := read(t.Context(), t, withDifferences(t, found), autumn(t, Options{}))
	page := pageOf(t, s, Page{Issuer: "Example & Co", Calls: 1234567})
	wants(t, page,
		"<h1><bdi>Re-rating 2026-08 to 2026-10</bdi></h1>",
		"This changes 4 accounts: 1 credit note of −0.30 EUR in all, 1 credit note of −12.10 USD in all, 1 debit note of 0.61 EUR in all, 1 debit note of 1,500.00 USD in all.",
		"Nothing was changed", "Example &amp; Co", "<dd><bdi>1,234,567</bdi></dd>", "<dd><bdi>2026-11-22T11:00:00Z</bdi></dd>", "abc123",
		`<p class="small soft">Charged, USD</p><p class="value">&#43;1,487.90</p><p class="small soft">1 credit note −12.10, 1 debit note 1,500.00</p>`,
		`<p class="small soft">Credits rated</p><p class="value">&#43;2.5</p><p class="small soft">in 14 calls</p>`,
		`<th scope="row"><bdi>acme</bdi></th><td><bdi>price</bdi></td><td class="n">60.50</td><td class="n">48.40</td><td class="n">−12.10</td>`,
		`<th scope="row"><bdi>credit note</bdi></th><td><bdi>USD</bdi></td><td class="n">1</td><td class="n">−10.00</td><td class="n">−2.10</td><td class="n">−12.10</td>`,
		`<th scope="row"><bdi>10 to below 100 less</bdi></th><td class="n">1</td>`,
		`held at the end of 2026-10</bdi></td><td class="n">5</td><td class="n">25</td><td class="n">&#43;20</td>`,
	)
	if again := pageOf(t, s, Page{Issuer: "Example & Co", Calls: 1234567}); again != page {
		t.Error("made again, the page is another")
	}
	page = pageOf(t, s, Page{Committed: 17, Reason: "a <wrong> price"})
	wants(t, page, "Committed as run 17: a &lt;wrong&gt; price", "Notes issued")
}

func TestHTMLOfDrafts(t *testing.T) {
	t.Parallel()
	s := read(t.Context(), t, withDifferences(t, drafted), autumn(t, Options{Drafts: []string{"a.yaml", "b.yaml", "none.yaml"}}))
	wants(t, pageOf(t, s, Page{}),
		"3 drafts compared with what stands today.",
		`<li><span class="swatch d2"></span><bdi>none.yaml</bdi></li>`,
		`<th scope="row"><bdi>Debit notes, USD</bdi></th><td class="n">2 of 20.05</td><td class="n">0 of 0.00</td><td class="n">0 of 0.00</td>`,
		`<th scope="row"><bdi>Credits rated</bdi></th><td class="n">−0.000001</td><td class="n">0</td><td class="n">0</td>`,
		`<td class="n">&#43;10.05</td><td class="n">0.00</td><td class="n">0.00</td>`,
	)
}

func TestHTMLOfNothing(t *testing.T) {
	t.Parallel()
	page := pageOf(t, read(t.Context(), t, withDifferences(t, ""), autumn(t, Options{})), Page{})
	wants(t, page, "This changes nothing.")
	if strings.Contains(page, "<svg") || strings.Contains(page, "<table") {
		t.Error("a chart or a table of nothing")
	}
}

func TestHTMLOfAccount(t *testing.T) {
	t.Parallel()
	page := pageOf(t, read(t.Context(), t, withDifferences(t, found), autumn(t, Options{Account: "acme", Limit: 2})), Page{})
	wants(t, page, "Re-rating 2026-08 to 2026-10, account acme", "Line by line", "And 3 more.",
		`<td><bdi>overage charge</bdi></td><td><bdi>pro@1/1</bdi></td><td><bdi>USD</bdi></td><td><bdi>price</bdi></td><td class="n">50.00</td>`)
	if strings.Contains(page, "birch") {
		t.Error("another account is in it")
	}
}

// The page is complete in itself, and names from logs are text wherever they stand.
func TestHTMLIsSafe(t *testing.T) {
	t.Parallel()
	session := withDifferences(t, hostile)
	for _, account := range []string{"", `<script>alert("1")</script>`} {
		s := read(t.Context(), t, session, autumn(t, Options{Account: account, Drafts: []string{"<b>.yaml", "none"}}))
		page := pageOf(t, s, Page{Issuer: "<i>", Reason: "<u>", Committed: 1})
		for _, no := range []string{"<script", "<img", "<b>.yaml", "<i>", "<u>", "\u202e", "\x1b", "href=", "url(", "@import", "http:", "https:", "javascript"} {
			if strings.Contains(page, no) {
				t.Errorf("the page has %q", no)
			}
		}
		wants(t, page, "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;", "&lt;b&gt;.yaml")
		if account == "" {
			wants(t, page, `evil\u202egpj.exe`, `red\x1b[31m`, "שלום", "&#43;12,345,678,901,234,567,889.123456")
		}
		for _, chart := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
			for decoder := xml.NewDecoder(strings.NewReader(chart)); ; {
				if _, err := decoder.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("a chart is not well-formed: %v\n%s", err, chart)
				}
			}
		}
	}
}
