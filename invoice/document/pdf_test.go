package document

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signintech/gopdf"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
)

func pdf(t *testing.T, d *Document) ([]byte, []printed) {
	t.Helper()
	content, _, err := d.PDF()
	if err != nil {
		t.Fatal(err)
	}
	return content, readPDF(t, content)
}

// Whatever a text holds, it comes out as text, and stays on the page.
func TestHostileTextIsText(t *testing.T) {
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 9)[:300]
	const (
		script = `</style><script>alert(1)</script>"'&{{.}}`
		sum    = `=1+1`
		formal = `@SUM(A1:A9)|cmd`
		steer  = "abc\u202efdp.exe\u2066\u200f" // turns the reading direction; the last one is harmless
		bell   = "ring\x07\x1b[31m\x00 \ttab"
		cjk    = "白樺株式会社 バーチ 자작나무 주식회사，「東京」"
		emoji  = "party 🎉 done"
		arabic = "شركة"
	)
	d := sample(t)
	d.Party = Party{Name: script, Address: []string{sum, steer, cjk, long}, Email: bell, TaxID: formal}
	d.Issuer = Party{Name: cjk, Address: []string{emoji, arabic, script}, TaxID: long}
	d.Account, d.Number = script, "INV/../../etc/passwd"
	for i, text := range []string{script, sum, steer, cjk, long, emoji} {
		d.Lines[i].Description, d.Lines[i].Cause = text, text
	}
	d.Usage[0].Operation, d.Usage[0].Project, d.Usage[0].Key = long, cjk, script
	d.Usage[1].Operation, d.Usage[1].Project = sum, bell
	d.Balances[0].Kind = script
	keep(t, "hostile", d)
	d.Number = "INV/../../etc/passwd"

	want := []string{
		script, sum, formal, "abc\ufffdfdp.exe\ufffd", "ring\ufffd\ufffd[31m\ufffd  tab", "バーチ", "「東京」", "자작나무", long[:40],
	}
	html := render(t, d)
	if strings.Contains(html, "<script") || strings.Count(html, "</style>") != 1 || strings.ContainsAny(html, "\u202e\u2066\x07\x1b\x00") {
		t.Error("text of the data is markup of the page, or steers the reader")
	}
	renamed := *d
	renamed.Issuer.Name = script // it stands in the foot of printed pages, which is CSS
	if html := render(t, &renamed); strings.Contains(html, "<script") || strings.Count(html, "</style>") != 1 || strings.Contains(html, "ZgotmplZ") {
		t.Error("the issuer's name is markup of the page")
	}
	page := unescaped(html)
	for _, text := range append(want, emoji, arabic, "白樺株式会社 バーチ 자작나무 주식회사，「東京」", long) {
		if !strings.Contains(page, text) {
			t.Errorf("HTML lacks %q", text)
		}
	}

	content, missing, err := d.PDF()
	if err != nil {
		t.Fatal(err)
	}
	if string(missing) != "ةرشك🎉" {
		t.Errorf("missing are %q", string(missing))
	}
	sheet := strings.ReplaceAll(allText(readPDF(t, content)), " ", "")
	for _, text := range append(want, "party\ufffddone", strings.Repeat("\ufffd", 4), long) {
		if !strings.Contains(sheet, strings.ReplaceAll(text, " ", "")) {
			t.Errorf("PDF lacks %q", text)
		}
	}
	if !strings.Contains(sheet, "Thisfilecannotshoweverycharacter") {
		t.Error("PDF does not say that it lacks characters")
	}
	onThePage(t, d)
	if name := d.FileName(PDF); name != "INV%2F..%2F..%2Fetc%2Fpasswd.pdf" {
		t.Error(name)
	}
}

func unescaped(html string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(html)
}

// onThePage fails if anything is drawn over the margins, or texts of a row over each other.
func onThePage(t *testing.T, d *Document) {
	t.Helper()
	l := d.layout()
	for n, page := range l.pages {
		var texts []mark
		for _, m := range page {
			width := m.width
			if m.text != nil {
				width = m.text.width
				texts = append(texts, m)
			}
			if m.x < marginSide-0.1 || m.x+width > pageWidth-marginSide+0.1 || m.y < marginTop-0.1 || m.y > pageHeight-20 {
				t.Errorf("page %d: %+v is not on the page", n+1, m)
			}
		}
		for i, a := range texts {
			for _, b := range texts[i+1:] {
				if math.Abs(a.y-b.y) < 1 && a.x < b.x+b.text.width-0.1 && b.x < a.x+a.text.width-0.1 {
					t.Errorf("page %d: %q and %q overlap", n+1, a.text.text, b.text.text)
				}
			}
		}
	}
}

