package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// A Fault is an object of a lake that is not as the log says.
type Fault struct {
	Key   string
	Found string
}

// A Log is the log of a lake as it lies in the store.
type Log struct {
	Runs   int64
	Hashes []string // SHA-256 of each manifest
	Faults []Fault
	Strays []string // what lies under runs/ and is no manifest
}

var manifestKey = regexp.MustCompile(`^runs/([0-9]{10})\.json$`)

// InspectLog reads every manifest as bytes: whether they count from 1 without gaps,
// each has the hash of the one before, and the newest, which no other manifest
// covers, is written as this program writes.
func InspectLog(ctx context.Context, store Store) (*Log, error) {
	log := &Log{}
	there := map[int64]bool{}
	for object, err := range store.List(ctx, "runs/") {
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", store, err)
		}
		m := manifestKey.FindStringSubmatch(object.Key)
		n := int64(0)
		if m != nil {
			n, _ = strconv.ParseInt(m[1], 10, 64) // ten digits
		}
		if n == 0 {
			log.Strays = append(log.Strays, object.Key)
			continue
		}
		there[n] = true
		log.Runs = max(log.Runs, n)
	}
	before := ""
	for n := int64(1); n <= log.Runs; n++ {
		key := runKey(n)
		if !there[n] {
			log.fault(key, "is missing, though there is %s: the log counts without gaps", runKey(log.Runs))
			log.Hashes = append(log.Hashes, "")
			before = ""
			continue
		}
		data, err := ReadAll(ctx, store, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("read the log of %s: %w", store, err)
		}
		log.manifest(n, data, before)
		before = hash(data)
		log.Hashes = append(log.Hashes, before)
	}
	return log, nil
}

// manifest looks at the bytes of a manifest; before is the hash of the one before it,
// "" where that is missing.
func (l *Log) manifest(n int64, data []byte, before string) {
	key := runKey(n)
	run, err := decodeRun(key, data)
	switch {
	case err != nil:
		l.fault(key, "is no manifest: %v", errors.Unwrap(err))
		return
	case run.Number != n:
		l.fault(key, "says that it is run %d", run.Number)
	case n == 1 && run.Previous != "":
		l.fault(key, "is the first, but names a manifest before it")
	case n > 1 && before != "" && run.Previous != before:
		l.fault(runKey(n-1), "has SHA-256 %s, but %s names %s as the manifest before it: one of the two was changed", before, key, run.Previous)
	}
	if n == l.Runs {
		if again, err := run.encode(); err != nil || !bytes.Equal(again, data) {
			l.fault(key, "is not as this program writes a manifest: something was added, left out or moved")
		}
	}
}

func (l *Log) fault(key, format string, args ...any) {
	l.Faults = append(l.Faults, Fault{key, fmt.Sprintf(format, args...)})
}

// Configs are the hashes of all configuration files that runs have recorded.
func (s *State) Configs() []string {
	var all []string
	for sha256 := range s.configs {
		all = append(all, sha256)
	}
	return all
}

// OpenThrough opens the lake as it was after run n, by manifests alone;
// [Lake.Refresh] goes on from there.
func OpenThrough(ctx context.Context, store Store, n int64) (*Lake, error) {
	l := &Lake{Store: store, state: newState()}
	for l.state.Head < n {
		manifests, err := l.manifests(ctx, l.state.Head+1, min(n, l.state.Head+readAhead))
		if err == nil {
			err = l.fold(manifests)
		}
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", store, err)
		}
	}
	return l, nil
}

// HashOf is the hash by which manifests and configs/ know content.
func HashOf(content []byte) string { return hash(content) }
