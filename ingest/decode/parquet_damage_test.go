package decode

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// TestParquetDamage cuts a file short and overwrites parts of it: what cannot be
// read is one reject behind the rows that could be.
func TestParquetDamage(t *testing.T) {
	packed := parquetOf(t, callTypes, parquetRows, parquet.WithMaxRowGroupLength(3), parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Zstd))
	whole := decodeObject(t, parquetCalls, "k", bytes.NewReader(packed))
	for name, damaged := range map[string][]byte{
		"cut short": packed[:len(packed)-1], "cut in half": packed[:len(packed)/2], "three bytes": packed[:3], "text": []byte(`{"id":"1"}` + "\n" + `{"id":"2"}`),
		"the footer's size": append(append([]byte{}, packed[:len(packed)-8]...), 0xFF, 0xFF, 0xFF, 0x7F, 'P', 'A', 'R', '1'),
	} {
		got := decodeObject(t, parquetCalls, "k", bytes.NewReader(damaged))
		if len(got.events) != 0 || len(got.rejects) != 1 || !strings.HasPrefix(got.rejects[0], "1 truncated: the Parquet file cannot be read from here on: ") || got.raws[0] != "" {
			t.Errorf("%s: %q %q", name, got.events, got.rejects)
		}
	}
	kept := map[int]int{}
	b := newBench(t, parquetCalls)
	for at := 4; at < len(packed)-8; at += 3 {
		damaged := bytes.Clone(packed)
		damaged[at] ^= 0xFF
		got, err := b.object(t, "k", bytes.NewReader(damaged))
		if err != nil { // a name that is now another's
			continue
		}
		kept[len(got.events)]++
		if n := got.counts.ByReason[Truncated]; n > 1 || n == 1 && !strings.Contains(got.rejects[len(got.rejects)-1], "truncated") {
			t.Fatalf("byte %d: %q", at, got.rejects)
		}
	}
	if kept[0] == 0 || kept[2] == 0 || len(whole.events) != 2 {
		t.Errorf("how many events were kept: %v", kept)
	}
}

// TestParquetMemoryIsFlat reads 130 MB of rows from a file in which they hardly take
// any room.
func TestParquetMemoryIsFlat(t *testing.T) {
	const rows = 100_000
	fields := []arrow.Field{field("id", integer), field("ts", micros), field("org", text), field("op", text), field("prompt", text)}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	prompt := strings.Repeat("tell me more ", 100)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(builder.Schema(), &out, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		builder.Field(0).(*array.Int64Builder).Append(int64(i))
		builder.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(1791799200_000000 + i))
		builder.Field(2).(*array.StringBuilder).Append("a")
		builder.Field(3).(*array.StringBuilder).Append("chat")
		builder.Field(4).(*array.StringBuilder).Append(prompt)
		if i%10_000 == 9_999 {
			batch := builder.NewRecordBatch()
			if err := w.WriteBuffered(batch); err != nil {
				t.Fatal(err)
			}
			batch.Release()
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const yaml = "source: lake\npath: '**'\nformat: parquet\nevent: {id: id, time: ts, account: org, operation: op}\ndimensions: {prompt: prompt}\n"
	packed := out.Bytes()
	for name, stream := range map[string]io.Reader{"at random": bytes.NewReader(packed), "streamed": iotest.HalfReader(bytes.NewReader(packed))} {
		var counts Counts
		if most := heapDuring(func() { counts = countObject(t, yaml, stream) }); most > 64<<20 || counts.Usage != rows {
			t.Errorf("%s: %d MiB in use, %+v", name, most>>20, counts)
		}
	}
}

// FuzzParquet decodes damaged files: each comes to records that add up, and to the
// same ones each time.
func FuzzParquet(f *testing.F) {
	seeds := [][]byte{
		parquetOf(f, callTypes, parquetRows), parquetOf(f, callTypes, parquetRows, parquet.WithMaxRowGroupLength(2), parquet.WithDictionaryDefault(false)),
		parquetOf(f, callTypes, `[]`), parquetOf(f, callTypes, parquetRows, parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithCompression(compress.Codecs.Uncompressed)),
		parquetOf(f, []arrow.Field{field("id", &arrow.Decimal128Type{Precision: 38, Scale: 3}), field("ts", arrow.FixedWidthTypes.Date32), field("org", arrow.PrimitiveTypes.Float64), field("op", arrow.FixedWidthTypes.Boolean)},
			`[{"id":"1.5","ts":"2026-10-12","org":1.5,"op":true},{"id":null,"ts":null,"org":1e300,"op":null}]`),
	}
	for _, seed := range seeds {
		f.Add(seed, 0, byte(0))
		f.Add(seed, len(seed)/2, byte(1))
		f.Add(seed, len(seed)-20, byte(0x80))
	}
	b := newBench(f, parquetCalls)
	f.Fuzz(func(t *testing.T, packed []byte, at int, change byte) {
		if at >= 0 && at < len(packed) {
			packed = bytes.Clone(packed)
			packed[at] ^= change
		}
		got, err := b.object(t, "k", bytes.NewReader(packed))
		again, errAgain := b.object(t, "k", iotest.HalfReader(bytes.NewReader(packed)))
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || fmt.Sprint(got.events, got.rejects, got.raws) != fmt.Sprint(again.events, again.rejects, again.raws) {
			t.Fatalf("%+v %v, and then %+v %v", got, err, again, errAgain)
		}
		for _, raw := range got.raws {
			// One that ends early has a column that is damaged and not mapped.
			if raw != "" && raw[0] != '{' || raw == "{" || !utf8.ValidString(raw) {
				t.Fatalf("a raw that is no JSON: %q", raw)
			}
		}
	})
}
