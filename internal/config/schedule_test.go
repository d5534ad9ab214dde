package config_test

import (
	"testing"

	"github.com/creditmill/creditmill/internal/period"
)

// In Madrid the clocks of 2026 go from 02:00 to 03:00 on March 29, at 01:00 UTC, and
// from 03:00 back to 02:00 on October 25, at 01:00 UTC.
func TestJobsAreDueOverAClockChange(t *testing.T) {
	c, p := load(t, "timezone: Europe/Madrid\nschedule: {ingest: \"*/15 * * * *\", rate: \"30 2 * * *\", apply: \"0 3 * * *\", close: \"@every 1h\"}\n")
	must(t, c, p)
	for _, due := range []struct{ job, after, next string }{
		{"rate", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z"}, // 02:30, winter time
		{"rate", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"}, // skipped: 03:30, summer time
		{"rate", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}, // 02:30
		{"apply", "2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"},
		{"apply", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"},
		{"ingest", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z"},
		{"ingest", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"},
		{"close", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},

		{"rate", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"}, // the first 02:30
		{"rate", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}, // the second
		{"rate", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		{"apply", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"},
		{"ingest", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z"},
		{"ingest", "2026-10-25T01:45:00Z", "2026-10-25T02:00:00Z"},
		{"close", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
	} {
		after, err := period.ParseInstant(due.after)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range c.Schedule {
			if job.Name != due.job {
				continue
			}
			if got := period.FormatInstant(job.Next(after)); got != due.next {
				t.Errorf("%s (%s) after %s: %s, want %s", job.Name, job.Cron, due.after, got, due.next)
			}
		}
	}
}
