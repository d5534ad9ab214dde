package config

import (
	"slices"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// reader reads one configuration.
type reader struct {
	*yamlfile.Problems
	c *Config
}

func (c *Config) read(doc yamlfile.Node, p *yamlfile.Problems) {
	if doc.IsZero() {
		return
	}
	r := reader{p, c}
	o := p.Object(doc, "the configuration")

	c.Lake = r.location(o.Need("lake"))
	raw := o.Get("raw")
	c.Raw = r.location(raw)
	r.apart(raw)
	c.FirstPeriod = r.firstPeriod(o.Need("first_period"))
	r.calendar(o.Get("timezone"))
	c.Currency = r.currency(o.Get("currency"))

	sources := o.Get("sources")
	c.Sources = r.files(sources, "sources/*.yaml")
	c.Prices = r.files(o.Get("prices"), "prices/*.yaml")
	c.Catalog = r.files(o.Get("catalog"), "plans/*.yaml")
	if tests := o.Get("tests"); c.recorded == nil {
		c.Tests = r.files(tests, "tests/*.yaml")
	}
	if sources.IsZero() && len(c.Sources) == 0 && doc.Kind() == yamlfile.Map {
		p.Add(doc, "write a file a source into sources/, or name them: sources: [sources/*.yaml]", "there is no source: nothing matches sources/*.yaml")
	}
	if raw.IsZero() && doc.Kind() == yamlfile.Map {
		r.needRaw(doc)
	}

	r.accounts(o.Get("accounts"))
	c.Alerts = r.alerts(o.Get("alerts"))
	r.issuer(o.Get("issuer"))
	r.invoices(o.Get("invoices"))

	closing := p.Object(o.Get("close"), "close")
	c.CloseGrace = r.duration(closing.Get("grace"), "6h")
	closing.Done()
	r.accept(o.Get("accept"))
	retention := p.Object(o.Get("retention"), "retention")
	c.Retention.Rejected = r.duration(retention.Get("rejected"), "90 days")
	c.Retention.Superseded = r.duration(retention.Get("superseded"), "400 days")
	retention.Done()

	c.Memory = r.memory(o.Get("memory"))
	c.Scratch = r.scratch(o.Get("scratch"))
	c.Publish = r.publish(o.Get("publish"))
	c.Schedule = r.schedule(o.Get("schedule"))
	o.Done()
}

// duration reads a duration, or the default where none is written.
func (r reader) duration(n yamlfile.Node, otherwise string) period.Duration {
	if n.IsZero() {
		d, _ := period.ParseDuration(otherwise) // the defaults are tested
		return d
	}
	return r.Duration(n)
}

func (r reader) firstPeriod(n yamlfile.Node) period.Period {
	text := r.String(n)
	if text == "" {
		r.emptyText(n)
		return period.Period{}
	}
	first, err := period.Parse(text)
	if err != nil {
		r.Add(n, "", "%v", err)
	}
	return first
}

func (r reader) emptyText(n yamlfile.Node) {
	if n.Kind() == yamlfile.String {
		r.Add(n, "", "an empty text")
	}
}

func (r reader) calendar(n yamlfile.Node) {
	r.c.TimeZone = "UTC"
	if name := r.String(n); name != "" {
		r.c.TimeZone = name
	} else {
		r.emptyText(n)
	}
	calendar, err := period.NewCalendar(r.c.TimeZone)
	if err != nil {
		r.Add(n, "", "%v", err)
		calendar, _ = period.NewCalendar("UTC")
	}
	r.c.Calendar = calendar
}

func (r reader) currency(n yamlfile.Node) money.Currency {
	code := "USD"
	if !n.IsZero() {
		if code = r.String(n); code == "" {
			r.emptyText(n)
			return money.Currency{}
		}
	}
	c, err := money.ParseCurrency(code)
	if err != nil {
		r.Add(n, "", "%v", err)
	}
	return c
}

// accounts reads {unknown: hold} or {unknown: {plan: P}}.
func (r reader) accounts(n yamlfile.Node) {
	o := r.Object(n, "accounts")
	defer o.Done()
	unknown := o.Get("unknown")
	if unknown.IsZero() || unknown.Kind() == yamlfile.String && unknown.Text() == "hold" {
		return
	}
	if unknown.Kind() != yamlfile.Map {
		r.Add(unknown, "write hold, or {plan: free}", "unknown accounts are held, or opened on a plan")
		return
	}
	plan := r.Object(unknown, "unknown")
	r.c.UnknownNode = plan.Need("plan")
	if r.c.UnknownPlan = r.String(r.c.UnknownNode); r.c.UnknownPlan == "" {
		r.emptyText(r.c.UnknownNode)
	}
	plan.Done()
}

// maxPercent keeps percent × allowance far from any bound.
const maxPercent = 1_000_000

func (r reader) alerts(n yamlfile.Node) []int {
	if n.IsZero() {
		return []int{80, 100, 110}
	}
	if n.Kind() != yamlfile.List {
		r.Add(n, "write [80, 100], or [] for none", "a list of percentages is expected here, not %s", n.Kind())
		return nil
	}
	percents := make([]int, 0, len(n.Items()))
	for _, item := range n.Items() {
		before := r.Len()
		percent := r.Int(item)
		switch {
		case r.Len() > before:
		case percent < 1 || percent > maxPercent:
			r.Add(item, "", "a percentage lies between 1 and %d", maxPercent)
		case slices.Contains(percents, int(percent)):
			r.Add(item, "", "%d stands here twice", percent)
		default:
			percents = append(percents, int(percent))
		}
	}
	slices.Sort(percents)
	return percents
}

func (r reader) issuer(n yamlfile.Node) {
	o := r.Object(n, "issuer")
	r.c.Issuer = Issuer{Name: r.String(o.Need("name")), Address: r.Strings(o.Get("address")), TaxID: r.String(o.Get("tax_id"))}
	o.Done()
}

func (r reader) accept(n yamlfile.Node) {
	o := r.Object(n, "accept")
	r.c.Accept.Future = r.duration(o.Get("future"), "1h")
	past := o.Get("past")
	if r.c.Accept.NoPast = past.Kind() == yamlfile.String && past.Text() == "none"; !r.c.Accept.NoPast {
		r.c.Accept.Past = r.duration(past, "400 days")
	}
	o.Done()
}
