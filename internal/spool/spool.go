// Package spool keeps packed rows in scratch files of one run, a file a part,
// between those who make them and those who read them part by part. It is how a
// set that does not fit memory is sorted: dealt out to parts, and each part sorted
// by itself.
//
// What a row holds is its maker's business; the spool knows bytes. A file is
// nothing but rows one behind the other, in no order, so it means nothing to another
// process, and a crash leaves some to be swept with the rest of scratch. It is read
// where it lies: mapped into memory, which costs neither a copy nor memory that
// the system could not take back.
package spool

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// A Spool is the rows of one run. Nothing may be read before every writer has
// been flushed; then several parts may be opened and removed side by side.
type Spool struct {
	prefix string // of the files
	mu     sync.Mutex
	sizes  map[int32]int64 // of the files, by part
}

// New returns an empty spool with files in folder, whose names begin with name.
func New(folder, name string) *Spool {
	return &Spool{prefix: filepath.Join(folder, name) + "-", sizes: map[int32]int64{}}
}

// Align is what rows begin at multiples of.
const Align = 8

// Padded is the room that a row of that many bytes takes: what lies between its
// beginning and the next row's.
func Padded(size int) int { return (size + Align - 1) &^ (Align - 1) }

// What a writer holds back: of one part, and of all parts together.
const (
	partBytes  = 256 << 10
	totalBytes = 32 << 20
)

// A Writer adds rows. Several work side by side, each for one goroutine.
type Writer struct {
	spool *Spool
	parts map[int32]*buffer
	last  *buffer
	held  int
}

type buffer struct {
	part int32
	rows []byte
}

// Writer returns a new writer.
func (s *Spool) Writer() *Writer { return &Writer{spool: s, parts: map[int32]*buffer{}} }

// Row makes room for a row of that many bytes in a part. What it returns is not
// zeroed, begins at a multiple of Align, and is to be filled before the next call.
func (w *Writer) Row(part int32, size int) ([]byte, error) {
	b := w.last
	if b == nil || b.part != part {
		if b = w.parts[part]; b == nil {
			b = &buffer{part: part}
			w.parts[part] = b
		}
		w.last = b
	}
	padded := Padded(size)
	if len(b.rows)+padded > partBytes || w.held+padded > totalBytes {
		if err := w.make(b, padded); err != nil {
			return nil, err
		}
	}
	at := len(b.rows)
	if cap(b.rows)-at < padded {
		b.rows = slices.Grow(b.rows, padded)
	}
	b.rows = b.rows[:at+padded]
	w.held += padded
	return b.rows[at : at+size : at+padded], nil
}

// make writes rows out until one of that size may follow in b.
func (w *Writer) make(b *buffer, size int) error {
	if len(b.rows)+size > partBytes {
		if err := w.write(b); err != nil {
			return err
		}
	}
	if w.held+size > totalBytes {
		return w.Flush()
	}
	return nil
}

func (w *Writer) write(b *buffer) (err error) {
	if len(b.rows) == 0 {
		return nil
	}
	s := w.spool
	s.mu.Lock()
	at := s.sizes[b.part]
	s.sizes[b.part] = at + int64(len(b.rows))
	s.mu.Unlock()
	file, err := os.OpenFile(s.path(b.part), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("write rows to scratch: %w", err)
	}
	_, err = file.WriteAt(b.rows, at)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write rows to scratch: %w", err)
	}
	w.held -= len(b.rows)
	b.rows = b.rows[:0]
	return nil
}

// Flush writes out what the writer holds back.
func (w *Writer) Flush() error {
	for _, b := range w.parts {
		if err := w.write(b); err != nil {
			return err
		}
	}
	if len(w.parts) > totalBytes/partBytes { // else the buffers are used again
		clear(w.parts)
		w.last = nil
	}
	return nil
}

func (s *Spool) path(part int32) string {
	return s.prefix + strconv.Itoa(int(part)) + ".rows"
}

// Parts are the parts that have rows, in order.
func (s *Spool) Parts() []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.sizes))
}

// size is how many bytes of rows a part has.
func (s *Spool) size(part int32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sizes[part]
}

// Open maps a part's rows, which are good until Part.Close; none for a part that
// has none.
func (s *Spool) Open(part int32) (*Part, error) {
	size := s.size(part)
	if size == 0 {
		return &Part{}, nil
	}
	file, err := os.Open(s.path(part))
	if err != nil {
		return nil, fmt.Errorf("read rows from scratch: %w", err)
	}
	defer func() { _ = file.Close() }() // only read, and the mapping outlives it
	rows, err := syscall.Mmap(int(file.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("read rows from scratch: map %s: %w", file.Name(), err)
	}
	return &Part{Rows: rows}, nil
}

// A Part is the rows of one part.
type Part struct {
	Rows []byte // each at a multiple of Align
}

// Close gives the rows up.
func (p *Part) Close() error {
	if p.Rows == nil {
		return nil
	}
	rows := p.Rows
	p.Rows = nil
	return syscall.Munmap(rows)
}

// Remove gives up a part's file. What is mapped of it stays readable.
func (s *Spool) Remove(part int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sizes[part] == 0 {
		return nil
	}
	delete(s.sizes, part)
	return os.Remove(s.path(part))
}

// Close gives up all files.
func (s *Spool) Close() error {
	var err error
	for _, part := range s.Parts() {
		err = errors.Join(err, s.Remove(part))
	}
	return err
}
