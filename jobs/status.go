package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// A Status is what a person who looks after a lake wants to know at one glance.
type Status struct {
	Lake      string
	Head      int64     // the newest run; 0: none
	HeadHash  string    // SHA-256 of its manifest
	HeadNow   time.Time // its clock
	Open      period.Period
	OpenStart time.Time
	Cut       bool      // the open period is cut: its close has begun and is to be finished
	CloseFrom time.Time // when the open period may be closed

	LastClose *lake.Run // nil: no period is closed
	Rerates   int       // re-rates committed since

	Sources    []SourceStatus // in the order of the configuration; account sources left out
	Unrated    int64          // calls that no rating has read
	Superseded int64          // rated calls of open periods that a rating would price anew
	Held       []HeldCount    // held calls by period and reason
	HeldEvents int64          // account events that the last apply or close held
	Rejects    map[string]int64
	Unread     []lake.Unread

	Late         []LateUsage   // in the open period, of closed ones, oldest first
	PendingVoids int64         // voided calls of cut or closed periods, which wait for a re-rate
	VoidsFrom    period.Period // the first that one may have happened in; zero: none waits

	Published *PublishedStatus // nil: nothing is published

	Jobs       []JobStatus // in the order of the configuration's schedule
	Failures   []Failure   // of jobs that keep failing
	Fragmented []Fragments // tables of many small files

	Runs []*lake.Run // the newest few, newest first
}

// A SourceStatus says how fresh a source is.
type SourceStatus struct {
	Source string
	Path   string          // where its objects lie, as configured
	Newest time.Time       // of its calls; zero: none yet
	Expect period.Duration // a longer silence is too long; zero: none is
	Late   bool            // it has been silent for longer
	Since  time.Time       // since when it is late; zero where it is not, or has given nothing yet
}

// A HeldCount is a number of held calls.
type HeldCount struct {
	Period, Reason string
	Calls          int64
}

// statusRuns is how many of the newest runs a status lists.
const statusRuns = 5

// Status looks at the lake and changes nothing. What it takes grows neither with the
// log nor, but for files of late or held calls, with the usage.
func (m *Mill) Status(ctx context.Context) (Status, error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return Status{}, err
	}
	state := m.Lake.State()
	s := Status{Lake: m.Config.Lake.String(), Head: state.Head, HeadHash: state.HeadHash, Rejects: state.BlockingRejects(), Unread: state.Unread, PendingVoids: state.PendingVoids()}
	s.Open, s.Cut = state.Open(m.Config.FirstPeriod)
	s.OpenStart = m.Calendar.Start(s.Open)
	s.CloseFrom = m.closeFrom(s.Open)
	s.LastClose, s.Rerates = lastClose(state.Milestones())
	s.Sources = m.sourceStatus()
	for _, file := range m.unratedUsage() {
		s.Unrated += file.Rows
	}
	s.VoidsFrom = m.voidsFrom()
	s.Fragmented = m.fragmented()
	again, err := m.supersededRatings(ctx)
	if err != nil {
		return Status{}, err
	}
	for _, file := range again {
		s.Superseded += file.Rows
	}
	if s.Published, err = m.publishedStatus(ctx); err != nil {
		return Status{}, err
	}
	if err := m.statusOfJobs(ctx, &s); err != nil {
		return Status{}, err
	}
	err = m.statusOfRows(ctx, &s)
	return s, err
}

// lastClose is the newest close, and how many re-rates followed it.
func lastClose(milestones []*lake.Run) (last *lake.Run, rerates int) {
	for _, run := range slices.Backward(milestones) {
		switch run.Kind {
		case lake.Close:
			return run, rerates
		case lake.Rerate:
			rerates++
		}
	}
	return nil, 0
}

