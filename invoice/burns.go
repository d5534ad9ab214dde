package invoice

import (
	"context"
	"time"

	"github.com/creditmill/creditmill/invoice/bucket"
)

// A burnBatch is rows of burns on their way from the goroutine that burns to the
// one that writes. Its texts are copies: it outlives the calls it was made of.
type burnBatch struct {
	names  []string // of accounts, sources, buckets and kinds: the rows have their places
	rows   []burnRow
	events []byte // event ids, one behind the other
}

type burnRow struct {
	account, source, bucket, kind uint32 // bucket: noName for NULL
	postedAt, credits             int64  // microseconds, millionths
	event                         int    // where it ends in events
}

// A burnStream makes batches of the rows of burns: the burner calls add, then
// close, and a burnWriter reads batches.
type burnStream struct {
	batches chan *burnBatch
	spent   chan *burnBatch // to be filled again

	batch                         *burnBatch
	numbers                       map[string]uint32 // of the batch's names
	account, source, bucket, kind lastName
	first, last                   int64 // posted_at of the rows so far, in microseconds
}

// A lastName is the name that a column had last: most often the next row has it too.
type lastName struct {
	text   string
	number uint32 // noName: there is none
}

func newBurnStream() *burnStream {
	const ahead = 4 // batches that wait to be written
	s := &burnStream{batches: make(chan *burnBatch, ahead), spent: make(chan *burnBatch, ahead+2), numbers: map[string]uint32{}}
	s.begin()
	return s
}

// begin begins a batch.
func (s *burnStream) begin() {
	select {
	case s.batch = <-s.spent:
		s.batch.names, s.batch.rows, s.batch.events = s.batch.names[:0], s.batch.rows[:0], s.batch.events[:0]
	default:
		s.batch = &burnBatch{rows: make([]burnRow, 0, rowsPerBatch)}
	}
	clear(s.numbers)
	s.account.number, s.source.number, s.bucket.number, s.kind.number = noName, noName, noName, noName
}

// add adds what one payer paid of a call.
func (s *burnStream) add(ctx context.Context, account, source string, c call, split *bucket.Split) error {
	b := s.batch
	b.events = append(b.events, c.event()...)
	row := burnRow{
		account: s.name(&s.account, account), source: s.name(&s.source, source), bucket: noName, kind: s.name(&s.kind, string(split.Kind)),
		postedAt: c.long(callPostedAt), credits: split.Credits, event: len(b.events),
	}
	if split.Bucket != nil {
		row.bucket = s.name(&s.bucket, split.Bucket.ID)
	}
	b.rows = append(b.rows, row)
	if s.first == 0 || row.postedAt < s.first {
		s.first = row.postedAt
	}
	s.last = max(s.last, row.postedAt)
	if len(b.rows) == rowsPerBatch {
		return s.send(ctx)
	}
	return nil
}

// name is a text's place among the batch's names.
func (s *burnStream) name(last *lastName, text string) uint32 {
	if last.number != noName && last.text == text {
		return last.number
	}
	number, known := s.numbers[text]
	if !known {
		number = uint32(len(s.batch.names))
		s.batch.names = append(s.batch.names, text)
		s.numbers[text] = number
	}
	*last = lastName{text, number}
	return number
}

func (s *burnStream) send(ctx context.Context) error {
	select {
	case s.batches <- s.batch:
		s.begin()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the stream; the rows since the last batch are lost where burning failed.
func (s *burnStream) close(ctx context.Context, err error) error {
	defer close(s.batches)
	if err == nil && len(s.batch.rows) > 0 {
		err = s.send(ctx)
	}
	return err
}

// times is the range of posted_at; zero without rows.
func (s *burnStream) times() (first, last time.Time) {
	if s.first == 0 {
		return time.Time{}, time.Time{}
	}
	return time.UnixMicro(s.first).UTC(), time.UnixMicro(s.last).UTC()
}
