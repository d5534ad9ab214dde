package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/row"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// settle finds out which copies of events do not count: the table ingest_settled.
func (r *run) settle(ctx context.Context) error {
	if err := r.loadObjects(ctx); err != nil {
		return err
	}
	if err := r.loadAgain(ctx); err != nil {
		return err
	}
	if err := r.settleKnown(ctx); err != nil {
		return err
	}
	if err := r.loadCandidates(ctx); err != nil {
		return err
	}
	for _, statement := range []string{
		sql.Expand("duckdb/ingest_copies", map[string]any{"Columns": r.columns, "Reread": r.reread}),
		"DROP TABLE ingest_candidate",
		sql.Expand("duckdb/ingest_account_copies", map[string]any{"KnownRejects": r.KnownRejects}),
	} {
		if err := r.Session.Exec(ctx, statement); err != nil {
			return fmt.Errorf("settle copies of events: %w", err)
		}
	}
	if err := r.Session.Row(ctx, "SELECT EXISTS (SELECT 1 FROM ingest_settled)").Scan(&r.settled); err != nil {
		return fmt.Errorf("settle copies of events: %w", err)
	}
	if r.settled {
		wanted, err := r.unkeptRaws(ctx)
		if err != nil {
			return err
		}
		return KeepRaws(ctx, r.Session, r.Scratch, r.Objects, wanted)
	}
	return nil
}

// settleKnown finds the events that earlier runs have: the table ingest_known.
func (r *run) settleKnown(ctx context.Context) error {
	days, err := r.knownDays(ctx)
	if err != nil {
		return err
	}
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
	statement := sql.Expand("duckdb/ingest_known", map[string]any{
		"Recorded": r.Dynamic, "New": r.columns[len(r.Dynamic):], "Reread": r.reread, "KnownRejects": r.KnownRejects,
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
	err = r.Session.Stream(name, batches, func() error { return r.Session.Exec(ctx, statement) })
	return errors.Join(err, batches.Close())
}

// loadObjects makes the table ingest_object.
func (r *run) loadObjects(ctx context.Context) error {
	b, err := duck.NewBuilder([]duck.Column{
		{Name: "number", Type: "INTEGER"},
		{Name: "source", Type: "VARCHAR"},
		{Name: "object", Type: "VARCHAR"},
		{Name: "kept", Type: "BOOLEAN"},
		{Name: "again", Type: "BOOLEAN"},
		{Name: "reread", Type: "BOOLEAN"},
	})
	if err != nil {
		return err
	}
	var used []*source.Source
	for i, o := range r.Objects {
		b.Append(i, o.Source.Name, o.Key, r.read[i].kept(), o.Again, o.Reread)
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
