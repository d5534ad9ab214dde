package spool

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A gatherer picks rows of a column out of many batches, in any order.
type gatherer struct {
	name  string
	field arrow.DataType
	valid [][]byte // by batch; nil: every row has a value
	slim  [][]int32
	wide  [][]int64
	pairs [][][2]int64
	texts textView
	index []int32     // of an object's name in names
	names arrow.Array // where the column has the names of objects
}

// from reads the column's batches.
func (g *gatherer) from(list []arrow.ArrayData) {
	g.valid = make([][]byte, len(list))
	for i, data := range list {
		if data.NullN() > 0 {
			g.valid[i] = data.Buffers()[0].Bytes()
		}
	}
	switch g.field.ID() {
	case arrow.STRING:
		g.texts = texts(list)
	case arrow.INT32:
		g.slim = views[int32](list, 1)
	case arrow.DECIMAL128:
		g.pairs = views[[2]int64](list, 1)
	default:
		g.wide = views[int64](list, 1)
	}
}

// views are the fixed-size values of each batch.
func views[T any](list []arrow.ArrayData, buffer int) [][]T {
	views := make([][]T, len(list))
	for i, data := range list {
		views[i] = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data.Buffers()[buffer].Bytes()))), data.Len())
	}
	return views
}

// A textView is the texts of each batch.
type textView struct {
	offsets [][]int32
	data    [][]byte
}

func texts(list []arrow.ArrayData) textView {
	v := textView{}
	for _, data := range list {
		offsets := data.Buffers()[1].Bytes()
		v.offsets = append(v.offsets, unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(offsets))), data.Len()+1))
		v.data = append(v.data, data.Buffers()[2].Bytes())
	}
	return v
}

func (v textView) at(row uint32) []byte {
	offsets := v.offsets[row>>16]
	return v.data[row>>16][offsets[row&0xFFFF]:offsets[row&0xFFFF+1]]
}

// named makes a column of the texts that rows have by their object: indices into a
// dictionary of those that occur.
func (g *gatherer) named(objects [][]int32, list []string, allocator memory.Allocator) {
	g.field = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	g.index = make([]int32, len(list))
	for i := range g.index {
		g.index[i] = -1
	}
	var used []string
	numbers := map[string]int32{}
	for _, batch := range objects {
		for _, object := range batch {
			if g.index[object] >= 0 {
				continue
			}
			number, known := numbers[list[object]]
			if !known {
				number = int32(len(used))
				numbers[list[object]] = number
				used = append(used, list[object])
			}
			g.index[object] = number
		}
	}
	g.slim = objects
	g.names = textArray(used, allocator)
}

func textArray(list []string, allocator memory.Allocator) arrow.Array {
	size := 0
	for _, text := range list {
		size += len(text)
	}
	fixed, data := allocator.Allocate(4*(len(list)+1)), allocator.Allocate(size)[:0]
	offsets := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(fixed))), len(list)+1)
	offsets[0] = 0
	for i, text := range list {
		data = append(data, text...)
		offsets[i+1] = int32(len(data))
	}
	return newArray(arrow.BinaryTypes.String, len(list), 0, nil,
		memory.NewBufferWithAllocator(fixed, allocator), memory.NewBufferWithAllocator(data, allocator))
}

// newArray makes an array that owns the buffers.
func newArray(typ arrow.DataType, rows, nulls int, buffers ...*memory.Buffer) arrow.Array {
	data := array.NewData(typ, rows, buffers, nil, nulls, 0)
	defer data.Release()
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	return array.MakeFromData(data)
}

// gather returns the column's values of those rows.
func (g *gatherer) gather(rows []entry, allocator memory.Allocator) arrow.Array {
	if g.names != nil {
		return g.gatherNames(rows, allocator)
	}
	valid, nulls := g.validity(rows, allocator)
	switch {
	case g.field.ID() == arrow.STRING:
		offsets, text := g.texts.gather(rows, allocator)
		return newArray(g.field, len(rows), nulls, valid, offsets, text)
	case g.slim != nil:
		return newArray(g.field, len(rows), nulls, valid, gatherFixed(g.slim, rows, allocator))
	case g.pairs != nil:
		return newArray(g.field, len(rows), nulls, valid, gatherFixed(g.pairs, rows, allocator))
	default:
		return newArray(g.field, len(rows), nulls, valid, gatherFixed(g.wide, rows, allocator))
	}
}

func (g *gatherer) gatherNames(rows []entry, allocator memory.Allocator) arrow.Array {
	buffer := allocator.Allocate(4 * len(rows))
	to := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(buffer))), len(rows))
	for i := range rows {
		row := rows[i].row
		to[i] = g.index[g.slim[row>>16][row&0xFFFF]]
	}
	indices := newArray(arrow.PrimitiveTypes.Int32, len(rows), 0, nil, memory.NewBufferWithAllocator(buffer, allocator))
	defer indices.Release()
	return array.NewDictionaryArray(g.field, indices, g.names)
}

func (g *gatherer) validity(rows []entry, allocator memory.Allocator) (*memory.Buffer, int) {
	if g.valid == nil {
		return nil, 0
	}
	nulls := 0
	bits := allocator.Allocate((len(rows) + 7) / 8)
	clear(bits)
	for i := range rows {
		row := rows[i].row
		if valid := g.valid[row>>16]; len(valid) == 0 || valid[row&0xFFFF>>3]>>(row&7)&1 == 1 {
			bits[i>>3] |= 1 << (i & 7)
		} else {
			nulls++
		}
	}
	if nulls == 0 {
		allocator.Free(bits)
		return nil, 0
	}
	return memory.NewBufferWithAllocator(bits, allocator), nulls
}

func gatherFixed[T any](from [][]T, rows []entry, allocator memory.Allocator) *memory.Buffer {
	var value T
	buffer := allocator.Allocate(len(rows) * int(unsafe.Sizeof(value)))
	to := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(buffer))), len(rows))
	for i := range rows {
		row := rows[i].row
		to[i] = from[row>>16][row&0xFFFF]
	}
	return memory.NewBufferWithAllocator(buffer, allocator)
}

func (v textView) gather(rows []entry, allocator memory.Allocator) (offsets, text *memory.Buffer) {
	fixed := allocator.Allocate(4 * (len(rows) + 1))
	ends := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(fixed))), len(rows)+1)
	ends[0] = 0
	size := int32(0)
	for i := range rows {
		row := rows[i].row
		from := v.offsets[row>>16][row&0xFFFF:]
		size += from[1] - from[0]
		ends[i+1] = size
	}
	data := allocator.Allocate(int(size))
	for i := range rows {
		if to := data[ends[i]:ends[i+1]]; len(to) > 0 {
			row := rows[i].row
			copy(to, v.data[row>>16][v.offsets[row>>16][row&0xFFFF]:])
		}
	}
	return memory.NewBufferWithAllocator(fixed, allocator), memory.NewBufferWithAllocator(data, allocator)
}
