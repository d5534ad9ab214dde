package document

import "slices"

// The styles of a PDF.
var (
	titleStyle   = style{22, strongWeight, accent}
	issuerStyle  = style{11.5, strongWeight, ink}
	bodyStyle    = style{9.5, plainWeight, ink}
	strongStyle  = style{9.5, strongWeight, ink}
	softStyle    = style{9.5, plainWeight, soft}
	smallStyle   = style{8, plainWeight, soft}
	headStyle    = style{8, strongWeight, soft}
	sectionStyle = style{11.5, strongWeight, ink}
	dueStyle     = style{11.5, strongWeight, ink}
)

// PDF makes the document as a PDF of A4 pages, with its fonts in it. missing are the
// characters that it cannot show, sorted, each once: U+FFFD stands for them, and the
// document says so.
func (d *Document) PDF() (content []byte, missing []rune, err error) {
	l := d.layout()
	content, err = l.pdf(about{
		title: d.title() + " " + shown(d.Number), author: shown(d.Issuer.Name), subject: d.month(), created: d.IssuedAt,
	})
	return content, l.lacked(), err
}

// layout sets the document on pages.
func (d *Document) layout() *layout {
	v := d.view()
	l := newLayout()
	l.heading(&v)
	l.parties(&v)
	l.charges(&v)
	for _, note := range v.Notes {
		l.note(note)
	}
	l.usages(&v)
	l.balances(v.Balances)
	if len(l.missing) > 0 {
		l.add(l.remark("This file cannot show every character of the texts in it: " + string(notShown) + " stands for the others."))
	}
	l.feet(v.Footer)
	return l
}

// heading is what the document is, and whose.
func (l *layout) heading(v *view) {
	const width = contentWidth/2 - 12
	left := cell{x: marginSide, width: width, lines: slices.Concat(l.lines(titleStyle, width, v.Title), l.lines(softStyle, width, v.Number))}
	right := cell{x: marginSide + contentWidth - width, width: width, right: true, lines: slices.Concat(
		l.lines(issuerStyle, width, v.Issuer.Name), l.lines(softStyle, width, v.Issuer.Lines...), l.lines(softStyle, width, v.Issuer.Soft...))}
	l.add(&row{cells: []cell{left, right}, below: 16, rule: accent, ruleWidth: 2, loose: true})
	l.y += 2
}

// parties are who is billed, and the facts beside it.
func (l *layout) parties(v *view) {
	const width = contentWidth/2 - 18
	facts := marginSide + contentWidth - width
	billed := cell{x: marginSide, width: width, lines: slices.Concat(
		[]line{{style: headStyle, text: "Billed to", after: 2.5}}, l.lines(strongStyle, width, v.Party.Name),
		l.lines(bodyStyle, width, v.Party.Lines...), l.lines(softStyle, width, v.Party.Soft...))}
	names := cell{x: facts, width: width / 2}
	values := cell{x: facts + 60, width: width - 60, right: true}
	for _, fact := range v.Facts {
		value := l.lines(bodyStyle, width-96, fact.Value)
		names.lines = append(names.lines, line{style: softStyle, text: fact.Name})
		values.lines = append(values.lines, value...)
		for range len(value) - 1 {
			names.lines = append(names.lines, line{style: softStyle})
		}
	}
	l.add(&row{cells: []cell{billed, names, values}, above: 20, below: 22, loose: true})
}

// charges are the lines of the document and what they come to. The last line stands on
// the page of the sums: nobody should have to look for what a total is of.
func (l *layout) charges(v *view) {
	t := table{columns: []column{{head: "Description"}, {head: "Period"}, {head: "Quantity", right: true}, {head: "Unit price", right: true}, {head: "Amount", right: true}}}
	t.style, t.above, t.below = bodyStyle, 6.5, 6.5
	t.columns[1].style = style{8.5, plainWeight, ink}
	for i := range v.Lines {
		c := &v.Lines[i]
		t.rows = append(t.rows, []string{c.Description, c.Period, c.Quantity, c.UnitPrice, c.Amount})
		t.details = append(t.details, c.Cause)
	}
	sums := l.sums(v.Sums)
	height := 10.0
	for i := range sums {
		height += sums[i].height()
	}
	if len(t.rows) > 0 { // a note may be of a tax alone
		l.table(&t, height)
	}
	l.y += 10
	for i := range sums {
		l.add(&sums[i])
	}
	l.y += 6
}

