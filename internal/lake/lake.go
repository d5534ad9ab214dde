// Package lake is the object store and the log of runs that together are the lake.
//
// The log `runs/0000000001.json, …` is the only truth: a file counts because a
// committed run names it, and a run is committed by the one write that creates
// its manifest if there is none of that number. Before that write nothing of the
// run can be seen; after it, all of it. A crash at any point leaves the lake as it
// was or as it will be, and at worst files that no run names.
//
//	runs/N.json                               the log, ten digits, from 1 without gaps
//	checkpoints/N-SHA256.json                 the fold of the log up to run N; see checkpoint.go
//	data/TABLE/[day=D|period=P]/ULID-n.parquet  tables; a name is used once, by one run
//	configs/SHA256                            configuration files that runs were made with
//
// What is live is the fold of the log, see [State]. SPEC section 9 is the authority.
package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"
)

// A Lake is one lake in a store. It keeps the state it has read so far; it is
// not safe for concurrent use.
type Lake struct {
	Store Store
	Log   *slog.Logger // of what is not worth an error: a checkpoint that cannot be used; may be nil

	state      *State
	checkpoint int64 // the run of the newest checkpoint known
}

// Open reads the log of the lake in store, from its newest checkpoint on. An empty
// store is a lake without runs.
func Open(ctx context.Context, store Store, log *slog.Logger) (*Lake, error) {
	l := &Lake{Store: store, Log: log, state: newState()}
	if err := l.restore(ctx); err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", store, err)
	}
	_, err := l.Refresh(ctx)
	return l, err
}

// OpenWhole is Open for whoever trusts manifests alone: it reads all of them, and
// [State.Since] has every run.
func OpenWhole(ctx context.Context, store Store) (*Lake, error) {
	l := &Lake{Store: store, state: newState()}
	_, err := l.Refresh(ctx)
	return l, err
}

// State is what is live after the newest run that was read. It changes with
// [Lake.Refresh] and [Lake.Commit].
func (l *Lake) State() *State { return l.state }

// Refresh reads the runs committed since and returns them, oldest first.
func (l *Lake) Refresh(ctx context.Context) ([]*Run, error) {
	head := l.state.Head
	for {
		n, at := l.state.Head+1, 1
		if n > head+aFew { // there are many: read ahead
			at = readAhead
		}
		manifests, err := l.manifests(ctx, n, n+int64(at)-1)
		if broken := l.fold(manifests); broken != nil {
			err = broken
		}
		if errors.Is(err, ErrNotFound) {
			return l.state.Since(head), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", l.Store, err)
		}
	}
}

// fold folds the next manifests in.
func (l *Lake) fold(manifests [][]byte) error {
	for _, data := range manifests {
		run, err := decodeRun(runKey(l.state.Head+1), data)
		if err == nil {
			err = l.state.apply(run, hash(data))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	aFew      = 4 // runs that are read one by one, before many are read ahead
	readAhead = 16
)

// manifests reads the manifests of runs side by side, and returns those before the
// first that cannot be read, with its error.
func (l *Lake) manifests(ctx context.Context, first, last int64) ([][]byte, error) {
	all, errs := make([][]byte, last-first+1), make([]error, last-first+1)
	var group errgroup.Group
	group.SetLimit(readAhead)
	for i := range all {
		group.Go(func() error {
			all[i], errs[i] = ReadAll(ctx, l.Store, runKey(first+int64(i)))
			return nil
		})
	}
	_ = group.Wait() // each has its own
	for i, err := range errs {
		if err != nil {
			return all[:i], err
		}
	}
	return all, nil
}

// Run is the manifest of run n, read again where this process has not read it.
func (l *Lake) Run(ctx context.Context, n int64) (*Run, error) {
	runs, err := l.Runs(ctx, n, n)
	if err == nil && len(runs) == 0 {
		err = fmt.Errorf("there is no run %d: the newest is %d", n, l.state.Head)
	}
	if err != nil {
		return nil, err
	}
	return runs[0], nil
}

// Runs are the manifests of the runs from first to last, or to the newest that was
// read if that is before.
func (l *Lake) Runs(ctx context.Context, first, last int64) ([]*Run, error) {
	first, last = max(first, 1), min(last, l.state.Head)
	if first > last {
		return nil, nil
	}
	if first > l.state.base {
		return l.state.tail[first-1-l.state.base : last-l.state.base], nil
	}
	manifests, err := l.manifests(ctx, first, min(last, l.state.base))
	if err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", l.Store, err)
	}
	runs := make([]*Run, 0, last-first+1)
	for i, data := range manifests {
		run, err := decodeRun(runKey(first+int64(i)), data)
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", l.Store, err)
		}
		runs = append(runs, run)
	}
	if last > l.state.base {
		runs = append(runs, l.state.tail[:last-l.state.base]...)
	}
	return runs, nil
}

