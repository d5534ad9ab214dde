// Package decode turns the bytes of an object into typed Arrow record batches: a
// row for each record, which is a usage event, an account event or a reject with
// its reason (SPEC section 3; section 14, 1-5, 7 and 45). No record is dropped
// but those that the source's `where` leaves out, and those are counted.
//
// A [Decoder] reads one object after another in one pass, without allocating for
// a record; several decoders work side by side and share a [Seen] and a [Pool].
// Usage comes out in batches of one UTC day each, the rest in others. Rows carry
// object, line and offset, so that the order in which batches come out does not
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
	Dynamic     []lake.Column // the user's columns of a batch: those of every source in the run
	Calendar    period.Calendar
	Oldest      time.Time // usage before is too_old; inclusive
	Latest      time.Time // usage after is in the future; inclusive
	Seen        *Seen
	Twice       *Seen // takes the hashes of usage that may be copies: no other usage has copies
	Pool        *Pool
	KeepSkipped bool  // give records that `where` leaves out a row too
	Limit       int64 // records of an object to decode; 0: all
	// Usage takes over a batch of a UTC day (since 1970), Other one of the rest. Not
	// ok: stop.
	Usage func(day int32, b arrow.RecordBatch) (ok bool)
	Other func(arrow.RecordBatch) (ok bool)
}

// Counts is what an object held. Records = Usage + AccountEvents + Rejects + Skipped.
type Counts struct {
	Records, Usage, AccountEvents, Rejects, Skipped int64
	Days                                            map[int32]int64  // usage by UTC day since 1970
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
	days     days
	mappings map[*source.Source]*reading
	window   window
	months   months
	idents   []byte
	detail   []byte
	scratch  []byte
	units    []int64
	texts    [][]byte
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
		o: o, oldest: oldest, latest: latest, other: newBatch(o.Pool, OtherSchema(), batchRows),
		days:     days{pool: o.Pool, schema: UsageSchema(o.Dynamic), emit: o.Usage},
		mappings: map[*source.Source]*reading{}, months: months{calendar: o.Calendar},
		units: make([]int64, len(o.Dynamic)), texts: make([][]byte, len(o.Dynamic)),
	}
}

// Close frees the memory of the batches being filled.
func (d *Decoder) Close() {
	d.other.free()
	d.days.free()
}

// Flush emits what is in the batches being filled.
func (d *Decoder) Flush() error {
	if !d.days.flush() {
		return ErrStopped
	}
	return d.flushOther()
}

func (d *Decoder) flushOther() error {
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
	d.days.begin()
	o := object{d: d, r: r, number: number, key: key}
	o.counts.Days, o.counts.ByReason = map[int32]int64{}, map[Reason]int64{}
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
			if err := d.flushOther(); err != nil {
				return Counts{}, err
			}
		}
		if d.days.stopped {
			return Counts{}, ErrStopped
		}
	}
	d.days.count(o.counts.Days)
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

// An identity is the five strings that say whose call it was.
type identity struct{ id, account, operation, project, key []byte }

// usage writes the record as a row, or says why it cannot be one.
func (o *object) usage() fault {
	r, d := o.r, o.d
	for i := range r.scalars {
		if v := &r.scalars[i]; r.rec.get(v.node).kind == slotContainer {
			return fault{reason: Malformed, field: v.name, detail: "is an object or a list where one value belongs"}
		}
	}
	var who identity
	var flaw fault
	if r.id == nil {
		d.idents = append(d.idents[:0], o.key...)
		d.idents = append(d.idents, ':')
		d.idents = strconv.AppendInt(d.idents, o.frame.line, 10)
		if who.id = d.idents; badID(who.id) {
			return fault{reason: BadID, detail: "its id, made of key and line, is longer than 256 bytes or has a control character"}
		}
	} else if who.id, flaw = o.ident(r.id, true); flaw.reason != "" {
		return flaw
	}
	if who.account, flaw = o.ident(&r.account, true); flaw.reason != "" {
		return flaw
	}
	if who.operation, flaw = o.ident(&r.operation, true); flaw.reason != "" {
		return flaw
	}
	if who.project, flaw = o.ident(r.project, false); flaw.reason != "" {
		return flaw
	}
	if who.key, flaw = o.ident(r.key, false); flaw.reason != "" {
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
	o.write(&who, at)
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

// dynamics reads dimensions into texts (nil: NULL) and quantities into units (-1:
// NULL).
func (o *object) dynamics() fault {
	r, d := o.r, o.d
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
			d.texts[i] = text
			continue
		}
		if !ok {
			d.units[i] = -1
			if column.has {
				d.units[i] = column.units
			}
			continue
		}
		units, bad := column.parse(text)
		if bad != numberOK {
			return bad.fault(column, text)
		}
		d.units[i] = units
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

// write appends a usage row.
func (o *object) write(who *identity, at int64) {
	d := o.d
	month := d.months.of(at)
	hash := d.hash(o.r.src.Name, who, month)
	met := d.o.Seen.touch(hash)
	day := d.days.of(at)
	b := day.batch
	row := b.rows
	b.cols[usageObject].int32(row, o.number)
	b.cols[usageLine].int64(row, o.frame.line)
	b.cols[usageOffset].int64(row, o.frame.offset)
	b.cols[usageHash].int64(row, int64(hash))
	b.cols[usagePeriod].int32(row, month)
	b.cols[usageTime].int64(row, at)
	b.cols[usageID].text(row, who.id)
	b.cols[usageAccount].text(row, who.account)
	if who.project != nil {
		b.cols[usageProject].text(row, who.project)
	}
	if who.key != nil {
		b.cols[usageKey].text(row, who.key)
	}
	b.cols[usageOperation].text(row, who.operation)
	for _, i := range o.r.mapped {
		column, c := &o.r.dynamic[i], b.cols[usageDynamic+i]
		switch {
		case !column.quantity:
			if text := d.texts[i]; text != nil {
				c.text(row, text)
			}
		case d.units[i] < 0:
		case column.decimal:
			c.decimal(row, d.units[i])
		default:
			c.int64(row, d.units[i])
		}
	}
	b.raw += o.frame.end // no less than the texts
	if d.o.Seen.addTo(met, hash) {
		d.o.Twice.add(hash)
		o.common(UsageRow)
		o.endRow(o.raw())
	}
	d.days.wrote(day)
	o.counts.Usage++
}

func (d *Decoder) hash(src string, who *identity, month int32) uint64 {
	s := d.scratch[:0]
	s = append(s, byte(month), byte(month>>8), byte(month>>16), byte(len(who.account)), byte(len(who.account)>>8))
	s = append(s, who.account...)
	s = append(s, who.id...)
	s = append(s, 0)
	s = append(s, src...)
	d.scratch = s
	return xxh3.Hash(s)
}

// months finds the period of an instant, mostly the one of the instant before.
type months struct {
	calendar period.Calendar
	from, to int64
	month    int32
}

func (m *months) of(at int64) int32 {
	if at < m.from || at >= m.to {
		t := time.UnixMicro(at)
		p := m.calendar.Of(t)
		m.from, m.to = m.calendar.Start(p).UnixMicro(), m.calendar.End(p).UnixMicro()
		m.month = Month(m.calendar, t)
	}
	return m.month
}

// Month is the number that a batch has for the period of t.
func Month(calendar period.Calendar, t time.Time) int32 {
	local := t.In(calendar.Location())
	return int32(local.Year()*12) + int32(local.Month()) - 1
}
