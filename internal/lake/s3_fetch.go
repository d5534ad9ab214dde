package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// fetches are the objects that were downloaded, or are just being.
type fetches struct {
	mu    sync.Mutex
	turns map[string]chan struct{} // by key: holds one token, the right to download it
	files map[string]string        // by key: the local file, whole
}

// turn waits for the right to download an object, and returns its file if it has
// been fetched meanwhile. done gives the right back.
func (f *fetches) turn(ctx context.Context, key string) (file string, done func(), err error) {
	f.mu.Lock()
	if f.turns == nil {
		f.turns, f.files = map[string]chan struct{}{}, map[string]string{}
	}
	turn := f.turns[key]
	if turn == nil {
		turn = make(chan struct{}, 1)
		f.turns[key] = turn
	}
	f.mu.Unlock()
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files[key], func() { <-turn }, nil
}

// Fetch downloads the object into the store's local folder, each once however many
// ask for it. A file under its own name there is whole.
func (s *S3) Fetch(ctx context.Context, key string) (string, error) {
	file, done, err := s.fetched.turn(ctx, key)
	if err != nil {
		return "", err
	}
	defer done()
	if file != "" {
		return file, nil
	}
	file = filepath.Join(s.options.Fetched, hash([]byte(s.address(key))))
	if err := s.download(ctx, key, file); err != nil {
		return "", err
	}
	s.fetched.mu.Lock()
	defer s.fetched.mu.Unlock()
	s.fetched.files[key] = file
	return file, nil
}

// download writes the object to a temporary file and renames it once it is whole.
func (s *S3) download(ctx context.Context, key, file string) (err error) {
	r, err := s.open(ctx, key)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // only read
	temporary := temporaryBeside(file)
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("fetch %s: %w: check the folder for scratch", s.address(key), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary))
		}
	}()
	written, err := io.Copy(out, r)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("fetch %s to %s: %w", s.address(key), filepath.Dir(file), err)
	}
	if written != r.size {
		return fmt.Errorf("fetch %s: %d bytes came of %d", s.address(key), written, r.size)
	}
	return os.Rename(temporary, file)
}
