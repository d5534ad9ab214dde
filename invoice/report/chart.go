package report

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/creditmill/creditmill/internal/page"
)

// Measures of charts, in pixels of a chart that is shown at its own size.
const (
	letter    = 7 // of the labels' and values' text, on average
	barHeight = 15
	barPitch  = 18 // from one bar of a row to the next
	rowGap    = 9
	axisRoom  = 22
	leastTick = 80 // between two marks of the scale
)

// A bars is a chart of bars to the left and right of zero, a row for each label and in
// it a bar for each draft.
type bars struct {
	Width, Height   int
	Title           string
	Left, Right     int // where the scale begins and ends
	Bottom          int // where it ends
	Zero            int
	LabelX, AmountX int
	Ticks           []tick
	Rows            []barRow
}

type tick struct {
	X    int
	Text string
}

type barRow struct {
	Y     int // the labels' base line
	Label string
	Full  string // the label uncut
	Bars  []bar
}

type bar struct {
	X, Y, W, H int
	TextY      int
	Class      string
	Text       string
}

// A labelled is a row of a chart before it is laid out.
type labelled struct {
	label   string
	changes []Change
}

// sortByFirst sorts rows from the largest increase to the largest decrease of the
// first draft that tells them apart.
func sortByFirst(rows []labelled) {
	slices.SortStableFunc(rows, func(a, b labelled) int {
		for i := range a.changes {
			if c := b.changes[i].Difference().Cmp(a.changes[i].Difference()); c != 0 {
				return c
			}
		}
		return 0
	})
}

// newBars lays a chart out. It is nil where nothing changes.
func newBars(title, unit string, total int, rows []labelled) *bars {
	low, high := new(big.Rat), new(big.Rat)
	labels, amounts := 0, 0
	const longest = 28
	for _, r := range rows {
		labels = max(labels, page.Width(page.Cut(r.label, longest)))
		for _, c := range r.changes {
			d := c.Difference()
			if d.Cmp(low) < 0 {
				low = d
			}
			if d.Cmp(high) > 0 {
				high = d
			}
			amounts = max(amounts, page.Width(signed(unit, d)))
		}
	}
	if low.Sign() == 0 && high.Sign() == 0 {
		return nil
	}
	b := &bars{Width: total, Title: title, LabelX: labels*letter + 8, AmountX: total - 1}
	b.Left, b.Right = b.LabelX+12, total-amounts*letter-14
	b.Right = max(b.Right, b.Left+60)
	b.Width = max(b.Width, b.Right+amounts*letter+14)
	b.AmountX = b.Width - 1
	scale := newScale(low, high, b.Left, b.Right)
	b.Zero = scale.at(new(big.Rat))
	y := 4
	for _, r := range rows {
		row := barRow{Label: page.Cut(r.label, longest), Full: r.label}
		for i, c := range r.changes {
			row.Bars = append(row.Bars, b.bar(scale, y+i*barPitch, unit, c.Difference(), seriesClass(len(r.changes), i, c.Difference())))
		}
		row.Y = y + (len(r.changes)*barPitch-barPitch+barHeight)/2 + 4
		b.Rows = append(b.Rows, row)
		y += len(r.changes)*barPitch + rowGap
	}
	b.Bottom = y - 2
	b.Height = b.Bottom + axisRoom
	b.Ticks = scale.ticks()
	return b
}

func (b *bars) bar(scale scale, y int, unit string, d *big.Rat, class string) bar {
	x := scale.at(d)
	if d.Sign() > 0 {
		x = max(x, b.Zero+2)
	} else if d.Sign() < 0 {
		x = min(x, b.Zero-2)
	}
	return bar{X: min(x, b.Zero), Y: y, W: max(x, b.Zero) - min(x, b.Zero), H: barHeight, TextY: y + 12, Class: class, Text: signed(unit, d)}
}

// colours is how many colours there are for drafts; further ones begin again.
const colours = 8

