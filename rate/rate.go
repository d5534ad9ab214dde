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
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

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
	Day    string // of the usage, for messages; may be empty
}

// Input is what a run of rating reads. In its session, the view
// opened_accounts(account VARCHAR, opened_at TIMESTAMP) holds for each account
// the instant at which it was first opened; it is read once a batch.
type Input struct {
	Session         *duck.Session
	Scratch         string // local folder that the session may write to
	Book            *price.Book
	Calendar        period.Calendar
	Dynamic         []lake.Column // the recorded dimensions and quantities, in order
	Batches         []Batch
	UnknownAccounts bool                    // usage of accounts never opened is not held
	Progress        func(done, total int64) // in batches; may be nil
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

// Run rates the batches. On an error, the files written so far are left to
// whoever clears scratch.
func Run(ctx context.Context, in Input) (Report, error) {
	r := run{Input: in, Report: Report{ByHeld: map[string]int64{}}, used: map[price.VersionRef]bool{}, compiled: map[compiledKey]string{}}
	for i, batch := range in.Batches {
		if err := r.batch(ctx, i, batch); err != nil {
			return Report{}, fmt.Errorf("rate usage of %s: %w", batch, err)
		}
		if in.Progress != nil {
			in.Progress(int64(i+1), int64(len(in.Batches)))
		}
	}
	for _, v := range in.Book.Versions() {
		if r.used[price.VersionRef{Table: v.Table, Version: v.Version}] {
			r.Versions = append(r.Versions, v.VersionRef)
		}
	}
	return r.Report, nil
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
	Report
	used map[price.VersionRef]bool // by table and version alone

	compiled map[compiledKey]string
}

// compiledKey is what a compiled SELECT depends on within a run.
type compiledKey struct {
	period          period.Period
	unknownAccounts bool
}

func (r *run) batch(ctx context.Context, i int, batch Batch) error {
	if err := r.Session.View(ctx, "usage_batch", batch.Usage); err != nil {
		return err
	}
	if err := r.Session.Exec(ctx, r.posted(batch)); err != nil {
		return fmt.Errorf("view usage_posted: %w", err)
	}
	query, err := r.query(ctx, batch)
	if err != nil {
		return err
	}
	path := filepath.Join(r.Scratch, fmt.Sprintf("rated-%s-%06d.parquet", batch.Period, i+1))
	rows, err := r.Session.CopyParquet(ctx, query, path)
	if err != nil {
		return err
	}
	if rows == 0 {
		return os.Remove(path)
	}
	return r.report(ctx, lake.Output{
		Table: lake.Rated, Partition: batch.Period.String(), Path: path, Rows: rows,
		Columns: len(lake.Rated.Schema(r.Dynamic)), Tags: map[string]string{},
	})
}

// posted is the statement that makes the view usage_posted of a batch.
func (r *run) posted(batch Batch) string {
	start := r.Calendar.Start(batch.Period)
	return statements.Expand("duckdb/rate_posted", map[string]any{
		"Fixed":     names(lake.Usage.Columns),
		"Dynamic":   names(r.Dynamic),
		"Rerate":    batch.Rerate,
		"Open":      batch.OpenStart.Equal(start),
		"OpenStart": price.Timestamp(batch.OpenStart),
		"Start":     price.Timestamp(start),
		"End":       price.Timestamp(r.Calendar.End(batch.Period)),
	})
}

// query is the SELECT of a batch, sorted where that is needed. DuckDB keeps the
// order of a file through everything but a join, so where all accounts are opened,
// as they mostly are, the SELECT does not ask (see TestOneFileKeepsItsOrder).
func (r *run) query(ctx context.Context, batch Batch) (string, error) {
	options := price.SelectOptions{
		Dynamic: r.Dynamic, OpenedBefore: r.Calendar.End(batch.Period), UnknownAccounts: r.UnknownAccounts,
	}
	if !options.UnknownAccounts {
		var stray bool
		row := r.Session.Row(ctx, statements.Text("duckdb/rate_not_opened"), options.OpenedBefore)
		if err := row.Scan(&stray); err != nil {
			return "", fmt.Errorf("look for accounts not opened: %w", err)
		}
		options.UnknownAccounts = !stray
	}
	key := compiledKey{batch.Period, options.UnknownAccounts}
	if r.compiled[key] == "" {
		compiled, err := r.Book.Select(options)
		if err != nil {
			return "", err
		}
		r.compiled[key] = compiled
	}
	files := 0
	for _, group := range batch.Usage.Groups {
		files += len(group.Files)
	}
	if files == 1 && options.UnknownAccounts {
		return r.compiled[key], nil
	}
	return statements.Expand("duckdb/rate_sorted", map[string]any{"Select": r.compiled[key]}), nil
}

// report adds an output and what it holds.
func (r *run) report(ctx context.Context, out lake.Output) (err error) {
	rows, err := r.Session.Rows(ctx, statements.Text("duckdb/rate_summary"), out.Path)
	if err != nil {
		return fmt.Errorf("sum up %s: %w", filepath.Base(out.Path), err)
	}
	defer rows.Close()
	held := map[string]int64{}
	for rows.Next() {
		var table, reason sql.NullString
		var version sql.NullInt64
		var calls int64
		var text string
		var first, last time.Time
		if err := rows.Scan(&table, &version, &reason, &calls, &text, &first, &last); err != nil {
			return fmt.Errorf("sum up %s: %w", filepath.Base(out.Path), err)
		}
		credits, err := credit.Parse(text)
		if err != nil {
			return fmt.Errorf("sum up %s: %w", filepath.Base(out.Path), err)
		}
		r.Calls, r.Credits = r.Calls+calls, r.Credits.Add(credits)
		if reason.Valid {
			held[reason.String] += calls
			held[""] += calls
		}
		if table.Valid {
			r.used[price.VersionRef{Table: table.String, Version: int(version.Int64)}] = true
		}
		if out.MinTime.IsZero() || first.Before(out.MinTime) {
			out.MinTime = first.UTC()
		}
		if last.After(out.MaxTime) {
			out.MaxTime = last.UTC()
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sum up %s: %w", filepath.Base(out.Path), err)
	}
	for reason, calls := range held {
		if reason != "" {
			r.ByHeld[reason] += calls
		}
	}
	r.Held += held[""]
	for tag, calls := range map[string]int64{TagHeld: held[""], TagNotOpened: held[price.AccountNotOpened]} {
		if calls > 0 {
			out.Tags[tag] = strconv.FormatInt(calls, 10)
		}
	}
	out.Tags[TagPrices] = r.Book.Fingerprint(out.MinTime, out.MaxTime)
	r.Outputs = append(r.Outputs, out)
	return nil
}

func names(columns []lake.Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return list
}
