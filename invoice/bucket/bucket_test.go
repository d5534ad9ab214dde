package bucket_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/bucket"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func day(n int) time.Time { return time.Date(2026, 10, n, 0, 0, 0, 0, time.UTC) }

func full(id string, priority int, starts, expires time.Time, credits int64) *bucket.Bucket {
	c := credit.FromInt(credits)
	return &bucket.Bucket{ID: id, Kind: bucket.Pack, Priority: priority, Starts: starts, Expires: expires, Granted: c, GrantedNow: c, Remaining: c}
}

// SPEC section 6, Order: priority, then expires_at (never last), then starts_at, then id.
func TestBucketsPayByPriorityExpiryStartAndID(t *testing.T) {
	var s bucket.Set
	for _, b := range []*bucket.Bucket{
		full("never", 50, day(1), time.Time{}, 1), full("b", 50, day(2), day(9), 1), full("a", 50, day(2), day(9), 1), full("old", 50, day(1), day(9), 1),
		full("soon", 50, day(3), day(8), 1), full("first", 10, day(4), time.Time{}, 1),
	} {
		s.Add(b)
	}
	left, splits := s.Pay(day(5).UnixMicro(), 7_000_000, nil, func(*bucket.Bucket) {})
	if left != 1_000_000 || s.First() != nil || !s.Balance().IsZero() {
		t.Fatalf("%d left, balance %s", left, s.Balance())
	}
	for i, want := range []string{"first", "soon", "old", "a", "b", "never"} {
		if splits[i].Bucket.ID != want || splits[i].Credits != 1_000_000 {
			t.Errorf("split %d: %d of %s, want 1 of %s", i, splits[i].Credits, splits[i].Bucket.ID, want)
		}
	}
}

// A bucket may hold more millionths than 64 bits count.
func TestHugeBucketPays(t *testing.T) {
	b := full("a", 50, day(1), time.Time{}, 0)
	b.Granted = must(credit.Parse("99999999999999999999999999999999"))
	b.Remaining = b.Granted
	var s bucket.Set
	s.Add(b)
	left, splits := s.Pay(0, 999_999_999_999_999_999, nil, nil)
	if left != 0 || len(splits) != 1 || b.Remaining.String() != "99999999999999999998999999999999.000001" {
		t.Errorf("%d left, %s remaining", left, b.Remaining)
	}
}

func TestExpireVoidAndRollEmptyTheBucket(t *testing.T) {
	var s bucket.Set
	a, b := full("a", 40, day(1), day(9), 10), full("b", 50, day(1), day(9), 10)
	s.Add(a)
	s.Add(b)
	if got := s.Expire(a, credit.FromInt(4)); got != credit.FromInt(6) || a.RolledOut != credit.FromInt(4) || a.Expired != credit.FromInt(6) || !a.Remaining.IsZero() {
		t.Errorf("4 of 10 rolled on: %s expired, bucket %+v", got, a)
	}
	if got := s.Void(b); got != credit.FromInt(10) || b.Voided != got || !s.Balance().IsZero() || s.NextExpiry() != bucket.Never {
		t.Errorf("voided %s, bucket %+v, balance %s", got, b, s.Balance())
	}
}

// SPEC section 14, 27: whatever a bucket's life is cut into, what it recognised,
// what broke, what rolled on and what is deferred add up to its price at every
// cut, and each is what the definition says.
func TestMoneyOfABucketIsConserved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		currency := must(money.ParseCurrency(rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(rt, "currency")))
		micro := rapid.Int64Range(1, 50_000_000).Draw(rt, "granted")
		price := must(currency.Round(big.NewRat(rapid.Int64Range(0, 100_000).Draw(rt, "price"), 100)))
		left, opening := micro, int64(0)
		var out money.Amount
		for period, last := 0, rapid.IntRange(0, 4).Draw(rt, "periods"); period <= last; period++ {
			b := bucket.Bucket{Granted: credit.FromMicro(micro), Currency: currency, Price: price, Opening: credit.FromMicro(opening)}
			if period == 0 {
				b.GrantedNow = b.Granted
			}
			burned := rapid.Int64Range(0, left).Draw(rt, "burned")
			left -= burned
			b.Burned = credit.FromMicro(burned)
			var rolled money.Amount
			if period == last {
				roll := rapid.Int64Range(0, left).Draw(rt, "rolled")
				b.RolledOut, b.Expired = credit.FromMicro(roll), credit.FromMicro(left-roll)
				rolled = must(b.RolledPrice(b.RolledOut))
				left = 0
			}
			b.Remaining, opening = credit.FromMicro(left), left
			if err := b.Settle(); err != nil {
				rt.Fatal(err)
			}
			out = out.Add(b.Recognised).Add(b.Breakage).Add(rolled)
			if out.Add(b.Deferred) != price {
				rt.Fatalf("period %d: out so far %s, deferred %s, price %s", period, out, b.Deferred, price)
			}
			if want := must(currency.Round(mul(price.Rat(), big.NewRat(micro-left, micro)))); price.Sub(b.Deferred) != want {
				rt.Fatalf("period %d: %s of %s credits gone, %s deferred of %s, want %s gone", period, credit.FromMicro(micro-left), b.Granted, b.Deferred, price, want)
			}
		}
	})
}

func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// SPEC section 6, ids; section 14, 20: instants with a fraction only where it is not zero.
func TestBucketIDs(t *testing.T) {
	p := must(period.Parse("2026-10"))
	for got, want := range map[string]string{
		bucket.AllowanceID("acme", day(3)):                           "acme/allowance/2026-10-03T00:00:00Z",
		bucket.RolloverID("acme", day(3).Add(1500*time.Millisecond)): "acme/rollover/2026-10-03T00:00:01.5Z",
		bucket.TopUpID("a/b", p, 12):                                 "a%2Fb/topup/2026-10/12",
		bucket.EventID("acme", bucket.Promotion, "x y%é-._~"):        "acme/promotion/x%20y%25%C3%A9-._~",
		bucket.EventID("user@acme", bucket.Opened, "0f8c:7"):         "user%40acme/opened/0f8c%3A7",
		bucket.EventID("acme", bucket.Pack, "ABCxyz019"):             "acme/pack/ABCxyz019",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func BenchmarkPay(b *testing.B) {
	var s bucket.Set
	first := full("a", 40, day(1), day(9), 1_000_000_000_000)
	s.Add(first)
	splits := make([]bucket.Split, 0, 4)
	b.ReportAllocs()
	for i := range b.N {
		_, splits = s.Pay(int64(i), 1, splits[:0], nil)
	}
}
