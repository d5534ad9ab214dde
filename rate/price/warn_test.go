package price

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

var october = date(1, 0)

func neverUsed(VersionRef) bool { return false }

// warnings are those of files, as "file:line:column: message".
func warnings(t *testing.T, texts ...string) []string {
	t.Helper()
	book, err := parseText(texts...)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, w := range book.Warnings(october, neverUsed) {
		if w.Hint == "" || w.Source == "" {
			t.Errorf("without a hint or its line: %s", w)
		}
		list = append(list, fmt.Sprintf("%s:%d:%d: %s", strings.TrimPrefix(w.File, "prices/"), w.Line, w.Column, w.Message))
	}
	return list
}

// The rules begin on line 6, each on a line of its own.
func withRules(rules ...string) string {
	return head + "rules:\n  - {" + strings.Join(rules, "}\n  - {") + "}\n"
}

const anyCall = "charge: {credits: 1}"

// TestWarnsOfRulesNeverReached: the second rule is never reached by the first, or is.
func TestWarnsOfRulesNeverReached(t *testing.T) {
	operation := func(text string) string { return "operation: " + text + ", charge: {credits: 1}" }
	when := func(text string) string { return "when: {" + text + "}, charge: {credits: 1}" }
	tests := []struct {
		earlier, later string
		never          bool
	}{
		{"charge: {credits: 1}", "charge: {credits: 2}", true},
		{"charge: {credits: 1}", operation("image.x"), true},
		{operation("image.x"), "charge: {credits: 1}", false},
		{operation(`"image.*"`), "charge: {credits: 1}", true}, // the table applies to nothing else
		{operation(`"*"`), operation(`"image.x*"`), true},
		{operation(`"image.x*"`), operation(`"image.*x"`), false},
		{operation(`"image.x*"`), operation(`"image.x*y"`), true},
		{operation(`"*.x*"`), operation(`"image.x*y"`), true},
		{operation(`"image.x"`), operation(`"image.x"`), true},
		{operation(`"image.x"`), operation(`"image.xy"`), false},
		{operation(`"*e.*"`), operation(`"*.x"`), true}, // what is like image.* has an e.

		{when("model: a"), "charge: {credits: 1}", false},
		{when("model: a"), when("model: a"), true},
		{when("model: a"), when("model: b"), false},
		{when("model: [a, b, c]"), when("model: [c, a]"), true},
		{when("model: [a, b]"), when("model: [a, c]"), false},
		{when(`model: "a*"`), when("model: [abc, a]"), true},
		{when(`model: "a*"`), when("model: ba"), false},
		{when(`model: "*b*"`), when(`model: "a*bc"`), true},
		{when(`model: "a*bc"`), when(`model: "*b*"`), false},
		{when(`model: ["a*", "*a"]`), when(`model: "a*a"`), true},
		{when(`model: "*"`), "charge: {credits: 1}", false}, // NULL goes on
		{when(`model: ["*", null]`), "charge: {credits: 1}", true},
		{when(`account: "*"`), "charge: {credits: 1}", true}, // every call has an account
		{when(`source: "*"`), "charge: {credits: 1}", true},
		{when(`project: "*"`), "charge: {credits: 1}", false},
		{when("model: null"), when("model: null"), true},
		{when("model: [null, a]"), when("model: null"), true},
		{when("model: null"), when("model: [null, a]"), false},

		{when("status: {gte: 500}"), when("status: {gt: 500, lt: 600}"), true},
		{when("status: {gt: 500}"), when("status: {gte: 500}"), false},
		{when("status: {gte: 500}"), when("status: 500"), true},
		{when("status: {gt: 500}"), when("status: 500"), false},
		{when("status: {gte: 500}"), when(`status: ["500", "503.5"]`), true},
		{when("status: {gte: 500}"), when(`status: ["500", "0500"]`), false}, // a text
		{when("status: {gte: 500}"), when(`status: "5*"`), false},
		{when(`status: "5*"`), when("status: 500"), false}, // also "499.9999999999999999999", which rounds to it
		{when(`status: "*"`), when("status: {gte: 500}"), true},
		{when("status: [{lt: 10}, {gte: 10}]"), when("status: {gte: 5, lt: 20}"), true},
		{when("status: [{lt: 10}, {gt: 10}]"), when("status: {gte: 5, lt: 20}"), false},
		{when("status: [{lt: 10}, {gt: 10}, 10]"), when("status: {gte: 5, lt: 20}"), true},
		{when(`status: "500"`), when("status: 500"), false}, // 500.0
		{when("status: 500"), when(`status: "500.0"`), true},
		{when("status: 0.5"), when(`status: "0.50"`), true},

		{when("images: {gte: 0}"), "charge: {credits: 1}", false},
		{when("images: [{gte: 0}, null]"), "charge: {credits: 1}", true}, // never negative
		{when("images: [{gte: 1}, null]"), "charge: {credits: 1}", false},
		{when("images: [0, {gte: 1}, null]"), "charge: {credits: 1}", true}, // whole numbers
		{when("seconds: [0, {gte: 1}, null]"), "charge: {credits: 1}", false},
		{when("images: {gt: 4}"), when("images: {gte: 5}"), true},
		{when("images: {gt: 4.5}"), when("images: {gte: 5}"), true},
		{when("seconds: {gt: 4}"), when("seconds: {gte: 4.000001}"), true},
		{when("seconds: {gt: 4}"), when("seconds: {gte: 4}"), false},
		{when(`images: "5"`), when("images: 5.0"), true},

		{when("model: a"), when("model: a, images: 5"), true},
		{when("model: a, images: 5"), when("model: a"), false},
		{when("model: a, images: {gte: 5}"), when("images: 7, model: a, status: x"), true},
		{when("model: a, images: {gte: 5}"), when("images: 3, model: a, status: x"), false},
		{`operation: image.x, when: {model: a}, charge: {credits: 1}`, when("model: a"), false},
		{`operation: "image.*", when: {model: a}, charge: {credits: 1}`, `operation: image.y, when: {model: a}, charge: {credits: 1}`, true},
	}
	for _, tc := range tests {
		var want []string
		if tc.never {
			want = []string{"a.yaml:7:5: rule 2 is never reached: rule 1 (line 6) takes every call that it matches"}
		}
		if got := warnings(t, withRules(tc.earlier, tc.later)); !slices.Equal(got, want) {
			t.Errorf("%s\n%s\ngot  %q\nwant %q", tc.earlier, tc.later, got, want)
		}
	}
}

