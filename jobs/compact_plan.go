package jobs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/rate"
)

const (
	smallBytes  = 128 << 20 // bytes: a file under it is merged with others
	fullBytes   = 256 << 20 // bytes that the files merged into one come to at most
	dayBytes    = 32 << 20  // bytes from which on a merged file of rated takes in no other day: whoever reads a day reads it whole
	enoughFiles = 4         // small files of a partition that are worth a merge, see CompactOptions.Least
	runBytes    = 4 << 30   // bytes that one run merges, about
	settled     = 48 * time.Hour
)

// A merge is files of one partition that become one file with the same rows.
type merge struct {
	table lake.Table
	files []lake.File
	tags  map[string]string
}

func (g merge) bytes() (n int64) {
	for _, f := range g.files {
		n += f.Bytes
	}
	return n
}

// A mergeKey is what files must have in common to become one.
type mergeKey struct {
	partition string
	// class tells apart what a later run must tell apart by file alone: of usage, before
	// which cuts it came; of rejected, whether a close has accepted it; and tags.
	class string
}

// merges are the merges that there are to do of the files that are wanted, oldest
// partition first; see CompactOptions for least.
func (m *Mill) merges(least int, wanted func(lake.File) bool) []merge {
	if least == 0 {
		least = enoughFiles
	}
	var all []merge
	for _, table := range []lake.Table{lake.Objects, lake.AccountEvents, lake.Usage, lake.Rejected, lake.Voided, lake.Rated} {
		groups := map[mergeKey][]lake.File{}
		for _, file := range m.Lake.State().Files(table) {
			if class, ok := m.mergeable(file); ok && wanted(file) {
				key := mergeKey{file.Partition, class}
				groups[key] = append(groups[key], file)
			}
		}
		for _, key := range slices.SortedFunc(maps.Keys(groups), func(a, b mergeKey) int {
			return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.class, b.class))
		}) {
			if files := groups[key]; len(files) >= least {
				all = append(all, m.pack(table, files)...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b merge) int { return cmp.Compare(a.files[0].Partition, b.files[0].Partition) })
	return all
}

// isSettled reports whether a file is of no partition by day, or of a day that ended a
// while ago: what still comes for a day would make one more small file of it.
func (m *Mill) isSettled(file lake.File) bool {
	day, err := time.Parse(time.DateOnly, file.Partition)
	return err != nil || day.AddDate(0, 0, 1).Add(settled).Before(m.Now())
}

// mergeable reports whether a file may be merged, and with which others: of what later
// runs ask its file about a row, all rows of the merged one must have the same answer.
func (m *Mill) mergeable(file lake.File) (class string, ok bool) {
	state := m.Lake.State()
	if file.Bytes >= smallBytes {
		return "", false
	}
	class = tagText(plainTags(file))
	switch file.Table {
	case lake.Usage.Name: // it is rated, and posts to one period
		posting := state.PostingPeriod(file.Origin(), m.Config.FirstPeriod)
		return posting.String() + " " + class, file.Origin() <= state.RatedThrough
	case lake.Rejected.Name:
		return strconv.FormatBool(file.Accepted(state.Accepted)) + " " + class, true
	case lake.Voided.Name:
		return class, file.Pending() == 0
	case lake.Rated.Name: // it is priced as it would be today, and nothing of it is held or was moved on
		held := file.Tags[rate.TagHeld] != "" || file.Tags[rate.TagNotOpened] != "" || file.Tags[tagLeft] != ""
		return class, !held && file.Tags[rate.TagPrices] == m.Prices.Fingerprint(*file.MinTime, *file.MaxTime)
	default:
		return class, true
	}
}

// plainTags are the tags of a file that say the same of any file that takes its rows in.
func plainTags(file lake.File) map[string]string {
	tags := maps.Clone(file.Tags)
	for _, tag := range []string{lake.TagOrigin, lake.TagOrigins, lake.TagReadBy, lake.TagAccepted, lake.TagPending, rate.TagPrices} {
		delete(tags, tag)
	}
	return tags
}

