package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/invoice/bucket"
)

// billingFields are the members of account events that billing needs and that say
// nothing of the person. Every other one goes: names, addresses, what somebody has
// written in words, and members that mean nothing here.
var billingFields = []string{
	"id", "type", "account", "at", "plan", "pack", "units", "paid", "kind", "credits", "expires_at", "bucket", "priority",
	"amount", "protection", "limit", "below", "most_per_period", "currency", "tax",
}

// billingTaxFields are those of an account's tax.
var billingTaxFields = []string{"rate", "label", "reverse_charge"}

// forgetPayload is an account event's payload without the person: under the pseudonym,
// also where it names a bucket, and of the other members only those that billing needs.
func (p person) forgetPayload(payload string) (string, error) {
	var event map[string]json.RawMessage
	if err := json.Unmarshal([]byte(payload), &event); err != nil {
		return "", fmt.Errorf("the payload of an account event: %w", err)
	}
	keepFields(event, billingFields)
	var err error
	if event["account"], err = plainJSON(p.pseudonym); err != nil {
		return "", err
	}
	var id string
	if json.Unmarshal(event["bucket"], &id) == nil {
		if rest, own := strings.CutPrefix(id, bucket.Escape(p.name)+"/"); own {
			if event["bucket"], err = plainJSON(p.pseudonym + "/" + rest); err != nil {
				return "", err
			}
		}
	}
	var tax map[string]json.RawMessage
	if json.Unmarshal(event["tax"], &tax) == nil && tax != nil {
		keepFields(tax, billingTaxFields)
		if event["tax"], err = plainJSON(tax); err != nil {
			return "", err
		}
	}
	text, err := plainJSON(event)
	return string(text), err
}

func keepFields(object map[string]json.RawMessage, fields []string) {
	for name := range object {
		if !slices.Contains(fields, name) {
			delete(object, name)
		}
	}
}

// plainJSON writes a value without the escapes of HTML; an object's members are sorted
// by name, and stay as they were.
func plainJSON(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
