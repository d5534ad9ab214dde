package lake

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A checkpoint is the fold of the log up to a run, kept so that a long log opens with
// a few reads: `checkpoints/N-SHA256.json`, ten digits and the hash of its bytes. It is
// made of manifests alone and may be deleted at any time. One that is damaged, or does
// not agree with manifest N, is passed over for an older one or for the whole log.
type checkpoint struct {
	Format   int    `json:"format"`
	Run      int64  `json:"run"`
	HeadHash string `json:"head_sha256"`

	Founding     *Founding            `json:"founding"`
	Columns      []Column             `json:"columns"`
	Unread       []Unread             `json:"unread"`
	Newest       map[string]time.Time `json:"newest"`
	Listed       time.Time            `json:"listed"`
	RatedThrough int64                `json:"rated_through"`
	Rejects      map[string]int64     `json:"rejects"`
	Accepted     int64                `json:"accepted"`
	Closes       []Closing            `json:"closes"`
	Applied      *Applied             `json:"applied"`
	Versions     []usedVersion        `json:"versions"`   // by kind, name, version
	Configs      []string             `json:"configs"`    // sorted
	Milestones   []*Run               `json:"milestones"` // oldest first
	Files        []fileOfRun          `json:"files"`      // live, by path
	Retained     []retainedOfRun      `json:"retained"`   // in the order in which they were replaced
	Rewritten    []rewriteOfRun       `json:"rewritten"`  // by path
}

// checkpointFormat counts up with every change of what a checkpoint says: one of
// another format is passed over.
const checkpointFormat = 1

type usedVersion struct {
	VersionRef

	Run int64 `json:"run"`
}

type fileOfRun struct {
	File

	Run int64 `json:"run"`
}

type retainedOfRun struct {
	fileOfRun

	Replaced int64 `json:"replaced"`
}

type rewriteOfRun struct {
	Path string    `json:"path"`
	File fileOfRun `json:"file"`
}

func (f fileOfRun) file() File {
	f.File.Run = f.Run
	return f.File
}

// encode is the state as a checkpoint.
func (s *State) encode() ([]byte, error) {
	c := checkpoint{
		Format: checkpointFormat, Run: s.Head, HeadHash: s.HeadHash,
		Founding: s.Founding, Columns: s.Columns, Unread: s.Unread, Newest: s.Newest, Listed: s.Listed,
		RatedThrough: s.RatedThrough, Rejects: s.Rejects, Accepted: s.Accepted, Closes: s.closes, Applied: s.applied,
		Configs: slices.Sorted(maps.Keys(s.configs)), Milestones: s.milestones,
	}
	for _, used := range s.versions {
		c.Versions = append(c.Versions, usedVersion{used.ref, used.run})
	}
	slices.SortFunc(c.Versions, func(a, b usedVersion) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		c.Files = append(c.Files, fileOfRun{s.files[path], s.files[path].Run})
	}
	for _, r := range s.retained {
		c.Retained = append(c.Retained, retainedOfRun{fileOfRun{r.File, r.File.Run}, r.Replaced})
	}
	for _, path := range slices.Sorted(maps.Keys(s.rewritten)) {
		c.Rewritten = append(c.Rewritten, rewriteOfRun{path, fileOfRun{s.rewritten[path], s.rewritten[path].Run}})
	}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("checkpoint of run %d: %w", s.Head, err)
	}
	return append(data, '\n'), nil
}

// errOtherFormat is of a checkpoint that another version of the program wrote.
var errOtherFormat = errors.New("it has another format")

