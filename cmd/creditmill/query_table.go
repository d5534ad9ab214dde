package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/creditmill/creditmill/internal/duck"
)

// table prints the first rows as a table for people.
func (l layout) table(ctx context.Context, s *duck.Session, query duck.Query, args []any) (done outcome, err error) {
	rows, err := s.First(ctx, query, l.limit+1, args...)
	if err != nil {
		return done, err
	}
	var found result
	if found.columns, found.numeric, err = eachOf(rows, func(row []any) error {
		found.rows = append(found.rows, row)
		return nil
	}); err != nil {
		return done, err
	}
	if len(query.Columns) == len(found.columns) {
		found.columns = query.Columns
	}
	if done.more = len(found.rows) > l.limit; done.more {
		found.rows = found.rows[:l.limit]
	}
	done.rows = int64(len(found.rows))
	g := found.grid()
	hidden := l.fit(g)
	drawn := g.String()
	if len(hidden) > 0 {
		drawn += fold("no room for "+printable(strings.Join(hidden, ", ")), "  ", l.width-columnGap)
	}
	_, err = io.WriteString(l.out, drawn)
	return done, err
}

// plan prints what EXPLAIN says as it is drawn.
func (l layout) plan(ctx context.Context, s *duck.Session, query duck.Query, args []any) (done outcome, err error) {
	found, err := fetch(ctx, s, query.Text, args...)
	for _, row := range found.rows {
		if err != nil {
			break
		}
		done.rows++
		_, err = fmt.Fprintln(l.out, printableLines(strings.TrimRight(plain(row[len(row)-1]), "\n")))
	}
	return done, err
}

// The least that a column of texts is cut to, and what stands between columns.
const (
	leastWidth = 8
	columnGap  = 2
)

// fit cuts the texts of a table to the width of the terminal, the widest first, and leaves
// out columns at the end where that is not enough: their names are returned. Numbers are
// never cut.
func (l layout) fit(g *grid) (hidden []string) {
	if l.width == 0 {
		return nil
	}
	for i, row := range g.rows { // as they are shown, so that no cut goes through an escape
		for k, cell := range row {
			g.rows[i][k] = printable(cell)
		}
	}
	widths := g.widths()
	for lineWidth(widths) > l.width {
		widest := -1
		for i, w := range widths {
			if !g.right[i] && w > leastWidth && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	columns := len(widths)
	for columns > 1 && lineWidth(widths[:columns]) > l.width {
		columns--
	}
	hidden = g.head[columns:]
	g.head, g.right = slices.Clone(g.head[:columns]), g.right[:columns]
	for i, name := range g.head {
		if !g.right[i] {
			g.head[i] = cut(printable(name), widths[i])
		}
	}
	for i, row := range g.rows {
		g.rows[i] = row[:columns]
		for k := range g.rows[i] {
			if !g.right[k] {
				g.rows[i][k] = cut(row[k], widths[k])
			}
		}
	}
	return hidden
}

// cut is the beginning of a text that takes so many columns of a terminal, on which some
// characters take two.
func cut(s string, width int) string {
	if text.StringWidthWithoutEscSequences(s) <= width {
		return s
	}
	width-- // for the mark
	for i, r := range s {
		if width -= text.RuneWidth(r); width < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// widths are the widths of a table's columns.
func (g *grid) widths() []int {
	widths := make([]int, len(g.head))
	for i, name := range g.head {
		widths[i] = text.StringWidthWithoutEscSequences(printable(name))
	}
	for _, row := range g.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(cell))
		}
	}
	return widths
}

func lineWidth(widths []int) int {
	sum := 0
	for _, w := range widths {
		sum += columnGap + w
	}
	return sum
}
