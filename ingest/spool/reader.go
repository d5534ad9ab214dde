package spool

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A Reader is the batches of some days, as the record reader that DuckDB pulls
// from. Their memory is good until Close.
type Reader struct {
	spool   *Spool
	schema  *arrow.Schema
	columns []int // of the spool, by column of the reader
	days    []int32
	at      int // of days: whose file was mapped last, and one more
	batches []batch
	mapped  [][]byte
	zeros   []byte
	current arrow.RecordBatch
	err     error
}

// Read returns a reader of those days, with the columns of those names; with none,
// of all columns.
func (s *Spool) Read(days []int32, names ...string) *Reader {
	r := &Reader{spool: s, days: days}
	var fields []arrow.Field
	for i, field := range s.schema.Fields() {
		if len(names) == 0 || slices.Contains(names, field.Name) {
			fields = append(fields, field)
			r.columns = append(r.columns, i)
		}
	}
	r.schema = arrow.NewSchema(fields, nil)
	return r
}

// Close gives up the memory of all batches.
func (r *Reader) Close() error {
	r.drop()
	var err error
	for _, mapped := range append(r.mapped, r.zeros) {
		if mapped != nil {
			err = errors.Join(err, syscall.Munmap(mapped))
		}
	}
	r.mapped, r.zeros = nil, nil
	return err
}

func (r *Reader) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// Schema implements array.RecordReader, as do the methods below.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Next moves on to the next batch.
func (r *Reader) Next() bool {
	r.drop()
	for len(r.batches) == 0 {
		if r.err != nil || r.at == len(r.days) {
			return false
		}
		r.err = r.mapNext()
	}
	r.current, r.err = r.record(&r.batches[0])
	r.batches = r.batches[1:]
	return r.err == nil
}

// mapNext maps the next day's file.
func (r *Reader) mapNext() error {
	d := r.spool.days[r.days[r.at]]
	r.at++
	if d == nil {
		return nil
	}
	if n := len(r.mapped); n > 0 {
		// Whoever still reads the day before finds it in its file.
		_ = syscall.Madvise(r.mapped[n-1], syscall.MADV_DONTNEED)
	}
	file, err := os.Open(d.path)
	if err != nil {
		return fmt.Errorf("read decoded records: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	mapped, err := syscall.Mmap(int(file.Fd()), 0, int(d.size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("read decoded records: map %s: %w", d.path, err)
	}
	r.mapped, r.batches = append(r.mapped, mapped), d.batches
	return nil
}

func (r *Reader) record(b *batch) (arrow.RecordBatch, error) {
	bytes := r.mapped[len(r.mapped)-1][b.offset:]
	arrays := make([]arrow.Array, len(r.columns))
	for i, n := range r.columns {
		c, typ := &b.columns[n], r.schema.Field(i).Type
		buffers := make([]*memory.Buffer, 2, 3)
		if typ.ID() == arrow.STRING {
			buffers = buffers[:3]
		}
		if c.nulls == b.rows {
			if err := r.empty(buffers, b.rows); err != nil {
				return nil, err
			}
		} else {
			for k := range buffers {
				if s := c.buffers[k]; k > 0 || c.nulls > 0 {
					buffers[k] = memory.NewBufferBytes(bytes[s.at : s.at+s.length : s.at+s.length])
				}
			}
		}
		data := array.NewData(typ, b.rows, buffers, nil, c.nulls, 0)
		arrays[i] = array.MakeFromData(data)
		data.Release()
	}
	record := array.NewRecordBatch(r.schema, arrays, int64(b.rows))
	for _, a := range arrays {
		a.Release()
	}
	return record, nil
}

// empty fills the buffers of a column without values: zeros mean no value, and are
// offsets of empty texts.
func (r *Reader) empty(buffers []*memory.Buffer, rows int) (err error) {
	const widest = 16
	if size := widest * (rows + 1); len(r.zeros) < size {
		if r.zeros != nil {
			r.mapped = append([][]byte{r.zeros}, r.mapped...) // good until Close
		}
		if r.zeros, err = syscall.Mmap(-1, 0, size, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE); err != nil {
			return fmt.Errorf("read decoded records: %w", err)
		}
	}
	for i := range buffers {
		buffers[i] = memory.NewBufferBytes(r.zeros)
	}
	return nil
}

// RecordBatch is the batch that Next came to.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch.
func (r *Reader) Record() arrow.RecordBatch { return r.current }

// Err is what kept batches from coming.
func (r *Reader) Err() error { return r.err }

// Retain does nothing: the run owns the reader.
func (r *Reader) Retain() {}

// Release does nothing.
func (r *Reader) Release() {}
