package account_test

import (
	"math/big"
	"time"
)

// The files model*_test.go are the second implementation: one account's whole life, instant by
// instant, in lists and rationals, with everything recomputed from the lists each
// time it is asked for. It follows the wording of SPEC sections 5, 6 and 14 and
// knows nothing of how the engine is made: no catalog, no replay, no fast path.

type (
	planDef struct {
		name              string
		version           int
		from              time.Time
		fee               map[string]string // nil: free
		allowance         string
		calendar, prorate bool
		cycles            int    // of rollover; 0: none
		cap               string // empty: none
		per               string
		steps             []stepDef // nil: no overage price
		blocks, protect   bool
		limit             string
	}
	stepDef struct {
		upTo  string // empty: no end
		price map[string]string
	}
	packDef struct {
		name    string
		version int
		from    time.Time
		credits string
		price   map[string]string
		days    int // after which it expires; 0: see months
		months  int // the same; 0: never expires
	}
	catalogDef struct {
		plans []planDef
		packs []packDef
	}
	eventDef struct {
		id, kind   string
		at, posted time.Time

		name, currency, plan, pack, units, as, credits, bucket, amount, limit, below, paid string

		expires  time.Time
		unpaid   bool
		held     string // as it was last judged
		priority int    // 0: default
		protect  bool
		most     int
	}
	callDef struct {
		t     time.Time
		micro int64
	}
	keptDef struct {
		n                                     int
		at, expires                           time.Time
		pack, units, unit, granted, price, in string // in: its currency; empty: the account's then
	}
)

type (
	modelMove struct {
		what   string // burn, expire, void, roll
		x      *big.Rat
		t      time.Time
		period int
	}
	modelBucket struct {
		id, kind, as    string
		priority        int
		starts, expires time.Time // expires zero: never
		granted, price  *big.Rat
		moves           []modelMove
		period          int // granted in
		rolledIn        bool
	}
	modelCycle struct {
		start, end  time.Time
		plan        planDef
		anchor      time.Time
		allowance   *big.Rat
		cancelled   bool
		cancelledAt time.Time // the instant at which it was cancelled
	}
	modelPay struct {
		bucket  *modelBucket
		kind    string
		x       *big.Rat
		plan    string
		version int
		step    int
		t       time.Time
		period  int
	}
	modelAlert struct {
		kind           string
		threshold      *big.Rat
		cycle, at      time.Time
		usage, balance *big.Rat
		period         int
	}
	modelCharge struct {
		kind, id, item string
		at             time.Time
		quantity       *big.Rat
		amount         *big.Rat
		bucket         string
		paid           bool
		period         int
		version, step  int
		n              int // order of top-ups
	}
	modelHeld struct {
		id, reason string
		period     int
	}
)

type model struct {
	account string
	catalog catalogDef
	loc     *time.Location
	first   time.Time // start of the first period
	percent []int
	unknown string

	events  []eventDef
	calls   []callDef
	kept    []keptDef    // top-ups charged before
	done    map[int]bool // of kept, by place
	period  int
	live    bool // from first on: grants and charges
	opened  bool
	openedE bool // by an account.opened

	name, currency string
	fixed          bool
	protect        *bool
	limit          string
	topup, alert   *eventDef
	over           bool // the balance has been at or over the alert's

	planName string // of the subscription; empty: none
	cycle    *modelCycle
	cycles   []*modelCycle // all that began
	now      time.Time     // the instant that it goes through
	next     bool          // the subscription's next cycle is due now
	fresh    *planStart

	buckets []*modelBucket
	pays    [][]modelPay // by call
	rated   []callDef
	alerts  []modelAlert
	charges []modelCharge
	held    []modelHeld

	lastEnd   time.Time   // when a cycle last ended
	prior     *modelCycle // the one that ended
	buys      []int       // the period of every top-up
	rows      [][]string  // of every period closed: balances
	profiles  []string
	wasOpened []bool

	seen map[string]int // how often what happened
}

// saw counts something that a history may reach.
func (m *model) saw(what string) {
	if m.seen == nil {
		m.seen = map[string]int{}
	}
	m.seen[what]++
}

type planStart struct {
	plan      string
	cancelled bool
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("bad number " + s)
	}
	return r
}

func add(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
func quo(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }
func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// roundTo rounds to digits, halves away from zero.
func roundTo(r *big.Rat, digits int) *big.Rat {
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	x := mul(new(big.Rat).Abs(r), scale)
	x.Add(x, big.NewRat(1, 2))
	whole := new(big.Rat).SetInt(new(big.Int).Div(x.Num(), x.Denom()))
	out := quo(whole, scale)
	if r.Sign() < 0 {
		out.Neg(out)
	}
	return out
}

func (m *model) money(r *big.Rat) *big.Rat {
	return roundTo(r, map[string]int{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}[m.currency])
}
