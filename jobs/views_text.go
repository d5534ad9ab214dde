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

// Local is the local time, in the billing time zone, of a column of instants that have
// been: a TIMESTAMP expression. Its rules are the program's own time zone data, not
// DuckDB's.
func (l lakeText) Local(column string) string {
	return "(" + column + " + " + l.Offset(column) + ")"
}

// LocalAtAnyTime is Local of a column of instants that may be still to come, such as an
// expiry, or of before the first period, such as an account's opening: ten years to
// either side of what has been. Beyond, it goes by the first and the last of these.
func (l lakeText) LocalAtAnyTime(column string) string {
	first, last := l.span()
	return "(" + column + " + " + l.offset(column, first.AddDate(-10, 0, 0), last.AddDate(10, 0, 0)) + ")"
}

// Offset is how far the billing time zone is ahead of UTC at a column of instants that
// have been: an INTERVAL expression.
func (l lakeText) Offset(column string) string {
	first, last := l.span()
	return l.offset(column, first, last)
}

func (l lakeText) offset(column string, first, last time.Time) string {
	stretches := l.mill.Calendar.Stretches(first, last)
	if len(stretches) == 1 {
		return secondsText(stretches[0].Ahead)
	}
	var b strings.Builder
	for _, s := range stretches[:len(stretches)-1] {
		fmt.Fprintf(&b, " WHEN %s < %s THEN %s", column, instantLiteral(s.Until), secondsText(s.Ahead))
	}
	return "CASE" + b.String() + " ELSE " + secondsText(stretches[len(stretches)-1].Ahead) + " END"
}

// Offsets are the stretches of time between the clock changes of the billing time zone,
// as rows of a VALUES: since when and until when, and how far the zone is ahead of UTC
// then, as an INTERVAL. The first has no beginning and the last no end.
func (l lakeText) Offsets() string {
	var rows []string
	since := "TIMESTAMP '-infinity'"
	for _, s := range l.mill.Calendar.Stretches(l.span()) {
		until := "TIMESTAMP 'infinity'"
		if !s.Until.IsZero() {
			until = instantLiteral(s.Until)
		}
		rows = append(rows, "("+since+", "+until+", "+secondsText(s.Ahead)+")")
		since = until
	}
	return strings.Join(rows, ", ")
}

// secondsText is a length of whole seconds as an INTERVAL.
func secondsText(d time.Duration) string { return fmt.Sprintf("to_seconds(%d)", int64(d/time.Second)) }

// span is from before the first to after the last instant of what has been.
func (l lakeText) span() (first, last time.Time) {
	state, calendar := l.mill.Lake.State(), l.mill.Calendar
	open, _ := state.Open(l.mill.Config.FirstPeriod)
	first, last = state.TimeRange()
	if start := calendar.Start(l.mill.Config.FirstPeriod); first.IsZero() || start.Before(first) {
		first = start
	}
	if end := calendar.End(open); last.Before(end) {
		last = end
	}
	return first, last
}

// instantLiteral is an instant as SQL.
func instantLiteral(t time.Time) string {
	return "TIMESTAMP " + duck.Literal(t.UTC().Format("2006-01-02 15:04:05.999999"))
}
