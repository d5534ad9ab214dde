package invoice

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/internal/spool"
)

// A sortedPart is the calls of a range of accounts in burning order. What was
// sorted is 16 bytes a call; the calls lie in their mapped file.
type sortedPart struct {
	rows     *spool.Part
	accounts accountRange
	order    []entry
	ends     []int // of each account in order
}

// An entry is a call to be sorted: its time, and its place among the rows, in
// multiples of spool.Align, with the rank of its source above.
type entry struct {
	time  int64
	place uint64
}

// placeBits leave room for files of 8 TiB and 16 M sources.
const placeBits = 40

// sort sorts a part: it deals the calls out to their accounts and sorts each
// account's, which are few.
//
// Late calls post at the period's first instant and have an earlier time, all
// others post at their time: so the order of time is that of posted_at, then time.
func (c *calls) sort(number int) (_ *sortedPart, err error) {
	rows, err := c.spool.Open(int32(number))
	if err != nil {
		return nil, err
	}
	p := &sortedPart{rows: rows, accounts: c.ranges[number]}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if c.once {
		if err := c.spool.Remove(int32(number)); err != nil { // what is mapped stays
			return nil, err
		}
	}
	first, sizes := p.accounts.first, c.sizes[p.accounts.first:p.accounts.end]
	p.ends = make([]int, len(sizes))
	next := make([]int, len(sizes)) // place in order
	total := 0
	for i, size := range sizes {
		next[i] = total
		total += size
		p.ends[i] = total
	}
	p.order = make([]entry, total)
	for at := 0; at < len(rows.Rows); {
		row := call(rows.Rows[at:])
		i := int(row.name(callAccount)) - first
		if next[i] == p.ends[i] {
			return nil, c.miscounted(first + i)
		}
		source := uint64(c.source.ranks[row.name(callSource)])
		p.order[next[i]] = entry{row.long(callTime), uint64(at/spool.Align) | source<<placeBits}
		next[i]++
		at += spool.Padded(c.sizeOf(row.size()))
	}
	for i, size := range sizes {
		if next[i] != p.ends[i] {
			return nil, c.miscounted(first + i)
		}
		p.sortAccount(p.order[p.ends[i]-size : p.ends[i]])
	}
	return p, nil
}

// miscounted is the error of files that are not those of the view.
func (c *calls) miscounted(account int) error {
	return fmt.Errorf("account %q has %d calls in rated, but not in the files given for it", c.accounts[account], c.sizes[account])
}

func (p *sortedPart) sortAccount(order []entry) {
	slices.SortFunc(order, func(a, b entry) int {
		if a.time != b.time {
			return cmp.Compare(a.time, b.time)
		}
		if x, y := a.place>>placeBits, b.place>>placeBits; x != y {
			return cmp.Compare(x, y)
		}
		return bytes.Compare(p.call(a).event(), p.call(b).event())
	})
}

// of are the calls of an account by its number.
func (p *sortedPart) of(account int) []entry {
	i, begin := account-p.accounts.first, 0
	if i > 0 {
		begin = p.ends[i-1]
	}
	return p.order[begin:p.ends[i]]
}

func (p *sortedPart) call(e entry) call {
	return call(p.rows.Rows[e.place&(1<<placeBits-1)*spool.Align:])
}

func (p *sortedPart) close() error { return p.rows.Close() }

// sizeOf is the size of a row with the credits of all drafts.
func (d *Dealt) sizeOf(call int) int { return call + 8*max(0, len(d.drafts)-1) }
