package invoice

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
)

// Months of shapes that no ordinary month has: they must close, in bounded time and
// memory, and come to what a simple formula says.

const shapePlans = `
plan: pro
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "99.00"}
allowance: 1000000
renews: calendar
overage: {per: 1000, price: {USD: "1.00"}, protection: false}
---
pack: ten
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 10
price: {USD: "0.10"}
---
pack: brief
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 10
price: {USD: "0.20"}
expires_after: 20 days
`

// rate makes a month's rated calls by SQL, in a session of its own, whose memory goes
// with it. query gives the columns account, event_id, time and credits.
func (w *world) rate(p, query string) {
	w.t.Helper()
	ctx := context.Background()
	session, err := duck.Open(ctx, duck.Options{Memory: "500MB", Threads: 2, Scratch: w.t.TempDir(), Folders: []string{w.input.Scratch}})
	must(w.t, err)
	defer session.Close()
	path := filepath.Join(w.input.Scratch, "rated-"+p+".parquet")
	_, err = session.CopyParquet(ctx, `
		SELECT `+duck.Literal(p)+` AS period, event_id, 'api' AS source, account, CAST(NULL AS VARCHAR) AS project, CAST(NULL AS VARCHAR) AS key,
			'op' AS operation, time, 'o' AS object, CAST(1 AS BIGINT) AS line, time AS posted_at, false AS late, 'api' AS price_table,
			1 AS price_version, 1 AS rule, CAST(credits AS DECIMAL(18, 6)) AS credits, CAST(NULL AS VARCHAR) AS held
		FROM (`+query+`)`, path)
	must(w.t, err)
	if len(w.input.RatedFiles) == 0 {
		w.exec("DROP TABLE live_rated")
	}
	w.exec("CREATE OR REPLACE TEMP VIEW live_rated AS SELECT * FROM read_parquet(" + duck.Literal(path) + ")")
	w.input.RatedFiles = []string{path}
}

// events makes account events by SQL: columns id, type, account, at and more, the JSON of the other fields.
func (w *world) events(query string) {
	w.t.Helper()
	w.exec(`INSERT INTO live_account_events SELECT NULL, id, type, account, "at", "at", NULL,
		'{"id":"' || id || '","type":"' || type || '","account":"' || account || '"' || more || '}' FROM (` + query + `)`)
}

// measured closes a month, tells how long that took, and returns how much memory of its
// own the process held at most, in bytes: files that are mapped do not count, for the
// machine takes their pages back when it needs them.
func (w *world) measured(what, p, now string) (peak int64) {
	w.t.Helper()
	debug.FreeOSMemory()
	before := ownMemory(w.t)
	done, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		for {
			peak = max(peak, ownMemory(w.t))
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	began, cpu := time.Now(), cpuTime(w.t)
	report, err := w.run(p, now, false)
	took, spent := time.Since(began), cpuTime(w.t)-cpu
	close(done)
	<-sampled
	must(w.t, err)
	w.commit(report)
	w.t.Logf("%s: %d calls of %d accounts, %d invoices in %.1f s (%.1f s of processor); %d MB of memory, %d MB of them before", what, report.Totals.Calls, report.Totals.Accounts,
		report.Totals.Invoices, took.Seconds(), spent.Seconds(), peak>>20, before>>20)
	return peak
}

// ownMemory is what the process holds of its own, in bytes, as Linux tells; elsewhere 0.
func ownMemory(t testing.TB) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	value, _, _ := strings.Cut(rest, "kB")
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil {
		t.Error(err)
	}
	return kilobytes << 10
}

// An account has nearly all of five million calls: 0.0 to 0.9 credits each, 2,250,000 in
// all. Every 100,000th call, of 0.7 credits, is another's. The plan holds a million.
func TestAnAccountWithFiveMillionCalls(t *testing.T) {
	const n, others = 5_000_000, 50
	w := newWorld(t, "UTC", "2026-10", shapePlans)
	w.events(`SELECT account || '-' || n AS id, type, account, TIMESTAMP '2026-10-01' AS "at", more FROM
		(VALUES ('huge'), ('small'), ('zero')) a(account), (VALUES (1, 'account.opened', ''), (2, 'subscription.started', ',"plan":"pro"')) e(n, type, more)`)
	w.rate("2026-10", fmt.Sprintf(`SELECT CASE WHEN i %% 100000 = 7 THEN 'small' ELSE 'huge' END AS account, 'call-' || i AS event_id,
		TIMESTAMP '2026-10-01' + to_microseconds(i * %d) AS time, (i %% 10) / 10 AS credits FROM range(%d) r(i)`, 31*86400*1_000_000/n, n))
	memory := w.measured("an account with most calls", "2026-10", "2026-11-01T06:00:00Z")
	if memory > 700<<20 {
		t.Errorf("%d MB of memory for an account of five million calls", memory>>20)
	}
	w.want("account, burned, expired, remaining) FROM live_balances ORDER BY account",
		"huge 1000000.000000 0.000000 0.000000; small 35.000000 999965.000000 0.000000; zero 0.000000 1000000.000000 0.000000")
	// 2,250,000 - 35 - 1,000,000 credits of overage at 1.00 for 1,000: 1,249.965.
	w.want("account, total) FROM live_invoices ORDER BY account", "huge 1348.9700; small 99.0000; zero 99.0000")
	w.want("account, calls, credits) FROM live_statements WHERE calls > 0 ORDER BY account",
		fmt.Sprintf("huge %d 2249965.000000; small %d 35.000000", n-others, others))
	w.want("account, kind, credits) FROM (SELECT account, kind, sum(credits) AS credits FROM live_burns GROUP BY ALL) ORDER BY ALL",
		"huge allowance 1000000.000000; huge overage 1249965.000000; small allowance 35.000000")
}

