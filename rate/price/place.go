package price

import (
	"slices"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// Find returns the version of a table by its number, or nil.
func (b *Book) Find(table string, version int) *Version {
	i := slices.IndexFunc(b.versions, func(v *Version) bool { return v.Table == table && v.Version == version })
	if i < 0 {
		return nil
	}
	return b.versions[i]
}

// Next is a number for a new version of a table: one more than the highest.
func (b *Book) Next(table string) int {
	next := 1
	for _, v := range b.versions {
		if v.Table == table {
			next = max(next, v.Version+1)
		}
	}
	return next
}

// Earliest returns the version that first prices an operation, or nil.
func (b *Book) Earliest(operation string) (earliest *Version) {
	for _, v := range b.versions {
		if v.applies(operation) && !v.Until.Equal(v.From) && (earliest == nil || v.From.Before(earliest.From)) {
			earliest = v
		}
	}
	return earliest
}

// Place is where the version's file has a rule, counted from 1, as
// "file:line:column"; the file where there is no such rule.
func (v *Version) Place(rule int) string {
	var silent yamlfile.Problems
	if rules := silent.Object(v.node, "a price table").Get("rules").Items(); rule >= 1 && rule <= len(rules) {
		return rules[rule-1].Pos().String()
	}
	return v.File
}

// Quantities are the quantities without which the version's rule has no price, in
// the order in which it names them.
func (r Rule) Quantities() (names []string) {
	charges := []Charge{r.Charge}
	for _, a := range r.Add {
		charges = append(charges, a.Charge)
	}
	for _, c := range charges {
		for _, p := range c.Parts {
			for _, name := range []string{p.Each, p.By} {
				if name != "" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}
