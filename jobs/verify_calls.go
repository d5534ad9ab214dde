package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// objects looks whether what was read of every object adds up (SPEC section 3,
// Rejects), and to what stands in usage, rejected and account_events.
func (v *verifier) objects(ctx context.Context) error {
	check := &Check{What: "records of objects", Unit: "object"}
	defer func() { v.note(check) }()
	state := v.mill.Lake.State()
	for _, table := range []lake.Table{lake.Objects, lake.Usage, lake.Rejected, lake.AccountEvents} {
		if err := v.view(ctx, "all_"+table.Name, table, state.Files(table)); err != nil {
			return err
		}
	}
	if err := v.session.Row(ctx, "SELECT count(*) FROM all_objects").Scan(&check.Count); err != nil {
		return err
	}
	return errors.Join(
		v.hold(ctx, v.desk, check, "table objects", "checks/object_records"),
		v.hold(ctx, v.desk, check, "table objects", "checks/object_rows"),
		v.hold(ctx, v.desk, check, "table objects", "checks/object_account_events"),
	)
}

// calls looks, day by day, whether every call that was to be rated has one rated row,
// which says the same of it and posts where it should, and the other way round.
func (v *verifier) calls(ctx context.Context) error {
	check := &Check{What: "calls and their rated rows", Unit: "call"}
	defer func() { v.note(check) }()
	if err := v.postings(ctx); err != nil {
		return err
	}
	if err := v.partitions(ctx, check); err != nil {
		return err
	}
	state := v.mill.Lake.State()
	usage := slices.DeleteFunc(state.Files(lake.Usage), func(f lake.File) bool { return f.Origin() > state.RatedThrough })
	rated := state.Files(lake.Rated)
	days := v.days(usage, rated)
	tell := v.mill.progress("calls")
	for i, day := range days {
		if err := v.callsOf(ctx, day, usage, rated, check); err != nil {
			return fmt.Errorf("calls of %s: %w", day, err)
		}
		if tell != nil {
			tell(int64(i+1), int64(len(days)))
		}
	}
	return nil
}

// days are the UTC days that files have calls of, within the period that was asked for.
func (v *verifier) days(usage, rated []lake.File) []string {
	days := map[string]bool{}
	for _, file := range slices.Concat(usage, rated) {
		for day := file.MinTime.UTC().Truncate(24 * time.Hour); !day.After(*file.MaxTime); day = day.Add(24 * time.Hour) {
			days[dayOf(day)] = true
		}
	}
	if p := v.options.Period; !p.IsZero() {
		first, last := dayOf(v.mill.Calendar.Start(p)), dayOf(v.mill.Calendar.End(p).Add(-time.Microsecond))
		maps.DeleteFunc(days, func(day string, _ bool) bool { return day < first || day > last })
	}
	return slices.Sorted(maps.Keys(days))
}

// postings makes the table postings: for each run that brought usage, the start of the
// first period that was not cut then, and the instant from which on re-rates have taken
// calls home to their own time.
func (v *verifier) postings(ctx context.Context) error {
	m, state := v.mill, v.mill.Lake.State()
	builder, err := duck.NewBuilder([]duck.Column{{Name: "run", Type: "BIGINT"}, {Name: "open_start", Type: "TIMESTAMP"}, {Name: "home", Type: "TIMESTAMP"}})
	if err != nil {
		return err
	}
	rerates := slices.DeleteFunc(slices.Clone(state.Milestones()), func(run *lake.Run) bool { return run.Kind != lake.Rerate })
	for _, run := range state.Since(0) {
		if run.Kind != lake.Ingest {
			continue
		}
		home := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		for _, later := range rerates {
			if start := m.Calendar.Start(later.Period); later.Read >= run.Number && start.Before(home) {
				home = start
			}
		}
		builder.Append(run.Number, m.Calendar.Start(state.PostingPeriod(run.Number, m.Config.FirstPeriod)), home)
	}
	if err := v.session.Load(ctx, "postings", builder); err != nil {
		return err
	}
	return v.leftTo(ctx)
}

// leftTo makes the table left_to: where held calls of a period may post that closes and
// re-rates have moved on.
func (v *verifier) leftTo(ctx context.Context) error {
	builder, err := duck.NewBuilder([]duck.Column{{Name: "from_start", Type: "TIMESTAMP"}, {Name: "from_end", Type: "TIMESTAMP"}, {Name: "to_start", Type: "TIMESTAMP"}})
	if err != nil {
		return err
	}
	calendar, moves := v.mill.Calendar, v.moves()
	for from := range moves {
		reached := map[period.Period]bool{}
		for next := []period.Period{from}; len(next) > 0; next = next[1:] {
			for _, to := range moves[next[0]] {
				if !reached[to] {
					reached[to] = true
					next = append(next, to)
					builder.Append(calendar.Start(from), calendar.End(from), calendar.Start(to))
				}
			}
		}
	}
	return v.session.Load(ctx, "left_to", builder)
}

