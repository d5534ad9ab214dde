package price

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/when"
)

// Words say what a rule does to those who do not read YAML: `prices show` and
// `prices diff` print them. Rules of the same words price alike. Names and operations
// stand in them as the configuration has them, other texts quoted where they must be.

// OperationWords says which operation a rule is for.
func (r Rule) OperationWords() string {
	if r.Operation == "" {
		return "any"
	}
	return r.Operation
}

// WhenWords says a rule's conditions, a text each; all of them must hold.
func (r Rule) WhenWords() []string { return whenWords(r.When) }

// PriceWords says what a rule charges, a line for each addend and each thing that
// then changes the sum, in their order.
func (r Rule) PriceWords() []string {
	lines := r.Charge.addends(len(r.Add) == 0)
	for _, a := range r.Add {
		lines = append(lines, a.words())
	}
	return append(lines, r.Charge.modifiers()...)
}

// OneLine joins the lines of [Rule.PriceWords].
func OneLine(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		switch {
		case i == 0:
		case strings.HasPrefix(line, "+ "):
			b.WriteByte(' ')
		default:
			b.WriteString(", ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func whenWords(all []when.Condition) []string {
	words := make([]string, 0, len(all))
	for _, c := range all {
		var members []string
		for _, m := range c.Test.Members() {
			members = append(members, memberWords(m))
		}
		words = append(words, c.Name+" is "+enumerate(members))
	}
	return words
}

// enumerate writes "a", "a or b", "a, b or c".
func enumerate(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func memberWords(m when.Member) string {
	switch m.Kind {
	case when.Null:
		return "absent"
	case when.Number:
		return plainNumber(m.Text)
	case when.Wildcard:
		return "like " + strconv.Quote(m.Text)
	case when.Range:
		var bounds []string
		for _, b := range m.Bounds {
			bounds = append(bounds, boundWords[b.Op]+" "+plainNumber(b.Text))
		}
		return strings.Join(bounds, " and ")
	default:
		return strconv.Quote(m.Text)
	}
}

var boundWords = map[string]string{"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most"}

// plainNumber writes a plain decimal without zeros that say nothing.
func plainNumber(text string) string {
	digits, negative := strings.CutPrefix(text, "-")
	d := parseDecimal(digits)
	if negative && d.Sign() != 0 {
		return "-" + d.String()
	}
	return d.String()
}

// addends are the charge's parts, a line each. alone: nothing but them makes the sum.
func (c Charge) addends(alone bool) []string {
	var lines []string
	alone = alone && len(c.Parts) == 1 && c.plain()
	for i, p := range c.Parts {
		line := p.words()
		if p.tiered() && !alone {
			line = "(" + line + ")"
		}
		if i > 0 {
			line = "+ " + line
		}
		lines = append(lines, line)
	}
	return lines
}

func (c Charge) modifiers() (lines []string) {
	if m := c.Multiply; m != nil {
		lines = append(lines, m.words())
	}
	if c.Minimum != nil {
		lines = append(lines, "at least "+c.Minimum.String())
	}
	if c.Maximum != nil {
		lines = append(lines, "at most "+c.Maximum.String())
	}
	if c.RoundUpTo != nil {
		lines = append(lines, "rounded up to "+c.RoundUpTo.String())
	}
	return lines
}

func (a Addition) words() string {
	lines := append(a.Charge.addends(true), a.Charge.modifiers()...)
	words := OneLine(lines)
	if len(lines) > 1 || a.Charge.Parts[0].tiered() {
		words = "(" + words + ")"
	}
	if len(a.When) > 0 {
		words += " when " + strings.Join(whenWords(a.When), " and ")
	}
	return "+ " + words
}

func (m Multiply) words() string {
	var values []string
	for _, v := range m.Values {
		values = append(values, bare(v.Text)+" "+v.Value.String())
	}
	otherwise := "held"
	if m.Otherwise != nil {
		otherwise = m.Otherwise.String()
	}
	return fmt.Sprintf("× by %s: %s, otherwise %s", m.By, strings.Join(values, ", "), otherwise)
}

var plainWord = regexp.MustCompile(`^[\pL_][\pL\pN_./-]*$`)

// bare leaves the quotes off a text that cannot be taken for anything else.
func bare(text string) string {
	if plainWord.MatchString(text) && text != "otherwise" {
		return text
	}
	return strconv.Quote(text)
}

// tiered: the part's price depends on a quantity, so its words are a list.
func (p Part) tiered() bool {
	return p.By != "" && (p.By != p.Each || len(p.Steps) > 1 || p.Steps[0].UpTo != nil)
}

func (p Part) words() string {
	if !p.tiered() {
		return p.priceWords(p.Steps[0].Price)
	}
	var b strings.Builder
	b.WriteString("by ")
	if p.Split && len(p.Steps) > 1 {
		b.WriteString("parts of ")
	}
	b.WriteString(p.By + ": ")
	for i, step := range p.Steps {
		if i > 0 {
			b.WriteString(", ")
		}
		switch {
		case step.UpTo != nil:
			b.WriteString(p.priceWords(step.Price) + " up to " + step.UpTo.String())
		case i > 0:
			b.WriteString("above that " + p.priceWords(step.Price))
		default:
			b.WriteString(p.priceWords(step.Price))
		}
	}
	if p.Steps[len(p.Steps)-1].UpTo != nil {
		b.WriteString(", above that held")
	}
	return b.String()
}

// priceWords says a price of the part's quantity.
func (p Part) priceWords(price Decimal) string {
	one := p.Per.Cmp(whole(1)) == 0
	switch {
	case p.Each == "":
		return price.String() + " a call"
	case p.Blocks && one:
		return price.String() + " × started " + p.Each
	case p.Blocks:
		return price.String() + " per started " + p.Per.String() + " " + p.Each
	case one:
		return price.String() + " × " + p.Each
	default:
		return price.mul(p.Per).String() + " per " + p.Per.String() + " " + p.Each
	}
}
