package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) ingestCommand() *cobra.Command {
	var again string
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Read the logs and account events that have landed",
		Long: "Read the raw objects that no run has read yet. Records that cannot become calls are kept with\n" +
			"their reason (`creditmill rejects`); nothing is dropped.\n\n" +
			"With --again also read once more what was read of a source, or one object: what was rejected becomes\n" +
			"a call where the mended mapping makes one of it, and what is a call already stays as it is.",
		Example: "  creditmill ingest --again gateway\n  creditmill ingest --again gateway/2026/10/03/a.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("again") && again == "" {
				return usagef("--again takes the name of a source or the key of an object")
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			read := m.Ingest
			if again != "" {
				read = func(ctx context.Context) (jobs.IngestReport, error) { return m.IngestAgain(ctx, again) }
			}
			report, err := read(cmd.Context())
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
	cmd.Flags().StringVar(&again, "again", "", "also read again what was read of this `SOURCE|KEY`, a source or an object")
	return cmd
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
	Superseded    map[string]int64 `json:"superseded"`
	Unread        []unreadDocument `json:"unread"`
	Again         *againDocument   `json:"again,omitempty"`
}

// An againDocument is what `ingest --again --json` adds.
type againDocument struct {
	Of        string           `json:"of"`
	Objects   int64            `json:"objects"`
	Unchanged int64            `json:"unchanged"`
	Gone      []string         `json:"gone"`
	NotRead   []unreadDocument `json:"not_read"`
}

type unreadDocument struct {
	Source string `json:"source"`
	Object string `json:"object"`
	Reason string `json:"reason"`
}

func newIngestDocument(r jobs.IngestReport) ingestDocument {
	document := ingestDocument{
		Run: number(r.Run), Objects: r.Totals.Objects, Records: r.Totals.Records, Events: r.Totals.Events,
		AccountEvents: r.Totals.AccountEvents, Rejects: counts(r.Totals.Rejects), Skipped: r.Totals.Skipped,
		Superseded: counts(r.Superseded), Unread: unreadDocuments(r.Unread),
	}
	if again := r.Again; again != nil {
		document.Again = &againDocument{again.Of, again.Objects, again.Unchanged, append([]string{}, again.Gone...), unreadDocuments(again.NotRead)}
	}
	return document
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
		if n := total(r.Superseded); n > 0 {
			a.printf("%s of earlier runs (%s) %s.\n", count(n, "reject"), byReason(r.Superseded), superseded(n))
		}
		a.printf("Committed as run %d.\n", r.Run.Number)
		if total(r.Totals.Rejects) > 0 {
			a.printf("`creditmill rejects` shows each rejected record and why.\n")
		}
	}
	if r.Again != nil {
		a.readAgain(*r.Again)
	}
	for _, u := range r.Unread {
		a.warnf("object %s of source %s was not taken in: %s; it is tried again at the next ingest", printable(u.Object), u.Source, printable(u.Reason))
	}
}

func superseded(n int64) string {
	if n == 1 {
		return "is superseded"
	}
	return "are superseded"
}

// maxGone is how many objects that are gone are named.
const maxGone = 5

func (a *app) readAgain(r jobs.AgainReport) {
	switch {
	case r.Objects+int64(len(r.NotRead)) == 0:
		a.printf("Nothing of %s was there to read again.\n", printable(r.Of))
	case r.Unchanged == r.Objects:
		a.printf("%s of %s read again: nothing has changed.\n", count(r.Objects, "object"), printable(r.Of))
	case r.Unchanged > 0:
		a.printf("%s of %s read again, %d of them without a change.\n", count(r.Objects, "object"), printable(r.Of), r.Unchanged)
	}
	for _, u := range r.NotRead {
		a.warnf("object %s of source %s was not read again: %s; what it gave before stands", printable(u.Object), u.Source, printable(u.Reason))
	}
	for i, key := range r.Gone {
		if i == maxGone {
			a.warnf("and %s more that were read are not there any more", count(int64(len(r.Gone)-i), "object"))
			break
		}
		a.warnf("object %s was read but is not there any more: what it gave stands", printable(key))
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
