package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

func tryAll(t *testing.T, yaml, key, text string, n int) []string {
	t.Helper()
	var p yamlfile.Problems
	sources := source.Parse([]source.File{{Name: "s.yaml", Text: []byte(yaml)}}, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	records, err := ingest.Try(context.Background(), sources[0], key, strings.NewReader(text), n)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range records {
		line := fmt.Sprint(r.Line, " ", r.Offset, " ", [...]string{"event", "account event", "reject", "skipped"}[r.Kind], " ", r.Reason)
		for _, f := range r.Fields {
			if !f.Null {
				line += " " + f.Name + "=" + f.Value
			}
		}
		out = append(out, line)
	}
	return out
}

func TestTryShowsTheFirstRecords(t *testing.T) {
	yaml := strings.Replace(calls, "format: jsonl", "format: jsonl\nwhere: {op: [chat, null]}", 1)
	got := tryAll(t, yaml, "calls/a.jsonl.gz", gz(line("e1", "12T10:00:00Z", "a", 1)+`{"op":"ping"}`+"\n\nx\n"+`{"id":"e2"}`+"\n"+line("e3", "12T10:00:00Z", "a", 1)), 4)
	expect(t, "records", strings.Join(got, "\n"), `1 0 event  time=2026-10-12T10:00:00Z event_id=e1 account=a operation=chat model=small tokens=1
2 83 skipped 
4 98 reject malformed
5 100 reject missing_field`)
	got = tryAll(t, billing, "billing/a", `{"id":"1","type":"account.opened","account":"a","at":"2026-10-12T10:00:00Z"}`, 20)
	expect(t, "account events", strings.Join(got, "\n"), `1 0 account event  at=2026-10-12T10:00:00Z event_id=1 account=a type=account.opened payload={"account":"a","at":"2026-10-12T10:00:00Z","id":"1","type":"account.opened"}`)
}

func TestDraftParsesAndMapsItsSample(t *testing.T) {
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, `{"ts":"2026-10-03T14:00:%02d.5Z","request_id":"r%d","org":"acct-%d","project":"p","auth":{"key_id":"k"},"method":"POST","route":"/v1/images","params":{"quality":"high","n":%d},"usage":{"input_tokens":%d},"dur":0.%d,"status":200,"prompt":"%d"}`+"\n",
			i, i, i%3, i, i*100, i, i)
	}
	yaml, err := source.Draft("gateway", "gateway/2026/10/a.jsonl", strings.NewReader(lines.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"source: \"gateway\"", "path: \"gateway/2026/10/*.jsonl\"", "id: \"request_id\"", "time: \"ts\"", "account: \"org\"", "project: \"project\"", "key: \"auth.key_id\"",
		"operation: {join: [\"method\", \"route\"], with: \" \"}", "quality: \"params.quality\"", "status: \"status\"", "n: \"params.n\"", "input_tokens: \"usage.input_tokens\"", "dur: {field: \"dur\", type: decimal}",
	} {
		if !strings.Contains(yaml, want) {
			t.Errorf("no %s in:\n%s", want, yaml)
		}
	}
	got := tryAll(t, yaml, "gateway/2026/10/a.jsonl", lines.String(), 1)
	if len(got) != 1 || !strings.Contains(got[0], "operation=POST /v1/images") || !strings.Contains(got[0], "account=acct-0") {
		t.Errorf("mapped: %q", got)
	}
}

func TestDraftOfACSV(t *testing.T) {
	const text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8\n"
	yaml, err := source.Draft("llm", "code.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := tryAll(t, yaml, "code.csv", text, 1)
	expect(t, "mapped", strings.Join(got, "\n"), "2 40 event  time=2023-11-16T18:17:03.97996Z event_id=code.csv:2 account=my-account operation=call contexttokens=4808 generatedtokens=10")
	if _, err := source.Draft("x", "x.jsonl", strings.NewReader(`{"a":1}`)); err == nil {
		t.Error("a log without a time was drafted")
	}
	if _, err := source.Draft("x", "x.jsonl", strings.NewReader("")); err == nil {
		t.Error("an empty file was drafted")
	}
}
