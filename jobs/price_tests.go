package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/rate"
	"github.com/creditmill/creditmill/rate/price"
)

// A PriceTestReport says how the configuration's tests of prices came out.
type PriceTestReport struct {
	Passed int
	Failed []FailedPriceTest // in the order of the files
}

// A FailedPriceTest is a test whose call is priced otherwise than it wants.
type FailedPriceTest struct {
	price.Test
	Got  price.Verdict
	Hint string // what to do about it
}

// priceTests reads the tests of prices. They are no part of what a run does, so
// only TestPrices reads them, and whoever has other problems to tell already.
func priceTests(c *config.Config, sources []*source.Source, declared []lake.Column, problems *yamlfile.Problems) []price.Test {
	var names []string
	for _, s := range sources {
		if s.Format != source.Accounts {
			names = append(names, s.Name)
		}
	}
	files := convert(c.Tests, func(f config.File) price.File { return price.File{Name: f.Name, Content: f.Content} })
	return price.ParseTests(files, declared, names, problems)
}

// TestPrices prices the calls of the configuration's tests, by the SELECT that
// rates usage, and compares. The lake has no part in it. A mistake in a test's file
// is a ConfigError; a test that fails is not an error: see [PriceTestReport.Err].
func (m *Mill) TestPrices(ctx context.Context) (report PriceTestReport, err error) {
	declared, err := source.Columns(nil, m.Sources...)
	if err != nil {
		return report, ConfigError{err}
	}
	var problems yamlfile.Problems
	tests := priceTests(m.Config, m.Sources, declared, &problems)
	if err := problems.Err(); err != nil {
		return report, ConfigError{err}
	}
	if len(tests) == 0 {
		return report, nil
	}
	session, err := duck.Open(ctx, duck.Options{Memory: m.Config.Memory})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	calls := make([]price.Call, len(tests))
	for i, test := range tests {
		calls[i] = test.Call
	}
	verdicts, err := rate.Try(ctx, session, m.Prices, declared, calls)
	if err != nil {
		return report, fmt.Errorf("test the prices: %w", err)
	}
	for i, test := range tests {
		if test.Passes(verdicts[i]) {
			report.Passed++
			continue
		}
		report.Failed = append(report.Failed, FailedPriceTest{test, verdicts[i], m.testHint(verdicts[i])})
	}
	return report, nil
}

// testHint says where to look when a test got this verdict.
func (m *Mill) testHint(got price.Verdict) string {
	v := m.Prices.Find(got.Table, got.Version)
	if v == nil {
		return "no price table applies to this operation at that time: mend the test, or write a table or version that does"
	}
	hint := "the rule that it matches is " + v.Place(got.Rule) + ": mend the test, or the rules"
	if got.Rule == 0 {
		hint = "no rule of " + v.File + " matches it: mend the test, or add a rule"
	}
	if _, run := m.Lake.State().Used(lake.VersionRef{Kind: priceTable, Name: v.Table, Version: v.Version}); run != 0 {
		hint += fmt.Sprintf(" (in a version %d: run %d has used this one)", m.Prices.Next(v.Table), run)
	}
	return hint
}

// Err is a ConfigError that lists the failed tests, each at its place; nil if there
// is none.
func (r PriceTestReport) Err() error {
	var problems yamlfile.Problems
	for _, f := range r.Failed {
		name := ""
		if f.Name != "" {
			name = f.Name + ": "
		}
		problems.Add(f.Node, f.Hint, "%s%s: expected %s, got %s", name, f.Call, f.Want, f.Got)
	}
	if err := problems.Err(); err != nil {
		return ConfigError{err}
	}
	return nil
}
