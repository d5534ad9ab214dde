package account

import (
	"encoding/json"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// purchase sells a pack by its version at the event's own time (SPEC section 14, 13).
func (m *Machine) purchase(e *posted) string {
	var f struct {
		Pack  string
		Units decimal
		Paid  *bool
	}
	if json.Unmarshal(e.Payload, &f) != nil || f.Pack == "" {
		return ReasonMalformed
	}
	units := credit.FromInt(1)
	if f.Units != "" {
		var ok bool
		if units, ok = f.Units.credits(); !ok || units.Sign() <= 0 {
			return ReasonMalformed
		}
	}
	pack, price, missing := m.packAt(f.Pack, e.At)
	if missing != nil {
		return missing.Reason
	}
	b := &bucket.Bucket{
		ID: bucket.EventID(m.account, bucket.Pack, e.ID), Kind: bucket.Pack, Priority: priorityPack,
		Starts: instant(e.posted), Item: f.Pack, Currency: m.currency,
	}
	c := Charge{Kind: chargePack, At: b.Starts, EventAt: e.At, ID: e.ID, Paid: f.Paid == nil || *f.Paid}
	if err := m.buy(b, c, pack, price, units, e.posted); err != nil {
		return ReasonOverflow
	}
	return ""
}

// openedPriority is the priority of the kind a balance is brought over as, 0 if
// that is none of the five.
func openedPriority(kind string) int {
	switch bucket.Kind(kind) {
	case bucket.Allowance:
		return priorityAllowance
	case bucket.Rollover:
		return priorityRollover
	case bucket.Pack, bucket.TopUp:
		return priorityPack
	case bucket.Promotion:
		return priorityPromotion
	default:
		return 0
	}
}

// bringOver opens a balance from another system (SPEC section 14, 15). What was
// paid for it is its price; no line charges it.
func (m *Machine) bringOver(e *posted) string {
	var f struct {
		Kind      string
		Credits   decimal
		Paid      paidAmount
		ExpiresAt *string `json:"expires_at"`
	}
	if json.Unmarshal(e.Payload, &f) != nil {
		return ReasonMalformed
	}
	b := &bucket.Bucket{
		ID: bucket.EventID(m.account, bucket.Opened, e.ID), Kind: bucket.Opened, Priority: openedPriority(f.Kind), Item: string(bucket.Opened),
		Starts: instant(e.posted), Currency: m.currency,
	}
	var granted, dated bool
	b.Granted, granted = f.Credits.credits()
	b.Expires, dated = parseExpiry(f.ExpiresAt)
	paid, priced := decimal(f.Paid).rat()
	if !granted || !dated || b.Granted.Sign() < 0 || b.Priority == 0 || f.Paid != "" && (!priced || paid.Sign() < 0) {
		return ReasonMalformed
	}
	if priced {
		var err error
		if b.Price, err = m.currency.Round(paid); err != nil {
			return ReasonOverflow
		}
	}
	if m.cycle != nil && m.cycle.cancelled && isRollover(b) && bucket.Micro(b.Expires) > m.cycle.end {
		b.Expires = instant(m.cycle.end) // as every rollover bucket then does
	}
	m.grant(b, e.posted, "grant", f.Kind)
	return ""
}

// promote grants credits for nothing.
func (m *Machine) promote(e *posted) string {
	var f struct {
		Credits   decimal
		Reason    string
		Priority  *int
		ExpiresAt *string `json:"expires_at"`
	}
	if json.Unmarshal(e.Payload, &f) != nil {
		return ReasonMalformed
	}
	granted, ok := f.Credits.credits()
	expires, dated := parseExpiry(f.ExpiresAt)
	if !ok || !dated || granted.Sign() < 0 || f.Priority != nil && int64(*f.Priority) != int64(int32(*f.Priority)) {
		return ReasonMalformed
	}
	b := &bucket.Bucket{
		ID: bucket.EventID(m.account, bucket.Promotion, e.ID), Kind: bucket.Promotion, Priority: priorityPromotion,
		Starts: instant(e.posted), Expires: expires, Granted: granted, Currency: m.currency,
	}
	if f.Priority != nil {
		b.Priority = *f.Priority
	}
	m.grant(b, e.posted, "grant", f.Reason)
	return ""
}
