package account

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A KeptTopUp is a top-up of the period that a close or a note has charged. It is
// a fact, whatever settings, plan and catalog say today: a re-rate grants and
// charges it again as it was, at its own instant (SPEC section 6, Top-up; section
// 14, 30 and 44).
type KeptTopUp struct {
	N         int           // of its bucket's id, ACCOUNT/topup/PERIOD/N
	At        time.Time     // within the period
	Expires   time.Time     // zero: never
	Granted   credit.Amount // zero: it had no bucket
	Pack      string        // empty: not known, which only one of no price may be
	Units     credit.Amount // bought; of one with a price
	UnitPrice money.Price   // of one with a price
	Price     money.Amount  // what was charged; zero: nothing, and there is no line
	Currency  money.Currency
}

// openKept takes over the kept top-ups, in the order they are granted. They count
// towards most_per_period from the start, and new ones are numbered after them.
// Their numbers count what the period has bought, gaps included.
func (m *Machine) openKept() error {
	m.kept = slices.Clone(m.p.Kept)
	slices.SortFunc(m.kept, func(a, b KeptTopUp) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.N, b.N)) })
	numbers := make(map[int]bool, len(m.kept))
	for _, k := range m.kept {
		if t := k.At.UnixMicro(); t < m.start || t >= m.end || k.N < 1 || numbers[k.N] {
			return m.failed(t, fmt.Errorf("top-up %d cannot be kept: it is outside the period, or another has its number", k.N))
		}
		numbers[k.N] = true
		m.topUps = max(m.topUps, k.N)
	}
	return nil
}

// keptInstant is the instant of the next kept top-up, bucket.Never if none is left.
func (m *Machine) keptInstant() int64 {
	if len(m.kept) == 0 {
		return bucket.Never
	}
	return m.kept[0].At.UnixMicro()
}

// grantKept charges and grants the next kept top-up.
func (m *Machine) grantKept() error {
	k := m.kept[0]
	m.kept = m.kept[1:]
	if err := m.keepCurrency(&k); err != nil {
		return err
	}
	b := &bucket.Bucket{
		ID: bucket.TopUpID(m.account, m.p.Period, k.N), Kind: bucket.TopUp, Priority: priorityPack,
		Starts: instant(k.At.UnixMicro()), Expires: k.Expires, Item: k.Pack, Granted: k.Granted, Price: k.Price, Currency: m.currency,
	}
	if b.Item == "" && m.topup != nil {
		b.Item = m.topup.pack
	}
	b.Item = cmp.Or(b.Item, string(b.Kind))
	m.book(Charge{
		Kind: chargeTopUp, At: b.Starts, ID: strconv.Itoa(k.N), Item: b.Item, Description: b.Item, Quantity: k.Units, UnitPrice: k.UnitPrice,
		Amount: k.Price, From: b.Starts, To: b.Starts, BucketID: bucketID(b),
	})
	m.grant(b, k.At.UnixMicro(), "grant", b.Item)
	return nil
}

// grantKeptAfter grants the next kept top-up, which no call of its instant has
// needed, after those calls.
func (m *Machine) grantKeptAfter() error {
	t := m.keptInstant()
	m.now = t
	if err := m.grantKept(); err != nil {
		return m.failed(t, err)
	}
	m.lookAtBalance(t)
	return nil
}

// keepCurrency wants the account to have the currency in which k was charged.
func (m *Machine) keepCurrency(k *KeptTopUp) error {
	switch {
	case k.Price.IsZero() || k.Currency == m.currency:
		return nil
	case !m.opened && !m.fixed: // no event of the account has said one
		m.currency = k.Currency
		return nil
	}
	return fmt.Errorf("top-up %s was charged in %s, but by the account's events its currency is %s then: a currency is fixed once money was charged; re-rate from a later period",
		bucket.TopUpID(m.account, m.p.Period, k.N), k.Currency, m.currency)
}

// againstKept reports whether the account, changing to a currency now, would not
// have that of the next kept top-up with a price when that comes: no later event
// asks for it. What was charged has fixed the currency (SPEC section 14, 37).
func (m *Machine) againstKept(to money.Currency) bool {
	i := slices.IndexFunc(m.kept, func(k KeptTopUp) bool { return !k.Price.IsZero() })
	if i < 0 || m.kept[i].Currency == to {
		return false
	}
	k := &m.kept[i]
	for _, e := range m.events[m.next+1:] {
		if e.posted > k.At.UnixMicro() {
			break
		}
		var f struct{ Currency string }
		sets := e.Type == typeOpened || e.Type == typeUpdated
		if sets && json.Unmarshal(e.Payload, &f) == nil && f.Currency == k.Currency.String() {
			return false
		}
	}
	return true
}
