package parquet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/parquet"
)

var columns = []duck.Column{
	{Name: "id", Type: "VARCHAR"},
	{Name: "account", Type: "VARCHAR"},
	{Name: "mixed", Type: "VARCHAR"},
	{Name: "none", Type: "VARCHAR"},
	{Name: "time", Type: "TIMESTAMP"},
	{Name: "few", Type: "BIGINT"},
	{Name: "wild", Type: "BIGINT"},
	{Name: "small", Type: "INTEGER"},
	{Name: "late", Type: "BOOLEAN"},
	{Name: "credits", Type: "DECIMAL(18,6)"},
	{Name: "same", Type: "BIGINT"},
}

var names = []string{"alpha", "", "gamma ü", strings.Repeat("long", 100), "unused", "zeta"}

// random makes rows of text as DuckDB prints them; "NULL" is none.
func random(rng *rand.Rand, n int) [][]string {
	rows := make([][]string, n)
	at := int64(1_760_000_000_000_000)
	for i := range rows {
		row := make([]string, len(columns))
		at += rng.Int64N(5_000_000_000) - 1_000_000_000
		wild := []int64{math.MinInt64, math.MaxInt64, 0, -1, rng.Int64(), int64(i)}[rng.IntN(6)]
		for c, value := range []any{
			fmt.Sprintf("event-%06d", i), names[[]int{0, 0, 1, 2, 3, 5}[i/50%6]], names[rng.IntN(3)], "NULL",
			time.UnixMicro(at).UTC().Format("2006-01-02 15:04:05.000000"), rng.Int64N(7), wild, rng.Int32() - math.MaxInt32/2,
			rng.IntN(3) == 0, fmt.Sprintf("%d.%06d", rng.Int64N(999_999_999_999), rng.Int64N(1_000_000)), 42,
		} {
			row[c] = fmt.Sprint(value)
			if c != 0 && rng.IntN(5) == 0 && c != 10 {
				row[c] = "NULL"
			}
		}
		rows[i] = row
	}
	return rows
}

// write writes rows; of the column mixed it hands over as many names as given, then texts.
func write(t *testing.T, rows [][]string, named int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.parquet")
	w, err := parquet.Create(path, columns, func(n uint32) string { return names[n] })
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for c, value := range row {
			column := &w.Columns[c]
			switch {
			case value == "NULL":
				column.AppendNull()
			case columns[c].Name == "account" || columns[c].Name == "mixed" && i < named:
				column.AppendName(uint32(slices.Index(names, value)))
			case columns[c].Type == "VARCHAR":
				column.AppendText([]byte(value))
			default:
				column.AppendInt(number(t, columns[c].Type, value))
			}
		}
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	n, err := w.Close()
	if err != nil || n != int64(len(rows)) {
		t.Fatalf("%d rows, %v; want %d", n, err, len(rows))
	}
	return path
}