// Path returns a local path with the content of a live file, which must be as long
// as the manifest says.
func (l *Lake) Path(ctx context.Context, file File) (string, error) {
	local, err := l.Store.Fetch(ctx, file.Path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(local)
	if err != nil {
		return "", fmt.Errorf("file of run %d: %w: the lake is damaged, restore the file", file.Run, err)
	}
	if info.Size() != file.Bytes {
		return "", fmt.Errorf("%s has %d bytes, but run %d wrote %d: the lake is damaged, restore the file", l.Location(file), info.Size(), file.Run, file.Bytes)
	}
	return local, nil
}

// downloads is how many files are fetched, or deleted, at once.
const downloads = 8

// Paths returns the Path of each file, fetching side by side what is not local.
func (l *Lake) Paths(ctx context.Context, files []File) ([]string, error) {
	paths := make([]string, len(files))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(downloads)
	for i, file := range files {
		group.Go(func() (err error) {
			paths[i], err = l.Path(groupCtx, file)
			return err
		})
	}
	return paths, group.Wait()
}

// Location is where a live file lies in the store, for readers outside.
func (l *Lake) Location(file File) string { return l.Store.String() + "/" + file.Path }

// Place is where a live file lies in the store, for one that copies it.
func (l *Lake) Place(file File) Place { return Place{l.Store.String(), file.Path, file.Bytes} }

// NewRunID returns an id for a run about to be made.
func NewRunID() string { return ulid.Make().String() }

// Upload stores an output under a name that no other run uses, and describes it
// for the manifest. The local file may be moved.
func (l *Lake) Upload(ctx context.Context, runID string, n int, out Output) (File, error) {
	sum, size, err := hashFile(out.Path)
	if err != nil {
		return File{}, fmt.Errorf("output of table %s: %w", out.Table.Name, err)
	}
	file := File{
		Path:  path.Join("data", out.Table.Name, partitionFolder(out), fmt.Sprintf("%s-%d.parquet", runID, n)),
		Table: out.Table.Name, Partition: out.Partition, Rows: out.Rows, Bytes: size, Columns: out.Columns, SHA256: sum, Tags: out.Tags,
	}
	if file.Columns == 0 {
		file.Columns = len(out.Table.Schema(l.state.Columns))
	}
	if !out.MinTime.IsZero() {
		from, to := out.MinTime.UTC(), out.MaxTime.UTC()
		file.MinTime, file.MaxTime = &from, &to
	}
	return file, l.Store.Upload(ctx, file.Path, out.Path)
}

func partitionFolder(out Output) string {
	switch out.Table.Partition {
	case ByDay:
		return "day=" + out.Partition
	case ByPeriod:
		return "period=" + out.Partition
	default:
		return ""
	}
}

// KeepConfig stores a configuration file under the hash of its content, unless a
// committed run has kept it.
func (l *Lake) KeepConfig(ctx context.Context, content []byte) (sha256 string, err error) {
	if sha256 = hash(content); l.state.configs[sha256] {
		return sha256, nil
	}
	err = l.Store.CreateIfAbsent(ctx, "configs/"+sha256, content)
	if errors.Is(err, ErrExists) {
		err = nil
	}
	return sha256, err
}

// ErrLost is returned by [Lake.Commit] when another run took the number first.
var ErrLost = errors.New("another run was committed first")

// Commit makes run the next one: it numbers and chains it and creates its
// manifest. There are three outcomes. Done: nil. Lost, another run has the number:
// ErrLost, and nothing of run can be seen. Unknown, the store failed in the act:
// the log is read again, and when it holds the run's id the answer is done. Only
// another run's manifest, read, makes it lost. A run that replaces what is not live
// is refused. A run of whose files one is condemned has lost, to the run that did it.
func (l *Lake) Commit(ctx context.Context, run *Run) error {
	run.Number, run.Previous = l.state.Head+1, l.state.HeadHash
	for _, file := range run.Files {
		if l.state.Deleted(file.Path) {
			return fmt.Errorf("%s was deleted before the run was committed: %w", file.Path, ErrLost)
		}
	}
	if err := l.state.replaces(run); err != nil {
		return err
	}
	data, err := run.encode()
	if err != nil {
		return err
	}
	key := runKey(run.Number)
	err = l.Store.CreateIfAbsent(ctx, key, data)
	if errors.Is(err, ErrExists) {
		// What stands between here and a store may have sent the request twice, and
		// passed on the refusal of the second.
		if there, readErr := ReadAll(ctx, l.Store, key); readErr != nil {
			err = errors.Join(err, readErr)
		} else if !bytes.Equal(there, data) {
			return ErrLost
		}
	}
	newer, refreshErr := l.Refresh(ctx)
	for _, other := range newer {
		if other.ID == run.ID {
			l.writeCheckpoint(ctx)
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("commit run %d: %w", run.Number, errors.Join(err, refreshErr))
	}
	return fmt.Errorf("commit run %d: %w", run.Number, errors.Join(errors.New("the store accepted the manifest but does not show it"), refreshErr))
}

// discardTimeout is how long files of a run that will not be committed are cleared
// away: a store that is gone must not keep its error from being said.
const discardTimeout = time.Minute

// Discard deletes files of a run that will not be committed, also after the command
// was interrupted; what cannot be deleted is left for gc.
func (l *Lake) Discard(ctx context.Context, files []File) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(downloads)
	for _, file := range files {
		if file.Path != "" {
			group.Go(func() error { return l.Store.Delete(ctx, file.Path) })
		}
	}
	if err := group.Wait(); err != nil {
		l.warn("files of a run that was not committed stay until gc", files[0].Path, err)
	}
}
