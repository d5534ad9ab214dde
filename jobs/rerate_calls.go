package jobs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// A calls is one file of a replayed period's rated calls.
type calls struct {
	path    string // local
	columns int    // of rated's, from the first; 0: all
	live    string // path of the live file that this is; empty: it was made for the replay
	output  lake.Output
}

// takeLeaving gathers the calls that a replay leaves away, in the table leaving: those
// that were voided after the close of a replayed period, with what they cost in
// voided_calls, and copies of calls that the open period's close would take out.
func (r *rerate) takeLeaving(ctx context.Context) error {
	state := r.mill.Lake.State()
	if err := r.session.Exec(ctx, sql.Text("duckdb/leaving_begin")); err != nil {
		return err
	}
	pending := slices.DeleteFunc(state.Files(lake.Voided), func(f lake.File) bool { return f.Pending() == 0 })
	if err := r.view(ctx, "pending_voids", lake.Voided, pending); err != nil {
		return err
	}
	var rated []lake.File
	for _, file := range r.ratedFiles() {
		if slices.ContainsFunc(pending, func(f lake.File) bool { return !f.MinTime.After(*file.MaxTime) && !f.MaxTime.Before(*file.MinTime) }) {
			rated = append(rated, file)
		}
	}
	if err := r.viewBy(ctx, "voided_rated", lake.Rated, rated, "period", partitionOf); err != nil {
		return err
	}
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_voided")); err != nil {
		return fmt.Errorf("find the calls that were voided since: %w", err)
	}
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_leaving")); err != nil {
		return err
	}
	if !r.options.Commit { // which has taken them out
		for p := range r.mill.periodsToCompare(r.open) {
			if err := r.findCopies(ctx, p); err != nil {
				return fmt.Errorf("look for copies in %s: %w", p, err)
			}
		}
	}
	return r.session.Row(ctx, "SELECT count(*) FROM leaving").Scan(&r.leaving)
}

// ratedFiles are the live rated files of the periods.
func (r *rerate) ratedFiles() []lake.File {
	return slices.DeleteFunc(r.mill.Lake.State().Files(lake.Rated), func(f lake.File) bool {
		return f.Partition < r.options.From.String() || f.Partition >= r.open.String()
	})
}

// price prices the calls of all replayed periods, each where it belongs, by all books
// in one pass. What stands as it is, and would be priced as it was, is left alone.
func (r *rerate) price(ctx context.Context, books []draftBook) error {
	if err := r.session.Exec(ctx, "CREATE OR REPLACE TABLE opened_accounts AS "+sql.Text("duckdb/opened_accounts")); err != nil {
		return fmt.Errorf("find when accounts were opened: %w", err)
	}
	if err := r.openedLater(ctx); err != nil {
		return fmt.Errorf("find when accounts were opened: %w", err)
	}
	batches, err := r.batches(ctx, books)
	if err != nil || len(batches) == 0 {
		return err
	}
	m := r.mill
	replay := &rate.Replay{Home: r.home, Dry: !r.options.Commit}
	for _, b := range books[1:] {
		replay.Drafts = append(replay.Drafts, b.book)
	}
	r.rated, err = rate.Run(ctx, rate.Input{
		Session: r.session, Scratch: r.scratch, Book: books[0].book, Calendar: m.Calendar, Dynamic: m.Lake.State().Columns, Batches: batches,
		Replay: replay, UnknownAccounts: m.Config.UnknownPlan != "", Progress: m.progress("rate"),
	})
	if err != nil {
		return err
	}
	for _, out := range r.rated.Outputs {
		r.calls[out.Partition] = append(r.calls[out.Partition], calls{path: out.Path, columns: out.Columns, output: out})
	}
	return nil
}

// openedLater makes the table of accounts that a replayed period after the first has
// opened: earlier calls of theirs post there.
func (r *rerate) openedLater(ctx context.Context) error {
	builder, err := duck.NewBuilder([]duck.Column{{Name: "start", Type: "TIMESTAMP"}, {Name: "end", Type: "TIMESTAMP"}})
	if err != nil {
		return err
	}
	if r.mill.Config.UnknownPlan == "" {
		for _, p := range r.periods[1:] {
			builder.Append(r.mill.Calendar.Start(p), r.mill.Calendar.End(p))
		}
	}
	if err := r.session.Load(ctx, "periods_after", builder); err != nil {
		return err
	}
	return r.session.Exec(ctx, sql.Text("duckdb/rerate_opened_later"))
}