func number(t *testing.T, typ, value string) (n int64) {
	t.Helper()
	switch typ {
	case "BOOLEAN":
		if value == "true" {
			n = 1
		}
		return n
	case "TIMESTAMP":
		at, err := time.Parse("2006-01-02 15:04:05.000000", value)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixMicro()
	}
	if _, err := fmt.Sscan(strings.Replace(value, ".", "", 1), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// sizes are of files without rows, of part of a group of eight, and of several row
// groups and pages.
var sizes = []int{0, 1, 7, 8, 9, 1000, 130_000}

func TestDuckDBReadsWhatWasWritten(t *testing.T) {
	for _, size := range sizes {
		rows := random(rand.New(rand.NewPCG(uint64(size), 1)), size)
		path := write(t, rows, size/2)
		session, err := duck.Open(t.Context(), duck.Options{Scratch: t.TempDir(), Folders: []string{filepath.Dir(path)}})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, c := range columns {
			list = append(list, "coalesce("+c.Name+"::VARCHAR, 'NULL')")
		}
		result, err := session.Rows(t.Context(), "SELECT ["+strings.Join(list, ", ")+"]::VARCHAR[] FROM read_parquet("+duck.Literal(path)+")")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for result.Next() {
			var got []any
			if err := result.Scan(&got); err != nil {
				t.Fatal(err)
			}
			for c, want := range rows[n] {
				if columns[c].Type == "TIMESTAMP" {
					want = strings.TrimRight(strings.TrimRight(want, "0"), ".")
					got[c] = strings.TrimRight(strings.TrimRight(got[c].(string), "0"), ".")
				}
				if got[c] != want {
					t.Fatalf("%d rows: row %d, %s: %q, want %q", size, n, columns[c].Name, got[c], want)
				}
			}
			n++
		}
		if err := result.Err(); err != nil || n != size {
			t.Fatalf("%d rows, %v; want %d", n, err, size)
		}
		var types string
		if err := session.Row(t.Context(), "SELECT string_agg(column_type, ' ') FROM (DESCRIBE SELECT * FROM read_parquet("+duck.Literal(path)+"))").Scan(&types); err != nil {
			t.Fatal(err)
		}
		if want := "VARCHAR VARCHAR VARCHAR VARCHAR TIMESTAMP BIGINT BIGINT INTEGER BOOLEAN DECIMAL(18,6) BIGINT"; types != want {
			t.Errorf("types %s, want %s", types, want)
		}
		var wrong int // a filter goes by minimum and maximum
		for _, row := range rows[:min(len(rows), 20)] {
			if err := session.Row(t.Context(), "SELECT count(*) FROM read_parquet("+duck.Literal(path)+") WHERE id = ?", row[0]).Scan(&wrong); err != nil || wrong != 1 {
				t.Errorf("%s is found %d times, %v", row[0], wrong, err)
			}
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestArrowReadsWhatWasWritten(t *testing.T) {
	for _, size := range sizes {
		rows := random(rand.New(rand.NewPCG(uint64(size), 2)), size)
		path := write(t, rows, size)
		opened, err := file.OpenParquetFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		reader, err := pqarrow.NewFileReader(opened, pqarrow.ArrowReadProperties{BatchSize: 1000}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		records, err := reader.GetRecordReader(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for records.Next() {
			batch := records.RecordBatch()
			for i := range int(batch.NumRows()) {
				for c, want := range rows[n] {
					column := batch.Column(c)
					got := "NULL"
					if !column.IsNull(i) {
						got = column.ValueStr(i)
						switch column := column.(type) {
						case *array.Timestamp:
							got = column.Value(i).ToTime(2).Format("2006-01-02 15:04:05.000000")
						case *array.Decimal128:
							got = column.Value(i).ToString(6)
						}
					}
					if got != want {
						t.Fatalf("%d rows: row %d, %s: %q, want %q", size, n, columns[c].Name, got, want)
					}
				}
				n++
			}
		}
		if err := records.Err(); err != nil || n != size {
			t.Fatalf("%d rows, %v; want %d", n, err, size)
		}
		records.Release()
	}
}

func TestSameRowsSameBytes(t *testing.T) {
	rows := random(rand.New(rand.NewPCG(3, 3)), 3000)
	first, err := os.ReadFile(write(t, rows, 100))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := os.ReadFile(write(t, rows, 100)); err != nil || string(first) != string(second) {
		t.Error("the same rows make different files")
	}
}

func TestTypesItCannotWrite(t *testing.T) {
	for _, typ := range []string{"DOUBLE", "DECIMAL(38,6)", "VARCHAR[]"} {
		if _, err := parquet.Create(filepath.Join(t.TempDir(), "x"), []duck.Column{{Name: "x", Type: typ}}, nil); err == nil || !strings.Contains(err.Error(), "column x: no way to write "+typ) {
			t.Errorf("%s: %v", typ, err)
		}
	}
}
