package decode

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const mapped = `
source: api
path: '**'
format: jsonl
event: {id: id, time: ts, account: org, project: project, key: key, operation: {join: [op, sub], with: .}}
dimensions: {model: m.model}
quantities: {n: n, d: {field: d, type: decimal}}
`

const accountsSource = "source: billing\npath: '**'\nformat: accounts\n"

// decodeAll decodes an object and returns its rejects as "line reason: detail",
// its raws, and its counts.
func decodeAll(t *testing.T, yaml string, stream io.Reader) (rejects, raws []string, counts Counts) {
	t.Helper()
	b := newBenchBetween(t, yaml, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	got, err := b.object(t, "k", stream)
	if err != nil {
		t.Fatal(err)
	}
	return got.rejects, got.raws, got.counts
}

// wantReasons decodes each line alone and compares reason and detail.
func wantReasons(t *testing.T, yaml string, want map[string]string) {
	t.Helper()
	for line, reason := range want {
		rejects, _, _ := decodeAll(t, yaml, strings.NewReader(line))
		got := ""
		if len(rejects) > 0 {
			got = strings.TrimPrefix(rejects[0], "1 ")
		}
		if got != reason {
			t.Errorf("%s\n got %q\nwant %q", line, got, reason)
		}
	}
}

// with is a good record with members replaced or, where empty, left out.
func with(changes ...string) string {
	members := map[string]string{"id": `"1"`, "ts": `"2026-10-12T10:00:00Z"`, "org": `"a"`, "op": `"x"`, "sub": `"y"`}
	for i := 0; i < len(changes); i += 2 {
		members[changes[i]] = changes[i+1]
	}
	var parts []string
	for _, name := range []string{"id", "ts", "org", "op", "sub", "project", "key", "m", "n", "d"} {
		if members[name] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, members[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestRejectMalformed(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with():                       "",
		`{"id":"1"`:                  "malformed: the line ends inside the JSON value at byte 10",
		`[1]`:                        "malformed: not a JSON object at byte 1",
		`{"id":"1"} x`:               "malformed: something follows the object at byte 12",
		`{"id":"1",}`:                "malformed: expected a name in quotes at byte 11",
		"{\"id\":\"\xff\"}":          "malformed: not UTF-8 at byte 8",
		with("m", `{"model":{}}`):    "malformed: m.model is an object or a list where one value belongs",
		with("n", `[1]`):             "malformed: n is an object or a list where one value belongs",
		with("id", `{}`, "ts", `{}`): "malformed: id is an object or a list where one value belongs",
		`{"id":"1","id":"1"}`:        "malformed: a mapped field stands twice at byte 16",
	})
}

func TestRejectMissingField(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("id", ""):        "missing_field: id is absent",
		with("id", "null"):    "missing_field: id is absent",
		with("org", `""`):     "missing_field: org is empty",
		with("sub", ""):       "missing_field: op and sub is absent",
		with("ts", ""):        "missing_field: ts is absent: the event has no time",
		with("project", `""`): "missing_field: project is empty",
		with("key", "null"):   "",
		with("m", "7"):        "", // a scalar on the way is no path: absent
	})
}

func TestRejectBadID(t *testing.T) {
	long := strings.Repeat("é", 128)
	wantReasons(t, mapped, map[string]string{
		with("id", `"`+long+`"`):       "",
		with("id", `"`+long+`x"`):      "bad_id: id \"" + strings.Repeat("é", 40) + "\"... is longer than 256 bytes or has a control character",
		with("org", `"a\nb"`):          `bad_id: org "a\nb" is longer than 256 bytes or has a control character`,
		with("op", `"a\u007f"`):        `bad_id: op and sub "a\x7f.y" is longer than 256 bytes or has a control character`,
		with("project", `"\u0085"`):    `bad_id: project "\u0085" is longer than 256 bytes or has a control character`,
		with("key", `"12345678\t"`):    `bad_id: key "12345678\t" is longer than 256 bytes or has a control character`,
		with("key", `"naïve 日本語"`):     "",
		with("id", "17", "org", "1.0"): "",
	})
}

