package row

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"os"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/parquet"
	"github.com/creditmill/creditmill/internal/spool"
)

// Objects are what rows say of objects by their number.
type Objects struct {
	Keys, Sources []string
}

// A File is one that Files wrote.
type File struct {
	Path        string
	Rows        int64
	First, Last time.Time
	Newest      map[string]time.Time // the last of each source
}

// Sorting is how a run's rows become files of usage.
type Sorting struct {
	rows    *Rows
	columns []lake.Column // of lake.Usage's and the dynamic ones that are written
	places  []int         // by column of the rows: its place among columns, -1 where it is not written
	keys    []uint32      // by object: the number of its key
	sources []uint32      // and of its source
	names   []string      // of the sources, in order
	ranks   []uint32      // by object: the place of its source there
	most    int           // bytes of rows to sort at once
}

// NewSorting returns what writes files with the columns of lake.Usage and those
// dynamic ones. All writers must have been flushed.
func (r *Rows) NewSorting(of Objects, dynamic []lake.Column, most int) *Sorting {
	s := &Sorting{rows: r, columns: append(slices.Clone(lake.Usage.Columns), dynamic...), most: most}
	s.names = slices.Compact(slices.Sorted(slices.Values(of.Sources)))
	for _, c := range r.columns {
		s.places = append(s.places, slices.IndexFunc(s.columns, func(written lake.Column) bool { return written.Name == c.Name }))
	}
	for i := range of.Keys {
		s.keys = append(s.keys, r.Names.Add(of.Keys[i]))
		s.sources = append(s.sources, r.Names.Add(of.Sources[i]))
		rank, _ := slices.BinarySearch(s.names, of.Sources[i])
		s.ranks = append(s.ranks, uint32(rank))
	}
	return s
}

// Files writes a day's rows that keep wants, each file in the order of lake.Usage:
// account, time, source, event id. One file holds a day, unless it is very large:
// then each holds the rows of some of its accounts. path gives the path of the n-th
// file. It may be called side by side for several days.
func (s *Sorting) Files(day int32, keep func(object int32, line int64) bool, path func(n int) string) (files []File, err error) {
	part, err := s.rows.spool.Open(day)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, part.Close()) }()
	if len(part.Rows) <= s.most {
		file, err := s.write(part.Rows, keep, path(0))
		if file.Rows > 0 {
			files = append(files, file)
		}
		return files, err
	}
	parts := int32(len(part.Rows)/s.most + 1)
	folder := path(0) + "-parts"
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	deal := spool.New(folder, "part")
	if err := s.deal(part, parts, deal); err != nil {
		return nil, err
	}
	for n := range parts {
		file, err := s.writePart(deal, n, keep, path(int(n)))
		if err != nil {
			return nil, err
		}
		if file.Rows > 0 {
			files = append(files, file)
		}
	}
	return files, nil
}

