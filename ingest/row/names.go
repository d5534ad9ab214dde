package row

import (
	"sync"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// Names are texts that recur, each with a number. Writers share them.
type Names struct {
	mu      sync.Mutex
	numbers map[string]uint32
	texts   []string
	bytes   int
}

// What bounds Names: a column whose texts hardly recur would fill memory with them.
// Texts beyond stay in their rows.
const (
	columnNames = 1 << 17
	namesBytes  = 64 << 20
)

// NewNames returns no names.
func NewNames() *Names { return &Names{numbers: map[string]uint32{}} }

// Text is the text of a number. No writer may be at work.
func (n *Names) Text(number uint32) string { return n.texts[number] }

// bytesOf is Text as bytes, never nil, which nobody may write to.
func (n *Names) bytesOf(number uint32) []byte {
	text := n.texts[number]
	if text == "" {
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// Add returns the number of a text, which it has from now on.
func (n *Names) Add(text string) uint32 {
	number, _ := n.add(text, 1<<31)
	return number
}

// add numbers a text unless there is no room; most is the bytes that all may have.
func (n *Names) add(text string, most int) (number uint32, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, ok = n.numbers[text]; ok {
		return number, true
	}
	if n.bytes+len(text) > most {
		return 0, false
	}
	number = uint32(len(n.texts))
	n.numbers[text] = number
	n.texts = append(n.texts, text)
	n.bytes += len(text)
	return number, true
}

// A known is what one writer has seen of a column's names: a hash table with open
// addressing, for it is asked for every text of every row.
type known struct {
	names *Names
	table []knownName // a power of two; at most half are in use
	used  int
	full  bool // no further text gets a number
}

type knownName struct {
	text   string
	number uint32 // and one; 0: free
}

// number is that of a text; not ok: it has none and stays in its row.
func (k *known) number(text []byte) (number uint32, ok bool) {
	if len(k.table) == 0 {
		k.table = make([]knownName, 64)
	}
	at := int(xxh3.Hash(text)) & (len(k.table) - 1)
	for k.table[at].number != 0 {
		if k.table[at].text == string(text) {
			return k.table[at].number - 1, true
		}
		at = (at + 1) & (len(k.table) - 1)
	}
	if k.full {
		return 0, false
	}
	name := string(text)
	if number, ok = k.names.add(name, namesBytes); !ok {
		k.full = true
		return 0, false
	}
	k.table[at] = knownName{name, number + 1}
	k.used++
	k.full = k.used == columnNames
	if 2*k.used > len(k.table) {
		k.grow()
	}
	return number, true
}

func (k *known) grow() {
	old := k.table
	k.table = make([]knownName, 2*len(old))
	for _, name := range old {
		if name.number == 0 {
			continue
		}
		at := int(xxh3.HashString(name.text)) & (len(k.table) - 1)
		for k.table[at].number != 0 {
			at = (at + 1) & (len(k.table) - 1)
		}
		k.table[at] = name
	}
}
