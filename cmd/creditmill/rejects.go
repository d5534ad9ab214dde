package main

import (
	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

func (a *app) rejectsCommand() *cobra.Command {
	var (
		reason string
		limit  = 50
	)
	cmd := &cobra.Command{
		Use:   "rejects",
		Short: "List the records that could not become calls",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.read(cmd.Context(), func(_ *jobs.Mill, r *jobs.Reader) error {
				found, err := fetch(cmd.Context(), r.Session(), sql.Text("duckdb/show_rejects"), reason, limit)
				if err != nil {
					return err
				}
				return a.rejects(found, reason)
			}, lake.Rejected.Name)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "list those of one `REASON` only, such as malformed")
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` records")
	return cmd
}

func (a *app) rejects(found result, reason string) error {
	rows, of := found.document()
	switch {
	case a.json:
		return a.print(map[string]any{"rejects": rows, "total": of})
	case len(rows) == 0 && reason != "":
		a.printf("Nothing was rejected as %s.\n", printable(reason))
		return nil
	case len(rows) == 0:
		a.printf("Nothing was rejected.\n")
		return nil
	}
	grid := newGrid("object:line", "source", "reason", "detail", "record")
	for _, row := range rows {
		grid.add(plain(row["object"])+":"+plain(row["line"]), plain(row["source"]), plain(row["reason"]), short(plain(row["detail"]), 60), short(plain(row["raw"]), 60))
	}
	a.printf("%s%s", grid, more(len(rows), of))
	return nil
}
