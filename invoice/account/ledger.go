package account

import (
	"math/big"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// entry books one row of the ledger; zeros are left out (SPEC section 14, 29).
func (m *Machine) entry(at int64, entry, id string, credits credit.Amount, detail string) {
	if credits.IsZero() {
		return
	}
	m.ledger = append(m.ledger, bucket.Entry{At: instant(at), Entry: entry, BucketID: id, Credits: credits, Detail: detail})
}

// A daySum is what one day of the billing time zone adds up to, and when last.
type daySum struct {
	credits credit.Amount
	last    int64
}

func (d *daySum) add(at, credits int64) {
	d.credits = d.credits.Add(credit.FromMicro(credits))
	d.last = at
}

// turnDay books the day before when at is in another.
func (m *Machine) turnDay(at int64) {
	if at < m.dayEnd {
		return
	}
	m.flushDay()
	m.dayEnd = m.p.Calendar.NextDay(instant(at)).UnixMicro()
}

// flushDay books what the running day has burned, bucket by bucket.
func (m *Machine) flushDay() {
	for _, b := range m.set.Live() {
		m.flush(b)
	}
	m.entry(m.overDay.last, "overage", "", m.overDay.credits, "")
	m.entry(m.noDay.last, "denied", "", m.noDay.credits, "")
	m.overDay, m.noDay = daySum{}, daySum{}
}

// flush books what b has burned in the running day.
func (m *Machine) flush(b *bucket.Bucket) {
	credits, last := b.TakeToday()
	m.entry(last, "burn", b.ID, credits, "")
}

// The kinds of charge, in the order of an invoice's lines.
const (
	chargeFee     = "fee"
	chargePack    = "pack"
	chargeTopUp   = "topup"
	chargeOneOff  = "charge"
	chargeOverage = "overage"
)

// charge rounds what is to be charged, once, to the currency's minor unit.
func (m *Machine) charge(c Charge, exact *big.Rat) (amount money.Amount, err error) {
	if c.Amount, err = m.currency.Round(exact); err != nil {
		return money.Amount{}, err
	}
	m.book(c)
	return c.Amount, nil
}

// book keeps the line unless it is zero. A line fixes the currency (SPEC section
// 14, 37).
func (m *Machine) book(c Charge) {
	if c.Amount.IsZero() {
		return
	}
	m.charges = append(m.charges, c)
	m.fixed = true
}

// outcome puts everything into the order it is written in.
func (m *Machine) outcome(profile Profile) (Outcome, error) {
	if err := m.chargeOverage(); err != nil {
		return Outcome{}, m.failed(m.end, err)
	}
	for _, b := range m.all {
		b.Currency = m.currency // one without a price may be older than the account's currency
		if err := b.Settle(); err != nil {
			return Outcome{}, m.failed(m.end, err)
		}
	}
	slices.SortFunc(m.all, func(a, b *bucket.Bucket) int { return strings.Compare(a.ID, b.ID) })
	slices.SortStableFunc(m.ledger, func(a, b bucket.Entry) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		if c := strings.Compare(a.Entry, b.Entry); c != 0 {
			return c
		}
		return strings.Compare(a.BucketID, b.BucketID)
	})
	slices.SortStableFunc(m.charges, compareCharges)
	return Outcome{
		Account: m.account, Opened: m.opened, Profile: profile, CurrencyFixed: m.fixed, Implied: m.implied,
		Buckets: m.all, Ledger: m.ledger, Alerts: m.alerts, Charges: m.charges, Held: m.held,
	}, nil
}

// compareCharges is the order of invoice lines: by kind, then instant, then id;
// top-ups of one instant are made in their order and overage goes by plan,
// version and step (SPEC section 14, 28).
func compareCharges(a, b Charge) int {
	if a.Kind != b.Kind {
		order := []string{chargeFee, chargePack, chargeTopUp, chargeOneOff, chargeOverage}
		return slices.Index(order, a.Kind) - slices.Index(order, b.Kind)
	}
	if a.Kind == chargeOverage {
		if c := strings.Compare(a.Plan, b.Plan); c != 0 {
			return c
		}
		if a.Version != b.Version {
			return a.Version - b.Version
		}
		return a.Step - b.Step
	}
	if c := a.At.Compare(b.At); c != 0 || a.Kind == chargeTopUp {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}
