package jobs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/sql"
)

// draft drafts the run that puts the replay in the place of what is live, and issues
// the notes; nil where the two say the same.
func (r *rerate) draft(ctx context.Context, report *RerateReport) (*draft, error) {
	state := r.mill.Lake.State()
	out := &draft{run: lake.Run{Kind: lake.Rerate, Period: r.options.From, Reason: r.options.Reason, LeftHeld: r.options.LeaveHeld, Read: state.Head}}
	for _, p := range r.periods {
		if err := r.replaceTables(p, out); err != nil {
			return nil, err
		}
	}
	if err := r.replaceCalls(ctx, out); err != nil {
		return nil, err
	}
	if err := r.replaceEvents(ctx, out); err != nil {
		return nil, err
	}
	if err := r.applyVoids(ctx, out); err != nil {
		return nil, err
	}
	notes, err := r.writeNotes(ctx, report)
	if err != nil {
		return nil, err
	}
	out.outputs = append(out.outputs, slices.DeleteFunc(notes, func(o lake.Output) bool { return o.Rows == 0 })...)
	if len(out.outputs)+len(out.replaced) == 0 {
		return nil, nil
	}
	out.run.Totals.Calls, out.run.Totals.Money = report.Calls, map[string]string{}
	for _, note := range report.Notes {
		out.run.Totals.Invoices += note.Count
	}
	for currency, total := range notesIn(report.Notes) {
		out.run.Totals.Money[currency] = total.String()
	}
	out.run.Versions = append(used(r.rated.Versions), r.mill.catalogVersions(r.last())...)
	replaced := map[string]bool{}
	for _, file := range out.replaced {
		replaced[file.Path] = true
	}
	// Usage that came meanwhile is late, as after the re-rating; what a rating, an apply or
	// another re-rating replaced may be what this one read.
	out.survives = func(newer *lake.Run) bool {
		return (newer.Kind == lake.Ingest || newer.Kind == lake.Rate || newer.Kind == lake.Apply) && noneOf(newer, ofAccountEventFiles) &&
			!slices.ContainsFunc(newer.Replaced, func(path string) bool { return replaced[path] })
	}
	return out, nil
}

// notesIn is what notes come to, by currency.
func notesIn(notes []invoice.NoteTotal) map[string]money.Amount {
	sums := map[string]money.Amount{}
	for _, note := range notes {
		sums[note.Currency] = sums[note.Currency].Add(note.Total)
	}
	return sums
}

// rerated are the tables of a period that a re-rating replaces, beside rated.
var rerated = []lake.Table{lake.Burns, lake.Ledger, lake.Balances, lake.Statements, lake.Revenue}

// replaceTables replaces the tables of a period that say something else.
func (r *rerate) replaceTables(p period.Period, out *draft) error {
	state := r.mill.Lake.State()
	for _, table := range rerated {
		live := state.Partition(table, p.String())
		made, ok := r.replayed.made[p.String()][table.Name]
		if !ok {
			return fmt.Errorf("the replay of %s has no %s", p, table.Name)
		}
		if made.Rows > 0 {
			sum, err := lake.HashFile(made.Path)
			if err != nil {
				return err
			}
			if len(live) == 1 && live[0].SHA256 == sum {
				continue
			}
			out.outputs = append(out.outputs, made)
		}
		out.replaced = append(out.replaced, live...)
	}
	return nil
}

// replaceCalls puts the calls of the replay in the place of those of the periods, and
// takes those that go home out of where they were. What is held moves to the open
// period.
func (r *rerate) replaceCalls(ctx context.Context, out *draft) error {
	stands := map[string]bool{}
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_still_held_begin")); err != nil {
		return err
	}
	// What is held now as after the last close stays where that left it.
	left := slices.DeleteFunc(r.mill.Lake.State().Files(lake.Rated), func(f lake.File) bool {
		return f.Partition < r.open.String() || f.Tags[tagLeft] != r.last().String()
	})
	if err := r.view(ctx, "left_files", lake.Rated, left); err != nil {
		return err
	}
	for _, p := range r.periods {
		for _, c := range r.calls[p.String()] {
			if c.live != "" {
				stands[c.live] = true
				continue
			}
			if err := r.settleCalls(ctx, p, c, out); err != nil {
				return err
			}
		}
	}
	for _, file := range r.mill.Lake.State().Files(lake.Rated) {
		switch {
		case file.Partition < r.options.From.String() || stands[file.Path]:
		case file.Partition < r.open.String():
			out.replaced = append(out.replaced, file)
		case file.MinTime.Before(r.end):
			if err := r.leaveBehind(ctx, file, out); err != nil {
				return err
			}
		}
	}
	return out.keepSame(lake.Rated)
}

