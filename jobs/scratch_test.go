package jobs

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// What a killed process leaves is cleared by the next run, whatever moment it was
// killed at; the folder of a process at work stays.
func TestAbandonedScratchIsCleared(t *testing.T) {
	base := t.TempDir()
	atWork, err := newScratch(base)
	if err != nil {
		t.Fatal(err)
	}
	leave(t, filepath.Join(base, "killed"), scratchLock, "usage.rows")
	leave(t, filepath.Join(base, "killed-before-its-lock"))
	next, err := newScratch(base)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = next.close() }()
	for _, name := range []string{"killed", "killed-before-its-lock"} {
		if _, err := os.Stat(filepath.Join(base, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if !atWork.stands() {
		t.Error("the scratch of a process at work is gone")
	}
	if err := atWork.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(atWork.path); err == nil {
		t.Error("a closed scratch is still there")
	}
}

// A process may be killed while it clears its scratch: at no moment is there a file
// without the lock by which the next run knows the folder for abandoned.
func TestScratchLosesItsLockLast(t *testing.T) {
	s, err := newScratch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		leave(t, s.path, strconv.Itoa(i), "zz"+strconv.Itoa(i))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	for looks := 0; ; looks++ {
		select {
		case err := <-closed:
			if err != nil || looks == 0 {
				t.Fatalf("closed with %v after %d looks", err, looks)
			}
			return
		default:
		}
		if _, err := os.Stat(filepath.Join(s.path, scratchLock)); err == nil {
			continue
		}
		if left, _ := os.ReadDir(s.path); len(left) > 0 {
			t.Fatalf("no lock, and %d files", len(left))
		}
	}
}

// leave makes a folder with empty files of these names.
func leave(t *testing.T, folder string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
