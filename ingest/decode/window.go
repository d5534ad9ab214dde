package decode

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// Bounds of SPEC section 3.
const (
	maxRecord = 1 << 20 // bytes of a line; a longer one is too_long
	maxRaw    = 4 << 10 // bytes of a record that a reject keeps
)

const readSize = 128 << 10

// A frame is one record's bytes in the stream, or what stands in its place.
type frame struct {
	b      []byte // the record without its line end, then a newline and slack; good until the next frame
	end    int    // where the record ends in b
	line   int64  // physical line it begins at, from 1
	offset int64  // of its first byte in the unpacked stream
	reason Reason // "": a record; TooLong, Truncated, or Malformed where the framing itself is broken
	detail string
}

func (f *frame) text() []byte { return f.b[:f.end] }

// A window holds the part of the unpacked stream that a record may lie in: at most
// maxRecord and a bit.
type window struct {
	r      io.Reader
	buf    []byte
	start  int   // of what is not used yet
	limit  int   // of what is read
	offset int64 // of buf[start] in the stream
	line   int64 // of buf[start], from 1
	err    error // why no more will come; io.EOF at the end
}

func (w *window) reset(r io.Reader) {
	if w.buf == nil {
		w.buf = make([]byte, maxRecord+2*readSize+slack)
	}
	*w = window{r: r, buf: w.buf, line: 1}
	for w.limit < 3 && w.fill() {
	}
	if bytes.HasPrefix(w.rest(), []byte("\xEF\xBB\xBF")) { // a byte order mark is no part of any record
		w.start, w.offset = 3, 3
	}
}

// rest is what is read and not used.
func (w *window) rest() []byte { return w.buf[w.start:w.limit] }

// fill reads more, and reports false when the stream is at its end or the window
// is full.
func (w *window) fill() bool {
	if w.err != nil {
		return false
	}
	// Little is left over as a rule, and at the front it stays in the processor's cache.
	if w.limit-w.start < readSize/8 || w.limit+readSize > len(w.buf)-slack {
		copy(w.buf, w.rest())
		w.limit -= w.start
		w.start = 0
	}
	free := len(w.buf) - slack - w.limit
	if free == 0 {
		return false
	}
	for range 100 {
		n, err := w.r.Read(w.buf[w.limit : w.limit+min(free, readSize)])
		w.limit += n
		w.err = err
		w.buf[w.limit] = '\n' // ends the last line where the stream does not
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// use moves on by n bytes and lines line ends.
func (w *window) use(n int, lines int64) {
	w.start += n
	w.offset += int64(n)
	w.line += lines
}

// damaged reports whether the stream ended in the middle.
func (w *window) damaged() bool { return w.err != nil && !errors.Is(w.err, io.EOF) }

// next frames one line. It returns io.EOF behind the last; blank lines are no records.
func (w *window) next(f *frame) error {
	for {
		length := bytes.IndexByte(w.rest(), '\n')
		for length < 0 {
			had := w.limit - w.start
			if had > maxRecord {
				w.tooLong(f)
				return nil
			}
			if !w.fill() {
				break
			}
			if length = bytes.IndexByte(w.buf[w.start+had:w.limit], '\n'); length >= 0 {
				length += had
			}
		}
		f.line, f.offset, f.reason, f.detail = w.line, w.offset, "", ""
		f.b = w.buf[w.start:]
		if length < 0 {
			return w.last(f)
		}
		f.end = length
		w.use(length+1, 1)
		if length > maxRecord {
			f.reason, f.detail = TooLong, "a line of more than 1 MiB"
			return nil
		}
		if !blank(f.text()) {
			return nil
		}
	}
}

// last frames what stands behind the last newline.
func (w *window) last(f *frame) error {
	f.end = w.limit - w.start
	w.use(f.end, 0)
	if w.damaged() {
		f.reason, f.detail = Truncated, "the object ends here: "+w.err.Error()
		w.err = io.EOF
		return nil
	}
	if blank(f.text()) {
		return io.EOF
	}
	return nil
}

// tooLong frames a line that does not fit and passes over the rest of it.
func (w *window) tooLong(f *frame) {
	f.line, f.offset = w.line, w.offset
	f.reason, f.detail = TooLong, "a line of more than 1 MiB"
	f.b = append([]byte(nil), w.rest()[:maxRaw+utf8.UTFMax]...)
	f.end = len(f.b)
	for {
		if at := bytes.IndexByte(w.rest(), '\n'); at >= 0 {
			w.use(at+1, 1)
			return
		}
		w.use(w.limit-w.start, 0)
		w.start, w.limit = 0, 0
		if !w.fill() {
			return
		}
	}
}

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// appendRaw appends the first 4 KiB of a record as a reject keeps them: valid
// UTF-8, with U+FFFD for what is not, and no character cut in two.
func appendRaw(to, record []byte) []byte {
	if len(record) > 0 && record[len(record)-1] == '\r' {
		record = record[:len(record)-1]
	}
	if len(record) > maxRaw {
		cut := maxRaw
		for cut > maxRaw-utf8.UTFMax && !utf8.RuneStart(record[cut]) {
			cut--
		}
		record = record[:cut]
	}
	if utf8.Valid(record) {
		return append(to, record...)
	}
	return append(to, bytes.ToValidUTF8(record, []byte("\uFFFD"))...)
}
