package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// A demoTale tells what a demo does while it does it, and gathers the same for
// --json.
type demoTale struct {
	app    *app
	name   string
	dir    string
	script demoScript
	steps  []map[string]any
}

const taleWidth = 96

func (t *demoTale) begin() {
	if t.app.json {
		return
	}
	t.app.printf("The world %q\n\n%s\n", t.name, fold(t.script.Description, "  ", taleWidth))
}

func (t *demoTale) step(s demoStep, document any, format string, args ...any) {
	t.steps = append(t.steps, map[string]any{"command": s.Command, "now": period.FormatInstant(s.Now), "result": document})
	if t.app.json {
		return
	}
	command := s.Command
	if !s.Period.IsZero() {
		command += " " + s.Period.String()
	}
	t.app.printf("%s  %-13s %s", s.Now.Format("2006-01-02 15:04"), command, strings.TrimLeft(fold(fmt.Sprintf(format, args...), strings.Repeat(" ", 32), taleWidth-32), " "))
}

func (t *demoTale) ingested(s demoStep, r jobs.IngestReport) {
	t.step(s, newIngestDocument(r), "%s", ingestSentence(r.Totals))
	for _, u := range r.Unread {
		t.app.warnf("object %s was not taken in: %s", printable(u.Object), printable(u.Reason))
	}
}

func (t *demoTale) rated(s demoStep, r jobs.RateReport) {
	t.step(s, newRateDocument(r), "%s", rateSentence(r.Totals))
}

func (t *demoTale) applied(s demoStep, r jobs.ApplyReport) {
	t.step(s, newApplyDocument(r), "Burned %s down provisionally: the balances of %s can be seen before the month is closed.",
		r.Period, count(r.Totals.Accounts, "account"))
}

func (t *demoTale) closed(ctx context.Context, m *jobs.Mill, s demoStep, r jobs.CloseReport) error {
	document := newCloseDocument(m, r)
	var err error
	if document.Invoices, err = issued(ctx, m, r.Period); err != nil {
		return err
	}
	var sums []string
	byCurrency := sumByCurrency(document.Invoices)
	for _, code := range slices.Sorted(maps.Keys(byCurrency)) {
		sums = append(sums, grouped(byCurrency[code].text())+" "+code)
	}
	text := fmt.Sprintf("Burned %s down for good: %s", r.Period, count(r.Totals.Calls, "call"))
	if len(sums) > 0 {
		text += "; issued " + count(int64(len(document.Invoices)), "invoice") + " over " + strings.Join(sums, ", ")
	} else {
		text += "; there was nothing to charge"
	}
	t.step(s, document, "%s.", text)
	return nil
}

// end tells what came of it all: credits by kind of bucket, the invoices, where
// the files lie, and what to try next.
func (t *demoTale) end(ctx context.Context) error {
	a := t.app
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	var (
		kinds    result
		invoices []map[string]any
	)
	err = reading(ctx, m, func(r *jobs.Reader) (err error) {
		if kinds, err = fetch(ctx, r.Session(), sql.Text("duckdb/show_credits_by_kind")); err != nil {
			return err
		}
		for _, closing := range m.Lake.State().Closings() {
			list, err := issued(ctx, m, closing.Period)
			if err != nil {
				return err
			}
			invoices = append(invoices, list...)
			to := document.Files{Folder: filepath.Join(t.dir, "invoices"), Formats: []document.Format{document.HTML, document.PDF}}
			if _, err := m.WriteDocuments(ctx, document.Selection{Period: closing.Period}, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.json {
		credits, _ := kinds.document()
		return a.print(map[string]any{
			"world": t.name, "folder": t.dir, "steps": t.steps, "credits": credits, "invoices": invoices, "head_sha256": m.Lake.State().HeadHash,
		})
	}
	a.printf("\nCredits by kind of bucket, and what no bucket paid for\n%s", kinds.grid())
	a.printf("\nInvoices\n")
	a.invoiceTable(invoices)
	a.printf("Where things lie\n")
	for _, place := range [][2]string{
		{defaultConfig, "the configuration; sources/, prices/ and plans/ are beside it"},
		{"raw", "the logs and account events as they landed"},
		{"lake", "every table as Parquet, and the log of runs"},
		{"invoices", count(int64(len(invoices)), "invoice") + " as HTML and as PDF"},
		{"README.md", "who the accounts are, and every number worked out by hand"},
	} {
		a.printf("  %-*s  %s\n", len(t.dir)+len(defaultConfig)+1, filepath.Join(t.dir, place[0]), place[1])
	}
	a.printf("\nTry next\n")
	for _, command := range t.script.Look {
		a.printf("  %s\n", t.runnable(command))
	}
	a.printf("  %s\n", t.runnable("creditmill status"))
	a.printf("  %s init my-api     # your own, with a working example inside\n", a.name)
	return nil
}

// runnable makes a line of demo.yaml one that can be pasted as it is.
func (t *demoTale) runnable(command string) string {
	if rest, ok := strings.CutPrefix(command, "creditmill "); ok {
		return t.app.name + " --config " + t.app.config + " " + rest
	}
	return command
}
