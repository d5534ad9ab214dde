// Package rate makes rated calls of usage: it decides when each call posts, has
// DuckDB run the SELECT that package price compiled, and writes the result as
// files of the table rated (SPEC sections 4 and 8).
//
// It writes to scratch alone and commits nothing: package jobs does. A crash
// leaves files in scratch that no run names. The same input gives the same rows.
package rate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate/price"
	statements "github.com/creditmill/creditmill/sql"
)

// A Batch is usage that is rated together into one file.
type Batch struct {
	Period period.Period
	// Usage has the columns of lake.Usage and then Input.Dynamic; with Rerate,
	// those of lake.Rated and then Input.Dynamic. When it is a single file, that
	// file must be sorted as the tables' files are: by account, time, source and
	// event_id. The calls whose posted period is not Period are left out.
	Usage duck.Scan
	// OpenStart is the start of the open period: earlier usage posts there, late.
	OpenStart time.Time
	// Rerate keeps posted_at and late of calls rated before, and prices them anew.
	Rerate bool
	// Later, in a replay: calls from before the period in which their account was opened
	// post at its start, late, as closes would have left them behind. The table
	// opened_later(account VARCHAR, posts_from TIMESTAMP) says which.
	Later bool
	Day   string // of the usage, for messages; may be empty
}

// Input is what a run of rating reads. In the database of its session, the table
// opened_accounts(account VARCHAR, opened_at TIMESTAMP), not a temporary one, holds
// for each account the instant at which it was first opened; it is read once a batch.
type Input struct {
	Session         *duck.Session
	Scratch         string // local folder that the session may write to
	Book            *price.Book
	Calendar        period.Calendar
	Dynamic         []lake.Column // the recorded dimensions and quantities, in order
	Batches         []Batch
	Replay          *Replay                 // nil: calls are rated for good
	UnknownAccounts bool                    // usage of accounts never opened is not held
	Progress        func(done, total int64) // in batches, from several goroutines; may be nil
}

// Report is what a run of rating made.
type Report struct {
	// Outputs has one file for each batch with rows, in the order of the batches.
	// Its tags: "held" and "not_opened", the number of held calls and of those
	// whose account is not opened, where there are any; "prices", the
	// [price.Book.Fingerprint] of its time range: when that has changed, the file
	// is to be rated again.
	Outputs  []lake.Output
	Calls    int64
	Held     int64
	ByHeld   map[string]int64 // by the reason in the column held
	Credits  credit.Amount
	Versions []price.VersionRef // those that priced at least one call, by table and version
}

// Tags of an output.
const (
	TagHeld      = "held"
	TagNotOpened = "not_opened"
	TagPrices    = "prices"
)

// Run rates the batches, some at a time. On an error, the files written so far are
// left to whoever clears scratch.
func Run(ctx context.Context, in Input) (Report, error) {
	rated := make([]summary, len(in.Batches))
	r := run{Input: in, compiled: map[compiledKey]string{}}
	if err := r.all(ctx, rated); err != nil {
		return Report{}, err
	}
	report, used := Report{ByHeld: map[string]int64{}}, map[price.VersionRef]bool{}
	for _, s := range rated {
		if s.output.Rows == 0 {
			continue
		}
		report.Outputs = append(report.Outputs, s.output)
		report.Calls, report.Credits = report.Calls+s.output.Rows, report.Credits.Add(s.credits)
		for reason, calls := range s.held {
			report.Held, report.ByHeld[reason] = report.Held+calls, report.ByHeld[reason]+calls
		}
		for _, v := range s.used {
			used[v] = true
		}
	}
	for _, v := range in.Book.Versions() {
		if used[price.VersionRef{Table: v.Table, Version: v.Version}] {
			report.Versions = append(report.Versions, v.VersionRef)
		}
	}
	return report, nil
}

// atATime is how many batches are rated side by side: a batch alone, a day, keeps
// no two processors busy to its end. Each more takes its share of the session's
// memory, however many processors there are.
const atATime = 2

// all rates all batches, each in a session of its own while it lasts.
func (r *run) all(ctx context.Context, rated []summary) (err error) {
	sessions := make(chan *duck.Session, atATime)
	defer func() {
		for range len(sessions) {
			err = errors.Join(err, (<-sessions).Close())
		}
	}()
	for range min(atATime, len(r.Batches)) {
		session, err := r.Session.Beside(ctx)
		if err != nil {
			return err
		}
		sessions <- session
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atATime)
	var done atomic.Int64
	for i, batch := range r.Batches {
		work.Go(func() (err error) {
			session := <-sessions
			defer func() { sessions <- session }()
			if rated[i], err = r.batch(ctx, session, i, batch); err != nil {
				return fmt.Errorf("rate usage of %s: %w", batch, err)
			}
			if r.Progress != nil {
				r.Progress(done.Add(1), int64(len(r.Batches)))
			}
			return nil
		})
	}
	return work.Wait()
}

// String names a batch in messages.
func (b Batch) String() string {
	if b.Day == "" {
		return b.Period.String()
	}
	return b.Day + " in " + b.Period.String()
}

type run struct {
	Input

	compiling sync.Mutex
	compiled  map[compiledKey]string
}

// compiledKey is what a compiled SELECT depends on within a run.
type compiledKey struct {
	period          period.Period
	unknownAccounts bool
}

