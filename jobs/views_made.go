package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
)

// A madeTable is a table of a reader's session alone: what queries need to know and no
// table of the lake says.
type madeTable struct {
	name string
	from []string // the live tables that it is made of, for a remote lake
	make func(context.Context, *desk) error
}

var madeTables = []madeTable{
	{"as_of", nil, makeAsOf},
	{"accounts", []string{"account_events", "balances", "invoice_lines", "ledger"}, makeAccounts},
	{"standings", []string{"account_events"}, makeStandings},
	{"subscriptions", []string{"account_events"}, makeStandings},
	{"issued_statements", nil, makeIssuedStatements},
	{"issued_balances", nil, makeIssuedBalances},
}

// An asOf is how far the tables of a session go.
type asOf struct {
	run        int64     // the newest, 0: none
	runAt      time.Time // its clock
	month      period.Period
	balancesAt time.Time // zero, as is month, until a month was applied or closed
}

// asOf is that of d's lake. A closed month's balances stand at its end, the open one's
// at the clock of the apply that burned it down, or at its end if that was later.
func (d *desk) asOf(ctx context.Context) (a asOf, err error) {
	m, state := d.mill, d.mill.Lake.State()
	if a.run = state.Head; a.run > 0 {
		newest, err := m.Lake.Run(ctx, a.run)
		if err != nil {
			return a, err
		}
		a.runAt = newest.Now
	}
	a.month, a.balancesAt = m.newestBalances()
	return a, nil
}

// newestBalances are those of the open month as far as it was applied, else of the last
// closed one, with the instant that they stand at: zero, both, without any.
func (m *Mill) newestBalances() (month period.Period, at time.Time) {
	state := m.Lake.State()
	open, _ := state.Open(m.Config.FirstPeriod)
	if applied := state.Applied(open); applied != nil {
		if end := m.Calendar.End(open); end.Before(applied.Now) {
			return open, end
		}
		return open, applied.Now
	}
	if last := open.Add(-1); !last.Before(m.Config.FirstPeriod) {
		return last, m.Calendar.End(last)
	}
	return period.Period{}, time.Time{}
}

// makeAsOf makes the one row of as_of.
func makeAsOf(ctx context.Context, d *desk) error {
	a, err := d.asOf(ctx)
	if err != nil {
		return err
	}
	runAt, month, at := "NULL", "NULL", "NULL"
	if a.run > 0 {
		runAt = instantLiteral(a.runAt)
	}
	if !a.month.IsZero() {
		month, at = duck.Literal(a.month.String()), instantLiteral(a.balancesAt)
	}
	return d.session.Exec(ctx, fmt.Sprintf(
		"CREATE OR REPLACE TEMP VIEW as_of AS SELECT CAST(%d AS BIGINT) AS run, CAST(%s AS TIMESTAMP) AS run_at, CAST(%s AS VARCHAR) AS balances_period, CAST(%s AS TIMESTAMP) AS balances_at",
		a.run, runAt, month, at))
}
