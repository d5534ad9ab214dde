package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// A rebuild makes a lake anew from the raw logs, run by run as an old one was made.
type rebuild struct {
	old    *Mill
	setups map[string]*Setup
	folder string // of the new lake

	stores   *stores // of the new lake; its raw stores are those of the past
	lake     *lake.Lake
	readings []reading // by run
	present  map[config.Location]*presentRaw
	check    *Check
}

// Rebuild makes a lake in a new folder from the raw logs, the configurations that the
// runs of the old one recorded and their nows, by the same commands, and compares
// every row of every live table (SPEC section 9). What was read of the logs is what the
// table objects says; a content that is not there any more is a fault.
func Rebuild(ctx context.Context, setup *Setup, o Options, folder string) (report VerifyReport, err error) {
	if folder, err = filepath.Abs(folder); err != nil {
		return report, err
	}
	if entries, err := os.ReadDir(folder); err == nil && len(entries) > 0 {
		return report, ConfigError{fmt.Errorf("%s is not empty: name a folder that is not there yet", folder)}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return report, err
	}
	old, err := openAsIs(ctx, setup, o)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, old.Release()) }()
	if old.Lake, err = lake.OpenWhole(ctx, old.Lake.Store); err != nil {
		return report, err
	}
	state := old.Lake.State()
	if state.Head == 0 {
		return report, ConfigError{fmt.Errorf("%s has no run to make anew: see that `lake:` names the right place", old.Lake.Store)}
	}
	for _, run := range state.Since(0) {
		if len(run.Forgotten) > 0 {
			return report, ConfigError{fmt.Errorf("run %d has forgotten somebody, whose name the logs may have and nothing here tells: the lake cannot be made anew from them; `creditmill verify` looks at everything else", run.Number)}
		}
	}
	report = VerifyReport{Lake: old.Lake.Store.String(), Runs: state.Head, Head: state.HeadHash}
	b, err := newRebuild(old, folder)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, b.stores.close()) }()
	b.check = &Check{What: "raw objects as they were read", Unit: "reading"}
	if err := b.findRaws(ctx); err != nil {
		return report, err
	}
	report.Checks = append(report.Checks, *b.check)
	if report.Faults() > 0 {
		report.Checks = append(report.Checks, Check{What: "runs made anew", Unit: "run", Skipped: "logs that runs have read are not there any more"})
		return report, nil
	}
	b.check = &Check{What: "runs made anew", Unit: "run"}
	if b.lake, err = lake.Open(ctx, b.stores.opened[b.stores.lake], o.Log); err != nil {
		return report, err
	}
	for _, run := range state.Since(0) {
		if err := b.again(ctx, run); err != nil {
			if ctx.Err() != nil {
				return report, err
			}
			b.check.fault(fmt.Sprintf("run %d (%s)", run.Number, run.Kind), nextRows, "cannot be made anew: %v", err)
			break
		}
		b.check.Count++
		if tell := old.progress("runs"); tell != nil {
			tell(b.check.Count, state.Head)
		}
	}
	report.Checks = append(report.Checks, *b.check)
	if report.Faults() > 0 {
		return report, nil
	}
	b.check = &Check{What: "rows of all tables", Unit: "row"}
	err = b.compareAll(ctx)
	report.Checks = append(report.Checks, *b.check)
	return report, err
}

func newRebuild(old *Mill, folder string) (*rebuild, error) {
	place := config.Location{Path: folder}
	there := *old.Config
	there.Lake = place
	b := &rebuild{old: old, setups: map[string]*Setup{}, folder: folder, stores: newStores(&there), present: map[config.Location]*presentRaw{}}
	store, err := lake.NewFolder(folder)
	b.stores.opened[place] = store
	return b, err
}

// mill is the mill that makes a run anew, as the old one was set up for it.
func (b *rebuild) mill(ctx context.Context, run *lake.Run) (*Mill, error) {
	m, err := b.old.asOf(ctx, run, b.setups)
	if err != nil {
		return nil, err
	}
	c := *m.Config
	c.Lake = b.stores.lake
	if !b.old.Config.Raw.IsZero() {
		c.Raw = b.old.Config.Raw
	}
	m.Config, m.stores, m.Lake = &c, b.stores, b.lake
	return m, nil
}

// findRaws looks up what runs have read, and whether it is there still.
func (b *rebuild) findRaws(ctx context.Context) error {
	if err := b.readReadings(ctx); err != nil {
		return err
	}
	tell := b.old.progress("logs")
	for i := range b.readings {
		r := &b.readings[i]
		run := b.old.Lake.State().Since(0)[r.run-1]
		m, err := b.mill(ctx, run)
		if err != nil {
			return err
		}
		if r.place, err = placeOf(m, r.source); err != nil {
			return err
		}
		if b.present[r.place] == nil {
			store, err := b.old.stores.at(ctx, r.place)
			if err != nil {
				return err
			}
			if b.present[r.place], err = listPresent(ctx, store); err != nil {
				return err
			}
		}
		missing, err := b.present[r.place].holds(ctx, *r)
		if err != nil {
			return err
		}
		b.check.Count++
		if missing != "" {
			b.check.fault(fmt.Sprintf("object %s of source %s", r.object, r.source), "put the object back as it was, then rebuild into another folder",
				"%s; run %d read %d bytes of it, %s", missing, r.run, r.bytes, r.identity)
		}
		if tell != nil {
			tell(int64(i+1), int64(len(b.readings)))
		}
	}
	return nil
}

