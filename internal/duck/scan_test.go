package duck_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

// However many partitions there are, each row has that of its file, or what its file's
// own column says; a column that is none of the table is read where it is asked for.
func TestAScanOfManyPartitions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, duck.Options{Folders: []string{dir}})
	write := func(name, query string) string {
		path := filepath.Join(dir, name)
		if _, err := s.CopyParquet(t.Context(), query, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := write("own.parquet", "SELECT 1 AS n, 77 AS run UNION ALL SELECT 2, 78")
	for _, partitions := range []int{3, 600} { // a branch each, and all in one
		scan := duck.Scan{Columns: []duck.Column{{Name: "filename", Type: "VARCHAR"}, {Name: "n", Type: "BIGINT"}}, Partition: "p"}
		for i := range partitions {
			scan.AddTo(fmt.Sprint("it's ", i%partitions), write(fmt.Sprintf("it's %d.parquet", i), fmt.Sprintf("SELECT 'x' AS filename, %d AS n", i)), 1+i%2)
		}
		for name, query := range map[string]string{
			"rows": "SELECT count(*) FILTER (filename = 'x' AND n IS NULL) || ' ' || count(*) FILTER (filename = 'x' AND p = 'it''s ' || n) FROM v",
			"one":  "SELECT count(*) || ' ' || max(n) FROM v WHERE p = 'it''s 1'",
		} {
			if err := s.View(t.Context(), "v", scan); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"rows": fmt.Sprintf("%d %d", (partitions+1)/2, partitions/2), "one": "1 1"}[name]
			var got string
			if err := s.Row(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%d partitions, %s: %q, %v; want %q", partitions, name, got, err, want)
			}
		}
		hidden := duck.Scan{Columns: []duck.Column{{Name: "n", Type: "BIGINT"}}, Hidden: []duck.Column{{Name: "run", Type: "BIGINT"}}, Partition: "p"}
		for i := range partitions {
			hidden.AddTo(fmt.Sprint(i), filepath.Join(dir, fmt.Sprintf("it's %d.parquet", i)), 0)
		}
		hidden.AddGroup(duck.Group{Files: []string{own}, From: "run", Hidden: true})
		if err := s.View(t.Context(), "h", hidden); err != nil {
			t.Fatal(err)
		}
		var got string
		err := s.Row(t.Context(), "SELECT string_agg(n || ' ' || run || ' ' || p, ', ' ORDER BY n) FILTER (run IS NOT NULL) || ', ' || count(*) FILTER (run IS NULL AND p = CAST(n AS VARCHAR)) FROM h").Scan(&got)
		if want := fmt.Sprintf("1 77 77, 2 78 78, %d", partitions); err != nil || got != want {
			t.Errorf("%d partitions, hidden: %q, %v; want %q", partitions, got, err, want)
		}
	}
}
