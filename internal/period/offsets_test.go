package period

import (
	"fmt"
	"testing"
	"time"
)

// Between the ends of its stretches a zone does not change, at them it does, and they go
// through the leap years 2028 and 2032, in which ZoneBounds ends before it begins.
func TestStretches(t *testing.T) {
	t.Parallel()
	for zone, changes := range map[string]int{"UTC": 0, "Asia/Kolkata": 0, "America/New_York": 20, "Australia/Lord_Howe": 20, "Europe/Madrid": 20} {
		calendar, err := NewCalendar(zone)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
		to := from.AddDate(10, 0, 0)
		list := calendar.Stretches(from, to)
		if len(list) != changes+1 || !list[changes].Until.IsZero() {
			t.Errorf("%s has %d stretches, want %d", zone, len(list), changes+1)
		}
		place := 0
		for at := from; at.Before(to); at = at.Add(30 * time.Minute) {
			for !list[place].Until.IsZero() && !at.Before(list[place].Until) {
				place++
			}
			if _, want := at.In(calendar.Location()).Zone(); list[place].Ahead != time.Duration(want)*time.Second {
				t.Fatalf("%s at %s is %s ahead, want %d s", zone, at, list[place].Ahead, want)
			}
		}
	}
	madrid, err := NewCalendar("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(madrid.Stretches(time.Date(2028, 12, 30, 0, 0, 0, 0, time.UTC), time.Date(2029, 5, 1, 0, 0, 0, 0, time.UTC)))
	if want := "[{2029-03-25 01:00:00 +0000 UTC 1h0m0s} {0001-01-01 00:00:00 +0000 UTC 2h0m0s}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
