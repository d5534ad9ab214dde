package period_test

import (
	"testing"

	"github.com/creditmill/creditmill/internal/period"
)

func TestNextDayIsTheNextLocalMidnight(t *testing.T) {
	for _, c := range []struct{ zone, from, want string }{
		{"UTC", "2026-10-31T00:00:00Z", "2026-11-01T00:00:00Z"},
		{"UTC", "2026-10-31T23:59:59.999999Z", "2026-11-01T00:00:00Z"},
		{"Europe/Madrid", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},    // a day of 25 hours
		{"America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"}, // 6 September begins at 01:00
	} {
		calendar, err := period.NewCalendar(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		from, err := period.ParseInstant(c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := period.FormatInstant(calendar.NextDay(from)); got != c.want {
			t.Errorf("%s after %s: %s, want %s", c.zone, c.from, got, c.want)
		}
	}
}
