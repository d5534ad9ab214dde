package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// A Selection is what to export: rows of a live table or of a view, or, of the table usage and one
// account, the calls that post to a period with their prices (SPEC section 11).
type Selection struct {
	Table   string        // or view
	Account string        // empty: all
	Period  period.Period // zero: all; an account's usage needs one
}

// OfAccount reports whether s is an account's usage, not rows of a table.
func (s Selection) OfAccount() bool { return s.Table == lake.Usage.Name && s.Account != "" }

// An Export is a selection of rows as of one run, to be written elsewhere. Rows are
// sorted or filtered into a file in scratch and read from there in small batches, so
// that memory does not grow with their number. Close it.
type Export struct {
	Selection
	Run      int64         // the newest that is in it; 0: none
	Closed   bool          // the period is closed for good
	From, To time.Time     // of the period, [From, To); zero without one
	Columns  []lake.Column // what a row has, in their order
	PaidBy   string        // of an account's usage: the column that says who paid, as JSON

	desk     *desk
	rows     statement
	summary  statement
	progress func(done, total int64) // may be nil
}

type statement struct {
	text string
	args []any
}

// Export selects rows of the live tables. A selection of a table, account or period
// that the lake does not have is a [ConfigError].
func (m *Mill) Export(ctx context.Context, s Selection) (_ *Export, err error) {
	i := slices.IndexFunc(lake.Tables(), func(t lake.Table) bool { return t.Name == s.Table })
	if i < 0 && !isView(s.Table) {
		return nil, errNoView(s.Table)
	}
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	e := &Export{Selection: s, Run: m.Lake.State().Head, progress: m.progress("export")}
	if e.desk, err = m.newDesk(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if !s.Period.IsZero() {
		_, e.Closed = m.Lake.State().Closed(s.Period)
		e.From, e.To = m.Calendar.Start(s.Period), m.Calendar.End(s.Period)
	}
	switch {
	case s.OfAccount():
		err = e.selectUsage(ctx)
	case i < 0:
		err = e.selectView(ctx)
	default:
		err = e.selectTable(ctx, lake.Tables()[i])
	}
	return e, err
}

// Close ends the export and removes what it left in scratch.
func (e *Export) Close() error { return e.desk.close() }

// selectTable prepares the rows of a table: partition by partition, there file by file
// in the order of their first times, each as it is sorted.
func (e *Export) selectTable(ctx context.Context, table lake.Table) error {
	state := e.desk.mill.Lake.State()
	e.Columns = table.Schema(state.Columns)
	column := partitionColumn(table)
	if column != "" {
		e.Columns = append(slices.Clone(e.Columns), lake.Column{Name: column, Type: "VARCHAR"})
	}
	files := state.Files(table)
	if !e.Period.IsZero() {
		if column == "" {
			return ConfigError{fmt.Errorf("the table %s is not kept by month: leave out --period", table.Name)}
		}
		if err := e.checkPeriod(table); err != nil {
			return err
		}
		files = slices.DeleteFunc(files, func(f lake.File) bool { return !e.mayHold(table, f) })
	}
	slices.SortStableFunc(files, byPartitionAndTime)
	if err := e.desk.viewBy(ctx, "exported", table, files, column, partitionOf); err != nil {
		return err
	}
	named := func(name string) bool {
		return slices.ContainsFunc(table.Columns, func(c lake.Column) bool { return c.Name == name })
	}
	timed := !e.Period.IsZero() && table.Partition == lake.ByDay && named("time")
	e.rows.text = sql.Expand("duckdb/export_table", map[string]bool{"Account": e.Account != "", "Timed": timed})
	if e.Account != "" {
		if !named("account") {
			return ConfigError{fmt.Errorf("the table %s has no account: leave out --account", table.Name)}
		}
		if err := e.checkAccount(ctx, "exported"); err != nil {
			return err
		}
		e.rows.args = append(e.rows.args, e.Account)
	}
	if timed {
		e.rows.args = append(e.rows.args, e.From, e.To)
	}
	return nil
}

func byPartitionAndTime(a, b lake.File) int {
	if c := cmp.Compare(a.Partition, b.Partition); c != 0 || a.MinTime == nil || b.MinTime == nil {
		return c
	}
	return a.MinTime.Compare(*b.MinTime)
}

// mayHold reports whether a file may have rows of the selected period: the posting
// period where the table is kept by that, else the time of its rows. Rejected
// records need not have one: they count by the UTC day they are kept under.
func (e *Export) mayHold(table lake.Table, f lake.File) bool {
	switch {
	case table.Partition == lake.ByPeriod:
		return f.Partition == e.Period.String()
	case table.Name == lake.Rejected.Name:
		return strings.HasPrefix(f.Partition, e.Period.String()+"-")
	default:
		return f.MinTime == nil || f.MaxTime == nil || f.MinTime.Before(e.To) && !f.MaxTime.Before(e.From)
	}
}

// selectUsage prepares an account's calls of a period in the order they burn, and
// what they add up to: of a closed period that is its statement.
func (e *Export) selectUsage(ctx context.Context) error {
	state := e.desk.mill.Lake.State()
	if err := e.checkPeriod(lake.Rated); err != nil {
		return err
	}
	for name, table := range map[string]lake.Table{"exported": lake.Rated, "exported_burns": lake.Burns, "exported_statements": lake.Statements} {
		if err := e.desk.view(ctx, name, table, state.Partition(table, e.Period.String())); err != nil {
			return err
		}
	}
	if err := e.checkAccount(ctx, "exported"); err != nil {
		return err
	}
	e.PaidBy = freeName("paid_by", state.Columns)
	summary := sql.Text("duckdb/export_usage_so_far")
	if e.Closed {
		summary = sql.Text("duckdb/export_statement")
	}
	e.summary = statement{summary, []any{e.Account}}
	e.rows = statement{
		sql.Expand("duckdb/export_usage", map[string]any{"Columns": state.Columns, "Closed": e.Closed, "PaidBy": e.PaidBy}), []any{e.Account},
	}
	types := map[string]string{e.PaidBy: "VARCHAR"}
	for _, c := range lake.Rated.Schema(state.Columns) {
		types[c.Name] = c.Type
	}
	names := []string{"time", "posted_at", "late", "operation", "project", "key", "event_id", "source"}
	for _, c := range state.Columns {
		names = append(names, c.Name)
	}
	for _, name := range append(names, "price_table", "price_version", "rule", "credits", "held", e.PaidBy) {
		e.Columns = append(e.Columns, lake.Column{Name: name, Type: types[name]})
	}
	return nil
}

// freeName is name, with as many lines under it behind it as tell it from the
// dimensions and quantities.
func freeName(name string, dynamic []lake.Column) string {
	for slices.ContainsFunc(dynamic, func(c lake.Column) bool { return c.Name == name }) {
		name += "_"
	}
	return name
}

// Dimensions are the columns of dimensions, in the order of first use.
func (e *Export) Dimensions() []lake.Column { return e.dynamic(true) }

// Quantities are the columns of quantities, in the order of first use.
func (e *Export) Quantities() []lake.Column { return e.dynamic(false) }

func (e *Export) dynamic(dimensions bool) []lake.Column {
	return slices.DeleteFunc(slices.Clone(e.desk.mill.Lake.State().Columns), func(c lake.Column) bool {
		return (c.Type == lake.DimensionType) != dimensions
	})
}

// checkPeriod refuses a period of which a table can have nothing: its files and the
// periods up to the open one say what there is.
func (e *Export) checkPeriod(table lake.Table) error {
	m := e.desk.mill
	first := m.Config.FirstPeriod
	last, _ := m.Lake.State().Open(first)
	for _, f := range m.Lake.State().Files(table) {
		from, to := months(m.Calendar, f)
		if !from.IsZero() && from.Before(first) {
			first = from
		}
		if last.Before(to) {
			last = to
		}
	}
	switch {
	case e.Period.IsZero():
		return ConfigError{fmt.Errorf("an account's usage is exported by month: name one with --period; the lake has %s", span(first, last))}
	case e.Period.Before(first) || last.Before(e.Period):
		return ConfigError{fmt.Errorf("there is nothing of %s: the lake has %s", e.Period, span(first, last))}
	}
	return nil
}

// months are the first and the last period that rows of a file may be selected by.
func months(calendar period.Calendar, f lake.File) (first, last period.Period) {
	if first, err := period.Parse(f.Partition); err == nil {
		return first, first
	}
	if f.Table == lake.Rejected.Name || f.MinTime == nil || f.MaxTime == nil {
		first, _ = period.Parse(strings.TrimRight(strings.TrimRight(f.Partition, "0123456789"), "-")) // of its day
		return first, first
	}
	return calendar.Of(*f.MinTime), calendar.Of(*f.MaxTime)
}

// checkAccount refuses an account of which there is nothing, neither in the view nor
// elsewhere.
func (e *Export) checkAccount(ctx context.Context, view string) error {
	known, err := e.desk.knows(ctx, e.Account)
	if err == nil && !known {
		known, err = e.desk.has(ctx, view, e.Account)
	}
	if err == nil && !known {
		err = e.desk.errNoAccount(ctx, e.Account)
	}
	return err
}

// batchRows is how many rows an Export hands over at once.
const batchRows = 8192

// Each hands over the rows of the export, batch by batch, and returns how many there
// were. A batch is gone when take returns.
func (e *Export) Each(ctx context.Context, take func(arrow.RecordBatch) error) (rows int64, err error) {
	return e.stream(ctx, e.rows, take, e.progress)
}

// EachSummary hands over what an account's usage adds up to by operation, project and
// key: operation, project, key, calls, credits, late_calls, held_calls, value, currency,
// the last two NULL while the period is not closed.
func (e *Export) EachSummary(ctx context.Context, take func(arrow.RecordBatch) error) error {
	_, err := e.stream(ctx, e.summary, take, nil)
	return err
}

func (e *Export) stream(ctx context.Context, s statement, take func(arrow.RecordBatch) error, progress func(done, total int64)) (rows int64, err error) {
	path := filepath.Join(e.desk.scratch, "export-rows.parquet")
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	err = e.desk.session.Exec(ctx, "COPY ("+s.text+"\n) TO "+duck.Literal(path)+
		fmt.Sprintf(" (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE %d)", batchRows), s.args...)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	in, err := file.OpenParquetFile(path, false)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	reader, err := pqarrow.NewFileReader(in, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	for group := range in.NumRowGroups() {
		n, err := readGroup(ctx, reader, group, take)
		if rows += n; err != nil {
			return rows, err
		}
		if progress != nil {
			progress(rows, in.NumRows())
		}
	}
	return rows, nil
}

func readGroup(ctx context.Context, reader *pqarrow.FileReader, group int, take func(arrow.RecordBatch) error) (rows int64, err error) {
	batches, err := reader.GetRecordReader(ctx, nil, []int{group})
	if err != nil {
		return 0, err
	}
	defer batches.Release()
	for batches.Next() {
		batch := batches.RecordBatch()
		if err := take(batch); err != nil {
			return rows, err
		}
		rows += batch.NumRows()
		if err := ctx.Err(); err != nil {
			return rows, err
		}
	}
	return rows, batches.Err()
}

// Parquet writes the rows of the export to w as one Parquet file, typed as their
// columns, and returns how many there are.
func (e *Export) Parquet(ctx context.Context, w io.Writer) (rows int64, err error) {
	if rows, err = e.desk.session.WriteParquet(ctx, e.rows.text, filepath.Join(e.desk.scratch, "export.parquet"), w, e.rows.args...); err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	return rows, nil
}
