package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// A JobStatus says of a job of the schedule when it last did something and when it is due.
type JobStatus struct {
	Job  string
	Cron string    // in the billing time zone
	Next time.Time // the next instant of its schedule

	// The newest run it may have made, by whatever started it; 0 and zero where none of the
	// runs looked at is one. A job with nothing to say commits nothing.
	LastRun int64
	LastAt  time.Time

	// Overdue is the instant at which it was due for work that still waits, where that is
	// longer ago than a job may reasonably take; zero: nothing says so.
	Overdue time.Time
}

const (
	// statusLook is how many of the newest runs are looked at for the last of each job.
	statusLook = 128
	// statusWindow is how many of them are read at once.
	statusWindow = 32
	// overdueAfter is how long after its instant work that waits for a job makes it overdue.
	overdueAfter = time.Hour
)

// kindOf is the kind of run that a job commits; those that commit none have none.
var kindOf = map[string]lake.Kind{
	"ingest": lake.Ingest, "rate": lake.Rate, "apply": lake.Apply, "close": lake.Close, "compact": lake.Compact, "gc": lake.GC,
}

// statusOfJobs says when each job ran and will, what failed, and the newest runs.
func (m *Mill) statusOfJobs(ctx context.Context, s *Status) (err error) {
	if s.Failures, err = m.Failures(ctx); err != nil {
		return err
	}
	newest := map[lake.Kind]*lake.Run{}
	if s.LastClose != nil {
		newest[lake.Close] = s.LastClose
	}
	if s.Runs, err = m.newestRuns(ctx, newest); err != nil {
		return err
	}
	if len(s.Runs) > 0 {
		s.HeadNow = s.Runs[0].Now
	}
	waiting, err := m.unratedSince(ctx)
	if err != nil {
		return err
	}
	for _, job := range m.Config.Schedule {
		one := JobStatus{Job: job.Name, Cron: job.Cron, Next: job.Next(m.Now())}
		if run := newest[kindOf[job.Name]]; run != nil {
			one.LastRun, one.LastAt = run.Number, run.Now
		}
		switch job.Name {
		case "rate":
			one.Overdue = m.overdue(job, waiting)
		case "close":
			one.Overdue = m.overdue(job, s.CloseFrom.Add(-time.Microsecond)) // due at that very instant, too
		}
		s.Jobs = append(s.Jobs, one)
	}
	return nil
}

// newestRuns returns the runs that a status lists, newest first, and adds the newest run of
// each kind that the schedule makes, looking no further back than statusLook runs.
func (m *Mill) newestRuns(ctx context.Context, newest map[lake.Kind]*lake.Run) ([]*lake.Run, error) {
	head := m.Lake.State().Head
	wanted := func(job config.Job) bool { return kindOf[job.Name] != "" && newest[kindOf[job.Name]] == nil }
	var list []*lake.Run
	for last := head; last > 0 && last > head-statusLook; last -= statusWindow {
		runs, err := m.Lake.Runs(ctx, max(1, last-statusWindow+1), last)
		if err != nil {
			return nil, err
		}
		for _, run := range slices.Backward(runs) {
			if len(list) < statusRuns {
				list = append(list, run)
			}
			if newest[run.Kind] == nil {
				newest[run.Kind] = run
			}
		}
		if !slices.ContainsFunc(m.Config.Schedule, wanted) {
			break
		}
	}
	return list, nil
}

// unratedSince is the clock of the oldest run whose usage no rating has read; zero: none.
func (m *Mill) unratedSince(ctx context.Context) (time.Time, error) {
	var oldest int64
	for _, file := range m.unratedUsage() {
		if oldest == 0 || file.Origin() < oldest {
			oldest = file.Origin()
		}
	}
	if oldest == 0 {
		return time.Time{}, nil
	}
	run, err := m.Lake.Run(ctx, oldest)
	if err != nil {
		return time.Time{}, err
	}
	return run.Now, nil
}

// overdue is when job was due for work that has waited since an instant, where that is too
// long ago; zero where nothing waits.
func (m *Mill) overdue(job config.Job, since time.Time) time.Time {
	if since.IsZero() {
		return time.Time{}
	}
	if due := job.Next(since); due.Add(overdueAfter).Before(m.Now()) {
		return due
	}
	return time.Time{}
}
