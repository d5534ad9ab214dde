package parquet

import (
	"encoding/binary"
	"math/bits"
)

// appendHybrid appends values of that many bits each in Parquet's hybrid of
// run-length encoding and bit-packing.
func appendHybrid(to []byte, values []uint32, width int) []byte {
	const worth = 8 // equal values that make a run; also what bit-packed values come in
	packed := 0     // values before are written; those from here to i wait to be bit-packed
	for i := 0; i < len(values); {
		end := i + 1
		for end < len(values) && values[end] == values[i] {
			end++
		}
		fill := -(i - packed) & (worth - 1) // what the waiting values lack to whole groups
		if end-i-fill < worth {
			i = end
			continue
		}
		if i += fill; i > packed {
			to = appendPacked(to, values[packed:i], width)
		}
		to = binary.AppendUvarint(to, uint64(end-i)<<1)
		for shift := 0; shift < width; shift += 8 {
			to = append(to, byte(values[i]>>shift))
		}
		i, packed = end, end
	}
	if packed < len(values) {
		to = appendPacked(to, values[packed:], width)
	}
	return to
}

// appendPacked appends one bit-packed run; behind the last value stand zeros.
func appendPacked(to []byte, values []uint32, width int) []byte {
	groups := (len(values) + 7) / 8
	to = binary.AppendUvarint(to, uint64(groups)<<1|1)
	end := len(to) + groups*width
	var word uint64
	have := 0
	for _, v := range values {
		word |= uint64(v) << have
		if have += width; have >= 32 {
			to = binary.LittleEndian.AppendUint32(to, uint32(word))
			word >>= 32
			have -= 32
		}
	}
	for ; len(to) < end; word >>= 8 {
		to = append(to, byte(word))
	}
	return to
}

// Sizes of DELTA_BINARY_PACKED: of a block, and of its parts that have a width each.
const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDeltas appends values as DELTA_BINARY_PACKED.
func appendDeltas(to []byte, values []int64) []byte {
	to = binary.AppendUvarint(to, deltaBlock)
	to = binary.AppendUvarint(to, deltaBlock/deltaMini)
	to = binary.AppendUvarint(to, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendVarint(to, 0)
	}
	before := values[0]
	to = binary.AppendVarint(to, before)
	var deltas [deltaBlock]int64
	for values = values[1:]; len(values) > 0; {
		n := min(len(values), deltaBlock)
		least := values[0] - before // may wrap, as the format has it
		for i, v := range values[:n] {
			deltas[i] = v - before
			least = min(least, deltas[i])
			before = v
		}
		values = values[n:]
		clear(deltas[n:])
		to = binary.AppendVarint(to, least)
		widths := len(to)
		to = append(to, make([]byte, deltaBlock/deltaMini)...)
		for mini := 0; mini < n; mini += deltaMini {
			part := deltas[mini : mini+deltaMini]
			var all uint64
			for i := range min(deltaMini, n-mini) {
				part[i] -= least
				all |= uint64(part[i])
			}
			width := bits.Len64(all)
			to[widths+mini/deltaMini] = byte(width)
			to = appendMini(to, part, width)
		}
	}
	return to
}

// appendMini bit-packs a multiple of eight values of up to 64 bits.
func appendMini(to []byte, values []int64, width int) []byte {
	var word uint64
	have := 0
	for _, v := range values {
		word |= uint64(v) << have
		if have += width; have >= 64 {
			to = binary.LittleEndian.AppendUint64(to, word)
			have -= 64
			word = uint64(v) >> (width - have) // 0 where nothing of v is left over
		}
	}
	for ; have > 0; have -= 8 {
		to = append(to, byte(word))
		word >>= 8
	}
	return to
}

// appendLevels appends the definition levels of rows, of which valid has a bit
// each, as a data page has them. A row is NULL or not, so its level is one bit, and
// bits are what bit-packing would make of them.
func appendLevels(to []byte, valid []byte, rows, nulls int) []byte {
	at := len(to)
	to = append(to, 0, 0, 0, 0) // their size
	switch nulls {
	case 0:
		to = append(binary.AppendUvarint(to, uint64(rows)<<1), 1)
	case rows:
		to = append(binary.AppendUvarint(to, uint64(rows)<<1), 0)
	default:
		groups := (rows + 7) / 8
		to = binary.AppendUvarint(to, uint64(groups)<<1|1)
		to = append(to, valid[:groups]...)
	}
	binary.LittleEndian.PutUint32(to[at:], uint32(len(to)-at-4))
	return to
}

// appendText appends a text as PLAIN.
func appendText(to []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint32(to, uint32(len(text))), text...)
}
