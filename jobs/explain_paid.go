package jobs

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"math/big"
	"strings"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
	"github.com/creditmill/creditmill/sql"
)

// ExplainedPaid is who paid for a call of a closed month.
type ExplainedPaid struct {
	By   []ExplainedPayer `json:"by"`   // none for a call of 0 credits
	Note *string          `json:"note"` // what cannot be told, or is wrong
}

// An ExplainedPayer is a bucket that paid part of a call's credits, the overage, or
// what was denied.
type ExplainedPayer struct {
	Kind     string     `json:"kind"`
	BucketID *string    `json:"bucket_id"`
	Credits  string     `json:"credits"`
	Bucket   *BucketRef `json:"bucket"`
	Value    *string    `json:"value"` // of these credits in money, at most 12 digits after the point
	Currency *string    `json:"currency"`
	Texts    []string   `json:"arithmetic"` // how the value is worked out
	Lines    []LineRef  `json:"lines"`      // of invoices and notes
	Note     *string    `json:"note"`       // why there is no line, or no value
}

// A BucketRef is a bucket over its life.
type BucketRef struct {
	ID        string  `json:"bucket_id"`
	Kind      string  `json:"kind"`
	StartsAt  string  `json:"starts_at"`
	ExpiresAt *string `json:"expires_at"` // null: never
	Granted   string  `json:"granted"`
	Price     string  `json:"price"`
	Currency  string  `json:"currency"`
}

func (r *bucketRow) ref() *BucketRef {
	ref := &BucketRef{
		ID: r.id, Kind: r.kind, StartsAt: period.FormatInstant(r.starts), Granted: plainDecimal(r.granted),
		Price: inMinorUnits(r.price, r.currency), Currency: r.currency,
	}
	if r.expires.Valid {
		ref.ExpiresAt = optionalText(period.FormatInstant(r.expires.Time))
	}
	return ref
}

// explainPaid says who paid for a call of a closed period.
func (d *desk) explainPaid(ctx context.Context, out *CallExplanation, row *ratedRow) (*ExplainedPaid, error) {
	paid := &ExplainedPaid{By: []ExplainedPayer{}}
	if isZero(row.credits) {
		return paid, nil
	}
	if err := d.view(ctx, "explain_burns", lake.Burns, d.mill.Lake.State().Partition(lake.Burns, row.period)); err != nil {
		return nil, err
	}
	sum := new(big.Rat)
	err := d.eachRow(ctx, func(rows *stdsql.Rows) error {
		p := ExplainedPayer{Texts: []string{}, Lines: []LineRef{}}
		if err := rows.Scan(&p.Kind, &p.BucketID, &p.Credits); err != nil {
			return err
		}
		sum.Add(sum, rational(p.Credits))
		p.Credits = plainDecimal(p.Credits)
		paid.By = append(paid.By, p)
		return nil
	}, sql.Text("duckdb/explain_burns"), out.Call.Source, out.Call.Account, out.EventID, row.postedAt)
	if err != nil {
		return nil, fmt.Errorf("who paid for the call: %w", err)
	}
	if sum.Cmp(rational(row.credits)) != 0 {
		paid.Note = optionalText(fmt.Sprintf("the burns of this source, account, id and instant add up to %s credits, not %s: several late calls of one id post at one instant, and the burns do not tell them apart",
			exactText(sum), plainDecimal(row.credits)))
	}
	b, err := d.openBook(ctx, out.Call.Account)
	if err != nil {
		return nil, err
	}
	for i := range paid.By {
		p := &paid.By[i]
		switch {
		case p.Kind == string(bucket.Overage):
			err = d.payOverage(ctx, b, out, row, p)
		case p.Kind == string(bucket.Denied):
			p.Note = optionalText("no bucket and no overage paid for them: the gateway should have refused the call; they are never charged")
		case p.BucketID != nil:
			b.pay(p)
		}
		if err != nil {
			return nil, err
		}
	}
	return paid, nil
}

// pay says what a bucket's credits are worth, and which lines the bucket is on.
func (b *book) pay(p *ExplainedPayer) {
	r := b.bucket(*p.BucketID)
	if r == nil {
		p.Note = optionalText("no balance has the bucket")
		return
	}
	p.Bucket = r.ref()
	granted := rational(r.granted)
	if granted.Sign() > 0 && r.currency != "" {
		value := new(big.Rat).Mul(rational(p.Credits), rational(r.price))
		value.Quo(value, granted)
		p.value(value, r.currency)
		p.Texts = append(p.Texts, fmt.Sprintf("%s credits × %s ÷ %s = %s %s", fixed.Group(p.Credits), fixed.Group(p.Bucket.Price), fixed.Group(p.Bucket.Granted), moneyText(value, r.currency), r.currency))
	}
	lines, why := b.boughtBy(r)
	if why == "" && r.kind == string(bucket.Rollover) {
		why = "what was left of the cycle that ended then; its price is that share of the cycle's fee"
	}
	p.Lines, p.Note = refs(lines), optionalText(why)
}

