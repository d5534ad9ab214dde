// Package row packs decoded usage into rows, and makes sorted files of them.
//
// Between decoding and writing, a usage event is one row of bytes in a spool, a part
// a UTC day: a few numbers at fixed places, the event's id, and the rest in as few
// bytes as it takes, each text that recurs as its number among the run's [Names].
// So a row is written with one copy, sorted by a key of 16 bytes, and read with one
// look into memory; and a text that stands in a million rows is copied never.
package row

import (
	"encoding/binary"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/spool"
)

// Where a row has what. Behind the id stand, as unsigned varints, the line, the
// offset, the texts project, key and operation, and the dynamic columns in order.
// A text is 0 for NULL, 1 where it follows with its length, or its number and 2; a
// quantity is 0 for NULL, or its smallest units and 1.
const (
	atSize     = 0  // of the whole row
	atObject   = 4  // by number
	atTime     = 8  // microseconds since 1970
	atHash     = 16 // see decode.Usage
	atAccount  = 24 // as a text
	atIDLength = 28
	atID       = 30
)

const (
	textNull = iota
	textSpelled
	textNumber // and the number
)

// Rows is the usage of one run.
type Rows struct {
	Names   *Names
	folder  string
	columns []lake.Column
	spool   *spool.Spool
}

// New returns no rows of those dimensions and quantities; their files are in folder.
func New(folder string, columns []lake.Column) *Rows {
	return &Rows{Names: NewNames(), folder: folder, columns: columns, spool: spool.New(folder, "usage")}
}

// Days are the UTC days, since 1970, that have rows, in order.
func (r *Rows) Days() []int32 { return r.spool.Parts() }

// Remove gives up a day's rows.
func (r *Rows) Remove(day int32) error { return r.spool.Remove(day) }

// Close gives up all rows.
func (r *Rows) Close() error { return r.spool.Close() }

// Pick returns the rows whose hash is wanted, which may be asked from several
// goroutines at once. They share the names of r.
func (r *Rows) Pick(want func(hash uint64) bool) (*Rows, error) {
	picked := &Rows{Names: r.Names, columns: r.columns, spool: spool.New(r.folder, "picked")}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, day := range r.Days() {
		group.Go(func() (err error) {
			part, err := r.spool.Open(day)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, part.Close()) }()
			w := picked.spool.Writer()
			for rest := part.Rows; len(rest) > 0; {
				var row packed
				if row, rest = next(rest); want(row.hash()) {
					if err := copyTo(w, day, row); err != nil {
						return err
					}
				}
			}
			return w.Flush()
		})
	}
	return picked, group.Wait()
}

func copyTo(w *spool.Writer, part int32, row packed) error {
	room, err := w.Row(part, len(row))
	copy(room, row)
	return err
}

// A Writer packs events. It is for one goroutine.
type Writer struct {
	columns []lake.Column
	out     *spool.Writer
	known   []known // by column, and those of the fixed texts behind
	row     []byte
	err     error
}

// The fixed texts.
const (
	textAccount = iota
	textProject
	textKey
	textOperation
	fixedTexts
)

// Writer returns a new writer. Nothing may be read before it is flushed.
func (r *Rows) Writer() *Writer {
	w := &Writer{columns: r.columns, out: r.spool.Writer(), known: make([]known, len(r.columns)+fixedTexts), row: make([]byte, atID)}
	for i := range w.known {
		w.known[i].names = r.Names
	}
	return w
}

// Flush ends the writing.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}

// Write packs an event and reports whether it could: where not, Flush says why.
func (w *Writer) Write(u *decode.Usage) (ok bool) {
	le := binary.LittleEndian
	fixed := w.known[len(w.columns):]
	row := w.row[:atID]
	le.PutUint32(row[atObject:], uint32(u.Object))
	le.PutUint64(row[atTime:], uint64(u.Time))
	le.PutUint64(row[atHash:], u.Hash)
	le.PutUint16(row[atIDLength:], uint16(len(u.ID))) // at most 256
	row = append(row, u.ID...)
	if number, ok := fixed[textAccount].number(u.Account); ok {
		le.PutUint32(row[atAccount:], number+textNumber)
	} else {
		le.PutUint32(row[atAccount:], textSpelled)
		row = append(binary.AppendUvarint(row, uint64(len(u.Account))), u.Account...)
	}
	row = binary.AppendUvarint(row, uint64(u.Line))
	row = binary.AppendUvarint(row, uint64(u.Offset))
	row = fixed[textProject].appendText(row, u.Project)
	row = fixed[textKey].appendText(row, u.Key)
	row = fixed[textOperation].appendText(row, u.Operation)
	for i, c := range w.columns {
		if c.Type == lake.DimensionType {
			row = w.known[i].appendText(row, u.Texts[i])
		} else {
			row = binary.AppendUvarint(row, uint64(u.Units[i]+1))
		}
	}
	le.PutUint32(row[atSize:], uint32(len(row)))
	w.row = row
	w.err = copyTo(w.out, u.Day(), row)
	return w.err == nil
}

func (k *known) appendText(to, text []byte) []byte {
	if text == nil {
		return append(to, textNull)
	}
	if number, ok := k.number(text); ok {
		return binary.AppendUvarint(to, uint64(number)+textNumber)
	}
	return append(binary.AppendUvarint(append(to, textSpelled), uint64(len(text))), text...)
}

// A packed is one row.
type packed []byte

// next cuts the first row off.
func next(rows []byte) (first packed, rest []byte) {
	size := int(binary.LittleEndian.Uint32(rows))
	return packed(rows[:size]), rows[spool.Padded(size):]
}

func (p packed) object() int32 { return int32(binary.LittleEndian.Uint32(p[atObject:])) }
func (p packed) time() int64   { return int64(binary.LittleEndian.Uint64(p[atTime:])) }
func (p packed) hash() uint64  { return binary.LittleEndian.Uint64(p[atHash:]) }

func (p packed) id() []byte { return p[atID : atID+int(binary.LittleEndian.Uint16(p[atIDLength:]))] }

// account returns the account, and what stands behind it.
func (p packed) account() (text, cursor) {
	rest := cursor(p[atID+len(p.id()):])
	if number := binary.LittleEndian.Uint32(p[atAccount:]); number != textSpelled {
		return text{number: number}, rest
	}
	spelled := rest.bytes()
	return text{textSpelled, spelled}, rest
}

// A text is one of a row.
type text struct {
	number  uint32 // textNull, textSpelled, or textNumber and its number
	spelled []byte
}

// in is the text; nil for NULL.
func (t text) in(names *Names) []byte {
	if t.number >= textNumber {
		return names.bytesOf(t.number - textNumber)
	}
	return t.spelled
}

// A cursor is what is left of a row.
type cursor []byte

func (c *cursor) uvarint() uint64 {
	if b := (*c)[0]; b < 0x80 {
		*c = (*c)[1:]
		return uint64(b)
	}
	v, n := binary.Uvarint(*c)
	*c = (*c)[n:]
	return v
}

func (c *cursor) bytes() []byte {
	n := c.uvarint()
	b := (*c)[:n:n]
	*c = (*c)[n:]
	return b
}

func (c *cursor) text() text {
	t := text{number: uint32(c.uvarint())}
	if t.number == textSpelled {
		t.spelled = c.bytes()
	}
	return t
}

// units are a quantity; -1: NULL.
func (c *cursor) units() int64 { return int64(c.uvarint()) - 1 }
