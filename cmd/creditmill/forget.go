package main

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) forgetCommand() *cobra.Command {
	options := jobs.ForgetOptions{Random: rand.Reader}
	cmd := &cobra.Command{
		Use:   "forget (--account NAME | --key KEY) --reason TEXT",
		Short: "Erase a person: a pseudonym takes the place of the name",
		Long: "Erase a person, an account or a key, for good: in every row a random pseudonym takes the place of the\n" +
			"name, what account events say of the person goes, and so does the raw text of rejects that mention the name.\n" +
			"Issued invoices and notes stay as they are; the table kept_parties alone still names their customer.\n" +
			"Files that had the person's rows are deleted, earlier generations too. It asks nothing, and cannot be undone.\n\n" +
			"The published copy gets the pseudonym too. Raw logs, exports, pages, other published copies\n" +
			"and backups are yours to delete.\n\n" +
			"The reason stays in the log: do not write the name there. With --dry-run it only says what there is.",
		Example: "  creditmill forget --account jane@example.com --dry-run\n" +
			"  creditmill forget --account jane@example.com --reason 'request 2026-114'\n" +
			"  creditmill forget --key sk-live-7f2a --reason 'left the company'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case (options.Account == "") == (options.Key == ""):
				return usagef("forget takes either --account NAME or --key KEY")
			case strings.TrimSpace(options.Reason) == "" && !options.DryRun:
				return usagef("forget needs --reason TEXT: it stays in the log, so it must not have the name")
			}
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Forget(cmd.Context(), options)
			done()
			if err != nil && report.Run == nil {
				return err
			}
			if a.json {
				if printed := a.print(newForgetDocument(report)); printed != nil {
					return printed
				}
				return err
			}
			a.forgot(report, options.Account+options.Key)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Account, "account", "", "forget the account of this `NAME`")
	flags.StringVar(&options.Key, "key", "", "forget the key of this `KEY`, of every account")
	flags.StringVar(&options.Reason, "reason", "", "why, as a `TEXT` that stays in the log and must not have the name")
	flags.BoolVar(&options.DryRun, "dry-run", false, "only say what there is")
	return cmd
}

// A forgetDocument is what `forget --json` prints. Run and pseudonym are null of a dry
// run, and where an earlier run had left only files to delete or the copy to publish.
type forgetDocument struct {
	Run       *int64                   `json:"run"`
	Column    string                   `json:"column"` // account or key
	Pseudonym *string                  `json:"pseudonym"`
	Tables    []forgottenTableDocument `json:"tables"`
	Documents int64                    `json:"kept_documents"`
	Deleted   int64                    `json:"deleted_files"` // or those that would be
	Finished  int64                    `json:"deleted_for_an_earlier_run"`
	Published bool                     `json:"published"` // there is a published copy, and it has the pseudonym
	Left      []stillNamedDocument     `json:"still_named"`
	Objects   []string                 `json:"objects_with_the_name"` // the first
	More      int64                    `json:"more_objects"`
}

type forgottenTableDocument struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Files int64  `json:"files"`
	Kept  int64  `json:"kept_files"`
}

type stillNamedDocument struct {
	Where string `json:"where"`
	Count int64  `json:"count"`
}

func newForgetDocument(r jobs.ForgetReport) forgetDocument {
	document := forgetDocument{
		Run: number(r.Run), Column: r.Column, Pseudonym: optional(r.Pseudonym), Tables: []forgottenTableDocument{},
		Documents: r.Documents, Deleted: r.Deleted, Finished: r.Finished, Published: r.Published != 0,
		Left: []stillNamedDocument{}, Objects: append([]string{}, r.Objects...), More: r.More,
	}
	for _, t := range r.Tables {
		document.Tables = append(document.Tables, forgottenTableDocument(t))
	}
	for _, l := range r.Left {
		document.Left = append(document.Left, stillNamedDocument(l))
	}
	return document
}

// forgot prints what a forget has done, or would do.
func (a *app) forgot(r jobs.ForgetReport, name string) {
	dry := r.Run == nil
	switch {
	case dry && len(r.Tables) == 0:
		if r.Finished > 0 {
			a.printf("No row has this name. %s deleted that an earlier run had condemned.\n", were(r.Finished, "file"))
		}
		if r.Published != 0 {
			a.printf("%s is not in the lake; the published copy is as of run %d.\n", printable(name), r.Published)
		}
		return
	case dry:
		a.printf("Of this %s there are:\n", r.Column)
	default:
		a.printf("Forgot the %s: its pseudonym is %s.\n", r.Column, r.Pseudonym)
	}
	grid := newGrid("table", "rows", "files").numbers(1, 2)
	kept := int64(0)
	for _, t := range r.Tables {
		grid.add(t.Table, thousands(t.Rows), thousands(t.Files))
		kept += t.Kept
	}
	a.printf("%s", grid)
	if kept > 0 {
		a.printf("  and %s that issued documents are made of\n", count(kept, "earlier file"))
	}
	if r.Documents > 0 {
		a.printf("%s in the table kept_parties.\n", keptDocuments(r.Documents))
	}
	if len(r.Left) > 0 || len(r.Objects) > 0 {
		a.printf("The name stays, for what it is part of cannot change, in:\n")
		left := newGrid("where", "how often").numbers(1)
		for _, l := range r.Left {
			left.add(l.Where, thousands(l.Count))
		}
		for _, key := range r.Objects {
			left.add("the key of raw object "+key, "")
		}
		a.printf("%s", left)
		if r.More > 0 {
			a.printf("  and the keys of %s\n", count(r.More, "more object"))
		}
	}
	if dry {
		a.printf("A dry run: nothing was changed. %s have the name in them and would be deleted.\n", count(r.Deleted, "file"))
		return
	}
	a.printf("Committed as run %d. Deleted %s that had the name, whatever `retention` says.\n", r.Run.Number, count(r.Deleted, "file"))
	if r.Finished > 0 {
		a.printf("%s deleted besides that an earlier run had condemned.\n", were(r.Finished, "file"))
	}
	if r.Published != 0 {
		a.printf("The published copy has the pseudonym.\n")
	}
	a.printf("Raw logs, exports, pages, other published copies, backups and older versions of a versioned bucket are yours to delete.\n")
}

func were(n int64, thing string) string {
	if n == 1 {
		return count(n, thing) + " was"
	}
	return count(n, thing) + " were"
}

func keptDocuments(n int64) string {
	if n == 1 {
		return "1 issued document stays as it is: what it prints of its customer is"
	}
	return count(n, "issued document") + " stay as they are: what they print of their customer is"
}

// thousands writes a number as people do.
func thousands(n int64) string { return grouped(strconv.FormatInt(n, 10)) }
