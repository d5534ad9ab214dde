// Package period is creditmill's calendar: billing periods, calendar steps and
// durations in the lake's billing time zone (SPEC sections 1, 6 and 14).
//
// The time zone data is the program's own, embedded here, so that a machine's
// update never moves an instant of a closed month; [DataVersion] is recorded in
// every run's manifest.
package period

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// DataVersion is the release of the embedded IANA time zone data.
const DataVersion = "2025c"

//go:embed zoneinfo.zip
var zoneinfo []byte

// LoadLocation returns the IANA zone of that name from the embedded data.
func LoadLocation(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	archive, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("embedded time zone data: %w", err)
	}
	file, err := archive.Open(name)
	if err != nil || strings.HasSuffix(name, "/") || name == "" {
		return nil, fmt.Errorf("%q is no IANA time zone (such as UTC or Europe/Madrid)", name)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("embedded time zone data, %s: %w", name, err)
	}
	return time.LoadLocationFromTZData(name, data)
}

// A Period is a calendar month, written "2026-10". The zero value is none;
// Periods compare with == and, as months, with [Period.Before].
type Period struct {
	year  int
	month time.Month
}

var written = regexp.MustCompile(`^(\d{4})-(0[1-9]|1[0-2])$`)

// Parse reads "2026-10".
func Parse(s string) (Period, error) {
	m := written.FindStringSubmatch(s)
	if m == nil {
		return Period{}, fmt.Errorf("%q is no period (a month such as 2026-10)", s)
	}
	year, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	return Period{year, time.Month(month)}, nil
}

// String writes "2026-10", and nothing for the zero value.
func (p Period) String() string {
	if p.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", p.year, p.month)
}

// IsZero reports whether p is no period.
func (p Period) IsZero() bool { return p == Period{} }

// Add returns the period n months later.
func (p Period) Add(n int) Period {
	months := p.year*12 + int(p.month) - 1 + n
	return Period{months / 12, time.Month(months%12 + 1)}
}

// Next returns the following month.
func (p Period) Next() Period { return p.Add(1) }

// Before reports whether p is earlier than q.
func (p Period) Before(q Period) bool {
	return p.year < q.year || p.year == q.year && p.month < q.month
}

// MarshalText writes p as [Period.String] does.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what [Period.MarshalText] wrote.
func (p *Period) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*p = Period{}
		return nil
	}
	*p, err = Parse(string(text))
	return err
}

// A Calendar counts periods, days and months in the billing time zone.
type Calendar struct{ loc *time.Location }

// NewCalendar returns the calendar of the IANA zone name.
func NewCalendar(name string) (Calendar, error) {
	loc, err := LoadLocation(name)
	return Calendar{loc}, err
}

// Location is the billing time zone.
func (c Calendar) Location() *time.Location { return c.loc }

// Of returns the period that holds the instant t.
func (c Calendar) Of(t time.Time) Period {
	local := t.In(c.loc)
	return Period{local.Year(), local.Month()}
}

// Start is the first instant of p, in UTC.
func (c Calendar) Start(p Period) time.Time { return c.at(p.year, p.month, 1, 0) }

// End is the first instant after p, in UTC.
func (c Calendar) End(p Period) time.Time { return c.Start(p.Next()) }

// Day returns the date of t in the billing time zone, "2026-10-31".
func (c Calendar) Day(t time.Time) string { return t.In(c.loc).Format(time.DateOnly) }

