package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// VerifyOptions say how much of a lake to verify.
type VerifyOptions struct {
	Quick  bool          // the log and the stored bytes alone
	Period period.Period // calls and burn-down of this period alone; zero: of all
	Head   string        // SHA-256 that a close printed: some manifest must have it; empty: not asked
}

// A VerifyReport is what a verification found.
type VerifyReport struct {
	Lake   string
	Runs   int64
	Head   string   // SHA-256 of the newest manifest
	Checks []Check  // in the order they were made
	Strays []string // objects that no run names: harmless, and cleared away by gc
}

// A Check is one thing that was verified.
type Check struct {
	What    string
	Count   int64  // how many things were looked at
	Unit    string // such as "file"
	Faults  []Fault
	More    int64  // faults besides
	Skipped string // why it was not, or not wholly, looked at; empty: it was
}

// A Fault is one thing that is not as it should be.
type Fault struct {
	Where string // file and run, period, table, row
	Found string
	Next  string // what to do
}

// Faults is how many faults a report has.
func (r *VerifyReport) Faults() (n int64) {
	for _, c := range r.Checks {
		n += int64(len(c.Faults)) + c.More
	}
	return n
}

// maxFaults is how many faults of a check are told.
const maxFaults = 20

func (c *Check) fault(where, next, found string, args ...any) {
	if len(c.Faults) == maxFaults {
		c.More++
		return
	}
	c.Faults = append(c.Faults, Fault{where, fmt.Sprintf(found, args...), next})
}

// What to do about faults.
const (
	nextRestore = "restore the object from a backup or an older version of it; `creditmill verify --quick` tells when it is right"
	nextLog     = "restore the manifest from a backup or an older version of it: until then nothing that the lake says can be relied on"
	nextRows    = "the files are as their runs wrote them, so the program that wrote them or this one is at fault: keep the lake as it is and report this, with the versions that `creditmill runs --json` names"
)

// A verifier is one verification.
type verifier struct {
	*desk

	options VerifyOptions
	report  *VerifyReport
	setups  map[string]*Setup // of runs, by the hashes of their configuration files
	named   []namedFile       // all files that runs have named
	gone    map[string]bool   // paths of files that are not live and not there any more
}

// verifyOnce is [Verify] of the lake as it is when it begins.
func verifyOnce(ctx context.Context, setup *Setup, o Options, v VerifyOptions) (report VerifyReport, err error) {
	stores := newStores(setup.Config)
	store, err := stores.at(ctx, setup.Config.Lake)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, stores.close()) }()
	if o.Wrap != nil {
		store = o.Wrap(store)
	}
	log, err := lake.InspectLog(ctx, store)
	if err != nil {
		return report, err
	}
	if log.Runs == 0 && len(log.Faults) == 0 {
		return report, fmt.Errorf("the lake %s has no runs: is it the right place, and mounted?", store)
	}
	report = VerifyReport{Lake: store.String(), Runs: log.Runs, Strays: log.Strays}
	if log.Runs > 0 {
		report.Head = log.Hashes[log.Runs-1]
	}
	report.Checks = append(report.Checks, logCheck(log, v.Head))
	if len(log.Faults) > 0 {
		report.Checks = append(report.Checks, Check{What: "stored files", Unit: "file", Skipped: "the log is damaged, and it alone says what there should be"})
		return report, nil
	}
	m, err := openAsIs(ctx, setup, o)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, m.Release()) }()
	if m.Lake, err = lake.OpenWhole(ctx, m.Lake.Store); err != nil { // of the log alone
		return report, err
	}
	if open, _ := m.Lake.State().Open(m.Config.FirstPeriod); !v.Period.IsZero() && (v.Period.Before(m.Config.FirstPeriod) || open.Before(v.Period)) {
		return report, ConfigError{fmt.Errorf("%s is no period of the lake: it has %s", v.Period, span(m.Config.FirstPeriod, open))}
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	err = (&verifier{desk: d, options: v, report: &report, setups: map[string]*Setup{}, gone: map[string]bool{}}).all(ctx)
	return report, err
}

// logCheck is what was found about the log; head is a hash that some manifest must have.
func logCheck(log *lake.Log, head string) Check {
	check := Check{What: "the log and its chain", Count: log.Runs, Unit: "manifest"}
	for _, f := range log.Faults {
		check.fault(f.Key, nextLog, "%s", f.Found)
	}
	if head = strings.ToLower(strings.TrimSpace(head)); head != "" && !slices.Contains(log.Hashes, head) {
		check.fault("runs/", nextLog, "no manifest has the SHA-256 %s: the log is not the one that was closed, or its end is missing or was changed", head)
	}
	return check
}

// all makes every check that the options ask for.
func (v *verifier) all(ctx context.Context) error {
	for _, step := range []func(context.Context) error{v.checkpoints, v.configFiles, v.storedFiles, v.strays} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if v.options.Quick {
		return nil
	}
	if v.report.Faults() > 0 {
		v.report.Checks = append(v.report.Checks, Check{What: "calls, burn-down and identities", Unit: "period", Skipped: "what is stored is damaged: they are looked at once that is restored"})
		return nil
	}
	for _, step := range []func(context.Context) error{v.objects, v.calls, v.uniqueCalls, v.prices, v.burnDowns, v.identities} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// note adds a check to the report.
func (v *verifier) note(check *Check) { v.report.Checks = append(v.report.Checks, *check) }

// as is the desk of a mill that works with the configuration that a run recorded,
// at the run's now. A configuration that cannot be read any more is an error.
func (v *verifier) as(ctx context.Context, run *lake.Run) (*desk, error) {
	m, err := v.mill.asOf(ctx, run, v.setups)
	if err != nil {
		return nil, err
	}
	d := *v.desk
	d.mill = m
	return &d, nil
}

// asOf is m with the configuration that a run recorded, at the run's now; it keeps its
// places of lake and scratch and its memory. setups are those read before.
func (m *Mill) asOf(ctx context.Context, run *lake.Run, setups map[string]*Setup) (*Mill, error) {
	var key strings.Builder
	for _, ref := range run.Configs {
		fmt.Fprintf(&key, "%s %s\n", ref.SHA256, ref.Name)
	}
	setup := setups[key.String()]
	if setup == nil {
		var files []config.File
		for _, ref := range run.Configs {
			content, err := lake.ReadAll(ctx, m.Lake.Store, "configs/"+ref.SHA256)
			if err != nil {
				return nil, fmt.Errorf("configuration of run %d: %w", run.Number, err)
			}
			files = append(files, config.RecordedFile(fmt.Sprintf("%s (run %d)", ref.Name, run.Number), ref.Name, content))
		}
		c, problems := config.Recorded(m.Config.Folder, files)
		var err error
		if setup, err = newSetup(c, problems); err != nil {
			return nil, fmt.Errorf("the configuration of run %d cannot be read by this version of the program: %w", run.Number, err)
		}
		c.Lake, c.Scratch, c.Memory, c.Publish = m.Config.Lake, m.Config.Scratch, m.Config.Memory, config.Location{} // nothing is published of the past
		setups[key.String()] = setup
	}
	then := *m
	then.Config, then.Calendar, then.Sources, then.Prices, then.Catalog = setup.Config, setup.Config.Calendar, setup.Sources, setup.Prices, setup.Catalog
	then.options.Now = at(run.Now)
	return &then, nil
}
