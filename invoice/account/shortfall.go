package account

import (
	"math/big"
	"strconv"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// topUp answers the need that a call leaves, a shortfall or a balance under
// `below`: first with the kept top-ups of this instant, then by buying as many as
// are allowed. They pay the shortfall left; it returns what is still left (SPEC
// section 6, Top-up; section 14, 22 and 44).
func (m *Machine) topUp(at, left int64) (int64, error) {
	for left > 0 || m.topup != nil && m.set.Balance().Less(m.topup.below) {
		var err error
		switch {
		case m.keptInstant() == at:
			err = m.grantKept()
		case m.topup != nil && m.topUps < m.topup.most:
			err = m.buyTopUp(at)
		default:
			return left, nil
		}
		if err != nil {
			return left, err
		}
		if left > 0 {
			left, m.splits = m.set.Pay(at, left, m.splits, m.retire)
		}
	}
	return left, nil
}

// buyTopUp buys the next top-up by the account's settings.
func (m *Machine) buyTopUp(at int64) error {
	m.topUps++
	pack, price, missing := m.packAt(m.topup.pack, instant(at))
	if missing != nil {
		return missing
	}
	b := &bucket.Bucket{
		ID: bucket.TopUpID(m.account, m.p.Period, m.topUps), Kind: bucket.TopUp, Priority: priorityPack,
		Starts: instant(at), Item: m.topup.pack, Currency: m.currency,
	}
	c := Charge{Kind: chargeTopUp, At: b.Starts, ID: strconv.Itoa(m.topUps)}
	return m.buy(b, c, pack, price, m.topup.units, at)
}

// buy charges units of a pack and grants what they hold.
func (m *Machine) buy(b *bucket.Bucket, c Charge, pack *catalog.Pack, price money.Price, units credit.Amount, at int64) error {
	var err error
	if b.Granted, err = credit.Round(new(big.Rat).Mul(units.Rat(), pack.Credits.Rat())); err != nil {
		return err
	}
	if pack.ExpiresAfter != nil {
		b.Expires = m.p.Calendar.Add(instant(at), *pack.ExpiresAfter)
	}
	c.Item, c.Description, c.Quantity, c.UnitPrice = b.Item, b.Item, units, price
	c.From, c.To, c.BucketID = c.At, c.At, bucketID(b)
	if b.Price, err = m.charge(c, new(big.Rat).Mul(price.Rat(), units.Rat())); err != nil {
		return err
	}
	m.grant(b, at, "grant", b.Item)
	return nil
}

// An overageUse is the overage of one plan version in the period.
type overageUse struct {
	terms  *terms // of the first cycle that used it; the version is the same for all
	used   credit.Amount
	steps  []credit.Amount
	prices []bucket.OveragePrice
}

// fallShort splits a shortfall into overage and denied (SPEC section 6, Overage;
// section 14, 21).
func (m *Machine) fallShort(at, left int64) {
	for left > 0 && m.runsOver() {
		use, step, room := m.overageRoom()
		if room.Sign() <= 0 {
			break
		}
		part, _ := credit.Min(room, credit.FromMicro(left)).Micro() // not more than left
		left -= part
		use.add(step, part)
		m.overDay.add(at, part)
		m.fixed = true
		m.splits = append(m.splits, bucket.Split{Kind: bucket.Overage, Credits: part, Price: &use.prices[step]})
	}
	if left > 0 {
		m.splits = append(m.splits, bucket.Split{Kind: bucket.Denied, Credits: left})
		m.noDay.add(at, left)
	}
}

// runsOver reports whether a shortfall is overage, as far as the limit goes.
func (m *Machine) runsOver() bool {
	switch {
	case m.cycle == nil || m.cycle.terms.Overage == nil:
		return false
	case m.protection != nil:
		return !*m.protection
	default:
		return !m.cycle.terms.Overage.Protection
	}
}

// overageRoom is the running step of the plan version in force, from 0, and how
// much overage it still takes: none at the limit.
func (m *Machine) overageRoom() (use *overageUse, step int, room credit.Amount) {
	use = m.overageUse()
	terms := use.terms.Overage
	for terms.Steps[step].UpTo != nil && !use.used.Less(*terms.Steps[step].UpTo) {
		step++
	}
	room = mostCredits
	if upTo := terms.Steps[step].UpTo; upTo != nil {
		room = credit.Min(room, upTo.Sub(use.used))
	}
	limit := terms.Limit
	if m.limit != nil {
		limit = m.limit
	}
	if limit != nil {
		room = credit.Min(room, limit.Sub(use.used))
	}
	return use, step, room
}

// add counts overage in a step.
func (u *overageUse) add(step int, credits int64) {
	u.used = u.used.Add(credit.FromMicro(credits))
	u.steps[step] = u.steps[step].Add(credit.FromMicro(credits))
}

// overageUse finds the count of the plan version in force.
func (m *Machine) overageUse() *overageUse {
	t := m.cycle.terms
	for _, u := range m.overage {
		if u.terms.Plan == t.Plan {
			return u
		}
	}
	u := &overageUse{terms: t, steps: make([]credit.Amount, len(t.steps))}
	for i, price := range t.steps {
		perCredit := new(big.Rat).Quo(price.Rat(), t.Overage.Per.Rat())
		u.prices = append(u.prices, bucket.OveragePrice{Plan: t.Name, Version: t.Version, Step: i + 1, Credit: perCredit})
	}
	m.overage = append(m.overage, u)
	return u
}

// chargeOverage charges the period's overage, a line a plan version and step.
func (m *Machine) chargeOverage() error {
	from, to := instant(m.start), instant(m.end)
	for _, u := range m.overage {
		terms := u.terms
		for i, used := range u.steps {
			blocks := new(big.Rat).Quo(used.Rat(), terms.Overage.Per.Rat())
			if terms.Overage.Blocks {
				whole := new(big.Int).Add(blocks.Num(), new(big.Int).Sub(blocks.Denom(), big.NewInt(1)))
				blocks.SetInt(whole.Quo(whole, blocks.Denom()))
			}
			unit, err := money.RoundPrice(u.prices[i].Credit)
			if err != nil {
				return err
			}
			step := strconv.Itoa(i + 1)
			if _, err := m.charge(Charge{
				Kind: chargeOverage, At: to, ID: step, Item: terms.Name + "/" + step, Description: terms.Name,
				Quantity: used, UnitPrice: unit, From: from, To: to,
				Plan: terms.Name, Version: terms.Version, Step: i + 1,
			}, blocks.Mul(blocks, terms.steps[i].Rat())); err != nil {
				return err
			}
		}
	}
	return nil
}
