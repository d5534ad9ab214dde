package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/creditmill/creditmill/internal/lake"
)

// ForgetOptions say whom to forget, and why.
type ForgetOptions struct {
	Account string // its name, or
	Key     string // that of a key
	Reason  string // stays in the run's manifest, so it must not name the person
	DryRun  bool   // only say what there is

	Random io.Reader // of the pseudonym
}

// A ForgetReport says what a forget did, or would do.
type ForgetReport struct {
	Run       *lake.Run // nil: a dry run, or there was only left to delete what an earlier one had condemned
	Column    string    // account or key
	Pseudonym string    // empty in a dry run
	Tables    []ForgottenTable
	Documents int64 // whose customer is kept as they print it

	Published int64 // the run of which the published copy, where there is one, has become: it has the pseudonym

	Deleted  int64 // files with the person's rows that were deleted, or would be
	Finished int64 // of an earlier forget, which did not come to delete them

	Left    []StillNamed // what names the person still, and cannot be changed
	Objects []string     // keys of raw objects that do, the first
	More    int64        // of those besides
}

// A ForgottenTable is a table of the lake with rows of the person.
type ForgottenTable struct {
	Table string
	Rows  int64 // live ones
	Files int64 // in which they are
	Kept  int64 // files besides, live no longer, that issued documents are made of
}

// StillNamed is a place where the person's name stays.
type StillNamed struct {
	Where string // a column such as usage.event_id, or an object of the lake
	Count int64  // of rows, or of objects
}

// ErrUnfinished is the refusal of a forget while something of the person is under way.
var ErrUnfinished = errors.New("something is unfinished")

// Forget erases a person (SPEC section 9): an account, or a key. In every row a
// pseudonym takes the place of the name, what was known of the person goes, and so does
// the raw text of rejects that mention it. Issued documents stay as they are: what they
// print of their customer moves to the table kept_parties. Files that had the person's
// rows, also those that were replaced long ago, are condemned by the same run and
// deleted; where a crash comes between, the next Forget or GC deletes them. A published
// copy is brought up to date before that: where this fails, the error says that it has the
// name still, and the next Forget, or Publish, tries again: such a Forget ends well, without
// a run, although no row has the name any more.
//
// The pseudonym is random, and neither it nor anything else in the log tells the name.
// A name that no row has is a [ConfigError].
func (m *Mill) Forget(ctx context.Context, o ForgetOptions) (report ForgetReport, err error) {
	p, err := o.person()
	if err != nil {
		return report, err
	}
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return report, err
	}
	finished, err := m.finishForgetting(ctx, o.DryRun)
	if err != nil {
		return report, err
	}
	run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
		report = ForgetReport{Column: p.column}
		f := &forgetting{desk: d, person: p, options: o, report: &report}
		return f.draft(ctx)
	})
	report.Run, report.Finished = run, finished
	if errors.Is(err, errUnknownPerson) && !o.DryRun {
		// The run before may have made the person nameless, and come no further.
		behind, copied := m.publishedBeforeForget(ctx)
		if behind {
			report.Published, copied = m.forgetPublished(ctx)
		}
		if copied != nil || behind || finished > 0 {
			return report, copied
		}
	}
	if err != nil || run == nil {
		return report, err
	}
	report.Pseudonym = p.pseudonym
	report.Published, err = m.forgetPublished(ctx)
	return report, errors.Join(err, m.deleteCondemned(ctx, run.Deleted))
}

// forgetPublished takes a name out of the published copy, where there is one, and returns
// the run that it is of then.
func (m *Mill) forgetPublished(ctx context.Context) (run int64, err error) {
	_, there, err := m.publishedCopy(ctx)
	if err == nil && !there {
		return 0, nil
	}
	var report PublishReport
	if err == nil {
		report, err = m.Publish(ctx, PublishOptions{})
	}
	if refused := new(ConfigError); errors.As(err, refused) {
		err = refused.Err // something was changed: the run stands
	}
	if err != nil {
		return 0, fmt.Errorf("the rows of the lake have a pseudonym, but the published copy in %s may have the name still: run the same command again, or `creditmill publish`: %w", m.Config.Publish, err)
	}
	return report.Run, nil
}

// publishedBeforeForget reports whether there is a published copy that may have a name
// which the lake has forgotten.
func (m *Mill) publishedBeforeForget(ctx context.Context) (before bool, err error) {
	copied, err := m.publishedStatus(ctx)
	if err != nil || copied == nil {
		return false, err
	}
	err = m.eachRun(ctx, copied.Run+1, m.Lake.State().Head, func(run *lake.Run) error {
		before = before || run.Kind == lake.Forget
		return nil
	})
	return before, err
}

var errUnknownPerson = errors.New("the lake has no rows of this name")