// A summary is what one batch gave. Its output has no rows where the batch had none.
type summary struct {
	output  lake.Output
	credits credit.Amount
	held    map[string]int64   // calls, by reason
	used    []price.VersionRef // by table and version alone
}

func (r *run) batch(ctx context.Context, session *duck.Session, i int, batch Batch) (summary, error) {
	if err := session.View(ctx, "usage_batch", batch.Usage); err != nil {
		return summary{}, err
	}
	if err := session.Exec(ctx, r.posted(batch)); err != nil {
		return summary{}, fmt.Errorf("view usage_posted: %w", err)
	}
	query, err := r.query(ctx, session, batch)
	if err != nil {
		return summary{}, err
	}
	path := filepath.Join(r.Scratch, fmt.Sprintf("rated-%s-%06d.parquet", batch.Period, i+1))
	rows, err := session.CopyParquet(ctx, query, path)
	if err != nil {
		return summary{}, err
	}
	if rows == 0 {
		return summary{}, os.Remove(path)
	}
	return r.sumUp(ctx, session, lake.Output{
		Table: lake.Rated, Partition: batch.Period.String(), Path: path, Rows: rows,
		Columns: len(lake.Rated.Schema(r.Dynamic)), Tags: map[string]string{}, // of a dry replay, which is never the lake's, fewer
	})
}

// posted is the statement that makes the view usage_posted of a batch.
func (r *run) posted(batch Batch) string {
	start := r.Calendar.Start(batch.Period)
	return statements.Expand("duckdb/rate_posted", map[string]any{
		"Fixed":     names(lake.Usage.Columns),
		"Dynamic":   names(r.Dynamic),
		"Rerate":    batch.Rerate,
		"Replay":    r.Replay != nil,
		"Home":      r.Replay.home(),
		"Later":     batch.Later,
		"Open":      batch.OpenStart.Equal(start),
		"OpenStart": price.Timestamp(batch.OpenStart),
		"Start":     price.Timestamp(start),
		"End":       price.Timestamp(r.Calendar.End(batch.Period)),
	})
}

// query is the SELECT of a batch, sorted where that is needed. DuckDB keeps the
// order of a file through everything but a join, so where all accounts are opened,
// as they mostly are, the SELECT does not ask (see TestOneFileKeepsItsOrder).
func (r *run) query(ctx context.Context, session *duck.Session, batch Batch) (string, error) {
	options := price.SelectOptions{
		Dynamic: r.Dynamic, OpenedBefore: r.Calendar.End(batch.Period), UnknownAccounts: r.UnknownAccounts,
	}
	if !options.UnknownAccounts {
		var stray bool
		row := session.Row(ctx, statements.Text("duckdb/rate_not_opened"), options.OpenedBefore)
		if err := row.Scan(&stray); err != nil {
			return "", fmt.Errorf("look for accounts not opened: %w", err)
		}
		options.UnknownAccounts = !stray
	}
	compiled, err := r.compile(compiledKey{batch.Period, options.UnknownAccounts}, options)
	if err != nil {
		return "", err
	}
	files := 0
	for _, group := range batch.Usage.Groups {
		files += len(group.Files)
	}
	if files == 1 && options.UnknownAccounts && !batch.Later {
		return compiled, nil
	}
	return statements.Expand("duckdb/rate_sorted", map[string]any{"Select": compiled}), nil
}

// compile is [price.Book.Select], or what a replay makes of it, once for each key.
func (r *run) compile(key compiledKey, options price.SelectOptions) (_ string, err error) {
	r.compiling.Lock()
	defer r.compiling.Unlock()
	switch {
	case r.compiled[key] != "":
	case r.Replay != nil:
		r.compiled[key], err = r.replaySelect(options)
	default:
		r.compiled[key], err = r.Book.Select(options)
	}
	return r.compiled[key], err
}

// sumUp reads what an output holds.
func (r *run) sumUp(ctx context.Context, session *duck.Session, out lake.Output) (_ summary, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("sum up %s: %w", filepath.Base(out.Path), err)
		}
	}()
	rows, err := session.Rows(ctx, statements.Text("duckdb/rate_summary"), out.Path)
	if err != nil {
		return summary{}, err
	}
	defer rows.Close()
	s := summary{held: map[string]int64{}}
	var held int64
	for rows.Next() {
		var table, reason sql.NullString
		var version sql.NullInt64
		var calls int64
		var text string
		var first, last time.Time
		if err := rows.Scan(&table, &version, &reason, &calls, &text, &first, &last); err != nil {
			return summary{}, err
		}
		credits, err := credit.Parse(text)
		if err != nil {
			return summary{}, err
		}
		s.credits = s.credits.Add(credits)
		if reason.Valid {
			s.held[reason.String] += calls
			held += calls
		}
		if table.Valid {
			s.used = append(s.used, price.VersionRef{Table: table.String, Version: int(version.Int64)})
		}
		if out.MinTime.IsZero() || first.Before(out.MinTime) {
			out.MinTime = first.UTC()
		}
		if last.After(out.MaxTime) {
			out.MaxTime = last.UTC()
		}
	}
	for tag, calls := range map[string]int64{TagHeld: held, TagNotOpened: s.held[price.AccountNotOpened]} {
		if calls > 0 {
			out.Tags[tag] = strconv.FormatInt(calls, 10)
		}
	}
	out.Tags[TagPrices] = r.Book.Fingerprint(out.MinTime, out.MaxTime)
	s.output = out
	return s, rows.Err()
}

func names(columns []lake.Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return list
}
