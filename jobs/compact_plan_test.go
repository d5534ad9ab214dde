package jobs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/rate/price"
)

// A merged file comes to 256 MB at most; one of rated takes in another day only while
// it is under 32 MB. A file that would stand alone is left as it is.
func TestMergesAreNotTooLarge(t *testing.T) {
	t.Parallel()
	m := &Mill{Prices: new(price.Book)}
	for _, c := range []struct {
		table lake.Table
		files string // megabytes and, of rated, the day of each
		want  string
	}{
		{lake.Usage, "1 2 3 4", "1+2+3+4"},
		{lake.Usage, "127 127 2 1", "127+127+2 1"},
		{lake.Usage, "127 127 127 127 100", "127+127 127+127 100"},
		{lake.Rated, "20/3 20/1 10/2 20/2 5/3", "20+10+20 20+5"},
		{lake.Rated, "31/1 1/2 1/3 40/4 40/5 40/5", "31+1 1+40 40+40"},
		{lake.Rated, "100/1 100/1 100/1 100/1", "100+100 100+100"},
	} {
		var files []lake.File
		for i, text := range strings.Fields(c.files) {
			var size, day int
			if _, err := fmt.Sscanf(text+"/1", "%d/%d", &size, &day); err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 10, day, 0, 0, 0, 0, time.UTC)
			files = append(files, lake.File{Table: c.table.Name, Path: fmt.Sprint(i), Run: int64(i + 1), Bytes: int64(size) << 20, MinTime: &at, MaxTime: &at})
		}
		alone := map[string]bool{}
		for _, f := range files {
			alone[f.Path] = true
		}
		var got []string
		for _, g := range m.pack(c.table, slices.Clone(files)) {
			var sizes []string
			for _, f := range g.files {
				sizes = append(sizes, fmt.Sprint(f.Bytes>>20))
				delete(alone, f.Path)
			}
			got = append(got, strings.Join(sizes, "+"))
		}
		for _, f := range files {
			if alone[f.Path] {
				got = append(got, fmt.Sprint(f.Bytes>>20))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s: %q, want %q", c.table.Name, c.files, got, c.want)
		}
	}
	var many []merge
	for i := range 40 {
		many = append(many, merge{files: []lake.File{{Path: fmt.Sprint(i), Bytes: 250 << 20}}})
	}
	if n := len(oneRun(many)); n != 17 { // 16 × 250 MiB are under 4 GiB
		t.Errorf("one run makes %d merges of 250 MiB, want 17", n)
	}
}
