package lake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

// A Run is the manifest of one committed change of the lake, `runs/N.json`
// (SPEC section 9). Its fields are facts that never change; what is live is a
// fold over all of them, see [State].
type Run struct {
	Number   int64     `json:"run"`
	ID       string    `json:"id"` // unique; a commit of unknown outcome is looked up by it
	Kind     Kind      `json:"kind"`
	Now      time.Time `json:"now"`      // the clock of the run
	Previous string    `json:"previous"` // SHA-256 of the manifest before, empty in the first
	Read     int64     `json:"read"`     // the newest run whose result it read

	Tool         string `json:"tool"`
	DuckDB       string `json:"duckdb"`
	TimeZoneData string `json:"time_zone_data"`

	Founding *Founding    `json:"founding,omitempty"` // in the first run alone
	Configs  []ConfigRef  `json:"configs,omitempty"`
	Versions []VersionRef `json:"versions,omitempty"` // price tables, plans and packs used
	Columns  []Column     `json:"columns,omitempty"`  // dimensions and quantities used first by this run

	Period period.Period `json:"period,omitzero"`  // of apply, cut and close; of rerate the first
	Reason string        `json:"reason,omitempty"` // of rerate, void and forget, as given

	AcceptedRejects bool         `json:"accepted_rejects,omitempty"` // a close went on in spite of every reject so far
	LeftHeld        bool         `json:"left_held,omitempty"`        // a close leaves behind what is held
	Unread          *[]Unread    `json:"unread,omitempty"`           // the objects that could not be taken in, all there are now
	Newest          []SourceTime `json:"newest,omitempty"`           // the newest event time of the sources read
	FullListing     bool         `json:"full_listing,omitempty"`     // an ingest listed all raw objects, not only those of recent dates

	Files     []File      `json:"files,omitempty"`
	Replaced  []string    `json:"replaced,omitempty"`  // paths of files that are live no longer
	Deleted   []string    `json:"deleted,omitempty"`   // paths that are deleted from the store once the run is committed
	Forgotten []Forgotten `json:"forgotten,omitempty"` // whom a forget made nameless
	Rewritten []Rewrite   `json:"rewritten,omitempty"` // files, live no longer, that a forget wrote anew
	Totals    Totals      `json:"totals"`
}

// A Forgotten is an account or key that has a pseudonym since: its name is not
// recorded.
type Forgotten struct {
	Column    string `json:"column"` // account or key
	Pseudonym string `json:"pseudonym"`
}

// A Rewrite is a file that stands in for one which documents are made of.
type Rewrite struct {
	Path string `json:"path"` // of the file before
	File File   `json:"file"`
}

// A Kind is the kind of a run.
type Kind string

// The kinds of run.
const (
	Ingest Kind = "ingest"
	Rate   Kind = "rate"
	Apply  Kind = "apply"
	Copies Kind = "copies" // a close took copies out of billing
	Void   Kind = "void"   // calls were taken back
	Cut    Kind = "cut"
	Close  Kind = "close"
	Rerate Kind = "rerate" // closed periods were replayed, and notes issued for what that changed

	Compact Kind = "compact" // small files became large ones with the same rows
	GC      Kind = "gc"      // files that nobody needs any more were condemned
	Forget  Kind = "forget"  // a person's names became pseudonyms
)

// Founding is what the lake's first run fixes for good.
type Founding struct {
	FirstPeriod period.Period `json:"first_period"`
	TimeZone    string        `json:"timezone"`
	Currency    string        `json:"currency"`
}

// A ConfigRef is a configuration file the run was made with; its content lies
// under `configs/SHA256`.
type ConfigRef struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// A VersionRef is a version of a price table, plan or pack that a run used.
type VersionRef struct {
	Kind    string `json:"kind"` // price table, plan, pack
	Name    string `json:"name"`
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
}

// An Unread is an object that ingest could not take in.
type Unread struct {
	Source   string `json:"source"`
	Object   string `json:"object"`
	Identity string `json:"identity"`
	Reason   string `json:"reason"`
}

