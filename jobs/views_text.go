package jobs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

// A lakeText is what the text of a view may ask of the lake that it is for.
type lakeText struct{ mill *Mill }

// Has reports whether the lake has a dimension or quantity of that name.
func (l lakeText) Has(name string) bool {
	return slices.ContainsFunc(l.mill.Lake.State().Columns, func(c lake.Column) bool { return c.Name == name })
}

// Local is the local time, in the billing time zone, of a column of instants: a
// TIMESTAMP expression. Its rules are the program's own time zone data, not DuckDB's.
func (l lakeText) Local(column string) string {
	return "(" + column + " + " + l.Offset(column) + ")"
}

// Offset is how far the billing time zone is ahead of UTC at a column of instants: an
// INTERVAL expression.
func (l lakeText) Offset(column string) string {
	first, last := l.span()
	var b strings.Builder
	at := first.In(l.mill.Calendar.Location())
	for {
		_, seconds := at.Zone()
		interval := fmt.Sprintf("to_seconds(%d)", seconds)
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(last) {
			if b.Len() == 0 {
				return interval
			}
			return "CASE" + b.String() + " ELSE " + interval + " END"
		}
		fmt.Fprintf(&b, " WHEN %s < %s THEN %s", column, instantLiteral(end), interval)
		at = end
	}
}

// span is from before the first to after the last instant that tables may have.
func (l lakeText) span() (first, last time.Time) {
	first = l.mill.Calendar.Start(l.mill.Config.FirstPeriod)
	open, _ := l.mill.Lake.State().Open(l.mill.Config.FirstPeriod)
	last = l.mill.Calendar.End(open)
	for _, table := range lake.Tables() {
		for _, file := range l.mill.Lake.State().Files(table) {
			if file.MinTime != nil && file.MinTime.Before(first) {
				first = *file.MinTime
			}
			if file.MaxTime != nil && file.MaxTime.After(last) {
				last = *file.MaxTime
			}
		}
	}
	return first, last
}

// instantLiteral is an instant as SQL.
func instantLiteral(t time.Time) string {
	return "TIMESTAMP " + duck.Literal(t.UTC().Format("2006-01-02 15:04:05.999999"))
}
