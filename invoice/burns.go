package invoice

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A burnStream carries the rows of burns from the goroutine that burns to the
// DuckDB statement that writes them, a few batches at a time. The burner calls
// add, then close; DuckDB reads it as an array.RecordReader.
type burnStream struct {
	schema  *arrow.Schema
	batches chan arrow.RecordBatch
	err     error // set before batches is closed
	current arrow.RecordBatch
	refs    atomic.Int64

	account, source, bucket, kind *nameColumn
	postedAt                      *array.TimestampBuilder
	event                         *array.StringBuilder
	credits                       *array.Decimal128Builder

	rows        int
	first, last int64 // posted_at of the rows so far, in microseconds
}

func newBurnStream() (*burnStream, error) {
	schema, err := duck.ArrowSchema(lake.Burns.Columns)
	if err != nil {
		return nil, err
	}
	fields := schema.Fields()
	for _, name := range []int{0, 2, 4, 5} { // account, source, bucket_id, kind
		fields[name].Type = nameType
	}
	// DuckDB reads this memory outside of Go, so it is not Go's.
	memory := mallocator.NewMallocator()
	s := &burnStream{
		schema: arrow.NewSchema(fields, nil), batches: make(chan arrow.RecordBatch, 2),
		account: newNameColumn(memory), source: newNameColumn(memory), bucket: newNameColumn(memory), kind: newNameColumn(memory),
		postedAt: array.NewTimestampBuilder(memory, as[*arrow.TimestampType](fields[1].Type)),
		event:    array.NewStringBuilder(memory),
		credits:  array.NewDecimal128Builder(memory, as[*arrow.Decimal128Type](fields[6].Type)),
	}
	s.refs.Store(1)
	return s, nil
}

func (s *burnStream) add(ctx context.Context, account string, postedAt int64, source, event string, split *bucket.Split) error {
	if s.rows == 0 {
		for _, column := range s.columns() {
			column.Reserve(rowsPerBatch)
		}
	}
	s.account.add(account)
	s.postedAt.UnsafeAppend(arrow.Timestamp(postedAt))
	s.source.add(source)
	s.event.Append(event)
	if split.Bucket == nil {
		s.bucket.UnsafeAppendBoolToBitmap(false)
	} else {
		s.bucket.add(split.Bucket.ID)
	}
	s.kind.add(string(split.Kind))
	s.credits.UnsafeAppend(decimal128.FromI64(split.Credits))
	if s.first == 0 || postedAt < s.first {
		s.first = postedAt
	}
	s.last = max(s.last, postedAt)
	if s.rows++; s.rows == rowsPerBatch {
		return s.send(ctx)
	}
	return nil
}

func (s *burnStream) send(ctx context.Context) error {
	batch := s.take()
	select {
	case s.batches <- batch:
		return nil
	case <-ctx.Done():
		batch.Release()
		return ctx.Err()
	}
}

// close ends the stream; with an error the statement that reads it fails.
func (s *burnStream) close(ctx context.Context, err error) {
	if err == nil && s.rows > 0 {
		err = s.send(ctx)
	}
	s.err = err
	for _, column := range s.columns() {
		column.Release()
	}
	close(s.batches)
}

// columns are those of the table burns, in order.
func (s *burnStream) columns() []array.Builder {
	return []array.Builder{s.account, s.postedAt, s.source, s.event, s.bucket, s.kind, s.credits}
}

// take makes a batch of the rows so far and starts anew.
func (s *burnStream) take() arrow.RecordBatch {
	arrays := make([]arrow.Array, 0, len(lake.Burns.Columns))
	for _, column := range s.columns() {
		arrays = append(arrays, column.NewArray())
	}
	batch := array.NewRecordBatch(s.schema, arrays, int64(s.rows))
	for _, a := range arrays {
		a.Release() // the batch has its own hold
	}
	s.rows = 0
	return batch
}

// drain lets go of what nobody read.
func (s *burnStream) drain() {
	for batch := range s.batches {
		batch.Release()
	}
}

// times is the range of posted_at; zero without rows.
func (s *burnStream) times() (first, last time.Time) {
	if s.first == 0 {
		return time.Time{}, time.Time{}
	}
	return time.UnixMicro(s.first).UTC(), time.UnixMicro(s.last).UTC()
}

// Schema, Next, RecordBatch, Record, Err, Retain and Release make it an array.RecordReader.

func (s *burnStream) Schema() *arrow.Schema { return s.schema }

func (s *burnStream) Next() bool {
	if s.current != nil {
		s.current.Release()
		s.current = nil
	}
	batch, ok := <-s.batches
	s.current = batch
	return ok
}

func (s *burnStream) RecordBatch() arrow.RecordBatch { return s.current }
func (s *burnStream) Record() arrow.RecordBatch      { return s.current }
func (s *burnStream) Err() error                     { return s.err }
func (s *burnStream) Retain()                        { s.refs.Add(1) }

func (s *burnStream) Release() {
	if s.refs.Add(-1) == 0 && s.current != nil {
		s.current.Release()
		s.current = nil
	}
}