// A SourceTime is the newest event time that a source has given.
type SourceTime struct {
	Source string    `json:"source"`
	Time   time.Time `json:"time"`
}

// A File is one Parquet file of a table.
type File struct {
	Path      string            `json:"path"` // key in the lake
	Table     string            `json:"table"`
	Partition string            `json:"partition,omitempty"`
	Rows      int64             `json:"rows"`
	Bytes     int64             `json:"bytes"`
	Columns   int               `json:"columns"` // how many of the table's columns, from the first
	SHA256    string            `json:"sha256"`
	MinTime   *time.Time        `json:"min_time,omitempty"`
	MaxTime   *time.Time        `json:"max_time,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`

	Run int64 `json:"-"` // the run that committed it
}

// Tags of the files of usage, rejected and voided.
const (
	TagOrigin  = "origin"  // of usage, rejected: the run whose file this one took the place of
	TagReadBy  = "read_by" // of rejected: the run that had taken the records for calls
	TagPending = "pending" // of voided: how many of its calls wait for a re-rate

	TagAccepted = "accepted" // of rejected: the records were rejected before, and a close accepted that
)

// Origin is the run that first committed the file's rows: a file may stand in for
// one that had more of them.
func (f File) Origin() int64 { return f.tagged(TagOrigin, f.Run) }

// ReadBy is the run that read the records of a file of rejected, and whose rows in
// the table objects count them.
func (f File) ReadBy() int64 { return f.tagged(TagReadBy, f.Origin()) }

// Accepted reports whether a close has accepted the rejects of a file, where the
// newest to accept any was that of a run.
func (f File) Accepted(through int64) bool { return f.Origin() <= through || f.Tags[TagAccepted] != "" }

// Pending is how many calls of a file of voided wait for a re-rate.
func (f File) Pending() int64 { return f.tagged(TagPending, 0) }

func (f File) tagged(tag string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(f.Tags[tag], 10, 64); err == nil {
		return n
	}
	return otherwise
}

// Totals are a run's control totals. Credits and money are exact decimals.
type Totals struct {
	Objects       int64             `json:"objects,omitempty"`
	Records       int64             `json:"records,omitempty"`
	Events        int64             `json:"events,omitempty"`
	AccountEvents int64             `json:"account_events,omitempty"`
	Skipped       int64             `json:"skipped,omitempty"`
	Rejects       map[string]int64  `json:"rejects,omitempty"`    // by reason
	Superseded    map[string]int64  `json:"superseded,omitempty"` // rejects of earlier runs that left the table, by reason; those that a close had accepted left out
	Accepted      map[string]int64  `json:"accepted,omitempty"`   // of rejects, those of records whose former reject a close had accepted
	Held          map[string]int64  `json:"held,omitempty"`       // by reason
	Calls         int64             `json:"calls,omitempty"`
	Pending       int64             `json:"pending,omitempty"` // of calls voided, those that wait for a re-rate
	Accounts      int64             `json:"accounts,omitempty"`
	Invoices      int64             `json:"invoices,omitempty"`
	Credits       map[string]string `json:"credits,omitempty"` // rated, or by what paid
	Money         map[string]string `json:"money,omitempty"`   // invoiced, by currency
}

func runKey(n int64) string { return fmt.Sprintf("runs/%010d.json", n) }

func (r *Run) encode() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, fmt.Errorf("manifest of run %d: %w", r.Number, err)
	}
	return append(data, '\n'), nil
}

func decodeRun(key string, data []byte) (*Run, error) {
	run := new(Run)
	if err := json.Unmarshal(data, run); err != nil {
		return nil, fmt.Errorf("%s is no manifest: %w", key, err)
	}
	run.number()
	return run, nil
}

// number tells the run's files which run they are of.
func (r *Run) number() {
	for i := range r.Files {
		r.Files[i].Run = r.Number
	}
	for i := range r.Rewritten {
		r.Rewritten[i].File.Run = r.Number
	}
}
