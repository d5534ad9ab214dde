package jobs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/creditmill/creditmill/internal/lake"
)

// A scratch is a folder of one attempt at a run: DuckDB spills here and files
// wait here for their upload. It is locked while its process lives, so that what
// a killed process left behind can be told from one at work.
type scratch struct {
	path string
	lock *os.File
}

const scratchLock = "lock"

// newScratch makes a fresh folder under base and clears away those whose process
// is gone.
func newScratch(base string) (*scratch, error) {
	if err := os.MkdirAll(base, scratchMode(base)); err != nil {
		return nil, scratchFailed(base, err)
	}
	if base == sharedScratch() {
		if err := ownFolder(base, os.Getuid()); err != nil {
			return nil, err
		}
	}
	clearAbandoned(base)
	for {
		s := &scratch{path: filepath.Join(base, lake.NewRunID())}
		if err := os.Mkdir(s.path, 0o700); err != nil {
			return nil, scratchFailed(base, err)
		}
		var err error
		s.lock, err = lockFile(filepath.Join(s.path, scratchLock))
		switch {
		case err == nil && s.stands():
			return s, nil
		case err == nil:
			err = s.lock.Close()
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EWOULDBLOCK):
			err = nil
		}
		if err != nil {
			return nil, errors.Join(scratchFailed(base, err), os.RemoveAll(s.path))
		}
		// Another process took the folder for abandoned before it was locked.
	}
}

// sharedScratch is where scratch folders of a remote lake are made: a folder of this
// user's in the one for temporary files, where everybody may make folders.
func sharedScratch() string {
	return filepath.Join(os.TempDir(), "creditmill-"+strconv.Itoa(os.Getuid()))
}

func scratchMode(base string) fs.FileMode {
	if base == sharedScratch() {
		return 0o700
	}
	return 0o755
}

// ownFolder refuses a folder that another user has made, or could put files into:
// what lies there would be taken for what a lake holds.
func ownFolder(path string, user int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("scratch folder: %w", err)
	}
	found := ""
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
	case !info.IsDir():
		found = "is no folder"
	case ok && int(stat.Uid) != user:
		found = fmt.Sprintf("belongs to user %d", stat.Uid)
	case info.Mode().Perm()&0o022 != 0:
		found = fmt.Sprintf("may be written by others (%v)", info.Mode().Perm())
	default:
		return nil
	}
	return fmt.Errorf("scratch folder: %s %s: remove it, or set scratch: to a folder that no other user may write to", path, found)
}

// scratchFailed is the failure to make a scratch folder, with what to do about it.
func scratchFailed(base string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("scratch folder %s cannot be written: %w: set `scratch:` in the configuration to a local folder that can; commands that only read need one, too", base, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("scratch folder %s is full: %w: make room, or set `scratch:` in the configuration to a local folder that has some", base, err)
	default:
		return fmt.Errorf("scratch folder %s: %w", base, err)
	}
}

// stands reports whether the folder is still there with the lock that was taken.
func (s *scratch) stands() bool {
	held, err := s.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(s.lock.Name())
	return err == nil && os.SameFile(held, there)
}

func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// clearAbandoned removes what nobody holds. It is housekeeping: what it cannot
// remove, the next run tries again.
func clearAbandoned(base string) {
	folders, _ := filepath.Glob(filepath.Join(base, "*"))
	for _, folder := range folders {
		if info, err := os.Lstat(folder); err != nil || !info.IsDir() {
			continue // kept from one run to the next, or a link, which may lead to folders that are not ours
		}
		path := filepath.Join(folder, scratchLock)
		if _, err := os.Lstat(path); err != nil {
			_ = os.Remove(folder) // goes only when empty: a process ended before it had its lock, or after it
			continue
		}
		if lock, err := lockFile(path); err == nil {
			_ = (&scratch{folder, lock}).close()
		}
	}
}

// close removes the folder. Its lock goes last, so that a process killed meanwhile
// leaves a folder that is known for abandoned.
func (s *scratch) close() error {
	entries, err := os.ReadDir(s.path)
	faults := []error{err}
	for _, entry := range entries {
		if entry.Name() != scratchLock {
			faults = append(faults, os.RemoveAll(filepath.Join(s.path, entry.Name())))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return errors.Join(err, s.lock.Close())
	}
	return errors.Join(os.RemoveAll(s.path), s.lock.Close())
}
