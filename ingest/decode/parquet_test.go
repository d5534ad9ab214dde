package decode

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// parquetOf writes rows, given as JSON, as a Parquet file of small pages.
func parquetOf(t testing.TB, fields []arrow.Field, rows string, options ...parquet.WriterProperty) []byte {
	t.Helper()
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Release()
	var out bytes.Buffer
	options = append([]parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDataPageSize(64)}, options...)
	w, err := pqarrow.NewFileWriter(record.Schema(), &out, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteBuffered(record); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func field(name string, typ arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: typ, Nullable: true}
}

var (
	text      = arrow.BinaryTypes.String
	integer   = arrow.PrimitiveTypes.Int64
	micros    = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	callTypes = []arrow.Field{
		field("id", text), field("ts", micros), field("org", text), field("op", text),
		field("usage", arrow.StructOf(field("tokens", integer), field("model", arrow.StructOf(field("name", text), field("version", text))))),
		field("tags", arrow.ListOf(text)), field("notes", arrow.MapOf(text, text)),
	}
)

const parquetCalls = `
source: lake
path: '**'
format: parquet
where: {op: [chat, null]}
event: {id: id, time: ts, account: org, operation: op}
dimensions: {model: usage.model.name, none: nowhere.at.all}
quantities: {tokens: usage.tokens}
`

const parquetRows = `[
{"id":"1","ts":"2026-10-12T10:00:00.123456Z","org":"a","op":"chat","usage":{"tokens":7,"model":{"name":"big","version":"2"}},"tags":["x","y"],"notes":[{"key":"k","value":"v"}]},
{"id":"2","ts":"2026-10-12T10:00:01Z","org":"a","op":"ping","usage":null,"tags":null,"notes":null},
{"id":"3","ts":"2026-10-12T10:00:02Z","org":"a","op":"chat","usage":{"tokens":null,"model":null},"tags":[],"notes":[]},
{"id":null,"ts":"2026-10-12T10:00:03Z","org":"a","op":"chat","usage":{"tokens":9,"model":{"name":null,"version":"é\"\n"}},"tags":["x",null,"z"],"notes":[{"key":"k","value":null},{"key":"l","value":"w"}]},
{"id":"5","ts":null,"org":"a","op":"chat","usage":null,"tags":[],"notes":[]},
{"id":"6","ts":"2026-10-12T10:00:04Z","org":"a","op":"chat","usage":{"tokens":-1,"model":null},"tags":null,"notes":null}
]`

func TestParquetRowsAreRecords(t *testing.T) {
	for name, options := range map[string][]parquet.WriterProperty{
		"one row group":    nil,
		"rows in groups":   {parquet.WithMaxRowGroupLength(2)},
		"no dictionary":    {parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Uncompressed)},
		"pages version 2":  {parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithCompression(compress.Codecs.Snappy)},
		"a row a page":     {parquet.WithDataPageSize(1), parquet.WithBatchSize(1), parquet.WithCompression(compress.Codecs.Gzip)},
		"rows of one byte": {parquet.WithMaxRowGroupLength(1), parquet.WithCompression(compress.Codecs.Brotli)},
	} {
		t.Run(name, func(t *testing.T) {
			packed := parquetOf(t, callTypes, parquetRows, options...)
			for _, stream := range []io.Reader{bytes.NewReader(packed), iotest.HalfReader(bytes.NewReader(packed))} {
				got := decodeObject(t, parquetCalls, "k", stream)
				wantText(t, "events", got.events, `
1 id=1 time=2026-10-12T10:00:00.123456Z account=a operation=chat model=big tokens=7
3 id=3 time=2026-10-12T10:00:02Z account=a operation=chat`)
				wantText(t, "rejects", got.rejects, `
4 missing_field: id is absent
5 missing_field: ts is absent: the event has no time
6 negative_quantity: usage.tokens "-1" is negative`)
				wantText(t, "raws", got.raws, `
{"id":null,"ts":"2026-10-12T10:00:03Z","org":"a","op":"chat","usage":{"tokens":9,"model":{"name":null,"version":"é\"\u000a"}},"tags":["x",null,"z"],"notes":[{"key":"k","value":null},{"key":"l","value":"w"}]}
{"id":"5","ts":null,"org":"a","op":"chat","usage":null,"tags":[],"notes":[]}
{"id":"6","ts":"2026-10-12T10:00:04Z","org":"a","op":"chat","usage":{"tokens":-1,"model":null},"tags":null,"notes":null}`)
				if fmt.Sprint(got.skipped) != "[2]" {
					t.Errorf("skipped %v", got.skipped)
				}
			}
		})
	}
}

