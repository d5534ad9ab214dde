package document

import (
	"encoding/json"
	"fmt"
	"strings"
)

// update folds one event of the account into the party: it replaces the fields that
// it gives, and null empties one (SPEC section 5). An address is a list of lines, or
// one text.
func (p *Party) update(payload []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(payload, &given); err != nil {
		return fmt.Errorf("account event: %w", err)
	}
	for field, to := range map[string]*string{"name": &p.Name, "email": &p.Email} {
		if value, ok := given[field]; ok {
			*to = ""
			if err := json.Unmarshal(value, to); err != nil {
				return fmt.Errorf("account event, %s: %w", field, err)
			}
		}
	}
	if value, ok := given["address"]; ok {
		p.Address = nil
		var one string
		if json.Unmarshal(value, &one) == nil && one != "" {
			p.Address = strings.Split(one, "\n")
		} else if err := json.Unmarshal(value, &p.Address); err != nil {
			return fmt.Errorf("account event, address: %w", err)
		}
	}
	if value, ok := given["tax"]; ok {
		var tax struct {
			Label, ID     string
			ReverseCharge bool `json:"reverse_charge"`
		}
		if err := json.Unmarshal(value, &tax); err != nil {
			return fmt.Errorf("account event, tax: %w", err)
		}
		p.TaxLabel, p.TaxID, p.ReverseCharge = tax.Label, tax.ID, tax.ReverseCharge
	}
	return nil
}
