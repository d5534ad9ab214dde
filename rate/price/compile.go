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
	Beside          []string      // further columns of usage_posted, passed on as the last ones
}

// Select compiles the book to the one pure SELECT, in the subset of SQL.md, that
// rates calls. It reads usage_posted (the columns of usage, posted_at and late)
// and opened_accounts (account, opened_at), and returns exactly the columns of
// the table rated and then those of Beside, one row a call, in no order of its own.
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
	versions := b.inForceFirst()
	s := statement{columns: c, versions: versions, operations: exactOperations(versions)}
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
// versions, from 1, and an exact operation its place in operations.
type statement struct {
	columns
	versions   []*Version
	operations []string
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
	searches, pricings := make([]search, len(s.versions)), make([]pricing, len(s.versions))
	for i, v := range s.versions {
		searches[i], pricings[i] = s.search(v), s.pricing(v)
	}
	return inline(sql.Expand("portable/rate", map[string]any{
		"Fixed":      strings.Join(fixed, ", "),
		"Dynamic":    dynamic,
		"Numbers":    s.numbers(),
		"Operations": s.operationList(),
		"Versions":   s.inForce(),
		"Tables":     s.name(func(v *Version) string { return duck.Literal(v.Table) }),
		"Numbered":   s.name(func(v *Version) string { return strconv.Itoa(v.Version) }),
		"Places":     s.each(func(i int) []string { return line(searches[i].place) }),
		"Tried":      s.each(func(i int) []string { return branches(searches[i].tried) }),
		"Found":      s.each(func(i int) []string { return branches(searches[i].found) }),
		"Orders":     s.each(func(i int) []string { return line(pricings[i].order) }),
		"Formulas":   s.each(func(i int) []string { return branches(pricings[i].formulas) }),
		"Faults":     s.each(func(i int) []string { return branches(pricings[i].faults) }),
		"Opened":     opened,
		"Beside":     o.Beside,
	}))
}

// operationList are the operations that rules name exactly, as an array.
func (s statement) operationList() string {
	var texts []string
	for _, operation := range s.operations {
		texts = append(texts, duck.Literal(operation))
	}
	if len(texts) == 0 {
		return ""
	}
	return list(texts)
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
		if operations := appliesTo(v.AppliesTo); operations != "true" {
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

// each writes one branch for each version, by its place, that has an expression.
func (s statement) each(expression func(version int) []string) (cases []string) {
	for i, v := range s.versions {
		if lines := expression(i); len(lines) > 0 {
			cases = append(cases, fmt.Sprintf("WHEN _version = %d THEN -- %s", i+1, comment(v)))
			cases = append(cases, indented(lines)...)
		}
	}
	return cases
}

// branches is the CASE of branches, if there are any.
func branches(cases []string) []string {
	if len(cases) == 0 {
		return nil
	}
	return append(append([]string{"CASE"}, indented(cases)...), "END")
}

// line is an expression of one line, if there is one.
func line(expression string) []string {
	if expression == "" {
		return nil
	}
	return []string{expression}
}

// together maps the numbers from 1 on to their values: a case for each value, in
// the order in which they come, for all the numbers that have it.
func together(column string, values []string) (cases []string) {
	places := map[string][]int{}
	for i, value := range values {
		places[value] = append(places[value], i+1)
	}
	for i, value := range values {
		if places[value][0] == i+1 {
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
