package ingest

import "testing"

func TestEachObjectIsDealtOnce(t *testing.T) {
	for n := range 20 {
		for workers := 1; workers < 6; workers++ {
			s := deal(n, workers)
			dealt := make([]int, n)
			// The first worker does all but what the others begin with.
			for worker := len(s.ranges) - 1; worker >= 0; worker-- {
				if number, ok := s.next(worker); ok {
					dealt[number]++
				}
			}
			for len(s.ranges) > 0 {
				number, ok := s.next(0)
				if !ok {
					break
				}
				dealt[number]++
			}
			for number, times := range dealt {
				if times != 1 {
					t.Errorf("%d objects, %d workers: object %d dealt %d times", n, workers, number, times)
				}
			}
		}
	}
}
