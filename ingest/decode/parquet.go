package decode

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/creditmill/creditmill/ingest/source"
)

// A parquetReader reads the rows of Parquet files, one at a time: of each column
// that is mapped a page is in memory, of the others none, until a reject wants its
// row whole.
//
// A file that is damaged has rows up to where the first mapped column cannot be
// read; the damage is one record behind them. The library panics on some damaged
// files: that is damage too.
type parquetReader struct {
	values
	m      *mapping
	arena  []byte
	in     *randomAccess // nil: no file is open
	file   *file.Reader
	root   []*parquetNode
	leaf   []*leaf
	bound  []parquetBinding
	count  []*leaf        // the columns that say how many rows there are: those of bound, or else the first
	time   *source.Layout // of the event's time, where its column is of a type that knows it
	group  int            // the row group that is next
	row    int64          // the next one, in the row group
	rows   int64          // of the row group
	line   int64          // rows read, of all row groups
	ended  bool
	damage error // of the file as a whole
}

// A parquetBinding is a column, or a group or list of them, that fills a node.
type parquetBinding struct {
	node int32
	at   *parquetNode
}

func newParquetReader(m *mapping) *parquetReader {
	return &parquetReader{values: newValues(m.tree), m: m}
}

// open begins with a file, whose memory and scratch the next open or close gives up.
// What is wrong with the file itself is said by the first call of next.
func (p *parquetReader) open(stream io.Reader, scratch string) (err error) {
	p.close()
	p.group, p.row, p.rows, p.line, p.ended, p.time, p.damage = 0, 0, 0, 0, false, nil, nil
	if p.in, err = accessAtRandom(stream, scratch); err != nil {
		return err
	}
	if p.in.Size() == 0 { // as an empty object of any other format
		p.ended = true
		return nil
	}
	p.damage, err = p.begin()
	return err
}

func (p *parquetReader) begin() (damage, err error) {
	defer recovered(&damage)
	properties := parquet.NewReaderProperties(nil)
	properties.BufferedStreamEnabled = true // a page at a time, not a row group
	if p.file, damage = file.NewParquetReader(p.in, file.WithReadProps(properties)); damage != nil {
		return damage, nil
	}
	p.root, p.leaf = parquetSchema(p.file.MetaData().Schema)
	if len(p.leaf) == 0 {
		return errors.New("the file has no column"), nil
	}
	local := source.Layout{}
	if p.m.layout != nil {
		local = *p.m.layout
	}
	for _, l := range p.leaf {
		l.setText(local)
	}
	p.bound, p.count = p.bound[:0], p.leaf[:1]
	if twice := p.bind(0, p.root); twice != "" {
		return nil, fmt.Errorf("the Parquet file has the mapped column %q twice", twice)
	}
	if len(p.bound) > 0 {
		p.count = nil
		for _, b := range p.bound {
			p.count = append(p.count, b.at.leaves[0])
		}
	}
	return nil, nil
}

// recovered makes a panic of the library, or of a reader that its values misled, an
// error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%v", r)
	}
}

// bind finds what fills the nodes under a node of the tree, and returns a name that
// stands twice.
func (p *parquetReader) bind(node int32, columns []*parquetNode) (twice string) {
	met := map[int32]bool{}
	for _, n := range columns {
		child := p.m.tree.child(node, []byte(n.name))
		if child == 0 {
			continue
		}
		if met[child] {
			return n.name
		}
		met[child] = true
		if p.m.tree.nodes[child].mapped {
			p.bound = append(p.bound, parquetBinding{child, n})
			if child == p.m.time.node && n.scalar() && n.leaves[0].instant != nil {
				p.time = n.leaves[0].instant
			}
		}
		if n.structure() {
			if twice = p.bind(child, n.children); twice != "" {
				return n.name + "." + twice
			}
		}
	}
	return ""
}

// close gives up the file.
func (p *parquetReader) close() {
	p.closeGroup()
	p.root, p.leaf, p.file = nil, nil, nil
	if p.in != nil {
		_ = p.in.Close() // what it leaves in scratch is swept with the rest
		p.in = nil
	}
}

func (p *parquetReader) closeGroup() {
	for _, l := range p.leaf {
		l.close()
	}
}

// next frames one row, and fills the nodes from it.
func (p *parquetReader) next(f *frame) error {
	if p.ended {
		return io.EOF
	}
	p.values.next()
	p.arena = p.arena[:0]
	f.line, f.offset, f.reason, f.detail = p.line+1, p.line, "", ""
	f.b, f.end = nil, 0
	more, damage := false, p.damage
	if damage == nil {
		more, damage = p.advance(f)
	}
	if damage != nil { // it stands in the place of everything that cannot be read
		p.ended = true
		f.reason, f.detail = Truncated, "the Parquet file cannot be read from here on: "+strings.ToValidUTF8(damage.Error(), "\uFFFD")
		return nil
	}
	if !more {
		p.ended = true
		return io.EOF
	}
	p.line++
	return nil
}

func (p *parquetReader) advance(f *frame) (more bool, damage error) {
	defer recovered(&damage)
	for p.row == p.rows {
		if damage := p.groupEnds(); damage != nil {
			return false, damage
		}
		if p.group == p.file.NumRowGroups() {
			return false, p.fileEnds()
		}
		if damage := p.openGroup(); damage != nil {
			return false, damage
		}
	}
	for _, l := range p.count {
		if damage := l.seek(p.row); damage != nil {
			return false, damage
		}
	}
	size := 0
	for _, b := range p.bound {
		n, why := p.fill(b)
		if why != "" && f.reason == "" {
			f.reason, f.detail = Malformed, why
		}
		size += n
	}
	if size > maxRecord && f.reason == "" {
		f.reason, f.detail = TooLong, "the mapped values of a row have more than 1 MiB"
	}
	p.row++
	return true, nil
}

// fill fills one node, and returns how long its text is, and why it is malformed.
func (p *parquetReader) fill(b parquetBinding) (size int, why string) {
	l := b.at.leaves[0]
	switch def := l.def(); {
	case def < b.at.def && !b.at.repeated || def < b.at.def-1:
		return 0, "" // NULL
	case !b.at.scalar():
		p.seen[b.node], p.slots[b.node] = p.turn, slot{nil, slotContainer}
		return 0, ""
	}
	s, why := l.slot(&p.arena)
	if why == "" && s.kind == slotString && !utf8.Valid(s.text) {
		why = "is not UTF-8"
	}
	if why != "" {
		return 0, l.column.Path() + " " + why
	}
	p.seen[b.node], p.slots[b.node] = p.turn, s
	return len(s.text), ""
}

func (p *parquetReader) openGroup() error {
	g := p.file.RowGroup(p.group)
	p.rows, p.row = g.NumRows(), 0
	if p.rows < 0 {
		p.rows = 0
		return fmt.Errorf("a row group of %d rows", g.NumRows())
	}
	for _, l := range p.leaf {
		l.begin(g)
	}
	p.group++
	return nil
}

// groupEnds checks that the mapped columns have no more rows than they should.
func (p *parquetReader) groupEnds() error {
	if p.group == 0 {
		return nil
	}
	for _, l := range p.count {
		if damage := l.ends(p.rows); damage != nil {
			return damage
		}
	}
	p.closeGroup()
	return nil
}

func (p *parquetReader) fileEnds() error {
	if n := p.file.NumRows(); n != p.line {
		return fmt.Errorf("the file should have %d rows, its row groups have %d", n, p.line)
	}
	return nil
}
