package config

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A Job is a job that runs by the clock (SPEC section 10).
type Job struct {
	Name string // one of [Jobs]
	Cron string // as it was written

	schedule cron.Schedule
	calendar period.Calendar
}

// Next is the first instant after t at which the job is due, in UTC. Expressions
// are in the billing time zone: a local time that a clock change skips moves forward
// by the gap, as SPEC section 6 has it of cycles, and one that comes twice is due twice.
func (j Job) Next(t time.Time) time.Time {
	local := t.In(j.calendar.Location())
	next := j.schedule.Next(local)
	// The library leaves out what is skipped. On a clock without changes nothing is.
	unchanged := j.schedule.Next(clockFace(local))
	skipped := j.calendar.Local(unchanged)
	if !clockFace(skipped.In(j.calendar.Location())).Equal(unchanged) && skipped.After(t) && skipped.Before(next) {
		next = skipped
	}
	return next.UTC()
}

// clockFace is the instant at which a clock in UTC shows what t does.
func clockFace(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// Jobs are the names of the jobs that can run by the clock, in the order in which
// they depend on each other.
func Jobs() []string {
	return []string{"ingest", "rate", "apply", "close", "publish", "compact", "verify", "gc"}
}

// never is written instead of an expression to switch off a job that runs by
// default, and instead of the place of the clean copy for none.
const never = "never"

// defaultSchedule runs what a lake needs to go on month after month.
func defaultSchedule(job string) string {
	switch job {
	case "ingest":
		return "*/15 * * * *"
	case "rate":
		return "20 * * * *"
	case "close":
		return "0 6 1 * *"
	case "publish":
		return "@daily"
	}
	return never
}

func (r reader) schedule(n yamlfile.Node) []Job {
	o := r.Object(n, "schedule")
	defer o.Done()
	var jobs []Job
	for _, name := range Jobs() {
		expression, node := defaultSchedule(name), o.Get(name)
		if !node.IsZero() {
			if expression = r.String(node); expression == "" {
				r.emptyText(node)
				continue
			}
		}
		if name == "publish" && r.c.Publish.IsZero() {
			if !node.IsZero() && expression != never {
				r.Add(node, "name a place in publish:, or leave this out", "there is nothing to publish: no place is named for it")
			}
			continue
		}
		if expression == never {
			continue
		}
		schedule, message := parseCron(expression, r.c.Calendar)
		if message != "" {
			r.Add(node, `write minute, hour, day of month, month and day of week, such as "20 * * * *", or never`, "%q is no schedule: %s", expression, message)
			continue
		}
		jobs = append(jobs, Job{Name: name, Cron: expression, schedule: schedule, calendar: r.c.Calendar})
	}
	return jobs
}

// parseCron reads an expression, and says what is wrong with it.
func parseCron(expression string, calendar period.Calendar) (schedule cron.Schedule, message string) {
	if strings.Contains(expression, "TZ=") {
		return nil, "the time zone is that of the configuration"
	}
	schedule, err := cron.ParseStandard(expression)
	if err != nil {
		return nil, err.Error()
	}
	// A date such as February 30th never comes; the library gives up after five years.
	if schedule.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, calendar.Location())).IsZero() {
		return nil, "that time never comes"
	}
	return schedule, ""
}
