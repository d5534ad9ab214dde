package duck_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

// » stands for the place of an error, which is none of the statement.
func TestPlaceSaysWhereAnErrorStands(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	long := strings.Repeat("1, ", 80)
	for _, marked := range []string{
		"SELECT »nothing FROM live", "SELECT n,\n  »nothing\nFROM live", "SELECT 1 FRM »x", "EXPLAIN SELECT 1 FRM »x", "EXPLAIN ANALYZE\nSELECT »foo(1)", "EXPLAIN\nSELECT n FRM\n»x y z",
		"SELECT 'é', '日本語', »nothing FROM live", "SELECT " + long + "»nothing, " + long + "1 FROM live", "\n\n\n      SELECT »nothing", "SELECT n FROM live\n\n\n\n\n\n\n\nWHERE »nothing",
		"»SELEC 1", "\n\n   »SELEC 1", "EXPLAIN »SELEC 1", "EXPLAIN\nANALYZE »SELEC 1", "»exit", "SELECT 1;\n»SELEC 2", "-- why\n»1 + 1", "SELECT 'é', '日本語' FRM »x y", "SELECT\r\n1 FRM »x y\r\n", "SELECT (1»\n\n", "COPY live TO»",
		"SELECT " + long + "1 FRM »x y " + long, "SELECT '\t', 1 FRM »x y",
	} {
		before, after, _ := strings.Cut(marked, "»")
		line := strings.Count(before, "\n") + 1
		column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
		_, err := s.ReadOnly(t.Context(), before+after)
		if gotLine, gotColumn := duck.Place(err, before+after); gotLine != line || gotColumn != column {
			t.Errorf("%q: %d:%d, not %d:%d, of\n%v", marked, gotLine, gotColumn, line, column, err)
		}
	}
	for _, err := range []error{nil, errors.New("LINE 1: SELECT x\n               ^"), duck.ErrNotReadOnly} {
		if line, column := duck.Place(err, "SELECT x"); line != 0 || column != 0 {
			t.Errorf("%v: %d:%d", err, line, column)
		}
	}
}

// What a text that is no statement is refused with is the error of DuckDB, which shows the
// place in the same way where all is ASCII.
func TestTextThatIsNoStatementHasTheErrorOfDuckDB(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	for _, text := range []string{
		"SELEC 1", "exit", "help me", "\n\n   SELEC 1", "EXPLAIN SELEC 1", "EXPLAIN ANALYZE SELEC 1", "SELECT 1;\nSELEC 2", "1 + 1", "'abc", "/* a", "SELECT", "SELECT 1 FRM x y", "WITH a AS (SELECT 1), a AS (SELECT 2) SELECT 1", "COPY live TO TO 'x.csv'", "EXPORT DATABASE 1",
	} {
		_, err := s.ReadOnly(t.Context(), text)
		want := s.Exec(t.Context(), text)
		if err == nil || want == nil || err.Error() != want.Error() || errors.Is(err, duck.ErrNotReadOnly) {
			t.Errorf("%q: %v\nnot %v", text, err, want)
		}
	}
	for _, text := range []string{"", " ; ;\n", "-- nothing", "/* nothing */"} {
		if _, err := s.ReadOnly(t.Context(), text); !errors.Is(err, duck.ErrNoStatement) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What is wrapped around a statement to keep its result does not show in its errors.
func TestErrorsOfKeptResultsSayTheLineOfTheStatement(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	for lines := range 12 {
		text := strings.Repeat("\n", lines) + "SELECT CAST(t AS INTEGER) FROM live"
		query, err := s.ReadOnly(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Keep(t.Context(), query)
		line, column := duck.Place(err, text)
		if line != lines+1 || column != 8 || !strings.Contains(err.Error(), fmt.Sprintf("LINE %d: SELECT", lines+1)) {
			t.Errorf("line %d: %d:%d of\n%v", lines+1, line, column, err)
		}
		first, firstErr := s.First(t.Context(), query, 1)
		if firstErr == nil {
			_ = first.Close() //nolint:sqlclosecheck // the test fails below
		}
		if firstErr == nil || err == nil || firstErr.Error() != err.Error() {
			t.Errorf("line %d: %v, and of the first rows %v", lines+1, err, firstErr)
		}
	}
}
