package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) voidCommand() *cobra.Command {
	var (
		options jobs.VoidOptions
		month   string
	)
	cmd := &cobra.Command{
		Use:   "void (--event ID | --object KEY) --reason TEXT",
		Short: "Take wrongly logged calls back",
		Long: "Take back a call, or all calls of a raw object. In a month that is not cut they leave `usage` and\n" +
			"`rated` at once and stand in `rejected` with reason `voided`; calls of a closed month are noted, and\n" +
			"leave with its next re-rate. Their ids stay taken: a later copy is rejected.",
		Example: "  creditmill void --event req-123 --reason 'a load test of our own'\n" +
			"  creditmill void --object gateway/2026/10/03/a.jsonl --reason 'logged twice under other ids'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			switch {
			case (options.EventID == "") == (options.Object == ""):
				return usagef("void takes either --event ID or --object KEY")
			case options.Object != "" && options.Account != "":
				return usagef("--account goes with --event: an object is voided whole")
			case strings.TrimSpace(options.Reason) == "":
				return usagef("void needs --reason TEXT: it stays with the calls")
			}
			if options.Period, err = parsePeriod(month); err != nil {
				return err
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Void(cmd.Context(), options)
			done()
			if errors.Is(err, jobs.ErrNoSuchCall) {
				return withHint(err, "`creditmill query \"SELECT event_id, account, object FROM usage WHERE …\"` finds calls; what `creditmill rejects` lists is none")
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.print(newVoidDocument(report))
			}
			a.voided(report)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.EventID, "event", "", "void the call of this `ID`")
	flags.StringVar(&options.Object, "object", "", "void all calls of the raw object of this `KEY`")
	flags.StringVar(&options.Source, "source", "", "of this `SOURCE`, where several have the id or the key")
	flags.StringVar(&options.Account, "account", "", "of this `ACCOUNT`, where several have the id")
	flags.StringVar(&month, "period", "", "of this `MONTH` by their time, such as 2026-10, where several have the id")
	flags.StringVar(&options.Reason, "reason", "", "why, as a `TEXT` that stays with the calls (required)")
	return cmd
}

// A voidDocument is what `void --json` prints. Run is null when nothing was committed.
type voidDocument struct {
	Run     *int64           `json:"run"`
	Calls   int64            `json:"calls"`
	Pending int64            `json:"pending"`
	Credits string           `json:"credits"`
	NoRaw   int64            `json:"without_raw"`
	Listed  []voidedDocument `json:"listed"`
	Before  []beforeDocument `json:"voided_before"`
}

type voidedDocument struct {
	Source    string  `json:"source"`
	Account   string  `json:"account"`
	EventID   string  `json:"event_id"`
	Operation string  `json:"operation"`
	Time      string  `json:"time"`
	Object    string  `json:"object"`
	Line      int64   `json:"line"`
	Period    *string `json:"period"`
	Credits   *string `json:"credits"`
	Pending   bool    `json:"pending"`
}

type beforeDocument struct {
	Source  string `json:"source"`
	Account string `json:"account"`
	EventID string `json:"event_id"`
	Time    string `json:"time"`
	Object  string `json:"object"`
	Line    int64  `json:"line"`
	Run     int64  `json:"run"`
	Reason  string `json:"reason"`
	Pending bool   `json:"pending"`
}

func newVoidDocument(r jobs.VoidReport) voidDocument {
	document := voidDocument{
		Run: number(r.Run), Calls: r.Calls, Pending: r.Pending, Credits: trimmed(r.Credits), NoRaw: r.NoRaw,
		Listed: []voidedDocument{}, Before: []beforeDocument{},
	}
	for _, c := range r.Listed {
		document.Listed = append(document.Listed, voidedDocument{
			c.Source, c.Account, c.EventID, c.Operation, period.FormatInstant(c.Time), c.Object, c.Line,
			optional(c.Period), optional(trimmed(c.Credits)), c.Pending,
		})
	}
	for _, b := range r.Before {
		document.Before = append(document.Before, beforeDocument{
			b.Source, b.Account, b.EventID, period.FormatInstant(b.Time), b.Object, b.Line, b.Run, b.Reason, b.Pending,
		})
	}
	return document
}

func (a *app) voided(r jobs.VoidReport) {
	if r.Run == nil {
		for _, b := range r.Before {
			state := ""
			if b.Pending {
				state = "; it waits for a re-rate"
			}
			a.printf("Call %s of account %s was voided by run %d: %s%s.\n", printable(b.EventID), printable(b.Account), b.Run, printable(b.Reason), state)
		}
		a.printf("Nothing is left to void.\n")
		return
	}
	if at := r.Calls - r.Pending; at > 0 {
		a.printf("Voided %s of %s credits: %s in `rejected`, with reason voided.\n", count(at, "call"), grouped(trimmed(r.Credits)), stands(at))
	}
	if r.Pending > 0 {
		a.printf("Noted %s of months that are cut or closed: %s billed until a re-rate of the month.\n", count(r.Pending, "call"), stays(r.Pending))
	}
	grid := newGrid("source", "account", "call", "operation", "time", "object:line", "posts to", "credits", "").numbers(7)
	for _, c := range r.Listed {
		state := "voided"
		if c.Pending {
			state = "waits for a re-rate"
		}
		grid.add(c.Source, c.Account, c.EventID, c.Operation, period.FormatInstant(c.Time), fmt.Sprintf("%s:%d", c.Object, c.Line),
			c.Period, trimmed(c.Credits), state)
	}
	a.printf("%s", grid)
	if left := r.Calls - int64(len(r.Listed)); left > 0 {
		a.printf("  and %s more\n", count(left, "call"))
	}
	a.printf("Committed as run %d.\n", r.Run.Number)
	if r.NoRaw > 0 {
		a.printf("The raw text of %s is not kept: the object has changed or gone since it was read.\n", count(r.NoRaw, "call"))
	}
	if r.Calls > r.Pending {
		a.printf("`creditmill apply` brings the balances of the open month up to date.\n")
	}
}

func stands(n int64) string {
	if n == 1 {
		return "it stands"
	}
	return "they stand"
}

func stays(n int64) string {
	if n == 1 {
		return "it stays"
	}
	return "they stay"
}
