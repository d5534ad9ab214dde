package duck

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Column is a column of a table: its name and its DuckDB type.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

var decimalType = regexp.MustCompile(`^DECIMAL\((\d{1,2}), ?(\d{1,2})\)$`)

// DecimalType reads a type like DECIMAL(18,6).
func DecimalType(duckType string) (precision, scale int, ok bool) {
	m := decimalType.FindStringSubmatch(duckType)
	if m == nil {
		return 0, 0, false
	}
	precision, _ = strconv.Atoi(m[1]) // two digits at most
	scale, _ = strconv.Atoi(m[2])
	return precision, scale, true
}

// A Scan reads Parquet files as one relation of exactly Columns, whatever each
// file holds: a column that a file lacks reads as NULL, and the type is always
// the one given here, never one that a file's order decides.
type Scan struct {
	Columns   []Column
	Hidden    []Column // columns beside those of the table, which groups with Hidden hold; NULL of others
	Partition string   // name of a last column that holds each group's Partition; "": none
	Groups    []Group
}

// A Group is files of one partition that have the same columns: the first Has of
// the scan's Columns; 0 means all of them.
type Group struct {
	Files     []string // absolute local paths
	Has       int
	Partition string
	From      string // column of the files whose text takes the place of Partition; "": none
	Hidden    bool   // the files have the scan's Hidden columns
}

// mostBranches is how many groups are read as branches of a UNION ALL of their own. A
// filter on the partition passes over branches, but thousands of them take longer to plan
// than to read: then a branch has the files of many groups, joined with a list of their
// partitions, and there are about joinedBranches of them. 3,000 files of as many
// partitions took 3.7 s to read by branches alone, and 0.6 s by one join.
const (
	mostBranches   = 500
	joinedBranches = 64
)

// SQL is the scan as a SELECT. Without files it is an empty relation of the
// right types.
func (s Scan) SQL() string {
	groups := slices.DeleteFunc(slices.Clone(s.Groups), func(g Group) bool { return len(g.Files) == 0 })
	if len(groups) == 0 {
		return "SELECT " + s.columns(Group{Has: -1}, "") + " WHERE false"
	}
	if len(groups) > mostBranches && s.Partition != "" {
		return s.joined(groups)
	}
	selects := make([]string, len(groups))
	for i, group := range groups {
		selects[i] = "SELECT " + s.columns(group, "") + " FROM read_parquet(" + List(group.Files) + ")"
	}
	return strings.Join(selects, "\nUNION ALL\n")
}

// joined is the scan with few branches, each with the files of many groups that are
// read alike.
func (s Scan) joined(groups []Group) string {
	type kind struct {
		has    int
		from   string
		hidden bool
	}
	type labelled struct{ file, partition string }
	var kinds []kind
	files := map[kind][]labelled{}
	for _, group := range groups {
		k := kind{group.Has, group.From, group.Hidden}
		if files[k] == nil {
			kinds = append(kinds, k)
		}
		for _, file := range group.Files {
			files[k] = append(files[k], labelled{file, group.Partition})
		}
	}
	const file, listed, label = "#file", "#listed", "#label" // no names that a column of a table may have
	var selects []string
	for _, k := range kinds {
		for branch := range slices.Chunk(files[k], len(files[k])/joinedBranches+1) {
			paths, labels := make([]string, len(branch)), make([]string, len(branch))
			for i, f := range branch {
				paths[i], labels[i] = f.file, "("+Literal(f.file)+", "+Literal(f.partition)+")"
			}
			selects = append(selects, "SELECT "+s.columns(Group{Has: k.has, From: k.from, Hidden: k.hidden}, Identifier(label))+
				" FROM read_parquet("+List(paths)+", filename = "+Literal(file)+") JOIN (VALUES "+strings.Join(labels, ", ")+
				") AS labels("+Identifier(listed)+", "+Identifier(label)+") ON "+Identifier(listed)+" = "+Identifier(file))
		}
	}
	return strings.Join(selects, "\nUNION ALL\n")
}

// columns lists what a group is read as; label is the expression of its partition, ""
// for the group's own.
func (s Scan) columns(group Group, label string) string {
	list := make([]string, 0, len(s.Columns)+len(s.Hidden)+1)
	add := func(c Column, there bool) {
		name := Identifier(c.Name)
		value := name
		if !there {
			value = "NULL"
		}
		list = append(list, fmt.Sprintf("CAST(%s AS %s) AS %s", value, c.Type, name))
	}
	for i, c := range s.Columns {
		add(c, group.Has == 0 || i < group.Has)
	}
	for _, c := range s.Hidden {
		add(c, group.Hidden)
	}
	if s.Partition != "" {
		switch {
		case group.From != "":
			label = "CAST(" + Identifier(group.From) + " AS VARCHAR)"
		case label == "":
			label = Literal(group.Partition)
		}
		list = append(list, label+" AS "+Identifier(s.Partition))
	}
	return strings.Join(list, ", ")
}

// Add puts one more file into the scan, beside those with as many columns.
func (s *Scan) Add(file string, has int) { s.AddTo("", file, has) }

// AddTo puts one more file of a partition into the scan.
func (s *Scan) AddTo(partition, file string, has int) {
	s.AddGroup(Group{Files: []string{file}, Has: has, Partition: partition})
}

// AddGroup puts files into the scan, beside those that are read alike.
func (s *Scan) AddGroup(group Group) {
	alike := func(g Group) bool {
		return g.Has == group.Has && g.Partition == group.Partition && g.From == group.From && g.Hidden == group.Hidden
	}
	if i := slices.IndexFunc(s.Groups, alike); i >= 0 {
		s.Groups[i].Files = append(s.Groups[i].Files, group.Files...)
		return
	}
	s.Groups = append(s.Groups, group)
}

// View makes the scan readable as name, in place of what had that name before.
func (s *Session) View(ctx context.Context, name string, scan Scan) error {
	err := s.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+Identifier(name)+" AS "+scan.SQL())
	if err != nil {
		return fmt.Errorf("view %s: %w", name, err)
	}
	return nil
}
