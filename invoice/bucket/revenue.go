package bucket

import (
	"math/big"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
)

// Left returns how much of b's price has left it once gone of its credits have:
// round(price × gone ÷ granted), cumulative, so that the parts of any split of a
// bucket's life add up to the price to the last minor unit (SPEC section 14, 27).
func (b *Bucket) Left(gone credit.Amount) (money.Amount, error) {
	switch {
	case b.Price.IsZero() || gone.IsZero():
		return money.Amount{}, nil
	case gone == b.Granted:
		return b.Price, nil
	}
	share := new(big.Rat).Quo(gone.Rat(), b.Granted.Rat())
	return b.Currency.Round(share.Mul(share, b.Price.Rat()))
}

// RolledPrice returns the part of b's price that goes with the last rolled of
// its credits into a rollover bucket.
func (b *Bucket) RolledPrice(rolled credit.Amount) (money.Amount, error) {
	left, err := b.Left(b.Granted.Sub(rolled))
	return b.Price.Sub(left), err
}

// Settle works out the period's Recognised and Breakage and the Deferred of its
// end from the period's flows, in the order burned, expired and voided, rolled.
func (b *Bucket) Settle() error {
	gone := b.Granted.Sub(b.Opening).Sub(b.GrantedNow)
	var at [4]money.Amount // what has left before the period, after use, after breakage, after the rollover
	for i, more := range [4]credit.Amount{{}, b.Burned, b.Expired.Add(b.Voided), b.RolledOut} {
		var err error
		gone = gone.Add(more)
		if at[i], err = b.Left(gone); err != nil {
			return err
		}
	}
	b.Recognised, b.Breakage, b.Deferred = at[1].Sub(at[0]), at[2].Sub(at[1]), b.Price.Sub(at[3])
	return nil
}
