package document

import (
	"cmp"
	"slices"
)

// A usagePart is the usage of a document added up by operation, project or key.
type usagePart struct {
	title, head string
	none        string // the name of usage that has none
	rows        []namedUsage
}

type namedUsage struct {
	name string
	Usage
}

// parts are the sums of usage that a document shows: by operation, and by project
// and by key where the account has several.
func (d *Document) parts() (parts []usagePart) {
	for _, part := range []struct {
		usagePart

		of   func(*Usage) string
		most int // so many names are not worth a table
	}{
		{usagePart{title: "Usage", head: "Operation"}, func(u *Usage) string { return u.Operation }, 0},
		{usagePart{title: "Usage by project", head: "Project", none: "no project"}, func(u *Usage) string { return u.Project }, 1},
		{usagePart{title: "Usage by key", head: "Key", none: "no key"}, func(u *Usage) string { return u.Key }, 1},
	} {
		if part.rows = d.usageBy(part.of); len(part.rows) > part.most {
			parts = append(parts, part.usagePart)
		}
	}
	return parts
}

// usageBy adds usage up by a name, in the order of names, what has none last; the row
// of an account without usage is left out.
func (d *Document) usageBy(name func(*Usage) string) (sums []namedUsage) {
	index := map[string]int{}
	for i := range d.Usage {
		u := &d.Usage[i]
		if u.Operation == "" {
			continue
		}
		at, ok := index[name(u)]
		if !ok {
			at = len(sums)
			index[name(u)] = at
			sums = append(sums, namedUsage{name: name(u)})
		}
		sums[at].add(u)
	}
	slices.SortFunc(sums, func(a, b namedUsage) int {
		if (a.name == "") != (b.name == "") {
			return -cmp.Compare(a.name, b.name)
		}
		return cmp.Compare(a.name, b.name)
	})
	return sums
}

func (d *Document) usageTotal() (total Usage) {
	for i := range d.Usage {
		if d.Usage[i].Operation != "" {
			total.add(&d.Usage[i])
		}
	}
	return total
}

// add adds what u counts.
func (sum *Usage) add(u *Usage) {
	sum.Calls += u.Calls
	sum.LateCalls += u.LateCalls
	sum.HeldCalls += u.HeldCalls
	sum.Credits = sum.Credits.Add(u.Credits)
	sum.Value = sum.Value.Add(u.Value)
}
