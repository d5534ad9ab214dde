package lake

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
)

// A State is what is live after a run: the fold of the log up to it. What a later
// step asks of earlier runs is part of the fold, so that a log of any length opens
// from a checkpoint; other manifests are read when they are asked for, see [Lake.Run].
type State struct {
	Head     int64  // the newest run; 0: none
	HeadHash string // SHA-256 of its manifest

	Founding *Founding // nil before the first run
	Columns  []Column  // dimensions and quantities in the order of first use
	Unread   []Unread
	Newest   map[string]time.Time // newest event time by source
	Listed   time.Time            // Now of the newest run that listed all raw objects

	RatedThrough int64              // the newest run whose usage has been rated
	Rejects      map[string]int64   // by reason, since they were last accepted
	Accepted     int64              // the newest run that accepted every reject so far
	files        map[string]File    // live, by path
	versions     map[string]usedRef // price table, plan and pack versions used
	configs      map[string]bool    // SHA-256 of the configuration files that are kept
	closes       []Closing          // cut or closed, oldest first
	milestones   []*Run             // cuts, closes and re-rates, oldest first
	applied      *Applied           // the newest apply
	retained     []RetainedFile     // in the order in which they were replaced
	rewritten    map[string]File    // by the path that it stands in for

	base    int64           // the run of the checkpoint that this process began from; 0: none
	tail    []*Run          // the runs after base, oldest first
	deleted map[string]bool // paths that runs of the tail have condemned
}

// Applied is a provisional burn-down of an open period.
type Applied struct {
	Run    int64         `json:"run"`
	Period period.Period `json:"period"`
	Now    time.Time     `json:"now"`
}

// A RetainedFile is live no longer, but documents that closes and re-rates have
// issued are made of it: account events as they were known then.
type RetainedFile struct {
	File

	Replaced int64 // the run that replaced it
}

type usedRef struct {
	ref VersionRef
	run int64
}

// A Closing is how far the close of a period has come.
type Closing struct {
	Period   period.Period `json:"period"`
	CutRun   int64         `json:"cut_run"`
	CloseRun int64         `json:"close_run"` // 0: cut, not yet closed
}

func newState() *State {
	return &State{
		Newest: map[string]time.Time{}, Rejects: map[string]int64{}, files: map[string]File{}, versions: map[string]usedRef{}, configs: map[string]bool{},
		rewritten: map[string]File{}, deleted: map[string]bool{},
	}
}

// apply folds the next run in. The log is written by commits that checked the
// state before them; what does not fit is damage, and an error.
func (s *State) apply(run *Run, manifestHash string) error {
	if run.Number != s.Head+1 || run.Previous != s.HeadHash {
		return fmt.Errorf("run %d does not follow run %d: the log's chain is broken", run.Number, s.Head)
	}
	if err := s.replaces(run); err != nil {
		return err
	}
	for _, path := range run.Replaced {
		s.retain(s.files[path], run.Number)
		delete(s.files, path)
	}
	for _, file := range run.Files {
		s.files[file.Path] = file
	}
	for _, r := range run.Rewritten {
		s.rewritten[r.Path] = r.File
	}
	for _, path := range run.Deleted {
		s.deleted[path] = true
	}
	for _, v := range run.Versions {
		key := versionKey(v)
		if _, used := s.versions[key]; !used {
			s.versions[key] = usedRef{v, run.Number}
		}
	}
	for _, config := range run.Configs {
		s.configs[config.SHA256] = true
	}
	if run.Founding != nil {
		s.Founding = run.Founding
	}
	if run.FullListing {
		s.Listed = run.Now
	}
	s.Columns = append(s.Columns, run.Columns...)
	if run.Unread != nil {
		s.Unread = *run.Unread
	}
	for _, newest := range run.Newest {
		if newest.Time.After(s.Newest[newest.Source]) {
			s.Newest[newest.Source] = newest.Time
		}
	}
	for reason, n := range run.Totals.Rejects {
		s.Rejects[reason] += n
	}
	for _, blockless := range []map[string]int64{run.Totals.Superseded, run.Totals.Accepted} {
		for reason, n := range blockless {
			s.Rejects[reason] -= n
		}
	}
	switch run.Kind {
	case Rate:
		s.RatedThrough = run.Read
	case Cut:
		s.closes = append(s.closes, Closing{Period: run.Period, CutRun: run.Number})
		if run.AcceptedRejects {
			clear(s.Rejects)
			s.Accepted = run.Number
		}
	case Close:
		s.closes[len(s.closes)-1].CloseRun = run.Number
	case Apply:
		s.applied = &Applied{run.Number, run.Period, run.Now}
	}
	if run.Kind == Cut || run.Kind == Close || run.Kind == Rerate {
		s.milestones = append(s.milestones, run)
	}
	s.Head, s.HeadHash = run.Number, manifestHash
	s.tail = append(s.tail, run)
	return nil
}

// retain keeps note of a file that a run replaces where a close or re-rate has
// issued documents while it was live.
func (s *State) retain(file File, by int64) {
	issued := slices.ContainsFunc(s.milestones, func(run *Run) bool { return run.Kind != Cut && run.Number >= file.Run })
	if file.Table == AccountEvents.Name && issued {
		s.retained = append(s.retained, RetainedFile{file, by})
	}
}

// Since returns the runs after run n, oldest first. n is at least the run of the
// checkpoint that this process opened the lake from: what was read before, is read
// again with [Lake.Runs].
func (s *State) Since(n int64) []*Run { return s.tail[n-s.base:] }

