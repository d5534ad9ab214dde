package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// VoidOptions say which calls to take back, and why.
type VoidOptions struct {
	EventID string // of a call, or
	Object  string // the key of an object: all calls of it
	Source  string // where several have the id or key; empty: any
	Account string // where several have the id; empty: any
	Period  period.Period
	Reason  string
}

// A VoidReport says what a void did. Run is nil when all was voided before.
type VoidReport struct {
	Run     *lake.Run
	Calls   int64 // taken back, with those that wait for a re-rate
	Pending int64 // those of cut or closed periods, which wait for a re-rate
	Credits string
	NoRaw   int64 // calls whose raw text could not be read any more
	Listed  []VoidedCall
	Before  []VoidedBefore // calls that were voided before
}

// A VoidedCall is a call taken back. Period is the one it posts to; empty: it is not
// rated. Credits are empty then.
type VoidedCall struct {
	Source, Account, EventID, Operation, Object string
	Time                                        time.Time
	Line                                        int64
	Period, Credits                             string
	Pending                                     bool
}

// A VoidedBefore is a call that was taken back by an earlier run.
type VoidedBefore struct {
	Source, Account, EventID, Object, Reason string
	Time                                     time.Time
	Line, Run                                int64
	Pending                                  bool
}

// ErrNoSuchCall is the failure of a void that finds no call.
var ErrNoSuchCall = errors.New("there is no such call")

// maxListed is how many calls a report lists.
const maxListed = 20

// Void takes wrongly logged calls back (SPEC section 3, Once). Calls that post to a
// period that is not cut leave usage and rated for rejected at once; the others are
// noted, for the next re-rate to do the same. Either way their ids stay taken. An id
// that several calls have is a ConfigError that lists them.
func (m *Mill) Void(ctx context.Context, o VoidOptions) (VoidReport, error) {
	if o.Reason = strings.TrimSpace(o.Reason); o.Reason == "" || !utf8.ValidString(o.Reason) {
		return VoidReport{}, ConfigError{errors.New("a void needs a reason: it stays with the call")}
	}
	var report VoidReport
	run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		report = VoidReport{}
		return d.void(ctx, o, &report)
	})
	report.Run = run
	return report, err
}

func (d *desk) void(ctx context.Context, o VoidOptions, report *VoidReport) (*draft, error) {
	if err := d.findVoiding(ctx, o); err != nil {
		return nil, err
	}
	if err := d.unambiguous(ctx, o); err != nil {
		return nil, err
	}
	if err := d.voidedBefore(ctx, report); err != nil {
		return nil, err
	}
	return d.takeBack(ctx, o.Reason, report)
}

// takeBack drafts that the calls in the table void_found are taken back.
func (d *desk) takeBack(ctx context.Context, reason string, report *VoidReport) (*draft, error) {
	state := d.mill.Lake.State()
	uncut := state.PostingPeriod(state.Head+1, d.mill.Config.FirstPeriod)
	if err := d.postVoiding(ctx, uncut); err != nil {
		return nil, fmt.Errorf("find the rated rows of calls to void: %w", err)
	}
	if err := d.session.Row(ctx, sql.Text("duckdb/void_totals")).Scan(&report.Calls, &report.Pending, &report.Credits); err != nil {
		return nil, err
	}
	if report.Calls == 0 {
		return nil, nil
	}
	if err := d.listVoiding(ctx, report); err != nil {
		return nil, err
	}
	out := &draft{
		run: lake.Run{Kind: lake.Void, Reason: reason, Read: state.Head, Totals: lake.Totals{
			Calls: report.Calls, Pending: report.Pending, Credits: map[string]string{"voided": report.Credits},
		}},
		numbered: func(ctx context.Context, run int64) ([]lake.Output, error) { return d.writeVoided(ctx, reason, run) },
	}
	if report.Pending == report.Calls {
		return out, nil
	}
	if err := d.session.Exec(ctx, sql.Text("duckdb/leaving_begin")); err != nil {
		return nil, err
	}
	if err := d.voidRaws(ctx); err != nil {
		return nil, err
	}
	if err := d.session.Exec(ctx, sql.Expand("duckdb/void_leaving", pseudonymPattern.String()), reason); err != nil {
		return nil, err
	}
	if err := d.session.Row(ctx, "SELECT count(*) FROM leaving WHERE raw IS NULL").Scan(&report.NoRaw); err != nil {
		return nil, err
	}
	return out, d.leave(ctx, "voided", uncut, out)
}

// findVoiding makes the tables void_found, of the calls that options name, and
// void_known, of those among them that were voided before.
func (d *desk) findVoiding(ctx context.Context, o VoidOptions) error {
	state := d.mill.Lake.State()
	from, to := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	if !o.Period.IsZero() {
		from, to = d.mill.Calendar.Start(o.Period), d.mill.Calendar.End(o.Period)
	}
	usage := within(state.Files(lake.Usage), from, to)
	if o.Object != "" {
		if err := d.view(ctx, "objects", lake.Objects, state.Files(lake.Objects)); err != nil {
			return err
		}
		runs, err := d.texts(ctx, "SELECT DISTINCT CAST(run AS VARCHAR) FROM objects WHERE object = $1", o.Object)
		if err != nil {
			return err
		}
		if len(runs) == 0 {
			return fmt.Errorf("%w: no object %s was read", ErrNoSuchCall, o.Object)
		}
		usage = slices.DeleteFunc(usage, func(f lake.File) bool {
			return !f.HasOrigin(func(run int64) bool { return slices.Contains(runs, strconv.FormatInt(run, 10)) })
		})
	}
	if err := d.usageByRun(ctx, "void_usage", usage); err != nil {
		return err
	}
	if err := d.view(ctx, "void_before", lake.Voided, within(state.Files(lake.Voided), from, to)); err != nil {
		return err
	}
	name := o.EventID + o.Object // one of them
	for _, statement := range []string{
		sql.Expand("duckdb/void_known", map[string]bool{"Object": o.Object != ""}),
		sql.Expand("duckdb/void_found", map[string]bool{"Object": o.Object != ""}),
	} {
		if err := d.session.Exec(ctx, statement, name, o.Source, o.Account, from, to); err != nil {
			return fmt.Errorf("look for the calls to void: %w", err)
		}
	}
	return nil
}

