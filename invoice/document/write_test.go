package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
)

// A month of made-up documents in a session: %[1]d invoices, each of an account of its
// own, with three lines, four rows of usage and two buckets; a credit note for every
// hundredth. The rows lie in no order.
var madeUp = []string{
	`CREATE TABLE n AS SELECT i, printf('acct-%%05d', i) AS account FROM range(%[1]d) t(i)`,
	`CREATE TABLE invoices AS SELECT * FROM (
		SELECT printf('INV-2026-%%06d', i + 1) AS number, 'invoice' AS kind, account, 'USD' AS currency, 150.5::DECIMAL(38,4) AS subtotal,
			31.61::DECIMAL(38,4) AS tax, 182.11::DECIMAL(38,4) AS total, 0::DECIMAL(38,4) AS paid, 182.11::DECIMAL(38,4) AS amount_due,
			TIMESTAMP '2026-11-01 06:00:00' AS issued_at, TIMESTAMP '2026-11-15 06:00:00' AS due_at, NULL::VARCHAR AS corrects,
			NULL::VARCHAR AS corrects_period, 5 AS run, '2026-10' AS period
		FROM n
		UNION ALL
		SELECT printf('CN-2026-%%06d', i + 1), 'credit_note', account, 'USD', -1, -0.21, -1.21, 0, -1.21, TIMESTAMP '2026-11-20 06:00:00', NULL,
			printf('INV-2026-%%06d', i + 1), '2026-10', 9, '2026-11'
		FROM n WHERE i %% 100 = 0
	) ORDER BY hash(number)`,
	`CREATE TABLE invoice_lines AS
		SELECT number, line::INTEGER AS line, account, l.kind, item, item || ' of ' || account AS description, 1::DECIMAL(38,6) AS quantity,
			amount::DECIMAL(38,12) AS unit_price, amount::DECIMAL(38,4) AS amount, 0.21::DECIMAL(38,12) AS tax_rate, currency,
			TIMESTAMP '2026-10-01' AS "from", TIMESTAMP '2026-11-01' AS "to", NULL::VARCHAR AS cause, period
		FROM invoices, (VALUES (1, 'fee', 'professional', 99), (2, 'overage', 'professional/1', 51.5), (3, 'tax', 'VAT 21%%', 31.61)) l(line, kind, item, amount)
		ORDER BY hash(number || line)`,
	`CREATE TABLE statements AS
		SELECT account, 'operation.' || (k %% 2) AS operation, 'project-' || (k // 2) AS project, 'key-' || k AS key, i + k AS calls,
			(i * 3.25)::DECIMAL(38,6) AS credits, k AS late_calls, 0::BIGINT AS held_calls, 1.23::DECIMAL(38,4) AS value, 'USD' AS currency, '2026-10' AS period
		FROM n, range(4) t(k) ORDER BY hash(account || k)`,
	`CREATE TABLE balances AS
		SELECT account, account || '/allowance/' || k AS bucket_id, 'allowance' AS kind, TIMESTAMP '2026-10-01' + to_days(k::INTEGER) AS starts_at,
			NULL::TIMESTAMP AS expires_at, 0::DECIMAL(38,6) AS opening, 500::DECIMAL(38,6) AS granted, 500::DECIMAL(38,6) AS burned,
			0::DECIMAL(38,6) AS expired, 0::DECIMAL(38,6) AS voided, 0::DECIMAL(38,6) AS rolled_out, 0::DECIMAL(38,6) AS remaining, '2026-10' AS period
		FROM n, range(2) t(k) ORDER BY hash(account || k)`,
	`CREATE TABLE party_events AS
		SELECT account || '-' || type AS event_id, type, account, day AS "at", day AS posted_at, NULL::VARCHAR AS held, payload,
			5 AS first_run, 9 AS last_run
		FROM n, (VALUES ('account.opened', TIMESTAMP '2026-09-01', '{"name":"Old name","address":["1 Road","Town"],"tax":{"id":"T1"}}'),
			('account.updated', TIMESTAMP '2026-10-15', '{"name":"Acme Corporation"}'),
			('account.updated', TIMESTAMP '2026-11-10', '{"name":"Later Ltd"}')) e(type, day, payload)
		ORDER BY hash(account || day)`,
	`CREATE TABLE kept_parties (number VARCHAR, account VARCHAR, party VARCHAR)`,
	`CREATE TABLE periods AS SELECT * FROM (VALUES ('2026-10', TIMESTAMP '2026-11-01'), ('2026-11', TIMESTAMP '2026-12-01')) p(period, "end")`,
}

