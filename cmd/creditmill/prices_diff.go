package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/rate/price"
)

func (a *app) pricesDiffCommand() *cobra.Command {
	var month string
	limit := 10
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Show what changes from one version of prices to another, and what a month's calls would cost",
		Long: "Compare two versions rule by rule. Each is TABLE@VERSION, or the path of a price file, which need not be part of\n" +
			"the configuration. With --period, also price the month's rated calls by the one and by the other, each as if it\n" +
			"had always been in force, and show who pays more and who less. Nothing is changed.",
		Example:           "  creditmill prices diff api@2 drafts/api-3.yaml --period 2026-10",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeVersions(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(month)
			if err != nil {
				return err
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			before, err := m.PriceVersion(args[0])
			if err != nil {
				return err
			}
			after, err := m.PriceVersion(args[1])
			if err != nil {
				return err
			}
			document := newDiffDocument(m, before, after)
			if !p.IsZero() {
				effect, err := m.ComparePrices(cmd.Context(), before, after, p, limit)
				if err != nil {
					return err
				}
				document.Effect = newEffectDocument(effect)
			}
			if a.json {
				return a.print(document)
			}
			a.priceDiff(document)
			if document.Effect != nil {
				a.priceEffect(*document.Effect)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&month, "period", "", "price the calls of this `MONTH` both ways")
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` operations, and N accounts that pay more and less")
	return cmd
}

// A diffDocument is what `prices diff --json` prints.
type diffDocument struct {
	Before    pricesHead           `json:"before"`
	After     pricesHead           `json:"after"`
	AppliesTo appliesDocument      `json:"applies_to"`
	Rules     []ruleChangeDocument `json:"rules"`
	Effect    *effectDocument      `json:"effect"` // null: no period was given
}

type appliesDocument struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}

type ruleChangeDocument struct {
	Change      string   `json:"change"` // added, removed, changed or moved
	Moved       bool     `json:"moved"`  // also of a changed rule
	RuleBefore  *int     `json:"rule_before"`
	RuleAfter   *int     `json:"rule_after"`
	Operation   *string  `json:"operation"`
	When        []string `json:"when"`
	PriceBefore []string `json:"price_before"` // null: there was none
	PriceAfter  []string `json:"price_after"`
}

type effectDocument struct {
	Period          string             `json:"period"`
	Total           changeDocument     `json:"total"`
	Accounts        int64              `json:"accounts"`
	Touched         int64              `json:"accounts_touched"`
	Operations      []changeDocument   `json:"operations"`
	OperationsTotal int64              `json:"operations_total"`
	Held            []heldDiffDocument `json:"held"`
	More            []changeDocument   `json:"pay_more"`
	MoreTotal       int64              `json:"pay_more_total"`
	Less            []changeDocument   `json:"pay_less"`
	LessTotal       int64              `json:"pay_less_total"`
}

// A changeDocument is what calls cost before and after.
type changeDocument struct {
	Operation  string  `json:"operation,omitempty"`
	Account    string  `json:"account,omitempty"`
	Calls      int64   `json:"calls"`
	Changed    int64   `json:"changed"`
	Before     string  `json:"before"`
	After      string  `json:"after"`
	Difference string  `json:"difference"`
	Percent    *string `json:"percent"` // of before, to two digits; null: that was nothing
}

type heldDiffDocument struct {
	Reason string `json:"reason"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

func newDiffDocument(m *jobs.Mill, before, after *price.Version) diffDocument {
	d := price.Differences(before, after)
	document := diffDocument{
		Before: newPricesHead(m, before), After: newPricesHead(m, after), Rules: []ruleChangeDocument{},
		AppliesTo: appliesDocument{append([]string{}, d.Added...), append([]string{}, d.Removed...)},
	}
	for _, c := range d.Rules {
		change := ruleChangeDocument{Change: string(c.Kind), Moved: c.Moved, Operation: optional(c.Rule.Operation), When: c.Rule.WhenWords()}
		if c.Before != 0 {
			change.RuleBefore, change.PriceBefore = &c.Before, c.Rule.PriceWords()
		}
		if c.After != 0 {
			change.RuleAfter, change.PriceAfter = &c.After, c.Rule.PriceWords()
		}
		if c.Kind == price.Changed {
			change.PriceBefore = c.Was.PriceWords()
		}
		document.Rules = append(document.Rules, change)
	}
	return document
}

func newEffectDocument(e jobs.PriceEffect) *effectDocument {
	document := &effectDocument{
		Period: e.Period.String(), Total: newChangeDocument(e.Total), Accounts: e.Accounts, Touched: e.Touched,
		Operations: []changeDocument{}, OperationsTotal: e.AllOperations, Held: []heldDiffDocument{},
		More: []changeDocument{}, MoreTotal: e.AllMore, Less: []changeDocument{}, LessTotal: e.AllLess,
	}
	for _, c := range e.Operations {
		change := newChangeDocument(c)
		change.Operation = c.Name
		document.Operations = append(document.Operations, change)
	}
	for _, list := range []struct {
		changes []jobs.PriceChange
		to      *[]changeDocument
	}{{e.More, &document.More}, {e.Less, &document.Less}} {
		for _, c := range list.changes {
			change := newChangeDocument(c)
			change.Account = c.Name
			*list.to = append(*list.to, change)
		}
	}
	for _, h := range e.Held {
		document.Held = append(document.Held, heldDiffDocument(h))
	}
	return document
}

func newChangeDocument(c jobs.PriceChange) changeDocument {
	document := changeDocument{Calls: c.Calls, Changed: c.Changed, Before: c.Before.String(), After: c.After.String(), Difference: c.Difference().String()}
	if percent, ok := c.Percent(); ok {
		document.Percent = &percent
	}
	return document
}

func (a *app) priceDiff(d diffDocument) {
	a.printf("before  %s\nafter   %s\n\n", d.Before, d.After)
	if d.Before.From != d.After.From {
		a.printf("in force from  %s → %s\n", d.Before.From, d.After.From)
	}
	for _, pattern := range d.AppliesTo.Removed {
		a.printf("applies to     no longer %s\n", printable(pattern))
	}
	for _, pattern := range d.AppliesTo.Added {
		a.printf("applies to     also %s\n", printable(pattern))
	}
	for _, c := range d.Rules {
		a.printf("%-14s %s\n", c.Change, printable(c.head()))
		switch c.Change {
		case string(price.Added):
			a.printf("               %s\n", printable(price.OneLine(c.PriceAfter)))
		case string(price.Removed), string(price.Moved):
			a.printf("               %s\n", printable(price.OneLine(c.PriceBefore)))
		default:
			a.printf("               %s\n             → %s\n", printable(price.OneLine(c.PriceBefore)), printable(price.OneLine(c.PriceAfter)))
		}
	}
	if len(d.AppliesTo.Removed)+len(d.AppliesTo.Added)+len(d.Rules) == 0 {
		a.printf("The rules are the same.\n")
	}
}

// String names a version and its file.
func (h pricesHead) String() string {
	return printable(fmt.Sprintf("%s version %d, %s", h.Table, h.Version, h.File))
}

// head says which rule: its number before or after, its operation and conditions.
func (c ruleChangeDocument) head() string {
	var b strings.Builder
	switch {
	case c.RuleBefore == nil:
		fmt.Fprintf(&b, "rule %d", *c.RuleAfter)
	case c.RuleAfter == nil || *c.RuleAfter == *c.RuleBefore:
		fmt.Fprintf(&b, "rule %d", *c.RuleBefore)
	default:
		fmt.Fprintf(&b, "rule %d, now %d", *c.RuleBefore, *c.RuleAfter)
	}
	if c.Moved && c.Change != string(price.Moved) {
		b.WriteString(" (moved)")
	}
	if c.Operation == nil {
		b.WriteString(": any operation")
	} else {
		b.WriteString(": " + *c.Operation)
	}
	if len(c.When) > 0 {
		b.WriteString(" when " + strings.Join(c.When, " and "))
	}
	return b.String()
}

func (a *app) priceEffect(e effectDocument) {
	if e.Total.Calls == 0 {
		a.printf("\nNo rated call of %s is of an operation that either applies to.\n", e.Period)
		return
	}
	a.printf("\nThe %s of %s that either applies to, priced by each as if it had always been in force: the credits of %s change.\n\n",
		count(e.Total.Calls, "rated call"), e.Period, grouped(strconv.FormatInt(e.Total.Changed, 10)))
	operations := changeGrid("operation")
	for _, c := range e.Operations {
		operations.add(c.cells(c.Operation)...)
	}
	operations.add(e.Total.cells("all")...)
	a.printf("%s%s", operations, more(len(e.Operations), e.OperationsTotal))
	if len(e.Held) > 0 {
		held := newGrid("held", "before", "after", "difference").numbers(1, 2, 3)
		for _, h := range e.Held {
			held.add(h.Reason, grouped(strconv.FormatInt(h.Before, 10)), grouped(strconv.FormatInt(h.After, 10)), plus(strconv.FormatInt(h.After-h.Before, 10)))
		}
		a.printf("\n%s", held)
	}
	a.printf("\nOf %s, %s calls whose credits change.\n", count(e.Accounts, "account"), map[bool]string{true: "1 has", false: grouped(strconv.FormatInt(e.Touched, 10)) + " have"}[e.Touched == 1])
	for _, list := range []struct {
		title   string
		changes []changeDocument
		all     int64
	}{{"pays more", e.More, e.MoreTotal}, {"pays less", e.Less, e.LessTotal}} {
		if len(list.changes) == 0 {
			continue
		}
		accounts := changeGrid(list.title)
		for _, c := range list.changes {
			accounts.add(c.cells(c.Account)...)
		}
		a.printf("\n%s%s", accounts, more(len(list.changes), list.all))
	}
}

func changeGrid(first string) *grid {
	return newGrid(first, "calls", "changed", "before", "after", "difference", "percent").numbers(1, 2, 3, 4, 5, 6)
}

func (c changeDocument) cells(name string) []string {
	percent := ""
	if c.Percent != nil {
		percent = plus(*c.Percent) + " %"
	}
	return []string{
		name, grouped(strconv.FormatInt(c.Calls, 10)), grouped(strconv.FormatInt(c.Changed, 10)), grouped(c.Before), grouped(c.After), plus(c.Difference), percent,
	}
}

// plus writes a number that may be negative with its sign, and zero without one.
func plus(decimal string) string {
	if strings.HasPrefix(decimal, "-") || !strings.ContainsAny(decimal, "123456789") {
		return grouped(decimal)
	}
	return "+" + grouped(decimal)
}
