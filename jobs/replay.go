package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/rate/price"
	"github.com/creditmill/creditmill/sql"
)

// A replay is closed periods rated and burned down once more in scratch, each from
// what the replay of the one before it left (SPEC section 8).
type replay struct {
	*rerate
	draftBook
	number int                               // of the draft, from 0
	events string                            // local file of all account events, as the replay has judged them so far
	made   map[string]map[string]lake.Output // by period and table
}

func (r *rerate) newReplay(number int, book draftBook) *replay {
	return &replay{
		rerate: r, draftBook: book, number: number, events: r.events, made: map[string]map[string]lake.Output{},
	}
}

// run replays a period.
func (r *replay) run(ctx context.Context, p period.Period, dealt *invoice.Dealt, report *RerateReport) error {
	burned, err := r.burn(ctx, p, dealt)
	if errors.Is(err, invoice.ErrMissing) {
		report.Blocks = r.mill.missingBlocks(burned.Missing)
		return nil
	}
	if err != nil {
		return err
	}
	if r.number == 0 {
		report.Calls += burned.Totals.Calls
	}
	r.made[p.String()] = map[string]lake.Output{}
	for _, out := range burned.Outputs {
		r.made[p.String()][out.Table.Name] = out
	}
	return r.keepJudged(ctx, p, burned)
}

// takeEventsHome makes the account events of a replay.
func (r *rerate) takeEventsHome(ctx context.Context) error {
	r.events = filepath.Join(r.scratch, "events_home.parquet")
	statement := sql.Expand("duckdb/rerate_events", map[string]any{
		"Unknown": r.mill.Config.UnknownPlan != "", "Opened": account.FirstCallOpened, "Started": account.FirstCallStarted,
	})
	if _, err := r.session.CopyParquet(ctx, statement, r.events, r.home, r.end); err != nil {
		return fmt.Errorf("account events at the instants they are of: %w", err)
	}
	scan := duck.Scan{Columns: lake.AccountEvents.Columns}
	scan.Add(r.events, 0)
	return r.session.View(ctx, "account_events", scan)
}

func (r *replay) eventsView(ctx context.Context, name string) error {
	scan := duck.Scan{Columns: lake.AccountEvents.Columns}
	scan.Add(r.events, 0)
	return r.session.View(ctx, name, scan)
}

// keepJudged takes over what a period's burn-down made of the account events: what is
// held in it posts again at the next one's first instant, and is judged there, as
// closes would have left it behind (SPEC section 14, 36).
func (r *replay) keepJudged(ctx context.Context, p period.Period, burned invoice.Report) error {
	if i := slices.IndexFunc(burned.Outputs, ofAccountEvents); i >= 0 {
		r.events = burned.Outputs[i].Path
	}
	if len(burned.Held) > 0 {
		if err := r.eventsView(ctx, "judged_events"); err != nil {
			return err
		}
		path := filepath.Join(r.scratch, fmt.Sprintf("events_held-%d-%s.parquet", r.number, p))
		_, err := r.session.CopyParquet(ctx, sql.Text("duckdb/rerate_held_events"), path, r.mill.Calendar.Start(p), r.mill.Calendar.End(p))
		if err != nil {
			return fmt.Errorf("post held account events to %s: %w", p.Next(), err)
		}
		r.events = path
	}
	return nil
}

// burn burns a period down from the replay of the one before.
func (r *replay) burn(ctx context.Context, p period.Period, dealt *invoice.Dealt) (invoice.Report, error) {
	if err := r.views(ctx, p); err != nil {
		return invoice.Report{}, err
	}
	in := r.burnInput(p)
	in.Kept, in.Dry, in.Dealt, in.Draft = true, !r.options.Commit, dealt, r.number
	in.RatedFiles = r.callFiles(p)
	report, err := invoice.Run(ctx, in)
	if err != nil {
		return report, fmt.Errorf("burn down %s: %w", p, err)
	}
	return report, nil
}

