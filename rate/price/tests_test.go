package price

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

func parseTests(texts ...string) ([]Test, *yamlfile.Problems) {
	var p yamlfile.Problems
	var files []File
	for i, text := range texts {
		files = append(files, File{"tests/" + string(rune('a'+i)) + ".yaml", []byte(text)})
	}
	return ParseTests(files, testColumns, []string{"web", "batch"}, &p), &p
}

// TestATestSaysACallAndItsVerdict: what is written, what a file's defaults and the
// program's stand in for, and what null takes away.
func TestATestSaysACallAndItsVerdict(t *testing.T) {
	tests, p := parseTests(`
defaults: {time: 2026-10-05T14:00:00.1234567+02:00, model: small, status: 200, images: 2}
tests:
  - name: everything
    call: {operation: image.generate, account: acme, project: 7, key: k, source: batch, model: true, status: 1.50, select: "", images: "3.0", pixels: 9223372036854775807, seconds: 999999999999.999999, gigabytes: 0.5}
    credits: "18.000001"
    table: api
    version: 2
    rule: 3
  - call: {operation: x, model: null, images: null, project: null, time: 2026-10-01T00:00:00Z}
    held: no_rule
`, "tests: [{call: {operation: 500, time: 2026-10-01T00:00:00.999999999Z, model: True}, credits: 999999999999.999999}]")
	if err := p.Err(); err != nil || len(tests) != 3 {
		t.Fatalf("%d tests, %v", len(tests), err)
	}
	at := func(s string) time.Time {
		t.Helper()
		instant, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	// source, account, project, key, operation, time; model, status, select, images, pixels, seconds, gigabytes
	for i, want := range [][]any{
		{
			"batch", "acme", "7", "k", "image.generate", at("2026-10-05T12:00:00.123456Z"), "true", "1.50", "",
			int64(3), int64(9223372036854775807), decimal128.FromI64(999999999999999999), decimal128.FromI64(500000),
		},
		{"web", "test", nil, nil, "x", at("2026-10-01T00:00:00Z"), nil, "200", nil, nil, nil, nil, nil},
		{"web", "test", nil, nil, "500", at("2026-10-01T00:00:00.999999Z"), "true", nil, nil, nil, nil, nil, nil},
	} {
		if got := tests[i].Call.Values(); !slices.Equal(got, want) {
			t.Errorf("call %d:\n got %v\nwant %v", i, got, want)
		}
	}
	amount, err := credit.Parse("18.000001")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Verdict{Table: "api", Version: 2, Rule: 3, Credits: amount}); tests[0].Want != want || tests[0].Name != "everything" || tests[0].Node.Pos().String() != "tests/a.yaml:4:5" {
		t.Errorf("%+v", tests[0])
	}
	if want := (Verdict{Held: "no_rule"}); tests[1].Want != want {
		t.Errorf("%+v", tests[1].Want)
	}
	for i, want := range []string{
		"image.generate at 2026-10-05T12:00:00.123456Z, project 7, key k, model true, status 1.50, select , images 3, pixels 9223372036854775807, seconds 999999999999.999999, gigabytes 0.5",
		"x at 2026-10-01T00:00:00Z, status 200",
	} {
		if got := tests[i].Call.String(); got != want {
			t.Errorf("call %d is said as %q, want %q", i, got, want)
		}
	}
}

func TestPassesComparesWhatIsGiven(t *testing.T) {
	got := Verdict{"api", 2, 3, credit.FromInt(18), ""}
	for _, test := range []struct {
		want   Verdict
		passes bool
	}{
		{Verdict{Credits: credit.FromInt(18)}, true},
		{got, true},
		{Verdict{Credits: credit.FromMicro(17_999_999)}, false},
		{Verdict{"other", 0, 0, credit.FromInt(18), ""}, false},
		{Verdict{"", 1, 0, credit.FromInt(18), ""}, false},
		{Verdict{"", 0, 2, credit.FromInt(18), ""}, false},
		{Verdict{Held: "no_rule"}, false},
	} {
		if (Test{Want: test.want}).Passes(got) != test.passes {
			t.Errorf("%s passes for %s: want %t", got, test.want, test.passes)
		}
	}
	if (Test{Want: Verdict{}}).Passes(Verdict{Held: Overflow}) {
		t.Error("a held call passes for one of 0 credits")
	}
}

