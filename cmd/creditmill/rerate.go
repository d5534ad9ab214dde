package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/report"
	"github.com/creditmill/creditmill/jobs"
)

// rerateFlags are those of `rerate` that say what to show and where.
type rerateFlags struct {
	account       string
	parquet, html string
	limit         int
	force         bool
}

func (a *app) rerateCommand() *cobra.Command {
	var (
		options jobs.RerateOptions
		f       = rerateFlags{limit: 10}
		month   string
	)
	cmd := &cobra.Command{
		Use:   "rerate --from MONTH [--prices FILE]... | rerate --from MONTH --commit --reason TEXT",
		Short: "Show what closed months come to by today's prices and usage; commit that, with credit and debit notes",
		Long: "Replay every closed month from one on with everything known today: late usage and account events where they\n" +
			"belong, voids, today's prices and plans. It shows what differs from what stands, by cause, month and account.\n" +
			"With --prices a draft is laid over today's prices; several drafts are put beside each other. Nothing is changed.\n\n" +
			"With --commit the replay takes the place of what stands, and each account and month that is charged otherwise\n" +
			"gets a credit note or a debit note, issued in the open month. Issued invoices stay as they are.",
		Example: "  creditmill rerate --from 2026-08 --html rerate.html\n" +
			"  creditmill rerate --from 2026-08 --prices drafts/api-3.yaml --prices drafts/api-4.yaml\n" +
			"  creditmill rerate --from 2026-08 --commit --reason 'upscaling was priced twice'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.From, err = rerateFrom(month); err != nil {
				return err
			}
			if err := checkRerate(options, f); err != nil {
				return err
			}
			if f.account != "" && !cmd.Flags().Changed("limit") {
				f.limit = mostLines
			}
			return a.rerate(cmd.Context(), options, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&month, "from", "", "the first `MONTH` to re-rate, such as 2026-08: all closed months from it on are (required)")
	flags.StringArrayVar(&options.Drafts, "prices", nil, "lay this price `FILE` over today's prices; again: compare several")
	flags.StringVar(&f.account, "account", "", "show this `ACCOUNT` alone, line by line")
	flags.StringVar(&f.parquet, "parquet", "", "write all differences into this `FILE`")
	flags.StringVar(&f.html, "html", "", "write the report as a page with charts into this `FILE`")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	flags.IntVar(&f.limit, "limit", f.limit, fmt.Sprintf("list at most `N` accounts, or lines of an account (then %d)", mostLines))
	flags.BoolVar(&options.Commit, "commit", false, "put the replay in the place of what stands, and issue the notes")
	flags.BoolVar(&options.LeaveHeld, "leave-held", false, "commit although calls or account events that count today are held: they post to the open month")
	flags.StringVar(&options.Reason, "reason", "", "why it is committed, as a `TEXT` that stays with the run")
	return cmd
}

// mostLines is how many lines of an account are listed where --limit does not say.
const mostLines = 200

func rerateFrom(month string) (period.Period, error) {
	if month == "" {
		return period.Period{}, usagef("say with --from which closed month to begin with, such as --from 2026-08; `creditmill status` says which are closed")
	}
	p, err := period.Parse(month)
	if err != nil {
		return p, usagef("--from: %w", err)
	}
	return p, nil
}

// checkRerate refuses what makes no sense together.
func checkRerate(o jobs.RerateOptions, f rerateFlags) error {
	switch {
	case o.Commit && len(o.Drafts) > 0:
		return usagef("--commit takes no --prices: a draft is not committed; add it to the configuration as a version of its own, and re-rate without --prices")
	case o.Commit && strings.TrimSpace(o.Reason) == "":
		return usagef("--commit needs --reason TEXT: it stays with the run")
	case o.Commit && f.account != "":
		return usagef("--commit takes no --account: a re-rating is of all accounts; look at one first, without --commit")
	case !o.Commit && o.LeaveHeld:
		return usagef("--leave-held goes with --commit")
	case !o.Commit && o.Reason != "":
		return usagef("--reason goes with --commit")
	case f.html != "" && f.html == f.parquet:
		return usagef("--html and --parquet name the same file")
	case f.force && f.parquet == "" && f.html == "":
		return usagef("--force replaces a file: name it with --parquet or --html")
	}
	return nil
}

// A rerateResult is all that a re-rating is to print.
type rerateResult struct {
	jobs.RerateReport

	summary *report.Summary // nil: nothing was compared
	open    period.Period   // the notes are issued in it
	reason  string
	files   []rerateFile
}

