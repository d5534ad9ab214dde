package account

import (
	"encoding/json"
	"math/big"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
)

// settings are what an account's events have set.
type settings struct {
	name, email string
	address     []string
	tax         *Tax
	currency    money.Currency
	named       bool           // the currency, by an event; else it is the default
	protection  *bool          // overage.set; nil: the plan's
	limit       *credit.Amount // of overage; nil: the plan's
	topup       *topUpTerms    // nil: none
	below       *credit.Amount // alert.set; nil: none
}

type topUpTerms struct {
	pack  string
	units credit.Amount
	below credit.Amount
	most  int
}

// profile is the account as it stands.
func (m *Machine) profile() Profile {
	p := Profile{Name: m.name, Email: m.email, Address: m.address, Currency: m.currency, Tax: m.tax}
	if m.cycle != nil {
		p.Plan, p.PlanVersion = m.cycle.terms.Name, m.cycle.terms.Version
	}
	return p
}

// update replaces the fields that e gives; null empties one.
func (m *Machine) update(e *posted) string {
	var f struct {
		Name, Email, Currency *string
		Address, Tax          json.RawMessage
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(e.Payload, &given) != nil || json.Unmarshal(e.Payload, &f) != nil {
		return ReasonMalformed
	}
	address, err := parseAddress(f.Address)
	if err != nil {
		return ReasonMalformed
	}
	tax, ok := parseTax(f.Tax)
	if !ok {
		return ReasonMalformed
	}
	if f.Currency != nil {
		if reason := m.setCurrency(*f.Currency, e.posted); reason != "" {
			return reason
		}
		m.named = true
	}
	set := func(field string, to *string, value *string) {
		if _, ok := given[field]; !ok {
			return
		}
		*to = ""
		if value != nil {
			*to = *value
		}
	}
	set("name", &m.name, f.Name)
	set("email", &m.email, f.Email)
	if f.Address != nil {
		m.address = address
	}
	if f.Tax != nil {
		m.tax = tax
	}
	return ""
}

// setCurrency judges and sets the account's currency: it may change until it is
// fixed, to one in which the plan and the top-up have a price.
func (m *Machine) setCurrency(code string, at int64) string {
	to, err := money.ParseCurrency(code)
	switch {
	case err != nil:
		return ReasonMalformed
	case to == m.currency:
		return ""
	case m.fixed: // never before the period, where nothing is charged
		return ReasonCurrencyFixed
	}
	from := m.currency
	m.currency = to
	terms, reason := m.judgeCurrency(at)
	if reason == "" && m.againstKept(to) {
		reason = ReasonCurrencyFixed
	}
	if reason != "" {
		m.currency = from
		return reason
	}
	if terms != nil {
		m.cycle.terms = terms
	}
	m.overage = nil // prepared in the other currency; none was used, for that fixes it
	return ""
}

// judgeCurrency looks whether the plan and the top-up have a price in m.currency.
// It returns what the running cycle's plan version says in that currency.
func (m *Machine) judgeCurrency(at int64) (running *terms, reason string) {
	var missing *Missing
	switch {
	case m.pending != nil:
		_, missing = m.termsAt(m.pending.plan, instant(at))
	case m.cycle != nil:
		running, missing = m.termsAt(m.sub.plan, instant(m.cycle.start))
	case m.renew:
		_, missing = m.termsAt(m.sub.plan, instant(at))
	}
	if missing == nil && m.topup != nil {
		_, _, missing = m.packAt(m.topup.pack, instant(at))
	}
	return running, missing.reason()
}

func parseAddress(src json.RawMessage) ([]string, error) {
	if src == nil || string(src) == "null" {
		return nil, nil
	}
	if src[0] == '"' {
		var line string
		err := json.Unmarshal(src, &line)
		return []string{line}, err
	}
	var lines []string
	err := json.Unmarshal(src, &lines)
	return lines, err
}

// parseTax reads tax {rate, label, id, reverse_charge}; null is none.
func parseTax(src json.RawMessage) (*Tax, bool) {
	if src == nil || string(src) == "null" {
		return nil, true
	}
	var f struct {
		Rate          decimal
		Label, ID     string
		ReverseCharge bool `json:"reverse_charge"`
	}
	if json.Unmarshal(src, &f) != nil {
		return nil, false
	}
	rate, ok := f.Rate.rat()
	if f.Rate == "" && f.ReverseCharge {
		rate, ok = new(big.Rat), true
	}
	if !ok || rate.Sign() < 0 {
		return nil, false
	}
	return &Tax{Rate: rate, Label: f.Label, ID: f.ID, ReverseCharge: f.ReverseCharge}, true
}

func (m *Machine) setOverage(e *posted) string {
	var f struct {
		Protection *bool
		Limit      decimal
	}
	if json.Unmarshal(e.Payload, &f) != nil || f.Protection == nil {
		return ReasonMalformed
	}
	var limit *credit.Amount
	if f.Limit != "" {
		value, ok := f.Limit.credits()
		if !ok || value.Sign() < 0 {
			return ReasonMalformed
		}
		limit = &value
	}
	m.protection, m.limit = f.Protection, limit
	return ""
}

func (m *Machine) setTopUp(e *posted) string {
	var f struct {
		Pack         string
		Units, Below decimal
		Most         *int `json:"most_per_period"`
	}
	if json.Unmarshal(e.Payload, &f) != nil || f.Pack == "" || f.Most == nil || *f.Most < 0 {
		return ReasonMalformed
	}
	units, ok := f.Units.credits()
	below, ok2 := f.Below.credits()
	if !ok || !ok2 || units.Sign() <= 0 || below.Sign() < 0 {
		return ReasonMalformed
	}
	if _, _, missing := m.packAt(f.Pack, instant(e.posted)); missing != nil {
		return missing.Reason
	}
	m.topup = &topUpTerms{pack: f.Pack, units: units, below: below, most: *f.Most}
	return ""
}

func (m *Machine) setAlert(e *posted) string {
	var f struct{ Below decimal }
	if json.Unmarshal(e.Payload, &f) != nil {
		return ReasonMalformed
	}
	below, ok := f.Below.credits()
	if !ok || below.Sign() < 0 {
		return ReasonMalformed
	}
	m.below = &below
	m.armed = !m.set.Balance().Less(below)
	return ""
}
