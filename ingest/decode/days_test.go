package decode

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// TestDaysInAnyOrder writes rows of more days than may be open, in turns: each row
// comes out once, in a batch of its day, and is counted by the object it is of.
func TestDaysInAnyOrder(t *testing.T) {
	pool := NewPool()
	defer pool.Close()
	got := map[int32]int64{}
	d := days{pool: pool, schema: UsageSchema(nil), emit: func(number int32, b arrow.RecordBatch) bool {
		defer b.Release()
		got[number] += b.NumRows()
		return true
	}}
	defer d.free()
	const of, turns = mostDays + 100, 3
	for range 2 {
		d.begin()
		for range turns {
			for n := range of {
				day := d.of(int64(n-of/2)*microsOfDay + 1)
				day.batch.cols[usageLine].int64(day.batch.rows, 1)
				d.wrote(day)
			}
		}
		counted := map[int32]int64{}
		d.count(counted)
		for n := range int32(of) {
			if counted[n-of/2] != turns {
				t.Fatalf("day %d: %d rows counted", n-of/2, counted[n-of/2])
			}
		}
	}
	if !d.flush() {
		t.Fatal("stopped")
	}
	for n := range int32(of) {
		if got[n-of/2] != 2*turns {
			t.Fatalf("day %d: %d rows", n-of/2, got[n-of/2])
		}
	}
}
