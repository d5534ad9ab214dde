package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

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
	if head := m.Lake.State().Head; n < 1 || n > head {
		return fmt.Errorf("there is no run %d: the newest is %d", n, head)
	}
	run, err := m.Lake.Run(cmd.Context(), n)
	if err != nil {
		return err
	}
	if a.json {
		return a.print(run)
	}
	a.manifest(run)
	return nil
}

// maxShown is how many paths a run is shown with; --json has all.
const maxShown = 20

// manifest prints the manifest of a run for people.
func (a *app) manifest(run *lake.Run) {
	a.printf("Run %d, %s", run.Number, run.Kind)
	if !run.Period.IsZero() {
		a.printf(" of %s", run.Period)
	}
	a.printf(": %s\n", printable(runSummary(run)))
	for _, fact := range facts(run) {
		if fact[1] != "" {
			a.printf("  %-16s %s\n", fact[0], printable(fact[1]))
		}
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
		a.printf("  in place of %s: %s\n", count(int64(len(run.Replaced)), "file"), byTable(run.Replaced))
	}
	if len(run.Rewritten) > 0 {
		a.printf("  and %s that documents are made of, written anew\n", count(int64(len(run.Rewritten)), "file"))
	}
	if len(run.Deleted) > 0 {
		a.printf("  deleted once it was committed: %s\n", byTable(run.Deleted))
		for _, path := range run.Deleted[:min(len(run.Deleted), maxShown)] {
			a.printf("    %s\n", printable(path))
		}
		if more := len(run.Deleted) - maxShown; more > 0 {
			a.printf("    and %s more: --json has all\n", grouped(strconv.Itoa(more)))
		}
	}
}

// facts are what a manifest says of its run, each with its name; "" is left out.
func facts(run *lake.Run) [][2]string {
	before := ""
	if run.Number > 1 {
		before = fmt.Sprintf("%s (run %d)", run.Previous, run.Number-1)
	}
	list := [][2]string{
		{"id", run.ID},
		{"now", period.FormatInstant(run.Now)},
		{"reason", run.Reason},
		{"read up to", "run " + strconv.FormatInt(run.Read, 10)},
		{"manifest before", before},
		{"made by", "creditmill " + run.Tool + ", DuckDB " + run.DuckDB + ", time zones " + run.TimeZoneData},
	}
	if f := run.Founding; f != nil {
		list = append(list, [2]string{"fixed for good", fmt.Sprintf("first period %s, time zone %s, currency %s", f.FirstPeriod, f.TimeZone, f.Currency)})
	}
	if run.AcceptedRejects {
		list = append(list, [2]string{"accepted", "every reject so far"})
	}
	if run.LeftHeld {
		list = append(list, [2]string{"left behind", "what was held"})
	}
	if run.FullListing {
		list = append(list, [2]string{"listed", "all raw objects"})
	}
	for _, column := range run.Columns {
		list = append(list, [2]string{"new column", column.Name + " " + column.Type})
	}
	for _, newest := range run.Newest {
		list = append(list, [2]string{"newest call", newest.Source + " " + period.FormatInstant(newest.Time)})
	}
	for _, f := range run.Forgotten {
		list = append(list, [2]string{f.Column, f.Pseudonym})
	}
	return append(list, totalFacts(run.Totals)...)
}

// totalFacts are the control totals that the summary of a run leaves out.
func totalFacts(t lake.Totals) (list [][2]string) {
	for _, counted := range []struct {
		name   string
		counts map[string]int64
	}{{"rejects", t.Rejects}, {"superseded", t.Superseded}, {"held", t.Held}} {
		list = append(list, [2]string{counted.name, byReason(counted.counts)})
	}
	list = append(list, [2]string{"credits", amounts(t.Credits, func(_, amount string) string { return grouped(trimmed(amount)) })})
	return append(list, [2]string{"invoiced", amounts(t.Money, func(currency, amount string) string { return moneyText(decimal(amount), currency) })})
}

func amounts(all map[string]string, text func(name, amount string) string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, name+" "+text(name, all[name]))
	}
	return strings.Join(parts, ", ")
}

// byTable counts paths in the lake by table: "rated 3, usage 12".
func byTable(paths []string) string {
	counts := map[string]int64{}
	for _, path := range paths {
		table := path
		if parts := strings.Split(path, "/"); len(parts) > 1 && parts[0] == "data" {
			table = parts[1]
		} else if len(parts) > 1 {
			table = parts[0]
		}
		counts[table]++
	}
	return byReason(counts)
}
