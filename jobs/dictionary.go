package jobs

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
)

// The kinds of tables in the dictionary.
const (
	KindTable   = "table"         // files of the lake
	KindSession = "session table" // made for a session of `query` from the lake's log and tables
	KindView    = "view"          // a SELECT of sql/views over the others
)

// A Described is a table, session table or view with all that the dictionary says of it,
// as `query` shows it: a table's partition is its last column.
type Described struct {
	lake.Entry
	Kind      string
	Partition string // the last column, by which files are kept apart: day, period or "" for none
	Dynamic   bool   // dimensions and quantities follow the fixed columns
}

// Dictionary describes every table of the lake in the order of SPEC section 11, then the
// session tables and the views by name. dynamic are the dimensions and quantities of a
// lake, which tables that take them have after their own columns.
func Dictionary(dynamic []lake.Column) []Described {
	var all []Described
	tables := lake.Tables()
	for i, entry := range lake.Dictionary() {
		table := tables[i]
		d := Described{Entry: entry, Kind: KindTable, Partition: partitionColumn(table), Dynamic: table.Dynamic}
		if table.Dynamic {
			for _, column := range dynamic {
				d.Columns = append(d.Columns, lake.DynamicEntry(column))
			}
		}
		if d.Partition != "" {
			d.Columns = append(d.Columns, partitionEntries[d.Partition])
		}
		all = append(all, d)
	}
	made := len(all)
	for _, entry := range slices.Concat(viewEntries, usageViewEntries, issuedViewEntries) {
		kind := KindView
		if slices.ContainsFunc(madeTables, func(t madeTable) bool { return t.name == entry.Name }) {
			kind = KindSession
		}
		all = append(all, Described{Entry: entry, Kind: kind})
	}
	slices.SortStableFunc(all[made:], func(a, b Described) int {
		if a.Kind != b.Kind {
			if a.Kind == KindSession {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// partitionEntries are the entries of the partitions, which `query` shows as a last column.
var partitionEntries = map[string]lake.ColumnEntry{
	"period": {Name: "period", Type: "VARCHAR", Unit: "month", Meaning: "the month that the row belongs to: its partition", Example: "2026-10"},
	"day":    {Name: "day", Type: "VARCHAR", Unit: "UTC day", Meaning: "the UTC day that the row lies under: its partition", Example: "2026-10-31"},
}

// Describe is the dictionary's description of the table or view of that name.
func Describe(name string, dynamic []lake.Column) (Described, bool) {
	all := Dictionary(dynamic)
	i := slices.IndexFunc(all, func(d Described) bool { return d.Name == name })
	if i < 0 {
		return Described{}, false
	}
	return all[i], true
}

// A Fact is what is said of a table as a whole.
type Fact struct{ What, Says string }

// Facts are what is said of a table or view as a whole, in Markdown, in their order.
func (d Described) Facts() []Fact {
	facts := []Fact{{"one row", d.Row}}
	switch {
	case len(d.Key) > 0:
		key := strings.Join(d.Key, ", ")
		if d.KeyNote != "" {
			key += "; " + d.KeyNote
		}
		facts = append(facts, Fact{"key", key})
	case d.KeyNote != "":
		facts = append(facts, Fact{"key", d.KeyNote})
	}
	switch d.Partition {
	case "period":
		facts = append(facts, Fact{"partition", "`period`, the month of the row: the last column in `query`"})
	case "day":
		facts = append(facts, Fact{"partition", "`day`, the UTC day of the row's time, or of the run where it has none: the last column in `query`"})
	}
	if len(d.Order) > 0 {
		facts = append(facts, Fact{"order in a file", strings.Join(d.Order, ", ")})
	}
	if d.Dynamic {
		facts = append(facts, Fact{"further columns", "dimensions and quantities follow, in the order of first use: [which](#dimensions-and-quantities)"})
	}
	return append(facts, Fact{"changes", d.Changes})
}
