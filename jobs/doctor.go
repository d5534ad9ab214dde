package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// A Finding is one thing that [Doctor] has looked at.
type Finding struct {
	What  string // a store with its place, or a part of the program
	Check string
	State FindingState
	Found string // one sentence without a full stop
	Next  string // what to do; "" where Found says it, or nothing is to be done
}

// A FindingState says how bad a finding is.
type FindingState string

// The states of a finding.
const (
	Fine    FindingState = "ok"
	Warning FindingState = "warning" // works, but should be looked at
	Wrong   FindingState = "wrong"   // work will fail
)

// What the doctor warns of, and what it finds wrong.
const (
	clockWarns  = 30 * time.Second
	clockFails  = 5 * time.Minute // S3 refuses requests at 15
	scratchLow  = 1 << 30         // bytes free
	memoryShare = 0.8             // of the machine's, DuckDB's own default; Go and the system need the rest
)

// A doctor looks at everything that a configuration depends on.
type doctor struct {
	setup    *Setup
	clock    func() time.Time
	stores   *stores
	findings []Finding
}

// Doctor looks whether the stores that a configuration names and the machine do
// what creditmill needs of them. In the lake it writes under doctor/, and removes
// what it wrote; it commits nothing. clock is the machine's.
func Doctor(ctx context.Context, setup *Setup, clock func() time.Time) (_ []Finding, err error) {
	d := &doctor{setup: setup, clock: clock, stores: newStores(setup.Config)}
	defer func() { err = errors.Join(err, d.stores.close()) }()
	d.note("time zones", "version", Fine, "", "%s, the program's own", period.DataVersion)
	d.scratch(ctx)
	d.lake(ctx)
	for _, place := range d.rawPlaces() {
		d.raw(ctx, place)
	}
	return d.findings, ctx.Err()
}

func (d *doctor) note(what, check string, state FindingState, next, format string, args ...any) {
	d.findings = append(d.findings, Finding{what, check, state, fmt.Sprintf(format, args...), next})
}

// report notes the outcome of a check, and returns whether it is worth going on:
// a store that refuses one thing may allow another.
func (d *doctor) report(what, check string, err error, fine string, args ...any) bool {
	if err != nil {
		d.note(what, check, Wrong, "", "%v", err)
		return errors.Is(err, fs.ErrPermission)
	}
	d.note(what, check, Fine, "", fine, args...)
	return true
}

// scratch looks at the folder for scratch, and at DuckDB in it.
func (d *doctor) scratch(ctx context.Context) {
	what := "scratch: " + d.stores.base
	s, err := newScratch(d.stores.base)
	if err != nil {
		d.note(what, "write", Wrong, "set scratch: to a local folder that may be written", "%v", err)
		return
	}
	defer func() {
		if err := s.close(); err != nil {
			d.note(what, "delete", Wrong, "", "%v", err)
		}
	}()
	err = os.WriteFile(filepath.Join(s.path, "doctor"), []byte("doctor"), 0o600)
	d.report(what, "write", err, "a file can be written")
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.path, &disk); err != nil {
		d.note(what, "space", Wrong, "", "the file system does not say how much is free: %v", err)
	} else if free := disk.Bavail * uint64(disk.Bsize); free < scratchLow {
		d.note(what, "space", Warning, "make room, or set scratch: to a folder with more", "only %s free: sorting a month spills here, and files of a remote lake are fetched here", binaryBytes(float64(free)))
	} else {
		d.note(what, "space", Fine, "", "%s free", binaryBytes(float64(free)))
	}
	if err := d.duckDB(ctx, s.path); err != nil {
		d.note("DuckDB", "start", Wrong, "", "%v", err)
	}
}

// duckDB compares the memory setting with what DuckDB would take by itself, which
// is a share of what the machine or the container has.
func (d *doctor) duckDB(ctx context.Context, scratch string) error {
	version, own, err := duckMemory(ctx, duck.Options{Scratch: scratch})
	if err != nil {
		return err
	}
	_, set, err := duckMemory(ctx, duck.Options{Scratch: scratch, Memory: d.setup.Config.Memory})
	if err != nil {
		return err
	}
	d.note("DuckDB", "version", Fine, "", "%s", version)
	machine := own / memoryShare
	state, next := Fine, ""
	switch {
	case set > machine:
		state = Wrong
	case set > own:
		state = Warning
	}
	if state != Fine {
		next = "set memory: to at most " + binaryBytes(own)
	}
	d.note("DuckDB", "memory", state, next, "may take %s of the machine's %s", d.setup.Config.Memory, binaryBytes(machine))
	return nil
}

