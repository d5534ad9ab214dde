package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Copy gives the file a second name, a hard link; where the file system refuses that it
// copies. Either is made beside the target and renamed, so that whoever opens the
// target finds one whole file or the other.
func (f *Folder) Copy(_ context.Context, key string, from Place) (linked bool, err error) {
	linked, err = f.copy(key, from)
	if err != nil {
		err = fmt.Errorf("copy %s/%s to %s/%s: %w", from.Store, from.Key, f.root, key, err)
	}
	return linked, err
}

func (f *Folder) copy(key string, from Place) (linked bool, err error) {
	source := &Folder{root: from.Store}
	in, err := source.file(from.Key)
	if err != nil {
		return false, cause(err)
	}
	defer func() { _ = in.Close() }() // only read
	original, err := in.Stat()
	if err != nil {
		return false, err
	}
	if original.Size() != from.Bytes {
		return false, fmt.Errorf("it has %d bytes and should have %d: restore the file", original.Size(), from.Bytes)
	}
	root, target, err := f.forWriting(key)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if there, err := root.Lstat(target); err == nil && os.SameFile(there, original) {
		return true, nil
	}
	path, err := source.path(from.Key)
	if err != nil {
		return false, err
	}
	linked, err = f.linkInto(root, original, path, target)
	if linkRefused(err) {
		linked, err = false, copyInto(root, io.LimitReader(in, from.Bytes), target)
	}
	if err != nil {
		return false, err
	}
	return linked, syncIn(root, filepath.Dir(target))
}

// cause is an error without the sentence that names its file.
func cause(err error) error {
	for _, known := range []error{ErrNotFound, ErrLink, fs.ErrPermission} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

// linkInto makes target a name of the file at path, which must be the original still.
func (f *Folder) linkInto(root *os.Root, original fs.FileInfo, path, target string) (linked bool, err error) {
	temporary := temporaryBeside(target)
	if err := f.link(path, filepath.Join(f.root, temporary)); err != nil {
		return false, err
	}
	defer func() {
		// A rename to another name of the same file leaves both.
		if left := root.Remove(temporary); !errors.Is(left, fs.ErrNotExist) {
			err = errors.Join(err, left)
		}
	}()
	made, err := root.Lstat(temporary)
	if err != nil {
		return false, err
	}
	if !made.Mode().IsRegular() || !os.SameFile(made, original) {
		return false, errors.New("the file was replaced while it was linked: run the same command again")
	}
	return true, root.Rename(temporary, target)
}

// linkRefused reports whether link(2) failed for what a copy does not need: one file
// system, a file system that knows links, a file of one's own, room for one more name.
func linkRefused(err error) bool {
	return slices.ContainsFunc([]error{syscall.EXDEV, syscall.EPERM, syscall.ENOTSUP, syscall.ENOSYS, syscall.EMLINK}, func(refusal error) bool {
		return errors.Is(err, refusal)
	})
}
