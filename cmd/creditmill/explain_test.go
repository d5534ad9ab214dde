package main

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/internal/period"
)

// worldRun is a world after the steps of its demo.yaml.
func worldRun(t *testing.T, name string) (config string) {
	t.Helper()
	world, err := fixtures.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), name)
	if err := makeDemoFolder(dir, world); err != nil {
		t.Fatal(err)
	}
	config = filepath.Join(dir, defaultConfig)
	script, err := readDemoScript(world)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range script.Steps {
		args := []string{step.Command, "--config", config, "--now", period.FormatInstant(step.Now)}
		if !step.Period.IsZero() {
			args = append(args, "--period", step.Period.String())
		}
		call(t, args...)
	}
	return config
}

// rowsOf are the rows of a query without commas in its cells.
func rowsOf(t *testing.T, config, query string) (rows [][]string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(call(t, "query", "--config", config, "--format", "csv", query)), "\n")
	for _, line := range lines[1:] {
		rows = append(rows, strings.Split(line, ","))
	}
	return rows
}

// Whatever a world rated and invoiced, the explanation comes to the same: of every
// line of every invoice, and of a call of every rule, paid by buckets or overage.
func TestExplanationsComeToWhatWasRatedAndInvoiced(t *testing.T) {
	for _, name := range []string{"imagegen", "training"} { // tiers, blocks, bounds, additions; proration, rollover, steps, charges
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := worldRun(t, name)
			for _, row := range rowsOf(t, config, `SELECT number, count(*) FROM invoice_lines GROUP BY ALL ORDER BY ALL`) {
				var document struct {
					Lines []struct {
						Amount     string
						Arithmetic []string
						Agrees     *bool
						Note       *string
					}
				}
				explainInto(t, &document, "--config", config, row[0])
				if strconv.Itoa(len(document.Lines)) != row[1] {
					t.Errorf("%s has %s lines, not %d", row[0], row[1], len(document.Lines))
				}
				for _, line := range document.Lines {
					if line.Agrees == nil || !*line.Agrees || len(line.Arithmetic) == 0 || line.Note != nil {
						t.Errorf("%s: %+v", row[0], line)
					}
				}
			}
			for _, row := range rowsOf(t, config, `SELECT min(number || '/' || line), kind FROM invoice_lines GROUP BY kind ORDER BY ALL`) {
				var line struct {
					Event  *struct{ ID string }
					Bucket *struct{ Granted string }
					Calls  []struct{ What string }
				}
				explainInto(t, &line, "--config", config, row[0])
				kind := row[1]
				bought := kind == "fee" || kind == "pack" || kind == "topup"
				if (line.Event != nil) == (kind == "overage") || (line.Bucket != nil) != bought || len(line.Calls) == 0 && kind == "overage" {
					t.Errorf("%s, a %s: %+v", row[0], kind, line)
				}
			}
			for _, row := range rowsOf(t, config, `
				SELECT min(event_id), arg_min(account, event_id), arg_min(source, event_id)
				FROM (SELECT r.*, coalesce(b.kind, '') AS payer FROM rated r LEFT JOIN burns b USING (account, source, event_id, posted_at) WHERE r.held IS NULL)
				GROUP BY price_version, rule, payer = 'overage' ORDER BY ALL`) {
				var explained struct {
					State string
					Raw   struct{ Text *string }
					Price struct {
						Agrees  *bool
						Credits string
					}
					Paid *struct {
						By   []struct{ Credits string }
						Note *string
					}
				}
				explainInto(t, &explained, "--config", config, row[0], "--account", row[1], "--source", row[2])
				if explained.Price.Agrees == nil || !*explained.Price.Agrees || explained.Raw.Text == nil || !strings.Contains(*explained.Raw.Text, row[0]) {
					t.Errorf("%s: %+v", row[0], explained)
				}
				if explained.Paid == nil { // of a month that is still open
					continue
				}
				sum := new(big.Rat)
				for _, by := range explained.Paid.By {
					part, _ := new(big.Rat).SetString(by.Credits)
					sum.Add(sum, part)
				}
				if want, _ := new(big.Rat).SetString(explained.Price.Credits); sum.Cmp(want) != 0 || explained.Paid.Note != nil {
					t.Errorf("%s costs %s, but its payers are %+v", row[0], explained.Price.Credits, explained.Paid)
				}
			}
		})
	}
}

