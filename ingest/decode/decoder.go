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

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
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
	KeepSkipped bool   // give records that `where` leaves out a row too
	Limit       int64  // records of an object to decode; 0: all
	Scratch     string // a folder for copies of Parquet objects while they are read; "": the system's
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

const microsOfDay = 86400 * 1_000_000

// Day is the event's UTC day since 1970.
func (u *Usage) Day() int32 { return int32(floorDiv(int(u.Time), microsOfDay)) }

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
	row      []byte // of Parquet, as JSON
	stopped  bool   // Usage said so
}

// A reading is a mapping with what reads its records.
type reading struct {
	*mapping
	json    *scanner
	csv     *csvReader
	parquet *parquetReader
	rec     *values
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
	r := newReading(m)
	d.mappings[src] = r
	return r, nil
}

func newReading(m *mapping) *reading {
	r := &reading{mapping: m}
	switch m.src.Format {
	case source.CSV:
		r.csv = newCSVReader(m)
		r.rec = &r.csv.values
	case source.Parquet:
		r.parquet = newParquetReader(m)
		r.rec = &r.parquet.values
	default:
		r.json = newScanner(m.tree)
		r.rec = &r.json.values
	}
	return r
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
	for i := range d.o.Dynamic { // what the source before mapped
		d.usage.Texts[i], d.usage.Units[i] = nil, -1
	}
	o := object{d: d, r: r, number: number, key: key}
	o.counts.ByReason = map[Reason]int64{}
	defer r.close()
	if err := o.open(stream); err != nil {
		if errors.Is(err, io.EOF) {
			return o.counts, nil
		}
		return Counts{}, err
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

// close gives up what the object's records came from.
func (r *reading) close() {
	if r.parquet != nil {
		r.parquet.close()
	}
}

// An object is one object being decoded.
type object struct {
	d      *Decoder
	r      *reading
	number int32
	key    string
	layout *source.Layout // of events' times: the source's, or what the object itself says
	frame  frame
	counts Counts
}

// open begins with the stream; io.EOF: it has no header, and so no records.
func (o *object) open(stream io.Reader) error {
	o.layout = o.r.layout
	if o.r.parquet == nil {
		o.d.window.reset(stream)
		if o.r.csv != nil {
			return o.r.csv.header(&o.d.window)
		}
		return nil
	}
	if ending := source.Packed(o.key); ending != "" {
		return fmt.Errorf("a Parquet file is packed within, and one that is packed again (%s) is not read: deliver it unpacked, or keep it out of the source's path", ending)
	}
	if err := o.r.parquet.open(stream, o.d.o.Scratch); err != nil {
		return err
	}
	if o.r.parquet.time != nil {
		o.layout = o.r.parquet.time
	}
	return nil
}

// next frames the next record; io.EOF: there is none.
func (o *object) next() error {
	switch {
	case o.r.csv != nil:
		return o.r.csv.next(&o.d.window, &o.frame)
	case o.r.parquet != nil:
		return o.r.parquet.next(&o.frame)
	default:
		return o.d.window.next(&o.frame)
	}
}

// record decodes the next record into a row.
func (o *object) record() (more bool, err error) {
	f := &o.frame
	err = o.next()
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
	if o.r.src.Format == source.JSONLines && !o.r.json.scan(f.b, f.end) {
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
