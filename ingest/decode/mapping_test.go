package decode

import (
	"strings"
	"testing"
)

// mappingOf decodes a line of JSON, or a CSV file, by an event section.
func mappingOf(t *testing.T, format, key, sections, object string) []string {
	t.Helper()
	yaml := "source: s\npath: '**'\nformat: " + format + "\n" + sections + "\n"
	got := decodeObject(t, yaml, key, strings.NewReader(object))
	return append(got.events, got.rejects...)
}

// The tests below go by the forms of SPEC section 3, one each.

func TestValueFromANestedPath(t *testing.T) {
	const event = `event: {id: a.b.c.id, time: a.ts, account: 'http\.org', project: 'a\\b', operation: a.b.op}
dimensions: {model: a.b.m, deep: 'a.x\.y.z'}
quantities: {n: a.b.c.n}`
	got := mappingOf(t, "jsonl", "k", event, `{"a":{"ts":"2026-10-12T10:00:00Z","b":{"op":"o","c":{"id":"1","n":5},"m":"x"},"x.y":{"z":"deep"}},"http.org":"acme","a\\b":"p","m":"not this"}`)
	wantText(t, "events", got, "1 id=1 time=2026-10-12T10:00:00Z account=acme operation=o project=p model=x deep=deep n=5")
	got = mappingOf(t, "csv", "k", `event: {id: a.b, time: ts, account: org, operation: 'o\.p'}`, "a.b,ts,org,o\\.p\n1,2026-10-12T10:00:00Z,acme,x\n")
	wantText(t, "in CSV the whole text is a column's name", got, "2 id=1 time=2026-10-12T10:00:00Z account=acme operation=x")
}

func TestValueConstant(t *testing.T) {
	const event = `event: {id: id, time: ts, account: {constant: acme}, project: {constant: 7}, key: {constant: true}, operation: {constant: chat}}
dimensions: {model: {constant: big}}
quantities: {calls: {constant: 1}, cost: {constant: 0.25, type: decimal}}`
	got := mappingOf(t, "jsonl", "k", event, `{"id":"1","ts":"2026-10-12T10:00:00Z"}`)
	wantText(t, "events", got, "1 id=1 time=2026-10-12T10:00:00Z account=acme operation=chat project=7 key=true model=big calls=1 cost=0.250000")
}

func TestValueCutOutOfTheKey(t *testing.T) {
	const event = `event: {time: ts, account: {key: "logs/{account}/{yyyy}/*.jsonl"}, project: {key: "**/{part}-*.jsonl"}, operation: {constant: x}}`
	got := mappingOf(t, "jsonl", "logs/acme/2026/web-1.jsonl", event, `{"ts":"2026-10-12T10:00:00Z"}`)
	wantText(t, "events", got, "1 id=logs/acme/2026/web-1.jsonl:1 time=2026-10-12T10:00:00Z account=acme operation=x project=web")
	got = mappingOf(t, "jsonl", "elsewhere/acme.jsonl", event, `{"ts":"2026-10-12T10:00:00Z"}`)
	wantText(t, "of another key", got, `1 missing_field: key logs/{account}/{yyyy}/*.jsonl is absent`)
}

func TestValueJoined(t *testing.T) {
	const event = `event: {id: id, time: ts, account: org, operation: {join: [method, route, {constant: v1}], with: " "}}
dimensions: {both: {join: [a, b]}}`
	for line, want := range map[string]string{
		`"method":"POST","route":"/x","a":"1","b":2`: "operation=POST /x v1 both=12",
		`"method":"POST","route":"/x","a":"1"`:       "operation=POST /x v1", // one is absent, so all is
		`"method":"POST","route":"/x","a":"","b":2`:  "operation=POST /x v1",
	} {
		got := mappingOf(t, "jsonl", "k", event, `{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a",`+line+`}`)
		wantText(t, line, got, "1 id=1 time=2026-10-12T10:00:00Z account=a "+want)
	}
	got := mappingOf(t, "jsonl", "k", event, `{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","method":"GET"}`)
	wantText(t, "a part of the operation is absent", got, `1 missing_field: method and route and constant "v1" is absent`)
}

