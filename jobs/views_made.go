package jobs

import (
	"context"
	"fmt"

	"github.com/creditmill/creditmill/internal/duck"
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
}

// makeAsOf makes the one row of as_of: the newest run in the session and its clock, and
// the month and instant that the newest balances stand at. A closed month's stand at its
// end, an open one's at the clock of the apply that burned it down; without either all
// but the run is NULL.
func makeAsOf(ctx context.Context, d *desk) error {
	state := d.mill.Lake.State()
	run, runAt, month, at := "0", "NULL", "NULL", "NULL"
	if state.Head > 0 {
		newest, err := d.mill.Lake.Run(ctx, state.Head)
		if err != nil {
			return err
		}
		run, runAt = fmt.Sprint(state.Head), instantLiteral(newest.Now)
	}
	open, _ := state.Open(d.mill.Config.FirstPeriod)
	if applied := state.Applied(open); applied != nil {
		month, at = duck.Literal(open.String()), instantLiteral(applied.Now)
	} else if last := open.Add(-1); !last.Before(d.mill.Config.FirstPeriod) {
		month, at = duck.Literal(last.String()), instantLiteral(d.mill.Calendar.End(last))
	}
	return d.session.Exec(ctx, fmt.Sprintf(
		"CREATE OR REPLACE TEMP VIEW as_of AS SELECT CAST(%s AS BIGINT) AS run, CAST(%s AS TIMESTAMP) AS run_at, CAST(%s AS VARCHAR) AS balances_period, CAST(%s AS TIMESTAMP) AS balances_at",
		run, runAt, month, at))
}
