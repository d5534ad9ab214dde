package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

func (a *app) balanceCommand() *cobra.Command {
	var month string
	limit := 10
	cmd := &cobra.Command{
		Use:   "balance ACCOUNT",
		Short: "Show an account's buckets and what moved them",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(month)
			if err != nil {
				return err
			}
			return a.read(cmd.Context(), func(m *jobs.Mill, r *jobs.Reader) error {
				b, err := readBalance(cmd.Context(), r.Session(), args[0], p.String(), limit)
				if err != nil {
					return err
				}
				_, closed := m.Lake.State().Closed(b.closedPeriod())
				b.Provisional = !closed
				if a.json {
					return a.print(b.document())
				}
				a.balance(b)
				return nil
			}, lake.Balances.Name, lake.Ledger.Name)
		},
	}
	cmd.Flags().StringVar(&month, "period", "", "show this `MONTH` (default: the newest in which the account has a bucket)")
	cmd.Flags().IntVar(&limit, "limit", limit, "show at most `N` entries of the ledger, the newest")
	return cmd
}

// An accountBalance is an account's buckets in one period.
type accountBalance struct {
	Account, Period string
	Provisional     bool // the period is not closed
	Usable          decimal
	buckets, ledger result
}

func readBalance(ctx context.Context, s *duck.Session, account, month string, limit int) (accountBalance, error) {
	b := accountBalance{Account: account}
	found, err := fetch(ctx, s, sql.Text("duckdb/show_balance_period"), account, month)
	if err != nil {
		return b, err
	}
	if b.Period = plain(found.rows[0][0]); b.Period == "" {
		where := ""
		if month != "" {
			where = " in " + month
		}
		return b, withHint(errNoBuckets(account+where), "balances are as of the last `creditmill apply` or `close`; "+
			"`creditmill query \"SELECT DISTINCT account, period FROM balances ORDER BY ALL\"` lists who has one")
	}
	if usable, ok := found.rows[0][1].(decimal); ok {
		b.Usable = decimal(trimmed(string(usable)))
	}
	if b.buckets, err = fetch(ctx, s, sql.Text("duckdb/show_buckets"), account, b.Period); err != nil {
		return b, err
	}
	b.ledger, err = fetch(ctx, s, sql.Text("duckdb/show_ledger"), account, b.Period, limit)
	return b, err
}

func errNoBuckets(account string) error { return fmt.Errorf("account %s has no bucket", account) }

func (b accountBalance) closedPeriod() period.Period {
	p, err := period.Parse(b.Period)
	if err != nil {
		return period.Period{} // never closed
	}
	return p
}

func (b accountBalance) document() map[string]any {
	buckets, _ := b.buckets.document("price", "recognised", "breakage", "deferred")
	ledger, of := b.ledger.document()
	return map[string]any{
		"account": b.Account, "period": b.Period, "provisional": b.Provisional, "remaining": b.Usable,
		"buckets": buckets, "ledger": ledger, "ledger_total": of,
	}
}

func (a *app) balance(b accountBalance) {
	state := "closed"
	if b.Provisional {
		state = "as of the last apply"
	}
	a.printf("%s, %s (%s): %s credits remain\n\n", printable(b.Account), b.Period, state, grouped(string(b.Usable)))
	grid := newGrid("bucket", "kind", "expires", "opening", "granted", "burned", "expired", "voided", "rolled out", "remaining").numbers(3, 4, 5, 6, 7, 8, 9)
	for _, row := range b.buckets.objects() {
		expires := plain(row["expires_at"])
		if expires == "" {
			expires = "never"
		}
		grid.add(plain(row["bucket_id"]), plain(row["kind"]), expires, pretty(row["opening"]), pretty(row["granted"]), pretty(row["burned"]),
			pretty(row["expired"]), pretty(row["voided"]), pretty(row["rolled_out"]), pretty(row["remaining"]))
	}
	a.printf("%s", grid)
	entries, of := b.ledger.document()
	if len(entries) == 0 {
		return
	}
	ledger := newGrid("at", "entry", "credits", "bucket", "detail").numbers(2)
	for _, row := range entries {
		ledger.add(plain(row["at"]), plain(row["entry"]), pretty(row["credits"]), plain(row["bucket_id"]), plain(row["detail"]))
	}
	a.printf("\nLedger, newest first\n%s%s", ledger, more(len(entries), of))
}