func tagText(tags map[string]string) string {
	var text strings.Builder
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(&text, "%q=%q ", tag, tags[tag])
	}
	return text.String()
}

// pack deals files that may become one out to merges that are not too large.
func (m *Mill) pack(table lake.Table, files []lake.File) []merge {
	if table.Name == lake.Rated.Name { // so that a merged file has few days
		slices.SortStableFunc(files, func(a, b lake.File) int { return a.MinTime.Compare(*b.MinTime) })
	}
	var merges []merge
	var bin []lake.File
	var bytes int64
	for i, file := range files {
		nextDay := i > 0 && table.Name == lake.Rated.Name && bytes >= dayBytes && dayOf(*file.MinTime) != dayOf(*files[i-1].MinTime)
		if bytes+file.Bytes > fullBytes || nextDay {
			merges = append(merges, merge{table: table, files: bin})
			bin, bytes = nil, 0
		}
		bin, bytes = append(bin, file), bytes+file.Bytes
	}
	merges = slices.DeleteFunc(append(merges, merge{table: table, files: bin}), func(g merge) bool { return len(g.files) < 2 })
	for i := range merges {
		merges[i].tags = m.mergedTags(merges[i])
	}
	return merges
}

// mergedTags are the tags of the file that a merge makes.
func (m *Mill) mergedTags(g merge) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, plainTags(g.files[0]))
	origins := map[int64]bool{}
	for _, file := range g.files {
		for _, run := range file.Origins() {
			origins[run] = true
		}
	}
	runs := slices.Sorted(maps.Keys(origins))
	newest := strconv.FormatInt(runs[len(runs)-1], 10)
	switch g.table.Name {
	case lake.Rated.Name:
		first, last := g.span()
		tags[rate.TagPrices] = m.Prices.Fingerprint(first, last)
	case lake.AccountEvents.Name:
		tags[lake.TagOrigin] = newest
	case lake.Usage.Name, lake.Rejected.Name:
		list := make([]string, len(runs))
		for i, run := range runs {
			list[i] = strconv.FormatInt(run, 10)
		}
		tags[lake.TagOrigin], tags[lake.TagOrigins] = newest, strings.Join(list, " ")
		if g.table.Name == lake.Rejected.Name && g.files[0].Accepted(m.Lake.State().Accepted) {
			tags[lake.TagAccepted] = "true"
		}
	}
	return tags
}

// span is the time that the rows of a merge are of; zero where its table has none.
func (g merge) span() (first, last time.Time) {
	for i, file := range g.files {
		if file.MinTime == nil || file.MaxTime == nil {
			return time.Time{}, time.Time{}
		}
		if i == 0 || file.MinTime.Before(first) {
			first = *file.MinTime
		}
		if i == 0 || file.MaxTime.After(last) {
			last = *file.MaxTime
		}
	}
	return first, last
}

// fragmented is how many small files of a partition of a period are too many for who
// works on the period once it is closed.
const fragmented = 64

// fragments returns what takes the files of partitions that a closed period has in far
// too many files: of rated, of the days of usage, and of tables that are not partitioned.
func (m *Mill) fragments(p period.Period, tables ...lake.Table) func(lake.File) bool {
	start, end := m.Calendar.Start(p), m.Calendar.End(p)
	small := map[string]int{}
	place := func(file lake.File) string { return file.Table + "/" + file.Partition }
	for _, table := range tables {
		for _, file := range m.Lake.State().Files(table) {
			if file.Bytes < smallBytes {
				small[place(file)]++
			}
		}
	}
	return func(file lake.File) bool {
		if day, err := time.Parse(time.DateOnly, file.Partition); err == nil && (!day.Before(end) || !day.AddDate(0, 0, 1).After(start)) {
			return false
		}
		of, err := period.Parse(file.Partition)
		return small[place(file)] > fragmented && (err != nil || of == p)
	}
}
