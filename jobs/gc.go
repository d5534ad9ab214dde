package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
)

// GCOptions say whether a gc deletes.
type GCOptions struct {
	Delete bool // else it only says what it would delete
	Most   int  // paths that one run condemns; 0: as many as a manifest holds with ease
}

// A GCReport is what a gc deleted, or would delete.
type GCReport struct {
	Run     *lake.Run // the newest that was committed; nil: none
	Deleted bool      // false: a dry run
	Groups  []GCGroup // by place, then reason
	Raws    GCRaws
	Strays  []string // keys that are not of the lake's making, the first: they are left alone
	More    int64    // strays besides
}

// A GCGroup is objects of one table, or folder, that go for one reason.
type GCGroup struct {
	Place  string // a table; or checkpoints, failures, temporary
	Reason GCReason
	Files  int64
	Bytes  int64
}

// A GCReason is why an object goes.
type GCReason string

// Why objects go.
const (
	GCReplaced  GCReason = "replaced"  // by a run, longer ago than retention.superseded
	GCUnnamed   GCReason = "unnamed"   // by any run: the one that was to name it is gone
	GCCondemned GCReason = "condemned" // by an earlier run, which did not come to delete it
	GCSpare     GCReason = "spare"     // there are newer ones of its kind, or nobody looks at it any more
)

// GCRaws are rejects whose text is dropped, for it is older than retention.rejected.
type GCRaws struct {
	Files int64
	Rows  int64
}

// settles is how long everything stays that is no part of the lake, whatever
// retention says: a command at work reads what was live when it began, and what it
// uploads is named by a run only at its end.
const settles = 24 * time.Hour

// listedStrays is how many strays a report names.
const listedStrays = 20

// GC deletes what no live or retained run names (SPEC section 9), and only that:
// files that were replaced longer ago than retention.superseded, but for those that
// documents are made of; files that no run names; and what is left over of
// checkpoints and failures. Old rejects lose their text.
//
// What goes is condemned first: a committed run lists it. A run at work that has
// uploaded a file meanwhile loses its number to that run, finds its file condemned
// and is worked out again; and where it was committed first, gc takes the file off
// its list. So nothing that is live is ever deleted, whatever the clocks say. What a
// crash leaves condemned and not deleted, the next gc deletes.
//
// What a store refuses to delete is an error at the end; the others are deleted.
func (m *Mill) GC(ctx context.Context, o GCOptions) (report GCReport, err error) {
	report.Deleted = o.Delete
	if o.Most == 0 {
		o.Most = gcPaths
	}
	if _, err := m.Lake.Refresh(ctx); err != nil || m.Lake.State().Head == 0 {
		return report, err // what lies in a lake without runs may be that of its first
	}
	if err := m.dropRaws(ctx, o, &report); err != nil {
		return report, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	g := &collector{desk: d, options: o, report: &report, read: m.Lake.State().Head, taken: map[string]bool{}}
	g.checked = g.read
	for _, step := range []func(context.Context) error{g.find, g.sweep, g.checkpoints, g.failures, g.temporaries} {
		if err := step(ctx); err != nil {
			return report, err
		}
	}
	slices.SortFunc(report.Groups, func(a, b GCGroup) int {
		return strings.Compare(a.Place+" "+string(a.Reason), b.Place+" "+string(b.Reason))
	})
	return report, g.refused()
}

// A collector is one gc.
type collector struct {
	*desk

	options GCOptions
	report  *GCReport
	read    int64           // the run up to which the log was compared with what there is
	checked int64           // the newest run whose files are in taken
	taken   map[string]bool // paths that runs after read have named or condemned

	faults []error // of deletes, the first
	failed int64
}

// An oddment is an object that goes.
type oddment struct {
	path, place string
	reason      GCReason
	bytes       int64
}

// count adds an object to the report.
func (r *GCReport) count(o oddment) {
	i := slices.IndexFunc(r.Groups, func(g GCGroup) bool { return g.Place == o.place && g.Reason == o.reason })
	if i < 0 {
		i = len(r.Groups)
		r.Groups = append(r.Groups, GCGroup{Place: o.place, Reason: o.reason})
	}
	r.Groups[i].Files++
	r.Groups[i].Bytes += o.bytes
}

// stray notes an object that is left alone.
func (r *GCReport) stray(key string) {
	if len(r.Strays) == listedStrays {
		r.More++
		return
	}
	r.Strays = append(r.Strays, key)
}

// Files is how many objects of all groups go.
func (r *GCReport) Files() (n int64) {
	for _, g := range r.Groups {
		n += g.Files
	}
	return n
}

// Bytes are those of all groups.
func (r *GCReport) Bytes() (n int64) {
	for _, g := range r.Groups {
		n += g.Bytes
	}
	return n
}

// refused is the error of what could not be deleted.
func (g *collector) refused() error {
	if g.failed == 0 {
		return nil
	}
	texts := make([]string, len(g.faults))
	for i, fault := range g.faults {
		texts[i] = fault.Error()
	}
	if more := g.failed - int64(len(texts)); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("the store refused to delete %d objects: see that it may be written to; the next gc deletes them: %w",
		g.failed, errors.New(strings.Join(texts, "; ")))
}
