package jobs

import (
	"context"
	"crypto/md5" //nolint:gosec // what S3 calls an ETag
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// A pastRaw is a store of raw logs as a run saw it: of each object the content that it
// read, also where the object has grown since. It is only read.
type pastRaw struct {
	now     lake.Store
	objects map[string]pastObject // by key
}

// A pastObject is a content that a run read: the first bytes of an object.
type pastObject struct {
	bytes    int64
	identity string
}

// List yields the objects of the run.
func (r *pastRaw) List(_ context.Context, prefix string) iter.Seq2[lake.Object, error] {
	return func(yield func(lake.Object, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(r.objects)) {
			if strings.HasPrefix(key, prefix) && !yield(lake.Object{Key: key, Bytes: r.objects[key].bytes}, nil) {
				return
			}
		}
	}
}

// Open reads the content as the run did.
func (r *pastRaw) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	object, known := r.objects[key]
	if !known {
		return nil, fmt.Errorf("%s: %w", key, lake.ErrNotFound)
	}
	all, err := r.now.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(all, object.bytes), all}, nil
}

// Identity is the one that the run recorded.
func (r *pastRaw) Identity(_ context.Context, object lake.Object) (string, error) {
	return r.objects[object.Key].identity, nil
}

// String is the place of the store.
func (r *pastRaw) String() string { return r.now.String() }

var errPast = errors.New("raw logs of the past are only read")

// Fetch, Upload, CreateIfAbsent, Copy and Delete are not for raw logs.
func (r *pastRaw) Fetch(context.Context, string) (string, error)          { return "", errPast }
func (r *pastRaw) Upload(context.Context, string, string) error           { return errPast }
func (r *pastRaw) CreateIfAbsent(context.Context, string, []byte) error   { return errPast }
func (r *pastRaw) Copy(context.Context, string, lake.Place) (bool, error) { return false, errPast }
func (r *pastRaw) Delete(context.Context, string) error                   { return errPast }

// A presentRaw is a store of raw logs as it is, listed once.
type presentRaw struct {
	lake.Store

	objects map[string]lake.Object
}

func listPresent(ctx context.Context, store lake.Store) (*presentRaw, error) {
	p := &presentRaw{store, map[string]lake.Object{}}
	for object, err := range store.List(ctx, "") {
		if err != nil {
			return nil, fmt.Errorf("raw logs: %w", err)
		}
		p.objects[object.Key] = object
	}
	return p, nil
}

// A reading is what a run read of an object.
type reading struct {
	source, object, identity string
	bytes, run               int64
	again                    bool // a run before has read this very content

	place config.Location // of the store it lies in
}

// plainETag is the ETag of an object that was uploaded in one part: its MD5.
var plainETag = regexp.MustCompile(`^etag:"?([0-9a-f]{32})"?:([0-9]+)$`)

// holds looks whether the content that was read is there still: the object as it is, or
// its first bytes. missing says what is wrong instead.
func (p *presentRaw) holds(ctx context.Context, r reading) (missing string, err error) {
	object, there := p.objects[r.object]
	if !there {
		return "is gone", nil
	}
	if object.Bytes == r.bytes {
		identity, err := p.Identity(ctx, object)
		if err != nil || identity == r.identity {
			return "", err
		}
		return fmt.Sprintf("was changed since: it is %s now", identity), nil
	}
	var sum hash.Hash
	want, isSHA := strings.CutPrefix(r.identity, "sha256:")
	etag := plainETag.FindStringSubmatch(r.identity)
	switch {
	case object.Bytes < r.bytes:
		return fmt.Sprintf("was changed since: it has %d bytes now", object.Bytes), nil
	case isSHA:
		sum = sha256.New()
	case etag != nil:
		sum, want = md5.New(), etag[1] //nolint:gosec // see above
	default:
		return "was changed since, and whether it has only grown its identity does not tell", nil
	}
	all, err := p.Open(ctx, r.object)
	if err != nil {
		return "", err
	}
	_, err = io.CopyN(sum, all, r.bytes)
	if err = errors.Join(err, all.Close()); err != nil {
		return "", fmt.Errorf("read %s: %w", r.object, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != want {
		return "was changed since, and not only by growing", nil
	}
	return "", nil
}
