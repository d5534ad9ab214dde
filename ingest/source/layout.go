package source

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

// A Clock is how a time is written.
type Clock int

// The clocks.
const (
	RFC3339 Clock = iota
	UnixSeconds
	UnixMillis
	UnixMicros
	Written // by a layout of package time
)

// A Layout reads instants. The zero Layout is RFC 3339.
type Layout struct {
	Clock Clock
	Text  string           // Written: the layout, as package time has it
	zone  *period.Calendar // of local times; nil: UTC
}

var clocks = map[string]Clock{"rfc3339": RFC3339, "unix_s": UnixSeconds, "unix_ms": UnixMillis, "unix_us": UnixMicros}

// NewLayout compiles a layout: rfc3339, unix_s, unix_ms, unix_us, or one of
// package time, whose local times are in zone (an IANA name; empty: UTC).
func NewLayout(text, zone string) (Layout, error) {
	clock, known := clocks[text]
	if known {
		if zone != "" {
			return Layout{}, fmt.Errorf("%s says the time zone itself", text)
		}
		return Layout{Clock: clock}, nil
	}
	l := Layout{Clock: Written, Text: text}
	sample := time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)
	back, err := time.Parse(text, sample.Format(text))
	if err != nil || !back.Truncate(time.Hour).Equal(sample.Truncate(time.Hour)) {
		return Layout{}, errors.New(`a layout is rfc3339, unix_s, unix_ms, unix_us, or shows how 2 January 2006, ` +
			`15:04:05 is written, such as "2006-01-02 15:04:05"`)
	}
	if hasOffset(text) {
		if zone != "" {
			return Layout{}, errors.New("the layout has an offset already")
		}
		return l, nil
	}
	if strings.Contains(text, "MST") {
		return Layout{}, errors.New("a zone's abbreviation (MST) names no zone for certain; log an offset (-0700), or give `zone`")
	}
	if zone != "" {
		return l.InZone(zone)
	}
	return l, nil
}

func hasOffset(layout string) bool {
	return strings.Contains(layout, "Z07") || strings.Contains(layout, "-07") || strings.Contains(layout, "+07")
}

// InZone returns the layout for times that say no zone themselves, such as local
// timestamps of Parquet: they are in zone (an IANA name).
func (l Layout) InZone(zone string) (Layout, error) {
	calendar, err := period.NewCalendar(zone)
	if err == nil && zone != "UTC" {
		l.zone = &calendar
	}
	return l, err
}

// Parse reads a time of a Written layout.
func (l Layout) Parse(text string) (time.Time, error) {
	t, err := time.Parse(l.Text, text)
	if err != nil {
		return t, err
	}
	return l.Local(t), nil
}

// Local returns the instant of a local time, given as if it were UTC's. One that a
// clock change skips moves forward by the gap; one that comes twice is the earlier.
func (l Layout) Local(wall time.Time) time.Time {
	if l.zone == nil {
		return wall
	}
	return l.zone.Local(wall)
}
