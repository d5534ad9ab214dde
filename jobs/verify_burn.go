package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/sql"
)

// closedPeriods are those whose close is committed, the oldest first; with all, also
// where one was asked for.
func (v *verifier) closedPeriods(all bool) []period.Period {
	var periods []period.Period
	for _, c := range v.mill.Lake.State().Closings() {
		if c.CloseRun != 0 && (all || v.options.Period.IsZero() || c.Period == v.options.Period) {
			periods = append(periods, c.Period)
		}
	}
	return periods
}

// writer is the run whose burn-down of a closed period is live: its close, or the last
// re-rate that replayed it.
func writer(state *lake.State, p period.Period) *lake.Run {
	closing, _ := state.Closed(p)
	by := state.Milestone(closing.CloseRun)
	for _, run := range state.Milestones() {
		if run.Kind == lake.Rerate && run.Number > by.Number && !p.Before(run.Period) {
			by = run
		}
	}
	return by
}

// burnDowns burns every closed period down again, from its rated calls and the closing
// of the period before, and compares what comes out with what is live.
func (v *verifier) burnDowns(ctx context.Context) error {
	check := &Check{What: "burn-down of closed periods", Unit: "period"}
	defer func() { v.note(check) }()
	periods := v.closedPeriods(false)
	for i, p := range periods {
		if err := v.burnAgain(ctx, p, check); err != nil {
			return fmt.Errorf("burn down %s again: %w", p, err)
		}
		check.Count++
		if tell := v.mill.progress("periods"); tell != nil {
			tell(int64(i+1), int64(len(periods)))
		}
	}
	return nil
}

func (v *verifier) burnAgain(ctx context.Context, p period.Period, check *Check) (err error) {
	run := writer(v.mill.Lake.State(), p)
	d, err := v.as(ctx, run)
	if err != nil {
		return err
	}
	d.scratch = filepath.Join(v.scratch, "burn-"+p.String())
	if err := os.Mkdir(d.scratch, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.scratch)) }()
	if err := d.burnViews(ctx, p); err != nil {
		return err
	}
	if err := v.issuedBefore(ctx, d, run, p); err != nil {
		return err
	}
	heldKnown, err := v.leftBehind(ctx, d, run, p)
	if err != nil {
		return err
	}
	report, err := d.burnAsOf(ctx, run, p)
	where := fmt.Sprintf("period %s, written by run %d", p, run.Number)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		check.fault(where, nextRows, "cannot be burned down again: %v", err)
		return nil
	}
	for _, out := range report.Outputs {
		if out.Table.Partition != lake.ByPeriod || run.Kind == lake.Rerate && !isRerated(out.Table) {
			continue // a re-rate leaves alerts and invoices as the close gave them
		}
		different, err := v.burnedAs(ctx, d, out, heldKnown)
		if err != nil {
			return err
		}
		if different != "" {
			check.fault(where+", table "+out.Table.Name, nextRows, "%s", different)
		}
	}
	return nil
}

// rerated reports whether a re-rate replaces a table's rows.
func isRerated(table lake.Table) bool {
	return slices.ContainsFunc([]lake.Table{lake.Burns, lake.Ledger, lake.Balances, lake.Statements, lake.Revenue}, func(t lake.Table) bool { return t.Name == table.Name })
}

// burnAsOf burns a period down as a run did that closed or replayed it.
func (d *desk) burnAsOf(ctx context.Context, run *lake.Run, p period.Period) (invoice.Report, error) {
	m := d.mill
	rated, err := m.Lake.Paths(ctx, m.Lake.State().Partition(lake.Rated, p.String()))
	if err != nil {
		return invoice.Report{}, err
	}
	in := d.burnInput(p)
	in.RatedFiles, in.Progress = rated, nil
	if in.Kept = run.Kind == lake.Rerate; in.Kept {
		if err := d.keptTopUps(ctx, p); err != nil {
			return invoice.Report{}, err
		}
	}
	return invoice.Run(ctx, in)
}

// keptTopUps makes the table of the top-ups that invoices and notes have charged, with
// those that the last replay itself bought: they are all there again.
func (d *desk) keptTopUps(ctx context.Context, p period.Period) error {
	state := d.mill.Lake.State()
	if err := errors.Join(
		d.viewBy(ctx, "sold_documents", lake.Invoices, state.Files(lake.Invoices), "period", partitionOf),
		d.view(ctx, "sold_lines", lake.InvoiceLines, state.Files(lake.InvoiceLines)),
		d.view(ctx, "kept_balances", lake.Balances, state.Partition(lake.Balances, p.String())),
		d.view(ctx, "kept_ledger", lake.Ledger, state.Partition(lake.Ledger, p.String())),
	); err != nil {
		return err
	}
	return d.session.Exec(ctx, sql.Text("duckdb/rerate_kept_topups"), p.String())
}

// issuedBefore makes the views of documents and their lines as a close, or the replay of
// a period, found them.
func (v *verifier) issuedBefore(ctx context.Context, d *desk, run *lake.Run, p period.Period) error {
	for name, table := range map[string]lake.Table{"closed_invoices": lake.Invoices, "closed_lines": lake.InvoiceLines} {
		before := slices.DeleteFunc(v.mill.Lake.State().Files(table), func(f lake.File) bool { return f.Origin() >= run.Number })
		if err := d.view(ctx, name, table, before); err != nil {
			return err
		}
	}
	if run.Kind != lake.Rerate {
		return nil
	}
	if err := v.documents(ctx); err != nil {
		return err
	}
	return d.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW closed_lines AS "+sql.Expand("duckdb/verify_replayed_lines", map[string]any{
		"Run": run.Number, "First": run.Period.String(), "Before": p.String(),
	}))
}

