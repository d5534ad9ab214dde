package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

const calls = `
source: api
path: calls/**
format: jsonl
event: {id: id, time: ts, account: org, project: project, key: auth.key, operation: op}
dimensions: {model: model, status: status}
quantities: {tokens: usage.tokens, seconds: {field: dur, type: decimal}}
defaults: {model: small}
`

const table = `
source: sheet
path: sheets/*.csv
format: csv
where: {kind: call}
event: {time: {field: "at", layout: "2006-01-02 15:04:05"}, account: {key: "sheets/{account}.csv"}, operation: {constant: chat}}
quantities: {tokens: tokens}
`

const billing = `
source: billing
path: billing/*
format: accounts
`

// A bench is a small lake: what earlier runs committed, and sources.
type bench struct {
	t       *testing.T
	sources []*source.Source
	usage   duck.Scan // what earlier runs have
	events  duck.Scan
	dynamic []lake.Column
	now     time.Time
	open    time.Time
	days    []string // that were asked for
	most    int      // Input.SortBytes

	before func(*duck.Session, *ingest.Input) // a run; may be nil
	after  func(*duck.Session, ingest.Report) // may be nil

	count  sync.Mutex
	opened int // objects that were tried
}

func newBench(t *testing.T, texts ...string) *bench {
	t.Helper()
	var files []source.File
	for i, text := range texts {
		files = append(files, source.File{Name: fmt.Sprintf("%d.yaml", i), Text: []byte(text)})
	}
	var p yamlfile.Problems
	sources := source.Parse(files, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return &bench{
		t: t, sources: sources, now: instant("2026-10-20T12:00:00Z"), open: instant("2026-10-01T00:00:00Z"),
		events: duck.Scan{Columns: lake.AccountEvents.Columns},
	}
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// A raw is an object's key and bytes.
type raw struct{ key, text string }

// run ingests objects in a session of its own; what it writes is then known.
func (b *bench) run(objects ...raw) ingest.Report {
	b.t.Helper()
	report, err := b.try(objects...)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

func (b *bench) try(objects ...raw) (ingest.Report, error) {
	b.t.Helper()
	slices.SortFunc(objects, func(x, y raw) int { return strings.Compare(x.key, y.key) })
	var list []ingest.Object
	for _, o := range objects {
		s, err := source.Of(b.sources, "", strings.TrimSuffix(o.key, "+"))
		if err != nil || s == nil {
			b.t.Fatalf("%s: source %v, %v", o.key, s, err)
		}
		again := strings.HasSuffix(o.key, "+")
		list = append(list, ingest.Object{
			Source: s, Key: strings.TrimSuffix(o.key, "+"), Bytes: int64(len(o.text)), Again: again,
			Open: func(context.Context) (io.ReadCloser, error) {
				b.count.Lock()
				b.opened++
				b.count.Unlock()
				if strings.Contains(o.key, "silent") {
					return nil, fmt.Errorf("read %s: %w", o.key, lake.ErrUnavailable)
				}
				if strings.Contains(o.key, "unreadable") {
					return nil, errors.New("access denied")
				}
				var r io.Reader = strings.NewReader(o.text)
				if strings.Contains(o.key, "failing") {
					r = io.MultiReader(r, failingReader{})
				}
				return io.NopCloser(r), nil
			},
		})
	}
	calendar, err := period.NewCalendar("UTC")
	if err != nil {
		b.t.Fatal(err)
	}
	scratch := b.t.TempDir()
	session := b.session(scratch)
	defer session.Close()
	if err := session.View(context.Background(), "known_account_events", b.events); err != nil {
		b.t.Fatal(err)
	}
	input := ingest.Input{
		Session: session, Scratch: scratch, Now: b.now, Objects: list, Calendar: calendar,
		Earliest: instant("2026-10-01T00:00:00Z"), OpenStart: b.open, Dynamic: b.dynamic,
		SortBytes: b.most, Past: period.Duration{Days: 10}, Future: period.Duration{Elapsed: time.Hour},
		Known: func(ctx context.Context, days []string) error {
			b.days = days
			scan := b.usage
			scan.Columns = lake.Usage.Schema(b.dynamic)
			return session.View(ctx, "known_usage", scan)
		},
	}
	if b.before != nil {
		b.before(session, &input)
	}
	report, err := ingest.Run(context.Background(), input)
	if err != nil {
		return report, err
	}
	if b.after != nil {
		b.after(session, report)
	}
	for _, o := range report.Outputs {
		switch o.Table.Name {
		case "usage":
			b.usage.Add(o.Path, o.Columns)
		case "account_events":
			b.events.Add(o.Path, 0)
		}
	}
	b.dynamic = report.Dynamic
	for _, o := range report.Objects {
		if o.Records != o.Events+o.Rejects+o.Skipped {
			b.t.Errorf("%s: %d records, %d events, %d rejects, %d skipped", o.Object, o.Records, o.Events, o.Rejects, o.Skipped)
		}
	}
	return report, nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func (b *bench) session(scratch string) *duck.Session {
	b.t.Helper()
	session, err := duck.Open(context.Background(), duck.Options{Memory: "200MB", Threads: 2, Scratch: scratch, Folders: []string{"/"}})
	if err != nil {
		b.t.Fatal(err)
	}
	return session
}

// rows reads columns of a report's outputs of one table, a line a row.
func (b *bench) rows(report ingest.Report, t lake.Table, columns string) string {
	b.t.Helper()
	session := b.session(b.t.TempDir())
	defer session.Close()
	scan := duck.Scan{Columns: t.Schema(report.Dynamic)}
	for _, o := range report.Outputs {
		if o.Table.Name == t.Name {
			scan.Add(o.Path, o.Columns)
		}
	}
	if err := session.View(context.Background(), "t", scan); err != nil {
		b.t.Fatal(err)
	}
	rows, err := session.Rows(context.Background(), "SELECT concat_ws(' | ', "+columns+") FROM t")
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			b.t.Fatal(err)
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

const allUsage = `event_id, source, account, coalesce(project, '-'), coalesce("key", '-'), operation, strftime("time", '%m-%dT%H:%M:%S.%f'), object, line, ` +
	`coalesce(model, '-'), coalesce(status, '-'), coalesce(tokens::VARCHAR, '-'), coalesce(seconds::VARCHAR, '-')`

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	want = strings.TrimLeft(want, "\n")
	if got != want {
		t.Errorf("%s:\n%swant:\n%s", what, got, want)
	}
}

func gz(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func zst(text string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(text), nil))
}

func TestRunMapsLinesToUsage(t *testing.T) {
	b := newBench(t, calls, table)
	report := b.run(
		raw{"calls/a.jsonl", `{"id":"e1","ts":"2026-10-12T10:00:00.1234567Z","org":"acme","op":"chat","auth":{"key":"k1"},"model":"big","status":200,"usage":{"tokens":"12"},"dur":0.0000005}

{"id":2,"ts":"2026-10-11T23:59:59+00:00","org":"acme","project":"web","op":"chat","model":null,"status":true,"usage":{"tokens":1e3}}`},
		raw{"calls/b.jsonl.gz", gz(`{"id":"e3","ts":"2026-10-12T00:00:00+02:00","org":"zeta","op":"chat","status":2.50}` + "\n")},
		raw{"calls/c.jsonl.zst", zst(`{"id":"e4","ts":"2026-10-12T09:00:00Z","org":"acme","op":"chat","status":""}` + "\r\n")},
		raw{"sheets/mill.csv", "at,tokens,kind\n2026-10-12 08:00:00.9799600,7,call\n2026-10-12 08:00:01,8,ping\n"},
	)
	expect(t, "usage", b.rows(report, lake.Usage, allUsage), `
2 | api | acme | web | - | chat | 10-11T23:59:59.000000 | calls/a.jsonl | 3 | small | true | 1000 | -
e3 | api | zeta | - | - | chat | 10-11T22:00:00.000000 | calls/b.jsonl.gz | 1 | small | 2.50 | - | -
e4 | api | acme | - | - | chat | 10-12T09:00:00.000000 | calls/c.jsonl.zst | 1 | small |  | - | -
e1 | api | acme | - | k1 | chat | 10-12T10:00:00.123456 | calls/a.jsonl | 1 | big | 200 | 12 | 0.000001
sheets/mill.csv:2 | sheet | mill | - | - | chat | 10-12T08:00:00.979960 | sheets/mill.csv | 2 | - | - | 7 | -
`)
	var days []string
	for _, o := range report.Outputs {
		days = append(days, fmt.Sprintf("%s %s %d %d %s %s", o.Table.Name, o.Partition, o.Rows, o.Columns, o.MinTime.Format(time.TimeOnly), o.MaxTime.Format(time.TimeOnly)))
	}
	expect(t, "outputs", strings.Join(days, "\n"), "usage 2026-10-11 2 13 22:00:00 23:59:59\nusage 2026-10-12 3 13 08:00:00 10:00:00")
	expect(t, "days known usage was asked of", strings.Join(b.days, " "), "2026-10-11 2026-10-12")
	if report.Totals.Events != 5 || report.Totals.Skipped != 1 || report.Totals.Records != 6 || report.Totals.Objects != 4 || report.Totals.Rejects != 0 {
		t.Errorf("totals: %+v", report.Totals)
	}
	if fmt.Sprint(report.Dynamic) != "[{model VARCHAR} {status VARCHAR} {tokens BIGINT} {seconds DECIMAL(18,6)}]" {
		t.Errorf("dynamic: %v", report.Dynamic)
	}
}

func line(id, ts, org string, tokens int) string {
	return fmt.Sprintf(`{"id":%q,"ts":"2026-10-%s","org":%q,"op":"chat","usage":{"tokens":%d}}`+"\n", id, ts, org, tokens)
}

func TestOneEventCountsOnce(t *testing.T) {
	b := newBench(t, calls)
	first := line("e1", "12T10:00:00Z", "acme", 1)
	report := b.run(
		raw{"calls/a", first + first + line("e1", "12T10:00:00Z", "acme", 2) + line("e1", "12T10:00:00Z", "other", 1) + line("e2", "12T10:00:00Z", "acme", 1)},
		raw{"calls/b", line("e2", "12T10:00:01Z", "acme", 1) + first},
	)
	const short = "event_id, account, tokens, object, line"
	expect(t, "usage", b.rows(report, lake.Usage, short), `
e1 | acme | 1 | calls/a | 1
e2 | acme | 1 | calls/a | 5
e1 | other | 1 | calls/a | 4
`)
	const rejected = "source, object, line, byte_offset, reason, detail, raw"
	expect(t, "rejected", b.rows(report, lake.Rejected, rejected), `
api | calls/a | 2 | 86 | duplicate | the event is that of calls/a line 1 | {"id":"e1","ts":"2026-10-12T10:00:00Z","org":"acme","op":"chat","usage":{"tokens":1}}
api | calls/a | 3 | 172 | conflict | the event is that of calls/a line 1 | {"id":"e1","ts":"2026-10-12T10:00:00Z","org":"acme","op":"chat","usage":{"tokens":2}}
api | calls/b | 1 | 0 | conflict | the event is that of calls/a line 5 | {"id":"e2","ts":"2026-10-12T10:00:01Z","org":"acme","op":"chat","usage":{"tokens":1}}
api | calls/b | 2 | 86 | duplicate | the event is that of calls/a line 1 | {"id":"e1","ts":"2026-10-12T10:00:00Z","org":"acme","op":"chat","usage":{"tokens":1}}
`)
	if r := report.Totals.ByReason; r["duplicate"] != 2 || r["conflict"] != 2 || report.Totals.Rejects != 4 || report.Totals.Events != 3 {
		t.Errorf("totals: %+v", report.Totals)
	}

	// The same object, grown; another object with copies; and a new event.
	report = b.run(
		raw{"calls/0", first + line("e2", "12T10:00:00Z", "acme", 9)},
		raw{"calls/a", first + first + line("e9", "13T10:00:00Z", "acme", 1) + line("e1", "12T10:00:00Z", "other", 5)},
	)
	expect(t, "usage of the second run", b.rows(report, lake.Usage, short), "e9 | acme | 1 | calls/a | 3\n")
	expect(t, "rejected by the second run", b.rows(report, lake.Rejected, "object, line, reason, raw IS NOT NULL"), `
calls/0 | 1 | duplicate | true
calls/0 | 2 | conflict | true
calls/a | 2 | duplicate | true
calls/a | 4 | conflict | true
`)
	if o := report.Objects[1]; o.Skipped != 1 || o.Events != 1 || o.Rejects != 2 {
		t.Errorf("the grown object: %+v", o)
	}
}

// TestLargeDaysAreSeveralFilesOfTheSameRows sorts days whole, in parts, and in parts
// of an account or so each.
func TestLargeDaysAreSeveralFilesOfTheSameRows(t *testing.T) {
	var got [3]string
	for i, most := range []int{0, 4 << 10, 512} {
		b := newBench(t, calls)
		b.most = most
		var objects []raw
		for object := range 3 {
			var text strings.Builder
			for n := range 200 {
				text.WriteString(line(fmt.Sprint("e", n*(object+3)%211), fmt.Sprintf("1%dT10:00:0%dZ", 1+n%5, n%3), fmt.Sprint("acct-", n%17), n%4))
			}
			text.WriteString(line(fmt.Sprint("alone", object), fmt.Sprintf("1%dT00:00:00Z", 6+object), "a", 1))
			objects = append(objects, raw{fmt.Sprint("calls/", object), text.String()}, raw{fmt.Sprint("calls/unreadable", object), text.String()})
		}
		report := b.run(objects...)
		lines := strings.SplitAfter(b.rows(report, lake.Usage, allUsage), "\n")
		slices.Sort(lines)
		got[i] = strings.Join(lines, "")
		session := b.session(t.TempDir())
		files, rows := 0, map[string]int64{}
		for _, o := range report.Outputs {
			rows[o.Table.Name+o.Partition] += o.Rows
			if o.Table.Name != lake.Usage.Name {
				continue
			}
			files++
			var first, last time.Time
			query := "SELECT min(time), max(time) FROM read_parquet(" + duck.Literal(o.Path) + ")"
			if err := session.Row(t.Context(), query).Scan(&first, &last); err != nil || !first.Equal(o.MinTime) || !last.Equal(o.MaxTime) {
				t.Errorf("%s is from %s to %s, %v; reported %s to %s", o.Path, first, last, err, o.MinTime, o.MaxTime)
			}
			var wrong int
			query = "SELECT count(*) FROM (SELECT (account, time, source, event_id) AS k, lag(k) OVER (ORDER BY file_row_number) AS before" +
				" FROM read_parquet(" + duck.Literal(o.Path) + ", file_row_number = true)) WHERE before > k"
			if err := session.Row(t.Context(), query).Scan(&wrong); err != nil || wrong > 0 {
				t.Errorf("%s: %d rows out of order, %v", o.Path, wrong, err)
			}
		}
		if days := 8; i == 0 && files != days || i > 0 && files <= days {
			t.Errorf("at most %d bytes at once make %d files", most, files)
		}
		got[i] += fmt.Sprint(rows)
	}
	expect(t, "in parts", got[1], got[0])
	expect(t, "in small parts", got[2], got[0])
}

func TestSameIDInAnotherPeriodIsAnotherEvent(t *testing.T) {
	b := newBench(t, calls)
	b.now = instant("2026-11-02T00:00:00Z")
	report := b.run(raw{"calls/a", line("e1", "31T23:00:00Z", "acme", 1) + strings.Replace(line("e1", "01T01:00:00Z", "acme", 1), "2026-10", "2026-11", 1)})
	if report.Totals.Events != 2 {
		t.Errorf("totals: %+v", report.Totals)
	}
}

// TestOrderOfObjectsDoesNotMatter gives the same lines in objects of other names
// and sizes: the same events count.
func TestOrderOfObjectsDoesNotMatter(t *testing.T) {
	var lines []string
	for i := range 400 {
		lines = append(lines, line(fmt.Sprintf("e%d", i%300), fmt.Sprintf("1%dT10:00:%02dZ", 1+i%300%5, i%300%60), fmt.Sprintf("acct-%d", i%300%7), i%300%11))
	}
	want := ""
	for _, size := range []int{400, 13, 1} {
		b := newBench(t, calls)
		var objects []raw
		for i := 0; i < len(lines); i += size {
			objects = append(objects, raw{fmt.Sprintf("calls/%04d", i/size), strings.Join(lines[i:min(i+size, len(lines))], "")})
		}
		report := b.run(objects...)
		got := b.rows(report, lake.Usage, `event_id, account, tokens, "time"`)
		if want == "" {
			want = got
		}
		if report.Totals.Events != 300 || report.Totals.ByReason["duplicate"] != 100 || got != want {
			t.Errorf("objects of %d lines: %+v", size, report.Totals)
		}
	}
}

func TestAcceptedTimes(t *testing.T) {
	b := newBench(t, calls) // now 10-20T12:00, past 10 days, future 1h, both inclusive
	report := b.run(raw{"calls/a", line("1", "20T13:00:00Z", "a", 1) + line("2", "20T13:00:00.000001Z", "a", 1) + line("3", "10T12:00:00Z", "a", 1) + line("4", "10T11:59:59.999999Z", "a", 1)})
	expect(t, "usage", b.rows(report, lake.Usage, "event_id"), "3\n1\n")
	expect(t, "rejected", b.rows(report, lake.Rejected, "line, reason, detail"), `
4 | too_old | ts "2026-10-10T11:59:59.999999Z" is earlier than 2026-10-10T12:00:00Z
2 | future | ts "2026-10-20T13:00:00.000001Z" is later than 2026-10-20T13:00:00Z
`)
	b.now = instant("2026-10-05T00:00:00Z") // ten days back is before first_period
	report = b.run(raw{"calls/b", line("5", "01T00:00:00Z", "a", 1) + strings.Replace(line("6", "30T23:59:59Z", "a", 1), "2026-10", "2026-09", 1)})
	expect(t, "rejected", b.rows(report, lake.Rejected, "line, reason"), "2 | too_old\n")
}

func TestRejectsLieByTheDayOfTheirTimeOrOfTheRun(t *testing.T) {
	b := newBench(t, calls)
	report := b.run(raw{"calls/a", "broken\n" + line("", "12T10:00:00Z", "a", 1) + line("1", "12T10:00:00Z", "a", -1)})
	var got []string
	for _, o := range report.Outputs {
		got = append(got, fmt.Sprint(o.Table.Name, " ", o.Partition, " ", o.Rows))
	}
	expect(t, "outputs", strings.Join(got, ", "), "rejected 2026-10-12 1, rejected 2026-10-20 2")
}

func TestTooManyRejectsLeaveNothing(t *testing.T) {
	b := newBench(t, strings.Replace(calls, "format: jsonl", "format: jsonl\nmax_rejected: 50%", 1))
	e1 := line("e1", "12T10:00:00Z", "a", 1)
	report := b.run(
		raw{"calls/a", e1 + "broken\nbroken\n"},
		raw{"calls/b", e1 + "broken\n"},
	)
	if !report.Objects[0].TooManyRejects || report.Objects[0].Records != 3 || report.Objects[1].TooManyRejects || report.Totals.Objects != 1 || report.Totals.Rejects != 1 {
		t.Errorf("%+v", report)
	}
	expect(t, "usage", b.rows(report, lake.Usage, "event_id, object"), "e1 | calls/b\n")
	expect(t, "rejected", b.rows(report, lake.Rejected, "object, line"), "calls/b | 2\n")
}

func TestUnreadableObjectsLeaveNothing(t *testing.T) {
	b := newBench(t, calls)
	report := b.run(raw{"calls/unreadable", line("e1", "12T10:00:00Z", "a", 1)}, raw{"calls/failing", line("e2", "12T10:00:00Z", "a", 1)}, raw{"calls/z", line("e3", "12T10:00:00Z", "a", 1)})
	if report.Objects[0].Err == nil || report.Objects[1].Err == nil || report.Objects[2].Err != nil || report.Totals.Objects != 1 {
		t.Errorf("%+v", report.Objects)
	}
	expect(t, "usage", b.rows(report, lake.Usage, "event_id"), "e3\n")
}

func TestTruncatedObjectKeepsWhatCameBefore(t *testing.T) {
	b := newBench(t, calls)
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(line(fmt.Sprintf("e%d-%d", i, i*7919%1009), "12T10:00:00Z", "a", i))
	}
	packed := gz(text.String())
	report := b.run(raw{"calls/a.gz", packed[:len(packed)/2]}, raw{"calls/b.gz", packed[:len(packed)-4]}, raw{"calls/c.gz", "no gzip at all"})
	for i, want := range []int64{0, 2001, 1} {
		o := report.Objects[i]
		if i > 0 && o.Records != want || o.Rejects < 1 || o.Err != nil {
			t.Errorf("%+v", o)
		}
	}
	if report.Totals.ByReason["truncated"] != 3 || report.Totals.Events != 2000 {
		t.Errorf("%+v", report.Totals)
	}
}

func TestAccountEvents(t *testing.T) {
	b := newBench(t, billing)
	b.open = instant("2026-11-01T00:00:00Z")
	const opened = `{"type":"account.opened", "id":"1","account":"acme","at":"2026-09-01T00:00:00Z","name":"Acme"}` + "\n"
	report := b.run(
		raw{"billing/a", opened + `{"id":"2","type":"credits.granted","account":"acme","at":"2026-11-05T00:00:00Z","credits":1.50,"reason":"hello"}` + "\n" + opened},
		raw{"billing/b", strings.Replace(opened, "Acme", "Other", 1) + "{}\n"},
	)
	expect(t, "account events", b.rows(report, lake.AccountEvents, `event_id, "type", account, "at", posted_at, held IS NULL, payload`), `
1 | account.opened | acme | 2026-09-01 00:00:00 | 2026-11-01 00:00:00 | true | {"account":"acme","at":"2026-09-01T00:00:00Z","id":"1","name":"Acme","type":"account.opened"}
2 | credits.granted | acme | 2026-11-05 00:00:00 | 2026-11-05 00:00:00 | true | {"account":"acme","at":"2026-11-05T00:00:00Z","credits":1.50,"id":"2","reason":"hello","type":"credits.granted"}
`)
	expect(t, "rejected", b.rows(report, lake.Rejected, "object, line, reason, raw"), `
billing/a | 3 | duplicate | {"type":"account.opened", "id":"1","account":"acme","at":"2026-09-01T00:00:00Z","name":"Acme"}
billing/b | 1 | conflict | {"type":"account.opened", "id":"1","account":"acme","at":"2026-09-01T00:00:00Z","name":"Other"}
billing/b | 2 | missing_field | {}
`)
	if report.Totals.AccountEvents != 2 || report.Totals.Events != 0 || report.Objects[0].Events != 2 {
		t.Errorf("%+v", report)
	}
	report = b.run(raw{"billing/a+", opened}, raw{"billing/c", opened})
	if report.Objects[0].Skipped != 1 || report.Objects[1].Rejects != 1 || report.Totals.ByReason["duplicate"] != 1 {
		t.Errorf("again: %+v", report.Objects)
	}
}

func TestAccountEventsOfTheFirstPeriodPostWhereTheyAre(t *testing.T) {
	b := newBench(t, billing) // the open period is the first
	report := b.run(raw{"billing/a", `{"id":"1","type":"account.opened","account":"acme","at":"2026-09-01T00:00:00Z"}
{"id":"2","type":"bucket.opened","account":"acme","at":"2026-09-01T00:00:00Z","kind":"pack","credits":5}
{"id":"3","type":"bucket.opened","account":"acme","at":"2026-10-02T00:00:00Z","kind":"pack","credits":5}
`})
	expect(t, "posted", b.rows(report, lake.AccountEvents, `event_id, posted_at`), `
1 | 2026-09-01 00:00:00
2 | 2026-10-01 00:00:00
3 | 2026-10-02 00:00:00
`)
}

func TestRecordedTypeNeverChanges(t *testing.T) {
	b := newBench(t, calls)
	b.dynamic = []lake.Column{{Name: "tokens", Type: "DECIMAL(18,6)"}}
	if _, err := b.try(raw{"calls/a", line("e1", "12T10:00:00Z", "a", 1)}); err == nil || !strings.Contains(err.Error(), "tokens") {
		t.Errorf("%v", err)
	}
}

func TestRunsShareASession(t *testing.T) {
	b := newBench(t, calls)
	scratch := t.TempDir()
	session := b.session(scratch)
	defer session.Close()
	known(t, session)
	calendar, err := period.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		text := line(fmt.Sprint("e", i), "12T10:00:00Z", "a", 1)
		report, err := ingest.Run(context.Background(), ingest.Input{
			Session: session, Scratch: scratch, Now: b.now, Calendar: calendar, NoPast: true, Earliest: b.open, OpenStart: b.open,
			Known: func(context.Context, []string) error { return nil },
			Objects: []ingest.Object{{Source: b.sources[0], Key: fmt.Sprint("calls/", i), Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(text)), nil
			}}},
		})
		if err != nil || report.Totals.Events != 1 {
			t.Fatalf("run %d: %+v, %v", i, report.Totals, err)
		}
	}
}

func TestRunStopsWhenItsContextEnds(t *testing.T) {
	b := newBench(t, calls)
	scratch := t.TempDir()
	session := b.session(scratch)
	defer session.Close()
	known(t, session)
	calendar, err := period.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = ingest.Run(ctx, ingest.Input{
		Session: session, Scratch: scratch, Now: b.now, Calendar: calendar, NoPast: true, Earliest: b.open, OpenStart: b.open,
		Objects: []ingest.Object{{Source: b.sources[0], Key: "calls/endless", Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(&endless{text: line("e", "12T10:00:00Z", "a", 1), after: func() { cancel() }}), nil
		}}},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// endless repeats a text for ever and calls after from the thousandth time on.
type endless struct {
	text  string
	times int
	after func()
}

func (e *endless) Read(p []byte) (int, error) {
	if e.times++; e.times > 1000 {
		e.after()
	}
	return copy(p, e.text), nil
}
