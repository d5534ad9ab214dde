package main

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and those of DuckDB and the time zone data",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := duck.Open(cmd.Context(), duck.Options{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			var duckDB string
			if err := s.Row(cmd.Context(), "SELECT version()").Scan(&duckDB); err != nil {
				return fmt.Errorf("DuckDB's version: %w", err)
			}
			if a.json {
				return a.print(map[string]string{
					"version": version, "duckdb": duckDB, "time_zone_data": period.DataVersion, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			a.printf("creditmill %s (DuckDB %s, time zones %s, %s %s/%s)\n", version, duckDB, period.DataVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
