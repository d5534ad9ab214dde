package document

import (
	"slices"
	"strings"
)

// A table is rows under a head, which stands on every page that the table is on. Its
// first column takes the room that the others leave.
type table struct {
	title   string // empty: none
	columns []column
	rows    [][]string
	details []string // a second, small line in the first column, by row; may be nil
	total   bool     // the last row is a sum
	style   style
	above   float64 // room over a row's text, and under it
	below   float64
	narrow  bool // heads are broken into words
}

type column struct {
	head  string
	right bool
	style style // zero: the table's

	x, width float64
}

const (
	columnGap   = 12.0
	firstColumn = 0.38 // of the table's width: the first column has that, if it needs it
	mostSpare   = 26.0 // of the room that is left, what a column gets
	smallest    = 6.5  // size of letters that a table with wide numbers is set in
)

// table adds a table. below is what has to stand on the page of its last row.
func (l *layout) table(t *table, below float64) {
	for !l.fit(t) {
		switch {
		case !t.narrow:
			t.narrow = true
			continue
		case t.style.size > smallest:
			t.style.size -= 0.5
			for i := range t.columns {
				t.columns[i].style = style{}
			}
			continue
		}
		break
	}
	head := l.tableRow(t, t.heads(), headStyle)
	head.rule, head.ruleWidth, head.below, head.above = ink, 0.7, 4, 0
	rows := make([]*row, len(t.rows))
	for i := range t.rows {
		rows[i] = l.tableRow(t, t.rows[i], style{})
		rows[i].rule, rows[i].ruleWidth = hair, 0.5
		if t.total && i == len(rows)-1 {
			rows[i] = l.tableRow(t, t.rows[i], style{t.style.size, strongWeight, ink})
		}
		if t.details != nil {
			first := &rows[i].cells[0]
			first.lines = append(first.lines, l.lines(smallStyle, first.width, t.details[i])...)
		}
	}
	if t.title != "" {
		title := row{cells: []cell{{x: marginSide, width: contentWidth, lines: l.lines(sectionStyle, contentWidth, t.title)}}, above: 20, below: 6}
		l.keep(title.height() + head.height() + firstHeights(rows, 2))
		if l.y == marginTop {
			title.above = 0
		}
		l.add(&title)
	}
	l.keep(head.height() + firstHeights(rows, 1))
	l.add(head)
	l.repeat = head
	for i, r := range rows {
		switch {
		case i == len(rows)-1:
			l.keep(r.height() + below)
		case i == len(rows)-2 && t.total: // a sum stands on the page of a row at least
			l.keep(r.height() + rows[i+1].height() + below)
		}
		l.add(r)
	}
	l.repeat = nil
}

func firstHeights(rows []*row, n int) (height float64) {
	for _, r := range rows[:min(n, len(rows))] {
		height += r.height()
	}
	return height
}

func (t *table) heads() (heads []string) {
	for i := range t.columns {
		heads = append(heads, t.columns[i].head)
	}
	return heads
}

func (t *table) styleOf(column int) style {
	if s := t.columns[column].style; s != (style{}) {
		return s
	}
	return t.style
}

// fit gives each column its width: as much as its widest text, the rest to the first.
// It reports whether the first has enough then; if not, all have what there is.
func (l *layout) fit(t *table) bool {
	taken := 0.0
	for i := 1; i < len(t.columns); i++ {
		t.columns[i].width = l.widest(t, i)
		taken += t.columns[i].width + columnGap
	}
	room := contentWidth - min(l.widest(t, 0), contentWidth*firstColumn)
	fits := taken <= room
	if !fits { // numbers of tens of digits: they wrap
		gaps := columnGap * float64(len(t.columns)-1)
		for i := 1; i < len(t.columns); i++ {
			t.columns[i].width *= (room - gaps) / (taken - gaps)
		}
		taken = room
	}
	spare := contentWidth - taken - max(l.widest(t, 0), contentWidth*firstColumn)
	if share := min(spare/float64(len(t.columns)), mostSpare); share > 0 {
		for i := 1; i < len(t.columns); i++ {
			t.columns[i].width += share
			taken += share
		}
	}
	t.columns[0].width = contentWidth - taken
	x := marginSide
	for i := range t.columns {
		t.columns[i].x = x
		x += t.columns[i].width + columnGap
	}
	return fits
}

// widest is the width that a column's texts need, and its head.
func (l *layout) widest(t *table, column int) (width float64) {
	head := []string{t.columns[column].head}
	if t.narrow {
		head = strings.Fields(head[0])
	}
	for _, word := range head {
		width = max(width, l.width(l.printed(word), headStyle.weight, headStyle.size))
	}
	s := t.styleOf(column)
	for i, row := range t.rows {
		w := s.weight
		if t.total && i == len(t.rows)-1 {
			w = strongWeight
		}
		width = max(width, l.width(l.printed(row[column]), w, s.size))
	}
	return width
}

func (l *layout) tableRow(t *table, texts []string, as style) *row {
	r := &row{above: t.above, below: t.below}
	for i := range t.columns {
		c, s := &t.columns[i], as
		if s == (style{}) {
			s = t.styleOf(i)
		}
		r.cells = append(r.cells, cell{x: c.x, width: c.width, right: c.right, lines: l.lines(s, c.width+0.01, texts[i])})
	}
	if as == headStyle { // heads stand on the rule, whatever their number of lines
		most := 0
		for i := range r.cells {
			most = max(most, len(r.cells[i].lines))
		}
		for i := range r.cells {
			r.cells[i].lines = slices.Concat(blank(most-len(r.cells[i].lines)), r.cells[i].lines)
		}
	}
	return r
}

func blank(n int) (lines []line) {
	for range n {
		lines = append(lines, line{style: headStyle})
	}
	return lines
}
