// Package account is one account going through one period: its account events
// become plan, cycles, settings and buckets (SPEC section 5), its calls burn the
// buckets (section 6), and what ends or renews does so at its instant (section 7,
// step 4). It alone decides what an event means and who pays for a call; which
// bucket goes first is package bucket's, what is sold is package catalog's.
//
// It is pure: no I/O, no clock, no randomness; the same [Params] and calls give
// the same [Outcome], in whatever order the events are listed. Two identities hold
// for every Outcome, and the tests check them against a second implementation:
//
//	credits called = burned + overage + denied
//	opened + granted = burned + expired + voided + rolled out + remaining, of every bucket
//
// A period is opened by the events before it, which only set state, and by the
// balances that the period before left; nothing is replayed from the beginning
// of time. An event that makes no sense where it stands is held with a reason and
// changes nothing. A catalog that cannot serve a running subscription is an error,
// a [Missing], as is a sum past 38 digits; they name account and instant.
package account

import (
	"encoding/json"
	"math/big"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// An Event is one row of account_events.
type Event struct {
	ID       string
	Type     string
	Account  string
	At       time.Time
	PostedAt time.Time
	Payload  json.RawMessage // the event as it came
	Held     string          // the reason it was held for when it was last judged; empty: none, or not judged yet
}

// An Opening is what a period starts from: the closing of the one before.
type Opening struct {
	Buckets       []*bucket.Bucket // of the balances before: Granted over its life, Remaining at the start
	CurrencyFixed bool             // money was charged before (SPEC section 14, 37)
	CycleUsage    credit.Amount    // rated in the running cycle before the period
	Alerts        []bucket.Alert   // of the running cycle, fired before the period; and the last low_balance

	// ExpiredAtStart is what expired at the very end of the period before, which is
	// this one's start: the balances of that period, `expired` where `expires_at` is
	// its end. The low-balance alert looks at an instant as a whole, and needs to
	// know from what the balance fell.
	ExpiredAtStart credit.Amount
}

// A Profile is the party on an invoice, as at the period's end.
type Profile struct {
	Name, Email string
	Address     []string
	Currency    money.Currency
	Tax         *Tax // nil: none
	Plan        string
	PlanVersion int
}

// A Tax is an account's tax: Rate is a fraction (0.21).
type Tax struct {
	Rate          *big.Rat
	Label, ID     string
	ReverseCharge bool
}

// A Charge is one line of an invoice before tax, already rounded to the minor unit.
type Charge struct {
	Kind        string // fee, pack, topup, charge, overage
	At          time.Time
	ID          string // orders charges of one instant: event id, cycle start, top-up number, step
	Item        string
	Description string
	Quantity    credit.Amount // units bought; credits of overage; 1
	UnitPrice   money.Price   // per unit or per credit
	Amount      money.Amount
	From, To    time.Time
	Plan        string // overage: its plan, version and step, from 1
	Version     int
	Step        int
	EventAt     time.Time // of a pack, a charge and a plan's first fee: the account event's own time, before At where it posted late; else zero
	Paid        bool      // a pack marked paid
	BucketID    string    // the bucket it paid for, empty: none
}

// A Held is an account event that makes no sense where it stands.
type Held struct {
	Event  Event
	Reason string
}

// An Outcome is what a period did to one account.
type Outcome struct {
	Account string
	Opened  bool // false: its usage is held
	Profile Profile
	Buckets []*bucket.Bucket // those with a row in balances (SPEC section 14, 29)
	Ledger  []bucket.Entry   // in order of instant, entry, bucket
	Alerts  []bucket.Alert
	Charges []Charge // in the order of invoice lines (SPEC section 14, 28)
	Held    []Held

	CurrencyFixed bool    // SPEC section 14, 37: the next period's Opening.CurrencyFixed
	Implied       []Event // what the first call of an account never opened stands for (35); close keeps them among the account events
}
