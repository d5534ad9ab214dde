package account

import (
	"encoding/json"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// The types of account events (SPEC section 5).
const (
	typeOpened     = "account.opened"
	typeUpdated    = "account.updated"
	typeStarted    = "subscription.started"
	typeChanged    = "subscription.changed"
	typeCancelled  = "subscription.cancelled"
	typePack       = "pack.purchased"
	typeBucket     = "bucket.opened"
	typeVoided     = "bucket.voided"
	typeGranted    = "credits.granted"
	typeCharge     = "charge.added"
	typeOverage    = "overage.set"
	typeTopUp      = "topup.set"
	typeTopUpClear = "topup.cleared"
	typeAlert      = "alert.set"
)

// Ids of the events that the first call of an account stands for where nobody opened
// it (SPEC section 14, 35).
const (
	FirstCallOpened  = "first-call/opened"
	FirstCallStarted = "first-call/started"
)

// Reasons an account event is held for.
const (
	ReasonNotOpened     = "account_not_opened" // nobody opened the account by the period's end
	ReasonUnknownPlan   = "unknown_plan"       // no version of the plan is in force
	ReasonUnknownPack   = "unknown_pack"       // no version of the pack is in force
	ReasonNoPrice       = "no_price"           // none in the account's currency
	ReasonCurrencyFixed = "currency_fixed"     // another currency after money was charged
	ReasonUnknownBucket = "unknown_bucket"     // no such bucket ever
	ReasonMalformed     = "malformed"          // a field is missing or not what it should be
	ReasonOverflow      = "overflow"           // credits or money past 38 digits
)

// apply judges e where it stands and does what it says; before the period, only
// what it sets. It returns the reason to hold it, empty if it was applied.
func (m *Machine) apply(e *posted) (reason string) {
	if !m.opened {
		return ReasonNotOpened
	}
	switch e.Type {
	case typeOpened, typeUpdated:
		return m.update(e)
	case typeStarted, typeChanged:
		return m.subscribe(e)
	case typeCancelled:
		m.cancelNow()
		return ""
	case typeOverage:
		return m.setOverage(e)
	case typeTopUp:
		return m.setTopUp(e)
	case typeTopUpClear:
		m.topup = nil
		return ""
	case typeAlert:
		return m.setAlert(e)
	}
	if m.dry {
		return "" // what it granted or charged is in the opening balances
	}
	switch e.Type {
	case typePack:
		return m.purchase(e)
	case typeBucket:
		return m.bringOver(e)
	case typeGranted:
		return m.promote(e)
	case typeVoided:
		return m.void(e)
	case typeCharge:
		return m.addCharge(e)
	}
	return ReasonMalformed
}

// subscribe prepares the cycle that starts at this instant, unless a later event
// of the instant takes its place (SPEC section 14, 14).
func (m *Machine) subscribe(e *posted) string {
	var f struct{ Plan string }
	if json.Unmarshal(e.Payload, &f) != nil || f.Plan == "" {
		return ReasonMalformed
	}
	if _, missing := m.termsAt(f.Plan, instant(e.posted)); missing != nil {
		return missing.Reason
	}
	m.pending = &pending{plan: f.Plan, at: e.At}
	return ""
}

// cancelNow cancels what runs after the events of this instant before it. At a
// cycle's very end cancelJustBefore has done so already.
func (m *Machine) cancelNow() {
	switch {
	case m.pending != nil:
		m.pending.cancelled = true
	case m.cycle != nil:
		m.cancel(m.cycle)
	}
}

// addCharge adds a one-off line.
func (m *Machine) addCharge(e *posted) string {
	var f struct {
		Amount      decimal
		Description string
	}
	if json.Unmarshal(e.Payload, &f) != nil {
		return ReasonMalformed
	}
	exact, ok := f.Amount.rat()
	if !ok {
		return ReasonMalformed
	}
	unit, err := money.RoundPrice(exact)
	if err != nil {
		return ReasonOverflow
	}
	at := instant(e.posted)
	if _, err := m.charge(Charge{
		Kind: chargeOneOff, At: at, EventAt: e.At, ID: e.ID, Item: e.ID, Description: f.Description,
		Quantity: credit.FromInt(1), UnitPrice: unit, From: at, To: at,
	}, exact); err != nil {
		return ReasonOverflow
	}
	return ""
}

// impliedEvents are what an account's first call says about it where the
// configuration lets it (SPEC section 14, 35), as events: close keeps them with
// the account's own, so that later periods know.
func impliedEvents(account, plan string, at time.Time) []Event {
	event := func(id, kind string, more map[string]string) Event {
		fields := map[string]string{"id": id, "type": kind, "account": account, "at": period.FormatInstant(at)}
		for k, v := range more {
			fields[k] = v
		}
		payload, err := json.Marshal(fields)
		if err != nil { // strings always marshal
			panic(err)
		}
		return Event{ID: id, Type: kind, Account: account, At: at, PostedAt: at, Payload: payload}
	}
	return []Event{
		event(FirstCallOpened, typeOpened, nil),
		event(FirstCallStarted, typeStarted, map[string]string{"plan": plan}),
	}
}
