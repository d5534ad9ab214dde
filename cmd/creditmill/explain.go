package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) explainCommand() *cobra.Command {
	var o jobs.ExplainOptions
	var month string
	cmd := &cobra.Command{
		Use:   "explain (EVENT-ID | NUMBER/LINE | NUMBER)",
		Short: "Say why a call, or a line of an invoice, costs what it costs",
		Long: "Explain one call: where it stands in the raw logs, how it was read, which rule priced it with the arithmetic\n" +
			"step by step, who paid for it, on which invoice line, and what re-rates did to it. Or explain a line of an\n" +
			"invoice or note: the plan or pack, the event and the arithmetic behind it, and calls to go on with. A number\n" +
			"alone explains all of its lines in brief.",
		Example: "  creditmill explain req-123\n" +
			"  creditmill explain req-123 --account acme --period 2026-10\n" +
			"  creditmill explain INV-2026-000001/2",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if args[0] == "" {
				return usagef("name a call by its id, or a line of an invoice such as INV-2026-000001/2")
			}
			if o.Period, err = parsePeriod(month); err != nil {
				return err
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			explained, err := m.Explain(cmd.Context(), args[0], o)
			done()
			if errors.Is(err, jobs.ErrNothingToExplain) {
				return withHint(err, "`creditmill query \"SELECT event_id, account, source FROM usage WHERE …\"` finds calls, `creditmill invoice` lists invoices")
			}
			if err != nil {
				return err
			}
			return a.explained(explained)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Account, "account", "", "the call of this `ACCOUNT`, where several have the id")
	flags.StringVar(&o.Source, "source", "", "the call of this `SOURCE`, where several have the id")
	flags.StringVar(&month, "period", "", "the call of this `MONTH` by its time, such as 2026-10: less is read, too")
	return cmd
}

func (a *app) explained(e jobs.Explanation) error {
	switch {
	case e.Call != nil:
		if a.json {
			return a.print(e.Call)
		}
		a.explainedCall(e.Call)
	case e.Line != nil:
		if a.json {
			return a.print(e.Line)
		}
		a.explainedLine(e.Line)
	case e.Document != nil:
		if a.json {
			return a.print(e.Document)
		}
		a.explainedDocument(e.Document)
	}
	return nil
}
