package account_test

import (
	"fmt"
	"math/big"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

func splitLine(splits []bucket.Split) string {
	var parts []string
	for _, s := range splits {
		x := credit.FromMicro(s.Credits).String()
		switch {
		case s.Bucket != nil:
			parts = append(parts, string(s.Kind)+" "+s.Bucket.ID+" "+x)
		case s.Price != nil:
			parts = append(parts, fmt.Sprintf("%s %s v%d step %d %s", s.Kind, s.Price.Plan, s.Price.Version, s.Price.Step, x))
		default:
			parts = append(parts, string(s.Kind)+" "+x)
		}
	}
	return strings.Join(parts, " + ")
}

func outcomeLines(o account.Outcome) []string {
	var out []string
	for _, b := range o.Buckets {
		out = append(out, fmt.Sprintf("row %s %s p%d %s..%s open %s grant %s burn %s expire %s void %s roll %s left %s price %s use %s breakage %s deferred %s %s",
			b.ID, b.Kind, b.Priority, stamp(b.Starts), stamp(b.Expires), b.Opening, b.GrantedNow, b.Burned, b.Expired, b.Voided, b.RolledOut,
			b.Remaining, b.Price, b.Recognised, b.Breakage, b.Deferred, b.Currency))
	}
	for _, e := range o.Ledger {
		out = append(out, fmt.Sprintf("ledger %s %s %s %s", stamp(e.At), e.Entry, e.BucketID, e.Credits))
	}
	for _, a := range o.Alerts {
		out = append(out, fmt.Sprintf("alert %s %s cycle %s at %s usage %s balance %s", a.Kind, a.Threshold, stamp(a.CycleStart), stamp(a.At), a.Usage, a.Balance))
	}
	for i, c := range o.Charges {
		if c.Kind == "overage" && i > 0 && o.Charges[i-1].Kind == "overage" && o.Charges[i-1].Plan > c.Plan {
			out = append(out, "charges out of order")
		}
		out = append(out, fmt.Sprintf("charge %s %s %s %s x %s = %s bucket %s paid %v v%d step %d",
			c.Kind, stamp(c.At), c.ID, c.Item, c.Quantity, c.Amount, c.BucketID, c.Paid, c.Version, c.Step))
	}
	for _, h := range o.Held {
		out = append(out, fmt.Sprintf("held %s %s", h.Event.ID, h.Reason))
	}
	line := "profile " + o.Profile.Name + " " + o.Profile.Currency.String()
	if o.Profile.Plan != "" {
		line += fmt.Sprintf(" %s v%d", o.Profile.Plan, o.Profile.PlanVersion)
	}
	out = append(out, line, fmt.Sprintf("opened %v", o.Opened))
	sort.Strings(out)
	return out
}

// lines writes period number p of the model as outcomeLines does.
func (m *model) lines(p int) []string {
	out := append([]string(nil), m.rows[p]...)
	entry := func(t time.Time, what, id string, x *big.Rat) {
		if x.Sign() != 0 {
			out = append(out, fmt.Sprintf("ledger %s %s %s %s", stamp(t), what, id, num(x)))
		}
	}
	type day struct{ what, id, date string }
	sums, last := map[day]*big.Rat{}, map[day]time.Time{}
	sum := func(what, id string, x *big.Rat, t time.Time) {
		k := day{what, id, t.In(m.loc).Format(time.DateOnly)}
		if sums[k] == nil {
			sums[k] = new(big.Rat)
		}
		sums[k], last[k] = add(sums[k], x), t
	}
	for _, b := range m.buckets {
		if b.period == p {
			what := "grant"
			if b.rolledIn {
				what = "rollover_in"
			}
			entry(b.starts, what, b.id, b.granted)
		}
		for _, v := range b.moves {
			switch {
			case v.period != p:
			case v.what == "burn":
				sum("burn", b.id, v.x, v.t)
			case v.what == "roll":
				entry(v.t, "rollover_out", b.id, v.x)
			default:
				entry(v.t, v.what, b.id, v.x)
			}
		}
	}
	for _, splits := range m.pays {
		for _, s := range splits {
			if s.bucket == nil && s.period == p {
				sum(s.kind, "", s.x, s.t)
			}
		}
	}
	for k, x := range sums {
		entry(last[k], k.what, k.id, x)
	}
	for _, a := range m.alerts {
		if a.period == p {
			out = append(out, fmt.Sprintf("alert %s %s cycle %s at %s usage %s balance %s", a.kind, num(a.threshold), stamp(a.cycle), stamp(a.at), num(a.usage), num(a.balance)))
		}
	}
	for _, c := range m.charges {
		if c.period == p {
			out = append(out, fmt.Sprintf("charge %s %s %s %s x %s = %s bucket %s paid %v v%d step %d",
				c.kind, stamp(c.at), c.id, c.item, num(c.quantity), num(c.amount), c.bucket, c.paid, c.version, c.step))
		}
	}
	for _, h := range m.held {
		if h.period == p {
			out = append(out, fmt.Sprintf("held %s %s", h.id, h.reason))
		}
	}
	out = append(out, m.profiles[p], fmt.Sprintf("opened %v", m.wasOpened[p]))
	sort.Strings(out)
	return out
}

// burnIdentity checks that credits rated = burned + overage + denied (SPEC
// section 6), in the buckets and in the ledger.
func burnIdentity(t failer, w world, p int, o account.Outcome) {
	t.Helper()
	calendar := must(period.NewCalendar(w.zoneName()))
	month := must(period.Parse(w.first)).Add(p)
	var rated, buckets, ledger credit.Amount
	for _, c := range w.calls {
		if calendar.Of(c.t) == month {
			rated = rated.Add(credit.FromMicro(c.micro))
		}
	}
	for _, b := range o.Buckets {
		buckets = buckets.Add(b.Burned)
	}
	for _, e := range o.Ledger {
		switch e.Entry {
		case "burn":
			ledger = ledger.Add(e.Credits)
		case "overage", "denied":
			ledger, buckets = ledger.Add(e.Credits), buckets.Add(e.Credits)
		}
	}
	if rated != buckets || rated != ledger {
		t.Fatalf("rated %s, but burned, overage and denied %s by buckets, %s by the ledger\n%s", rated, buckets, ledger, w)
	}
}

// identities checks the two of SPEC section 6 on what the engine says, and that
// money is conserved: what was left of the price is used, broken or still deferred.
func identities(t testing.TB, o account.Outcome) {
	t.Helper()
	for _, b := range o.Buckets {
		in := b.Opening.Add(b.GrantedNow)
		out := b.Burned.Add(b.Expired).Add(b.Voided).Add(b.RolledOut).Add(b.Remaining)
		if in != out || b.Remaining.Sign() < 0 {
			t.Errorf("%s: opened and granted %s, but burned, expired, voided, rolled and left %s", b.ID, in, out)
		}
	}
}