func TestRejectBadTime(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("ts", `"yesterday"`): `bad_time: ts "yesterday" is no time of the source's layout`,
		with("ts", "1696341600"):  `bad_time: ts "1696341600" is no time of the source's layout`,
	})
}

func TestRejectBadNumber(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("n", `"ten"`): `bad_number: n "ten" is no whole number`,
		with("n", "1.5"):   `bad_number: n "1.5" is no whole number`,
		with("d", "true"):  `bad_number: d "true" is no number`,
		with("d", `""`):    `bad_number: d "" is no number`,
		with("n", `"12"`):  "",
		with("n", "1e3"):   "",
	})
}

func TestRejectNegativeQuantity(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("n", "-1"):      `negative_quantity: n "-1" is negative`,
		with("d", "-0.0001"): `negative_quantity: d "-0.0001" is negative`,
	})
}

func TestRejectNumberOverflow(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("n", "9223372036854775808"): `number_overflow: n "9223372036854775808" does not fit BIGINT`,
		with("d", "1e12"):                `number_overflow: d "1e12" does not fit DECIMAL(18,6)`,
	})
}

func TestRejectFutureAndTooOld(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("ts", `"2026-11-01T00:00:00.000001Z"`): `future: ts "2026-11-01T00:00:00.000001Z" is later than 2026-11-01T00:00:00Z`,
		with("ts", `"2026-09-30T23:59:59Z"`):        `too_old: ts "2026-09-30T23:59:59Z" is earlier than 2026-10-01T00:00:00Z`,
		with("ts", `"2026-11-01T00:00:00Z"`):        "",
		with("ts", `"2026-10-01T00:00:00Z"`):        "",
	})
}

func TestRejectTooLong(t *testing.T) {
	fits := with() + strings.Repeat(" ", maxRecord-len(with()))
	for _, end := range []string{"", "\n", "\n" + with("id", `"2"`)} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader} {
			rejects, raws, counts := decodeAll(t, mapped, wrap(strings.NewReader(fits+"\n"+fits+" "+end)))
			if len(rejects) != 1 || rejects[0] != "2 too_long: a line of more than 1 MiB" || len(raws[0]) != maxRaw || counts.Usage != int64(1+min(len(end)/2, 1)) {
				t.Errorf("%s, %q: %q, %+v", name, end, rejects, counts)
			}
		}
	}
	rejects, _, counts := decodeAll(t, mapped, strings.NewReader(strings.Repeat("x", 5*maxRecord)+"\n"+with()))
	if len(rejects) != 1 || counts.Usage != 1 {
		t.Errorf("5 MiB: %q, %+v", rejects, counts)
	}
}

func TestRejectTruncated(t *testing.T) {
	cut := io.MultiReader(strings.NewReader(with()+"\n"+with("id", `"2"`)[:20]), iotest.ErrReader(io.ErrUnexpectedEOF))
	rejects, raws, counts := decodeAll(t, mapped, cut)
	if len(rejects) != 1 || rejects[0] != "2 truncated: the object ends here: unexpected EOF" || raws[0] != with("id", `"2"`)[:20] || counts.Usage != 1 || counts.Records != 2 {
		t.Errorf("%q, %q, %+v", rejects, raws, counts)
	}
}

// TestFirstFaultIsTheReason has records with several faults (SPEC section 14, 4).
func TestFirstFaultIsTheReason(t *testing.T) {
	wantReasons(t, mapped, map[string]string{
		with("n", "{}", "id", "", "ts", `"x"`):                      "malformed: n is an object or a list where one value belongs",
		with("id", "", "org", `""`, "ts", `"x"`, "n", "-1"):         "missing_field: id is absent",
		with("ts", `"x"`, "org", `"\u0001"`, "n", "-1"):             `bad_id: org "\x01" is longer than 256 bytes or has a control character`,
		with("ts", `"x"`, "n", "-1"):                                `bad_time: ts "x" is no time of the source's layout`,
		with("ts", `"2030-01-01T00:00:00Z"`, "n", "-1", "d", `"x"`): `negative_quantity: n "-1" is negative`,
	})
}