func explainInto(t *testing.T, to any, args ...string) {
	t.Helper()
	out := call(t, append([]string{"explain", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), to); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// By hand: beacon's second cycle in training/README.md begins on 16 November 12:00 in
// New York, 14.5 of 30 days and an hour before the month's end; the clocks went back on
// the 1st, so November has 721 hours: 199.00 × 348 ÷ 721 = 96.0499…, and 5,000 × 348 ÷
// 721 = 2,413.31484… credits.
func TestExplainAProratedFeeByHand(t *testing.T) {
	t.Parallel()
	out := call(t, "explain", "--config", worldRun(t, "training"), "TC-2026-0008/2")
	for _, want := range []string{
		"199.00 × 1,252,800 s ÷ 2,595,600 s of 2026-11 = 96.049930651872…, rounded to 96.05 USD", "beacon/allowance/2026-11-16T17:00:00Z",
		"5,000 credits × 1,252,800 s ÷ 2,595,600 s of 2026-11 = 2,413.314840499306…, rounded to 2,413.31484", "be-3, subscription.changed",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// By hand, from imagegen/README.md: cardo's i-c6 costs 25 × (3 + 1) = 100 credits. 50 of
// its month's overage were used, so it crosses the step at 100: 50 cost 6.50 for 100,
// 50 cost 5.50. espliego's i-e5 costs 15 × 9 = 135: 19 of 200 monthly credits for 14.00,
// two top-ups of 50 for 5.00 each, 16 denied. The README of the project shows w-c4.
func TestExplanationsOfImagegenByHand(t *testing.T) {
	t.Parallel()
	config := worldRun(t, "imagegen")
	for _, tc := range []struct {
		subject string
		want    []string
	}{
		{"i-c6", []string{
			"25 images × 3 = 75", "25 images × 1 = 25", "75 + 25 = 100", "overage of 2026-10 before it: 50 credits",
			"50 credits ÷ 100 × 6.50 (studio version 1, step 1) = 3.25 EUR", "50 credits ÷ 100 × 5.50 (studio version 1, step 2) = 2.75 EUR",
			"IG-2026-00002/2", "IG-2026-00002/3",
		}},
		{"i-e5", []string{
			": 135 credits, paid by allowance 19, topup 50, topup 50, 16 denied", "15 images × 9 = 135", "19 credits × 14.00 ÷ 200 = 1.33 USD",
			"50 credits × 5.00 ÷ 50 = 5.00 USD", "IG-2026-00004/2", "IG-2026-00004/3",
		}},
		{"IG-2026-00004/3", []string{"es-3, topup.set", "0.5 units × 10.00 = 5.00 USD", "creditmill explain i-e5 --account espliego", "espliego/topup/2026-10/2"}},
		{"IG-2026-00002/4", []string{"on 45.00 + 6.50 + 2.75 = 54.25", "54.25 × 0.21 = 11.3925, rounded to 11.39 EUR"}},
	} {
		out := call(t, "explain", "--config", config, tc.subject)
		for _, want := range tc.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q:\n%s", tc.subject, want, out)
			}
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	// The paths of files are as the configuration is named: here by its whole path.
	out := strings.ReplaceAll(call(t, "explain", "--config", config, "w-c4"), filepath.Dir(config)+"/", "")
	if !strings.Contains(string(readme), "$ creditmill explain w-c4\n"+out) {
		t.Errorf("the README's example is not what is said:\n%s", out)
	}
}