// unambiguous refuses what is not the calls of one source and, of an id, of one
// account and one month.
func (d *desk) unambiguous(ctx context.Context, o VoidOptions) error {
	rows, err := d.session.Rows(ctx, sql.Expand("duckdb/void_matches", map[string]bool{"Object": o.Object != ""}))
	if err != nil {
		return err
	}
	defer rows.Close()
	type match struct{ source, account, period string }
	var matches []match
	for rows.Next() {
		var found match
		var at time.Time
		if err := rows.Scan(&found.source, &found.account, &at); err != nil {
			return err
		}
		if o.Object == "" {
			found.period = d.mill.Calendar.Of(at).String()
		}
		if !slices.Contains(matches, found) {
			matches = append(matches, found)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	what := fmt.Sprintf("event %q", o.EventID)
	if o.Object != "" {
		what = "object " + o.Object
	}
	switch {
	case len(matches) == 0 && o.Object != "":
		return fmt.Errorf("%w: %s has given no calls", ErrNoSuchCall, what)
	case len(matches) == 0:
		return fmt.Errorf("%w: %s", ErrNoSuchCall, what)
	case len(matches) == 1:
		return nil
	}
	var flags [3]bool
	for _, one := range matches[1:] {
		flags[0] = flags[0] || one.source != matches[0].source
		flags[1] = flags[1] || one.account != matches[0].account
		flags[2] = flags[2] || one.period != matches[0].period
	}
	text := what + " is of several calls; add to the command one of:"
	if o.Object != "" {
		text = what + " is of several sources; add to the command one of:"
	}
	for _, one := range matches {
		text += "\n "
		for i, flag := range []string{" --source " + one.source, " --account " + one.account, " --period " + one.period} {
			if flags[i] {
				text += flag
			}
		}
	}
	return ConfigError{errors.New(text)}
}

func (d *desk) voidedBefore(ctx context.Context, report *VoidReport) error {
	rows, err := d.session.Rows(ctx, `SELECT source, account, event_id, object, void_reason, "time", line, void_run, void_pending FROM void_known ORDER BY ALL LIMIT $1`, maxListed)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b VoidedBefore
		if err := rows.Scan(&b.Source, &b.Account, &b.EventID, &b.Object, &b.Reason, &b.Time, &b.Line, &b.Run, &b.Pending); err != nil {
			return err
		}
		report.Before = append(report.Before, b)
	}
	return rows.Err()
}

// postVoiding makes the table voiding: void_found with the period each call posts to.
func (d *desk) postVoiding(ctx context.Context, uncut period.Period) error {
	var files []lake.File
	var first, last *time.Time // of none where there are no calls
	if err := d.session.Row(ctx, `SELECT min("time"), max("time") FROM void_found`).Scan(&first, &last); err != nil {
		return err
	}
	if first != nil {
		files = within(d.mill.Lake.State().Files(lake.Rated), *first, last.Add(time.Microsecond))
	}
	if err := d.viewBy(ctx, "void_rated", lake.Rated, files, "period", partitionOf); err != nil {
		return err
	}
	return d.session.Exec(ctx, sql.Text("duckdb/void_calls"), uncut.String())
}

func (d *desk) listVoiding(ctx context.Context, report *VoidReport) error {
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/void_listed"), maxListed)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c VoidedCall
		if err := rows.Scan(&c.Source, &c.Account, &c.EventID, &c.Operation, &c.Time, &c.Object, &c.Line, &c.Period, &c.Pending, &c.Credits); err != nil {
			return err
		}
		report.Listed = append(report.Listed, c)
	}
	return rows.Err()
}

// writeVoided writes the table voided, a file a UTC day.
func (d *desk) writeVoided(ctx context.Context, reason string, run int64) ([]lake.Output, error) {
	statement := sql.Expand("duckdb/void_rows", map[string][]lake.Column{"Fixed": lake.Usage.Columns, "Dynamic": d.mill.Lake.State().Columns})
	outputs, err := d.voidDays(ctx)
	if err != nil {
		return nil, err
	}
	for i := range outputs {
		o := &outputs[i]
		o.Path = filepath.Join(d.scratch, fmt.Sprintf("voided-%d-%d.parquet", run, i))
		if o.Rows, err = d.session.CopyParquet(ctx, statement, o.Path, o.Partition, reason, run); err != nil {
			return nil, fmt.Errorf("write voided calls of %s: %w", o.Partition, err)
		}
	}
	return outputs, nil
}

func (d *desk) voidDays(ctx context.Context) ([]lake.Output, error) {
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/void_days"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var outputs []lake.Output
	for rows.Next() {
		o := lake.Output{Table: lake.Voided}
		var pending int64
		if err := rows.Scan(&o.Partition, &pending, &o.MinTime, &o.MaxTime); err != nil {
			return nil, err
		}
		if pending > 0 {
			o.Tags = map[string]string{lake.TagPending: strconv.FormatInt(pending, 10)}
		}
		outputs = append(outputs, o)
	}
	return outputs, rows.Err()
}
