package page

import (
	"math/big"
	"strings"
)

// A Waterfall shows how one amount becomes another in the first row of the result, or
// in the row that is said: bars that hang where the one before has ended.
type Waterfall struct {
	Title string
	Row   int
	Steps []Step
	Half  bool
}

// A Step is a column of a [Waterfall].
type Step struct {
	Column string
	Title  string
	Does   Does
}

// Does is what a step does to the amount so far.
type Does int

// What a step may do.
const (
	Is    Does = iota // the amount itself, as a bar from zero
	Adds              // written with a plus before its title
	Takes             // with a minus
)

var signs = map[Does]string{Is: "=", Adds: "+", Takes: "−"}

func (w Waterfall) draw(p *Part, half bool) *drawing {
	q := &p.Query
	type hung struct {
		from, to *big.Rat
		cell     cell
	}
	var (
		bars            []hung
		now             = new(big.Rat)
		low, high       = new(big.Rat), new(big.Rat)
		labels, amounts int
	)
	for _, step := range w.Steps {
		column := q.column(step.Column)
		n := q.number(w.Row, column)
		h := hung{from: new(big.Rat), to: n, cell: p.cell(w.Row, column)}
		switch step.Does {
		case Adds:
			h.from, h.to = now, new(big.Rat).Add(now, n)
		case Takes:
			h.from, h.to = now, new(big.Rat).Sub(now, n)
		}
		now = h.to
		if now.Cmp(low) < 0 {
			low = now
		}
		if now.Cmp(high) > 0 {
			high = now
		}
		bars = append(bars, h)
		labels = max(labels, Width(step.Title)+2)
	}
	if low.Sign() == 0 && high.Sign() == 0 {
		return nil
	}
	digits := 0 // of the longest, whatever the others in its column have
	for _, h := range bars {
		_, fraction, _ := strings.Cut(h.cell.Shown, ".")
		digits = max(digits, len(fraction))
	}
	for i, h := range bars {
		bars[i].cell.Zeros = padding(h.cell.Shown, digits)
		amounts = max(amounts, Width(bars[i].cell.written()))
	}
	d := &drawing{Title: w.Title, Width: wholeWidth, Half: w.Half || half}
	if d.Half {
		d.Width = halfWidth
	}
	amountX := labels*letter + amounts*letter + 18
	left := amountX + 10
	d.Width = max(d.Width, left+leastBars)
	right := d.Width - endRoom
	s := lyingScale(low, high, false, left, right)
	bottom := len(bars)*barPitch + 4
	d.Height = bottom + axisRoom
	for _, t := range s.ticks() {
		d.Lines = append(d.Lines, line{X1: t.At, Y1: 0, X2: t.At, Y2: bottom})
		d.Marks = append(d.Marks, mark{X: t.At, Y: d.Height - 7, Text: t.Text, Class: "middle"})
	}
	for i, step := range w.Steps {
		y := 4 + i*barPitch
		from, to := s.at(bars[i].from), s.at(bars[i].to)
		if from == to && bars[i].from.Cmp(bars[i].to) != 0 {
			to = from + bars[i].to.Cmp(bars[i].from)
		}
		g := figureGroup{Full: step.Title}
		if from != to {
			class := map[Does]string{Is: "s0", Adds: "more", Takes: "less"}[step.Does]
			g.Boxes = append(g.Boxes, valueBox{box{min(from, to), y, max(from, to) - min(from, to), barHeight, class}, bars[i].cell})
		}
		sign := signs[step.Does]
		if i == 0 && step.Does == Is {
			sign = ""
		}
		d.Marks = append(d.Marks, mark{X: 4, Y: y + 12, Text: sign, Class: "sign"}, mark{X: 16, Y: y + 12, Text: step.Title, Class: "begin"})
		g.Texts = append(g.Texts, valueText{mark{amountX, y + 12, bars[i].cell.Shown, "end"}, bars[i].cell, bars[i].cell.Zeros})
		d.Groups = append(d.Groups, g)
		if i > 0 {
			x := s.at(bars[i-1].to)
			d.Lines = append(d.Lines, line{x, y - barPitch + barHeight, x, y + barHeight, "zero"})
		}
	}
	d.About = "from the first amount to the last, step by step."
	return d
}
