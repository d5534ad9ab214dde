package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// tagLeft is the tag of a rated file with held rows that a close left behind: that
// close's period.
const tagLeft = "left_by"

// A RateReport says what a rating did. Run is nil when there was nothing to rate.
type RateReport struct {
	Run    *lake.Run
	Totals lake.Totals
}

// Rate prices the usage that no run has rated, and anew what was priced with
// versions since superseded or is held for an account opened since (SPEC section 4).
func (m *Mill) Rate(ctx context.Context) (RateReport, error) {
	var report RateReport
	run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		return d.rate(ctx, &report)
	})
	report.Run = run
	return report, err
}

func (d *desk) rate(ctx context.Context, report *RateReport) (*draft, error) {
	m, state := d.mill, d.mill.Lake.State()
	fresh, err := d.freshUsage(ctx)
	if err != nil {
		return nil, err
	}
	again, err := m.supersededRatings(ctx)
	if err != nil {
		return nil, err
	}
	if len(fresh)+len(again) == 0 {
		return nil, nil
	}
	if err := d.openedAccounts(ctx); err != nil {
		return nil, err
	}
	input := rate.Input{
		Session: d.session, Scratch: d.scratch, Book: m.Prices, Calendar: m.Calendar, Dynamic: state.Columns, Batches: fresh,
		UnknownAccounts: m.Config.UnknownPlan != "", Progress: m.progress("rate"),
	}
	reratings, err := d.reratings(ctx, again)
	if err != nil {
		return nil, err
	}
	input.Batches = append(input.Batches, reratings...)
	rated, err := rate.Run(ctx, input)
	if err != nil {
		return nil, err
	}
	out := &draft{
		run: lake.Run{Kind: lake.Rate, Read: state.Head, Versions: used(rated.Versions)},
		// A rating reads usage up to the head it saw; usage committed since is
		// for the next.
		survives: func(newer *lake.Run) bool { return newer.Kind == lake.Ingest },
	}
	// A file rated again has as many rows as before, so its output is there: they
	// are the last.
	for i, file := range again {
		out.replaced = append(out.replaced, file)
		if left := file.Tags[tagLeft]; left != "" {
			rated.Outputs[len(rated.Outputs)-len(again)+i].Tags[tagLeft] = left
		}
	}
	out.outputs = rated.Outputs
	report.Totals = lake.Totals{Calls: rated.Calls, Held: rated.ByHeld, Credits: map[string]string{"rated": rated.Credits.String()}}
	out.run.Totals = report.Totals
	return out, nil
}

// freshUsage gathers the usage that no rating has read: a batch for each UTC day,
// posting period and state of the cut when it was ingested.
func (d *desk) freshUsage(ctx context.Context) ([]rate.Batch, error) {
	m, state := d.mill, d.mill.Lake.State()
	type group struct {
		day     string
		posting period.Period // the first period not cut when it was ingested
		lands   period.Period
	}
	files := map[group][]lake.File{}
	var all []lake.File
	for _, file := range state.Files(lake.Usage) {
		if file.Origin() <= state.RatedThrough {
			continue
		}
		all = append(all, file)
		posting := state.PostingPeriod(file.Origin(), m.Config.FirstPeriod)
		first, last := m.Calendar.Of(*file.MinTime), m.Calendar.Of(*file.MaxTime)
		for p := later(first, posting); !later(last, posting).Before(p); p = p.Next() {
			g := group{file.Partition, posting, p}
			files[g] = append(files[g], file)
		}
	}
	groups := slices.SortedFunc(maps.Keys(files), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.lands.String(), b.lands.String()), cmp.Compare(a.day, b.day), cmp.Compare(a.posting.String(), b.posting.String()))
	})
	if _, err := m.Lake.Paths(ctx, all); err != nil { // all at once, where they are far
		return nil, err
	}
	var batches []rate.Batch
	for _, g := range groups {
		scan, err := d.scan(ctx, lake.Usage, files[g])
		if err != nil {
			return nil, err
		}
		batches = append(batches, rate.Batch{Period: g.lands, Day: g.day, Usage: scan, OpenStart: m.Calendar.Start(g.posting)})
	}
	return batches, nil
}

func later(a, b period.Period) period.Period {
	if a.Before(b) {
		return b
	}
	return a
}

// supersededRatings gathers the rated files of periods not cut that would be
// priced otherwise today.
func (m *Mill) supersededRatings(ctx context.Context) ([]lake.File, error) {
	state := m.Lake.State()
	uncut := state.PostingPeriod(state.Head+1, m.Config.FirstPeriod)
	accountsChanged := newestRun(state.Files(lake.AccountEvents))
	var again []lake.File
	for _, file := range state.Files(lake.Rated) {
		p, err := period.Parse(file.Partition)
		if err != nil {
			return nil, fmt.Errorf("rated file %s: %w", file.Path, err)
		}
		superseded := file.Tags[rate.TagPrices] != m.Prices.Fingerprint(*file.MinTime, *file.MaxTime)
		released := false
		if file.Tags[rate.TagNotOpened] != "" && !superseded && !p.Before(uncut) {
			rated, err := m.Lake.Run(ctx, file.Origin())
			if err != nil {
				return nil, err
			}
			// A rating knows the accounts that it read; a cut and a re-rating move held calls to a period in which more are opened.
			released = rated.Kind == lake.Cut || rated.Kind == lake.Rerate || accountsChanged > rated.Read || m.Config.UnknownPlan != ""
		}
		if p.Before(uncut) || !superseded && !released {
			continue
		}
		again = append(again, file)
	}
	return again, nil
}

// reratings are the batches that rate files again, one each.
func (d *desk) reratings(ctx context.Context, files []lake.File) ([]rate.Batch, error) {
	if _, err := d.mill.Lake.Paths(ctx, files); err != nil { // all at once, where they are far
		return nil, err
	}
	var batches []rate.Batch
	for _, file := range files {
		p, err := period.Parse(file.Partition)
		if err != nil {
			return nil, fmt.Errorf("rated file %s: %w", file.Path, err)
		}
		scan, err := d.scan(ctx, lake.Rated, []lake.File{file})
		if err != nil {
			return nil, err
		}
		batches = append(batches, rate.Batch{Period: p, Usage: scan, Rerate: true})
	}
	return batches, nil
}

func newestRun(files []lake.File) (run int64) {
	for _, file := range files {
		run = max(run, file.Origin())
	}
	return run
}

// openedAccounts makes the table that says since when each account is opened.
func (d *desk) openedAccounts(ctx context.Context) error {
	if err := d.view(ctx, "account_events", lake.AccountEvents, d.mill.Lake.State().Files(lake.AccountEvents)); err != nil {
		return err
	}
	return d.session.Exec(ctx, "CREATE OR REPLACE TABLE opened_accounts AS "+sql.Text("duckdb/opened_accounts"))
}

// heldRows is how many rows of a rated file are held.
func heldRows(file lake.File) int64 {
	n, _ := strconv.ParseInt(file.Tags[rate.TagHeld], 10, 64) // no tag: none
	return n
}
