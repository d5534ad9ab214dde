package decode

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow"
)

// FuzzObject decodes any bytes as an object of each format of text: every record becomes
// something, and how the stream is cut into reads changes nothing.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		with() + "\n" + with("n", "-1") + "\n\n{", "id,ts,org,op,sub\n1,2026-10-12T10:00:00Z,a,x,\"y\n\"\n\"", "\xEF\xBB\xBF\r\n" + with("id", `"\u00e9"`, "m", `{"model":"x"}`),
		`{"id":"1","account":"a","at":"2026-10-12T10:00:00Z","type":"alert.set","below":1}` + "\n{}",
	} {
		f.Add([]byte(seed))
	}
	sources := []string{mapped, strings.NewReplacer("jsonl", "csv", "m.model", "model").Replace(mapped), accountsSource}
	var benches []*bench
	for _, yaml := range sources {
		benches = append(benches, newBench(f, yaml))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		for i, b := range benches {
			whole := append(headerFor(sources[i]), object...)
			got, err := b.object(t, "k", bytes.NewReader(whole))
			again, errAgain := b.object(t, "k", iotest.OneByteReader(bytes.NewReader(whole)))
			if err != nil || errAgain != nil || !reflect.DeepEqual(got, again) {
				t.Fatalf("%q: %+v %v at once, %+v %v byte by byte", object, got, err, again, errAgain)
			}
		}
	})
}

func headerFor(yaml string) []byte {
	if strings.Contains(yaml, "csv") {
		return []byte("id,ts,org,op,sub\n")
	}
	return nil
}

// FuzzUnpack unpacks any bytes: records add up, and damage is one reject at the end.
func FuzzUnpack(f *testing.F) {
	text := calls(3)
	for _, seed := range []string{gz(text), gz(text)[:40], gz(text) + gz("x"), zst(text), zst(text)[:30], zst("") + zst(text), text} {
		f.Add([]byte(seed), 0, byte(0))
		f.Add([]byte(seed), 15, byte(0xFF))
	}
	var u Unpacker
	defer u.Close()
	b := newBench(f, mapped)
	f.Fuzz(func(t *testing.T, packed []byte, at int, change byte) {
		if at >= 0 && at < len(packed) {
			packed = bytes.Clone(packed)
			packed[at] ^= change
		}
		for _, key := range []string{"k.gz", "k.zst"} {
			got, err := b.object(t, key, io.LimitReader(u.Open(key, bytes.NewReader(packed)), 8<<20))
			again, errAgain := b.object(t, key, io.LimitReader(u.Open(key, iotest.HalfReader(bytes.NewReader(packed))), 8<<20))
			if err != nil || errAgain != nil || !reflect.DeepEqual(got, again) {
				t.Fatalf("%s: %+v %v, and then %+v %v", key, got, err, again, errAgain)
			}
			if n := got.counts.ByReason[Truncated]; n > 1 || n == 1 && !strings.Contains(got.rejects[len(got.rejects)-1], " truncated: ") {
				t.Fatalf("%s: %q", key, got.rejects)
			}
		}
	})
}

// A flat is an event by itself: what a flat record would say of it.
type flat struct {
	id, account, project, key, operation, model string
	hasProject, hasKey, hasModel                bool
	time, n, d                                  int64
}

const flatMapping = `
source: api
path: '**'
format: jsonl
event: {id: id, time: {field: ts, layout: unix_us}, account: org, project: project, key: key, operation: op}
dimensions: {model: model}
quantities: {n: n, d: {field: d, type: decimal}}
`

// flatBench is a bench that also keeps events by themselves.
type flatBench struct {
	*bench
	list []flat
}

func newFlatBench(t testing.TB, yaml string) *flatBench {
	b := &flatBench{bench: newBench(t, yaml)}
	write := b.d.o.Usage
	b.d.o.Usage = func(u *Usage) bool {
		b.list = append(b.list, flat{
			string(u.ID), string(u.Account), string(u.Project), string(u.Key), string(u.Operation), string(u.Texts[0]),
			u.Project != nil, u.Key != nil, u.Texts[0] != nil, u.Time, u.Units[1], u.Units[2],
		})
		return write(u)
	}
	return b
}

func (b *flatBench) events(t *testing.T, stream io.Reader) (list []flat, rejects []string) {
	t.Helper()
	b.list = nil
	out, err := b.object(t, "k", stream)
	if err != nil {
		t.Fatal(err)
	}
	return b.list, out.rejects
}

// fields are the flat record's, in order; ok says whether it has them.
func (e *flat) fields() (names []string, values []string, has []bool) {
	units := func(n int64) string { return fmt.Sprintf("%d.%06d", n/1_000_000, n%1_000_000) }
	return []string{"id", "ts", "org", "project", "key", "op", "model", "n", "d"},
		[]string{e.id, strconv.FormatInt(e.time, 10), e.account, e.project, e.key, e.operation, e.model, strconv.FormatInt(e.n, 10), units(max(e.d, 0))},
		[]bool{true, true, true, e.hasProject, e.hasKey, true, e.hasModel, e.n >= 0, e.d >= 0}
}

