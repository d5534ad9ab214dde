package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creditmill/creditmill/internal/page"

	"github.com/creditmill/creditmill/internal/period"
)

//go:embed page.html
var pageText string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Parse(pageText))
})

// A Page is what the page says beside the summary.
type Page struct {
	Issuer    string
	Now       time.Time
	Head      string // SHA-256 of the log's head that was read, or that the commit made
	Calls     int64  // of the re-rated periods
	Committed int64  // the run; 0: nothing was changed
	Reason    string // of the commit
	Tool      string // version of creditmill
	Held      []Held // what would be held, or is
}

// A Held is calls or account events that the replay holds and that count as things stand.
type Held struct {
	What    string // and the reason
	Count   int64
	Example string
}

// HTML writes the summary as one file without scripts or references: charts, and below
// them the exact numbers. It reads on a phone, prints, and follows the reader's choice
// of light or dark. Text is escaped wherever it comes from.
func (s *Summary) HTML(w io.Writer, p Page) error {
	if err := pageTemplate().Execute(w, s.view(p)); err != nil {
		return fmt.Errorf("report of %s: %w", s.Span(), err)
	}
	return nil
}

// Span is the periods that were re-rated: "2026-08", "2026-08 to 2026-10".
func (s *Summary) Span() string {
	if s.From == s.Through {
		return s.From.String()
	}
	return s.From.String() + " to " + s.Through.String()
}

// The view is what the page's template shows: texts, and charts in pixels.
type view struct {
	Title, Issuer, State string
	Lead                 string
	Facts                []fact
	Held                 []Held
	Drafts               []series
	Several              bool
	Cards                []card
	Glance               table
	Sections             []section
	Sums                 []table
	Footer               string
}

type fact struct{ Name, Value string }

type series struct{ Class, Label string }

type card struct{ Name, Value, Class, Note string }

// A section is what changes in one unit.
type section struct {
	Title, About string
	Causes       *bars
	Periods      *bars
	Accounts     *bars
	AccountsNote string
	Spread       *columns
	Tables       []table
	Less, More   string // what the two sides of the charts mean
}

const (
	wholeWidth = 960
	halfWidth  = 464
)

func (s *Summary) view(p Page) view {
	v := view{
		Title: "Re-rating " + s.Span(), Issuer: page.Visible(p.Issuer), Several: len(s.Drafts) > 1, Lead: s.lead(),
		State: "Nothing was changed: this is what a commit would do.",
		Facts: []fact{{"Periods", s.Span()}, {"Calls looked at", count(p.Calls)}},
	}
	for _, h := range p.Held {
		v.Held = append(v.Held, Held{page.Visible(h.What), h.Count, page.Visible(h.Example)})
	}
	if p.Committed != 0 {
		v.State = fmt.Sprintf("Committed as run %d: %s", p.Committed, page.Visible(p.Reason))
	}
	if s.Account != "" {
		v.Title += ", account " + page.Visible(s.Account)
	}
	for i, d := range s.Drafts {
		v.Drafts = append(v.Drafts, series{fmt.Sprintf("d%d", i%colours), page.Visible(d.Label())})
	}
	if !v.Several {
		v.Facts = append(v.Facts, fact{"Prices and plans", v.Drafts[0].Label})
	}
	v.Facts = append(v.Facts, fact{"Made at", period.FormatInstant(p.Now)})
	v.Footer = fmt.Sprintf("creditmill %s. The log's head: %s", page.Visible(p.Tool), p.Head)
	if s.Nothing() {
		return v
	}
	if v.Several {
		v.Glance = s.glance(v.Drafts)
	} else {
		v.Cards = s.cards()
	}
	for _, unit := range s.Units() {
		v.Sections = append(v.Sections, s.section(unit))
	}
	v.Sums = append(v.Sums, s.table("All sums", []string{"Unit", "What"}, s.Totals, func(r Row) []string { return []string{r.Unit, s.Words(r)} }))
	if len(s.Notes) > 0 {
		v.Sums = append(v.Sums, s.notesTable(p.Committed != 0))
	}
	v.Sums = append(v.Sums,
		s.table("By cause", []string{"Cause", "Unit"}, s.Causes, func(r Row) []string { return []string{r.Name, r.Unit} }),
		s.table("By period", []string{"Period", "Unit", "What"}, s.Periods, func(r Row) []string { return []string{r.Name, r.Unit, s.Words(r)} }))
	if s.Account != "" {
		v.Sums = append(v.Sums, s.linesTable())
	}
	return v
}

// lead says what there is to see.
func (s *Summary) lead() string {
	if len(s.Drafts) > 1 && !s.Nothing() {
		return things(int64(len(s.Drafts)), "draft") + " compared with what stands today."
	}
	return "This " + s.Sentence(0, page.Group) + "."
}

// Sentence says what a draft does: "changes 3 accounts: 2 debit notes of 5.00 USD in
// all". write is how a decimal is written.
func (s *Summary) Sentence(draft int, write func(decimal string) string) string {
	n := s.Drafts[draft].Accounts
	if n == 0 {
		return "changes nothing"
	}
	var notes []string
	for _, note := range s.Notes {
		if c := note.Counts[draft]; c > 0 {
			notes = append(notes, things(c, noteWords(note.Kind))+" of "+write(Text(note.Currency, note.Total(draft)))+" "+note.Currency+" in all")
		}
	}
	if len(notes) == 0 {
		return "changes " + things(n, "account") + ", but no charge"
	}
	return "changes " + things(n, "account") + ": " + strings.Join(notes, ", ")
}

