package report

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func rat(t interface{ Fatalf(string, ...any) }, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func changeOf(t *testing.T, differences ...string) (list []Change) {
	for _, d := range differences {
		list = append(list, Change{new(big.Rat), rat(t, d)})
	}
	return list
}

// Labels of 4 letters take 4 × 7 + 8 = 36 pixels and amounts of 7 ("+300.00") 49, so
// that the scale of a chart of 361 pixels runs from 36 + 12 = 48 to 361 - 49 - 14 = 298:
// 250 pixels for the 500 from -200 to 300. Zero is 100 pixels in, at 148; there is room
// for 3 marks, 500/3 up to a round number is 200.
func TestBars(t *testing.T) {
	t.Parallel()
	b := newBars("title", "USD", 361, []labelled{
		{"acme", changeOf(t, "300")}, {"oak", changeOf(t, "0.01")}, {"elm", changeOf(t, "-200")}, {"yew", changeOf(t, "0")},
	})
	same(t, "scale", fmt.Sprint(b.LabelX, b.Left, b.Zero, b.Right, b.AmountX, b.Ticks), "36 48 148 298 360 [{48 −200} {148 0} {248 200}]")
	var got string
	for _, r := range b.Rows {
		got += fmt.Sprint(r.Label, " ", r.Bars[0].X, "+", r.Bars[0].W, " ", r.Bars[0].Class, " ", r.Bars[0].Text, "\n")
	}
	same(t, "bars", got[:len(got)-1], `
acme 148+150 more +300.00
oak 148+2 more +0.01
elm 48+100 less −200.00
yew 148+0 more 0.00`)
	if b := newBars("title", "USD", 361, []labelled{{"yew", changeOf(t, "0")}}); b != nil {
		t.Error("a chart of nothing")
	}
	// Of several drafts, the colour is the draft's.
	b = newBars("title", "USD", 361, []labelled{{"acme", changeOf(t, "1", "-1", "2")}})
	same(t, "classes", fmt.Sprint(b.Rows[0].Bars[0].Class, b.Rows[0].Bars[1].Class, b.Rows[0].Bars[2].Class), "d0d1d2")
}

func TestColumns(t *testing.T) {
	t.Parallel()
	// From -10 to 10: bins of 110 pixels, begun at (520 - 440) / 2 = 40; zero after two of them. The highest
	// column takes 190 - 18 = 172 pixels, 3 of 4 are 129, 1 of 4 43.
	c := newColumns("title", 520, Histogram{Unit: "USD", Bins: []Bin{{-2, []int64{3}}, {-1, []int64{0}}, {1, []int64{1}}, {2, []int64{4}}}})
	same(t, "edges", fmt.Sprint(c.Edges, c.Zero), "[{40 −10} {150 −1} {260 0} {370 1} {480 10}] 260")
	var got string
	for _, b := range c.Columns {
		got += fmt.Sprint(b.X, " ", b.Y, "+", b.H, " ", b.Class, " ", b.Text, "\n")
	}
	same(t, "columns", got[:len(got)-1], "44 61+129 less 3\n264 147+43 more 1\n374 18+172 more 4")
	c = newColumns("title", 520, Histogram{Unit: "USD", Bins: []Bin{{-1, []int64{2}}}})
	same(t, "decreases alone", fmt.Sprint(c.Edges, c.Zero), "[{205 −1} {315 0}] 315")
	c = newColumns("title", 520, Histogram{Unit: "USD", Bins: []Bin{{1, []int64{2}}}})
	same(t, "increases alone", fmt.Sprint(c.Edges, c.Zero), "[{205 0} {315 1}] 205")
}

// Whatever the amounts, bars and marks stay within the scale, and a bar is as much
// longer than another as its amount is greater.
func TestBarsStayWithinTheirScale(t *testing.T) {
	t.Parallel()
	size := func(r labelled) *big.Rat { return new(big.Rat).Abs(r.changes[0].After) }
	rapid.Check(t, func(t *rapid.T) {
		var rows []labelled
		for range rapid.IntRange(1, 8).Draw(t, "rows") {
			digits := rapid.StringMatching(`-?[0-9]{1,32}\.[0-9]{1,6}`).Draw(t, "amount")
			rows = append(rows, labelled{"a", []Change{{new(big.Rat), rat(t, digits)}}})
		}
		b := newBars("title", Credits, 464, rows)
		if b == nil {
			return
		}
		if len(b.Ticks) == 0 || len(b.Ticks) > 12 {
			t.Fatalf("%d marks", len(b.Ticks))
		}
		for _, tick := range b.Ticks {
			if tick.X < b.Left || tick.X > b.Right {
				t.Fatalf("a mark at %d, outside %d to %d", tick.X, b.Left, b.Right)
			}
		}
		for i, r := range b.Rows {
			bar := r.Bars[0]
			if bar.X < b.Left-2 || bar.X+bar.W > b.Right+2 || bar.W < 0 || bar.X != b.Zero && bar.X+bar.W != b.Zero {
				t.Fatalf("%s: %+v, outside %d to %d", bar.Text, bar, b.Left, b.Right)
			}
			for j, other := range b.Rows {
				if size(rows[i]).Cmp(size(rows[j])) > 0 && bar.W+1 < other.Bars[0].W {
					t.Fatalf("%s is %d long, %s %d", bar.Text, bar.W, other.Bars[0].Text, other.Bars[0].W)
				}
			}
		}
	})
}