// keepSame leaves the live files of a table alone whose place a file with the same
// content would take.
func (d *draft) keepSame(table lake.Table) error {
	var outputs []lake.Output
	for _, out := range d.outputs {
		same := -1
		if out.Table.Name == table.Name {
			sum, err := lake.HashFile(out.Path)
			if err != nil {
				return err
			}
			same = slices.IndexFunc(d.replaced, func(f lake.File) bool {
				return f.Table == table.Name && f.Partition == out.Partition && f.SHA256 == sum &&
					f.Tags[rate.TagPrices] == out.Tags[rate.TagPrices] && (out.Tags[tagLeft] == "" || f.Tags[tagLeft] == out.Tags[tagLeft])
			})
		}
		if same < 0 {
			outputs = append(outputs, out)
			continue
		}
		d.replaced = slices.Delete(d.replaced, same, same+1)
	}
	d.outputs = outputs
	return nil
}

// settleCalls writes a file of the replay's calls as the lake's: the priced ones in
// their period, the held ones in the open one.
func (r *rerate) settleCalls(ctx context.Context, p period.Period, c calls, out *draft) error {
	columns := append(lake.Rated.Schema(r.mill.Lake.State().Columns), rate.BeforeColumns...)
	scan := duck.Scan{Columns: columns}
	scan.Add(c.path, 0)
	if err := r.session.View(ctx, "splitting", scan); err != nil {
		return err
	}
	part := func(statement, partition string, tags map[string]string, args ...any) error {
		path := filepath.Join(r.scratch, fmt.Sprintf("settled-%d.parquet", len(out.outputs)))
		rows, err := r.session.CopyParquet(ctx, sql.Text(statement), path, args...)
		if err != nil {
			return fmt.Errorf("calls of %s: %w", p, err)
		}
		if rows > 0 {
			out.outputs = append(out.outputs, lake.Output{
				Table: lake.Rated, Partition: partition, Path: path, Rows: rows, Columns: c.columns,
				MinTime: c.output.MinTime, MaxTime: c.output.MaxTime, Tags: tags,
			})
		}
		return nil
	}
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_still_held")); err != nil {
		return fmt.Errorf("find the calls of %s that are still held: %w", p, err)
	}
	prices := c.output.Tags[rate.TagPrices]
	if err := part("duckdb/rerate_priced", p.String(), map[string]string{rate.TagPrices: prices}); err != nil {
		return err
	}
	if c.output.Tags[rate.TagHeld] == "" {
		return nil
	}
	held := map[string]string{rate.TagPrices: prices, tagLeft: r.last().String()}
	for _, tag := range []string{rate.TagHeld, rate.TagNotOpened} {
		if n := c.output.Tags[tag]; n != "" {
			held[tag] = n
		}
	}
	return part("duckdb/rerate_held", r.open.String(), held, r.end)
}

// leaveBehind replaces a file of the open period with one of the calls that stay there.
func (r *rerate) leaveBehind(ctx context.Context, file lake.File, out *draft) error {
	if err := r.view(ctx, "file_left", lake.Rated, []lake.File{file}); err != nil {
		return err
	}
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_stay"), r.home, r.end, file.Tags[tagLeft] == r.last().String()); err != nil {
		return err
	}
	var rows int64
	if err := r.session.Row(ctx, "SELECT count(*) FROM file_stays").Scan(&rows); err != nil || rows == file.Rows {
		return err
	}
	out.replaced = append(out.replaced, file)
	if rows == 0 {
		return nil
	}
	stays := lake.Output{Table: lake.Rated, Partition: file.Partition, Rows: rows, Columns: file.Columns, Tags: originTags(file)}
	row := r.session.Row(ctx, `SELECT min("time"), max("time"), count(*) FILTER (held IS NOT NULL), count(*) FILTER (held = $1) FROM file_stays`, "account_not_opened")
	var held, notOpened int64
	if err := row.Scan(&stays.MinTime, &stays.MaxTime, &held, &notOpened); err != nil {
		return err
	}
	for tag, n := range map[string]int64{rate.TagHeld: held, rate.TagNotOpened: notOpened} {
		if delete(stays.Tags, tag); n > 0 {
			stays.Tags[tag] = strconv.FormatInt(n, 10)
		}
	}
	stays.Path = filepath.Join(r.scratch, fmt.Sprintf("stays-%d.parquet", len(out.outputs)))
	if _, err := r.session.CopyParquet(ctx, "SELECT * FROM file_stays ORDER BY account, \"time\", source, event_id", stays.Path); err != nil {
		return fmt.Errorf("take calls that go home out of %s: %w", file.Path, err)
	}
	out.outputs = append(out.outputs, stays)
	return nil
}

