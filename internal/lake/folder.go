package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/oklog/ulid/v2"
)

// A Folder is a store in a local folder. An object is a regular file; symbolic
// links and names that start with a dot are no objects.
//
// What it writes it writes beside the target, as `.tmp-ULID`, and publishes whole
// with rename(2) or link(2) after fsync of file and folder: a crash leaves such a
// file behind at worst, which no List shows.
type Folder struct {
	root       string // absolute
	identities *Identities
}

// Remember makes Identity hash only files whose identity is not known yet.
func (f *Folder) Remember(identities *Identities) { f.identities = identities }

// NewFolder returns the store in the folder root. A raw store is never written;
// a lake's folder is made by its first write.
func NewFolder(root string) (*Folder, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", root, err)
	}
	return &Folder{root: abs}, nil
}

// String is the folder's absolute path.
func (f *Folder) String() string { return f.root }

func (f *Folder) path(key string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(key)) {
		return "", fmt.Errorf("object key %q leads outside %s", key, f.root)
	}
	return filepath.Join(f.root, filepath.FromSlash(key)), nil
}

// List walks the folder. A folder that does not exist holds no objects.
func (f *Folder) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if _, err := os.Stat(f.root); errors.Is(err, fs.ErrNotExist) {
			return
		}
		objects, err := f.walk(ctx, prefix)
		if err != nil {
			yield(Object{}, err)
			return
		}
		for _, object := range objects {
			if !yield(object, nil) {
				return
			}
		}
	}
}

// walk collects rather than yields: a directory walk goes by path element, and
// the order of keys is that of bytes ("a-b" before "a/b").
func (f *Folder) walk(ctx context.Context, prefix string) ([]Object, error) {
	start := f.root
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		dir, err := f.path(prefix[:i])
		if err != nil {
			return nil, err
		}
		if start = dir; !isDir(start) {
			return nil, nil
		}
	}
	var objects []Object
	err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if path != start && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		relative, err := filepath.Rel(f.root, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(relative)
		if !strings.HasPrefix(key, prefix) {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since the folder was read
		}
		if err != nil {
			return err
		}
		objects = append(objects, Object{Key: key, Bytes: info.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", f.root, err)
	}
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	return objects, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Open opens the file.
func (f *Folder) Open(_ context.Context, key string) (io.ReadCloser, error) {
	file, err := f.file(key)
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *Folder) file(key string) (*os.File, error) {
	path, err := f.path(key)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
	}
	return file, err
}

// Identity is the SHA-256 of the content, so that a copy of the folder elsewhere
// has the same identities.
func (f *Folder) Identity(_ context.Context, object Object) (string, error) {
	file, err := f.file(object.Key)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // only read
	if f.identities == nil {
		return contentHash(file)
	}
	return f.identities.of(object.Key, file)
}

// contentHash is a file's identity.
func contentHash(file io.Reader) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}

// Fetch is the file itself.
func (f *Folder) Fetch(_ context.Context, key string) (string, error) { return f.path(key) }

// Upload moves the file in; across file systems it copies.
func (f *Folder) Upload(_ context.Context, key, file string) error {
	target, err := f.path(key)
	if err != nil {
		return err
	}
	if err := f.makeFolder(filepath.Dir(target)); err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	if err := syncPath(file); err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	err = os.Rename(file, target)
	if errors.Is(err, syscall.EXDEV) {
		err = copyInto(file, target)
	}
	if err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	return syncPath(filepath.Dir(target))
}

func copyInto(file, target string) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	temporary := temporaryBeside(target)
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary))
		}
	}()
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(temporary, target)
}

// CreateIfAbsent writes a temporary file and links it to its name: link(2) fails
// where the name exists, and what it publishes is whole.
func (f *Folder) CreateIfAbsent(_ context.Context, key string, data []byte) (err error) {
	target, err := f.path(key)
	if err != nil {
		return err
	}
	if err := f.makeFolder(filepath.Dir(target)); err != nil {
		return fmt.Errorf("create %s: %w", key, err)
	}
	temporary := temporaryBeside(target)
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("create %s: %w", key, err)
	}
	defer func() { err = errors.Join(err, os.Remove(temporary)) }()
	_, err = out.Write(data)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("create %s: %w", key, err)
	}
	if err := os.Link(temporary, target); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", key, ErrExists)
		}
		return fmt.Errorf("create %s: %w", key, err)
	}
	return syncPath(filepath.Dir(target))
}

func temporaryBeside(target string) string {
	return filepath.Join(filepath.Dir(target), ".tmp-"+ulid.Make().String())
}

// makeFolder makes a folder and those above it that are missing, each durable as
// a name in its parent before anything is put into it.
func (f *Folder) makeFolder(dir string) error {
	if isDir(dir) {
		return nil
	}
	if err := f.makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncPath(filepath.Dir(dir))
}

func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Delete removes the file.
func (f *Folder) Delete(_ context.Context, key string) error {
	path, err := f.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}
