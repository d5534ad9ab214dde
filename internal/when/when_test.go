package when

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

func parse(t *testing.T, src string) ([]Condition, error) {
	t.Helper()
	var p yamlfile.Problems
	docs := yamlfile.Parse("w.yaml", []byte(src), &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	conditions := Parse(docs[0], &p)
	return conditions, p.Err()
}

func TestMatch(t *testing.T) {
	text := func(s string) Value { return Value{Text: s} }
	quantity := func(s string) Value { return Value{Text: s, Number: true} }
	null := Value{Null: true}
	tests := []struct {
		test    string
		matches []Value
		fails   []Value
	}{
		{`high`, []Value{text("high")}, []Value{text("High"), text("high "), text(""), null}},
		{`"500"`, []Value{text("500"), quantity("500"), quantity("500.0")}, []Value{text("500.0"), quantity("501"), null}},
		{`"x"`, []Value{text("x")}, []Value{quantity("0")}},
		{
			`500`,
			[]Value{text("500"), text("500.0"), text("500.000"), quantity("500")},
			[]Value{text("+500"), text(" 500"), text("0500"), text("5e2"), text("500."), text("٥٠٠"), text("501"), text(""), null},
		},
		{`0.5`, []Value{text("0.5"), text("0.50"), quantity("0.500000")}, []Value{text(".5"), text("0,5"), text("0.51")}},
		{`-1`, []Value{text("-1"), text("-1.0")}, []Value{text("1"), text("--1"), text("- 1")}},
		{`0`, []Value{text("0"), text("-0"), text("0.0")}, []Value{text("00"), text("-"), text("."), text("-.")}},
		{`"/v1/*"`, []Value{text("/v1/"), text("/v1/chat"), text("/v1/a\nb")}, []Value{text("/v1"), text("x/v1/"), null}},
		{`"a*b*c"`, []Value{text("abc"), text("a-b-c"), text("abcbc")}, []Value{text("ac"), text("abcd"), text("acb")}},
		{`"*"`, []Value{text(""), text("x")}, []Value{null}},
		{`"10%_*"`, []Value{text("10%_x")}, []Value{text("10xyx")}},
		{`null`, []Value{null}, []Value{text("null"), text(""), text("0")}},
		{`[a, null, "b*", 7]`, []Value{text("a"), null, text("bc"), text("7.0")}, []Value{text("c"), text("8")}},
		{`{gte: 500}`, []Value{text("500"), text("500.1"), quantity("1000")}, []Value{text("499.9"), text("abc"), text("5e3"), null}},
		{`{gt: 1, lt: 2}`, []Value{text("1.000000000000000001"), text("1.5")}, []Value{text("1"), text("2")}},
		{`{lte: "0.25"}`, []Value{text("0.25"), text("-3")}, []Value{text("0.250000000000000001")}},
		// Numbers are compared at 18 fractional digits, halves away from zero.
		{`0.333333333333333333`, []Value{text("0.3333333333333333333")}, []Value{text("0.3333333333333333335")}},
		{
			`{gt: 99999999999999999999}`,
			[]Value{text("99999999999999999999.1")},
			[]Value{text("100000000000000000000"), text("99999999999999999999.9999999999999999999")},
		},
	}
	for _, tc := range tests {
		conditions, err := parse(t, "n: "+tc.test)
		if err != nil {
			t.Fatalf("%s: %v", tc.test, err)
		}
		for _, v := range tc.matches {
			if !conditions[0].Test.Match(v) {
				t.Errorf("%s does not match %+v", tc.test, v)
			}
		}
		for _, v := range tc.fails {
			if conditions[0].Test.Match(v) {
				t.Errorf("%s matches %+v", tc.test, v)
			}
		}
	}
}

func TestParseKeepsTheOrderOfTheFile(t *testing.T) {
	conditions, err := parse(t, "{zeta: a, alpha: b, mid: 1}")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range conditions {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "zeta alpha mid" {
		t.Errorf("names are %s", got)
	}
}

func TestParseFailures(t *testing.T) {
	tests := []struct{ src, want string }{
		{"[a]", "w.yaml:1:1: conditions are a map"},
		{"{a: []}", "w.yaml:1:5: an empty list matches nothing"},
		{"{a: [[b]]}", "w.yaml:1:6: a list within a list"},
		{"{a: true}", "w.yaml:1:5: true is neither a text nor a number"},
		{"{a: {}}", "w.yaml:1:5: an empty range"},
		{"{a: {above: 5}}", `w.yaml:1:6: unknown bound "above"`},
		{"{a: {gt: x}}", `w.yaml:1:10: "x" is no plain decimal`},
		{"{a: {gt: [1]}}", "w.yaml:1:10: a bound is a number"},
		{"{a: {gt: 5, lt: 5}}", "no number is within this range"},
		{"{a: {gte: 6, lte: 5}}", "no number is within this range"},
		{"{a: 1e3}", `w.yaml:1:5: "1e3" is no plain decimal`},
		{"{a: 0.1234567890123456789}", "is no plain decimal number"},
		{"{a: 123456789012345678901}", "is no plain decimal number"},
	}
	for _, tc := range tests {
		if _, err := parse(t, tc.src); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.src, err, tc.want)
		}
	}
	if _, err := parse(t, "{a: {gte: 5, lte: 5}}"); err != nil {
		t.Errorf("a range of one number is refused: %v", err)
	}
}

// FuzzNumber holds number to a slow reading of the package comment.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1", "-0.5", "1e3", "٣", "0.1234567890123456789", "99999999999999999999", "0.9999999999999999995", "05", "5.", "-"} {
		f.Add(s)
	}
	grammar := regexp.MustCompile(`^-?(0|[1-9][0-9]*)([.][0-9]+)?$`)
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := number(s)
		exact, isRat := new(big.Rat).SetString(s)
		if !grammar.MatchString(s) || !isRat {
			if ok {
				t.Fatalf("%q counts as a number", s)
			}
			return
		}
		want, err := fixed.FromBig(fixed.Quotient(new(big.Int).Mul(exact.Num(), big.NewInt(1e18)), exact.Denom()))
		if ok != (err == nil) || ok && n != want {
			t.Fatalf("%q is %v, %v; want %v, %v", s, n, ok, want, err)
		}
	})
}