// leftBehind makes the view of the held calls that a period's close or replay moved on,
// as they were then: a later close moves them on further, and a rating takes them out of
// held. known is false where the files of then are gone.
func (v *verifier) leftBehind(ctx context.Context, d *desk, run *lake.Run, p period.Period) (known bool, err error) {
	if run.Kind == lake.Rerate {
		return v.leftByReplay(ctx, d, run, p)
	}
	left, _ := v.filesAt(lake.Rated, run.Read) // after the cut
	left = slices.DeleteFunc(left, func(f lake.File) bool { return f.Tags[tagLeft] != p.String() || f.Partition <= p.String() })
	if slices.ContainsFunc(left, v.isGone) {
		return false, nil
	}
	return true, d.view(ctx, "moved_on", lake.Rated, left)
}

func (v *verifier) isGone(f lake.File) bool { return v.gone[f.Path] }

// leftByReplay is leftBehind for a period that a re-rate replayed.
func (v *verifier) leftByReplay(ctx context.Context, d *desk, run *lake.Run, p period.Period) (known bool, err error) {
	state := v.mill.Lake.State()
	open := state.PostingPeriod(run.Number, d.mill.Config.FirstPeriod).String()
	files, _ := v.filesAt(lake.Rated, run.Number)
	files = slices.DeleteFunc(files, func(f lake.File) bool { // what it did not see
		return run.Read < f.Run && f.Run < run.Number && state.Since(f.Run - 1)[0].Kind != lake.Compact
	})
	end := d.mill.Calendar.End(p)
	later := slices.DeleteFunc(slices.Clone(files), func(f lake.File) bool { return f.Partition <= p.String() || f.Partition >= open })
	left := slices.DeleteFunc(files, func(f lake.File) bool { return f.Partition < open || !f.MinTime.Before(end) })
	if slices.ContainsFunc(later, v.isGone) || slices.ContainsFunc(left, v.isGone) {
		return false, nil
	}
	if err := errors.Join(
		d.view(ctx, "later_rated", lake.Rated, later),
		d.viewBy(ctx, "left_rated", lake.Rated, left, "#left", func(f lake.File) string { return f.Tags[tagLeft] }),
	); err != nil {
		return false, err
	}
	return true, d.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW moved_on AS "+sql.Expand("duckdb/verify_moved_on", map[string]any{
		"Columns": lake.Rated.Schema(state.Columns), "Period": p.String(),
		"Home": d.mill.Calendar.Start(run.Period).UTC().Format(time.DateTime), "End": end.UTC().Format(time.DateTime),
	}))
}

// burnedAs compares what came out of a burn-down with the live rows of its table.
// Without heldKnown the calls that the close left behind are not compared.
func (v *verifier) burnedAs(ctx context.Context, d *desk, out lake.Output, heldKnown bool) (string, error) {
	should := duck.Scan{Columns: out.Table.Columns}
	if out.Rows > 0 {
		should.Add(out.Path, 0)
	}
	if err := errors.Join(
		d.view(ctx, "burned_is", out.Table, v.mill.Lake.State().Partition(out.Table, out.Partition)),
		d.session.View(ctx, "burned_should", should),
	); err != nil {
		return "", err
	}
	columns := columnNames(out.Table.Columns)
	filter := ""
	switch out.Table.Name {
	case lake.Invoices.Name, lake.InvoiceLines.Name:
		filter = sql.Text("duckdb/verify_no_notes") // they were issued by re-rates
		if out.Table.Name == lake.InvoiceLines.Name {
			filter = sql.Text("duckdb/verify_no_note_lines")
		}
		return v.issuedAs(ctx, d, out, filter)
	case lake.Statements.Name:
		if !heldKnown {
			filter = sql.Text("duckdb/verify_no_held")
			columns = slices.DeleteFunc(columns, func(c string) bool { return c == "held_calls" })
			if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW burned_all AS SELECT * FROM burned_should WHERE calls > 0"); err != nil {
				return "", err
			}
			return v.compareFiltered(ctx, filter, columns, "burned_all")
		}
	}
	return v.compareFiltered(ctx, filter, columns, "burned_should")
}

// issuedAs is burnedAs for invoices and their lines.
func (v *verifier) issuedAs(ctx context.Context, d *desk, out lake.Output, filter string) (string, error) {
	state, should := v.mill.Lake.State(), "burned_should"
	if err := d.view(ctx, "documents_is", lake.Invoices, state.Partition(lake.Invoices, out.Partition)); err != nil {
		return "", err
	}
	if len(state.Files(lake.KeptParties)) > 0 {
		should = "burned_renumbered"
		if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW burned_renumbered AS "+sql.Text("duckdb/verify_renumbered")); err != nil {
			return "", err
		}
	}
	return v.compareFiltered(ctx, filter, columnNames(out.Table.Columns), should)
}

// compareFiltered compares the view burned_is, through a filter where that is not
// empty, with another.
func (v *verifier) compareFiltered(ctx context.Context, filter string, columns []string, should string) (string, error) {
	is := "burned_is"
	if filter != "" {
		is = "burned_some"
		if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW burned_some AS "+filter); err != nil {
			return "", err
		}
	}
	return v.compare(ctx, twofold{is: is, should: should, columns: columns})
}
