// Package decode turns the bytes of an object into typed records: usage events, one
// at a time, and Arrow record batches of account events and of rejects with their
// reason (SPEC section 3; section 14, 1-5, 7 and 45). No record is dropped
// but those that the source's `where` leaves out, and those are counted.
//
// A [Decoder] reads one object after another in one pass, without allocating for
// a record; several decoders work side by side and share a [Seen] and a [Pool].
// All that comes out carries object, line and offset, so that its order does not
// matter. Duplicates are not judged here: an event that may be a copy leaves its
// raw text in a row of its own, and package ingest settles it.
package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/when"
)

// Options are what decoders of one run share.
type Options struct {
	Dynamic     []lake.Column // dimensions and quantities: those of every source in the run
	Calendar    period.Calendar
	Oldest      time.Time // usage before is too_old; inclusive
	Latest      time.Time // usage after is in the future; inclusive
	Seen        *Seen
	Twice       *Seen // takes the hashes of usage that may be copies: no other usage has copies
	Pool        *Pool
	KeepSkipped bool  // give records that `where` leaves out a row too
	Limit       int64 // records of an object to decode; 0: all
	// Usage is called with each usage event, Other takes over batches of the rest. Not
	// ok: stop.
	Usage func(*Usage) (ok bool)
	Other func(arrow.RecordBatch) (ok bool)
}

// Usage is a usage event as the source maps it. Its texts are good until the call
// that it is given to returns.
type Usage struct {
	Object                               int32    // by the number that the caller gave it
	Line, Offset                         int64    // of the record, in the unpacked stream
	Hash                                 uint64   // of source, account, id and period
	Time                                 int64    // microseconds since 1970
	ID, Account, Project, Key, Operation []byte   // Project and Key: nil for NULL
	Texts                                [][]byte // by number in Options.Dynamic: of a dimension; nil: NULL
	Units                                []int64  // of a quantity, in its type's smallest units; -1: NULL
}

// Counts is what an object held. Records = Usage + AccountEvents + Rejects + Skipped.
type Counts struct {
	Records, Usage, AccountEvents, Rejects, Skipped int64
	ByReason                                        map[Reason]int64 // the rejects
}

// ErrStopped is what Object returns after Usage or Other said to stop.
var ErrStopped = errors.New("decoding was stopped")

// A Decoder reads objects. It is not safe for concurrent use.
type Decoder struct {
	o        Options
	oldest   int64
	latest   int64
	other    *batch
	usage    Usage
	mappings map[*source.Source]*reading
	window   window
	months   Months
	idents   []byte
	detail   []byte
	scratch  []byte
	stopped  bool // Usage said so
}

// A reading is a mapping with what reads its records.
type reading struct {
	*mapping
	json *scanner
	csv  *csvReader
	rec  *values
}

// New returns a decoder with an empty batch.
func New(o Options) *Decoder {
	oldest, _ := micro(o.Oldest)
	latest, _ := micro(o.Latest)
	return &Decoder{
		o: o, oldest: oldest, latest: latest, other: newBatch(o.Pool, OtherSchema()),
		usage:    Usage{Units: make([]int64, len(o.Dynamic)), Texts: make([][]byte, len(o.Dynamic))},
		mappings: map[*source.Source]*reading{}, months: Months{Calendar: o.Calendar},
	}
}

// Close frees the memory of the batch being filled.
func (d *Decoder) Close() { d.other.free() }

// Flush emits what is in the batch being filled.
func (d *Decoder) Flush() error {
	if d.other.rows > 0 && !d.o.Other(d.other.take()) {
		return ErrStopped
	}
	return nil
}

func (d *Decoder) reading(src *source.Source) (*reading, error) {
	if r := d.mappings[src]; r != nil {
		return r, nil
	}
	m, err := newMapping(src, d.o.Dynamic)
	if err != nil {
		return nil, err
	}
	r := &reading{mapping: m, json: newScanner(m.tree)}
	r.rec = &r.json.values
	if src.Format == source.CSV {
		r.csv = newCSVReader(m)
		r.rec = &r.csv.values
	}
	d.mappings[src] = r
	return r, nil
}

// Object decodes the object key, which is number in the batches, from its unpacked
// stream. Damage of the stream is a reject, and what came before it counts. An
// error means that nothing of the object may count: rows of it may be in batches
// already.
func (d *Decoder) Object(ctx context.Context, src *source.Source, number int32, key string, stream io.Reader) (Counts, error) {
	if !utf8.ValidString(key) {
		return Counts{}, fmt.Errorf("its key %q is not UTF-8", key)
	}
	r, err := d.reading(src)
	if err != nil {
		return Counts{}, err
	}
	r.object(key)
	d.window.reset(stream)
	for i := range d.o.Dynamic { // what the source before mapped
		d.usage.Texts[i], d.usage.Units[i] = nil, -1
	}
	o := object{d: d, r: r, number: number, key: key}
	o.counts.ByReason = map[Reason]int64{}
	if r.csv != nil {
		if err := r.csv.header(&d.window); err != nil {
			if errors.Is(err, io.EOF) {
				return o.counts, nil
			}
			return Counts{}, err
		}
	}
	for n := 0; ; n++ {
		if n&0xFFF == 0 && ctx.Err() != nil {
			return Counts{}, ctx.Err()
		}
		more, err := o.record()
		if err != nil {
			return Counts{}, err
		}
		if !more || o.counts.Records == d.o.Limit {
			break
		}
		if d.other.full() {
			if err := d.Flush(); err != nil {
				return Counts{}, err
			}
		}
		if d.stopped {
			return Counts{}, ErrStopped
		}
	}
	return o.counts, nil
}

// An object is one object being decoded.
type object struct {
	d      *Decoder
	r      *reading
	number int32
	key    string
	frame  frame
	counts Counts
}

// record decodes the next record into a row.
func (o *object) record() (more bool, err error) {
	f := &o.frame
	if o.r.csv != nil {
		err = o.r.csv.next(&o.d.window, f)
	} else {
		err = o.d.window.next(f)
	}
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	o.counts.Records++
	o.r.arena = o.r.arena[:0]
	if f.reason != "" {
		o.reject(fault{reason: f.reason, detail: f.detail})
		return true, nil
	}
	if o.r.src.Format == source.Accounts {
		o.accountEvent()
		return true, nil
	}
	if o.r.csv == nil && !o.r.json.scan(f.b, f.end) {
		o.reject(fault{reason: Malformed, detail: o.r.json.why()})
		return true, nil
	}
	if !o.wanted() {
		o.skip()
		return true, nil
	}
	if flaw := o.usage(); flaw.reason != "" {
		o.reject(flaw)
	}
	return true, nil
}

func (s *scanner) why() string { return s.fault + " at byte " + strconv.Itoa(s.at+1) }

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
	at, ok := parseInstant(text, r.layout)
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

// Months numbers the periods of instants, of which one is mostly in the period of
// the one before.
type Months struct {
	Calendar period.Calendar
	from, to int64
	month    int32
}

// Of is the number of the period of an instant, in microseconds since 1970.
func (m *Months) Of(at int64) int32 {
	if at < m.from || at >= m.to {
		t := time.UnixMicro(at)
		p := m.Calendar.Of(t)
		m.from, m.to = m.Calendar.Start(p).UnixMicro(), m.Calendar.End(p).UnixMicro()
		m.month = Month(m.Calendar, t)
	}
	return m.month
}

// Month is the number of the period of t: months since year 0.
func Month(calendar period.Calendar, t time.Time) int32 {
	local := t.In(calendar.Location())
	return int32(local.Year()*12) + int32(local.Month()) - 1
}
