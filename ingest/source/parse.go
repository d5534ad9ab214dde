package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A File is a source's YAML.
type File struct {
	Name string // as messages show it
	Text []byte
}

// Parse reads files of sources, a source a document. What is wrong goes to p; the
// sources returned are of use only where nothing was.
func Parse(files []File, p *yamlfile.Problems) []*Source {
	var sources []*Source
	check := newChecks()
	for _, file := range files {
		for _, doc := range yamlfile.Parse(file.Name, file.Text, p) {
			r := reader{p: p, checks: check}
			sources = append(sources, r.source(doc))
		}
	}
	return sources
}

// checks are what holds between sources: their names, and the one namespace of
// dimensions and quantities.
type checks struct {
	sources map[string]bool
	columns map[string]string // dimension or quantity → type
}

func newChecks() *checks { return &checks{map[string]bool{}, map[string]string{}} }

type reader struct {
	p *yamlfile.Problems
	*checks
	format Format
}

var (
	sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

func (r *reader) source(doc yamlfile.Node) *Source {
	p := r.p
	s := &Source{MaxRejected: NoLimit}
	o := p.Object(doc, "the source")
	name := o.Need("source")
	s.Name = p.String(name)
	switch {
	case s.Name == "":
	case !sourceName.MatchString(s.Name):
		p.Add(name, "", "%q is no source name: small letters, digits and . _ -, at most 63 of them", s.Name)
	case r.sources[s.Name]:
		p.Add(name, "", "there is another source named %s", s.Name)
	}
	r.sources[s.Name] = true
	if text := o.Get("format"); text.Text() == "parquet" {
		p.Add(text, "convert to jsonl or csv for now", "sources of Parquet cannot be read yet")
	} else {
		s.Format = r.readFormat(o.Need("format"))
	}
	r.format = s.Format
	s.path = r.pattern(o.Need("path"), false)
	s.Raw = p.String(o.Get("raw"))
	s.Lookback = p.Duration(o.Get("lookback"))
	s.Expect = p.Duration(o.Get("expect"))
	if expect := o.Get("expect"); !expect.IsZero() && s.Format == Accounts {
		p.Add(expect, "leave it out: account events come when something happens", "a source of account events has no calls to expect")
	}
	s.MaxRejected = r.share(o.Get("max_rejected"))
	if s.Format != Accounts {
		r.mapping(s, o)
	}
	o.Done()
	return s
}

func (r *reader) readFormat(n yamlfile.Node) Format {
	switch r.p.OneOf(n, JSONLines.String(), CSV.String(), Accounts.String(), "parquet") {
	case CSV.String():
		return CSV
	case Accounts.String():
		return Accounts
	default:
		return JSONLines
	}
}

func (r *reader) pattern(n yamlfile.Node, named bool) Pattern {
	text := r.p.String(n)
	if n.IsZero() || n.Kind() != yamlfile.String {
		return Pattern{}
	}
	pattern, err := parsePattern(text, named)
	if err != nil {
		r.p.Add(n, "", "%v", err)
	}
	return pattern
}

var percent = regexp.MustCompile(`^(\d{1,3})(?:\.(\d{1,4}))?%$`)

// share reads 10% or 0.5%.
func (r *reader) share(n yamlfile.Node) Share {
	if n.IsZero() {
		return NoLimit
	}
	m := percent.FindStringSubmatch(n.Text())
	if m == nil || n.Kind() != yamlfile.String {
		r.p.Add(n, "write a percentage such as 10% or 0.5%", "%q is no share", n.Text())
		return NoLimit
	}
	share := Share(0)
	for _, digit := range m[1] + (m[2] + "0000")[:4] {
		share = share*10 + Share(digit-'0')
	}
	if share > 1_000_000 {
		r.p.Add(n, "", "%s is more than all", n.Text())
	}
	return share
}

// mapping reads what makes a record an event.
func (r *reader) mapping(s *Source, o *yamlfile.Object) {
	p := r.p
	where := o.Get("where")
	s.Where = when.Parse(where, p)
	for _, c := range s.Where {
		r.fieldPath(c.Name, c.Node)
	}
	e := p.Object(o.Need("event"), "event")
	s.ID = r.optional(e.Get("id"))
	s.Time = r.time(e.Need("time"))
	s.Account = r.value(e.Need("account"))
	s.Project = r.optional(e.Get("project"))
	s.Key = r.optional(e.Get("key"))
	s.Operation = r.value(e.Need("operation"))
	e.Done()
	dimensions, quantities := o.Get("dimensions"), o.Get("quantities")
	p.Object(dimensions, "dimensions")
	p.Object(quantities, "quantities")
	defaults := map[string]yamlfile.Node{}
	p.Object(o.Get("defaults"), "defaults")
	for _, pair := range o.Get("defaults").Pairs() {
		defaults[pair.Key.Text()] = pair.Value
	}
	for _, pair := range dimensions.Pairs() {
		r.column(pair.Key, lake.DimensionType)
		d := Dimension{Name: pair.Key.Text(), Value: r.value(pair.Value)}
		if n, has := defaults[d.Name]; has {
			d.Default = r.scalar(n)
		}
		s.Dimensions = append(s.Dimensions, d)
	}
	for _, pair := range quantities.Pairs() {
		q := r.quantity(pair)
		if n, has := defaults[q.Name]; has {
			q.Default = r.number(n, q.Decimal)
		}
		s.Quantities = append(s.Quantities, q)
	}
	for _, pair := range o.Get("defaults").Pairs() {
		name := pair.Key.Text()
		isDimension := slices.ContainsFunc(s.Dimensions, func(d Dimension) bool { return d.Name == name })
		isQuantity := slices.ContainsFunc(s.Quantities, func(q Quantity) bool { return q.Name == name })
		if !isDimension && !isQuantity {
			p.Add(pair.Key, "defaults are for dimensions and quantities", "%q is neither a dimension nor a quantity of this source", name)
		}
	}
}

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
	if name == "period" || name == "day" {
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

// scalar reads a constant text: numbers and booleans stand for themselves.
func (r *reader) scalar(n yamlfile.Node) *string {
	text := n.Text()
	switch n.Kind() {
	case yamlfile.String, yamlfile.Number, yamlfile.Bool:
	default:
		r.p.Add(n, "", "one text or number is expected here, not %s", n.Kind())
	}
	return &text
}

func (r *reader) optional(n yamlfile.Node) *Value {
	if n.IsZero() {
		return nil
	}
	v := r.value(n)
	return &v
}

// value reads a field path, {constant: X}, {key: PATTERN} or {join: [...], with: X}.
func (r *reader) value(n yamlfile.Node) Value {
	if n.Kind() != yamlfile.Map {
		return r.field(n)
	}
	o := r.p.Object(n, "the value")
	var v Value
	constant, key, join, field := o.Get("constant"), o.Get("key"), o.Get("join"), o.Get("field")
	given := 0
	for _, n := range []yamlfile.Node{constant, key, join, field} {
		if !n.IsZero() {
			given++
		}
	}
	switch {
	case given != 1:
		r.p.Add(n, "", "a value is a field path, {constant: X}, {key: PATTERN} or {join: [FIELDS], with: X}")
	case !constant.IsZero():
		v = Value{Kind: Constant, Text: *r.scalar(constant)}
	case !key.IsZero():
		v = Value{Kind: FromKey, Pattern: r.pattern(key, true)}
	case !field.IsZero():
		v = r.field(field)
	default:
		v = Value{Kind: Joined, Text: r.p.String(o.Get("with"))}
		if join.Kind() != yamlfile.List || len(join.Items()) < 2 {
			r.p.Add(join, "", "join takes a list of two values or more")
		}
		for _, item := range join.Items() {
			if item.Kind() == yamlfile.Map && slices.ContainsFunc(item.Pairs(), func(pair yamlfile.Pair) bool { return pair.Key.Text() == "join" }) {
				r.p.Add(item, "", "a join within a join")
				continue
			}
			v.Members = append(v.Members, r.value(item))
		}
	}
	o.Done()
	return v
}

func (r *reader) field(n yamlfile.Node) Value {
	if n.IsZero() {
		return Value{}
	}
	text := r.p.String(n)
	if text == "" {
		if n.Kind() == yamlfile.String {
			r.p.Add(n, "", "a field path is expected here, not an empty text")
		}
		return Value{}
	}
	return Value{Kind: Field, Path: r.fieldPath(text, n)}
}

func (r *reader) fieldPath(text string, n yamlfile.Node) []string {
	if r.format == CSV {
		return []string{text}
	}
	path := SplitPath(text)
	if slices.Contains(path, "") {
		r.p.Add(n, `a dot that is part of a name is written \.`, "%q has an empty part", text)
	}
	return path
}

// SplitPath takes a dotted path apart. A dot within a name is written \. and a
// backslash \\.
func SplitPath(text string) []string {
	var path []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			i++
			part.WriteByte(text[i])
		case text[i] == '.':
			path = append(path, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	return append(path, part.String())
}

// time reads a field path, or {field: F, layout: L, zone: Z}.
func (r *reader) time(n yamlfile.Node) Time {
	if n.Kind() != yamlfile.Map {
		return Time{Path: r.field(n).Path}
	}
	o := r.p.Object(n, "time")
	t := Time{Path: r.field(o.Need("field")).Path}
	layout, zone := o.Get("layout"), o.Get("zone")
	o.Done()
	text := r.p.String(layout)
	if layout.IsZero() {
		text = "rfc3339"
	}
	l, err := NewLayout(text, r.p.String(zone))
	if err != nil {
		at := layout
		if at.IsZero() {
			at = zone
		}
		r.p.Add(at, "", "%v", err)
	}
	t.Layout = l
	return t
}

// Columns lists the dimensions and quantities of sources in their order, each
// once, behind those that are recorded already. It is an error where a source
// wants another type than the recorded one.
func Columns(recorded []lake.Column, sources ...*Source) ([]lake.Column, error) {
	columns := slices.Clone(recorded)
	add := func(s *Source, name, typ string) error {
		i := slices.IndexFunc(columns, func(c lake.Column) bool { return c.Name == name })
		if i < 0 {
			columns = append(columns, lake.Column{Name: name, Type: typ})
		} else if columns[i].Type != typ {
			return fmt.Errorf("source %s: %s is a %s, but the lake has recorded it as a %s; a type never changes, so choose another name",
				s.Name, name, describe(typ), describe(columns[i].Type))
		}
		return nil
	}
	for _, s := range sources {
		for _, d := range s.Dimensions {
			if err := add(s, d.Name, lake.DimensionType); err != nil {
				return nil, err
			}
		}
		for _, q := range s.Quantities {
			typ := lake.IntegerQuantityType
			if q.Decimal {
				typ = lake.DecimalQuantityType
			}
			if err := add(s, q.Name, typ); err != nil {
				return nil, err
			}
		}
	}
	return columns, nil
}
