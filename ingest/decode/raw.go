package decode

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/creditmill/creditmill/ingest/source"
)

// RawRows are record batches of (#object, #line, #raw).
type RawRows struct {
	emit func(arrow.RecordBatch) (ok bool)
	out  *batch
}

// NewRawRows returns an empty set of rows in the pool's memory. What emit is given
// it takes over; not ok: stop.
func NewRawRows(pool *Pool, emit func(arrow.RecordBatch) (ok bool)) *RawRows {
	return &RawRows{emit, newBatch(pool, RawSchema())}
}

// RawSchema is that of the batches.
func RawSchema() *arrow.Schema {
	return arrow.NewSchema(schemaFields(fieldObject, fieldLine, fieldRaw), nil)
}

// Add appends a row.
func (r *RawRows) Add(object int32, line int64, raw []byte) error {
	r.out.cols[0].int32(r.out.rows, object)
	r.out.cols[1].int64(r.out.rows, line)
	r.out.cols[2].text(r.out.rows, raw)
	r.out.rows++
	r.out.raw += len(raw)
	if r.out.full() {
		return r.Flush()
	}
	return nil
}

// Flush emits the rows added since the last batch.
func (r *RawRows) Flush() error {
	if r.out.rows > 0 && !r.emit(r.out.take()) {
		return ErrStopped
	}
	return nil
}

// Close frees what was not emitted.
func (r *RawRows) Close() { r.out.free() }

// Raws reads an object's unpacked stream again and calls give with the text, as a
// reject keeps it, of each of lines (ascending). The text is good during the call.
// Parquet may be copied to the folder scratch meanwhile.
func Raws(format source.Format, scratch string, stream io.Reader, lines []int64, give func(line int64, raw []byte) error) error {
	src := &source.Source{Format: format}
	o := object{d: &Decoder{o: Options{Scratch: scratch}}, r: &reading{mapping: &mapping{src: src, tree: newTree()}}}
	switch format {
	case source.CSV:
		o.r.csv = newCSVReader(o.r.mapping)
	case source.Parquet:
		o.r.parquet = newParquetReader(o.r.mapping)
	}
	defer o.r.close()
	if err := o.open(stream); err != nil {
		return err
	}
	f := &o.frame
	for len(lines) > 0 {
		err := o.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if f.line < lines[0] {
			continue
		}
		if f.line == lines[0] {
			if err := give(f.line, o.raw()); err != nil {
				return err
			}
		}
		lines = lines[1:]
	}
	return nil
}
