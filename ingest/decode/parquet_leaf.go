package decode

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/creditmill/creditmill/ingest/source"
)

// A leaf is one column of a Parquet file with values, and where in it the reading
// is. Its values come a few at a time, all of one page: texts point into it.
type leaf struct {
	index   int // of the column
	column  *schema.Column
	text    func(l *leaf, to []byte) ([]byte, slotKind)
	binary  bool           // the values are text already
	instant *source.Layout // they are timestamps or dates, whose text is of this layout
	local   source.Layout  // of timestamps that are not adjusted to UTC
	scale   int

	group  *file.RowGroupReader
	chunk  file.ColumnChunkReader // nil: not opened in this row group
	row    int64                  // that the level at hand belongs to
	defs   []int16
	reps   []int16
	levels int // how many of defs and reps
	level  int // the one at hand
	value  int // the number of the value at hand, if the level has one
	count  int // of values

	bools   []bool
	int32s  []int32
	int64s  []int64
	int96s  []parquet.Int96
	floats  []float32
	doubles []float64
	bytes   []parquet.ByteArray
	fixed   []parquet.FixedLenByteArray
}

// leafLevels is how many levels are read at once.
const leafLevels = 256

// begin goes to the start of a row group.
func (l *leaf) begin(g *file.RowGroupReader) {
	l.close()
	l.group, l.row = g, 0
	l.levels, l.level, l.value, l.count = 0, 0, 0, 0
}

func (l *leaf) close() {
	if l.chunk != nil {
		_ = l.chunk.Close() // of memory
		l.chunk = nil
	}
}

// seek goes on to a row that is not before the one at hand.
func (l *leaf) seek(row int64) error {
	if err := l.load(); err != nil {
		return err
	}
	for l.row < row {
		if l.done() {
			return l.short()
		}
		if err := l.next(); err != nil {
			return err
		}
	}
	if l.done() {
		return l.short()
	}
	return nil
}

func (l *leaf) short() error {
	return fmt.Errorf("column %s ends after %d rows of its row group", l.column.Path(), l.row)
}

// ends checks that the column has exactly that many rows.
func (l *leaf) ends(rows int64) error {
	if err := l.load(); err != nil {
		return err
	}
	for l.row < rows && !l.done() {
		if err := l.next(); err != nil {
			return err
		}
	}
	switch {
	case l.row < rows:
		return l.short()
	case !l.done():
		return fmt.Errorf("column %s has more than the %d rows of its row group", l.column.Path(), rows)
	}
	return nil
}

// done reports whether no level is left.
func (l *leaf) done() bool { return l.level == l.levels }

// def is the definition level at hand.
func (l *leaf) def() int16 {
	if l.column.MaxDefinitionLevel() == 0 {
		return 0
	}
	return l.defs[l.level]
}

// rep is the repetition level at hand; of a column that is done it is -1.
func (l *leaf) rep() int16 {
	switch {
	case l.done():
		return -1
	case l.column.MaxRepetitionLevel() == 0:
		return 0
	}
	return l.reps[l.level]
}

// present reports whether the level at hand has a value.
func (l *leaf) present() bool { return l.def() == l.column.MaxDefinitionLevel() }

// next goes on to the next level, which may be the next row's.
func (l *leaf) next() error {
	if l.present() {
		l.value++
	}
	l.level++
	if err := l.load(); err != nil {
		return err
	}
	if l.rep() <= 0 {
		l.row++
	}
	return nil
}

// load makes a level be at hand, unless the column is done.
func (l *leaf) load() error {
	if l.chunk == nil {
		if err := l.checkDictionary(); err != nil {
			return err
		}
		chunk, err := l.group.Column(l.index)
		if err != nil {
			return err
		}
		if chunk.Type() != l.column.PhysicalType() {
			return fmt.Errorf("column %s is of another type than the schema says", l.column.Path())
		}
		l.chunk = chunk
	}
	for l.level == l.levels {
		l.level, l.levels, l.value, l.count = 0, 0, 0, 0
		if !l.chunk.HasNext() {
			return l.chunk.Err()
		}
		if err := l.read(); err != nil {
			return err
		}
		if l.levels == 0 {
			return fmt.Errorf("column %s has a page that ends too early", l.column.Path())
		}
	}
	return nil
}

// checkDictionary refuses a dictionary that claims more values than its bytes can
// hold: the library would make room for all of them.
func (l *leaf) checkDictionary() error {
	pages, err := l.group.GetColumnPageReader(l.index)
	if err != nil {
		return err
	}
	dictionary, err := pages.GetDictionaryPage()
	if err == nil && dictionary != nil && int(dictionary.NumValues()) > len(dictionary.Data()) {
		err = fmt.Errorf("column %s has a dictionary of %d values in %d bytes", l.column.Path(), dictionary.NumValues(), len(dictionary.Data()))
	} else {
		err = nil // whatever it is, the reading says it better
	}
	return errors.Join(err, pages.Close())
}

// read reads levels and values of the page at hand.
func (l *leaf) read() (err error) {
	if l.defs == nil {
		l.defs, l.reps = make([]int16, leafLevels), make([]int16, leafLevels)
	}
	var levels int64
	switch c := l.chunk.(type) {
	case *file.BooleanColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.bools)
	case *file.Int32ColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.int32s)
	case *file.Int64ColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.int64s)
	case *file.Int96ColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.int96s)
	case *file.Float32ColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.floats)
	case *file.Float64ColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.doubles)
	case *file.ByteArrayColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.bytes)
	case *file.FixedLenByteArrayColumnChunkReader:
		levels, l.count, err = readLeaf(l, c, &l.fixed)
	default:
		return fmt.Errorf("column %s is of an unknown type", l.column.Path())
	}
	if err != nil {
		return err
	}
	l.levels = int(levels)
	return l.check()
}

// check refuses levels that no writer gives, and fewer values than they announce.
func (l *leaf) check() error {
	most, deepest := l.column.MaxDefinitionLevel(), l.column.MaxRepetitionLevel()
	values := l.levels
	if most > 0 {
		values = 0
		for _, def := range l.defs[:l.levels] {
			if def < 0 || def > most {
				return fmt.Errorf("column %s has a definition level of %d", l.column.Path(), def)
			}
			if def == most {
				values++
			}
		}
	}
	if deepest > 0 {
		for _, rep := range l.reps[:l.levels] {
			if rep < 0 || rep > deepest {
				return fmt.Errorf("column %s has a repetition level of %d", l.column.Path(), rep)
			}
		}
	}
	if values != l.count {
		return fmt.Errorf("column %s has a page of %d values where %d belong", l.column.Path(), l.count, values)
	}
	return nil
}

type chunkOf[T any] interface {
	ReadBatchInPage(batchSize int64, values []T, defs, reps []int16) (total int64, valuesRead int, err error)
}

func readLeaf[T any](l *leaf, c chunkOf[T], values *[]T) (int64, int, error) {
	if *values == nil {
		*values = make([]T, leafLevels)
	}
	return c.ReadBatchInPage(leafLevels, *values, l.defs, l.reps)
}
