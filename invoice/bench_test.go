package invoice

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
)

var benchCalls = flag.Int("invoice.calls", 1_000_000, "rated calls of BenchmarkRun")

const benchPlans = `
plan: pro
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "99.00"}
allowance: 1000
renews: anniversary
overage: {per: 1000, price: {USD: "12.00"}, protection: false, limit: 100000}
---
pack: more
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 500
price: {USD: "10.00"}
`

// BenchmarkRun burns a month of 20,000 accounts down, the largest of them with
// thousands of calls, and reports how that compares with DuckDB sorting and
// writing the same calls as burns (issue 2: within 2 times).
func BenchmarkRun(b *testing.B) {
	ctx := context.Background()
	folder := b.TempDir()
	w := newWorld(b, "UTC", "2026-10", benchPlans, folder)
	rated := filepath.Join(folder, "rated.parquet")
	_, err := w.session.CopyParquet(ctx, `
		SELECT '2026-10' AS period, md5(CAST(i AS VARCHAR)) AS event_id, 'gateway' AS source,
			'account-' || lpad(CAST(CAST(floor(20000 * pow((hash(i) % 1000003) / 1000003.0, 3)) AS INTEGER) AS VARCHAR), 6, '0') AS account,
			'project-' || (hash(i, 1) % 3) AS project, 'key-' || (hash(i, 1) % 3) AS key,
			['image.generate', 'chat.completion', 'image.upscale', 'ocr', 'embed', 'audio.transcribe'][1 + CAST(hash(i, 3) % 6 AS BIGINT)] AS operation,
			TIMESTAMP '2026-10-01' + to_microseconds(CAST(hash(i, 4) % (31 * 86400 * 1000000::BIGINT) AS BIGINT)) AS time, 'o' AS object, i AS line,
			time AS posted_at, hash(i, 5) % 100 = 0 AS late, 'api' AS price_table, 1 AS price_version, 1 AS rule,
			CAST((hash(i, 6) % 5000) / 1000 AS DECIMAL(18, 6)) AS credits, CAST(NULL AS VARCHAR) AS held
		FROM range(`+strconv.Itoa(*benchCalls)+`) r(i) ORDER BY account, time, source, event_id`, rated)
	must(b, err)
	w.exec("INSERT INTO live_account_events SELECT NULL, id, type, account, start, start, NULL, payload FROM (" + benchEvents + ")")
	w.exec("DROP TABLE live_rated; CREATE TEMP VIEW live_rated AS SELECT * FROM read_parquet(" + duck.Literal(rated) + ")")
	w.input.RatedFiles = []string{rated}
	debug.FreeOSMemory()

	bare, bareCPU := measure(b, func() {
		_, err := w.session.CopyParquet(ctx, `SELECT account, posted_at, source, event_id, account AS bucket_id, 'allowance' AS kind, credits
			FROM live_rated ORDER BY account, posted_at, time, source, event_id`, filepath.Join(folder, "bare.parquet"))
		must(b, err)
	})
	b.ResetTimer()
	for b.Loop() {
		var report Report
		debug.FreeOSMemory()
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak counts from here
		wall, cpu := measure(b, func() { report, err = w.run("2026-10", "2026-11-01T06:00:00Z", false) })
		must(b, err)
		b.ReportMetric(wall.Seconds()/bare.Seconds(), "wall/bare")
		b.ReportMetric(cpu.Seconds()/bareCPU.Seconds(), "cpu/bare")
		b.ReportMetric(float64(report.Totals.Calls)/wall.Seconds(), "calls/s")
		b.Logf("bare %v (cpu %v), run %v (cpu %v), peak memory %s kB, totals %v", bare, bareCPU, wall, cpu, peakMemory(b), report.Totals)
	}
}

const benchEvents = `
	SELECT a || '-' || n AS id, type, a AS account, CAST(e."at" AS TIMESTAMP) AS start,
		'{"id":"' || a || '-' || n || '","type":"' || type || '","account":"' || a || '",' || more || '}' AS payload
	FROM (SELECT 'account-' || lpad(CAST(i AS VARCHAR), 6, '0') AS a FROM range(20000) r(i)),
		(VALUES (1, 'account.opened', '2026-09-14T10:00:00', '"name":"A"'), (2, 'subscription.started', '2026-09-14T10:00:00', '"plan":"pro"'),
			(3, 'pack.purchased', '2026-10-05T10:00:00', '"pack":"more"')) e(n, type, "at", more)`

func measure(b testing.TB, do func()) (wall, cpu time.Duration) {
	b.Helper()
	start, before := time.Now(), cpuTime(b)
	do()
	return time.Since(start), cpuTime(b) - before
}

func cpuTime(b testing.TB) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakMemory is the most the process ever held, as Linux tells.
func peakMemory(b *testing.B) string {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	value, _, _ := strings.Cut(rest, "kB")
	return strings.TrimSpace(value)
}
