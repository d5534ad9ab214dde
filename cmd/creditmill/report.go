package main

import (
	"context"
	"errors"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/page"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// reportFlags are those of `report`.
type reportFlags struct {
	account, month string
	to             string
	force          bool
	sql            bool // an account's page shows its statements
}

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report --period MONTH | report --account ACCOUNT",
		Short: "Write the page of a month, or of an account",
		Long: "Write one HTML page, which needs no server and no network. Of a month: usage and credits over time, by\n" +
			"operation, project and account, balances and expiries, overage, alerts, invoices, revenue, and what is held\n" +
			"or rejected. Of an account: its balance, what it used, its activity and its invoices, for the customer.\n" +
			"Each number stands above the statement that gives it; on an account's page, which goes to the customer, with --sql\n" +
			"alone. A month that is not closed has a page too, which says so.",
		Example: "  creditmill report --period 2026-10\n" +
			"  creditmill report --account acme --period 2026-10 --to acme.html",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := parsePeriod(f.month)
			if err != nil {
				return err
			}
			if f.account == "" && p.IsZero() {
				return usagef("say what to report: --period MONTH, --account ACCOUNT, or both")
			}
			if f.account == "" {
				f.sql = true
			}
			return a.writeReport(cmd.Context(), f, p)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.month, "period", "", "report this `MONTH`, such as 2026-10, the open one too")
	flags.StringVar(&f.account, "account", "", "report this `ACCOUNT` (default: all of the month)")
	flags.StringVar(&f.to, "to", "", "write into this `FILE` (default: report-MONTH.html, report-ACCOUNT.html or report-ACCOUNT-MONTH.html)")
	flags.BoolVar(&f.force, "force", false, "replace the file if it is there")
	flags.BoolVar(&f.sql, "sql", false, "show on an account's page the statements that give its numbers, as a month's always does")
	return cmd
}

// path is where the page goes unless --to says.
func (f reportFlags) path() string {
	switch {
	case f.to != "":
		return f.to
	case f.account != "" && f.month != "":
		return "report-" + url.PathEscape(f.account) + "-" + f.month + ".html"
	case f.account != "":
		return "report-" + url.PathEscape(f.account) + ".html"
	}
	return "report-" + f.month + ".html"
}

func (a *app) writeReport(ctx context.Context, f reportFlags, p period.Period) (err error) {
	file, err := createFile(f.path(), f.force)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.discard()) }()
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	made, err := makeReport(ctx, m, f.account, p)
	if err != nil {
		return err
	}
	made.Bare = !f.sql
	if err := made.Write(file); err != nil {
		return err
	}
	bytes, err := file.keep()
	if err != nil {
		return err
	}
	done()
	return a.reported(reportDocument{Account: optional(f.account), Period: optional(p.String()), Run: m.Lake.State().Head, Provisional: made.Provisional, File: f.path(), Bytes: bytes})
}

func makeReport(ctx context.Context, m *jobs.Mill, account string, p period.Period) (*page.Page, error) {
	if account != "" {
		return m.ReportAccount(ctx, account, p)
	}
	return m.ReportPeriod(ctx, p)
}

// A reportDocument is what `report --json` prints.
type reportDocument struct {
	Account     *string `json:"account"`
	Period      *string `json:"period"`
	Run         int64   `json:"run"`
	Provisional bool    `json:"provisional"`
	File        string  `json:"file"`
	Bytes       int64   `json:"bytes"`
}

func (a *app) reported(d reportDocument) error {
	if a.json {
		return a.print(d)
	}
	what := "the page"
	if d.Account != nil {
		what += " of " + printable(*d.Account)
	} else {
		what += " of " + *d.Period
	}
	if d.Provisional {
		what += ", provisional,"
	}
	a.printf("Wrote %s into %s, as of run %d.\n", what, printable(d.File), d.Run)
	return nil
}
