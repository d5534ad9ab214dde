package parquet

// Numbers of ConvertedType, for readers that do not know logical types.
const (
	convertedText    = 0
	convertedDecimal = 5
	convertedMicros  = 10 // TIMESTAMP_MICROS; it cannot say that there is no zone
	convertedInt32   = 17
	convertedInt64   = 18
)

// footer is the FileMetaData of the groups written.
func (w *Writer) footer() []byte {
	t := &thrift{}
	t.i32(1, 2) // version
	t.list(2, thriftStruct, 1+len(w.list))
	t.begin(0) // the root
	t.binary(4, []byte("schema"))
	t.i32(5, len(w.list))
	t.end()
	for i, column := range w.list {
		w.Columns[i].kind.schema(t, column.Name)
	}
	t.i64(3, w.rows)
	t.list(4, thriftStruct, len(w.groups))
	for i := range w.groups {
		w.group(t, i)
	}
	t.binary(6, []byte("creditmill"))
	t.list(7, thriftStruct, len(w.list)) // column orders: minimum and maximum are by the type's own
	for range w.list {
		t.begin(0)
		t.begin(1)
		t.end()
		t.end()
	}
	t.end()
	return t.to
}

// schema writes a column's SchemaElement.
func (k kind) schema(t *thrift, name string) {
	const optional = 1
	t.begin(0)
	t.i32(1, k.physical)
	t.i32(3, optional)
	t.binary(4, []byte(name))
	switch {
	case k.text:
		t.i32(6, convertedText)
		t.begin(10)
		t.begin(1) // STRING
		t.end()
		t.end()
	case k.precision > 0:
		t.i32(6, convertedDecimal)
		t.i32(7, k.scale)
		t.i32(8, k.precision)
		t.begin(10)
		t.begin(5) // DECIMAL
		t.i32(1, k.scale)
		t.i32(2, k.precision)
		t.end()
		t.end()
	case k.timestamp:
		t.i32(6, convertedMicros)
		t.begin(10)
		t.begin(8) // TIMESTAMP
		t.bool(1, false)
		t.begin(2)
		t.begin(2) // MICROS
		t.end()
		t.end()
		t.end()
		t.end()
	case k.physical != physicalBool:
		bits, converted := byte(64), convertedInt64
		if k.physical == physicalInt32 {
			bits, converted = 32, convertedInt32
		}
		t.i32(6, converted)
		t.begin(10)
		t.begin(10) // INTEGER
		t.byte(1, bits)
		t.bool(2, true)
		t.end()
		t.end()
	}
	t.end()
}

// group writes a RowGroup.
func (w *Writer) group(t *thrift, i int) {
	g := &w.groups[i]
	t.begin(0)
	t.list(1, thriftStruct, len(g.chunks))
	var plain, packed int64
	for c := range g.chunks {
		w.columnChunk(t, c, &g.chunks[c])
		plain += g.chunks[c].plain
		packed += g.chunks[c].packed
	}
	t.i64(2, plain)
	t.i64(3, int64(g.rows))
	t.i64(5, g.chunks[0].begins())
	t.i64(6, packed)
	t.i16(7, i)
	t.end()
}

func (c *chunk) begins() int64 {
	if c.dictionary > 0 {
		return c.dictionary
	}
	return c.data
}

// columnChunk writes a ColumnChunk.
func (w *Writer) columnChunk(t *thrift, column int, c *chunk) {
	t.begin(0)
	t.i64(2, c.begins())
	t.begin(3)
	t.i32(1, w.Columns[column].kind.physical)
	t.list(2, thriftI32, len(c.encodings))
	for _, encoding := range c.encodings {
		t.to = append(t.to, byte(encoding)<<1) // zigzag
	}
	t.list(3, thriftBinary, 1)
	t.element([]byte(w.list[column].Name))
	t.i32(4, codecZstd)
	t.i64(5, int64(c.rows))
	t.i64(6, c.plain)
	t.i64(7, c.packed)
	t.i64(9, c.data)
	if c.dictionary > 0 {
		t.i64(11, c.dictionary)
	}
	t.begin(12)
	t.i64(3, int64(c.nulls))
	if c.limited {
		t.binary(5, c.high)
		t.binary(6, c.low)
	}
	t.end()
	t.end()
	t.end()
}
