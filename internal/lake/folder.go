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
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/oklog/ulid/v2"
)

// A Folder is a store in a local folder. An object is a regular file; symbolic
// links and names that start with a dot are no objects.
//
// The folder itself may be a symbolic link, but no link below it is followed: a key
// with one on its way is refused by every operation, and List leaves it out (see
// [Folder.Links]). Even a link that takes the place of a folder or file between the
// look and the act leads nowhere outside where the operation is the program's own
// (os.Root); a path that [Folder.Fetch] gave away, and the rename of an upload, rest
// on the look alone.
//
// What it writes it writes beside the target, as `.tmp-ULID`, and publishes whole
// with rename(2) or link(2) after fsync of file and folder: a crash leaves such a
// file behind at worst, which no List shows.
type Folder struct {
	root       string // absolute
	identities *Identities
	link       func(file, name string) error // link(2)

	mu    sync.Mutex
	links map[string]bool // keys
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
	return &Folder{root: abs, link: os.Link, links: map[string]bool{}}, nil
}

// String is the folder's absolute path.
func (f *Folder) String() string { return f.root }

// Links are the keys of symbolic links that List has come across and left out, in
// order.
func (f *Folder) Links() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.links))
}

// path is where an object of that key lies, by parts that are none of the file
// system's own.
func (f *Folder) path(key string) (string, error) {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsRune(part, 0) || !filepath.IsLocal(part) {
			return "", fmt.Errorf("object key %q leads outside %s", key, f.root)
		}
	}
	return filepath.Join(f.root, filepath.FromSlash(key)), nil
}

// ErrLink is the refusal to follow a symbolic link.
var ErrLink = errors.New("links below the folder are not followed: put what it leads to in its place")

// at opens the folder for an operation on key, all of whose parts that are there are
// no links. Where the folder is not there, it is fs.ErrNotExist.
func (f *Folder) at(key string) (root *os.Root, name string, err error) {
	if _, err := f.path(key); err != nil {
		return nil, "", err
	}
	if root, err = os.OpenRoot(f.root); err != nil {
		return nil, "", err
	}
	link, err := firstLink(root, key)
	if link != "" {
		err = fmt.Errorf("%s/%s is a symbolic link: %w", f.root, link, ErrLink)
	}
	if err != nil {
		return nil, "", errors.Join(err, root.Close())
	}
	return root, filepath.FromSlash(key), nil
}

