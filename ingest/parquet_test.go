package ingest_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/internal/lake"
)

// TestRunReadsParquet reads one file twice, so that its events have copies whose text is
// fetched again, once damaged, and once packed once more.
func TestRunReadsParquet(t *testing.T) {
	file := string(readFile(t, logs, "parquet/calls.parquet"))
	b := newBench(t, string(readFile(t, logs, "parquet/source.yaml")))
	b.now = instant("2026-10-04T00:00:00Z")
	report := b.run(
		raw{"warehouse/a.parquet", file}, raw{"warehouse/b.parquet", file},
		raw{"warehouse/c.parquet", file[:len(file)-1]}, raw{"warehouse/failing.parquet", file},
	)
	expect(t, "usage", b.rows(report, lake.Usage, "event_id, object, line, model, prompt_tokens, seconds"), `
c-1 | warehouse/a.parquet | 1 | large | 1200 | 1.204000
c-2 | warehouse/a.parquet | 2 | small | 31 | 0.000001
c-6 | warehouse/a.parquet | 6 | 9007199254740993 | 123456789.123457
`)
	expect(t, "rejected", b.rows(report, lake.Rejected, "object, line, byte_offset, reason, left(raw, 90)"), `
warehouse/a.parquet | 5 | 4 | negative_quantity | {"call_id":"c-5","called_at":"2026-10-03T14:00:04Z","org":"globex","op":"chat.completion",
warehouse/b.parquet | 1 | 0 | duplicate | {"call_id":"c-1","called_at":"2026-10-03T14:00:00.123456Z","org":"acme","op":"chat.complet
warehouse/b.parquet | 2 | 1 | duplicate | {"call_id":"c-2","called_at":"2026-10-03T14:00:01Z","org":"acme","op":"chat.completion","m
warehouse/b.parquet | 5 | 4 | negative_quantity | {"call_id":"c-5","called_at":"2026-10-03T14:00:04Z","org":"globex","op":"chat.completion",
warehouse/b.parquet | 6 | 5 | duplicate | {"call_id":"c-6","called_at":"2026-10-03T14:00:05Z","org":"globex","op":"embedding.create"
warehouse/a.parquet | 4 | 3 | missing_field | {"call_id":"c-4","called_at":"2026-10-03T14:00:03Z","org":null,"op":"chat.completion","mod
warehouse/b.parquet | 4 | 3 | missing_field | {"call_id":"c-4","called_at":"2026-10-03T14:00:03Z","org":null,"op":"chat.completion","mod
warehouse/c.parquet | 1 | 0 | truncated | 
`)
	if o := report.Objects[3]; o.Err == nil || !strings.Contains(o.Err.Error(), "connection reset") {
		t.Errorf("a store that fails: %+v", o)
	}
}

// TestDraftOfParquet drafts a source from rows, whatever the file is called.
func TestDraftOfParquet(t *testing.T) {
	file, err := os.Open(logs + "/parquet/calls.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, key := range []string{"calls/x.parquet", "calls/000000_0"} {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		yaml, err := ingest.Draft("calls", key, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"format: parquet", `id: "call_id"`, `time: "called_at"`, `operation: "op"`, `cached: "cached"`, `seconds: {field: "seconds", type: decimal}`} {
			if !strings.Contains(yaml, want) {
				t.Errorf("no %s in:\n%s", want, yaml)
			}
		}
	}
	for key, text := range map[string]string{"x.parquet": "PAR1 and no more", "y.parquet": "", "z.parquet.gz": gz("PAR1")} {
		if yaml, err := ingest.Draft("x", key, strings.NewReader(text)); err == nil {
			t.Errorf("%s was drafted:\n%s", key, yaml)
		}
	}
}
