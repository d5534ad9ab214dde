package main

import (
	"context"
	"encoding/csv"
	"errors"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/jobs"
)

// The formats of `query`.
const (
	formatTable = "table"
	formatCSV   = "csv"
	formatJSON  = "json"
)

func (a *app) queryCommand() *cobra.Command {
	format := formatTable
	cmd := &cobra.Command{
		Use:   "query SQL",
		Short: "Run one SELECT over the live tables",
		Long: "Run exactly one SELECT, or an EXPLAIN of one, over the live tables. The partition (day or period) is a\n" +
			"table's last column. Nothing else of the machine can be read, and nothing can be written.",
		Example: "  creditmill query \"SELECT account, sum(credits) FROM rated GROUP BY ALL ORDER BY ALL\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json {
				format = formatJSON
			}
			switch format {
			case formatTable, formatCSV, formatJSON:
			default:
				return usagef("--format %s: choose table, csv or json", format)
			}
			return a.read(cmd.Context(), func(_ *jobs.Mill, r *jobs.Reader) error {
				return a.query(cmd.Context(), r.Session(), args[0], format)
			}, args[0])
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "print a table, csv or json")
	return cmd
}

func (a *app) query(ctx context.Context, s *duck.Session, text, format string) error {
	err := s.CheckReadOnly(ctx, text)
	if errors.Is(err, duck.ErrNotReadOnly) {
		return withHint(err, "to take tables elsewhere, use --format csv or json, or read the Parquet that `creditmill files TABLE` lists")
	}
	if err != nil {
		return err
	}
	if format == formatCSV {
		return a.queryCSV(ctx, s, text)
	}
	found, err := fetch(ctx, s, text)
	if err != nil {
		return err
	}
	if format == formatJSON {
		return a.print(map[string]any{"columns": found.columns, "rows": found.objects()})
	}
	a.printf("%s", found.grid())
	a.printf("  %s\n", count(int64(len(found.rows)), "row"))
	return nil
}

func (a *app) queryCSV(ctx context.Context, s *duck.Session, text string) error {
	found, err := fetch(ctx, s, text)
	if err != nil {
		return err
	}
	w := csv.NewWriter(a.stdout)
	if err := w.Write(found.columns); err != nil {
		return err
	}
	for _, row := range found.rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = plain(value)
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