// seriesClass is the style of a bar: by its sign, or with several drafts by the draft.
func seriesClass(drafts, draft int, d *big.Rat) string {
	switch {
	case drafts > 1:
		return fmt.Sprintf("d%d", draft%colours)
	case d.Sign() < 0:
		return "less"
	}
	return "more"
}

// A scale maps amounts onto whole pixels.
type scale struct {
	low, span   *big.Rat
	left, right int
}

func newScale(low, high *big.Rat, left, right int) scale {
	return scale{low, new(big.Rat).Sub(high, low), left, right}
}

func (s scale) at(n *big.Rat) int {
	part := new(big.Rat).Sub(n, s.low)
	part.Quo(part, s.span).Mul(part, new(big.Rat).SetInt64(int64(s.right-s.left)))
	return s.left + int(new(big.Int).Quo(part.Num(), part.Denom()).Int64())
}

// ticks are marks at round amounts, as many as there is room for.
func (s scale) ticks() []tick {
	step := page.RoundUp(new(big.Rat).Quo(s.span, new(big.Rat).SetInt64(int64(max((s.right-s.left)/leastTick, 1)))))
	first := new(big.Rat).Quo(s.low, step)
	n := new(big.Int).Quo(first.Num(), first.Denom()) // towards zero: not below low
	var list []tick
	for {
		amount := new(big.Rat).Mul(new(big.Rat).SetInt(n), step)
		if amount.Cmp(new(big.Rat).Add(s.low, s.span)) > 0 {
			return list
		}
		list = append(list, tick{s.at(amount), page.Brief(amount)})
		n.Add(n, big.NewInt(1))
	}
}

// A columns is a chart of how many accounts change by how much.
type columns struct {
	Width, Height int
	Title         string
	Left, Right   int
	Bottom        int
	Zero          int
	Edges         []tick
	Columns       []bar // Text is how many; TextY where, and X + W/2 its middle
}

const (
	columnsHeight = 190
	widestBin     = 110
)

func newColumns(title string, total int, h Histogram) *columns {
	if len(h.Bins) == 0 {
		return nil
	}
	var most int64
	for _, b := range h.Bins {
		for _, n := range b.Counts {
			most = max(most, n)
		}
	}
	side := min(widestBin, (total-80)/len(h.Bins))
	c := &columns{Width: total, Title: title, Bottom: columnsHeight, Height: columnsHeight + axisRoom}
	c.Left = (total - side*len(h.Bins)) / 2
	c.Zero = c.Left
	c.Right = c.Left + side*len(h.Bins)
	const headroom = 18 // for the number above the highest
	for i, b := range h.Bins {
		x := c.Left + i*side
		from, to := b.Bounds()
		if b.Power < 0 {
			c.Edges = append(c.Edges, tick{x, edgeText(-1, to)})
		} else {
			c.Edges = append(c.Edges, tick{x, edgeText(1, from)})
		}
		if b.Power == -1 {
			c.Zero = x + side
		}
		if i == len(h.Bins)-1 {
			if b.Power < 0 {
				c.Edges = append(c.Edges, tick{x + side, edgeText(-1, from)})
			} else {
				c.Edges = append(c.Edges, tick{x + side, edgeText(1, to)})
			}
		}
		each := (side - 8) / len(b.Counts)
		for draft, n := range b.Counts {
			if n == 0 {
				continue
			}
			height := max(int(n*int64(columnsHeight-headroom)/most), 2)
			c.Columns = append(c.Columns, bar{
				X: x + 4 + draft*each, Y: c.Bottom - height, W: max(each-1, 1), H: height, TextY: c.Bottom - height - 5,
				Class: seriesClass(len(b.Counts), draft, big.NewRat(int64(b.Power), 1)), Text: count(n),
			})
		}
	}
	return c
}

// Middle is where the text above a column stands.
func (b bar) Middle() int { return b.X + b.W/2 }

func edgeText(sign int64, edge *big.Int) string {
	return page.Brief(new(big.Rat).SetInt(new(big.Int).Mul(edge, big.NewInt(sign))))
}
