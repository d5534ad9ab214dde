package duck_test

import (
	"database/sql"
	"fmt"
	"reflect"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

func values(t *testing.T, rows *sql.Rows, err error) (all [][]any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Every type of DuckDB that its driver reads comes out of a kept result as it comes out of
// the query, and so do rows that are cut off.
func TestKeptResultsHaveTheValuesOfTheirQuery(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	query := duck.Query{Text: "SELECT * EXCLUDE (time_ns) FROM test_all_types() -- and so on"}
	rows, err := s.Rows(t.Context(), query.Text)
	want := values(t, rows, err)
	kept, err := s.Keep(t.Context(), query)
	if err != nil || kept.Rows != int64(len(want)) || kept.Rows != 3 {
		t.Fatalf("%+v, %v", kept, err)
	}
	rows, err = kept.Slice(t.Context(), 0, 10)
	if got := values(t, rows, err); !reflect.DeepEqual(fmt.Sprint(got), fmt.Sprint(want)) {
		t.Errorf("kept  %v\nasked %v", got, want)
	}
	rows, err = kept.Slice(t.Context(), 1, 1)
	if got := values(t, rows, err); fmt.Sprint(got) != fmt.Sprint(want[1:2]) {
		t.Errorf("the second row is %v", got)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err = s.First(t.Context(), query, 2)
	if got := values(t, rows, err); fmt.Sprint(got) != fmt.Sprint(want[:2]) {
		t.Errorf("first %v", got)
	}
}

// More rows than the session's memory holds are kept, in their order.
func TestAKeptResultMayBeLargerThanMemory(t *testing.T) {
	t.Parallel()
	s, err := duck.Open(t.Context(), duck.Options{Memory: "40MB", Threads: 2, Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 600_000 // of 100 bytes and more
	kept, err := s.Keep(t.Context(), duck.Query{Text: "SELECT i + 1 AS n, repeat(md5(CAST(i AS VARCHAR)), 3) AS text FROM range($n) AS r(i)"}, sql.Named("n", n))
	if err != nil {
		t.Fatal(err)
	}
	next := int64(1)
	const slice = 60_000
	for from := int64(0); from < kept.Rows; from += slice {
		rows, err := kept.Slice(t.Context(), from, slice)
		for _, row := range values(t, rows, err) {
			if fmt.Sprint(row[0]) != fmt.Sprint(next) {
				t.Fatalf("row %d is %v", next, row)
			}
			next++
		}
	}
	if next != n+1 {
		t.Errorf("%d rows", next-1)
	}
	if err := kept.Close(); err != nil {
		t.Error(err)
	}
}

func TestReadOnlySaysWhatAQueryIs(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	for text, want := range map[string]duck.Query{
		"SELECT 1 AS a, 2 AS a":                                   {Columns: []string{"a", "a"}},
		"SELECT t FROM live WHERE t = $period AND $Account <> ''": {Columns: []string{"t"}, Parameters: []string{"period", "Account"}},
		"EXPLAIN SELECT t FROM live WHERE t = $period":            {Columns: []string{"explain_key", "explain_value"}, Parameters: []string{"period"}, Explains: true},
		"SELECT $period":                                          {Parameters: []string{"period"}},
		"SELECT n FROM live WHERE t = ?":                          {Columns: []string{"n"}, Parameters: []string{"1"}},
		"SELECT table_name FROM information_schema.tables":        {Columns: []string{"table_name"}, Catalog: true},
		"SELECT 1 AS x WHERE EXISTS (FROM (SHOW TABLES))":         {Columns: []string{"x"}, Catalog: true},
		"SELECT '$period' AS x, $$ $account $$ AS y -- $period":   {Columns: []string{"x", "y"}},
		"SELECT CAST($period AS VARCHAR) AS p":                    {Columns: []string{"p"}, Parameters: []string{"period"}},
	} {
		want.Text = text
		if got, err := s.ReadOnly(t.Context(), text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
