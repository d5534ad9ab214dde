package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

func (a *app) heldCommand() *cobra.Command {
	limit := 50
	cmd := &cobra.Command{
		Use:   "held",
		Short: "List what is kept out of billing until somebody has looked",
		Long: "Count the calls that could not be priced by reason, price table and operation, with what releases them, and\n" +
			"list them and the account events that made no sense. What is held blocks the close of its month.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.read(cmd.Context(), func(_ *jobs.Mill, r *jobs.Reader) error {
				held, err := r.HeldCalls(cmd.Context(), limit)
				if err != nil {
					return err
				}
				calls, err := fetch(cmd.Context(), r.Session(), sql.Text("duckdb/show_held_calls"), limit)
				if err != nil {
					return err
				}
				events, err := fetch(cmd.Context(), r.Session(), sql.Text("duckdb/show_held_events"), limit)
				if err != nil {
					return err
				}
				return a.held(held, calls, events)
			}, lake.AccountEvents.Name)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` groups, N calls and N account events")
	return cmd
}

// A heldGroupDocument is calls that are released together, in `held --json`.
type heldGroupDocument struct {
	Reason    string  `json:"reason"`
	Operation string  `json:"operation"`
	Table     *string `json:"price_table"` // null: no version was in force
	Version   *int    `json:"price_version"`
	File      *string `json:"file"`
	Rule      *int    `json:"rule"` // null: none, or several
	Calls     int64   `json:"calls"`
	Accounts  int64   `json:"accounts"`
	Account   string  `json:"account"` // one of them
	First     string  `json:"first"`
	Last      string  `json:"last"`
	Resolve   string  `json:"resolve"`
}

func newHeldGroupDocument(g jobs.HeldGroup) heldGroupDocument {
	document := heldGroupDocument{
		Reason: g.Reason, Operation: g.Operation, Table: optional(g.Table), File: optional(g.File), Calls: g.Calls,
		Accounts: g.Accounts, Account: g.Account, First: period.FormatInstant(g.First), Last: period.FormatInstant(g.Last), Resolve: g.Resolve,
	}
	if g.Version != 0 {
		document.Version = &g.Version
	}
	if g.Rule != 0 {
		document.Rule = &g.Rule
	}
	return document
}

func (a *app) held(held jobs.HeldCalls, calls, events result) error {
	callRows, ofCalls := calls.document()
	eventRows, ofEvents := events.document()
	if a.json {
		groups := []heldGroupDocument{}
		for _, g := range held.Groups {
			groups = append(groups, newHeldGroupDocument(g))
		}
		return a.print(map[string]any{
			"reasons": held.ByReason, "groups": groups, "groups_total": held.All,
			"calls": callRows, "calls_total": ofCalls, "account_events": eventRows, "account_events_total": ofEvents,
		})
	}
	if len(callRows)+len(eventRows) == 0 {
		a.printf("Nothing is held.\n")
		return nil
	}
	if len(callRows) > 0 {
		a.printf("Held calls: %s\n\n", byReason(held.ByReason))
		a.heldGroups(held)
		grid := newGrid("period", "reason", "account", "operation", "time", "call", "object:line")
		for _, row := range callRows {
			grid.add(plain(row["period"]), plain(row["reason"]), plain(row["account"]), plain(row["operation"]), plain(row["time"]), plain(row["event_id"]),
				plain(row["object"])+":"+plain(row["line"]))
		}
		a.printf("%s%s\n", grid, more(len(callRows), ofCalls))
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

// heldGroups says of each group of held calls what releases it.
func (a *app) heldGroups(held jobs.HeldCalls) {
	for _, g := range held.Groups {
		by := "no price table in force"
		if g.Table != "" {
			by = fmt.Sprintf("%s version %d", g.Table, g.Version)
		}
		a.printf("  %s: %s of %s, %s\n%s", g.Reason, count(g.Calls, "call"), printable(g.Operation), printable(by), fold("→ "+printable(g.Resolve), "      ", 110))
	}
	a.printf("%s\n", more(len(held.Groups), held.All))
}
