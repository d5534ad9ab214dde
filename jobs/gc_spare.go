package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// What no run names and nothing is made of goes without a run: at worst it is missed
// by nobody.

var failureKeys = regexp.MustCompile(`^failures/([a-z]+)-([0-7][0-9A-HJKMNP-TV-Z]{25})\.json$`)

// checkpoints deletes those that later ones have taken the place of.
func (g *collector) checkpoints(ctx context.Context) error {
	spare, strays, err := lake.SpareCheckpoints(ctx, g.mill.Lake.Store)
	if err != nil {
		return err
	}
	for _, key := range strays {
		g.report.stray(key)
	}
	oddments := make([]oddment, len(spare))
	for i, object := range spare {
		oddments[i] = oddment{object.Key, "checkpoints", GCSpare, object.Bytes}
	}
	return g.delete(ctx, oddments)
}

// failuresKeptDays is how long the record of a failure stays of a job that is
// scheduled no longer, and so has no success that would remove it.
const failuresKeptDays = 30

// failures deletes old records of failures of jobs that are not scheduled.
func (g *collector) failures(ctx context.Context) error {
	before := g.mill.Now().AddDate(0, 0, -failuresKeptDays)
	var old []oddment
	for object, err := range g.mill.Lake.Store.List(ctx, "failures/") {
		if err != nil {
			return fmt.Errorf("list records of failures: %w", err)
		}
		m := failureKeys.FindStringSubmatch(object.Key)
		if m == nil {
			g.report.stray(object.Key)
			continue
		}
		scheduled := slices.ContainsFunc(g.mill.Config.Schedule, func(job config.Job) bool { return job.Name == m[1] })
		if written, ok := idTime(m[2]); ok && !scheduled && written.Before(before) {
			old = append(old, oddment{object.Key, "failures", GCSpare, object.Bytes})
		}
	}
	return g.delete(ctx, old)
}

// temporaries deletes what a process that was killed left in a lake's folder instead
// of an object: no list shows it. Its age is told by the clock of the file system alone.
func (g *collector) temporaries(ctx context.Context) error {
	if g.mill.Config.Lake.Scheme != "" {
		return nil
	}
	root := g.mill.Config.Lake.Path
	scratch, err := os.Stat(g.scratch) // was made just now
	if err != nil {
		return err
	}
	before := scratch.ModTime().Add(-settles)
	for _, folder := range []string{"runs", "data", "configs", "checkpoints", "failures"} {
		err := temporaryFiles(ctx, root, folder, before, func(key string, bytes int64) error {
			return g.delete(ctx, []oddment{{key, "temporary", GCSpare, bytes}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// temporaryFiles finds, in a folder of a store in a folder, what a process that was killed
// left instead of an object and nobody has written to since before.
func temporaryFiles(ctx context.Context, root, folder string, before time.Time, found func(key string, bytes int64) error) error {
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		id, temporary := strings.CutPrefix(entry.Name(), ".tmp-")
		if _, ours := idTime(id); !temporary || !ours || !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
			return nil
		}
		if err != nil {
			return err
		}
		key, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return found(filepath.ToSlash(key), info.Size())
	})
	if err != nil {
		return fmt.Errorf("look for files that were not finished: %w", err)
	}
	return nil
}
