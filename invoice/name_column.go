package invoice

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// nameType is a text that recurs: each batch holds it once.
var nameType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// A nameColumn builds a column of texts that recur: account, bucket. The next row
// most often has the text of the one before.
type nameColumn struct {
	*array.Int32Builder // of the texts' numbers
	texts               *array.StringBuilder
	numbers             map[string]int32
	last                string
	number              int32 // of last; -1: there is no last
}

func newNameColumn(memory memory.Allocator) *nameColumn {
	return &nameColumn{
		Int32Builder: array.NewInt32Builder(memory), texts: array.NewStringBuilder(memory), numbers: map[string]int32{}, number: -1,
	}
}

// add appends a text; Reserve must have made room for it.
func (c *nameColumn) add(text string) {
	if c.number < 0 || text != c.last {
		number, known := c.numbers[text]
		if !known {
			number = int32(c.texts.Len())
			c.texts.Append(text)
			c.numbers[text] = number
		}
		c.last, c.number = text, number
	}
	c.UnsafeAppend(c.number)
}

// NewArray makes the column of the rows so far and starts anew.
func (c *nameColumn) NewArray() arrow.Array {
	numbers, texts := c.Int32Builder.NewArray(), c.texts.NewArray()
	defer numbers.Release()
	defer texts.Release()
	clear(c.numbers)
	c.number = -1
	return array.NewDictionaryArray(nameType, numbers, texts)
}

// Release frees what the column holds.
func (c *nameColumn) Release() {
	c.Int32Builder.Release()
	c.texts.Release()
}
