package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what is open, fresh, late, held, failing and next",
		Long: "Show at one glance what is open, fresh, late, held, failing and in the way, and what happens next and when.\n" +
			"The exit code is 0 whatever it finds: monitor `/healthz` of `schedule`, or --json.",
		Args: cobra.NoArgs,
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
	RunNow     *string             `json:"run_now"` // null: no run yet
	Head       string              `json:"head_sha256"`
	Open       string              `json:"open_period"`
	Cut        bool                `json:"cut"`
	CloseFrom  string              `json:"may_be_closed_from"`
	LastClose  *lastCloseDocument  `json:"last_close"`
	Sources    []sourceDocument    `json:"sources"`
	Unrated    int64               `json:"unrated_calls"`
	Superseded int64               `json:"superseded_calls"`
	Held       []heldCountDocument `json:"held_calls"`
	HeldEvents int64               `json:"held_account_events"`
	Rejects    map[string]int64    `json:"blocking_rejects"`
	Unread     []unreadDocument    `json:"unread"`
	Late       []lateDocument      `json:"late_usage"`
	Voids      int64               `json:"pending_voids"`
	VoidsFrom  *string             `json:"pending_voids_from"`
	Published  *publishedDocument  `json:"published"` // null: nothing is
	Jobs       []jobDocument       `json:"jobs"`
	Failures   []failureDocument   `json:"failures"`
	Fragmented []fragmentsDocument `json:"fragmented"`
	Runs       []runLine           `json:"runs"`
}

// A lastCloseDocument is the newest close.
type lastCloseDocument struct {
	Period   string            `json:"period"`
	Run      int64             `json:"run"`
	Now      string            `json:"now"`
	Invoices int64             `json:"invoices"`
	Invoiced map[string]string `json:"invoiced"` // with tax, by currency
	Rerates  int               `json:"rerates_since"`
}

// A publishedDocument is what the published copy says of itself.
type publishedDocument struct {
	Place string  `json:"place"`
	Run   *int64  `json:"run"` // null: it is being changed, or a publish was cut off
	Now   *string `json:"run_now"`
	Error *string `json:"error"` // why it cannot be looked at
}

type sourceDocument struct {
	Source string  `json:"source"`
	Path   string  `json:"path"`
	Newest *string `json:"newest"`
	Expect *string `json:"expect"`
	Late   bool    `json:"late"`
	Since  *string `json:"late_since"`
}

type heldCountDocument struct {
	Period  string `json:"period"`
	Reason  string `json:"reason"`
	Calls   int64  `json:"calls"`
	Resolve string `json:"resolve"`
}

type lateDocument struct {
	Period  string `json:"period"`
	Calls   int64  `json:"calls"`
	Credits string `json:"credits"`
}

type jobDocument struct {
	Job     string  `json:"job"`
	Cron    string  `json:"cron"`
	Next    string  `json:"next"`
	LastRun *int64  `json:"last_run"`
	LastNow *string `json:"last_now"`
	Overdue *string `json:"overdue_since"`
}

type failureDocument struct {
	Job      string  `json:"job"`
	Blocked  bool    `json:"blocked"`
	Since    string  `json:"since"`
	Last     string  `json:"last"`
	Attempts int     `json:"attempts"`
	Error    string  `json:"error"`
	Next     *string `json:"next"`
}

type fragmentsDocument struct {
	Table string `json:"table"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
}

func newStatusDocument(s jobs.Status) statusDocument {
	document := statusDocument{
		Lake: s.Lake, Run: s.Head, RunNow: optional(instantText(s.HeadNow)), Head: s.HeadHash, Open: s.Open.String(), Cut: s.Cut, CloseFrom: period.FormatInstant(s.CloseFrom),
		Sources: []sourceDocument{}, Unrated: s.Unrated, Superseded: s.Superseded, Held: []heldCountDocument{}, HeldEvents: s.HeldEvents,
		Rejects: counts(s.Rejects), Unread: unreadDocuments(s.Unread), Late: []lateDocument{}, Voids: s.PendingVoids,
		Jobs: []jobDocument{}, Failures: []failureDocument{}, Fragmented: []fragmentsDocument{}, Runs: runLines(s.Runs),
	}
	if run := s.LastClose; run != nil {
		document.LastClose = &lastCloseDocument{
			run.Period.String(), run.Number, period.FormatInstant(run.Now), run.Totals.Invoices, texts(run.Totals.Money), s.Rerates,
		}
	}
	if p := s.Published; p != nil {
		document.Published = &publishedDocument{Place: p.Place, Now: optional(instantText(p.Now)), Error: optional(p.Err)}
		if p.Run != 0 {
			document.Published.Run = &p.Run
		}
	}
	for _, source := range s.Sources {
		document.Sources = append(document.Sources, sourceDocument{
			source.Source, source.Path, optional(instantText(source.Newest)), optional(durationText(source.Expect)), source.Late, optional(instantText(source.Since)),
		})
	}
	for _, h := range s.Held {
		document.Held = append(document.Held, heldCountDocument{h.Period, h.Reason, h.Calls, jobs.Resolve(h.Reason)})
	}
	for _, late := range s.Late {
		document.Late = append(document.Late, lateDocument{late.Period.String(), late.Calls, late.Credits})
	}
	if !s.VoidsFrom.IsZero() {
		document.VoidsFrom = optional(s.VoidsFrom.String())
	}
	for _, job := range s.Jobs {
		one := jobDocument{Job: job.Job, Cron: job.Cron, Next: period.FormatInstant(job.Next), LastNow: optional(instantText(job.LastAt)), Overdue: optional(instantText(job.Overdue))}
		if job.LastRun != 0 {
			one.LastRun = &job.LastRun
		}
		document.Jobs = append(document.Jobs, one)
	}
	for _, f := range s.Failures {
		document.Failures = append(document.Failures, failureDocument{
			f.Job, f.Blocked, period.FormatInstant(f.Since), period.FormatInstant(f.Last), f.Attempts, f.Error, optional(instantText(f.Next)),
		})
	}
	for _, f := range s.Fragmented {
		document.Fragmented = append(document.Fragmented, fragmentsDocument{f.Table, f.Files, f.Bytes})
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
