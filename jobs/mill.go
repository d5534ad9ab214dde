// Package jobs runs each step of creditmill as a job on the lake, and is the only
// package that commits runs.
//
// Every job looks at the lake to know what to do, works it out at a desk of its
// own (a DuckDB session and a scratch folder), and commits one run, or nothing when
// there is nothing to say. So a job may be run at any time, any number of times, by
// any number of processes: what a crash leaves behind is scratch, and files that no
// run names. SPEC sections 7, 9 and 10 are the authority.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/catalog"
	"github.com/creditmill/creditmill/rate/price"
)

// A ConfigError is a failure that the user's configuration or command line causes:
// exit code 2.
type ConfigError struct{ Err error }

func (e ConfigError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e ConfigError) Unwrap() error { return e.Err }

// Options are what a Mill needs besides its configuration.
type Options struct {
	Now          func() time.Time // the clock of runs
	MachineClock bool             // Now is the machine's own clock, which may be wrong: see clockBlocks
	Log          *slog.Logger
	Tool         string                                // version of creditmill, for manifests
	Progress     func(stage string, done, total int64) // may be nil

	Wrap func(lake.Store) lake.Store // stands before the lake's store, to count or to fail; may be nil
}

// A Mill is one configuration at work on its lake. It is not safe for concurrent use.
type Mill struct {
	Config   *config.Config
	Calendar period.Calendar
	Sources  []*source.Source
	Prices   *price.Book
	Catalog  *catalog.Catalog
	Lake     *lake.Lake
	Log      *slog.Logger

	options Options
	stores  *stores
	duckDB  string // version, for manifests
}

// Now is the clock of the runs that m makes, to the microsecond, in UTC.
func (m *Mill) Now() time.Time { return m.options.Now().UTC().Truncate(time.Microsecond) }

func (m *Mill) progress(stage string) func(done, total int64) {
	if m.options.Progress == nil {
		return nil
	}
	return func(done, total int64) { m.options.Progress(stage, done, total) }
}

// Open opens the lake that a checked configuration names. What the lake's first
// run fixed, and every version that a run has used, must be as it was. Release
// the Mill when it is no longer needed.
func Open(ctx context.Context, setup *Setup, o Options) (*Mill, error) {
	m, err := openAsIs(ctx, setup, o)
	if err != nil {
		return nil, err
	}
	if err := m.checkFixed(); err != nil {
		return nil, errors.Join(err, m.Release())
	}
	return m, nil
}

// openAsIs is Open for whoever does not work by the configuration's prices and plans:
// it may contradict what runs have used.
func openAsIs(ctx context.Context, setup *Setup, o Options) (_ *Mill, err error) {
	m := &Mill{
		Config: setup.Config, Calendar: setup.Config.Calendar, Sources: setup.Sources, Prices: setup.Prices, Catalog: setup.Catalog,
		Log: o.Log, options: o, stores: newStores(setup.Config),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Release())
		}
	}()
	store, err := m.stores.at(ctx, setup.Config.Lake)
	if err != nil {
		return nil, err
	}
	if o.Wrap != nil {
		store = o.Wrap(store)
	}
	m.Lake, err = lake.Open(ctx, store, o.Log)
	return m, err
}

// Release removes what was fetched from object storage. A process that ends without
// it leaves that to the next one.
func (m *Mill) Release() error { return m.stores.close() }

// checkFixed refuses a configuration that contradicts what runs have recorded.
func (m *Mill) checkFixed() error {
	var wrong []error
	state := m.Lake.State()
	if f := state.Founding; f != nil {
		for _, fixed := range []struct{ what, was, is string }{
			{"first_period", f.FirstPeriod.String(), m.Config.FirstPeriod.String()},
			{"timezone", f.TimeZone, m.Config.TimeZone},
			{"currency", f.Currency, m.Config.Currency.String()},
		} {
			if fixed.was != fixed.is {
				wrong = append(wrong, fmt.Errorf("%s: %s is %s, but the lake's first run fixed it as %s: set it back",
					m.Config.File, fixed.what, fixed.is, fixed.was))
			}
		}
	}
	for _, v := range m.versionFiles() {
		if used, run := state.Used(v.VersionRef); used != "" && used != v.SHA256 {
			wrong = append(wrong, fmt.Errorf("%s: %s %s version %d is not as run %d used it: set it back, and put the change into a new version",
				v.file, v.Kind, v.Name, v.Version, run))
		}
	}
	if _, err := source.Columns(state.Columns, m.Sources...); err != nil {
		wrong = append(wrong, err)
	}
	if len(wrong) > 0 {
		return ConfigError{errors.Join(wrong...)}
	}
	return nil
}
