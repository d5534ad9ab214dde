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
	b, d := o.d.out, o.d
	o.common(RejectRow)
	for _, c := range []int{colHash, colPeriod, colID, colAccount, colProject, colKey, colOperation} {
		b.cols[c].null()
	}
	if f.timed {
		b.cols[colTime].int64(f.at)
	} else {
		b.cols[colTime].null()
	}
	b.cols[colReason].text([]byte(f.reason))
	d.detail = f.appendTo(d.detail[:0])
	b.cols[colDetail].text(d.detail)
	d.scratch = appendRaw(d.scratch[:0], o.frame.text())
	b.cols[colRaw].text(d.scratch)
	b.raw += len(d.detail) + len(d.scratch)
	o.endRow()
	o.counts.Rejects++
	o.counts.ByReason[f.reason]++
}

// skip counts a record that `where` leaves out.
func (o *object) skip() {
	o.counts.Skipped++
	if !o.d.o.KeepSkipped {
		return
	}
	b := o.d.out
	o.common(SkippedRow)
	for c := colHash; c < colRaw; c++ {
		b.cols[c].null()
	}
	o.d.scratch = appendRaw(o.d.scratch[:0], o.frame.text())
	b.cols[colRaw].text(o.d.scratch)
	o.endRow()
}

// endRow leaves the user's columns empty.
func (o *object) endRow() {
	b := o.d.out
	for _, c := range b.cols[colDynamic:] {
		c.null()
	}
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
