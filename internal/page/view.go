package page

import (
	"fmt"
	"slices"
	"strings"
)

// How many rows a table has at most that is not folded: below a chart, which shows the
// same, and alone.
const (
	openBelowChart = 12
	openAlone      = 40
	onePage        = 16 // that is not broken in print
)

// view is what the template shows.
type view struct {
	*Page
	State    []span
	Sections []sectionView
	Footer   [][]span
}

type sectionView struct {
	ID    string
	Title string
	About []span
	Parts []partView
}

type partView struct {
	ID       string
	Title    string
	About    []span
	Empty    []span
	Cards    []cardView
	PerRow   int // cards
	Drawings []*drawing
	Table    *tableView
	Note     []span
	Half     bool
	Name     string
	Comment  []span // on the statement
	SQL      string
}

type cardView struct {
	Title   []span
	Value   cell
	Letters int // room that the value takes
	Note    []span
	Mark    bool
}

type tableView struct {
	Head   []headCell
	Rows   [][]*cell // nil: there is no such value
	Folded bool
	Short  bool // is not broken in print
	Narrow bool // has few columns
}

type headCell struct {
	Words  string
	Cell   *cell
	Number bool
}

func (p *Page) view() (*view, error) {
	shown := *p
	shown.Issuer, shown.Title, shown.Lead, shown.Facts = Visible(p.Issuer), Visible(p.Title), Visible(p.Lead), nil
	for _, f := range p.Facts {
		shown.Facts = append(shown.Facts, Fact{f.Name, Visible(f.Value)})
	}
	v := &view{Page: &shown, State: prose(p.State)}
	for _, paragraph := range p.Footer {
		v.Footer = append(v.Footer, prose(paragraph))
	}
	parts := 0
	for i, s := range p.Sections {
		sv := sectionView{ID: fmt.Sprintf("s%d", i+1), Title: s.Title, About: prose(s.About)}
		for _, part := range s.Parts {
			parts++
			pv, err := part.view(fmt.Sprintf("p%d", parts))
			if err != nil {
				return nil, err
			}
			sv.Parts = append(sv.Parts, *pv)
		}
		v.Sections = append(v.Sections, sv)
	}
	return v, nil
}

func (p *Part) view(id string) (*partView, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Query.Name, err)
	}
	v := &partView{ID: id, Title: p.Title, Half: p.Half, Name: p.Query.Name, Comment: prose(p.Query.About), SQL: p.Query.Text}
	if len(p.Query.Rows) == 0 {
		v.Empty = prose(p.Empty)
		return v, nil
	}
	p.align()
	v.About, v.Note, v.PerRow = p.text(p.About, 0), p.text(p.Note, 0), perRow(len(p.Cards))
	for row := range p.Query.Rows {
		for _, card := range p.Cards {
			if !p.Query.Rows[row][p.Query.column(card.Value)].Null {
				v.Cards = append(v.Cards, p.card(card, row))
			}
		}
	}
	for _, chart := range p.Charts {
		if d := chart.draw(p, p.Half); d != nil {
			d.About = d.describe(p.Title)
			v.Drawings = append(v.Drawings, d)
		}
	}
	if p.Table != None {
		v.Table = p.table()
	}
	return v, nil
}

// perRow is how many of so many cards stand in a row.
func perRow(cards int) int {
	switch {
	case cards <= 5:
		return cards
	case cards%3 == 0:
		return 3
	}
	return 4
}

func (p *Part) card(card Card, row int) cardView {
	column := p.Query.column(card.Value)
	if card.Title == "" {
		card.Title = p.spec(card.Value).title()
	}
	v := cardView{Title: p.text(card.Title, row), Value: p.cell(row, column), Note: p.text(card.Note, row)}
	v.Mark = card.Mark && p.Query.number(row, column).Sign() != 0
	v.Letters = max(Width(v.Value.Shown), 1)
	return v
}

// check finds columns that the result does not have: a fault of the program.
func (p *Part) check() error {
	var names []string
	for _, c := range p.Columns {
		names = append(names, c.Name)
	}
	for _, c := range p.Cards {
		names = append(names, c.Value)
	}
	if p.Down != "" {
		names = append(names, p.Down, p.Across, p.Value)
	}
	for _, chart := range p.Charts {
		switch c := chart.(type) {
		case Columns:
			names = append(names, c.Over, c.Value)
			if c.Series != "" {
				names = append(names, c.Series)
			}
		case Bars:
			names = append(names, c.Label, c.Value)
			if c.Beside != "" {
				names = append(names, c.Beside)
			}
		case Waterfall:
			for _, step := range c.Steps {
				names = append(names, step.Column)
			}
		}
	}
	for _, name := range names {
		if p.Query.column(name) < 0 {
			return fmt.Errorf("its result has no column %s, but %v", name, p.Query.Columns)
		}
	}
	return nil
}

func (p *Part) table() *tableView {
	t := &tableView{}
	if p.Down != "" {
		p.crossed(t)
	} else {
		p.listed(t)
	}
	open := openAlone
	if len(p.Charts) > 0 {
		open = openBelowChart
	}
	t.Folded = p.Table == Folded || p.Table == Auto && len(t.Rows) > open
	t.Short, t.Narrow = len(t.Rows) <= onePage, len(t.Head) <= 4
	return t
}

// listed is the result as a table of its rows.
func (p *Part) listed(t *tableView) {
	columns := p.Columns
	if len(columns) == 0 {
		for _, name := range p.Query.Columns {
			columns = append(columns, Column{Name: name})
		}
	}
	for _, c := range columns {
		t.Head = append(t.Head, headCell{Words: c.title(), Number: p.Query.numeric(p.Query.column(c.Name)) && c.As != Text})
	}
	for row := range p.Query.Rows {
		cells := make([]*cell, len(columns))
		for i, c := range columns {
			shown := p.cell(row, p.Query.column(c.Name))
			cells[i] = &shown
		}
		t.Rows = append(t.Rows, cells)
	}
}

// crossed is the result with the values of one column down and those of another across.
func (p *Part) crossed(t *tableView) {
	q := &p.Query
	down, across, value := q.column(p.Down), q.column(p.Across), q.column(p.Value)
	t.Head = []headCell{{Words: p.spec(p.Down).title()}}
	var heads, sides []Cell
	for _, row := range q.Rows {
		if !slices.Contains(heads, row[across]) {
			heads = append(heads, row[across])
		}
		if !slices.Contains(sides, row[down]) {
			sides = append(sides, row[down])
		}
	}
	slices.SortStableFunc(sides, func(a, b Cell) int { return strings.Compare(a.Text, b.Text) })
	places := map[[2]Cell]int{}
	for i, row := range q.Rows {
		places[[2]Cell{row[down], row[across]}] = i
	}
	for _, head := range heads {
		i := slices.IndexFunc(q.Rows, func(row []Cell) bool { return row[across] == head })
		c := p.cell(i, across)
		t.Head = append(t.Head, headCell{Cell: &c, Number: true})
	}
	for _, side := range sides {
		i := slices.IndexFunc(q.Rows, func(row []Cell) bool { return row[down] == side })
		c := p.cell(i, down)
		cells := []*cell{&c}
		for _, head := range heads {
			if i, ok := places[[2]Cell{side, head}]; ok {
				c := p.cell(i, value)
				cells = append(cells, &c)
			} else {
				cells = append(cells, nil)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
}