func decodeCheckpoint(data []byte) (*State, error) {
	var c checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	if c.Format != checkpointFormat {
		return nil, errOtherFormat
	}
	s := newState()
	s.Head, s.HeadHash, s.base = c.Run, c.HeadHash, c.Run
	s.Founding, s.Columns, s.Unread, s.Listed = c.Founding, c.Columns, c.Unread, c.Listed
	s.RatedThrough, s.Accepted, s.closes, s.applied, s.milestones = c.RatedThrough, c.Accepted, c.Closes, c.Applied, c.Milestones
	maps.Copy(s.Newest, c.Newest)
	maps.Copy(s.Rejects, c.Rejects)
	for _, used := range c.Versions {
		s.versions[versionKey(used.VersionRef)] = usedRef{used.VersionRef, used.Run}
	}
	for _, sha256 := range c.Configs {
		s.configs[sha256] = true
	}
	for _, run := range s.milestones {
		run.number()
	}
	for _, file := range c.Files {
		s.files[file.Path] = file.file()
	}
	for _, r := range c.Retained {
		s.retained = append(s.retained, RetainedFile{r.file(), r.Replaced})
	}
	for _, r := range c.Rewritten {
		s.rewritten[r.Path] = r.File.file()
	}
	return s, nil
}

const checkpoints = "checkpoints/"

var checkpointKey = regexp.MustCompile(`^checkpoints/([0-9]{10})-([0-9a-f]{64})\.json$`)

// A checkpointRef names a checkpoint that lies in a store.
type checkpointRef struct {
	Object

	sha256 string
	run    int64
}

// listCheckpoints lists them, the newest first, and what lies among them and is none.
func listCheckpoints(ctx context.Context, store Store) (refs []checkpointRef, strays []string, err error) {
	for object, err := range store.List(ctx, checkpoints) {
		if err != nil {
			return nil, nil, err
		}
		m := checkpointKey.FindStringSubmatch(object.Key)
		if m == nil {
			strays = append(strays, object.Key)
			continue
		}
		run, _ := strconv.ParseInt(m[1], 10, 64) // ten digits
		refs = append(refs, checkpointRef{object, m[2], run})
	}
	slices.SortFunc(refs, func(a, b checkpointRef) int {
		return cmp.Or(cmp.Compare(b.run, a.run), strings.Compare(a.Key, b.Key))
	})
	return refs, strays, nil
}

// SpareCheckpoints are those that later ones have taken the place of; strays are keys
// among them that are of no checkpoint.
func SpareCheckpoints(ctx context.Context, store Store) (spare []Object, strays []string, err error) {
	refs, strays, err := listCheckpoints(ctx, store)
	if err != nil {
		return nil, nil, fmt.Errorf("list checkpoints: %w", err)
	}
	runs := 0
	for i, ref := range refs {
		if i == 0 || ref.run != refs[i-1].run {
			runs++
		}
		if runs > checkpointsKept {
			spare = append(spare, ref.Object)
		}
	}
	return spare, strays, nil
}

// listings is how often the checkpoints are listed where those that were listed are
// gone when they are to be read: others have written newer ones meanwhile.
const listings = 3

// restore begins from the newest checkpoint that can be used; where there is none,
// from nothing.
func (l *Lake) restore(ctx context.Context) error {
	for range listings {
		refs, _, err := listCheckpoints(ctx, l.Store)
		if err != nil || len(refs) == 0 {
			return err
		}
		gone := false
		for _, ref := range refs {
			state, err := readCheckpoint(ctx, l.Store, ref)
			switch {
			case err == nil:
				l.state, l.checkpoint = state, ref.run
				return nil
			case ctx.Err() != nil:
				return err
			case errors.Is(err, ErrNotFound):
				gone = true
			default:
				l.warn("a checkpoint of the log is passed over", ref.Key, err)
			}
		}
		if !gone {
			return nil
		}
	}
	return nil
}

