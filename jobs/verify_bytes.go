package jobs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// at is a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// configFiles looks whether the configuration files that runs recorded are as they were.
func (v *verifier) configFiles(ctx context.Context) error {
	check := &Check{What: "recorded configuration", Unit: "file"}
	defer func() { v.note(check) }()
	names := map[string]string{} // and the first run, by hash
	for _, run := range v.mill.Lake.State().Since(0) {
		for _, ref := range run.Configs {
			if names[ref.SHA256] == "" {
				names[ref.SHA256] = fmt.Sprintf("%s of run %d", ref.Name, run.Number)
			}
		}
	}
	for _, sha256 := range slices.Sorted(maps.Keys(names)) {
		check.Count++
		key := "configs/" + sha256
		sum, _, err := v.digest(ctx, key)
		switch {
		case errors.Is(err, lake.ErrNotFound):
			check.fault(key, nextRestore, "is missing: it is %s", names[sha256])
		case err != nil:
			return err
		case sum != sha256:
			check.fault(key, nextRestore, "has SHA-256 %s, not that of its name: it is %s, and was changed", sum, names[sha256])
		}
	}
	return nil
}

// checkpoints looks whether the checkpoints of the log say what the log says.
func (v *verifier) checkpoints(ctx context.Context) error {
	check := &Check{What: "checkpoints of the log", Unit: "checkpoint"}
	defer func() { v.note(check) }()
	n, faults, err := lake.InspectCheckpoints(ctx, v.mill.Lake)
	check.Count = n
	for _, f := range faults {
		check.fault(f.Key, "delete it: a later run writes another", "%s", f.Found)
	}
	return err
}

// digest is the SHA-256 and the size of an object.
func (v *verifier) digest(ctx context.Context, key string) (sum string, size int64, err error) {
	object, err := v.mill.Lake.Store.Open(ctx, key)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	size, err = io.Copy(hash, object)
	return hex.EncodeToString(hash.Sum(nil)), size, errors.Join(err, object.Close())
}

// A namedFile is a file that a run named, and the run that replaced it, nil while it is live.
type namedFile struct {
	lake.File

	replaced *lake.Run
	stands   bool // it was never live: it stands in for one that was, which a forget has written anew
}

// filesAt are the files of a table that were live after a run, or what stands in for
// them. gone says that some are not there any more.
func (v *verifier) filesAt(table lake.Table, number int64) (files []lake.File, gone bool) {
	for _, file := range v.namedFiles() {
		if file.Table == table.Name && !file.stands && file.Run <= number && (file.replaced == nil || file.replaced.Number > number) {
			standing := v.mill.Lake.State().Standing(file.File)
			files, gone = append(files, standing), gone || v.gone[standing.Path]
		}
	}
	return files, gone
}

// namedFiles are all files that runs have named, by run and path.
func (v *verifier) namedFiles() []namedFile {
	if v.named != nil {
		return v.named
	}
	files := map[string]namedFile{}
	for _, run := range v.mill.Lake.State().Since(0) {
		for _, file := range run.Files {
			files[file.Path] = namedFile{File: file}
		}
		for _, path := range run.Replaced {
			files[path] = namedFile{File: files[path].File, replaced: run}
		}
		for _, r := range run.Rewritten {
			if before := files[r.Path]; before.stands {
				before.replaced = run
				files[r.Path] = before
			}
			if _, live := files[r.File.Path]; !live {
				files[r.File.Path] = namedFile{File: r.File, stands: true}
			}
		}
	}
	v.named = slices.SortedFunc(maps.Values(files), func(a, b namedFile) int {
		return cmp.Or(cmp.Compare(a.Run, b.Run), strings.Compare(a.Path, b.Path))
	})
	return v.named
}

