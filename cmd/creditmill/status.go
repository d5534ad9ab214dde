package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what is open, fresh, late, held and in the way",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			status, err := m.Status(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return a.print(newStatusDocument(status))
			}
			a.status(status, m.Now())
			return nil
		},
	}
}

// A statusDocument is what `status --json` prints.
type statusDocument struct {
	Lake       string              `json:"lake"`
	Run        int64               `json:"run"`
	Head       string              `json:"head_sha256"`
	Open       string              `json:"open_period"`
	Cut        bool                `json:"cut"`
	CloseFrom  string              `json:"may_be_closed_from"`
	Sources    []sourceDocument    `json:"sources"`
	Unrated    int64               `json:"unrated_calls"`
	Superseded int64               `json:"superseded_calls"`
	Held       []heldCountDocument `json:"held_calls"`
	HeldEvents int64               `json:"held_account_events"`
	Rejects    map[string]int64    `json:"blocking_rejects"`
	Voids      int64               `json:"pending_voids"`
	Unread     []unreadDocument    `json:"unread"`
	Runs       []runLine           `json:"runs"`
}

type sourceDocument struct {
	Source string  `json:"source"`
	Newest *string `json:"newest"`
	Expect *string `json:"expect"`
	Late   bool    `json:"late"`
}

type heldCountDocument struct {
	Period  string `json:"period"`
	Reason  string `json:"reason"`
	Calls   int64  `json:"calls"`
	Resolve string `json:"resolve"`
}

func newStatusDocument(s jobs.Status) statusDocument {
	document := statusDocument{
		Lake: s.Lake, Run: s.Head, Head: s.HeadHash, Open: s.Open.String(), Cut: s.Cut, CloseFrom: period.FormatInstant(s.CloseFrom),
		Sources: []sourceDocument{}, Unrated: s.Unrated, Superseded: s.Superseded, Held: []heldCountDocument{}, HeldEvents: s.HeldEvents,
		Rejects: counts(s.Rejects), Voids: s.PendingVoids, Unread: unreadDocuments(s.Unread), Runs: runLines(s.Runs),
	}
	for _, source := range s.Sources {
		document.Sources = append(document.Sources, sourceDocument{source.Source, optional(instantText(source.Newest)), optional(durationText(source.Expect)), source.Late})
	}
	for _, h := range s.Held {
		document.Held = append(document.Held, heldCountDocument{h.Period, h.Reason, h.Calls, jobs.Resolve(h.Reason)})
	}
	return document
}

// optional is null in JSON for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// durationText writes a duration as configuration does, "" for none.
func durationText(d period.Duration) string {
	var parts []string
	if d.Months != 0 {
		parts = append(parts, count(int64(d.Months), "month"))
	}
	if d.Days != 0 {
		parts = append(parts, count(int64(d.Days), "day"))
	}
	if d.Elapsed != 0 {
		parts = append(parts, strings.TrimSuffix(strings.TrimSuffix(d.Elapsed.String(), "0s"), "0m"))
	}
	return strings.Join(parts, " ")
}

func (a *app) status(s jobs.Status, now time.Time) {
	a.printf("Lake %s\n", s.Lake)
	if s.Head == 0 {
		a.printf("  no run yet: start with `creditmill ingest`\n")
	} else {
		a.printf("  run %d is the newest, its SHA-256 %s\n", s.Head, s.HeadHash)
	}
	switch {
	case s.Cut:
		a.printf("  %s is being closed: `creditmill close --period %s` finishes it\n", s.Open, s.Open)
	case now.Before(s.CloseFrom):
		a.printf("  %s is open; it may be closed from %s on\n", s.Open, period.FormatInstant(s.CloseFrom))
	default:
		a.printf("  %s is open and may be closed: `creditmill close`\n", s.Open)
	}

	a.printf("\nSources\n")
	grid := newGrid("source", "newest call", "expected every", "")
	for _, source := range s.Sources {
		newest, late := instantText(source.Newest), ""
		if newest == "" {
			newest = "none yet"
		}
		if source.Late {
			late = "late: find out whether its logs arrive"
		}
		grid.add(source.Source, newest, durationText(source.Expect), late)
	}
	a.printf("%s", grid)

	a.printf("\nTo look at\n")
	nothing := true
	item := func(format string, args ...any) { nothing = false; a.printf("  "+format+"\n", args...) }
	if s.Unrated > 0 {
		item("%s not rated yet: `creditmill rate`", count(s.Unrated, "call"))
	}
	if s.Superseded > 0 {
		item("%s rated with prices since superseded, or held for accounts opened since: `creditmill rate`", count(s.Superseded, "call"))
	}
	for _, h := range s.Held {
		item("%s of %s held, %s: %s", count(h.Calls, "call"), h.Period, printable(h.Reason), jobs.Resolve(h.Reason))
	}
	if s.HeldEvents > 0 {
		item("%s held: `creditmill held`", count(s.HeldEvents, "account event"))
	}
	if n := total(s.Rejects); n > 0 {
		item("%s in the way of a close (%s): `creditmill rejects`", count(n, "reject"), byReason(s.Rejects))
	}
	if s.PendingVoids > 0 {
		item("%s voided in closed months: a re-rate takes them out", count(s.PendingVoids, "call"))
	}
	for _, u := range s.Unread {
		item("object %s of source %s was not taken in: %s", printable(u.Object), u.Source, printable(u.Reason))
	}
	if nothing {
		a.printf("  nothing\n")
	}
	if len(s.Runs) > 0 {
		a.printf("\nLast runs\n%s", runGrid(s.Runs))
	}
}

// A runLine is a run in a list, in JSON.
type runLine struct {
	Run     int64  `json:"run"`
	Kind    string `json:"kind"`
	Period  string `json:"period"`
	Now     string `json:"now"`
	Files   int    `json:"files"`
	Summary string `json:"summary"`
	ID      string `json:"id"`
}

func runLines(runs []*lake.Run) []runLine {
	lines := make([]runLine, 0, len(runs))
	for _, run := range runs {
		lines = append(lines, runLine{
			run.Number, string(run.Kind), run.Period.String(), period.FormatInstant(run.Now), len(run.Files), runSummary(run), run.ID,
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
	default:
		return fmt.Sprintf("%s, %s", count(t.Calls, "call"), count(t.Accounts, "account"))
	}
}
