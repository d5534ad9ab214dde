package jobs

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

// A desk is where one attempt at a run is worked out: a DuckDB session and a
// scratch folder, thrown away with it.
type desk struct {
	mill    *Mill
	session *duck.Session
	scratch string
	close   func() error
}

func (m *Mill) newDesk(ctx context.Context) (*desk, error) {
	s, err := newScratch(m.stores.base)
	if err != nil {
		return nil, err
	}
	session, err := duck.Open(ctx, duck.Options{Memory: m.Config.Memory, Scratch: s.path, Folders: m.stores.folders()})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := session.Row(ctx, "SELECT version()").Scan(&m.duckDB); err != nil {
		return nil, errors.Join(err, session.Close(), s.close())
	}
	return &desk{mill: m, session: session, scratch: s.path, close: func() error {
		return errors.Join(session.Close(), s.close())
	}}, nil
}

// scan returns a scan over live files.
func (d *desk) scan(ctx context.Context, table lake.Table, files []lake.File) (duck.Scan, error) {
	paths, err := d.mill.Lake.Paths(ctx, files)
	if err != nil {
		return duck.Scan{}, err
	}
	return d.mill.Lake.State().Scan(table, files, paths), nil
}

// view makes live files of a table readable as name.
func (d *desk) view(ctx context.Context, name string, table lake.Table, files []lake.File) error {
	scan, err := d.scan(ctx, table, files)
	if err != nil {
		return err
	}
	return d.session.View(ctx, name, scan)
}

// viewBy is view with a last column, of the text that label gives for each file; with
// an empty column it is view.
func (d *desk) viewBy(ctx context.Context, name string, table lake.Table, files []lake.File, column string, label func(lake.File) string) error {
	paths, err := d.mill.Lake.Paths(ctx, files)
	if err != nil {
		return err
	}
	scan := d.mill.Lake.State().Scan(table, nil, nil)
	scan.Partition = column
	for i, file := range files {
		scan.AddTo(label(file), paths[i], file.Columns)
	}
	return d.session.View(ctx, name, scan)
}

// attempts is how often a job begins again after losing to other runs.
const attempts = 5

// A draft is what an attempt wants to commit.
type draft struct {
	run      lake.Run
	outputs  []lake.Output
	replaced []lake.File
	// numbered makes the files that hold the run's own number; they are made
	// anew where another run takes it. May be nil.
	numbered func(ctx context.Context, run int64) ([]lake.Output, error)
	// settle has the last word on a run whose files are uploaded: they are in the order
	// of outputs, without those that have no rows. May be nil.
	settle func(run *lake.Run)
	// survives says whether the draft stands although newer was committed since
	// the draft's inputs were read.
	survives func(newer *lake.Run) bool
	// next drafts the run that follows at the same desk once this one is
	// committed. May be nil.
	next func(ctx context.Context) (*draft, error)
}

// ErrLost is the failure of a run that lost to other runs each time it tried.
var ErrLost = errors.New("other runs kept being committed first")

// perform works out a draft and commits it. work returns nil when there is
// nothing to say, and then perform returns nil. A draft that loses the race for
// its number is kept if it survives the newer runs, else it is worked out again.
func (m *Mill) perform(ctx context.Context, work func(context.Context, *desk) (*draft, error)) (*lake.Run, error) {
	for range attempts {
		if _, err := m.Lake.Refresh(ctx); err != nil {
			return nil, err
		}
		head := m.Lake.State().Head
		run, err := m.attempt(ctx, work)
		if !errors.Is(err, lake.ErrLost) && !m.pulledAway(ctx, head, err) {
			return run, err
		}
		m.Log.Info("lost to another run, beginning again", "run", m.Lake.State().Head)
	}
	return nil, ErrLost
}

// pulledAway reports whether an attempt failed after files were deleted that were live
// when it began: it may have been reading them.
func (m *Mill) pulledAway(ctx context.Context, head int64, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return false
	}
	return slices.ContainsFunc(m.Lake.State().Since(head), func(run *lake.Run) bool { return len(run.Deleted) > 0 })
}

func (m *Mill) attempt(ctx context.Context, work func(context.Context, *desk) (*draft, error)) (run *lake.Run, err error) {
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for draft, err := work(ctx, d); ; draft, err = draft.next(ctx) {
		if err != nil || draft == nil {
			return run, err
		}
		if run, err = m.commit(ctx, draft); err != nil || draft.next == nil {
			return run, err
		}
	}
}

// commit uploads a draft's files and commits its run, again as long as the draft
// survives the runs that come first. On failure it takes back what it uploaded,
// unless the store leaves open whether the run was committed: then gc decides.
func (m *Mill) commit(ctx context.Context, d *draft) (_ *lake.Run, err error) {
	run := d.run
	if err := m.stamp(ctx, &run); err != nil {
		return nil, err
	}
	for _, file := range d.replaced {
		run.Replaced = append(run.Replaced, file.Path)
	}
	kept, err := m.upload(ctx, run.ID, 0, d.outputs)
	certain := true // that the run is not committed
	for err == nil {
		var numbered []lake.File
		if d.numbered != nil {
			var outputs []lake.Output
			if outputs, err = d.numbered(ctx, m.Lake.State().Head+1); err == nil {
				numbered, err = m.upload(ctx, run.ID, len(kept), outputs)
			}
			if err != nil {
				break
			}
		}
		run.Files = slices.Concat(kept, numbered)
		if d.settle != nil {
			d.settle(&run)
		}
		if err = m.Lake.Commit(ctx, &run); err == nil {
			return m.Lake.State().Since(run.Number - 1)[0], nil
		}
		if certain = errors.Is(err, lake.ErrLost); !certain {
			break
		}
		m.Lake.Discard(ctx, numbered)
		// A name is used once, also by what was discarded.
		run.ID = lake.NewRunID()
		newer, refreshErr := m.Lake.Refresh(ctx)
		if err = refreshErr; err == nil && slices.ContainsFunc(newer, func(run *lake.Run) bool { return !d.outlives(run) }) {
			err = lake.ErrLost
		}
		for _, file := range kept {
			if m.Lake.State().Deleted(file.Path) { // by a gc that took it for one that nobody will name
				err = errors.Join(err, lake.ErrLost)
				break
			}
		}
	}
	if certain {
		m.Lake.Discard(ctx, kept)
	}
	return nil, err
}

// outlives reports whether a draft stands although newer was committed since its inputs
// were read. A compaction and a gc leave the rows as they are: they are in the way of
// whoever wants to replace the same files.
func (d *draft) outlives(newer *lake.Run) bool {
	if newer.Kind == lake.Compact || newer.Kind == lake.GC {
		return !slices.ContainsFunc(d.replaced, func(file lake.File) bool { return slices.Contains(newer.Replaced, file.Path) })
	}
	return d.survives != nil && d.survives(newer)
}

// uploads is how many files are stored at once: a store takes its time to make
// each of them durable.
const uploads = 8

// upload stores the outputs that have rows and describes them in their order.
func (m *Mill) upload(ctx context.Context, runID string, first int, outputs []lake.Output) ([]lake.File, error) {
	outputs = slices.DeleteFunc(slices.Clone(outputs), func(o lake.Output) bool { return o.Rows == 0 })
	files := make([]lake.File, len(outputs))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for i, out := range outputs {
		group.Go(func() (err error) {
			files[i], err = m.Lake.Upload(groupCtx, runID, first+i, out)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		m.Lake.Discard(ctx, files)
		return nil, err
	}
	return files, nil
}
