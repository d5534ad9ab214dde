package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/invoice/document"
)

// formatText is the format of `invoice` for a terminal; the others are those of documents.
const formatText = "text"

// invoiceFlags are the flags of `invoice`.
type invoiceFlags struct {
	formats   []string
	html, pdf bool
	to        string
	month     string
	account   string
	limit     int
	look      bool // --json on the terminal: the document and what has happened to it since
}

func (a *app) invoiceCommand() *cobra.Command {
	f := invoiceFlags{limit: 20}
	cmd := &cobra.Command{
		Use:   "invoice [NUMBER...]",
		Short: "Show invoices and notes, list them, or write them as JSON, HTML or PDF",
		Long: "Show an invoice or note by its number, and the notes that correct it, or write it into a file. Without a number,\n" +
			"list the newest ones, those of an account (its billing history) or of a month; with --to, write them into a\n" +
			"folder, a file each, named by their numbers. A note is of the month it was issued in. What is written, or\n" +
			"printed with --format, is the document alone, which never changes.",
		Example: "  creditmill invoice INV-2026-000001\n" +
			"  creditmill invoice INV-2026-000001 --to acme.pdf\n" +
			"  creditmill invoice --account acme\n" +
			"  creditmill invoice --period 2026-10 --to invoices --format html,pdf,json",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(f.month)
			if err != nil {
				return err
			}
			if err := a.checkInvoiceFlags(&f, args); err != nil {
				return err
			}
			s := document.Selection{Period: p, Account: f.account, Numbers: args}
			switch {
			case len(args) == 0 && f.to == "":
				return a.listInvoices(cmd.Context(), s, f.limit)
			case len(args) == 1 && !f.intoFolder():
				return a.oneInvoice(cmd.Context(), args[0], &f)
			default:
				return a.writeInvoices(cmd.Context(), s, f)
			}
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.formats, "format", nil, "text, json, html or pdf, or several of the last three with commas between them (default: as FILE ends; text for a terminal, html for a folder)")
	flags.BoolVar(&f.html, "html", false, "make HTML: the same as --format html")
	flags.BoolVar(&f.pdf, "pdf", false, "make PDF: the same as --format pdf")
	flags.StringVar(&f.to, "to", "", "write into this `FILE`, or folder for several documents or formats")
	flags.StringVar(&f.to, "output", "", "the same as --to")
	flags.StringVar(&f.month, "period", "", "those of this `MONTH`, such as 2026-10")
	flags.StringVar(&f.account, "account", "", "those of this `ACCOUNT`")
	flags.IntVar(&f.limit, "limit", f.limit, "list at most `N`, the newest")
	return cmd
}

// checkInvoiceFlags refuses what makes no sense together and fills in what is not said.
func (a *app) checkInvoiceFlags(f *invoiceFlags, numbers []string) error {
	if f.html {
		f.formats = append(f.formats, string(document.HTML))
	}
	if f.pdf {
		f.formats = append(f.formats, string(document.PDF))
	}
	if a.json && len(f.formats) == 0 && len(numbers) == 1 {
		f.formats, f.look = []string{formatJSON}, f.to == ""
	}
	slices.Sort(f.formats)
	f.formats = slices.Compact(f.formats)
	for _, format := range f.formats {
		if format != formatText && !slices.Contains(document.Formats(), document.Format(format)) {
			return usagef("--format %s: choose text, json, html or pdf", format)
		}
	}
	switch {
	case len(numbers) > 0 && (f.month != "" || f.account != ""):
		return usagef("name invoices, or say which with --period and --account, not both")
	case len(numbers) == 0 && f.to == "" && len(f.formats) > 0:
		return usagef("name an invoice, or a folder with --to")
	case len(numbers) == 0 && f.to != "" && f.month == "" && f.account == "":
		return usagef("say which invoices to write: numbers, --period or --account")
	case f.to == "" && (len(numbers) > 1 || len(f.formats) > 1):
		return usagef("several documents or formats are written into a folder: name it with --to")
	}
	folder := f.to != "" && (len(numbers) != 1 || f.intoFolder())
	switch {
	case folder && slices.Contains(f.formats, formatText):
		return usagef("--format text is for one document: choose json, html or pdf for a folder")
	case len(f.formats) > 0:
	case folder:
		f.formats = []string{string(document.HTML)}
	default:
		f.formats = []string{formatText}
		if ending := strings.TrimPrefix(filepath.Ext(f.to), "."); slices.Contains(document.Formats(), document.Format(ending)) {
			f.formats = []string{ending}
		}
	}
	if f.to == "" && len(numbers) == 1 && f.formats[0] == string(document.PDF) && isTerminal(a.stdout) {
		return usagef("PDF is not for a terminal: write it into a file with --to")
	}
	return nil
}

