package invoice

import (
	"time"

	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// A burned is an account that was burned, on its way from the goroutine that
// burns to the one that makes its rows. It is the latter's alone.
type burned struct {
	events []account.Event
	out    account.Outcome
	usages []usage // of its statement
	left   bool    // it is left out: of out there is no more than what is held
}

// burnedAhead is how many accounts may wait for their rows to be made: few, for any
// of them may be large.
const burnedAhead = 16

// addBurned makes the rows of all tables but burns, account by account as they are
// burned, and adds up the control totals. Where burning fails it goes on to what was
// burned last: what is held of all accounts is told.
func (r *run) addBurned() error {
	for b := range r.burned {
		r.report.Held = append(r.report.Held, b.out.Held...)
		if b.left {
			continue
		}
		r.count(&b.out)
		r.judge(b.events, &b.out)
		if err := r.tables.add(r, &b); err != nil {
			return err
		}
	}
	return nil
}

// count adds the account to the control totals.
func (r *run) count(out *account.Outcome) {
	r.report.Totals.Accounts++
	for _, b := range out.Buckets {
		if !b.Burned.IsZero() {
			r.credits[b.Kind] = r.credits[b.Kind].Add(b.Burned)
		}
	}
	for _, e := range out.Ledger {
		if kind := bucket.Kind(e.Entry); kind == bucket.Overage || kind == bucket.Denied {
			r.credits[kind] = r.credits[kind].Add(e.Credits)
		}
	}
}

// judge notes which events are held now that were not, and the other way round.
// Those posted before the period were judged in theirs.
func (r *run) judge(events []account.Event, out *account.Outcome) {
	until := r.end
	if r.Provisional && !r.Until.IsZero() {
		until = r.Until.Add(time.Microsecond) // events of that very instant are judged
	}
	reasons := map[string]string{}
	for _, h := range out.Held {
		reasons[h.Event.ID] = h.Reason
	}
	for i := range events {
		e := &events[i]
		now, mine := reasons[e.ID], r.Period == r.FirstPeriod || !e.PostedAt.Before(r.start)
		if mine && e.PostedAt.Before(until) && now != e.Held {
			r.keep(e, now)
		}
	}
	if !r.Provisional {
		for i := range out.Implied {
			r.keep(&out.Implied[i], "")
		}
	}
}

// keep puts an event as it now is among those that change account_events.
func (r *run) keep(e *account.Event, held string) {
	r.judged.text(e.ID).text(e.Type).text(e.Account).instant(e.At).instant(e.PostedAt).text(held).text(string(e.Payload)).end()
}

// total ends the control totals when all accounts are counted.
func (r *run) total() {
	t := &r.report.Totals
	t.Calls = r.done
	for kind, sum := range r.credits {
		t.Credits[string(kind)] = sum.String()
	}
	for currency, sums := range t.Sums {
		t.Money[currency] = sums.Total.String()
	}
}