func (e *flat) json() string {
	names, values, has := e.fields()
	record := map[string]any{}
	for i, name := range names {
		if !has[i] {
			continue
		}
		record[name] = values[i]
		if name == "ts" || name == "n" || name == "d" {
			record[name] = json.Number(values[i])
		}
	}
	text, err := json.Marshal(record)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (e *flat) csv() string {
	names, values, has := e.fields()
	for i := range values {
		if !has[i] {
			values[i] = ""
		}
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.WriteAll([][]string{names, values})
	return out.String()
}

// FuzzRoundTrip writes an accepted event as JSON, CSV and Parquet: each is decoded
// to the same event.
func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{
		with("m", `{"model":"x\"y,\u0000\n"}`, "n", "1e3", "d", `"0.0000005"`, "project", `"p\u00e9"`, "key", "17"), with("d", "999999999999.9999994"), with("m", `{"model":""}`),
		with("ts", `"0000-01-01T00:00:00Z"`), with("id", `"a\"\r\u2028"`, "n", "9223372036854775807"),
	} {
		f.Add([]byte(seed))
	}
	types := []arrow.Field{
		field("id", text), field("ts", integer), field("org", text), field("project", text), field("key", text), field("op", text), field("model", text),
		field("n", integer), field("d", &arrow.Decimal128Type{Precision: 38, Scale: 6}),
	}
	in, asJSON := newFlatBench(f, mapped), newFlatBench(f, flatMapping)
	asCSV := newFlatBench(f, strings.Replace(flatMapping, "jsonl", "csv", 1))
	asParquet := newFlatBench(f, strings.Replace(flatMapping, "jsonl", "parquet", 1))
	f.Fuzz(func(t *testing.T, line []byte) {
		events, _ := in.events(t, bytes.NewReader(line))
		for _, e := range events {
			encoded := e.json()
			back, rejects := asJSON.events(t, strings.NewReader(encoded))
			if len(back) != 1 || back[0] != e {
				t.Fatalf("%+v as JSON %q: %+v, %q", e, encoded, back, rejects)
			}
			if !e.hasModel || e.model != "" { // an empty cell is absent
				encoded := e.csv()
				back, rejects := asCSV.events(t, strings.NewReader(encoded))
				if len(back) != 1 || back[0] != e {
					t.Fatalf("%+v as CSV %q: %+v, %q", e, encoded, back, rejects)
				}
			}
			row := encoded
			if e.d >= 0 { // Arrow reads decimals of text
				_, values, _ := e.fields()
				row = strings.Replace(row, `"d":`+values[8], `"d":"`+values[8]+`"`, 1)
			}
			back, rejects = asParquet.events(t, bytes.NewReader(parquetOf(t, types, "["+row+"]")))
			if len(back) != 1 || back[0] != e {
				t.Fatalf("%+v as Parquet of %q: %+v, %q", e, row, back, rejects)
			}
		}
	})
}

// FuzzAccountEvents holds the payload of an account event to the line it came from,
// and reads it again: the same payload.
func FuzzAccountEvents(f *testing.F) {
	const head = `{"id":"1","account":"a","at":"2026-10-12T10:00:00Z","type":`
	for _, seed := range []string{
		head + `"alert.set","below":1e2}`, head + `"account.opened","name":"x\u00e9\"","tax":{"rate":0.21,"label":"VAT"},"address":["a","b"]}`, head + `"bucket.opened","kind":"pack","credits":"1.50","paid":true}`,
		head + `"charge.added","amount":-5,"description":"\/\u0000"}`, head + `"topup.set","pack":"p","units":1.5,"below":5,"most_per_period":3,"x":[null,{},1e400]}`, `{"id":"1","id":"2"}`,
	} {
		f.Add([]byte(seed))
	}
	b := newBench(f, accountsSource)
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		got, err := b.object(t, "k", bytes.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.accounts) == 0 {
			return
		}
		var want, payload map[string]any
		for _, read := range []struct {
			text string
			to   *map[string]any
		}{{strings.TrimPrefix(string(line), "\xEF\xBB\xBF"), &want}, {got.accounts[0], &payload}} {
			d := json.NewDecoder(strings.NewReader(read.text))
			d.UseNumber()
			if err := d.Decode(read.to); err != nil {
				t.Fatalf("%q: %v", read.text, err)
			}
		}
		if !reflect.DeepEqual(want, payload) {
			t.Fatalf("%q became %q", line, got.accounts[0])
		}
		again, err := b.object(t, "k", strings.NewReader(got.accounts[0]))
		if err != nil || len(again.accounts) != 1 || again.accounts[0] != got.accounts[0] {
			t.Fatalf("%q: again %q, %q", got.accounts[0], again.accounts, again.rejects)
		}
	})
}
