package main

import (
	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) rateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rate",
		Short: "Price the calls that no run has priced yet",
		Long: "Price the calls that no run has priced yet, and again those of open periods whose price-table\n" +
			"version has been superseded. Calls that cannot be priced are held (`creditmill held`).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Rate(cmd.Context())
			done()
			if err != nil {
				return err
			}
			if a.json {
				return a.print(newRateDocument(report))
			}
			a.rated(report)
			return nil
		},
	}
}

// A rateDocument is what `rate --json` prints.
type rateDocument struct {
	Run     *int64           `json:"run"`
	Calls   int64            `json:"calls"`
	Credits string           `json:"credits"`
	Held    map[string]int64 `json:"held"`
}

func newRateDocument(r jobs.RateReport) rateDocument {
	return rateDocument{Run: number(r.Run), Calls: r.Totals.Calls, Credits: creditsRated(r.Totals), Held: counts(r.Totals.Held)}
}

func creditsRated(t lake.Totals) string {
	if credits := t.Credits["rated"]; credits != "" {
		return credits
	}
	return "0"
}

func (a *app) rated(r jobs.RateReport) {
	if r.Run == nil {
		a.printf("Nothing to rate: every call that was read is rated with the prices in force.\n")
		return
	}
	a.printf("%s\n", rateSentence(r.Totals))
	a.printf("Committed as run %d.\n", r.Run.Number)
	if total(r.Totals.Held) > 0 {
		a.printf("`creditmill held` shows what is held and how it is resolved.\n")
	}
}

func rateSentence(t lake.Totals) string {
	text := "Rated " + count(t.Calls, "call") + " for " + grouped(creditsRated(t)) + " credits"
	if n := total(t.Held); n > 0 {
		return text + "; " + count(n, "call") + " held (" + byReason(t.Held) + ")."
	}
	return text + "; none is held."
}