// TestParquetTypes maps a column of every type to a dimension: the text is exact.
func TestParquetTypes(t *testing.T) {
	const yaml = `
source: lake
path: '**'
format: parquet
event: {id: {constant: i}, time: ts, account: {constant: a}, operation: {constant: o}}
dimensions: {v: v}
`
	for _, c := range []struct {
		typ        arrow.DataType
		json, want string
	}{
		{text, `"naïve 日本"`, "naïve 日本"},
		{arrow.BinaryTypes.LargeString, `"x"`, "x"},
		{arrow.BinaryTypes.Binary, `"eHk="`, "xy"},
		{&arrow.FixedSizeBinaryType{ByteWidth: 3}, `"eHl6"`, "xyz"},
		{arrow.FixedWidthTypes.Boolean, `true`, "true"},
		{arrow.PrimitiveTypes.Int8, `-128`, "-128"},
		{arrow.PrimitiveTypes.Int16, `-32768`, "-32768"},
		{arrow.PrimitiveTypes.Int32, `-2147483648`, "-2147483648"},
		{arrow.PrimitiveTypes.Int64, `-9223372036854775808`, "-9223372036854775808"},
		{arrow.PrimitiveTypes.Uint8, `255`, "255"},
		{arrow.PrimitiveTypes.Uint16, `65535`, "65535"},
		{arrow.PrimitiveTypes.Uint32, `4294967295`, "4294967295"},
		{arrow.PrimitiveTypes.Uint64, `18446744073709551615`, "18446744073709551615"},
		{arrow.PrimitiveTypes.Float32, `0.1`, "0.1"},
		{arrow.PrimitiveTypes.Float64, `0.1`, "0.1"},
		{arrow.PrimitiveTypes.Float64, `3.0`, "3"},
		{arrow.PrimitiveTypes.Float64, `123456789012345678`, "123456789012345680"},
		{arrow.PrimitiveTypes.Float64, `1e22`, "1e+22"},
		{arrow.PrimitiveTypes.Float64, `5e-7`, "5e-07"},
		{arrow.PrimitiveTypes.Float64, `-0.0`, "-0"},
		{arrow.FixedWidthTypes.Float16, `0.5`, "0.5"},
		{&arrow.Decimal128Type{Precision: 4, Scale: 2}, `"-0.05"`, "-0.05"},
		{&arrow.Decimal128Type{Precision: 9, Scale: 0}, `"123"`, "123"},
		{&arrow.Decimal128Type{Precision: 18, Scale: 6}, `"999999999999.999999"`, "999999999999.999999"},
		{&arrow.Decimal128Type{Precision: 38, Scale: 10}, `"9999999999999999999999999999.9999999999"`, "9999999999999999999999999999.9999999999"},
		{&arrow.Decimal256Type{Precision: 76, Scale: 1}, `"-123456789012345678901234567890123456789012345678901234567890.5"`, "-123456789012345678901234567890123456789012345678901234567890.5"},
		{arrow.FixedWidthTypes.Date32, `"2026-10-12"`, "2026-10-12"},
		{&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, `"2026-10-12T10:00:00.120Z"`, "2026-10-12T10:00:00.12Z"},
		{micros, `"2026-10-12T10:00:00.000001Z"`, "2026-10-12T10:00:00.000001Z"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, `"2026-10-12T10:00:00.000000001Z"`, "2026-10-12T10:00:00.000000001Z"},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, `"2026-10-12T10:00:00"`, "2026-10-12T10:00:00Z"},
		{arrow.FixedWidthTypes.Time64us, `"10:00:00.5"`, "10:00:00.5"},
		{arrow.FixedWidthTypes.Time32ms, `"23:59:59.999"`, "23:59:59.999"},
	} {
		packed := parquetOf(t, []arrow.Field{field("ts", micros), field("v", c.typ)}, `[{"ts":"2026-10-12T10:00:00Z","v":`+c.json+`},{"ts":"2026-10-12T10:00:00Z","v":null}]`)
		got := decodeObject(t, yaml, "k", bytes.NewReader(packed))
		wantText(t, c.typ.String(), append(got.events, got.rejects...), `
1 id=i time=2026-10-12T10:00:00Z account=a operation=o v=`+c.want+`
2 id=i time=2026-10-12T10:00:00Z account=a operation=o`)
	}
}

