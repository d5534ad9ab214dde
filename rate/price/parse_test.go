package price

import (
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

const head = "table: api\nversion: 1\neffective_from: 2026-10-01T00:00:00Z\napplies_to: [\"image.*\"]\n"

func parseText(texts ...string) (*Book, error) {
	var p yamlfile.Problems
	var files []File
	for i, text := range texts {
		files = append(files, File{"prices/" + string(rune('a'+i)) + ".yaml", []byte(text)})
	}
	book := Parse(files, testColumns, &p)
	return book, p.Err()
}

// TestBadTables: every mistake is told with file, line and column.
func TestBadTables(t *testing.T) {
	rule := func(text string) string { return head + "rules:\n  - {" + text + "}\n" } // the rule is line 6, its text from column 6
	tests := []struct{ name, src, want string }{
		{"no charge", rule("operation: image.x"), `a.yaml:6:5: a rule needs "charge"`},
		{"unknown key", rule("charge: {credits: 1}, whne: {}"), `a.yaml:6:28: a rule has no key "whne"`},
		{"unknown key of a charge", rule("charge: {credit: 1}"), `a.yaml:6:15: a charge has no key "credit"`},
		{"negative credits", rule("charge: {credits: -1}"), "a.yaml:6:24: -1 is negative"},
		{"13 digits after the point", rule(`charge: {credits: "0.1234567890123"}`), "has more than 12 digits after the point"},
		{"13 digits before the point", rule("charge: {credits: 1000000000000}"), "has more than 12 digits before the point"},
		{"exponent", rule("charge: {credits: 1e3}"), "is no decimal number"},
		{"inexact price", rule("charge: {each: images, per: 3, credits: 1}"), "a.yaml:6:46: 1/3 is no decimal of at most 12 digits"},
		{"price too fine", rule(`charge: {each: images, per: 1000000000, credits: "0.0001"}`), "is no decimal of at most 12 digits"},
		{"price too large", rule(`charge: {each: images, per: "0.5", credits: 999999999999}`), "is no decimal of at most 12 digits"},
		{"per zero", rule("charge: {each: images, per: 0, credits: 1}"), "a.yaml:6:34: per must be more than zero"},
		{"per without each", rule("charge: {per: 2, credits: 1}"), `"per" needs "each"`},
		{"blocks without per", rule("charge: {each: images, blocks: true, credits: 1}"), `"blocks" needs "per"`},
		{"fractional blocks of a whole quantity", rule(`charge: {each: images, per: "0.5", blocks: true, credits: 1}`), "blocks of 0.5: images has no such amounts"},
		{"blocks finer than a decimal quantity", rule(`charge: {each: seconds, per: "0.0000001", blocks: true, credits: 1}`), "blocks of 0.0000001: seconds has no such amounts"},
		{"no credits", rule("charge: {each: images}"), "a charge needs credits, tiers or sum"},
		{"credits and sum", rule("charge: {credits: 1, sum: [{credits: 2}]}"), `a charge with sum has no "credits" of its own`},
		{"empty sum", rule("charge: {sum: []}"), "sum is a list of at least one charge"},
		{"modifier in a sum", rule("charge: {sum: [{credits: 2, minimum: 3}]}"), `a member of sum takes no "minimum"`},
		{"sum in a sum", rule("charge: {sum: [{sum: [{credits: 2}]}]}"), `a member of sum takes no "sum"`},
		{"unknown quantity", rule("charge: {each: imgaes, credits: 1}"), `a.yaml:6:21: no source declares a quantity "imgaes"`},
		{"dimension as quantity", rule("charge: {each: model, credits: 1}"), `"model" is a dimension, not a quantity`},
		{"unknown name in when", rule("when: {modle: x}, charge: {credits: 1}"), `a.yaml:6:13: no source declares a dimension or quantity "modle"`},
		{"operation in when", rule("when: {operation: x}, charge: {credits: 1}"), `no source declares a dimension or quantity "operation"`},
		{"text for a quantity", rule("when: {images: many}, charge: {credits: 1}"), `images is a quantity and is never equal to "many"`},
		{"wildcard for a quantity", rule(`when: {images: "5*"}, charge: {credits: 1}`), `images is a quantity and is never equal to "5*"`},
		{"too many digits for a quantity", rule(`when: {images: "0.9999999999999999999"}, charge: {credits: 1}`), `0.9999999999999999999 has more than 18 digits after the point`},
		{"steps not upwards", rule("charge: {each: images, tiers: {mode: volume, steps: [{up_to: 5, credits: 1}, {up_to: 5, credits: 2}]}}"), "steps go upwards: 5 is not more than 5"},
		{"open step in the middle", rule("charge: {each: images, tiers: {mode: volume, steps: [{credits: 1}, {up_to: 5, credits: 2}]}}"), `a step needs "up_to"`},
		{"no mode", rule("charge: {each: images, tiers: {steps: [{credits: 1}]}}"), `tiers needs "mode"`},
		{"another mode", rule("charge: {each: images, tiers: {mode: stairs, steps: [{credits: 1}]}}"), `"stairs" is none of volume, graduated`},
		{"graduated by another", rule("charge: {each: images, tiers: {by: pixels, mode: graduated, steps: [{credits: 1}]}}"), "by must be images"},
		{"tiers and credits", rule("charge: {each: images, credits: 1, tiers: {mode: volume, steps: [{credits: 1}]}}"), "a charge with tiers has no credits of its own"},
		{"multiply by a quantity", rule("charge: {credits: 1, multiply: {by: images, values: {a: 1}}}"), `"images" is a quantity, not a dimension`},
		{"factor too fine", rule(`charge: {credits: 1, multiply: {by: model, values: {a: "0.0000001"}}}`), "has more than 6 digits after the point"},
		{"maximum under minimum", rule("charge: {credits: 1, minimum: 3, maximum: 2}"), "the maximum is under the minimum"},
		{"rounding to thirds", rule("charge: {credits: 1, round_up_to: 3}"), "a.yaml:6:40: 1/3 is no decimal of at most 12 digits"},
		{"rounding to zero", rule("charge: {credits: 1, round_up_to: 0}"), "nothing rounds up to multiples of zero"},
		{"more than 38 digits", rule(`charge: {credits: 1, multiply: {by: model, values: {a: "0.000001", b: 5}}}, add: [{charge: {each: seconds, credits: "1.000000000001", multiply: {by: model, values: {b: "1.000001"}}}}]`), "cannot be worked out exactly in 38 digits"},
		{"empty add", rule("charge: {credits: 1}, add: []"), "add is a list of charges with conditions"},
		{"no rules", head + "rules: []\n", "a.yaml:5:8: rules are a list of at least one rule"},
		{"version zero", strings.Replace(rule("charge: {credits: 1}"), "version: 1", "version: 0", 1), "a.yaml:2:10: versions count from 1"},
		{"no instant", strings.Replace(rule("charge: {credits: 1}"), "T00:00:00Z", "", 1), "a.yaml:3:17: "},
		{"two documents", rule("charge: {credits: 1}") + "---\ntable: b\n", "a price file holds one version of one table"},
		{"control character in the name", strings.Replace(rule("charge: {credits: 1}"), "table: api", `table: "a\nb"`, 1), "a.yaml:1:8: a name has no control characters"},
	}
	for _, tc := range tests {
		if _, err := parseText(tc.src); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestAllProblemsOfAllFilesAtOnce(t *testing.T) {
	_, err := parseText(head+"rules: [{charge: {credits: -1}}, {charge: {}}]\n", head+"rules: 5\n")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"a.yaml:5:28", "a.yaml:5:43", "b.yaml:5:8"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no problem at %s in\n%v", want, err)
		}
	}
}

func table(name, version, from, appliesTo string) string {
	return "table: " + name + "\nversion: " + version + "\neffective_from: " + from + "\napplies_to: [" + appliesTo + "]\nrules: [{charge: {credits: " + version + "}}]\n"
}

func TestVersionsOfOneNumberAreRefused(t *testing.T) {
	_, err := parseText(table("api", "1", "2026-10-01T00:00:00Z", `"a.*"`), table("api", "1", "2026-11-01T00:00:00Z", `"a.*"`))
	if err == nil || !strings.Contains(err.Error(), "api version 1 is in prices/a.yaml already") {
		t.Error(err)
	}
}

func TestTablesInForceAtOnceMayNotOverlap(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{
			"same operation",
			[]string{table("a", "1", "2026-10-01T00:00:00Z", `"x.y"`), table("b", "1", "2026-11-01T00:00:00Z", `"x.*"`)},
			`b.yaml:4:14: "x.*" overlaps "x.y" of a version 1 (prices/a.yaml) from 2026-11-01T00:00:00Z on`,
		},
		{"wildcards that cross", []string{table("a", "1", "2026-10-01T00:00:00Z", `"x*b"`), table("b", "1", "2026-10-01T00:00:00Z", `"c", "xa*"`)}, `b.yaml:4:19: "xa*" overlaps`},
		{"apart by name", []string{table("a", "1", "2026-10-01T00:00:00Z", `"x*b"`), table("b", "1", "2026-10-01T00:00:00Z", `"x*c"`)}, ""},
		{"apart in time", []string{
			table("a", "1", "2026-10-01T00:00:00Z", `"x"`), table("a", "2", "2026-11-01T00:00:00Z", `"y"`), table("b", "1", "2026-11-01T00:00:00Z", `"x"`),
		}, ""},
		{"overlapping for a while", []string{
			table("a", "1", "2026-10-01T00:00:00Z", `"x"`), table("a", "2", "2026-11-01T00:00:00Z", `"y"`), table("b", "1", "2026-10-31T23:59:59Z", `"x"`),
		}, `"x" overlaps "x"`},
		{"never in force", []string{
			table("a", "1", "2026-10-01T00:00:00Z", `"x"`), table("a", "2", "2026-10-01T00:00:00Z", `"y"`), table("b", "1", "2026-10-01T00:00:00Z", `"x"`),
		}, ""},
	}
	for _, tc := range tests {
		_, err := parseText(tc.files...)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestVersionInForce(t *testing.T) {
	book, err := parseText(
		table("api", "1", "2026-10-01T00:00:00Z", `"image.*"`), table("api", "3", "2026-11-01T00:00:00Z", `"image.*"`),
		table("api", "2", "2026-11-01T00:00:00Z", `"image.*"`), table("api", "4", "2026-10-15T12:00:00Z", `"image.*"`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		operation, at string
		want          int
	}{
		{"image.x", "2026-09-30T23:59:59.999999Z", 0},
		{"image.x", "2026-10-01T00:00:00Z", 1},
		{"image.x", "2026-10-15T11:59:59.999999Z", 1},
		{"image.x", "2026-10-15T12:00:00Z", 4}, // a later number that counts from earlier
		{"image.x", "2026-10-31T23:59:59.999999Z", 4},
		{"image.x", "2026-11-01T00:00:00Z", 3}, // of two with one instant the higher number
		{"chat.x", "2026-11-01T00:00:00Z", 0},
	}
	for _, tc := range tests {
		at, _ := time.Parse(time.RFC3339Nano, tc.at)
		got := 0
		if v := book.InForce(tc.operation, at); v != nil {
			got = v.Version
		}
		if got != tc.want {
			t.Errorf("%s at %s: version %d, want %d", tc.operation, tc.at, got, tc.want)
		}
	}
}

func TestFingerprintChangesWithWhatIsInForce(t *testing.T) {
	october, _ := time.Parse(time.RFC3339, "2026-10-02T00:00:00Z")
	end, _ := time.Parse(time.RFC3339, "2026-10-31T00:00:00Z")
	fingerprint := func(texts ...string) string {
		book, err := parseText(texts...)
		if err != nil {
			t.Fatal(err)
		}
		return book.Fingerprint(october, end)
	}
	one := table("api", "1", "2026-10-01T00:00:00Z", `"x"`)
	base := fingerprint(one)
	if fingerprint(one, table("api", "2", "2026-11-01T00:00:00Z", `"x"`)) != base {
		t.Error("a version that begins later changes it")
	}
	if fingerprint(one, table("api", "2", "2026-10-30T00:00:00Z", `"x"`)) == base {
		t.Error("a version that begins within does not change it")
	}
	if fingerprint(one+"# a comment\n") != base {
		t.Error("a comment changes it")
	}
	if fingerprint(strings.Replace(one, `"x"`, `"x", "y"`, 1)) == base {
		t.Error("other content does not change it")
	}
}

// TestBlockInverse: for any block size the count is off by less than a half.
func TestBlockInverse(t *testing.T) {
	for _, text := range []string{"2", "3", "7", "11", "30", "60", "999", "1000003", "999999999999", "999999999999999989", "1000000000000000000", "4611686018427387905"} {
		block := parseDecimal(text)
		d, scale := inverse(block.units)
		// |1/block - d| * (2^63 + block) < 1/2
		wrong := d.Rat()
		wrong.Sub(wrong, quo(whole(1), block))
		wrong.Abs(wrong)
		greatest := whole(1 << 62).add(whole(1 << 62)).add(block)
		if wrong.Mul(wrong, greatest.Rat()).Cmp(rat("0.5")) >= 0 {
			t.Errorf("1/%s at %d digits is too coarse", text, scale)
		}
	}
}