// readReadings reads the table objects.
func (b *rebuild) readReadings(ctx context.Context) (err error) {
	d, err := b.old.newDesk(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.view(ctx, "objects", lake.Objects, b.old.Lake.State().Files(lake.Objects)); err != nil {
		return err
	}
	rows, err := d.session.Rows(ctx, "SELECT source, object, identity, bytes, run FROM objects ORDER BY run, source, object")
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := map[[3]string]bool{}
	for rows.Next() {
		var r reading
		if err := rows.Scan(&r.source, &r.object, &r.identity, &r.bytes, &r.run); err != nil {
			return err
		}
		content := [3]string{r.source, r.object, r.identity}
		r.again, seen[content] = seen[content], true
		b.readings = append(b.readings, r)
	}
	return rows.Err()
}

// placeOf is where the logs of a source land.
func placeOf(m *Mill, source string) (config.Location, error) {
	for _, s := range m.Sources {
		if s.Name == source {
			return rawPlace(m.Config, s.Raw)
		}
	}
	return config.Location{}, fmt.Errorf("the configuration of the run that read source %s does not have it", source)
}

// showRaws lets the raw stores hold what a run saw: an ingest what it read, any other the
// newest content that was read before.
func (b *rebuild) showRaws(run *lake.Run) {
	past := map[config.Location]*pastRaw{}
	for place, present := range b.present {
		past[place] = &pastRaw{present.Store, map[string]pastObject{}}
		b.stores.opened[place] = past[place]
	}
	readings := b.readingsOf(run)
	if run.Kind != lake.Ingest {
		readings = slices.DeleteFunc(slices.Clone(b.readings), func(r reading) bool { return r.run > run.Number })
	}
	for _, r := range readings {
		past[r.place].objects[r.object] = pastObject{r.bytes, r.identity}
	}
}

// readingsOf are those of one run.
func (b *rebuild) readingsOf(run *lake.Run) []reading {
	from := sort.Search(len(b.readings), func(i int) bool { return b.readings[i].run >= run.Number })
	to := sort.Search(len(b.readings), func(i int) bool { return b.readings[i].run > run.Number })
	return b.readings[from:to]
}

// again makes one run anew and commits it.
func (b *rebuild) again(ctx context.Context, run *lake.Run) (err error) {
	m, err := b.mill(ctx, run)
	if err != nil {
		return err
	}
	if run.Kind == lake.Ingest || run.Kind == lake.Void || run.Kind == lake.Rerate {
		b.showRaws(run)
	}
	if run.Read < m.Lake.State().Head { // runs came between its work and its commit
		if m.Lake, err = lake.OpenThrough(ctx, m.Lake.Store, run.Read); err != nil {
			return err
		}
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	made, err := b.draft(ctx, d, run)
	if err != nil {
		return err
	}
	if made == nil {
		return errors.New("there is nothing to do for it")
	}
	made.run.Read = run.Read
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return err
	}
	committed, err := m.commit(ctx, made)
	if err != nil {
		return err
	}
	if _, err := b.lake.Refresh(ctx); err != nil {
		return err
	}
	if committed.Number != run.Number {
		return fmt.Errorf("it is run %d of the new lake", committed.Number)
	}
	return nil
}

// draft drafts a run as the command did that made it.
func (b *rebuild) draft(ctx context.Context, d *desk, run *lake.Run) (*draft, error) {
	m := d.mill
	switch run.Kind {
	case lake.Ingest:
		return b.ingest(ctx, d, run)
	case lake.Rate:
		return d.rate(ctx, &RateReport{})
	case lake.Apply:
		return d.apply(ctx, &ApplyReport{Period: run.Period, Until: m.until(run.Period)})
	case lake.Copies:
		return d.copies(ctx, run.Period)
	case lake.Void:
		return b.void(ctx, d, run)
	case lake.Cut:
		return d.cut(ctx, CloseOptions{LeaveHeld: run.LeftHeld, AcceptRejects: run.AcceptedRejects}, run.Period)
	case lake.Close:
		burned, err := d.burnDown(ctx, run.Period, time.Time{})
		if err != nil {
			return nil, err
		}
		return d.closing(ctx, run.Period, burned, &CloseReport{})
	case lake.Rerate:
		return d.rerateAgain(ctx, run)
	case lake.GC:
		return d.gcAgain(ctx, run)
	case lake.Compact: // the rows are the same
		return &draft{run: lake.Run{Kind: lake.Compact}}, nil
	default:
		return nil, fmt.Errorf("runs of kind %s cannot be made anew", run.Kind)
	}
}

// ingest drafts an ingest. What could not be taken in then gave no rows, and may have
// been mended since: it is recorded as it was.
func (b *rebuild) ingest(ctx context.Context, d *desk, run *lake.Run) (*draft, error) {
	again, readings := "", b.readingsOf(run)
	for _, r := range readings {
		if r.again {
			again = r.source
		}
	}
	made, err := d.ingestNew(ctx, again, run.FullListing, &IngestReport{})
	if err != nil {
		return nil, err
	}
	if made == nil && len(readings) == 0 {
		made = &draft{run: lake.Run{Kind: lake.Ingest, FullListing: run.FullListing}}
	}
	if made != nil {
		made.run.Unread = run.Unread
	}
	return made, nil
}

// rerateAgain drafts the re-rating that a run was.
func (d *desk) rerateAgain(ctx context.Context, run *lake.Run) (*draft, error) {
	books, err := d.mill.draftBooks(nil)
	if err != nil {
		return nil, err
	}
	r, err := d.newRerate(RerateOptions{From: run.Period, Commit: true, Reason: run.Reason})
	if err != nil {
		return nil, err
	}
	var report RerateReport
	if err := r.replayAll(ctx, books, &report); err != nil {
		return nil, err
	}
	if len(report.Blocks) > 0 {
		return nil, blocked(report.Blocks)
	}
	return r.draft(ctx, &report)
}

// void drafts that the calls are taken back that the run took back.
func (b *rebuild) void(ctx context.Context, d *desk, run *lake.Run) (*draft, error) {
	reason, err := b.voidedBy(ctx, d, run)
	if err != nil {
		return nil, err
	}
	if err := d.usageByRun(ctx, "void_usage", d.mill.Lake.State().Files(lake.Usage)); err != nil {
		return nil, err
	}
	if err := d.session.Exec(ctx, sql.Text("duckdb/rebuild_void")); err != nil {
		return nil, err
	}
	return d.takeBack(ctx, reason, &VoidReport{})
}

// voidedBy makes the table void_list of the calls that a run took back, and returns why.
func (b *rebuild) voidedBy(ctx context.Context, d *desk, run *lake.Run) (reason string, err error) {
	builder, err := duck.NewBuilder([]duck.Column{
		{Name: "source", Type: "VARCHAR"},
		{Name: "account", Type: "VARCHAR"},
		{Name: "event_id", Type: "VARCHAR"},
		{Name: "time", Type: "TIMESTAMP"},
		{Name: "object", Type: "VARCHAR"},
		{Name: "line", Type: "BIGINT"},
	})
	if err != nil {
		return "", err
	}
	old, err := b.old.newDesk(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, old.close()) }()
	if err := old.view(ctx, "voided", lake.Voided, b.old.Lake.State().Files(lake.Voided)); err != nil {
		return "", err
	}
	rows, err := old.session.Rows(ctx, `SELECT source, account, event_id, "time", object, line, void_reason FROM voided WHERE void_run = $1`, run.Number)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var source, account, event, object string
		var at time.Time
		var line int64
		if err := rows.Scan(&source, &account, &event, &at, &object, &line, &reason); err != nil {
			return "", err
		}
		builder.Append(source, account, event, at, object, line)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	return reason, d.session.Load(ctx, "void_list", builder)
}

