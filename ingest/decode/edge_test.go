package decode

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// repeated is a text n times over, as a stream that needs no memory.
func repeated(text string, n int) io.Reader {
	return &repeating{text: strings.Repeat(text, max(1, 64<<10/len(text))), left: n * len(text)}
}

type repeating struct {
	text     string
	at, left int
}

func (r *repeating) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.left)], r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= n
	return n, nil
}

// A line of 100 MB is one reject and takes no memory.
func TestALineOf100MB(t *testing.T) {
	csv := strings.Replace(mapped, "jsonl", "csv", 1)
	const head = "id,ts,org,op,sub\n"
	for name, c := range map[string]struct {
		yaml, before, text, after string
		rejects                   int64
	}{
		"JSON":                {mapped, with() + "\n" + `{"id":"`, "x", `"}` + "\n" + with("id", `"2"`) + "\n", 1},
		"blanks":              {mapped, with() + "\n", " ", "\n" + with("id", `"2"`) + "\n", 1},
		"CSV":                 {csv, head + "1,2026-10-12T10:00:00Z,a,x,y\n2,", "x", "\n3,2026-10-12T10:00:00Z,a,x,y\n", 1},
		"CSV, in quotes":      {csv, head + "1,2026-10-12T10:00:00Z,a,x,y\n2,\"", "x", "\"\n3,2026-10-12T10:00:00Z,a,x,y\n", 1},
		"account events":      {accountsSource, `{"id":"`, "x", `"}` + "\n", 1},
		"without a last line": {mapped, with() + "\n" + with("id", `"2"`) + "\n" + `{"id":"`, "x", "", 1},
	} {
		var counts Counts
		most := heapDuring(func() {
			counts = countObject(t, c.yaml, io.MultiReader(strings.NewReader(c.before), repeated(c.text, 100_000_000), strings.NewReader(c.after)))
		})
		if counts.ByReason[TooLong] != c.rejects || counts.Rejects != c.rejects || c.yaml != accountsSource && counts.Usage != 2 || most > 12<<20 {
			t.Errorf("%s: %+v, %d MiB", name, counts, most>>20)
		}
	}
}

// A gzip that unpacks to about a thousand times its size takes no memory either.
func TestAGzipOfAThousandTimesItsSize(t *testing.T) {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	const lines = 1_000_000
	if _, err := io.Copy(w, repeated("not JSON, but as long as it is dull, again and again and again and again and again and again....\n", lines)); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if packed.Len() > 100*lines/200 {
		t.Fatalf("%d bytes packed", packed.Len())
	}
	var u Unpacker
	defer u.Close()
	var counts Counts
	most := heapDuring(func() { counts = countObject(t, mapped, u.Open("k.gz", &packed)) })
	if counts.ByReason[Malformed] != lines || counts.Records != lines || most > 16<<20 {
		t.Errorf("%+v, %d MiB", counts, most>>20)
	}
}

