package yamlfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// dump writes a value with kinds and positions, for comparing.
func dump(n yamlfile.Node) string {
	at := fmt.Sprintf("%d:%d", n.Pos().Line, n.Pos().Column)
	var parts []string
	switch n.Kind() {
	case yamlfile.List:
		for _, item := range n.Items() {
			parts = append(parts, dump(item))
		}
		return at + "[" + strings.Join(parts, " ") + "]"
	case yamlfile.Map:
		for _, pair := range n.Pairs() {
			parts = append(parts, dump(pair.Key)+"="+dump(pair.Value))
		}
		return at + "{" + strings.Join(parts, " ") + "}"
	case yamlfile.Null:
		return at + "null"
	}
	mark := map[yamlfile.Kind]string{yamlfile.String: "s", yamlfile.Number: "n", yamlfile.Bool: "b"}[n.Kind()]
	if n.Quoted() {
		mark += "q"
	}
	return at + mark + "<" + n.Text() + ">"
}

func TestParseKeepsTextKindAndPosition(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{
			"block", "a: 1\nb:\n  - c: x y\n    d: 'e'\n  - f\n",
			`1:1{1:1s<a>=1:4n<1> 2:1s<b>=3:3[3:5{3:5s<c>=3:8s<x y> 4:5s<d>=4:8sq<e>} 5:5s<f>]}`,
		},
		{
			"flow", `w: {"é": [-1.50, true, ~, {}], k: []}`,
			`1:1{1:1s<w>=1:4{1:5sq<é>=1:10[1:11n<-1.50> 1:18b<true> 1:24null 1:27{}] 1:32s<k>=1:35[]}}`,
		},
		{
			"numbers keep their text", "[0, 1.10, 1e3, 1.00000000000000000000000001, 99999999999999999999999999]",
			`1:1[1:2n<0> 1:5n<1.10> 1:11n<1e3> 1:16n<1.00000000000000000000000001> 1:46n<99999999999999999999999999>]`,
		},
		{
			"what is no JSON number is text", "[007, 0x1f, 1_000, +5, .5, 5., .inf, yes, 2026-10, 10%]",
			`1:1[1:2s<007> 1:7s<0x1f> 1:13s<1_000> 1:20s<+5> 1:24s<.5> 1:28s<5.> 1:32s<.inf> 1:38s<yes> 1:43s<2026-10> 1:52s<10%>]`,
		},
		{"an instant is text", "t: 2026-10-01T00:00:00Z", `1:1{1:1s<t>=1:4s<2026-10-01T00:00:00Z>}`},
		{"quoted true is text", `["true", '1', ""]`, `1:1[1:2sq<true> 1:10sq<1> 1:15sq<>]`},
		{"escapes", `a: "x\ty\u00e9"`, "1:1{1:1s<a>=1:4sq<x\ty\u00e9>}"},
		{"block text", "a: |\n  x\n  y\nb: 1\n", "1:1{1:1s<a>=1:4sq<x\ny\n> 4:1s<b>=4:4n<1>}"},
		{"empty value stands at its key", "a: 1\nbee:\nc: {d: }\n", `1:1{1:1s<a>=1:4n<1> 2:1s<bee>=2:1null 3:1s<c>=3:4{3:5s<d>=3:5null}}`},
		{"CRLF and byte order mark", "\ufeffa: 1\r\nb: 2\r\n", `1:1{1:1s<a>=1:4n<1> 2:1s<b>=2:4n<2>}`},
		{"documents", "# head\n---\na: 1\n---\n# nothing\n---\nb: 2\n---\n", `3:1{3:1s<a>=3:4n<1>} 7:1{7:1s<b>=7:4n<2>}`},
		{"blanks after", "0 \n---\na: 1   \nb: [x ,y ] \n", `1:1n<0> 3:1{3:1s<a>=3:4n<1> 4:1s<b>=4:4[4:5s<x> 4:8s<y>]}`},
		{"empty", "", "1:1null"},
		{"comments only", "# x\n#\ty\n", "1:1null"},
		{"comment with a tab", "a: 1 # x\ty\n", `1:1{1:1s<a>=1:4n<1>}`},
		{"number as key", "{1: a, 500: b}", `1:1{1:2n<1>=1:5s<a> 1:8n<500>=1:13s<b>}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p yamlfile.Problems
			var got []string
			for _, doc := range yamlfile.Parse("x.yaml", []byte(c.src), &p) {
				got = append(got, dump(doc))
			}
			if err := p.Err(); err != nil {
				t.Fatal(err)
			}
			if joined := strings.Join(got, " "); joined != c.want {
				t.Errorf("got  %s\nwant %s", joined, c.want)
			}
		})
	}
}

// TestBadFiles reads every testdata/*.bad.yaml; what it reports must be the
// file of the same name that ends in .want.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".want")
			if err != nil {
				t.Fatal(err)
			}
			var p yamlfile.Problems
			yamlfile.Single(yamlfile.Parse(filepath.Base(file), src, &p), &p)
			if got := fmt.Sprintln(p.Err()); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"UTF-8", "a: 1\nb: \xff\n", "x.yaml:2:4: the byte 0xff is not UTF-8\n    b: \u00b7\n       ^\n    hint: save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "x.yaml:1:1: the byte 0xff is not UTF-8\n    \u00b7\u00b7a\u00b7\n    ^\n    hint: save the file as UTF-8"},
		{"NUL", "a: \x00", "x.yaml:1:4: the control character U+0000\n    a: \u00b7\n       ^\n    hint: in a text in double quotes write \"\\x00\""},
		{"escape", "a: \x1b[2J", "x.yaml:1:4: the control character U+001B\n    a: \u00b7[2J\n       ^\n    hint: in a text in double quotes write \"\\x1b\""},
		{"inner mark", "a: \ufeffb", "x.yaml:1:4: a byte order mark inside the file\n    a: \u00b7b\n       ^"},
		{"tab", "a:\n\tb: 1\n", "x.yaml:2:1: a tab\n     b: 1\n    ^\n    hint: indent with spaces; in a text write \"\\t\""},
		{"too large", strings.Repeat("#\n", yamlfile.MaxBytes/2+1), "x.yaml: the file has 8388610 bytes; at most 8388608 are read\n    hint: split it into several files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p yamlfile.Problems
			if docs := yamlfile.Parse("x.yaml", []byte(c.src), &p); docs != nil {
				t.Errorf("documents: %v", docs)
			}
			if got := fmt.Sprint(p.Err()); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestDeepNestingIsRefusedBeforeItIsParsed(t *testing.T) {
	stairs := ""
	for i := range 600 {
		stairs += strings.Repeat(" ", i) + "a:\n"
	}
	for name, src := range map[string]string{
		"flow lists": strings.Repeat("[", 1_000_000),
		"flow maps":  strings.Repeat("{a: ", 500_000),
		"dashes":     strings.Repeat("- ", 500_000),
		"colons":     strings.Repeat("a: ", 500_000),
		"stairs":     stairs,
		"tags":       "a: " + strings.Repeat("!a ", 100_000),
		"questions":  strings.Repeat("? ", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			var p yamlfile.Problems
			yamlfile.Parse("x.yaml", []byte(src), &p)
			if p.Len() == 0 {
				t.Error("no problem")
			}
		})
	}
}

func TestSingle(t *testing.T) {
	var p yamlfile.Problems
	if n := yamlfile.Single(nil, &p); !n.IsZero() || p.Len() != 0 {
		t.Errorf("%v, %d problems", n, p.Len())
	}
	if n := yamlfile.Single(yamlfile.Parse("x.yaml", []byte("a: 1\n---\n"), &p), &p); n.Kind() != yamlfile.Map || p.Len() != 0 {
		t.Errorf("a trailing --- is no second document: %v", p.Err())
	}
}
