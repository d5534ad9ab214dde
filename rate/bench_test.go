package rate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/rate/price"
)

var benchColumns = []lake.Column{
	{Name: "model", Type: lake.DimensionType},
	{Name: "status", Type: lake.DimensionType},
	{Name: "quality", Type: lake.DimensionType},
	{Name: "images", Type: lake.IntegerQuantityType},
	{Name: "input_tokens", Type: lake.IntegerQuantityType},
	{Name: "output_tokens", Type: lake.IntegerQuantityType},
	{Name: "seconds", Type: lake.DecimalQuantityType},
}

// makeUsage writes a file of the table usage, in order, all in October 2026.
func makeUsage(t testing.TB, s *duck.Session, path string, calls, models int) {
	t.Helper()
	_, err := s.CopyParquet(context.Background(), fmt.Sprintf(`
		SELECT printf('req-%%012d', hash(i) %% 1000000000000) AS event_id, 'gateway' AS source, printf('acct-%%05d', CAST(20000 * pow(hash(i, 1) %% 100000 / 100000.0, 3) AS BIGINT)) AS account,
			CASE WHEN i %% 3 = 0 THEN NULL ELSE 'project-' || i %% 7 END AS project, 'key-' || hash(i) %% 50000 AS key,
			['chat.completion', 'image.generate', 'image.upscale', 'embedding.create', 'audio.transcribe', 'training.run'][1 + i %% 6] AS operation,
			TIMESTAMP '2026-10-01' + to_microseconds(CAST(hash(i, 2) %% 2678400000000 AS BIGINT)) AS time, 'gateway/2026/10/calls.jsonl.gz' AS object, i AS line,
			'model-' || hash(i, 3) %% %d AS model, CASE WHEN i %% 50 = 0 THEN '503' WHEN i %% 51 = 0 THEN '429' ELSE '200' END AS status,
			CASE WHEN i %% 6 = 1 THEN ['low', 'high'][1 + i %% 2] END AS quality,
			CASE WHEN i %% 6 IN (1, 2) THEN 1 + i %% 4 END AS images,
			CASE WHEN i %% 6 IN (0, 3) THEN hash(i, 4) %% 8000 END AS input_tokens, CASE WHEN i %% 6 = 0 THEN hash(i, 5) %% 2000 END AS output_tokens,
			CASE WHEN i %% 6 >= 4 THEN CAST((hash(i, 6) %% 100000000) / 1000000.0 AS DECIMAL(18,6)) END AS seconds
		FROM (SELECT CAST(range AS BIGINT) AS i FROM range(%d)) ORDER BY account, time, source, event_id`, models, calls), path)
	if err != nil {
		t.Fatal(err)
	}
}

func usageScan(dynamic []lake.Column, files ...string) duck.Scan {
	scan := duck.Scan{Columns: lake.Usage.Schema(dynamic)}
	for _, file := range files {
		scan.Add(file, 0)
	}
	return scan
}

func benchTable(models int) string {
	var b strings.Builder
	b.WriteString("table: api\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\napplies_to: [\"*\"]\nrules:\n  - {when: {status: {gte: 500}}, charge: {credits: 0}}\n")
	for i := range models {
		fmt.Fprintf(&b, "  - {operation: chat.completion, when: {model: model-%d}, charge: {sum: [{each: input_tokens, per: 1000000, credits: %d}, {each: output_tokens, per: 1000000, credits: %d}], minimum: 1}}\n", i, 1000*(i+1), 4000*(i+1))
	}
	b.WriteString(`  - {operation: image.generate, when: {quality: high}, charge: {each: images, credits: 9}}
  - {operation: image.generate, charge: {each: images, credits: 4}}
  - {operation: image.upscale, charge: {each: images, credits: "1.5"}}
  - {operation: embedding.create, charge: {each: input_tokens, per: 1000000, credits: 20000}}
  - {operation: audio.transcribe, when: {model: [a, b, c, d, e, f, g, h, i, j, k, l]}, charge: {credits: 1}}
  - {operation: audio.transcribe, charge: {each: seconds, credits: "0.25"}}
  - {operation: training.run, charge: {each: seconds, credits: 2, round_up_to: 1}}
`)
	return b.String()
}

func benchSession(t testing.TB, folders ...string) *duck.Session {
	t.Helper()
	s, err := duck.Open(context.Background(), duck.Options{Memory: "1GB", Threads: 2, Scratch: t.TempDir(), Folders: folders})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustExec(t testing.TB, s *duck.Session, statement string) {
	t.Helper()
	if err := s.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
}

func mustBook(t testing.TB, declared []lake.Column, tables ...string) *price.Book {
	t.Helper()
	var p yamlfile.Problems
	var files []price.File
	for i, text := range tables {
		files = append(files, price.File{Name: fmt.Sprintf("prices/%d.yaml", i+1), Content: []byte(text)})
	}
	book := price.Parse(files, declared, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return book
}

func calendar(t testing.TB, zone string) period.Calendar {
	t.Helper()
	c, err := period.NewCalendar(zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func month(t testing.TB, text string) period.Period {
	t.Helper()
	p, err := period.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// BenchmarkRun compares rating with what bare DuckDB needs to read the same file
// and write the same columns with constants.
func BenchmarkRun(b *testing.B) {
	const calls = 3_000_000
	folder := b.TempDir()
	for _, models := range []int{5, 200} {
		path := filepath.Join(folder, fmt.Sprintf("usage-%d.parquet", models))
		makeUsage(b, benchSession(b, folder), path, calls, models)
		b.Run(fmt.Sprintf("bare/models=%d", models), func(b *testing.B) {
			s := benchSession(b, folder)
			if err := s.View(context.Background(), "usage", usageScan(benchColumns, path)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				out := filepath.Join(folder, "bare.parquet")
				if _, err := s.CopyParquet(context.Background(), `SELECT event_id, source, account, project, key, operation, time, object, line, time AS posted_at, false AS late,
					'api' AS price_table, 1 AS price_version, 1 AS rule, CAST('1.5' AS DECIMAL(18,6)) AS credits, CAST(NULL AS VARCHAR) AS held, model, status, quality, images, input_tokens, output_tokens, seconds FROM usage`, out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(calls)*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
		b.Run(fmt.Sprintf("rate/models=%d", models), func(b *testing.B) {
			s := benchSession(b, folder)
			mustExec(b, s, "CREATE TABLE opened_accounts AS SELECT DISTINCT account, TIMESTAMP '2026-01-01' AS opened_at FROM read_parquet("+duck.Literal(path)+")")
			in := Input{
				Session: s, Scratch: folder, Book: mustBook(b, benchColumns, benchTable(models)), Calendar: calendar(b, "UTC"), Dynamic: benchColumns,
				Batches: []Batch{{Period: month(b, "2026-10"), Usage: usageScan(benchColumns, path), OpenStart: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}},
			}
			for b.Loop() {
				report, err := Run(context.Background(), in)
				if err != nil || report.Calls != calls {
					b.Fatalf("%d calls, %v", report.Calls, err)
				}
				os.Remove(report.Outputs[0].Path)
			}
			b.ReportMetric(float64(calls)*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
