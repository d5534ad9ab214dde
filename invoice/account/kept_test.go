package account_test

import (
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// keptIn are the period's top-ups that were charged before, as a table's text has them.
func (w world) keptIn(p period.Period, calendar period.Calendar) []account.KeptTopUp {
	var out []account.KeptTopUp
	for _, k := range w.kept {
		if calendar.Of(k.at) != p {
			continue
		}
		kept := account.KeptTopUp{
			N: k.n, At: k.at, Expires: k.expires, Pack: k.pack, Units: must(credit.Parse(k.units)), Granted: must(credit.Parse(k.granted)),
			Price: must(money.ParseAmount(k.price)), Currency: must(money.ParseCurrency(k.in)),
		}
		if k.unit != "" {
			kept.UnitPrice = must(money.ParsePrice(k.unit))
		}
		out = append(out, kept)
	}
	return out
}

// drawKept draws top-ups that were charged before, of all sorts and at instants where
// calls are, where events are, at the period's start and elsewhere; what they were
// once bought for is not in the world any more.
func (w *world) drawKept(t *rapid.T, n int) {
	m := &model{loc: must(period.LoadLocation(w.zoneName()))}
	m.first = m.instantOf(must(time.Parse("2006-01", w.first)))
	for p := range n {
		start, end := m.periodStart(p), m.periodStart(p+1)
		var moments []time.Time
		for _, e := range w.events {
			moments = append(moments, e.posted)
		}
		for _, c := range w.calls {
			moments = append(moments, c.t, c.t)
		}
		moments = slices.DeleteFunc(moments, func(at time.Time) bool { return at.Before(start) || !at.Before(end) })
		moments = append(moments, start, start.Add(36*time.Hour), end.Add(-time.Microsecond))
		at := rapid.SampledFrom(moments).Draw(t, "kept instant")
		for i := range rapid.IntRange(0, 4).Draw(t, "kept") {
			if rapid.Bool().Draw(t, "at another instant") {
				at = rapid.SampledFrom(moments).Draw(t, "kept instant")
			}
			k := keptDef{
				n: i + 1, at: at, pack: rapid.SampledFrom([]string{"small", "retired"}).Draw(t, "kept pack"), units: "2",
				granted: rapid.SampledFrom([]string{"2", "5", "0.333333", "20", "0"}).Draw(t, "kept credits"),
				price:   rapid.SampledFrom([]string{"5", "1.01", "0"}).Draw(t, "kept price"),
			}
			switch rapid.IntRange(0, 4).Draw(t, "kept expires") {
			case 0:
				k.expires = at // of a pack that expired at once
			case 1:
				k.expires = at.AddDate(0, 0, 9)
			case 2:
				k.expires = end
			}
			w.kept = append(w.kept, k)
		}
	}
	rand.New(rand.NewSource(rapid.Int64().Draw(t, "kept order"))).Shuffle(len(w.kept), func(i, j int) { w.kept[i], w.kept[j] = w.kept[j], w.kept[i] })
}

// keptFeatures are what random lives reach of SPEC section 14, 44, beside features.
var keptFeatures = []string{
	"a top-up besides kept ones",
	"kept: after a cancellation",
	"kept: after the calls",
	"kept: at the period's start",
	"kept: for a shortfall",
	"kept: for a shortfall without settings",
	"kept: for the balance",
	"kept: of an account that is not opened",
}

// TestEngineAgreesWithModelOnKeptTopUps: the random lives again, with top-ups that
// were charged before. A kept one has the currency that the account has there.
func TestEngineAgreesWithModelOnKeptTopUps(t *testing.T) {
	reached := map[string]int{}
	lives := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, 3)
		w.drawKept(rt, 3)
		m, want := w.runModel(3)
		w.kept = m.kept
		got := w.runEngine(t, 3)
		compare(rt, w, got, want)
		for p, o := range got.outcomes {
			burnIdentity(rt, w, p, o)
			keptAll(rt, w, o, p)
		}
		lives++
		for what := range m.seen {
			reached[what]++
		}
	})
	for _, what := range slices.Sorted(maps.Keys(reached)) {
		if slices.Contains(keptFeatures, what) {
			t.Logf("%5d of %d lives: %s", reached[what], lives, what)
		}
	}
	for _, what := range keptFeatures {
		if lives >= drawnLives && reached[what] == 0 {
			t.Errorf("no life reached this: %s", what)
		}
	}
}