// readCheckpoint reads a checkpoint, and manifest N beside it: a lake that was put
// back to an earlier time may have checkpoints of runs that it has not.
func readCheckpoint(ctx context.Context, store Store, ref checkpointRef) (*State, error) {
	data, err := ReadAll(ctx, store, ref.Key)
	if err != nil {
		return nil, err
	}
	if sum := hash(data); sum != ref.sha256 {
		return nil, fmt.Errorf("it has SHA-256 %s, not that of its name", sum)
	}
	state, err := decodeCheckpoint(data)
	if err != nil {
		return nil, err
	}
	manifest, err := ReadAll(ctx, store, runKey(ref.run))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, fmt.Errorf("there is no %s", runKey(ref.run))
	case err != nil:
		return nil, err
	case state.Head != ref.run || hash(manifest) != state.HeadHash:
		return nil, fmt.Errorf("it is not of the %s that is there", runKey(ref.run))
	}
	return state, nil
}

// checkpointEvery is how many runs go by between two checkpoints, and so how many
// manifests are read beside one at most.
const checkpointEvery = 16

// checkpointsKept is of how many runs they stay: whoever has listed the newest but one can still
// read it.
const checkpointsKept = 2

// writeCheckpoint writes one where the last is long ago, and deletes older ones. The
// run is committed by then: what fails is done by a later run.
func (l *Lake) writeCheckpoint(ctx context.Context) {
	if l.state.Head < l.checkpoint+checkpointEvery {
		return
	}
	data, err := l.state.encode()
	if err == nil {
		key := fmt.Sprintf("%s%010d-%s.json", checkpoints, l.state.Head, hash(data))
		if err = l.Store.CreateIfAbsent(ctx, key, data); errors.Is(err, ErrExists) {
			err = nil
		}
	}
	if err != nil {
		l.warn("no checkpoint of the log was written", runKey(l.state.Head), err)
		return
	}
	l.checkpoint = l.state.Head
	spare, _, err := SpareCheckpoints(ctx, l.Store)
	for _, object := range spare {
		err = errors.Join(err, l.Store.Delete(ctx, object.Key))
	}
	if err != nil {
		l.warn("old checkpoints of the log stay", checkpoints, err)
	}
}

func (l *Lake) warn(what, key string, err error) {
	if l.Log != nil {
		l.Log.Warn(what, "object", key, "error", err)
	}
}

// InspectCheckpoints looks whether the checkpoints of a lake say what its manifests
// say; it returns how many there are. whole has been opened with [OpenWhole].
func InspectCheckpoints(ctx context.Context, whole *Lake) (n int64, faults []Fault, err error) {
	refs, _, err := listCheckpoints(ctx, whole.Store)
	if err != nil {
		return 0, nil, fmt.Errorf("list the checkpoints of %s: %w", whole.Store, err)
	}
	for _, ref := range refs {
		n++
		data, err := ReadAll(ctx, whole.Store, ref.Key)
		if errors.Is(err, ErrNotFound) {
			continue // a newer one has taken its place
		}
		if err != nil {
			return n, faults, fmt.Errorf("read the log of %s: %w", whole.Store, err)
		}
		if found := whole.state.faultOf(ref, data); found != "" {
			faults = append(faults, Fault{ref.Key, found})
		}
	}
	return n, faults, nil
}

// faultOf says what is wrong with a checkpoint; "" is nothing, or another format.
func (s *State) faultOf(ref checkpointRef, data []byte) string {
	if sum := hash(data); sum != ref.sha256 {
		return fmt.Sprintf("has SHA-256 %s, not that of its name: it was changed", sum)
	}
	switch _, err := decodeCheckpoint(data); {
	case errors.Is(err, errOtherFormat):
		return ""
	case err != nil:
		return fmt.Sprintf("is no checkpoint: %v", err)
	case ref.run > s.Head:
		return fmt.Sprintf("is of run %d, but the newest is %d", ref.run, s.Head)
	}
	then := newState()
	for i, run := range s.tail[:ref.run] {
		hash := s.HeadHash
		if i+1 < len(s.tail) {
			hash = s.tail[i+1].Previous
		}
		if err := then.apply(run, hash); err != nil {
			return fmt.Sprintf("cannot be compared: %v", err)
		}
	}
	if again, err := then.encode(); err != nil || !bytes.Equal(again, data) {
		return "does not say what the manifests up to its run say"
	}
	return ""
}