// batches are the calls to be priced. A file of a replayed period is a batch, which
// keeps its order; what comes from elsewhere is one for each period.
func (r *rerate) batches(ctx context.Context, books []draftBook) ([]rate.Batch, error) {
	var batches []rate.Batch
	elsewhere := map[period.Period][]duck.Group{} // files of rated, by the period they have calls of
	for _, file := range r.mill.Lake.State().Files(lake.Rated) {
		p, err := period.Parse(file.Partition)
		if err != nil {
			return nil, fmt.Errorf("rated file %s: %w", file.Path, err)
		}
		replayed := !p.Before(r.options.From) && p.Before(r.open)
		if p.Before(r.options.From) || !replayed && !file.MinTime.Before(r.end) {
			continue
		}
		path, err := r.withoutLeaving(ctx, lake.Rated, file)
		if err != nil {
			return nil, err
		}
		if replayed && path.stands && !r.changes(file, p, books) {
			r.calls[file.Partition] = append(r.calls[file.Partition], calls{path: path.path, columns: file.Columns, live: file.Path})
			continue
		}
		if replayed {
			batches = append(batches, rate.Batch{
				Period: p, Usage: r.ratedScan(path.path, file.Columns), Rerate: true,
				Later: file.MinTime.Before(r.mill.Calendar.Start(p)), Day: dayOf(*file.MinTime),
			})
		}
		// A call posts in the period of its time or, where its account was opened later, in that one.
		for home := later(r.mill.Calendar.Of(*file.MinTime), r.options.From); home.Before(r.open); home = home.Next() {
			if home != p && (!replayed || home.Before(p)) {
				elsewhere[home] = append(elsewhere[home], duck.Group{Files: []string{path.path}, Has: file.Columns})
			}
		}
	}
	for _, p := range r.periods {
		if groups := elsewhere[p]; len(groups) > 0 {
			scan := r.ratedScan("", 0)
			scan.Groups = groups
			batches = append(batches, rate.Batch{Period: p, Usage: scan, Rerate: true, Later: true})
		}
	}
	err := r.fresh(ctx, &batches)
	return batches, err
}

// changes reports whether any call of a period's own file posts elsewhere in the
// replay, or may be priced otherwise.
func (r *rerate) changes(file lake.File, p period.Period, books []draftBook) bool {
	return file.MinTime.Before(r.mill.Calendar.Start(p)) || heldRows(file) > 0 || slices.ContainsFunc(books, func(b draftBook) bool {
		return file.Tags[rate.TagPrices] != b.book.Fingerprint(*file.MinTime, *file.MaxTime)
	})
}

// fresh adds the usage of replayed periods that no run has rated. A commit has rated
// what there was; what came since is for the next rating, which would rate it again.
func (r *rerate) fresh(ctx context.Context, batches *[]rate.Batch) error {
	if r.options.Commit {
		return nil
	}
	m, state := r.mill, r.mill.Lake.State()
	for _, p := range r.periods {
		files := slices.DeleteFunc(within(state.Files(lake.Usage), r.home, m.Calendar.End(p)), func(f lake.File) bool {
			return f.Origin() <= state.RatedThrough
		})
		if len(files) == 0 {
			continue
		}
		scan := state.Scan(lake.Usage, nil, nil)
		for _, file := range files {
			at, err := r.withoutLeaving(ctx, lake.Usage, file)
			if err != nil {
				return err
			}
			has := file.Columns
			if !at.stands {
				has = 0 // written with all columns
			}
			scan.Add(at.path, has)
		}
		*batches = append(*batches, rate.Batch{Period: p, Usage: scan, Later: true})
	}
	return nil
}

func (r *rerate) ratedScan(path string, columns int) duck.Scan {
	scan := r.mill.Lake.State().Scan(lake.Rated, nil, nil)
	if path != "" {
		scan.Add(path, columns)
	}
	return scan
}

// A standing is where a file's calls can be read, and whether it is the file itself.
type standing struct {
	path   string
	stands bool
}

// withoutLeaving is a file of usage or rated without the calls that leave.
func (r *rerate) withoutLeaving(ctx context.Context, table lake.Table, file lake.File) (standing, error) {
	if known, ok := r.standing[file.Path]; ok {
		return known, nil
	}
	paths, err := r.mill.Lake.Paths(ctx, []lake.File{file})
	if err != nil {
		return standing{}, err
	}
	at := standing{paths[0], true}
	if r.leaving > 0 {
		if err := r.view(ctx, "file_left", table, []lake.File{file}); err != nil {
			return at, err
		}
		var n int64
		if err := r.session.Row(ctx, sql.Text("duckdb/leaving_in_file")).Scan(&n); err != nil {
			return at, err
		}
		if n > 0 {
			at = standing{filepath.Join(r.scratch, fmt.Sprintf("without-%d.parquet", len(r.standing))), false}
			if _, err := r.session.CopyParquet(ctx, sql.Text("duckdb/leaving_stay"), at.path); err != nil {
				return at, fmt.Errorf("take calls out of %s: %w", file.Path, err)
			}
		}
	}
	r.standing[file.Path] = at
	return at, nil
}
