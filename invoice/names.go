package invoice

import (
	"math"
	"slices"
	"strings"
	"sync"
)

// names number the texts of a column as they are met. Several goroutines may add
// at once, so the numbers are those of one run and decide nothing: their ranks do.
type names struct {
	mu      sync.Mutex
	numbers map[string]uint32
	texts   []string
	ranks   []uint32 // of the texts in their order; made by rank
}

// noName is the number of NULL, which comes before all texts.
const noName = math.MaxUint32

func newNames() *names { return &names{numbers: map[string]uint32{}} }

// add appends the numbers of texts, which it copies where they are new.
func (n *names) add(to []uint32, count int, text func(int) string) []uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range count {
		t := text(i)
		number, known := n.numbers[t]
		if !known {
			t = strings.Clone(t)
			number = uint32(len(n.texts))
			n.texts = append(n.texts, t)
			n.numbers[t] = number
		}
		to = append(to, number)
	}
	return to
}

// rank puts the texts in order; none may be added afterwards.
func (n *names) rank() {
	order := make([]uint32, len(n.texts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(n.texts[a], n.texts[b]) })
	n.ranks = make([]uint32, len(order))
	for rank, number := range order {
		n.ranks[number] = uint32(rank)
	}
	n.numbers = nil
}

// text is what a number stands for; empty for none.
func (n *names) text(number uint32) string {
	if number == noName {
		return ""
	}
	return n.texts[number]
}

// place is where a number's text stands in the order of all, NULL first.
func (n *names) place(number uint32) uint64 {
	if number == noName {
		return 0
	}
	return uint64(n.ranks[number]) + 1
}
