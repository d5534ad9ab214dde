package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/row"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// settle finds out which copies of events do not count: the table ingest_settled.
func (r *run) settle(ctx context.Context) error {
	if err := r.loadObjects(ctx); err != nil {
		return err
	}
	if err := r.settleKnown(ctx); err != nil {
		return err
	}
	if err := r.loadCandidates(ctx); err != nil {
		return err
	}
	for _, statement := range []string{
		sql.Expand("duckdb/ingest_copies", map[string][]lake.Column{"Columns": r.columns}),
		sql.Text("duckdb/ingest_account_copies"),
	} {
		if err := r.Session.Exec(ctx, statement); err != nil {
			return fmt.Errorf("settle copies of events: %w", err)
		}
	}
	if err := r.Session.Row(ctx, "SELECT EXISTS (SELECT 1 FROM ingest_settled)").Scan(&r.settled); err != nil {
		return fmt.Errorf("settle copies of events: %w", err)
	}
	if r.settled {
		return r.fetchRaws(ctx)
	}
	return nil
}

// settleKnown finds the events that earlier runs have: the table ingest_known.
func (r *run) settleKnown(ctx context.Context) error {
	days := r.usage.Days()
	known := false
	if len(days) > 0 {
		texts := make([]string, len(days))
		for i, day := range days {
			texts[i] = dayText(day)
		}
		if err := r.Known(ctx, texts); err != nil {
			return err
		}
		if err := r.Session.Row(ctx, "SELECT EXISTS (SELECT 1 FROM known_usage)").Scan(&known); err != nil {
			return fmt.Errorf("look at known usage: %w", err)
		}
	}
	if !known {
		if err := r.Session.Exec(ctx, sql.Text("duckdb/ingest_no_known")); err != nil {
			return fmt.Errorf("settle copies of events: %w", err)
		}
		return nil
	}
	if err := r.loadPeriods(ctx, days); err != nil {
		return err
	}
	statement := sql.Expand("duckdb/ingest_known", map[string][]lake.Column{
		"Recorded": r.Dynamic, "New": r.columns[len(r.Dynamic):],
	})
	if err := r.readUsage(ctx, "ingest_usage_batches", r.usage, statement); err != nil {
		return fmt.Errorf("compare events with known usage: %w", err)
	}
	return nil
}

// loadCandidates makes the table ingest_candidate, of usage that decoders met
// twice: both copies, and some that only look like it.
func (r *run) loadCandidates(ctx context.Context) error {
	picked, err := r.usage.Pick(r.twice.Has)
	if err == nil {
		err = r.readUsage(ctx, "ingest_candidate_batches", picked, sql.Text("duckdb/ingest_candidates"))
	}
	if err = errors.Join(err, picked.Close()); err != nil {
		return fmt.Errorf("gather copies of events: %w", err)
	}
	return nil
}

// readUsage runs a statement that reads decoded usage under a name.
func (r *run) readUsage(ctx context.Context, name string, usage *row.Rows, statement string) error {
	months := decode.Months{Calendar: r.Calendar}
	batches, err := usage.Read(usage.Days(), months.Of)
	if err != nil {
		return err
	}
	err = r.scan(name, batches, func() error { return r.Session.Exec(context.WithoutCancel(ctx), statement) })
	return errors.Join(err, batches.Close())
}

// scan makes batches readable under a name while do runs, which reads them once.
// What do runs must use every column: DuckDB believes of such a stream that it left
// out the others, which none does. It must not be interrupted either: DuckDB's
// threads may then still be at the stream when it is gone.
func (r *run) scan(name string, batches array.RecordReader, do func() error) error {
	release, err := r.Session.Register(name, batches)
	if err != nil {
		return err
	}
	defer release()
	return do()
}

// loadObjects makes the table ingest_object.
func (r *run) loadObjects(ctx context.Context) error {
	b, err := duck.NewBuilder([]duck.Column{
		{Name: "number", Type: "INTEGER"},
		{Name: "source", Type: "VARCHAR"},
		{Name: "object", Type: "VARCHAR"},
		{Name: "kept", Type: "BOOLEAN"},
		{Name: "again", Type: "BOOLEAN"},
	})
	if err != nil {
		return err
	}
	var used []*source.Source
	for i, o := range r.Objects {
		b.Append(i, o.Source.Name, o.Key, r.read[i].kept(), o.Again)
		if r.read[i].kept() && r.read[i].counts.Usage > 0 {
			used = append(used, o.Source)
		}
	}
	if r.dynamic, err = source.Columns(r.Dynamic, distinct(used)...); err != nil {
		return err
	}
	return r.Session.Load(ctx, "ingest_object", b)
}

