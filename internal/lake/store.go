package lake

import (
	"context"
	"errors"
	"io"
	"iter"
)

// ErrExists is returned by [Store.CreateIfAbsent] when the key is taken.
var ErrExists = errors.New("object exists")

// ErrNotFound is returned for a key that no object has.
var ErrNotFound = errors.New("no such object")

// ErrUnavailable is the cause of an error of a store that could not be reached, or was
// out of order, each time it was tried: it says nothing about the object.
var ErrUnavailable = errors.New("the store does not answer")

// An Object is what a store knows of an object without reading it.
type Object struct {
	Key   string
	Bytes int64
	ETag  string // of S3, which calls one version of the object so; "" where not known
}

// A Place is where an object of a store lies, for [Store.Copy] of a store of the same kind.
type Place struct {
	Store string // its root, as [Store.String] has it
	Key   string
	Bytes int64 // of the object
}

// A Store is an object store under one root: a folder here, a prefix of an S3
// bucket elsewhere. Keys are slash-separated paths below the root. A Store is
// safe for concurrent use.
type Store interface {
	// List yields the objects whose key starts with prefix, in byte order of keys.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	// Open reads an object; ErrNotFound where there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Identity tells one content of the object from another. Of an object as List
	// gave it, S3 knows it without a request; a folder reads the file.
	Identity(ctx context.Context, object Object) (string, error)
	// Fetch returns a local file with the object's bytes, for readers that need one.
	Fetch(ctx context.Context, key string) (path string, err error)
	// Upload stores a local file under a key that nobody else uses; when it
	// returns, the object survives a crash of the machine. The local file may be
	// moved.
	Upload(ctx context.Context, key, file string) error
	// CreateIfAbsent stores data under key if there is no such object, in one
	// step that at most one caller wins; ErrExists for the others. Any other error
	// leaves open whether it happened. Two that create the same bytes may both be
	// told that they won.
	CreateIfAbsent(ctx context.Context, key string, data []byte) error
	// Copy stores under key what another object of this store, or of another of its
	// kind, holds, in one step that takes the place of what was there. No byte passes
	// through this program where the store can help it; linked says that the two are
	// then one file with two names, which takes no room. When it returns, the copy
	// survives a crash of the machine. ErrNotFound: the object is not there.
	Copy(ctx context.Context, key string, from Place) (linked bool, err error)
	// Delete removes an object, also for after a crash of the machine; one that is gone
	// already is no error.
	Delete(ctx context.Context, key string) error
	// String is the root as the configuration names it.
	String() string
}

// ReadAll returns the whole content of a small object.
func ReadAll(ctx context.Context, s Store, key string) ([]byte, error) {
	r, err := s.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}