// views makes what the burn-down of a period reads.
func (r *replay) views(ctx context.Context, p period.Period) error {
	state, before := r.mill.Lake.State(), p.Add(-1)
	left := slices.DeleteFunc(state.Files(lake.Rated), func(f lake.File) bool { return f.Tags[tagLeft] < p.String() || f.Partition < r.open.String() })
	if err := r.eventsView(ctx, "account_events"); err != nil {
		return err
	}
	if err := r.callViews(ctx, p); err != nil {
		return err
	}
	if err := r.view(ctx, "left_files", lake.Rated, left); err != nil {
		return err
	}
	if err := r.usageOfLeft(ctx, p, left); err != nil {
		return err
	}
	for _, v := range []struct {
		name    string
		table   lake.Table
		periods func(period.Period) bool
	}{
		{"prior_balances", lake.Balances, func(q period.Period) bool { return q == before }},
		{"closed_balances", lake.Balances, func(q period.Period) bool { return q.Before(p) }},
		{"closed_ledger", lake.Ledger, func(q period.Period) bool { return q.Before(p) }},
		{"closed_lines", lake.InvoiceLines, func(q period.Period) bool { return q.Before(p) }},
		{"closed_invoices", lake.Invoices, func(period.Period) bool { return false }}, // numbers of scratch
	} {
		if err := r.viewReplayed(ctx, v.name, v.table, v.periods); err != nil {
			return err
		}
	}
	credits, held := r.columns()
	// Alerts stay as the closes gave them (SPEC section 14, 44).
	if err := r.view(ctx, "prior_alerts", lake.Alerts, state.Partition(lake.Alerts, before.String())); err != nil {
		return err
	}
	statement := "CREATE OR REPLACE TEMP VIEW moved_on AS " + sql.Expand("duckdb/rerate_moved_on", map[string]any{
		"Columns": rate.DryColumns(), "Credits": credits, "Held": held,
		"Home": price.Timestamp(r.home), "Start": price.Timestamp(r.mill.Calendar.Start(p)), "End": price.Timestamp(r.mill.Calendar.End(p)),
	})
	if err := r.session.Exec(ctx, statement); err != nil {
		return fmt.Errorf("view moved_on: %w", err)
	}
	if err := r.burnStatements(ctx); err != nil {
		return err
	}
	for name, table := range map[string]lake.Table{"kept_balances": lake.Balances, "kept_ledger": lake.Ledger} {
		if err := r.view(ctx, name, table, state.Partition(table, p.String())); err != nil {
			return err
		}
	}
	return r.session.Exec(ctx, sql.Text("duckdb/rerate_kept_topups"), p.String())
}

// usageOfLeft makes the usage of files that closes left behind readable, as left_usage:
// what had come by a period's cut.
func (r *replay) usageOfLeft(ctx context.Context, p period.Period, left []lake.File) error {
	state := r.mill.Lake.State()
	usage := slices.DeleteFunc(state.Files(lake.Usage), func(f lake.File) bool {
		return p.Before(state.PostingPeriod(f.Origin(), r.mill.Config.FirstPeriod)) || !slices.ContainsFunc(left, func(l lake.File) bool {
			return !l.MinTime.After(*f.MaxTime) && !f.MinTime.After(*l.MaxTime)
		})
	})
	return r.view(ctx, "left_usage", lake.Usage, usage)
}

// viewReplayed makes a table of some periods readable: as replayed so far, and as it is
// live for periods before the replay.
func (r *replay) viewReplayed(ctx context.Context, name string, table lake.Table, of func(period.Period) bool) error {
	live := slices.DeleteFunc(r.mill.Lake.State().Files(table), func(f lake.File) bool {
		p, err := period.Parse(f.Partition)
		return err != nil || !p.Before(r.options.From) || !of(p)
	})
	scan, err := r.scan(ctx, table, live)
	if err != nil {
		return err
	}
	for _, p := range r.periods {
		if out, made := r.made[p.String()][table.Name]; made && out.Rows > 0 && of(p) {
			scan.Add(out.Path, 0)
		}
	}
	return r.session.View(ctx, name, scan)
}

// soldViews make all invoices and notes readable, and their lines.
func (r *rerate) soldViews(ctx context.Context) error {
	state := r.mill.Lake.State()
	if err := r.viewBy(ctx, "sold_documents", lake.Invoices, state.Files(lake.Invoices), "period", partitionOf); err != nil {
		return err
	}
	return r.view(ctx, "sold_lines", lake.InvoiceLines, state.Files(lake.InvoiceLines))
}

