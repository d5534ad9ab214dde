package document

import (
	"encoding/binary"
	"slices"
)

// subset is a TrueType font with the glyphs of some characters alone, numbered anew.
// gopdf leaves unused glyphs out of a PDF too, but keeps the tables that have a place
// for each of the font's 48,000: packing those would take longer than all the rest of
// the document. Characters must be sorted, each once, and the font must have them.
func (f *font) subset(characters []rune) []byte {
	p := f.parsed.GetTTFParser()
	table := func(tag string) []byte {
		entry := p.GetTables()[tag]
		return p.FontData()[entry.Offset : entry.Offset+entry.Length]
	}
	glyf := table("glyf")
	old := []uint16{0} // the old numbers, by the new ones
	renumber := func(glyph uint16) uint16 {
		at := slices.Index(old, glyph)
		if at < 0 {
			at = len(old)
			old = append(old, glyph)
		}
		return uint16(at)
	}
	numbers := make([]uint16, len(characters))
	for i, r := range characters {
		numbers[i] = renumber(f.glyphs[r])
	}
	// Composite glyphs name others, which join the end of the list.
	var outlines, loca, hmtx []byte
	for i := 0; i < len(old); i++ {
		glyph := slices.Clone(glyf[p.LocaTable[old[i]]:p.LocaTable[old[i]+1]])
		for _, at := range components(glyph) {
			binary.BigEndian.PutUint16(glyph[at:], renumber(binary.BigEndian.Uint16(glyph[at:])))
		}
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(outlines)))
		outlines = padded(append(outlines, glyph...))
		hmtx = append(hmtx, metrics(table("hmtx"), int(old[i]), int(p.NumberOfHMetrics()))...)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(outlines)))

	head, hhea, maxp := slices.Clone(table("head")), slices.Clone(table("hhea")), slices.Clone(table("maxp"))
	binary.BigEndian.PutUint16(head[50:], 1) // indexToLocFormat: long
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(old)))
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(old)))
	return assemble([]fontTable{
		{"OS/2", table("OS/2")},
		{"cmap", characterMap(characters, numbers)},
		{"glyf", outlines},
		{"head", head},
		{"hhea", hhea},
		{"hmtx", hmtx},
		{"loca", loca},
		{"maxp", maxp},
		{"name", table("name")},
		{"post", table("post")},
	})
}

// metrics are a glyph's width and left side bearing. Glyphs after the first full ones
// have the last width, and bearings of their own.
func metrics(hmtx []byte, glyph, full int) []byte {
	if glyph < full {
		return hmtx[4*glyph : 4*glyph+4]
	}
	bearing := 4*full + 2*(glyph-full)
	return slices.Concat(hmtx[4*full-4:4*full-2], hmtx[bearing:bearing+2])
}

// Flags of a component of a composite glyph.
const (
	argumentsAreWords = 1 << 0
	hasScale          = 1 << 3
	moreComponents    = 1 << 5
	hasTwoScales      = 1 << 6
	hasMatrix         = 1 << 7
)

// components are the places in a composite glyph where the numbers of its parts stand.
func components(glyph []byte) (places []int) {
	if len(glyph) < 10 || int16(binary.BigEndian.Uint16(glyph)) >= 0 { // a negative number of contours: composite
		return nil
	}
	for at := 10; ; {
		flags := binary.BigEndian.Uint16(glyph[at:])
		places = append(places, at+2)
		if flags&moreComponents == 0 {
			return places
		}
		at += 6
		if flags&argumentsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&hasScale != 0:
			at += 2
		case flags&hasTwoScales != 0:
			at += 4
		case flags&hasMatrix != 0:
			at += 8
		}
	}
}

// characterMap is a cmap table of format 4, a segment for each run of characters whose
// glyphs follow each other too.
func characterMap(characters []rune, glyphs []uint16) []byte {
	var ends, starts, deltas, offsets []byte
	segments := 0
	add := func(first, last, delta uint16) {
		ends = binary.BigEndian.AppendUint16(ends, last)
		starts = binary.BigEndian.AppendUint16(starts, first)
		deltas = binary.BigEndian.AppendUint16(deltas, delta)
		offsets = append(offsets, 0, 0)
		segments++
	}
	for first := 0; first < len(characters); {
		next := first + 1
		for next < len(characters) && characters[next] == characters[next-1]+1 && glyphs[next] == glyphs[next-1]+1 {
			next++
		}
		add(uint16(characters[first]), uint16(characters[next-1]), glyphs[first]-uint16(characters[first]))
		first = next
	}
	add(0xffff, 0xffff, 1)
	search := 1
	selector := 0
	for search*2 <= segments {
		search, selector = search*2, selector+1
	}
	out := binary.BigEndian.AppendUint32(nil, 1)      // version 0, one subtable
	out = binary.BigEndian.AppendUint32(out, 3<<16|1) // Windows, Unicode
	out = binary.BigEndian.AppendUint32(out, 12)      // where it begins
	for _, n := range []int{4, 16 + 8*segments, 0, 2 * segments, 2 * search, selector, 2 * (segments - search)} {
		out = binary.BigEndian.AppendUint16(out, uint16(n))
	}
	return slices.Concat(out, ends, []byte{0, 0}, starts, deltas, offsets)
}

type fontTable struct {
	tag  string
	data []byte
}

// assemble makes a font file of tables, which are sorted by tag.
func assemble(tables []fontTable) []byte {
	search, selector := 1, 0
	for search*2 <= len(tables) {
		search, selector = search*2, selector+1
	}
	out := binary.BigEndian.AppendUint32(nil, 1<<16)
	for _, n := range []int{len(tables), 16 * search, selector, 16 * (len(tables) - search)} {
		out = binary.BigEndian.AppendUint16(out, uint16(n))
	}
	offset := len(out) + 16*len(tables)
	for _, t := range tables {
		out = append(out, t.tag...)
		for _, n := range []int{int(checksum(t.data)), offset, len(t.data)} {
			out = binary.BigEndian.AppendUint32(out, uint32(n))
		}
		offset += len(padded(t.data))
	}
	for _, t := range tables {
		out = append(out, padded(t.data)...)
	}
	return out
}

// padded is data up to a multiple of four bytes.
func padded(data []byte) []byte {
	for len(data)%4 != 0 {
		data = append(data[:len(data):len(data)], 0)
	}
	return data
}

func checksum(data []byte) (sum uint32) {
	data = padded(data)
	for ; len(data) > 0; data = data[4:] {
		sum += binary.BigEndian.Uint32(data)
	}
	return sum
}
