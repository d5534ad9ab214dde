package decode

import (
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/creditmill/creditmill/ingest/source"
)

// setText chooses how the column's values are written: numbers exactly, as JSON
// would have them; timestamps as RFC 3339 in UTC, with those that are not adjusted
// to UTC taken as local times of layout; dates as 2026-10-03.
func (l *leaf) setText(layout source.Layout) {
	l.local = layout
	physical := l.column.PhysicalType()
	switch logical := l.column.LogicalType().(type) {
	case schema.DecimalLogicalType:
		if l.scale = int(logical.Scale()); l.scale >= 0 && l.scale <= maxParquetScale {
			l.text = decimalText
		}
		return
	case schema.DateLogicalType:
		layout.Clock, layout.Text = source.Written, time.DateOnly
		l.instant, l.text = &layout, dateText
		return
	case schema.TimestampLogicalType:
		l.instant, l.text = &source.Layout{}, timestampText(logical.TimeUnit(), logical.IsAdjustedToUTC())
		return
	case schema.TimeLogicalType:
		l.text = timeOfDayText(logical.TimeUnit())
		return
	case schema.IntLogicalType:
		if !logical.IsSigned() {
			l.text = unsignedText
			return
		}
	case schema.UUIDLogicalType:
		l.text = uuidText
		return
	case schema.Float16LogicalType:
		l.text = float16Text
		return
	case schema.IntervalLogicalType, schema.BSONLogicalType:
		return // neither text nor number
	}
	switch physical {
	case parquet.Types.Boolean:
		l.text = func(l *leaf, to []byte) ([]byte, slotKind) {
			return strconv.AppendBool(to, l.bools[l.value]), slotBool
		}
	case parquet.Types.Int32, parquet.Types.Int64:
		l.text = func(l *leaf, to []byte) ([]byte, slotKind) { return strconv.AppendInt(to, l.integer(), 10), slotNumber }
	case parquet.Types.Int96: // only ever timestamps
		l.instant, l.text = &source.Layout{}, func(l *leaf, to []byte) ([]byte, slotKind) {
			return appendInstant(to, l.int96s[l.value].ToTime()), slotString
		}
	case parquet.Types.Float:
		l.text = func(l *leaf, to []byte) ([]byte, slotKind) { return appendFloat(to, float64(l.floats[l.value]), 32) }
	case parquet.Types.Double:
		l.text = func(l *leaf, to []byte) ([]byte, slotKind) { return appendFloat(to, l.doubles[l.value], 64) }
	default:
		l.binary = true
	}
}

// maxParquetScale is that of the largest decimals that anybody writes.
const maxParquetScale = 76

// slot is the value at hand, or why it is malformed. Its text is good until the
// leaf moves on.
func (l *leaf) slot(arena *[]byte) (s slot, why string) {
	if l.binary {
		return slot{l.raw(), slotString}, ""
	}
	if l.text == nil {
		return slot{}, "is of a Parquet type that is neither text nor number: " + l.column.LogicalType().String()
	}
	start := len(*arena)
	var kind slotKind
	*arena, kind = l.text(l, *arena)
	return slot{(*arena)[start:len(*arena):len(*arena)], kind}, ""
}

// raw is the value at hand of a column of bytes.
func (l *leaf) raw() []byte {
	if l.column.PhysicalType() == parquet.Types.FixedLenByteArray {
		return l.fixed[l.value]
	}
	return l.bytes[l.value]
}

// integer is the value at hand of a column of integers.
func (l *leaf) integer() int64 {
	if l.column.PhysicalType() == parquet.Types.Int32 {
		return int64(l.int32s[l.value])
	}
	return l.int64s[l.value]
}

func unsignedText(l *leaf, to []byte) ([]byte, slotKind) {
	if l.column.PhysicalType() == parquet.Types.Int32 {
		return strconv.AppendUint(to, uint64(uint32(l.int32s[l.value])), 10), slotNumber
	}
	return strconv.AppendUint(to, uint64(l.int64s[l.value]), 10), slotNumber
}

// appendFloat writes the shortest text that is the number, as JSON has it. What is
// no number is written as text, which no quantity takes.
func appendFloat(to []byte, f float64, bits int) ([]byte, slotKind) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendFloat(to, f, 'g', -1, bits), slotString
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(to, f, format, -1, bits), slotNumber
}

func float16Text(l *leaf, to []byte) ([]byte, slotKind) {
	b := l.raw()
	if len(b) != 2 {
		return to, slotString
	}
	return appendFloat(to, float64(float16.FromLEBytes(b).Float32()), 32)
}

func uuidText(l *leaf, to []byte) ([]byte, slotKind) {
	b := l.raw()
	for i := 0; i < len(b); i++ {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			to = append(to, '-')
		}
		to = hex.AppendEncode(to, b[i:i+1])
	}
	return to, slotString
}

// decimalText writes a decimal with as many digits behind the point as its type
// has. Of bytes it is a big-endian two's complement.
func decimalText(l *leaf, to []byte) ([]byte, slotKind) {
	start := len(to)
	switch l.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Int64:
		to = strconv.AppendInt(to, l.integer(), 10)
	default:
		b := l.raw()
		n := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		to = n.Append(to, 10)
	}
	if l.scale == 0 {
		return to, slotNumber
	}
	if to[start] == '-' {
		start++
	}
	if missing := l.scale + 1 - (len(to) - start); missing > 0 {
		to = slices.Insert(to, start, slices.Repeat([]byte("0"), missing)...)
	}
	return slices.Insert(to, len(to)-l.scale, '.'), slotNumber
}

// appendInstant writes an instant as RFC 3339 in UTC. One that no such text can
// have comes out as a text that is no time.
func appendInstant(to []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(to, time.RFC3339Nano)
}

func dateText(l *leaf, to []byte) ([]byte, slotKind) {
	return time.Unix(l.integer()*86400, 0).UTC().AppendFormat(to, time.DateOnly), slotString
}

func timestampText(unit schema.TimeUnitType, adjusted bool) func(*leaf, []byte) ([]byte, slotKind) {
	return func(l *leaf, to []byte) ([]byte, slotKind) {
		n := l.integer()
		var t time.Time
		switch unit {
		case schema.TimeUnitMillis:
			t = time.UnixMilli(n)
		case schema.TimeUnitMicros:
			t = time.UnixMicro(n)
		default:
			t = time.Unix(0, n)
		}
		if t = t.UTC(); !adjusted {
			t = l.local.Local(t)
		}
		return appendInstant(to, t), slotString
	}
}

// timeOfDayText writes 14:00:00.5.
func timeOfDayText(unit schema.TimeUnitType) func(*leaf, []byte) ([]byte, slotKind) {
	size := map[schema.TimeUnitType]time.Duration{schema.TimeUnitMillis: time.Millisecond, schema.TimeUnitMicros: time.Microsecond, schema.TimeUnitNanos: 1}[unit]
	return func(l *leaf, to []byte) ([]byte, slotKind) {
		n := l.integer() % int64(24*time.Hour/size)
		return time.Unix(0, n*int64(size)).UTC().AppendFormat(to, "15:04:05.999999999"), slotString
	}
}
