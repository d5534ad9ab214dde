// Package bucket is the burn-down: which bucket pays for which call. It is pure;
// it has no I/O and no clock (SPEC section 6).
package bucket

import (
	"math/big"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
)

// A Kind is a kind of bucket, or of what no bucket paid for.
type Kind string

// The kinds of bucket, and the two of a shortfall.
const (
	Allowance Kind = "allowance"
	Rollover  Kind = "rollover"
	Pack      Kind = "pack"
	TopUp     Kind = "topup"
	Promotion Kind = "promotion"
	Opened    Kind = "opened" // burns name a `bucket.opened` so; its priority is that of the kind it opened as

	Overage Kind = "overage"
	Denied  Kind = "denied"
)

// A Bucket is credits granted together: same kind, same start, same expiry.
type Bucket struct {
	ID       string
	Kind     Kind
	Priority int
	Starts   time.Time
	Expires  time.Time     // zero: never
	Item     string        // the plan or pack it came from, empty: none
	Granted  credit.Amount // over its life
	Currency money.Currency
	Price    money.Amount // what was paid for it; rollover: its share

	// The period's flows: Opening + granted in it = Burned + Expired + Voided + RolledOut + Remaining.
	Opening, GrantedNow, Burned, Expired, Voided, RolledOut, Remaining credit.Amount
	Recognised, Breakage, Deferred                                     money.Amount // SPEC section 14, 27

	expires   int64         // Expires in microseconds, math.MaxInt64: never; kept by Set
	live      bool          // it is in a Set
	today     credit.Amount // burned in the running day and not yet in the ledger
	lastToday int64         // when last, microseconds
}

// A Split is the part of one call's credits that one bucket paid, or nobody.
type Split struct {
	Kind    Kind
	Bucket  *Bucket       // nil for Overage and Denied
	Credits int64         // millionths; more than zero
	Price   *OveragePrice // of Overage
}

// An Entry is one row of the ledger.
type Entry struct {
	At       time.Time
	Entry    string // grant, burn, expire, void, rollover_out, rollover_in, overage, denied
	BucketID string // empty: NULL
	Credits  credit.Amount
	Detail   string
}

// An Alert is one row of alerts.
type Alert struct {
	Kind       string // percent, low_balance
	Threshold  credit.Amount
	CycleStart time.Time // zero: NULL
	At         time.Time
	Usage      credit.Amount
	Balance    credit.Amount
}

// An OveragePrice is one price of overage: a plan's, or one step of it.
type OveragePrice struct {
	Plan    string
	Version int
	Step    int      // from 1
	Credit  *big.Rat // money per credit, exact
}
