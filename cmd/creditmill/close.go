package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) closeCommand() *cobra.Command {
	var (
		options jobs.CloseOptions
		month   string
	)
	cmd := &cobra.Command{
		Use:   "close",
		Short: "Close a month: burn it down for good and issue its invoices",
		Long: "Close a month: read and rate what has landed, refuse while anything is in the way (exit code 3, with\n" +
			"every reason and what resolves it), settle what belongs to the month, burn it down, and issue its invoices.\n" +
			"Run again after an interruption it finishes the work; a closed month stays as it is.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.Period, err = parsePeriod(month); err != nil {
				return err
			}
			return a.close(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&month, "period", "", "close this `MONTH`, such as 2026-10 (default: the oldest that may be closed)")
	flags.BoolVar(&options.LeaveHeld, "leave-held", false, "close although calls or account events are held: they post to the next month")
	flags.BoolVar(&options.AcceptRejects, "accept-rejects", false, "close although records were rejected: all so far are accepted")
	flags.BoolVar(&options.AcceptSilence, "accept-silence", false, "close although a source has been silent for longer than it should")
	return cmd
}

// parsePeriod reads a --period; "" is none.
func parsePeriod(month string) (period.Period, error) {
	if month == "" {
		return period.Period{}, nil
	}
	p, err := period.Parse(month)
	if err != nil {
		return period.Period{}, usagef("--period: %w", err)
	}
	return p, nil
}

func (a *app) close(ctx context.Context, o jobs.CloseOptions) error {
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	report, err := m.Close(ctx, o)
	if err != nil {
		done()
		return err
	}
	done()
	err = a.tellClose(ctx, m, report)
	if report.Run != nil {
		a.keepPublished(ctx, m)
	}
	return err
}

// tellClose prints what a close came to, at once: what is committed is told even where
// the command is interrupted meanwhile.
func (a *app) tellClose(ctx context.Context, m *jobs.Mill, report jobs.CloseReport) (err error) {
	document := newCloseDocument(m, report) // of the log as the close left it
	if report.Run != nil || report.Already != nil {
		if document.Invoices, err = issued(context.WithoutCancel(ctx), m, report.Period); err != nil {
			return err
		}
	}
	if a.json {
		err = a.print(document)
	} else {
		a.closed(report, document)
	}
	if len(report.Blocks) > 0 && err == nil {
		err = heldError{fmt.Errorf("%s was not closed: %s in the way", report.Period, areThings(len(report.Blocks)))}
	}
	return err
}

func areThings(n int) string {
	if n == 1 {
		return "one thing is"
	}
	return fmt.Sprintf("%d things are", n)
}

// What a close came to.
const (
	closeClosed  = "closed"
	closeAlready = "already_closed"
	closeRefused = "refused"
	closeNotYet  = "not_yet"
)

// A closeDocument is what `close --json` prints.
type closeDocument struct {
	Outcome  string           `json:"outcome"` // closed, already_closed, refused or not_yet
	Period   string           `json:"period"`
	Run      *int64           `json:"run"`
	CutRun   *int64           `json:"cut_run"`
	From     *string          `json:"may_be_closed_from"` // of not_yet
	Totals   *totalsDocument  `json:"totals"`
	Invoices []map[string]any `json:"invoices"`
	Head     string           `json:"head_sha256"`
	Blocks   []blockDocument  `json:"blocks"`
}

type blockDocument struct {
	Reason   string   `json:"reason"`
	Count    int64    `json:"count"`
	Examples []string `json:"examples"`
	Resolve  string   `json:"resolve"`
}

func newBlockDocuments(blocks []jobs.Block) []blockDocument {
	documents := []blockDocument{}
	for _, b := range blocks {
		examples := b.Examples
		if examples == nil {
			examples = []string{}
		}
		documents = append(documents, blockDocument{b.Reason, b.Count, examples, b.Resolve})
	}
	return documents
}

// blocks lists what is in the way, and what resolves it.
func (a *app) blocks(blocks []blockDocument) {
	for _, b := range blocks {
		a.printf("\n  %s: %s\n", printable(b.Reason), grouped(fmt.Sprint(b.Count)))
		for _, example := range b.Examples {
			a.printf("    %s\n", printable(short(example, maxExample)))
		}
		a.printf("    → %s\n", printable(b.Resolve))
	}
	a.printf("\n")
}

func newCloseDocument(m *jobs.Mill, r jobs.CloseReport) closeDocument {
	state := m.Lake.State()
	document := closeDocument{
		Outcome: closeNotYet, Period: r.Period.String(), Run: number(r.Run), Head: state.HeadHash,
		Invoices: []map[string]any{}, Blocks: newBlockDocuments(r.Blocks),
	}
	switch {
	case len(r.Blocks) > 0:
		document.Outcome = closeRefused
	case r.Run != nil:
		document.Outcome = closeClosed
		totals := newTotalsDocument(r.Totals)
		document.Totals = &totals
		if closing, ok := state.Closed(r.Period); ok {
			document.CutRun = &closing.CutRun
		}
	case r.Already != nil:
		document.Outcome = closeAlready
		document.Run, document.CutRun = &r.Already.CloseRun, &r.Already.CutRun
	default:
		open, _ := state.Open(m.Config.FirstPeriod)
		from := period.FormatInstant(m.Calendar.Add(m.Calendar.End(open), m.Config.CloseGrace))
		document.Period, document.From = open.String(), &from
	}
	return document
}

func (a *app) closed(r jobs.CloseReport, document closeDocument) {
	switch document.Outcome {
	case closeNotYet:
		a.printf("Nothing to close: %s may be closed from %s on.\n", document.Period, *document.From)
		return
	case closeAlready:
		a.printf("%s is closed already, by run %d; nothing was changed. The log's head is %s.\n", document.Period, *document.Run, document.Head)
		return
	case closeRefused:
		a.printf("%s cannot be closed yet:\n", document.Period)
		a.blocks(document.Blocks)
		return
	}
	a.printf("Closed %s.\n", document.Period)
	a.burned(r.Totals)
	a.printf("\n")
	a.invoiceTable(document.Invoices)
	a.printf("Committed as run %d (cut: run %d). For the books, the log's head is\n  %s\n", *document.Run, *document.CutRun, document.Head)
}

const maxExample = 200

// maxInvoices is how many invoices a close shows; --json has all.
const maxInvoices = 20

// invoiceTable prints the first invoices of a close and what they come to by currency.
func (a *app) invoiceTable(invoices []map[string]any) {
	if len(invoices) == 0 {
		a.printf("No invoices: there was nothing to charge.\n\n")
		return
	}
	grid := newGrid("invoice", "account", "currency", "subtotal", "tax", "total", "paid", "due").numbers(3, 4, 5, 6, 7)
	for _, i := range invoices[:min(len(invoices), maxInvoices)] {
		amount := func(column string) string { return moneyText(i[column], plain(i["currency"])) }
		grid.add(plain(i["number"]), plain(i["account"]), plain(i["currency"]), amount("subtotal"), amount("tax"), amount("total"), amount("paid"), amount("amount_due"))
	}
	a.printf("%s", grid)
	if more := len(invoices) - maxInvoices; more > 0 {
		a.printf("  … and %s more: `creditmill query \"SELECT * FROM invoices ORDER BY number\"` lists them\n", grouped(fmt.Sprint(more)))
	}
	sums := sumByCurrency(invoices)
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		a.printf("  %s, together %s %s\n", count(sums[currency].n, "invoice"), grouped(sums[currency].text()), currency)
	}
	a.printf("\n")
}
