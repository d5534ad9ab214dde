package parquet

import "encoding/binary"

// A thrift is a struct being written in Thrift's compact protocol, as far as
// Parquet's headers and footer need it: field ids rise, and collections are lists.
type thrift struct {
	to    []byte
	last  int16
	outer []int16
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

func (t *thrift) field(id int16, typ byte) {
	if delta := id - t.last; delta > 0 && delta <= 15 {
		t.to = append(t.to, byte(delta)<<4|typ)
	} else {
		t.to = binary.AppendVarint(append(t.to, typ), int64(id))
	}
	t.last = id
}

func (t *thrift) bool(id int16, v bool) {
	if v {
		t.field(id, thriftTrue)
	} else {
		t.field(id, thriftFalse)
	}
}

func (t *thrift) byte(id int16, v byte) {
	t.field(id, thriftByte)
	t.to = append(t.to, v)
}

func (t *thrift) i16(id int16, v int) { t.number(id, thriftI16, int64(v)) }
func (t *thrift) i32(id int16, v int) { t.number(id, thriftI32, int64(v)) }
func (t *thrift) i64(id int16, v int64) {
	t.number(id, thriftI64, v)
}

func (t *thrift) number(id int16, typ byte, v int64) {
	t.field(id, typ)
	t.to = binary.AppendVarint(t.to, v) // zigzag, as the protocol wants it
}

func (t *thrift) binary(id int16, v []byte) {
	t.field(id, thriftBinary)
	t.element(v)
}

// element is a binary in a list.
func (t *thrift) element(v []byte) {
	t.to = binary.AppendUvarint(t.to, uint64(len(v)))
	t.to = append(t.to, v...)
}

func (t *thrift) list(id int16, typ byte, size int) {
	t.field(id, thriftList)
	if size < 15 {
		t.to = append(t.to, byte(size)<<4|typ)
	} else {
		t.to = binary.AppendUvarint(append(t.to, 0xF0|typ), uint64(size))
	}
}

// begin begins a struct in a field; in a list, id is 0.
func (t *thrift) begin(id int16) {
	if id > 0 {
		t.field(id, thriftStruct)
	}
	t.outer = append(t.outer, t.last)
	t.last = 0
}

// end ends the struct that was begun last, or the outermost.
func (t *thrift) end() {
	t.to = append(t.to, 0)
	if n := len(t.outer); n > 0 {
		t.last, t.outer = t.outer[n-1], t.outer[:n-1]
	}
}