func TestAVerdictIsSaidInAFewWords(t *testing.T) {
	for _, test := range []struct {
		verdict Verdict
		want    string
	}{
		{Verdict{"api", 2, 3, credit.FromMicro(2_500_000), ""}, "2.5 credits (api version 2, rule 3)"},
		{Verdict{Credits: credit.FromInt(1), Rule: 4}, "1 credit (rule 4)"},
		{Verdict{Credits: credit.FromInt(0), Version: 2}, "0 credits (version 2)"},
		{Verdict{Held: NoRule, Table: "api"}, "held: no_rule (api)"},
		{Verdict{Held: NoRule}, "held: no_rule"},
	} {
		if got := test.verdict.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// TestBadTests: every mistake is told with file, line and column.
func TestBadTests(t *testing.T) {
	call := func(text string) string { // in line 2; text begins in column 48
		return "tests:\n  - {credits: 1, call: {time: 2026-10-01T00:00:00Z, " + text + "}}\n"
	}
	verdict := func(text string) string { // in line 3; text begins in column 6
		return "defaults: {time: 2026-10-01T00:00:00Z}\ntests:\n  - {" + text + ", call: {operation: x}}\n"
	}
	for _, test := range []struct{ name, src, want string }{
		{"nothing", "", "a.yaml:1:1: a file of tests must be a map, not nothing"},
		{"no tests", "defaults: {}\n", `a.yaml:1:1: a file of tests needs "tests"`},
		{"empty list", "tests: []\n", "a.yaml:1:8: tests are a list of at least one test"},
		{"one test", "tests: {call: {}}\n", "a.yaml:1:8: tests are a list of at least one test"},
		{"a second document", call("operation: x") + "---\ntests: []\n", "a.yaml:4:1: a second document where one is expected"},
		{"unknown key", "test: []\n", `a.yaml:1:1: a file of tests has no key "test"`},
		{"defaults", "defaults: [x]\ntests: [{}]\n", "a.yaml:1:11: defaults must be a map, not a list"},
		{"test that is no map", "tests: [x]\n", "a.yaml:1:9: a test must be a map, not a text"},
		{"no call", "tests: [{credits: 1}]\n", `a.yaml:1:9: a test needs "call"`},
		{"call that is no map", "tests: [{call: x, credits: 1}]\n", "a.yaml:1:16: a call must be a map, not a text"},
		{"no operation", call("model: x"), `a.yaml:2:24: a call needs "operation"`},
		{"no time", "tests: [{call: {operation: x}, credits: 1}]\n", `a.yaml:1:16: a call needs "time"`},
		{"unknown key of a test", verdict("credits: 1, helt: x"), `a.yaml:3:18: a test has no key "helt"`},
		{"unknown dimension", call("operation: x, modle: y"), `a.yaml:2:67: a call has no key "modle"`},
		{"object", call("operation: x, object: y"), `a call has no key "object"`},
		{"unknown default", "defaults: {qality: x}\n" + call("operation: x"), `a.yaml:1:12: defaults has no key "qality"`},
		{"twice", call("operation: x, model: a, model: b"), `a.yaml:2:77: the key "model" stands here a second time`},
		{"operation null", call("operation: null"), "a.yaml:2:64: a call always has an operation"},
		{"account null", call("operation: x, account: null"), "a.yaml:2:76: a call always has an account"},
		{"source null", call("operation: x, source: ~"), "a call always has a source"},
		{"empty operation", call(`operation: ""`), "an operation is never empty"},
		{"empty project", call(`operation: x, project: ""`), "a project is never empty"},
		{"long key", call("operation: x, key: " + strings.Repeat("é", 129)), "a key has at most 256 bytes"},
		{"control character", call(`operation: x, account: "a\tb"`), "an account has no control characters"},
		{"unknown source", call("operation: x, source: wep"), `a.yaml:2:75: "wep" is none of web, batch`},
		{"source that is a number", call("operation: x, source: 7"), "one of web, batch is expected here, not a number"},
		{"list", call("operation: x, model: [a, b]"), "a.yaml:2:74: a text is expected here, not a list"},
		{"no instant", strings.Replace(call("operation: x"), "2026-10-01T00:00:00Z", "2026-10-01", 1), `"2026-10-01" is no instant`},
		{"fraction of a whole quantity", call("operation: x, images: 1.5"), "a.yaml:2:75: images is a whole quantity: 1.5 has a fraction"},
		{"too large", call("operation: x, images: 9223372036854775808"), "9223372036854775808 is too large for images: at most 9223372036854775807"},
		{"far too large", call("operation: x, images: 99999999999999999999"), "has more than 19 digits before the point"},
		{"negative", call("operation: x, images: -1"), "-1 is negative"},
		{"exponent", call("operation: x, images: 1e3"), `"1e3" is no decimal number`},
		{"text as quantity", call("operation: x, images: many"), `"many" is no decimal number`},
		{"true as quantity", call("operation: x, images: true"), "a decimal number is expected here, not true or false"},
		{"seven digits", call("operation: x, seconds: 0.1234567"), "0.1234567 has more than 6 digits after the point"},
		{"thirteen digits", call("operation: x, seconds: 1000000000000"), "has more than 12 digits before the point"},
		{"neither", verdict("name: x"), `a.yaml:3:5: a test needs "credits" or "held"`},
		{"both", verdict("credits: 0, held: no_rule"), `a.yaml:3:24: a test has "credits" or "held", not both`},
		{"credits of seven digits", verdict(`credits: "0.0000001"`), "a.yaml:3:15: 0.0000001 has more than 6 digits after the point"},
		{"credits of thirteen digits", verdict("credits: 1000000000000"), "has more than 12 digits before the point"},
		{"negative credits", verdict("credits: -1"), "-1 is negative"},
		{"credits that are nothing", verdict("credits: null"), "a decimal number is expected here, not nothing"},
		{"unknown reason", verdict("held: norule"), `a.yaml:3:12: "norule" is none of no_rule, null_quantity, unlisted_value, beyond_last_step, overflow`},
		{"account not opened", verdict("held: account_not_opened"), "a.yaml:3:12: in a test every account is opened"},
		{"rule of no_rule", verdict("held: no_rule, rule: 1"), "a.yaml:3:27: a call held for no_rule has no rule"},
		{"rule 0", verdict("credits: 1, rule: 0"), "a.yaml:3:24: rules count from 1"},
		{"version 0", verdict("credits: 1, version: 0"), "versions count from 1"},
		{"version that is a text", verdict(`credits: 1, version: "2"`), "a whole number is expected here, not a text"},
		{"empty table", verdict(`credits: 1, table: ""`), "a table needs a name"},
		{"name that is a number", verdict("credits: 1, name: 5"), "a text is expected here, not a number"},
	} {
		_, p := parseTests(test.src)
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// Everything wrong in all files is told at once, in the order of their lines.
func TestAllProblemsOfTestsAreToldAtOnce(t *testing.T) {
	_, p := parseTests(`
defaults: {modle: x}
tests:
  - {call: {time: now}, credits: x}
  - {call: {operation: x, time: 2026-10-01T00:00:00Z, images: -1}, held: never}
`, "tests: 5\n")
	var got []string
	for _, problem := range p.List() {
		got = append(got, problem.Position.String())
	}
	want := []string{
		"tests/a.yaml:2:12", "tests/a.yaml:4:12", "tests/a.yaml:4:19", "tests/a.yaml:4:34", "tests/a.yaml:5:63", "tests/a.yaml:5:74", "tests/b.yaml:1:8",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q\n%v", got, want, p.Err())
	}
}

// FuzzParseTests asserts that no bytes make ParseTests panic, and that what it lets
// through fits the columns of a call.
func FuzzParseTests(f *testing.F) {
	for _, seed := range []string{
		"defaults: {account: acme, time: 2026-10-05T12:00:00Z}\ntests:\n  - {name: x, call: {operation: y, images: 3, seconds: 0.5, model: null}, credits: 18, rule: 2}\n",
		"tests: [{call: {operation: x, time: 0001-01-01T00:00:00Z, source: batch}, held: overflow, version: 1, table: t}]",
		"tests: [{call: {operation: true, time: 9999-12-31T23:59:59.9999999Z, images: 9223372036854775808, key: }, credits: -0}]",
		"tests: [{call: {? x}, credits: {}}]", "defaults: {time: x, time: y}\ntests: [[]]", "tests:\n- call:\n  held:\n",
	} {
		f.Add([]byte(seed))
	}
	columns := CallColumns(testColumns)
	f.Fuzz(func(t *testing.T, src []byte) {
		tests, p := parseTests(string(src))
		if err := p.Err(); err != nil {
			_ = err.Error()
			return
		}
		if len(tests) == 0 {
			t.Error("no test and no problem")
		}
		for _, test := range tests {
			if len(test.Call.Values()) != len(columns) {
				t.Fatalf("%d values", len(test.Call.Values()))
			}
			for i, value := range test.Call.Values() {
				if fault := fits(columns[i], value); fault != "" {
					t.Errorf("%s: %v %s", columns[i].Name, value, fault)
				}
			}
			if w := test.Want; w.Credits.Sign() < 0 || w.Held != "" && !w.Credits.IsZero() || strings.Contains(test.Want.String(), "\n") {
				t.Errorf("%+v", w)
			}
		}
	})
}

// fits says why a column cannot have a value; "" where it can.
func fits(c lake.Column, value any) string {
	switch v := value.(type) {
	case nil:
		if slices.Contains([]string{"operation", "time", "account", "source"}, c.Name) {
			return "is NULL"
		}
	case string:
		if c.Type != lake.DimensionType || slices.Contains(callColumns, c) && (v == "" || len(v) > 256) {
			return "does not belong there"
		}
	case time.Time:
		if c.Name != "time" || v.Nanosecond()%1000 != 0 || v.Location() != time.UTC {
			return "is no instant of a call"
		}
	case int64:
		if c.Type != lake.IntegerQuantityType || v < 0 {
			return "is no whole quantity"
		}
	case decimal128.Num:
		if c.Type != lake.DecimalQuantityType || v.Sign() < 0 || !v.Less(decimal128.FromI64(1_000_000_000_000_000_000)) {
			return "is no decimal quantity"
		}
	default:
		return fmt.Sprintf("is a %T", v)
	}
	return ""
}

func TestPlacesAndNumbersOfVersions(t *testing.T) {
	rules := "rules:\n  - {when: {model: x}, charge: {credits: 0}}\n" +
		"  - charge: {sum: [{each: images, credits: 1}, {each: images, tiers: {mode: volume, by: pixels, steps: [{credits: 1}]}}]}\n" +
		"    add: [{charge: {each: seconds, credits: 1}}]\n"
	book, err := parseText(head+rules, strings.Replace(head, "version: 1", "version: 7", 1)+rules)
	if err != nil {
		t.Fatal(err)
	}
	v := book.Find("api", 7)
	if v == nil || v.Version != 7 || book.Find("api", 2) != nil || book.Find("other", 1) != nil {
		t.Fatalf("%v", v)
	}
	if got := []string{v.Place(1), v.Place(2), v.Place(3), v.Place(0)}; !slices.Equal(got, []string{"prices/b.yaml:6:5", "prices/b.yaml:7:5", "prices/b.yaml", "prices/b.yaml"}) {
		t.Errorf("places %q", got)
	}
	if book.Next("api") != 8 || book.Next("other") != 1 {
		t.Errorf("next %d, %d", book.Next("api"), book.Next("other"))
	}
	if got := v.Rules[1].Quantities(); !slices.Equal(got, []string{"images", "pixels", "seconds"}) {
		t.Errorf("quantities %q", got)
	}
}