// An account buys 10,000 packs, one every 100 seconds, every second of which is gone
// after 20 days, and makes 200,000 calls a month of 0.2 credits, in October from the second day on.
func TestAnAccountWithTenThousandPacks(t *testing.T) {
	const packs, n = 10_000, 200_000
	w := newWorld(t, "UTC", "2026-10", shapePlans)
	w.events(fmt.Sprintf(`SELECT 'e' || i AS id, CASE WHEN i = 0 THEN 'account.opened' ELSE 'pack.purchased' END AS type, 'acme' AS account,
		TIMESTAMP '2026-10-01' + to_seconds(i * 100) AS "at", ',"pack":"' || CASE WHEN i %% 2 = 0 THEN 'ten' ELSE 'brief' END || '"' AS more
		FROM range(%d) r(i)`, packs+1))
	const every = 28 * 86400 * 1_000_000 / n // microseconds between calls
	for month, first := range []string{"2026-10-02", "2026-11-01"} {
		w.rate(first[:7], fmt.Sprintf(`SELECT 'acme' AS account, 'call-' || i AS event_id, TIMESTAMP '%s' + to_microseconds(i * %d) AS time,
			0.2 AS credits FROM range(%d) r(i)`, first, every, n))
		w.measured(fmt.Sprintf("%d packs, month %d", packs, month+1), first[:7], []string{"2026-11-01T06:00:00Z", "2026-12-01T06:00:00Z"}[month])
	}
	// The same by hand, so to say: the packs that expire pay first, the oldest before the
	// others; then those that do not. In tenths of a credit and seconds since October began.
	const day = 86400
	left := make([]int, packs/2) // of the packs that expire
	for i := range left {
		left[i] = 100
	}
	expires := func(i int) int { return (2*i+1)*100 + 20*day }
	var burned, expired [2]int // of the packs that expire
	next := 0
	for month, from := range []int{1 * day, 31 * day} {
		for i := range n {
			at := from + i*every/1_000_000
			for next < len(left) && (left[next] == 0 || expires(next) <= at) {
				if expires(next) <= 31*day {
					expired[0] += left[next]
				} else {
					expired[1] += left[next]
				}
				left[next] = 0
				next++
			}
			if next < len(left) && at >= (2*next+1)*100 {
				left[next] -= 2
				burned[month] += 2
			}
		}
		for i := next; month == 0 && i < len(left) && expires(i) <= 31*day; i++ {
			expired[0] += left[i]
			left[i] = 0
		}
	}
	tenths := func(n int) string { return fmt.Sprintf("%d.%d00000", n/10, n%10) }
	all := 2 * n // tenths a month
	rest := packs/2*100 - (all - burned[0])
	w.want(`period, expires_at IS NULL, sum(burned), sum(expired), sum(remaining)) FROM live_balances GROUP BY period, expires_at IS NULL ORDER BY 1`, strings.Join([]string{
		"2026-10 false " + tenths(burned[0]) + " " + tenths(expired[0]) + " " + tenths(packs/2*100-burned[0]-expired[0]),
		"2026-10 true " + tenths(all-burned[0]) + " 0.000000 " + tenths(rest),
		"2026-11 false " + tenths(burned[1]) + " " + tenths(expired[1]) + " 0.000000",
		"2026-11 true " + tenths(all-burned[1]) + " 0.000000 " + tenths(rest-(all-burned[1])),
	}, "; "))
	if burned[1] == 0 || expired[0] == 0 || expired[1] == 0 {
		t.Errorf("burned %v, expired %v: the packs are not in each other's way", burned, expired)
	}
	w.want("number, subtotal, paid, amount_due) FROM live_invoices", "INV-2026-000001 1500.0000 1500.0000 0.0000")
	w.want("count(*), sum(amount)) FROM live_invoice_lines", fmt.Sprintf("%d 1500.0000", packs))
	w.want("sum(amount) + (SELECT sum(deferred) FROM live_balances WHERE period = '2026-11')) FROM live_revenue", "1500.0000")
}

// 200,000 accounts are on a plan and nobody calls: everybody has an invoice of the fee.
func TestAMonthOfAccountsWithoutACall(t *testing.T) {
	const accounts = 200_000
	w := newWorld(t, "UTC", "2026-10", shapePlans)
	w.events(fmt.Sprintf(`SELECT account || '-' || n AS id, type, account, TIMESTAMP '2026-09-10' AS "at", more FROM
		(SELECT 'account-' || lpad(CAST(i AS VARCHAR), 6, '0') AS account FROM range(%d) r(i)),
		(VALUES (1, 'account.opened', ''), (2, 'subscription.started', ',"plan":"pro"')) e(n, type, more)`, accounts))
	memory := w.measured("accounts without a call", "2026-10", "2026-11-01T06:00:00Z")
	if memory > 1000<<20 {
		t.Errorf("%d MB of memory for accounts without a call", memory>>20)
	}
	w.want("count(*), count(DISTINCT number), min(number), max(number), sum(total), min(total), max(total)) FROM live_invoices",
		fmt.Sprintf("%d %d INV-2026-000001 INV-2026-%d %d.0000 99.0000 99.0000", accounts, accounts, accounts, accounts*99))
	w.want("count(*)) FROM (SELECT number, row_number() OVER (ORDER BY account) AS n FROM live_invoices) WHERE CAST(right(number, 6) AS INTEGER) <> n", "0")
	w.want("count(*), sum(granted), sum(expired)) FROM live_balances", fmt.Sprintf("%d %d000000.000000 %d000000.000000", accounts, accounts, accounts))
	w.want("kind, sum(amount)) FROM live_revenue GROUP BY kind", fmt.Sprintf("breakage %d.0000", accounts*99))
}
