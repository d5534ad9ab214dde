package invoice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// readEvent reads a row of invoice_events.sql.
func readEvent(r record) account.Event {
	return account.Event{
		Account: r.text(0), ID: r.text(1), Type: r.text(2), At: r.instant(3), PostedAt: r.instant(4), Held: r.text(5),
		Payload: json.RawMessage(r.text(6)),
	}
}

// readBucket reads a row of invoice_openings.sql; its Item is still to be found.
// What of it expired at the period's start is returned apart.
func readBucket(r record) (*bucket.Bucket, error) {
	id := r.text(1)
	remaining, _ := r.decimal(6)
	granted, known := r.decimal(7)
	price, _ := r.decimal(8)
	if !known {
		return nil, fmt.Errorf("bucket %s has a balance but was never granted", id)
	}
	currency, err := money.ParseCurrency(r.text(10))
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", id, err)
	}
	return &bucket.Bucket{
		ID: id, Kind: bucket.Kind(r.text(2)), Priority: r.ordinal(3), Starts: r.instant(4), Expires: r.instant(5),
		Granted: granted, Remaining: remaining, Price: money.AmountFromNum(price.Num()), Currency: currency,
	}, nil
}

// readAlert reads a row of invoice_prior_alerts.sql.
func readAlert(r record) bucket.Alert {
	threshold, _ := r.decimal(2)
	usage, _ := r.decimal(5)
	balance, _ := r.decimal(6)
	return bucket.Alert{
		Kind: r.text(1), Threshold: threshold, CycleStart: r.instant(3), At: r.instant(4), Usage: usage, Balance: balance,
	}
}

// readKept reads a row of invoice_kept_topups.sql.
func readKept(r record) (account.KeptTopUp, error) {
	granted, _ := r.decimal(4)
	units, _ := r.decimal(6)
	unitPrice, _ := r.decimal(7)
	price, _ := r.decimal(8)
	currency, err := money.ParseCurrency(r.text(9))
	if err != nil {
		return account.KeptTopUp{}, fmt.Errorf("top-up %d: %w", r.ordinal(1), err)
	}
	return account.KeptTopUp{
		N: r.ordinal(1), At: r.instant(2), Expires: r.instant(3), Granted: granted, Pack: r.text(5), Units: units,
		UnitPrice: money.PriceFromNum(unitPrice.Num()), Price: money.AmountFromNum(price.Num()), Currency: currency,
	}, nil
}

// origins are what an account's events name: the plans and packs that its buckets
// of earlier periods came from. Balances do not say, but a bucket's kind, id and
// start do.
type origins struct {
	plans, topUps []named           // in the order they were posted
	packs         map[string]string // by bucket
	unknown       string            // plan of accounts that nobody opened
}

// A named is a plan or pack and since when it is the account's.
type named struct {
	since time.Time
	name  string
}

// originsOf reads events, which are in the order they were posted. Held ones name nothing.
func originsOf(events []account.Event, unknownPlan string) *origins {
	o := &origins{packs: map[string]string{}, unknown: unknownPlan}
	for i := range events {
		e := &events[i]
		if e.Held != "" {
			continue
		}
		var f struct{ Plan, Pack string }
		switch e.Type {
		case "subscription.started", "subscription.changed":
			if json.Unmarshal(e.Payload, &f) == nil && f.Plan != "" {
				o.plans = append(o.plans, named{e.PostedAt, f.Plan})
			}
		case "topup.set":
			if json.Unmarshal(e.Payload, &f) == nil && f.Pack != "" {
				o.topUps = append(o.topUps, named{e.PostedAt, f.Pack})
			}
		case "pack.purchased":
			if json.Unmarshal(e.Payload, &f) == nil && f.Pack != "" {
				o.packs[bucket.EventID(e.Account, bucket.Pack, e.ID)] = f.Pack
			}
		}
	}
	return o
}

// item is the plan or pack that a bucket came from. What comes from neither is
// named after its kind.
func (o *origins) item(b *bucket.Bucket) string {
	switch b.Kind {
	case bucket.Allowance:
		return lastNamed(o.plans, b.Starts, o.unknown)
	case bucket.Rollover:
		// The cycle that ended where the bucket starts; a change at that instant is of the next.
		return lastNamed(o.plans, b.Starts.Add(-time.Microsecond), o.unknown)
	case bucket.TopUp:
		return lastNamed(o.topUps, b.Starts, string(b.Kind))
	case bucket.Pack:
		return cmp.Or(o.packs[b.ID], string(b.Kind))
	}
	return string(b.Kind)
}

// lastNamed is the name that counts at an instant.
func lastNamed(all []named, at time.Time, otherwise string) string {
	i := sort.Search(len(all), func(i int) bool { return all[i].since.After(at) })
	if i == 0 {
		return otherwise
	}
	return all[i-1].name
}

// runningAlerts keeps the alerts that still silence others: percentages of the
// cycle that runs at the period's start.
func runningAlerts(all []bucket.Alert, cycleStart time.Time) []bucket.Alert {
	kept := all[:0]
	for _, a := range all {
		if !a.CycleStart.IsZero() && a.CycleStart.Equal(cycleStart) {
			kept = append(kept, a)
		}
	}
	return kept
}
