package yamlfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// FuzzParse asserts what holds for any bytes: no panic; every position lies in
// the file; a scalar's text stands there (unless folded or escaped); no text of
// the file is lost in silence; and problems can be shown without control
// characters.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	worlds, err := filepath.Glob("../../fixtures/*/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range append(seeds, worlds...) {
		src, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, seed := range []string{
		"", "---\n---\n", "a: |\n  x\n\n  y\n", "a: >+\n x\n\n", "- - - a\n-\n", "{a: [b, {c: d}], e}", "? ", "\"", "'a''b': \"\\x41\"",
		"a: &b *c\n", "!!", "%", "a:\r\n  b: \u00e9\r\n", "\xff", "...\n", "--- a\n--- b\n", "a: b: c", "#", "[,]", "{,}", "a:\n- b\n c", ": ", "- :", "[a: b]", "{\"a\":1}",
		"|", ">-\n", "a: |2\n   x\n", "x: \"a\n  b\"\n", "x: a\n  b\n", "<<: 1", "a: ~\n~: a\n", "\ufeffa", "[1,\n2]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var p yamlfile.Problems
		docs := yamlfile.Parse("f.yaml", src, &p)
		if len(docs) == 0 && p.Len() == 0 {
			t.Error("no document and no problem")
		}
		text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(src), "\ufeff"))
		lines := strings.Split(text, "\n")
		for _, doc := range docs {
			verify(t, &p, doc, lines)
		}
		for _, problem := range p.List() {
			if problem.Line > len(lines) {
				t.Errorf("%s lies outside the file", problem.Position)
			}
		}
		if err := p.Err(); err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
			t.Errorf("control characters in %q", err)
		}
	})
}

// verify checks one value and everything in it, and reads it in every way.
func verify(t *testing.T, p *yamlfile.Problems, n yamlfile.Node, lines []string) {
	pos := n.Pos()
	if pos.Line < 1 || pos.Line > len(lines) || pos.Column < 1 || pos.Column > len([]rune(lines[pos.Line-1]))+1 {
		t.Fatalf("%s (%s %q) lies outside the file", pos, n.Kind(), n.Text())
	}
	before := p.Len()
	if n.Kind() == yamlfile.Number || n.Kind() == yamlfile.Bool {
		if rest := string([]rune(lines[pos.Line-1])[pos.Column-1:]); before == 0 && !strings.HasPrefix(rest, n.Text()) {
			t.Errorf("%s: the file has %q there, the value is %q", pos, rest, n.Text())
		}
	}
	for _, item := range n.Items() {
		verify(t, p, item, lines)
	}
	for _, pair := range n.Pairs() {
		verify(t, p, pair.Key, lines)
		verify(t, p, pair.Value, lines)
	}
	var scratch yamlfile.Problems
	scratch.String(n)
	scratch.Strings(n)
	scratch.Int(n)
	scratch.Bool(n)
	scratch.Decimal(n, 6, 12)
	scratch.Amount(n, 6, 12)
	scratch.Instant(n)
	scratch.Duration(n)
	scratch.OneOf(n, "a", "b")
	o := scratch.Object(n, "it")
	o.Get("a")
	o.Need("b")
	o.Done()
	_ = scratch.Err()
}
