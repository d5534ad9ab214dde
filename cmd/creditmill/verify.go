package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) verifyCommand() *cobra.Command {
	var (
		options        jobs.VerifyOptions
		month, rebuild string
	)
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Look whether the lake is what its runs made of the logs",
		Long: "Read everything that runs have written and look whether it is as they wrote it; rate every call again with\n" +
			"the configuration of its run; burn every closed month down again; and check that all of it adds up. Nothing\n" +
			"is changed. Ends with 1 if anything is wrong, and says which file, run or row, and what to do.\n\n" +
			"With --rebuild DIR the lake is made anew in DIR, from the raw logs and what its runs recorded, run by run, and\n" +
			"every row of every table is compared.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.Period, err = parsePeriod(month); err != nil {
				return err
			}
			switch {
			case options.Quick && month != "":
				return usagef("--quick looks at no month: leave --period out")
			case rebuild != "" && (options.Quick || month != "" || options.Head != ""):
				return usagef("--rebuild makes the whole lake anew: leave --quick, --period and --head out")
			case rebuild != "":
				return a.rebuild(cmd.Context(), rebuild)
			}
			return a.verify(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&options.Quick, "quick", false, "the log and the stored bytes alone")
	flags.StringVar(&month, "period", "", "the calls and the burn-down of this `MONTH` alone, such as 2026-10")
	flags.StringVar(&options.Head, "head", "", "the `SHA256` that a close printed: the log must have that manifest")
	flags.StringVar(&rebuild, "rebuild", "", "make the lake anew in the folder `DIR` and compare every row")
	return cmd
}

// verifying reads the configuration, without its lake, and what a verification needs.
func (a *app) verifying() (setup *jobs.Setup, o jobs.Options, done func(), err error) {
	setup, err = jobs.LoadSetup(a.config)
	if err != nil {
		return nil, o, nil, err
	}
	now, err := a.instant()
	if err != nil {
		return nil, o, nil, err
	}
	progress, done := a.progress()
	clock := func() time.Time { return now }
	return setup, jobs.Options{Now: clock, Log: a.log(slog.LevelWarn), Tool: version, Progress: progress}, done, nil
}

func (a *app) verify(ctx context.Context, v jobs.VerifyOptions) error {
	report, err := a.verified(func(setup *jobs.Setup, o jobs.Options) (jobs.VerifyReport, error) {
		return jobs.Verify(ctx, setup, o, v)
	})
	if err != nil {
		return err
	}
	if !a.json {
		a.strays(report.Strays)
		if report.Head != "" && v.Head == "" {
			a.printf("The log's head is\n  %s\n", report.Head)
			a.printf("Nothing in the lake covers that newest manifest: compare with the hash that its command printed, or give it to --head.\n")
		}
	}
	return wrongs(report)
}

func (a *app) rebuild(ctx context.Context, dir string) error {
	report, err := a.verified(func(setup *jobs.Setup, o jobs.Options) (jobs.VerifyReport, error) {
		return jobs.Rebuild(ctx, setup, o, dir)
	})
	if err != nil {
		return err
	}
	return wrongs(report)
}

// verified prints the report of a verification, as JSON whole, else its checks.
func (a *app) verified(do func(*jobs.Setup, jobs.Options) (jobs.VerifyReport, error)) (jobs.VerifyReport, error) {
	setup, o, done, err := a.verifying()
	if err != nil {
		return jobs.VerifyReport{}, err
	}
	report, err := do(setup, o)
	done()
	if err != nil {
		return report, err
	}
	if a.json {
		return report, a.print(newVerifyDocument(report))
	}
	a.checks(report)
	return report, nil
}

// wrongs is the error of a report with faults.
func wrongs(report jobs.VerifyReport) error {
	if n := report.Faults(); n > 0 {
		return errors.New(areThings(int(n)) + " wrong")
	}
	return nil
}

// A verifyDocument is what `verify --json` prints.
type verifyDocument struct {
	OK     bool               `json:"ok"`
	Lake   string             `json:"lake"`
	Runs   int64              `json:"runs"`
	Head   string             `json:"head_sha256"`
	Checks []verifiedDocument `json:"checks"`
	Strays []string           `json:"strays"`
}

type verifiedDocument struct {
	Check   string          `json:"check"`
	Count   int64           `json:"count"`
	Unit    string          `json:"unit"`
	State   string          `json:"state"` // ok, wrong or skipped
	Skipped *string         `json:"skipped"`
	Wrong   int64           `json:"wrong"`
	Faults  []faultDocument `json:"faults"` // the first
}

type faultDocument struct {
	Where string `json:"where"`
	Found string `json:"found"`
	Next  string `json:"next"`
}

func newVerifyDocument(r jobs.VerifyReport) verifyDocument {
	document := verifyDocument{OK: r.Faults() == 0, Lake: r.Lake, Runs: r.Runs, Head: r.Head, Checks: []verifiedDocument{}, Strays: []string{}}
	for _, c := range r.Checks {
		check := verifiedDocument{c.What, c.Count, c.Unit, checkState(c), optional(c.Skipped), int64(len(c.Faults)) + c.More, []faultDocument{}}
		for _, f := range c.Faults {
			check.Faults = append(check.Faults, faultDocument(f))
		}
		document.Checks = append(document.Checks, check)
	}
	document.Strays = append(document.Strays, r.Strays...)
	return document
}

func checkState(c jobs.Check) string {
	switch {
	case len(c.Faults) > 0:
		return "wrong"
	case c.Skipped != "":
		return "skipped"
	default:
		return "ok"
	}
}

// checks prints a table, and under it in full what is wrong.
func (a *app) checks(r jobs.VerifyReport) {
	a.printf("%s, %s\n\n", printable(r.Lake), count(r.Runs, "run"))
	grid := newGrid("check", "looked at", "", "wrong").numbers(3)
	for _, c := range r.Checks {
		wrong := ""
		if n := int64(len(c.Faults)) + c.More; n > 0 {
			wrong = grouped(strconv.FormatInt(n, 10))
		}
		grid.add(c.What, plural(c.Count, c.Unit), checkState(c), wrong)
	}
	a.printf("%s\n", grid)
	for _, c := range r.Checks {
		if c.Skipped != "" {
			a.printf("  skipped: %s: %s\n", printable(c.What), printable(c.Skipped))
		}
		for _, f := range c.Faults {
			a.printf("  wrong: %s: %s\n", printable(f.Where), printable(f.Found))
		}
		if c.More > 0 {
			a.printf("  and %s more of %s\n", grouped(strconv.FormatInt(c.More, 10)), printable(c.What))
		}
		if len(c.Faults) > 0 {
			a.printf("    → %s\n", printable(c.Faults[0].Next))
		}
	}
	if r.Faults() == 0 {
		a.printf("  Everything is as it should be.\n")
	}
}

// plural is count for units that take more than an s.
func plural(n int64, unit string) string {
	if unit == "identity" && n != 1 {
		return fmt.Sprintf("%d identities", n)
	}
	return count(n, unit)
}

// maxStrays is how many strays are listed; --json has all.
const maxStrays = 5

func (a *app) strays(strays []string) {
	if len(strays) == 0 {
		return
	}
	a.printf("  %s that no run names, which crashed commands leave behind: harmless, and left for gc\n", count(int64(len(strays)), "object"))
	for _, key := range strays[:min(len(strays), maxStrays)] {
		a.printf("    %s\n", printable(key))
	}
	if more := len(strays) - maxStrays; more > 0 {
		a.printf("    and %d more: --json lists them\n", more)
	}
}
