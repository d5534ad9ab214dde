package parquet

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// A Column takes one column's values of the row group being filled, a value a row.
// Only values that are not NULL are kept; valid says which rows have one.
type Column struct {
	kind  kind
	rows  int
	nulls int
	valid []byte   // a bit a row
	ints  []int64  // of a column of numbers
	codes []uint32 // of a column of texts as long as all came as names
	texts []byte   // once one did not: texts
	ends  []int    // of each in texts
	size  int      // bytes of the texts
	names func(uint32) string
}

// AppendNull appends a row without a value.
func (c *Column) AppendNull() {
	if c.rows&7 == 0 {
		c.valid = append(c.valid, 0)
	}
	c.rows++
	c.nulls++
}

func (c *Column) present() {
	if c.rows&7 == 0 {
		c.valid = append(c.valid, 1)
	} else {
		c.valid[c.rows>>3] |= 1 << (c.rows & 7)
	}
	c.rows++
}

// AppendInt appends a number: of a TIMESTAMP microseconds since 1970, of a DECIMAL
// its count of smallest units, of a BOOLEAN 0 or 1.
func (c *Column) AppendInt(v int64) {
	c.present()
	c.ints = append(c.ints, v)
}

// AppendText appends a text, which may change afterwards.
func (c *Column) AppendText(v []byte) {
	if len(c.codes) > 0 {
		c.spell()
	}
	c.present()
	c.texts = append(c.texts, v...)
	c.ends = append(c.ends, len(c.texts))
	c.size += len(v)
}

// AppendName appends a text by its number among the writer's names.
func (c *Column) AppendName(number uint32) {
	if len(c.ends) > 0 {
		c.AppendText([]byte(c.names(number)))
		return
	}
	c.present()
	c.codes = append(c.codes, number)
}

// spell replaces numbers by texts: a column chunk has one or the other.
func (c *Column) spell() {
	for _, number := range c.codes {
		text := c.names(number)
		c.texts = append(c.texts, text...)
		c.ends = append(c.ends, len(c.texts))
		c.size += len(text)
	}
	c.codes = c.codes[:0]
}

func (c *Column) reset() {
	c.rows, c.nulls, c.size = 0, 0, 0
	c.valid, c.ints, c.codes, c.texts, c.ends = c.valid[:0], c.ints[:0], c.codes[:0], c.texts[:0], c.ends[:0]
}

func (c *Column) text(i int) []byte {
	from := 0
	if i > 0 {
		from = c.ends[i-1]
	}
	return c.texts[from:c.ends[i]]
}

// What decides about dictionaries: numbers within a small range are counted, and a
// dictionary is worth it where its values recur.
const (
	dictionaryRange = 1 << 16
	dictionaryRecur = 4
)

// chunk writes the column's rows as a column chunk.
func (w *Writer) chunk(c *Column) (chunk, error) {
	out := chunk{nulls: c.nulls, rows: c.rows}
	var err error
	switch {
	case c.nulls == c.rows:
		w.page = appendLevels(w.page[:0], c.valid, c.rows, c.nulls)
		err = w.dataPage(c.rows, encodingPlain, &out)
	case c.kind.text && len(c.ends) == 0:
		err = w.namedTexts(c, &out)
	case c.kind.text:
		err = w.plainTexts(c, &out)
	case c.kind.physical == physicalBool:
		err = w.flags(c, &out)
	default:
		err = w.numbers(c, &out)
	}
	return out, err
}

// namedTexts writes texts that came as names: a dictionary of those that occur,
// in the order in which they do.
func (w *Writer) namedTexts(c *Column, out *chunk) error {
	var used []uint32
	for i, number := range c.codes {
		if int(number) >= len(w.slots) {
			w.slots = append(w.slots, make([]uint32, int(number)+1-len(w.slots)+len(w.slots)/2)...)
		}
		slot := w.slots[number]
		if slot == 0 {
			used = append(used, number)
			slot = uint32(len(used))
			w.slots[number] = slot
		}
		c.codes[i] = slot - 1
	}
	var low, high string
	w.page = w.page[:0]
	for i, number := range used {
		w.slots[number] = 0
		text := c.names(number)
		w.page = appendText(w.page, text)
		if i == 0 || text < low {
			low = text
		}
		if i == 0 || text > high {
			high = text
		}
	}
	out.limits([]byte(low), []byte(high))
	if err := w.dictionaryPage(len(used), out); err != nil {
		return err
	}
	return w.codesPage(c, c.codes, len(used), out)
}