// deal deals a large day's rows out by account.
func (s *Sorting) deal(part *spool.Part, parts int32, to *spool.Spool) error {
	w := to.Writer()
	for rest := part.Rows; len(rest) > 0; {
		var row packed
		row, rest = next(rest)
		account, _ := row.account()
		if err := copyTo(w, int32(xxh3.Hash(account.in(s.rows.Names))%uint64(parts)), row); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (s *Sorting) writePart(from *spool.Spool, n int32, keep func(int32, int64) bool, path string) (file File, err error) {
	part, err := from.Open(n)
	if err != nil {
		return File{}, err
	}
	file, err = s.write(part.Rows, keep, path)
	return file, errors.Join(err, part.Close(), from.Remove(n))
}

// An entry is a row to be sorted.
type entry struct {
	time   int64
	at     uint32 // in the rows, in units of spool.Align
	source uint32 // rank of the source's name
}

// write sorts and writes rows.
func (s *Sorting) write(rows []byte, keep func(int32, int64) bool, path string) (File, error) {
	order := s.sort(rows, keep)
	if len(order) == 0 {
		return File{}, nil
	}
	w, err := parquet.Create(path, s.columns, s.rows.Names.Text)
	if err != nil {
		return File{}, err
	}
	file := File{Path: path, Newest: map[string]time.Time{}}
	first := order[0].time
	last := make([]int64, len(s.names)) // by rank of the source
	for i := range last {
		last[i] = math.MinInt64
	}
	for _, e := range order {
		first = min(first, e.time)
		last[e.source] = max(last[e.source], e.time)
		row, _ := next(rows[int(e.at)*spool.Align:])
		s.append(w, row)
		if err := w.EndRow(); err != nil {
			return File{}, errors.Join(err, w.Abandon())
		}
	}
	file.First, file.Last = time.UnixMicro(first).UTC(), time.UnixMicro(slices.Max(last)).UTC()
	for rank, at := range last {
		if at != math.MinInt64 {
			file.Newest[s.names[rank]] = time.UnixMicro(at).UTC()
		}
	}
	file.Rows, err = w.Close()
	return file, err
}

// append writes a row; the first columns are lake.Usage's.
func (s *Sorting) append(w *parquet.Writer, p packed) {
	c, object := w.Columns, p.object()
	account, rest := p.account()
	c[0].AppendText(p.id())
	c[1].AppendName(s.sources[object])
	appendText(&c[2], account)
	c[6].AppendInt(p.time())
	c[7].AppendName(s.keys[object])
	c[8].AppendInt(int64(rest.uvarint()))
	rest.uvarint() // the offset
	for i := 3; i < 6; i++ {
		appendText(&c[i], rest.text())
	}
	for i, place := range s.places {
		switch isText := s.rows.columns[i].Type == lake.DimensionType; {
		case place < 0 && isText:
			rest.text()
		case place < 0:
			rest.units()
		case isText:
			appendText(&c[place], rest.text())
		default:
			if units := rest.units(); units >= 0 {
				c[place].AppendInt(units)
			} else {
				c[place].AppendNull()
			}
		}
	}
}

func appendText(to *parquet.Column, t text) {
	switch t.number {
	case textNull:
		to.AppendNull()
	case textSpelled:
		to.AppendText(t.spelled)
	default:
		to.AppendName(t.number - textNumber)
	}
}

// sort deals the rows out to their accounts and sorts each account's, which are few.
func (s *Sorting) sort(rows []byte, keep func(int32, int64) bool) []entry {
	var found []entry
	var of []uint32 // the account of each
	accounts := newAccounts(s.rows.Names)
	for rest := rows; len(rest) > 0; {
		at := uint32((len(rows) - len(rest)) / spool.Align)
		var row packed
		row, rest = next(rest)
		object := row.object()
		account, rest := row.account()
		if !keep(object, int64(rest.uvarint())) {
			continue
		}
		found = append(found, entry{row.time(), at, s.ranks[object]})
		of = append(of, accounts.count(account))
	}
	begins := accounts.begins()
	order := make([]entry, len(found))
	for i, e := range found {
		order[begins[of[i]]] = e
		begins[of[i]]++
	}
	id := func(e entry) []byte {
		row, _ := next(rows[int(e.at)*spool.Align:])
		return row.id()
	}
	for account, end := range begins {
		slices.SortFunc(order[end-accounts.sizes[account]:end], func(x, y entry) int {
			if x.time != y.time {
				return cmp.Compare(x.time, y.time)
			}
			if x.source != y.source {
				return cmp.Compare(x.source, y.source)
			}
			return bytes.Compare(id(x), id(y))
		})
	}
	return order
}

// accounts are those of the rows being sorted, in the order in which they came.
type accounts struct {
	names   *Names
	named   []uint32 // by number of the name: the account, and one
	numbers map[string]uint32
	texts   []string
	sizes   []int
}

func newAccounts(names *Names) *accounts {
	return &accounts{names: names, named: make([]uint32, len(names.texts)), numbers: map[string]uint32{}}
}

// count counts a row of an account and returns which it is.
func (a *accounts) count(name text) uint32 {
	if name.number >= textNumber {
		if known := a.named[name.number-textNumber]; known > 0 {
			a.sizes[known-1]++
			return known - 1
		}
	}
	spelled := string(name.in(a.names))
	account, known := a.numbers[spelled] // it may have come without its number
	if !known {
		account = uint32(len(a.texts))
		a.numbers[spelled] = account
		a.texts, a.sizes = append(a.texts, spelled), append(a.sizes, 0)
	}
	if name.number >= textNumber {
		a.named[name.number-textNumber] = account + 1
	}
	a.sizes[account]++
	return account
}

// begins is where each account's rows begin when accounts are in order.
func (a *accounts) begins() []int {
	order := make([]uint32, len(a.texts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(a.texts[x], a.texts[y]) })
	begins := make([]int, len(a.texts))
	begin := 0
	for _, account := range order {
		begins[account] = begin
		begin += a.sizes[account]
	}
	return begins
}
