package document

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/invoice/bucket"
)

// What a forget keeps of a document's customer, the column party of the table
// kept_parties: all that the document prints and that no other table says any more.
// Fields come in this order; what is not known is left out.
type keptJSON struct {
	Name          string         `json:"name,omitempty"`
	Address       []string       `json:"address,omitempty"`
	Email         string         `json:"email,omitempty"`
	TaxID         string         `json:"tax_id,omitempty"`
	TaxLabel      string         `json:"tax_label,omitempty"`
	ReverseCharge bool           `json:"reverse_charge,omitempty"`
	Lines         map[int]string `json:"lines,omitempty"` // descriptions of one-off charges, by line
}

// kindCharge is the kind of the lines that somebody has described in words of their own.
const kindCharge = "charge"

// Kept is what a forget keeps of the document's customer, as JSON.
func (d *Document) Kept() (string, error) {
	kept := keptJSON{
		Name: d.Party.Name, Address: d.Party.Address, Email: d.Party.Email, TaxID: d.Party.TaxID,
		TaxLabel: d.Party.TaxLabel, ReverseCharge: d.Party.ReverseCharge,
	}
	for i := range d.Lines {
		if l := &d.Lines[i]; l.Kind == kindCharge && l.Description != "" {
			if kept.Lines == nil {
				kept.Lines = map[int]string{}
			}
			kept.Lines[l.Line] = l.Description
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("document %s: %w", d.Number, err)
	}
	return string(text), nil
}

// takeKept puts back what a forget has kept of the customer, under the name that the
// account had. A note that was issued since, own is false then, names whom the invoice
// that it corrects names; its lines are its own.
func (d *Document) takeKept(row record) error {
	var kept keptJSON
	if err := json.Unmarshal([]byte(row.text(2)), &kept); err != nil {
		return fmt.Errorf("kept party: %w", err)
	}
	account, own := row.text(1), row.flag(3)
	for i := range d.Balances {
		b := &d.Balances[i]
		if rest, named := strings.CutPrefix(b.BucketID, bucket.Escape(d.Account)+"/"); named {
			b.BucketID = bucket.Escape(account) + "/" + rest
		}
	}
	d.Account = account
	d.Party = Party{
		Name: kept.Name, Address: kept.Address, Email: kept.Email, TaxID: kept.TaxID, TaxLabel: kept.TaxLabel, ReverseCharge: kept.ReverseCharge,
	}
	for i := range d.Lines {
		if text, ok := kept.Lines[d.Lines[i].Line]; ok && own {
			d.Lines[i].Description = text
		}
	}
	return nil
}
