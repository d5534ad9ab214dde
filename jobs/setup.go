package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice"
	"github.com/creditmill/creditmill/invoice/catalog"
	"github.com/creditmill/creditmill/rate/price"
)

// A Setup is a configuration with everything it names, read and checked.
type Setup struct {
	Config  *config.Config
	Sources []*source.Source
	Prices  *price.Book
	Catalog *catalog.Catalog
}

// LoadSetup reads creditmill.yaml at path and the files it names. The error is a
// ConfigError that lists all that is wrong in all of them. Tests of prices are read
// only where something is wrong, so that all is told at once: see [Mill.TestPrices].
func LoadSetup(path string) (*Setup, error) {
	return newSetup(config.Load(path))
}

// newSetup reads the files of a configuration.
func newSetup(c *config.Config, problems *yamlfile.Problems) (*Setup, error) {
	s := &Setup{Config: c}
	s.Sources = source.Parse(convert(c.Sources, func(f config.File) source.File { return source.File{Name: f.Name, Text: f.Content} }), problems)
	declared, err := source.Columns(nil, s.Sources...)
	if err != nil && problems.Len() == 0 { // source.Parse tells it better
		return nil, ConfigError{err}
	}
	s.Prices = price.Parse(convert(c.Prices, func(f config.File) price.File { return price.File{Name: f.Name, Content: f.Content} }), declared, problems)
	s.Catalog = catalog.Parse(convert(c.Catalog, func(f config.File) catalog.File { return catalog.File{Name: f.Name, Content: f.Content} }), problems)
	problems.OneOf(c.UnknownNode, s.Catalog.PlanNames()...)
	if problems.Len() > 0 {
		priceTests(c, s.Sources, declared, problems)
		return nil, ConfigError{problems.Err()}
	}
	return s, nil
}

// convert gives the configuration's files to the step that reads them.
func convert[F any](read []config.File, to func(config.File) F) []F {
	list := make([]F, len(read))
	for i, file := range read {
		list[i] = to(file)
	}
	return list
}

// stamp fills in what every run's manifest says of how it was made.
func (m *Mill) stamp(ctx context.Context, run *lake.Run) error {
	run.ID, run.Now = lake.NewRunID(), m.Now()
	run.Tool, run.DuckDB, run.TimeZoneData = m.options.Tool, m.duckDB, period.DataVersion
	if run.Read == 0 {
		run.Read = m.Lake.State().Head
	}
	if m.Lake.State().Founding == nil {
		run.Founding = &lake.Founding{FirstPeriod: m.Config.FirstPeriod, TimeZone: m.Config.TimeZone, Currency: m.Config.Currency.String()}
	}
	for _, file := range m.Config.Files() {
		sha256, err := m.Lake.KeepConfig(ctx, file.Content)
		if err != nil {
			return fmt.Errorf("keep a copy of %s: %w", file.Path, err)
		}
		run.Configs = append(run.Configs, lake.ConfigRef{Name: file.Path, SHA256: sha256})
	}
	return nil
}

// Kinds of versions that runs record.
const (
	priceTable = "price table"
	plan       = "plan"
	pack       = "pack"
)

// A versionFile is a version and the file that defines it.
type versionFile struct {
	lake.VersionRef
	file string
}

// versionFiles lists every version that the configuration holds.
func (m *Mill) versionFiles() []versionFile {
	var all []versionFile
	for _, v := range m.Prices.Versions() {
		all = append(all, versionFile{lake.VersionRef{Kind: priceTable, Name: v.Table, Version: v.Version, SHA256: v.SHA256}, v.File})
	}
	for _, v := range m.Catalog.Plans() {
		all = append(all, versionFile{lake.VersionRef{Kind: plan, Name: v.Name, Version: v.Version, SHA256: v.SHA256}, v.File})
	}
	for _, v := range m.Catalog.Packs() {
		all = append(all, versionFile{lake.VersionRef{Kind: pack, Name: v.Name, Version: v.Version, SHA256: v.SHA256}, v.File})
	}
	return all
}

// used is what the manifest of a rating says of the price versions it used.
func used(versions []price.VersionRef) []lake.VersionRef {
	var refs []lake.VersionRef
	for _, v := range versions {
		refs = append(refs, lake.VersionRef{Kind: priceTable, Name: v.Table, Version: v.Version, SHA256: v.SHA256})
	}
	return refs
}

// catalogVersions is what the manifest of a close says of the plans and packs it
// was made with: all that were in force by the period's end.
func (m *Mill) catalogVersions(p period.Period) []lake.VersionRef {
	end := m.Calendar.End(p)
	var refs []lake.VersionRef
	for _, v := range m.Catalog.Plans() {
		if v.EffectiveFrom.Before(end) {
			refs = append(refs, lake.VersionRef{Kind: plan, Name: v.Name, Version: v.Version, SHA256: v.SHA256})
		}
	}
	for _, v := range m.Catalog.Packs() {
		if v.EffectiveFrom.Before(end) {
			refs = append(refs, lake.VersionRef{Kind: pack, Name: v.Name, Version: v.Version, SHA256: v.SHA256})
		}
	}
	return refs
}

// totalsOf are a burn-down's control totals.
func totalsOf(r invoice.Report) lake.Totals {
	return lake.Totals{Calls: r.Totals.Calls, Accounts: r.Totals.Accounts, Invoices: r.Totals.Invoices, Credits: r.Totals.Credits, Money: r.Totals.Money}
}

func sum(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// blocked is the error of a close that its blocks stopped.
func blocked(blocks []Block) error {
	var reasons []string
	for _, b := range blocks {
		reasons = append(reasons, fmt.Sprintf("%s (%d): %s", b.Reason, b.Count, b.Resolve))
	}
	return fmt.Errorf("%s", strings.Join(slices.Compact(reasons), "; "))
}
