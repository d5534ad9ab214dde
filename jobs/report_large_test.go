package jobs

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/page"
	"github.com/creditmill/creditmill/internal/period"
)

// hundredThousand are the tables of a month of 100,000 accounts, whose names are of 256
// bytes, with markup, right-to-left overrides and wide letters in them. Each account has
// its own project, operation, threshold, currency and reason, as far as a lake may.
var hundredThousand = map[string]string{
	"statements": `SELECT account, 'op-<b>' || i AS operation, 'p-' || chr(8238) || i AS project, 'k' || i AS key, CAST(1 AS BIGINT) AS calls,
		CAST(i AS DECIMAL(38, 6)) AS credits, CAST(0 AS BIGINT) AS late_calls, CAST(1 AS BIGINT) AS held_calls, CAST(0 AS DECIMAL(38, 4)) AS value, 'USD' AS currency, '2026-10' AS period FROM many`,
	"rated": `SELECT account, 'op-<b>' || i AS operation, 'p-' || chr(8238) || i AS project, 'k' || i AS key, TIMESTAMP '2026-10-05 00:00:00' AS "time", TIMESTAMP '2026-10-05 00:00:00' AS posted_at,
		i % 2 = 0 AS late, CAST(i AS DECIMAL(18, 6)) AS credits, CASE WHEN i % 3 = 0 THEN 'no_rule' END AS held, '2026-10' AS period FROM many`,
	"balances": `SELECT account, 'b' || i AS bucket_id, 'allowance' AS kind, 40 AS priority, TIMESTAMP '2026-10-01' AS starts_at, TIMESTAMP '2026-11-01' + to_days(CAST(i % 3000 AS INTEGER)) AS expires_at,
		CAST(0 AS DECIMAL(38, 6)) AS opening, CAST(9 AS DECIMAL(38, 6)) AS granted, CAST(2 AS DECIMAL(38, 6)) AS burned, CAST(3 AS DECIMAL(38, 6)) AS expired, CAST(0 AS DECIMAL(38, 6)) AS voided,
		CAST(0 AS DECIMAL(38, 6)) AS rolled_out, CAST(4 AS DECIMAL(38, 6)) AS remaining, CAST(0 AS DECIMAL(38, 4)) AS price, CAST(0 AS DECIMAL(38, 4)) AS recognised, CAST(0 AS DECIMAL(38, 4)) AS breakage,
		CAST(1 AS DECIMAL(38, 4)) AS deferred, 'USD' AS currency, '2026-10' AS period FROM many`,
	"ledger":              `SELECT account, TIMESTAMP '2026-10-05' AS "at", CASE WHEN i % 2 = 0 THEN 'overage' ELSE 'denied' END AS entry, NULL AS bucket_id, CAST(i AS DECIMAL(38, 6)) AS credits, '2026-10' AS period FROM many`,
	"alerts":              `SELECT account, CASE WHEN i % 2 = 0 THEN 'low_balance' ELSE 'percent' END AS kind, CAST(i % 100 AS DECIMAL(38, 6)) AS threshold, TIMESTAMP '2026-10-05' AS "at", '2026-10' AS period FROM many`,
	"accounts":            `SELECT account, account || chr(27) || '<i>' AS name, 'USD' AS currency, TIMESTAMP '2026-10-01' AS opened_at, 'free' AS plan FROM many`,
	"rejected":            `SELECT 's' || i AS source, 'o' || i AS object, 'malformed' AS reason, '2026-10-05' AS day FROM many`,
	"account_events":      `SELECT 'e' || i AS event_id, 'pack.purchased' AS type, account, TIMESTAMP '2026-10-05' AS "at", TIMESTAMP '2026-10-05' AS posted_at, 'no such pack <b>' || account AS held FROM many`,
	"rate_limit_breaches": `SELECT account, 'free' AS plan, TIMESTAMP '2026-10-05' AS window_start, TIMESTAMP '2026-10-06' AS window_end, 'day' AS rate_per, i AS calls, CAST(1 AS BIGINT) AS rate_calls, '2026-10' AS period FROM many`,
}

// emptyMill is a mill on a lake without a run.
func emptyMill(t *testing.T) *Mill {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "creditmill.yaml")
	for name, text := range map[string]string{
		config:                            "lake: ./lake\nraw: ./raw\nfirst_period: 2026-10\ntimezone: America/New_York\nsources: [source.yaml]\nprices: [prices.yaml]\ncatalog: [plans.yaml]\n",
		filepath.Join(dir, "source.yaml"): "source: accounts\npath: accounts/*.jsonl\nformat: accounts\n",
		filepath.Join(dir, "prices.yaml"): "table: api\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\napplies_to: [\"*\"]\nrules: [{charge: {credits: 1}}]\n",
		filepath.Join(dir, "plans.yaml"):  "plan: free\nversion: 1\neffective_from: 2026-01-01T00:00:00Z\nallowance: 10\nrenews: calendar\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	setup, err := LoadSetup(config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(t.Context(), setup, Options{Now: func() time.Time { return time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler), Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Release(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// The page of 100,000 accounts is as bounded as that of ten: each list says of how many it
// is the first.
func TestReportOfManyAccountsIsBounded(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	m := emptyMill(t)
	p, err := period.Parse("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	made, err := m.report(ctx, "month_", map[string]string{"period": "2026-10"}, func(r *reporter) (*page.Page, error) {
		many := `CREATE TEMP TABLE many AS SELECT i, rpad(i || '"><script>alert(1)</script>' || chr(8238) || '長', 240, 'w') AS account FROM (SELECT unnest(generate_series(1, 100000)) AS i)`
		if err := r.session.Exec(ctx, many); err != nil {
			return nil, err
		}
		for name, text := range hundredThousand {
			kind := "VIEW"
			if name == "accounts" { // a table of the session
				kind = "TABLE"
			}
			if err := r.session.Exec(ctx, "CREATE OR REPLACE TEMP "+kind+" "+name+" AS "+text); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		return (&monthReport{reporter: r, ctx: ctx, month: p}).page()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Write(&out); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 500_000 {
		t.Errorf("the page has %d bytes", out.Len())
	}
	text := out.String()
	for _, not := range []string{"<script", "\u202e", "\x1b", "<b>", "<i>"} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %q", not)
		}
	}
	for _, want := range []string{`15</data> of <data value="100000"`, `20</data> of <data value="100000"`, `30</data> of <data value="100000"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, width := range regexp.MustCompile(`viewBox="0 0 (\d+) `).FindAllStringSubmatch(text, -1) {
		if width[1] != "920" && width[1] != "448" && width[1] != "12" {
			t.Errorf("a chart is %s pixels wide", width[1])
		}
	}
}
