package decode

import (
	"encoding/binary"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// A fault is why a record is no event. The zero fault is none.
type fault struct {
	reason Reason
	field  string // "": none in particular
	value  []byte
	valued bool // whether value is to be shown
	detail string
	at     int64 // the event's time, where it is known
	timed  bool
}

// maxShown bounds a value in a detail, in bytes before escaping.
const maxShown = 80

// appendTo writes the fault for a person: `usage.tokens "ten" is no number`.
func (f *fault) appendTo(to []byte) []byte {
	if f.field != "" {
		to = append(to, f.field...)
		to = append(to, ' ')
	}
	if f.valued {
		shown := f.value
		if len(shown) > maxShown {
			cut := maxShown
			for cut > maxShown-utf8.UTFMax && !utf8.RuneStart(shown[cut]) {
				cut--
			}
			shown = shown[:cut]
		}
		to = strconv.AppendQuote(to, string(shown))
		if len(shown) < len(f.value) {
			to = append(to, "..."...)
		}
		to = append(to, ' ')
	}
	return append(to, f.detail...)
}

// reject writes the record as a reject.
func (o *object) reject(f fault) {
	b, d := o.d.other, o.d
	o.common(RejectRow)
	if f.timed {
		b.cols[otherTime].int64(b.rows, f.at)
	}
	b.cols[otherReason].text(b.rows, []byte(f.reason))
	d.detail = f.appendTo(d.detail[:0])
	b.cols[otherDetail].text(b.rows, d.detail)
	b.raw += len(d.detail)
	o.endRow(o.raw())
	o.counts.Rejects++
	o.counts.ByReason[f.reason]++
}

// skip counts a record that `where` leaves out.
func (o *object) skip() {
	o.counts.Skipped++
	if o.d.o.KeepSkipped {
		o.common(SkippedRow)
		o.endRow(o.raw())
	}
}

// common begins a row of the other batch.
func (o *object) common(kind RowKind) {
	b := o.d.other
	b.cols[otherObject].int32(b.rows, o.number)
	b.cols[otherKind].int32(b.rows, int32(kind))
	b.cols[otherLine].int64(b.rows, o.frame.line)
	b.cols[otherOffset].int64(b.rows, o.frame.offset)
}

// raw is the record's text as a reject keeps it.
func (o *object) raw() []byte {
	text := o.frame.text()
	if o.r.parquet != nil {
		o.d.row = o.r.parquet.text(o.d.row[:0], maxRaw+utf8.UTFMax)
		text = o.d.row
	}
	o.d.scratch = appendRaw(o.d.scratch[:0], text)
	return o.d.scratch
}

// endRow ends a row of the other batch.
func (o *object) endRow(raw []byte) {
	b := o.d.other
	b.cols[otherRaw].text(b.rows, raw)
	b.raw += len(raw)
	b.rows++
}

const maxID = 256

// badID reports whether an id is too long or has a control character.
func badID(id []byte) bool {
	if len(id) > maxID {
		return true
	}
	i := 0
	for ; i+8 <= len(id); i += 8 {
		w := binary.LittleEndian.Uint64(id[i:])
		del := w ^ ones*0x7F
		if (w|(w-ones*' ')&^w|(del-ones)&^del)&highs != 0 {
			return slowBadID(id)
		}
	}
	for _, c := range id[i:] {
		if c < ' ' || c >= 0x7F {
			return slowBadID(id)
		}
	}
	return false
}

func slowBadID(id []byte) bool {
	for _, r := range string(id) {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}
