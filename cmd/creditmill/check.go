package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) checkCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and everything it names",
		Long: "Read the configuration, sources, prices, plans and packs, compare them with what runs of the lake have\n" +
			"recorded, look which raw objects each source matches, and run the tests of prices. Everything wrong is reported\n" +
			"at once, with file, line and column. What prices say but surely do not mean, such as a rule that no call\n" +
			"reaches, is a warning; with --strict it is an error. Nothing is changed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			landed, err := m.Landed(cmd.Context())
			if err != nil {
				return err
			}
			tests, err := m.TestPrices(cmd.Context())
			if err != nil {
				return err
			}
			document := newCheckDocument(m, landed)
			document.Tests = newTestsDocument(tests)
			warnings := m.PriceWarnings()
			document.Warnings = newWarningDocuments(warnings)
			wrong := errors.Join(tests.Err(), refusedWarnings(warnings, strict))
			if a.json {
				return errors.Join(a.print(document), wrong)
			}
			a.checked(document)
			a.warnOf(warnings)
			return wrong
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "end with exit code 2 where there is a warning")
	return cmd
}

// A checkDocument is what `check --json` prints: what the configuration holds.
type checkDocument struct {
	Config   string            `json:"config"`
	Lake     string            `json:"lake"`
	Run      int64             `json:"run"`
	First    string            `json:"first_period"`
	Open     string            `json:"open_period"`
	TimeZone string            `json:"timezone"`
	Currency string            `json:"currency"`
	Sources  []checkedSource   `json:"sources"`
	Unknown  int64             `json:"unmatched_objects"`
	Prices   []checkedVersion  `json:"prices"`
	Plans    []checkedVersion  `json:"plans"`
	Packs    []checkedVersion  `json:"packs"`
	Schedule map[string]string `json:"schedule"`
	Tests    testsDocument     `json:"tests"` // of prices
	Warnings []warningDocument `json:"warnings"`
}

type checkedSource struct {
	Source     string   `json:"source"`
	Path       string   `json:"path"`
	Format     string   `json:"format"`
	Objects    int64    `json:"objects"`
	Dimensions []string `json:"dimensions"`
	Quantities []string `json:"quantities"`
}

type checkedVersion struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	From    string `json:"effective_from"`
	File    string `json:"file"`
	UsedBy  *int64 `json:"used_by_run"` // the first run that used it
}

func newCheckDocument(m *jobs.Mill, landed map[string]int64) checkDocument {
	open, _ := m.Lake.State().Open(m.Config.FirstPeriod)
	document := checkDocument{
		Config: m.Config.File, Lake: m.Config.Lake.String(), Run: m.Lake.State().Head, First: m.Config.FirstPeriod.String(), Open: open.String(),
		TimeZone: m.Config.TimeZone, Currency: m.Config.Currency.String(), Unknown: landed[""],
		Sources: []checkedSource{}, Prices: []checkedVersion{}, Plans: []checkedVersion{}, Packs: []checkedVersion{}, Schedule: map[string]string{},
	}
	for _, s := range m.Sources {
		source := checkedSource{s.Name, s.Path().String(), s.Format.String(), landed[s.Name], []string{}, []string{}}
		for _, d := range s.Dimensions {
			source.Dimensions = append(source.Dimensions, d.Name)
		}
		for _, q := range s.Quantities {
			source.Quantities = append(source.Quantities, q.Name)
		}
		document.Sources = append(document.Sources, source)
	}
	for _, v := range m.Versions() {
		checked := checkedVersion{v.Name, v.Version, period.FormatInstant(v.EffectiveFrom), v.File, nil}
		if v.UsedBy != 0 {
			checked.UsedBy = &v.UsedBy
		}
		switch v.Kind {
		case "plan":
			document.Plans = append(document.Plans, checked)
		case "pack":
			document.Packs = append(document.Packs, checked)
		default:
			document.Prices = append(document.Prices, checked)
		}
	}
	for _, job := range m.Config.Schedule {
		document.Schedule[job.Name] = job.Cron
	}
	return document
}

func (a *app) checked(d checkDocument) {
	a.printf("%s\n\n", d.Tests.verdict(d.Config))
	a.printf("  lake      %s, %s\n", d.Lake, map[bool]string{true: "no run yet", false: fmt.Sprintf("run %d is the newest", d.Run)}[d.Run == 0])
	a.printf("  periods   from %s on, in %s; %s is open\n", d.First, d.TimeZone, d.Open)
	a.printf("  currency  %s\n%s\n", d.Currency, d.Tests)
	sources := newGrid("source", "path", "format", "objects", "dimensions", "quantities").numbers(3)
	for _, s := range d.Sources {
		sources.add(s.Source, s.Path, s.Format, grouped(fmt.Sprint(s.Objects)), strings.Join(s.Dimensions, " "), strings.Join(s.Quantities, " "))
	}
	a.printf("%s", sources)
	if d.Unknown > 0 {
		a.printf("  and %s under raw that no source matches\n", count(d.Unknown, "object"))
	}
	versions := newGrid("", "name", "version", "in force from", "file", "first used by").numbers(2)
	for _, kind := range []struct {
		name string
		list []checkedVersion
	}{{"prices", d.Prices}, {"plan", d.Plans}, {"pack", d.Packs}} {
		for _, v := range kind.list {
			used := ""
			if v.UsedBy != nil {
				used = fmt.Sprintf("run %d", *v.UsedBy)
			}
			versions.add(kind.name, v.Name, fmt.Sprint(v.Version), v.From, v.File, used)
		}
	}
	a.printf("\n%s", versions)
}
