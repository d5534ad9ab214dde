package invoice

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

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

	builder     *array.RecordBuilder
	account     *array.StringBuilder
	postedAt    *array.TimestampBuilder
	source      *array.StringBuilder
	event       *array.StringBuilder
	bucket      *array.StringBuilder
	kind        *array.StringBuilder
	credits     *array.Decimal128Builder
	rows        int
	first, last int64 // posted_at of the rows so far, in microseconds
}

func newBurnStream() (*burnStream, error) {
	schema, err := arrowSchema(lake.Burns.Columns)
	if err != nil {
		return nil, err
	}
	// DuckDB reads this memory outside of Go, so it is not Go's.
	b := array.NewRecordBuilder(mallocator.NewMallocator(), schema)
	s := &burnStream{
		schema: schema, batches: make(chan arrow.RecordBatch, 2), builder: b,
		account: as[*array.StringBuilder](b.Field(0)), postedAt: as[*array.TimestampBuilder](b.Field(1)),
		source: as[*array.StringBuilder](b.Field(2)), event: as[*array.StringBuilder](b.Field(3)),
		bucket: as[*array.StringBuilder](b.Field(4)), kind: as[*array.StringBuilder](b.Field(5)),
		credits: as[*array.Decimal128Builder](b.Field(6)),
	}
	s.refs.Store(1)
	return s, nil
}

func (s *burnStream) add(ctx context.Context, account string, postedAt int64, source, event string, split *bucket.Split) error {
	if s.rows == 0 {
		s.builder.Reserve(rowsPerBatch)
	}
	s.account.Append(account)
	s.postedAt.UnsafeAppend(arrow.Timestamp(postedAt))
	s.source.Append(source)
	s.event.Append(event)
	if split.Bucket == nil {
		s.bucket.AppendNull()
	} else {
		s.bucket.Append(split.Bucket.ID)
	}
	s.kind.Append(string(split.Kind))
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
	s.rows = 0
	batch := s.builder.NewRecordBatch()
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
	s.builder.Release()
	close(s.batches)
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
