package row_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/row"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

var columns = []lake.Column{
	{Name: "model", Type: lake.DimensionType},
	{Name: "tokens", Type: lake.IntegerQuantityType},
	{Name: "seconds", Type: lake.DecimalQuantityType},
	{Name: "unused", Type: lake.DimensionType},
}

var objects = row.Objects{Keys: []string{"a/1", "b/1", "b/2"}, Sources: []string{"zeta", "beta", "beta"}}

// event makes the n-th event; keys hardly recur, so that most get no number.
func event(rng *rand.Rand, n int) *decode.Usage {
	text := func(format string, among int) []byte {
		if rng.IntN(5) == 0 {
			return nil
		}
		return fmt.Appendf(nil, format, rng.IntN(among))
	}
	u := &decode.Usage{
		Object: rng.Int32N(3), Line: int64(n + 1), Offset: rng.Int64N(1 << 40), Hash: rng.Uint64N(100),
		Time: rng.Int64N(3*86400)*1_000_000 - 86400*1_000_000, ID: fmt.Appendf(nil, "e%d", n),
		Account: fmt.Appendf(nil, "acct-%d", rng.IntN(700)), Project: text("p%d", 3), Key: fmt.Appendf(nil, "key-%d", n), Operation: []byte("op"),
		Texts: [][]byte{text("m%d", 4), nil, nil, nil}, Units: []int64{-1, rng.Int64N(4) - 1, rng.Int64N(4_000_000) - 1, -1},
	}
	if rng.IntN(10) == 0 {
		u.Texts[0] = []byte{} // an empty text is not NULL
	}
	return u
}

func or(null bool, value any) string {
	if null {
		return "NULL"
	}
	return fmt.Sprint(value)
}

// tail are the columns of project to the dynamic ones as a test compares them.
func tail(u *decode.Usage) string {
	return strings.Join([]string{
		string(u.Account), or(u.Project == nil, string(u.Project)), string(u.Key), string(u.Operation),
		or(u.Texts[0] == nil, string(u.Texts[0])), or(u.Units[1] < 0, u.Units[1]), or(u.Units[2] < 0, decimal128.FromI64(u.Units[2]).ToString(6)),
	}, "|")
}

func fill(t *testing.T, n int) (*row.Rows, []*decode.Usage) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	rows := row.New(t.TempDir(), columns)
	writers := []*row.Writer{rows.Writer(), rows.Writer()}
	var events []*decode.Usage
	for i := range n {
		u := event(rng, i)
		events = append(events, u)
		if !writers[rng.IntN(2)].Write(u) {
			t.Fatal("not written")
		}
	}
	for _, w := range writers {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return rows, events
}

func day(u *decode.Usage) int32 { return int32((u.Time+86400*1_000_000)/(86400*1_000_000)) - 1 }

// TestFilesAreWhatWasWritten writes more keys than get numbers, and compares the
// files of each day with the same events sorted naively.
func TestFilesAreWhatWasWritten(t *testing.T) {
	rows, events := fill(t, 300_000)
	if got := rows.Days(); !slices.Equal(got, []int32{-1, 0, 1}) {
		t.Fatalf("days %v", got)
	}
	sorting := rows.NewSorting(objects, columns[:3], 1<<30)
	folder := t.TempDir()
	session, err := duck.Open(t.Context(), duck.Options{Scratch: t.TempDir(), Folders: []string{folder}})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for _, number := range rows.Days() {
		files, err := sorting.Files(number, func(_ int32, line int64) bool { return line%7 != 0 }, func(n int) string {
			return filepath.Join(folder, fmt.Sprint(number, "-", n))
		})
		if err != nil || len(files) != 1 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		var want []*decode.Usage
		newest := map[string]int64{}
		for _, u := range events {
			if day(u) == number && u.Line%7 != 0 {
				want = append(want, u)
				newest[objects.Sources[u.Object]] = max(newest[objects.Sources[u.Object]], u.Time)
			}
		}
		slices.SortFunc(want, func(x, y *decode.Usage) int {
			return cmp.Or(cmp.Compare(string(x.Account), string(y.Account)), cmp.Compare(x.Time, y.Time),
				cmp.Compare(objects.Sources[x.Object], objects.Sources[y.Object]), cmp.Compare(string(x.ID), string(y.ID)))
		})
		if number >= 0 {
			for source, at := range files[0].Newest {
				if at.UnixMicro() != newest[source] {
					t.Errorf("newest of %s is %s, want %d", source, at, newest[source])
				}
			}
		}
		result, err := session.Rows(t.Context(), `SELECT event_id, source, epoch_us(time), object, line, concat_ws('|', account, coalesce(project, 'NULL'),
			key, operation, coalesce(model, 'NULL'), coalesce(tokens::VARCHAR, 'NULL'), coalesce(seconds::VARCHAR, 'NULL')) FROM read_parquet(`+duck.Literal(files[0].Path)+")")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; result.Next(); n++ {
			var id, source, object, rest string
			var at, line int64
			if err := result.Scan(&id, &source, &at, &object, &line, &rest); err != nil {
				t.Fatal(err)
			}
			w := want[n]
			if id != string(w.ID) || source != objects.Sources[w.Object] || at != w.Time || object != objects.Keys[w.Object] || line != w.Line || rest != tail(w) {
				t.Fatalf("day %d row %d: %s %s %d %s %d %s, want %s %s", number, n, id, source, at, object, line, rest, w.ID, tail(w))
			}
		}
		if err := result.Err(); err != nil || n != len(want) || files[0].Rows != int64(n) {
			t.Fatalf("%d rows, %v; want %d", n, err, len(want))
		}
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
}

func TestPickedRowsAreRead(t *testing.T) {
	rows, events := fill(t, 20_000)
	picked, err := rows.Pick(func(hash uint64) bool { return hash < 3 })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*decode.Usage{}
	for _, u := range events {
		if u.Hash < 3 {
			want[string(u.ID)] = u
		}
	}
	reader, err := picked.Read(picked.Days(), func(at int64) int32 { return int32(at % 13) })
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for reader.Next() {
		b := reader.RecordBatch()
		for i := range int(b.NumRows()) {
			u := want[b.Column(5).ValueStr(i)]
			if u == nil {
				t.Fatalf("%s was not asked for", b.Column(5).ValueStr(i))
			}
			var got []string
			for c := range int(b.NumCols()) {
				column := b.Column(c)
				switch column := column.(type) {
				case *array.Timestamp:
					got = append(got, fmt.Sprint(int64(column.Value(i))))
				case *array.Decimal128:
					got = append(got, or(column.IsNull(i), column.Value(i).ToString(6)))
				default:
					got = append(got, or(column.IsNull(i), column.ValueStr(i)))
				}
			}
			line := fmt.Sprintf("%d|%d|%d|%d|%d|%s|%s|NULL", u.Object, u.Line, u.Offset, u.Time%13, u.Time, u.ID, tail(u))
			if strings.Join(got, "|") != line {
				t.Fatalf("%s, want %s", strings.Join(got, "|"), line)
			}
			n++
		}
	}
	if reader.Err() != nil || n != len(want) || n == 0 {
		t.Errorf("%d rows, %v; want %d", n, reader.Err(), len(want))
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}
