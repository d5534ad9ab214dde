package period_test

import (
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

func calendar(t *testing.T, zone string) period.Calendar {
	t.Helper()
	c, err := period.NewCalendar(zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := period.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestPeriodIsAMonthOfTheBillingTimeZone(t *testing.T) {
	madrid := calendar(t, "Europe/Madrid")
	october, err := period.Parse("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	// Summer time ends on 25 October 2026: the month starts at UTC+2 and ends at UTC+1.
	if got := period.FormatInstant(madrid.Start(october)); got != "2026-09-30T22:00:00Z" {
		t.Errorf("start %s", got)
	}
	if got := period.FormatInstant(madrid.End(october)); got != "2026-10-31T23:00:00Z" {
		t.Errorf("end %s", got)
	}
	if got := madrid.Of(instant(t, "2026-10-31T22:59:59.999999Z")); got != october {
		t.Errorf("the last microsecond is of %s", got)
	}
	if got := madrid.Of(instant(t, "2026-10-31T23:00:00Z")); got != october.Next() {
		t.Errorf("the end is of %s: periods are half-open", got)
	}
	if got := period.Period.Add(october, 3).String(); got != "2027-01" {
		t.Errorf("three months on is %s", got)
	}
	if got := october.Add(-10).String(); got != "2025-12" {
		t.Errorf("ten months back is %s", got)
	}
}

func TestAddMonthsClampsAndReturnsToTheAnchorDay(t *testing.T) {
	utc := calendar(t, "UTC")
	anchor := instant(t, "2027-12-31T10:30:00Z")
	for n, want := range []string{
		"2027-12-31T10:30:00Z", "2028-01-31T10:30:00Z", "2028-02-29T10:30:00Z", "2028-03-31T10:30:00Z", "2028-04-30T10:30:00Z", "2028-05-31T10:30:00Z",
	} {
		if got := period.FormatInstant(utc.AddMonths(anchor, n)); got != want {
			t.Errorf("%d months after the anchor is %s, want %s", n, got, want)
		}
	}
	if got := period.FormatInstant(utc.AddMonths(anchor, 14)); got != "2029-02-28T10:30:00Z" {
		t.Errorf("fourteen months after is %s", got)
	}
}

func TestSkippedLocalTimeMovesForwardByTheGap(t *testing.T) {
	newYork := calendar(t, "America/New_York")
	// 02:30 on 14 March 2027 does not exist: clocks go from 02:00 EST to 03:00 EDT.
	anchor := instant(t, "2027-02-14T07:30:00Z") // 02:30 EST
	if got := period.FormatInstant(newYork.AddMonths(anchor, 1)); got != "2027-03-14T07:30:00Z" {
		t.Errorf("02:30 in the gap is %s, want 03:30 EDT", got)
	}
	if got := period.FormatInstant(newYork.AddMonths(anchor, 2)); got != "2027-04-14T06:30:00Z" {
		t.Errorf("a month later it is %s, want 02:30 EDT again", got)
	}
}

func TestLocalTimeThatComesTwiceIsTheEarlier(t *testing.T) {
	newYork := calendar(t, "America/New_York")
	// 01:30 on 7 November 2027 comes twice: first EDT, then EST.
	anchor := instant(t, "2027-10-07T05:30:00Z") // 01:30 EDT
	if got := period.FormatInstant(newYork.AddMonths(anchor, 1)); got != "2027-11-07T05:30:00Z" {
		t.Errorf("01:30 is %s, want the first, EDT", got)
	}
}

func TestMidnightThatAClockChangeSkips(t *testing.T) {
	// Cairo's clocks went from 00:00 to 01:00 on 28 April 2023, Beirut's midnight
	// of 31 March 2024 did not exist: a day and a period may start at 01:00.
	beirut := calendar(t, "Asia/Beirut")
	day := beirut.AddDays(instant(t, "2024-03-29T22:00:00Z"), 1) // 30 March 00:00 + 1 day
	if got := period.FormatInstant(day); got != "2024-03-30T22:00:00Z" {
		t.Errorf("31 March starts at %s, want 01:00 local, 22:00Z", got)
	}
}

func TestDurations(t *testing.T) {
	utc := calendar(t, "UTC")
	from := instant(t, "2028-01-31T12:00:00Z")
	for text, want := range map[string]string{
		"6h": "2028-01-31T18:00:00Z", "30m": "2028-01-31T12:30:00Z", "14 days": "2028-02-14T12:00:00Z",
		"1 month": "2028-02-29T12:00:00Z", "12 months": "2029-01-31T12:00:00Z", "1 day": "2028-02-01T12:00:00Z",
	} {
		d, err := period.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := period.FormatInstant(utc.Add(from, d)); got != want {
			t.Errorf("%s later is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "6", "h", "-6h", "1.5h", "6 weeks", "9999999 days"} {
		if d, err := period.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, d)
		}
	}
}

func TestInstantsAreCutToTheMicrosecond(t *testing.T) {
	if got := period.FormatInstant(instant(t, "2026-10-01T02:00:00.1234569+02:00")); got != "2026-10-01T00:00:00.123456Z" {
		t.Errorf("got %s", got)
	}
	if got := period.FormatInstant(instant(t, "1969-12-31T23:59:59.9999999Z")); got != "1969-12-31T23:59:59.999999Z" {
		t.Errorf("before 1970 got %s", got)
	}
}

func TestLoadLocationKnowsNoOtherNames(t *testing.T) {
	for _, name := range []string{"", "Local", "Mars/Olympus", "../zoneinfo", "Europe/", "/etc/passwd"} {
		if _, err := period.LoadLocation(name); err == nil {
			t.Errorf("LoadLocation(%q): want an error", name)
		}
	}
}
