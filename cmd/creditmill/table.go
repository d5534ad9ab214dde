package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A grid is a table for people. Cells are made printable when it is printed;
// numeric columns are set to the right.
type grid struct {
	head  []string
	right []bool // by column; may be shorter than head
	rows  [][]string
}

func newGrid(head ...string) *grid { return &grid{head: head, right: make([]bool, len(head))} }

// numbers marks the columns, by their place, that hold numbers.
func (g *grid) numbers(columns ...int) *grid {
	for _, i := range columns {
		g.right[i] = true
	}
	return g
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// String is the table, each line after two blanks.
func (g *grid) String() string {
	w := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Box.MiddleVertical = ""
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	configs := make([]table.ColumnConfig, len(g.head))
	for i := range g.head {
		configs[i] = table.ColumnConfig{Number: i + 1}
		if i < len(g.right) && g.right[i] {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	w.SetColumnConfigs(configs)
	w.AppendHeader(tableRow(g.head))
	for _, row := range g.rows {
		w.AppendRow(tableRow(row))
	}
	return w.Render() + "\n"
}

func tableRow(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = printable(cell)
	}
	return row
}

// short cuts a text for a table's cell.
func short(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// print writes the one JSON document of a command with --json.
func (a *app) print(document any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	_, err := a.stdout.Write(escapeC1(out.Bytes()))
	return err
}

// escapeC1 escapes the control characters that JSON leaves as they are: delete
// and the C1 set, which some terminals obey.
func escapeC1(document []byte) []byte {
	if bytes.IndexFunc(document, isC1) < 0 {
		return document
	}
	var out bytes.Buffer
	for _, r := range string(document) {
		if isC1(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

func isC1(r rune) bool { return r >= 0x7f && r <= 0x9f }
