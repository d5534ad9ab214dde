package jobs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// An IngestReport says what an ingest did. Run is nil when nothing new had landed.
type IngestReport struct {
	Run    *lake.Run
	Totals lake.Totals
	Unread []lake.Unread // all objects that cannot be taken in now
	Again  *AgainReport  // of `ingest --again`; else nil

	Superseded map[string]int64 // rejects of earlier runs that left, by reason
}

// Ingest takes in the raw objects that no run has read yet (SPEC section 3).
// Objects of dated paths are looked for as far back as their source looks; once a day
// all of them are.
func (m *Mill) Ingest(ctx context.Context) (IngestReport, error) { return m.ingest(ctx, "", false) }

// ingest takes in what no run has read, and again what has been read of a source
// or key; "" is none. With whole it lists every object there is.
func (m *Mill) ingest(ctx context.Context, again string, whole bool) (IngestReport, error) {
	var report IngestReport
	run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		return d.ingestNew(ctx, again, whole, &report)
	})
	report.Run = run
	return report, err
}

// ingestNew drafts what Mill.ingest commits.
func (d *desk) ingestNew(ctx context.Context, again string, whole bool, report *IngestReport) (*draft, error) {
	*report = IngestReport{}
	since := d.mill.listSince(whole || again != "")
	objects, err := d.unreadObjects(ctx, since, again, report)
	if err != nil {
		return nil, err
	}
	made, err := d.ingest(ctx, objects, report)
	if made != nil {
		made.run.FullListing = since.IsZero()
	}
	return made, err
}

// listSince is the instant from which dated paths are listed back; zero, for all
// of them, where whole asks for it or no run of this day has listed them.
func (m *Mill) listSince(whole bool) time.Time {
	if now := m.Now(); !whole && m.Calendar.Day(m.Lake.State().Listed) == m.Calendar.Day(now) {
		return now
	}
	return time.Time{}
}

// unreadObjects lists the raw objects whose key and content no run has read, and
// those that are to be read again, by key; see listRaw for since.
func (d *desk) unreadObjects(ctx context.Context, since time.Time, again string, report *IngestReport) ([]ingest.Object, error) {
	listed, err := d.mill.listRaw(ctx, since)
	if err != nil {
		return nil, err
	}
	if err := d.view(ctx, "objects", lake.Objects, d.mill.Lake.State().Files(lake.Objects)); err != nil {
		return nil, err
	}
	builder, err := duck.NewBuilder([]duck.Column{{Name: "n", Type: "BIGINT"}, {Name: "source", Type: "VARCHAR"}, {Name: "object", Type: "VARCHAR"}, {Name: "identity", Type: "VARCHAR"}, {Name: "wanted", Type: "BOOLEAN"}})
	if err != nil {
		return nil, err
	}
	for i, object := range listed {
		wanted := again != "" && (object.Source.Name == again || object.Key == again)
		builder.Append(int64(i), object.Source.Name, object.Key, object.Identity, wanted)
	}
	if err := d.session.Load(ctx, "listed", builder); err != nil {
		return nil, err
	}
	if again != "" {
		if err := d.knowAgain(ctx, again, listed, report); err != nil {
			return nil, err
		}
	}
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/ingest_unread_objects"))
	if err != nil {
		return nil, fmt.Errorf("compare the listing with what was read: %w", err)
	}
	defer rows.Close()
	var unread []ingest.Object
	for rows.Next() {
		var i int64
		var before, reread bool
		if err := rows.Scan(&i, &before, &reread); err != nil {
			return nil, err
		}
		listed[i].Again, listed[i].Reread = before, reread
		unread = append(unread, listed[i])
	}
	return unread, rows.Err()
}

// ingest reads objects and drafts the run that commits them; nil when there is
// nothing to say.
func (d *desk) ingest(ctx context.Context, objects []ingest.Object, report *IngestReport) (*draft, error) {
	m, state := d.mill, d.mill.Lake.State()
	if len(objects) == 0 && len(state.Unread) == 0 {
		return nil, nil
	}
	if err := d.view(ctx, "known_account_events", lake.AccountEvents, state.Files(lake.AccountEvents)); err != nil {
		return nil, err
	}
	input := ingest.Input{
		Session: d.session, Scratch: d.scratch, Now: m.Now(), Objects: objects,
		Calendar: m.Calendar, Earliest: m.Calendar.Start(m.Config.FirstPeriod),
		Past: m.Config.Accept.Past, NoPast: m.Config.Accept.NoPast, Future: m.Config.Accept.Future,
		OpenStart: m.Calendar.Start(state.PostingPeriod(state.Head+1, m.Config.FirstPeriod)),
		Dynamic:   state.Columns, Known: d.knownUsage, Progress: m.progress("ingest"),
	}
	if err := d.readBefore(ctx, &input); err != nil {
		return nil, err
	}
	read, err := ingest.Run(ctx, input)
	if err != nil {
		return nil, err
	}
	report.Totals = lake.Totals{
		Objects: read.Totals.Objects, Records: read.Totals.Records, Events: read.Totals.Events,
		AccountEvents: read.Totals.AccountEvents, Skipped: read.Totals.Skipped, Rejects: read.Totals.ByReason,
		Superseded: read.Totals.Superseded, Accepted: read.Totals.Accepted,
	}
	report.Superseded = read.Totals.Left
	report.count(objects, read.Objects)
	taken := slices.DeleteFunc(slices.Clone(read.Objects), func(o ingest.ObjectReport) bool { return !o.Kept() || o.Unchanged })
	if len(taken) == 0 && slices.Equal(report.Unread, state.Unread) {
		return nil, nil
	}
	out := &draft{
		run: lake.Run{
			Kind: lake.Ingest, Columns: read.Dynamic[len(state.Columns):], Unread: &report.Unread, Newest: read.Newest, Totals: report.Totals,
		},
		outputs: read.Outputs,
		numbered: func(ctx context.Context, run int64) ([]lake.Output, error) {
			out, err := d.writeObjects(ctx, taken, run)
			return []lake.Output{out}, err
		},
		// Usage is compared with what was there, and account events post by the cut.
		survives: func(newer *lake.Run) bool {
			return newer.Kind == lake.Rate || newer.Kind == lake.Apply || newer.Kind == lake.Close
		},
	}
	if read.Superseded {
		return out, d.dropSuperseded(ctx, out)
	}
	return out, nil
}

