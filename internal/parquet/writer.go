// Package parquet writes Parquet files of flat tables, for rows that are made in
// Go: usage and burns. What DuckDB computes, DuckDB writes.
//
// It is here because it is fast where that counts: texts that recur come as
// numbers of names and are never hashed or copied again, and numbers are packed by
// their differences. Files are zstd, a page or few a column chunk, with minimum and
// maximum of each chunk; every column may be NULL. The encodings are PLAIN,
// RLE_DICTIONARY and DELTA_BINARY_PACKED of the Parquet format 2, which all readers
// of today know. The same rows make the same bytes.
package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/creditmill/creditmill/internal/duck"
)

// What bounds a row group: DuckDB's own number of rows, and text.
const (
	groupRows = 122880
	groupText = 128 << 20
)

// A Writer writes one file. It is for one goroutine. After an error only Abandon
// may follow.
type Writer struct {
	Columns []Column // to append a value to each, then call EndRow

	list   []duck.Column
	file   *os.File
	out    *bufio.Writer
	offset int64
	rows   int64 // of all row groups
	groups []group
	zstd   *zstd.Encoder

	page, packed, header []byte
	codes                []uint32 // of a column of numbers
	slots                []uint32 // by number of a name, or of a value: its place in the dictionary, from 1; else 0
}

// A group is a row group that was written.
type group struct {
	rows   int
	chunks []chunk
}

// A chunk is a column chunk that was written.
type chunk struct {
	rows, nulls      int
	dictionary, data int64 // offsets of the first page of each kind; dictionary is 0 without one
	plain, packed    int64 // bytes, headers included
	low, high        []byte
	limited          bool // low and high are known
	encodings        []int
}

// limits notes the least and the greatest value; long ones nobody needs.
func (c *chunk) limits(low, high []byte) {
	const long = 256
	if len(low) <= long && len(high) <= long {
		c.low, c.high, c.limited = append([]byte(nil), low...), append([]byte(nil), high...), true
	}
}

// Create begins a file of columns whose types are VARCHAR, BIGINT, INTEGER,
// BOOLEAN, TIMESTAMP (without a zone) or a DECIMAL of at most 18 digits. names
// returns the text of a number that Column.AppendName was given; it may be nil
// where nothing calls that.
func Create(path string, columns []duck.Column, names func(number uint32) string) (*Writer, error) {
	w := &Writer{list: columns, Columns: make([]Column, len(columns)), offset: int64(len(magic))}
	for i, column := range columns {
		kind, err := kindOf(column.Type)
		if err != nil {
			return nil, fmt.Errorf("write %s: column %s: %w", path, column.Name, err)
		}
		w.Columns[i] = Column{kind: kind, names: names}
	}
	var err error
	if w.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithEncoderCRC(false)); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	if w.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644); err != nil {
		return nil, err
	}
	w.out = bufio.NewWriterSize(w.file, 1<<20)
	_, err = w.out.WriteString(magic)
	return w, err
}

const magic = "PAR1"

// EndRow ends a row, for which every column was given a value or NULL.
func (w *Writer) EndRow() error {
	first := &w.Columns[0]
	if first.rows < groupRows {
		if first.rows&0xFF != 0 {
			return nil
		}
		size := 0
		for i := range w.Columns {
			size += w.Columns[i].size
		}
		if size < groupText {
			return nil
		}
	}
	return w.flush()
}

// Pending is how many rows wait for their row group to be full: 0 right after one was
// written, which is when the numbers of names may begin anew.
func (w *Writer) Pending() int { return w.Columns[0].rows }

// flush writes the rows so far as a row group.
func (w *Writer) flush() error {
	g := group{rows: w.Columns[0].rows}
	if g.rows == 0 {
		return nil
	}
	for i := range w.Columns {
		c := &w.Columns[i]
		if c.rows != g.rows {
			panic(fmt.Sprintf("column %s has %d rows, column %s has %d", w.list[i].Name, c.rows, w.list[0].Name, g.rows))
		}
		chunk, err := w.chunk(c)
		if err != nil {
			return fmt.Errorf("write %s: %w", w.file.Name(), err)
		}
		g.chunks = append(g.chunks, chunk)
		c.reset()
	}
	w.groups = append(w.groups, g)
	w.rows += int64(g.rows)
	return nil
}

