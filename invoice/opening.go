package invoice

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A posting is an account event with what was said about it before.
type posting struct {
	account.Event
	held string // the reason it is held for so far, empty: none
}

// readPosting reads a row of invoice_events.sql.
func readPosting(r record) posting {
	return posting{
		Event: account.Event{
			Account: r.text(0), ID: r.text(1), Type: r.text(2), At: r.instant(3), PostedAt: r.instant(4),
			Payload: json.RawMessage(r.text(6)),
		},
		held: r.text(5),
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

// itemOf finds the plan or pack that a bucket of an earlier period came from:
// balances do not say, but its kind, id and start with the account's events do.
// events are in the order they were posted; unknownPlan is the plan of accounts
// that nobody opened. What comes from neither is named after its kind.
func itemOf(b *bucket.Bucket, events []posting, unknownPlan string) string {
	switch b.Kind {
	case bucket.Allowance:
		return lastNamed(events, unknownPlan, func(e *posting) bool { return isSubscription(e) && !e.PostedAt.After(b.Starts) })
	case bucket.Rollover:
		// The cycle that ended where the bucket starts; a change at that instant is of the next.
		return lastNamed(events, unknownPlan, func(e *posting) bool { return isSubscription(e) && e.PostedAt.Before(b.Starts) })
	case bucket.TopUp:
		return lastNamed(events, string(b.Kind), func(e *posting) bool { return e.Type == "topup.set" && !e.PostedAt.After(b.Starts) })
	case bucket.Pack:
		return lastNamed(events, string(b.Kind), func(e *posting) bool {
			return e.Type == "pack.purchased" && bucket.EventID(e.Account, bucket.Pack, e.ID) == b.ID
		})
	}
	return string(b.Kind)
}

func isSubscription(e *posting) bool {
	return e.Type == "subscription.started" || e.Type == "subscription.changed"
}

// lastNamed is the plan or pack that the last of the events that match names.
func lastNamed(events []posting, otherwise string, match func(*posting) bool) string {
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		if e.held != "" || !match(e) {
			continue
		}
		var named struct{ Plan, Pack string }
		if json.Unmarshal(e.Payload, &named) == nil && named.Plan+named.Pack != "" {
			return named.Plan + named.Pack
		}
	}
	return otherwise
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
