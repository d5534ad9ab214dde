package spool_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/spool"
)

// TestRowsComeBackInTheirPart writes rows of all sizes to more parts than a writer
// holds back at once, from two writers in turns.
func TestRowsComeBackInTheirPart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	folder := t.TempDir()
	s := spool.New(folder, "test")
	writers := []*spool.Writer{s.Writer(), s.Writer()}
	want := map[int32][]string{}
	for n := range 20_000 {
		part, size := rng.Int32N(300)-100, 8+rng.IntN(3000)
		if n%5000 == 0 {
			size = 1 << 20 // more than is held back of a part
		}
		row, err := writers[n%2].Row(part, size)
		if err != nil || len(row) != size {
			t.Fatalf("room for %d bytes, %v; want %d", len(row), err, size)
		}
		for i := range row {
			row[i] = byte(n + i)
		}
		binary.LittleEndian.PutUint32(row, uint32(size))
		want[part] = append(want[part], string(row))
	}
	for _, w := range writers {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.Parts()) != len(want) || !slices.IsSorted(s.Parts()) {
		t.Fatalf("%d parts, want %d", len(s.Parts()), len(want))
	}
	for part, rows := range want {
		opened, err := s.Open(part)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(part); err != nil { // what is open stays readable
			t.Fatal(err)
		}
		var got []string
		for rest := opened.Rows; len(rest) > 0; {
			size := int(binary.LittleEndian.Uint32(rest))
			got = append(got, string(rest[:size]))
			rest = rest[spool.Padded(size):]
		}
		slices.Sort(got)
		slices.Sort(rows)
		if !slices.Equal(got, rows) {
			t.Fatalf("part %d: %d rows, want %d", part, len(got), len(rows))
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	none, err := s.Open(12345)
	if err != nil || len(none.Rows) > 0 {
		t.Errorf("a part without rows: %v", err)
	}
}

func TestCloseRemovesFiles(t *testing.T) {
	folder := t.TempDir()
	s := spool.New(folder, "test")
	w := s.Writer()
	if _, err := w.Row(1, 10); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

// TestPartsAreOpenedAndRemovedSideBySide is for the race detector, and for the
// runtime, which notices the worst without it.
func TestPartsAreOpenedAndRemovedSideBySide(t *testing.T) {
	s := spool.New(t.TempDir(), "test")
	w := s.Writer()
	const parts = 500
	for part := range int32(parts) {
		if row, err := w.Row(part, 8); err != nil {
			t.Fatal(err)
		} else {
			binary.LittleEndian.PutUint64(row, uint64(part))
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for reader := range int32(4) {
		group.Go(func() error {
			for part := reader; part < parts; part += 4 {
				opened, err := s.Open(part)
				if err != nil {
					return err
				}
				if got := binary.LittleEndian.Uint64(opened.Rows); got != uint64(part) {
					return fmt.Errorf("part %d holds %d", part, got)
				}
				if err := errors.Join(opened.Close(), s.Remove(part)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if left := s.Parts(); len(left) > 0 {
		t.Errorf("%d parts are left", len(left))
	}
}
