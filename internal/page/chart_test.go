package page

import (
	"math/big"
	"slices"
	"strings"
	"testing"
)

// result is a query with these columns, each "name TYPE", and rows of cells; "NULL" is NULL.
func result(columns []string, rows ...[]string) Query {
	q := Query{Name: "report/test", Text: "SELECT 1"}
	for _, c := range columns {
		name, columnType, _ := strings.Cut(c, " ")
		q.Columns, q.Types = append(q.Columns, name), append(q.Types, columnType)
	}
	for _, row := range rows {
		cells := make([]Cell, len(row))
		for i, text := range row {
			cells[i] = Cell{Text: text}
			if text == "NULL" {
				cells[i] = Cell{Null: true}
			}
		}
		q.Rows = append(q.Rows, cells)
	}
	return q
}

func drawn(t *testing.T, q Query, c Chart) *drawing {
	t.Helper()
	p := &Part{Query: q, Charts: []Chart{c}}
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	p.align()
	d := c.draw(p, false)
	if d == nil {
		t.Fatal("nothing was drawn")
	}
	return d
}

func boxes(d *drawing) (list []box) {
	for _, g := range d.Groups {
		for _, b := range g.Boxes {
			list = append(list, b.box)
		}
	}
	return list
}

// Three days, a Saturday, a Sunday without a row and a Monday. The scale goes to 100 in
// steps of 20, over 240 pixels from y = 248 up to 8; its longest text has 3 letters, so
// columns begin at 3 × 7 + 6 = 27, and (920 − 27) ÷ 3 = 297 is the pitch of each; the two
// pixels left over make it 29. A fifth of the pitch, 59, is the gap.
func TestColumnsStackTheirSeriesInWholePixels(t *testing.T) {
	q := result([]string{"day DATE", "operation VARCHAR", "credits DECIMAL(38,6)"},
		[]string{"2026-10-03", "chat", "30.000000"},
		[]string{"2026-10-05", "chat", "100.000000"},
		[]string{"2026-10-03", "NULL", "10.000000"},
		[]string{"2026-10-09", "chat", "900.000000"}) // no place for it
	d := drawn(t, q, Columns{
		Title: "Credits", Over: "day", Places: []string{"2026-10-03", "2026-10-04", "2026-10-05"},
		Series: "operation", Others: "all others", Value: "credits",
	})
	want := []box{
		{59, 176, 238, 72, "s0"},     // 30 of 100 are 72 of 240
		{59, 152, 238, 23, "others"}, // 10 more end at 40; one pixel is the seam
		{653, 8, 238, 240, "s0"},     // the highest
	}
	if got := boxes(d); !slices.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	if want := []legend{{"s0", "chat"}, {"others", "all others"}}; !slices.Equal(d.Legend, want) {
		t.Errorf("legend %v, want %v", d.Legend, want)
	}
	if want := []box{{29, 8, 297, 240, "weekend"}, {326, 8, 297, 240, "weekend"}}; !slices.Equal(d.Bands, want) {
		t.Errorf("weekends %v, want %v", d.Bands, want)
	}
	var lines []int
	for _, l := range d.Lines {
		lines = append(lines, l.Y1)
	}
	if want := []int{248, 200, 152, 104, 56, 8}; !slices.Equal(lines, want) {
		t.Errorf("lines at %v, want %v", lines, want)
	}
	var marks []string
	for _, m := range d.Marks {
		marks = append(marks, m.Text)
	}
	if want := "0 20 40 60 80 100 3 October 2026 4 5"; strings.Join(marks, " ") != want {
		t.Errorf("marks %q, want %q", marks, want)
	}
	if d.Width != 920 || d.Height != 286 {
		t.Errorf("%d × %d pixels, want 920 × 286", d.Width, d.Height)
	}
}

func TestAColumnThatIsNotZeroIsSeen(t *testing.T) {
	q := result([]string{"day DATE", "credits DECIMAL(38,6)"}, []string{"2026-10-01", "0.000001"}, []string{"2026-10-02", "123456789012345678901234567890.000000"})
	d := drawn(t, q, Columns{Over: "day", Places: []string{"2026-10-01", "2026-10-02"}, Value: "credits"})
	got := boxes(d)
	if len(got) != 2 || got[0].H != 1 || got[0].Y != 247 {
		t.Errorf("columns %v: the first is one pixel high, at 247", got)
	}
	if d.Legend != nil {
		t.Errorf("legend %v of a single series", d.Legend)
	}
}

// A month has 31 places of (448 − 27) ÷ 31 = 13 pixels: each second day has room.
func TestAxisLeavesOutDaysWithoutRoom(t *testing.T) {
	var places []string
	for _, day := range strings.Fields("01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31") {
		places = append(places, "2026-10-"+day)
	}
	q := result([]string{"day DATE", "calls BIGINT"}, []string{"2026-10-01", "100"})
	d := drawn(t, q, Columns{Over: "day", Places: places, Value: "calls", Half: true})
	var marks []string
	for _, m := range d.Marks {
		marks = append(marks, m.Text)
	}
	if want := "0 20 40 60 80 100 1 October 2026 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30"; strings.Join(marks, " ") != want {
		t.Errorf("marks %q, want %q", strings.Join(marks, " "), want)
	}
}

