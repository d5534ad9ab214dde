package storetest

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/creditmill/creditmill/internal/lake"
)

// ErrInjected is what a Failing store returns once it has failed.
var ErrInjected = errors.New("injected failure of the store")

// A Failing store does what the store below it does until its Nth operation that
// touches the store, counted from 1. That one fails before it has happened or,
// with After, after; and so does every operation from then on fail, as for a
// process that has been killed or a store that is gone. A lister counts as one
// operation, and the identity of an object as none.
type Failing struct {
	lake.Store
	N      int64 // 0: never
	After  bool
	Once   bool  // the Nth operation alone fails: the store comes back at once
	Writes bool  // only what writes counts and fails, as in a store that may be read alone
	Err    error // what the failures tell besides ErrInjected; may be nil

	// OneIn makes one operation in so many fail besides, half of them after they have
	// happened, drawn by Seed; 0: none.
	OneIn int
	Seed  uint64

	operations, failed atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
}

// Operations is how many operations were asked for so far.
func (f *Failing) Operations() int64 { return f.operations.Load() }

// Failed is how many of them have failed by intent.
func (f *Failing) Failed() int64 { return f.failed.Load() }

// outcome says what becomes of the next operation.
func (f *Failing) outcome() (fails, after bool) {
	n := f.operations.Add(1)
	if f.N > 0 && n >= f.N && (n == f.N || !f.Once) {
		return true, n == f.N && f.After
	}
	if f.OneIn == 0 {
		return false, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random == nil {
		f.random = rand.New(rand.NewPCG(f.Seed, 0))
	}
	return f.random.IntN(f.OneIn) == 0, f.random.IntN(2) == 0
}

// write does what changes the store unless its turn to fail has come.
func (f *Failing) write(operation func() error) error {
	fails, after := f.outcome()
	if !fails {
		return operation()
	}
	f.failed.Add(1)
	injected := ErrInjected
	if f.Err != nil {
		injected = errors.Join(ErrInjected, f.Err)
	}
	if after {
		return errors.Join(injected, operation())
	}
	return injected
}

// read is write for what only looks.
func (f *Failing) read(operation func() error) error {
	if f.Writes {
		return operation()
	}
	return f.write(operation)
}

// List implements lake.Store.
func (f *Failing) List(ctx context.Context, prefix string) iter.Seq2[lake.Object, error] {
	return func(yield func(lake.Object, error) bool) {
		stopped := false
		err := f.read(func() error {
			for object, err := range f.Store.List(ctx, prefix) {
				if !yield(object, err) {
					stopped = true
					return nil
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(lake.Object{}, err)
		}
	}
}

// Open implements lake.Store.
func (f *Failing) Open(ctx context.Context, key string) (r io.ReadCloser, err error) {
	err = f.read(func() (err error) {
		r, err = f.Store.Open(ctx, key)
		return err
	})
	return r, err
}

// Fetch implements lake.Store.
func (f *Failing) Fetch(ctx context.Context, key string) (path string, err error) {
	err = f.read(func() (err error) {
		path, err = f.Store.Fetch(ctx, key)
		return err
	})
	return path, err
}

// Upload implements lake.Store.
func (f *Failing) Upload(ctx context.Context, key, file string) error {
	return f.write(func() error { return f.Store.Upload(ctx, key, file) })
}

// CreateIfAbsent implements lake.Store.
func (f *Failing) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	return f.write(func() error { return f.Store.CreateIfAbsent(ctx, key, data) })
}

// Copy implements lake.Store.
func (f *Failing) Copy(ctx context.Context, key string, from lake.Place) (linked bool, err error) {
	err = f.write(func() (err error) {
		linked, err = f.Store.Copy(ctx, key, from)
		return err
	})
	return linked, err
}

// Delete implements lake.Store.
func (f *Failing) Delete(ctx context.Context, key string) error {
	return f.write(func() error { return f.Store.Delete(ctx, key) })
}