// Close writes what is left and ends the file. It returns how many rows it has.
func (w *Writer) Close() (rows int64, err error) {
	err = w.flush()
	if err == nil {
		footer := w.footer()
		footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
		_, err = w.out.Write(append(footer, magic...))
	}
	if err == nil {
		err = w.out.Flush()
	}
	if err = errors.Join(err, w.zstd.Close(), w.file.Close()); err != nil {
		return 0, fmt.Errorf("write %s: %w", w.file.Name(), err)
	}
	return w.rows, nil
}

// Abandon gives the file up.
func (w *Writer) Abandon() error {
	return errors.Join(w.zstd.Close(), w.file.Close(), os.Remove(w.file.Name()))
}

// Numbers of the Parquet format.
const (
	pageData           = 0
	pageDictionary     = 2
	encodingPlain      = 0
	encodingLevels     = 3 // RLE
	encodingDeltas     = 5
	encodingDictionary = 8
	codecZstd          = 6

	physicalBool  = 0
	physicalInt32 = 1
	physicalInt64 = 2
	physicalBytes = 6
)

// dictionaryPage writes w.page as a dictionary of that many values.
func (w *Writer) dictionaryPage(values int, out *chunk) error {
	out.dictionary = w.offset
	out.encodings = append(out.encodings, encodingPlain)
	t := w.pageHeader(pageDictionary)
	t.begin(7)
	t.i32(1, values)
	t.i32(2, encodingPlain)
	return w.writePage(t, out)
}

// dataPage writes w.page as a page of that many rows.
func (w *Writer) dataPage(rows int, encoding int, out *chunk) error {
	if out.data == 0 {
		out.data = w.offset
		out.encodings = append(out.encodings, encodingLevels, encoding)
	}
	t := w.pageHeader(pageData)
	t.begin(5)
	t.i32(1, rows)
	t.i32(2, encoding)
	t.i32(3, encodingLevels)
	t.i32(4, encodingLevels)
	return w.writePage(t, out)
}

func (w *Writer) pageHeader(typ int) *thrift {
	w.packed = w.zstd.EncodeAll(w.page, w.packed[:0])
	t := &thrift{to: w.header[:0]}
	t.i32(1, typ)
	t.i32(2, len(w.page))
	t.i32(3, len(w.packed))
	return t
}

func (w *Writer) writePage(t *thrift, out *chunk) error {
	t.end()
	t.end()
	w.header = t.to
	if _, err := w.out.Write(w.header); err != nil {
		return err
	}
	if _, err := w.out.Write(w.packed); err != nil {
		return err
	}
	out.plain += int64(len(w.header) + len(w.page))
	out.packed += int64(len(w.header) + len(w.packed))
	w.offset += int64(len(w.header) + len(w.packed))
	return nil
}

// A kind is how a column's type is stored.
type kind struct {
	physical         int
	text             bool
	timestamp        bool
	precision, scale int // of a DECIMAL; else 0
}

func kindOf(sql string) (kind, error) {
	switch sql {
	case "VARCHAR":
		return kind{physical: physicalBytes, text: true}, nil
	case "BIGINT":
		return kind{physical: physicalInt64}, nil
	case "INTEGER":
		return kind{physical: physicalInt32}, nil
	case "BOOLEAN":
		return kind{physical: physicalBool}, nil
	case "TIMESTAMP":
		return kind{physical: physicalInt64, timestamp: true}, nil
	}
	if precision, scale, ok := duck.DecimalType(sql); ok && precision <= 18 {
		return kind{physical: physicalInt64, precision: precision, scale: scale}, nil
	}
	return kind{}, fmt.Errorf("no way to write %s", sql)
}