func dayStart(day int32) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

func dayText(day int32) string { return dayStart(day).Format(time.DateOnly) }

// loadPeriods makes the table ingest_period, of the periods that days touch.
func (r *run) loadPeriods(ctx context.Context, days []int32) error {
	b, err := duck.NewBuilder([]duck.Column{
		{Name: "period", Type: "INTEGER"}, {Name: "starts_at", Type: "TIMESTAMP"}, {Name: "ends_at", Type: "TIMESTAMP"},
	})
	if err != nil {
		return err
	}
	var last period.Period
	for _, day := range days {
		for p := r.Calendar.Of(dayStart(day)); r.Calendar.Start(p).Before(dayStart(day + 1)); p = p.Next() {
			if last.Before(p) {
				b.Append(int(decode.Month(r.Calendar, r.Calendar.Start(p))), r.Calendar.Start(p), r.Calendar.End(p))
				last = p
			}
		}
	}
	return r.Session.Load(ctx, "ingest_period", b)
}

// fetchRaws reads objects again for the raw text of copies that were not known to
// be copies when they were decoded: the table ingest_raw.
func (r *run) fetchRaws(ctx context.Context) error {
	wanted, err := r.unkeptRaws(ctx)
	if err != nil {
		return err
	}
	pool := decode.NewPool()
	defer pool.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := newStream(decode.RawSchema())
	var workers errgroup.Group
	for part := range min(runtime.GOMAXPROCS(0), len(wanted)) {
		workers.Go(func() error {
			rows := decode.NewRawRows(pool, func(b arrow.RecordBatch) bool { return batches.send(ctx, b) })
			defer rows.Close()
			return r.readRaws(ctx, wanted, part, rows)
		})
	}
	finished := make(chan struct{})
	var reading error
	go func() {
		defer close(finished)
		reading = workers.Wait()
		batches.end(reading)
	}()
	err = r.scan("ingest_raw_batches", batches, func() error { return r.Session.Exec(context.WithoutCancel(ctx), sql.Text("duckdb/ingest_raw")) })
	cancel()
	batches.drain()
	<-finished
	if err != nil && reading != nil {
		return reading
	}
	if err != nil {
		return fmt.Errorf("keep the raw text of copies: %w", err)
	}
	return reading
}

type linesOf struct {
	number int
	lines  []int64
}

func (r *run) unkeptRaws(ctx context.Context) ([]linesOf, error) {
	rows, err := r.Session.Rows(ctx, sql.Text("duckdb/ingest_unkept_raw"))
	if err != nil {
		return nil, fmt.Errorf("find copies without raw text: %w", err)
	}
	defer rows.Close()
	var wanted []linesOf
	for rows.Next() {
		var number int
		var line int64
		if err := rows.Scan(&number, &line); err != nil {
			return nil, err
		}
		if len(wanted) == 0 || wanted[len(wanted)-1].number != number {
			wanted = append(wanted, linesOf{number: number})
		}
		last := &wanted[len(wanted)-1]
		last.lines = append(last.lines, line)
	}
	return wanted, rows.Err()
}

// readRaws reads, of the objects wanted, those that are for one of the workers.
func (r *run) readRaws(ctx context.Context, wanted []linesOf, part int, rows *decode.RawRows) error {
	var unpacker decode.Unpacker
	defer unpacker.Close()
	for i := part; i < len(wanted); i += runtime.GOMAXPROCS(0) {
		w := wanted[i]
		o := &r.Objects[w.number]
		body, err := o.Open(ctx)
		if err != nil {
			return fmt.Errorf("read %s again: %w", o.Key, err)
		}
		in := &watched{r: body, read: func(int64) {}}
		err = decode.Raws(o.Source.Format, unpacker.Open(o.Key, in), w.lines, func(line int64, raw []byte) error {
			return rows.Add(int32(w.number), line, raw)
		})
		body.Close()
		if err == nil {
			err = in.err
		}
		if err != nil {
			return fmt.Errorf("read %s again: %w", o.Key, err)
		}
	}
	return rows.Flush()
}
