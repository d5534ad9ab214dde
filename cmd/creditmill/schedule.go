package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) scheduleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schedule",
		Short: "Run the jobs at their times, until stopped",
		Long: "Run the jobs of `schedule` in the configuration at their times in the billing time zone, and each once at\n" +
			"the start to catch up. The log goes to standard error; SIGTERM and Ctrl-C stop it cleanly.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.now != "" {
				return usagef("schedule runs by the machine's clock: --now has no meaning for it")
			}
			setup, err := jobs.LoadSetup(a.config)
			if err != nil {
				return err
			}
			log := a.log(slog.LevelInfo)
			if a.json {
				log = slog.New(slog.NewJSONHandler(a.stderr, nil))
			}
			return jobs.Schedule(cmd.Context(), setup.Config.Schedule, setup.Config.Calendar, log, func(ctx context.Context) (*jobs.Mill, error) {
				setup, err := jobs.LoadSetup(a.config)
				if err != nil {
					return nil, err
				}
				return jobs.Open(ctx, setup, jobs.Options{Now: a.clock, Log: log, Tool: version})
			})
		},
	}
}
