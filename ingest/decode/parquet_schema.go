package decode

import (
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// A parquetNode is a column, or a group of them, as the file's schema has it.
type parquetNode struct {
	name     string
	children []*parquetNode // of a group
	leaves   []*leaf        // the columns in it, at least one
	def, rep int16          // levels of a value that is there
	repeated bool
	list     bool // a group that stands for a list, or for a map
}

// scalar reports whether a row has at most one value of it.
func (n *parquetNode) scalar() bool { return n.children == nil && n.rep == 0 }

// structure reports whether a path leads through it.
func (n *parquetNode) structure() bool {
	return n.children != nil && n.rep == 0 && !n.list
}

// maxParquetDepth bounds how deep groups may be nested: no writer comes near.
const maxParquetDepth = 100

// parquetSchema returns the columns of a schema as a tree, and those that have
// values in the order in which row groups have them. Groups without a column, which
// cannot have a value, are left out.
func parquetSchema(s *schema.Schema) (root []*parquetNode, leaves []*leaf) {
	return parquetGroup(s, s.Root(), nil, nil, 0)
}

func parquetGroup(s *schema.Schema, group *schema.GroupNode, parent *parquetNode, leaves []*leaf, depth int) ([]*parquetNode, []*leaf) {
	var nodes []*parquetNode
	if depth > maxParquetDepth {
		panic("its columns are nested too deep")
	}
	for i := range group.NumFields() {
		field := group.Field(i)
		n := &parquetNode{name: field.Name()}
		optional := field.RepetitionType() == parquet.Repetitions.Optional
		n.repeated = field.RepetitionType() == parquet.Repetitions.Repeated
		if parent != nil {
			n.def, n.rep = parent.def, parent.rep
		}
		if optional || n.repeated {
			n.def++
		}
		if n.repeated {
			n.rep++
		}
		first := len(leaves)
		if inner, ok := field.(*schema.GroupNode); ok {
			switch field.LogicalType().(type) {
			case schema.ListLogicalType, schema.MapLogicalType:
				n.list = true
			}
			n.children, leaves = parquetGroup(s, inner, n, leaves, depth+1)
		} else {
			leaves = append(leaves, &leaf{index: first, column: s.Column(first)})
		}
		if n.leaves = leaves[first:len(leaves):len(leaves)]; len(n.leaves) > 0 {
			nodes = append(nodes, n)
		}
	}
	return nodes, leaves
}