// Milestones are every cut, close and re-rate, oldest first.
func (s *State) Milestones() []*Run { return s.milestones }

// Milestone is the cut, close or re-rate of that number; nil where run n is none.
func (s *State) Milestone(n int64) *Run {
	i, found := slices.BinarySearchFunc(s.milestones, n, func(run *Run, n int64) int { return cmp.Compare(run.Number, n) })
	if !found {
		return nil
	}
	return s.milestones[i]
}

// Applied is the newest provisional burn-down of a period; nil where there is none.
func (s *State) Applied(p period.Period) *Applied {
	if s.applied == nil || s.applied.Period != p {
		return nil
	}
	return s.applied
}

// Retained are the files that are live no longer and stay for documents, in the
// order in which they were replaced.
func (s *State) Retained() []RetainedFile {
	retained := slices.Clone(s.retained)
	for i := range retained {
		retained[i].File = s.Standing(retained[i].File)
	}
	return retained
}

// Standing is what stands in for a file that is live no longer: a forget may have
// written its rows anew.
func (s *State) Standing(file File) File {
	for {
		other, rewritten := s.rewritten[file.Path]
		if !rewritten {
			return file
		}
		other.Run = file.Run
		file = other
	}
}

// Deleted reports whether a run that this process has read condemned a path: the file
// is gone, or goes at any moment.
func (s *State) Deleted(path string) bool { return s.deleted[path] }

// replaces is nil where a run replaces live files alone, each once: a log with any
// other run could not be read again.
func (s *State) replaces(run *Run) error {
	seen := map[string]bool{}
	for _, path := range run.Replaced {
		if _, live := s.files[path]; !live || seen[path] {
			return fmt.Errorf("run %d replaces %s, which is not live", run.Number, path)
		}
		seen[path] = true
	}
	return nil
}

func versionKey(v VersionRef) string { return fmt.Sprintf("%s\x00%s\x00%d", v.Kind, v.Name, v.Version) }

// Used returns the content hash that a version had when a run first used it, and
// that run; "" when none has.
func (s *State) Used(v VersionRef) (sha256 string, run int64) {
	used := s.versions[versionKey(v)]
	return used.ref.SHA256, used.run
}

// Files returns the live files of a table, by partition, then run, then path.
func (s *State) Files(table Table) []File {
	var files []File
	for _, file := range s.files {
		if file.Table == table.Name {
			files = append(files, file)
		}
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Run, b.Run), cmp.Compare(a.Path, b.Path))
	})
	return files
}

// TimeRange is from the first to the last instant that rows of live files have; zero
// where none has any.
func (s *State) TimeRange() (first, last time.Time) {
	for _, file := range s.files {
		if file.MinTime != nil && (first.IsZero() || file.MinTime.Before(first)) {
			first = *file.MinTime
		}
		if file.MaxTime != nil && file.MaxTime.After(last) {
			last = *file.MaxTime
		}
	}
	return first, last
}

// Partition returns the live files of one partition of a table.
func (s *State) Partition(table Table, partition string) []File {
	return slices.DeleteFunc(s.Files(table), func(f File) bool { return f.Partition != partition })
}

// Closings returns the periods whose close has begun, oldest first.
func (s *State) Closings() []Closing { return slices.Clone(s.closes) }

// Open is the first period that is not closed, and whether it is cut already.
// first is the configuration's, for a lake without runs.
func (s *State) Open(first period.Period) (open period.Period, cut bool) {
	if len(s.closes) == 0 {
		return first, false
	}
	last := s.closes[len(s.closes)-1]
	if last.CloseRun == 0 {
		return last.Period, true
	}
	return last.Period.Next(), false
}

// PostingPeriod is the first period that was not cut when run committed: what
// the run brought of earlier periods posts there (SPEC section 8). Use Head+1
// for a run about to be committed.
func (s *State) PostingPeriod(run int64, first period.Period) period.Period {
	for _, c := range slices.Backward(s.closes) {
		if c.CutRun < run {
			return c.Period.Next()
		}
	}
	return first
}

// Closed returns the closing of a period, or false.
func (s *State) Closed(p period.Period) (Closing, bool) {
	for _, c := range s.closes {
		if c.Period == p && c.CloseRun != 0 {
			return c, true
		}
	}
	return Closing{}, false
}

// BlockingRejects is the number of rejects that nobody has accepted, by reason;
// duplicates and voided calls block nothing (SPEC section 14, 34).
func (s *State) BlockingRejects() map[string]int64 {
	blocking := maps.Clone(s.Rejects)
	delete(blocking, "duplicate")
	delete(blocking, "voided")
	maps.DeleteFunc(blocking, func(_ string, n int64) bool { return n == 0 })
	return blocking
}

// PendingVoids is how many voided calls wait for a re-rate.
func (s *State) PendingVoids() (n int64) {
	for _, file := range s.Files(Voided) {
		n += file.Pending()
	}
	return n
}

// Scan returns a scan over files of table; paths are where they can be read, see
// [Lake.Paths]. Dynamic tables read with all of the lake's columns.
func (s *State) Scan(table Table, files []File, paths []string) duck.Scan {
	scan := duck.Scan{Columns: table.Schema(s.Columns)}
	for i, file := range files {
		scan.Add(paths[i], file.Columns)
	}
	return scan
}
