package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

func (a *app) balanceCommand() *cobra.Command {
	var month string
	limit := 10
	cmd := &cobra.Command{
		Use:   "balance ACCOUNT",
		Short: "Show an account's plan, its buckets and what moved them",
		Long: "Show how an account stands in a month: its plan, its buckets in the order in which they pay, what no bucket\n" +
			"paid for, and the newest entries of its ledger. The open month is as of the last apply.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(month)
			if err != nil {
				return err
			}
			return a.read(cmd.Context(), func(m *jobs.Mill, r *jobs.Reader) error {
				standing, err := m.Standing(p)
				if err != nil {
					return err
				}
				b := accountBalance{Account: args[0], Standing: standing}
				if err := b.read(cmd.Context(), a, r, limit); err != nil {
					return err
				}
				if a.json {
					return a.print(b.document())
				}
				a.balance(b)
				return nil
			}, lake.Balances.Name, lake.Ledger.Name)
		},
	}
	cmd.Flags().StringVar(&month, "period", "", "show this `MONTH` (default: the newest that was closed or applied)")
	cmd.Flags().IntVar(&limit, "limit", limit, "show at most `N` entries of the ledger, the newest")
	return cmd
}

// An accountBalance is how an account stands in one period.
type accountBalance struct {
	Account                 string
	Standing                jobs.Standing
	State                   jobs.AccountState
	Usable, Overage, Denied decimal // of the period
	buckets, ledger         result
}

func (b *accountBalance) read(ctx context.Context, a *app, r *jobs.Reader, limit int) (err error) {
	if b.State, err = r.Account(ctx, b.Account, b.Standing); err != nil && !b.State.Known {
		return err
	}
	if err != nil { // what it holds can be shown all the same
		a.warnf("its plan cannot be told: %s", printable(err.Error()))
	}
	s, month := r.Session(), b.Standing.Period.String()
	if b.buckets, err = fetch(ctx, s, sql.Text("duckdb/show_buckets"), b.Account, month); err != nil {
		return err
	}
	if err := b.readSums(ctx, s, month); err != nil {
		return err
	}
	b.ledger, err = fetch(ctx, s, sql.Text("duckdb/show_ledger"), b.Account, month, limit)
	return err
}

// readSums reads what the account's buckets hold together, and what none paid for.
func (b *accountBalance) readSums(ctx context.Context, s *duck.Session, month string) error {
	found, err := fetch(ctx, s, sql.Text("duckdb/show_balance"), b.Account, month)
	if err != nil {
		return err
	}
	for i, to := range []*decimal{&b.Usable, &b.Overage, &b.Denied} {
		*to = decimal(trimmed(plain(found.rows[0][i])))
	}
	return nil
}

// How far a period has been burned down.
const (
	standingClosed  = "closed"
	standingApplied = "applied"
	standingOpen    = "not_applied"
)

func (b *accountBalance) standing() string {
	switch {
	case b.Standing.Closed:
		return standingClosed
	case b.Standing.Applied:
		return standingApplied
	default:
		return standingOpen
	}
}

func (b *accountBalance) document() map[string]any {
	buckets, _ := b.buckets.document("price", "recognised", "breakage", "deferred")
	ledger, of := b.ledger.document()
	var version *int
	if b.State.Profile.Plan != "" {
		version = &b.State.Profile.PlanVersion
	}
	document := map[string]any{
		"account": b.Account, "period": b.Standing.Period.String(), "standing": b.standing(), "provisional": !b.Standing.Closed,
		"opened_at": optional(instantText(b.State.OpenedAt)), "plan": optional(b.State.Profile.Plan), "plan_version": version,
		"currency": b.State.Profile.Currency.String(), "remaining": b.Usable, "overage": b.Overage, "denied": b.Denied,
		"buckets": buckets, "ledger": ledger, "ledger_total": of,
	}
	if b.standing() == standingOpen { // nobody has counted them
		document["remaining"], document["overage"], document["denied"] = nil, nil, nil
	}
	return document
}

func (a *app) balance(b accountBalance) {
	switch remain := grouped(string(b.Usable)) + " credits remain"; b.standing() {
	case standingClosed:
		a.printf("%s, %s (closed): %s\n\n", printable(b.Account), b.Standing.Period, remain)
	case standingApplied:
		a.printf("%s, %s (as of the last apply): %s\n\n", printable(b.Account), b.Standing.Period, remain)
	default:
		a.printf("%s, %s: not burned down yet, `creditmill apply` does that\n\n", printable(b.Account), b.Standing.Period)
	}
	a.standing(b)
	if buckets := b.buckets.objects(); len(buckets) > 0 {
		a.printf("\n")
		a.buckets(buckets)
	} else if b.standing() != standingOpen {
		a.printf("\nNo bucket was open in %s.\n", b.Standing.Period)
	}
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

// standing prints what the account is by its events, and what no bucket paid for.
func (a *app) standing(b accountBalance) {
	line := func(name, format string, args ...any) {
		a.printf("  %-9s "+format+"\n", append([]any{name}, args...)...)
	}
	profile := b.State.Profile
	if b.State.OpenedAt.IsZero() {
		line("opened", "not yet: its calls are held")
	} else {
		line("opened", "%s", instantText(b.State.OpenedAt))
	}
	if profile.Plan == "" {
		line("plan", "none")
	} else {
		line("plan", "%s version %d", printable(profile.Plan), profile.PlanVersion)
	}
	for _, unpaid := range []struct {
		name    string
		credits decimal
	}{{"overage", b.Overage}, {"denied", b.Denied}} {
		if unpaid.credits != "0" {
			line(unpaid.name, "%s credits", grouped(string(unpaid.credits)))
		}
	}
}

func (a *app) buckets(rows []map[string]any) {
	grid := newGrid("bucket", "kind", "expires", "opening", "granted", "burned", "expired", "voided", "rolled out", "remaining").numbers(3, 4, 5, 6, 7, 8, 9)
	for _, row := range rows {
		expires := plain(row["expires_at"])
		if expires == "" {
			expires = "never"
		}
		grid.add(plain(row["bucket_id"]), plain(row["kind"]), expires, pretty(row["opening"]), pretty(row["granted"]), pretty(row["burned"]),
			pretty(row["expired"]), pretty(row["voided"]), pretty(row["rolled_out"]), pretty(row["remaining"]))
	}
	a.printf("%s", grid)
}
