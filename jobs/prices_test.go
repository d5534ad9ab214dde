package jobs_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/jobs"
)

// dearer is a draft beside the tiny world's prices: 3 credits an image and at least
// 5 a call, and no price for image.free.
const dearer = `
table: api
version: 2
effective_from: 2026-12-01T00:00:00Z
applies_to: ["image.*", "video.*"]
rules:
  - operation: image.generate
    charge: {each: images, credits: 3, minimum: 5}
  - operation: video.*
    charge: {credits: 1}
`

// text writes a change of prices: name, calls, changed, before, after.
func text(c jobs.PriceChange) string {
	return fmt.Sprintf("%s %d %d %s %s", c.Name, c.Calls, c.Changed, c.Before, c.After)
}

func texts(changes []jobs.PriceChange) string {
	var list []string
	for _, c := range changes {
		list = append(list, text(c))
	}
	return strings.Join(list, ", ")
}

// ada's calls cost 8 and 6 and would cost 12 and 9; bob's cost 2 and 6 and would cost
// 5 and 9, and his free one would be held.
func TestComparePrices(t *testing.T) {
	s := newSite(t, tiny)
	s.write("draft.yaml", dearer)
	check := func(m *jobs.Mill) {
		t.Helper()
		before, err := m.PriceVersion("api@1")
		if err != nil {
			t.Fatal(err)
		}
		after, err := m.PriceVersion(filepath.Join(s.dir, "draft.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.ComparePrices(t.Context(), before, after, october, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ what, got, want string }{
			{"all calls", text(e.Total), " 5 4 22 35"},
			{"operations", texts(e.Operations), "image.generate 4 4 22 35"},
			{"who pays more", texts(e.More), "ada 2 2 14 21"}, // 7 more, as bob; by name
			{"who pays less", texts(e.Less), ""},
			{"held", fmt.Sprint(e.Held), "[{no_rule 0 1}]"},
			{"counts", fmt.Sprint(e.Accounts, e.Touched, e.AllOperations, e.AllMore, e.AllLess), "2 2 2 2 0"},
		} {
			if c.got != c.want {
				t.Errorf("%s: got %s, want %s", c.what, c.got, c.want)
			}
		}
		// The other way round, and with itself.
		if e, err = m.ComparePrices(t.Context(), after, before, october, 10); err != nil {
			t.Fatal(err)
		}
		if got := texts(e.Less) + "; " + texts(e.More); got != "ada 2 2 21 14, bob 3 2 14 8; " {
			t.Errorf("the other way round: %s", got)
		}
		if e, err = m.ComparePrices(t.Context(), after, after, october, 10); err != nil {
			t.Fatal(err)
		}
		if got := text(e.Total) + fmt.Sprint(e.Held, e.Touched); got != " 5 0 35 35[{no_rule 1 1}] 0" {
			t.Errorf("with itself: %s", got)
		}
		if e, err = m.ComparePrices(t.Context(), before, after, october.Next(), 10); err != nil || e.Total.Calls != 0 || e.AllOperations != 0 {
			t.Errorf("a month without calls: %+v, %v", e, err)
		}
	}
	s.run(month[:2])
	before := s.rows()
	check(s.at("2026-10-26T00:00:00Z"))
	s.run(month[2:])
	check(s.at("2026-12-26T00:00:00Z")) // also of a closed month
	if after := s.rows(); strings.Join(before["usage"], "\n") != strings.Join(after["usage"], "\n") {
		t.Error("calls were changed")
	}
	if n := len(s.runs()); n != 5 {
		t.Errorf("%d runs, want those of the month alone: 5", n)
	}
}

// Of a call that is held before for its account, prices are compared all the same.
func TestComparePricesOfAccountsNotOpened(t *testing.T) {
	s := newSite(t, tiny)
	s.write("draft.yaml", dearer)
	s.write("raw/calls/3.jsonl", `{"id":"c9","ts":"2026-10-22T10:00:00Z","org":"eve","op":"image.generate","n":10}`+"\n")
	s.run(month[:2])
	m := s.at("2026-10-26T00:00:00Z")
	before, err := m.PriceVersion("api@1")
	if err != nil {
		t.Fatal(err)
	}
	after, err := m.PriceVersion(filepath.Join(s.dir, "draft.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.ComparePrices(t.Context(), before, after, october, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(e.More); got != "eve 1 1 20 30, ada 2 2 14 21, bob 3 2 8 14" {
		t.Errorf("got %s", got)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"3", "4", "33.33"},
		{"3", "2", "-33.33"},
		{"3", "0", "-100.00"},
		{"8", "8.0004", "0.01"}, // 0.005
		{"8", "7.9996", "-0.01"},
		{"1000000", "999999.99", "0.00"},
		{"0.000001", "1", "99999900.00"}, // 999,999 times more
		{"0", "1", ""},
		{"0", "0", ""},
		{"5", "5", "0.00"},
	} {
		before, err := credit.Parse(c.before)
		if err != nil {
			t.Fatal(err)
		}
		after, err := credit.Parse(c.after)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := jobs.PriceChange{Before: before, After: after}.Percent()
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s to %s: got %q, want %q", c.before, c.after, got, c.want)
		}
	}
}

