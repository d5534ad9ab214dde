package decode

import (
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

const microsOfDay = 86400 * 1_000_000

// days are the usage batches that a decoder fills, one for each UTC day. Logs come
// about in the order of time, so few are open as a rule; memory is bounded where
// they do not.
type days struct {
	pool    *Pool
	schema  *arrow.Schema
	emit    func(day int32, b arrow.RecordBatch) bool
	open    map[int32]*day
	last    *day
	ended   map[int32]int64 // rows, of the object being read, of days that are open no more
	stopped bool            // emit said so
}

type day struct {
	number int32 // since 1970
	from   int64 // micros
	batch  *batch
	rows   int64 // of the object being read
}

// Beyond manyDays, a decoder's batches are small; beyond mostDays, the fullest go.
const (
	manyDays = 32
	mostDays = 1024
)

// of returns the day of an instant.
func (d *days) of(at int64) *day {
	if d.last != nil && at >= d.last.from && at-d.last.from < microsOfDay {
		return d.last
	}
	number := int32(floorDiv(int(at), microsOfDay))
	found := d.open[number]
	if found == nil {
		if len(d.open) >= mostDays {
			d.endFullest()
		}
		rows := batchRows
		if len(d.open) >= manyDays {
			rows = fewRows
		}
		if d.open == nil {
			d.open, d.ended = map[int32]*day{}, map[int32]int64{}
		}
		found = &day{number: number, from: int64(number) * microsOfDay, batch: newBatch(d.pool, d.schema, rows)}
		d.open[number] = found
	}
	d.last = found
	return found
}

// wrote counts the row just written to the day's batch.
func (d *days) wrote(in *day) {
	in.rows++
	if in.batch.rows++; in.batch.full() {
		d.take(in)
	}
}

func (d *days) take(from *day) {
	if !d.stopped && from.batch.rows > 0 {
		d.stopped = !d.emit(from.number, from.batch.take())
	}
	from.batch.rows = 0 // where nobody wants them
}

func (d *days) endFullest() {
	var fullest *day
	for _, day := range d.open {
		if fullest == nil || day.batch.rows > fullest.batch.rows {
			fullest = day
		}
	}
	d.take(fullest)
	fullest.batch.free()
	d.ended[fullest.number] += fullest.rows
	delete(d.open, fullest.number)
}

// begin starts the count of an object's rows.
func (d *days) begin() {
	clear(d.ended)
	for _, day := range d.open {
		day.rows = 0
	}
}

// count adds the object's rows by day.
func (d *days) count(to map[int32]int64) {
	for number, rows := range d.ended {
		to[number] += rows
	}
	for number, day := range d.open {
		if day.rows > 0 {
			to[number] += day.rows
		}
	}
}

// flush emits what is in the batches, and reports whether it was wanted.
func (d *days) flush() bool {
	for _, number := range slices.Sorted(maps.Keys(d.open)) {
		d.take(d.open[number])
	}
	return !d.stopped
}

func (d *days) free() {
	for _, day := range d.open {
		day.batch.free()
	}
	d.open, d.last = nil, nil
}
