package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// tiny is a world small enough to bill hundreds of times in a test: two accounts,
// a plan with overage and a pack, calls that are read, rejected, held and late.
var tiny = map[string]string{
	"creditmill.yaml": `
lake: ./lake
raw: ./raw
first_period: 2026-10
sources: [sources/*.yaml]
prices: [prices/*.yaml]
catalog: [plans/*.yaml]
accept: {future: 1h, past: 400 days}
`,
	"sources/gateway.yaml": `
source: gateway
path: calls/*.jsonl
format: jsonl
event: {id: id, time: ts, account: org, operation: op}
quantities: {images: n}
`,
	"sources/accounts.yaml": `
source: accounts
path: accounts/*.jsonl
format: accounts
`,
	"prices/api.yaml": `
table: api
version: 1
effective_from: 2026-01-01T00:00:00Z
applies_to: ["image.*"]
rules:
  - operation: image.generate
    charge: {each: images, credits: 2}
  - operation: image.free
    charge: {credits: 0}
`,
	"plans/plans.yaml": `
plan: basic
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "10.00"}
allowance: 10
renews: calendar
overage: {per: 1, price: {USD: "0.50"}, protection: false}
---
pack: starter
version: 1
effective_from: 2026-01-01T00:00:00Z
credits: 5
price: {USD: "4.00"}
`,
	"raw/accounts/2026-10.jsonl": `
{"id":"a1","type":"account.opened","account":"ada","at":"2026-10-01T00:00:00Z","name":"Ada"}
{"id":"a2","type":"subscription.started","account":"ada","at":"2026-10-01T00:00:00Z","plan":"basic"}
{"id":"b1","type":"account.opened","account":"bob","at":"2026-10-02T00:00:00Z","name":"Bob"}
{"id":"b2","type":"pack.purchased","account":"bob","at":"2026-10-02T00:00:00Z","pack":"starter"}
`,
	"raw/calls/1.jsonl": `
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4}
{"id":"c2","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":3}
{"id":"c3","ts":"2026-10-05T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"c1","ts":"2026-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4}
`,
	"raw/calls/2.jsonl": `
{"id":"c4","ts":"2026-10-20T10:00:00Z","org":"bob","op":"image.generate","n":3}
{"id":"c5","ts":"2026-10-21T10:00:00Z","org":"bob","op":"image.free","n":3}
`,
}

// site is a configuration in a folder of its own.
type site struct {
	t   *testing.T
	dir string
}

func newSite(t *testing.T, world map[string]string) site {
	t.Helper()
	s := site{t, t.TempDir()}
	for name, content := range world {
		s.write(name, content)
	}
	return s
}

func (s site) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.TrimPrefix(content, "\n")), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// open opens the site's mill at an instant, over a wrapped store where wrap is not nil.
func (s site) open(now string, wrap func(lake.Store) lake.Store) (*jobs.Mill, error) {
	s.t.Helper()
	at, err := period.ParseInstant(now)
	if err != nil {
		s.t.Fatal(err)
	}
	setup, err := jobs.LoadSetup(filepath.Join(s.dir, "creditmill.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	return jobs.Open(s.t.Context(), setup, jobs.Options{
		Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler), Tool: "test", Wrap: wrap,
	})
}

// at opens the site's mill at an instant.
func (s site) at(now string) *jobs.Mill {
	s.t.Helper()
	m, err := s.open(now, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// A step is a job run at an instant.
type step struct {
	now string
	do  func(context.Context, *jobs.Mill) error
}

// month bills October of the tiny world.
var month = []step{
	{"2026-10-25T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Ingest(ctx); return err }},
	{"2026-10-25T00:01:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Rate(ctx); return err }},
	{"2026-10-25T00:02:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Apply(ctx); return err }},
	{"2026-11-01T07:00:00Z", func(ctx context.Context, m *jobs.Mill) error {
		report, err := m.Close(ctx, jobs.CloseOptions{Period: october})
		if err == nil && len(report.Blocks) > 0 {
			err = fmt.Errorf("blocked: %+v", report.Blocks)
		}
		return err
	}},
}

var october = mustPeriod("2026-10")

func mustPeriod(s string) period.Period {
	p, err := period.Parse(s)
	if err != nil {
		panic(err)
	}
	return p
}

// run runs steps and fails the test at the first error.
func (s site) run(steps []step) {
	s.t.Helper()
	for _, step := range steps {
		if err := step.do(s.t.Context(), s.at(step.now)); err != nil {
			s.t.Fatalf("at %s: %v", step.now, err)
		}
	}
}

// rows returns the rows of every live table, as text, in a total order.
func (s site) rows() map[string][]string {
	s.t.Helper()
	reader, err := s.at("2026-12-01T00:00:00Z").Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	all := map[string][]string{}
	for _, table := range lake.Tables() {
		all[table.Name] = query(s.t, reader, "SELECT CAST(t AS VARCHAR) FROM "+table.Name+" t ORDER BY ALL")
	}
	return all
}

// query returns the first column of a query's rows.
func query(t *testing.T, reader *jobs.Reader, statement string) []string {
	t.Helper()
	return firstColumn(t, reader.Session(), statement)
}

func firstColumn(t *testing.T, session *duck.Session, statement string) []string {
	t.Helper()
	rows, err := session.Rows(t.Context(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// ask returns the first column of a query over the site's live tables.
func (s site) ask(statement string) []string {
	s.t.Helper()
	reader, err := s.at("2026-12-01T00:00:00Z").Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	return query(s.t, reader, statement)
}