// numbers writes integers: by a dictionary where few recur, else by differences.
func (w *Writer) numbers(c *Column, out *chunk) error {
	low, high := slices.Min(c.ints), slices.Max(c.ints)
	out.limits(c.kind.appendInt(nil, low), c.kind.appendInt(nil, high))
	if uint64(high)-uint64(low) < dictionaryRange {
		if used, ok := w.distinct(c.ints, low); ok {
			w.page = w.page[:0]
			for _, v := range used {
				w.page = c.kind.appendInt(w.page, v)
			}
			if err := w.dictionaryPage(len(used), out); err != nil {
				return err
			}
			return w.codesPage(c, w.codes, len(used), out)
		}
	}
	w.page = appendLevels(w.page[:0], c.valid, c.rows, c.nulls)
	w.page = appendDeltas(w.page, c.ints)
	return w.dataPage(c.rows, encodingDeltas, out)
}

// distinct numbers the values in the order in which they occur, into w.codes; not
// ok where they hardly recur.
func (w *Writer) distinct(values []int64, low int64) (used []int64, ok bool) {
	if len(w.slots) < dictionaryRange {
		w.slots = append(w.slots, make([]uint32, dictionaryRange-len(w.slots))...)
	}
	w.codes = w.codes[:0]
	most := max(len(values)/dictionaryRecur, 1)
	for _, v := range values {
		slot := w.slots[v-low]
		if slot == 0 {
			used = append(used, v)
			slot = uint32(len(used))
			w.slots[v-low] = slot
			if len(used) > most {
				break
			}
		}
		w.codes = append(w.codes, slot-1)
	}
	for _, v := range used {
		w.slots[v-low] = 0
	}
	return used, len(used) <= most
}

// codesPage writes places in a dictionary of that size.
func (w *Writer) codesPage(c *Column, codes []uint32, size int, out *chunk) error {
	width := bits.Len(uint(max(size, 1) - 1))
	w.page = appendLevels(w.page[:0], c.valid, c.rows, c.nulls)
	w.page = append(w.page, byte(width))
	w.page = appendHybrid(w.page, codes, width)
	return w.dataPage(c.rows, encodingDictionary, out)
}

// pageText is about how much text a page has.
const pageText = 1 << 20

// plainTexts writes texts as they are, in pages that begin at multiples of eight
// rows.
func (w *Writer) plainTexts(c *Column, out *chunk) error {
	var low, high []byte
	value := 0
	for from := 0; from < c.rows; {
		to, first, size := from, value, 0
		for to < c.rows && size < pageText {
			n := bits.OnesCount8(c.valid[to>>3])
			for range n {
				size += 4 + len(c.text(value))
				value++
			}
			to = min(to+8, c.rows)
		}
		w.page = appendLevels(w.page[:0], c.valid[from>>3:], to-from, to-from-(value-first))
		for i := first; i < value; i++ {
			text := c.text(i)
			w.page = binary.LittleEndian.AppendUint32(w.page, uint32(len(text)))
			w.page = append(w.page, text...)
			if low == nil || string(text) < string(low) {
				low = text
			}
			if high == nil || string(text) > string(high) {
				high = text
			}
		}
		if err := w.dataPage(to-from, encodingPlain, out); err != nil {
			return err
		}
		from = to
	}
	out.limits(low, high)
	return nil
}

// flags writes booleans: a bit each.
func (w *Writer) flags(c *Column, out *chunk) error {
	w.page = appendLevels(w.page[:0], c.valid, c.rows, c.nulls)
	low, high := byte(1), byte(0)
	for i, v := range c.ints {
		if i&7 == 0 {
			w.page = append(w.page, 0)
		}
		w.page[len(w.page)-1] |= byte(v) << (i & 7)
		low, high = min(low, byte(v)), max(high, byte(v))
	}
	out.limits([]byte{low}, []byte{high})
	return w.dataPage(c.rows, encodingPlain, out)
}

// appendInt appends a number as PLAIN has it.
func (k kind) appendInt(to []byte, v int64) []byte {
	if k.physical == physicalInt32 {
		if v < math.MinInt32 || v > math.MaxInt32 {
			panic("a number beyond 32 bits in a column of INTEGER")
		}
		return binary.LittleEndian.AppendUint32(to, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(to, uint64(v))
}
