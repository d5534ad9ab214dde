package storetest

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync/atomic"

	"github.com/creditmill/creditmill/internal/lake"
)

// ErrInjected is what a Failing store returns once it has failed.
var ErrInjected = errors.New("injected failure of the store")

// A Failing store does what the store below it does until its Nth operation that
// touches the store, counted from 1. That one fails before it has happened or,
// with After, after; and so does every operation from then on fail, as for a
// process that has been killed. A lister counts as one operation.
type Failing struct {
	lake.Store
	N     int64 // 0: never
	After bool

	operations atomic.Int64
}

// Operations is how many operations were asked for so far.
func (f *Failing) Operations() int64 { return f.operations.Load() }

// do runs an operation unless its turn to fail has come.
func (f *Failing) do(operation func() error) error {
	n := f.operations.Add(1)
	if f.N == 0 || n < f.N {
		return operation()
	}
	if n == f.N && f.After {
		return errors.Join(ErrInjected, operation())
	}
	return ErrInjected
}

// List implements lake.Store.
func (f *Failing) List(ctx context.Context, prefix string) iter.Seq2[lake.Object, error] {
	return func(yield func(lake.Object, error) bool) {
		err := f.do(func() error {
			for object, err := range f.Store.List(ctx, prefix) {
				if !yield(object, err) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(lake.Object{}, err)
		}
	}
}

// Open implements lake.Store.
func (f *Failing) Open(ctx context.Context, key string) (r io.ReadCloser, err error) {
	err = f.do(func() (err error) {
		r, err = f.Store.Open(ctx, key)
		return err
	})
	return r, err
}

// Upload implements lake.Store.
func (f *Failing) Upload(ctx context.Context, key, file string) error {
	return f.do(func() error { return f.Store.Upload(ctx, key, file) })
}

// CreateIfAbsent implements lake.Store.
func (f *Failing) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	return f.do(func() error { return f.Store.CreateIfAbsent(ctx, key, data) })
}

// Delete implements lake.Store.
func (f *Failing) Delete(ctx context.Context, key string) error {
	return f.do(func() error { return f.Store.Delete(ctx, key) })
}
