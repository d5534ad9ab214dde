package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) filesCommand() *cobra.Command {
	var partition string
	cmd := &cobra.Command{
		Use:   "files TABLE",
		Short: "Print where a table's live Parquet files lie",
		Long: "Print the paths of a table's live files, one a line, and with --json also their partitions, rows, bytes, SHA-256\n" +
			"and runs. The lake's folders also hold what was replaced: read what is listed here, not what a glob finds.",
		Example: "  creditmill files rated --period 2026-10\n" +
			"  creditmill files usage --period 2026-10-31 --json",
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return tableNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := partitions(args[0], partition)
			if err != nil {
				return err
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			files, err := m.Files(args[0], "")
			if err != nil {
				return err
			}
			document := []fileDocument{}
			for _, file := range files {
				if !in(file.Partition) {
					continue
				}
				document = append(document, fileDocument{m.Lake.Location(file), file.Partition, file.Rows, file.Bytes, file.SHA256, file.Run})
			}
			if a.json {
				return a.print(map[string]any{"table": args[0], "files": document})
			}
			for _, file := range document {
				a.printf("%s\n", file.Path)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&partition, "period", "", "print those of one `MONTH` only; of usage, rejected and voided also of a day in UTC")
	return cmd
}

// partitions reports which partitions of a table a period names: all where it is empty.
func partitions(table, named string) (in func(partition string) bool, err error) {
	i := slices.IndexFunc(lake.Tables(), func(t lake.Table) bool { return t.Name == table })
	if i < 0 {
		if _, isView := jobs.Describe(table, nil); isView {
			return nil, usagef("%s is a view and has no files: query it, or write it into one with `creditmill export %[1]s`", table)
		}
		return nil, usagef("there is no table %s; the tables are %s", printable(table), strings.Join(tableNames(), ", "))
	}
	if named == "" {
		return func(string) bool { return true }, nil
	}
	_, monthErr := period.Parse(named)
	_, dayErr := time.Parse(time.DateOnly, named)
	switch by := lake.Tables()[i].Partition; {
	case by == lake.ByPeriod && monthErr == nil, by == lake.ByDay && dayErr == nil:
		return func(partition string) bool { return partition == named }, nil
	case by == lake.ByDay && monthErr == nil:
		return func(partition string) bool { return strings.HasPrefix(partition, named+"-") }, nil
	case by == lake.ByDay:
		return nil, usagef("--period %s: the files of %s are kept by day: name one, such as 2026-10-31, or a month, such as 2026-10", printable(named), table)
	case by == lake.ByPeriod:
		return nil, usagef("--period %s: the files of %s are kept by month: name one, such as 2026-10", printable(named), table)
	default:
		return nil, usagef("the files of %s are kept neither by month nor by day: leave out --period", table)
	}
}

type fileDocument struct {
	Path      string `json:"path"`
	Partition string `json:"partition"`
	Rows      int64  `json:"rows"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
	Run       int64  `json:"run"`
}

func tableNames() []string {
	var names []string
	for _, t := range lake.Tables() {
		names = append(names, t.Name)
	}
	return names
}
