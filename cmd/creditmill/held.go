package main

import (
	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

func (a *app) heldCommand() *cobra.Command {
	limit := 50
	cmd := &cobra.Command{
		Use:   "held",
		Short: "List what is kept out of billing until somebody has looked",
		Long: "List the calls that could not be priced and the account events that made no sense, each with its\n" +
			"reason and what resolves it. What is held blocks the close of its month.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.read(cmd.Context(), func(_ *jobs.Mill, r *jobs.Reader) error {
				calls, err := fetch(cmd.Context(), r.Session(), sql.Text("duckdb/show_held_calls"), limit)
				if err != nil {
					return err
				}
				events, err := fetch(cmd.Context(), r.Session(), sql.Text("duckdb/show_held_events"), limit)
				if err != nil {
					return err
				}
				return a.held(calls, events)
			}, lake.Rated.Name, lake.AccountEvents.Name)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` calls and N account events")
	return cmd
}

func (a *app) held(calls, events result) error {
	callRows, ofCalls := calls.document()
	eventRows, ofEvents := events.document()
	if a.json {
		for _, row := range callRows {
			row["resolve"] = jobs.Resolve(plain(row["reason"]))
		}
		return a.print(map[string]any{"calls": callRows, "calls_total": ofCalls, "account_events": eventRows, "account_events_total": ofEvents})
	}
	if len(callRows)+len(eventRows) == 0 {
		a.printf("Nothing is held.\n")
		return nil
	}
	if len(callRows) > 0 {
		grid := newGrid("period", "reason", "account", "operation", "time", "call", "object:line")
		resolve := newGrid("reason", "what resolves it")
		seen := map[string]bool{}
		for _, row := range callRows {
			reason := plain(row["reason"])
			grid.add(plain(row["period"]), reason, plain(row["account"]), plain(row["operation"]), plain(row["time"]), plain(row["event_id"]),
				plain(row["object"])+":"+plain(row["line"]))
			if !seen[reason] {
				seen[reason] = true
				resolve.add(reason, jobs.Resolve(reason))
			}
		}
		a.printf("Held calls\n%s%s\n%s", grid, more(len(callRows), ofCalls), resolve)
	}
	if len(eventRows) > 0 {
		grid := newGrid("account", "at", "event", "type", "why")
		for _, row := range eventRows {
			grid.add(plain(row["account"]), plain(row["at"]), plain(row["event_id"]), plain(row["type"]), plain(row["reason"]))
		}
		a.printf("Held account events\n%s%s", grid, more(len(eventRows), ofEvents))
	}
	return nil
}
