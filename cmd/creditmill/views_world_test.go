package main

import (
	"io/fs"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/jobs"
)

// compareViews compares the views of usage and revenue with sums over a world's
// expected results, added up here call by call and row by row: by day and by model from
// rated, by operation, project and account from statements, charges from invoices. What
// a view of rated and one of statements say of a month is the same, then.
func compareViews(t *testing.T, world fs.FS, configFile string) {
	t.Helper()
	statements := expected(t, world, "statements")
	statements = slices.DeleteFunc(statements, func(row map[string]string) bool { return row["operation"] == "" })
	compareView(t, configFile, "usage_by_operation", usageOf(statements, "account", "operation"))
	compareView(t, configFile, "usage_by_project", usageOf(statements, "account", "project", "key"))
	compareView(t, configFile, "top_accounts", topOf(t, statements, expected(t, world, "invoices")))

	kinds := sums{}
	for _, row := range expected(t, world, "revenue") {
		kinds.add([]string{row["currency"], row["kind"], row["period"]}, row["amount"])
	}
	compareView(t, configFile, "revenue_by_kind", kinds.rows(func(by, sum []string) []string { return []string{by[0], by[1], sum[0], by[2]} }))

	rated := expected(t, world, "rated")
	if rated == nil { // real calls, read where they lie: too many to be listed
		for _, view := range []string{"usage_by_day", "usage_by_model"} {
			compareView(t, configFile, "(SELECT operation, CAST(sum(calls) AS BIGINT), sum(credits), CAST(sum(late_calls) AS BIGINT), CAST(sum(held_calls) AS BIGINT), period FROM "+
				view+" GROUP BY operation, period)", usageOf(statements, "operation"))
		}
		return
	}
	setup, err := jobs.LoadSetup(configFile)
	if err != nil {
		t.Fatal(err)
	}
	zone := setup.Config.Calendar.Location()
	for _, row := range rated {
		at, err := time.Parse(time.RFC3339Nano, row["posted_at"])
		if err != nil {
			t.Fatal(err)
		}
		row["day"] = at.In(zone).Format(time.DateOnly)
		row["calls"], row["late_calls"], row["held_calls"] = "1", "0", "0"
		switch {
		case row["held"] != "":
			row["calls"], row["held_calls"] = "0", "1"
		case row["late"] == "true":
			row["late_calls"] = "1"
		}
	}
	compareView(t, configFile, "usage_by_day", usageOf(rated, "day", "operation"))
	compareView(t, configFile, "usage_by_model", usageOf(rated, "model", "operation"))
}

// usageOf sums rows as the views of usage do.
func usageOf(rows []map[string]string, by ...string) [][]string {
	all := sums{}
	for _, row := range rows {
		key := make([]string, len(by), len(by)+1)
		for i, column := range by {
			key[i] = row[column]
		}
		all.add(append(key, row["period"]), row["calls"], row["credits"], row["late_calls"], row["held_calls"])
	}
	return all.rows(func(key, sum []string) []string {
		return slices.Concat(key[:len(by)], sum, key[len(by):])
	})
}

// topOf ranks the accounts of each month.
func topOf(t *testing.T, statements, invoices []map[string]string) (ranked [][]string) {
	t.Helper()
	type account struct {
		name           string
		calls, credits *big.Rat
		charges        string
		currency       string
	}
	months := map[string]map[string]*account{}
	of := func(row map[string]string) *account {
		month := months[row["period"]]
		if month == nil {
			month = map[string]*account{}
			months[row["period"]] = month
		}
		if month[row["account"]] == nil {
			month[row["account"]] = &account{name: row["account"], calls: new(big.Rat), credits: new(big.Rat)}
		}
		return month[row["account"]]
	}
	for _, row := range statements {
		a := of(row)
		a.calls.Add(a.calls, rat(row["calls"]))
		a.credits.Add(a.credits, rat(row["credits"]))
	}
	for _, row := range invoices { // the worlds have one for each account and month, and no notes
		a := of(row)
		if a.charges != "" {
			t.Errorf("%s has several documents of %s", a.name, row["period"])
		}
		a.charges, a.currency = row["subtotal"], row["currency"]
	}
	for month, accounts := range months {
		order := slices.SortedFunc(maps.Values(accounts), func(a, b *account) int {
			if c := b.credits.Cmp(a.credits); c != 0 {
				return c
			}
			return strings.Compare(a.name, b.name)
		})
		for i, a := range order {
			ranked = append(ranked, []string{strconv.Itoa(i + 1), a.name, a.calls.FloatString(0), a.credits.FloatString(6), a.charges, a.currency, month})
		}
	}
	return ranked
}

// compareView compares all rows of a view, in any order. A name that stands beside an
// account is looked at elsewhere.
func compareView(t *testing.T, configFile, view string, want [][]string) {
	t.Helper()
	columns := "*"
	if view == "top_accounts" {
		columns = "* EXCLUDE (name)"
	}
	got := readCSV(t, call(t, "query", "--config", configFile, "--format", "csv", "SELECT "+columns+" FROM "+view))
	compareTable(t, view, got, slices.Concat(got[:1], want))
}

// expected are the rows of expected/TABLE.csv by their columns; nil where there is no
// such file.
func expected(t *testing.T, world fs.FS, table string) (rows []map[string]string) {
	t.Helper()
	text, err := fs.ReadFile(world, "expected/"+table+".csv")
	if err != nil {
		return nil
	}
	records := readCSV(t, string(text))
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, column := range records[0] {
			row[column] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// sums are exact sums by a key of several texts.
type sums map[string][]*big.Rat

func (s sums) add(key []string, values ...string) {
	k := strings.Join(key, "\x00")
	if s[k] == nil {
		s[k] = make([]*big.Rat, len(values))
		for i := range values {
			s[k][i] = new(big.Rat)
		}
	}
	for i, value := range values {
		s[k][i].Add(s[k][i], rat(value))
	}
}

func (s sums) rows(row func(key, sum []string) []string) (all [][]string) {
	for k, values := range s {
		sum := make([]string, len(values))
		for i, value := range values {
			sum[i] = value.FloatString(6)
		}
		all = append(all, row(strings.Split(k, "\x00"), sum))
	}
	return all
}

// rat reads a decimal; what is none is a fault of a world.
func rat(text string) *big.Rat {
	value, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("no number: " + text)
	}
	return value
}
