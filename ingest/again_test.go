package ingest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

// keepRejects makes a bench that keeps what is live of the table rejected, and knows
// which contents of which objects were read.
func keepRejects(t *testing.T, texts ...string) *rejectBench {
	b := &rejectBench{bench: newBench(t, texts...), read: map[string][]string{}}
	b.bench.before, b.bench.after = b.before, b.after
	return b
}

type rejectBench struct {
	*bench
	live  string // a Parquet file: rejected, file, accepted; "": none
	runs  int
	read  map[string][]string // texts by key
	names []string            // as they are read by the next run
}

func exec(t *testing.T, session *duck.Session, statement string) {
	t.Helper()
	if err := session.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
}

func (b *rejectBench) ingest(objects ...raw) ingest.Report {
	b.t.Helper()
	b.names = nil
	for _, o := range objects {
		b.names = append(b.names, o.key+"\x00"+o.text)
	}
	report := b.run(objects...)
	for _, o := range objects {
		b.read[o.key] = append(b.read[o.key], o.text)
	}
	return report
}

func (b *rejectBench) before(session *duck.Session, in *ingest.Input) {
	for i := range in.Objects {
		o := &in.Objects[i]
		texts := b.read[o.Key]
		o.Again = len(texts) > 0
		o.Reread = slices.ContainsFunc(texts, func(text string) bool { return slices.Contains(b.names, o.Key+"\x00"+text) })
		in.KnownPlaces = in.KnownPlaces || o.Reread
	}
	if b.live != "" {
		exec(b.t, session, "CREATE TEMP TABLE known_rejects AS FROM read_parquet("+duck.Literal(b.live)+")")
		in.KnownRejects = true
	}
	places := b.usage
	places.Columns = lake.Usage.Columns
	if err := session.View(b.t.Context(), "known_places", places); err != nil {
		b.t.Fatal(err)
	}
}

func (b *rejectBench) after(session *duck.Session, report ingest.Report) {
	scan := duck.Scan{Columns: lake.Rejected.Columns}
	for _, o := range report.Outputs {
		if o.Table.Name == lake.Rejected.Name {
			scan.Add(o.Path, 0)
		}
	}
	b.runs++
	query := fmt.Sprintf("SELECT *, '%d' AS file, false AS accepted FROM (%s)", b.runs, scan.SQL())
	if b.live != "" {
		old := "SELECT * FROM known_rejects"
		if report.Superseded {
			old += " ANTI JOIN ingest_superseded USING (source, object, line, file)"
		}
		query = old + " UNION ALL " + query
	}
	path := filepath.Join(b.t.TempDir(), "rejected.parquet")
	if _, err := session.CopyParquet(b.t.Context(), query, path); err != nil {
		b.t.Fatal(err)
	}
	b.live = path
}

// rejected are the live rejects: line, reason, and the run that made each.
func (b *rejectBench) rejected() string {
	b.t.Helper()
	session := b.session(b.t.TempDir())
	defer session.Close()
	rows, err := session.Rows(b.t.Context(), "SELECT concat_ws(' ', object, line, reason, file) FROM read_parquet("+duck.Literal(b.live)+") ORDER BY object, line")
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			b.t.Fatal(err)
		}
		text.WriteString(row + "\n")
	}
	return text.String()
}

// all reads columns of everything that runs have given, in order.
func (b *rejectBench) all(table lake.Table, columns string) string {
	b.t.Helper()
	scan := b.usage
	scan.Columns = table.Schema(b.dynamic)
	session := b.session(b.t.TempDir())
	defer session.Close()
	rows, err := session.Rows(b.t.Context(), "SELECT concat_ws(' ', "+columns+") FROM ("+scan.SQL()+") ORDER BY "+columns)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			b.t.Fatal(err)
		}
		text.WriteString(row + "\n")
	}
	return text.String()
}

// counted is an object's counts: records = events + rejects + skipped.
func counted(o ingest.ObjectReport) string {
	return fmt.Sprintf("%d = %d + %d + %d, superseded %d", o.Records, o.Events, o.Rejects, o.Skipped, o.Superseded)
}

func tokens(report ingest.Report) string {
	return fmt.Sprint(report.Totals.ByReason, report.Totals.Superseded)
}

