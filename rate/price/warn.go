package price

import (
	"fmt"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// Warnings lists what the tables may say but surely do not mean: rules and
// additions that no call reaches, operations that no rule is for, versions that
// are never in force, and calls from first, the start of the first billed period,
// on that come before a table. Only what is certain is listed. used tells which
// versions runs have used: they cannot be mended but by a version in their place, so
// such a replacement is meant.
func (b *Book) Warnings(first time.Time, used func(VersionRef) bool) []yamlfile.Problem {
	var p yamlfile.Problems
	begun := map[string]*Version{} // of each table the version that is in force first
	for _, v := range b.versions {
		if v.Until.Equal(v.From) {
			if !used(v.VersionRef) {
				b.warnSuperseded(v, &p)
			}
			continue
		}
		if earliest := begun[v.Table]; earliest == nil || v.From.Before(earliest.From) {
			begun[v.Table] = v
		}
		if v.Until.IsZero() || v.Until.After(first) {
			w := warner{v, b.types, &p, map[[2]string]bool{}}
			w.unpriced(w.rules())
		}
	}
	for _, v := range begun {
		if v.From.After(first) {
			b.warnGap(v, first, &p)
		}
	}
	return p.List()
}

func (b *Book) warnSuperseded(v *Version, p *yamlfile.Problems) {
	for _, by := range slices.Backward(b.versions) {
		if by.Table == v.Table && by.From.Equal(v.From) {
			p.Add(v.fromNode, "remove this file, or give it an effective_from of its own",
				"%s is never in force: %s (%s) has the same effective_from", v.VersionRef, by.VersionRef, by.File)
			return
		}
	}
}

// warnGap warns of operations of a table that nothing prices for some time between
// first and the table's begin.
func (b *Book) warnGap(v *Version, first time.Time, p *yamlfile.Problems) {
	instants := []time.Time{first}
	for _, other := range b.versions {
		for _, at := range []time.Time{other.From, other.Until} {
			if at.After(first) && at.Before(v.From) {
				instants = append(instants, at)
			}
		}
	}
	for _, at := range instants {
		var priced []string
		for _, other := range b.versions {
			if other.inForce(at) {
				priced = append(priced, other.AppliesTo...)
			}
		}
		for _, pattern := range v.AppliesTo {
			if some, sure := someText([]string{pattern}, priced); some && sure {
				p.Add(v.fromNode, "write effective_from: "+period.FormatInstant(first)+", or in a higher version if a run has used this one",
					"table %s begins after the start of first_period (%s): calls of %q before it are held as %s", v.Table, period.FormatInstant(first), pattern, NoRule)
				return
			}
		}
	}
}

// A warner looks at one version.
type warner struct {
	*Version
	types    map[string]string
	problems *yamlfile.Problems
	wider    map[[2]string]bool // see covers
}

// A reach is which calls a rule matches, but for the order of rules.
type reach struct {
	number    int // from 1
	operation string
	values    map[string]values
	node      yamlfile.Node
}

// rules warns of rules that no call reaches, and returns the others.
func (w warner) rules() (reached []reach) {
	for i, r := range w.Rules {
		one := reach{i + 1, r.Operation, map[string]values{}, entry(w.node, "rules").Items()[i]}
		if !w.reachable(r, one) {
			continue
		}
		k := slices.IndexFunc(reached, func(earlier reach) bool { return w.covers(earlier, one) })
		if k < 0 {
			reached = append(reached, one)
			w.additions(r, one)
			continue
		}
		w.problems.Add(one.node, fmt.Sprintf("move it before rule %d, or remove it", reached[k].number),
			"rule %d is never reached: rule %d (line %d) takes every call that it matches", one.number, reached[k].number, reached[k].node.Pos().Line)
	}
	return reached
}

// reachable fills in what the conditions of a rule let through, and warns where no
// call can match them.
func (w warner) reachable(r Rule, one reach) bool {
	if r.Operation != "" && !slices.ContainsFunc(w.AppliesTo, func(pattern string) bool { return overlap(pattern, r.Operation) }) {
		w.problems.Add(entry(one.node, "operation"), "add it to applies_to, or remove the rule",
			"rule %d is never reached: applies_to has no %q", one.number, r.Operation)
		return false
	}
	for _, c := range r.When {
		one.values[c.Name] = valuesOf(c, w.types[c.Name])
		if one.values[c.Name].none() {
			w.problems.Add(c.Node, possible(c.Name, w.types[c.Name]), "rule %d is never reached: no call has such a value of %s", one.number, c.Name)
			return false
		}
	}
	return true
}

// possible says what values a name can have.
func possible(name, columnType string) string {
	switch {
	case !isQuantity(columnType):
		return "every call has its " + name
	case quantityScale(columnType) == 0:
		return "it is NULL or a whole number from 0 on"
	default:
		return fmt.Sprintf("it is NULL or a number from 0 on, of at most %d digits after the point", quantityScale(columnType))
	}
}

// covers reports whether an earlier rule certainly takes every call of a later one.
func (w warner) covers(earlier, later reach) bool {
	for name, through := range earlier.values {
		wanted, ok := later.values[name]
		if !ok {
			wanted = everyValue(name, w.types[name])
		}
		if !wanted.within(through) {
			return false
		}
	}
	if earlier.operation == "" || earlier.operation == later.operation {
		return true
	}
	pair := [2]string{earlier.operation, later.operation}
	wider, known := w.wider[pair]
	if !known {
		wider = !slices.ContainsFunc(w.AppliesTo, func(pattern string) bool {
			both := []string{pattern}
			if later.operation != "" {
				both = append(both, later.operation)
			}
			some, sure := someText(both, []string{earlier.operation})
			return some || !sure
		})
		w.wider[pair] = wider
	}
	return wider
}

// additions warns of charges under `add` that join no call of their rule.
func (w warner) additions(r Rule, one reach) {
	for i, a := range r.Add {
		for _, c := range a.When {
			wanted := valuesOf(c, w.types[c.Name])
			through, ok := one.values[c.Name]
			switch {
			case wanted.none():
				w.problems.Add(c.Node, possible(c.Name, w.types[c.Name]), "addition %d of rule %d never applies: no call has such a value of %s", i+1, one.number, c.Name)
			case ok && wanted.apart(through):
				w.problems.Add(c.Node, "give it a rule of its own", "addition %d of rule %d never applies: the rule takes no call with such a value of %s", i+1, one.number, c.Name)
			}
		}
	}
}

// unpriced warns of operations that the version applies to and has no rule for.
func (w warner) unpriced(reached []reach) {
	for i, pattern := range w.AppliesTo {
		if !slices.ContainsFunc(reached, func(r reach) bool { return r.operation == "" || overlap(pattern, r.operation) }) {
			w.problems.Add(w.patternAt[i], "add a rule for them, or leave it out of applies_to", "no rule matches calls of %q: they are held as %s", pattern, NoRule)
		}
	}
}

// entry is the value of a key of a map.
func entry(n yamlfile.Node, key string) yamlfile.Node {
	for _, pair := range n.Pairs() {
		if pair.Key.Text() == key {
			return pair.Value
		}
	}
	return yamlfile.Node{}
}