func TestPriceVersion(t *testing.T) {
	s := newSite(t, tiny)
	s.write("broken.yaml", strings.Replace(dearer, "images", "imges", 1))
	s.write("empty.yaml", "\n")
	m := s.at("2026-10-26T00:00:00Z")
	for ref, want := range map[string]string{
		"api@2":                             "api@2 is neither TABLE@VERSION nor a price file; the versions are api@1",
		"nope@1":                            "the versions are api@1",
		"api":                               "the versions are api@1",
		"api@one":                           "the versions are api@1",
		s.dir:                               "read a price file",
		filepath.Join(s.dir, "broken.yaml"): `broken.yaml:7:20: no source declares a quantity "imges"`,
		filepath.Join(s.dir, "empty.yaml"):  "empty.yaml",
	} {
		_, err := m.PriceVersion(ref)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", ref, err, want)
		}
		if _, ok := err.(jobs.ConfigError); err != nil && !ok { //nolint:errorlint // the outermost type decides the exit code
			t.Errorf("%s: a %T", ref, err)
		}
	}
}

// A version that a run has used is replaced by one with the same effective_from: that
// is how prices are mended, and nothing to warn of. A draft replaced so is.
func TestPriceWarningsKnowWhatWasUsed(t *testing.T) {
	s := newSite(t, tiny)
	again := strings.Replace(tiny["prices/api.yaml"], "version: 1", "version: 2", 1)
	s.write("prices/api-2.yaml", again)
	if got := s.at("2026-10-26T00:00:00Z").PriceWarnings(); len(got) != 1 || !strings.HasSuffix(got[0].File, "prices/api.yaml") {
		t.Errorf("before any run: %v", got)
	}
	s = newSite(t, tiny)
	s.run(month[:2])
	s.write("prices/api-2.yaml", again)
	m := s.at("2026-10-26T00:00:00Z")
	if got := m.PriceWarnings(); len(got) != 0 {
		t.Errorf("of a version that was used: %v", got)
	}
	if v := m.Prices.Versions(); m.PricesUsedBy(v[0].VersionRef) != 2 || m.PricesUsedBy(v[1].VersionRef) != 0 {
		t.Errorf("used by %d and %d", m.PricesUsedBy(v[0].VersionRef), m.PricesUsedBy(v[1].VersionRef))
	}
}

func TestRatingSelect(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month)
	statement, err := s.at("2026-12-26T00:00:00Z").RatingSelect()
	if err != nil {
		t.Fatal(err)
	}
	// November is open, and images is the only column that calls have brought.
	for _, want := range []string{"TIMESTAMP '2026-12-01 00:00:00.000000'", `"images"`, "'image.generate'"} {
		if !strings.Contains(statement, want) {
			t.Errorf("no %s in\n%s", want, statement)
		}
	}
}