// Numbers of 38 digits wrap in their columns; a description of pages goes on over them.
func TestNothingIsTooLargeForThePage(t *testing.T) {
	d := sample(t)
	d.Lines[0].Amount = must[money.Amount](t)(money.ParseAmount("-" + strings.Repeat("9", 34)))
	d.Lines[0].Quantity = must[credit.Amount](t)(credit.Parse(strings.Repeat("8", 32) + ".123456"))
	d.Lines[0].UnitPrice = must[money.Price](t)(money.ParsePrice(strings.Repeat("7", 26) + ".123456789012"))
	d.Total, d.AmountDue = d.Lines[0].Amount, d.Lines[0].Amount
	d.Usage[0].Credits, d.Balances[0].Granted = d.Lines[0].Quantity, d.Lines[0].Quantity
	d.Lines[1].Description = strings.Repeat("a long story ", 2000)
	d.Party.Address = slices.Repeat([]string{"a line of the address"}, 100)
	keep(t, "large", d)
	onThePage(t, d)
	content, texts := pdf(t, d)
	all := allText(texts)
	for _, whole := range []string{group("-" + strings.Repeat("9", 34) + ".00"), group(strings.Repeat("8", 32) + ".123456"), group(strings.Repeat("7", 26) + ".123456789012")} {
		if !strings.Contains(all, whole) {
			// Its column's lines come one after the other.
			t.Errorf("the number %s is not whole in\n%.3000s", whole, all)
		}
	}
	if n := strings.Count(all, "story"); n != 2000 {
		t.Errorf("%d stories of 2000", n)
	}
	if len(content) > 1<<20 {
		t.Errorf("%d bytes", len(content))
	}
}

// Several pages: the head of a table stands on each, pages are numbered, and the sums
// stand below a line of what they are of.
func TestPages(t *testing.T) {
	for lines := 1; lines <= 70; lines += 3 {
		d := sample(t)
		first := d.Lines[0]
		d.Lines = d.Lines[5:]
		for i := range lines {
			l := first
			l.Description = fmt.Sprintf("Line number %d", i+1)
			d.Lines = slices.Insert(d.Lines, i, l)
		}
		_, texts := pdf(t, d)
		byPage := map[int][]string{}
		for _, text := range texts {
			byPage[text.page] = append(byPage[text.page], text.text)
		}
		seen := 0
		for n := 1; n <= len(byPage); n++ {
			page := byPage[n]
			if !slices.Contains(page, fmt.Sprintf("Page %d of %d", n, len(byPage))) {
				t.Fatalf("%d lines: page %d has no number: %q", lines, n, page)
			}
			has := func(text string) bool {
				return slices.ContainsFunc(page, func(s string) bool { return strings.HasPrefix(s, text) })
			}
			for i := 1; i <= lines; i++ {
				if slices.Contains(page, fmt.Sprintf("Line number %d", i)) {
					seen++
				}
			}
			if has("Line number") && !has("Description") {
				t.Errorf("%d lines: page %d has lines without a head", lines, n)
			}
			if has("Subtotal") != has("Amount due by") || has("Subtotal") && !slices.Contains(page, fmt.Sprintf("Line number %d", lines)) {
				t.Errorf("%d lines: the sums of page %d stand apart: %q", lines, n, page)
			}
			if has("Usage in") && !has("chat.completion") || has("Usage by key") && !has("bi-1") {
				t.Errorf("%d lines: a heading ends page %d", lines, n)
			}
			if has("Total") && !has("Subtotal") && !has("chat.completion") && !has("画像") && !has("bi-") {
				t.Errorf("%d lines: a total begins page %d: %q", lines, n, page)
			}
		}
		if seen != lines {
			t.Errorf("%d lines: %d are printed", lines, seen)
		}
	}
}

// The same document is the same bytes, also when many are made at once.
func TestPDFIsTheSameWhenMadeAgain(t *testing.T) {
	want, _ := pdf(t, sample(t))
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			got, _, err := sample(t).PDF()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("made again it differs: %v", err)
			}
		})
	}
	work.Wait()
	for _, fixed := range []string{"/CreationDate(D:20261101060000+00'00')", "/Title <FEFF0049006E0076006F006900630065"} {
		if !bytes.Contains(want, []byte(fixed)) {
			t.Errorf("no %s", fixed)
		}
	}
}

