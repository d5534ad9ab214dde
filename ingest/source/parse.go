package source

import (
	"regexp"
	"slices"

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
	s.Format = r.readFormat(o.Need("format"))
	r.format = s.Format
	path := o.Need("path")
	s.path = r.pattern(path, false)
	if ending := Packed(s.path.text); ending != "" && s.Format == Parquet {
		p.Add(path, "deliver the Parquet files as their writer made them", "a Parquet file is packed within: none that ends in %s is read", ending)
	}
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
	formats := []Format{JSONLines, CSV, Parquet, Accounts}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.String()
	}
	return formats[max(slices.Index(names, r.p.OneOf(n, names...)), 0)]
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
