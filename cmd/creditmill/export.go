package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// formatParquet is a format of `export`; the others are formatJSON and formatCSV.
const formatParquet = "parquet"

// exportFlags are those of `export`.
type exportFlags struct {
	account, month string
	format, to     string
	force          bool
}

func (a *app) exportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export TABLE|VIEW | export usage --account ACCOUNT --period MONTH",
		Short: "Write a table, or an account's usage, as JSON, CSV or Parquet",
		Long: "Write the live rows of a table, or a view, as JSON, CSV (safe to open in a spreadsheet) or Parquet. `export usage` with an\n" +
			"account writes what it used in a month: its calls in the order they burn, with their prices and who paid,\n" +
			"and in JSON before them what they add up to by operation, project and key. Nothing but the file is written;\n" +
			"it is there whole or not at all.",
		Example: "  creditmill export usage --account acme --period 2026-10\n" +
			"  creditmill export balances --period 2026-10 --to balances.csv\n" +
			"  creditmill export revenue_by_month --to revenue.csv",
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append(tableNames(), sql.Names("views")...), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(f.month)
			if err != nil {
				return err
			}
			if f.format, err = a.exportFormat(f); err != nil {
				return err
			}
			return a.export(cmd.Context(), jobs.Selection{Table: args[0], Account: f.account, Period: p}, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.account, "account", "", "only rows of this `ACCOUNT`; of usage, its priced calls")
	flags.StringVar(&f.month, "period", "", "only rows of this `MONTH`, such as 2026-10, the open one too")
	flags.StringVar(&f.format, "format", "", "json, csv or parquet (default: as FILE ends, else json)")
	flags.StringVar(&f.to, "to", "", "write into this `FILE` (default: standard output)")
	flags.BoolVar(&f.force, "force", false, "replace FILE if it is there")
	return cmd
}

// exportFormat is the format that the flags ask for.
func (a *app) exportFormat(f exportFlags) (string, error) {
	formats := []string{formatJSON, formatCSV, formatParquet}
	format := f.format
	switch ending := strings.TrimPrefix(filepath.Ext(f.to), "."); {
	case format == "" && f.to == "":
		format = formatJSON
	case format == "" && slices.Contains(formats, ending):
		format = ending
	case format == "":
		return "", usagef("--to %s: its name does not end in .json, .csv or .parquet; say --format json, csv or parquet", f.to)
	case !slices.Contains(formats, format):
		return "", usagef("--format %s: choose json, csv or parquet", format)
	}
	switch {
	case f.to == "" && f.force:
		return "", usagef("--force replaces a file: name it with --to")
	case f.to == "" && a.json && format != formatJSON:
		return "", usagef("--json prints JSON: leave out --format %s, or write into a file with --to", format)
	case f.to == "" && format == formatParquet && isTerminal(a.stdout):
		return "", usagef("Parquet is not for a terminal: write it into a file with --to, or send it to another program")
	}
	return format, nil
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func (a *app) export(ctx context.Context, s jobs.Selection, f exportFlags) (err error) {
	var file *newFile
	if f.to == "" {
		a.terminal = false // no progress among the rows
	} else {
		if file, err = createFile(f.to, f.force); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.discard()) }()
	}
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	e, err := m.Export(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if file == nil {
		_, err = writeExport(ctx, a.stdout, e, f.format, isTerminal(a.stdout))
		return err
	}
	rows, err := writeExport(ctx, file, e, f.format, false)
	if err != nil {
		return err
	}
	bytes, err := file.keep()
	if err != nil {
		return err
	}
	done()
	return a.exported(exportDocument{
		Table: e.Table, Account: optional(e.Account), Period: optional(e.Period.String()), Run: e.Run,
		File: f.to, Format: f.format, Rows: rows, Bytes: bytes,
	})
}

// writeExport writes an export in a format and returns how many rows it has.
func writeExport(ctx context.Context, w io.Writer, e *jobs.Export, format string, terminal bool) (rows int64, err error) {
	out := bufio.NewWriterSize(w, 1<<16)
	switch format {
	case formatParquet:
		rows, err = e.Parquet(ctx, out)
	case formatCSV:
		rows, err = writeCSV(ctx, out, e, terminal)
	default:
		rows, err = writeJSON(ctx, out, e)
	}
	return rows, errors.Join(err, out.Flush())
}

// An exportDocument is what `export --to FILE --json` prints.
type exportDocument struct {
	Table   string  `json:"table"`
	Account *string `json:"account"`
	Period  *string `json:"period"`
	Run     int64   `json:"run"`
	File    string  `json:"file"`
	Format  string  `json:"format"`
	Rows    int64   `json:"rows"`
	Bytes   int64   `json:"bytes"`
}

func (a *app) exported(d exportDocument) error {
	if a.json {
		return a.print(d)
	}
	what := []string{count(d.Rows, "row") + " of " + d.Table}
	switch {
	case d.Account != nil && d.Table == lake.Usage.Name:
		what[0] = count(d.Rows, "call") + " of " + printable(*d.Account)
	case d.Account != nil:
		what = append(what, printable(*d.Account))
	}
	if d.Period != nil {
		what = append(what, *d.Period)
	}
	text := strings.Join(what, ", ")
	if len(what) > 1 {
		text += ","
	}
	a.printf("Wrote %s into %s, as of run %d.\n", text, printable(d.File), d.Run)
	return nil
}

// exportHead is what an export in JSON says before its rows.
func exportHead(e *jobs.Export) []member {
	if !e.OfAccount() {
		return []member{{"table", e.Table}, {"account", optional(e.Account)}, {"period", optional(e.Period.String())}, {"run", e.Run}, {"columns", e.Columns}}
	}
	return []member{
		{"account", e.Account},
		{"period", e.Period.String()},
		{"from", period.FormatInstant(e.From)},
		{"to", period.FormatInstant(e.To)},
		{"provisional", !e.Closed},
		{"run", e.Run},
	}
}
