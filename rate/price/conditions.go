package price

import (
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
)

// conditions is the SQL of a `when`: true exactly where [when.Test.Match] is, for
// all of at least one entry.
func (c columns) conditions(all []when.Condition) string {
	var list []string
	for _, one := range all {
		list = append(list, c.condition(one))
	}
	return strings.Join(list, " AND ")
}

func (c columns) condition(one when.Condition) string {
	var alternatives, texts []string
	quantity := isQuantity(c.types[one.Name])
	for _, m := range one.Test.Members() {
		switch {
		case m.Kind == when.Null:
			alternatives = append(alternatives, c.sql(one.Name)+" IS NULL")
		case m.Kind == when.Range:
			var bounds []string
			for _, b := range m.Bounds {
				bounds = append(bounds, c.number(one.Name, operators[b.Op], b.Text))
			}
			alternatives = append(alternatives, strings.Join(bounds, " AND "))
		case m.Kind == when.Number || quantity:
			alternatives = append(alternatives, c.number(one.Name, "=", m.Text))
		case m.Kind == when.Wildcard:
			alternatives = append(alternatives, like(c.sql(one.Name), m.Text))
		default:
			texts = append(texts, duck.Literal(m.Text))
		}
	}
	if len(texts) > 0 {
		alternatives = append([]string{anyOf(c.sql(one.Name), texts)}, alternatives...)
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

var operators = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

// number compares a quantity, or the number that a text is, with a constant.
func (c columns) number(name, operator, text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	d := parseDecimal(text)
	if isQuantity(c.types[name]) {
		if sign == "" {
			return c.compare(name, operator, d)
		}
		return fmt.Sprintf("%s %s %s", c.sql(name), operator, c.literal(d, sign, quantityScale(c.types[name])))
	}
	return fmt.Sprintf("%s %s %s", numberOf(name), operator, c.literal(d, sign, when.Scale))
}

// compare compares a quantity with a constant.
func (c columns) compare(name, operator string, d Decimal) string {
	return fmt.Sprintf("%s %s %s", c.sql(name), operator, c.literal(d, "", quantityScale(c.types[name])))
}

// literal writes a constant that is compared with a decimal of that scale: whole
// numbers as they are, others as a decimal of a scale no smaller, so that neither
// side is rounded.
func (columns) literal(d Decimal, sign string, scale int) string {
	if d.scale == 0 && d.at(0).Cmp(pow10(18)) < 0 {
		return marked(sign+d.String(), wholeNumber)
	}
	scale = max(scale, d.scale)
	return marked(sign+d.fixed(scale), scale)
}

// numberOf is the column that holds the number which a text is, or NULL. No
// dimension can have its name: those begin with a letter.
func numberOf(name string) string { return duck.Identifier("_" + name + "_number") }

// numbersIn lists the texts of a version that are compared with numbers.
func (c columns) numbersIn(rules []Rule, to map[string]bool) {
	note := func(all []when.Condition) {
		for _, one := range all {
			for _, m := range one.Test.Members() {
				if (m.Kind == when.Number || m.Kind == when.Range) && c.types[one.Name] == lake.DimensionType {
					to[one.Name] = true
				}
			}
		}
	}
	for _, r := range rules {
		note(r.When)
		for _, a := range r.Add {
			note(a.When)
		}
	}
}

// like matches a column with a pattern in which * is any run of characters.
func like(column, pattern string) string {
	var escaped strings.Builder
	special := strings.ContainsAny(pattern, `%_`)
	for _, b := range []byte(pattern) {
		switch {
		case b == '*':
			b = '%'
		case special && (b == '%' || b == '_' || b == '!'):
			escaped.WriteByte('!')
		}
		escaped.WriteByte(b)
	}
	sql := column + " LIKE " + duck.Literal(escaped.String())
	if special {
		sql += " ESCAPE '!'" // only where needed: DuckDB is slower with it
	}
	return sql
}

// appliesTo matches the operation with patterns, any of which will do.
func appliesTo(patterns []string) string {
	var alternatives, texts []string
	for _, pattern := range patterns {
		if pattern == "*" {
			return "true"
		}
		if strings.Contains(pattern, "*") {
			alternatives = append(alternatives, like("operation", pattern))
		} else {
			texts = append(texts, duck.Literal(pattern))
		}
	}
	if len(texts) > 0 {
		alternatives = append(alternatives, anyOf("operation", texts))
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

// anyOf tests for one of several constants. Long lists are written out, see [among].
func anyOf(column string, constants []string) string {
	if len(constants) > 1 && len(constants) <= 4 {
		return column + " IN (" + strings.Join(constants, ", ") + ")"
	}
	return column + " = " + strings.Join(constants, " OR "+column+" = ")
}
