package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// identities looks whether the identities of SPEC sections 6 and 7 hold: those of each
// closed period, and those that only all of them together have.
func (v *verifier) identities(ctx context.Context) error {
	check := &Check{What: "identities of each period", Unit: "period"}
	for _, p := range v.closedPeriods(false) {
		check.Count++
		if err := v.identitiesOf(ctx, p, check); err != nil {
			return fmt.Errorf("identities of %s: %w", p, err)
		}
	}
	v.note(check)
	if !v.options.Period.IsZero() {
		return nil
	}
	check = &Check{What: "identities over all periods", Unit: "identity"}
	defer func() { v.note(check) }()
	return v.identitiesOfAll(ctx, check)
}

// periodChecks are the checks of package sql that hold for a closed period's live rows
// as for what its close wrote. invoice_lines are those of its invoices and of the notes
// that correct it: together they are what the live ledger says (SPEC section 8).
func periodChecks() []string {
	return []string{
		"checks/credits_rated", "checks/bucket_credits", "checks/bucket_ledger", "checks/bucket_opening", "checks/bucket_money",
		"checks/burns_in_ledger", "checks/revenue_recognised", "checks/revenue_charged", "checks/statement_credits",
	}
}

func (v *verifier) identitiesOf(ctx context.Context, p period.Period, check *Check) error {
	state := v.mill.Lake.State()
	for _, table := range []lake.Table{lake.Rated, lake.Balances, lake.Ledger, lake.Burns, lake.Statements, lake.Revenue} {
		if err := v.view(ctx, table.Name, table, state.Partition(table, p.String())); err != nil {
			return err
		}
	}
	if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW rated_accounts AS "+sql.Text("duckdb/invoice_rated_accounts")); err != nil {
		return err
	}
	if err := v.view(ctx, "prior_balances", lake.Balances, state.Partition(lake.Balances, p.Add(-1).String())); err != nil {
		return err
	}
	if err := v.documents(ctx); err != nil {
		return err
	}
	if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW invoice_lines AS SELECT * FROM all_lines WHERE of_period = "+duck.Literal(p.String())); err != nil {
		return err
	}
	for _, name := range periodChecks() {
		if err := v.hold(ctx, v.desk, check, "period "+p.String(), name); err != nil {
			return err
		}
	}
	return nil
}

// documents makes the views all_documents and all_lines, each with the period that the
// document is of (of_period: the corrected one, of a note) and the run that issued it.
func (v *verifier) documents(ctx context.Context) error {
	state := v.mill.Lake.State()
	label := func(f lake.File) string { return fmt.Sprintf("%s %d", f.Partition, f.Origin()) }
	if err := v.viewBy(ctx, "labelled_documents", lake.Invoices, state.Files(lake.Invoices), "#label", label); err != nil {
		return err
	}
	if err := v.view(ctx, "kept_parties", lake.KeptParties, state.Files(lake.KeptParties)); err != nil {
		return err
	}
	if err := v.view(ctx, "labelled_lines", lake.InvoiceLines, state.Files(lake.InvoiceLines)); err != nil {
		return err
	}
	if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW all_documents AS "+sql.Text("duckdb/verify_documents")); err != nil {
		return err
	}
	return v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW all_lines AS "+sql.Text("duckdb/verify_lines"))
}

func (v *verifier) identitiesOfAll(ctx context.Context, check *Check) error {
	state := v.mill.Lake.State()
	if err := v.documents(ctx); err != nil {
		return err
	}
	closed := v.closedPeriods(true)
	inClosed := func(f lake.File) bool {
		return !slices.ContainsFunc(closed, func(p period.Period) bool { return p.String() == f.Partition })
	}
	if err := v.viewBy(ctx, "closed_balances", lake.Balances, slices.DeleteFunc(state.Files(lake.Balances), inClosed), "period", partitionOf); err != nil {
		return err
	}
	if err := v.series(ctx); err != nil {
		return err
	}
	last := ""
	if len(closed) > 0 {
		last = closed[len(closed)-1].String()
	}
	if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW last_closed AS SELECT "+duck.Literal(last)+" AS period"); err != nil {
		return err
	}
	for _, view := range []struct{ name, of string }{{"invoices", "all_documents"}, {"invoice_lines", "all_lines"}} {
		if err := v.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+view.name+" AS SELECT * FROM "+view.of); err != nil {
			return err
		}
	}
	for _, name := range []string{
		"checks/bucket_life", "checks/bucket_price", "checks/invoice_totals", "checks/document_numbers", "checks/document_series",
		"checks/document_order", "checks/note_corrects",
	} {
		check.Count++
		if err := v.hold(ctx, v.desk, check, "all periods", name); err != nil {
			return err
		}
	}
	check.Count++
	return v.periodsTable(ctx, check)
}

// series makes the table series: what numbers of each run's documents begin and end with.
func (v *verifier) series(ctx context.Context) error {
	builder, err := duck.NewBuilder([]duck.Column{
		{Name: "run", Type: "BIGINT"}, {Name: "kind", Type: "VARCHAR"}, {Name: "starts", Type: "VARCHAR"}, {Name: "ends", Type: "VARCHAR"},
	})
	if err != nil {
		return err
	}
	for _, run := range v.mill.Lake.State().Milestones() {
		if run.Kind != lake.Close && run.Kind != lake.Rerate {
			continue
		}
		d, err := v.as(ctx, run)
		if err != nil {
			return err
		}
		year := run.Now.In(d.mill.Calendar.Location()).Year()
		numbers := d.mill.Config.Invoices
		for kind, number := range map[string]string{
			"invoice": numbers.Number.Series(year), "credit_note": numbers.Credit.Series(year), "debit_note": numbers.Debit.Series(year),
		} {
			before, after, _ := strings.Cut(number, "{seq}")
			builder.Append(run.Number, kind, before, after)
		}
	}
	return v.session.Load(ctx, "series", builder)
}

// periodsTable compares the table periods with the log.
func (v *verifier) periodsTable(ctx context.Context, check *Check) error {
	state := v.mill.Lake.State()
	closings := state.Closings()
	if len(closings) == 0 {
		return nil
	}
	made, err := v.writePeriods(ctx, closings)
	if err != nil {
		return err
	}
	should := duck.Scan{Columns: lake.Periods.Columns}
	for _, out := range made {
		should.Add(out.Path, 0)
	}
	if err := v.view(ctx, "periods_is", lake.Periods, state.Files(lake.Periods)); err != nil {
		return err
	}
	if err := v.session.View(ctx, "periods_should", should); err != nil {
		return err
	}
	different, err := v.compare(ctx, twofold{is: "periods_is", should: "periods_should", columns: columnNames(lake.Periods.Columns)})
	if different != "" {
		check.fault("table periods", nextRows, "is not as the log has it: %s", different)
	}
	return err
}
