package source

import (
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

const fuzzSource = `
source: gateway
path: "gateway/{yyyy}/{mm}/{dd}/*.jsonl.gz"
format: jsonl
expect: 1h
max_rejected: 10%
where: {route: "/v1/*", internal: [null, "false"]}
event:
  id: request_id
  time: {field: ts, layout: "2006-01-02 15:04:05", zone: Europe/Madrid}
  account: {key: "gateway/{yyyy}/{mm}/{dd}/{account}-*"}
  project: {constant: web}
  operation: {join: [method, 'http\.route'], with: " "}
dimensions: {quality: params.quality, status: status}
quantities: {images: params.n, seconds: {field: dur, type: decimal}, calls: {constant: 1}}
defaults: {quality: low, images: 1}
`

// FuzzParse reads any text as a source: what is wrong is said with the file's name,
// and a source without fault has what every source must have.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		fuzzSource, "source: a\npath: a/**\nformat: accounts\n", "source: a\npath: '*.parquet'\nformat: parquet\nevent: {time: {field: t, zone: Asia/Kolkata}, account: a.b, operation: {constant: x}}\n",
		"source: a\npath: b\nformat: csv\nevent: {time: {field: t, layout: unix_ms}, account: A b, operation: c}\nquantities: {n: {constant: 1.5, type: decimal}}\n", "{", "- 1", "source: [", "a: &a 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p yamlfile.Problems
		sources := Parse([]File{{Name: "fuzz.yaml", Text: []byte(text)}}, &p)
		if err := p.Err(); err != nil {
			if !strings.Contains(err.Error(), "fuzz.yaml:") {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		for _, s := range sources {
			if s.Name == "" || s.Path().String() == "" || s.Format != Accounts && (len(s.Time.Path) == 0 || s.Operation.String() == "") {
				t.Fatalf("%q: %+v", text, s)
			}
			if _, err := Columns(nil, s); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			_ = s.Prefixes(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))
			_ = s.Matches(text)
		}
	})
}

// FuzzLayout reads times by any layout: what is read and written by the layout is read
// as the same instant, to the second at least.
func FuzzLayout(f *testing.F) {
	for _, seed := range [][3]string{
		{"2006-01-02 15:04:05", "Europe/Madrid", "2026-03-29 02:30:00"},
		{"2006-01-02 15:04:05", "Europe/Madrid", "2026-10-25 02:30:00.5"},
		{"02/Jan/2006:15:04:05 -0700", "", "03/Oct/2026:16:00:00 +0200"},
		{"2006-01-02T15:04:05.000Z07:00", "", "2026-10-03T14:00:00.123Z"},
		{"unix_ms", "", "17"},
		{"Jan _2 2006 3PM", "Asia/Kolkata", "Oct  3 2026 2PM"},
		{"060102150405", "", "261003140000"},
		{"MST", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, layout, zone, text string) {
		l, err := NewLayout(layout, zone)
		if err != nil || l.Clock != Written {
			return
		}
		at, err := l.Parse(text)
		if err != nil {
			return
		}
		written := func(at time.Time) string {
			if l.zone != nil {
				at = at.In(l.zone.Location())
			}
			return at.Format(layout)
		}
		back, err := l.Parse(written(at))
		if at.Year() < 0 || at.Year() > 9999 || written(at) == text && err != nil {
			return // a year or day that the layout cannot write
		}
		if off := at.Sub(back); err != nil || off < 0 || off >= time.Second {
			t.Fatalf("%q by %q (%s) is %v, written %q and read again %v, %v", text, layout, zone, at, written(at), back, err)
		}
	})
}

// matches is a naive matcher of patterns: it tries everything.
func matches(pattern, key string) bool {
	rest, isAny := strings.CutPrefix(pattern, "**/")
	switch {
	case pattern == "":
		return key == ""
	case isAny:
		for i := range len(key) {
			if key[i] == '/' && matches(rest, key[i+1:]) {
				return true
			}
		}
		return matches(rest, key)
	case strings.HasPrefix(pattern, "**"):
		for i := range len(key) + 1 {
			if matches(pattern[2:], key[i:]) {
				return true
			}
		}
		return false
	case pattern[0] == '*':
		for i := range len(key) + 1 {
			if matches(pattern[1:], key[i:]) {
				return true
			}
			if i < len(key) && key[i] == '/' {
				break
			}
		}
		return false
	case pattern[0] == '{':
		name, rest, _ := strings.Cut(pattern[1:], "}")
		digits, dated := map[string]int{"yyyy": 4, "mm": 2, "dd": 2, "hh": 2}[name]
		if dated {
			return len(key) >= digits && strings.Trim(key[:digits], "0123456789") == "" && matches(rest, key[digits:])
		}
		for i := 1; i <= len(key) && key[i-1] != '/'; i++ {
			if matches(rest, key[i:]) {
				return true
			}
		}
		return false
	}
	return key != "" && key[0] == pattern[0] && matches(pattern[1:], key[1:])
}

// FuzzPattern holds patterns to the naive matcher, and what is cut out of a key to the
// key.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"gateway/{yyyy}/{mm}/{dd}/{account}-*", "gateway/2026/10/03/acme-7.jsonl.gz"}, {"a/**/x.gz", "a/b/c/x.gz"}, {"**", ""}, {"*.{a}.*", "x.y.z.w"}, {"{a}{yyyy}", "12345"}, {"a.b", "axb"}, {"{", "{"}, {"**/**/a", "a"}, {"(?i)[a]", "A"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		if len(text) > 40 || len(key) > 60 || strings.Count(text, "*")+strings.Count(text, "{") > 6 {
			return // the naive one takes its time
		}
		for _, named := range []bool{false, true} {
			p, err := parsePattern(text, named)
			if err != nil {
				continue
			}
			_, got := p.Match(key)
			if want := matches(text, key); got != want {
				t.Fatalf("%q matches %q: %v, want %v", text, key, got, want)
			}
			if cut, ok := p.Cut(key); named && (ok != got || ok && (cut == "" || !strings.Contains(key, cut) || strings.Contains(cut, "/"))) {
				t.Fatalf("%q cuts %q out of %q (%v)", text, cut, key, ok)
			}
		}
	})
}

// FuzzDraft drafts a source from any log: a draft is a source without fault.
func FuzzDraft(f *testing.F) {
	for _, seed := range [][2]string{
		{"a/x.jsonl", `{"ts":"2026-10-03T14:00:00Z","org":"a","n":1,"x":{"y.z":2.5}}`}, {"x.csv", "Time,Account id,n\n2026-10-03 14:00:00,a,1\n"}, {"x.gz", "\x1f\x8b"}, {"{x}.jsonl", `{"created":1791036000,"id":"\u0000"}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, key, log string) {
		if len(log) > 4<<10 {
			return
		}
		_, _ = Draft("log", key, strings.NewReader(log)) // Draft reads its own draft
		_, _ = DraftRows("log", key, Parquet, strings.NewReader(log))
	})
}
