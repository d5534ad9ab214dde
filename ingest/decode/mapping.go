package decode

import (
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
)

// A mapping is a source compiled to nodes of a tree. One belongs to one decoder.
type mapping struct {
	src       *source.Source
	tree      *tree
	where     []condition
	id        *value // nil: made
	time      value
	layout    *source.Layout
	account   value
	project   *value
	key       *value
	operation value
	scalars   []value      // all of them that are fields: none may be an object or list
	dynamic   []dynamic    // by number in Options.Dynamic
	mapped    []int        // which of dynamic the source maps
	columns   []headerName // CSV: what each node is called
	arena     []byte
}

type condition struct {
	node int32
	test when.Test
}

// A value is a source.Value in terms of nodes.
type value struct {
	kind    source.Kind
	node    int32
	text    []byte // Constant: the text; Joined: between the members; FromKey: cut out of this object's key
	absent  bool   // FromKey: this object's key has none
	members []value
	pattern source.Pattern
	name    string // in messages
}

// A dynamic says how one dimension or quantity column is filled.
type dynamic struct {
	quantity bool
	decimal  bool
	value    value
	fallback []byte // the default of a dimension
	units    int64  // the default of a quantity
	has      bool   // whether there is a default
}

type headerName struct {
	node int32
	name string
}

func newMapping(src *source.Source, dynamicColumns []lake.Column) (*mapping, error) {
	m := &mapping{src: src, tree: newTree()}
	if src.Format == source.Accounts {
		return m, nil
	}
	for _, c := range src.Where {
		path := []string{c.Name}
		if src.Format != source.CSV {
			path = source.SplitPath(c.Name)
		}
		m.where = append(m.where, condition{m.field(path), c.Test})
	}
	if src.ID != nil {
		m.id = m.pointer(src.ID)
	}
	m.account, m.operation = m.compile(src.Account), m.compile(src.Operation)
	m.project, m.key = m.pointer(src.Project), m.pointer(src.Key)
	m.time = m.compile(source.Value{Kind: source.Field, Path: src.Time.Path})
	m.layout = &src.Time.Layout
	m.dynamic = make([]dynamic, len(dynamicColumns))
	at := map[string]int{}
	for i, c := range dynamicColumns {
		at[c.Name] = i
	}
	for _, d := range src.Dimensions {
		column := dynamic{value: m.compile(d.Value)}
		if d.Default != nil {
			column.fallback, column.has = []byte(*d.Default), true
		}
		m.dynamic[at[d.Name]] = column
		m.mapped = append(m.mapped, at[d.Name])
	}
	for _, q := range src.Quantities {
		column := dynamic{quantity: true, decimal: q.Decimal, value: m.compile(q.Value), has: q.Default != ""}
		if column.has {
			var fault numberFault
			if column.units, fault = column.parse([]byte(q.Default)); fault != numberOK {
				return nil, fmt.Errorf("source %s: the default %s of %s does not fit", src.Name, q.Default, q.Name)
			}
		}
		m.dynamic[at[q.Name]] = column
		m.mapped = append(m.mapped, at[q.Name])
	}
	slices.Sort(m.mapped)
	return m, nil
}

func (d *dynamic) parse(text []byte) (int64, numberFault) {
	if d.decimal {
		return parseDecimal(text)
	}
	return parseInteger(text)
}

func (m *mapping) field(path []string) int32 {
	node := m.tree.add(path)
	if m.src.Format == source.CSV {
		m.columns = append(m.columns, headerName{node, path[0]})
	}
	return node
}

func (m *mapping) pointer(v *source.Value) *value {
	if v == nil {
		return nil
	}
	compiled := m.compile(*v)
	return &compiled
}

func (m *mapping) compile(v source.Value) value {
	c := value{kind: v.Kind, name: v.String(), pattern: v.Pattern, text: []byte(v.Text)}
	switch v.Kind {
	case source.Field:
		c.node = m.field(v.Path)
		m.scalars = append(m.scalars, c)
	case source.Joined:
		for _, member := range v.Members {
			c.members = append(c.members, m.compile(member))
		}
	}
	return c
}

// object resolves what comes out of the object's key.
func (m *mapping) object(key string) {
	each := func(v *value) {
		if v != nil {
			v.resolve(key)
		}
	}
	each(m.id)
	each(&m.account)
	each(m.project)
	each(m.key)
	each(&m.operation)
	for _, i := range m.mapped {
		each(&m.dynamic[i].value)
	}
}

func (v *value) resolve(key string) {
	if v.kind == source.FromKey {
		text, ok := v.pattern.Cut(key)
		v.text, v.absent = []byte(text), !ok
	}
	for i := range v.members {
		v.members[i].resolve(key)
	}
}

// read returns the value's text in the record at hand; not ok where it is absent
// or null. The text is good until the next record.
func (m *mapping) read(v *value, rec *values) (text []byte, ok bool) {
	switch v.kind {
	case source.Field:
		s := rec.get(v.node)
		return s.text, s.kind != slotNull
	case source.Constant:
		return v.text, true
	case source.FromKey:
		return v.text, !v.absent
	}
	start := len(m.arena)
	for i := range v.members {
		part, ok := m.read(&v.members[i], rec)
		if !ok || len(part) == 0 {
			return nil, false
		}
		if i > 0 {
			m.arena = append(m.arena, v.text...)
		}
		m.arena = append(m.arena, part...)
	}
	return m.arena[start:len(m.arena):len(m.arena)], true
}
