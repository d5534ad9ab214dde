package yamlfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// value reads "v: <src>" and returns the value and a fresh collector.
func value(t *testing.T, src string) (yamlfile.Node, *yamlfile.Problems) {
	t.Helper()
	var p yamlfile.Problems
	doc := yamlfile.Single(yamlfile.Parse("x.yaml", []byte("v: "+src+"\n"), &p), &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return p.Object(doc, "the file").Get("v"), &p
}

func TestScalarReaders(t *testing.T) {
	type reader = func(*yamlfile.Problems, yamlfile.Node) any
	var (
		text     = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.String(n) }
		texts    = func(p *yamlfile.Problems, n yamlfile.Node) any { return strings.Join(p.Strings(n), "|") }
		integer  = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.Int(n) }
		boolean  = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.Bool(n) }
		decimal  = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.Decimal(n, 6, 3) }
		amount   = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.Amount(n, 6, 3) }
		instant  = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.Instant(n) }
		duration = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.Duration(n) }
		oneOf    = func(p *yamlfile.Problems, n yamlfile.Node) any { return p.OneOf(n, "anniversary", "calendar") }
		none     = time.Time{}
		noTime   = period.Duration{}
	)
	for _, c := range []struct {
		read reader
		src  string
		want any
		bad  string // the message and, after " / ", the hint
	}{
		{text, "abc", "abc", ""},
		{text, `"12"`, "12", ""},
		{text, "12", "", `a text is expected here, not a number / write it in quotes: "12"`},
		{text, "true", "", `a text is expected here, not true or false / write it in quotes: "true"`},
		{text, "", "", `a text is expected here, not nothing / an empty text is written ""`},
		{text, "[a]", "", "a text is expected here, not a list"},
		{texts, "[a, b]", "a|b", ""},
		{texts, "a", "", `a list of texts is expected here, not a text / write it as a list of one: ["a"]`},
		{texts, "[a, 1]", "a|", `a text is expected here, not a number / write it in quotes: "1"`},
		{integer, "-12", int64(-12), ""},
		{integer, "9223372036854775807", int64(9223372036854775807), ""},
		{integer, "9223372036854775808", int64(0), "the number 9223372036854775808 is too large"},
		{integer, "1.0", int64(0), "a whole number is expected here, not 1.0"},
		{integer, "1e3", int64(0), "a whole number is expected here, not 1e3"},
		{integer, `"12"`, int64(0), "a whole number is expected here, not a text / write it without quotes"},
		{integer, "1_000", int64(0), "a whole number is expected here, not a text"},
		{boolean, "true", true, ""},
		{boolean, "False", false, ""},
		{boolean, "yes", false, "true or false is expected here, not a text / write true"},
		{boolean, `"false"`, false, "true or false is expected here, not a text / write false"},
		{boolean, "0", false, "true or false is expected here, not a number"},
		{decimal, "0.10", "0.10", ""},
		{decimal, `"-999.000001"`, "-999.000001", ""},
		{decimal, "\"0999.5000000\"", "0999.5000000", ""}, // leading and trailing zeros do not count
		{decimal, "1000", "", "1000 has more than 3 digits before the point"},
		{decimal, "0.0000001", "", "0.0000001 has more than 6 digits after the point"},
		{decimal, "1e2", "", `"1e2" is no decimal number / write digits with at most one point, such as 1200 or 0.25`},
		{decimal, "1,5", "", `"1,5" is no decimal number / write digits with at most one point, such as 1200 or 0.25`},
		{decimal, "99999999999999999999999999999999999999999", "", "99999999999999999999999999999999999999999 has more than 3 digits before the point"},
		{decimal, "true", "", "a decimal number is expected here, not true or false"},
		{amount, "-0.5", "", "-0.5 is negative"},
		{amount, "-0", "0", ""},
		{amount, "7", "7", ""},
		{instant, "2026-10-01T02:00:00.1234567+02:00", time.Date(2026, 10, 1, 0, 0, 0, 123456000, time.UTC), ""},
		{instant, "2026-10-01", none, `"2026-10-01" is no instant (RFC 3339, such as 2026-10-31T22:00:00Z) / write 2026-10-01T00:00:00Z`},
		{instant, `""`, none, "an instant (RFC 3339, such as 2026-10-31T22:00:00Z) is expected here, not an empty text"},
		{duration, "14 days", period.Duration{Days: 14}, ""},
		{duration, "6h", period.Duration{Elapsed: 6 * time.Hour}, ""},
		{duration, "14", noTime, "a duration is expected here, not a number / write its unit: 14 days, 14h"},
		{duration, "2 weeks", noTime, `"2 weeks" is no duration (such as 6h, 30m, 14 days or 12 months)`},
		{oneOf, "calendar", "calendar", ""},
		{oneOf, "calender", "", `"calender" is none of anniversary, calendar / did you mean calendar?`},
		{oneOf, "weekly", "", `"weekly" is none of anniversary, calendar / there are anniversary, calendar`},
		{oneOf, "1", "", "one of anniversary, calendar is expected here, not a number"},
	} {
		n, p := value(t, c.src)
		got := c.read(p, n)
		bad := ""
		if list := p.List(); len(list) > 0 {
			bad = list[0].Message
			if list[0].Hint != "" {
				bad += " / " + list[0].Hint
			}
		}
		if got != c.want || bad != c.bad || p.Len() > 1 {
			t.Errorf("%s: got %v, %d problems: %q; want %v, %q", c.src, got, p.Len(), bad, c.want, c.bad)
		}
		var silent yamlfile.Problems
		c.read(&silent, yamlfile.Node{})
		if silent.Len() != 0 {
			t.Errorf("an absent value is a problem: %v", silent.Err())
		}
	}
}