type rerateFile struct {
	Path string `json:"path"`
	Rows *int64 `json:"rows"` // of Parquet
}

func (a *app) rerate(ctx context.Context, o jobs.RerateOptions, f rerateFlags) (err error) {
	parquet, html, err := createReports(f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discardReports(parquet, html)) }()
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	var rows int64
	result := rerateResult{reason: strings.TrimSpace(o.Reason)}
	result.RerateReport, err = m.Rerate(ctx, o, func(ctx context.Context, r jobs.RerateReport, session *duck.Session) (err error) {
		result.summary, err = report.Read(ctx, session, report.Options{From: r.From, Through: r.Through, Drafts: r.Drafts, Account: f.account, Limit: f.limit})
		if err == nil && parquet != nil {
			rows, err = rewrite(ctx, session, parquet)
		}
		return err
	})
	if err != nil {
		return err
	}
	result.open, _ = m.Lake.State().Open(m.Config.FirstPeriod)
	done()
	if len(result.Blocks) > 0 {
		return a.rerateRefused(result)
	}
	err = a.tellRerate(m, result, parquet, html, rows)
	if result.Run != nil {
		a.keepPublished(ctx, m)
	}
	return err
}

// tellRerate keeps the reports of a re-rate and prints what it came to.
func (a *app) tellRerate(m *jobs.Mill, result rerateResult, parquet, html *newFile, rows int64) error {
	if err := result.keep(parquet, html, rows, a.reratePage(m, result)); err != nil {
		if result.Run != nil {
			err = fmt.Errorf("run %d is committed, but not every report of it was written: %w", result.Run.Number, err)
		}
		return err
	}
	if a.json {
		return a.print(newRerateDocument(result))
	}
	a.rerated(result)
	return nil
}

// keep writes the page and gives the files their names; either may be nil.
func (r *rerateResult) keep(parquet, html *newFile, rows int64, page report.Page) error {
	if parquet != nil {
		if _, err := parquet.keep(); err != nil {
			return err
		}
		r.files = append(r.files, rerateFile{parquet.path, &rows})
	}
	if html == nil {
		return nil
	}
	out := bufio.NewWriter(html)
	if err := errors.Join(r.summary.HTML(out, page), out.Flush()); err != nil {
		return err
	}
	if _, err := html.keep(); err != nil {
		return err
	}
	r.files = append(r.files, rerateFile{html.path, nil})
	return nil
}

// createReports begins the files that are asked for; nil for one that is not.
func createReports(f rerateFlags) (parquet, html *newFile, err error) {
	if f.parquet != "" {
		if parquet, err = createFile(f.parquet, f.force); err != nil {
			return nil, nil, err
		}
	}
	if f.html != "" {
		if html, err = createFile(f.html, f.force); err != nil {
			return nil, nil, errors.Join(err, discardReports(parquet))
		}
	}
	return parquet, html, nil
}

// discardReports removes the files that were begun and not kept.
func discardReports(files ...*newFile) (err error) {
	for _, file := range files {
		if file != nil {
			err = errors.Join(err, file.discard())
		}
	}
	return err
}

// rewrite writes the differences into a file, in the place of those that an attempt
// before has written.
func rewrite(ctx context.Context, session *duck.Session, file *newFile) (rows int64, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if err := file.Truncate(0); err != nil {
		return 0, err
	}
	return report.Parquet(ctx, session, file)
}

func (a *app) reratePage(m *jobs.Mill, r rerateResult) report.Page {
	page := report.Page{Issuer: m.Config.Issuer.Name, Now: m.Now(), Head: r.Head, Calls: r.Calls, Reason: r.reason, Tool: version}
	for _, b := range r.Held {
		page.Held = append(page.Held, report.Held{What: b.Reason, Count: b.Count, Example: b.Examples[0]})
	}
	if r.Run != nil {
		page.Committed = r.Run.Number
	}
	return page
}

// rerateRefused says what is in the way of a re-rating.
func (a *app) rerateRefused(r rerateResult) error {
	document := newRerateDocument(r)
	if a.json {
		if err := a.print(document); err != nil {
			return err
		}
	} else {
		a.printf("%s cannot be re-rated:\n", document.From)
		a.blocks(document.Blocks)
	}
	return heldError{fmt.Errorf("%s was not re-rated: %s in the way", document.From, areThings(len(r.Blocks)))}
}
