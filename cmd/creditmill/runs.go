package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) runsCommand() *cobra.Command {
	var (
		filter       = jobs.RunFilter{Limit: 20}
		kinds        []string
		month, since string
	)
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs, or show one",
		Long: "List the newest runs, newest first; with --kind, --period or --since only those.\n" +
			"It reads back through the log until it has enough: cuts, closes and re-rates are found at once, --since stops\n" +
			"at the first 64 runs in a row that are older.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if filter.Kinds, err = parseKinds(kinds); err != nil {
				return err
			}
			if filter.Period, err = parsePeriod(month); err != nil {
				return err
			}
			if since != "" {
				if filter.Since, err = period.ParseInstant(since); err != nil {
					return usagef("--since: %w", err)
				}
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			runs, more, err := m.Runs(cmd.Context(), filter)
			if err != nil {
				return err
			}
			state := m.Lake.State()
			if a.json {
				return a.print(map[string]any{"runs": runLines(runs), "more": more, "run": state.Head, "head_sha256": state.HeadHash})
			}
			a.runs(runs, more, state.Head)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&filter.Limit, "limit", filter.Limit, "list at most `N` runs, the newest")
	flags.StringSliceVar(&kinds, "kind", nil, "list runs of this `KIND`, such as close; several with commas")
	flags.StringVar(&month, "period", "", "list what apply, close and rerate made of this `MONTH`, such as 2026-10")
	flags.StringVar(&since, "since", "", "list runs made at this `INSTANT` or later, such as 2026-11-01T00:00:00Z")
	cmd.AddCommand(&cobra.Command{
		Use:   "show N",
		Short: "Show the manifest of run N",
		Args:  cobra.ExactArgs(1),
		RunE:  a.showRun,
	})
	return cmd
}

func (a *app) runs(runs []*lake.Run, more bool, head int64) {
	switch {
	case head == 0:
		a.printf("No run yet.\n")
		return
	case len(runs) == 0:
		a.printf("None of %s is such.\n", count(head, "run"))
		return
	}
	a.printf("%s", runGrid(runs))
	if more {
		a.printf("  and more before: --limit lists more of them\n")
	}
}

// runKinds are the kinds of run that --kind takes.
var runKinds = []lake.Kind{
	lake.Ingest, lake.Rate, lake.Apply, lake.Copies, lake.Void, lake.Cut, lake.Close, lake.Rerate, lake.Compact, lake.GC, lake.Forget,
}

func parseKinds(names []string) (kinds []lake.Kind, err error) {
	for _, name := range names {
		kind := lake.Kind(strings.TrimSpace(name))
		if !slices.Contains(runKinds, kind) {
			var known []string
			for _, k := range runKinds {
				known = append(known, string(k))
			}
			return nil, usagef("--kind: there are no runs of kind %q; there are %s", name, strings.Join(known, ", "))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// A runLine is a run in a list, in JSON.
type runLine struct {
	Run      int64  `json:"run"`
	Kind     string `json:"kind"`
	Period   string `json:"period"`
	Now      string `json:"now"`
	Files    int    `json:"files"`
	Replaced int    `json:"replaced"`
	Deleted  int    `json:"deleted"`
	Reason   string `json:"reason"`
	Summary  string `json:"summary"`
	ID       string `json:"id"`
}

func runLines(runs []*lake.Run) []runLine {
	lines := make([]runLine, 0, len(runs))
	for _, run := range runs {
		lines = append(lines, runLine{
			run.Number, string(run.Kind), run.Period.String(), period.FormatInstant(run.Now), len(run.Files), len(run.Replaced), len(run.Deleted),
			run.Reason, runSummary(run), run.ID,
		})
	}
	return lines
}

func runGrid(runs []*lake.Run) *grid {
	grid := newGrid("run", "kind", "period", "now", "files", "what").numbers(0, 4)
	for _, line := range runLines(runs) {
		grid.add(fmt.Sprint(line.Run), line.Kind, line.Period, line.Now, fmt.Sprint(line.Files), line.Summary)
	}
	return grid
}

// runSummary is a run in a few words.
func runSummary(run *lake.Run) string {
	t := run.Totals
	switch run.Kind {
	case lake.Ingest:
		return fmt.Sprintf("%s, %s, %s", count(calls(t), "call"), count(t.AccountEvents, "account event"), count(total(t.Rejects), "reject"))
	case lake.Rate:
		return fmt.Sprintf("%s, %s credits, %d held", count(t.Calls, "call"), grouped(creditsRated(t)), total(t.Held))
	case lake.Void:
		if t.Pending > 0 {
			return fmt.Sprintf("%s, %d for the next re-rate", count(t.Calls, "call"), t.Pending)
		}
		return fmt.Sprintf("%s, %s credits", count(t.Calls, "call"), grouped(trimmed(t.Credits["voided"])))
	case lake.Copies:
		return count(total(t.Rejects), "reject") + ": copies of earlier calls"
	case lake.Cut:
		return "what was committed before belongs to " + run.Period.String()
	case lake.Close:
		return fmt.Sprintf("%s, %s", count(t.Calls, "call"), count(t.Invoices, "invoice"))
	case lake.Rerate:
		return fmt.Sprintf("%s, %s: %s", count(t.Calls, "call"), count(t.Invoices, "note"), run.Reason)
	case lake.Compact:
		return fmt.Sprintf("%s into %d", count(int64(len(run.Replaced)), "file"), len(run.Files))
	case lake.GC:
		return count(int64(len(run.Deleted)), "file") + " deleted"
	case lake.Forget:
		return count(int64(len(run.Forgotten)), "name") + " made nameless: " + run.Reason
	default:
		return fmt.Sprintf("%s, %s", count(t.Calls, "call"), count(t.Accounts, "account"))
	}
}
