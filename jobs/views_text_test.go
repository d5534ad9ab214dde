package jobs

import (
	"math/rand/v2"
	"testing"
	"time"
)

// What a statement takes for the local time of an instant is what Go's time zone data
// says, before and after clock changes, and of instants to come too.
func TestLocalTimeOfInstants(t *testing.T) {
	t.Parallel()
	m := emptyMill(t) // America/New_York, open since 2026-10
	reader, err := m.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	text, start := lakeText{m}, m.Calendar.Start(m.Config.FirstPeriod)
	check := func(expression string, at time.Time) {
		t.Helper()
		var got time.Time
		if err := reader.Session().Row(t.Context(), "SELECT "+expression+" FROM (SELECT "+instantLiteral(at)+" AS x)").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want, has := at.In(m.Calendar.Location()).Format(time.DateTime), got.Format(time.DateTime); has != want {
			t.Errorf("%s is %s, want %s", at, has, want)
		}
	}
	for _, at := range []string{"2017-07-01T04:00:00Z", "2025-07-01T03:59:59Z", "2026-11-01T05:59:59Z", "2026-11-01T06:00:00Z", "2027-01-01T04:59:59Z", "2027-03-14T06:59:59Z", "2027-03-14T07:00:00Z", "2027-07-01T04:00:00Z", "2036-07-01T04:00:00Z"} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		check(text.LocalAtAnyTime("x"), instant)
	}
	for range 100 {
		check(text.Local("x"), start.Add(time.Duration(rand.Int64N(int64(31*24*time.Hour)))))
		check(text.LocalAtAnyTime("x"), start.Add(time.Duration(rand.Int64N(int64(10*365*24*time.Hour)))))
	}
}