func TestAGrownObjectKeepsEachRejectOnce(t *testing.T) {
	b := keepRejects(t, calls)
	e1, e2, e3 := line("e1", "12T10:00:00Z", "acme", 1), line("e2", "12T10:00:01Z", "acme", 1), line("e3", "12T10:00:02Z", "acme", 1)
	e4, e5 := line("e4", "13T10:00:00Z", "acme", 1), line("e5", "13T10:00:01Z", "acme", 1)
	broken := "{broken\n"

	content := e1 + broken + e1 + e2[:20]
	report := b.ingest(raw{"calls/a", content})
	expect(t, "first", counted(report.Objects[0]), "4 = 1 + 3 + 0, superseded 0")

	content = e1 + broken + e1 + e2 + line("", "13T10:00:00Z", "acme", 1) + e3[:30]
	report = b.ingest(raw{"calls/a", content})
	expect(t, "grown", counted(report.Objects[0]), "6 = 1 + 2 + 3, superseded 1")
	expect(t, "rejected", b.rejected(), `
calls/a 2 malformed 1
calls/a 3 duplicate 1
calls/a 5 missing_field 2
calls/a 6 malformed 2
`)

	content = strings.TrimSuffix(content, e3[:30]) + e3 + e4 + broken + e5[:40]
	report = b.ingest(raw{"calls/a", content})
	expect(t, "grown twice", counted(report.Objects[0]), "9 = 2 + 2 + 5, superseded 1")

	content = strings.TrimSuffix(content, e5[:40]) + e5
	report = b.ingest(raw{"calls/a", content})
	expect(t, "grown three times", counted(report.Objects[0]), "9 = 1 + 0 + 8, superseded 1")
	expect(t, "totals", tokens(report), "map[] map[malformed:1]")
	expect(t, "rejected", b.rejected(), `
calls/a 2 malformed 1
calls/a 3 duplicate 1
calls/a 5 missing_field 2
calls/a 8 malformed 3
`)
	expect(t, "usage", b.all(lake.Usage, "event_id, line"), "e1 1\ne2 4\ne3 6\ne4 7\ne5 9\n")
}

func TestAReplacedObjectIsReadByItsNewLines(t *testing.T) {
	b := keepRejects(t, strings.Replace(calls, "format: jsonl", "format: jsonl\nwhere: {op: chat}", 1))
	e1, e2, e3 := line("e1", "12T10:00:00Z", "acme", 1), line("e2", "12T10:00:01Z", "acme", 1), line("e3", "12T10:00:02Z", "acme", 1)
	broken := "{broken" + strings.Repeat("x", len(e1)-len("{broken\n")) + "\n" // as long as a call
	b.ingest(raw{"calls/a", e1 + broken + "{broken 3\n" + "{broken 4\n" + "{broken 5\n" + "{broken 6\n"})
	// e1 has moved; line 1 is new; line 3 reads as before, line 4 is left out now, line
	// 5 is broken otherwise; there is no line 6.
	report := b.ingest(raw{"calls/a", e2 + e1 + "{broken 3\n" + strings.Replace(e3, "chat", "ping", 1) + "[]\n"})
	expect(t, "replaced", counted(report.Objects[0]), "5 = 1 + 2 + 2, superseded 3")
	expect(t, "totals", tokens(report), "map[duplicate:1 malformed:1] map[malformed:3]")
	expect(t, "rejected", b.rejected(), `
calls/a 2 duplicate 2
calls/a 3 malformed 1
calls/a 5 malformed 2
calls/a 6 malformed 1
`)
	// The first content again is a third one.
	report = b.ingest(raw{"calls/a", e1 + broken + "{broken 3\n" + e3})
	expect(t, "restored", counted(report.Objects[0]), "4 = 1 + 1 + 2, superseded 1")
	expect(t, "usage", b.all(lake.Usage, "event_id, line"), "e1 1\ne2 1\ne3 4\n")
}

// The mapping read the wrong fields for id and tokens; what was a call stays the call
// it was, though it would have another id now.
func TestReadingAgainWithAMendedMapping(t *testing.T) {
	wrong := strings.NewReplacer("id: id", "id: session", "tokens: usage.tokens", "tokens: used").Replace(calls)
	text := func(session, id, day, used string) string {
		return fmt.Sprintf(`{"session":%q,"id":%q,"ts":"2026-10-%sT10:00:00Z","org":"acme","op":"chat","used":%s,"usage":{"tokens":7}}`+"\n", session, id, day, used)
	}
	content := text("s1", "a", "12", "1") + // an event
		text("s1", "b", "12", "2") + // conflict: the same session
		text("s2", "c", "12", `"many"`) + // bad_number
		text("", "d", "12", "3") + // missing_field
		text("s3", "", "12", "4") + // an event; by the mended mapping it has no id
		text("s1", "a", "12", "1") + // duplicate
		"{broken\n"
	b := keepRejects(t, wrong)
	report := b.ingest(raw{"calls/a", content})
	expect(t, "first", counted(report.Objects[0]), "7 = 2 + 5 + 0, superseded 0")

	mended := newBench(t, calls)
	b.sources = mended.sources
	report = b.ingest(raw{"calls/a", content})
	expect(t, "again", counted(report.Objects[0]), "7 = 3 + 0 + 4, superseded 3")
	expect(t, "usage", b.all(lake.Usage, "event_id, line, tokens"), "b 2 7\nc 3 7\nd 4 7\ns1 1 1\ns3 5 4\n")
	expect(t, "rejected", b.rejected(), "calls/a 6 duplicate 1\ncalls/a 7 malformed 1\n")
	report = b.ingest(raw{"calls/a", content})
	if o := report.Objects[0]; !o.Unchanged || report.Totals.Objects != 0 {
		t.Errorf("once more: %+v", o)
	}
}
