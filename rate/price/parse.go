package price

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A parser reads one file against the declared columns.
type parser struct {
	*yamlfile.Problems
	types map[string]string
}

// parseVersion reads one file, or returns nil when it has no document.
func parseVersion(file File, types map[string]string, problems *yamlfile.Problems) *Version {
	documents := yamlfile.Parse(file.Name, file.Content, problems)
	if len(documents) == 0 {
		return nil
	}
	for _, surplus := range documents[1:] {
		problems.Add(surplus, "put it into a file of its own", "a price file holds one version of one table")
	}
	p := &parser{problems, types}
	o := p.Object(documents[0], "a price table")
	v := &Version{node: o.Node()}
	v.Table = p.id(o.Need("table"))
	v.Version = p.number(o.Need("version"))
	v.fromNode = o.Need("effective_from")
	v.From = p.Instant(v.fromNode)
	v.AppliesTo, v.patternAt = p.patterns(o.Need("applies_to"))
	rules := o.Need("rules")
	if !rules.IsZero() && (rules.Kind() != yamlfile.List || len(rules.Items()) == 0) {
		p.Add(rules, "", "rules are a list of at least one rule")
	}
	for _, n := range rules.Items() {
		v.Rules = append(v.Rules, p.rule(n))
	}
	o.Done()
	if v.Table == "" || v.Version == 0 || v.From.IsZero() {
		return nil // told already; it cannot be compared with others
	}
	return v
}

// id reads the name of a table: an id of SPEC section 1.
func (p *parser) id(n yamlfile.Node) string {
	name := p.String(n)
	switch {
	case n.Kind() == yamlfile.String && name == "":
		p.Add(n, "", "a table needs a name")
	case len(name) > 256:
		p.Add(n, "", "a name has at most 256 bytes")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		p.Add(n, "", "a name has no control characters")
	}
	return name
}

func (p *parser) number(n yamlfile.Node) int {
	i := p.Int(n)
	if n.Kind() == yamlfile.Number && (i < 1 || i > math.MaxInt32) {
		p.Add(n, "", "versions count from 1")
		return 0
	}
	return int(i)
}

func (p *parser) patterns(n yamlfile.Node) ([]string, []yamlfile.Node) {
	patterns := p.Strings(n)
	if n.Kind() == yamlfile.List && len(patterns) == 0 {
		p.Add(n, "", "a table applies to at least one operation")
	}
	for i, pattern := range patterns {
		if item := n.Items()[i]; pattern == "" && item.Kind() == yamlfile.String {
			p.Add(item, `write "*" for any`, "an operation is never empty")
		}
	}
	return patterns, n.Items()
}

func (p *parser) rule(n yamlfile.Node) (r Rule) {
	o := p.Object(n, "a rule")
	if operation := o.Get("operation"); !operation.IsZero() {
		if r.Operation = p.String(operation); r.Operation == "" && operation.Kind() == yamlfile.String {
			p.Add(operation, "leave it out for any operation", "an operation is never empty")
		}
	}
	r.When = p.when(o.Get("when"))
	chargeNode := o.Need("charge")
	r.Charge = p.charge(chargeNode)
	if add := o.Get("add"); !add.IsZero() {
		if add.Kind() != yamlfile.List || len(add.Items()) == 0 {
			p.Add(add, "such as add: [{when: {transparent: \"true\"}, charge: {credits: 1}}]", "add is a list of charges with conditions")
		}
		for _, item := range add.Items() {
			addition := p.Object(item, "an addition")
			r.Add = append(r.Add, Addition{p.when(addition.Get("when")), p.charge(addition.Need("charge"))})
			addition.Done()
		}
	}
	o.Done()
	if p.Len() == 0 {
		if err := exact(r, p.types); err != nil {
			p.Add(chargeNode, "use fewer fractional digits, or smaller numbers", "%v", err)
		}
	}
	return r
}

// when reads conditions and checks what they name.
func (p *parser) when(n yamlfile.Node) []when.Condition {
	conditions := when.Parse(n, p.Problems)
	for _, pair := range n.Pairs() {
		p.column(pair.Key, "")
	}
	for _, c := range conditions {
		if !isQuantity(p.types[c.Name]) {
			continue
		}
		for _, m := range c.Test.Members() {
			if m.Kind == when.Wildcard || m.Kind == when.Equal && !when.IsNumber(m.Text) {
				p.Add(c.Node, "", "%s is a quantity and is never equal to %q", c.Name, m.Text)
			} else if _, fraction, _ := strings.Cut(m.Text, "."); len(fraction) > when.Scale {
				p.Add(c.Node, "", "%s has more than %d digits after the point", m.Text, when.Scale)
			}
		}
	}
	return conditions
}

func isQuantity(columnType string) bool {
	return columnType == lake.IntegerQuantityType || columnType == lake.DecimalQuantityType
}

// column checks the name of a dimension or quantity that a price depends on.
// kind is "quantity", "dimension" or, for either, empty.
func (p *parser) column(n yamlfile.Node, kind string) string {
	name := n.Text()
	if n.Kind() != yamlfile.String && n.Kind() != yamlfile.Number && n.Kind() != yamlfile.Bool {
		if !n.IsZero() {
			p.Add(n, "", "the name of a %s is expected here, not %s", or(kind, "dimension or quantity"), n.Kind())
		}
		return ""
	}
	columnType, known := p.types[name]
	switch {
	case !known:
		p.Add(n, p.suggest(kind), "no source declares a %s %q", or(kind, "dimension or quantity"), name)
	case kind == "quantity" && !isQuantity(columnType):
		p.Add(n, "", "%q is a dimension, not a quantity", name)
	case kind == "dimension" && isQuantity(columnType):
		p.Add(n, "", "%q is a quantity, not a dimension", name)
	}
	return name
}

// suggest lists the names there are.
func (p *parser) suggest(kind string) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(p.types)) {
		if kind == "" || (kind == "quantity") == isQuantity(p.types[name]) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "declare it in a source"
	}
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("there are %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "there are " + strings.Join(names, ", ")
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
