package duck_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/duck"
)

func open(t *testing.T, o duck.Options) *duck.Session {
	t.Helper()
	if o.Scratch == "" {
		o.Scratch = t.TempDir()
	}
	s, err := duck.Open(t.Context(), o)
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

func TestLiteralAndIdentifierQuoteAnyText(t *testing.T) {
	s := open(t, duck.Options{})
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.ReplaceAll(rapid.String().Draw(rt, "text"), "\x00", "")
		var got string
		if err := s.Row(t.Context(), "SELECT "+duck.Literal(text)).Scan(&got); err != nil || got != text {
			rt.Fatalf("%q came back as %q, %v", text, got, err)
		}
		if text == "" {
			return // no identifier
		}
		rows, err := s.Rows(t.Context(), "SELECT 1 AS "+duck.Identifier(text))
		if err != nil {
			rt.Fatalf("identifier %q: %v", text, err)
		}
		defer rows.Close()
		if names, err := rows.Columns(); err != nil || names[0] != text {
			rt.Fatalf("identifier %q came back as %q, %v", text, names, err)
		}
	})
	for _, text := range []string{`'; DROP TABLE x; --`, `\' OR 1=1`, "%_\n\t", `"`, "🙂", "$1 ? {{.}}"} {
		var got string
		if err := s.Row(t.Context(), "SELECT "+duck.Literal(text)).Scan(&got); err != nil || got != text {
			t.Errorf("%q came back as %q, %v", text, got, err)
		}
	}
}

func TestASessionSeesOnlyItsFolders(t *testing.T) {
	allowed, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, duck.Options{Folders: []string{allowed}})
	for _, statement := range []string{
		"SELECT * FROM read_csv(" + duck.Literal(outside) + ")",
		"COPY (SELECT 1) TO " + duck.Literal(outside),
		"ATTACH " + duck.Literal(filepath.Join(filepath.Dir(outside), "x.db")),
		"INSTALL httpfs", "LOAD httpfs",
		"SET enable_external_access = true", "SET memory_limit = '1TB'",
	} {
		if err := s.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s: want an error", statement)
		}
	}
	if err := s.Exec(t.Context(), "COPY (SELECT 1 AS a) TO "+duck.Literal(filepath.Join(allowed, "x.parquet"))); err != nil {
		t.Errorf("its own folder: %v", err)
	}
}

// Instants mean the same in every session, whatever zone the machine is in.
func TestEverySessionIsInUTC(t *testing.T) {
	t.Setenv("TZ", "Asia/Tokyo")
	s := open(t, duck.Options{})
	beside, err := s.Beside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	for _, one := range []*duck.Session{s, beside} {
		var zone string
		if err := one.Row(t.Context(), "SELECT current_setting('TimeZone')").Scan(&zone); err != nil || zone != "UTC" {
			t.Errorf("%s, %v", zone, err)
		}
	}
}

