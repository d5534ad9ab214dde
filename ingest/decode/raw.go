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
	return arrow.NewSchema(schemaFields(otherFields[otherObject], otherFields[otherLine], otherFields[otherRaw]), nil)
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

// Raws reads an object of a source again, its unpacked stream, and calls give with the text, as a
// reject keeps it, of each of lines (ascending). The text is good during the call.
// Parquet may be copied to the folder scratch meanwhile.
func Raws(src *source.Source, scratch string, stream io.Reader, lines []int64, give func(line int64, raw []byte) error) error {
	m := &mapping{src: src, tree: newTree(), layout: &src.Time.Layout} // of nothing: the record as a whole is wanted
	o := object{d: &Decoder{o: Options{Scratch: scratch}}, r: newReading(m)}
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
