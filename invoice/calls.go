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

// Dealt are a period's calls, dealt out to parts in scratch by ranges of the accounts
// in order. Memory holds each distinct account, source, operation, project and key
// once. One account's calls are one part's: a part is larger than others where one
// account is.
type Dealt struct {
	accounts                         []string // that have calls, in order
	sizes                            []int    // calls of each
	total                            int64
	source, operation, project, keys *names

	columns []callColumn
	drafts  []DraftColumns // nil: calls have one price, and those that are held are not among them
	spool   *spool.Spool
	ranges  []accountRange // of each part
}

// DraftColumns are where a draft of prices has its outcome in the files of rated, in
// those that have the columns: its credits, and why it holds the call.
type DraftColumns struct{ Credits, Held string }

// An accountRange is the accounts of a part: their numbers from first to before end.
type accountRange struct{ first, end int }

// callsPerPart is how many calls a part has that more than one account shares: some
// 40 MB of rows, so that sorting them takes little memory and the files are few.
const callsPerPart = 1 << 19

// Deal deals the calls out that the view dealt shows and that files hold, once for
// several drafts of prices, which dry runs then burn, one after the other: see
// Input.Dealt. Close it.
func Deal(ctx context.Context, session *duck.Session, scratch string, files []string, drafts []DraftColumns) (*Dealt, error) {
	d := newDealt(scratch, true, drafts)
	if err := d.count(ctx, session, sql.Text("duckdb/invoice_dealt_accounts")); err != nil {
		return nil, fmt.Errorf("count calls: %w", err)
	}
	if err := d.deal(ctx, files); err != nil {
		return nil, err
	}
	return d, nil
}

func newDealt(scratch string, dry bool, drafts []DraftColumns) *Dealt {
	return &Dealt{
		source: newNames(), operation: newNames(), project: newNames(), keys: newNames(),
		columns: columnsOf(dry, drafts), drafts: drafts, spool: spool.New(scratch, "calls"),
	}
}

// deal deals the calls of files out.
func (d *Dealt) deal(ctx context.Context, files []string) error {
	d.divide(callsPerPart)
	if err := dealCalls(ctx, d, files); err != nil {
		return errors.Join(fmt.Errorf("read calls: %w", err), d.Close())
	}
	for _, n := range []*names{d.source, d.operation, d.project, d.keys} {
		n.rank()
	}
	return nil
}

// Close removes what was dealt out.
func (d *Dealt) Close() error { return d.spool.Close() }

// calls walks dealt calls in burning order: account, posted_at, time, source, event
// id (SPEC section 6, Calls). They are sorted part by part, the next one while the
// one before is burned: so memory holds what a few parts need.
type calls struct {
	*Dealt
	draft  int  // whose credits are those of the calls
	once   bool // the parts are removed as they are read, and nobody else reads them
	sorted chan *sortedPart
	err    error // of what sorts; set before sorted is closed
	cancel context.CancelFunc

	part *sortedPart // that of the next account; nil: at the end
	next int         // account
}

// openCalls begins to walk the calls of the view rated: those that were dealt out, or
// its own. Without files that rated reads, the view is copied into one.
func openCalls(ctx context.Context, scratch string, in *Input) (_ *calls, err error) {
	if err := in.Session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE rated_accounts AS "+sql.Text("duckdb/invoice_rated_accounts")); err != nil {
		return nil, fmt.Errorf("count calls: %w", err)
	}
	c := &calls{Dealt: in.Dealt, draft: in.Draft, once: in.Dealt == nil, cancel: func() {}}
	if c.once {
		if c.Dealt, err = dealOwn(ctx, scratch, in); err != nil {
			return nil, err
		}
	}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// dealOwn deals the calls of the view rated out, for one run.
func dealOwn(ctx context.Context, scratch string, in *Input) (*Dealt, error) {
	d := newDealt(scratch, in.Dry, nil)
	if err := d.count(ctx, in.Session, sql.Text("duckdb/invoice_call_accounts")); err != nil {
		return nil, fmt.Errorf("count calls: %w", err)
	}
	files := in.RatedFiles
	if len(files) == 0 {
		copied := filepath.Join(scratch, "calls.parquet")
		if err := copyToScratch(ctx, in.Session, sql.Text("duckdb/invoice_calls"), copied); err != nil {
			return nil, fmt.Errorf("copy calls: %w", err)
		}
		files = []string{copied}
	}
	if err := d.deal(ctx, files); err != nil {
		return nil, err
	}
	return d, nil
}

// count finds the accounts and how many calls each has.
func (d *Dealt) count(ctx context.Context, session *duck.Session, query string) error {
	rows, err := session.Rows(ctx, query)
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
		d.accounts, d.sizes = append(d.accounts, account), append(d.sizes, size)
		d.total += int64(size)
	}
	return rows.Err()
}

// divide makes the parts: accounts in order, as many as have that many calls.
func (d *Dealt) divide(most int) {
	first, size := 0, 0
	for i, n := range d.sizes {
		if size > 0 && size+n > most {
			d.ranges = append(d.ranges, accountRange{first, i})
			first, size = i, 0
		}
		size += n
	}
	if size > 0 {
		d.ranges = append(d.ranges, accountRange{first, len(d.sizes)})
	}
}

// begin begins to sort what was dealt out and goes to the first account.
func (c *calls) begin(ctx context.Context) error {
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
	if c.once {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// credits are a call's, in millionths; heldCredits where the draft holds it.
func (c *calls) credits(row call) int64 {
	if c.draft == 0 {
		return row.long(callCredits)
	}
	return row.long(row.size() + 8*(c.draft-1))
}

// heldCredits stand for those of a call that is held.
const heldCredits = -1

// A call is a row of a part: what the columns of rated say of it that burning
// asks for, numbers in place of names, in the machine's order of bytes. Behind it are
// the credits of drafts after the first.
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
	time, postedAt, credits                  int64 // credits of the first draft
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