func TestWarnsOfConditionsThatNoCallHas(t *testing.T) {
	rule := func(when string) string { return withRules("charge: {credits: 1}, when: {"+when+"}", anyCall) } // the when from column 35
	for _, tc := range []struct{ when, want string }{
		{"images: {lt: 0}", "a.yaml:6:43: rule 1 is never reached: no call has such a value of images"},
		{"model: a, images: -1", "a.yaml:6:53: rule 1 is never reached: no call has such a value of images"},
		{"images: 0.5", "a.yaml:6:43: rule 1 is never reached: no call has such a value of images"},
		{`images: "0.5"`, "a.yaml:6:43: rule 1 is never reached: no call has such a value of images"},
		{"images: {gt: 1, lt: 2}", "a.yaml:6:43: rule 1 is never reached: no call has such a value of images"},
		{"seconds: {gt: 1, lt: 2}", ""},
		{"seconds: 0.0000001", "a.yaml:6:44: rule 1 is never reached: no call has such a value of seconds"},
		{"images: 9223372036854775808", "a.yaml:6:43: rule 1 is never reached: no call has such a value of images"},
		{"images: 9223372036854775807", ""},
		{"seconds: 1000000000000", "a.yaml:6:44: rule 1 is never reached: no call has such a value of seconds"},
		{"account: null", "a.yaml:6:44: rule 1 is never reached: no call has such a value of account"},
		{"account: [null, a]", ""},
		{"model: null", ""},
	} {
		if got := strings.Join(warnings(t, rule(tc.when)), "\n"); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.when, got, tc.want)
		}
	}
}