func TestRawIsTheFirst4KiB(t *testing.T) {
	line := "{" + strings.Repeat("é", 4000)
	_, raws, _ := decodeAll(t, mapped, strings.NewReader(line+"\r\n"+"{\xff\r\n"))
	if len(raws[0]) != maxRaw-1 || !strings.HasPrefix(line, raws[0]) || raws[1] != "{\uFFFD" {
		t.Errorf("%d bytes, %q", len(raws[0]), raws[1])
	}
}

func TestAccountEventShapes(t *testing.T) {
	const head = `{"id":"1","account":"a","at":"2026-10-12T10:00:00Z","type":`
	wantReasons(t, accountsSource, map[string]string{
		head + `"account.opened","name":"A","tax":{"rate":"0.21","reverse_charge":true},"address":["x","y"],"currency":"EUR","other":{"x":[1]}}`: "",
		head + `"account.opened","currency":"euro"}`:                                       `malformed: currency "euro" is no ISO 4217 currency`,
		head + `"account.opened","tax":{"label":"VAT"}}`:                                   "missing_field: tax.rate is absent",
		head + `"account.opened","address":[1]}`:                                           "malformed: address is no list of texts",
		head + `"account.closed"}`:                                                         `malformed: type "account.closed" is no type of account event`,
		head + `"subscription.started"}`:                                                   "missing_field: plan is absent",
		head + `"subscription.changed","plan":7}`:                                          `malformed: plan "7" is no text`,
		head + `"subscription.cancelled"}`:                                                 "",
		head + `"pack.purchased","pack":"p","units":"2.5","paid":false}`:                   "",
		head + `"pack.purchased","pack":"p","units":0}`:                                    `bad_number: units "0" is zero`,
		head + `"pack.purchased","pack":"p","units":-1}`:                                   `negative_quantity: units "-1" is negative`,
		head + `"pack.purchased","pack":"p","paid":"yes"}`:                                 `malformed: paid "yes" is neither true nor false`,
		head + `"bucket.opened","kind":"gift","credits":1}`:                                `malformed: kind "gift" is none of allowance, rollover, pack, topup, promotion`,
		head + `"bucket.opened","kind":"pack","credits":1,"expires_at":"soon"}`:            `bad_time: expires_at "soon" is no RFC 3339 time`,
		head + `"bucket.voided"}`:                                                          "missing_field: bucket is absent",
		head + `"credits.granted","credits":0.0000001,"reason":"r"}`:                       `bad_number: credits "0.0000001" has more than 6 digits behind the point`,
		head + `"credits.granted","credits":"1e3","reason":"r"}`:                           `bad_number: credits "1e3" is no plain decimal number`,
		head + `"credits.granted","credits":1,"reason":"r","priority":-5}`:                 "",
		head + `"credits.granted","credits":` + strings.Repeat("9", 33) + `,"reason":"r"}`: `number_overflow: credits "` + strings.Repeat("9", 33) + `" has too many digits`,
		head + `"charge.added","amount":"-15.00","description":"x"}`:                       "",
		head + `"charge.added","amount":1}`:                                                "missing_field: description is absent",
		head + `"overage.set","protection":false,"limit":null}`:                            "",
		head + `"topup.set","pack":"p","units":1,"below":5}`:                               "missing_field: most_per_period is absent",
		head + `"topup.set","pack":"p","units":1,"below":5,"most_per_period":1.5}`:         `bad_number: most_per_period "1.5" is no whole number`,
		head + `"topup.cleared"}`:                                                          "",
		head + `"alert.set","below":{}}`:                                                   "malformed: below is no number",
		head + `"alert.set","below":1,"x":1,"x":2}`:                                        "malformed: a name stands twice in the object that ends here at byte 93",
		`{"id":"1","account":"a","type":"alert.set","below":1}`:                            "missing_field: at is absent or empty",
		`{"id":"1","account":"","at":"x","type":"alert.set","below":1}`:                    "missing_field: account is absent or empty",
		`{"id":"1","account":"a","at":"x","type":"alert.set","below":-1}`:                  `bad_time: at "x" is no RFC 3339 time`,
	})
}
