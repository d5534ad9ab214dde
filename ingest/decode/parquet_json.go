package decode

import (
	"errors"
	"io"
	"unicode/utf8"
)

// text appends the row that next came to as JSON: every column of it, in their
// order. A row of which most bytes are written is cut off there, and so is one
// whose unmapped columns cannot be read. It uses the row up: it is written once.
func (p *parquetReader) text(to []byte, most int) []byte {
	if p.ended { // what cannot be read has no text
		return to
	}
	w := rowWriter{out: to, most: len(to) + most}
	w.row(p.root, p.row-1)
	return w.out
}

// A rowWriter writes a row as JSON.
type rowWriter struct {
	out  []byte
	most int
	err  error
}

func (w *rowWriter) row(columns []*parquetNode, row int64) {
	defer recovered(&w.err)
	w.add("{")
	for i, n := range columns {
		if i > 0 {
			w.add(",")
		}
		for _, l := range n.leaves {
			if w.err = l.seek(row); w.err != nil {
				return
			}
		}
		w.name(n)
		if w.value(n); w.ended() {
			return
		}
	}
	w.add("}")
}

func (w *rowWriter) ended() bool { return w.err != nil || len(w.out) >= w.most }

func (w *rowWriter) add(text string) { w.out = append(w.out, text...) }

func (w *rowWriter) name(n *parquetNode) {
	w.out = append(appendJSONString(w.out, n.name), ':')
}

// value writes what the columns of n have at hand, and goes on behind it.
func (w *rowWriter) value(n *parquetNode) {
	first := n.leaves[0]
	switch {
	case n.repeated && first.def() < n.def:
		w.add("[]")
		w.pass(n)
	case n.repeated:
		w.add("[")
		for w.one(n); !w.ended() && first.rep() == n.rep; w.one(n) {
			w.add(",")
		}
		w.add("]")
	case first.def() < n.def:
		w.add("null")
		w.pass(n)
	default:
		w.one(n)
	}
}

// one writes one value that is there.
func (w *rowWriter) one(n *parquetNode) {
	switch {
	case w.ended():
	case n.children == nil:
		w.scalar(n.leaves[0])
		w.pass(n)
	case n.list && len(n.children) == 1 && n.children[0].repeated:
		w.elements(n.children[0])
	default:
		w.add("{")
		for i, child := range n.children {
			if i > 0 {
				w.add(",")
			}
			w.name(child)
			if w.value(child); w.ended() {
				return
			}
		}
		w.add("}")
	}
}

// elements writes the list that a group stands for. Its elements are mostly wrapped
// in groups of their own, which only say that an element may be null.
func (w *rowWriter) elements(n *parquetNode) {
	if len(n.children) != 1 || n.leaves[0].def() < n.def {
		w.value(n)
		return
	}
	w.add("[")
	for w.value(n.children[0]); !w.ended() && n.leaves[0].rep() == n.rep; w.value(n.children[0]) {
		w.add(",")
	}
	w.add("]")
}

// pass goes on behind the one level that each column of n has at hand.
func (w *rowWriter) pass(n *parquetNode) {
	for _, l := range n.leaves {
		if w.err == nil {
			w.err = l.next()
		}
	}
}

func (w *rowWriter) scalar(l *leaf) {
	start := len(w.out)
	s, why := l.slot(&w.out)
	switch {
	case why != "":
		w.out = appendJSONString(w.out, "("+l.column.LogicalType().String()+")")
	case s.kind == slotString:
		text := string(s.text[:min(len(s.text), max(w.most-start, 0)+utf8.UTFMax)])
		w.out = appendJSONString(w.out[:start], text) // it may have stood there
	}
}

// ParquetLines returns the first rows of a Parquet file as JSON lines.
func ParquetLines(stream io.Reader, rows int) ([]byte, error) {
	p := newParquetReader(&mapping{tree: newTree()})
	defer p.close()
	if err := p.open(stream, ""); err != nil {
		return nil, err
	}
	var lines []byte
	var f frame
	for n := range rows {
		err := p.next(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if f.reason != "" && n == 0 {
			return nil, errors.New(f.detail)
		}
		if f.reason != "" {
			break // damage does not spoil what came before
		}
		lines = append(p.text(lines, maxRecord), '\n')
	}
	return lines, nil
}
