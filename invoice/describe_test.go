package invoice

import (
	"math/big"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

const describedPlans = `plan: startup
version: 3
effective_from: 2026-01-01T00:00:00Z
fee: {USD: 49}
allowance: 1000
renews: calendar
prorate: true
overage: {per: 1000, steps: [{up_to: 10000, price: {USD: 2}}, {up_to: 20000.5, price: {USD: 1.5}}, {price: {USD: 1}}]}
---
plan: metered
version: 1
effective_from: 2026-01-01T00:00:00Z
allowance: 0
renews: calendar
overage: {per: 500, price: {USD: 2.5}, blocks: true}
---
plan: both
version: 1
effective_from: 2026-01-01T00:00:00Z
allowance: 0
renews: anniversary
overage: {per: 1000, steps: [{up_to: 2500, price: {USD: 2}}, {price: {USD: 0.0005}}], blocks: true}
`

// SPEC section 7, Invoice lines; section 14, 21, 28, 38 and 39. The words say what the
// numbers of a line alone do not.
func TestDescriptionsExplainALine(t *testing.T) {
	var problems yamlfile.Problems
	plans := catalog.Parse([]catalog.File{{Name: "plans.yaml", Content: []byte(describedPlans)}}, &problems)
	must(t, problems.Err())
	calendar, err := period.NewCalendar("Europe/Amsterdam")
	must(t, err)
	at := func(text string) time.Time {
		t, err := period.ParseInstant(text)
		if err != nil {
			panic(err)
		}
		return t
	}
	credits := func(text string) credit.Amount {
		n, err := credit.Parse(text)
		must(t, err)
		return n
	}
	d := describer{
		catalog: plans, calendar: calendar, currency: currency(t, "USD"),
		buckets: []*bucket.Bucket{{ID: "a/pack/e1", Granted: credits("5000000")}, {ID: "a/topup/2026-10/1", Granted: credits("0.5")}},
	}
	overage := func(plan string, version, step int, used string) account.Charge {
		return account.Charge{Kind: "overage", Plan: plan, Version: version, Step: step, Quantity: credits(used), Description: plan}
	}
	fee := func(plan string, version int, from, to string) account.Charge {
		return account.Charge{Kind: "fee", Plan: plan, Version: version, Description: plan, From: at(from), To: at(to)}
	}
	october := at("2026-09-30T22:00:00Z")
	for _, test := range []struct {
		charge account.Charge
		want   string
	}{
		{overage("startup", 3, 1, "10000"), "Overage, startup: up to 10,000 credits"},
		{overage("startup", 3, 2, "10000.5"), "Overage, startup: 10,000 to 20,000.5 credits"},
		{overage("startup", 3, 3, "1"), "Overage, startup: over 20,000.5 credits"},
		{overage("metered", 1, 1, "1000.000001"), "Overage, metered: 3 started blocks of 500 credits at 2.50 USD"},
		{overage("metered", 1, 1, "1500"), "Overage, metered: 3 started blocks of 500 credits at 2.50 USD"},
		{overage("metered", 1, 1, "0.000001"), "Overage, metered: 1 started block of 500 credits at 2.50 USD"},
		{overage("metered", 1, 1, "1234567"), "Overage, metered: 2,470 started blocks of 500 credits at 2.50 USD"}, // 2,469.134
		{overage("both", 1, 1, "2500"), "Overage, both: up to 2,500 credits, 3 started blocks of 1,000 credits at 2.00 USD"},
		{overage("both", 1, 2, "1000"), "Overage, both: over 2,500 credits, 1 started block of 1,000 credits at 0.0005 USD"},
		{overage("gone", 1, 1, "1"), "Overage, gone"},
		// October in Amsterdam: from 30 September 22:00Z to 31 October 23:00Z.
		{fee("startup", 3, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"), "Plan startup"},
		{fee("startup", 3, "2026-10-16T22:00:00Z", "2026-10-31T23:00:00Z"), "Plan startup, prorated for 17 to 31 October 2026"},
		{fee("startup", 3, "2026-10-31T11:00:00Z", "2026-10-31T23:00:00Z"), "Plan startup, prorated for 31 October 2026"},
		{fee("metered", 1, "2026-10-16T22:00:00Z", "2026-10-31T23:00:00Z"), "Plan metered"}, // not prorated: a whole fee
		{fee("both", 1, "2026-10-16T22:00:00Z", "2026-11-16T23:00:00Z"), "Plan both"},
		{account.Charge{Kind: "pack", Description: "usd", BucketID: "a/pack/e1"}, "Pack usd: 5,000,000 credits"},
		{account.Charge{Kind: "topup", Description: "drop", BucketID: "a/topup/2026-10/1"}, "Top-up drop: 0.5 credits"},
		{account.Charge{Kind: "pack", Description: "usd"}, "Pack usd"},
		{account.Charge{Kind: "charge", Description: "=1+1 <b>"}, "=1+1 <b>"},
		{account.Charge{Kind: "charge"}, ""},
		// What posted late says when it was: 28 September 22:30Z is the 29th in Amsterdam.
		{account.Charge{Kind: "pack", Description: "usd", BucketID: "a/pack/e1", At: october, EventAt: at("2026-09-28T22:30:00Z")}, "Pack usd: 5,000,000 credits, bought 29 September 2026, posted late"},
		{account.Charge{Kind: "charge", Description: "Setup", At: october, EventAt: at("2026-09-03T12:00:00Z")}, "Setup, of 3 September 2026, posted late"},
		{account.Charge{Kind: "fee", Plan: "both", Version: 1, Description: "both", At: october, EventAt: at("2026-09-03T12:00:00Z"), From: october, To: at("2026-10-31T23:00:00Z")}, "Plan both, subscribed 3 September 2026, posted late"},
		{account.Charge{Kind: "pack", Description: "usd", At: october, EventAt: october}, "Pack usd"},
		{account.Charge{Kind: "charge", At: october, EventAt: at("2026-09-03T12:00:00Z")}, ""},
	} {
		if got := d.charge(&test.charge); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
	for _, test := range []struct {
		label string
		tax   account.Tax
		want  string
	}{
		{"VAT 21%", account.Tax{Rate: big.NewRat(21, 100)}, "VAT 21% on 1,234.50 USD"},
		{"VAT", account.Tax{Rate: big.NewRat(21, 100)}, "VAT 21% on 1,234.50 USD"},
		{"Sales tax", account.Tax{Rate: big.NewRat(8875, 100000)}, "Sales tax 8.875% on 1,234.50 USD"},
		{"VAT 121%", account.Tax{Rate: big.NewRat(21, 100)}, "VAT 121% 21% on 1,234.50 USD"}, // the rate that counts is said
		{"Tax", account.Tax{Rate: new(big.Rat)}, "Tax 0% on 1,234.50 USD"},
		{"Tax", account.Tax{}, "Tax on 1,234.50 USD"},
		{"VAT", account.Tax{Rate: big.NewRat(21, 100), ReverseCharge: true}, "VAT: the recipient accounts for the tax (reverse charge)"},
	} {
		if got := d.tax(test.label, &test.tax, amount(t, "1234.5")); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}
