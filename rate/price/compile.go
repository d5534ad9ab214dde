package price

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// SelectOptions are what the SELECT depends on beside the price tables.
type SelectOptions struct {
	Dynamic         []lake.Column // the recorded dimensions and quantities, in order
	OpenedBefore    time.Time     // an account counts as opened when it was before this: the end of the period
	UnknownAccounts bool          // accounts need not be opened
}

// Select compiles the book to the one pure SELECT, in the subset of SQL.md, that
// rates calls. It reads usage_posted (the columns of usage, posted_at and late)
// and opened_accounts (account, opened_at), and returns exactly the columns of
// the table rated, one row a call, in no order of its own.
//
// A name that prices depend on but that no recorded column has is NULL. It is an
// error when a recorded column's type is not the declared one.
func (b *Book) Select(o SelectOptions) (string, error) {
	c := columns{b.types, map[string]bool{}}
	recorded := types(o.Dynamic)
	for name, columnType := range b.types {
		switch is, ok := recorded[name]; {
		case !ok:
			c.missing[name] = true
		case is != columnType:
			return "", fmt.Errorf("%s is recorded in the lake as %s, but the sources declare it as %s; a type never changes: give it another name", name, is, columnType)
		}
	}
	s := statement{columns: c, versions: b.inForceFirst()}
	return s.expand(o), nil
}

// inForceFirst lists the versions that are ever in force, the newest first: most
// calls are of today.
func (b *Book) inForceFirst() []*Version {
	versions := slices.DeleteFunc(slices.Clone(b.versions), func(v *Version) bool { return v.Until.Equal(v.From) })
	slices.SortStableFunc(versions, func(x, y *Version) int { return y.From.Compare(x.From) })
	return versions
}

// A statement is the SELECT being written. In it, a version is its place in
// versions, from 1.
type statement struct {
	columns
	versions []*Version
}

func (s statement) expand(o SelectOptions) string {
	var fixed, dynamic []string
	for _, c := range lake.Usage.Columns {
		fixed = append(fixed, c.Name)
	}
	for _, c := range o.Dynamic {
		dynamic = append(dynamic, c.Name)
	}
	opened := ""
	if !o.UnknownAccounts {
		opened = Timestamp(o.OpenedBefore)
	}
	return sql.Expand("portable/rate", map[string]any{
		"Fixed":    strings.Join(fixed, ", "),
		"Dynamic":  dynamic,
		"Numbers":  s.numbers(),
		"Versions": s.inForce(),
		"Tables":   s.name(func(v *Version) string { return duck.Literal(v.Table) }),
		"Numbered": s.name(func(v *Version) string { return strconv.Itoa(v.Version) }),
		"Rules":    s.each(s.rules),
		"Formulas": s.each(s.formulas),
		"Faults":   s.each(s.reasons),
		"Opened":   opened,
	})
}

// A number is a text that is compared with numbers, in SQL.
type number struct{ Text, Number string }

func (s statement) numbers() (list []number) {
	names := map[string]bool{}
	for _, v := range s.versions {
		s.numbersIn(v.Rules, names)
	}
	for name := range names {
		list = append(list, number{s.sql(name), numberOf(name)})
	}
	slices.SortFunc(list, func(a, b number) int { return strings.Compare(a.Number, b.Number) })
	return list
}

func (s statement) inForce() (cases []string) {
	for i, v := range s.versions {
		during := "time >= " + Timestamp(v.From)
		if !v.Until.IsZero() {
			during += " AND time < " + Timestamp(v.Until)
		}
		if operations := operation(v.AppliesTo...); operations != "true" {
			during += " AND " + operations
		}
		cases = append(cases, fmt.Sprintf("WHEN %s THEN %d", during, i+1))
	}
	return cases
}

// name maps versions to something they have, the same ones together.
func (s statement) name(of func(*Version) string) (cases []string) {
	var values []string
	for _, v := range s.versions {
		values = append(values, of(v))
	}
	return together("_version", values)
}

// each writes one branch a version.
func (s statement) each(body func(*Version) []string) (cases []string) {
	for i, v := range s.versions {
		if lines := body(v); len(lines) > 0 {
			cases = append(cases, fmt.Sprintf("WHEN _version = %d THEN CASE -- %s", i+1, comment(v)))
			for _, line := range lines {
				cases = append(cases, "  "+line)
			}
			cases = append(cases, "END")
		}
	}
	return cases
}

// formulas prices each rule; rules with the same price go together.
func (s statement) formulas(v *Version) []string {
	var values []string
	for _, r := range v.Rules {
		price, err := formula(r, s.columns)
		if err != nil {
			panic(fmt.Sprintf("%s: a rule that Parse let through: %v", v.VersionRef, err))
		}
		values = append(values, price.credits())
	}
	return together("_rule", values)
}

// reasons says for each rule why a call has no price.
func (s statement) reasons(v *Version) []string {
	var values []string
	for _, r := range v.Rules {
		values = append(values, faultsOf(r, s.columns).sql())
	}
	return together("_rule", values)
}

// block is how many values stand in one list: a call walks through the blocks and
// then through one of them, not through hundreds of values.
const block = 16

// together maps the numbers from 1 on to their values.
func together(column string, values []string) (cases []string) {
	if len(values) <= 2*block {
		return sameTogether(column, values, 1)
	}
	for start := 0; start < len(values); start += block {
		end := min(start+block, len(values))
		cases = append(cases, fmt.Sprintf("WHEN %s BETWEEN %d AND %d THEN CASE", column, start+1, end))
		for _, line := range sameTogether(column, values[start:end], start+1) {
			cases = append(cases, "  "+line)
		}
		cases = append(cases, "END")
	}
	return cases
}

// sameTogether writes a case for each value, in the order in which they come, for
// all the numbers, from first, that have it.
func sameTogether(column string, values []string, first int) (cases []string) {
	places := map[string][]int{}
	for i, value := range values {
		places[value] = append(places[value], first+i)
	}
	for i, value := range values {
		if places[value][0] == first+i {
			cases = append(cases, "WHEN "+among(column, places[value])+" THEN "+value)
		}
	}
	return cases
}

// among tests for ascending numbers by their runs. Not IN: DuckDB makes a join of
// a long list, and would do that join for every call, whatever rule it matched.
func among(column string, numbers []int) string {
	var runs []string
	for len(numbers) > 0 {
		n := 1
		for n < len(numbers) && numbers[n] == numbers[n-1]+1 {
			n++
		}
		if n == 1 {
			runs = append(runs, fmt.Sprintf("%s = %d", column, numbers[0]))
		} else {
			runs = append(runs, fmt.Sprintf("%s BETWEEN %d AND %d", column, numbers[0], numbers[n-1]))
		}
		numbers = numbers[n:]
	}
	return strings.Join(runs, " OR ")
}

// Timestamp writes an instant as an SQL constant of type TIMESTAMP.
func Timestamp(t time.Time) string {
	return "TIMESTAMP " + duck.Literal(t.UTC().Format("2006-01-02 15:04:05.000000"))
}

// comment names a version in a comment of one line.
func comment(v *Version) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, fmt.Sprintf("%s, %s", v.VersionRef, v.File))
}