func TestWarnsOfOperations(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"a rule for another operation", withRules("charge: {credits: 1}, operation: video.x", anyCall), []string{`a.yaml:6:39: rule 1 is never reached: applies_to has no "video.x"`}},
		{
			"operations without a rule",
			strings.Replace(withRules("operation: image.x, charge: {credits: 1}"), `["image.*"]`, `["image.*", chat.a, "chat.b*", x]`, 1),
			[]string{
				`a.yaml:4:25: no rule matches calls of "chat.a": they are held as no_rule`,
				`a.yaml:4:33: no rule matches calls of "chat.b*": they are held as no_rule`,
				`a.yaml:4:44: no rule matches calls of "x": they are held as no_rule`,
			},
		},
		{
			"a rule that no call reaches is none",
			strings.Replace(withRules("operation: chat.x, when: {images: -1}, charge: {credits: 1}", "operation: image.x, charge: {credits: 1}"), `["image.*"]`, `["image.*", "chat.*"]`, 1),
			[]string{
				`a.yaml:4:25: no rule matches calls of "chat.*": they are held as no_rule`,
				`a.yaml:6:40: rule 1 is never reached: no call has such a value of images`,
			},
		},
		{"some of its operations have one", strings.Replace(withRules("operation: \"*.x\", charge: {credits: 1}"), `["image.*"]`, `["image.*", "chat.*"]`, 1), []string{}},
	} {
		if got := warnings(t, tc.text); !slices.Equal(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.name, got, tc.want)
		}
	}
}

func TestWarnsOfAdditionsThatNeverApply(t *testing.T) {
	for _, tc := range []struct{ rule, add, want string }{
		{"model: a", "model: b", "the rule takes no call with such a value of model"},
		{"model: a", "status: b", ""},
		{"model: [a, b]", "model: [c, b]", ""},
		{`model: "a*"`, "model: b", "the rule takes no call with such a value of model"},
		{`model: "a*"`, "model: ab", ""},
		{"model: ab", `model: "a*"`, ""},
		{`model: "a*"`, `model: "*b"`, ""},
		{`model: "a*"`, `model: "b*"`, "the rule takes no call with such a value of model"},
		{"model: null", `model: "*"`, "the rule takes no call with such a value of model"},
		{"model: null", "model: [x, null]", ""},
		{"status: {gte: 500}", "status: {lt: 500}", "the rule takes no call with such a value of status"},
		{"status: {gte: 500}", "status: {lte: 500}", ""},
		{"status: {gte: 500}", `status: "499"`, "the rule takes no call with such a value of status"},
		{"status: {gte: 500}", `status: "500"`, ""},
		{`status: "5*"`, "status: 700", ""}, // not sure enough
		{"images: 3", "images: {gt: 3}", "the rule takes no call with such a value of images"},
		{"images: {gte: 3}", "images: {lt: 4}", ""},
		{"images: {gt: 3}", "images: {lt: 4}", "the rule takes no call with such a value of images"},
		{"model: a", "images: -1", "no call has such a value of images"},
	} {
		text := withRules("when: {"+tc.rule+"}, charge: {credits: 1}, add: [{charge: {credits: 1}}, {when: {"+tc.add+"}, charge: {credits: 1}}]", anyCall)
		want := []string{}
		if tc.want != "" {
			name, _, _ := strings.Cut(tc.add, ": ")
			want = append(want, fmt.Sprintf("a.yaml:6:%d: addition 2 of rule 1 never applies: %s",
				len("  - {when: {"+tc.rule+"}, charge: {credits: 1}, add: [{charge: {credits: 1}}, {when: {"+name+": ")+1, tc.want))
		}
		if got := warnings(t, text); !slices.Equal(got, want) {
			t.Errorf("%s, add %s:\ngot  %q\nwant %q", tc.rule, tc.add, got, want)
		}
	}
}

// versioned is a version of a table with one rule for all its calls.
func versioned(table string, version int, from, appliesTo string) string {
	return fmt.Sprintf("table: %s\nversion: %d\neffective_from: %s\napplies_to: [%s]\nrules: [{charge: {credits: 1}}]\n", table, version, from, appliesTo)
}

