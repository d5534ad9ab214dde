package price

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/when"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// The oracle prices one call at a time from the words of a price table, with
// big.Rat, without anything of this package: a second reading of SPEC section 4.

type wordRule struct {
	operation string
	when      []wordWhen
	charge    wordCharge
	add       []wordRule // operation is not used
}

type wordWhen struct{ name, test string }

type wordCharge struct {
	parts             []wordPart
	by                string
	values            [][2]string
	otherwise         string
	minimum, maximum  string
	roundUpTo         string
	sumEvenIfOnlyPart bool
}

type wordPart struct {
	each, per, credits string
	blocks             bool
	by, mode           string
	steps              [][2]string // up_to, credits
}

type wordVersion struct {
	table     string
	version   int
	from      time.Time
	appliesTo []string
	rules     []wordRule
}

// A call is what the oracle prices. A nil text or quantity is NULL.
type call struct {
	operation, account string
	time               time.Time
	texts              map[string]*string // project, key, source and dimensions
	quantities         map[string]*string
	opened             bool
}

// A verdict is what rating makes of a call.
type verdict struct {
	table         string
	version, rule int
	credits, held string
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func (c call) judge(versions []wordVersion) verdict {
	var chosen *wordVersion
	for i := range versions {
		v := &versions[i]
		if c.newest(versions, v) && c.likeAny(v.appliesTo) {
			chosen = v
		}
	}
	out := verdict{credits: "0.000000", held: "no_rule"}
	if chosen == nil {
		return out
	}
	out.table, out.version = chosen.table, chosen.version
	for i, r := range chosen.rules {
		if r.operation != "" && !when.Like(r.operation, c.operation) || !c.all(r.when) {
			continue
		}
		out.rule = i + 1
		price, faults := c.charge(r.charge, r.add)
		for _, reason := range []string{"null_quantity", "unlisted_value", "beyond_last_step"} {
			if faults[reason] {
				out.held = reason
				return out
			}
		}
		millions := price.Mul(price, rat("1000000"))
		millions.Add(millions, rat("0.5")) // halves away from zero
		units := new(big.Int).Div(millions.Num(), millions.Denom())
		switch {
		case units.Cmp(big.NewInt(1e18)) >= 0:
			out.held = "overflow"
		case !c.opened:
			out.held = "account_not_opened"
		default:
			text := fmt.Sprintf("%07d", units)
			out.credits, out.held = text[:len(text)-6]+"."+text[len(text)-6:], ""
		}
		return out
	}
	return out
}

// newest reports whether v is its table's version in force.
func (c call) newest(versions []wordVersion, v *wordVersion) bool {
	if v.from.After(c.time) {
		return false
	}
	for _, w := range versions {
		if w.table == v.table && !w.from.After(c.time) && (w.from.After(v.from) || w.from.Equal(v.from) && w.version > v.version) {
			return false
		}
	}
	return true
}

func (c call) likeAny(patterns []string) bool {
	for _, p := range patterns {
		if when.Like(p, c.operation) {
			return true
		}
	}
	return false
}

func (c call) all(conditions []wordWhen) bool {
	for _, w := range conditions {
		var p yamlfile.Problems
		parsed := when.Parse(yamlfile.Parse("w", []byte("x: "+w.test), &p)[0], &p)
		value := when.Value{}
		if text, ok := c.texts[w.name]; ok {
			value.Null = text == nil
			if text != nil {
				value.Text = *text
			}
		} else {
			q := c.quantities[w.name]
			value.Null, value.Number = q == nil, true
			if q != nil {
				value.Text = *q
			}
		}
		if !parsed[0].Test.Match(value) {
			return false
		}
	}
	return true
}

func (c call) charge(w wordCharge, add []wordRule) (*big.Rat, map[string]bool) {
	sum, faults := new(big.Rat), map[string]bool{}
	merge := func(more map[string]bool) {
		for reason := range more {
			faults[reason] = true
		}
	}
	for _, p := range w.parts {
		price, more := c.part(p)
		merge(more)
		sum.Add(sum, price)
	}
	for _, a := range add {
		if c.all(a.when) {
			price, more := c.charge(a.charge, nil)
			merge(more)
			sum.Add(sum, price)
		}
	}
	if w.by != "" {
		factor := w.otherwise
		for _, v := range w.values {
			if text := c.texts[w.by]; text != nil && *text == v[0] {
				factor = v[1]
			}
		}
		if factor == "" {
			faults["unlisted_value"] = true
			factor = "0"
		}
		sum.Mul(sum, rat(factor))
	}
	if w.minimum != "" && sum.Cmp(rat(w.minimum)) < 0 {
		sum = rat(w.minimum)
	}
	if w.maximum != "" && sum.Cmp(rat(w.maximum)) > 0 {
		sum = rat(w.maximum)
	}
	if w.roundUpTo != "" {
		sum = roundUpTo(sum, rat(w.roundUpTo))
	}
	return sum, faults
}

func roundUpTo(x, step *big.Rat) *big.Rat {
	times := new(big.Rat).Quo(x, step)
	count, rest := new(big.Int).DivMod(times.Num(), times.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		count.Add(count, big.NewInt(1))
	}
	return new(big.Rat).Mul(new(big.Rat).SetInt(count), step)
}

func (c call) part(p wordPart) (*big.Rat, map[string]bool) {
	if p.each == "" {
		return rat(p.credits), nil
	}
	q := c.quantities[p.each]
	by := q
	if p.by != "" {
		by = c.quantities[p.by]
	}
	if q == nil || by == nil && p.mode != "" {
		faults := map[string]bool{"null_quantity": true}
		if by != nil && p.mode != "" && p.steps[len(p.steps)-1][0] != "" && rat(*by).Cmp(rat(p.steps[len(p.steps)-1][0])) > 0 {
			faults["beyond_last_step"] = true
		}
		return new(big.Rat), faults
	}
	per := rat("1")
	if p.per != "" {
		per = rat(p.per)
	}
	price := func(units *big.Rat, credits string) *big.Rat {
		count := new(big.Rat).Quo(units, per)
		if p.blocks {
			count = roundUpTo(count, rat("1"))
		}
		return count.Mul(count, rat(credits))
	}
	if p.mode == "" {
		return price(rat(*q), p.credits), nil
	}
	sum, from := new(big.Rat), new(big.Rat)
	for _, step := range p.steps {
		inside := step[0] == "" || rat(*by).Cmp(rat(step[0])) <= 0
		switch {
		case p.mode == "volume" && inside:
			return price(rat(*q), step[1]), nil
		case p.mode == "graduated" && inside:
			return sum.Add(sum, price(new(big.Rat).Sub(rat(*q), from), step[1])), nil
		case p.mode == "graduated":
			sum.Add(sum, price(new(big.Rat).Sub(rat(step[0]), from), step[1]))
			from = rat(step[0])
		}
	}
	return new(big.Rat), map[string]bool{"beyond_last_step": true}
}

// yaml writes the words as a price file.
func (v wordVersion) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table: %s\nversion: %d\neffective_from: %s\napplies_to: [", quoted(v.table), v.version, v.from.Format(time.RFC3339Nano))
	for _, p := range v.appliesTo {
		b.WriteString(quoted(p) + ", ")
	}
	b.WriteString("]\nrules:\n")
	for _, r := range v.rules {
		fmt.Fprintf(&b, "  - {%s}\n", r.yaml())
	}
	return b.String()
}

func (r wordRule) yaml() string {
	var b strings.Builder
	if r.operation != "" {
		fmt.Fprintf(&b, "operation: %s, ", quoted(r.operation))
	}
	if len(r.when) > 0 {
		b.WriteString("when: {")
		for _, w := range r.when {
			fmt.Fprintf(&b, "%s: %s, ", w.name, w.test)
		}
		b.WriteString("}, ")
	}
	fmt.Fprintf(&b, "charge: {%s}", r.charge.yaml())
	if len(r.add) > 0 {
		b.WriteString(", add: [")
		for _, a := range r.add {
			fmt.Fprintf(&b, "{%s}, ", a.yaml())
		}
		b.WriteString("]")
	}
	return b.String()
}

func (w wordCharge) yaml() string {
	var list []string
	if len(w.parts) == 1 && !w.sumEvenIfOnlyPart {
		list = append(list, w.parts[0].yaml())
	} else {
		var parts []string
		for _, p := range w.parts {
			parts = append(parts, "{"+p.yaml()+"}")
		}
		list = append(list, "sum: ["+strings.Join(parts, ", ")+"]")
	}
	if w.by != "" {
		var values []string
		for _, v := range w.values {
			values = append(values, quoted(v[0])+": "+v[1])
		}
		multiply := "multiply: {by: " + w.by + ", values: {" + strings.Join(values, ", ") + "}"
		if w.otherwise != "" {
			multiply += ", otherwise: " + w.otherwise
		}
		list = append(list, multiply+"}")
	}
	for _, m := range [][2]string{{"minimum", w.minimum}, {"maximum", w.maximum}, {"round_up_to", w.roundUpTo}} {
		if m[1] != "" {
			list = append(list, m[0]+": "+m[1])
		}
	}
	return strings.Join(list, ", ")
}

func (p wordPart) yaml() string {
	var list []string
	if p.each != "" {
		list = append(list, "each: "+p.each)
	}
	if p.per != "" {
		list = append(list, "per: "+p.per)
	}
	if p.blocks {
		list = append(list, "blocks: true")
	}
	if p.mode == "" {
		return strings.Join(append(list, `credits: "`+p.credits+`"`), ", ")
	}
	tiers := "tiers: {mode: " + p.mode
	if p.by != "" {
		tiers += ", by: " + p.by
	}
	var steps []string
	for _, s := range p.steps {
		step := "credits: " + s[1]
		if s[0] != "" {
			step = "up_to: " + s[0] + ", " + step
		}
		steps = append(steps, "{"+step+"}")
	}
	return strings.Join(append(list, tiers+", steps: ["+strings.Join(steps, ", ")+"]}"), ", ")
}

// quoted writes any text as YAML.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString("\\" + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

func quo(a, b Decimal) *big.Rat { return new(big.Rat).Quo(a.Rat(), b.Rat()) }
