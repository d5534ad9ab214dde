package price

import (
	"cmp"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

func compareVersions(a, b *Version) int {
	return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Version, b.Version), cmp.Compare(a.File, b.File))
}

// refuseTwins adds a problem for every second file of one version.
func (b *Book) refuseTwins(p *yamlfile.Problems) {
	for i := 1; i < len(b.versions); i++ {
		if before, v := b.versions[i-1], b.versions[i]; before.Table == v.Table && before.Version == v.Version {
			p.Add(v.node, "give the newer one a higher version", "%s is in %s already", v.VersionRef, before.File)
		}
	}
}

// setUntil ends each version where the next of its table begins. Of two that
// begin at one instant the higher number counts, and the other is never in force.
func (b *Book) setUntil() {
	inOrder := slices.Clone(b.versions)
	slices.SortStableFunc(inOrder, func(x, y *Version) int {
		return cmp.Or(cmp.Compare(x.Table, y.Table), x.From.Compare(y.From), cmp.Compare(x.Version, y.Version))
	})
	for i, v := range inOrder[:max(len(inOrder)-1, 0)] {
		if next := inOrder[i+1]; next.Table == v.Table {
			v.Until = next.From
		}
	}
}

// refuseOverlaps adds a problem for operations that two tables price at once.
func (b *Book) refuseOverlaps(p *yamlfile.Problems) {
	for i, v := range b.versions {
		for _, before := range b.versions[:i] {
			at, both := togetherFrom(v, before)
			if before.Table == v.Table || !both {
				continue
			}
			for k, pattern := range v.AppliesTo {
				for _, other := range before.AppliesTo {
					if overlap(pattern, other) {
						p.Add(v.patternAt[k], "two tables in force at once may not price the same operation",
							"%q overlaps %q of %s (%s) from %s on", pattern, other, before.VersionRef, before.File, period.FormatInstant(at))
					}
				}
			}
		}
	}
}

// togetherFrom returns the first instant at which both are in force, if any.
func togetherFrom(v, w *Version) (time.Time, bool) {
	at := v.From
	if w.From.After(at) {
		at = w.From
	}
	return at, v.inForce(at) && w.inForce(at)
}

// overlap reports whether some text matches both patterns.
func overlap(a, b string) bool {
	// matched[j]: the rest of a from the current place and b[j:] have a text in common.
	matched := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		after := slices.Clone(matched) // for a[i+1:]
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				matched[j] = true
			case i < len(a) && a[i] == '*':
				matched[j] = after[j] || j < len(b) && matched[j+1]
			case j < len(b) && b[j] == '*':
				matched[j] = matched[j+1] || i < len(a) && after[j]
			default:
				matched[j] = i < len(a) && j < len(b) && a[i] == b[j] && after[j+1]
			}
		}
	}
	return matched[0]
}