// knownUsage makes the usage of some days readable for the search for copies, what
// was taken back too.
func (d *desk) knownUsage(ctx context.Context, days []string) error {
	state := d.mill.Lake.State()
	of := func(table lake.Table) []lake.File {
		return slices.DeleteFunc(state.Files(table), func(f lake.File) bool { return !slices.Contains(days, f.Partition) })
	}
	voided := of(lake.Voided)
	if len(voided) == 0 {
		return d.view(ctx, "known_usage", lake.Usage, of(lake.Usage))
	}
	if err := d.view(ctx, "live_usage", lake.Usage, of(lake.Usage)); err != nil {
		return err
	}
	if err := d.view(ctx, "voided_usage", lake.Voided, voided); err != nil {
		return err
	}
	return d.session.Exec(ctx, sql.Expand("duckdb/ingest_known_usage", map[string]any{"Columns": lake.Usage.Schema(state.Columns)}))
}

// count tells the objects that were not taken in from those that were once, and
// could not be read again.
func (r *IngestReport) count(objects []ingest.Object, read []ingest.ObjectReport) {
	r.Unread = unreadOf(read, func(i int) bool { return !objects[i].Reread })
	if r.Again == nil {
		return
	}
	r.Again.NotRead = unreadOf(read, func(i int) bool { return objects[i].Reread })
	for i, o := range read {
		switch {
		case !objects[i].Reread:
		case o.Unchanged:
			r.Again.Unchanged++
			fallthrough
		case o.Kept():
			r.Again.Objects++
		}
	}
}

func unreadOf(objects []ingest.ObjectReport, of func(i int) bool) []lake.Unread {
	unread := []lake.Unread{}
	for i, o := range objects {
		if !of(i) {
			continue
		}
		reason := ""
		switch {
		case o.Err != nil:
			reason = o.Err.Error()
		case o.TooManyRejects:
			reason = fmt.Sprintf("%d of %d records rejected, more than the source's max_rejected", o.Rejects, o.Records)
		default:
			continue
		}
		unread = append(unread, lake.Unread{Source: o.Source, Object: o.Object, Identity: o.Identity, Reason: reason})
	}
	return unread
}

func (d *desk) writeObjects(ctx context.Context, objects []ingest.ObjectReport, run int64) (lake.Output, error) {
	builder, err := duck.NewBuilder(lake.Objects.Columns)
	if err != nil {
		return lake.Output{}, err
	}
	for _, o := range objects {
		builder.Append(o.Source, o.Object, o.Identity, o.Bytes, o.Records, o.Events, o.Rejects, o.Skipped, run)
	}
	return d.writeTable(ctx, lake.Objects, "", builder, "source, object")
}

// writeTable writes a builder's rows as a file of a table, in an order that must
// be total.
func (d *desk) writeTable(ctx context.Context, table lake.Table, partition string, rows *duck.Builder, order string) (lake.Output, error) {
	if err := d.session.Load(ctx, "writing", rows); err != nil {
		return lake.Output{}, err
	}
	path := filepath.Join(d.scratch, fmt.Sprintf("%s-%s.parquet", table.Name, lake.NewRunID()))
	n, err := d.session.CopyParquet(ctx, "SELECT * FROM writing ORDER BY "+order, path)
	if err != nil {
		return lake.Output{}, fmt.Errorf("write %s: %w", table.Name, err)
	}
	return lake.Output{Table: table, Partition: partition, Path: path, Rows: n}, nil
}

// silence returns the sources that have been silent for longer than they may at
// the instant t, with the time of their newest event.
func (m *Mill) silence(t time.Time) []lake.SourceTime {
	var silent []lake.SourceTime
	newest := m.Lake.State().Newest
	for _, s := range m.Sources {
		if s.Expect == (period.Duration{}) {
			continue
		}
		if last := newest[s.Name]; m.Calendar.Add(last, s.Expect).Before(t) {
			silent = append(silent, lake.SourceTime{Source: s.Name, Time: last})
		}
	}
	return silent
}