// Words name a row's measure.
func (s *Summary) Words(r Row) string {
	if r.Measure == Balance {
		if r.Name != "" {
			return "held at the period's end"
		}
		return "held at the end of " + s.Through.String()
	}
	return map[string]string{
		Subtotal: "before tax", Tax: "tax", Total: "charged, with tax",
		Rated: "rated", Overage: "overage", Denied: "denied", Expired: "expired",
	}[r.Measure]
}

// total finds the sum of a measure; nil where it does not change.
func (s *Summary) total(measure, unit string) *Row {
	for i, r := range s.Totals {
		if r.Measure == measure && r.Unit == unit {
			return &s.Totals[i]
		}
	}
	return nil
}

func (s *Summary) cards() []card {
	d := s.Drafts[0]
	list := []card{{Name: "Accounts changed", Value: count(d.Accounts), Note: count(d.More) + " owe more, " + count(d.Less) + " less"}}
	for _, unit := range s.Units() {
		measure, name := Total, "Charged, "+unit
		if unit == Credits {
			measure, name = Rated, "Credits rated"
		}
		r := s.total(measure, unit)
		if r == nil {
			continue
		}
		c := card{Name: name, Value: signed(unit, r.Changes[0].Difference()), Class: seriesClass(1, 0, r.Changes[0].Difference()), Note: s.notesOf(unit)}
		if unit == Credits {
			c.Note = "in " + things(d.Calls, "call")
		}
		if r.Changes[0].Difference().Sign() == 0 {
			c.Class = ""
		}
		list = append(list, c)
	}
	return list
}

// noteWords names a kind of note.
func noteWords(kind string) string { return strings.ReplaceAll(kind, "_", " ") }

// notesOf says what notes of a currency come to: "2 credit notes −3.00, 1 debit note 5.00".
func (s *Summary) notesOf(currency string) string {
	var parts []string
	for _, n := range s.Notes {
		if n.Currency == currency && n.Counts[0] > 0 {
			parts = append(parts, things(n.Counts[0], noteWords(n.Kind))+" "+amount(currency, n.Total(0)))
		}
	}
	return strings.Join(parts, ", ")
}

// glance puts the drafts beside each other.
func (s *Summary) glance(drafts []series) table {
	t := table{Title: "At a glance", Head: []string{""}, Numbers: 1}
	for _, d := range drafts {
		t.Head = append(t.Head, d.Label)
	}
	add := func(name string, cell func(i int) string) {
		row := []string{name}
		for i := range s.Drafts {
			row = append(row, cell(i))
		}
		t.Rows = append(t.Rows, row)
	}
	add("Accounts changed", func(i int) string { return count(s.Drafts[i].Accounts) })
	add("owe more", func(i int) string { return count(s.Drafts[i].More) })
	add("owe less", func(i int) string { return count(s.Drafts[i].Less) })
	for _, unit := range s.Units() {
		if unit == Credits {
			if r := s.total(Rated, unit); r != nil {
				add("Credits rated", func(i int) string { return signed(unit, r.Changes[i].Difference()) })
				add("Calls whose credits differ", func(i int) string { return count(s.Drafts[i].Calls) })
			}
			continue
		}
		add("Charged, "+unit, func(i int) string { return signed(unit, s.total(Total, unit).Changes[i].Difference()) })
		for _, n := range s.Notes {
			if n.Currency == unit {
				add(strings.ToUpper(n.Kind[:1])+noteWords(n.Kind)[1:]+"s, "+unit, func(i int) string {
					return count(n.Counts[i]) + " of " + amount(unit, n.Total(i))
				})
			}
		}
	}
	return t
}

func (s *Summary) section(unit string) section {
	sec := section{Title: unit, About: "what accounts are charged, with tax", Less: "owes less", More: "owes more"}
	measure := Total
	if unit == Credits {
		measure = Rated
		sec = section{Title: "Credits", About: "what calls are rated at", Less: "fewer credits", More: "more credits"}
	}
	rows := func(from []Row) (list []labelled) {
		for _, r := range from {
			if r.Unit == unit && r.Measure == measure {
				list = append(list, labelled{r.Name, r.Changes})
			}
		}
		return list
	}
	causes, periods := rows(s.Causes), rows(s.Periods)
	size := halfWidth
	if len(s.Drafts) > 1 {
		size = wholeWidth
	}
	sec.Causes = newBars("By cause, "+unit, unit, size, causes)
	if s.From != s.Through {
		sec.Periods = newBars("By period, "+unit, unit, size, periods)
	}
	for _, h := range s.Histograms {
		if h.Unit == unit && s.Account == "" {
			sec.Spread = newColumns("Accounts by the size of their change, "+unit, wholeWidth, h)
			sec.Tables = append(sec.Tables, s.spreadTable(h))
		}
	}
	for _, r := range s.Rankings {
		if r.Unit != unit || s.Account != "" {
			continue
		}
		var accounts []labelled
		for _, a := range r.Accounts {
			if slices.ContainsFunc(a.Changes, func(c Change) bool { return c.Difference().Sign() != 0 }) { // else its balance alone
				accounts = append(accounts, labelled{page.Visible(a.Name), a.Changes})
			}
		}
		sortByFirst(accounts)
		sec.Accounts = newBars("Accounts by their change, "+unit, unit, wholeWidth, accounts)
		if int64(len(r.Accounts)) < r.Of {
			sec.AccountsNote = fmt.Sprintf("The %s with the largest change, of %s.", count(int64(len(r.Accounts))), things(r.Of, "account"))
		}
		sec.Tables = append([]table{s.accountsTable(r)}, sec.Tables...)
	}
	return sec
}