// AddMonths returns the instant n calendar months after anchor at the same local
// time of day; a day that the month lacks becomes its last day. Counting always
// starts from the anchor, so a later month returns to the anchor's day.
func (c Calendar) AddMonths(anchor time.Time, n int) time.Time {
	local := anchor.In(c.loc)
	target := Period{local.Year(), local.Month()}.Add(n)
	lastDay := time.Date(target.year, target.month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return c.at(target.year, target.month, min(local.Day(), lastDay), sinceMidnight(local))
}

// AddDays returns the instant n calendar days after t at the same local time.
func (c Calendar) AddDays(t time.Time, n int) time.Time {
	local := t.In(c.loc)
	return c.at(local.Year(), local.Month(), local.Day()+n, sinceMidnight(local))
}

func sinceMidnight(local time.Time) time.Duration {
	return time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
		time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
}

// Local returns the instant at which the clocks of the billing time zone show
// what wall, in UTC, shows. A local time that a clock change skips moves forward
// by the gap; one that comes twice is the earlier.
func (c Calendar) Local(wall time.Time) time.Time {
	return c.at(wall.Year(), wall.Month(), wall.Day(), sinceMidnight(wall))
}

// at returns the instant of a local date and time of day. A local time that a
// clock change skips moves forward by the gap; one that comes twice is the
// earlier (SPEC section 6).
func (c Calendar) at(year int, month time.Month, day int, clock time.Duration) time.Time {
	wall := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(clock)
	// The offsets in force around the wall time: no zone is further than 24 h
	// from UTC, and no zone changes twice within two days of that.
	_, before := wall.Add(-24 * time.Hour).In(c.loc).Zone()
	_, after := wall.Add(24 * time.Hour).In(c.loc).Zone()
	first := wall.Add(-time.Duration(before) * time.Second)
	second := wall.Add(-time.Duration(after) * time.Second)
	if second.Before(first) {
		first, second = second, first
	}
	for _, t := range []time.Time{first, second} {
		if _, offset := t.In(c.loc).Zone(); t.Add(time.Duration(offset) * time.Second).Equal(wall) {
			return t
		}
	}
	return wall.Add(-time.Duration(before) * time.Second) // in the gap
}

// Add returns t plus d (SPEC section 14, 19): months and days are calendar
// steps, the rest is elapsed time.
func (c Calendar) Add(t time.Time, d Duration) time.Time {
	if d.Months != 0 {
		t = c.AddMonths(t, d.Months)
	}
	if d.Days != 0 {
		t = c.AddDays(t, d.Days)
	}
	return t.Add(d.Elapsed)
}

// A Duration is what configuration writes as "14 days", "12 months", "6h" or "30m".
// The zero value is no time at all.
type Duration struct {
	Months, Days int
	Elapsed      time.Duration
}

var durationText = regexp.MustCompile(`^(\d{1,6}) ?(h|m|days?|months?)$`)

// ParseDuration reads a Duration. Units are h, m (elapsed), day, days, month and
// months (calendar steps).
func ParseDuration(s string) (Duration, error) {
	m := durationText.FindStringSubmatch(s)
	if m == nil {
		return Duration{}, fmt.Errorf("%q is no duration (such as 6h, 30m, 14 days or 12 months)", s)
	}
	n, _ := strconv.Atoi(m[1])
	switch m[2] {
	case "h":
		return Duration{Elapsed: time.Duration(n) * time.Hour}, nil
	case "m":
		return Duration{Elapsed: time.Duration(n) * time.Minute}, nil
	case "day", "days":
		return Duration{Days: n}, nil
	default:
		return Duration{Months: n}, nil
	}
}

// FormatInstant writes t as creditmill writes instants in ids, messages and JSON:
// RFC 3339 in UTC, a fraction only where it is not zero (SPEC section 14, 20).
func FormatInstant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ParseInstant reads RFC 3339 and cuts it to the microsecond, in UTC.
func ParseInstant(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no instant (RFC 3339, such as 2026-10-31T22:00:00Z)", s)
	}
	return time.UnixMicro(floorMicro(t)).UTC(), nil
}

func floorMicro(t time.Time) int64 { return t.Unix()*1_000_000 + int64(t.Nanosecond()/1000) }

// NextDay returns the first instant after t at which a new date begins in the
// billing time zone.
func (c Calendar) NextDay(t time.Time) time.Time {
	local := t.In(c.loc)
	return c.at(local.Year(), local.Month(), local.Day()+1, 0)
}