// Labels have 2 letters and end at 2 × 7 + 6 = 20, amounts have 3 and end at
// 20 + 3 × 7 + 14 = 55; bars go from 65 to 448 − 24 = 424, 359 pixels for −25 to 75. Zero
// is at 65 + ⌊89.75⌋ = 154; five marks fit, so the step is 20 and each is 71.8 pixels on.
func TestBarsLieToBothSidesOfZero(t *testing.T) {
	q := result([]string{"kind VARCHAR", "amount DECIMAL(38,4)", "currency VARCHAR"},
		[]string{"aa", "75.0000", "JPY"}, []string{"b", "-25.0000", "JPY"}, []string{"aa", "1000.0000", "USD"})
	p := &Part{Query: q, Columns: []Column{{Name: "amount", As: Money}}}
	p.align()
	d := Bars{Label: "kind", Value: "amount", Where: "currency", Is: "JPY", Half: true}.draw(p, false)
	if want := []box{{154, 4, 270, 16, "s0"}, {65, 29, 89, 16, "less"}}; !slices.Equal(boxes(d), want) {
		t.Errorf("bars %v, want %v", boxes(d), want)
	}
	if want := []line{{82, 0, 82, 54, ""}, {154, 0, 154, 54, ""}, {226, 0, 226, 54, ""}, {298, 0, 298, 54, ""}, {370, 0, 370, 54, ""}, {154, 0, 154, 54, "zero"}}; !slices.Equal(d.Lines, want) {
		t.Errorf("lines %v, want %v", d.Lines, want)
	}
	if got := d.Groups[1].Texts[1]; got.Text != "−25" || got.Cell.Exact != "-25.0000" || got.X != 55 || got.Cell.Row != 1 || got.Cell.Column != 1 {
		t.Errorf("amount %+v", got)
	}
}

func TestNothingIsDrawnOfNothing(t *testing.T) {
	q := result([]string{"kind VARCHAR", "amount DECIMAL(38,4)"}, []string{"a", "0.0000"}, []string{"b", "NULL"})
	p := &Part{Query: q}
	p.align()
	for _, c := range []Chart{
		Bars{Label: "kind", Value: "amount"},
		Columns{Over: "kind", Places: []string{"a", "b"}, Value: "amount"},
		Waterfall{Steps: []Step{{Column: "amount"}}},
	} {
		if d := c.draw(p, false); d != nil {
			t.Errorf("%T draws %v of zeros", c, d)
		}
	}
}

// The longest title, `remaining`, has 9 letters and the sign 2; amounts end at
// 11 × 7 + 2 × 7 + 18 = 109. Bars go from 119 to 424, 305 pixels for 0 to 100.
func TestWaterfallHangsEachStepWhereTheOneBeforeEnded(t *testing.T) {
	q := result([]string{"opening DECIMAL(38,6)", "granted DECIMAL(38,6)", "burned DECIMAL(38,6)", "remaining DECIMAL(38,6)"},
		[]string{"10.000000", "90.000000", "70.000000", "30.000000"})
	d := drawn(t, q, Waterfall{Half: true, Steps: []Step{
		{Column: "opening", Title: "opening"},
		{Column: "granted", Title: "granted", Does: Adds},
		{Column: "burned", Title: "burned", Does: Takes},
		{Column: "remaining", Title: "remaining"},
	}})
	want := []box{
		{119, 4, 30, 16, "s0"},     // 10 are ⌊30.5⌋
		{149, 29, 275, 16, "more"}, // to 100
		{210, 54, 214, 16, "less"}, // back to 30, ⌊91.5⌋
		{119, 79, 91, 16, "s0"},
	}
	if !slices.Equal(boxes(d), want) {
		t.Errorf("bars %v, want %v", boxes(d), want)
	}
	var texts []string
	for _, m := range d.Marks {
		texts = append(texts, m.Text)
	}
	if want := "0|50|100||opening|+|granted|−|burned|=|remaining"; strings.Join(texts, "|") != want {
		t.Errorf("texts %q, want %q", strings.Join(texts, "|"), want)
	}
}

func TestScaleEndsAtMarksOfOneTwoFive(t *testing.T) {
	for _, c := range []struct {
		high, step, last string
	}{
		{"100", "20", "100"},
		{"101", "50", "150"},
		{"1", "1/5", "1"},
		{"0.000001", "1/5000000", "1/1000000"},
		{"3", "1", "3"},
		{"99999999999999999999999999999999", "20000000000000000000000000000000", "100000000000000000000000000000000"},
	} {
		high, _ := new(big.Rat).SetString(c.high)
		s := newScale(new(big.Rat), high, false, 100, 0, 5)
		if got := s.step.RatString(); got != c.step {
			t.Errorf("%s: step %s, want %s", c.high, got, c.step)
		}
		if whole := newScale(new(big.Rat), high, true, 100, 0, 5); !whole.step.IsInt() {
			t.Errorf("%s: a step of %s in whole numbers", c.high, whole.step.RatString())
		}
		if got := s.span.RatString(); got != c.last {
			t.Errorf("%s: the last mark is %s, want %s", c.high, got, c.last)
		}
	}
}
