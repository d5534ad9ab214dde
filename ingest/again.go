package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// loadAgain makes the table ingest_again, of the records of objects that were read
// before, and ingest_standing, of those that are calls already.
func (r *run) loadAgain(ctx context.Context) error {
	if !r.again {
		return nil
	}
	batches, err := r.usage.ReadPlaces(func(object int32) bool { return r.Objects[object].Again })
	if err != nil {
		return err
	}
	err = r.Session.Stream("ingest_again_batches", batches, func() error {
		return r.Session.Exec(ctx, sql.Text("duckdb/ingest_again"))
	})
	if err = errors.Join(err, batches.Close()); err == nil && r.reread {
		err = r.Session.Exec(ctx, sql.Expand("duckdb/ingest_standing", r.flags()))
	}
	if err != nil {
		return fmt.Errorf("look at what stands of objects read before: %w", err)
	}
	return nil
}

// flags say to statements which tables there are.
func (r *run) flags() map[string]any {
	return map[string]any{"Reread": r.reread, "KnownRejects": r.KnownRejects}
}

// knownDays are the UTC days whose known usage the events are compared with: their
// own, but of whole periods where some of them may be copies that only a close has
// found, or come with a time they did not have.
func (r *run) knownDays(ctx context.Context) ([]int32, error) {
	days := r.usage.Days()
	whole := r.reread
	if !whole && r.KnownRejects {
		row := r.Session.Row(ctx, "SELECT EXISTS (SELECT 1 FROM known_rejects WHERE reason = 'conflict' AND byte_offset IS NULL)")
		if err := row.Scan(&whole); err != nil {
			return nil, fmt.Errorf("look at known rejects: %w", err)
		}
	}
	if !whole || len(days) == 0 {
		return days, nil
	}
	var all []int32
	next := int32(math.MinInt32)
	for _, day := range days {
		first, last := r.Calendar.Of(dayStart(day)), r.Calendar.Of(dayStart(day+1).Add(-1))
		for d := max(next, dayOf(r.Calendar, first)); d <= dayOf(r.Calendar, last.Next()); d++ {
			all, next = append(all, d), d+1
		}
	}
	return all, nil
}

// dayOf is the UTC day in which a period starts.
func dayOf(c period.Calendar, p period.Period) int32 {
	return int32(c.Start(p).Unix() / 86400)
}

// supersede takes out of ingest_reject what is not to be written, and makes
// ingest_superseded of the earlier rejects that leave.
func (r *run) supersede(ctx context.Context) error {
	if !r.again {
		return nil
	}
	if err := r.Session.Exec(ctx, sql.Expand("duckdb/ingest_kept", r.flags())); err != nil {
		return err
	}
	err := r.eachCount(ctx, sql.Text("duckdb/ingest_kept_counts"), func(c objectCount) { r.unwritten = append(r.unwritten, c) })
	if err != nil {
		return err
	}
	if err := r.Session.Exec(ctx, sql.Text("duckdb/ingest_drop_kept")); err != nil || !r.KnownRejects {
		return err
	}
	if err := r.Session.Exec(ctx, sql.Text("duckdb/ingest_superseded")); err != nil {
		return err
	}
	if err := r.Session.Exec(ctx, sql.Text("duckdb/ingest_accept")); err != nil {
		return err
	}
	return r.eachCount(ctx, sql.Text("duckdb/ingest_superseded_counts"), func(c objectCount) { r.superseded = append(r.superseded, c) })
}

// An objectCount is how many records of an object one thing is true of.
type objectCount struct {
	number int
	reason string
	what   int // see ingest_superseded_counts.sql
	n      int64
}

// The values of objectCount.what.
const (
	leftOpen = iota
	leftAccepted
	newAccepted
)

func (r *run) eachCount(ctx context.Context, query string, take func(objectCount)) error {
	rows, err := r.Session.Rows(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c objectCount
		if err := rows.Scan(&c.number, &c.reason, &c.what, &c.n); err != nil {
			return err
		}
		take(c)
	}
	return rows.Err()
}

// applyAgain counts what reading again has changed.
func (r *run) applyAgain(report *Report) {
	for _, c := range r.unwritten {
		o := &report.Objects[c.number]
		o.Rejects -= c.n
		o.Skipped += c.n
		if report.Totals.ByReason[c.reason] -= c.n; report.Totals.ByReason[c.reason] == 0 {
			delete(report.Totals.ByReason, c.reason)
		}
	}
	t := &report.Totals
	t.Left, t.Superseded, t.Accepted = map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, c := range r.superseded {
		switch c.what {
		case newAccepted:
			t.Accepted[c.reason] += c.n
			continue
		case leftOpen:
			t.Superseded[c.reason] += c.n
		}
		t.Left[c.reason] += c.n
		report.Objects[c.number].Superseded += c.n
		report.Superseded = true
	}
	for i, o := range r.Objects {
		was := &report.Objects[i]
		was.Unchanged = o.Reread && was.Kept() && was.Events+was.Rejects+was.Superseded == 0
	}
}
