package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/sql"
)

// An ApplyReport says what a provisional burn-down found. Run is nil when it
// differs in nothing from the last.
type ApplyReport struct {
	Run    *lake.Run
	Period period.Period
	Until  time.Time
	Ahead  bool // the period has not begun at Until: there was nothing to do
	Totals lake.Totals
	Held   []account.Held
	// Missing is what the catalog lacks for accounts to go on: they are left out, whole,
	// and all others are applied.
	Missing []Block
}

// Apply burns the open period down as far as usage is rated and publishes
// provisional balances, ledger and alerts (SPEC section 7). It may run any number
// of times.
func (m *Mill) Apply(ctx context.Context) (ApplyReport, error) {
	var report ApplyReport
	run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		open, cut := m.Lake.State().Open(m.Config.FirstPeriod)
		if cut {
			return nil, fmt.Errorf("period %s is being closed: run `creditmill close --period %s` to finish that first", open, open)
		}
		report = ApplyReport{Period: open, Until: m.until(open)}
		return d.apply(ctx, &report)
	})
	report.Run = run
	return report, err
}

// until is how far the open period can be known now: not past its end.
func (m *Mill) until(p period.Period) time.Time {
	if end := m.Calendar.End(p); m.Now().After(end) {
		return end
	}
	return m.Now()
}

func (d *desk) apply(ctx context.Context, report *ApplyReport) (*draft, error) {
	m, state := d.mill, d.mill.Lake.State()
	if !report.Until.After(m.Calendar.Start(report.Period)) {
		report.Ahead = true
		return nil, nil
	}
	burned, err := d.burnDown(ctx, report.Period, report.Until)
	if err != nil {
		return nil, err
	}
	report.Totals, report.Held, report.Missing = burned.totals, burned.Held, m.missingBlocks(burned.Missing)
	outputs, replaced, err := changedOutputs(state, report.Period, burned)
	if err != nil || len(outputs)+len(replaced) == 0 {
		return nil, err
	}
	return &draft{
		run:      lake.Run{Kind: lake.Apply, Period: report.Period, Read: state.Head, Totals: report.Totals},
		outputs:  outputs,
		replaced: replaced,
	}, nil
}

// provisional are the tables that apply publishes for the open period and that
// its close replaces.
func provisional(state *lake.State, p period.Period) []lake.File {
	var files []lake.File
	for _, table := range []lake.Table{lake.Ledger, lake.Balances, lake.Alerts} {
		files = append(files, state.Partition(table, p.String())...)
	}
	return files
}

// changedOutputs leaves out what says the same as the live file it would replace.
func changedOutputs(state *lake.State, p period.Period, burned burnedDown) (changed []lake.Output, replaced []lake.File, err error) {
	stale := provisional(state, p)
	if slices.ContainsFunc(burned.Outputs, ofAccountEvents) {
		stale = append(stale, burned.events...)
	}
	for _, out := range burned.Outputs {
		if out.Rows == 0 {
			continue
		}
		sum, err := lake.HashFile(out.Path)
		if err != nil {
			return nil, nil, err
		}
		same := func(f lake.File) bool { return f.Table == out.Table.Name && f.SHA256 == sum }
		if slices.ContainsFunc(stale, same) {
			stale = slices.DeleteFunc(stale, same)
			continue
		}
		changed = append(changed, out)
	}
	return changed, stale, nil
}

func ofAccountEvents(out lake.Output) bool { return out.Table.Name == lake.AccountEvents.Name }

// A burnedDown is the result of burning a period down, with its totals.
type burnedDown struct {
	invoice.Report
	totals lake.Totals
	events []lake.File // the account events it judged
}

// burnDown burns a period down, for good or, with until before its end or not
// zero, provisionally. For good it has no outputs where accounts are missing
// something that the catalog lacks.
func (d *desk) burnDown(ctx context.Context, p period.Period, until time.Time) (burnedDown, error) {
	m := d.mill
	events := m.Lake.State().Files(lake.AccountEvents)
	if err := d.burnViews(ctx, p); err != nil {
		return burnedDown{}, err
	}
	rated, err := m.Lake.Paths(ctx, m.Lake.State().Partition(lake.Rated, p.String()))
	if err != nil {
		return burnedDown{}, err
	}
	in := d.burnInput(p)
	in.RatedFiles, in.Until, in.Provisional = rated, until, !until.IsZero()
	report, err := invoice.Run(ctx, in)
	if err != nil && !errors.Is(err, invoice.ErrMissing) {
		return burnedDown{}, fmt.Errorf("burn down %s: %w", p, err)
	}
	return burnedDown{report, totalsOf(report), events}, nil
}

// burnInput is what every burn-down of a period is given, whatever its views show.
func (d *desk) burnInput(p period.Period) invoice.Input {
	m := d.mill
	return invoice.Input{
		Session: d.session, Scratch: d.scratch, Period: p, Calendar: m.Calendar, FirstPeriod: m.Config.FirstPeriod,
		Catalog: m.Catalog, Currency: m.Config.Currency, AlertPercents: m.Config.Alerts, UnknownPlan: m.Config.UnknownPlan,
		Now: m.Now(), Due: m.Config.Invoices.Due, Numbers: m.Config.Invoices, Progress: m.progress("burn"),
	}
}

// burnViews makes what a burn-down reads: the period's rated usage, the account
// events, and the closing of the period before.
func (d *desk) burnViews(ctx context.Context, p period.Period) error {
	state := d.mill.Lake.State()
	before := p.Add(-1).String()
	closed := func(table lake.Table) []lake.File {
		return slices.DeleteFunc(state.Files(table), func(f lake.File) bool { return f.Partition >= p.String() })
	}
	left := slices.DeleteFunc(state.Partition(lake.Rated, p.Next().String()), func(f lake.File) bool { return f.Tags[tagLeft] != p.String() })
	for _, v := range []struct {
		name  string
		table lake.Table
		files []lake.File
	}{
		{"period_rated", lake.Rated, state.Partition(lake.Rated, p.String())},
		{"moved_on", lake.Rated, left},
		{"account_events", lake.AccountEvents, state.Files(lake.AccountEvents)},
		{"prior_balances", lake.Balances, state.Partition(lake.Balances, before)},
		{"prior_burns", lake.Burns, state.Partition(lake.Burns, before)},
		{"prior_alerts", lake.Alerts, state.Partition(lake.Alerts, before)},
		{"closed_balances", lake.Balances, closed(lake.Balances)},
		{"closed_ledger", lake.Ledger, closed(lake.Ledger)},
		{"closed_lines", lake.InvoiceLines, state.Files(lake.InvoiceLines)}, // notes of the open period among them
		{"closed_invoices", lake.Invoices, state.Files(lake.Invoices)},
	} {
		if err := d.view(ctx, v.name, v.table, v.files); err != nil {
			return err
		}
	}
	return d.burnStatements(ctx)
}

// burnStatements makes the views that follow from those of the tables.
func (d *desk) burnStatements(ctx context.Context) error {
	for name, statement := range map[string]string{
		"rated":          sql.Text("duckdb/burn_rated"),
		"left_behind":    sql.Text("duckdb/burn_left_behind"),
		"granted":        sql.Text("duckdb/burn_granted"),
		"fixed_currency": sql.Text("duckdb/burn_fixed_currency"),
		"issued":         sql.Text("duckdb/burn_issued"),
	} {
		if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+name+" AS "+statement); err != nil {
			return fmt.Errorf("view %s: %w", name, err)
		}
	}
	return nil
}