// statusOfRows says what only rows tell.
func (m *Mill) statusOfRows(ctx context.Context, s *Status) (err error) {
	if s.Head == 0 {
		return nil
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if s.Held, err = d.heldCounts(ctx); err != nil {
		return err
	}
	if s.HeldEvents, err = d.heldEvents(ctx); err != nil {
		return err
	}
	s.Late, err = d.lateUsage(ctx)
	return err
}

// unratedUsage are the files of usage that no rating has read.
func (m *Mill) unratedUsage() []lake.File {
	state := m.Lake.State()
	return slices.DeleteFunc(state.Files(lake.Usage), func(f lake.File) bool { return f.Origin() <= state.RatedThrough })
}

func (m *Mill) sourceStatus() []SourceStatus {
	var list []SourceStatus
	silent := m.silence(m.Now())
	for _, s := range m.Sources {
		newest := m.Lake.State().Newest[s.Name]
		if s.Format == source.Accounts && newest.IsZero() {
			continue // it brings no usage
		}
		one := SourceStatus{Source: s.Name, Path: s.Path().String(), Newest: newest, Expect: s.Expect}
		one.Late = slices.ContainsFunc(silent, func(t lake.SourceTime) bool { return t.Source == s.Name })
		if one.Late && !newest.IsZero() {
			one.Since = m.Calendar.Add(newest, s.Expect)
		}
		list = append(list, one)
	}
	return list
}

// heldCounts counts the held calls, reading only files that have any.
func (d *desk) heldCounts(ctx context.Context) ([]HeldCount, error) {
	byPeriod := map[string][]lake.File{}
	var periods []string
	for _, file := range d.mill.Lake.State().Files(lake.Rated) {
		if heldRows(file) == 0 {
			continue
		}
		if byPeriod[file.Partition] == nil {
			periods = append(periods, file.Partition)
		}
		byPeriod[file.Partition] = append(byPeriod[file.Partition], file)
	}
	var counts []HeldCount
	for _, p := range periods {
		if err := d.view(ctx, "period_rated", lake.Rated, byPeriod[p]); err != nil {
			return nil, err
		}
		blocks, err := d.heldReasons(ctx, p)
		if err != nil {
			return nil, err
		}
		counts = append(counts, blocks...)
	}
	return counts, nil
}

func (d *desk) heldReasons(ctx context.Context, p string) ([]HeldCount, error) {
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/held_by_reason"))
	if err != nil {
		return nil, fmt.Errorf("held calls of %s: %w", p, err)
	}
	defer rows.Close()
	var counts []HeldCount
	for rows.Next() {
		c := HeldCount{Period: p}
		var example string
		if err := rows.Scan(&c.Reason, &c.Calls, &example); err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

func (d *desk) heldEvents(ctx context.Context) (n int64, err error) {
	if err := d.view(ctx, "account_events", lake.AccountEvents, d.mill.Lake.State().Files(lake.AccountEvents)); err != nil {
		return 0, err
	}
	err = d.session.Row(ctx, "SELECT count(*) FROM account_events WHERE held IS NOT NULL").Scan(&n)
	return n, err
}

// Resolve says how a reason that a call is held for goes away.
func Resolve(reason string) string {
	return cmp.Or(resolve[reason], "look at the call and its price table")
}

// Landed counts the raw objects by the source that reads them, without opening
// one; objects that no source matches count under "". Two sources that match one
// object are a ConfigError.
func (m *Mill) Landed(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, s := range m.Sources {
		counts[s.Name] = 0
	}
	err := m.eachRaw(ctx, time.Time{}, func(_ lake.Store, _ lake.Object, s *source.Source) error {
		if s == nil {
			counts[""]++
		} else {
			counts[s.Name]++
		}
		return nil
	})
	return counts, err
}

// A VersionInfo is a version of a price table, plan or pack in the configuration.
type VersionInfo struct {
	Kind, Name    string // Kind: price table, plan or pack
	Version       int
	EffectiveFrom time.Time
	File          string
	UsedBy        int64 // the first run that used it; 0: none has
}

// Versions lists every version that the configuration holds.
func (m *Mill) Versions() []VersionInfo {
	var all []VersionInfo
	add := func(kind, name string, version int, from time.Time, file string) {
		_, run := m.Lake.State().Used(lake.VersionRef{Kind: kind, Name: name, Version: version})
		all = append(all, VersionInfo{kind, name, version, from, file, run})
	}
	for _, v := range m.Prices.Versions() {
		add(priceTable, v.Table, v.Version, v.From, v.File)
	}
	for _, v := range m.Catalog.Plans() {
		add(plan, v.Name, v.Version, v.EffectiveFrom, v.File)
	}
	for _, v := range m.Catalog.Packs() {
		add(pack, v.Name, v.Version, v.EffectiveFrom, v.File)
	}
	return all
}
