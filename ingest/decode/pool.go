package decode

import (
	"math/bits"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// A Pool is the memory of record batches: C memory, which DuckDB may hold on to,
// used again once DuckDB has released it. What it hands out is not zeroed. It is
// safe for concurrent use, and never shrinks until [Pool.Close].
type Pool struct {
	mu   sync.Mutex
	mem  *mallocator.Mallocator
	free [64][][]byte // by log2 of the size
}

// NewPool returns an empty pool.
func NewPool() *Pool { return &Pool{mem: mallocator.NewMallocator()} }

const minBlock = 9 // 512 bytes

// Allocate implements memory.Allocator.
func (p *Pool) Allocate(size int) []byte {
	class := max(bits.Len(uint(max(size, 1)-1)), minBlock)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free[class]); n > 0 {
		b := p.free[class][n-1]
		p.free[class] = p.free[class][:n-1]
		return b[:size]
	}
	return p.mem.Allocate(1 << class)[:size]
}

// Reallocate implements memory.Allocator.
func (p *Pool) Reallocate(size int, b []byte) []byte {
	if cap(b) >= size {
		return b[:size]
	}
	bigger := p.Allocate(size)
	copy(bigger, b)
	p.Free(b)
	return bigger
}

// Free implements memory.Allocator.
func (p *Pool) Free(b []byte) {
	if cap(b) == 0 {
		return
	}
	class := bits.Len(uint(cap(b) - 1))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free[class] = append(p.free[class], b[:cap(b)])
}

// Close gives everything that is not in use back to the system.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for class, blocks := range p.free {
		for _, b := range blocks {
			p.mem.Free(b)
		}
		p.free[class] = nil
	}
}
