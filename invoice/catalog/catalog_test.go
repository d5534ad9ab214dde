package catalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// read parses one file that has no problems.
func read(t *testing.T, src string) *catalog.Catalog {
	t.Helper()
	var p yamlfile.Problems
	c := catalog.Parse([]catalog.File{{Name: "plans.yaml", Content: []byte(src)}}, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := period.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func currency(t *testing.T, code string) money.Currency {
	t.Helper()
	c, err := money.ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sample is the sample of SPEC section 5.
const sample = `plan: professional
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "99.00", EUR: "89.00"}
allowance: 5000
renews: anniversary            # or calendar
prorate: false
rollover: {cycles: 3, cap: 10000}
overage: {per: 1000, price: {USD: "1.50", EUR: 1.40}, protection: true, limit: 100000}
rate_limit: {calls: 18000, per: hour}
---
pack: starter
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 1000
price: {USD: "10.00"}
expires_after: 12 months
`

func TestTheSampleOfTheSpecificationIsRead(t *testing.T) {
	c := read(t, sample)
	plan, ok := c.Plan("professional", instant(t, "2026-01-01T00:00:00Z"))
	if !ok {
		t.Fatal("no plan")
	}
	usd, eur := currency(t, "USD"), currency(t, "EUR")
	got := fmt.Sprintln(plan.Name, plan.Version, period.FormatInstant(plan.EffectiveFrom), plan.File) +
		fmt.Sprintln(plan.Fee[usd], plan.Fee[eur], plan.Currencies(), plan.Allowance, plan.Calendar, plan.Prorate) +
		fmt.Sprintln(plan.Rollover.Cycles, plan.Rollover.Cap) +
		fmt.Sprintln(plan.Overage.Per, len(plan.Overage.Steps), plan.Overage.Steps[0].UpTo, plan.Overage.Steps[0].Price[usd], plan.Overage.Steps[0].Price[eur],
			plan.Overage.Blocks, plan.Overage.Protection, plan.Overage.Limit) +
		fmt.Sprintln(*plan.RateLimit)
	want := `professional 1 2026-01-01T00:00:00Z plans.yaml
99 89 [EUR USD] 5000 false false
3 10000
1000 1 <nil> 1.5 1.4 false true 100000
{18000 false}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	pack, ok := c.Pack("starter", instant(t, "2030-01-01T00:00:00Z"))
	if !ok || pack.Credits.String() != "1000" || pack.Price[usd].String() != "10" || *pack.ExpiresAfter != (period.Duration{Months: 12}) {
		t.Errorf("%+v", pack)
	}
	if _, ok := c.Pack("professional", plan.EffectiveFrom); ok {
		t.Error("a plan is no pack")
	}
}

func TestDefaultsAndVariants(t *testing.T) {
	c := read(t, `plan: free
version: 1
effective_from: 2026-01-01T00:00:00Z
allowance: "0"
renews: calendar
---
plan: graduated
version: 7
effective_from: 2026-01-01T00:00:00+02:00
fee: {USD: 0}
allowance: 0.000001
renews: calendar
prorate: true
rollover: {cycles: 1}
overage: {per: 1000, steps: [{up_to: 10000, price: {USD: "2.00"}}, {up_to: 20000.5, price: {USD: "1.50"}}, {price: {USD: "0.000000000001"}}], blocks: true, protection: false}
rate_limit: {calls: 2, per: day}
---
plan: simple
version: 1
effective_from: 2026-01-01T00:00:00Z
allowance: 1
renews: anniversary
overage: {price: {JPY: 3}}
---
pack: usd
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 2000000
price: {USD: "1.00"}
`)
	at := instant(t, "2026-06-01T00:00:00Z")
	free, _ := c.Plan("free", at)
	if free.Fee != nil || !free.Allowance.IsZero() || !free.Calendar || free.Rollover != nil || free.Overage != nil || free.RateLimit != nil || len(free.Currencies()) != 0 {
		t.Errorf("%+v", free)
	}
	graduated, _ := c.Plan("graduated", at)
	usd := currency(t, "USD")
	over := graduated.Overage
	if !graduated.Prorate || graduated.Rollover.Cap != nil || graduated.Allowance.String() != "0.000001" || !graduated.RateLimit.Day ||
		!over.Blocks || over.Protection || over.Limit != nil || len(over.Steps) != 3 || over.Steps[0].UpTo.String() != "10000" || over.Steps[1].UpTo.String() != "20000.5" ||
		over.Steps[2].UpTo != nil || over.Steps[2].Price[usd].String() != "0.000000000001" || period.FormatInstant(graduated.EffectiveFrom) != "2025-12-31T22:00:00Z" {
		t.Errorf("%+v %+v", graduated, over)
	}
	simple, _ := c.Plan("simple", at)
	if simple.Overage.Per.String() != "1" || !simple.Overage.Protection || fmt.Sprint(simple.Currencies()) != "[JPY]" {
		t.Errorf("%+v", simple.Overage)
	}
	if pack, _ := c.Pack("usd", at); pack.ExpiresAfter != nil || pack.Credits.String() != "2000000" {
		t.Errorf("%+v", pack)
	}
	if got := strings.Join(c.PlanNames(), " "); got != "free graduated simple" {
		t.Error(got)
	}
}

// TestVersionInForce: the greatest effective_from not after the instant, of two
// with the same instant the higher version.
func TestVersionInForce(t *testing.T) {
	version := func(kind, name string, n int, from string) string {
		rest := "allowance: 1\nrenews: anniversary\n"
		if kind == "pack" {
			rest = "credits: 1\nprice: {USD: 1}\n"
		}
		return fmt.Sprintf("%s: %s\nversion: %d\neffective_from: %s\n%s", kind, name, n, from, rest)
	}
	for _, kind := range []string{"plan", "pack"} {
		c := read(t, strings.Join([]string{
			version(kind, "a", 3, "2026-03-01T00:00:00Z"), // replaces 2 from the same instant
			version(kind, "a", 4, "2026-02-01T00:00:00Z"), // numbered later, counts earlier
			version(kind, "a", 10, "2026-04-01T00:00:00Z"),
			version(kind, "a", 1, "2026-01-01T00:00:00Z"),
			version(kind, "a", 2, "2026-03-01T00:00:00Z"),
			version(kind, "b", 9, "2020-01-01T00:00:00Z"),
		}, "---\n"))
		for at, want := range map[string]int{
			"2025-12-31T23:59:59.999999Z": 0,
			"2026-01-01T00:00:00Z":        1,
			"2026-01-31T23:59:59.999999Z": 1,
			"2026-02-01T00:00:00Z":        4,
			"2026-03-01T00:00:00Z":        3,
			"2026-03-31T23:59:59Z":        3,
			"2026-04-01T00:00:00Z":        10,
			"2100-01-01T00:00:00Z":        10,
		} {
			got := 0
			if kind == "plan" {
				if plan, ok := c.Plan("a", instant(t, at)); ok {
					got = plan.Version
				}
			} else if pack, ok := c.Pack("a", instant(t, at)); ok {
				got = pack.Version
			}
			if got != want {
				t.Errorf("%s at %s: version %d, want %d", kind, at, got, want)
			}
		}
		var order []int
		for _, plan := range c.Plans() {
			order = append(order, plan.Version)
		}
		for _, pack := range c.Packs() {
			order = append(order, pack.Version)
		}
		if fmt.Sprint(order) != "[1 2 3 4 10 9]" {
			t.Errorf("%s: order %v", kind, order)
		}
	}
}

func TestHashIsOfWhatAVersionSays(t *testing.T) {
	hash := func(src string) string { return read(t, src).Plans()[0].SHA256 }
	base := "plan: a\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\nallowance: 5\nrenews: calendar\n"
	// Worked out with sha256sum; lakes keep it, so it never changes.
	const want = "35793870e8b33ec421a04c7a8a70062517c452aff236945f83c75bb5eb3f68a6"
	for name, same := range map[string]string{
		"itself":          base,
		"comments":        "# note\n" + base + "# more\n",
		"order of keys":   "allowance: 5\nrenews: calendar\nplan: a\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\n",
		"layout":          "{plan: 'a', version: 1, effective_from: \"2026-01-01T00:00:00Z\", allowance: 5, renews: calendar}",
		"another version": base + "---\n" + strings.Replace(base, "version: 1", "version: 2", 1),
	} {
		if got := hash(same); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if hash(strings.Replace(base, "allowance: 5", "allowance: 6", 1)) == want {
		t.Error("another allowance has the same hash")
	}
}

func TestTheWorldsAreRead(t *testing.T) {
	names, err := filepath.Glob("../../fixtures/*/plans/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var p yamlfile.Problems
		c := catalog.Parse([]catalog.File{{Name: name, Content: content}}, &p)
		if p.Err() != nil || len(c.Plans())+len(c.Packs()) == 0 {
			t.Errorf("%s: %v", name, p.Err())
		}
	}
}