func (l *layout) sums(sums []sumView) (rows []row) {
	const width, pad = 270.0, 8.0
	for _, sum := range sums {
		s, r := bodyStyle, row{above: 3, below: 3}
		switch sum.Weight {
		case sumTotal:
			s, r.above, r.below = strongStyle, 6, 7
		case sumDue:
			s, r = dueStyle, row{above: 6.5, below: 7.5, background: tint, backX: marginSide + contentWidth - width, backWidth: width}
		}
		amount := l.lines(s, width*0.6, sum.Amount)
		taken := 0.0
		for _, line := range amount {
			taken = max(taken, l.width(line.text, s.weight, s.size))
		}
		x := marginSide + contentWidth - width + pad
		inside := width - 2*pad
		r.cells = []cell{
			{x: x, width: inside - taken - 12, lines: slices.Concat(l.lines(s, inside-taken-12, sum.Name), l.lines(smallStyle, inside-taken-12, sum.Cause))},
			{x: x, width: inside, right: true, lines: amount},
		}
		rows = append(rows, r)
	}
	return rows
}

// note is a sentence to be seen.
func (l *layout) note(text string) {
	const pad = 10.0
	l.keep(4 * leading * bodyStyle.size)
	l.y += 8
	l.add(&row{
		cells: []cell{{x: marginSide + pad, width: contentWidth - 2*pad, lines: l.lines(bodyStyle, contentWidth-2*pad, text)}},
		above: 7, below: 8, background: tint, backX: marginSide, backWidth: contentWidth,
	})
}

// remark is a sentence for those who look closely.
func (l *layout) remark(text string) *row {
	return &row{cells: []cell{{x: marginSide, width: contentWidth, lines: l.lines(smallStyle, contentWidth, text)}}, above: 5}
}

// usages are the tables of usage, and what there is to say of them, under the last.
func (l *layout) usages(v *view) {
	var remarks []*row
	height := 0.0
	for _, note := range v.UsageNotes {
		r := l.remark(note)
		remarks, height = append(remarks, r), height+r.height()
	}
	for i := range v.Usage {
		below := 0.0
		if i == len(v.Usage)-1 {
			below = height
		}
		l.usage(&v.Usage[i], below)
	}
	for _, r := range remarks {
		l.add(r)
	}
}

func (l *layout) usage(u *usageView, below float64) {
	t := table{title: u.Title, columns: []column{{head: u.Head}, {head: "Calls", right: true}}, style: style{8.5, plainWeight, ink}, above: 3.2, below: 3.2, total: true}
	if u.Late {
		t.columns = append(t.columns, column{head: "of these late", right: true})
	}
	if u.Held {
		t.columns = append(t.columns, column{head: "Held back", right: true})
	}
	t.columns = append(t.columns, column{head: "Credits", right: true}, column{head: u.Value, right: true})
	for _, r := range append(slices.Clone(u.Rows), u.Total) {
		cells := []string{r.Name, r.Calls}
		if u.Late {
			cells = append(cells, r.Late)
		}
		if u.Held {
			cells = append(cells, r.Held)
		}
		t.rows = append(t.rows, append(cells, r.Credits, r.Value))
	}
	l.table(&t, below)
}

func (l *layout) balances(balances []balanceView) {
	if len(balances) == 0 {
		return
	}
	t := table{title: "Credits", style: style{8.5, plainWeight, ink}, above: 3.2, below: 3.2}
	for i, head := range []string{"Bucket", "From", "Until", "Opening", "Granted", "Used", "Expired or moved", "Left"} {
		t.columns = append(t.columns, column{head: head, right: i > 2})
	}
	for _, b := range balances {
		t.rows = append(t.rows, []string{b.Kind, b.Starts, b.Expires, b.Opening, b.Granted, b.Burned, b.Gone, b.Remaining})
	}
	l.table(&t, 0)
}
