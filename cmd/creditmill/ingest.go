package main

import (
	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) ingestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ingest",
		Short: "Read the logs and account events that have landed",
		Long: "Read the raw objects that no run has read yet. Records that cannot become calls are kept with\n" +
			"their reason (`creditmill rejects`); nothing is dropped.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Ingest(cmd.Context())
			done()
			if err != nil {
				return err
			}
			if a.json {
				return a.print(newIngestDocument(report))
			}
			a.ingested(report)
			return nil
		},
	}
}

// An ingestDocument is what `ingest --json` prints. Run is null when nothing was
// committed.
type ingestDocument struct {
	Run           *int64           `json:"run"`
	Objects       int64            `json:"objects"`
	Records       int64            `json:"records"`
	Events        int64            `json:"events"`
	AccountEvents int64            `json:"account_events"`
	Rejects       map[string]int64 `json:"rejects"`
	Skipped       int64            `json:"skipped"`
	Unread        []unreadDocument `json:"unread"`
}

type unreadDocument struct {
	Source string `json:"source"`
	Object string `json:"object"`
	Reason string `json:"reason"`
}

func newIngestDocument(r jobs.IngestReport) ingestDocument {
	return ingestDocument{
		Run: number(r.Run), Objects: r.Totals.Objects, Records: r.Totals.Records, Events: r.Totals.Events,
		AccountEvents: r.Totals.AccountEvents, Rejects: counts(r.Totals.Rejects), Skipped: r.Totals.Skipped, Unread: unreadDocuments(r.Unread),
	}
}

func unreadDocuments(unread []lake.Unread) []unreadDocument {
	list := make([]unreadDocument, 0, len(unread))
	for _, u := range unread {
		list = append(list, unreadDocument{u.Source, u.Object, u.Reason})
	}
	return list
}

// number is a run's number for JSON: null for none.
func number(run *lake.Run) *int64 {
	if run == nil {
		return nil
	}
	return &run.Number
}

// counts is never null in JSON.
func counts(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

func (a *app) ingested(r jobs.IngestReport) {
	if r.Run == nil {
		a.printf("Nothing new has landed.\n")
	} else {
		a.printf("%s\n", ingestSentence(r.Totals))
		a.printf("Committed as run %d.\n", r.Run.Number)
		if total(r.Totals.Rejects) > 0 {
			a.printf("`creditmill rejects` shows each rejected record and why.\n")
		}
	}
	for _, u := range r.Unread {
		a.warnf("object %s of source %s was not taken in: %s; it is tried again at the next ingest", printable(u.Object), u.Source, printable(u.Reason))
	}
}

// ingestSentence says what was read: records = events + rejects + skipped.
func ingestSentence(t lake.Totals) string {
	text := "Read " + count(t.Records, "record") + " in " + count(t.Objects, "object") + ": " +
		count(calls(t), "call") + ", " + count(t.AccountEvents, "account event")
	if n := total(t.Rejects); n > 0 {
		text += ", " + count(n, "reject") + " (" + byReason(t.Rejects) + ")"
	} else {
		text += ", no rejects"
	}
	if t.Skipped > 0 {
		text += ", " + count(t.Skipped, "record") + " skipped"
	}
	return text + "."
}

// calls is how many of the records became calls.
func calls(t lake.Totals) int64 { return t.Events }
