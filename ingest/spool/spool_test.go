package spool

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "#object", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "#line", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "time", Type: &arrow.TimestampType{Unit: arrow.Microsecond}, Nullable: true},
	{Name: "event_id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "account", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "project", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "key", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "operation", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "model", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "tokens", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "seconds", Type: &arrow.Decimal128Type{Precision: 18, Scale: 6}, Nullable: true},
}, nil)

var objects = Objects{Keys: []string{"a/1", "b/1", "b/2"}, Sources: []string{"zeta", "beta", "beta"}}

// A row is a row of the tests; an empty text, -1 and key are NULL.
type row struct {
	object                  int32
	line, time              int64
	id, account, model      string
	tokens, secondsMillions int64
}

func (r row) String() string {
	null := func(is bool, value any) any {
		if is {
			return "(null)"
		}
		return value
	}
	seconds := decimal128.FromI64(r.secondsMillions).ToString(6)
	return fmt.Sprint(r.id, " ", objects.Sources[r.object], " ", r.account, " (null) (null) op ", r.time, " ", objects.Keys[r.object], " ", r.line,
		" ", null(r.model == "", r.model), " ", null(r.tokens < 0, r.tokens), " ", null(r.secondsMillions < 0, seconds))
}

func record(rows []row) arrow.RecordBatch {
	b := array.NewRecordBuilder(mallocator.NewMallocator(), schema)
	defer b.Release()
	for _, r := range rows {
		b.Field(0).(*array.Int32Builder).Append(r.object)
		b.Field(1).(*array.Int64Builder).Append(r.line)
		b.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(r.time))
		b.Field(3).(*array.StringBuilder).Append(r.id)
		b.Field(4).(*array.StringBuilder).Append(r.account)
		b.Field(5).AppendNull()
		b.Field(6).AppendNull()
		b.Field(7).(*array.StringBuilder).Append("op")
		if r.model == "" {
			b.Field(8).AppendNull()
		} else {
			b.Field(8).(*array.StringBuilder).Append(r.model)
		}
		if r.tokens < 0 {
			b.Field(9).AppendNull()
		} else {
			b.Field(9).(*array.Int64Builder).Append(r.tokens)
		}
		if r.secondsMillions < 0 {
			b.Field(10).AppendNull()
		} else {
			b.Field(10).(*array.Decimal128Builder).Append(decimal128.FromI64(r.secondsMillions))
		}
	}
	return b.NewRecordBatch()
}

// TestSortedDayIsWhatWasWritten writes random rows in batches of random sizes, and
// compares a day read sorted with the same rows sorted naively.
func TestSortedDayIsWhatWasWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := New(t.TempDir(), schema)
	writers := []*Writer{s.Writer(), s.Writer()}
	var of [2][]row
	for batch := range 40 {
		day := batch % 2
		var rows []row
		for range 1 + rng.IntN(700) {
			r := row{
				object: rng.Int32N(3), line: int64(len(of[day]) + len(rows) + 1), time: rng.Int64N(50),
				account: fmt.Sprint("acct-", rng.IntN(120)), model: strings.Repeat("m", rng.IntN(60)), tokens: rng.Int64N(5) - 1, secondsMillions: rng.Int64N(4_000_000) - 1,
			}
			r.id = fmt.Sprint("e", r.line*7919%100003) // each once, in no order
			if batch < 4 {
				r.model, r.tokens, r.secondsMillions = "", -1, -1
			}
			rows = append(rows, r)
		}
		of[day] = append(of[day], rows...)
		if !writers[rng.IntN(2)].Write(int32(day), record(rows)) {
			t.Fatal("not written")
		}
	}
	if got := s.Days(); !slices.Equal(got, []int32{0, 1}) {
		t.Fatalf("days %v", got)
	}
	for day := range of {
		sorted, err := s.Sort(int32(day), objects, []string{"model", "tokens", "seconds"}, func(object int32, line int64) bool {
			return line%7 != 0
		}, mallocator.NewMallocator())
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(of[day], func(r row) bool { return r.line%7 == 0 })
		slices.SortFunc(want, func(x, y row) int {
			key := func(r row) string {
				return fmt.Sprintf("%s\x00%03d\x00%s\x00%s", r.account, r.time, objects.Sources[r.object], r.id)
			}
			return strings.Compare(key(x), key(y))
		})
		var got []string
		for sorted.Next() {
			b := sorted.RecordBatch()
			for i := range int(b.NumRows()) {
				var values []string
				for _, column := range b.Columns() {
					value := column.ValueStr(i)
					switch column := column.(type) {
					case *array.Timestamp:
						value = fmt.Sprint(int64(column.Value(i)))
					case *array.Decimal128:
						if !column.IsNull(i) {
							value = column.Value(i).ToString(6)
						}
					}
					values = append(values, value)
				}
				got = append(got, strings.Join(values, " "))
			}
		}
		var texts []string
		for _, r := range want {
			texts = append(texts, r.String())
		}
		if !slices.Equal(got, texts) {
			t.Errorf("day %d: %d rows, want %d", day, len(got), len(texts))
			for i := range min(len(got), len(texts)) {
				if got[i] != texts[i] {
					t.Fatalf("row %d: %q, want %q", i, got[i], texts[i])
				}
			}
		}
		if err := sorted.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
