// Package ingest makes usage, rejected and account_events out of raw objects (SPEC
// section 3).
//
// A run goes through its objects once. Decoders turn their records into packed rows,
// which lie in scratch files of each UTC day; memory stays flat whatever the size of
// the input. What is no usage, and little as a rule, streams through DuckDB into a
// file of its own. Then SQL settles which of several copies of an event counts,
// looking only at events that decoders met twice, and each day's usage is sorted and
// written, several days side by side.
// Nothing is committed here: package jobs commits what [Run] reports, or nothing
// of it. A crash leaves files in scratch and no more.
//
// Invariants: for every object records = events + rejects + skipped; an object
// that could not be read, or had more rejects than its source allows, leaves no
// row anywhere; and the rows do not depend on how decoders are scheduled.
package ingest

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/ingest/row"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// An Object is a raw object to read.
type Object struct {
	Source   *source.Source
	Key      string // under the source's raw store
	Identity string // of its content
	Bytes    int64  // packed
	Again    bool   // it was read before, this content or another: what stands there unchanged is skipped
	Reread   bool   // and this very content was: what stands in usage stays whatever the mapping makes of it now
	Open     func(ctx context.Context) (io.ReadCloser, error)
}

// Input is what a run reads and by which rules.
type Input struct {
	Session      *duck.Session
	Scratch      string // a folder of this run's own that Session may write to
	Now          time.Time
	Objects      []Object // sorted by key; only those not read yet
	Calendar     period.Calendar
	Earliest     time.Time // start of first_period: usage before is too_old
	Past, Future period.Duration
	NoPast       bool
	OpenStart    time.Time     // start of the first period not cut: earlier account events post here
	Dynamic      []lake.Column // recorded dimensions and quantities, in order
	// Known makes the view known_usage: lake.Usage's columns and Dynamic, of those UTC
	// days ("2026-10-03") the live rows and the calls taken back. It is called at most
	// once. The view known_account_events, with lake.AccountEvents's columns, must exist
	// already.
	Known func(ctx context.Context, days []string) error
	// KnownRejects says that there are live rejects of the objects that are read again:
	// the view known_rejects, with lake.Rejected's columns but for detail, "file" VARCHAR, the file it
	// is in, and "accepted" BOOLEAN, whether a close has accepted it.
	KnownRejects bool
	// KnownPlaces says that the view known_places (source, object, line) has the calls,
	// live and taken back, that runs have read from the objects with Reread. It must be
	// there where there are any.
	KnownPlaces bool
	Progress    func(done, total int64) // packed bytes; may be nil
	SortBytes   int                     // of decoded usage that is sorted at once, of which several may be; 0: 256 MiB
}

// Report is what a run did, and the files to commit.
type Report struct {
	Objects []ObjectReport // in the order of Input.Objects
	Dynamic []lake.Column  // Input.Dynamic and what was first used now
	Outputs []lake.Output
	Newest  []lake.SourceTime // of usage, by source
	Totals  Totals
	// Superseded says that earlier rejects leave: the table ingest_superseded, with
	// the columns source, object, line and file as known_rejects has them.
	Superseded bool
}

// ObjectReport is what an object held: Records = Events + Rejects + Skipped.
type ObjectReport struct {
	Source, Object, Identity                 string
	Bytes, Records, Events, Rejects, Skipped int64
	Superseded                               int64 // earlier rejects that leave
	Err                                      error // it could not be read and contributes nothing
	TooManyRejects                           bool  // more than max_rejected: it contributes nothing
	Unchanged                                bool  // read again as it was, and it says what it said: it contributes nothing
}

// Kept reports whether the object was taken in.
func (o ObjectReport) Kept() bool { return o.Err == nil && !o.TooManyRejects }

// Totals are over the objects that contribute. Events are usage alone.
type Totals struct {
	Objects, Records, Events, AccountEvents, Rejects, Skipped int64
	ByReason                                                  map[string]int64
	Left                                                      map[string]int64 // earlier rejects that leave, by reason
	Superseded                                                map[string]int64 // those of them that no close had accepted
	Accepted                                                  map[string]int64 // of the rejects by reason, those in the place of accepted ones
}

// Run reads the objects. It returns an error where the run as a whole cannot go
// on; what is wrong with one object is in its report.
func Run(ctx context.Context, in Input) (Report, error) {
	if len(in.Objects) == 0 {
		return Report{Dynamic: in.Dynamic, Totals: Totals{ByReason: map[string]int64{}}}, nil
	}
	r := &run{Input: in, reread: in.KnownPlaces, again: in.KnownPlaces || in.KnownRejects}
	for _, step := range []func(context.Context) error{r.readAll, r.settle, r.writeAll} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	return r.report(ctx)
}

// A run is one call of Run.
type run struct {
	Input
	columns []lake.Column // of the user's, in the spool
	dynamic []lake.Column // of the user's, to be written
	read    []readObject  // by number, as Input.Objects
	usage   *row.Rows     // decoded usage, of objects that do not count too
	twice   *decode.Seen  // the hashes that were met twice
	reread  bool          // some object has Reread
	again   bool          // that, or KnownRejects
	settled bool          // some copy was found
	outputs []lake.Output

	unwritten, superseded []objectCount

	silent atomic.Int32 // objects in a row for which their store did not answer

	newest map[string]time.Time
}
