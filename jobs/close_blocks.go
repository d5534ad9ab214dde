package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// A Block is one reason that a period cannot be closed yet.
type Block struct {
	Reason   string // what is in the way
	Count    int64
	Examples []string
	Resolve  string // the command or file that resolves it
}

// blocks lists why a period cannot be cut yet (SPEC section 7, step 2). burned is what
// it burned down to, nil where that is known to hold nothing new.
func (c *closer) blocks(ctx context.Context, d *desk, burned *burnedDown) ([]Block, error) {
	m, o := c.mill, c.options
	blocks := unreadBlocks(slices.Concat(c.unread, m.Lake.State().Unread))
	if burned != nil {
		blocks = append(blocks, m.missingBlocks(burned.Missing)...)
	}
	if !o.LeaveHeld {
		held, err := d.heldBlocks(ctx)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, held...)
		if burned != nil {
			blocks = append(blocks, heldEventBlocks(burned.Held)...)
		}
	}
	if rejects := m.Lake.State().BlockingRejects(); !o.AcceptRejects && len(rejects) > 0 {
		for _, reason := range slices.Sorted(maps.Keys(rejects)) {
			blocks = append(blocks, Block{
				Reason: "rejected records: " + reason, Count: rejects[reason],
				Resolve: "see `creditmill rejects --reason " + reason + "`; close with --accept-rejects to go on without them",
			})
		}
	}
	if !o.AcceptSilence {
		for _, s := range m.silence(m.Calendar.End(c.period)) {
			last := "it has given nothing yet"
			if !s.Time.IsZero() {
				last = "its newest call is of " + period.FormatInstant(s.Time)
			}
			blocks = append(blocks, Block{
				Reason: "source " + s.Source + " has been silent for longer than it should", Count: 1,
				Examples: []string{last}, Resolve: "find out whether its logs arrive; close with --accept-silence if it had no calls",
			})
		}
		blocks = append(blocks, m.clockBlocks(c.period)...)
	}
	return blocks, nil
}

// longSilence is how far behind the machine's clock the newest call of all may be: a month
// that is closed within the next one has calls that are younger.
const longSilence = 62 * 24 * time.Hour

// clockBlocks is the block of a lake whose usage ends long before the machine's clock,
// or before the period: a clock that runs ahead would close months that have not been.
// A clock that was given with --now is what its user says.
func (m *Mill) clockBlocks(p period.Period) []Block {
	var newest time.Time
	for _, t := range m.Lake.State().Newest {
		if t.After(newest) {
			newest = t
		}
	}
	now := m.Now()
	if !m.options.MachineClock || newest.IsZero() || !newest.Before(m.Calendar.Start(p)) && now.Sub(newest) <= longSilence {
		return nil
	}
	return []Block{{
		Reason: fmt.Sprintf("no call of any source since %s, and this machine's clock says %s", period.FormatInstant(newest), period.FormatInstant(now)), Count: 1,
		Resolve: "see that the clock is right and that logs arrive; close with --accept-silence if there were no calls",
	}}
}

// unreadBlocks is the block of objects that could not be taken in, which may be told twice.
func unreadBlocks(unread []lake.Unread) []Block {
	b := Block{
		Reason:  "objects that could not be read",
		Resolve: "mend or remove the object, or its source's mapping, and close again",
	}
	known := map[[2]string]bool{}
	for _, u := range unread {
		if object := [2]string{u.Source, u.Object}; !known[object] {
			known[object] = true
			b.Count++
			b.Examples = append(b.Examples, u.Object+": "+u.Reason)
		}
	}
	if b.Count == 0 {
		return nil
	}
	return []Block{b.bounded()}
}

const maxExamples = 5

func (b Block) bounded() Block {
	if len(b.Examples) > maxExamples {
		b.Examples = append(b.Examples[:maxExamples:maxExamples], "and "+strconv.Itoa(int(b.Count)-maxExamples)+" more")
	}
	return b
}
