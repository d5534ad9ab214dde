package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
)

// PublishOptions say how to publish.
type PublishOptions struct {
	Full   bool // make every file anew, whatever is there and whichever log it is of
	DryRun bool // only look what there is to do
}

// A PublishReport says what a publish did, or would do.
type PublishReport struct {
	Place   string // of the copy
	Run     int64  // that the copy is of; 0: the lake has none
	Head    string // SHA-256 of its manifest
	Changed bool   // false: the copy was right, and nothing was touched

	// Files that were added, or would be: a dry run does not know which of those that it
	// counts as copied would be linked.
	Linked, Copied, Rewritten int64
	Removed                   int64
	Bytes                     int64 // of files that were copied or rewritten

	Files, Rows int64    // of the copy
	Strays      []string // what lies there and is not of our making, the first: it is left alone
	More        int64    // strays besides
}

// Publish makes the clean copy of the live tables in the place that the configuration
// names (SPEC section 11): of each table its live files under `TABLE/period=P/`,
// `TABLE/day=D/` or `TABLE/`, each with the table's columns and no others, and
// `_as_of.json`, which says what run the copy is of. The log knows nothing of it.
//
// What is there is compared with what the newest run has live, by names and sizes; a name
// tells the file of the lake that a file was made of, and with which columns. Where
// anything is to change, `_as_of.json` goes first and comes back last, when a listing has
// shown that nothing is missing and nothing too much: whoever finds the same `_as_of.json`
// before and after has read the files of one run. A crash leaves a copy without it, which
// the next publish puts right.
//
// Two publishes at once are harmless, also where one lags behind. What is live no longer
// never is again, nor is a name with fewer columns; and the place is listed before the
// log is read. So what a publish finds to be stale is so for every newer one, and none
// takes away what another has put there for a newer run. Before files are added, a publish
// looks whether the log has moved on, and then begins again with the newer run: of what
// it still adds for an older one there is no more than what was under way at that moment.
// The newer publish lists the place at its end and finds it; if it came later still, the
// one that lags finds the log moved on right after and takes it away. The last round
// looks at the log no more, so that a busy lake gets its copy all the same.
func (m *Mill) Publish(ctx context.Context, o PublishOptions) (report PublishReport, err error) {
	if m.Config.Publish.IsZero() {
		return report, ConfigError{errors.New("there is nowhere to publish: the configuration says `publish: never`")}
	}
	report.Place = m.Config.Publish.String()
	if _, err := m.Lake.Refresh(ctx); err != nil || m.Lake.State().Head == 0 {
		return report, err
	}
	p := &publisher{mill: m, options: o, report: &report, made: map[string]bool{}}
	if p.store, p.prefix, err = m.publishStore(ctx); err != nil {
		return report, err
	}
	defer func() {
		err = errors.Join(err, p.close())
		if err != nil && p.unsaid {
			err = UnsaidError{err}
		}
	}()
	for p.round = 1; p.round <= publishRounds; p.round++ {
		done, err := p.publish(ctx)
		if err != nil || done {
			return report, err
		}
	}
	return report, fmt.Errorf("%s changes while it is being written: is another lake's copy kept there, or does somebody delete files? look at it, and run `creditmill publish` again", report.Place)
}

// An UnsaidError is a publish that failed after it had begun to change the copy: that has
// no `_as_of.json` until a publish ends well.
type UnsaidError struct{ Err error }

func (e UnsaidError) Error() string { return e.Err.Error() }
func (e UnsaidError) Unwrap() error { return e.Err }

// publishRounds is how often a publish begins again with a newer run; the last round
// ends with the run it began with.
const publishRounds = 6

// A publisher is one publish.
type publisher struct {
	mill    *Mill
	options PublishOptions
	report  *PublishReport

	store  lake.Store
	prefix string // of all keys of the copy in the store
	desk   *desk  // nil: nothing had to be rewritten yet

	round   int
	head    int64           // the run that this round publishes
	columns []lake.Column   // dimensions and quantities of it
	made    map[string]bool // names that were made by this publish: right whatever Full says
	unsaid  bool            // `_as_of.json` is away
}

