package invoice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
)

// copyToScratch writes the rows of query to a Parquet file in scratch. It is read
// once and at once, so it is not compressed: that costs less than what it saves.
func copyToScratch(ctx context.Context, session *duck.Session, query, path string, args ...any) error {
	return session.Exec(ctx, "COPY ("+query+"\n) TO "+duck.Literal(path)+" (FORMAT parquet, COMPRESSION uncompressed)", args...)
}

// A batchReader reads a scratch file row group by row group, one ahead of the
// reader, so that decoding overlaps with what is done to the rows.
type batchReader struct {
	file    *os.File
	batches chan arrow.RecordBatch
	err     error // set before batches is closed
	cancel  context.CancelFunc
}

func readBatches(ctx context.Context, path string) (*batchReader, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	parquet, err := file.NewParquetReader(opened)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), opened.Close())
	}
	props := pqarrow.ArrowReadProperties{BatchSize: 1 << 20} // more than a row group has
	reader, err := pqarrow.NewFileReader(parquet, props, memory.DefaultAllocator)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), opened.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &batchReader{file: opened, batches: make(chan arrow.RecordBatch, 1), cancel: cancel}
	go func() {
		defer close(r.batches)
		r.err = r.decode(ctx, reader, parquet.NumRowGroups())
	}()
	return r, nil
}

func (r *batchReader) decode(ctx context.Context, reader *pqarrow.FileReader, groups int) error {
	for group := range groups {
		records, err := reader.GetRecordReader(ctx, nil, []int{group})
		if err != nil {
			return err
		}
		for records.Next() {
			batch := records.RecordBatch()
			batch.Retain()
			select {
			case r.batches <- batch:
			case <-ctx.Done():
				batch.Release()
				records.Release()
				return ctx.Err()
			}
		}
		err = records.Err()
		records.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// next returns the next rows, nil at the end.
func (r *batchReader) next() (arrow.RecordBatch, error) {
	if batch, ok := <-r.batches; ok {
		return batch, nil
	}
	if r.err != nil {
		return nil, fmt.Errorf("%s: %w", r.file.Name(), r.err)
	}
	return nil, nil
}

func (r *batchReader) close() error {
	r.cancel()
	for batch := range r.batches {
		batch.Release()
	}
	return r.file.Close()
}

// An accountRows walks a scratch file whose first column is the account and
// whose rows are sorted by it, account by account.
type accountRows struct {
	reader *batchReader
	batch  arrow.RecordBatch
	row    int
	names  *array.String
}

func openAccountRows(ctx context.Context, path string) (*accountRows, error) {
	reader, err := readBatches(ctx, path)
	if err != nil {
		return nil, err
	}
	a := &accountRows{reader: reader}
	if err := a.advance(); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *accountRows) advance() (err error) {
	a.row++
	if a.batch != nil && a.row < int(a.batch.NumRows()) {
		return nil
	}
	if a.batch != nil {
		a.batch.Release()
	}
	a.row = 0
	if a.batch, err = a.reader.next(); err != nil || a.batch == nil {
		return err
	}
	names, ok := a.batch.Column(0).(*array.String)
	if !ok {
		return fmt.Errorf("%s: the first column is no text", a.reader.file.Name())
	}
	a.names = names
	return nil
}

// peek returns the account of the next row; false at the end.
func (a *accountRows) peek() (string, bool) {
	if a == nil || a.batch == nil {
		return "", false
	}
	return a.names.Value(a.row), true
}

// each calls do for every row of the account, which is the next or has none.
func (a *accountRows) each(account string, do func(record) error) error {
	for {
		if next, ok := a.peek(); !ok || next != account {
			return nil
		}
		if err := do(record{a.batch, a.row}); err != nil {
			return err
		}
		if err := a.advance(); err != nil {
			return err
		}
	}
}

func (a *accountRows) close() error {
	if a == nil {
		return nil
	}
	if a.batch != nil {
		a.batch.Release()
	}
	return a.reader.close()
}

// A record is one row of a batch. Its columns have the types that its query
// gives them: another is a programming error and panics.
type record struct {
	batch arrow.RecordBatch
	row   int
}

// text copies the string, so that it may outlive the batch; NULL is empty.
func (r record) text(column int) string {
	values := as[*array.String](r.batch.Column(column))
	if values.IsNull(r.row) {
		return ""
	}
	return string([]byte(values.Value(r.row)))
}

func (r record) instant(column int) time.Time {
	values := as[*array.Timestamp](r.batch.Column(column))
	if values.IsNull(r.row) {
		return time.Time{}
	}
	return time.UnixMicro(int64(values.Value(r.row))).UTC()
}

func (r record) ordinal(column int) int {
	return int(as[*array.Int32](r.batch.Column(column)).Value(r.row))
}

func (r record) decimal(column int) (n credit.Amount, ok bool) {
	values := as[*array.Decimal128](r.batch.Column(column))
	return credit.FromNum(values.Value(r.row)), !values.IsNull(r.row)
}

// as is v, an array or a builder, as what the schema says it is: anything else is
// a programming error and panics.
func as[T any](v any) T {
	typed, ok := v.(T)
	if !ok {
		panic(fmt.Sprintf("a column is %T, not %T", v, typed))
	}
	return typed
}