// A file that lacks a column reads as NULL, and the type is the scan's, whatever
// the order of files (DuckDB alone would turn 5.5 into 6 here).
func TestAScanHasItsOwnTypes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, duck.Options{Folders: []string{dir}})
	old, integer, decimal := filepath.Join(dir, "old.parquet"), filepath.Join(dir, "integer.parquet"), filepath.Join(dir, "decimal.parquet")
	for path, query := range map[string]string{
		old: "SELECT 'o' AS id", integer: "SELECT 'i' AS id, CAST(7 AS BIGINT) AS q", decimal: "SELECT 'd' AS id, CAST(5.5 AS DECIMAL(18,6)) AS q",
	} {
		if n, err := s.CopyParquet(t.Context(), query, path); err != nil || n != 1 {
			t.Fatalf("%d rows, %v", n, err)
		}
	}
	for _, order := range [][]string{{old, integer, decimal}, {decimal, old, integer}, {integer, decimal, old}} {
		scan := duck.Scan{Columns: []duck.Column{{Name: "id", Type: "VARCHAR"}, {Name: "q", Type: "DECIMAL(18,6)"}}, Partition: "day"}
		for _, file := range order {
			has := 2
			if file == old {
				has = 1
			}
			scan.AddTo(filepath.Base(file)[:1], file, has)
		}
		if err := s.View(t.Context(), "v", scan); err != nil {
			t.Fatal(err)
		}
		var got string
		err := s.Row(t.Context(), "SELECT string_agg(id || coalesce(CAST(q AS VARCHAR), '?') || day, ' ' ORDER BY id) FROM v").Scan(&got)
		if want := "d5.500000d i7.000000i o?o"; err != nil || got != want {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
}

func TestAScanWithoutFilesIsEmptyButTyped(t *testing.T) {
	s := open(t, duck.Options{})
	scan := duck.Scan{Columns: []duck.Column{{Name: "q", Type: "DECIMAL(38,6)"}}, Partition: "period"}
	if err := s.View(t.Context(), "v", scan); err != nil {
		t.Fatal(err)
	}
	var n int
	var kind string
	if err := s.Row(t.Context(), "SELECT (SELECT count(*) FROM v), typeof((SELECT max(q) FROM v))").Scan(&n, &kind); err != nil || n != 0 || kind != "DECIMAL(38,6)" {
		t.Errorf("%d rows of %s, %v", n, kind, err)
	}
}

func TestABuilderLoadsEveryType(t *testing.T) {
	s := open(t, duck.Options{})
	b, err := duck.NewBuilder([]duck.Column{
		{Name: "t", Type: "VARCHAR"},
		{Name: "n", Type: "BIGINT"},
		{Name: "i", Type: "INTEGER"},
		{Name: "f", Type: "BOOLEAN"},
		{Name: "at", Type: "TIMESTAMP"},
		{Name: "c", Type: "DECIMAL(38,6)"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 20_000 // several batches
	for i := range rows {
		b.Append("x", int64(i), i, true, time.Date(2026, 10, 1, 0, 0, 0, 5000, time.UTC), decimal128.FromI64(int64(i)*1_500_000))
		b.Append(nil, nil, nil, nil, nil, nil)
	}
	if err := s.Load(t.Context(), "loaded", b); err != nil {
		t.Fatal(err)
	}
	var got string
	err = s.Row(t.Context(), `SELECT concat_ws(' ', count(*), count(t), sum(n), max(i), bool_and(f), max("at"), sum(c)) FROM loaded`).Scan(&got)
	// 0 + 1 + … + 19,999 = 199,990,000
	if want := "40000 20000 199990000 19999 true 2026-10-01 00:00:00.000005 299985000.000000"; err != nil || got != want {
		t.Errorf("loaded %q, %v; want %q", got, err, want)
	}
	if _, err := duck.NewBuilder([]duck.Column{{Name: "d", Type: "DOUBLE"}}); err == nil {
		t.Error("a binary float: want an error")
	}
}

func TestRecordBatchesComeOutAsTheyWentIn(t *testing.T) {
	s := open(t, duck.Options{})
	b, err := duck.NewBuilder([]duck.Column{{Name: "t", Type: "VARCHAR"}, {Name: "c", Type: "DECIMAL(18,6)"}})
	if err != nil {
		t.Fatal(err)
	}
	b.Append("paid", decimal128.FromI64(1_500_000))
	b.Append(nil, nil)
	if err := s.Load(t.Context(), "loaded", b); err != nil {
		t.Fatal(err)
	}
	reader, err := s.Arrow(t.Context(), "SELECT t, c FROM loaded WHERE t = ? OR t IS NULL", "paid")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	var got []string
	for reader.Next() {
		batch := reader.RecordBatch()
		for row := range int(batch.NumRows()) {
			got = append(got, batch.Column(0).ValueStr(row)+" "+batch.Column(1).ValueStr(row))
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"paid 1.5", "(null) (null)"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}
