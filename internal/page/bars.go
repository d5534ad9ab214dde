package page

import (
	"math/big"
)

const (
	barHeight = 16
	barPitch  = 25 // from one row to the next
	axisRoom  = 24
	leastTick = 64 // between two marks of a lying scale
	longLabel = 30 // letters
	leastBars = 160
	endRoom   = 24 // for the text of the last mark
)

// Bars are lying bars, a row for each row of the result, each with its label and its
// exact amount, to the right of zero or, below zero, to its left.
type Bars struct {
	Title  string
	Label  string // the column; with Beside, both
	Beside string // a second column of the label, such as the currency; "": none
	Value  string // the column
	Where  string // only rows that have, in this column,
	Is     string // this value; "": all rows
	Half   bool
}

func (b Bars) draw(p *Part, half bool) *drawing {
	q := &p.Query
	label, value := q.column(b.Label), q.column(b.Value)
	rows := b.rows(q)
	low, high := new(big.Rat), new(big.Rat)
	labels, amounts := 0, 0
	for _, row := range rows {
		n := q.number(row, value)
		if n.Cmp(low) < 0 {
			low = n
		}
		if n.Cmp(high) > 0 {
			high = n
		}
		labels = max(labels, Width(b.label(p, row)))
		amounts = max(amounts, Width(p.cell(row, value).written()))
	}
	if low.Sign() == 0 && high.Sign() == 0 {
		return nil
	}
	d := &drawing{Title: b.Title, Width: wholeWidth, Half: b.Half || half}
	if d.Half {
		d.Width = halfWidth
	}
	labelX := labels*letter + 6
	amountX := labelX + amounts*letter + 14
	left := amountX + 10
	d.Width = max(d.Width, left+leastBars)
	right := d.Width - endRoom
	s := lyingScale(low, high, q.whole(value), left, right)
	bottom := len(rows)*barPitch + 4
	d.Height = bottom + axisRoom
	for _, t := range s.ticks() {
		d.Lines = append(d.Lines, line{X1: t.At, Y1: 0, X2: t.At, Y2: bottom})
		d.Marks = append(d.Marks, mark{X: t.At, Y: d.Height - 7, Text: t.Text, Class: "middle"})
	}
	zero := s.at(new(big.Rat))
	for i, row := range rows {
		y := 4 + i*barPitch
		n := q.number(row, value)
		g := figureGroup{Full: Visible(q.Rows[row][label].Text)}
		from, to := barEnds(s, zero, n)
		c := p.cell(row, value)
		if to > from {
			class := "s0"
			if n.Sign() < 0 {
				class = "less"
			}
			g.Boxes = append(g.Boxes, valueBox{box{from, y, to - from, barHeight, class}, c})
		}
		g.Texts = append(g.Texts,
			valueText{mark{labelX, y + 12, b.label(p, row), "end"}, p.cell(row, label), ""},
			valueText{mark{amountX, y + 12, c.Shown, "end"}, c, c.Zeros})
		d.Groups = append(d.Groups, g)
	}
	d.Lines = append(d.Lines, line{zero, 0, zero, bottom, "zero"})
	d.About = "a bar for each row, from the first to the last, with its amount."
	return d
}

// rows are the rows that have a bar.
func (b Bars) rows(q *Query) (rows []int) {
	where := q.column(b.Where)
	for row := range q.Rows {
		if where < 0 || q.Rows[row][where].Text == b.Is {
			rows = append(rows, row)
		}
	}
	return rows
}

// label is the label of a row, cut.
func (b Bars) label(p *Part, row int) string {
	text := p.cell(row, p.Query.column(b.Label)).Shown
	if b.Beside != "" {
		text += ", " + p.cell(row, p.Query.column(b.Beside)).Shown
	}
	return Cut(text, longLabel)
}

// barEnds are the pixels from which to which a bar goes: what is not zero is seen.
func barEnds(s scale, zero int, n *big.Rat) (from, to int) {
	x := s.at(n)
	switch {
	case n.Sign() > 0:
		x = max(x, zero+1)
	case n.Sign() < 0:
		x = min(x, zero-1)
	}
	return min(x, zero), max(x, zero)
}
