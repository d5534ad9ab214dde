package jobs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
)

// A wantedFile is a file that the copy is to have.
type wantedFile struct {
	name    string // below the copy's place
	file    lake.File
	table   lake.Table
	rewrite bool // it is not the file of the lake byte for byte
}

// publishedTables are the tables of SPEC section 11, without those of our own.
func publishedTables() []lake.Table {
	return slices.DeleteFunc(lake.Tables(), func(t lake.Table) bool {
		return t.Name == lake.Voided.Name || t.Name == lake.KeptParties.Name
	})
}

// wantedFiles are the files that the copy of a lake has. A file that lacks columns which
// the table has today, or that has others besides, is rewritten; its name then ends with
// what tells the columns.
func wantedFiles(state *lake.State) []wantedFile {
	var want []wantedFile
	for _, table := range publishedTables() {
		schema := table.Schema(state.Columns)
		rewritten := "-" + schemaTag(schema) + ".parquet"
		for _, file := range state.Files(table) {
			w := wantedFile{name: strings.TrimPrefix(file.Path, "data/"), file: file, table: table}
			if file.Columns != len(schema) || file.Compacted() {
				w.name, w.rewrite = strings.TrimSuffix(w.name, ".parquet")+rewritten, true
			}
			want = append(want, w)
		}
	}
	slices.SortFunc(want, func(a, b wantedFile) int { return cmp.Compare(a.name, b.name) })
	return want
}

// schemaTag tells one list of columns from another in a file's name.
func schemaTag(columns []lake.Column) string {
	hash := sha256.New()
	for _, c := range columns {
		_, _ = io.WriteString(hash, c.Name+" "+c.Type+"\n") // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil))[:schemaTagDigits]
}

const schemaTagDigits = 12

var publishedNames = regexp.MustCompile(fmt.Sprintf(`^([a-z_]+)/(?:(day|period)=[0-9-]+/)?([0-7][0-9A-HJKMNP-TV-Z]{25})-[0-9]+(-[0-9a-f]{%d})?\.parquet$`, schemaTagDigits))

// isPublishedName reports whether a name is one that publish gives.
func isPublishedName(name string) bool {
	m := publishedNames.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	i := slices.IndexFunc(publishedTables(), func(t lake.Table) bool { return t.Name == m[1] })
	return i >= 0 && partitionColumn(publishedTables()[i]) == m[2]
}

// A publishListing is what lies in the place of the copy.
type publishListing struct {
	files  map[string]int64 // bytes by name
	strays []string         // names that publish does not give, in order
}

// list lists the place of the copy.
func (p *publisher) list(ctx context.Context) (publishListing, error) {
	there := publishListing{files: map[string]int64{}}
	for object, err := range p.store.List(ctx, p.prefix) {
		if err != nil {
			return there, fmt.Errorf("list what is published: %w", err)
		}
		switch name := strings.TrimPrefix(object.Key, p.prefix); {
		case isPublishedName(name):
			there.files[name] = object.Bytes
		case name != asOfName && name != ownerName:
			there.strays = append(there.strays, name)
		}
	}
	return there, nil
}

// A publishPlan is what there is to do to a copy.
type publishPlan struct {
	add    []wantedFile
	remove []string
}

func (p publishPlan) isEmpty() bool { return len(p.add) == 0 && len(p.remove) == 0 }

// compare compares what is there with what is wanted. The size of what was copied is that
// of the lake's file; of what was rewritten it is the one that the copy said when it was
// whole, where it said any.
func (p *publisher) compare(there publishListing, want []wantedFile, said said) publishPlan {
	var plan publishPlan
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w.name] = true
		bytes, found := there.files[w.name]
		right := found && bytes == w.file.Bytes
		if w.rewrite {
			before, known := said.rewritten[w.name]
			right = found && bytes > 0 && (!known || bytes == before || p.made[w.name])
		}
		if !right || p.options.Full && !p.made[w.name] {
			plan.add = append(plan.add, w)
		}
	}
	for name := range there.files {
		if !wanted[name] {
			plan.remove = append(plan.remove, name)
		}
	}
	slices.Sort(plan.remove)
	return plan
}

// local is the name of a file of the desk for what is rewritten.
func (w wantedFile) local() string { return "publish-" + path.Base(w.name) }