func (p *ExplainedPayer) value(value *big.Rat, currency string) {
	text := ""
	if rounded, err := money.RoundPrice(value); err == nil {
		text = rounded.String()
	}
	p.Value, p.Currency = optionalText(text), optionalText(currency)
}

// payOverage says at which price a call's overage is charged. Steps go by how much
// overage there was before it.
func (d *desk) payOverage(ctx context.Context, b *book, out *CallExplanation, row *ratedRow, p *ExplainedPayer) error {
	lines := b.find(lineOverage, func(l *lineRow) bool { return l.doc.of() == row.period })
	if len(lines) == 0 {
		p.Note = optionalText("no line of " + row.period + " charges overage: it came to 0.00, or a re-rate took it away")
		return nil
	}
	burned := newestRun(d.mill.Lake.State().Partition(lake.Burns, row.period)) // the close, or the newest re-rate
	plan, currency := b.planInForce(row.postedAt, burned), lines[0].currency
	if _, _, ok := overagePrice(plan, 1, currency); !ok {
		p.Lines = refs(lines)
		p.Note = optionalText("the plan version whose price it was charged at is not in the configuration any more")
		return nil
	}
	before := new(big.Rat)
	if len(plan.Overage.Steps) > 1 {
		if !ofOneVersion(lines) {
			p.Lines = refs(lines)
			p.Note = optionalText("several plans or versions had overage in " + row.period + ": in which step this call was charged is not told here")
			return nil
		}
		if err := d.view(ctx, "explain_rated", lake.Rated, d.mill.Lake.State().Partition(lake.Rated, row.period)); err != nil {
			return err
		}
		var text string
		err := d.session.Row(ctx, sql.Text("duckdb/explain_overage_before"), out.Call.Account, row.postedAt, out.Call.time, out.Call.Source, out.EventID).Scan(&text)
		if err != nil {
			return fmt.Errorf("overage before the call: %w", err)
		}
		before = rational(text)
		p.Texts = append(p.Texts, "overage of "+row.period+" before it: "+fixed.Group(plainDecimal(text))+" credits")
	}
	p.overage(plan, before, lines)
	return nil
}

// overage works out what overage costs in the steps that it falls in.
func (p *ExplainedPayer) overage(plan *catalog.Plan, before *big.Rat, lines []*lineRow) {
	currency := lines[0].currency
	value, left := new(big.Rat), rational(p.Credits)
	for i, step := range plan.Overage.Steps {
		part := left
		if step.UpTo != nil {
			room := new(big.Rat).Sub(step.UpTo.Rat(), before)
			if room.Sign() <= 0 {
				continue
			}
			if room.Cmp(left) < 0 {
				part = room
			}
		}
		price, perCredit, _ := overagePrice(plan, i+1, currency)
		cost := new(big.Rat).Mul(part, perCredit)
		value.Add(value, cost)
		p.Texts = append(p.Texts, fmt.Sprintf("%s credits ÷ %s × %s (%s version %d, step %d) = %s %s",
			fixed.Group(exactText(part)), fixed.Group(plan.Overage.Per.String()), moneyText(price.Rat(), currency), plan.Name, plan.Version, i+1, moneyText(cost, currency), currency))
		before.Add(before, part)
		item := fmt.Sprintf("%s/%d", plan.Name, i+1)
		for _, l := range lines {
			if l.item == item {
				p.Lines = append(p.Lines, l.ref())
			}
		}
		if left = new(big.Rat).Sub(left, part); left.Sign() == 0 {
			break
		}
	}
	if plan.Overage.Blocks {
		p.Texts = append(p.Texts, "the invoice charges whole blocks of "+fixed.Group(plan.Overage.Per.String())+" credits: see the line")
	}
	p.value(value, currency)
}

// ofOneVersion reports whether the lines of invoices are the steps of one plan version:
// none comes twice.
func ofOneVersion(lines []*lineRow) bool {
	seen := map[string]bool{}
	for _, l := range lines {
		if planOf(l.item) != planOf(lines[0].item) || l.doc.correctsPeriod == "" && seen[l.item] {
			return false
		}
		seen[l.item] = true
	}
	return true
}

// planOf is the plan of an overage line's item, PLAN/STEP.
func planOf(item string) string {
	if i := strings.LastIndexByte(item, '/'); i >= 0 {
		return item[:i]
	}
	return item
}

// exactText writes a decimal in full; of what is none, its first 12 digits after the
// point and a sign that there are more.
func exactText(r *big.Rat) string {
	if digits, exact := r.FloatPrec(); exact && digits <= money.PriceScale {
		return r.FloatString(digits)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(money.PriceScale), nil)
	units := new(big.Int).Mul(r.Num(), scale)
	return new(big.Rat).SetFrac(units.Quo(units, r.Denom()), scale).FloatString(money.PriceScale) + "…"
}

// moneyText is an amount before it is rounded, with at least the currency's digits.
func moneyText(r *big.Rat, code string) string {
	text := exactText(r)
	currency, err := money.ParseCurrency(code)
	if _, fraction, _ := strings.Cut(text, "."); err == nil && len(fraction) < currency.Digits() {
		text = r.FloatString(currency.Digits())
	}
	return fixed.Group(text)
}
