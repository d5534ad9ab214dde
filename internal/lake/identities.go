package lake

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Identities are what a folder's files were found to hold, kept in a file from one
// process to the next, so that a file is hashed once and not at every listing. A
// file is taken for the same as long as its inode, size and change time are; the
// change time is the system's own and no program can set it. The file is a cache: without
// it, or where it is damaged, everything is hashed again.
type Identities struct {
	path  string
	now   func() time.Time
	mu    sync.Mutex
	known map[string]known // by key
	dirty bool
}

type known struct {
	stamp    stamp
	identity string
	used     bool
}

// A stamp changes whenever a file's content does.
type stamp struct {
	inode         uint64
	size, changed int64 // changed: in nanoseconds since 1970
}

// settled is how long ago a file must have changed for its stamp to be trusted: a
// change within the same tick of the file system's clock leaves no trace in it.
const settled = 2 * time.Second

const identitiesHeader = "creditmill identities 1\n"

// OpenIdentities reads the identities kept at path; there may be none. now is the
// machine's clock, which is the file system's.
func OpenIdentities(path string, now func() time.Time) *Identities {
	i := &Identities{path: path, now: now, known: map[string]known{}}
	file, err := os.Open(path)
	if err != nil {
		return i
	}
	defer func() { _ = file.Close() }() // only read
	in := bufio.NewReaderSize(file, 1<<16)
	if header, err := in.ReadString('\n'); err != nil || header != identitiesHeader {
		return i
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return i
		}
		if key, k, ok := parseKnown(strings.TrimSuffix(line, "\n")); ok {
			i.known[key] = k
		}
	}
}

func parseKnown(line string) (key string, k known, ok bool) {
	fields := strings.SplitN(line, " ", 5)
	if len(fields) < 5 {
		return "", k, false
	}
	var errs [4]error
	k.stamp.inode, errs[0] = strconv.ParseUint(fields[0], 10, 64)
	k.stamp.size, errs[1] = strconv.ParseInt(fields[1], 10, 64)
	k.stamp.changed, errs[2] = strconv.ParseInt(fields[2], 10, 64)
	k.identity = fields[3]
	key, errs[3] = strconv.Unquote(fields[4])
	return key, k, errors.Join(errs[:]...) == nil
}

// of is the identity of an open file.
func (i *Identities) of(key string, file fs.File) (string, error) {
	began := i.now()
	s, stamped := stampOf(file)
	i.mu.Lock()
	k, ok := i.known[key]
	if ok = ok && stamped && k.stamp == s; ok {
		k.used = true
		i.known[key] = k
	}
	i.mu.Unlock()
	if ok {
		return k.identity, nil
	}
	identity, err := contentHash(file)
	if err == nil && stamped && began.UnixNano()-s.changed >= int64(settled) {
		i.mu.Lock()
		i.known[key], i.dirty = known{s, identity, true}, true
		i.mu.Unlock()
	}
	return identity, err
}

// Save writes the identities where something is new. With whole, files that nobody
// asked for since OpenIdentities are forgotten.
func (i *Identities) Save(whole bool) (err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.dirty {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(i.path), 0o755); err != nil {
		return err
	}
	temporary := temporaryBeside(i.path)
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<16)
	_, _ = out.WriteString(identitiesHeader)
	for key, k := range i.known {
		if k.used || !whole {
			_, _ = fmt.Fprintf(out, "%d %d %d %s %q\n", k.stamp.inode, k.stamp.size, k.stamp.changed, k.identity, key) // Flush tells
		}
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	i.dirty = false
	return os.Rename(temporary, i.path)
}

// stampOf is the stamp of an open file; ok is false where the system gives none.
func stampOf(file fs.File) (s stamp, ok bool) {
	info, err := file.Stat()
	if err != nil {
		return s, false
	}
	s.size = info.Size()
	s.inode, s.changed, ok = changeTime(info)
	return s, ok
}
