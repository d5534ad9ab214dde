// Package price is price tables: it reads them, chooses the version in force, and
// compiles them to the one SELECT that rates calls (SPEC section 4 and section 14,
// points 8 to 11, 41 and 42).
//
// A [Book] is all versions of all tables. It is immutable and pure: no I/O, no
// clock. What cannot be priced exactly in 38 digits is refused when the file is
// read, so the SELECT never rounds but once, at its end, and never overflows with
// an error: a call whose price does not fit is held.
package price

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A File is one price file: its name as messages and manifests give it, and what
// it holds.
type File struct {
	Name    string
	Content []byte
}

// A VersionRef says which version of a price table is meant, and what it held.
type VersionRef struct {
	Table   string
	Version int
	SHA256  string // of what the file says, whatever its layout and comments; in hexadecimal
	File    string
}

// A Version is one version of one price table.
type Version struct {
	VersionRef
	From      time.Time // in force from here, inclusive
	Until     time.Time // to here, exclusive; zero: without end. Never in force when it is From
	AppliesTo []string  // the operations it prices; * is any run of characters
	Rules     []Rule    // the first that matches wins

	node      yamlfile.Node
	fromNode  yamlfile.Node
	patternAt []yamlfile.Node // of AppliesTo
}

// A Rule prices the calls that it matches.
type Rule struct {
	Operation string // exact or with *; empty: any
	When      []when.Condition
	Charge    Charge
	Add       []Addition
}

// An Addition joins a rule's charge when its conditions hold.
type Addition struct {
	When   []when.Condition
	Charge Charge
}

// A Charge is a sum of parts, then changed in the order of the fields.
type Charge struct {
	Parts     []Part
	Multiply  *Multiply
	Minimum   *Decimal
	Maximum   *Decimal
	RoundUpTo *Decimal
}

// A Part is one addend of a charge.
type Part struct {
	Each   string  // the quantity that is priced; empty: the call itself
	Per    Decimal // the units that a price is for; 1 where none was given
	Blocks bool    // every started Per is charged whole
	Steps  []Step  // one, without UpTo, where there are no tiers
	By     string  // the quantity that chooses the step
	Split  bool    // graduated: each part of the quantity at the price of its step
}

// A Step is a price for a range of a quantity.
type Step struct {
	UpTo  *Decimal // inclusive; nil: without end
	Price Decimal  // for one unit; for one block where the part has Blocks
}

// Multiply chooses a factor by a text of the call.
type Multiply struct {
	By        string
	Values    []Factor
	Otherwise *Decimal // also for NULL; nil: such a call is held
}

// A Factor is one entry of [Multiply].
type Factor struct {
	Text  string
	Value Decimal
}

// A Book is every version of every price table.
type Book struct {
	versions []*Version // by table, then version
	types    map[string]string
}

// Parse reads price files, one version each, and checks them against each other.
// declared are the dimensions and quantities of all sources. What is wrong goes
// to p; the book is of use only when that stays empty.
func Parse(files []File, declared []lake.Column, p *yamlfile.Problems) *Book {
	b := &Book{types: types(declared)}
	for _, file := range files {
		if v := parseVersion(file, b.types, p); v != nil {
			sum := sha256.Sum256([]byte(v.node.Canonical()))
			v.SHA256, v.File = hex.EncodeToString(sum[:]), file.Name
			b.versions = append(b.versions, v)
		}
	}
	slices.SortStableFunc(b.versions, compareVersions)
	b.refuseTwins(p)
	b.setUntil()
	b.refuseOverlaps(p)
	return b
}

// Versions returns all versions, by table and number. The caller must not change
// them.
func (b *Book) Versions() []*Version { return b.versions }

// InForce returns the version that prices an operation at an instant, or nil.
func (b *Book) InForce(operation string, at time.Time) *Version {
	for _, v := range b.versions {
		if v.inForce(at) && v.applies(operation) {
			return v
		}
	}
	return nil
}

// Fingerprint is a text that stays the same exactly as long as every call with a
// time in [from, to] is priced by the same versions with the same content. What
// was rated under another fingerprint is to be rated again.
func (b *Book) Fingerprint(from, to time.Time) string {
	hash := sha256.New()
	for _, v := range b.versions {
		if v.From.After(to) || !v.Until.IsZero() && !v.Until.After(from) || v.Until.Equal(v.From) {
			continue
		}
		start, end := v.From, v.Until
		if start.Before(from) {
			start = from
		}
		if end.IsZero() || end.After(to) {
			end = time.Time{} // past the range, wherever it is
		}
		_, _ = fmt.Fprintf(hash, "%q %d %s %d %d\n", v.Table, v.Version, v.SHA256, start.UnixMicro(), end.UnixMicro())
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

func (v *Version) inForce(at time.Time) bool {
	return !at.Before(v.From) && (v.Until.IsZero() || at.Before(v.Until))
}

func (v *Version) applies(operation string) bool {
	return slices.ContainsFunc(v.AppliesTo, func(pattern string) bool { return when.Like(pattern, operation) })
}

// String names the version in messages.
func (v VersionRef) String() string { return fmt.Sprintf("%s version %d", v.Table, v.Version) }

// The texts that prices may depend on beside dimensions.
var textColumns = []string{"account", "project", "key", "source"}

func types(columns []lake.Column) map[string]string {
	all := map[string]string{}
	for _, name := range textColumns {
		all[name] = lake.DimensionType
	}
	for _, c := range columns {
		all[c.Name] = c.Type
	}
	return all
}
