package decode

// A tree is the paths that a mapping reads, as a trie of member names. Node 0 is
// the record itself.
type tree struct{ nodes []treeNode }

type treeNode struct {
	names    [][]byte // of the children
	children []int32
	mapped   bool // a path ends here
}

func newTree() *tree { return &tree{nodes: make([]treeNode, 1)} }

// add returns the node at the end of path, new or not.
func (t *tree) add(path []string) int32 {
	node := int32(0)
	for _, name := range path {
		child := t.child(node, []byte(name))
		if child == 0 {
			child = int32(len(t.nodes))
			t.nodes = append(t.nodes, treeNode{})
			n := &t.nodes[node]
			n.names = append(n.names, []byte(name))
			n.children = append(n.children, child)
		}
		node = child
	}
	t.nodes[node].mapped = true
	return node
}

// child returns the node of that name under node; 0: none.
func (t *tree) child(node int32, name []byte) int32 {
	n := &t.nodes[node]
	for i, known := range n.names {
		if string(known) == string(name) {
			return n.children[i]
		}
	}
	return 0
}
