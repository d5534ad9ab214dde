package document

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Files says where and how documents are written.
type Files struct {
	Folder  string // is made where it is missing
	Formats []Format
	// Written is told each document's files, in no order, one call at a time; may be nil.
	Written func(Written)
	// Progress is told how many documents are written; may be nil.
	Progress func(done, total int64)
}

// Written is one document as it was written.
type Written struct {
	Number  string
	Files   []string // their paths
	Missing []rune   // that PDF could not show
}

// writersPerCore is how many documents are made at once for each processor: while some
// wait for the disk, others are drawn.
const writersPerCore = 2

// Write writes all documents that the reader has left, a file for each format, side by
// side. A file appears whole, in place of one of its name. Numbers make the names, so
// writing again gives the same files.
func Write(ctx context.Context, r *Reader, to Files) error {
	if err := os.MkdirAll(to.Folder, 0o755); err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	documents := make(chan *Document)
	work.Go(func() error {
		defer close(documents)
		for {
			d, err := r.Next()
			if err != nil || d == nil {
				return err
			}
			select {
			case documents <- d:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	var (
		telling sync.Mutex
		done    int64
	)
	for range runtime.GOMAXPROCS(0) * writersPerCore {
		work.Go(func() error {
			for d := range documents {
				written, err := to.write(d)
				if err != nil {
					return err
				}
				telling.Lock()
				if to.Written != nil {
					to.Written(written)
				}
				if done++; to.Progress != nil {
					to.Progress(done, r.Count)
				}
				telling.Unlock()
			}
			return nil
		})
	}
	return work.Wait()
}

func (to *Files) write(d *Document) (Written, error) {
	written := Written{Number: d.Number}
	for _, format := range to.Formats {
		content, missing, err := d.Render(format)
		if err != nil {
			return written, fmt.Errorf("document %s as %s: %w", d.Number, format, err)
		}
		path := filepath.Join(to.Folder, d.FileName(format))
		if err := replaceFile(path, content); err != nil {
			return written, err
		}
		written.Files = append(written.Files, path)
		written.Missing = append(written.Missing, missing...)
	}
	return written, nil
}

// replaceFile writes a file beside its place and moves it there.
func replaceFile(path string, content []byte) error {
	draft := path + ".part"
	if err := os.WriteFile(draft, content, 0o644); err != nil {
		_ = os.Remove(draft) // it may not be there
		return err
	}
	return os.Rename(draft, path)
}