// keptAll checks that every kept top-up of a period is charged and granted as it was.
func keptAll(t failer, w world, o account.Outcome, p int) {
	t.Helper()
	calendar := must(period.NewCalendar(w.zoneName()))
	for _, k := range w.keptIn(must(period.Parse(w.first)).Add(p), calendar) {
		id := fmt.Sprintf("%s/topup/%s/%d", w.name(), calendar.Of(k.At), k.N)
		charged := slices.ContainsFunc(o.Charges, func(c account.Charge) bool {
			return c.Kind == "topup" && c.ID == fmt.Sprint(k.N) && c.At.Equal(k.At) && c.Amount == k.Price && c.Quantity == k.Units && c.Item == k.Pack
		})
		granted := slices.ContainsFunc(o.Buckets, func(b *bucket.Bucket) bool {
			return b.ID == id && b.Starts.Equal(k.At) && b.Expires.Equal(k.Expires) && b.GrantedNow == k.Granted && b.Price == k.Price
		})
		if charged == k.Price.IsZero() || granted == k.Granted.IsZero() {
			t.Fatalf("%s: charged %v, granted %v\n%s", id, charged, granted, w)
		}
	}
}

// bought are the top-ups that the run of a world bought or kept, as its tables tell.
func (r result) bought() []keptDef {
	var out []keptDef
	for _, o := range r.outcomes {
		byBucket := map[string]*keptDef{}
		for _, b := range o.Buckets {
			if b.Kind == bucket.TopUp && !b.GrantedNow.IsZero() {
				k := keptDef{
					at: b.Starts, expires: b.Expires, pack: b.Item, units: "1", granted: b.GrantedNow.String(), price: b.Price.String(), in: b.Currency.String(),
				}
				must(fmt.Sscan(b.ID[strings.LastIndexByte(b.ID, '/')+1:], &k.n))
				byBucket[b.ID] = &k
			}
		}
		for _, c := range o.Charges {
			if k := byBucket[c.BucketID]; k != nil && c.Kind == "topup" {
				k.units, k.unit = c.Quantity.String(), c.UnitPrice.String()
			}
		}
		for _, id := range slices.Sorted(maps.Keys(byBucket)) {
			out = append(out, *byBucket[id])
		}
	}
	return out
}

// TestKeepingWhatARunBoughtChangesNothing: a re-rate with nothing changed is no
// difference. The top-ups that a run bought, kept from the start, give the same run,
// in every field; so they do together with those that it had kept itself.
func TestKeepingWhatARunBoughtChangesNothing(t *testing.T) {
	lives, bought := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, 3)
		if rapid.Bool().Draw(rt, "kept before") {
			w.drawKept(rt, 3)
			// Each leaves its trace in the tables, or nobody could keep it.
			w.kept = slices.DeleteFunc(w.kept, func(k keptDef) bool { return k.granted == "0" })
			m, _ := w.runModel(3)
			w.kept = m.kept
		}
		want := w.runEngine(t, 3)
		again := w
		again.kept = want.bought()
		got := again.runEngine(t, 3)
		compare(rt, again, got, want)
		if !reflect.DeepEqual(got.outcomes, want.outcomes) {
			rt.Fatalf("the same lines, but not the same outcomes:\n%+v\nfirst:\n%+v\n%s", got.outcomes, want.outcomes, again)
		}
		lives++
		if len(again.kept) > len(w.kept) {
			bought++
		}
	})
	if lives >= drawnLives && bought < lives/20 {
		t.Errorf("only %d of %d lives bought a top-up", bought, lives)
	}
}
