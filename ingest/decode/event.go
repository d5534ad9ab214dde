package decode

import (
	"strconv"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/when"
)

// wanted reports whether the source's `where` holds.
func (o *object) wanted() bool {
	for i := range o.r.where {
		c := &o.r.where[i]
		s := o.r.rec.get(c.node)
		if s.kind == slotContainer {
			return false
		}
		// Match keeps nothing of the text, which is good until the next record.
		text := unsafe.String(unsafe.SliceData(s.text), len(s.text))
		if !c.test.Match(when.Value{Text: text, Null: s.kind == slotNull, Number: s.kind == slotNumber}) {
			return false
		}
	}
	return true
}

// usage hands the record on as a usage event, or says why it cannot be one.
func (o *object) usage() fault {
	r, d := o.r, o.d
	for i := range r.scalars {
		if v := &r.scalars[i]; r.rec.get(v.node).kind == slotContainer {
			return fault{reason: Malformed, field: v.name, detail: "is an object or a list where one value belongs"}
		}
	}
	u := &d.usage
	var flaw fault
	if r.id == nil {
		d.idents = append(d.idents[:0], o.key...)
		d.idents = append(d.idents, ':')
		d.idents = strconv.AppendInt(d.idents, o.frame.line, 10)
		if u.ID = d.idents; badID(u.ID) {
			return fault{reason: BadID, detail: "its id, made of key and line, is longer than 256 bytes or has a control character"}
		}
	} else if u.ID, flaw = o.ident(r.id, true); flaw.reason != "" {
		return flaw
	}
	if u.Account, flaw = o.ident(&r.account, true); flaw.reason != "" {
		return flaw
	}
	if u.Operation, flaw = o.ident(&r.operation, true); flaw.reason != "" {
		return flaw
	}
	if u.Project, flaw = o.ident(r.project, false); flaw.reason != "" {
		return flaw
	}
	if u.Key, flaw = o.ident(r.key, false); flaw.reason != "" {
		return flaw
	}
	text, ok := r.read(&r.time, r.rec)
	if !ok || len(text) == 0 {
		return fault{reason: MissingField, field: r.time.name, detail: "is absent: the event has no time"}
	}
	at, ok := parseInstant(text, o.layout)
	if !ok {
		return fault{reason: BadTime, field: r.time.name, value: text, valued: true, detail: "is no time of the source's layout"}
	}
	if flaw = o.dynamics(); flaw.reason != "" {
		flaw.at, flaw.timed = at, true
		return flaw
	}
	if at > d.latest {
		return fault{reason: Future, field: r.time.name, value: text, valued: true, at: at, timed: true, detail: "is later than " + period.FormatInstant(d.o.Latest)}
	}
	if at < d.oldest {
		return fault{reason: TooOld, field: r.time.name, value: text, valued: true, at: at, timed: true, detail: "is earlier than " + period.FormatInstant(d.o.Oldest)}
	}
	o.emit(at)
	return fault{}
}

// ident reads an id. One that is not needed may be nil, or absent.
func (o *object) ident(v *value, needed bool) ([]byte, fault) {
	if v == nil {
		return nil, fault{}
	}
	text, ok := o.r.read(v, o.r.rec)
	switch {
	case !ok && needed:
		return nil, fault{reason: MissingField, field: v.name, detail: "is absent"}
	case !ok:
		return nil, fault{}
	case len(text) == 0:
		return nil, fault{reason: MissingField, field: v.name, detail: "is empty"}
	case badID(text):
		return nil, fault{reason: BadID, field: v.name, value: text, valued: true, detail: "is longer than 256 bytes or has a control character"}
	}
	return text, fault{}
}

// dynamics reads dimensions and quantities.
func (o *object) dynamics() fault {
	r, u := o.r, &o.d.usage
	for _, i := range r.mapped {
		column := &r.dynamic[i]
		text, ok := r.read(&column.value, r.rec)
		if !column.quantity {
			switch {
			case !ok && column.has:
				text = column.fallback
			case !ok:
				text = nil
			}
			u.Texts[i] = text
			continue
		}
		if !ok {
			u.Units[i] = -1
			if column.has {
				u.Units[i] = column.units
			}
			continue
		}
		units, bad := column.parse(text)
		if bad != numberOK {
			return bad.fault(column, text)
		}
		u.Units[i] = units
	}
	return fault{}
}

func (n numberFault) fault(column *dynamic, text []byte) fault {
	f := fault{field: column.value.name, value: text, valued: true}
	switch n {
	case numberNegative:
		f.reason, f.detail = NegativeQuantity, "is negative"
	case numberOverflow:
		f.reason, f.detail = NumberOverflow, "does not fit DECIMAL(18,6)"
		if !column.decimal {
			f.detail = "does not fit BIGINT"
		}
	default:
		f.reason, f.detail = BadNumber, "is no number"
		if !column.decimal {
			f.detail = "is no whole number"
		}
	}
	return f
}

// emit hands the event on.
func (o *object) emit(at int64) {
	d, u := o.d, &o.d.usage
	u.Object, u.Line, u.Offset = o.number, o.frame.line, o.frame.offset
	u.Time, u.Hash = at, d.hash(o.r.src.Name, d.months.Of(at))
	met := d.o.Seen.touch(u.Hash)
	if !d.o.Usage(u) {
		d.stopped = true
	}
	if d.o.Seen.addTo(met, u.Hash) {
		d.o.Twice.add(u.Hash)
		o.common(UsageRow)
		o.endRow(o.raw())
	}
	o.counts.Usage++
}

// hash is that of the event's identity: source, account, id and period.
func (d *Decoder) hash(src string, month int32) uint64 {
	u := &d.usage
	s := d.scratch[:0]
	s = append(s, byte(month), byte(month>>8), byte(month>>16), byte(len(u.Account)), byte(len(u.Account)>>8))
	s = append(s, u.Account...)
	s = append(s, u.ID...)
	s = append(s, 0)
	s = append(s, src...)
	d.scratch = s
	return xxh3.Hash(s)
}
