package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
)

func (a *app) filesCommand() *cobra.Command {
	var partition string
	cmd := &cobra.Command{
		Use:   "files TABLE",
		Short: "Print where a table's live Parquet files lie",
		Long: "Print the paths of a table's live files, one a line. The lake's folders also hold what was replaced:\n" +
			"read what is listed here, not what a glob finds.",
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return tableNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(tableNames(), args[0]) {
				return usagef("there is no table %s; the tables are %v", printable(args[0]), tableNames())
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			files, err := m.Files(args[0], partition)
			if err != nil {
				return err
			}
			document := []fileDocument{}
			for _, file := range files {
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
	cmd.Flags().StringVar(&partition, "period", "", "print those of one `PARTITION` only: a month, or a day for usage, rejected and voided")
	return cmd
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
