package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

// noListener is the --listen of a daemon without HTTP.
const noListener = "off"

func (a *app) scheduleCommand() *cobra.Command {
	var (
		listen   string
		timeouts []string
	)
	names, usual := jobs.ScheduledJobs()
	var each []string
	for _, name := range names {
		each = append(each, name+" "+usual[name].String())
	}
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Run the jobs at their times, until stopped",
		Long: "Run the jobs of `schedule` in the configuration at their times in the billing time zone, until stopped. What\n" +
			"was missed is caught up with at the start, and after the machine slept, by looking at the lake. A job that\n" +
			"fails is tried again after a while, and keeps no other waiting.\n\n" +
			"/healthz, /readyz and /metrics answer at --listen; the log goes to standard error. SIGTERM and Ctrl-C stop it\n" +
			"cleanly: jobs at work finish or leave nothing behind. A second one ends it at once.\n\n" +
			"A job that takes longer than its time is given up and tried again: " + strings.ReplaceAll(strings.Join(each, ", "), "0m0s", "") + ".",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if a.now != "" {
				return usagef("schedule runs by the machine's clock: --now has no meaning for it")
			}
			o := jobs.ScheduleOptions{Config: a.config, Tool: version, Log: a.log(slog.LevelInfo)}
			if a.json {
				o.Log = slog.New(slog.NewJSONHandler(a.stderr, nil))
			}
			if o.Timeouts, err = parseTimeouts(timeouts, names); err != nil {
				return err
			}
			if _, err := jobs.LoadSetup(a.config); err != nil {
				return err // before an address is taken
			}
			if listen != noListener {
				if o.Listener, err = net.Listen("tcp", listen); err != nil {
					return withHint(jobs.ConfigError{Err: fmt.Errorf("--listen %s: %w", listen, err)},
						"give another address with --listen, such as localhost:9465, or --listen off for none")
				}
			}
			return a.schedule(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "localhost:9464", "answer health checks and Prometheus at this `ADDRESS`; off for none")
	flags.StringArrayVar(&timeouts, "timeout", nil, "give a job up after this long: `JOB=DURATION`, such as close=24h; repeatable")
	return cmd
}

func (a *app) schedule(ctx context.Context, o jobs.ScheduleOptions) error {
	// From the first signal on the second is the system's to answer: it ends the process.
	defer context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })()
	err := jobs.Schedule(ctx, o)
	if o.Listener != nil {
		if closed := o.Listener.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	return err
}

// parseTimeouts reads the values of --timeout.
func parseTimeouts(values, names []string) (map[string]time.Duration, error) {
	timeouts := map[string]time.Duration{}
	for _, value := range values {
		job, text, found := strings.Cut(value, "=")
		if !found {
			return nil, usagef("--timeout %s: write JOB=DURATION, such as close=24h", value)
		}
		if !slices.Contains(names, job) {
			return nil, usagef("--timeout %s: there is no job %s; there are %s", value, job, strings.Join(names, ", "))
		}
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return nil, usagef("--timeout %s: %q is no time to allow a job, such as 90m or 24h", value, text)
		}
		timeouts[job] = timeout
	}
	return timeouts, nil
}