// duckMemory is DuckDB's version and its memory limit in bytes.
func duckMemory(ctx context.Context, o duck.Options) (version string, limit float64, err error) {
	session, err := duck.Open(ctx, o)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	var text string
	if err := session.Row(ctx, "SELECT version(), current_setting('memory_limit')").Scan(&version, &text); err != nil {
		return "", 0, fmt.Errorf("DuckDB's settings: %w", err)
	}
	limit, err = parseBinaryBytes(text)
	return version, limit, err
}

var binaryUnits = []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"}

// parseBinaryBytes reads a size as DuckDB prints it: 1.8 GiB.
func parseBinaryBytes(text string) (float64, error) {
	var n float64
	var unit string
	if _, err := fmt.Sscanf(text, "%g %s", &n, &unit); err != nil {
		return 0, fmt.Errorf("the size %q: %w", text, err)
	}
	for _, u := range binaryUnits {
		if u == unit {
			return n, nil
		}
		n *= 1024
	}
	return 0, fmt.Errorf("the size %q has an unknown unit", text)
}

func binaryBytes(n float64) string {
	unit := 0
	for ; n >= 1024 && unit < len(binaryUnits)-1; unit++ {
		n /= 1024
	}
	return fmt.Sprintf("%.1f %s", n, binaryUnits[unit])
}

// openStore opens a store and looks at its clock; nil if that cannot be.
func (d *doctor) openStore(ctx context.Context, what string, place config.Location) lake.Store {
	store, err := d.stores.at(ctx, place)
	if err != nil {
		d.report(what, "open", err, "")
		return nil
	}
	if s3, remote := store.(*lake.S3); remote && !d.clockOf(ctx, what, s3) {
		return nil
	}
	return store
}

func (d *doctor) clockOf(ctx context.Context, what string, store *lake.S3) bool {
	theirs, err := store.Clock(ctx)
	if err != nil {
		return d.report(what, "clock", err, "")
	}
	off := d.clock().Sub(theirs)
	state, next := Fine, "set this machine's clock, best by NTP: runs take their now from it"
	switch {
	case off.Abs() > clockFails:
		state = Wrong
	case off.Abs() > clockWarns:
		state = Warning
	default:
		next = ""
	}
	switch off = off.Round(time.Second); {
	case off.Abs() <= time.Second:
		d.note(what, "clock", state, next, "this machine's agrees with it")
	case off > 0:
		d.note(what, "clock", state, next, "this machine's is %v ahead of it", off)
	default:
		d.note(what, "clock", state, next, "this machine's is %v behind it", -off)
	}
	return true
}

// rawPlaces are where logs land, each once, in the order of the sources.
func (d *doctor) rawPlaces() []config.Location {
	var places []config.Location
	seen := map[config.Location]bool{}
	for _, s := range d.setup.Sources {
		place, err := rawPlace(d.setup.Config, s.Raw)
		if err != nil {
			d.report("raw: of source "+s.Name, "open", err, "")
		} else if !seen[place] {
			seen[place] = true
			places = append(places, place)
		}
	}
	return places
}

// raw looks whether logs can be listed and read.
func (d *doctor) raw(ctx context.Context, place config.Location) {
	what := "raw: " + place.String()
	if place.Scheme == "" {
		if _, err := os.Stat(place.Path); err != nil {
			d.note(what, "list", Wrong, "make the folder, or correct raw: in the configuration", "%v", err)
			return
		}
	}
	store := d.openStore(ctx, what, place)
	if store == nil {
		return
	}
	first, err := firstObject(ctx, store, "")
	switch {
	case err != nil:
		d.report(what, "list", err, "")
	case first == nil:
		d.note(what, "list", Fine, "", "no logs have landed yet")
	default:
		d.note(what, "list", Fine, "", "logs have landed")
		d.report(what, "read", readSome(ctx, store, first.Key), "%s can be read", first.Key)
	}
	d.links(what, store)
}

// links tells of symbolic links that the listing has left out.
func (d *doctor) links(what string, store lake.Store) {
	if links := linksIn(store); len(links) > 0 {
		d.note(what, "links", Warning, "put what they lead to in their place, or make the folder itself the link", "%d symbolic links are not read, the first is %s", len(links), links[0])
	}
}

// firstObject is the first object under prefix, nil if there is none.
func firstObject(ctx context.Context, store lake.Store, prefix string) (*lake.Object, error) {
	for object, err := range store.List(ctx, prefix) {
		return &object, err
	}
	return nil, nil
}

// readSome reads the beginning of an object.
func readSome(ctx context.Context, store lake.Store, key string) error {
	r, err := store.Open(ctx, key)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(r, make([]byte, 1))
	if errors.Is(err, io.EOF) {
		err = nil // an empty object
	}
	return errors.Join(err, r.Close())
}

func sameBytes(ctx context.Context, store lake.Store, key string, want []byte) error {
	got, err := lake.ReadAll(ctx, store, key)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%s/%s reads back as other bytes than were written", store, key)
	}
	return err
}
