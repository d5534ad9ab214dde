package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// parser reads a catalog.
type parser struct {
	*yamlfile.Problems
	seen       map[string]yamlfile.Node // "plan NAME VERSION": the version's number
	currencies map[*Plan]yamlfile.Node  // where a plan version says in which it has prices
}

// Parse reads catalog files, each document one version of one plan or pack, and
// checks them against each other. What is wrong goes to p; the catalog, never
// nil, is of use only when that stays empty.
func Parse(files []File, p *yamlfile.Problems) *Catalog {
	r := &parser{p, map[string]yamlfile.Node{}, map[*Plan]yamlfile.Node{}}
	c := &Catalog{}
	for _, file := range files {
		for _, doc := range yamlfile.Parse(file.Name, file.Content, p) {
			r.document(doc, file.Name, c)
		}
	}
	slices.SortStableFunc(c.plans, func(a, b *Plan) int { return compareVersions(a.VersionRef, b.VersionRef) })
	slices.SortStableFunc(c.packs, func(a, b *Pack) int { return compareVersions(a.VersionRef, b.VersionRef) })
	r.refuseDropped(c)
	return c
}

// document reads one version, and keeps it when it can be told from others.
func (r *parser) document(doc yamlfile.Node, file string, c *Catalog) {
	if doc.Kind() != yamlfile.Map {
		r.Add(doc, "a document begins with plan: NAME or pack: NAME", "a plan or a pack is expected here, not %s", doc.Kind())
		return
	}
	isPlan, isPack := has(doc, "plan"), has(doc, "pack")
	switch {
	case isPlan == isPack:
		message := "the document is neither a plan nor a pack"
		if isPlan {
			message = "the document is both a plan and a pack"
		}
		r.Add(doc, "a document has one of plan: NAME and pack: NAME", "%s", message)
	case isPlan:
		o := r.Object(doc, "the plan")
		plan := &Plan{}
		known := r.version(o, "plan", file, &plan.VersionRef)
		r.plan(o, plan)
		if known {
			c.plans = append(c.plans, plan)
		}
	default:
		o := r.Object(doc, "the pack")
		pack := &Pack{}
		known := r.version(o, "pack", file, &pack.VersionRef)
		r.pack(o, pack)
		if known {
			c.packs = append(c.packs, pack)
		}
	}
}

func has(doc yamlfile.Node, key string) bool {
	return slices.ContainsFunc(doc.Pairs(), func(pair yamlfile.Pair) bool { return pair.Key.Text() == key })
}

// version reads what plans and packs have in common. It reports whether name,
// number and instant are known, and no other version has the same.
func (r *parser) version(o *yamlfile.Object, kind, file string, v *VersionRef) bool {
	v.File = file
	v.Name = r.name(o.Need(kind))
	number := o.Need("version")
	v.Version = int(r.count(number, math.MaxInt32))
	v.EffectiveFrom = r.Instant(o.Need("effective_from"))
	sum := sha256.Sum256([]byte(o.Node().Canonical()))
	v.SHA256 = hex.EncodeToString(sum[:])
	if v.Name == "" || v.Version == 0 || v.EffectiveFrom.IsZero() {
		return false
	}
	key := kind + " " + v.Name + " " + number.Text()
	if first, ok := r.seen[key]; ok {
		r.Add(number, "give the new version a number of its own", "version %d of the %s %q stands already at %s", v.Version, kind, v.Name, first.Pos())
		return false
	}
	r.seen[key] = number
	return true
}

// maxName is the most bytes that an id has (SPEC section 1).
const maxName = 256

func (r *parser) name(n yamlfile.Node) string {
	name := r.String(n)
	switch {
	case n.Kind() != yamlfile.String:
	case name == "":
		r.Add(n, "", "an empty text")
	case len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl):
		r.Add(n, "", "a name has at most %d bytes and no control characters", maxName)
		return ""
	}
	return name
}

// count reads a whole number from 1 to most; zero when it is none.
func (r *parser) count(n yamlfile.Node, most int64) int64 {
	if n.IsZero() {
		return 0
	}
	before := r.Len()
	i := r.Int(n)
	if r.Len() == before && (i < 1 || i > most) {
		r.Add(n, "", "a number between 1 and %d is expected here, not %d", most, i)
		return 0
	}
	return i
}

// creditDigits before the point let a hundred billion such amounts be added up
// in DECIMAL(38,6).
const creditDigits = 20

// credits reads an amount that is not negative.
func (r *parser) credits(n yamlfile.Node) credit.Amount {
	a, _ := credit.Parse(r.Amount(n, credit.Scale, creditDigits)) // an empty text, told already, is zero
	return a
}

// positive reads an amount of more than zero.
func (r *parser) positive(n yamlfile.Node) credit.Amount {
	before := r.Len()
	a := r.credits(n)
	if !n.IsZero() && a.IsZero() && r.Len() == before {
		r.Add(n, "", "it must be more than zero")
	}
	return a
}

// optional reads an amount that may be absent.
func (r *parser) optional(n yamlfile.Node) *credit.Amount {
	if n.IsZero() {
		return nil
	}
	a := r.credits(n)
	return &a
}

// maxCycles is a hundred years of months.
const maxCycles = 1200

func (r *parser) plan(o *yamlfile.Object, plan *Plan) {
	fee := o.Get("fee")
	plan.Fee = r.prices(fee)
	plan.Allowance = r.credits(o.Need("allowance"))
	plan.Calendar = r.OneOf(o.Need("renews"), "anniversary", "calendar") == "calendar"
	prorate := o.Get("prorate")
	if plan.Prorate = r.Bool(prorate); plan.Prorate && !plan.Calendar {
		r.Add(prorate, "an anniversary cycle is never short: leave it out, or write renews: calendar", "only a calendar plan is prorated")
	}
	if n := o.Get("rollover"); !n.IsZero() {
		rollover := r.Object(n, "rollover")
		plan.Rollover = &Rollover{Cycles: int(r.count(rollover.Need("cycles"), maxCycles)), Cap: r.optional(rollover.Get("cap"))}
		rollover.Done()
	}
	priced := []pricedNode{{fee, plan.Fee}}
	if n := o.Get("overage"); !n.IsZero() {
		var more []pricedNode
		plan.Overage, more = r.overage(n)
		priced = append(priced, more...)
	}
	r.sameCurrencies(priced)
	r.rateLimit(o.Get("rate_limit"), plan)
	r.currencies[plan] = o.Get("plan")
	if !fee.IsZero() {
		r.currencies[plan] = fee
	}
	o.Done()
}

func (r *parser) rateLimit(n yamlfile.Node, plan *Plan) {
	if n.IsZero() {
		return
	}
	o := r.Object(n, "rate_limit")
	plan.RateLimit = &RateLimit{Calls: r.count(o.Need("calls"), math.MaxInt64), Day: r.OneOf(o.Need("per"), "hour", "day") == "day"}
	o.Done()
}

func (r *parser) pack(o *yamlfile.Object, pack *Pack) {
	pack.Credits = r.positive(o.Need("credits"))
	pack.Price = r.prices(o.Need("price"))
	if n := o.Get("expires_after"); !n.IsZero() {
		before := r.Len()
		after := r.Duration(n)
		if r.Len() == before && after == (period.Duration{}) {
			r.Add(n, "leave it out if the pack never expires", "a pack cannot expire at once")
		}
		pack.ExpiresAfter = &after
	}
	o.Done()
}
