package spool

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Objects are what rows say of objects by their number.
type Objects struct {
	Keys    []string
	Sources []string
}

// A Sorted is one day's rows in the order of lake.Usage: account, time, source,
// event id. What is sorted is 16 bytes a row; rows are gathered, in memory of the
// allocator, as they are read.
type Sorted struct {
	reader    *Reader
	allocator memory.Allocator
	schema    *arrow.Schema
	columns   []gatherer
	order     []entry
	current   arrow.RecordBatch
}

// An entry is a row to be sorted.
type entry struct {
	time   int64
	row    uint32 // batch and row in it, 16 bits each
	source uint32 // rank of the source's name
}

// Bounds of what is sorted here; and a file of more than 2 GiB may hold more text
// than Arrow's offsets can tell.
const (
	mostBatches = 1 << 16
	sortedRows  = 8 << 10 // of a batch that is read
)

// CanSort reports whether a day has at most that many rows and can be sorted.
func (s *Spool) CanSort(number int32, most int) bool {
	d := s.days[number]
	if d == nil || len(d.batches) > mostBatches || d.size > math.MaxInt32 {
		return d == nil
	}
	rows := 0
	for _, b := range d.batches {
		if rows += b.rows; b.rows > 1<<16 {
			return false
		}
	}
	return rows <= most
}

// Sort sorts the rows of a day that keep wants. The columns of the result are
// lake.Usage's and those named dynamic.
func (s *Spool) Sort(number int32, of Objects, dynamic []string, keep func(object int32, line int64) bool, allocator memory.Allocator) (*Sorted, error) {
	r := &Sorted{reader: s.Read([]int32{number}), allocator: allocator}
	columns := make([][]arrow.ArrayData, len(s.schema.Fields()))
	for r.reader.Next() {
		for i, column := range r.reader.current.Columns() {
			data := column.Data()
			data.Retain()
			columns[i] = append(columns[i], data)
		}
	}
	if err := r.reader.Err(); err != nil {
		return nil, errors.Join(err, r.reader.Close())
	}
	at := func(name string) []arrow.ArrayData { return columns[s.schema.FieldIndices(name)[0]] }
	sources := ranks(of.Sources)
	objects := views[int32](at("#object"), 1)
	ids := texts(at("event_id"))
	r.sort(objects, views[int64](at("#line"), 1), views[int64](at("time"), 1), texts(at("account")), ids, sources, keep)
	for _, name := range slices.Concat([]string{"event_id", "source", "account", "project", "key", "operation", "time", "object", "#line"}, dynamic) {
		g := gatherer{name: name}
		switch name {
		case "source":
			g.named(objects, of.Sources, allocator)
		case "object":
			g.named(objects, of.Keys, allocator)
		default:
			g.field = s.schema.Field(s.schema.FieldIndices(name)[0]).Type
			g.from(at(name))
		}
		r.columns = append(r.columns, g)
	}
	var fields []arrow.Field
	for _, g := range r.columns {
		fields = append(fields, arrow.Field{Name: g.name, Type: g.field, Nullable: true})
	}
	r.schema = arrow.NewSchema(fields, nil)
	return r, nil
}

// ranks are the places of texts among the distinct ones in order.
func ranks(list []string) []uint32 {
	sorted := slices.Compact(slices.Sorted(slices.Values(list)))
	ranks := make([]uint32, len(list))
	for i, text := range list {
		at, _ := slices.BinarySearch(sorted, text)
		ranks[i] = uint32(at)
	}
	return ranks
}

// sort deals the rows out to their accounts and sorts each account's, which are few.
func (r *Sorted) sort(objects [][]int32, lines, times [][]int64, accounts, ids textView, sources []uint32, keep func(int32, int64) bool) {
	numbers := map[string]uint32{}
	var names []string
	var sizes []int
	var rows []entry
	var of []uint32 // the number of each row's account
	for b := range objects {
		for i, object := range objects[b] {
			if !keep(object, lines[b][i]) {
				continue
			}
			row := uint32(b)<<16 | uint32(i)
			account := accounts.at(row)
			number, known := numbers[string(account)]
			if !known {
				number = uint32(len(names))
				name := string(account)
				numbers[name] = number
				names, sizes = append(names, name), append(sizes, 0)
			}
			sizes[number]++
			rows = append(rows, entry{times[b][i], row, sources[object]})
			of = append(of, number)
		}
	}
	begins := make([]int, len(names))
	begin := 0
	for _, name := range slices.Sorted(slices.Values(names)) {
		number := numbers[name]
		begins[number] = begin
		begin += sizes[number]
	}
	r.order = make([]entry, len(rows))
	for i, row := range rows {
		r.order[begins[of[i]]] = row
		begins[of[i]]++
	}
	for number, end := range begins {
		slices.SortFunc(r.order[end-sizes[number]:end], func(x, y entry) int {
			if x.time != y.time {
				return cmp.Compare(x.time, y.time)
			}
			if x.source != y.source {
				return cmp.Compare(x.source, y.source)
			}
			return bytes.Compare(ids.at(x.row), ids.at(y.row))
		})
	}
}

// Times are the first and the last time of the rows; ok is false where there are
// none.
func (r *Sorted) Times() (first, last time.Time, ok bool) {
	if len(r.order) == 0 {
		return first, last, false
	}
	low, high := r.order[0].time, r.order[0].time
	for _, e := range r.order {
		low, high = min(low, e.time), max(high, e.time)
	}
	return time.UnixMicro(low).UTC(), time.UnixMicro(high).UTC(), true
}

// Close gives up the memory of all batches.
func (r *Sorted) Close() error {
	r.drop()
	for _, g := range r.columns {
		if g.names != nil {
			g.names.Release()
		}
	}
	r.columns = nil
	return r.reader.Close()
}

func (r *Sorted) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// Schema implements array.RecordReader, as do the methods below.
func (r *Sorted) Schema() *arrow.Schema { return r.schema }

// Next gathers the next rows.
func (r *Sorted) Next() bool {
	r.drop()
	n := min(len(r.order), sortedRows)
	if n == 0 {
		return false
	}
	arrays := make([]arrow.Array, len(r.columns))
	for i := range r.columns {
		arrays[i] = r.columns[i].gather(r.order[:n], r.allocator)
	}
	r.order = r.order[n:]
	r.current = array.NewRecordBatch(r.schema, arrays, int64(n))
	for _, a := range arrays {
		a.Release()
	}
	return true
}

// RecordBatch is the batch that Next came to.
func (r *Sorted) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch.
func (r *Sorted) Record() arrow.RecordBatch { return r.current }

// Err is nil: what can go wrong did in Sort.
func (r *Sorted) Err() error { return nil }

// Retain does nothing: the run owns the reader.
func (r *Sorted) Retain() {}

// Release does nothing.
func (r *Sorted) Release() {}
