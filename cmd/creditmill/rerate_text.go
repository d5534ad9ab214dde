package main

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/report"
)

// rerated prints what a re-rating found and did.
func (a *app) rerated(r rerateResult) {
	s := r.summary
	what := "Re-rating " + s.Span()
	if s.Account != "" {
		what += ", account " + printable(s.Account) + ","
	}
	if len(s.Drafts) == 1 {
		a.printf("%s%s %s.\n", what, withDraft(s.Drafts[0]), s.Sentence(0, grouped))
	} else {
		a.printf("%s\n", what)
		for i, d := range s.Drafts {
			a.printf("  with %s %s.\n", printable(d.Label()), s.Sentence(i, grouped))
		}
	}
	a.printf("%s looked at, %s priced anew.\n", count(r.Calls, "call"), grouped(strconv.FormatInt(r.Priced, 10)))
	for _, b := range r.Held {
		a.printf("Held in it, and not today: %s: %s, such as %s.\n  → %s\n", printable(b.Reason), grouped(strconv.FormatInt(b.Count, 10)), printable(short(b.Examples[0], maxExample)), printable(b.Resolve))
	}
	if !s.Nothing() {
		a.differences(s)
	}
	for i, file := range r.files {
		if i == 0 {
			a.printf("\n")
		}
		if file.Rows != nil {
			a.printf("Wrote %s into %s.\n", count(*file.Rows, "difference"), printable(file.Path))
		} else {
			a.printf("Wrote the report into %s.\n", printable(file.Path))
		}
	}
	switch {
	case r.Run != nil:
		a.rerateCommit(r)
	case r.reason != "":
		a.printf("\nNothing was committed: what stands is what it should be.\n")
	case !s.Nothing():
		a.rerateNext(r)
	}
}

func withDraft(d report.Draft) string {
	if d.Name == "" {
		return ""
	}
	return " with " + printable(d.Name)
}

// differences prints the sums, and the accounts or lines.
func (a *app) differences(s *report.Summary) {
	a.printf("\n%s", rerateGrid(s, s.Totals, []string{"all", "unit"}, func(r report.Row) []string { return []string{s.Words(r), r.Unit} }))
	a.printf("\n%s", causeGrid(s))
	if s.From != s.Through && s.Account == "" {
		month := ""
		a.printf("\n%s", rerateGrid(s, s.Periods, []string{"by period", "", "unit"}, func(r report.Row) []string {
			name := r.Name
			if name == month {
				name = ""
			}
			month = r.Name
			return []string{name, s.Words(r), r.Unit}
		}))
	}
	if s.Account != "" {
		a.rerateLines(s)
	} else {
		a.rankings(s)
	}
	if len(s.Drafts) == 1 {
		a.printf("\nBefore and after are of what differs alone.\n")
	}
}

// changeColumns are the columns of changes: three of one draft, else one a draft.
func changeColumns(s *report.Summary) []string {
	if len(s.Drafts) == 1 {
		return []string{"before", "after", "difference"}
	}
	var head []string
	for _, d := range s.Drafts {
		head = append(head, short(d.Label(), 40))
	}
	return head
}

func differenceCells(unit string, changes []report.Change) []string {
	if len(changes) == 1 {
		c := changes[0]
		return []string{grouped(report.Text(unit, c.Before)), grouped(report.Text(unit, c.After)), plus(report.Text(unit, c.Difference()))}
	}
	var cells []string
	for _, c := range changes {
		cells = append(cells, plus(report.Text(unit, c.Difference())))
	}
	return cells
}

// withChanges is a table with texts first and then the columns of changes.
func withChanges(s *report.Summary, head ...string) *grid {
	columns := changeColumns(s)
	g := newGrid(append(slices.Clone(head), columns...)...)
	for i := range columns {
		g.numbers(len(head) + i)
	}
	return g
}

func rerateGrid(s *report.Summary, rows []report.Row, head []string, texts func(report.Row) []string) *grid {
	g := withChanges(s, head...)
	for _, r := range rows {
		g.add(append(texts(r), differenceCells(r.Unit, r.Changes)...)...)
	}
	return g
}

// causeGrid is what each cause comes to; of a single draft, with the calls it changed.
func causeGrid(s *report.Summary) *grid {
	if len(s.Drafts) > 1 {
		return rerateGrid(s, s.Causes, []string{"by cause", "unit"}, func(r report.Row) []string { return []string{r.Name, r.Unit} })
	}
	g := rerateGrid(s, s.Causes, []string{"by cause", "unit", "calls"}, func(r report.Row) []string {
		calls := ""
		if r.Measure == report.Rated {
			calls = grouped(strconv.FormatInt(r.Calls[0], 10))
		}
		return []string{r.Name, r.Unit, calls}
	})
	return g.numbers(2)
}

