package ingest_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

var (
	benchCalls  = flag.Int("calls", 200_000, "calls that BenchmarkRun reads")
	benchFolder = flag.String("logs", "", "folder where BenchmarkRun keeps its logs; empty: made anew")
	benchBare   = flag.Bool("bare", false, "let BenchmarkRun time bare DuckDB too")
)

const benchSource = `
source: gateway
path: gateway/*.jsonl.gz
format: jsonl
event:
  id: request_id
  time: ts
  account: org
  project: project
  key: auth.key_id
  operation: {join: [method, route], with: " "}
dimensions: {quality: params.quality, size: params.size, model: model, status: status}
quantities: {images: params.n, input_tokens: usage.input_tokens, output_tokens: usage.output_tokens}
defaults: {images: 1}
`

const linesPerObject = 100_000

func writeLogs(tb testing.TB, folder string, calls int) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	routes := []string{"/v1/images", "/v1/chat", "/v1/embeddings", "/v1/upscale", "/v1/ocr", "/v1/background"}
	for first := 0; first < calls; first += linesPerObject {
		rng := rand.New(rand.NewPCG(1, uint64(first)))
		var last [1000]string
		path := filepath.Join(folder, fmt.Sprintf("%06d.jsonl.gz", first/linesPerObject))
		if _, err := os.Stat(path); err == nil {
			continue
		}
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, 6)
		for i := first; i < min(first+linesPerObject, calls); i++ {
			at := start.Add(time.Duration(float64(i) / 10e6 * float64(31*24*time.Hour)))
			org := int(20000 * rng.Float64() * rng.Float64())
			line := fmt.Sprintf(`{"ts":"%s","request_id":"%016x%016x","org":"acct-%05d","project":"proj-%d","auth":{"key_id":"key-%d-%d"},"method":"POST","route":"%s","params":{"quality":"%s","size":"1024x1024","n":%d},"model":"model-%d","usage":{"input_tokens":%d,"output_tokens":%d},"status":200}`+"\n",
				at.Format("2006-01-02T15:04:05.000Z"), rng.Uint64(), rng.Uint64(), org, org%5, org, rng.IntN(3), routes[rng.IntN(6)],
				[]string{"high", "low", "medium"}[rng.IntN(3)], 1+rng.IntN(4), rng.IntN(20), rng.IntN(4000), rng.IntN(2000))
			switch n := rng.IntN(1000); {
			case n < 10 && last[n*7] != "":
				line = last[n*7]
			case n == 10:
				line = "{\"ts\":\"broken\n"
			}
			last[i%1000] = line
			_, _ = io.WriteString(w, line)
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkRun reads gzipped JSON lines from files: go test -bench Run -run - -calls 10000000 -benchtime 1x.
func BenchmarkRun(b *testing.B) {
	folder := *benchFolder
	if folder == "" {
		folder = b.TempDir()
	}
	writeLogs(b, folder, *benchCalls)
	var problems yamlfile.Problems
	sources := source.Parse([]source.File{{Name: "gateway.yaml", Text: []byte(benchSource)}}, &problems)
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	calendar, _ := period.NewCalendar("UTC")
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	files, _ := filepath.Glob(filepath.Join(folder, "*.gz"))
	var objects []ingest.Object
	for _, file := range files[:(*benchCalls+linesPerObject-1)/linesPerObject] {
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		objects = append(objects, ingest.Object{
			Source: sources[0], Key: "gateway/" + filepath.Base(file), Bytes: info.Size(),
			Open: func(context.Context) (io.ReadCloser, error) { return os.Open(file) },
		})
	}
	b.ResetTimer()
	for b.Loop() {
		scratch := b.TempDir()
		session, err := duck.Open(context.Background(), duck.Options{Memory: "1GB", Threads: 2, Scratch: scratch, Folders: []string{folder}})
		if err != nil {
			b.Fatal(err)
		}
		known(b, session)
		began, used := time.Now(), cpu()
		report, err := ingest.Run(context.Background(), ingest.Input{
			Session: session, Scratch: scratch, Now: start.AddDate(0, 1, 0), Objects: objects, Calendar: calendar,
			Earliest: start, OpenStart: start, NoPast: true,
			Known: func(context.Context, []string) error { return nil },
		})
		if err != nil {
			b.Fatal(err)
		}
		took := time.Since(began)
		b.ReportMetric(float64(report.Totals.Records)/took.Seconds(), "calls/s")
		b.Logf("%d records, %d events, rejects %v: %v wall, %v CPU; peak %s", report.Totals.Records, report.Totals.Events, report.Totals.ByReason, took, cpu()-used, peak())
		if *benchBare {
			began, used = time.Now(), cpu()
			err := session.Exec(context.Background(), fmt.Sprintf(`COPY (SELECT ts, request_id, org, project, auth.key_id AS key, method || ' ' || route AS operation,
				params.quality AS quality, params.size AS size, params.n AS images, model, usage.input_tokens AS input_tokens, usage.output_tokens AS output_tokens, status
				FROM read_json('%s/*.gz', format = 'newline_delimited', ignore_errors = true, columns = {ts: 'TIMESTAMP', request_id: 'VARCHAR', org: 'VARCHAR',
				project: 'VARCHAR', auth: 'STRUCT(key_id VARCHAR)', method: 'VARCHAR', route: 'VARCHAR', params: 'STRUCT(quality VARCHAR, size VARCHAR, n BIGINT)',
				model: 'VARCHAR', usage: 'STRUCT(input_tokens BIGINT, output_tokens BIGINT)', status: 'VARCHAR'}))
				TO '%s/bare.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`, folder, scratch))
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("bare DuckDB: %v wall, %v CPU", time.Since(began), cpu()-used)
		}
		session.Close()
	}
}

// known makes the views of an empty lake.
func known(tb testing.TB, session *duck.Session) {
	tb.Helper()
	for name, table := range map[string]lake.Table{"known_usage": lake.Usage, "known_account_events": lake.AccountEvents} {
		if err := session.View(context.Background(), name, duck.Scan{Columns: table.Columns}); err != nil {
			tb.Fatal(err)
		}
	}
}

// cpu is what the process has used: on a machine that does other things too it
// says more than the clock.
func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func peak() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}
