package decode

import (
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

// Months numbers the periods of instants, of which one is mostly in the period of
// the one before.
type Months struct {
	Calendar period.Calendar
	from, to int64
	month    int32
}

// Of is the number of the period of an instant, in microseconds since 1970.
func (m *Months) Of(at int64) int32 {
	if at < m.from || at >= m.to {
		t := time.UnixMicro(at)
		p := m.Calendar.Of(t)
		m.from, m.to = m.Calendar.Start(p).UnixMicro(), m.Calendar.End(p).UnixMicro()
		m.month = Month(m.Calendar, t)
	}
	return m.month
}

// Month is the number of the period of t: months since year 0.
func Month(calendar period.Calendar, t time.Time) int32 {
	local := t.In(calendar.Location())
	return int32(local.Year()*12) + int32(local.Month()) - 1
}
