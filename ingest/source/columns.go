package source

import (
	"errors"
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// column checks a dimension's or quantity's name against everything it shares a
// table with.
func (r *reader) column(key yamlfile.Node, typ string) {
	name := key.Text()
	switch {
	case !columnName.MatchString(name):
		r.p.Add(key, "", "%q is no name of a column: a small letter, then small letters, digits and _, at most 63", name)
		return
	case taken(name):
		r.p.Add(key, "choose another name, such as call_"+name, "%q is a column of creditmill's own", name)
		return
	}
	before, known := r.columns[name]
	if known && before != typ {
		r.p.Add(key, "a name has one type over all sources", "%s is a %s here and a %s elsewhere", name, describe(typ), describe(before))
		return
	}
	r.columns[name] = typ
}

func describe(typ string) string {
	switch typ {
	case lake.DimensionType:
		return "dimension"
	case lake.IntegerQuantityType:
		return "whole quantity (BIGINT)"
	default:
		return "decimal quantity (DECIMAL(18,6))"
	}
}

// taken reports whether a table that has dimensions and quantities has a column of
// that name, or is partitioned by it.
func taken(name string) bool {
	if name == "period" || name == "day" || slices.ContainsFunc(lake.Usage.Hidden(), func(c lake.Column) bool { return c.Name == name }) {
		return true
	}
	for _, table := range lake.Tables() {
		if table.Dynamic && slices.ContainsFunc(table.Columns, func(c lake.Column) bool { return c.Name == name }) {
			return true
		}
	}
	return false
}

func (r *reader) quantity(pair yamlfile.Pair) Quantity {
	q := Quantity{Name: pair.Key.Text()}
	n := pair.Value
	if n.Kind() == yamlfile.Map {
		o := r.p.Object(n, "the quantity "+q.Name)
		q.Decimal = r.p.OneOf(o.Get("type"), "integer", "decimal") == "decimal"
		if constant := o.Get("constant"); !constant.IsZero() {
			if field := o.Get("field"); !field.IsZero() {
				r.p.Add(field, "", "a quantity is a field or a constant, not both")
			}
			q.Value = Value{Kind: Constant, Text: r.number(constant, q.Decimal)}
		} else {
			q.Value = r.field(o.Need("field"))
		}
		o.Done()
	} else {
		q.Value = r.field(n)
	}
	typ := lake.IntegerQuantityType
	if q.Decimal {
		typ = lake.DecimalQuantityType
	}
	r.column(pair.Key, typ)
	return q
}

func (r *reader) number(n yamlfile.Node, decimal bool) string {
	if decimal {
		return r.p.Amount(n, 6, 12)
	}
	return r.p.Amount(n, 0, 18)
}

// Columns lists the dimensions and quantities of sources in their order, each
// once, behind those that are recorded already. It is an error where a source
// wants another type than the recorded one; the columns are complete all the same.
func Columns(recorded []lake.Column, sources ...*Source) ([]lake.Column, error) {
	columns := slices.Clone(recorded)
	var wrong []error
	add := func(s *Source, name, typ string) {
		i := slices.IndexFunc(columns, func(c lake.Column) bool { return c.Name == name })
		if i < 0 {
			columns = append(columns, lake.Column{Name: name, Type: typ})
		} else if columns[i].Type != typ {
			wrong = append(wrong, fmt.Errorf("source %s: %s is a %s, but the lake has recorded it as a %s; a type never changes, so choose another name",
				s.Name, name, describe(typ), describe(columns[i].Type)))
		}
	}
	for _, s := range sources {
		for _, d := range s.Dimensions {
			add(s, d.Name, lake.DimensionType)
		}
		for _, q := range s.Quantities {
			typ := lake.IntegerQuantityType
			if q.Decimal {
				typ = lake.DecimalQuantityType
			}
			add(s, q.Name, typ)
		}
	}
	return columns, errors.Join(wrong...)
}