func TestWarnsOfVersionsNeverInForce(t *testing.T) {
	texts := []string{
		versioned("api", 1, "2026-10-01T00:00:00Z", `"image.*"`),
		versioned("api", 2, "2026-10-01T02:00:00+02:00", `"image.*"`),
		versioned("api", 3, "2026-10-01T00:00:00Z", `"image.*"`),
		versioned("api", 4, "2026-11-01T00:00:00Z", `"image.*"`),
		versioned("other", 5, "2026-10-01T00:00:00Z", `"chat.*"`),
	}
	want := []string{
		"a.yaml:3:17: api version 1 is never in force: api version 3 (prices/c.yaml) has the same effective_from",
		"b.yaml:3:17: api version 2 is never in force: api version 3 (prices/c.yaml) has the same effective_from",
	}
	if got := warnings(t, texts...); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// A version that was in use and had to be replaced is none to warn of.
	book, err := parseText(texts...)
	if err != nil {
		t.Fatal(err)
	}
	left := book.Warnings(october, func(v VersionRef) bool { return v.Version == 1 })
	if len(left) != 1 || left[0].File != "prices/b.yaml" {
		t.Errorf("got %v", left)
	}
	// Nor is anything in a version that never counts.
	if got := warnings(t, withRules(anyCall, anyCall), versioned("api", 2, "2026-10-01T00:00:00Z", `"image.*"`)); len(got) != 1 || !strings.Contains(got[0], "never in force") {
		t.Errorf("got %q", got)
	}
	// Or in one that ended before the first billed period.
	if got := warnings(t, strings.Replace(withRules(anyCall, anyCall), "2026-10", "2026-09", 1), versioned("api", 2, "2026-10-01T00:00:00Z", `"image.*"`)); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestWarnsOfGaps(t *testing.T) {
	gap := "%s.yaml:3:17: table %s begins after the start of first_period (2026-10-01T00:00:00Z): calls of %q before it are held as no_rule"
	for _, tc := range []struct {
		name  string
		texts []string
		want  []string
	}{
		{"from the start on", []string{versioned("api", 1, "2026-10-01T00:00:00Z", `"image.*"`)}, []string{}},
		{"a microsecond late", []string{versioned("api", 1, "2026-10-01T00:00:00.000001Z", `"image.*"`)}, []string{fmt.Sprintf(gap, "a", "api", "image.*")}},
		{
			"the lower number comes later",
			[]string{versioned("api", 1, "2026-11-01T00:00:00Z", `"image.*"`), versioned("api", 2, "2026-10-01T00:00:00Z", `"image.*"`)},
			[]string{},
		},
		{
			"both late: the first one counts",
			[]string{versioned("api", 2, "2026-12-01T00:00:00Z", `"image.*"`), versioned("api", 1, "2026-11-01T00:00:00Z", `"image.*"`)},
			[]string{fmt.Sprintf(gap, "b", "api", "image.*")},
		},
		{
			"another table has priced them before",
			[]string{
				versioned("old", 1, "2026-01-01T00:00:00Z", `"image.*", "chat.*"`), versioned("old", 2, "2026-11-01T00:00:00Z", `"image.*"`),
				versioned("new", 1, "2026-11-01T00:00:00Z", `chat.x, "chat.y*"`),
			},
			[]string{},
		},
		{
			"another table has priced some of them before",
			[]string{
				versioned("old", 1, "2026-01-01T00:00:00Z", `"chat.x*"`), versioned("old", 2, "2026-11-01T00:00:00Z", `"image.*"`),
				versioned("new", 1, "2026-11-01T00:00:00Z", `"chat.x*", "chat.*"`),
			},
			[]string{fmt.Sprintf(gap, "c", "new", "chat.*")},
		},
		{
			"another table has priced them, but not until then",
			[]string{
				versioned("old", 1, "2026-01-01T00:00:00Z", `"chat.*"`), versioned("old", 2, "2026-10-31T00:00:00Z", `"image.*"`),
				versioned("new", 1, "2026-11-01T00:00:00Z", `"chat.*"`),
			},
			[]string{fmt.Sprintf(gap, "c", "new", "chat.*")},
		},
	} {
		if got := warnings(t, tc.texts...); !slices.Equal(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.name, got, tc.want)
		}
	}
}