// compare adds what differs in a period.
func (r *replay) compare(ctx context.Context, p period.Period) error {
	state, name := r.mill.Lake.State(), p.String()
	only := func(q period.Period) bool { return q == p }
	before := func(q period.Period) bool { return q == p.Add(-1) }
	for _, v := range []struct {
		live, replayed string
		table          lake.Table
		periods        func(period.Period) bool
		at             period.Period
	}{
		{"", "replayed_lines", lake.InvoiceLines, only, p},
		{"live_ledger", "replayed_ledger", lake.Ledger, only, p},
		{"live_balances", "replayed_balances", lake.Balances, only, p},
		{"opening_before", "opening_after", lake.Balances, before, p.Add(-1)},
	} {
		if err := r.viewReplayed(ctx, v.replayed, v.table, v.periods); err != nil {
			return err
		}
		if v.live == "" {
			continue
		}
		if err := r.view(ctx, v.live, v.table, state.Partition(v.table, v.at.String())); err != nil {
			return err
		}
	}
	if err := r.callViews(ctx, p); err != nil {
		return err
	}
	if err := r.eventsView(ctx, "replayed_events"); err != nil {
		return err
	}
	var draft any
	if r.name != "" {
		draft = r.name
	}
	start, end := r.mill.Calendar.Start(p), r.mill.Calendar.End(p)
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{"duckdb/rerate_rated", []any{draft, name, start, end}},
		{"duckdb/rerate_reasons", []any{r.number, name, start, end, draft}},
		{"duckdb/rerate_lines", []any{r.number, name, draft}},
		{"duckdb/rerate_differences", []any{r.number, name, draft}},
	} {
		if err := r.session.Exec(ctx, sql.Text(step.statement), step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.statement, err)
		}
	}
	return nil
}

// deal deals a period's calls out, once for all replays: each would find them the same,
// but for their credits.
func (r *rerate) deal(ctx context.Context, p period.Period, replays []*replay) (*invoice.Dealt, error) {
	if len(replays) == 1 {
		return nil, nil
	}
	if err := replays[0].callViews(ctx, p); err != nil {
		return nil, err
	}
	if err := r.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW dealt AS SELECT account FROM period_rated"); err != nil {
		return nil, err
	}
	var drafts []invoice.DraftColumns
	for _, replay := range replays {
		credits, held := replay.columns()
		drafts = append(drafts, invoice.DraftColumns{Credits: credits, Held: held})
	}
	return invoice.Deal(ctx, r.session, r.scratch, r.callFiles(p), drafts)
}

// callFiles are the local files of a period's calls.
func (r *rerate) callFiles(p period.Period) []string {
	var paths []string
	for _, c := range r.calls[p.String()] {
		paths = append(paths, c.path)
	}
	return paths
}

// columns are those of the priced files that this replay's credits, and what is held
// in it, stand in.
func (r *replay) columns() (credits, held string) {
	if r.number == 0 {
		return "credits", "held"
	}
	columns := rate.DraftColumns(r.number - 1)
	return columns[0].Name, columns[1].Name
}

// callViews make the calls of a period readable, by this replay's prices: all of them
// as period_rated; those that were priced anew, with what they were before, as
// replayed_calls; and those that were priced anew in other periods as calls_elsewhere.
func (r *replay) callViews(ctx context.Context, p period.Period) error {
	priced := append(rate.DryColumns(), rate.BeforeColumns...)
	if r.number > 0 {
		priced = append(priced, rate.DraftColumns(r.number-1)...)
	}
	credits, held := r.columns()
	stands, here, elsewhere := duck.Scan{Columns: rate.DryColumns()}, duck.Scan{Columns: priced}, duck.Scan{Columns: priced}
	for name, files := range r.calls {
		for _, c := range files {
			switch {
			case name != p.String() && c.live == "":
				elsewhere.Add(c.path, 0)
			case name != p.String():
			case c.live == "":
				here.Add(c.path, 0)
			default:
				stands.Add(c.path, 0)
			}
		}
	}
	for name, scan := range map[string]duck.Scan{"calls_that_stand": stands, "calls_here": here, "calls_elsewhere": elsewhere} {
		if err := r.session.View(ctx, name, scan); err != nil {
			return err
		}
	}
	data := map[string]any{"Columns": rate.DryColumns(), "Credits": credits, "Held": held}
	for name, statement := range map[string]string{"replayed_calls": "duckdb/rerate_calls", "period_rated": "duckdb/rerate_period"} {
		if err := r.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+name+" AS "+sql.Expand(statement, data)); err != nil {
			return fmt.Errorf("view %s: %w", name, err)
		}
	}
	return nil
}
