package source_test

import (
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

func parse(t *testing.T, texts ...string) ([]*source.Source, error) {
	t.Helper()
	var p yamlfile.Problems
	var files []source.File
	for i, text := range texts {
		files = append(files, source.File{Name: string(rune('a'+i)) + ".yaml", Text: []byte(text)})
	}
	sources := source.Parse(files, &p)
	return sources, p.Err()
}

const whole = `
source: gateway
path: gateway/{yyyy}/{mm}/{dd}/*.jsonl.gz
format: jsonl
lookback: 2 days
expect: 1h
max_rejected: 10%
where: {route: "/v1/*", deep.er: null}
raw: s3://logs/raw
event:
  id: request_id
  time: {field: ts, layout: "2006-01-02 15:04:05", zone: Europe/Madrid}
  account: {key: "gateway/{yyyy}/{mm}/{dd}/{account}-*"}
  project: {constant: web}
  key: auth.key_id
  operation: {join: [method, 'http\.route', {constant: x}], with: " "}
dimensions: {quality: params.quality, model: model}
quantities:
  images: params.n
  seconds: {field: dur, type: decimal}
  calls: {constant: 1}
defaults: {quality: low, images: 1, seconds: 0.5}
`

func TestParseReadsEveryField(t *testing.T) {
	sources, err := parse(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	s := sources[0]
	if s.Name != "gateway" || s.Format != source.JSONLines || s.Lookback.Days != 2 || s.Expect.Elapsed != time.Hour || s.Raw != "s3://logs/raw" {
		t.Errorf("head: %+v", s)
	}
	if s.MaxRejected != 100_000 || s.MaxRejected.Exceeded(10, 100) || !s.MaxRejected.Exceeded(11, 100) {
		t.Errorf("max_rejected: %d", s.MaxRejected)
	}
	if len(s.Where) != 2 || s.Where[1].Name != "deep.er" {
		t.Errorf("where: %+v", s.Where)
	}
	if s.ID.String() != "request_id" || s.Key.String() != "auth.key_id" || s.Project.Text != "web" {
		t.Errorf("event: %+v", s)
	}
	if join := s.Operation; join.Kind != source.Joined || join.Text != " " || len(join.Members) != 3 || join.Members[1].Path[0] != "http.route" || join.Members[1].String() != `http\.route` {
		t.Errorf("operation: %+v", join)
	}
	if account, ok := s.Account.Pattern.Cut("gateway/2026/10/03/acme-7.jsonl.gz"); !ok || account != "acme" {
		t.Errorf("account: %q, %v", account, ok)
	}
	columns, err := source.Columns(nil, s)
	if err != nil || len(columns) != 5 || columns[3] != (lake.Column{Name: "seconds", Type: "DECIMAL(18,6)"}) {
		t.Errorf("columns: %v, %v", columns, err)
	}
	if *s.Dimensions[0].Default != "low" || s.Dimensions[1].Default != nil || s.Quantities[0].Default != "1" || s.Quantities[1].Default != "0.5" {
		t.Errorf("defaults: %+v, %+v", s.Dimensions, s.Quantities)
	}
	if s.Quantities[2].Value.Kind != source.Constant || s.Quantities[2].Value.Text != "1" {
		t.Errorf("calls: %+v", s.Quantities[2])
	}
}

func TestColumnsKeepTheRecordedType(t *testing.T) {
	sources, err := parse(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := source.Columns([]lake.Column{{Name: "model", Type: "VARCHAR"}, {Name: "old", Type: "BIGINT"}}, sources...)
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	if err != nil || strings.Join(names, " ") != "model old quality images seconds calls" {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := source.Columns([]lake.Column{{Name: "seconds", Type: "BIGINT"}}, sources...); err == nil {
		t.Error("a recorded type changed")
	}
}

func TestParseReportsEverythingWrong(t *testing.T) {
	const good = "source: s\npath: x/*\nformat: jsonl\nevent: {time: ts, account: a, operation: o}\n"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", good + "lookbak: 3 days\n", `did you mean lookback?`},
		{"duplicate key", good + "format: csv\n", "format"},
		{"no event", "source: s\npath: x\nformat: jsonl\n", "event"},
		{"no time", "source: s\npath: x\nformat: jsonl\nevent: {account: a, operation: o}\n", "time"},
		{"a mapping for account events", "source: s\npath: x\nformat: accounts\nevent: {time: t}\n", "event"},
		{"packed Parquet", "source: s\npath: '*.parquet.gz'\nformat: parquet\nevent: {time: ts, account: a, operation: o}\n", "packed within"},
		{"a zone without a layout", strings.Replace(good, "time: ts", "time: {field: ts, zone: Europe/Madrid}", 1), "says the time zone itself"},
		{"unknown part of a path", strings.Replace(good, "x/*", "x/{account}/*", 1), "no part of a date"},
		{"a leading slash", strings.Replace(good, "x/*", "/x/*", 1), "leading /"},
		{"a brace alone", strings.Replace(good, "x/*", "'x/{'", 1), "stands alone"},
		{"a key pattern without a name", strings.Replace(good, "account: a", "account: {key: 'x/*'}", 1), "names it"},
		{"a key pattern with two names", strings.Replace(good, "account: a", "account: {key: '{a}/{b}'}", 1), "cuts out one value"},
		{"two kinds of value", strings.Replace(good, "account: a", "account: {constant: x, field: y}", 1), "a value is"},
		{"a join of one", strings.Replace(good, "operation: o", "operation: {join: [a], with: x}", 1), "two values"},
		{"an empty part of a path", strings.Replace(good, "account: a", "account: a..b", 1), "empty part"},
		{"a bad layout", strings.Replace(good, "time: ts", "time: {field: ts, layout: YYYY-MM-DD}", 1), "a layout is"},
		{"a zone beside an offset", strings.Replace(good, "time: ts", "time: {field: ts, layout: '2006-01-02T15:04:05Z07:00', zone: UTC}", 1), "offset already"},
		{"an unknown zone", strings.Replace(good, "time: ts", "time: {field: ts, layout: '2006-01-02 15:04:05', zone: Mars/Base}", 1), "no IANA time zone"},
		{"a share without percent", good + "max_rejected: 0.1\n", "percentage"},
		{"a share over all", good + "max_rejected: 101%\n", "more than all"},
		{"a column of creditmill's own", good + "dimensions: {account: a}\n", "creditmill's own"},
		{"the partition", good + "dimensions: {period: a}\n", "creditmill's own"},
		{"a column's name", good + "dimensions: {Quality: a}\n", "no name of a column"},
		{"a dimension that is a quantity", good + "dimensions: {n: a}\nquantities: {n: b}\n", "elsewhere"},
		{"a quantity of an unknown type", good + "quantities: {n: {field: a, type: float}}\n", "integer, decimal"},
		{"a negative constant", good + "quantities: {n: {constant: -1}}\n", "negative"},
		{"a fraction in a whole default", good + "quantities: {n: a}\ndefaults: {n: 1.5}\n", "digits after the point"},
		{"a default of nothing", good + "defaults: {n: 1}\n", "neither a dimension nor a quantity"},
		{"two sources of a name", good + "---\n" + good, "another source"},
		{"a source's name", strings.Replace(good, "source: s", "source: My Source", 1), "no source name"},
	} {
		_, err := parse(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.yaml:") {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func TestNamesShareOneNamespaceOverSources(t *testing.T) {
	const one = "source: one\npath: a/*\nformat: jsonl\nevent: {time: ts, account: a, operation: o}\nquantities: {n: x}\n"
	const two = "source: two\npath: b/*\nformat: csv\nevent: {time: ts, account: a, operation: o}\nquantities: {n: {field: x, type: decimal}}\n"
	if _, err := parse(t, one, two); err == nil || !strings.Contains(err.Error(), "b.yaml:") {
		t.Errorf("n with two types: %v", err)
	}
}

func TestPathPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, key string
		want         bool
	}{
		{"a/*.gz", "a/x.gz", true},
		{"a/*.gz", "a/b/x.gz", false},
		{"a/**.gz", "a/b/x.gz", true},
		{"a/**/x.gz", "a/x.gz", true},
		{"a/**/x.gz", "a/b/c/x.gz", true},
		{"a/**/x.gz", "a/bx.gz", false},
		{"a/{yyyy}-{mm}.log", "a/2026-10.log", true},
		{"a/{yyyy}-{mm}.log", "a/26-10.log", false},
		{"a/{yyyy}/{mm}/{dd}/{hh}.log", "a/2026/10/03/07.log", true},
		{"a.b", "a.b", true},
		{"a.b", "axb", false},
		{"a", "a/b", false},
		{"*", "a\nb", true},
	} {
		sources, err := parse(t, "source: s\npath: '"+c.pattern+"'\nformat: accounts\n")
		if err != nil {
			t.Fatal(err)
		}
		if sources[0].Matches(c.key) != c.want {
			t.Errorf("%s and %s: %v", c.pattern, c.key, !c.want)
		}
	}
}

func TestPrefixesOfADatedPath(t *testing.T) {
	sources, err := parse(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC)
	want := "gateway/2026/09/29/ gateway/2026/09/30/ gateway/2026/10/01/ gateway/2026/10/02/"
	if got := strings.Join(sources[0].Prefixes(now), " "); got != want {
		t.Errorf("prefixes %q, want %q", got, want)
	}
	if got := sources[0].Prefixes(time.Time{}); len(got) != 1 || got[0] != "gateway/" {
		t.Errorf("all: %q", got)
	}
}

func TestAnObjectOfTwoSourcesIsAnError(t *testing.T) {
	sources, err := parse(t, "source: one\npath: a/*\nformat: accounts\n", "source: two\npath: '*/x'\nformat: accounts\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Of(sources, "", "a/x"); err == nil || !strings.Contains(err.Error(), "one") || !strings.Contains(err.Error(), "two") {
		t.Errorf("a/x: %v", err)
	}
	if s, err := source.Of(sources, "", "a/y"); err != nil || s.Name != "one" {
		t.Errorf("a/y: %v, %v", s, err)
	}
	if s, err := source.Of(sources, "", "c/y"); err != nil || s != nil {
		t.Errorf("c/y: %v, %v", s, err)
	}
	if s, err := source.Of(sources, "elsewhere", "a/x"); err != nil || s != nil {
		t.Errorf("in another store: %v, %v", s, err)
	}
}
