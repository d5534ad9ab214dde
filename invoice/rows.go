package invoice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
)

// rowsPerBatch is how many rows are handed on together: enough that the cost of
// a batch disappears, little enough that a few of them are no memory.
const rowsPerBatch = 1 << 15

// A rowWriter takes the rows of one table, value by value in the order of its
// columns, and keeps them in a scratch file, in Arrow's own format, until
// [rowWriter.finish] has DuckDB write them as Parquet. Its memory is one batch,
// whatever the number of rows.
type rowWriter struct {
	columns []lake.Column
	name    string
	file    *os.File
	out     *ipc.Writer
	builder *array.RecordBuilder
	column  int // of the next value
	rows    int64
	pending int
	first   int64 // of the instants given to stamp, in microseconds
	last    int64
	err     error // the first failure; later rows are dropped
}

func newRowWriter(scratch, name string, columns []lake.Column) (*rowWriter, error) {
	schema, err := duck.ArrowSchema(columns)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(scratch, name+"-*.arrow")
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", name, err)
	}
	return &rowWriter{
		columns: columns, name: name, file: file,
		out:     ipc.NewWriter(file, ipc.WithSchema(schema)),
		builder: array.NewRecordBuilder(memory.DefaultAllocator, schema),
	}, nil
}

func (w *rowWriter) next() array.Builder {
	b := w.builder.Field(w.column)
	w.column++
	return b
}

func (w *rowWriter) null() *rowWriter { w.next().AppendNull(); return w }

// text appends a string; the empty one is NULL, as everywhere in the lake.
func (w *rowWriter) text(s string) *rowWriter {
	if s == "" {
		return w.null()
	}
	as[*array.StringBuilder](w.next()).Append(s)
	return w
}

func (w *rowWriter) count(n int64) *rowWriter {
	as[*array.Int64Builder](w.next()).Append(n)
	return w
}

func (w *rowWriter) ordinal(n int) *rowWriter {
	as[*array.Int32Builder](w.next()).Append(int32(n))
	return w
}

func (w *rowWriter) flag(b bool) *rowWriter {
	as[*array.BooleanBuilder](w.next()).Append(b)
	return w
}

// instant appends t; the zero time is NULL.
func (w *rowWriter) instant(t time.Time) *rowWriter {
	if t.IsZero() {
		return w.null()
	}
	as[*array.TimestampBuilder](w.next()).Append(arrow.Timestamp(t.UnixMicro()))
	return w
}

// stamp appends the instant that a row is of: the file's time range is made from it.
func (w *rowWriter) stamp(t time.Time) *rowWriter {
	at := t.UnixMicro()
	if w.first == 0 || at < w.first {
		w.first = at
	}
	w.last = max(w.last, at)
	return w.instant(t)
}

func (w *rowWriter) decimal(n decimal128.Num) *rowWriter {
	as[*array.Decimal128Builder](w.next()).Append(n)
	return w
}

func (w *rowWriter) credits(a credit.Amount) *rowWriter { return w.decimal(a.Num()) }
func (w *rowWriter) amount(a money.Amount) *rowWriter   { return w.decimal(a.Num()) }
func (w *rowWriter) price(p money.Price) *rowWriter     { return w.decimal(p.Num()) }

// end closes the row.
func (w *rowWriter) end() {
	if w.column != len(w.columns) {
		panic(fmt.Sprintf("a row of %s has %d values for %d columns", w.name, w.column, len(w.columns)))
	}
	w.column = 0
	w.rows++
	if w.pending++; w.pending == rowsPerBatch {
		w.flush()
	}
}

func (w *rowWriter) flush() {
	batch := w.builder.NewRecordBatch()
	defer batch.Release()
	w.pending = 0
	if w.err == nil {
		w.err = w.out.Write(batch)
	}
}

// read makes the rows readable, once, as the view given, while do runs, and
// removes the scratch file.
func (w *rowWriter) read(session *duck.Session, view string, do func() error) (err error) {
	defer func() { err = errors.Join(err, w.discard()) }()
	if w.pending > 0 {
		w.flush()
	}
	if err := errors.Join(w.err, w.out.Close()); err != nil {
		return fmt.Errorf("rows of %s: %w", w.name, err)
	}
	if _, err := w.file.Seek(0, 0); err != nil {
		return fmt.Errorf("rows of %s: %w", w.name, err)
	}
	batches, err := ipc.NewReader(w.file, ipc.WithAllocator(mallocator.NewMallocator()))
	if err != nil {
		return fmt.Errorf("rows of %s: %w", w.name, err)
	}
	defer batches.Release()
	return session.Stream(view, batches, do)
}

// finish writes the rows, in their order, as the table's Parquet file.
func (w *rowWriter) finish(ctx context.Context, session *duck.Session, table lake.Table, outputs, partition string) (lake.Output, error) {
	return w.copy(ctx, session, "SELECT * FROM invoice_rows", table, outputs, partition)
}

// copy writes what query makes of the rows, which it reads as invoice_rows.
func (w *rowWriter) copy(ctx context.Context, session *duck.Session, query string, table lake.Table, outputs, partition string, args ...any) (lake.Output, error) {
	out := lake.Output{Table: table, Partition: partition, Path: filepath.Join(outputs, table.Name+".parquet")}
	if w.first != 0 {
		out.MinTime, out.MaxTime = time.UnixMicro(w.first).UTC(), time.UnixMicro(w.last).UTC()
	}
	err := w.read(session, "invoice_rows", func() (err error) {
		out.Rows, err = session.CopyParquet(ctx, query, out.Path, args...)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("write %s: %w", table.Name, err)
	}
	return out, nil
}

// discard drops the rows and their scratch file.
func (w *rowWriter) discard() error {
	w.builder.Release()
	return errors.Join(w.file.Close(), os.Remove(w.file.Name()))
}