// TestNoCallReachesARuleThatNoneReaches judges random calls by random tables, whose
// rules are partly others made wider or narrower, with the oracle.
func TestNoCallReachesARuleThatNoneReaches(t *testing.T) {
	const tables, callsEach = 120, 300
	never, reached := 0, 0
	for seed := range uint64(tables) {
		r := random{rand.New(rand.NewPCG(seed, 9))}
		words := r.related()
		book, files := &Book{}, []File{}
		for i, v := range words {
			files = append(files, File{fmt.Sprint(i), []byte(v.yaml())})
		}
		var p yamlfile.Problems
		if book = Parse(files, testColumns, &p); p.Err() != nil {
			t.Fatal(p.Err())
		}
		dead := map[[2]int]bool{} // version, rule
		for _, w := range book.Warnings(time.Time{}, neverUsed) {
			var rule int
			if _, err := fmt.Sscanf(w.Message, "rule %d is never reached", &rule); err == nil {
				dead[[2]int{int(w.File[0]-'0') + 1, rule}] = true // the file of version 1 is 0
				never++
			}
		}
		for range callsEach {
			c := r.call()
			got := c.judge(words)
			if dead[[2]int{got.version, got.rule}] {
				t.Fatalf("seed %d: a call of %s (%s, %s) came to version %d rule %d, which was said to be never reached\n%s",
					seed, c.operation, show(c.texts), show(c.quantities), got.version, got.rule, words[got.version-1].yaml())
			}
			if got.rule > 0 {
				reached++
			}
		}
	}
	if never < 300 || reached < tables*callsEach/6 {
		t.Errorf("the test reaches too little: %d rules are never reached, %d calls were priced", never, reached)
	}
}

// related makes three versions of one table whose rules resemble each other.
func (r random) related() (words []wordVersion) {
	for i := range 3 {
		v := wordVersion{table: "t", version: i + 1, from: instants[i], appliesTo: []string{"image.*", "chat.*"}}
		for len(v.rules) < 12 {
			rule := wordRule{when: r.whens(), charge: wordCharge{parts: []wordPart{{credits: "1"}}}}
			if !r.one(4) {
				rule.operation = pick(r, append([]string{"image.*", "*", "*.*a*", "chat.1*"}, operations...))
			}
			if len(v.rules) > 0 && !r.one(3) { // like another, and then some
				like := pick(r, v.rules)
				if rule.when = slices.Clone(like.when); r.one(3) {
					rule.operation = like.operation
				}
				for _, w := range r.whens() {
					if !slices.ContainsFunc(rule.when, func(have wordWhen) bool { return have.name == w.name }) {
						rule.when = append(rule.when, w)
					}
				}
				if len(rule.when) > 0 && r.one(2) {
					k := r.IntN(len(rule.when))
					rule.when[k].test = r.resembling(rule.when[k])
				}
			}
			if len(rule.when) > 0 || r.one(8) {
				v.rules = append(v.rules, rule)
			}
		}
		words = append(words, v)
	}
	return words
}

// resembling is a test that lets through less or more than another.
func (r random) resembling(w wordWhen) string {
	if i := slices.IndexFunc(testColumns, func(c lake.Column) bool { return c.Name == w.name }); i >= 0 && isQuantity(testColumns[i].Type) {
		return pick(r, []string{"{gte: 0}", "{gt: 0}", "[0, {gte: 1}, null]", "5", "[5, 500, null]", "{gte: 1, lt: 5000}", "{lte: 500}"})
	}
	if strings.HasPrefix(w.test, "[") {
		return pick(r, []string{w.test[:len(w.test)-1] + ", null]", w.test[:len(w.test)-1] + `, "*a*", {lt: 0}]`, `["*", null]`, `"*"`})
	}
	return pick(r, []string{"[" + w.test + ", small]", "[" + w.test + ", null]", `"*"`, `["s*", "*b", {gte: 0}, ` + w.test + "]"})
}