func madeUpSession(t testing.TB, invoices int) (session *duck.Session, scratch string) {
	t.Helper()
	scratch = t.TempDir()
	session, err := duck.Open(context.Background(), duck.Options{Memory: "500MB", Threads: 2, Scratch: scratch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	for _, statement := range madeUp {
		if strings.Contains(statement, "%[1]d") {
			statement = fmt.Sprintf(statement, invoices)
		} else {
			statement = strings.ReplaceAll(statement, "%%", "%")
		}
		if err := session.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
	return session, scratch
}

func open(t testing.TB, session *duck.Session, scratch string, s Selection) *Reader {
	t.Helper()
	picked, err := s.Pick(context.Background(), session)
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := period.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	r, err := picked.Open(context.Background(), scratch, calendar, config.Issuer{Name: "Example API Ltd", Address: []string{"1 Street"}, TaxID: "EX1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// Documents come by number, each with its own rows in their order, whatever the order
// that the tables have them in.
func TestReaderMergesTheTables(t *testing.T) {
	session, scratch := madeUpSession(t, 5000)
	r := open(t, session, scratch, Selection{})
	if r.Count != 5050 {
		t.Fatalf("%d documents", r.Count)
	}
	last := ""
	for n := 0; ; n++ {
		d, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if d == nil {
			if n != 5050 {
				t.Errorf("%d documents", n)
			}
			break
		}
		if d.Number <= last || len(d.Lines) != 3 || d.Lines[0].Description != "professional of "+d.Account || d.Lines[2].Line != 3 || d.Lines[1].Amount.String() != "51.5" {
			t.Fatalf("%s after %s: %+v", d.Number, last, d.Lines)
		}
		last = d.Number
		name, usage, balances := "Acme Corporation", 4, 2 // as at the end of October
		if d.Kind == CreditNote {
			name, usage, balances = "Later Ltd", 0, 0 // as when it was issued
		}
		if d.Party.Name != name || d.Party.TaxID != "T1" || len(d.Usage) != usage || len(d.Balances) != balances {
			t.Fatalf("%s: %+v, %d rows of usage, %d buckets", d.Number, d.Party, len(d.Usage), len(d.Balances))
		}
		for k := 1; k < usage; k++ {
			if a, b := d.Usage[k-1], d.Usage[k]; a.Operation > b.Operation || a.Operation == b.Operation && a.Project >= b.Project {
				t.Fatalf("%s: usage in disorder: %+v", d.Number, d.Usage)
			}
		}
		if balances == 2 && d.Balances[0].BucketID != d.Account+"/allowance/0" {
			t.Fatalf("%s: %+v", d.Number, d.Balances)
		}
	}
}

func TestSelections(t *testing.T) {
	session, scratch := madeUpSession(t, 150)
	november, err := period.Parse("2026-11")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		s    Selection
		want string
	}{
		{Selection{Period: november}, "CN-2026-000001 CN-2026-000101"},
		{Selection{Account: "acct-00100"}, "CN-2026-000101 INV-2026-000101"},
		{Selection{Account: "acct-00100", Period: november}, "CN-2026-000101"},
		{Selection{Numbers: []string{"INV-2026-000003", "CN-2026-000001", "INV-2026-000003"}}, "CN-2026-000001 INV-2026-000003"},
		{Selection{Account: "nobody"}, ""},
	} {
		r := open(t, session, scratch, test.s)
		var got []string
		for d, err := r.Next(); d != nil || err != nil; d, err = r.Next() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d.Number)
		}
		if strings.Join(got, " ") != test.want || int(r.Count) != len(got) {
			t.Errorf("%+v: %v of %d, want %s", test.s, got, r.Count, test.want)
		}
	}
	_, err = Selection{Numbers: []string{"INV-2026-000003", "INV-1", "'; DROP"}}.Pick(context.Background(), session)
	if missing := new(NotFoundError); !errors.As(err, missing) || !slices.Equal(missing.Numbers, []string{"'; DROP", "INV-1"}) {
		t.Error(err)
	}
}

// Written side by side, documents are what they are one by one, and the same when they
// are written again.
func TestWrite(t *testing.T) {
	const invoices = 120
	session, scratch := madeUpSession(t, invoices)
	folder := filepath.Join(t.TempDir(), "deep", "down")
	var told, files int
	var progress int64
	to := Files{
		Folder: folder, Formats: Formats(),
		Written:  func(w Written) { told++; files += len(w.Files) },
		Progress: func(done, total int64) { progress = max(progress, done*1000+total) },
	}
	if err := Write(context.Background(), open(t, session, scratch, Selection{}), to); err != nil {
		t.Fatal(err)
	}
	const documents = invoices + 2
	if told != documents || files != 3*documents || progress != documents*1000+documents {
		t.Errorf("told of %d documents and %d files, progress %d", told, files, progress)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3*documents {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	r := open(t, session, scratch, Selection{})
	for d, err := r.Next(); d != nil || err != nil; d, err = r.Next() {
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range Formats() {
			want, _, err := d.Render(format)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(folder, d.FileName(format)))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s differs: %v", d.FileName(format), err)
			}
		}
	}
}

func TestWriteStops(t *testing.T) {
	session, scratch := madeUpSession(t, 2000)
	ctx, cancel := context.WithCancel(context.Background())
	var written atomic.Int64
	to := Files{Folder: t.TempDir(), Formats: []Format{JSON}, Written: func(Written) {
		if written.Add(1) == 10 {
			cancel()
		}
	}}
	if err := Write(ctx, open(t, session, scratch, Selection{}), to); !errors.Is(err, context.Canceled) || written.Load() > 1000 {
		t.Errorf("%v after %d", err, written.Load())
	}
	to = Files{Folder: filepath.Join(t.TempDir(), "file", "in", "the", "way"), Formats: []Format{JSON}}
	if err := os.WriteFile(filepath.Dir(filepath.Dir(filepath.Dir(to.Folder))), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(context.Background(), open(t, session, scratch, Selection{}), to); err == nil {
		t.Error("written into a file")
	}
}

// 20,000 documents, from sorting their rows to the last file. JSON and HTML together
// are to take less than 20 s.
func BenchmarkWrite(b *testing.B) {
	invoices := 20_000
	for _, formats := range [][]Format{{JSON, HTML}, {PDF}} {
		b.Run(strings.Trim(fmt.Sprint(formats), "[]"), func(b *testing.B) {
			session, scratch := madeUpSession(b, invoices)
			for b.Loop() {
				if err := Write(context.Background(), open(b, session, scratch, Selection{}), Files{Folder: b.TempDir(), Formats: formats}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(invoices)*float64(b.N)/b.Elapsed().Seconds(), "documents/s")
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			b.ReportMetric(float64(memory.Sys)/1e6, "MB-of-Go")
		})
	}
}
