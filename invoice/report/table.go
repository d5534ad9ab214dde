package report

import (
	"math/big"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/page"
)

// A table has texts first, from column Numbers on numbers.
type table struct {
	Title   string
	Head    []string
	Numbers int
	Rows    [][]string
	Note    string
}

// changeHead are the columns of changes: three of a single draft, else one a draft.
func (s *Summary) changeHead() []string {
	if len(s.Drafts) == 1 {
		return []string{"Before", "After", "Change"}
	}
	var head []string
	for _, d := range s.Drafts {
		head = append(head, page.Visible(d.Label()))
	}
	return head
}

func changeCells(unit string, changes []Change) []string {
	if len(changes) == 1 {
		c := changes[0]
		return []string{amount(unit, c.Before), amount(unit, c.After), signed(unit, c.Difference())}
	}
	var cells []string
	for _, c := range changes {
		cells = append(cells, signed(unit, c.Difference()))
	}
	return cells
}

func (s *Summary) table(title string, head []string, rows []Row, texts func(Row) []string) table {
	t := table{Title: title, Head: append(head, s.changeHead()...), Numbers: len(head)}
	for _, r := range rows {
		t.Rows = append(t.Rows, append(texts(r), changeCells(r.Unit, r.Changes)...))
	}
	return t
}

func (s *Summary) accountsTable(r Ranking) table {
	t := table{Title: "Accounts with the largest change, " + r.Unit, Head: append([]string{"Account", "Causes"}, s.changeHead()...), Numbers: 2}
	if r.Unit == Credits && len(s.Drafts) == 1 {
		t.Head = append(t.Head, "Held at the end, change")
	}
	for _, a := range r.Accounts {
		row := append([]string{page.Visible(a.Name), strings.Join(a.Causes, ", ")}, changeCells(r.Unit, a.Changes)...)
		if r.Unit == Credits && len(s.Drafts) == 1 {
			row = append(row, signed(r.Unit, a.Balances[0].Difference()))
		}
		t.Rows = append(t.Rows, row)
	}
	if left := r.Of - int64(len(r.Accounts)); left > 0 {
		t.Note = "And " + count(left) + " more."
	}
	return t
}

func (s *Summary) spreadTable(h Histogram) table {
	t := table{Title: "Accounts by the size of their change, " + h.Unit, Head: []string{"Change"}, Numbers: 1}
	if len(s.Drafts) == 1 {
		t.Head = append(t.Head, "Accounts")
	} else {
		t.Head = append(t.Head, s.changeHead()...)
	}
	for _, b := range h.Bins {
		if !slices.ContainsFunc(b.Counts, func(n int64) bool { return n > 0 }) {
			continue
		}
		from, to := b.Bounds()
		edge := func(n *big.Int) string { return page.Group(n.String()) }
		name := edge(from) + " to below " + edge(to) + " more"
		if b.Power == 1 {
			name = "below 1 more"
		}
		if b.Power < 0 {
			name = strings.TrimSuffix(name, "more") + "less"
			if b.Power == -1 {
				name = "below 1 less"
			}
		}
		row := []string{name}
		for _, n := range b.Counts {
			row = append(row, count(n))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (s *Summary) notesTable(issued bool) table {
	t := table{Title: "Notes that a commit issues", Head: []string{"Kind", "Currency"}, Numbers: 2}
	if issued {
		t.Title = "Notes issued"
	}
	if len(s.Drafts) == 1 {
		t.Head = append(t.Head, "Notes", "Before tax", "Tax", "In all")
	} else {
		t.Head = append(t.Head, s.changeHead()...)
	}
	for _, n := range s.Notes {
		row := []string{noteWords(n.Kind), n.Currency}
		if len(s.Drafts) == 1 {
			row = append(row, count(n.Counts[0]), amount(n.Currency, n.Subtotal[0]), amount(n.Currency, n.Tax[0]), amount(n.Currency, n.Total(0)))
		} else {
			for i, c := range n.Counts {
				row = append(row, count(c)+" of "+amount(n.Currency, n.Total(i)))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (s *Summary) linesTable() table {
	t := table{Title: "Line by line", Head: []string{"Period", "What", "Item", "Unit", "Cause"}, Numbers: 5}
	if len(s.Drafts) > 1 {
		t.Head = append([]string{"Prices"}, t.Head...)
		t.Numbers++
	}
	t.Head = append(t.Head, "Before", "After", "Change")
	for _, l := range s.Lines {
		row := []string{l.Period, strings.ReplaceAll(l.Measure, "_", " "), page.Visible(l.Item), l.Unit, l.Cause}
		if len(s.Drafts) > 1 {
			row = append([]string{page.Visible(s.Drafts[l.Draft].Label())}, row...)
		}
		t.Rows = append(t.Rows, append(row, changeCells(l.Unit, []Change{l.Change})...))
	}
	if left := s.AllLines - int64(len(s.Lines)); left > 0 {
		t.Note = "And " + count(left) + " more."
	}
	return t
}
