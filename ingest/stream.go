package ingest

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
)

// A stream is batches on their way from decoders to DuckDB, as the record reader
// that DuckDB pulls from. Few are on their way at a time.
type stream struct {
	schema  *arrow.Schema
	batches chan arrow.RecordBatch
	current arrow.RecordBatch
	mu      sync.Mutex
	err     error
}

func newStream(schema *arrow.Schema) *stream {
	return &stream{schema: schema, batches: make(chan arrow.RecordBatch, 2)}
}

// between runs work, which sends batches under the context that cancel ends, beside
// read, in which DuckDB takes them, until both are done.
func (s *stream) between(cancel func(), work, read func() error) (working, reading error) {
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		working = work()
		s.end(working)
	}()
	reading = read()
	cancel() // where DuckDB gave up, work is still at it
	s.drain()
	<-finished
	return working, reading
}

// send hands a batch over; not ok where nobody reads any more.
func (s *stream) send(ctx context.Context, b arrow.RecordBatch) (ok bool) {
	select {
	case s.batches <- b:
		return true
	case <-ctx.Done():
		b.Release()
		return false
	}
}

// end says that no batch follows, and with an error that not all came.
func (s *stream) end(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	close(s.batches)
}

// drain frees batches that nobody read.
func (s *stream) drain() {
	for b := range s.batches {
		b.Release()
	}
	s.drop()
}

func (s *stream) drop() {
	if s.current != nil {
		s.current.Release()
		s.current = nil
	}
}

// Schema implements array.RecordReader, as do the methods below.
func (s *stream) Schema() *arrow.Schema { return s.schema }

// Next waits for a batch.
func (s *stream) Next() bool {
	s.drop()
	b, ok := <-s.batches
	if !ok {
		return false
	}
	s.current = b
	return true
}

// RecordBatch is the batch that Next came to.
func (s *stream) RecordBatch() arrow.RecordBatch { return s.current }

// Record is RecordBatch.
func (s *stream) Record() arrow.RecordBatch { return s.current }

// Err is what kept batches from coming.
func (s *stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Retain does nothing: the run owns the stream.
func (s *stream) Retain() {}

// Release does nothing.
func (s *stream) Release() {}
