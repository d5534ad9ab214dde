package main

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/jobs"
)

// The services of SPEC section 13 and what each must show, word by word. The tables in
// clauses_worlds_test.go take each clause and say where its world shows it.
var section13 = map[string]string{
	"vision": "plans Free, Business, Professional; a monthly supply renewed on the day of purchase, unused credits expire; each operation " +
		"costs its own credits; credit packs without expiry, used only after the monthly supply, available to Free too; upgrade and downgrade: " +
		"the old supply adds to the new, is used first, and stays until the old month ends",
	"imagegen": "image generation 1–9 credits by quality, size and variations; background removal 2 an image; OCR 1; upscaling 1–9 by output " +
		"resolution; transparent background +1; a batch counts every image; web and API metered alike; monthly credits reset, prepaid ones " +
		"expire after 12 months; Free is paused at 0; protection on blocks at 100 %, off bills the rest; alerts at 80, 100 and 110 %; auto " +
		"top-up; usage as JSON",
	"scraper": "credits by endpoint and target domain (wildcards) and by data returned; tiers of plans; unused credits expire; overage " +
		"charges; the value of a credit visible per call",
	"training": "organisations with projects and members, calendar plans; training, inference and data processing priced by processing time, " +
		"data volume and compute together; packages Standard 1,000, Professional 5,000, Enterprise custom; Standard expires, Professional rolls " +
		"over up to 3 months, Enterprise has its own terms; usage from the 1st to the last day, invoice on the 1st; usage alerts at thresholds; " +
		"reports by project and time; billing history",
	"models": "pay as you go, no subscription; funds in USD at 2,000,000 credits = 1 USD; hundreds of models with prices per token; charges " +
		"shown in credits and USD; automatic refill; top-ups not refundable; VAT; 18,000 calls an hour as the limit.",
	"models/azure": "Besides its own logs it must bill the real calls in `../shared/data/azure-llm-2023` (28,185 of them), read where they lie and " +
		"never copied into the project",
}

// A clause is words of section 13 and what shows that they hold.
type clause struct {
	words string
	shown []shown
}

// A shown is one statement over the finished lake and its rows, a row's cells parted
// by spaces: numbers without trailing zeros, NULL as a dash. The rows are worked out in
// the world's README. What no table tells is checked.
type shown struct {
	statement string // `{look BEGINS}` in it is the statement of demo.yaml's look that begins so
	rows      []string
	check     func(t *testing.T, config string)
}

// notYet are the clauses that need what does not exist yet, by world, and what that is.
var notYet = map[string]map[string]string{
	"models": {"18,000 calls an hour as the limit": "the view of rate-limit breaches (SPEC section 11, Views; section 14, 32)"},
}

// Every word of section 13's table belongs to a clause that is shown, or that is named as
// one that cannot be shown yet.
func TestEveryClauseOfTheServicesIsShown(t *testing.T) {
	for _, world := range append(fixtures.Worlds(), "models/azure") {
		rest := section13[world]
		if rest == "" {
			t.Errorf("section 13 does not speak of %s", world)
		}
		for _, c := range clauses[world] {
			between, behind, found := strings.Cut(rest, c.words)
			if between = strings.Trim(between, " ;:,."); !found || between != "" && between != "and" {
				t.Errorf("%s: the clause %q does not follow in %q", world, c.words, rest)
			}
			rest = behind
			reason := notYet[world][c.words]
			if (len(c.shown) == 0) != (reason != "") {
				t.Errorf("%s: the clause %q is shown by %d statements, and not yet for this reason: %q", world, c.words, len(c.shown), reason)
			}
			if reason != "" {
				t.Logf("%s, not shown yet: %s, which needs %s", world, c.words, reason)
			}
		}
		if strings.Trim(rest, " .") != "" {
			t.Errorf("%s: no clause is %q", world, rest)
		}
	}
}

// checkClauses runs a world's statements over its finished lake.
func checkClauses(t *testing.T, world, config string) {
	t.Helper()
	a := &app{name: "creditmill", stdout: t.Output(), stderr: t.Output(), clock: time.Now, config: config}
	defer func() {
		for _, m := range a.mills {
			if err := m.Release(); err != nil {
				t.Error(err)
			}
		}
	}()
	err := a.read(context.Background(), func(_ *jobs.Mill, r *jobs.Reader) error {
		for _, c := range clauses[world] {
			for _, s := range c.shown {
				if s.check != nil {
					s.check(t, config)
					continue
				}
				statement := lookPlace.ReplaceAllStringFunc(s.statement, func(place string) string {
					return lookStatement(t, world, lookPlace.FindStringSubmatch(place)[1])
				})
				found, err := fetch(context.Background(), r.Session(), statement)
				if err != nil {
					return fmt.Errorf("%s: %s\n%w", c.words, statement, err)
				}
				if got := rowTexts(found); !slices.Equal(got, s.rows) {
					t.Errorf("%s: %s\n%s\ngives\n  %s\nwant\n  %s", world, c.words, s.statement, strings.Join(got, "\n  "), strings.Join(s.rows, "\n  "))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

var lookPlace = regexp.MustCompile(`\{look (.*?)\}`)

func rowTexts(r result) (rows []string) {
	for _, row := range r.rows {
		cells := make([]string, len(row))
		for i, value := range row {
			if cells[i] = plain(value); value == nil {
				cells[i] = "-"
			}
			cells[i] = strings.Trim(cells[i], `"`)
		}
		rows = append(rows, strings.Join(canonical([][]string{cells})[0], " "))
	}
	return rows
}

// lookStatement is the statement of a world's demo.yaml that begins so: what it tells a
// newcomer to look at must be what the clause says.
func lookStatement(t *testing.T, world, begins string) string {
	t.Helper()
	files, err := fixtures.Open(world)
	if err != nil {
		t.Fatal(err)
	}
	script, err := readDemoScript(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range script.Look {
		if _, text, quoted := strings.Cut(command, ` "`); quoted && strings.HasPrefix(text, begins) {
			return strings.TrimSuffix(strings.TrimSpace(text), `"`)
		}
	}
	t.Fatalf("%s/demo.yaml has no statement that begins %s", world, begins)
	return ""
}

// No file of the world models is a copy of the real calls: they are read where they lie.
func TestTheRealCallsAreNotInTheProject(t *testing.T) {
	models, err := fixtures.Open("models")
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.WalkDir(models, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(models, name)
		if strings.Contains(string(text), "TIMESTAMP,ContextTokens") || strings.Contains(string(text), "2023-11-16 18:17:03.97996") {
			t.Errorf("%s holds real calls", name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
