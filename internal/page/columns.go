package page

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

const (
	plotHeight = 240
	colours    = 7 // of series that have one of their own; there are no more in a chart than that
	headRoom   = 8
)

// Columns are upright columns over days or months, each of the values of its rows, one
// upon the other. Amounts below zero have no place in them.
type Columns struct {
	Title  string
	Over   string   // the column with the days or months
	Places []string // all that have a place, in order, also those without a row
	Series string   // the column with what is stacked, in the order in which the rows first have it; "": one series. NULL is all others
	Others string   // what NULL is called
	Value  string   // the column with the amounts
	Half   bool
}

// A stack is one column.
type stack struct {
	rows []int // of the result, by series; -1: none
}

func (c Columns) draw(p *Part, half bool) *drawing {
	q := &p.Query
	over, value := q.column(c.Over), q.column(c.Value)
	names, of := c.series(p)
	stacks := make([]stack, len(c.Places))
	places := map[string]int{}
	for i, place := range c.Places {
		places[place] = i
		stacks[i].rows = make([]int, len(names))
		for j := range names {
			stacks[i].rows[j] = -1
		}
	}
	high := new(big.Rat)
	for row := range q.Rows {
		if i, ok := places[q.Rows[row][over].Text]; ok {
			stacks[i].rows[of[row]] = row
		}
	}
	for _, s := range stacks {
		sum := new(big.Rat)
		for _, row := range s.rows {
			if row >= 0 {
				sum.Add(sum, q.number(row, value))
			}
		}
		if sum.Cmp(high) > 0 {
			high = sum
		}
	}
	if high.Sign() == 0 || len(c.Places) == 0 {
		return nil
	}
	d := &drawing{Title: c.Title, Width: wholeWidth, Half: c.Half || half, Upright: true}
	if d.Half {
		d.Width = halfWidth
	}
	bottom := headRoom + plotHeight
	d.Height = bottom + axisRoom + 14
	s := newScale(new(big.Rat), high, q.whole(value), bottom, headRoom, 5)
	room := 0
	for _, t := range s.ticks() {
		room = max(room, Width(t.Text))
	}
	left := room*letter + 6
	pitch := max((d.Width-left)/len(c.Places), 2)
	left = max(left, d.Width-pitch*len(c.Places)) // what the columns leave over
	d.Width = left + pitch*len(c.Places)
	gap := pitch / 5
	for _, t := range s.ticks() {
		class := ""
		if t.At == bottom {
			class = "zero"
		}
		d.Lines = append(d.Lines, line{left, t.At, d.Width, t.At, class})
		d.Marks = append(d.Marks, mark{left - 6, t.At + 4, t.Text, "end"})
	}
	d.axis(c.Places, left, pitch, bottom)
	for i, column := range stacks {
		sum, y := new(big.Rat), bottom
		for j, row := range column.rows {
			if row < 0 || q.number(row, value).Sign() <= 0 {
				continue
			}
			sum.Add(sum, q.number(row, value))
			top := s.at(sum)
			if y == bottom {
				top = min(top, bottom-1) // what is not zero is seen
			}
			if top == y {
				continue
			}
			h := y - top
			if y != bottom && h > 2 { // a seam between this and the one below
				h--
			}
			class := seriesClass(j, names[j] == nil)
			full := Visible(c.Places[i])
			if c.Series != "" {
				full += ", " + c.name(names[j])
			}
			shown := p.cell(row, value)
			d.Groups = append(d.Groups, figureGroup{Full: full + ": " + shown.Shown, Boxes: []valueBox{{box{left + i*pitch + gap/2 + gap%2, top, max(pitch-gap, 1), h, class}, shown}}})
			y = top
		}
	}
	if c.Series != "" {
		for j, name := range names {
			d.Legend = append(d.Legend, legend{seriesClass(j, name == nil), c.name(name)})
		}
	}
	d.About = fmt.Sprintf("a column for each of %s to %s, with the amounts of the table.", Visible(c.Places[0]), Visible(c.Places[len(c.Places)-1]))
	return d
}

// series are the values that are stacked, nil for all others, in the order of the rows,
// and which of them each row has.
func (c Columns) series(p *Part) (names []*string, of []int) {
	q := &p.Query
	of = make([]int, len(q.Rows))
	if c.Series == "" {
		name := c.Title
		return []*string{&name}, of
	}
	column, known := q.column(c.Series), map[Cell]int{}
	for row := range q.Rows {
		cell := q.Rows[row][column]
		i, ok := known[cell]
		if !ok {
			i = len(names)
			known[cell] = i
			var name *string
			if !cell.Null {
				shown := Cut(Visible(cell.Text), 40)
				name = &shown
			}
			names = append(names, name)
		}
		of[row] = i
	}
	return names, of
}

func (c Columns) name(name *string) string {
	if name == nil {
		return c.Others
	}
	return *name
}

func seriesClass(series int, others bool) string {
	if others {
		return "others"
	}
	return fmt.Sprintf("s%d", series%colours)
}

// axis marks days and months below a chart: each that there is room for, the weekends
// behind their columns, and the month where one begins.
func (d *drawing) axis(places []string, left, pitch, bottom int) {
	const dayRoom = 22
	every := 1
	for _, n := range []int{1, 2, 5, 10, 15, 30} {
		if every = n; n*pitch >= dayRoom {
			break
		}
	}
	for i, place := range places {
		x := left + i*pitch
		at := mark{X: x + pitch/2, Y: bottom + 16, Class: "middle"}
		below := mark{X: x + pitch/2, Y: bottom + 31, Class: "middle"}
		if day, err := time.Parse(time.DateOnly, place); err == nil {
			weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
			if weekend {
				d.Bands = append(d.Bands, box{x, headRoom, pitch, bottom - headRoom, "weekend"})
			}
			if day.Day() == 1 || every == 1 || every > 1 && day.Day()%every == 0 && day.Day() <= 30 {
				at.Text = fmt.Sprint(day.Day())
				d.Marks = append(d.Marks, at)
			}
			if i == 0 || day.Day() == 1 {
				below.X, below.Class = x, "begin"
				below.Text = day.Format("January 2006")
				if len(places)-i > 60/pitch || i == 0 { // room to the right
					d.Marks = append(d.Marks, below)
				}
			}
			continue
		}
		if month, err := time.Parse("2006-01", place); err == nil {
			at.Text = month.Format("Jan")
			if pitch*every >= 30 || month.Month()%3 == 1 {
				d.Marks = append(d.Marks, at)
			}
			if i == 0 || month.Month() == time.January {
				below.Text = month.Format("2006")
				d.Marks = append(d.Marks, below)
			}
			continue
		}
		at.Text = Cut(Visible(strings.TrimSpace(place)), max(pitch/letter, 1))
		d.Marks = append(d.Marks, at)
	}
}
