package decode

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A column is one column of the batch being filled. It writes Arrow's own layout
// straight into memory of the pool, which is a good deal faster than the general
// builders. Rows that nothing was appended for are NULL, which costs nothing until
// the next value.
type column struct {
	pool  *Pool
	typ   arrow.DataType
	rows  int // room for
	n     int
	nulls int
	valid []byte // a bit a row, all set at first
	wide  []int64
	slim  []int32 // 32-bit values, or offsets of text
	data  []byte  // text
	fixed []byte  // the memory of wide or slim
	hint  int     // how much text the last batch held
}

func newColumn(pool *Pool, typ arrow.DataType, rows int) *column {
	c := &column{pool: pool, typ: typ, rows: rows, hint: 16 * rows}
	c.begin()
	return c
}

// begin takes memory for the next batch.
func (c *column) begin() {
	c.n, c.nulls = 0, 0
	c.valid = c.pool.Allocate((c.rows + 7) / 8)
	for i := range c.valid {
		c.valid[i] = 0xFF
	}
	switch c.typ.ID() {
	case arrow.INT64, arrow.TIMESTAMP:
		c.fixed = c.pool.Allocate(8 * c.rows)
		c.wide = unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(c.fixed))), c.rows)
	case arrow.INT32:
		c.fixed = c.pool.Allocate(4 * c.rows)
		c.slim = unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(c.fixed))), c.rows)
	case arrow.STRING:
		c.fixed = c.pool.Allocate(4 * (c.rows + 1))
		c.slim = unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(c.fixed))), c.rows+1)
		c.slim[0] = 0
		c.data = c.pool.Allocate(c.hint)[:0]
	default:
		panic("no column of type " + c.typ.String())
	}
}

// free gives up what begin took.
func (c *column) free() {
	c.pool.Free(c.valid)
	c.pool.Free(c.fixed)
	c.pool.Free(c.data)
	c.valid, c.fixed, c.data, c.wide, c.slim = nil, nil, nil, nil, nil
}

func (c *column) text(row int, b []byte) {
	if c.n < row {
		c.nullsTo(row)
	}
	if cap(c.data)-len(c.data) < len(b) {
		used := len(c.data)
		c.data = c.pool.Reallocate(2*(used+len(b)), c.data)[:used]
	}
	c.data = append(c.data, b...)
	c.n++
	c.slim[c.n] = int32(len(c.data))
}

func (c *column) int64(row int, v int64) {
	if c.n < row {
		c.nullsTo(row)
	}
	c.wide[c.n] = v
	c.n++
}

func (c *column) int32(row int, v int32) {
	if c.n < row {
		c.nullsTo(row)
	}
	c.slim[c.n] = v
	c.n++
}

// nullsTo makes the rows before row that have no value NULL.
func (c *column) nullsTo(row int) {
	n := c.n
	c.n = row
	c.nulls += row - n
	switch c.typ.ID() {
	case arrow.STRING:
		for i, end := n, c.slim[n]; i < row; i++ {
			c.slim[i+1] = end
		}
	case arrow.INT32:
		clear(c.slim[n:row])
	default:
		clear(c.wide[n:row])
	}
	for ; n < row && n&7 != 0; n++ {
		c.valid[n>>3] &^= 1 << (n & 7)
	}
	if n < row {
		clear(c.valid[n>>3 : row>>3])
		if row&7 != 0 {
			c.valid[row>>3] = 0xFF << (row & 7)
		}
	}
}

// finish returns the column's first rows as an array, which now owns the memory.
func (c *column) finish(rows int) arrow.Array {
	if c.n < rows {
		c.nullsTo(rows)
	}
	buffers := []*memory.Buffer{nil, memory.NewBufferWithAllocator(c.fixed, c.pool)}
	if c.nulls > 0 {
		buffers[0] = memory.NewBufferWithAllocator(c.valid, c.pool)
	} else {
		c.pool.Free(c.valid)
	}
	if c.typ.ID() == arrow.STRING {
		c.hint = max(len(c.data)+len(c.data)/8, 512)
		buffers = append(buffers, memory.NewBufferWithAllocator(c.data, c.pool))
	}
	data := array.NewData(c.typ, c.n, buffers, nil, c.nulls, 0)
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	defer data.Release()
	c.valid, c.fixed, c.data, c.wide, c.slim = nil, nil, nil, nil, nil
	return array.MakeFromData(data)
}
