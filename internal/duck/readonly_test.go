package duck_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

func TestCheckReadOnlyTakesOneSelect(t *testing.T) {
	s := openSession(t, t.TempDir())
	for _, text := range []string{
		"SELECT 1", "select 1;", "FROM range(3)", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)",
		"EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "explain (format json) SELECT 1", "-- why\nSELECT 1", "/* why */ (SELECT 1)", "DESCRIBE SELECT 1", "SHOW TABLES",
	} {
		if err := s.CheckReadOnly(context.Background(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckReadOnlyRefusesTheRestAndRunsNothing(t *testing.T) {
	dir := t.TempDir()
	s := openSession(t, dir)
	ctx := context.Background()
	if err := s.Exec(ctx, "CREATE TEMP TABLE t (a INTEGER)"); err != nil {
		t.Fatal(err)
	}
	target := duck.Literal(filepath.Join(dir, "x.csv"))
	for _, text := range []string{
		"COPY (SELECT 1) TO " + target,
		"SELECT 1; SELECT 2",
		"COPY (SELECT 1) TO " + target + "; SELECT 1",
		"EXPLAIN ANALYZE COPY (SELECT 1) TO " + target,
		"EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
		"/* */ EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
		"EXPLAIN (ANALYZE) INSERT INTO t VALUES (1)",
		"INSERT INTO t VALUES (1)", "DROP TABLE t", "SET memory_limit = '1GB'", "PRAGMA version", "/* a /* b */ */ SELECT 1", "; SELECT 1", "",
		"EXPLAIN EXPORT DATABASE " + target, "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO " + target, "CALL pragma_version()",
		"PREPARE p AS SELECT 1", "ATTACH ':memory:' AS other", "BEGIN", "EXPORT DATABASE " + target, "LOAD parquet",
	} {
		if err := s.CheckReadOnly(ctx, text); !errors.Is(err, duck.ErrNotReadOnly) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"SELECT 1 +", "SELECT nothing FROM nowhere"} {
		if err := s.CheckReadOnly(ctx, text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	var n int
	if err := s.Row(ctx, "SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows inserted, %v", n, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("files %v, %v", files, err)
	}
}

func openSession(t *testing.T, dir string) *duck.Session {
	t.Helper()
	s, err := duck.Open(context.Background(), duck.Options{Folders: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
