package jobs

import (
	"context"
	"errors"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/sql"
)

// makeAccounts makes a row for each account that has been opened, as far as
// subscriptions go, and standings and subscriptions with it.
func makeAccounts(ctx context.Context, d *desk) (err error) {
	defer func() { err = errors.Join(err, d.dropOpened(ctx)) }()
	if err := d.histories(ctx); err != nil {
		return err
	}
	return d.session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE accounts AS "+sql.Text("duckdb/history_accounts"))
}

// makeStandings makes standings and subscriptions, unless accounts has been made.
func makeStandings(ctx context.Context, d *desk) (err error) {
	var made bool
	if err := d.session.Row(ctx, "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'subscriptions'").Scan(&made); err != nil || made {
		return err
	}
	defer func() { err = errors.Join(err, d.dropOpened(ctx)) }()
	return d.histories(ctx)
}

// dropOpened drops what is no table of a session, also where ctx has ended: the session
// goes on.
func (d *desk) dropOpened(ctx context.Context) error {
	return d.session.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS opened")
}

// histories makes opened, for accounts; standings, each account at as_of.balances_at; and
// subscriptions, which go on to the clock of the newest run where that is later: calls
// may have been rated since, and a rate limit asks which plan was in force at them.
// Before there are balances both go as far as that clock.
func (d *desk) histories(ctx context.Context) (err error) {
	state, m := d.mill.Lake.State(), d.mill
	ends, err := d.asOf(ctx)
	if err != nil {
		return err
	}
	in := invoice.HistoryInput{
		Session: d.session, Scratch: d.scratch, Calendar: m.Calendar, FirstPeriod: m.Config.FirstPeriod, Catalog: m.Catalog,
		Currency: m.Config.Currency, UnknownPlan: m.Config.UnknownPlan, At: ends.balancesAt, Until: ends.runAt,
	}
	if in.At.IsZero() {
		in.At = in.Until
	}
	if in.Until.Before(in.At) {
		in.Until = in.At
	}
	const calls = "history_calls"
	defer func() {
		err = errors.Join(err, d.session.Exec(context.WithoutCancel(ctx), "DROP VIEW IF EXISTS "+calls))
	}()
	if in.UnknownPlan != "" {
		open, _ := state.Open(m.Config.FirstPeriod)
		if err := d.view(ctx, calls, lake.Rated, state.Partition(lake.Rated, open.String())); err != nil {
			return err
		}
	}
	return invoice.Histories(ctx, in)
}
