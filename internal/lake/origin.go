package lake

import (
	"slices"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
)

// TagOrigins is the tag of files of usage and rejected that a compaction has made of
// those of several runs: these runs in order, a blank between them. Such a file says
// of each row which run brought it, in its hidden columns; its tag origin is the
// newest of the runs.
const TagOrigins = "origins"

// Hidden columns stand in a compacted file after those of its table, and are none of
// the table's: only who asks which run brought a row reads them.
const (
	OriginColumn = "origin_run" // the run whose file had the row first, as [File.Origin]
	ReadByColumn = "read_by"    // of rejected: as [File.ReadBy]
)

// Hidden are the columns that compacted files of the table have besides.
func (t Table) Hidden() []Column {
	switch t.Name {
	case Usage.Name:
		return []Column{{OriginColumn, count}}
	case Rejected.Name:
		return []Column{{OriginColumn, count}, {ReadByColumn, count}}
	default:
		return nil
	}
}

// Compacted reports whether the file has the hidden columns of its table.
func (f File) Compacted() bool { return f.Tags[TagOrigins] != "" }

// Origins are the runs that first committed the file's rows, oldest first; some of
// them may have no rows left.
func (f File) Origins() []int64 {
	var runs []int64
	for _, text := range strings.Fields(f.Tags[TagOrigins]) {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			runs = append(runs, n)
		}
	}
	if len(runs) == 0 {
		return []int64{f.Origin()}
	}
	return runs
}

// HasOrigin reports whether any of the runs may have brought rows of the file.
func (f File) HasOrigin(of func(run int64) bool) bool { return slices.ContainsFunc(f.Origins(), of) }

// byOrigin is the group of a scan that reads the file, at a local path, with the run that
// brought each row in the scan's last column, as text.
func (f File) byOrigin(path string) duck.Group {
	group := duck.Group{Files: []string{path}, Has: f.Columns, Partition: strconv.FormatInt(f.Origin(), 10), Hidden: f.Compacted()}
	if f.Compacted() {
		group.Partition, group.From = "", OriginColumn
	}
	return group
}

// ScanByOrigin is [State.Scan] with a last column of that name: the run that brought
// each row, as text.
func (s *State) ScanByOrigin(table Table, files []File, paths []string, column string) duck.Scan {
	scan := duck.Scan{Columns: table.Schema(s.Columns), Partition: column}
	for i, file := range files {
		scan.AddGroup(file.byOrigin(paths[i]))
	}
	return scan
}

// ScanHidden is [State.Scan] with the hidden columns after those of the table, NULL for
// files that have none, and then one of that name with the label of each file; "": none.
func (s *State) ScanHidden(table Table, files []File, paths []string, column string, label func(File) string) duck.Scan {
	scan := duck.Scan{Columns: table.Schema(s.Columns), Hidden: table.Hidden(), Partition: column}
	for i, file := range files {
		group := duck.Group{Files: []string{paths[i]}, Has: file.Columns, Hidden: file.Compacted()}
		if column != "" {
			group.Partition = label(file)
		}
		scan.AddGroup(group)
	}
	return scan
}
