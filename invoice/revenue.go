package invoice

import (
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/account"
)

// The kinds of revenue, and those of charges that decide on them.
const (
	revenueUse      = "use"
	revenueBreakage = "breakage"
	revenueOverage  = "overage"
	revenueFee      = "fee"
	revenueOther    = "other"

	kindFee     = "fee"
	kindOverage = "overage"
)

// An earning is one row of revenue.
type earning struct {
	item, kind string
	amount     money.Amount
}

// makeRevenue is what an account's period recognised (SPEC section 7, Revenue):
// use and breakage of its buckets by plan or pack, overage at its lines' amount,
// fees that granted no credits, and other charges. Rows of zero are left out.
func makeRevenue(out *account.Outcome) []earning {
	var rows []earning
	add := func(item, kind string, amount money.Amount) {
		if amount.IsZero() {
			return
		}
		for i := range rows {
			if rows[i].item == item && rows[i].kind == kind {
				rows[i].amount = rows[i].amount.Add(amount)
				return
			}
		}
		rows = append(rows, earning{item, kind, amount})
	}
	for _, b := range out.Buckets {
		add(b.Item, revenueUse, b.Recognised)
		add(b.Item, revenueBreakage, b.Breakage)
	}
	for i := range out.Charges {
		c := &out.Charges[i]
		switch {
		case c.Kind == kindOverage:
			add(c.Plan, revenueOverage, c.Amount)
		case c.BucketID != "": // its bucket recognises it
		case c.Kind == kindFee:
			add(c.Item, revenueFee, c.Amount)
		default:
			add(lineItem(c), revenueOther, c.Amount)
		}
	}
	kept := rows[:0]
	for _, r := range rows {
		if !r.amount.IsZero() { // several may have added up to nothing
			kept = append(kept, r)
		}
	}
	return kept
}
