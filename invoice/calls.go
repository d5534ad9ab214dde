package invoice

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/spool"
	"github.com/creditmill/creditmill/sql"
)

// calls walks the period's calls in burning order: account, posted_at, time,
// source, event id (SPEC section 6, Calls).
//
// They are dealt out to parts in scratch by ranges of the accounts in order, and
// part by part sorted, the next one while the one before is burned. So memory
// holds what a few parts need, and each distinct account, source, operation,
// project and key once. One account's calls are one part's: a part is larger than
// others where one account is.
type calls struct {
	accounts                         []string // that have calls, in order
	sizes                            []int    // calls of each
	total                            int64
	source, operation, project, keys *names

	spool  *spool.Spool
	ranges []accountRange // of each part
	sorted chan *sortedPart
	err    error // of what sorts; set before sorted is closed
	cancel context.CancelFunc

	part *sortedPart // that of the next account; nil: at the end
	next int         // account
}

// An accountRange is the accounts of a part: their numbers from first to before end.
type accountRange struct{ first, end int }

// callsPerPart is how many calls a part has that more than one account shares: some
// 40 MB of rows, so that sorting them takes little memory and the files are few.
const callsPerPart = 1 << 19

// openCalls deals the calls of the view rated out and begins to sort them. Without
// files that rated reads, the view is copied into one.
func openCalls(ctx context.Context, session *duck.Session, scratch string, in *Input) (_ *calls, err error) {
	c := &calls{
		source: newNames(), operation: newNames(), project: newNames(), keys: newNames(),
		spool: spool.New(scratch, "calls"), cancel: func() {},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if err := c.count(ctx, session); err != nil {
		return nil, fmt.Errorf("count calls: %w", err)
	}
	c.divide(callsPerPart)
	files, columns := in.RatedFiles, columnsOf(in)
	if len(files) == 0 {
		copied := filepath.Join(scratch, "calls.parquet")
		if err := copyToScratch(ctx, session, sql.Text("duckdb/invoice_calls"), copied); err != nil {
			return nil, fmt.Errorf("copy calls: %w", err)
		}
		files = []string{copied}
	}
	if err := dealCalls(ctx, c, files, columns); err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// count finds the accounts and how many calls each has. What it finds stays as the
// table rated_accounts, for the checks.
func (c *calls) count(ctx context.Context, session *duck.Session) error {
	if err := session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE rated_accounts AS "+sql.Text("duckdb/invoice_rated_accounts")); err != nil {
		return err
	}
	rows, err := session.Rows(ctx, sql.Text("duckdb/invoice_call_accounts"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var size int
		if err := rows.Scan(&account, &size); err != nil {
			return err
		}
		c.accounts, c.sizes = append(c.accounts, account), append(c.sizes, size)
		c.total += int64(size)
	}
	return rows.Err()
}

// divide makes the parts: accounts in order, as many as have that many calls.
func (c *calls) divide(most int) {
	first, size := 0, 0
	for i, n := range c.sizes {
		if size > 0 && size+n > most {
			c.ranges = append(c.ranges, accountRange{first, i})
			first, size = i, 0
		}
		size += n
	}
	if size > 0 {
		c.ranges = append(c.ranges, accountRange{first, len(c.sizes)})
	}
}

// begin begins to sort what was dealt out and goes to the first account.
func (c *calls) begin(ctx context.Context) error {
	for _, n := range []*names{c.source, c.operation, c.project, c.keys} {
		n.rank()
	}
	ctx, c.cancel = context.WithCancel(ctx)
	c.sorted = make(chan *sortedPart)
	go func() {
		defer close(c.sorted)
		for number := range c.ranges {
			part, err := c.sort(number)
			if err != nil {
				c.err = err
				return
			}
			select {
			case c.sorted <- part:
			case <-ctx.Done():
				c.err = errors.Join(ctx.Err(), part.close())
				return
			}
		}
	}()
	return c.load()
}

// load goes to the next part; after the last, part is nil.
func (c *calls) load() error {
	if c.part != nil {
		if err := c.part.close(); err != nil {
			return err
		}
	}
	if c.part = <-c.sorted; c.part == nil {
		return c.err
	}
	c.next = c.part.accounts.first
	return nil
}

// peek returns the account of the next calls; false at the end.
func (c *calls) peek() (string, bool) {
	if c.part == nil {
		return "", false
	}
	return c.accounts[c.next], true
}

// each calls do for every call of the next account, in burning order.
func (c *calls) each(do func(call) error) error {
	for _, e := range c.part.of(c.next) {
		if err := do(c.part.call(e)); err != nil {
			return err
		}
	}
	if c.next++; c.next == c.part.accounts.end {
		return c.load()
	}
	return nil
}

func (c *calls) close() error {
	c.cancel()
	var errs []error
	if c.sorted != nil {
		for part := range c.sorted {
			errs = append(errs, part.close())
		}
	}
	if c.part != nil {
		errs = append(errs, c.part.close())
	}
	return errors.Join(append(errs, c.spool.Close())...)
}

// A call is a row of a part: what the columns of rated say of it that burning
// asks for, numbers in place of names, in the machine's order of bytes.
type call []byte

// Where what is in a call: its times in microseconds, its credits in millionths, the
// numbers of its names, and its event id's length, doubled, plus 1 where it is late.
const (
	callTime      = 0
	callPostedAt  = 8
	callCredits   = 16
	callAccount   = 24
	callSource    = 28
	callOperation = 32
	callProject   = 36
	callKey       = 40
	callEvent     = 44
	callText      = 48 // the event id
)

func (c call) long(at int) int64  { return int64(binary.NativeEndian.Uint64(c[at:])) }
func (c call) name(at int) uint32 { return binary.NativeEndian.Uint32(c[at:]) }
func (c call) late() bool         { return c.name(callEvent)&1 != 0 }
func (c call) size() int          { return callText + int(c.name(callEvent)>>1) }
func (c call) event() []byte      { return c[callText:c.size()] }

// A callRow is a call to be.
type callRow struct {
	time, postedAt, credits                  int64
	account, source, operation, project, key uint32
	late                                     bool
	event                                    string
}

// fill makes c, which has callText bytes and those of the event id, the call of r.
func (c call) fill(r *callRow) {
	binary.NativeEndian.PutUint64(c[callTime:], uint64(r.time))
	binary.NativeEndian.PutUint64(c[callPostedAt:], uint64(r.postedAt))
	binary.NativeEndian.PutUint64(c[callCredits:], uint64(r.credits))
	binary.NativeEndian.PutUint32(c[callAccount:], r.account)
	binary.NativeEndian.PutUint32(c[callSource:], r.source)
	binary.NativeEndian.PutUint32(c[callOperation:], r.operation)
	binary.NativeEndian.PutUint32(c[callProject:], r.project)
	binary.NativeEndian.PutUint32(c[callKey:], r.key)
	length := uint32(len(r.event)) << 1
	if r.late {
		length |= 1
	}
	binary.NativeEndian.PutUint32(c[callEvent:], length)
	copy(c[callText:], r.event)
}
