package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A newFile is a file that is written under another name beside its own, and gets
// its name when it is whole. What it took the place of is there until then.
type newFile struct {
	*os.File
	path  string // its name in the end
	force bool   // replace what has that name
	kept  bool
}

// createFile begins a file. One that is there is an error unless force is set, and
// what is no file (a folder, a device) is in any case.
func createFile(path string, force bool) (*newFile, error) {
	path = filepath.Clean(path)
	if err := mayCreate(path, force); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	// The name beside is short: a name as long as the file system takes has no room for more.
	file, err := os.OpenFile(filepath.Join(dir, ".creditmill-"+rand.Text()+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("%s: there is no folder %s", path, dir)
	}
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return nil, fmt.Errorf("write %s: %w", path, failed.Err)
	}
	if err != nil {
		return nil, err
	}
	return &newFile{File: file, path: path, force: force}, nil
}

func mayCreate(path string, force bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ENAMETOOLONG):
		return usagef("%s: the name is too long: name a file with --to", path)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return usagef("%s is no file: name one", path)
	case !force:
		return usagef("%s is there already: --force replaces it", path)
	}
	return nil
}

// keep gives the file its name and returns its size.
func (f *newFile) keep() (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return 0, fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := f.name(); err != nil {
		return 0, err
	}
	f.kept = true
	return info.Size(), nil
}

// name gives the file its name. What somebody else has put there since is not replaced
// unasked: a second name is refused where there is one, which a rename is not.
func (f *newFile) name() error {
	if !f.force && os.Link(f.Name(), f.path) == nil {
		return os.Remove(f.Name())
	}
	if err := mayCreate(f.path, f.force); err != nil {
		return err
	}
	return os.Rename(f.Name(), f.path) // also where the file system knows no second names
}

// discard removes the file unless it was kept.
func (f *newFile) discard() error {
	if f.kept {
		return nil
	}
	if err := f.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return os.Remove(f.Name())
}
