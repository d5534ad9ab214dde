package main

import (
	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) applyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "apply",
		Short: "Burn the open period down as far as usage is known",
		Long: "Burn the open period down as far as usage is rated, and publish provisional balances, ledger and\n" +
			"alerts. It may run any number of times; `creditmill close` does it for good.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Apply(cmd.Context())
			done()
			if err != nil {
				return err
			}
			if a.json {
				return a.print(newApplyDocument(report))
			}
			a.applied(report)
			return nil
		},
	}
}

// An applyDocument is what `apply --json` prints.
type applyDocument struct {
	Run    *int64              `json:"run"`
	Period string              `json:"period"`
	Until  string              `json:"until"`
	Totals totalsDocument      `json:"totals"`
	Held   []heldEventDocument `json:"held_events"`
	Left   []blockDocument     `json:"left_out"` // accounts that cannot go on, for the catalog lacks what they need
}

// A totalsDocument is what a burn-down came to. Credits and money are exact.
type totalsDocument struct {
	Calls    int64             `json:"calls"`
	Accounts int64             `json:"accounts"`
	Invoices int64             `json:"invoices"`
	Credits  map[string]string `json:"credits"`
	Money    map[string]string `json:"money"`
}

type heldEventDocument struct {
	Event   string `json:"event_id"`
	Type    string `json:"type"`
	Account string `json:"account"`
	At      string `json:"at"`
	Reason  string `json:"reason"`
}

func newTotalsDocument(t lake.Totals) totalsDocument {
	return totalsDocument{t.Calls, t.Accounts, t.Invoices, texts(t.Credits), texts(t.Money)}
}

func texts(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func newApplyDocument(r jobs.ApplyReport) applyDocument {
	document := applyDocument{
		Run: number(r.Run), Period: r.Period.String(), Until: period.FormatInstant(r.Until),
		Totals: newTotalsDocument(r.Totals), Held: []heldEventDocument{}, Left: newBlockDocuments(r.Missing),
	}
	for _, h := range r.Held {
		document.Held = append(document.Held, heldEventDocument{h.Event.ID, h.Event.Type, h.Event.Account, period.FormatInstant(h.Event.At), h.Reason})
	}
	return document
}

func (a *app) applied(r jobs.ApplyReport) {
	if r.Run == nil {
		if r.Ahead {
			a.printf("%s has not begun: there is nothing to burn down yet.\n", r.Period)
			return
		}
		a.printf("Nothing has changed in %s: its balances are what the last apply published.\n", r.Period)
	} else {
		a.printf("Burned %s down as far as %s.\n", r.Period, period.FormatInstant(r.Until))
		a.burned(r.Totals)
		a.printf("Committed as run %d. `creditmill balance ACCOUNT` shows an account.\n", r.Run.Number)
	}
	for _, b := range r.Missing {
		a.warnf("left out %s", printable(b.Reason))
		for _, example := range b.Examples {
			a.warnf("  %s", printable(short(example, maxExample)))
		}
		a.hint(b.Resolve)
	}
	for _, h := range r.Held {
		a.warnf("%s %s of account %s at %s is held: %s", h.Event.Type, printable(h.Event.ID), printable(h.Event.Account),
			period.FormatInstant(h.Event.At), printable(h.Reason))
	}
}

// burned prints what a burn-down came to, credits by what paid them.
func (a *app) burned(t lake.Totals) {
	a.printf("  %s of %s\n", count(t.Calls, "call"), count(t.Accounts, "account"))
	for _, line := range orderedCredits(t.Credits) {
		a.printf("  %-12s %s credits\n", line.kind, grouped(line.credits))
	}
}

type kindCredits struct{ kind, credits string }

// orderedCredits lists credits by kind in the order of SPEC section 11, burns.
func orderedCredits(credits map[string]string) []kindCredits {
	var list []kindCredits
	for _, kind := range []string{"rated", "allowance", "rollover", "pack", "topup", "promotion", "opened", "overage", "denied"} {
		if c := credits[kind]; c != "" && c != "0" {
			list = append(list, kindCredits{kind, c})
		}
	}
	return list
}
