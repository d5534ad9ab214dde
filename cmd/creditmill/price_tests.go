package main

import (
	"strconv"

	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/rate/price"
)

// A testsDocument is what `check --json` says of the tests of prices.
type testsDocument struct {
	Passed int                  `json:"passed"`
	Failed []failedTestDocument `json:"failed"`
}

type failedTestDocument struct {
	At       string            `json:"at"` // file:line:column
	Name     *string           `json:"name"`
	Call     map[string]string `json:"call"` // the columns that are not NULL
	Expected verdictDocument   `json:"expected"`
	Got      verdictDocument   `json:"got"`
	Hint     string            `json:"hint"`
}

// A verdictDocument is what a call came to. In what a test expects, null is what it
// does not ask for.
type verdictDocument struct {
	Credits *string `json:"credits"`
	Held    *string `json:"held"`
	Table   *string `json:"table"`
	Version *int    `json:"version"`
	Rule    *int    `json:"rule"`
}

func newTestsDocument(r jobs.PriceTestReport) testsDocument {
	document := testsDocument{r.Passed, []failedTestDocument{}}
	for _, f := range r.Failed {
		failed := failedTestDocument{f.Node.Pos().String(), optional(f.Name), map[string]string{}, newVerdictDocument(f.Want), newVerdictDocument(f.Got), f.Hint}
		for _, field := range f.Call.Fields() {
			failed.Call[field.Name] = field.Value
		}
		document.Failed = append(document.Failed, failed)
	}
	return document
}

func newVerdictDocument(v price.Verdict) verdictDocument {
	document := verdictDocument{Held: optional(v.Held), Table: optional(v.Table)}
	if v.Held == "" {
		document.Credits = optional(v.Credits.String())
	}
	if v.Version != 0 {
		document.Version = &v.Version
	}
	if v.Rule != 0 {
		document.Rule = &v.Rule
	}
	return document
}

// verdict is the first line of `check`.
func (d testsDocument) verdict(config string) string {
	if len(d.Failed) == 0 {
		return config + " is right."
	}
	return config + ": " + count(int64(len(d.Failed)), "test") + " of prices failed."
}

// String is the line of `check` that says how many tests there are; empty for none.
func (d testsDocument) String() string {
	switch all := int64(d.Passed + len(d.Failed)); {
	case all == 0:
		return ""
	case len(d.Failed) == 0:
		return "  tests     " + count(all, "test") + " of prices passed\n"
	default:
		return "  tests     " + grouped(strconv.Itoa(d.Passed)) + " of " + count(all, "test") + " of prices passed\n"
	}
}