// intoFolder reports whether one document goes into a folder: there are several
// formats, or --to is one.
func (f *invoiceFlags) intoFolder() bool {
	info, err := os.Stat(f.to)
	return len(f.formats) > 1 || strings.HasSuffix(f.to, string(filepath.Separator)) || err == nil && info.IsDir()
}

// oneInvoice prints a document, or writes it into a file. For who looks it up, as text
// or with --json, it adds the notes that correct it, which the document itself never has.
func (a *app) oneInvoice(ctx context.Context, number string, f *invoiceFlags) (err error) {
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	documents, err := m.Documents(ctx, document.Selection{Numbers: []string{number}})
	if err != nil {
		return noInvoice(err)
	}
	defer func() { err = errors.Join(err, documents.Close()) }()
	d, err := documents.Next()
	if err != nil {
		return err
	}
	var (
		content []byte
		missing []rune
		notes   []document.Note
		format  = f.formats[0]
	)
	if format == formatText || f.look {
		if notes, err = documents.Notes(ctx, d.Number); err != nil {
			return err
		}
	}
	switch {
	case format == formatText:
		content = []byte(invoiceText(d) + notesText(d, notes))
	case f.look:
		content, err = d.JSONWith(notes)
	default:
		content, missing, err = d.Render(document.Format(format))
	}
	if err != nil {
		return err
	}
	a.warnMissing(number, missing)
	if f.to != "" {
		return os.WriteFile(f.to, content, 0o644)
	}
	_, err = a.stdout.Write(content)
	return err
}

func noInvoice(err error) error {
	if missing := new(document.NotFoundError); errors.As(err, missing) {
		return withHint(err, "`creditmill invoice` lists the newest, --account and --period others")
	}
	return err
}

// warnMissing says which characters a PDF could not show.
func (a *app) warnMissing(number string, missing []rune) {
	if len(missing) > 0 {
		a.warnf("%s, PDF: no font has %s; U+FFFD stands for it. HTML and JSON have all characters", printable(number), characters(missing))
	}
}

// characters lists characters by their numbers: they may be what no terminal shows either.
func characters(runes []rune) string {
	const most = 8
	var names []string
	for _, r := range runes[:min(most, len(runes))] {
		names = append(names, fmt.Sprintf("U+%04X", r))
	}
	text := strings.Join(names, ", ")
	if more := len(runes) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// mostWarnings is how many documents are named that PDF could not show whole.
const mostWarnings = 20

// writeInvoices writes documents into a folder, a file for each and each format.
func (a *app) writeInvoices(ctx context.Context, s document.Selection, f invoiceFlags) error {
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	report := writtenDocument{Period: optional(s.Period.String()), Account: optional(s.Account), Files: []string{}, Missing: []missingDocument{}}
	to := document.Files{Folder: f.to, Written: func(w document.Written) {
		if a.json {
			report.Files = append(report.Files, w.Files...)
		}
		if len(w.Missing) > 0 {
			if report.incomplete++; len(report.Missing) < mostWarnings {
				report.Missing = append(report.Missing, missingDocument{w.Number, characters(w.Missing), w.Missing})
			}
		}
	}}
	for _, format := range f.formats {
		to.Formats = append(to.Formats, document.Format(format))
	}
	count, err := m.WriteDocuments(ctx, s, to)
	if err != nil {
		return noInvoice(err)
	}
	done()
	report.Documents = count
	slices.Sort(report.Files)
	slices.SortFunc(report.Missing, func(a, b missingDocument) int { return strings.Compare(a.Number, b.Number) })
	return a.wrote(report, f)
}

type writtenDocument struct {
	Period    *string           `json:"period"`
	Account   *string           `json:"account"`
	Documents int64             `json:"documents"`
	Files     []string          `json:"files"`
	Missing   []missingDocument `json:"missing"` // the first that are not whole as PDF

	incomplete int
}

type missingDocument struct {
	Number     string `json:"number"`
	Characters string `json:"characters"`

	runes []rune
}

func (a *app) wrote(r writtenDocument, f invoiceFlags) error {
	for _, m := range r.Missing {
		a.warnMissing(m.Number, m.runes)
	}
	if more := r.incomplete - len(r.Missing); more > 0 {
		a.warnf("and %s more with characters that no font of PDF has", count(int64(more), "document"))
	}
	switch {
	case a.json:
		return a.print(r)
	case r.Documents == 0:
		a.printf("There are none: nothing was written.\n")
	default:
		a.printf("Wrote %s as %s into %s.\n", count(r.Documents, "document"), strings.Join(f.formats, ", "), f.to)
	}
	return nil
}
