package decode

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

const benchYAML = `
source: gateway
path: '**'
format: jsonl
event: {id: request_id, time: ts, account: org, project: project, key: auth.key_id, operation: {join: [method, route], with: " "}}
dimensions: {quality: params.quality, size: params.size, model: model, status: status}
quantities: {images: params.n, input_tokens: usage.input_tokens, output_tokens: usage.output_tokens}
defaults: {images: 1}
`

// BenchmarkJSONLines decodes unpacked lines of about 300 bytes.
func BenchmarkJSONLines(b *testing.B) {
	var text bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&text, `{"ts":"2026-10-%02dT10:%02d:%02d.123Z","request_id":"%032x","org":"acct-%05d","project":"proj-%d","auth":{"key_id":"key-%d"},"method":"POST","route":"/v1/images","params":{"quality":"high","size":"1024x1024","n":%d},"model":"model-%d","usage":{"input_tokens":%d,"output_tokens":%d},"status":200}`+"\n",
			1+i%28, i%60, i/60%60, i, i%1000, i%5, i%3000, 1+i%4, i%20, i%4000, i%2000)
	}
	var p yamlfile.Problems
	sources := source.Parse([]source.File{{Name: "s.yaml", Text: []byte(benchYAML)}}, &p)
	columns, err := source.Columns(nil, sources...)
	calendar, _ := period.NewCalendar("UTC")
	if p.Err() != nil || err != nil {
		b.Fatal(p.Err(), err)
	}
	pool := NewPool()
	defer pool.Close()
	d := New(Options{
		Dynamic: columns, Calendar: calendar, Seen: NewSeen(1 << 20), Twice: NewSeen(1 << 20), Pool: pool,
		Oldest: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Latest: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Usage: func(*Usage) bool { return true },
		Other: func(r arrow.RecordBatch) bool { r.Release(); return true },
	})
	defer d.Close()
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		d.o.Seen, d.o.Twice = NewSeen(1<<20), NewSeen(1<<20)
		counts, err := d.Object(context.Background(), sources[0], 0, "k", bytes.NewReader(text.Bytes()))
		if err != nil || counts.Usage != 10_000 {
			b.Fatal(counts, err)
		}
	}
}
