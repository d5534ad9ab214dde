package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// An AgainReport is what `ingest --again` says besides what any ingest does.
type AgainReport struct {
	Of        string // the source, or the object's key
	Objects   int64  // that were read again as they were
	Unchanged int64  // of those, the ones that said what they had said: they are not in the run
	Gone      []string
	// NotRead are objects that could not be read again; what they gave before stands.
	NotRead []lake.Unread
}

// IngestAgain is Ingest, and reads again what runs have read of a source, or the
// object of a key: what was rejected may be an event by a mended mapping (SPEC
// section 3, Rejects). That there is no such source or object is a ConfigError.
func (m *Mill) IngestAgain(ctx context.Context, name string) (IngestReport, error) {
	return m.ingest(ctx, name, false)
}

// knowAgain looks up what was asked for again among what is listed and what was read.
func (d *desk) knowAgain(ctx context.Context, name string, listed []ingest.Object, report *IngestReport) error {
	report.Again = &AgainReport{Of: name}
	isSource := slices.Contains(d.mill.sourceNames(), name)
	gone, err := d.texts(ctx, sql.Text("duckdb/ingest_gone_objects"), name)
	if err != nil {
		return fmt.Errorf("compare the listing with what was read: %w", err)
	}
	report.Again.Gone = gone
	switch {
	case isSource, slices.ContainsFunc(listed, func(o ingest.Object) bool { return o.Key == name }):
		return nil
	case slices.Contains(gone, name):
		return fmt.Errorf("object %s was read, but is not there any more, or matches no source: put it back, or mend the source's path", name)
	}
	return ConfigError{fmt.Errorf("there is no source and no object %q: the sources are %s; the objects are %s",
		name, strings.Join(d.mill.sourceNames(), ", "), someKeys(listed))}
}

func (m *Mill) sourceNames() []string {
	var names []string
	for _, s := range m.Sources {
		names = append(names, s.Name)
	}
	return names
}

// someKeys names a few objects.
func someKeys(objects []ingest.Object) string {
	const most = 5
	var keys []string
	for _, o := range objects[:min(most, len(objects))] {
		keys = append(keys, o.Key)
	}
	text := strings.Join(keys, ", ")
	switch {
	case len(objects) > most:
		text += fmt.Sprintf(" and %d more", len(objects)-most)
	case text == "":
		text = "none yet"
	}
	return text
}

// readBefore makes what ingest compares objects with that were read before: their
// live rejects and, of those that are read again as they were, their calls.
func (d *desk) readBefore(ctx context.Context, in *ingest.Input) error {
	runs, rereads, err := d.readingRuns(ctx, in.Objects)
	if err != nil || len(runs) == 0 {
		return err
	}
	if in.KnownRejects, err = d.knownRejects(ctx, runs); err != nil {
		return fmt.Errorf("look at rejects of objects read before: %w", err)
	}
	if in.KnownPlaces = len(rereads) > 0; !in.KnownPlaces {
		return nil
	}
	state := d.mill.Lake.State()
	usage := slices.DeleteFunc(state.Files(lake.Usage), func(f lake.File) bool {
		return !f.HasOrigin(func(run int64) bool { return rereads[run] })
	})
	err = errors.Join(d.view(ctx, "places_usage", lake.Usage, usage), d.view(ctx, "places_voided", lake.Voided, state.Files(lake.Voided)))
	if err == nil {
		err = d.session.Exec(ctx, sql.Text("duckdb/ingest_known_places"))
	}
	if err != nil {
		return fmt.Errorf("look at calls of objects read before: %w", err)
	}
	return nil
}

