package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
)

// The JSON of a document. Fields come in this order. Amounts are strings in the
// currency's digits, credits and prices strings without trailing zeros, instants
// RFC 3339 in UTC; what does not apply is null, so that the fields are always the same.
type (
	documentJSON struct {
		Number         string        `json:"number"`
		Kind           string        `json:"kind"`
		Period         string        `json:"period"`
		IssuedAt       string        `json:"issued_at"`
		DueAt          *string       `json:"due_at"`
		Corrects       *string       `json:"corrects"`
		CorrectsPeriod *string       `json:"corrects_period"`
		Issuer         issuerJSON    `json:"issuer"`
		Account        accountJSON   `json:"account"`
		Currency       string        `json:"currency"`
		Lines          []lineJSON    `json:"lines"`
		Subtotal       string        `json:"subtotal"`
		Tax            string        `json:"tax"`
		ReverseCharge  bool          `json:"reverse_charge"`
		Total          string        `json:"total"`
		Paid           string        `json:"paid"`
		AmountDue      string        `json:"amount_due"`
		Usage          []usageJSON   `json:"usage"`
		Balances       []balanceJSON `json:"balances"`
	}
	issuerJSON struct {
		Name    *string  `json:"name"`
		Address []string `json:"address"`
		TaxID   *string  `json:"tax_id"`
	}
	accountJSON struct {
		ID      string   `json:"id"`
		Name    *string  `json:"name"`
		Address []string `json:"address"`
		Email   *string  `json:"email"`
		TaxID   *string  `json:"tax_id"`
	}
	lineJSON struct {
		Line        int     `json:"line"`
		Kind        string  `json:"kind"`
		Item        *string `json:"item"`
		Description *string `json:"description"`
		From        *string `json:"from"`
		To          *string `json:"to"`
		Quantity    string  `json:"quantity"`
		UnitPrice   string  `json:"unit_price"`
		Amount      string  `json:"amount"`
		TaxRate     *string `json:"tax_rate"`
		Cause       *string `json:"cause"`
	}
	usageJSON struct {
		Operation string  `json:"operation"`
		Project   *string `json:"project"`
		Key       *string `json:"key"`
		Calls     int64   `json:"calls"`
		LateCalls int64   `json:"late_calls"`
		HeldCalls int64   `json:"held_calls"`
		Credits   string  `json:"credits"`
		Value     string  `json:"value"`
	}
	balanceJSON struct {
		Bucket    string  `json:"bucket"`
		Kind      string  `json:"kind"`
		StartsAt  string  `json:"starts_at"`
		ExpiresAt *string `json:"expires_at"`
		Opening   string  `json:"opening"`
		Granted   string  `json:"granted"`
		Burned    string  `json:"burned"`
		Expired   string  `json:"expired"`
		Voided    string  `json:"voided"`
		RolledOut string  `json:"rolled_out"`
		Remaining string  `json:"remaining"`
	}
)

// JSON renders the document, indented, with a newline at the end.
func (d *Document) JSON() ([]byte, error) {
	amount := d.Currency.Format
	out := documentJSON{
		Number: d.Number, Kind: d.Kind, Period: d.Period.String(), IssuedAt: period.FormatInstant(d.IssuedAt),
		DueAt: instant(d.DueAt), Corrects: text(d.Corrects), CorrectsPeriod: text(d.CorrectsPeriod),
		Issuer: issuerJSON{Name: text(d.Issuer.Name), Address: lines(d.Issuer.Address), TaxID: text(d.Issuer.TaxID)},
		Account: accountJSON{
			ID: d.Account, Name: text(d.Party.Name), Address: lines(d.Party.Address), Email: text(d.Party.Email),
			TaxID: text(d.Party.TaxID),
		},
		Currency: d.Currency.String(), Lines: []lineJSON{},
		Subtotal: amount(d.Subtotal), Tax: amount(d.Tax), ReverseCharge: d.reverseCharge(), Total: amount(d.Total),
		Paid: amount(d.Paid), AmountDue: amount(d.AmountDue),
		Usage: []usageJSON{}, Balances: []balanceJSON{},
	}
	for i := range d.Lines {
		l := &d.Lines[i]
		out.Lines = append(out.Lines, lineJSON{
			Line: l.Line, Kind: l.Kind, Item: text(l.Item), Description: text(l.Description), From: instant(l.From), To: instant(l.To),
			Quantity: l.Quantity.String(), UnitPrice: l.UnitPrice.String(), Amount: amount(l.Amount), TaxRate: rate(l.TaxRate),
			Cause: text(l.Cause),
		})
	}
	for _, u := range d.Usage {
		if u.Operation == "" {
			continue // the row of an account without usage
		}
		out.Usage = append(out.Usage, usageJSON{
			Operation: u.Operation, Project: text(u.Project), Key: text(u.Key), Calls: u.Calls, LateCalls: u.LateCalls,
			HeldCalls: u.HeldCalls, Credits: u.Credits.String(), Value: amount(u.Value),
		})
	}
	for _, b := range d.Balances {
		out.Balances = append(out.Balances, balanceJSON{
			Bucket: b.BucketID, Kind: b.Kind, StartsAt: period.FormatInstant(b.Starts), ExpiresAt: instant(b.Expires),
			Opening: b.Opening.String(), Granted: b.Granted.String(), Burned: b.Burned.String(), Expired: b.Expired.String(),
			Voided: b.Voided.String(), RolledOut: b.RolledOut.String(), Remaining: b.Remaining.String(),
		})
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // this is JSON, not HTML
	if err := encoder.Encode(out); err != nil {
		return nil, fmt.Errorf("document %s: %w", d.Number, err)
	}
	return buffer.Bytes(), nil
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func lines(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return text(period.FormatInstant(t))
}

func rate(p *money.Price) *string {
	if p == nil {
		return nil
	}
	return text(p.String())
}