// More rows of usage than a page should have are added up; the sums stay whole.
func TestManyRowsOfUsageAreAddedUp(t *testing.T) {
	d := sample(t)
	d.Usage = nil
	for i := range 1000 {
		d.Usage = append(d.Usage, Usage{
			Operation: fmt.Sprintf("op-%04d", i), Calls: 2, Credits: credit.FromInt(int64(i)), Value: must[money.Amount](t)(money.ParseAmount("0.01")),
		})
	}
	d.Balances = slices.Repeat(d.Balances[:1], 100)
	onThePage(t, d)
	// The 60 largest are 999 to 940; 0 + … + 939 = 939 × 940 ÷ 2 = 441,330; all: 999 × 1000 ÷ 2 = 499,500.
	html := render(t, d)
	for _, want := range []string{">op-0999<", ">op-0940<", ">940 others<", ">1,880<", ">441,330<", ">9.40<", ">499,500<", ">40 others<", ">200,000,000<"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(html, "op-0939") {
		t.Error("there are more than 60")
	}
	if data := string(must[[]byte](t)(d.JSON())); !strings.Contains(data, `"op-0000"`) {
		t.Error("JSON lacks a row")
	}
}

// What the program thinks a text is wide is what gopdf makes of it, kerning included.
func TestWidthsAreThoseOfThePDF(t *testing.T) {
	out := &gopdf.GoPdf{}
	out.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	s := newSetter()
	for _, f := range []*font{regular(), semibold()} {
		if err := out.AddTTFFontFromFontContainer(f.name, latin()); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"AVATAR To You, 1,234.56", "Überweisung – Ταχυδρομείο Почта", ""} {
			if err := out.SetFont(f.name, "", 10); err != nil {
				t.Fatal(err)
			}
			want, err := out.MeasureTextWidth(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.width(text, weight(f == semibold()), 10); math.Abs(got-want) > 0.05 {
				t.Errorf("%s: %q is %g wide, not %g", f.name, text, got, want)
			}
		}
	}
	if s.width("AV", plainWeight, 10) >= s.width("A", plainWeight, 10)+s.width("V", plainWeight, 10) {
		t.Error("no kerning")
	}
}

func TestWrap(t *testing.T) {
	s := newSetter()
	at := func(text string) float64 { return s.width(text, plainWeight, 10) + 0.01 }
	for _, test := range []struct {
		text  string
		width float64
		want  []string
	}{
		{"one two three", at("one two"), []string{"one two", "three"}},
		{"one  two", at("one"), []string{"one", "two"}},
		{"", 100, nil},
		{"10,000 to 20,000 credits", at("10,000 to 20,00"), []string{"10,000 to", "20,000 credits"}},
		{"image-generation", at("image-gener"), []string{"image-", "generation"}},
		{"-1", at("-"), []string{"-", "1"}},
		{"白樺株式会社", at("白樺株式"), []string{"白樺株式", "会社"}},
		{"東京「白樺」。", at("東京「"), []string{"東京", "「白", "樺」。"}}, // brackets stay with what they enclose
		{"aaaaaaaa", at("aaa"), []string{"aaa", "aaa", "aa"}},
		{"1,234,567", at("1,234,5"), []string{"1,234,", "567"}},
		{"x", 0.1, []string{"x"}}, // a character a line, whatever the width
	} {
		if got := s.wrap(test.text, plainWeight, 10, test.width); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, not %q", test.text, got, test.want)
		}
	}
}

// A subset has the outlines and widths of the whole font, also of glyphs made of others.
func TestSubsetKeepsGlyphs(t *testing.T) {
	text := []rune("，「」あア一丁七万丈三樺白가각갂힣")
	slices.Sort(text)
	small := mustFont("small", cjk().subset(text), false)
	for _, r := range text {
		if !small.has(r) || small.widths[r] != cjk().widths[r] {
			t.Errorf("%c: width %d, not %d", r, small.widths[r], cjk().widths[r])
		}
		if got, want := outline(small, small.glyphs[r]), outline(cjk(), cjk().glyphs[r]); !bytes.Equal(got, want) || len(want) == 0 {
			t.Errorf("%c: %d bytes of outline, not %d", r, len(got), len(want))
		}
	}
	if small.has('二') {
		t.Error("more than was asked for")
	}
}

// outline is a glyph with those that it is made of in place of their numbers.
func outline(f *font, glyph uint16) []byte {
	p := f.parsed.GetTTFParser()
	table := p.GetTables()["glyf"]
	data := slices.Clone(p.FontData()[table.Offset+p.LocaTable[glyph] : table.Offset+p.LocaTable[glyph+1]])
	var parts []byte
	for _, at := range components(data) {
		parts = append(parts, outline(f, uint16(data[at])<<8|uint16(data[at+1]))...)
		data[at], data[at+1] = 0, 0
	}
	return append(bytes.TrimRight(data, "\x00"), parts...)
}

func TestFontsHaveWhatTheyPromise(t *testing.T) {
	for _, f := range []*font{regular(), semibold()} {
		for _, r := range "AZaz09ÄÖÜßéñçøåœŁłŐőȘșȚțĞğİıÞðŽžΑωЖяЇїẾế€£¥§©–—−…“”„·•\u00a0\ufffd" {
			if !f.has(r) {
				t.Errorf("%s lacks %c", f.name, r)
			}
		}
	}
	for _, r := range "、。「」『』（）ーあんアン一龥가힣ㄅ㈱①℃→" {
		if !cjk().has(r) {
			t.Errorf("%s lacks %c", cjk().name, r)
		}
	}
}
