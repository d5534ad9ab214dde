package bucket

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
)

// A Set is one account's buckets that can pay now, in the order they pay: by
// priority, then expiry (never last), then start, then id (SPEC section 6,
// Order). A bucket is in the Set from the instant it starts until it is empty or
// has ended; who drives the Set takes it out in time, so that the Set needs no
// clock. The zero value is an empty Set.
type Set struct {
	live    []*Bucket
	balance credit.Amount
}

// Never is the expiry, in microseconds, of a bucket that does not expire.
const Never = math.MaxInt64

// Micro returns t in microseconds since 1970 as the engine counts instants;
// [Never] for the zero time.
func Micro(t time.Time) int64 {
	if t.IsZero() {
		return Never
	}
	return t.UnixMicro()
}

// Add puts b, which is not empty, into its place.
func (s *Set) Add(b *Bucket) {
	b.expires = Micro(b.Expires)
	place, _ := slices.BinarySearchFunc(s.live, b, compare)
	s.live = slices.Insert(s.live, place, b)
	s.balance = s.balance.Add(b.Remaining)
}

// Reorder makes the Set follow changes of the buckets' priorities and expiries.
func (s *Set) Reorder() {
	for _, b := range s.live {
		b.expires = Micro(b.Expires)
	}
	slices.SortFunc(s.live, compare)
}

// First is the bucket that pays first, nil if none is left.
func (s *Set) First() *Bucket {
	if len(s.live) == 0 {
		return nil
	}
	return s.live[0]
}

// Live is the buckets in paying order. It is the Set's own: read it only.
func (s *Set) Live() []*Bucket { return s.live }

// Balance is the usable balance: what the buckets of the Set hold together.
func (s *Set) Balance() credit.Amount { return s.balance }

// NextExpiry is the first instant, in microseconds, at which a bucket of the Set
// expires; [Never] if none does.
func (s *Set) NextExpiry() int64 {
	next := int64(Never)
	for _, b := range s.live {
		next = min(next, b.expires)
	}
	return next
}

// Pay takes credits (millionths, not negative) at the instant at (microseconds)
// out of the buckets in order. It appends what each paid to splits, hands each
// bucket that became empty to emptied after taking it out, and returns what
// nobody paid.
func (s *Set) Pay(at, credits int64, splits []Split, emptied func(*Bucket)) (left int64, all []Split) {
	left = credits
	for left > 0 && len(s.live) > 0 {
		b := s.live[0]
		part := left
		if rest, small := b.Remaining.Micro(); small && rest < part {
			part = rest
		}
		s.Burn(at, part, emptied)
		splits = append(splits, Split{Kind: b.Kind, Bucket: b, Credits: part})
		left -= part
	}
	return left, splits
}

// Burn takes credits (millionths; more than zero, not more than it holds) out of
// the first bucket at the instant at, as Pay does.
func (s *Set) Burn(at, credits int64, emptied func(*Bucket)) {
	b, paid := s.live[0], credit.FromMicro(credits)
	b.Remaining = b.Remaining.Sub(paid)
	b.Burned = b.Burned.Add(paid)
	b.today = b.today.Add(paid)
	b.lastToday = at
	s.balance = s.balance.Sub(paid)
	if b.Remaining.IsZero() {
		s.live = slices.Delete(s.live, 0, 1)
		emptied(b)
	}
}

// Expire takes b out of the Set: rolled (not more than it holds) goes on into a
// rollover bucket, the rest expires. It returns what expired.
func (s *Set) Expire(b *Bucket, rolled credit.Amount) credit.Amount {
	s.remove(b)
	expired := b.Remaining.Sub(rolled)
	b.RolledOut = b.RolledOut.Add(rolled)
	b.Expired = b.Expired.Add(expired)
	b.Remaining = credit.Amount{}
	return expired
}

// Void takes b out of the Set and returns what was left of it, which is gone.
func (s *Set) Void(b *Bucket) credit.Amount {
	s.remove(b)
	voided := b.Remaining
	b.Voided = b.Voided.Add(voided)
	b.Remaining = credit.Amount{}
	return voided
}

func (s *Set) remove(b *Bucket) {
	place := slices.Index(s.live, b)
	s.live = slices.Delete(s.live, place, place+1)
	s.balance = s.balance.Sub(b.Remaining)
}

// TakeToday returns what b burned since it was last asked, and when last
// (microseconds): one entry of the ledger, if not zero.
func (b *Bucket) TakeToday() (credits credit.Amount, last int64) {
	credits, last = b.today, b.lastToday
	b.today = credit.Amount{}
	return credits, last
}

// compare is the order in which buckets pay.
func compare(a, b *Bucket) int {
	switch {
	case a.Priority != b.Priority:
		return a.Priority - b.Priority
	case a.expires != b.expires:
		if a.expires < b.expires {
			return -1
		}
		return 1
	}
	if c := a.Starts.Compare(b.Starts); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}