func (p *publisher) close() error {
	if p.desk == nil {
		return nil
	}
	return p.desk.close()
}

// publish is one round. It is done when the copy is right and says so.
func (p *publisher) publish(ctx context.Context) (done bool, err error) {
	there, err := p.list(ctx) // before the log is read
	if err != nil {
		return false, err
	}
	said, err := p.said(ctx) // likewise: the run that it names is one of the log then
	if err != nil {
		return false, err
	}
	if p.round < publishRounds || p.head == 0 {
		if _, err := p.mill.Lake.Refresh(ctx); err != nil {
			return false, err
		}
	}
	if err := p.claim(ctx, there); err != nil {
		return false, err
	}
	if p.round < publishRounds { // else the log was not read again
		if err := p.sameLog(ctx, said); err != nil {
			return false, err
		}
	}
	state := p.mill.Lake.State()
	p.head, p.columns = state.Head, slices.Clone(state.Columns)
	p.report.Run, p.report.Head = state.Head, state.HeadHash
	want := wantedFiles(state)
	plan := p.compare(there, want, said)
	p.report.strays(there)
	asOf, err := p.asOf(ctx, want, there)
	if err != nil {
		return false, err
	}
	if plan.isEmpty() && bytes.Equal(said.text, asOf) {
		p.report.count(want)
		return true, nil
	}
	p.report.Changed = true
	if p.options.DryRun {
		p.report.would(plan)
		p.report.count(want)
		return true, nil
	}
	if done, err := p.change(ctx, plan); err != nil || !done {
		return false, err
	}
	return p.settle(ctx, want)
}

// change removes `_as_of.json`, adds what is missing and then removes what is stale; not
// done where the log has moved on.
func (p *publisher) change(ctx context.Context, plan publishPlan) (done bool, err error) {
	p.unsaid = true
	if err := p.unsay(ctx); err != nil {
		return false, err
	}
	if done, err := p.add(ctx, plan.add); err != nil || !done {
		return false, err
	}
	return true, p.remove(ctx, plan.remove)
}

// settle lists what there is now and, where it is what is wanted, says so.
func (p *publisher) settle(ctx context.Context, want []wantedFile) (done bool, err error) {
	there, err := p.list(ctx)
	if err != nil {
		return false, err
	}
	if !p.compare(there, want, said{}).isEmpty() {
		return false, nil // another publish, or somebody, is at work
	}
	asOf, err := p.asOf(ctx, want, there)
	if err != nil {
		return false, err
	}
	if moved, err := p.moved(ctx); err != nil || moved {
		return false, err
	}
	if done, err := p.say(ctx, asOf); err != nil || !done {
		return false, err
	}
	p.unsaid = false
	if err := p.temporaries(ctx); err != nil {
		return false, err
	}
	p.report.count(want)
	moved, err := p.moved(ctx)
	return !moved, err
}

// moved reports whether the log has moved on since the round began.
func (p *publisher) moved(ctx context.Context) (bool, error) {
	if p.round == publishRounds {
		return false, nil
	}
	_, err := p.mill.Lake.Refresh(ctx)
	return p.mill.Lake.State().Head != p.head, err
}

// mayChange is asked before anything is added: whether the log stands where it stood. An
// `_as_of.json` that another publish has written meanwhile goes.
func (p *publisher) mayChange(ctx context.Context) (bool, error) {
	if moved, err := p.moved(ctx); err != nil || moved {
		return false, err
	}
	return true, p.unsay(ctx)
}

// count tells what the copy has.
func (r *PublishReport) count(want []wantedFile) {
	r.Files, r.Rows = int64(len(want)), 0
	for _, w := range want {
		r.Rows += w.file.Rows
	}
}

// would tells what there is to do.
func (r *PublishReport) would(plan publishPlan) {
	r.Removed = int64(len(plan.remove))
	for _, w := range plan.add {
		if w.rewrite {
			r.Rewritten++
		} else {
			r.Copied++
		}
	}
}

// strays notes what is not of our making.
func (r *PublishReport) strays(there publishListing) {
	r.Strays = there.strays[:min(len(there.strays), listedStrays)]
	r.More = int64(len(there.strays) - len(r.Strays))
}
