package yamlfile_test

import (
	"testing"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

func TestCanonicalIsWhatAFileSays(t *testing.T) {
	read := func(src string) string {
		var p yamlfile.Problems
		doc := yamlfile.Single(yamlfile.Parse("x.yaml", []byte(src), &p), &p)
		if err := p.Err(); err != nil {
			t.Fatal(err)
		}
		return doc.Canonical()
	}
	base := `{"a":[1.50,"x\n\"é",true,null],"b":{}}`
	for _, same := range []string{
		"a: [1.50, \"x\\n\\\"é\", true, ~]\nb: {}\n",
		"# comment\nb: {}   # more\na:\n  - 1.50\n  - \"x\\n\\\"\\u00e9\"\n  - true\n  -\n",
		"{b: {}, 'a': [1.50, \"x\\n\\\"é\", true, null]}",
	} {
		if got := read(same); got != base {
			t.Errorf("%s\n of %s", got, same)
		}
	}
	seen := map[string]string{}
	for _, other := range []string{"a: 1", "a: \"1\"", "a: 1.0", "a: [1]", "a: {1: }", "a:", "a: \"\"", "a: \"null\"", "a: [1, 2]", "a: [2, 1]", "a: [[1], 2]", "a: [[1, 2]]", "a: true", "a: \"true\"", "b: 1"} {
		got := read(other)
		if first, ok := seen[got]; ok {
			t.Errorf("%q and %q have one text %s", first, other, got)
		}
		seen[got] = other
	}
}
