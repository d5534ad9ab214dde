package price

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
)

// The reasons in `held`, in the order of which the first counts (SPEC section 4
// and section 14, 41).
const (
	NoRule           = "no_rule"
	NullQuantity     = "null_quantity"
	UnlistedValue    = "unlisted_value"
	BeyondLastStep   = "beyond_last_step"
	Overflow         = "overflow"
	AccountNotOpened = "account_not_opened"
)

// faults are conditions in SQL: what keeps a call that a rule matched from being
// priced, overflow apart.
type faults struct{ null, unlisted, beyond []string }

func faultsOf(r Rule, c columns) (f faults) {
	f.add(r.Charge, nil, c)
	for _, a := range r.Add {
		f.add(a.Charge, func(fault string) string {
			if len(a.When) == 0 {
				return fault
			}
			return "(" + c.conditions(a.When) + " AND " + fault + ")"
		}, c)
	}
	return f
}

func (f *faults) add(charge Charge, guard func(string) string, c columns) {
	note := func(list *[]string, fault string) {
		if guard != nil {
			fault = guard(fault)
		}
		if !slices.Contains(*list, fault) {
			*list = append(*list, fault)
		}
	}
	for _, p := range charge.Parts {
		if p.Each == "" {
			continue
		}
		note(&f.null, c.sql(p.Each)+" IS NULL")
		if p.By != "" && p.By != p.Each {
			note(&f.null, c.sql(p.By)+" IS NULL")
		}
		if last := p.Steps[len(p.Steps)-1].UpTo; last != nil {
			note(&f.beyond, c.compare(p.By, ">", *last))
		}
	}
	if m := charge.Multiply; m != nil && m.Otherwise == nil {
		by := c.sql(m.By)
		var others []string
		for _, v := range m.Values {
			others = append(others, by+" <> "+duck.Literal(v.Text))
		}
		note(&f.unlisted, "("+by+" IS NULL OR "+strings.Join(others, " AND ")+")")
	}
}

// sql is the reason why a call that the rule matched has no price.
func (f faults) sql() string {
	var cases strings.Builder
	for _, one := range []struct {
		conditions []string
		reason     string
	}{{f.null, NullQuantity}, {f.unlisted, UnlistedValue}, {f.beyond, BeyondLastStep}} {
		if len(one.conditions) > 0 {
			cases.WriteString(" WHEN " + strings.Join(one.conditions, " OR ") + " THEN " + duck.Literal(one.reason))
		}
	}
	if cases.Len() == 0 {
		return duck.Literal(Overflow)
	}
	return "CASE" + cases.String() + " ELSE " + duck.Literal(Overflow) + " END"
}
