// Package source reads what the user says about his logs, and compiles it: which
// objects are a source's, and how a record of theirs becomes a usage event (SPEC
// section 3 and section 14, 1-5).
//
// A [Source] is immutable once parsed and safe for concurrent use. Parsing is
// strict and reports everything wrong in all files at once. Nothing here reads a
// log: package decode does, by what a Source says.
package source

import (
	"fmt"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/when"
)

// A Format is how a source's objects are written.
type Format int

// The formats. Those of text may be packed: a key that ends in .gz or .zst is unpacked.
const (
	JSONLines Format = iota
	CSV
	Accounts // account events, as JSON lines (SPEC section 5)
	Parquet
)

func (f Format) String() string { return [...]string{"jsonl", "csv", "accounts", "parquet"}[f] }

// Packed returns the ending of a key by which its object is packed, .gz or .zst;
// empty: it is not.
func Packed(key string) string {
	for _, ending := range []string{".gz", ".zst"} {
		if strings.HasSuffix(key, ending) {
			return ending
		}
	}
	return ""
}

// A Source is one file's mapping, checked and compiled.
type Source struct {
	Name        string
	Raw         string // a store of its own; empty: the configuration's raw
	Format      Format
	Lookback    period.Duration // dated paths are listed this far back; zero: the default of 3 days
	Expect      period.Duration // a longer silence holds the close; zero: none is too long
	MaxRejected Share
	Where       []when.Condition // on fields of the record; all must hold; empty: every record counts

	ID         *Value // nil: made from the object's key and the line
	Time       Time
	Account    Value
	Project    *Value // nil: NULL
	Key        *Value
	Operation  Value
	Dimensions []Dimension // in file order, as Quantities
	Quantities []Quantity

	path Pattern
}

// A Share is a part of a whole in millionths; -1 is no limit.
type Share int64

// NoLimit is the share that nothing exceeds.
const NoLimit Share = -1

// Exceeded reports whether part of whole is more than the share.
func (s Share) Exceeded(part, whole int64) bool {
	return s != NoLimit && part*1_000_000 > int64(s)*whole
}

// A Dimension is a string column that prices may depend on.
type Dimension struct {
	Name    string
	Value   Value
	Default *string // when the value is absent; nil: NULL
}

// A Quantity is a number column that prices multiply: BIGINT, or with Decimal
// DECIMAL(18,6).
type Quantity struct {
	Name    string
	Value   Value
	Decimal bool
	Default string // plain decimal text, checked; "": NULL
}

// A Kind says where a Value comes from.
type Kind int

// The kinds of value.
const (
	Field    Kind = iota // of the record
	Constant             // the same for every record
	FromKey              // cut out of the object's key
	Joined               // several values, with a text between them
)

// A Value says where one string of an event comes from.
type Value struct {
	Kind    Kind
	Path    []string // Field: the members to descend; one for CSV, the column
	Text    string   // Constant: the text; Joined: what stands between
	Pattern Pattern  // FromKey
	Members []Value  // Joined
}

// String writes a value as messages name it: its field path, or what it is.
func (v Value) String() string {
	switch v.Kind {
	case Field:
		parts := make([]string, len(v.Path))
		for i, p := range v.Path {
			parts[i] = strings.ReplaceAll(p, ".", `\.`)
		}
		return strings.Join(parts, ".")
	case FromKey:
		return "key " + v.Pattern.String()
	case Joined:
		parts := make([]string, len(v.Members))
		for i, m := range v.Members {
			parts[i] = m.String()
		}
		return strings.Join(parts, " and ")
	default:
		return fmt.Sprintf("constant %q", v.Text)
	}
}

// A Time says where an event's instant comes from and how it is written.
type Time struct {
	Path   []string
	Layout Layout
}

// Path is the pattern of the keys that are this source's.
func (s *Source) Path() Pattern { return s.path }

// Matches reports whether the object of that key, under the source's raw store,
// is this source's.
func (s *Source) Matches(key string) bool {
	_, ok := s.path.Match(key)
	return ok
}

// Prefixes lists what the keys to look at begin with: for a dated path a prefix
// for each UTC day from now less Lookback to the day after now's, else the text
// before the first wildcard. A zero now asks for all of them.
func (s *Source) Prefixes(now time.Time) []string {
	if now.IsZero() || !s.path.dated {
		return []string{s.path.prefix}
	}
	back := s.Lookback
	if back == (period.Duration{}) {
		back = period.Duration{Days: 3}
	}
	now = now.UTC()
	first := now.AddDate(0, -back.Months, -back.Days).Add(-back.Elapsed).Truncate(24 * time.Hour)
	var prefixes []string
	for day := first; !day.After(now.AddDate(0, 0, 1)); day = day.AddDate(0, 0, 1) {
		prefix := s.path.prefixOn(day)
		if len(prefixes) == 0 || prefixes[len(prefixes)-1] != prefix {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// Of returns the source whose objects include key in the store raw (as Source.Raw
// has it), and nil where none does. That two do is an error of the configuration.
func Of(sources []*Source, raw, key string) (*Source, error) {
	var found *Source
	for _, s := range sources {
		if s.Raw != raw || !s.Matches(key) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("object %q: both source %s (path %s) and source %s (path %s) match it; "+
				"narrow one path, so that each object has one source", key, found.Name, found.path, s.Name, s.path)
		}
		found = s
	}
	return found, nil
}