func TestParquetWhatIsNoScalarIsMalformed(t *testing.T) {
	const yaml = `
source: lake
path: '**'
format: parquet
event: {id: id, time: ts, account: {constant: a}, operation: {constant: o}}
dimensions: {v: v, inside: v.x}
`
	for _, c := range []struct {
		typ  arrow.DataType
		json string
		want string
	}{
		{arrow.ListOf(text), `["x"]`, "v is an object or a list where one value belongs"},
		{arrow.ListOf(text), `[]`, "v is an object or a list where one value belongs"},
		{arrow.MapOf(text, text), `[{"key":"x","value":"y"}]`, "v is an object or a list where one value belongs"},
		{arrow.StructOf(field("x", text)), `{"x":null}`, "v is an object or a list where one value belongs"},
		{arrow.BinaryTypes.Binary, `"/w=="`, "v is not UTF-8"},
	} {
		fields := []arrow.Field{field("id", text), field("ts", micros), field("v", c.typ)}
		got := decodeObject(t, yaml, "k", bytes.NewReader(parquetOf(t, fields, `[{"id":"1","ts":"2026-10-12T10:00:00Z","v":`+c.json+`},{"id":"2","ts":"2026-10-12T10:00:00Z","v":null}]`)))
		wantText(t, c.typ.String(), append(got.events, got.rejects...), "2 id=2 time=2026-10-12T10:00:00Z account=a operation=o\n1 malformed: "+c.want)
	}
}

func TestParquetTimes(t *testing.T) {
	local := &arrow.TimestampType{Unit: arrow.Millisecond}
	for _, c := range []struct {
		time       string // of the mapping
		typ        arrow.DataType
		json, want string
	}{
		{"ts", micros, `"2026-10-12T10:00:00.000001Z"`, "2026-10-12T10:00:00.000001Z"},
		{"ts", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, `"2026-10-12T10:00:00.000001999Z"`, "2026-10-12T10:00:00.000001Z"},
		{"{field: ts, layout: unix_ms}", micros, `"2026-10-12T10:00:00Z"`, "2026-10-12T10:00:00Z"}, // the column knows better
		{"ts", local, `"2026-10-12T10:00:00"`, "2026-10-12T10:00:00Z"},
		{"{field: ts, zone: Europe/Madrid}", local, `"2026-10-12T10:00:00"`, "2026-10-12T08:00:00Z"},
		{"{field: ts, zone: Europe/Madrid}", local, `"2026-03-29T02:30:00"`, "2026-03-29T01:30:00Z"}, // skipped: forward by the gap
		{"{field: ts, zone: Europe/Madrid}", micros, `"2026-10-12T10:00:00Z"`, "2026-10-12T10:00:00Z"},
		{"ts", arrow.FixedWidthTypes.Date32, `"2026-10-12"`, "2026-10-12T00:00:00Z"},
		{"{field: ts, zone: Europe/Madrid}", arrow.FixedWidthTypes.Date32, `"2026-10-12"`, "2026-10-11T22:00:00Z"},
		{"{field: ts, layout: unix_ms}", integer, `1791799200123`, "2026-10-12T10:00:00.123Z"},
		{"{field: ts, layout: unix_s}", arrow.PrimitiveTypes.Float64, `1791799200.25`, "2026-10-12T10:00:00.25Z"},
		{"{field: ts, layout: unix_s}", &arrow.Decimal128Type{Precision: 20, Scale: 6}, `"1791799200.000001"`, "2026-10-12T10:00:00.000001Z"},
		{"ts", text, `"2026-10-12T10:00:00+02:00"`, "2026-10-12T08:00:00Z"},
		{`{field: ts, layout: "2006-01-02 15:04:05", zone: Europe/Madrid}`, text, `"2026-10-12 10:00:00"`, "2026-10-12T08:00:00Z"},
	} {
		yaml := "source: lake\npath: '**'\nformat: parquet\nevent: {id: {constant: i}, time: " + c.time + ", account: {constant: a}, operation: {constant: o}}\n"
		got := decodeObject(t, yaml, "k", bytes.NewReader(parquetOf(t, []arrow.Field{field("ts", c.typ)}, `[{"ts":`+c.json+`}]`)))
		wantText(t, c.time+" of "+c.typ.String(), append(got.events, got.rejects...), "1 id=i time="+c.want+" account=a operation=o")
	}
}

