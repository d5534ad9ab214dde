package invoice

import (
	"cmp"
	"fmt"
	"math/big"
	"math/bits"
	"slices"

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
	calls  *calls // whose names the numbers are of
	usages map[usageKey]*usage
	last   *usage // calls of one kind come in runs
}

// A usageKey is an operation, project and key by their numbers.
type usageKey struct{ operation, project, key uint32 }

// A usage is one row of statements to be.
type usage struct {
	usageKey
	calls, late int64
	credits     sum
	paid        []payment
}

// A payment is the credits that one bucket, or overage at one price, paid.
// Buckets that cost nothing and denied credits have no value and are left out.
type payment struct {
	bucket  *bucket.Bucket
	price   *bucket.OveragePrice
	credits sum
}

func newStatement(c *calls) *statement { return &statement{calls: c, usages: map[usageKey]*usage{}} }

func (s *statement) add(key usageKey, late bool, credits int64, splits []bucket.Split) {
	u := s.last
	if u == nil || u.usageKey != key {
		if u = s.usages[key]; u == nil {
			u = &usage{usageKey: key}
			s.usages[key] = u
		}
		s.last = u
	}
	u.calls++
	if late {
		u.late++
	}
	u.credits.add(credits)
	for i := range splits {
		u.pay(&splits[i])
	}
}

func (u *usage) pay(split *bucket.Split) {
	if split.Price == nil && (split.Bucket == nil || split.Bucket.Price.IsZero()) {
		return
	}
	for i := len(u.paid) - 1; i >= 0; i-- { // the last bucket pays on
		if p := &u.paid[i]; p.bucket == split.Bucket && p.price == split.Price {
			p.credits.add(split.Credits)
			return
		}
	}
	u.paid = append(u.paid, payment{bucket: split.Bucket, price: split.Price})
	u.paid[len(u.paid)-1].credits.add(split.Credits)
}

// manyRows is how many rows leave a map that is not emptied but dropped: emptying
// takes as long as it has room for, and the next accounts are small again.
const manyRows = 1 << 12

// take returns the account's rows by operation, project and key, and starts anew.
func (s *statement) take() []*usage {
	rows := make([]*usage, 0, len(s.usages))
	for _, u := range s.usages {
		rows = append(rows, u)
	}
	c := s.calls
	slices.SortFunc(rows, func(a, b *usage) int {
		return cmp.Or(c.operation.compare(a.operation, b.operation), c.project.compare(a.project, b.project), c.keys.compare(a.key, b.key))
	})
	if s.last = nil; len(rows) > manyRows {
		s.usages = map[usageKey]*usage{}
	} else {
		clear(s.usages)
	}
	return rows
}

// value is what the usage's credits were worth: burned credits × price ÷ granted
// of each bucket plus overage at its price, rounded once (SPEC section 14, after
// 29). It is summed up as one fraction that is not reduced on the way.
func (u *usage) value(currency money.Currency) (money.Amount, error) {
	if len(u.paid) == 0 {
		return money.Amount{}, nil
	}
	num, den := new(big.Int), big.NewInt(1)
	var over, part big.Int // of one payment
	for i := range u.paid {
		p := &u.paid[i]
		if p.price != nil { // millionths of credits × money per credit
			over.Mul(millionths, p.price.Credit.Denom())
			part.Mul(p.credits.amount().Num().BigInt(), p.price.Credit.Num())
		} else { // millionths × ten-thousandths of money ÷ millionths
			over.Mul(tenThousandths, p.bucket.Granted.Num().BigInt())
			part.Mul(p.credits.amount().Num().BigInt(), p.bucket.Price.Num().BigInt())
		}
		num.Mul(num, &over)
		num.Add(num, part.Mul(&part, den))
		den.Mul(den, &over)
	}
	amount, err := currency.RoundFraction(num, den)
	if err != nil {
		return amount, fmt.Errorf("value of usage: %w", err)
	}
	return amount, nil
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
