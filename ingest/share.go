package ingest

import "sync"

// shares deals objects out to workers in runs of neighbours, each in order. Copies
// of an event mostly lie near each other, so that the one that counts is mostly met
// first: the text of the other is at hand then, and its object need not be read
// again.
type shares struct {
	mu     sync.Mutex
	ranges []objectRange
}

// An objectRange is the objects that a worker has before it.
type objectRange struct{ first, end int }

// deal deals n objects out to at most that many workers.
func deal(n, workers int) *shares {
	s := &shares{ranges: make([]objectRange, min(n, workers))}
	for i := range s.ranges {
		s.ranges[i] = objectRange{n * i / len(s.ranges), n * (i + 1) / len(s.ranges)}
	}
	return s
}

// next returns a worker's next object. One that is done takes over the later half
// of what another has most of.
func (s *shares) next(worker int) (number int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := &s.ranges[worker]
	if own.first == own.end {
		most := own
		for i := range s.ranges {
			if r := &s.ranges[i]; r.end-r.first > most.end-most.first {
				most = r
			}
		}
		middle := (most.first + most.end) / 2
		*own, most.end = objectRange{middle, most.end}, middle
	}
	if own.first == own.end {
		return 0, false
	}
	own.first++
	return own.first - 1, true
}
