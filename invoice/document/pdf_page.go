package document

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signintech/gopdf"
)

// Pages are A4. Lengths are in points, places from the upper left corner.
const (
	pageWidth    = 595.28
	pageHeight   = 841.89
	marginSide   = 48.0
	marginTop    = 48.0
	marginBottom = 60.0 // the foot of the page stands in it
	contentWidth = pageWidth - 2*marginSide
	pageEnd      = pageHeight - marginBottom
)

type colour [3]uint8

// The colours of a document, those of its HTML.
var (
	ink    = colour{0x1c, 0x24, 0x30}
	soft   = colour{0x5b, 0x66, 0x75}
	hair   = colour{0xd9, 0xde, 0xe5}
	tint   = colour{0xf4, 0xf6, 0xf9}
	accent = colour{0x1f, 0x4f, 0x82}
)

// A style is how a line of text looks.
type style struct {
	size   float64
	weight weight
	colour colour
}

// leading is the height of a line of text, and rise how much of it lies above the
// letters' base, both of the size.
const (
	leading = 1.38
	rise    = 1.04
)

// A line is one line of text as it is printed.
type line struct {
	style

	text  string
	after float64 // room under it
}

func (l *line) height() float64 { return l.size*leading + l.after }

// A cell is a column's part of a row.
type cell struct {
	x, width float64
	right    bool // lines end at the right edge
	lines    []line
}

func (c *cell) height() (height float64) {
	for i := range c.lines {
		height += c.lines[i].height()
	}
	return height
}

// A row is cells side by side. It stays on one page unless it is taller than a page.
type row struct {
	cells      []cell
	above      float64 // room over the text, and under it
	below      float64
	rule       colour // of a line under the row; black: none
	ruleWidth  float64
	background colour // black: none
	backX      float64
	backWidth  float64
	loose      bool // cells begin at the same height, whatever the size of their letters
}

func (r *row) height() (height float64) {
	for i := range r.cells {
		height = max(height, r.drop(i)+r.cells[i].height())
	}
	return r.above + height + r.below
}

// drop is how much lower a cell begins, so that all first lines stand on one base.
func (r *row) drop(cell int) (drop float64) {
	if r.loose || len(r.cells[cell].lines) == 0 {
		return 0
	}
	for i := range r.cells {
		if lines := r.cells[i].lines; len(lines) > 0 {
			drop = max(drop, (lines[0].size-r.cells[cell].lines[0].size)*rise)
		}
	}
	return drop
}

// What a page shows, in the order it is drawn.
type (
	mark struct {
		x, y, width, height float64 // of a rectangle; of a text its base
		colour              colour
		text                *run
		size                float64
	}
	page []mark
)

// A layout is the pages of a document as they fill.
type layout struct {
	*setter

	pages  []page
	y      float64 // where the next row begins
	repeat *row    // stands again at the top of each new page
}

func newLayout() *layout {
	l := &layout{setter: newSetter()}
	l.newPage()
	return l
}

func (l *layout) newPage() {
	l.pages = append(l.pages, nil)
	l.y = marginTop
	if l.repeat != nil {
		l.draw(l.repeat)
	}
}

// keep begins a new page unless so much of this one is left.
func (l *layout) keep(height float64) {
	if l.y+height > pageEnd && l.y > marginTop && height < pageEnd-marginTop {
		l.newPage()
	}
}

// add puts a row under the last one. A row that fits no page goes on over several.
func (l *layout) add(r *row) {
	l.keep(r.height())
	for l.y+r.height() > pageEnd {
		head, tail := r.split(pageEnd - l.y)
		l.draw(head)
		l.newPage()
		r = tail
	}
	l.draw(r)
}

// split divides a row into what a height holds, at least a line, and the rest.
func (r *row) split(height float64) (head, tail *row) {
	first, rest := *r, *r
	first.cells, rest.cells = slices.Clone(r.cells), slices.Clone(r.cells)
	first.below, first.ruleWidth = 0, 0
	moved := false
	for i := range r.cells {
		lines, used, n := r.cells[i].lines, r.above+r.drop(i), 0
		for n < len(lines) && (used+lines[n].height() <= height || n == 0 && !moved) {
			used += lines[n].height()
			n++
		}
		moved = moved || n > 0
		first.cells[i].lines, rest.cells[i].lines = lines[:n], lines[n:]
	}
	return &first, &rest
}