// compareAll compares the live rows of both lakes, with their partitions.
func (b *rebuild) compareAll(ctx context.Context) (err error) {
	s, err := newScratch(b.stores.base)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	session, err := duck.Open(ctx, duck.Options{Memory: b.old.Config.Memory, Scratch: s.path, Folders: append(b.old.stores.folders(), b.folder)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	made := *b.old
	made.Lake = b.lake
	is, should := &desk{mill: b.old, session: session, scratch: s.path}, &desk{mill: &made, session: session, scratch: s.path}
	tables := lake.Tables()
	for i, table := range tables {
		for view, d := range map[string]*desk{"lake_is": is, "lake_should": should} {
			if err := d.viewBy(ctx, view, table, d.mill.Lake.State().Files(table), partitionColumn(table), partitionOf); err != nil {
				return err
			}
		}
		for _, f := range b.lake.State().Files(table) {
			b.check.Count += f.Rows
		}
		columns := columnNames(table.Schema(b.lake.State().Columns))
		if partition := partitionColumn(table); partition != "" {
			columns = append(columns, partition)
		}
		if !slices.Equal(b.old.Lake.State().Columns, b.lake.State().Columns) {
			b.check.fault("table "+table.Name, nextRows, "the dimensions and quantities are %v, but %v in the new lake", b.old.Lake.State().Columns, b.lake.State().Columns)
			return nil
		}
		different, err := is.compare(ctx, twofold{is: "lake_is", should: "lake_should", columns: columns})
		if err != nil {
			return err
		}
		if different != "" {
			b.check.fault("table "+table.Name, "look at what the rows have in common: a configuration or a clock that was not recorded, or a fault of this program; the new lake is in "+b.folder, "%s", different)
		}
		if tell := b.old.progress("tables"); tell != nil {
			tell(int64(i+1), int64(len(tables)))
		}
	}
	return nil
}
