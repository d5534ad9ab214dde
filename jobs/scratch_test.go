package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// What is no folder stays: the file of identities, and a link, behind which there may
// be a folder that is not creditmill's.
func TestScratchClearsFoldersAlone(t *testing.T) {
	t.Parallel()
	base, elsewhere := t.TempDir(), t.TempDir()
	leave(t, elsewhere, scratchLock, "kept")
	leave(t, base, "identities-0123456789abcdef")
	if err := os.Symlink(elsewhere, filepath.Join(base, "link")); err != nil {
		t.Fatal(err)
	}
	s, err := newScratch(base)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(s.path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("scratch has mode %v, %v", info.Mode(), err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{filepath.Join(base, "identities-0123456789abcdef"), filepath.Join(base, "link"), filepath.Join(elsewhere, scratchLock), filepath.Join(elsewhere, "kept")} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}

// On a machine that others use too, the folder in /tmp is this user's own, or it is
// not used.
func TestSharedScratchIsTheUsersOwn(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	base := sharedScratch()
	s, err := newScratch(base)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(base); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%s has mode %v, %v", base, info.Mode(), err)
	}
	if err := errors.Join(s.close(), ownFolder(base, os.Getuid())); err != nil {
		t.Error(err)
	}
	if err := ownFolder(base, os.Getuid()+1); err == nil || !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("another user's folder: %v", err)
	}
	if err := os.Chmod(base, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := newScratch(base); err == nil || !strings.Contains(err.Error(), "may be written by others") {
		t.Errorf("a folder open to all: %v", err)
	}
	if err := errors.Join(os.Remove(base), os.Symlink(t.TempDir(), base)); err != nil {
		t.Fatal(err)
	}
	if _, err := newScratch(base); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("a link: %v", err)
	}
}
