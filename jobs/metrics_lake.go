package jobs

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
)

// A lakeView is how a lake stands, as the metrics tell it.
type lakeView struct {
	head         int64
	newest       map[string]time.Time // of calls, by source
	unrated      int64
	unratedSince time.Time // Now of the oldest run whose calls are not rated; zero: none
	mayClose     time.Time // from when on the open period may be closed
	openStart    time.Time
	lastClose    time.Time        // zero: none yet
	held         map[string]int64 // calls of periods that are not closed, by reason
	heldEvents   int64
	rejects      map[string]int64
	unread       int64
	pendingVoids int64
	files        map[string]int // live, by table
}

// view looks at the lake for the metrics. What cannot be read now is told by the next
// job.
func (d *daemon) view(ctx context.Context, m *Mill) {
	v, err := d.lookAt(ctx, m)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Warn("the metrics of the lake could not be brought up to date", "reason", err)
		}
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lake == nil || v.head >= d.lake.head { // the other lane may have looked since
		d.lake = v
	}
}

func (d *daemon) lookAt(ctx context.Context, m *Mill) (*lakeView, error) {
	state := m.Lake.State()
	open, _ := state.Open(m.Config.FirstPeriod)
	v := &lakeView{
		head: state.Head, newest: maps.Clone(state.Newest), rejects: state.BlockingRejects(),
		unread: int64(len(state.Unread)), pendingVoids: state.PendingVoids(),
		openStart: m.Calendar.Start(open), mayClose: m.closeFrom(open),
		files: map[string]int{},
	}
	oldest := int64(0)
	for _, file := range m.unratedUsage() {
		v.unrated += file.Rows
		if origin := file.Origin(); oldest == 0 || origin < oldest {
			oldest = origin
		}
	}
	if oldest != 0 {
		run, err := m.Lake.Run(ctx, oldest)
		if err != nil {
			return nil, err
		}
		v.unratedSince = run.Now
	}
	if last, _ := lastClose(state.Milestones()); last != nil {
		v.lastClose = last.Now
	}
	for _, table := range lake.Tables() {
		v.files[table.Name] = len(state.Files(table))
	}
	var err error
	v.held, v.heldEvents, err = d.held.read(ctx, m)
	return v, err
}

// A heldCache keeps what files say of held calls and account events for as long as
// the same files are live.
type heldCache struct {
	mu     sync.Mutex
	files  string // the paths
	calls  map[string]int64
	events int64
}

func (c *heldCache) read(ctx context.Context, m *Mill) (map[string]int64, int64, error) {
	state := m.Lake.State()
	var paths []string
	for _, file := range state.Files(lake.Rated) {
		if heldRows(file) > 0 {
			paths = append(paths, file.Path)
		}
	}
	for _, file := range state.Files(lake.AccountEvents) {
		paths = append(paths, file.Path)
	}
	files := strings.Join(paths, "\n")
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(paths) > 0 && files == c.files {
		return c.calls, c.events, nil
	}
	calls, events := map[string]int64{}, int64(0)
	if len(paths) > 0 {
		var err error
		if calls, events, err = m.readHeld(ctx); err != nil {
			return nil, 0, err
		}
	}
	c.files, c.calls, c.events = files, calls, events
	return calls, events, nil
}

func (m *Mill) readHeld(ctx context.Context) (calls map[string]int64, events int64, err error) {
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	counts, err := d.heldCounts(ctx)
	if err != nil {
		return nil, 0, err
	}
	calls = map[string]int64{}
	for _, count := range counts {
		calls[count.Reason] += count.Calls
	}
	events, err = d.heldEvents(ctx)
	return calls, events, err
}