// moves are the periods to which runs have moved held calls of each period: a close to
// the next, a re-rate to any up to the one that was open.
func (v *verifier) moves() map[period.Period][]period.Period {
	moves := map[period.Period][]period.Period{}
	open := v.mill.Config.FirstPeriod
	for _, run := range v.mill.Lake.State().Milestones() {
		switch run.Kind {
		case lake.Cut:
			if open = run.Period.Next(); run.LeftHeld {
				moves[run.Period] = append(moves[run.Period], open)
			}
		case lake.Rerate:
			for p := run.Period; p.Before(open); p = p.Next() {
				for to := p.Next(); !open.Before(to); to = to.Next() {
					moves[p] = append(moves[p], to)
				}
			}
		}
	}
	return moves
}

// partitions looks whether every rated file lies in the period that its rows post to.
func (v *verifier) partitions(ctx context.Context, check *Check) error {
	for _, file := range v.ratedFiles() {
		if err := v.view(ctx, "rated_file", lake.Rated, []lake.File{file}); err != nil {
			return err
		}
		var first, last time.Time
		if err := v.session.Row(ctx, "SELECT min(posted_at), max(posted_at) FROM rated_file").Scan(&first, &last); err != nil {
			return err
		}
		if p := v.mill.Calendar.Of(first); p != v.mill.Calendar.Of(last) || p.String() != file.Partition {
			check.fault(fmt.Sprintf("%s of run %d", file.Path, file.Run), nextRows, "has calls that post from %s to %s, which is not all in %s",
				period.FormatInstant(first), period.FormatInstant(last), file.Partition)
		}
	}
	return nil
}

// ratedFiles are the live rated files, of the period that was asked for.
func (v *verifier) ratedFiles() []lake.File {
	if p := v.options.Period; !p.IsZero() {
		return v.mill.Lake.State().Partition(lake.Rated, p.String())
	}
	return v.mill.Lake.State().Files(lake.Rated)
}

func (v *verifier) callsOf(ctx context.Context, day string, usage, rated []lake.File, check *Check) error {
	start, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return err
	}
	end := start.Add(24 * time.Hour)
	of := within(slices.Clone(usage), start, end)
	if err := v.usageByRun(ctx, "usage_by_run", of); err != nil {
		return err
	}
	if err := v.view(ctx, "rated_files", lake.Rated, within(slices.Clone(rated), start, end)); err != nil {
		return err
	}
	span := []string{start.Format(time.DateTime), end.Format(time.DateTime)}
	for _, statement := range []string{sql.Expand("duckdb/verify_rated_of_day", span), sql.Expand("duckdb/verify_usage_of_day", span)} {
		if err := v.session.Exec(ctx, statement); err != nil {
			return err
		}
	}
	var n, astray int64
	if err := v.session.Row(ctx, "SELECT count(*) FROM rated_of_day").Scan(&n); err != nil {
		return err
	}
	check.Count += n
	if err := v.session.Row(ctx, "SELECT count(*) FROM usage_by_run WHERE \"time\" < $1 OR \"time\" >= $2", start, end).Scan(&astray); err != nil {
		return err
	}
	where := "calls of " + day
	if astray > 0 {
		check.fault(where, nextRows, "%d rows of usage are of another day", astray)
	}
	different, err := v.compare(ctx, twofold{is: "rated_of_day", should: "usage_of_day", columns: append(v.usageColumns(), "posted_at", "late")})
	if err != nil || different == "" {
		return err
	}
	check.fault(where, nextRows, "rated is not as usage has it: %s", different)
	return nil
}

