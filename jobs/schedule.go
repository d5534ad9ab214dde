package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// Schedule runs the configured jobs at their times until ctx ends, and each once
// at the start: a job looks at the lake for what was missed. open makes a Mill from
// the configuration as it is then. Jobs run one at a time, in the order in which
// they come due; one that fails is logged and runs again at its next time.
func Schedule(ctx context.Context, schedule []config.Job, calendar period.Calendar, log *slog.Logger, open func(context.Context) (*Mill, error)) error {
	queue := make(chan string, len(schedule))
	c := cron.New(cron.WithLocation(calendar.Location()))
	for _, job := range schedule {
		if !slices.Contains(runnable, job.Name) {
			return ConfigError{fmt.Errorf("schedule.%s: this version of creditmill has no such job; it has %s", job.Name, strings.Join(runnable, ", "))}
		}
		enqueue := func() {
			select {
			case queue <- job.Name:
			default: // every job waits already: this one is among them
			}
		}
		if _, err := c.AddFunc(job.Cron, enqueue); err != nil {
			return ConfigError{fmt.Errorf("schedule.%s: %w", job.Name, err)}
		}
		enqueue()
	}
	log.Info("started", "jobs", len(schedule))
	c.Start()
	defer c.Stop()
	for {
		select {
		case <-ctx.Done():
			log.Info("stopped")
			return nil
		case job := <-queue:
			runScheduled(ctx, job, log, open)
		}
	}
}

// runnable are the jobs that runJob knows.
var runnable = []string{"ingest", "rate", "apply", "close"}

func runScheduled(ctx context.Context, job string, log *slog.Logger, open func(context.Context) (*Mill, error)) {
	began := time.Now()
	run, detail, err := runJob(ctx, job, open)
	log = log.With("job", job, "seconds", time.Since(began).Seconds())
	switch {
	case errors.Is(err, context.Canceled):
		log.Info("job abandoned, nothing committed")
	case err != nil:
		log.Error("job failed, it runs again at its next time", "error", err)
	case run == 0:
		log.Info("job had nothing to commit", detail...)
	default:
		log.Info("job done", append([]any{"run", run}, detail...)...)
	}
}

// runJob runs one job by its name and returns the run it committed, 0 for none.
func runJob(ctx context.Context, job string, open func(context.Context) (*Mill, error)) (run int64, detail []any, err error) {
	m, err := open(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, m.Release()) }()
	switch job {
	case "ingest":
		r, err := m.Ingest(ctx)
		return number(r.Run), []any{"records", r.Totals.Records, "events", r.Totals.Events, "unread_objects", len(r.Unread)}, err
	case "rate":
		r, err := m.Rate(ctx)
		return number(r.Run), []any{"calls", r.Totals.Calls, "held", sum(r.Totals.Held)}, err
	case "apply":
		r, err := m.Apply(ctx)
		return number(r.Run), []any{"period", r.Period.String(), "blocks", len(r.Missing)}, err // of accounts left out
	case "close":
		r, err := m.Close(ctx, CloseOptions{})
		if err == nil && len(r.Blocks) > 0 {
			err = fmt.Errorf("%s cannot be closed: %w", r.Period, blocked(r.Blocks))
		}
		return number(r.Run), []any{"period", r.Period.String()}, err
	default:
		return 0, nil, fmt.Errorf("no job %q", job)
	}
}

func number(run *lake.Run) int64 {
	if run == nil {
		return 0
	}
	return run.Number
}