// storedFiles looks whether every file that a run named has the bytes it had; those
// that are live also whether they are Parquet of their tables' columns with as many rows.
// Which may be gone, mayBeGone says.
func (v *verifier) storedFiles(ctx context.Context) error {
	check := &Check{What: "stored files", Unit: "file"}
	defer func() { v.note(check) }()
	files := v.namedFiles()
	found := make([]string, len(files)) // what is wrong
	mayBeGone := v.mayBeGone()
	tell := v.mill.progress("hashes")
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(runtime.GOMAXPROCS(0), 4)) // a remote store takes its time
	for i, file := range files {
		group.Go(func() error {
			wrong, gone, err := v.storedFile(groupCtx, file, mayBeGone)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found[i] = wrong
			if gone {
				v.gone[file.Path] = true
			}
			if check.Count++; tell != nil {
				tell(check.Count, int64(len(files)))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var live []lake.File
	for i, file := range files {
		switch {
		case found[i] != "":
			check.fault(fmt.Sprintf("%s of run %d", file.Path, file.Run), nextRestore, "%s", found[i])
		case file.replaced == nil:
			live = append(live, file.File)
		}
	}
	for batch := range slices.Chunk(live, 500) {
		if err := v.parquet(ctx, batch, check); err != nil {
			return err
		}
	}
	return nil
}

// mayBeGone tells of a file whether it may be missing: it was condemned by a run, or
// replaced longer ago than retention.superseded. Never one that is live, or that
// documents are made of.
func (v *verifier) mayBeGone() func(namedFile) bool {
	state := v.mill.Lake.State()
	documents, condemned := documentFiles(state), map[string]bool{}
	for _, run := range state.Since(0) {
		for _, path := range run.Deleted {
			condemned[path] = true
		}
	}
	return func(file namedFile) bool {
		if file.replaced == nil || documents[file.Path] {
			return false
		}
		return condemned[file.Path] || v.mill.Calendar.Add(file.replaced.Now, v.mill.Config.Retention.Superseded).Before(v.mill.Now())
	}
}

// storedFile looks at the bytes of one file. wrong is empty where they are right; gone
// says that it may be, and is, missing.
func (v *verifier) storedFile(ctx context.Context, file namedFile, mayBeGone func(namedFile) bool) (wrong string, gone bool, err error) {
	sum, size, err := v.digest(ctx, file.Path)
	switch {
	case errors.Is(err, lake.ErrNotFound) && mayBeGone(file):
		return "", true, nil
	case errors.Is(err, lake.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "is missing", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read %s: %w", file.Path, err)
	case size != file.Bytes:
		return fmt.Sprintf("has %d bytes, but the run wrote %d", size, file.Bytes), false, nil
	case sum != file.SHA256:
		return fmt.Sprintf("has SHA-256 %s, but the run wrote %s: it was changed", sum, file.SHA256), false, nil
	}
	return "", false, nil
}

// parquet looks whether files, whose bytes are right, hold what their runs say.
func (v *verifier) parquet(ctx context.Context, files []lake.File, check *Check) error {
	paths, err := v.mill.Lake.Paths(ctx, files)
	if err != nil {
		return err
	}
	rows, err := v.session.Rows(ctx, sql.Expand("duckdb/verify_parquet", duck.List(paths)))
	if err != nil {
		return fmt.Errorf("read the footers of Parquet files: %w", err)
	}
	defer rows.Close()
	byPath := map[string]lake.File{}
	for i, path := range paths {
		byPath[path] = files[i]
	}
	tables := map[string]lake.Table{}
	for _, table := range lake.Tables() {
		tables[table.Name] = table
	}
	for rows.Next() {
		var path, columns string
		var n int64
		if err := rows.Scan(&path, &n, &columns); err != nil {
			return err
		}
		file := byPath[path]
		where := fmt.Sprintf("%s of run %d", file.Path, file.Run)
		table, known := tables[file.Table]
		if !known {
			check.fault(where, nextRows, "is of a table %s, which there is not", file.Table)
			continue
		}
		if n != file.Rows {
			check.fault(where, nextRows, "has %d rows, but its run says %d", n, file.Rows)
		}
		schema := table.Schema(v.mill.Lake.State().Columns)
		if file.Columns < 1 || file.Columns > len(schema) {
			check.fault(where, nextRows, "has %d columns by its run, and the table %d", file.Columns, len(schema))
			continue
		}
		stored := slices.Clone(schema[:file.Columns])
		if file.Compacted() {
			stored = append(stored, table.Hidden()...)
		}
		var want []string
		for _, c := range stored {
			want = append(want, c.Name+" "+c.Type)
		}
		if expected := strings.Join(want, ", "); columns != expected {
			check.fault(where, nextRows, "has the columns %s, and not %s", columns, expected)
		}
	}
	return rows.Err()
}

// strays lists what lies in the lake's folders and no run names.
func (v *verifier) strays(ctx context.Context) error {
	named := map[string]bool{}
	for _, file := range v.namedFiles() {
		named[file.Path] = true
	}
	for _, sha256 := range v.mill.Lake.State().Configs() {
		named["configs/"+sha256] = true
	}
	for _, prefix := range []string{"configs/", "data/"} {
		for object, err := range v.mill.Lake.Store.List(ctx, prefix) {
			if err != nil {
				return err
			}
			if !named[object.Key] {
				v.report.Strays = append(v.report.Strays, object.Key)
			}
		}
	}
	return nil
}
