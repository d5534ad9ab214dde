package invoice

import (
	"cmp"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A statement sums up one account's calls by operation, project and key, with
// what paid for them (SPEC section 7, Statements). It is used for one account
// after another.
type statement struct {
	usages []usage
	places map[usageKey]int // in usages
	last   int              // calls of one kind come in runs
	spent  sync.Pool        // usages to be filled again
}

// A usageKey is an operation, project and key by their numbers.
type usageKey struct{ operation, project, key uint32 }

// A usage is one row of statements to be.
type usage struct {
	usageKey
	calls, late int64
	credits     sum
	paid        []payment
	places      map[rateOf]int // of paid, where there are many
}

// A payment is the credits that buckets of one price and size, or overage at one
// price, paid. Buckets that cost nothing and denied credits have no value and are
// left out.
type payment struct {
	rateOf
	credits sum
}

// A rateOf is what a credit was worth: price ÷ granted of a bucket, or the price of
// overage.
type rateOf struct {
	price   money.Amount
	granted credit.Amount
	over    *bucket.OveragePrice
}

func newStatement() *statement { return &statement{places: map[usageKey]int{}} }

func (s *statement) add(key usageKey, late bool, credits int64, splits []bucket.Split) {
	if s.last >= len(s.usages) || s.usages[s.last].usageKey != key {
		s.find(key)
	}
	u := &s.usages[s.last]
	u.calls++
	if late {
		u.late++
	}
	u.credits.add(credits)
	for i := range splits {
		u.pay(&splits[i])
	}
}

// find makes the usage of key the last.
func (s *statement) find(key usageKey) {
	place, known := s.places[key]
	if !known {
		place = len(s.usages)
		s.places[key] = place
		if place < cap(s.usages) {
			s.usages = s.usages[:place+1]
		} else {
			s.usages = append(s.usages, usage{})
		}
		paid := s.usages[place].paid
		if cap(paid) > fewRates {
			paid = nil
		}
		s.usages[place] = usage{usageKey: key, paid: paid[:0]}
	}
	s.last = place
}

func (u *usage) pay(split *bucket.Split) {
	var rate rateOf
	switch {
	case split.Price != nil:
		rate.over = split.Price
	case split.Bucket == nil || split.Bucket.Price.IsZero():
		return
	default:
		rate.price, rate.granted = split.Bucket.Price, split.Bucket.Granted
	}
	u.paid[u.place(rate)].credits.add(split.Credits)
}

// fewRates is how many rates are looked through; more are found by a map.
const fewRates = 16

// place is where a rate stands in paid.
func (u *usage) place(rate rateOf) int {
	n := len(u.paid)
	if u.places == nil {
		for i := n - 1; i >= 0; i-- { // the last bucket pays on
			if u.paid[i].rateOf == rate {
				return i
			}
		}
	} else if i, known := u.places[rate]; known {
		return i
	}
	u.paid = append(u.paid, payment{rateOf: rate})
	if u.places == nil && n == fewRates {
		u.places = map[rateOf]int{}
		for i := range u.paid {
			u.places[u.paid[i].rateOf] = i
		}
	} else if u.places != nil {
		u.places[rate] = n
	}
	return n
}

// manyRows is how many rows leave a map that is not emptied but dropped: emptying
// takes as long as it has room for, and the next accounts are small again.
const manyRows = 1 << 12

// take returns the account's usages, in no order, and starts anew.
func (s *statement) take() []usage {
	usages := s.usages
	if len(usages) > manyRows {
		s.places = map[usageKey]int{}
	} else {
		clear(s.places)
	}
	s.usages, s.last = nil, 0
	if again, ok := s.spent.Get().(*[]usage); ok {
		s.usages = *again
	}
	return usages
}

// give hands usages that were taken, and are done with, back. It may be called while
// others are added.
func (s *statement) give(usages []usage) {
	if cap(usages) > 0 && cap(usages) <= manyRows {
		usages = usages[:0]
		s.spent.Put(&usages)
	}
}

// A stated is a usage with its place among those of its account.
type stated struct {
	major, minor uint64 // operation and project; key
	*usage
}

// inOrder appends usages by operation, project and key.
func (c *calls) inOrder(to []stated, usages []usage) []stated {
	for i := range usages {
		u := &usages[i]
		to = append(to, stated{c.operation.place(u.operation)<<32 | c.project.place(u.project), c.keys.place(u.key), u})
	}
	slices.SortFunc(to, func(a, b stated) int { return cmp.Or(cmp.Compare(a.major, b.major), cmp.Compare(a.minor, b.minor)) })
	return to
}

// value is what the usage's credits were worth: burned credits × price ÷ granted
// of each bucket plus overage at its price, rounded once (SPEC section 14, after
// 29).
func (u *usage) value(currency money.Currency) (money.Amount, error) {
	if len(u.paid) == 0 {
		return money.Amount{}, nil
	}
	amount, err := currency.RoundFraction(worth(u.paid))
	if err != nil {
		return amount, fmt.Errorf("value of usage: %w", err)
	}
	return amount, nil
}

// worth sums payments up as one fraction, which is not reduced on the way: half and
// half, for the numbers grow with the payments.
func worth(paid []payment) (num, den *big.Int) {
	if len(paid) > 1 {
		num, den = worth(paid[:len(paid)/2])
		more, over := worth(paid[len(paid)/2:])
		num.Mul(num, over)
		num.Add(num, more.Mul(more, den))
		return num, den.Mul(den, over)
	}
	p := &paid[0]
	num = p.credits.amount().Num().BigInt()
	if p.over != nil { // millionths of credits × money per credit
		return num.Mul(num, p.over.Credit.Num()), new(big.Int).Mul(millionths, p.over.Credit.Denom())
	}
	// Millionths × ten-thousandths of money ÷ millionths.
	return num.Mul(num, p.price.Num().BigInt()), new(big.Int).Mul(tenThousandths, p.granted.Num().BigInt())
}

// The units of credits and of amounts of money.
var millionths, tenThousandths = big.NewInt(1_000_000), big.NewInt(10_000)

// A sum adds up credits of calls, in millionths: none is negative, and so many
// that they leave 128 bits cannot be.
type sum struct{ hi, lo uint64 }

func (s *sum) add(n int64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, uint64(n), 0)
	s.hi += carry
}

// amount panics with fixed.Overflow past 38 digits, as other sums of credits do.
func (s *sum) amount() credit.Amount {
	n := decimal128.New(int64(s.hi), s.lo)
	return credit.FromNum(fixed.Add(n, decimal128.Num{}))
}