// replaceEvents puts the account events of the replay in the place of the live ones,
// where any differs.
func (r *rerate) replaceEvents(ctx context.Context, out *draft) error {
	if err := r.replayed.eventsView(ctx, "replayed_events"); err != nil {
		return err
	}
	var differ bool
	if err := r.session.Row(ctx, sql.Text("duckdb/rerate_events_differ")).Scan(&differ); err != nil || !differ {
		return err
	}
	path := filepath.Join(r.scratch, "account_events.parquet")
	rows, err := r.session.CopyParquet(ctx, `SELECT * FROM replayed_events ORDER BY account, "at", event_id`, path)
	if err != nil {
		return err
	}
	out.outputs = append(out.outputs, lake.Output{Table: lake.AccountEvents, Path: path, Rows: rows})
	out.replaced = append(out.replaced, r.mill.Lake.State().Files(lake.AccountEvents)...)
	return nil
}

// applyVoids drafts that the voided calls leave usage for rejected, and wait no more.
func (r *rerate) applyVoids(ctx context.Context, out *draft) error {
	if r.leaving == 0 {
		return nil
	}
	if err := r.session.Exec(ctx, sql.Text("duckdb/rerate_voiding")); err != nil {
		return err
	}
	if err := r.voidRaws(ctx); err != nil {
		return err
	}
	if err := r.session.Exec(ctx, sql.Expand("duckdb/rerate_leaving_raw", pseudonymPattern.String())); err != nil {
		return err
	}
	if err := r.leave(ctx, "voided", r.open, out); err != nil {
		return err
	}
	columns := lake.Voided.Schema(r.mill.Lake.State().Columns)
	for i, file := range r.mill.Lake.State().Files(lake.Voided) {
		if file.Pending() == 0 {
			continue
		}
		if err := r.view(ctx, "voided_file", lake.Voided, []lake.File{file}); err != nil {
			return err
		}
		path := filepath.Join(r.scratch, fmt.Sprintf("voided-%d.parquet", i))
		rows, err := r.session.CopyParquet(ctx, sql.Expand("duckdb/rerate_voided_rows", columns), path)
		if err != nil {
			return fmt.Errorf("settle the voided calls of %s: %w", file.Path, err)
		}
		var pending int64
		if err := r.session.Row(ctx, "SELECT count(*) FROM read_parquet($1) WHERE void_pending", path).Scan(&pending); err != nil {
			return err
		}
		if pending == file.Pending() {
			continue
		}
		settled := lake.Output{Table: lake.Voided, Partition: file.Partition, Path: path, Rows: rows, MinTime: *file.MinTime, MaxTime: *file.MaxTime, Tags: map[string]string{}}
		if pending > 0 {
			settled.Tags[lake.TagPending] = strconv.FormatInt(pending, 10)
		}
		out.outputs = append(out.outputs, settled)
		out.replaced = append(out.replaced, file)
	}
	return nil
}

// writeNotes writes the notes, and checks that each period's invoice and notes are
// what its live ledger will say.
func (r *rerate) writeNotes(ctx context.Context, report *RerateReport) ([]lake.Output, error) {
	m := r.mill
	for name, statement := range map[string]string{"issued": "SELECT number FROM sold_documents", "changed_charges": "SELECT * FROM changed_lines"} {
		if err := r.session.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+name+" AS "+statement); err != nil {
			return nil, err
		}
	}
	outputs, totals, err := invoice.Notes(ctx, invoice.NotesInput{
		Session: r.session, Scratch: r.scratch, Period: r.open, Calendar: m.Calendar, Now: m.Now(), Numbers: m.Config.Invoices, Due: m.Config.Invoices.Due,
	})
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	report.Notes = totals
	return outputs, r.checkNotes(ctx, outputs)
}

// checkNotes is the invariant of SPEC section 8: an invoice and its notes come to what
// the replay charges.
func (r *rerate) checkNotes(ctx context.Context, outputs []lake.Output) error {
	for _, out := range outputs {
		scan := duck.Scan{Columns: out.Table.Columns, Groups: []duck.Group{{Files: []string{out.Path}}}}
		if err := r.session.View(ctx, "new_"+out.Table.Name, scan); err != nil {
			return err
		}
	}
	charged := duck.Scan{Columns: lake.InvoiceLines.Columns, Partition: "period"}
	for _, p := range r.periods {
		if made := r.replayed.made[p.String()][lake.InvoiceLines.Name]; made.Rows > 0 {
			charged.AddTo(p.String(), made.Path, 0)
		}
	}
	if err := r.session.View(ctx, "replayed_charges", charged); err != nil {
		return err
	}
	broken, err := invoice.Offenders(ctx, r.session, sql.Text("checks/notes"), r.options.From.String())
	if err != nil {
		return fmt.Errorf("check the notes: %w", err)
	}
	if broken != "" {
		return fmt.Errorf("invoices and notes would not be what the replay charges, nothing may be committed: %s", broken)
	}
	return nil
}
