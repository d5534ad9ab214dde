package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/row"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// A readObject is what decoding an object came to.
type readObject struct {
	counts  decode.Counts
	err     error
	tooMany bool
}

func (o *readObject) kept() bool { return o.err == nil && !o.tooMany }

// bytesPerEvent is about the least that a packed call takes: it sizes the filter
// for copies, and nothing else depends on it.
const bytesPerEvent = 24

// copiesInEvents is one in how many events may be a copy before looking for their
// fellows takes more time; nothing else depends on it.
const copiesInEvents = 64

// readAll decodes every object: usage becomes packed rows in scratch.
func (r *run) readAll(ctx context.Context) error {
	sources := make([]*source.Source, 0, len(r.Objects))
	var total int64
	for _, o := range r.Objects {
		sources = append(sources, o.Source)
		total += o.Bytes
	}
	var err error
	if r.columns, err = source.Columns(r.Dynamic, distinct(sources)...); err != nil {
		return err
	}
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pool := decode.NewPool()
	defer pool.Close()
	r.usage = row.New(r.Scratch, r.columns)
	r.twice = decode.NewSeen(total / bytesPerEvent / copiesInEvents)
	others := newStream(decode.OtherSchema())
	options := decode.Options{
		Dynamic: r.columns, Calendar: r.Calendar, Oldest: r.oldest(), Latest: r.Calendar.Add(r.Now, r.Future),
		Seen: decode.NewSeen(total / bytesPerEvent), Twice: r.twice, Pool: pool, Scratch: r.Scratch,
		Other: func(b arrow.RecordBatch) bool { return others.send(ctx, b) },
	}
	r.read = make([]readObject, len(r.Objects))
	progress := r.progress(total)
	var workers errgroup.Group
	parts := deal(len(r.Objects), runtime.GOMAXPROCS(0))
	for number := range parts.ranges {
		workers.Go(func() error {
			w := worker{run: r, usage: r.usage.Writer(), progress: progress}
			w.options = options
			w.options.Usage = w.usage.Write
			w.decoder = decode.New(w.options)
			defer w.close()
			return errors.Join(w.work(ctx, parts, number), w.usage.Flush())
		})
	}
	decoding, spooling := others.between(cancel, workers.Wait, func() error { return r.keepOthers(ctx, others) })
	debug.FreeOSMemory() // what decoding took is DuckDB's from here on
	if err := outer.Err(); err != nil {
		return err
	}
	if decoding != nil && (spooling == nil || !errors.Is(decoding, decode.ErrStopped) && !errors.Is(decoding, context.Canceled)) {
		return decoding
	}
	if spooling != nil {
		return fmt.Errorf("write decoded records to scratch: %w", spooling)
	}
	return nil
}

func distinct(sources []*source.Source) []*source.Source {
	var list []*source.Source
	seen := map[*source.Source]bool{}
	for _, s := range sources {
		if !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}

// oldest is the first instant that usage may have.
func (r *run) oldest() time.Time {
	oldest := r.Earliest
	if !r.NoPast {
		back := period.Duration{Months: -r.Past.Months, Days: -r.Past.Days, Elapsed: -r.Past.Elapsed}
		if past := r.Calendar.Add(r.Now, back); past.After(oldest) {
			oldest = past
		}
	}
	return oldest
}

// progress returns what counts packed bytes read; decoders call it side by side.
func (r *run) progress(total int64) func(int64) {
	if r.Progress == nil {
		return func(int64) {}
	}
	var mu sync.Mutex
	var done int64
	return func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		r.Progress(done, total)
	}
}

// keepOthers streams what is no usage into a file and makes it the view
// ingest_other.
func (r *run) keepOthers(ctx context.Context, batches *stream) error {
	path := filepath.Join(r.Scratch, othersFile)
	err := r.Session.Stream("ingest_other_batches", batches, func() error {
		return r.Session.Exec(ctx, sql.Expand("duckdb/ingest_other", map[string]string{"Path": path}))
	})
	if err != nil {
		return err
	}
	return r.Session.View(ctx, "ingest_other", duck.Scan{
		Columns: decode.OtherColumns(), Groups: []duck.Group{{Files: []string{path}}},
	})
}

const othersFile = "others.parquet"

// A worker decodes one object after another.
type worker struct {
	*run
	options  decode.Options
	decoder  *decode.Decoder
	again    *decode.Decoder // of objects read again: it also says what was skipped. Nil: none so far
	usage    *row.Writer
	unpacker decode.Unpacker
	progress func(int64)
}

func (w *worker) close() {
	w.decoder.Close()
	if w.again != nil {
		w.again.Close()
	}
	w.unpacker.Close()
}

// flush hands on what decoders still have.
func (w *worker) flush() error {
	if w.again == nil {
		return w.decoder.Flush()
	}
	return errors.Join(w.decoder.Flush(), w.again.Flush())
}

// decoderOf is the decoder for an object.
func (w *worker) decoderOf(o *Object) *decode.Decoder {
	if !o.Again || !w.run.again {
		return w.decoder
	}
	if w.again == nil {
		options := w.options
		options.KeepSkipped = true
		w.again = decode.New(options)
	}
	return w.again
}

func (w *worker) work(ctx context.Context, parts *shares, part int) error {
	for {
		number, ok := parts.next(part)
		if !ok {
			return w.flush()
		}
		o := &w.read[number]
		o.counts, o.err = w.object(ctx, number)
		if errors.Is(o.err, decode.ErrStopped) || ctx.Err() != nil {
			return errors.Join(ctx.Err(), o.err)
		}
		if err := w.answers(o.err); err != nil {
			return err
		}
		o.tooMany = w.Objects[number].Source.MaxRejected.Exceeded(o.counts.Rejects, o.counts.Records)
	}
}

// unanswered is how many objects in a row may fail because their store does not
// answer: each has been tried for minutes, and those after it would be.
const unanswered = 3

// answers ends the reading where the store has gone. One object that cannot be read
// keeps no other from being taken in; a store that cannot be reached is another matter.
func (w *worker) answers(err error) error {
	if !errors.Is(err, lake.ErrUnavailable) {
		w.silent.Store(0)
		return nil
	}
	if w.silent.Add(1) < unanswered {
		return nil
	}
	return fmt.Errorf("%d objects in a row could not be read, so nothing was taken in: %w", unanswered, err)
}

func (w *worker) object(ctx context.Context, number int) (decode.Counts, error) {
	o := &w.Objects[number]
	body, err := o.Open(ctx)
	if err != nil {
		return decode.Counts{}, err
	}
	defer body.Close()
	in := &watched{r: body, read: w.progress}
	counts, err := w.decoderOf(o).Object(ctx, o.Source, int32(number), o.Key, w.unpacker.Open(o.Key, in))
	in.report()
	if err == nil {
		err = in.err // the store's failure, which is not damage of the object
	}
	return counts, err
}

// watched notes a failure of the store below the unpacking, and counts bytes.
type watched struct {
	r    io.Reader
	read func(int64)
	n    int64
	err  error
}

const progressStep = 1 << 20

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.n += int64(n); w.n >= progressStep {
		w.report()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (w *watched) report() {
	w.read(w.n)
	w.n = 0
}
