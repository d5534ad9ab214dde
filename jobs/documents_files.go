package jobs

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/sql"
)

// A document is the same whenever it is made again (SPEC section 7), so it is made of
// the files that its close or re-rate left, live or not: statements and balances of an
// invoice are those that the period's close wrote, and the account events are those
// that were live after the run that issued the document. A re-rate replaces all of them.

// issuedInvoices makes files of invoices readable as invoices, with the run that issued
// each row and then its period as the last columns.
func (d *desk) issuedInvoices(ctx context.Context, files []lake.File) error {
	place := func(f lake.File) string { return fmt.Sprintf("%s %d", f.Partition, f.Origin()) }
	if err := d.viewBy(ctx, "issued_invoices", lake.Invoices, files, "issued", place); err != nil {
		return err
	}
	if err := d.session.Exec(ctx, sql.Text("duckdb/invoice_documents_issued")); err != nil {
		return fmt.Errorf("invoices by run: %w", err)
	}
	return nil
}

// documentViews makes readable what the picked documents are made of.
func (d *desk) documentViews(ctx context.Context, picked document.Picked) error {
	state := d.mill.Lake.State()
	elsewhere := func(f lake.File) bool { return !slices.Contains(picked.Periods, f.Partition) }
	for _, view := range []struct {
		table lake.Table
		files []lake.File
	}{
		{lake.InvoiceLines, slices.DeleteFunc(state.Files(lake.InvoiceLines), elsewhere)},
		{lake.Statements, slices.DeleteFunc(closeFiles(state, lake.Statements), elsewhere)},
		{lake.Balances, slices.DeleteFunc(closeFiles(state, lake.Balances), elsewhere)},
		{lake.Periods, state.Files(lake.Periods)},
		{lake.KeptParties, state.Files(lake.KeptParties)},
	} {
		if err := d.viewBy(ctx, view.table.Name, view.table, view.files, partitionColumn(view.table), partitionOf); err != nil {
			return fmt.Errorf("%s as the close wrote them: %w", view.table.Name, err)
		}
	}
	events, live := eventsAt(state, picked.Runs)
	if err := d.viewBy(ctx, "known_events", lake.AccountEvents, events, "live", func(f lake.File) string { return live[f.Path] }); err != nil {
		return fmt.Errorf("account events as they were when documents were issued: %w", err)
	}
	if err := d.session.Exec(ctx, sql.Text("duckdb/invoice_documents_known")); err != nil {
		return fmt.Errorf("account events by run: %w", err)
	}
	return nil
}

// closeFiles are the files of a table that the periods' closes wrote, live or not.
func closeFiles(state *lake.State, table lake.Table) (files []lake.File) {
	for _, closing := range state.Closings() {
		if closing.CloseRun == 0 {
			continue
		}
		for _, f := range state.Milestone(closing.CloseRun).Files {
			if f.Table == table.Name && f.Partition == closing.Period.String() {
				files = append(files, state.Standing(f))
			}
		}
	}
	return files
}

// eventsAt are the files of account events that were live after any of some closes and
// re-rates, which are in order, and by path the first and the last of those runs, a
// blank between them: of thousands of files few pairs differ, and each pair is a part
// of a view.
func eventsAt(state *lake.State, runs []int64) (files []lake.File, live map[string]string) {
	spans := map[string][2]int64{}
	add := func(f lake.File, until int64) {
		first, _ := slices.BinarySearch(runs, f.Run)
		after, _ := slices.BinarySearch(runs, until)
		if first == after {
			return
		}
		span := [2]int64{runs[first], runs[after-1]}
		if before, twice := spans[f.Path]; twice { // it stands in for one that a forget replaced
			span = [2]int64{min(before[0], span[0]), max(before[1], span[1])}
		} else {
			files = append(files, f)
		}
		spans[f.Path] = span
	}
	for _, f := range state.Files(lake.AccountEvents) {
		add(f, math.MaxInt64)
	}
	for _, f := range state.Retained() {
		add(f.File, f.Replaced)
	}
	live = map[string]string{}
	for path, span := range spans {
		live[path] = fmt.Sprintf("%d %d", span[0], span[1])
	}
	slices.SortFunc(files, func(a, b lake.File) int { return strings.Compare(a.Path, b.Path) })
	return files, live
}
