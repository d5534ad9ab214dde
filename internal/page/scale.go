package page

import "math/big"

// Measures of charts, in pixels of a chart that is shown at its own size.
const (
	wholeWidth = 920
	halfWidth  = 448
	letter     = 7 // of the labels' and values' text, on average
)

// A scale maps amounts onto whole pixels. It begins and ends at a mark.
type scale struct {
	low, span *big.Rat
	from, to  int // pixels; of an upright scale from is the greater
	step      *big.Rat
}

// lyingScale is a scale from low to high, with zero in it and marks where there is room.
func lyingScale(low, high *big.Rat, whole bool, from, to int) scale {
	s := newScale(low, high, whole, from, to, (to-from)/leastTick)
	low, high = zeroed(low, -1), zeroed(high, 1)
	s.low, s.span = low, new(big.Rat).Sub(high, low)
	return s
}

// zeroed is n, or zero where n is on the other side of it.
func zeroed(n *big.Rat, sign int) *big.Rat {
	if n.Sign() == -sign {
		return new(big.Rat)
	}
	return n
}

// newScale is a scale from below low to above high, both marks, with zero in it, with
// about as many marks as said and one more at most, all at whole numbers if so said.
func newScale(low, high *big.Rat, whole bool, from, to, marks int) scale {
	low, high = zeroed(low, -1), zeroed(high, 1)
	span := new(big.Rat).Sub(high, low)
	if span.Sign() == 0 {
		span.SetInt64(1)
	}
	step := RoundUp(new(big.Rat).Quo(span, new(big.Rat).SetInt64(int64(max(marks, 1)))))
	if one := big.NewRat(1, 1); whole && step.Cmp(one) < 0 {
		step = one
	}
	first := new(big.Rat).Mul(step, new(big.Rat).SetInt(floor(new(big.Rat).Quo(low, step))))
	last := new(big.Rat).Mul(step, new(big.Rat).SetInt(new(big.Int).Neg(floor(new(big.Rat).Neg(new(big.Rat).Quo(high, step))))))
	if first.Cmp(last) == 0 {
		last.Add(last, step)
	}
	return scale{first, new(big.Rat).Sub(last, first), from, to, step}
}

// at is the pixel of an amount.
func (s scale) at(n *big.Rat) int {
	part := new(big.Rat).Sub(n, s.low)
	part.Quo(part, s.span).Mul(part, new(big.Rat).SetInt64(int64(s.to-s.from)))
	return s.from + int(new(big.Int).Quo(part.Num(), part.Denom()).Int64())
}

// A tick is a mark of a scale.
type tick struct {
	At   int
	Text string
}

// ticks are the marks of a scale.
func (s scale) ticks() (list []tick) {
	high := new(big.Rat).Add(s.low, s.span)
	first := new(big.Int).Neg(floor(new(big.Rat).Neg(new(big.Rat).Quo(s.low, s.step))))
	for n := new(big.Rat).Mul(s.step, new(big.Rat).SetInt(first)); n.Cmp(high) <= 0; n = new(big.Rat).Add(n, s.step) {
		list = append(list, tick{s.at(n), Brief(n)})
	}
	return list
}

// floor is the greatest integer that is not above n.
func floor(n *big.Rat) *big.Int {
	return new(big.Int).Div(n.Num(), n.Denom()) // Euclidean, and the denominator is positive
}

// RoundUp is the least of 1, 2 and 5 times a power of ten that is not below n > 0.
func RoundUp(n *big.Rat) *big.Rat {
	power, ten := big.NewRat(1, 1), big.NewRat(10, 1)
	for power.Cmp(n) < 0 {
		power.Mul(power, ten)
	}
	for power.Cmp(n) >= 0 {
		power.Quo(power, ten)
	}
	for _, factor := range []int64{1, 2, 5} {
		if step := new(big.Rat).Mul(power, big.NewRat(factor, 1)); step.Cmp(n) >= 0 {
			return step
		}
	}
	return power.Mul(power, ten)
}

// A drawing is a chart as the template writes it: all in pixels, in the order in which
// it is painted.
type drawing struct {
	Title         string
	About         string // for whoever does not see it
	Width, Height int
	Half          bool
	Bands         []box  // behind all: weekends
	Lines         []line // of the scale
	Marks         []mark // texts of the scale
	Groups        []figureGroup
	Legend        []legend
	Upright       bool // columns; else rows
}

// describe says what there is to see: the title, of the part if the drawing has none.
func (d *drawing) describe(title string) string {
	if d.Title != "" {
		title = d.Title
	}
	return title + ": " + d.About
}

type box struct {
	X, Y, W, H int
	Class      string
}

type line struct {
	X1, Y1, X2, Y2 int
	Class          string
}

type mark struct {
	X, Y  int
	Text  string
	Class string
}

// A figureGroup is what belongs to one value: a bar, its label and its amount.
type figureGroup struct {
	Full  string // what a reader sees who points at it
	Boxes []valueBox
	Texts []valueText
}

type valueBox struct {
	box
	Cell cell
}

type valueText struct {
	mark
	Cell  cell
	Zeros string // of an amount, after its text
}

type legend struct {
	Class string
	Label string
}
