package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
)

func (a *app) runsCommand() *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs, or show one",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			all := m.Lake.State().Runs
			runs := slices.Clone(all[max(0, len(all)-limit):])
			slices.Reverse(runs)
			if a.json {
				return a.print(map[string]any{"runs": runLines(runs), "head_sha256": m.Lake.State().HeadHash})
			}
			if len(runs) == 0 {
				a.printf("No run yet.\n")
				return nil
			}
			a.printf("%s", runGrid(runs))
			if len(runs) < len(all) {
				a.printf("  and %s before\n", count(int64(len(all)-len(runs)), "run"))
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` runs, the newest")
	cmd.AddCommand(&cobra.Command{
		Use:   "show N",
		Short: "Show the manifest of run N",
		Args:  cobra.ExactArgs(1),
		RunE:  a.showRun,
	})
	return cmd
}

func (a *app) showRun(cmd *cobra.Command, args []string) error {
	n, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return usagef("%q is no run number", args[0])
	}
	m, done, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer done()
	state := m.Lake.State()
	if n < 1 || n > state.Head {
		return fmt.Errorf("there is no run %d: the newest is %d", n, state.Head)
	}
	run := state.Runs[n-1]
	if a.json {
		return a.print(run)
	}
	a.printf("Run %d, %s", run.Number, run.Kind)
	if !run.Period.IsZero() {
		a.printf(" of %s", run.Period)
	}
	a.printf(": %s\n", printable(runSummary(run)))
	for _, fact := range [][2]string{
		{"id", run.ID},
		{"now", period.FormatInstant(run.Now)},
		{"read up to", "run " + strconv.FormatInt(run.Read, 10)},
		{"manifest before", run.Previous},
		{"made by", "creditmill " + run.Tool + ", DuckDB " + run.DuckDB + ", time zones " + run.TimeZoneData},
	} {
		a.printf("  %-16s %s\n", fact[0], printable(fact[1]))
	}
	for _, v := range run.Versions {
		a.printf("  %-16s %s version %d (%.12s…)\n", v.Kind, printable(v.Name), v.Version, v.SHA256)
	}
	for _, c := range run.Configs {
		a.printf("  %-16s %s (%.12s…)\n", "configuration", printable(c.Name), c.SHA256)
	}
	if len(run.Files) > 0 {
		grid := newGrid("table", "partition", "rows", "bytes", "file").numbers(2, 3)
		for _, f := range run.Files {
			grid.add(f.Table, f.Partition, grouped(strconv.FormatInt(f.Rows, 10)), grouped(strconv.FormatInt(f.Bytes, 10)), f.Path)
		}
		a.printf("\n%s", grid)
	}
	if len(run.Replaced) > 0 {
		a.printf("  in place of %s\n", count(int64(len(run.Replaced)), "file"))
	}
	return nil
}