// rankings lists the accounts with the largest changes of each unit.
func (a *app) rankings(s *report.Summary) {
	for _, r := range s.Rankings {
		g := withChanges(s, "accounts, "+r.Unit)
		if len(s.Drafts) == 1 && r.Unit == report.Credits {
			g = newGrid(append(g.head, "balance")...).numbers(1, 2, 3, 4)
		}
		g = newGrid(append(g.head, "cause")...).numbers(numbersFrom(1, len(g.head))...)
		for _, account := range r.Accounts {
			cells := append([]string{account.Name}, differenceCells(r.Unit, account.Changes)...)
			if len(s.Drafts) == 1 && r.Unit == report.Credits {
				cells = append(cells, plus(report.Text(r.Unit, account.Balances[0].Difference())))
			}
			g.add(append(cells, strings.Join(account.Causes, ", "))...)
		}
		a.printf("\n%s%s", g, more(len(r.Accounts), r.Of))
	}
}

func (a *app) rerateLines(s *report.Summary) {
	head := []string{"period", "what", "item", "unit", "cause", "calls", "before", "after", "difference"}
	if len(s.Drafts) > 1 {
		head = append([]string{"prices"}, head...)
	}
	g := newGrid(head...).numbers(numbersFrom(len(head)-4, len(head))...)
	for _, l := range s.Lines {
		calls := ""
		if l.Calls != 0 {
			calls = grouped(strconv.FormatInt(l.Calls, 10))
		}
		row := []string{l.Period, strings.ReplaceAll(l.Measure, "_", " "), l.Item, l.Unit, l.Cause, calls}
		if len(s.Drafts) > 1 {
			row = append([]string{s.Drafts[l.Draft].Label()}, row...)
		}
		g.add(append(row, differenceCells(l.Unit, []report.Change{l.Change})...)...)
	}
	a.printf("\n%s%s", g, more(len(s.Lines), s.AllLines))
}

// numbersFrom are the numbers from first to before end.
func numbersFrom(first, end int) (list []int) {
	for i := first; i < end; i++ {
		list = append(list, i)
	}
	return list
}

// rerateNext says what to do with what was found.
func (a *app) rerateNext(r rerateResult) {
	a.printf("\nNothing was changed.\n")
	if r.summary.Account == "" {
		a.printf("  --account ACCOUNT             shows one account line by line\n")
	}
	if len(r.files) == 0 {
		a.printf("  --html FILE, --parquet FILE   write the report as a page, and all differences\n")
	}
	switch {
	case r.summary.Account != "":
	case len(r.Drafts) == 0:
		a.printf("  --commit --reason TEXT        makes it so, and issues the notes in %s\n", r.open)
	default:
		a.printf("  A draft counts once it is a version of the configuration: `creditmill check`, then `creditmill rerate --from %s`\n", r.From)
	}
}

// rerateCommit says what a commit did, and what follows.
func (a *app) rerateCommit(r rerateResult) {
	a.printf("\nCommitted as run %d: %s\n", r.Run.Number, printable(r.reason))
	a.printf("It takes the place of %s; written anew: %s of %s.\n", count(int64(len(r.Run.Replaced)), "file"), strings.Join(writtenAnew(r.Run), ", "), r.summary.Span())
	if len(r.RerateReport.Notes) == 0 {
		a.printf("No notes: what accounts are charged stays as it was.\n")
	} else {
		g := newGrid("issued in "+r.open.String(), "currency", "notes", "subtotal", "tax", "total", "first", "last").numbers(2, 3, 4, 5)
		for _, n := range r.RerateReport.Notes {
			write := func(amount interface{ Rat() *big.Rat }) string { return grouped(report.Text(n.Currency, amount.Rat())) }
			g.add(strings.ReplaceAll(n.Kind, "_", " "), n.Currency, grouped(strconv.FormatInt(n.Count, 10)), write(n.Subtotal), write(n.Tax), write(n.Total), n.First, n.Last)
		}
		a.printf("\n%s\n`creditmill invoice --period %s --to FOLDER --format html,pdf` writes them as documents.\n", g, r.open)
	}
	a.printf("`creditmill apply` brings the balances of %s up to date.\n", r.open)
	a.printf("For the books, the log's head is\n  %s\n", r.Head)
}

// writtenAnew are the tables by period that a run wrote, notes aside.
func writtenAnew(run *lake.Run) []string {
	var list []string
	for _, file := range run.Files {
		_, err := period.Parse(file.Partition)
		if err == nil && file.Table != lake.Invoices.Name && file.Table != lake.InvoiceLines.Name && !slices.Contains(list, file.Table) {
			list = append(list, file.Table)
		}
	}
	return list
}