// TestParquetTimesOfOneObjectAfterTheOther decodes objects with one decoder: what the
// columns of one say about its times is not for the next, nor for reading it again.
func TestParquetTimesOfOneObjectAfterTheOther(t *testing.T) {
	const yaml = "source: lake\npath: '**'\nformat: parquet\nevent: {id: {constant: i}, time: {field: ts, zone: Europe/Madrid}, account: org, operation: {constant: o}}\n"
	b := newBench(t, yaml)
	local := &arrow.TimestampType{Unit: arrow.Millisecond}
	for _, typ := range []arrow.DataType{local, local, micros, local} {
		written, at := "2026-10-12T10:00:00", "2026-10-12T08:00:00Z"
		if typ == micros {
			written, at = "2026-10-12T10:00:00Z", "2026-10-12T10:00:00Z"
		}
		rows := `[{"ts":"` + written + `","org":"a"},{"ts":"` + written + `","org":null}]`
		packed := parquetOf(t, []arrow.Field{field("ts", typ), field("org", text)}, rows)
		got, err := b.object(t, "k", bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		wantText(t, "events", got.events, "1 id=i time="+at+" account=a operation=o")
		wantText(t, "raws", got.raws, `{"ts":"`+at+`","org":null}`)
		err = Raws(b.src, t.TempDir(), bytes.NewReader(packed), []int64{2}, func(_ int64, raw []byte) error {
			wantText(t, "read again", []string{string(raw)}, got.raws[0])
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestParquetNumbersTakeNoDetour gives quantities what a float64 could not hold.
func TestParquetNumbersTakeNoDetour(t *testing.T) {
	const yaml = `
source: lake
path: '**'
format: parquet
event: {id: {constant: i}, time: ts, account: {constant: a}, operation: {constant: o}}
quantities: {n: n, d: {field: d, type: decimal}}
`
	fields := []arrow.Field{field("ts", micros), field("n", arrow.PrimitiveTypes.Uint64), field("d", &arrow.Decimal128Type{Precision: 38, Scale: 8})}
	got := decodeObject(t, yaml, "k", bytes.NewReader(parquetOf(t, fields, `[
{"ts":"2026-10-12T10:00:00Z","n":9007199254740993,"d":"123456789012.12345650"},
{"ts":"2026-10-12T10:00:00Z","n":9223372036854775808,"d":"0"},
{"ts":"2026-10-12T10:00:00Z","n":1,"d":"999999999999.99999950"}]`)))
	wantText(t, "events", got.events, "1 id=i time=2026-10-12T10:00:00Z account=a operation=o n=9007199254740993 d=123456789012.123457")
	wantText(t, "rejects", got.rejects, `
2 number_overflow: n "9223372036854775808" does not fit BIGINT
3 number_overflow: d "999999999999.99999950" does not fit DECIMAL(18,6)`)
	floats := []arrow.Field{field("ts", micros), field("n", arrow.PrimitiveTypes.Float64), field("d", arrow.PrimitiveTypes.Float64)}
	got = decodeObject(t, yaml, "k", bytes.NewReader(parquetOf(t, floats, `[{"ts":"2026-10-12T10:00:00Z","n":3.0,"d":0.0000005},{"ts":"2026-10-12T10:00:00Z","n":2.5,"d":1}]`)))
	wantText(t, "floats", append(got.events, got.rejects...), "1 id=i time=2026-10-12T10:00:00Z account=a operation=o n=3 d=0.000001\n2 bad_number: n \"2.5\" is no whole number")
}

func TestParquetNotANumber(t *testing.T) {
	for f, want := range map[float64]string{math.NaN(): "NaN", math.Inf(1): "+Inf", math.Inf(-1): "-Inf"} {
		if text, kind := appendFloat(nil, f, 64); string(text) != want || kind != slotString {
			t.Errorf("%v: %q, %v", f, text, kind)
		}
		if _, fault := parseInteger([]byte(want)); fault != numberBad {
			t.Errorf("%s is a number", want)
		}
	}
}

// TestParquetOldTimestamps reads INT96, as Impala and old Spark wrote them.
func TestParquetOldTimestamps(t *testing.T) {
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{
		schema.NewInt96Node("ts", parquet.Repetitions.Required, -1), schema.NewByteArrayNode("org", parquet.Repetitions.Required, -1),
	}, -1)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root)
	group, err := w.AppendRowGroupChecked()
	if err != nil {
		t.Fatal(err)
	}
	days := time.Date(2026, 10, 12, 0, 0, 0, 0, time.UTC).Unix()/86400 + 2440588
	stamp := parquet.NewInt96([3]uint32{0, 0, uint32(days)})
	stamp.SetNanoSeconds(int64(10*time.Hour + 1500*time.Nanosecond))
	times, _ := group.NextColumn()
	_, _ = times.(*file.Int96ColumnChunkWriter).WriteBatch([]parquet.Int96{stamp}, nil, nil)
	_ = times.Close()
	orgs, _ := group.NextColumn()
	_, _ = orgs.(*file.ByteArrayColumnChunkWriter).WriteBatch([]parquet.ByteArray{[]byte("a")}, nil, nil)
	_ = orgs.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := decodeObject(t, "source: lake\npath: '**'\nformat: parquet\nevent: {time: ts, account: org, operation: {constant: o}}\n", "k", bytes.NewReader(out.Bytes()))
	wantText(t, "events", append(got.events, got.rejects...), "1 id=k:1 time=2026-10-12T10:00:00.000001Z account=a operation=o")
}

func TestParquetWithoutRecords(t *testing.T) {
	if got := decodeObject(t, parquetCalls, "k", bytes.NewReader(nil)); got.counts.Records != 0 {
		t.Errorf("no bytes: %+v", got)
	}
	if got := decodeObject(t, parquetCalls, "k", bytes.NewReader(parquetOf(t, callTypes, `[]`))); got.counts.Records != 0 {
		t.Errorf("no rows: %+v", got)
	}
	got := decodeObject(t, parquetCalls, "k", bytes.NewReader(parquetOf(t, []arrow.Field{field("other", integer)}, `[{"other":1},{"other":2}]`)))
	wantText(t, "no mapped column", got.rejects, "1 missing_field: id is absent\n2 missing_field: id is absent")
	wantText(t, "no mapped column", got.raws, `{"other":1}`+"\n"+`{"other":2}`)
}

func TestParquetUnreadable(t *testing.T) {
	packed := parquetOf(t, callTypes, parquetRows)
	if _, err := tryObject(t, parquetCalls, "a/k.parquet.gz", bytes.NewReader(packed)); err == nil || !strings.Contains(err.Error(), "packed within") {
		t.Errorf("packed twice: %v", err)
	}
	twice := parquetOf(t, []arrow.Field{field("id", text), field("id", text)}, `[]`)
	if _, err := tryObject(t, parquetCalls, "k", bytes.NewReader(twice)); err == nil || !strings.Contains(err.Error(), `the mapped column "id" twice`) {
		t.Errorf("a column twice: %v", err)
	}
	if _, err := tryObject(t, parquetCalls, "k", iotest.ErrReader(io.ErrClosedPipe)); err == nil {
		t.Error("a store that fails is damage")
	}
}
