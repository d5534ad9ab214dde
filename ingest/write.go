package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// writeAll writes the files to commit. Usage comes last: what DuckDB held for the
// rest is free by then.
func (r *run) writeAll(ctx context.Context) error {
	if err := r.writeRejected(ctx); err != nil {
		return fmt.Errorf("write rejects: %w", err)
	}
	if err := r.writeAccountEvents(ctx); err != nil {
		return fmt.Errorf("write account events: %w", err)
	}
	return r.writeUsage(ctx)
}

// write writes one output and notes it, unless it has no rows.
func (r *run) write(ctx context.Context, o lake.Output, query string, args ...any) (err error) {
	o.Path = filepath.Join(r.Scratch, fmt.Sprintf("%s-%s-%d.parquet", o.Table.Name, o.Partition, len(r.outputs)))
	if o.Rows, err = r.Session.CopyParquet(ctx, query, o.Path, args...); err != nil {
		return err
	}
	if o.Rows == 0 {
		return os.Remove(o.Path)
	}
	r.outputs = append(r.outputs, o)
	return nil
}

func (r *run) writeRejected(ctx context.Context) error {
	statement := sql.Expand("duckdb/ingest_rejects", map[string]bool{"Settled": r.settled})
	if err := r.Session.Exec(ctx, statement, r.Now.UTC()); err != nil {
		return err
	}
	if err := r.Session.Exec(ctx, "DROP TABLE IF EXISTS ingest_raw"); err != nil {
		return err
	}
	if err := r.supersede(ctx); err != nil {
		return fmt.Errorf("compare with earlier rejects: %w", err)
	}
	days, err := r.rejectDays(ctx)
	if err != nil {
		return err
	}
	for _, out := range days {
		if err := r.write(ctx, out, sql.Text("duckdb/ingest_rejected_day"), out.Partition, out.Tags != nil); err != nil {
			return err
		}
	}
	return r.Session.Exec(ctx, "DROP TABLE ingest_reject")
}

// rejectDays are the files of rejected to write: a day's, and those apart that a
// close has accepted.
func (r *run) rejectDays(ctx context.Context) ([]lake.Output, error) {
	rows, err := r.Session.Rows(ctx, sql.Text("duckdb/ingest_reject_days"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days []lake.Output
	for rows.Next() {
		out := lake.Output{Table: lake.Rejected}
		var accepted bool
		if err := rows.Scan(&out.Partition, &accepted); err != nil {
			return nil, err
		}
		if accepted {
			out.Tags = map[string]string{lake.TagAccepted: "true"}
		}
		days = append(days, out)
	}
	return days, rows.Err()
}

func (r *run) writeAccountEvents(ctx context.Context) error {
	found := false
	for i := range r.read {
		found = found || r.read[i].kept() && r.read[i].counts.AccountEvents > 0
	}
	if !found {
		return nil
	}
	return r.write(ctx, lake.Output{Table: lake.AccountEvents}, sql.Text("duckdb/ingest_account_events"),
		r.OpenStart.UTC(), r.Earliest.UTC())
}

// report adds up what objects held, with what settling made of it.
func (r *run) report(ctx context.Context) (Report, error) {
	report := Report{Dynamic: r.dynamic, Outputs: r.outputs, Totals: Totals{ByReason: map[string]int64{}}}
	accountEvents := make([]int64, len(r.read))
	for i, o := range r.Objects {
		read := &r.read[i]
		accountEvents[i] = read.counts.AccountEvents
		report.Objects = append(report.Objects, ObjectReport{
			Source: o.Source.Name, Object: o.Key, Identity: o.Identity, Bytes: o.Bytes,
			Records: read.counts.Records, Events: read.counts.Usage + read.counts.AccountEvents,
			Rejects: read.counts.Rejects, Skipped: read.counts.Skipped,
			Err: read.err, TooManyRejects: read.tooMany,
		})
		if read.kept() {
			for reason, n := range read.counts.ByReason {
				report.Totals.ByReason[string(reason)] += n
			}
		}
	}
	if err := r.applySettled(ctx, &report, accountEvents); err != nil {
		return Report{}, fmt.Errorf("count copies of events: %w", err)
	}
	r.applyAgain(&report)
	for i, o := range report.Objects {
		if !o.Kept() || o.Unchanged {
			continue
		}
		t := &report.Totals
		t.Objects++
		t.Records += o.Records
		t.Events += o.Events - accountEvents[i]
		t.AccountEvents += accountEvents[i]
		t.Rejects += o.Rejects
		t.Skipped += o.Skipped
	}
	for _, name := range slices.Sorted(maps.Keys(r.newest)) {
		report.Newest = append(report.Newest, lake.SourceTime{Source: name, Time: r.newest[name]})
	}
	return report, errors.Join(r.usage.Close(), os.Remove(filepath.Join(r.Scratch, othersFile)))
}

func (r *run) applySettled(ctx context.Context, report *Report, accountEvents []int64) error {
	rows, err := r.Session.Rows(ctx, sql.Text("duckdb/ingest_settled_counts"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number, kind int
		var outcome string
		var n int64
		if err := rows.Scan(&number, &kind, &outcome, &n); err != nil {
			return err
		}
		o := &report.Objects[number]
		o.Events -= n
		if kind == 1 {
			accountEvents[number] -= n
		}
		if outcome == "skipped" {
			o.Skipped += n
		} else {
			o.Rejects += n
			report.Totals.ByReason[outcome] += n
		}
	}
	return rows.Err()
}