// firstLink looks at each part of a key, as far as they are there, and returns the
// first that is a link; "" where none is.
func firstLink(root *os.Root, key string) (link string, err error) {
	for end := range len(key) + 1 {
		if end < len(key) && key[end] != '/' {
			continue
		}
		info, err := root.Lstat(filepath.FromSlash(key[:end]))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil
		case err != nil:
			return "", err
		case info.Mode().Type() == fs.ModeSymlink:
			return key[:end], nil
		}
	}
	return "", nil
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
	start, err := f.listedFolder(prefix)
	if err != nil || start == "" {
		return nil, err
	}
	var objects []Object
	err = filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if path != start && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		relative, err := filepath.Rel(f.root, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(relative)
		if entry.Type() == fs.ModeSymlink {
			f.passed(key)
		}
		if !entry.Type().IsRegular() || !strings.HasPrefix(key, prefix) {
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

// listedFolder is the deepest folder that has all objects of a prefix; "" where
// there is none. The root ends with a slash, so that the walk follows it where it is
// a link.
func (f *Folder) listedFolder(prefix string) (string, error) {
	i := strings.LastIndexByte(prefix, '/')
	if i < 0 {
		return f.root + string(filepath.Separator), nil
	}
	if _, err := f.path(prefix[:i]); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return "", err
	}
	link, err := firstLink(root, prefix[:i])
	if err = errors.Join(err, root.Close()); err != nil {
		return "", err
	}
	dir := filepath.Join(f.root, filepath.FromSlash(prefix[:i]))
	switch {
	case link != "":
		f.passed(link)
		return "", nil
	case !isDir(dir):
		return "", nil
	}
	return dir, nil
}

// passed notes a link.
func (f *Folder) passed(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.links[key] = true
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
	root, name, err := f.at(key)
	if err == nil {
		var file *os.File
		file, err = root.Open(name)
		if err = errors.Join(err, root.Close()); err == nil {
			return file, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s/%s: %w", f.root, key, ErrNotFound)
	}
	return nil, fmt.Errorf("read %s/%s: %w", f.root, key, err)
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
func (f *Folder) Fetch(_ context.Context, key string) (string, error) {
	path, err := f.path(key)
	if err != nil {
		return "", err
	}
	root, _, err := f.at(key)
	if errors.Is(err, fs.ErrNotExist) { // whoever opens the file says so
		return path, nil
	}
	if err != nil {
		return "", fmt.Errorf("fetch %s/%s: %w", f.root, key, err)
	}
	return path, root.Close()
}

// Upload moves the file in; across file systems it copies.
func (f *Folder) Upload(_ context.Context, key, file string) (err error) {
	root, target, err := f.forWriting(key)
	if err != nil {
		return fmt.Errorf("upload %s/%s: %w", f.root, key, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := syncPath(file); err != nil {
		return fmt.Errorf("upload %s/%s: %w", f.root, key, err)
	}
	err = os.Rename(file, filepath.Join(f.root, target))
	if errors.Is(err, syscall.EXDEV) {
		err = copyFile(root, file, target)
	}
	if err != nil {
		return fmt.Errorf("upload %s/%s: %w", f.root, key, err)
	}
	return syncIn(root, filepath.Dir(target))
}

// forWriting is at, with the folders of the key made.
func (f *Folder) forWriting(key string) (root *os.Root, name string, err error) {
	if _, err := f.path(key); err != nil {
		return nil, "", err
	}
	if err := makeFolder(f.root); err != nil {
		return nil, "", err
	}
	if root, name, err = f.at(key); err != nil {
		return nil, "", err
	}
	if err := makeFolderIn(root, filepath.Dir(name)); err != nil {
		return nil, "", errors.Join(err, root.Close())
	}
	return root, name, nil
}

// copyFile is copyInto of a local file.
func copyFile(root *os.Root, file, target string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	return copyInto(root, in, target)
}

// copyInto makes target a file of what in holds, whole.
func copyInto(root *os.Root, in io.Reader, target string) (err error) {
	temporary := temporaryBeside(target)
	defer func() {
		if err != nil {
			err = errors.Join(err, root.Remove(temporary))
		}
	}()
	out, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return root.Rename(temporary, target)
}

// CreateIfAbsent writes a temporary file and links it to its name: link(2) fails
// where the name exists, and what it publishes is whole.
func (f *Folder) CreateIfAbsent(_ context.Context, key string, data []byte) (err error) {
	root, target, err := f.forWriting(key)
	if err != nil {
		return fmt.Errorf("create %s/%s: %w", f.root, key, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	temporary := temporaryBeside(target)
	out, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("create %s/%s: %w", f.root, key, err)
	}
	defer func() { err = errors.Join(err, root.Remove(temporary)) }()
	_, err = out.Write(data)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("create %s/%s: %w", f.root, key, err)
	}
	if err := root.Link(temporary, target); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", key, ErrExists)
		}
		return fmt.Errorf("create %s/%s: %w", f.root, key, err)
	}
	return syncIn(root, filepath.Dir(target))
}

func temporaryBeside(target string) string {
	return filepath.Join(filepath.Dir(target), ".tmp-"+ulid.Make().String())
}

// makeFolder makes a folder and those above it that are missing, each durable as
// a name in its parent before anything is put into it.
func makeFolder(dir string) error {
	if isDir(dir) {
		return nil
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncPath(filepath.Dir(dir))
}

// makeFolderIn is makeFolder below root.
func makeFolderIn(root *os.Root, dir string) error {
	if info, err := root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeFolderIn(root, filepath.Dir(dir)); err != nil {
		return err
	}
	if err := root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncIn(root, filepath.Dir(dir))
}

func syncIn(root *os.Root, name string) error {
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
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
	root, name, err := f.at(key)
	if err == nil {
		if err = root.Remove(name); err == nil {
			err = syncIn(root, filepath.Dir(name))
		}
		err = errors.Join(err, root.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s/%s: %w", f.root, key, err)
	}
	return nil
}