// Numbers as odd as JSON allows, as a whole and as a decimal quantity.
func TestOddNumbers(t *testing.T) {
	digits := strings.Repeat("9", 100_000)
	began := time.Now()
	for number, want := range map[string][2]string{ // n, d
		"1e400":                        {"number_overflow", "number_overflow"},
		"-0":                           {"0", "0.000000"},
		"-0.0e5":                       {"0", "0.000000"},
		"9007199254740993":             {"9007199254740993", "number_overflow"}, // a float64 would make it …992
		"900719925474.0993":            {"bad_number", "900719925474.099300"},
		"0.1":                          {"bad_number", "0.100000"},
		"1e3":                          {"1000", "1000.000000"},
		"3.0":                          {"3", "3.000000"},
		"1E-7":                         {"bad_number", "0.000000"},
		"5E-7":                         {"bad_number", "0.000001"},
		"0.0000014999999":              {"bad_number", "0.000001"},
		"1.0000005":                    {"bad_number", "1.000001"},
		"1e999999999":                  {"number_overflow", "number_overflow"},
		"-1e999999999":                 {"negative_quantity", "negative_quantity"},
		"1e-999999999":                 {"bad_number", "0.000000"},
		"0e999999999":                  {"0", "0.000000"},
		"1e99999999999999999999999999": {"number_overflow", "number_overflow"},
		digits:                         {"number_overflow", "number_overflow"},
		digits + "e-100000":            {"bad_number", "1.000000"},
		"0." + digits:                  {"bad_number", "1.000000"},
		`"12"`:                         {"12", "12.000000"},
		`"3.0"`:                        {"3", "3.000000"},
		`"007"`:                        {"7", "7.000000"},
		`" 7"`:                         {"bad_number", "bad_number"},
		`"+7"`:                         {"bad_number", "bad_number"},
		`"1,000"`:                      {"bad_number", "bad_number"},
		`"0x10"`:                       {"bad_number", "bad_number"},
		`"NaN"`:                        {"bad_number", "bad_number"},
		`"1e3"`:                        {"1000", "1000.000000"},
		`"\u0031"`:                     {"1", "1.000000"},
		`"١"`:                          {"bad_number", "bad_number"},
		"007":                          {"malformed", "malformed"},
		"+7":                           {"malformed", "malformed"},
		".5":                           {"malformed", "malformed"},
		"5.":                           {"malformed", "malformed"},
		"1e":                           {"malformed", "malformed"},
		"NaN":                          {"malformed", "malformed"},
		"Infinity":                     {"malformed", "malformed"},
		"9223372036854775807":          {"9223372036854775807", "number_overflow"},
		"9223372036854775808":          {"number_overflow", "number_overflow"},
		"999999999999.999999":          {"bad_number", "999999999999.999999"},
		"999999999999.9999995":         {"bad_number", "number_overflow"},
		"12345678901234567890e-8":      {"bad_number", "123456789012.345679"},
	} {
		for i, name := range []string{"n", "d"} {
			got := decodeObject(t, mapped, "k", strings.NewReader(with(name, number)))
			text := strings.Join(append(got.events, got.rejects...), "")
			if ok := strings.HasSuffix(text, " "+name+"="+want[i]) || strings.HasPrefix(text, "1 "+want[i]+": "); !ok {
				t.Errorf("%s of %.30s: %s, want %s", name, number, text, want[i])
			}
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestAnOddDimensionKeepsItsText(t *testing.T) {
	for value, want := range map[string]string{
		"1e400": "1e400", "-0": "-0", "9007199254740993": "9007199254740993", "0.10": "0.10", "1E-7": "1E-7", "1e999999999": "1e999999999", "true": "true", "false": "false",
		`"12"`: "12", `""`: "", `" "`: " ", `"a\u0000b"`: "a\x00b", `"\u00e9\ud83d\ude00"`: "é😀", `"\/\b\f\n\r\t\"\\"`: "/\b\f\n\r\t\"\\",
	} {
		got := decodeObject(t, mapped, "k", strings.NewReader(with("m", `{"model":`+value+`}`)))
		wantText(t, value, append(got.events, got.rejects...), "1 id=1 time=2026-10-12T10:00:00Z account=a operation=x.y model="+want)
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	for line, want := range map[string]string{
		"\xff":                              "1 malformed: expected a value at byte 1",
		with("m", "{\"model\":\"\xff\"}"):   "1 malformed: not UTF-8 at byte 82",
		with("unmapped", "1") + "\xff":      "1 malformed: something follows the object at byte 68",
		"\x00":                              "1 malformed: expected a value at byte 1",
		with("m", "{\"model\":\"a\x00b\"}"): "1 malformed: a control character in a string at byte 83",
		with("id", `"a\u0000b"`):            `1 bad_id: id "a\x00b" is longer than 256 bytes or has a control character`,
		"{\"\xc3\x28\":1}":                  "1 malformed: not UTF-8 at byte 3",
		"\xff\xfe{\x00}\x00":                "1 malformed: expected a value at byte 1", // UTF-16
	} {
		got := decodeObject(t, mapped, "k", strings.NewReader(line))
		wantText(t, fmt.Sprintf("%q", line), append(got.events, got.rejects...), want)
		if strings.Contains(got.raws[0], "\xff") {
			t.Errorf("%q: the raw %q", line, got.raws[0])
		}
	}
	csv := strings.NewReplacer("jsonl", "csv", "m.model", "model").Replace(mapped)
	got := decodeObject(t, csv, "k", strings.NewReader("id,ts,org,op,sub,model\n1,2026-10-12T10:00:00Z,a,x,y,\xff\n2,2026-10-12T10:00:00Z,a,x,y,a\x00b\n3\x00,2026-10-12T10:00:00Z,a,x,y,\n"))
	wantText(t, "CSV", append(got.events, got.rejects...), "3 id=2 time=2026-10-12T10:00:00Z account=a operation=x.y model=a\x00b\n2 malformed: not UTF-8\n"+
		`4 bad_id: id "3\x00" is longer than 256 bytes or has a control character`)
}

func TestDeepNestingAndRepeatedKeys(t *testing.T) {
	deep := func(depth int) string {
		return with("m", strings.Repeat(`{"model":`, depth)+"1"+strings.Repeat("}", depth))
	}
	for line, want := range map[string]string{
		deep(2):       "1 malformed: m.model is an object or a list where one value belongs",
		deep(100_000): "1 malformed: nested too deep at byte 4671",
		`{"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`: "1 malformed: nested too deep at byte 517",
		`{"x":` + strings.Repeat("[", 500_000):                                      "1 malformed: nested too deep at byte 517",
		`{"id":"1","id":"1"}`:                                                       "1 malformed: a mapped field stands twice at byte 16",
		`{"m":{"model":1},"m":{"x":2}}`:                                             "1 malformed: a mapped field stands twice at byte 22",
		`{"m":{"model":1,"mo\u0064el":1}}`:                                          "1 malformed: a mapped field stands twice at byte 30",
	} {
		got := decodeObject(t, mapped, "k", strings.NewReader(line))
		wantText(t, fmt.Sprintf("%.60s", line), append(got.events, got.rejects...), want)
	}
	ok := strings.TrimSuffix(with(), "}") + `,"x":1,"x":2,"y":{"id":1,"id":2}}`
	if got := decodeObject(t, mapped, "k", strings.NewReader(ok)); len(got.events) != 1 {
		t.Errorf("repeated names that are not mapped: %q", got.rejects)
	}
}

// Every record is exactly one thing whatever is around it: the records of an object
// are those of its lines.
func TestARecordDoesNotDependOnItsNeighbours(t *testing.T) {
	lines := []string{with(), "{", with("n", "1e999999999"), with("id", `""`), "\xff", with("m", `{"model":"\u00e9"}`), "[]", with("id", `"4"`, "d", "1E-7")}
	place := regexp.MustCompile(` at byte \d+`) // a CR is one more
	var alone []string
	for i, line := range lines {
		got := decodeObject(t, mapped, "k", strings.NewReader(line))
		for _, text := range append(got.events, got.rejects...) {
			alone = append(alone, place.ReplaceAllString(strings.Replace(text, "1", fmt.Sprint(i+1), 1), ""))
		}
	}
	for _, end := range []string{"\n", "\r\n"} {
		got := decodeObject(t, mapped, "k", strings.NewReader(strings.Join(lines, end)))
		if all := slices.Concat(got.events, got.rejects); len(all) != len(alone) || got.counts.Records != int64(len(lines)) {
			t.Errorf("together %q, alone %q", all, alone)
		} else {
			for _, text := range alone {
				if !strings.Contains(place.ReplaceAllString(strings.Join(all, "\n"), ""), text) {
					t.Errorf("%q is not among %q", text, all)
				}
			}
		}
	}
}
