package decode

import (
	"errors"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/money"
)

// The shapes of account events (SPEC section 5; section 14, 7, 15, 16 and 45).
// What an event means is judged when it is applied; here it must only be possible
// to read it. Fields that the table does not name are kept and mean nothing; one
// that is null is absent.

// A fieldType is what a field of an account event must be.
type fieldType int

const (
	textField fieldType = iota
	nameField           // an id: not empty, at most 256 bytes, no control characters
	flagField
	kindField     // one of the kinds of bucket.opened
	currencyField // ISO 4217
	instantField
	countField   // a whole number that is not negative
	integerField // a whole number
	creditsField // DECIMAL(38,6), not negative
	unitsField   // the same, and not zero
	amountField  // DECIMAL(38,4)
	paidField    // an amount that is not negative; true or false say that it is not known
	shareField   // a fraction of at most 12 digits, not negative
	addressField // a text, or a list of them
	taxField
)

type eventField struct {
	name   string
	typ    fieldType
	needed bool
}

var (
	profile = []eventField{
		{"name", textField, false},
		{"currency", currencyField, false},
		{"tax", taxField, false},
		{"address", addressField, false},
		{"email", textField, false},
	}
	subscription = []eventField{{"plan", nameField, true}}
	taxFields    = []eventField{
		{"rate", shareField, false}, {"label", textField, false}, {"id", textField, false}, {"reverse_charge", flagField, false},
	}
)

// shapeOf returns the fields of an account event of that type.
func shapeOf(eventType string) (fields []eventField, known bool) {
	switch eventType {
	case "account.opened", "account.updated":
		return profile, true
	case "subscription.started", "subscription.changed":
		return subscription, true
	case "subscription.cancelled", "topup.cleared":
		return nil, true
	case "pack.purchased":
		return []eventField{{"pack", nameField, true}, {"units", unitsField, false}, {"paid", flagField, false}}, true
	case "bucket.opened":
		return []eventField{
			{"kind", kindField, true}, {"credits", creditsField, true}, {"expires_at", instantField, false}, {"paid", paidField, false},
		}, true
	case "bucket.voided":
		return []eventField{{"bucket", textField, true}, {"reason", textField, false}}, true
	case "credits.granted":
		return []eventField{
			{"credits", creditsField, true}, {"expires_at", instantField, false}, {"reason", textField, true}, {"priority", integerField, false},
		}, true
	case "charge.added":
		return []eventField{{"amount", amountField, true}, {"description", textField, true}}, true
	case "overage.set":
		return []eventField{{"protection", flagField, true}, {"limit", creditsField, false}}, true
	case "topup.set":
		return []eventField{
			{"pack", nameField, true}, {"units", unitsField, true}, {"below", creditsField, true}, {"most_per_period", countField, true},
		}, true
	case "alert.set":
		return []eventField{{"below", creditsField, true}}, true
	}
	return nil, false
}

// accountEvent writes the record as an account event or a reject.
func (o *object) accountEvent() {
	event, ok := o.r.json.document(o.frame.b, o.frame.end)
	if !ok {
		o.reject(fault{reason: Malformed, detail: o.r.json.why()})
		return
	}
	id, account, eventType, at, flaw := readEvent(&event)
	if flaw.reason != "" {
		o.reject(flaw)
		return
	}
	b, d := o.d.other, o.d
	o.common(AccountRow)
	b.cols[otherTime].int64(b.rows, at)
	b.cols[otherID].text(b.rows, []byte(id))
	b.cols[otherAccount].text(b.rows, []byte(account))
	b.cols[otherOperation].text(b.rows, []byte(eventType))
	d.scratch = event.canonical(d.scratch[:0])
	o.endRow(d.scratch)
	o.counts.AccountEvents++
}

// readEvent checks an event in the order of SPEC section 14 (4): what is malformed,
// then id, account and type, then its time, then its numbers.
func readEvent(event *document) (id, account, eventType string, at int64, flaw fault) {
	head := []struct {
		name string
		to   *string
	}{{"id", &id}, {"account", &account}, {"type", &eventType}}
	for _, h := range head {
		value, there := event.member(h.name)
		if there && value.kind == slotContainer {
			return "", "", "", 0, fault{reason: Malformed, field: h.name, detail: "is an object or a list where one value belongs"}
		}
		*h.to = value.text
	}
	fields, known := shapeOf(eventType)
	if eventType != "" && !known {
		return "", "", "", 0, fault{reason: Malformed, field: "type", value: []byte(eventType), valued: true, detail: "is no type of account event"}
	}
	when, hasTime := event.member("at")
	if hasTime && when.kind != slotString {
		return "", "", "", 0, fault{reason: Malformed, field: "at", detail: "is no text"}
	}
	flaws := checkFields(event, "", fields, nil)
	if f := first(flaws, Malformed); f.reason != "" {
		return "", "", "", 0, f
	}
	for _, h := range head {
		switch {
		case *h.to == "":
			return "", "", "", 0, fault{reason: MissingField, field: h.name, detail: "is absent or empty"}
		case badID([]byte(*h.to)):
			return "", "", "", 0, fault{reason: BadID, field: h.name, value: []byte(*h.to), valued: true, detail: "is longer than 256 bytes or has a control character"}
		}
	}
	if f := first(flaws, MissingField, BadID); f.reason != "" {
		return "", "", "", 0, f
	}
	if when.text == "" {
		return "", "", "", 0, fault{reason: MissingField, field: "at", detail: "is absent or empty"}
	}
	at, ok := parseRFC3339([]byte(when.text))
	if !ok {
		return "", "", "", 0, fault{reason: BadTime, field: "at", value: []byte(when.text), valued: true, detail: "is no RFC 3339 time"}
	}
	for _, reason := range []Reason{BadTime, BadNumber, NegativeQuantity, NumberOverflow} {
		if f := first(flaws, reason); f.reason != "" {
			f.at, f.timed = at, true
			return "", "", "", 0, f
		}
	}
	return id, account, eventType, at, fault{}
}