// readingRuns are the runs that have read those of the objects that were read
// before, and which of them those that are read again as they were. It makes the
// table reading.
func (d *desk) readingRuns(ctx context.Context, objects []ingest.Object) (runs, rereads map[int64]bool, err error) {
	runs, rereads = map[int64]bool{}, map[int64]bool{}
	if !slices.ContainsFunc(objects, func(o ingest.Object) bool { return o.Again }) {
		return nil, nil, nil
	}
	builder, err := duck.NewBuilder([]duck.Column{{Name: "source", Type: "VARCHAR"}, {Name: "object", Type: "VARCHAR"}, {Name: "reread", Type: "BOOLEAN"}})
	if err != nil {
		return nil, nil, err
	}
	for _, o := range objects {
		if o.Again {
			builder.Append(o.Source.Name, o.Key, o.Reread)
		}
	}
	if err := d.session.Load(ctx, "reading", builder); err != nil {
		return nil, nil, err
	}
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/ingest_reading_runs"))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var run int64
		var reread bool
		if err := rows.Scan(&run, &reread); err != nil {
			return nil, nil, err
		}
		runs[run] = true
		if reread {
			rereads[run] = true
		}
	}
	return runs, rereads, rows.Err()
}

// knownRejects makes the table known_rejects and reports whether it has rows, and
// the table reject_file of the files they are in, by number.
func (d *desk) knownRejects(ctx context.Context, runs map[int64]bool) (bool, error) {
	builder, err := duck.NewBuilder([]duck.Column{{Name: "file", Type: "VARCHAR"}, {Name: "read_by", Type: "BIGINT"}, {Name: "accepted", Type: "BOOLEAN"}})
	if err != nil {
		return false, err
	}
	var wanted []lake.File
	names := map[string]string{} // in statements, by path
	for i, file := range d.rejectFiles() {
		if file.Compacted() || runs[file.ReadBy()] {
			wanted = append(wanted, file)
			names[file.Path] = rejectFile(i)
			builder.Append(rejectFile(i), file.ReadBy(), file.Accepted(d.mill.Lake.State().Accepted))
		}
	}
	if err := d.session.Load(ctx, "reject_file", builder); err != nil {
		return false, err
	}
	if err := d.viewHidden(ctx, "rejected_by_file", lake.Rejected, wanted, "file", func(f lake.File) string { return names[f.Path] }); err != nil {
		return false, err
	}
	if err := d.session.Exec(ctx, sql.Text("duckdb/ingest_known_rejects")); err != nil {
		return false, err
	}
	var found bool
	err = d.session.Row(ctx, "SELECT EXISTS (SELECT 1 FROM known_rejects)").Scan(&found)
	return found, err
}

// rejectFiles are the live files of rejected, the earliest first.
func (d *desk) rejectFiles() []lake.File {
	files := d.mill.Lake.State().Files(lake.Rejected)
	slices.SortStableFunc(files, func(a, b lake.File) int { return int(a.Origin() - b.Origin()) })
	return files
}

// rejectFile names the i-th of rejectFiles in statements, in the same order.
func rejectFile(i int) string { return fmt.Sprintf("%09d", i) }

// dropSuperseded drafts that superseded rejects leave the table rejected, and counts
// them as skipped in the readings that made them.
func (d *desk) dropSuperseded(ctx context.Context, out *draft) error {
	changed, err := d.texts(ctx, "SELECT DISTINCT file FROM ingest_superseded ORDER BY file")
	if err != nil {
		return err
	}
	files := d.rejectFiles()
	for _, name := range changed {
		i, err := strconv.Atoi(name)
		if err != nil {
			return err
		}
		file := files[i]
		if err := d.viewWhole(ctx, "rejects_left", lake.Rejected, file); err != nil {
			return err
		}
		path := filepath.Join(d.scratch, fmt.Sprintf("rejects-%s.parquet", name))
		rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/ingest_rejects_stay"), path, name)
		if err != nil {
			return fmt.Errorf("take superseded rejects out of %s: %w", file.Path, err)
		}
		out.outputs = append(out.outputs, lake.Output{Table: lake.Rejected, Partition: file.Partition, Path: path, Rows: rows, Tags: originTags(file)})
		out.replaced = append(out.replaced, file)
	}
	return d.recount(ctx, sql.Text("duckdb/ingest_superseded_recount"), out)
}
