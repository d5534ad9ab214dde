package jobs

import (
	"fmt"
	"strings"
)

// Offsets are the stretches of time between the clock changes of the billing time zone,
// as rows of a VALUES: since when and until when, and how far the zone is ahead of UTC
// then, as an INTERVAL. The first has no beginning and the last no end.
func (l lakeText) Offsets() string {
	first, last := l.span()
	var b strings.Builder
	at, since := first.In(l.mill.Calendar.Location()), "TIMESTAMP '-infinity'"
	for {
		_, seconds := at.Zone()
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(last) {
			fmt.Fprintf(&b, "(%s, TIMESTAMP 'infinity', to_seconds(%d))", since, seconds)
			return b.String()
		}
		until := instantLiteral(end)
		fmt.Fprintf(&b, "(%s, %s, to_seconds(%d)), ", since, until, seconds)
		at, since = end, until
	}
}
