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
	Partition string // name of a last column that holds each group's Partition; "": none
	Groups    []Group
}

// A Group is files of one partition that have the same columns: the first Has of
// the scan's Columns; 0 means all of them.
type Group struct {
	Files     []string // absolute local paths
	Has       int
	Partition string
}

// SQL is the scan as a SELECT. Without files it is an empty relation of the
// right types.
func (s Scan) SQL() string {
	var selects []string
	for _, group := range s.Groups {
		if len(group.Files) == 0 {
			continue
		}
		selects = append(selects, "SELECT "+s.columns(group)+" FROM read_parquet("+List(group.Files)+")")
	}
	if len(selects) == 0 {
		return "SELECT " + s.columns(Group{Has: -1}) + " WHERE false"
	}
	return strings.Join(selects, "\nUNION ALL\n")
}

func (s Scan) columns(group Group) string {
	list := make([]string, len(s.Columns), len(s.Columns)+1)
	for i, c := range s.Columns {
		name := Identifier(c.Name)
		value := name
		if group.Has < 0 || group.Has > 0 && i >= group.Has {
			value = "NULL"
		}
		list[i] = fmt.Sprintf("CAST(%s AS %s) AS %s", value, c.Type, name)
	}
	if s.Partition != "" {
		list = append(list, Literal(group.Partition)+" AS "+Identifier(s.Partition))
	}
	return strings.Join(list, ", ")
}

// Add puts one more file into the scan, beside those with as many columns.
func (s *Scan) Add(file string, has int) { s.AddTo("", file, has) }

// AddTo puts one more file of a partition into the scan.
func (s *Scan) AddTo(partition, file string, has int) {
	i := slices.IndexFunc(s.Groups, func(g Group) bool { return g.Has == has && g.Partition == partition })
	if i < 0 {
		i = len(s.Groups)
		s.Groups = append(s.Groups, Group{Has: has, Partition: partition})
	}
	s.Groups[i].Files = append(s.Groups[i].Files, file)
}

// View makes the scan readable as name, in place of what had that name before.
func (s *Session) View(ctx context.Context, name string, scan Scan) error {
	err := s.Exec(ctx, "CREATE OR REPLACE TEMP VIEW "+Identifier(name)+" AS "+scan.SQL())
	if err != nil {
		return fmt.Errorf("view %s: %w", name, err)
	}
	return nil
}
