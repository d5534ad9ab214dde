package decode

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A decoded is what an object came to.
type decoded struct {
	events   []string // line: fields of the call, or of the account event
	rejects  []string // line reason: detail
	raws     []string // of rejects, without the numbers
	accounts []string // account events: their payload
	skipped  []int64
	counts   Counts
}

// A bench decodes one object after another by one source.
type bench struct {
	d   *Decoder
	src *source.Source
	out decoded
}

// decodeObject decodes one object.
func decodeObject(t testing.TB, yaml, key string, stream io.Reader) decoded {
	t.Helper()
	d, err := tryObject(t, yaml, key, stream)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func tryObject(t testing.TB, yaml, key string, stream io.Reader) (decoded, error) {
	t.Helper()
	return newBench(t, yaml).object(t, key, stream)
}

// countObject decodes an object and keeps nothing of it.
func countObject(t testing.TB, yaml string, stream io.Reader) Counts {
	t.Helper()
	b := newBench(t, yaml)
	b.d.o.Usage = func(*Usage) bool { return true }
	b.d.o.Other = func(b arrow.RecordBatch) bool { b.Release(); return true }
	counts, err := b.d.Object(context.Background(), b.src, 0, "k", stream)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func newBench(t testing.TB, yaml string) *bench {
	t.Helper()
	return newBenchBetween(t, yaml, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
}

func newBenchBetween(t testing.TB, yaml string, oldest, latest time.Time) *bench {
	t.Helper()
	var p yamlfile.Problems
	sources := source.Parse([]source.File{{Name: "s.yaml", Text: []byte(yaml)}}, &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	columns, err := source.Columns(nil, sources...)
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := period.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{src: sources[0]}
	b.d = New(Options{
		Dynamic: columns, Calendar: calendar, Seen: NewSeen(10), Pool: NewPool(), Scratch: t.TempDir(), KeepSkipped: true,
		Oldest: oldest, Latest: latest, Twice: NewSeen(10),
		Usage: func(u *Usage) bool {
			b.out.events = append(b.out.events, eventText(u, columns))
			return true
		},
		Other: func(batch arrow.RecordBatch) bool {
			defer batch.Release()
			for row := range int(batch.NumRows()) {
				b.out.other(batch, row)
			}
			return true
		},
	})
	t.Cleanup(func() {
		b.d.Close()
		b.d.o.Pool.Close()
	})
	return b
}

func (b *bench) object(t testing.TB, key string, stream io.Reader) (out decoded, err error) {
	t.Helper()
	b.out = decoded{}
	counts, err := b.d.Object(context.Background(), b.src, 0, key, stream)
	if flushed := b.d.Flush(); err == nil {
		err = flushed
	}
	out, out.counts = b.out, counts
	if err != nil {
		return out, err
	}
	c := out.counts
	if c.Records != c.Usage+c.AccountEvents+c.Rejects+c.Skipped || int(c.Usage) != len(out.events) || int(c.Rejects) != len(out.rejects) ||
		int(c.AccountEvents) != len(out.accounts) || int(c.Skipped) != len(out.skipped) {
		t.Fatalf("counts do not add up: %+v, %d events, %d rejects, %d skipped", c, len(out.events), len(out.rejects), len(out.skipped))
	}
	return out, nil
}

func (d *decoded) other(b arrow.RecordBatch, row int) {
	line, _ := b.Column(otherLine).(*array.Int64)
	kind, _ := b.Column(otherKind).(*array.Int32)
	raw := strings.Clone(b.Column(otherRaw).ValueStr(row))
	switch RowKind(kind.Value(row)) {
	case RejectRow:
		d.rejects = append(d.rejects, fmt.Sprintf("%d %s: %s", line.Value(row), b.Column(otherReason).ValueStr(row), b.Column(otherDetail).ValueStr(row)))
		d.raws = append(d.raws, raw)
	case AccountRow:
		d.accounts = append(d.accounts, raw)
	case SkippedRow:
		d.skipped = append(d.skipped, line.Value(row))
	}
}

// eventText is `LINE id=… time=… account=… operation=…` and what else is not NULL.
func eventText(u *Usage, columns []lake.Column) string {
	out := fmt.Sprintf("%d id=%s time=%s account=%s operation=%s", u.Line, u.ID, time.UnixMicro(u.Time).UTC().Format(time.RFC3339Nano), u.Account, u.Operation)
	if u.Project != nil {
		out += " project=" + string(u.Project)
	}
	if u.Key != nil {
		out += " key=" + string(u.Key)
	}
	for i, c := range columns {
		switch {
		case c.Type == lake.DimensionType && u.Texts[i] != nil:
			out += " " + c.Name + "=" + string(u.Texts[i])
		case c.Type == lake.IntegerQuantityType && u.Units[i] >= 0:
			out += " " + c.Name + "=" + strconv.FormatInt(u.Units[i], 10)
		case c.Type == lake.DecimalQuantityType && u.Units[i] >= 0:
			out += fmt.Sprintf(" %s=%d.%06d", c.Name, u.Units[i]/1_000_000, u.Units[i]%1_000_000)
		}
	}
	return out
}

func wantText(t *testing.T, what string, got []string, want string) {
	t.Helper()
	want = strings.Trim(want, "\n")
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, text, want)
	}
}

// heapDuring is how much the heap grew at most while do ran.
func heapDuring(do func()) uint64 {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, stopped := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			select {
			case <-stop:
				stopped <- most
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapInuse-min(before.HeapInuse, now.HeapInuse))
			}
		}
	}()
	do()
	close(stop)
	return <-stopped
}
