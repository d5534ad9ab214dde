package decode

import (
	"math/bits"
	"sync/atomic"
)

// Seen answers, for the hash of an event's identity, "may this have come before?":
// never wrongly no, seldom wrongly yes. It is a Bloom filter whose bits of one
// hash lie in one word, so that of two equal hashes exactly one finds the other's
// bits, whichever goroutines they come from. Its size is fixed: with many more
// events it says yes more often, which costs time and nothing else.
type Seen struct {
	words []uint64
	shift int
}

// eventsPerWord is how many events a word is for: more, and too many are taken for
// copies; fewer, and the words lie outside the processor's caches.
const eventsPerWord = 8

// NewSeen returns a filter for about that many events, of at most 64 MiB.
func NewSeen(events int64) *Seen {
	size := min(max(bits.Len64(uint64(max(events, 1)/eventsPerWord)), 10), 23)
	return &Seen{words: make([]uint64, 1<<size), shift: 64 - size}
}

// add records hash and reports whether it may have been recorded before.
func (s *Seen) add(hash uint64) bool {
	word, mask := s.bits(hash)
	return atomic.OrUint64(word, mask)&mask == mask
}

// Has reports whether hash may have been recorded.
func (s *Seen) Has(hash uint64) bool {
	word, mask := s.bits(hash)
	return atomic.LoadUint64(word)&mask == mask
}

// touch fetches the word that addTo will need: the filter is larger than the
// processor's caches, and other work can be done while memory answers.
func (s *Seen) touch(hash uint64) (word uint64) { return atomic.LoadUint64(&s.words[hash>>s.shift]) }

// addTo is add, after touch.
func (s *Seen) addTo(touched, hash uint64) bool {
	if _, mask := s.bits(hash); touched&mask == mask {
		return true
	}
	return s.add(hash)
}

func (s *Seen) bits(hash uint64) (word *uint64, mask uint64) {
	mask = uint64(1)<<(hash&63) | 1<<(hash>>6&63) | 1<<(hash>>12&63) | 1<<(hash>>18&63) | 1<<(hash>>24&63)
	return &s.words[hash>>s.shift], mask
}
