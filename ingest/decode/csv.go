package decode

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// A csvReader reads RFC 4180 with a header: fields between commas, in quotes where
// they hold commas, quotes or line ends, a quote within quotes doubled. A line
// ends in LF or CR LF. A quote within a field that is not in quotes, text behind a
// closing quote, another number of fields than the header's, and bytes that are
// not UTF-8 are malformed. Where a quote is never closed, its first line alone is
// the broken record, and the next begins the next.
type csvReader struct {
	values
	names []headerName
	nodes []int32 // by field: the node it fills; 0: none
	arena []byte
	cells [][]byte // of the header
}

func newCSVReader(m *mapping) *csvReader {
	return &csvReader{values: newValues(m.tree), names: m.columns}
}

// header reads the first record that is not blank; io.EOF when there is none.
func (r *csvReader) header(w *window) error {
	var f frame
	r.nodes, r.cells = nil, r.cells[:0]
	if err := r.record(w, &f, true); err != nil {
		return err
	}
	if f.reason != "" {
		return fmt.Errorf("the CSV header (line %d) cannot be read: %s", f.line, f.detail)
	}
	for _, cell := range r.cells {
		node := int32(0)
		for _, n := range r.names {
			if n.name != string(cell) {
				continue
			}
			if slices.Contains(r.nodes, n.node) {
				return fmt.Errorf("the CSV header (line %d) has the mapped column %q twice", f.line, n.name)
			}
			node = n.node
			break
		}
		r.nodes = append(r.nodes, node)
	}
	return nil
}

// next frames and takes apart one record.
func (r *csvReader) next(w *window, f *frame) error {
	r.values.next()
	return r.record(w, f, false)
}

func (r *csvReader) record(w *window, f *frame, header bool) error {
	for {
		f.line, f.offset, f.reason, f.detail = w.line, w.offset, "", ""
		end, lines, state := r.parse(w, header)
		switch state {
		case csvBlank:
			w.use(end, lines)
			continue
		case csvEnd:
			return io.EOF
		case csvDamaged, csvTooLong, csvUnclosed:
			// Take the first line alone.
			if err := w.next(f); err != nil {
				return err
			}
			if f.reason == "" {
				f.reason, f.detail = Malformed, "a quote is never closed"
				if state == csvTooLong {
					f.reason, f.detail = TooLong, "a record of more than 1 MiB"
				}
			}
			return nil
		}
		f.b, f.end = w.rest(), end
		if end > 0 && f.b[end-1] == '\n' {
			f.end--
		}
		w.use(end, lines)
		if state != "" {
			f.reason, f.detail = Malformed, state
		} else if f.end > maxRecord {
			f.reason, f.detail = TooLong, "a record of more than 1 MiB"
		}
		return nil
	}
}

// How parse ended when not well; any other text is what is malformed.
const (
	csvBlank    = "blank"
	csvEnd      = "end"
	csvDamaged  = "damaged"
	csvTooLong  = "too long"
	csvUnclosed = "unclosed"
)

// parse reads one record at the window's start, filling the window as needed, and
// returns its length with the line end, and how many line ends are in it.
func (r *csvReader) parse(w *window, header bool) (end int, lines int64, state string) {
	for {
		end, lines, state = r.try(w, header)
		if state != errMore {
			return end, lines, state
		}
		if w.limit-w.start > maxRecord {
			return 0, 0, csvTooLong
		}
		if !w.fill() {
			return r.atEnd(w, header)
		}
	}
}

const errMore = "more"

// atEnd reads what stands behind the last line end, in place, as if one followed.
func (r *csvReader) atEnd(w *window, header bool) (end int, lines int64, state string) {
	switch {
	case w.damaged():
		return 0, 0, csvDamaged
	case w.limit == w.start:
		return 0, 0, csvEnd
	}
	w.limit++ // the newline that the window keeps behind what it read
	end, lines, state = r.try(w, header)
	w.limit--
	if state == errMore {
		return 0, 0, csvUnclosed
	}
	if end > w.limit-w.start {
		end--
		lines--
	}
	if state == csvBlank {
		w.use(end, lines)
		return 0, 0, csvEnd
	}
	return end, lines, state
}

// try reads one record of what the window holds; errMore: it is not all there.
func (r *csvReader) try(w *window, header bool) (end int, lines int64, state string) {
	b := w.rest()
	r.arena, r.cells = r.arena[:0], r.cells[:0]
	for i, field := 0, 0; ; field++ {
		var cell []byte
		var bad string
		if i < len(b) && b[i] == '"' {
			cell, i, lines, bad = r.quoted(b, i, lines)
		} else {
			length := cellEnd(b[i:])
			if length < 0 {
				return 0, 0, errMore
			}
			cell = b[i : i+length]
			i += length
			if b[i] == '\n' && len(cell) > 0 && cell[len(cell)-1] == '\r' {
				cell = cell[:len(cell)-1]
			}
			if bytes.IndexByte(cell, '"') >= 0 {
				bad = "a quote in a field that is not in quotes"
			}
		}
		if bad == errMore {
			return 0, 0, errMore
		}
		if bad == "" && !utf8.Valid(cell) {
			bad = "not UTF-8"
		}
		if bad != "" { // pass over the rest of the line
			length := bytes.IndexByte(b[i:], '\n')
			if length < 0 {
				return 0, 0, errMore
			}
			return i + length + 1, lines + 1, bad
		}
		r.cell(field, cell, header)
		if b[i] == ',' {
			i++
			continue
		}
		end, lines = i+1, lines+1
		if field == 0 && len(cell) == 0 && b[0] != '"' {
			return end, lines, csvBlank
		}
		if !header && field+1 != len(r.nodes) {
			return end, lines, fmt.Sprintf("%d fields where the header has %d", field+1, len(r.nodes))
		}
		return end, lines, ""
	}
}

// cellEnd returns where a field without quotes ends; -1: not here.
func cellEnd(b []byte) int {
	for i, c := range b {
		if c == ',' || c == '\n' {
			return i
		}
	}
	return -1
}

// quoted reads a field in quotes and stops at the comma or newline behind it.
func (r *csvReader) quoted(b []byte, i int, before int64) (cell []byte, next int, lines int64, bad string) {
	lines = before
	start := len(r.arena)
	i++
	for from := i; ; {
		length := bytes.IndexByte(b[i:], '"')
		if length < 0 {
			return nil, 0, 0, errMore
		}
		i += length
		if i+1 < len(b) && b[i+1] == '"' { // keep one of the two
			r.arena = append(r.arena, b[from:i+1]...)
			i += 2
			from = i
			continue
		}
		cell = b[from:i]
		if start < len(r.arena) {
			r.arena = append(r.arena, cell...)
			cell = r.arena[start:len(r.arena):len(r.arena)]
		}
		break
	}
	lines += int64(bytes.Count(cell, []byte("\n")))
	i++
	if i < len(b) && b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
		i++
	}
	if i >= len(b) || b[i] == '\r' && i+1 >= len(b) {
		return nil, 0, 0, errMore
	}
	if b[i] != ',' && b[i] != '\n' {
		bad = "text behind a closing quote"
	}
	return cell, i, lines, bad
}

func (r *csvReader) cell(field int, cell []byte, header bool) {
	if header {
		r.cells = append(r.cells, slices.Clone(cell))
		return
	}
	if field >= len(r.nodes) || r.nodes[field] == 0 || len(cell) == 0 { // an empty cell is absent
		return
	}
	node := r.nodes[field]
	r.seen[node] = r.turn
	r.slots[node] = slot{cell, slotString}
}