func TestObject(t *testing.T) {
	src := "lake: ./lake\nfrist_period: 2026-10\nraw:\nissuer: Example\nmisc: 1\n"
	var p yamlfile.Problems
	o := p.Object(yamlfile.Single(yamlfile.Parse("c.yaml", []byte(src), &p), &p), "the configuration")
	if got := p.String(o.Need("lake")); got != "./lake" {
		t.Errorf("lake: %q", got)
	}
	o.Need("first_period")
	o.Need("raw")
	if !o.Get("absent").IsZero() {
		t.Error("an absent key has a value")
	}
	issuer := p.Object(o.Get("issuer"), "issuer")
	issuer.Need("name") // issuer is no map: said once
	issuer.Done()
	p.Object(o.Get("close"), "close").Need("grace") // close is absent: nothing to say
	o.Done()
	want := `c.yaml:1:1: the configuration needs "first_period"
    lake: ./lake
    ^

c.yaml:2:1: the configuration has no key "frist_period"
    frist_period: 2026-10
    ^
    hint: did you mean first_period?

c.yaml:3:1: "raw" has no value
    raw:
    ^

c.yaml:4:9: issuer must be a map, not a text
    issuer: Example
            ^

c.yaml:5:1: the configuration has no key "misc"
    misc: 1
    ^
    hint: there are absent, close, first_period, issuer, lake, raw`
	if got := fmt.Sprint(p.Err()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestProblemsOfAllFilesAreSorted(t *testing.T) {
	var p yamlfile.Problems
	if p.Err() != nil || p.Len() != 0 {
		t.Error("the zero value has problems")
	}
	b := yamlfile.Single(yamlfile.Parse("b.yaml", []byte("x: 1\ny: [1, 2]\n"), &p), &p)
	a := yamlfile.Single(yamlfile.Parse("a.yaml", []byte("x: 1\n"), &p), &p)
	y := b.Pairs()[1].Value.Items()
	p.Add(y[1], "", "second")
	p.Add(y[0], "", "first")
	p.Add(y[0], "", "first") // read twice, told once
	p.AddFile("b.yaml", "", "whole file")
	p.Add(a, "", "control \x1b[2J and \u202e are escaped")
	var all *yamlfile.Error
	if err := fmt.Errorf("check: %w", p.Err()); !errors.As(err, &all) {
		t.Fatalf("%T", err)
	}
	var got []string
	for _, problem := range all.Problems {
		first, _, _ := strings.Cut(problem.String(), "\n")
		got = append(got, first)
	}
	want := []string{`a.yaml:1:1: control \x1b[2J and \u202e are escaped`, "b.yaml: whole file", "b.yaml:2:5: first", "b.yaml:2:8: second"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRefusedValuesAreNotReportedTwice(t *testing.T) {
	var p yamlfile.Problems
	doc := yamlfile.Single(yamlfile.Parse("x.yaml", []byte("when: {domain: *.example.com}\nx: !!str 5\n"), &p), &p)
	o := p.Object(doc, "the rule")
	when := p.Object(o.Get("when"), "when")
	p.Int(when.Get("domain"))
	p.Object(o.Get("x"), "x").Need("y")
	p.Instant(o.Get("x"))
	if p.Len() != 2 {
		t.Error(p.Err())
	}
}