func first(flaws []fault, reasons ...Reason) fault {
	for _, f := range flaws {
		for _, reason := range reasons {
			if f.reason == reason {
				return f
			}
		}
	}
	return fault{}
}

func checkFields(object *document, prefix string, fields []eventField, flaws []fault) []fault {
	for _, field := range fields {
		value, there := object.member(field.name)
		name := prefix + field.name
		if !there {
			if field.needed {
				flaws = append(flaws, fault{reason: MissingField, field: name, detail: "is absent"})
			}
			continue
		}
		flaws = field.typ.check(name, &value, field.needed, flaws)
	}
	return flaws
}

// check appends what is wrong with a value of that type.
func (t fieldType) check(name string, v *document, needed bool, flaws []fault) []fault {
	add := func(reason Reason, detail string) []fault {
		return append(flaws, fault{reason: reason, field: name, value: []byte(v.text), valued: v.kind != slotContainer, detail: detail})
	}
	switch t {
	case flagField:
		if v.kind != slotBool {
			return add(Malformed, "is neither true nor false")
		}
	case addressField:
		if v.kind == slotString {
			return flaws
		}
		if v.kind != slotContainer || !v.list {
			return add(Malformed, "is neither a text nor a list of texts")
		}
		for i := range v.members {
			if v.members[i].kind != slotString {
				return add(Malformed, "is no list of texts")
			}
		}
	case taxField:
		if v.kind != slotContainer || v.list {
			return add(Malformed, "is no object")
		}
		_, rated := v.member("rate")
		if reverse, there := v.member("reverse_charge"); !rated && (!there || reverse.text != "true") {
			flaws = append(flaws, fault{reason: MissingField, field: name + ".rate", detail: "is absent"})
		}
		return checkFields(v, name+".", taxFields, flaws)
	case textField, nameField, kindField, currencyField, instantField:
		if v.kind != slotString {
			return add(Malformed, "is no text")
		}
		return t.checkText(v.text, needed, flaws, add)
	default:
		if t == paidField && v.kind == slotBool {
			return flaws
		}
		if v.kind != slotString && v.kind != slotNumber {
			return add(Malformed, "is no number")
		}
		return t.checkNumber(v.text, flaws, add)
	}
	return flaws
}

func (t fieldType) checkText(text string, needed bool, flaws []fault, add func(Reason, string) []fault) []fault {
	if text == "" && (needed || t != textField) {
		return add(MissingField, "is empty")
	}
	switch t {
	case nameField:
		if badID([]byte(text)) {
			return add(BadID, "is longer than 256 bytes or has a control character")
		}
	case kindField:
		switch text {
		case "allowance", "rollover", "pack", "topup", "promotion":
		default:
			return add(Malformed, "is none of allowance, rollover, pack, topup, promotion")
		}
	case currencyField:
		if _, err := money.ParseCurrency(text); err != nil {
			return add(Malformed, "is no ISO 4217 currency")
		}
	case instantField:
		if _, ok := parseRFC3339([]byte(text)); !ok {
			return add(BadTime, "is no RFC 3339 time")
		}
	}
	return flaws
}

// checkNumber wants the exact decimals that the engine reads: no exponent, and no
// more digits than the type keeps.
func (t fieldType) checkNumber(text string, flaws []fault, add func(Reason, string) []fault) []fault {
	scale := map[fieldType]int{creditsField: 6, unitsField: 6, amountField: 4, paidField: 4, shareField: 12}[t]
	n, err := fixed.Parse(text, scale)
	whole := t == countField || t == integerField
	switch {
	case errors.Is(err, fixed.ErrRange):
		return add(NumberOverflow, "has too many digits")
	case errors.Is(err, fixed.ErrScale) && !whole:
		return add(BadNumber, "has more than "+strconv.Itoa(scale)+" digits behind the point")
	case err != nil && whole:
		return add(BadNumber, "is no whole number")
	case err != nil:
		return add(BadNumber, "is no plain decimal number")
	case n.Sign() < 0 && t != amountField && t != integerField:
		return add(NegativeQuantity, "is negative")
	case n.Sign() == 0 && t == unitsField:
		return add(BadNumber, "is zero")
	}
	if whole {
		integer, _, _ := strings.Cut(text, ".")
		if _, err := strconv.ParseInt(integer, 10, 32); err != nil {
			return add(NumberOverflow, "does not fit 32 bits")
		}
	}
	return flaws
}