func (l *layout) draw(r *row) {
	height := r.height()
	if r.background != (colour{}) {
		l.fill(r.backX, l.y, r.backWidth, height, r.background)
	}
	for i := range r.cells {
		y := l.y + r.above + r.drop(i)
		for _, text := range r.cells[i].lines {
			l.text(&r.cells[i], text, y+text.size*rise)
			y += text.height()
		}
	}
	l.y += height
	if r.ruleWidth > 0 {
		l.fill(marginSide, l.y, contentWidth, r.ruleWidth, r.rule)
	}
}

func (l *layout) fill(x, y, width, height float64, c colour) {
	l.put(mark{x: x, y: y, width: width, height: height, colour: c})
}

func (l *layout) text(c *cell, text line, base float64) {
	runs := l.runs(text.text, text.weight, text.size)
	x := c.x
	if c.right {
		x += c.width
		for i := range runs {
			x -= runs[i].width
		}
	}
	for i := range runs {
		l.put(mark{x: x, y: base, colour: text.colour, text: &runs[i], size: text.size})
		x += runs[i].width
	}
}

func (l *layout) put(m mark) {
	last := &l.pages[len(l.pages)-1]
	*last = append(*last, m)
}

// lines are a text wrapped to a width.
func (l *layout) lines(s style, width float64, texts ...string) (lines []line) {
	for _, text := range texts {
		for _, part := range l.wrap(l.printed(text), s.weight, s.size, width) {
			lines = append(lines, line{style: s, text: part})
		}
	}
	return lines
}

// feet puts the foot on every page, now that their number is known.
func (l *layout) feet(text string) {
	s := style{8, plainWeight, soft}
	count := len(l.pages)
	y := pageHeight - marginBottom + 18
	for i := range l.pages {
		number := fmt.Sprintf("Page %d of %d", i+1, count)
		on := &layout{setter: l.setter, pages: l.pages[: i+1 : i+1]}
		on.fill(marginSide, y, contentWidth, 0.5, hair)
		lines := l.lines(s, contentWidth-80, text)
		on.text(&cell{x: marginSide}, lines[0], y+14)
		on.text(&cell{x: marginSide, width: contentWidth, right: true}, line{style: s, text: number}, y+14)
	}
}

// An about is what a PDF says about itself.
type about struct {
	title, author, subject string
	created                time.Time
}

// pdf makes a file of the pages. It depends on them alone: no clock, no random names.
func (l *layout) pdf(a about) ([]byte, error) {
	out := &gopdf.GoPdf{}
	out.Start(gopdf.Config{PageSize: gopdf.Rect{W: pageWidth, H: pageHeight}})
	out.SetInfo(gopdf.PdfInfo{
		Title: basic(a.title), Author: basic(a.author), Subject: basic(a.subject), Creator: "creditmill", CreationDate: a.created.UTC(),
	})
	for _, f := range []*font{regular(), semibold()} {
		if err := out.AddTTFFontFromFontContainer(f.name, latin()); err != nil {
			return nil, err
		}
	}
	if far := sorted(l.far); far != nil {
		if err := out.AddTTFFontData(cjk().name, cjk().subset(far)); err != nil {
			return nil, err
		}
	}
	for _, page := range l.pages {
		out.AddPage()
		for i := range page {
			if err := page[i].draw(out); err != nil {
				return nil, err
			}
		}
	}
	var content bytes.Buffer
	_, err := out.WriteTo(&content)
	return content.Bytes(), err
}

// basic is a text of characters that gopdf can write about a document.
func basic(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= mostCharacters {
			return notShown
		}
		return r
	}, text)
}

func (m *mark) draw(out *gopdf.GoPdf) error {
	if m.text == nil {
		out.SetFillColor(m.colour[0], m.colour[1], m.colour[2])
		out.RectFromUpperLeftWithStyle(m.x, m.y, m.width, m.height, "F")
		return nil
	}
	if err := out.SetFontWithStyle(m.text.font.name, gopdf.Regular, m.size); err != nil {
		return err
	}
	out.SetTextColor(m.colour[0], m.colour[1], m.colour[2])
	out.SetXY(m.x, m.y)
	return out.Text(m.text.text)
}
