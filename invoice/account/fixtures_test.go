package account_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// TestWorldsWorkedOutByHand burns the example worlds' rated calls and compares
// burns, ledger, balances, alerts and charges with the results that the worlds'
// README works out by hand.
func TestWorldsWorkedOutByHand(t *testing.T) {
	for _, world := range []struct {
		name, zone, currency string
		percent              []int
		months               int
	}{
		{"imagegen", "Europe/Madrid", "EUR", []int{80, 100, 110}, 2},
		{"models", "Europe/Amsterdam", "USD", nil, 1},
		{"vision", "UTC", "USD", []int{80, 100, 110}, 2},
	} {
		t.Run(world.name, func(t *testing.T) {
			dir := filepath.Join("..", "..", "fixtures", world.name)
			var problems yamlfile.Problems
			var files []catalog.File
			for _, name := range must(filepath.Glob(filepath.Join(dir, "plans", "*.yaml"))) {
				files = append(files, catalog.File{Name: name, Content: must(os.ReadFile(name))})
			}
			plans := catalog.Parse(files, &problems)
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			calendar := must(period.NewCalendar(world.zone))
			first := must(period.Parse("2026-10"))
			events := readEvents(t, dir, calendar.Start(first))
			rated := readTable(t, dir, "rated")
			sort.SliceStable(rated, func(i, j int) bool {
				a, b := rated[i], rated[j]
				for _, k := range []string{"posted_at", "time", "source", "event_id"} {
					if a[k] != b[k] {
						if k == "posted_at" || k == "time" {
							return at(a[k]).Before(at(b[k]))
						}
						return a[k] < b[k]
					}
				}
				return false
			})
			got := map[string][]string{}
			for name, list := range events {
				var opening account.Opening
				for i := range world.months {
					p := account.Params{
						Account: name, Period: first.Add(i), FirstPeriod: first, Calendar: calendar, Catalog: plans,
						DefaultCurrency: must(money.ParseCurrency(world.currency)), AlertPercents: world.percent, Opening: opening, Events: list,
					}
					since := account.CycleStart(p)
					for _, c := range rated {
						if c["account"] == name && !since.IsZero() && !at(c["posted_at"]).Before(since) && at(c["posted_at"]).Before(calendar.Start(p.Period)) {
							p.Opening.CycleUsage = p.Opening.CycleUsage.Add(must(credit.Parse(c["credits"])))
						}
					}
					m := must(account.Open(p))
					for _, c := range rated {
						if c["account"] != name || c["held"] != "" || c["period"] != p.Period.String() {
							continue
						}
						micro, _ := must(credit.Parse(c["credits"])).Micro()
						splits := must(m.Call(at(c["posted_at"]).UnixMicro(), micro))
						for i, s := range splits {
							if i+1 < len(splits) && s.Bucket == nil && splits[i+1].Kind == s.Kind {
								splits[i+1].Credits += s.Credits // overage that crosses a step: one burn
								continue
							}
							id := ""
							if s.Bucket != nil {
								id = s.Bucket.ID
							}
							got["burns"] = append(got["burns"], join(c["period"], name, c["event_id"], id, string(s.Kind), credit.FromMicro(s.Credits).String()))
						}
					}
					o := must(m.Finish())
					collect(got, p.Period.String(), o)
					opening = account.Opening{CurrencyFixed: o.CurrencyFixed, Buckets: o.Buckets, Alerts: append(opening.Alerts, o.Alerts...)}
				}
			}
			for table, columns := range map[string]string{
				"burns":         "period account event_id bucket_id kind credits",
				"ledger":        "period account at entry bucket_id credits",
				"alerts":        "period account kind threshold cycle_start at usage balance",
				"invoice_lines": "period account kind item quantity unit_price amount from to",
				"balances":      "period account bucket_id kind priority starts_at expires_at opening granted burned expired voided rolled_out remaining price recognised breakage deferred",
			} {
				var want []string
				for _, row := range readTable(t, dir, table) {
					if row["kind"] == "tax" { // not of one account's machine
						continue
					}
					var cells []string
					for _, c := range strings.Fields(columns) {
						cells = append(cells, plain(row[c]))
					}
					want = append(want, join(cells...))
				}
				sort.Strings(want)
				sort.Strings(got[table])
				if !slices.Equal(got[table], want) {
					t.Errorf("%s: got\n%s\nwant\n%s", table, strings.Join(got[table], "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}

func at(s string) time.Time { return must(period.ParseInstant(s)) }

func join(cells ...string) string { return strings.Join(cells, " | ") }

// plain takes the zeros off a decimal of a CSV file.
func plain(s string) string {
	if _, err := money.ParsePrice(s); err != nil || !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func collect(got map[string][]string, p string, o account.Outcome) {
	for _, e := range o.Ledger {
		got["ledger"] = append(got["ledger"], join(p, o.Account, instantText(e.At), e.Entry, e.BucketID, e.Credits.String()))
	}
	for _, a := range o.Alerts {
		got["alerts"] = append(got["alerts"], join(p, o.Account, a.Kind, a.Threshold.String(), instantText(a.CycleStart), instantText(a.At), a.Usage.String(), a.Balance.String()))
	}
	for _, c := range o.Charges {
		got["invoice_lines"] = append(got["invoice_lines"], join(p, o.Account, c.Kind, c.Item, c.Quantity.String(), c.UnitPrice.String(), c.Amount.String(), instantText(c.From), instantText(c.To)))
	}
	for _, b := range o.Buckets {
		got["balances"] = append(got["balances"], join(p, o.Account, b.ID, string(b.Kind), fmt.Sprint(b.Priority), instantText(b.Starts), instantText(b.Expires),
			b.Opening.String(), b.GrantedNow.String(), b.Burned.String(), b.Expired.String(), b.Voided.String(), b.RolledOut.String(), b.Remaining.String(),
			b.Price.String(), b.Recognised.String(), b.Breakage.String(), b.Deferred.String()))
	}
}

func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return period.FormatInstant(t)
}

// readEvents reads the account events as ingest would post them, by account.
func readEvents(t *testing.T, dir string, start time.Time) map[string][]account.Event {
	out := map[string][]account.Event{}
	for _, name := range must(filepath.Glob(filepath.Join(dir, "raw", "billing", "*.jsonl"))) {
		lines := bufio.NewScanner(strings.NewReader(string(must(os.ReadFile(name)))))
		for lines.Scan() {
			var e struct {
				ID, Type, Account string
				At                time.Time
			}
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			posted := e.At
			if e.Type == "bucket.opened" && posted.Before(start) {
				posted = start
			}
			out[e.Account] = append(out[e.Account], account.Event{ID: e.ID, Type: e.Type, Account: e.Account, At: e.At, PostedAt: posted, Payload: slices.Clone(lines.Bytes())})
		}
	}
	return out
}

func readTable(t *testing.T, dir, name string) []map[string]string {
	file, err := os.Open(filepath.Join(dir, "expected", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows := must(csv.NewReader(file).ReadAll())
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, column := range rows[0] {
			m[column] = row[i]
		}
		out = append(out, m)
	}
	return out
}
