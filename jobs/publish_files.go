package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

// publishBatch is how many files are added between two looks at the log.
const publishBatch = 32

// add adds files: those that are the lake's own many at a time, then those that are
// rewritten, one by one. Not done where the log has moved on.
func (p *publisher) add(ctx context.Context, files []wantedFile) (done bool, err error) {
	added, total := int64(0), int64(len(files))
	tell := func(n int) {
		if added += int64(n); p.mill.options.Progress != nil {
			p.mill.options.Progress("publish", added, total)
		}
	}
	as := func(rewritten bool) []wantedFile {
		return slices.DeleteFunc(slices.Clone(files), func(w wantedFile) bool { return w.rewrite != rewritten })
	}
	for batch := range slices.Chunk(as(false), publishBatch) {
		if may, err := p.mayChange(ctx); err != nil || !may {
			return false, err
		}
		if err := p.copyFiles(ctx, batch); err != nil {
			return false, p.pulledAway(ctx, err)
		}
		tell(len(batch))
	}
	for _, w := range as(true) {
		if done, err := p.rewrite(ctx, w); err != nil || !done {
			return false, p.pulledAway(ctx, err)
		}
		tell(1)
	}
	return true, nil
}

// pulledAway is nil for a failure that may come of files that were deleted since the round
// began: by a forget, or by a gc after a publish that took days. Then the log has moved on.
func (p *publisher) pulledAway(ctx context.Context, err error) error {
	if err != nil && p.mill.pulledAway(ctx, p.head, err) {
		return nil
	}
	return err
}

// copyFiles links or copies files of the lake as they are.
func (p *publisher) copyFiles(ctx context.Context, batch []wantedFile) error {
	var linked, copied, bytes atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for _, w := range batch {
		group.Go(func() error {
			isLink, err := p.store.Copy(groupCtx, p.prefix+w.name, p.mill.Lake.Place(w.file))
			err = p.orFull(w, err)
			switch {
			case errors.Is(err, lake.ErrNotFound):
				return fmt.Errorf("file of run %d: %w: the lake is damaged, restore the file", w.file.Run, err)
			case err != nil:
				return err
			case isLink:
				linked.Add(1)
			default:
				copied.Add(1)
				bytes.Add(w.file.Bytes)
			}
			return nil
		})
	}
	err := group.Wait()
	p.report.Linked += linked.Load()
	p.report.Copied += copied.Load()
	p.report.Bytes += bytes.Load()
	if err == nil {
		for _, w := range batch {
			p.made[w.name] = true
		}
	}
	return err
}

// orFull is err, without the names of files where the place of the copy is full.
func (p *publisher) orFull(w wantedFile, err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) {
			return fmt.Errorf("write a file of %s to %s: %w", w.table.Name, p.mill.Config.Publish, full)
		}
	}
	return err
}

// rewrite writes the rows of a file of the lake, in their order, into one with the table's
// columns. What that takes does not grow with the file but for scratch.
func (p *publisher) rewrite(ctx context.Context, w wantedFile) (done bool, err error) {
	if p.desk == nil {
		if p.desk, err = p.mill.newDesk(ctx); err != nil {
			return false, err
		}
	}
	source, spare, err := p.fetch(ctx, w.file)
	if err != nil {
		return false, err
	}
	made := filepath.Join(p.desk.scratch, w.local())
	defer func() { err = errors.Join(err, spare(), os.RemoveAll(made)) }() // an upload may have moved it
	scan := duck.Scan{Columns: w.table.Schema(p.columns)}
	scan.Add(source, w.file.Columns)
	if err := p.desk.session.View(ctx, "published_file", scan); err != nil {
		return false, err
	}
	rows, err := p.desk.session.CopyParquet(ctx, "SELECT * FROM published_file", made)
	if err != nil {
		return false, fmt.Errorf("rewrite %s with the columns of today: %w", w.file.Path, err)
	}
	if rows != w.file.Rows {
		return false, fmt.Errorf("%s has %d rows, but run %d wrote %d: the lake is damaged, restore the file", p.mill.Lake.Location(w.file), rows, w.file.Run, w.file.Rows)
	}
	info, err := os.Stat(made)
	if err != nil {
		return false, err
	}
	if may, err := p.mayChange(ctx); err != nil || !may {
		return false, err
	}
	if err := p.store.Upload(ctx, p.prefix+w.name, made); err != nil {
		return false, p.orFull(w, err)
	}
	p.report.Rewritten++
	p.report.Bytes += info.Size()
	p.made[w.name] = true
	return true, nil
}

// fetch returns a local file with the content of a live file. Of a remote lake it is this
// publish's own, which spare removes: the tables of years would not go into scratch.
func (p *publisher) fetch(ctx context.Context, file lake.File) (local string, spare func() error, err error) {
	spare = func() error { return nil }
	if p.mill.Config.Lake.Scheme == "" {
		local, err = p.mill.Lake.Path(ctx, file)
		return local, spare, err
	}
	in, err := p.mill.Lake.Store.Open(ctx, file.Path)
	if err != nil {
		return "", spare, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	local = filepath.Join(p.desk.scratch, "publish-source.parquet")
	out, err := os.Create(local)
	if err != nil {
		return "", spare, err
	}
	spare = func() error { return os.RemoveAll(local) }
	if _, err := io.Copy(out, in); err != nil {
		return "", spare, errors.Join(err, out.Close(), spare())
	}
	return local, spare, out.Close()
}

// remove removes what is stale.
func (p *publisher) remove(ctx context.Context, names []string) error {
	for batch := range slices.Chunk(names, publishBatch) {
		if err := p.unsay(ctx); err != nil {
			return err
		}
		var removed atomic.Int64
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(uploads)
		for _, name := range batch {
			group.Go(func() error {
				err := p.store.Delete(groupCtx, p.prefix+name)
				if err == nil {
					removed.Add(1)
				}
				return err
			})
		}
		err := group.Wait()
		p.report.Removed += removed.Load()
		if err != nil {
			return fmt.Errorf("remove what is live no longer from the published copy: %w", err)
		}
	}
	return nil
}

// temporaries removes what a process that was killed left in a folder instead of a file.
// Its age is told by the clock of the file system, which has just written `_as_of.json`.
func (p *publisher) temporaries(ctx context.Context) error {
	place := p.mill.Config.Publish
	if place.Scheme != "" {
		return nil
	}
	written, err := os.Stat(filepath.Join(place.Path, asOfName))
	if errors.Is(err, os.ErrNotExist) {
		return nil // another publish has begun
	}
	if err != nil {
		return err
	}
	folder, err := filepath.EvalSymlinks(place.Path) // a walk does not follow one
	if err != nil {
		return err
	}
	return temporaryFiles(ctx, folder, "", written.ModTime().Add(-settles), func(key string, _ int64) error {
		return p.store.Delete(ctx, p.prefix+key)
	})
}
