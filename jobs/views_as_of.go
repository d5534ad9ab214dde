package jobs

import (
	"time"

	"github.com/creditmill/creditmill/internal/duck"
)

// BalancesAt is as_of.balances_at as an instant of SQL: what is compared with it is
// looked up in few files. It is NULL before there are balances.
func (l lakeText) BalancesAt() string {
	if month, at := l.mill.newestBalances(); !month.IsZero() {
		return instantLiteral(at)
	}
	return "CAST(NULL AS TIMESTAMP)"
}

// BalancesPeriod is as_of.balances_period, as a text of SQL or NULL.
func (l lakeText) BalancesPeriod() string {
	if month, _ := l.mill.newestBalances(); !month.IsZero() {
		return duck.Literal(month.String())
	}
	return "CAST(NULL AS VARCHAR)"
}

// WeekBefore is the period of the instant 7 days before as_of.balances_at, as a text of
// SQL or NULL.
func (l lakeText) WeekBefore() string {
	if month, at := l.mill.newestBalances(); !month.IsZero() {
		return duck.Literal(l.mill.Calendar.Of(at.Add(-7 * 24 * time.Hour)).String())
	}
	return "CAST(NULL AS VARCHAR)"
}

// BalancesAtEnd is whether the newest balances stand at their month's end: what the next
// month grants at that instant is not among them.
func (l lakeText) BalancesAtEnd() bool {
	month, at := l.mill.newestBalances()
	return !month.IsZero() && at.Equal(l.mill.Calendar.End(month))
}