func TestDefaultsStandInForAbsentAndNull(t *testing.T) {
	const event = `event: {id: id, time: ts, account: org, operation: {constant: x}}
dimensions: {quality: q, size: s}
quantities: {images: n, seconds: {field: d, type: decimal}}
defaults: {quality: low, images: 1, seconds: 0.5}`
	const head = `{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a"`
	for line, want := range map[string]string{
		`}`:                            " quality=low images=1 seconds=0.500000",
		`,"q":null,"n":null,"d":null}`: " quality=low images=1 seconds=0.500000",
		`,"q":"high","n":0,"d":2}`:     " quality=high images=0 seconds=2.000000",
		`,"q":"","s":""}`:              " quality= size= images=1 seconds=0.500000", // an empty text is a text
	} {
		wantText(t, line, mappingOf(t, "jsonl", "k", event, head+line), "1 id=1 time=2026-10-12T10:00:00Z account=a operation=x"+want)
	}
	got := mappingOf(t, "csv", "k", event, "id,ts,org,q,n,d\n1,2026-10-12T10:00:00Z,a,,,\n")
	wantText(t, "an empty CSV cell is absent", got, "2 id=1 time=2026-10-12T10:00:00Z account=a operation=x quality=low images=1 seconds=0.500000")
}

func TestWhereLeavesRecordsOut(t *testing.T) {
	const event = `where: {route: "/v1/*", status: {lt: 500}, 'http\.kind': [call, null]}
event: {id: id, time: ts, account: org, operation: {constant: x}}`
	const yaml = "source: s\npath: '**'\nformat: jsonl\n" + event
	for line, skipped := range map[string]bool{
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","route":"/v1/x","status":200}`:                      false,
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","route":"/v1/x","status":"200","http.kind":"call"}`: false,
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","route":"/v2/x","status":200}`:                      true,
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","route":"/v1/x","status":500}`:                      true,
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","status":200}`:                                      true,
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","route":"/v1/x","status":200,"http.kind":"ping"}`:   true,
		`{"id":{},"ts":"x","route":"/v2/x","status":200}`:                                                    true, // no record of ours, whatever else is wrong with it
		`{"route":["/v1/x"],"status":200}`:                                                                   true,
	} {
		got := decodeObject(t, yaml, "k", strings.NewReader(line))
		if (len(got.skipped) == 1) != skipped || got.counts.Records != 1 {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestTimeLayouts(t *testing.T) {
	for _, c := range []struct{ time, value, want string }{
		{"ts", `"2026-10-03T14:00:00.123456789Z"`, "2026-10-03T14:00:00.123456Z"},
		{"{field: ts}", `"2026-10-03T16:00:00+02:00"`, "2026-10-03T14:00:00Z"},
		{"{field: ts, layout: rfc3339}", `"2026-10-03T14:00:00Z"`, "2026-10-03T14:00:00Z"},
		{"{field: ts, layout: unix_s}", `1791036000`, "2026-10-03T14:00:00Z"},
		{"{field: ts, layout: unix_s}", `"1791036000.25"`, "2026-10-03T14:00:00.25Z"},
		{"{field: ts, layout: unix_ms}", `1791036000123`, "2026-10-03T14:00:00.123Z"},
		{"{field: ts, layout: unix_us}", `1791036000123456`, "2026-10-03T14:00:00.123456Z"},
		{`{field: ts, layout: "2006-01-02 15:04:05"}`, `"2026-10-03 14:00:00.5"`, "2026-10-03T14:00:00.5Z"},
		{`{field: ts, layout: "2006-01-02 15:04:05", zone: UTC}`, `"2026-10-03 14:00:00"`, "2026-10-03T14:00:00Z"},
		{`{field: ts, layout: "2006-01-02 15:04:05", zone: Asia/Kolkata}`, `"2026-10-03 19:30:00"`, "2026-10-03T14:00:00Z"},
		{`{field: ts, layout: "02/Jan/2006:15:04:05 -0700"}`, `"03/Oct/2026:16:00:00 +0200"`, "2026-10-03T14:00:00Z"},
		{`{field: ts, layout: "Mon, 02 Jan 2006 15:04:05 Z07:00"}`, `"Sat, 03 Oct 2026 14:00:00 Z"`, "2026-10-03T14:00:00Z"},
		{`{field: ts, layout: "2006-01-02T15:04:05,000", zone: America/New_York}`, `"2026-10-03T10:00:00,123"`, "2026-10-03T14:00:00.123Z"},
	} {
		got := mappingOf(t, "jsonl", "k", "event: {id: id, time: "+c.time+", account: org, operation: {constant: x}}", `{"id":"1","org":"a","ts":`+c.value+`}`)
		wantText(t, c.time+" "+c.value, got, "1 id=1 time="+c.want+" account=a operation=x")
	}
}

// An envelope, such as CloudEvents', is nothing but a path.
func TestEnvelope(t *testing.T) {
	const event = `event: {id: id, time: time, account: subject, operation: type}
dimensions: {model: data.model}
quantities: {tokens: data.usage.total_tokens}`
	got := mappingOf(t, "jsonl", "k", event, `{"specversion":"1.0","id":"e-1","source":"/gw","type":"chat","subject":"acme","time":"2026-10-03T14:00:00Z","datacontenttype":"application/json","data":{"model":"big","usage":{"total_tokens":12}}}`)
	wantText(t, "events", got, "1 id=e-1 time=2026-10-03T14:00:00Z account=acme operation=chat model=big tokens=12")
}

// SPEC section 14 (4): of several faults the first in the order is the reason.
func TestOrderOfFaults(t *testing.T) {
	const all = `"n":-1,"d":"x"`
	for line, reason := range map[string]string{
		`{"id":[],"ts":"x",` + all + `}`:                                                             "malformed",
		`{"ts":"x",` + all + `}`:                                                                     "missing_field",
		`{"id":"a\u0001","ts":"x","org":"","op":"x","sub":"y",` + all + `}`:                          "bad_id",
		`{"id":"1","ts":"x","org":"","op":"x","sub":"y",` + all + `}`:                                "missing_field",
		`{"id":"1","ts":"x","org":"a","op":"x","sub":"y",` + all + `}`:                               "bad_time",
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","op":"x","sub":"y","n":"ten","d":-1}`:       "bad_number",
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","op":"x","sub":"y","n":-1,"d":"x"}`:         "negative_quantity",
		`{"id":"1","ts":"2026-10-12T10:00:00Z","org":"a","op":"x","sub":"y","n":1,"d":1e12}`:         "number_overflow",
		`{"id":"1","ts":"2030-10-12T10:00:00Z","org":"a","op":"x","sub":"y","n":-1}`:                 "negative_quantity",
		`{"id":"1","ts":"2030-10-12T10:00:00Z","org":"a","op":"x","sub":"y","n":1}`:                  "future",
		`{"id":"1","ts":"2020-10-12T10:00:00Z","org":"a","op":"x","sub":"y","n":1}`:                  "too_old",
		`{"id":"1","ts":"2030-10-12T10:00:00Z","org":"a","op":"x","sub":"y","project":"","n":"ten"}`: "missing_field",
	} {
		rejects, _, _ := decodeAll(t, mapped, strings.NewReader(line))
		if len(rejects) != 1 || !strings.HasPrefix(rejects[0], "1 "+reason+": ") {
			t.Errorf("%s: %q, want %s", line, rejects, reason)
		}
	}
}
