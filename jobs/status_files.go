package jobs

import "github.com/creditmill/creditmill/internal/lake"

// Fragments are the small files of a table that compaction could make few.
type Fragments struct {
	Table string
	Files int
	Bytes int64
}

// manyFiles is how many small files of a table are worth a hint; fewer make nothing slow.
const manyFiles = 256

// fragmented are the tables of which compaction could merge many files.
func (m *Mill) fragmented() []Fragments {
	byTable := map[string]Fragments{}
	for _, g := range m.merges(0, m.isSettled) {
		sum := byTable[g.table.Name]
		byTable[g.table.Name] = Fragments{g.table.Name, sum.Files + len(g.files), sum.Bytes + g.bytes()}
	}
	var list []Fragments
	for _, table := range lake.Tables() {
		if sum := byTable[table.Name]; sum.Files >= manyFiles {
			list = append(list, sum)
		}
	}
	return list
}
