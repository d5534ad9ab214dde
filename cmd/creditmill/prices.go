package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/rate/price"
)

func (a *app) pricesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "Show price tables in plain words, and what a new version changes",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.pricesShowCommand(), a.pricesDiffCommand())
	return cmd
}

func (a *app) pricesShowCommand() *cobra.Command {
	var at string
	var every, statement bool
	cmd := &cobra.Command{
		Use:   "show [TABLE[@VERSION]]",
		Short: "Show price tables in plain words, or as the SELECT that rates",
		Long: "Show the versions of price tables that are in force, or the one named, rule by rule in plain words. With --sql,\n" +
			"print the one SELECT that rates the calls of the open month, of all tables, and nothing else.",
		Example:           "  creditmill prices show api@2\n  creditmill prices show --sql > rate.sql",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeVersions(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case statement && len(args) > 0:
				return usagef("--sql is the SELECT of all tables: leave out %s", printable(args[0]))
			case statement && (every || at != ""), every && at != "":
				return usagef("--at, --all and --sql exclude each other")
			}
			instant, err := a.instant()
			if err != nil {
				return err
			}
			if at != "" {
				if instant, err = period.ParseInstant(at); err != nil {
					return usagef("--at: %w", err)
				}
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if statement {
				return a.ratingSelect(m)
			}
			versions, err := choosePrices(m, strings.Join(args, ""), instant, every)
			if err != nil {
				return err
			}
			return a.prices(m, versions, instant)
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "show what is in force at this `INSTANT` (default: now)")
	cmd.Flags().BoolVar(&every, "all", false, "show every version")
	cmd.Flags().BoolVar(&statement, "sql", false, "print the SELECT that rates")
	return cmd
}

// completeVersions completes up to n versions of price tables.
func (a *app) completeVersions(n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		setup, err := jobs.LoadSetup(a.config)
		if err != nil || len(args) >= n {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var names []string
		for _, v := range setup.Prices.Versions() {
			names = append(names, fmt.Sprintf("%s@%d", v.Table, v.Version))
		}
		return names, cobra.ShellCompDirectiveDefault
	}
}

// choosePrices picks a version, those of a table or those of all; of several the ones
// in force at an instant, or all.
func choosePrices(m *jobs.Mill, name string, at time.Time, every bool) ([]*price.Version, error) {
	table := func(v *price.Version) bool { return name == "" || v.Table == name }
	if name != "" && !slices.ContainsFunc(m.Prices.Versions(), table) {
		v, err := m.ConfiguredPrices(name)
		return []*price.Version{v}, err
	}
	var chosen []*price.Version
	for _, v := range m.Prices.Versions() {
		if table(v) && (every || v.Counts(at)) {
			chosen = append(chosen, v)
		}
	}
	return chosen, nil
}

func (a *app) ratingSelect(m *jobs.Mill) error {
	statement, err := m.RatingSelect()
	if err != nil {
		return err
	}
	if a.json {
		return a.print(map[string]string{"sql": statement})
	}
	a.printf("%s\n", strings.TrimRight(statement, "\n"))
	return nil
}

// A pricesDocument is a version of a price table as `prices show --json` prints it.
type pricesDocument struct {
	pricesHead
	AppliesTo []string       `json:"applies_to"`
	Rules     []ruleDocument `json:"rules"`
}

// A pricesHead says which version of a price table is meant, and when it counts.
type pricesHead struct {
	Table   string  `json:"table"`
	Version int     `json:"version"`
	File    string  `json:"file"`
	From    string  `json:"effective_from"`
	Until   *string `json:"until"` // null: without end; at effective_from: it is never in force
	UsedBy  *int64  `json:"used_by_run"`
}

type ruleDocument struct {
	Rule      int      `json:"rule"`
	Operation *string  `json:"operation"` // null: any
	When      []string `json:"when"`      // all must hold
	Price     []string `json:"price"`     // addends, then what changes their sum
}

func newPricesHead(m *jobs.Mill, v *price.Version) pricesHead {
	head := pricesHead{Table: v.Table, Version: v.Version, File: v.File, From: period.FormatInstant(v.From), Until: optional(instantText(v.Until))}
	if run := m.PricesUsedBy(v.VersionRef); run != 0 {
		head.UsedBy = &run
	}
	return head
}

func newPricesDocument(m *jobs.Mill, v *price.Version) pricesDocument {
	document := pricesDocument{newPricesHead(m, v), v.AppliesTo, []ruleDocument{}}
	for i, r := range v.Rules {
		document.Rules = append(document.Rules, ruleDocument{i + 1, optional(r.Operation), r.WhenWords(), r.PriceWords()})
	}
	return document
}

func (a *app) prices(m *jobs.Mill, versions []*price.Version, at time.Time) error {
	documents := []pricesDocument{}
	for _, v := range versions {
		documents = append(documents, newPricesDocument(m, v))
	}
	if a.json {
		return a.print(map[string]any{"prices": documents})
	}
	if len(documents) == 0 {
		a.printf("No price table is in force at %s; --all shows every version.\n", period.FormatInstant(at))
	}
	for i, d := range documents {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("%s version %d, %s\n", printable(d.Table), d.Version, printable(d.File))
		a.printf("  in force    %s\n", d.inForce())
		a.printf("  first used  %s\n", d.firstUsed())
		a.printf("  applies to  %s\n\n%s", printable(strings.Join(d.AppliesTo, ", ")), ruleGrid(d.Rules))
	}
	return nil
}

func (h pricesHead) inForce() string {
	switch {
	case h.Until == nil:
		return "from " + h.From + " on"
	case *h.Until == h.From:
		return "never: a higher version has the same effective_from, " + h.From
	default:
		return "from " + h.From + " until " + *h.Until
	}
}

func (h pricesHead) firstUsed() string {
	if h.UsedBy == nil {
		return "by no run yet"
	}
	return fmt.Sprintf("by run %d", *h.UsedBy)
}

// ruleGrid sets rules as a table; conditions and lines of the price stand under each
// other.
func ruleGrid(rules []ruleDocument) *grid {
	g := newGrid("rule", "operation", "when", "price").numbers(0)
	for _, r := range rules {
		operation := "any"
		if r.Operation != nil {
			operation = *r.Operation
		}
		for i := range max(len(r.When), len(r.Price)) {
			cells := make([]string, 4)
			if i == 0 {
				cells[0], cells[1] = fmt.Sprint(r.Rule), operation
			}
			if i < len(r.When) {
				cells[2] = r.When[i]
			}
			if i < len(r.Price) {
				cells[3] = r.Price[i]
			}
			g.add(cells...)
		}
	}
	return g
}
