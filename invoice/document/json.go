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
// currency's digits, unit prices with at least those, credits without trailing zeros,
// instants RFC 3339 in UTC; what does not apply is null, so that the fields are always
// the same. Usage is by operation, project and key, and then as the other forms add it up.
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
		UsageBy        usageByJSON   `json:"usage_by"`
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

		sumJSON
	}
	// usageByJSON has projects and keys only where there are several.
	usageByJSON struct {
		Operation []namedJSON `json:"operation"`
		Project   []namedJSON `json:"project"`
		Key       []namedJSON `json:"key"`
		Total     sumJSON     `json:"total"`
	}
	namedJSON struct {
		Name *string `json:"name"`

		sumJSON
	}
	sumJSON struct {
		Calls     int64  `json:"calls"`
		LateCalls int64  `json:"late_calls"`
		HeldCalls int64  `json:"held_calls"`
		Credits   string `json:"credits"`
		Value     string `json:"value"`
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
	noteJSON struct {
		Number   string `json:"number"`
		Kind     string `json:"kind"`
		Period   string `json:"period"`
		IssuedAt string `json:"issued_at"`

		totalJSON
	}
	totalJSON struct {
		Currency  string `json:"currency"`
		Subtotal  string `json:"subtotal"`
		Tax       string `json:"tax"`
		Total     string `json:"total"`
		AmountDue string `json:"amount_due"`
	}
)

// JSON renders the document, indented, with a newline at the end.
func (d *Document) JSON() ([]byte, error) { return d.encode(d.json()) }

// JSONWith is JSON with what has happened to the document since it was issued, as its last
// fields: the notes that correct it, and what they and it come to. It is for who looks the
// document up, and changes with each note.
func (d *Document) JSONWith(notes []Note) ([]byte, error) {
	out := struct {
		documentJSON

		CorrectedBy []noteJSON  `json:"corrected_by"`
		Together    []totalJSON `json:"together"`
	}{documentJSON: d.json(), CorrectedBy: []noteJSON{}}
	total := func(s Sum) totalJSON {
		amount := s.Currency.Format
		return totalJSON{s.Currency.String(), amount(s.Subtotal), amount(s.Tax), amount(s.Total), amount(s.AmountDue)}
	}
	for i := range notes {
		n := &notes[i]
		out.CorrectedBy = append(out.CorrectedBy, noteJSON{
			n.Number, n.Kind, n.Period, period.FormatInstant(n.IssuedAt), total(Sum{n.Currency, n.Subtotal, n.Tax, n.Total, n.AmountDue}),
		})
	}
	for _, sum := range d.Together(notes) {
		out.Together = append(out.Together, total(sum))
	}
	return d.encode(out)
}

func (d *Document) encode(out any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // this is JSON, not HTML
	if err := encoder.Encode(out); err != nil {
		return nil, fmt.Errorf("document %s: %w", d.Number, err)
	}
	return buffer.Bytes(), nil
}

func (d *Document) json() documentJSON {
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
		Usage: []usageJSON{}, UsageBy: d.usageByJSON(), Balances: []balanceJSON{},
	}
	for i := range d.Lines {
		l := &d.Lines[i]
		out.Lines = append(out.Lines, lineJSON{
			Line: l.Line, Kind: l.Kind, Item: text(l.Item), Description: text(l.Description), From: instant(l.From), To: instant(l.To),
			Quantity: l.Quantity.String(), UnitPrice: d.UnitPrice(l), Amount: amount(l.Amount), TaxRate: rate(l.TaxRate),
			Cause: text(l.Cause),
		})
	}
	for i := range d.Usage {
		if u := &d.Usage[i]; u.Operation != "" { // it is, in the row of an account without usage
			out.Usage = append(out.Usage, usageJSON{u.Operation, text(u.Project), text(u.Key), d.sumJSON(u)})
		}
	}
	for i := range d.Balances {
		b := &d.Balances[i]
		out.Balances = append(out.Balances, balanceJSON{
			Bucket: b.BucketID, Kind: b.Kind, StartsAt: period.FormatInstant(b.Starts), ExpiresAt: instant(b.Expires),
			Opening: b.Opening.String(), Granted: b.Granted.String(), Burned: b.Burned.String(), Expired: b.Expired.String(),
			Voided: b.Voided.String(), RolledOut: b.RolledOut.String(), Remaining: b.Remaining.String(),
		})
	}
	return out
}

func (d *Document) usageByJSON() usageByJSON {
	total := d.usageTotal()
	out := usageByJSON{Operation: []namedJSON{}, Project: []namedJSON{}, Key: []namedJSON{}, Total: d.sumJSON(&total)}
	for _, part := range d.parts() {
		to := map[string]*[]namedJSON{"Operation": &out.Operation, "Project": &out.Project, "Key": &out.Key}[part.head]
		for i := range part.rows {
			*to = append(*to, namedJSON{text(part.rows[i].name), d.sumJSON(&part.rows[i].Usage)})
		}
	}
	return out
}

func (d *Document) sumJSON(u *Usage) sumJSON {
	return sumJSON{u.Calls, u.LateCalls, u.HeldCalls, u.Credits.String(), d.Currency.Format(u.Value)}
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
