package document

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
)

// rowsAtOnce is how many rows of a sorted file are decoded together.
const rowsAtOnce = 1 << 12

// sortedRows walks a Parquet file whose first column numbers the document a row
// belongs to, and which is sorted by it.
type sortedRows struct {
	file    *os.File
	records pqarrow.RecordReader
	batch   arrow.RecordBatch // nil: at the end
	row     int
	docs    []int64 // the first column of the batch
}

func openSortedRows(ctx context.Context, path string) (_ *sortedRows, err error) {
	r := &sortedRows{}
	if r.file, err = os.Open(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", path, err), r.close())
		}
	}()
	parquet, err := file.NewParquetReader(r.file)
	if err != nil {
		return nil, err
	}
	reader, err := pqarrow.NewFileReader(parquet, pqarrow.ArrowReadProperties{BatchSize: rowsAtOnce}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	if r.records, err = reader.GetRecordReader(ctx, nil, nil); err != nil {
		return nil, err
	}
	if err = r.decode(); err != nil {
		return nil, err
	}
	return r, nil
}

// decode makes the next rows the batch; nil at the end.
func (r *sortedRows) decode() error {
	r.row, r.batch, r.docs = 0, nil, nil
	for r.records.Next() {
		if batch := r.records.RecordBatch(); batch.NumRows() > 0 {
			r.batch, r.docs = batch, as[*array.Int64](batch.Column(0)).Int64Values()
			return nil
		}
	}
	return r.records.Err()
}

// each calls do for every row of the document, which is the next one or has none.
func (r *sortedRows) each(doc int64, do func(record) error) error {
	for r.batch != nil && r.docs[r.row] == doc {
		if err := do(record{r.batch, r.row}); err != nil {
			return err
		}
		if r.row++; r.row == len(r.docs) {
			if err := r.decode(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *sortedRows) close() error {
	if r == nil {
		return nil
	}
	if r.records != nil {
		r.records.Release()
	}
	return r.file.Close()
}

// A record is one row. Its columns have the types that its statement gives them:
// another is a programming error and panics.
type record struct {
	batch arrow.RecordBatch
	row   int
}

func (r record) null(column int) bool { return r.batch.Column(column).IsNull(r.row) }

// text copies the string, which outlives the batch; NULL is empty.
func (r record) text(column int) string {
	if r.null(column) {
		return ""
	}
	return string([]byte(as[*array.String](r.batch.Column(column)).Value(r.row)))
}

// instant is the zero time for NULL.
func (r record) instant(column int) time.Time {
	if r.null(column) {
		return time.Time{}
	}
	return time.UnixMicro(int64(as[*array.Timestamp](r.batch.Column(column)).Value(r.row))).UTC()
}

func (r record) flag(column int) bool { return as[*array.Boolean](r.batch.Column(column)).Value(r.row) }

func (r record) count(column int) int64 { return as[*array.Int64](r.batch.Column(column)).Value(r.row) }

func (r record) ordinal(column int) int {
	return int(as[*array.Int32](r.batch.Column(column)).Value(r.row))
}

// decimal is zero for NULL.
func (r record) decimal(column int) decimal128.Num {
	if r.null(column) {
		return decimal128.Num{}
	}
	return as[*array.Decimal128](r.batch.Column(column)).Value(r.row)
}

func (r record) price(column int) (money.Price, error) {
	return money.ParsePrice(fixed.Format(r.decimal(column), money.PriceScale, 0))
}

func (r record) credits(column int) credit.Amount { return credit.FromNum(r.decimal(column)) }
func (r record) amount(column int) money.Amount   { return money.AmountFromNum(r.decimal(column)) }

// as is v as what the schema says it is.
func as[T any](v any) T {
	typed, ok := v.(T)
	if !ok {
		panic(fmt.Sprintf("a column is %T, not %T", v, typed))
	}
	return typed
}