// uniqueCalls looks whether every call counts once (SPEC section 3, Once). Copies with
// other times are found at close, so calls are looked at that some close has seen.
func (v *verifier) uniqueCalls(ctx context.Context) error {
	check := &Check{What: "calls that count once", Unit: "call"}
	defer func() { v.note(check) }()
	closings := v.mill.Lake.State().Closings()
	if len(closings) == 0 {
		return nil
	}
	cut := closings[len(closings)-1]
	seen := slices.DeleteFunc(v.mill.Lake.State().Files(lake.Usage), func(f lake.File) bool { return f.Origin() >= cut.CutRun })
	for p := v.mill.Config.FirstPeriod; !cut.Period.Before(p); p = p.Next() {
		if !v.options.Period.IsZero() && p != v.options.Period {
			continue
		}
		start, end := v.mill.Calendar.Start(p), v.mill.Calendar.End(p)
		files := within(slices.Clone(seen), start, end)
		if err := v.view(ctx, "period_usage", lake.Usage, files); err != nil {
			return err
		}
		var n int64
		for _, f := range files {
			n += f.Rows
		}
		check.Count += n
		parts := n/rowsAtOnce + 1 // so that memory does not grow with the month
		for part := range parts {
			if err := v.hold(ctx, v.desk, check, "calls of "+p.String(), "checks/calls_once", start, end, parts, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowsAtOnce is how many calls are grouped by their ids at once.
const rowsAtOnce = 5_000_000

// filesAtOnce is how many rated files are rated again before what came out is cleared away.
const filesAtOnce = 8

// prices rates every rated file again, with the configuration of the run that rated it.
func (v *verifier) prices(ctx context.Context) error {
	check := &Check{What: "prices of calls", Unit: "call"}
	defer func() { v.note(check) }()
	files := v.ratedFiles()
	byRun := map[int64][]lake.File{}
	for _, file := range files {
		byRun[file.Origin()] = append(byRun[file.Origin()], file)
	}
	tell, done := v.mill.progress("prices"), int64(0)
	for _, number := range slices.Sorted(maps.Keys(byRun)) {
		run := v.mill.Lake.State().Since(0)[number-1]
		d, err := v.as(ctx, run)
		if err == nil {
			err = v.openedBy(ctx, run)
		}
		if err != nil {
			return err
		}
		for batch := range slices.Chunk(byRun[number], filesAtOnce) {
			if err := v.pricesOf(ctx, d, run, batch, check); err != nil {
				return err
			}
			if done += int64(len(batch)); tell != nil {
				tell(done, int64(len(files)))
			}
		}
	}
	return nil
}

// openedBy makes the table of the accounts that were opened, as a rating knew it: by the
// account events of then, if they are kept.
func (v *verifier) openedBy(ctx context.Context, run *lake.Run) error {
	number := run.Read
	if run.Kind == lake.Rerate {
		number = run.Number // it posts account events anew, and rates by those
	}
	files, gone := v.filesAt(lake.AccountEvents, number)
	if gone {
		files = v.mill.Lake.State().Files(lake.AccountEvents)
	}
	if err := v.view(ctx, "account_events", lake.AccountEvents, files); err != nil {
		return err
	}
	return v.session.Exec(ctx, "CREATE OR REPLACE TABLE opened_accounts AS "+sql.Text("duckdb/opened_accounts"))
}

// pricesOf rates files again that one run has rated, and compares row by row.
func (v *verifier) pricesOf(ctx context.Context, d *desk, run *lake.Run, files []lake.File, check *Check) error {
	columns := v.mill.Lake.State().Columns
	scans := make([]duck.Scan, len(files))
	batches := make([]rate.Batch, len(files))
	for i, file := range files {
		partition := file.Partition
		if left := file.Tags[tagLeft]; left != "" && run.Kind != lake.Rate {
			partition = left // a close or a re-rate moved on what was held in its own period
		}
		p, err := period.Parse(partition)
		if err != nil {
			return fmt.Errorf("rated file %s: %w", file.Path, err)
		}
		if scans[i], err = v.scan(ctx, lake.Rated, []lake.File{file}); err != nil {
			return err
		}
		batches[i] = rate.Batch{Period: p, Usage: scans[i], Rerate: true, Day: dayOf(*file.MinTime)}
	}
	again, err := rate.Run(ctx, rate.Input{
		Session: v.session, Scratch: v.scratch, Book: d.mill.Prices, Calendar: d.mill.Calendar, Dynamic: columns, Batches: batches,
		UnknownAccounts: d.mill.Config.UnknownPlan != "",
	})
	if err == nil && len(again.Outputs) != len(files) {
		err = fmt.Errorf("of %d files %d have rows", len(files), len(again.Outputs))
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		check.fault(fmt.Sprintf("files rated by run %d", run.Number), nextRows, "cannot be rated again: %v", err)
		return nil
	}
	check.Count += again.Calls
	for i, out := range again.Outputs {
		should := duck.Scan{Columns: lake.Rated.Schema(columns)}
		should.Add(out.Path, 0)
		if err := errors.Join(v.session.View(ctx, "rated_is", scans[i]), v.session.View(ctx, "rated_should", should)); err != nil {
			return err
		}
		different, err := v.compare(ctx, twofold{is: "rated_is", should: "rated_should", columns: columnNames(should.Columns)})
		if err != nil {
			return err
		}
		if different != "" {
			check.fault(fmt.Sprintf("%s of run %d", files[i].Path, files[i].Run), nextRows, "is not priced as run %d was to price it: %s", run.Number, different)
		}
		if err := os.Remove(out.Path); err != nil {
			return err
		}
	}
	return nil
}
