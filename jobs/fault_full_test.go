package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// A full store is a folder on a disk with room for so many bytes more. What does not
// fit is written as far as it goes, into a temporary file that stays.
type full struct {
	*lake.Folder
	room, used atomic.Int64
}

func (f *full) write(key string, data []byte, whole func() error) error {
	size := int64(len(data))
	if f.used.Add(size) <= f.room.Load() {
		return whole()
	}
	f.used.Add(-size)
	half := filepath.Join(f.Folder.String(), filepath.FromSlash(key))
	half = filepath.Join(filepath.Dir(half), ".tmp-"+lake.NewRunID())
	if err := errors.Join(os.MkdirAll(filepath.Dir(half), 0o755), os.WriteFile(half, data[:size/2], 0o600)); err != nil {
		return err
	}
	return fmt.Errorf("upload %s: %w", key, &fs.PathError{Op: "write", Path: half, Err: syscall.ENOSPC})
}

func (f *full) Upload(ctx context.Context, key, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return f.write(key, data, func() error { return f.Folder.Upload(ctx, key, file) })
}

func (f *full) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	return f.write(key, data, func() error { return f.Folder.CreateIfAbsent(ctx, key, data) })
}

// onDisk opens a job's mill on a disk with so much room and runs the job; it returns
// how much it took.
func (s site) onDisk(job step, room int64) (used int64, err error) {
	s.t.Helper()
	disk := new(full)
	disk.room.Store(room)
	m, err := s.open(job.now, func(store lake.Store) lake.Store {
		disk.Folder = store.(*lake.Folder)
		return disk
	})
	if err != nil {
		return 0, err
	}
	err = errors.Join(job.do(s.t.Context(), m), m.Release())
	return disk.used.Load(), err
}

const unlimited = 1 << 40

// The lake's disk is full after any number of bytes of any command: the error says so
// and names the folder, and the same command, once there is room, finishes the work.
func diskFull(t *testing.T, moments []moment, random *rand.Rand) {
	cases := storetest.Cases(t, "folder: its disk is full")
	times := 1
	if storetest.Full() {
		times = 4
	}
	for _, m := range moments {
		need, err := site{t, m.before.dir}.copied().onDisk(m.step, unlimited)
		if err != nil || need == 0 {
			t.Fatalf("%s takes %d bytes, %v", m.name, need, err)
		}
		for range times {
			room := random.Int64N(need)
			t.Run(fmt.Sprintf("%s/%d of %d bytes", m.name, room, need), func(t *testing.T) {
				t.Parallel()
				s := site{t, m.before.dir}.copied()
				_, err := s.onDisk(m.step, room)
				switch {
				case err == nil: // the room was gone for a checkpoint alone: the run is committed
					s.wantMoment(m)
				case !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), filepath.Join(s.dir, "lake")):
					t.Errorf("the disk was full, but the error is %v", err)
				}
				s.run([]step{m.step})
				s.wantMoment(m)
				cases.Add(1)
			})
		}
	}
}

// The lake may be read alone: every command that writes says so, names the folder and
// leaves nothing behind; all that read work.
func readOnly(t *testing.T, moments []moment, _ *rand.Rand) {
	cases := storetest.Cases(t, "folder: it may be read alone")
	for i, m := range moments {
		for _, errno := range []syscall.Errno{syscall.EROFS, syscall.EACCES} {
			t.Run(fmt.Sprintf("%s/%v", m.name, errno), func(t *testing.T) {
				t.Parallel()
				s := site{t, m.before.dir}.copied()
				folder := filepath.Join(s.dir, "lake")
				failing := &storetest.Failing{N: 1, Writes: true, Err: &fs.PathError{Op: "open", Path: folder, Err: errno}}
				if err := s.try(m.step, failing); !errors.Is(err, errno) || !strings.Contains(err.Error(), folder) {
					t.Errorf("the lake may not be written, but the error is %v", err)
				}
				if i > 0 {
					s.wantMoment(moments[i-1])
				}
				s.run([]step{m.step})
				s.wantMoment(m)
				cases.Add(1)
			})
			if !storetest.Full() {
				break
			}
		}
	}
}