// person checks the options.
func (o ForgetOptions) person() (p person, err error) {
	column, name := columnAccount, o.Account
	if name == "" {
		column, name = columnKey, o.Key
	}
	reason := strings.TrimSpace(o.Reason)
	switch {
	case (o.Account == "") == (o.Key == ""):
		err = errors.New("forget takes either an account or a key")
	case !o.DryRun && (reason == "" || !utf8.ValidString(reason)):
		err = errors.New("a forget needs a reason: it stays in the log")
	case pseudonymPattern.MatchString(name):
		err = fmt.Errorf("%s is a pseudonym: whom it stands for is forgotten already", name)
	}
	if err != nil {
		return p, ConfigError{err}
	}
	if p, err = newPerson(column, name, o.Random); err == nil && p.mentions(reason) {
		err = ConfigError{errors.New("the reason names whom to forget, and it stays in the log: give one that does not")}
	}
	return p, err
}

// A forgetting is one attempt at a forget.
type forgetting struct {
	*desk
	person

	options ForgetOptions
	report  *ForgetReport
	state   *lake.State

	rewrites  []rewriting
	condemned []string // paths of files that have rows of the person and go
}

// draft works the run out; a dry run is worked out and not drafted.
func (f *forgetting) draft(ctx context.Context) (*draft, error) {
	parties, err := f.parties(ctx) // first: it looks at the log again
	if err != nil {
		return nil, err
	}
	f.state = f.mill.Lake.State()
	if err := f.findRows(ctx); err != nil {
		return nil, err
	}
	if err := f.finishedBusiness(ctx); err != nil {
		return nil, err
	}
	if err := f.samePrices(); err != nil {
		return nil, err
	}
	if err := f.payloads(ctx); err != nil {
		return nil, err
	}
	if err := f.stillNamed(ctx); err != nil {
		return nil, err
	}
	f.report.Deleted = int64(len(f.condemned))
	if f.options.DryRun {
		return nil, nil
	}
	out := &draft{run: lake.Run{
		Kind: lake.Forget, Read: f.state.Head, Reason: strings.TrimSpace(f.options.Reason), Deleted: f.condemned,
		Forgotten: []lake.Forgotten{{Column: f.column, Pseudonym: f.pseudonym}},
		Totals:    lake.Totals{Invoices: f.report.Documents},
	}}
	tell := f.mill.progress("files")
	for i := range f.rewrites {
		if err := f.rewrite(ctx, i, out); err != nil {
			return nil, err
		}
		if tell != nil {
			tell(int64(i+1), int64(len(f.rewrites)))
		}
	}
	if parties.Rows > 0 {
		out.outputs = append(out.outputs, parties)
	}
	out.settle = f.settle
	return out, nil
}

// settle tells the files that became live from those that stand in for files which are
// live no longer. Whoever asks for a file of an earlier run finds what stands in for it.
func (f *forgetting) settle(run *lake.Run) {
	written := run.Files
	run.Files, run.Rewritten = nil, nil
	for i, r := range f.rewrites {
		if r.live {
			run.Files = append(run.Files, written[i])
		}
		if asksForEarlier(r.table) {
			run.Rewritten = append(run.Rewritten, lake.Rewrite{Path: r.old.Path, File: written[i]})
		}
	}
	run.Files = append(run.Files, written[len(f.rewrites):]...)
}

// asksForEarlier reports whether documents or a verification are made of a table's files
// as they were after an earlier run.
func asksForEarlier(table lake.Table) bool {
	return slices.ContainsFunc([]lake.Table{lake.AccountEvents, lake.Rated, lake.Statements, lake.Balances}, func(t lake.Table) bool { return t.Name == table.Name })
}

// finishedBusiness refuses where a close or a void of the person is under way.
func (f *forgetting) finishedBusiness(ctx context.Context) error {
	if open, cut := f.state.Open(f.mill.Config.FirstPeriod); cut {
		return fmt.Errorf("%w: %s is cut and not closed: finish it with `creditmill close`", ErrUnfinished, open)
	}
	pending, first, err := f.pendingVoids(ctx)
	if err != nil || pending == 0 {
		return err
	}
	return fmt.Errorf("%w: %d voided calls of this %s wait for a re-rate, which reads their raw text: run `creditmill rerate --from %s --commit` first",
		ErrUnfinished, pending, f.column, f.mill.Calendar.Of(first))
}

// pendingVoids are the voided calls of the person that wait for a re-rate.
func (f *forgetting) pendingVoids(ctx context.Context) (n int64, first time.Time, err error) {
	files := slices.DeleteFunc(f.state.Files(lake.Voided), func(file lake.File) bool { return file.Pending() == 0 })
	if len(files) == 0 {
		return 0, first, nil
	}
	if err := f.view(ctx, "forget_voided", lake.Voided, files); err != nil {
		return 0, first, err
	}
	var at *time.Time // of none where there are none
	err = f.session.Row(ctx, f.expand("duckdb/forget_pending", nil)).Scan(&n, &at)
	if at != nil {
		first = *at
	}
	return n, first, err
}
