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
// clock. An account may have very many: what happens with every call does not look
// at them all. The zero value is an empty Set.
type Set struct {
	live    []*Bucket
	expiry  expiries
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
	b.expires, b.live = Micro(b.Expires), true
	place, _ := slices.BinarySearchFunc(s.live, b, compare)
	s.live = slices.Insert(s.live, place, b)
	s.expiry.add(b)
	s.balance = s.balance.Add(b.Remaining)
}

// AddAll adds buckets, none of which is empty.
func (s *Set) AddAll(buckets []*Bucket) {
	s.live = append(s.live, buckets...)
	for _, b := range buckets {
		b.live = true
		s.balance = s.balance.Add(b.Remaining)
	}
	s.Reorder()
}

// Reorder makes the Set follow changes of the buckets' priorities and expiries.
func (s *Set) Reorder() {
	s.expiry = s.expiry[:0]
	for _, b := range s.live {
		b.expires = Micro(b.Expires)
		s.expiry.add(b)
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
	if b := s.expiry.first(); b != nil {
		return b.expires
	}
	return Never
}

// Ending is the buckets of the Set that expire at t or before, in paying order. All
// of them have to be taken out before the Set is asked again.
func (s *Set) Ending(t int64) []*Bucket {
	var ending []*Bucket
	for b := s.expiry.first(); b != nil && b.expires <= t; b = s.expiry.first() {
		ending = append(ending, b)
		s.expiry.drop()
	}
	slices.SortFunc(ending, compare)
	return ending
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
		b.live = false
		s.live[0] = nil
		s.live = s.live[1:]
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
	place, _ := slices.BinarySearchFunc(s.live, b, compare)
	s.live = slices.Delete(s.live, place, place+1)
	b.live = false
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
