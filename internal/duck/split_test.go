package duck_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/duck"
)

// » stands for where a text begins, or for the second of its statements.
func TestBeginIsThatOfTheStatementOrOfTheOneTooMany(t *testing.T) {
	t.Parallel()
	for _, marked := range []string{"»SELECT 1", "\n\n  »SELECT 1;", "-- a; b\n/* c */ »SELECT ';'", "SELECT 1; »SELECT 2; SELECT 3", "SELECT 'é;'; /* ; */ »SELECT 2", ";;\n»'open"} {
		before, after, _ := strings.Cut(marked, "»")
		line, column := duck.Begin(before + after)
		if wantColumn := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1; line != strings.Count(before, "\n")+1 || column != wantColumn {
			t.Errorf("%q: %d:%d", marked, line, column)
		}
	}
	if line, column := duck.Begin(" ; -- nothing"); line != 0 || column != 0 {
		t.Errorf("nothing begins at %d:%d", line, column)
	}
}

func TestSplitEndsStatementsAtSemicolons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
		open bool
	}{
		{"", nil, false},
		{" ;\n; -- nothing\n/* nor here; */", nil, false},
		{"SELECT 1", []string{"SELECT 1"}, true},
		{"SELECT 1;", []string{"SELECT 1"}, false},
		{"SELECT 1; SELECT 2 ;", []string{"SELECT 1", "          SELECT 2 "}, false},
		{"SELECT 1;\nSELECT\n2;\n", []string{"SELECT 1", "\nSELECT\n2"}, false},
		{"SELECT ';', \";\", $$;$$, $a$;$$;$a$, E'\\';' -- ;\n, /* ; /* ; */ ; */ 1; x", []string{"SELECT ';', \";\", $$;$$, $a$;$$;$a$, E'\\';' -- ;\n, /* ; /* ; */ ; */ 1", "\n                       x"}, true},
		{"SELECT 'it''s;' ; ", []string{"SELECT 'it''s;' "}, false},
		{`SELECT '\';`, []string{`SELECT '\'`}, false},
		{"SELECT a$b$ ; SELECT $period;", []string{"SELECT a$b$ ", "              SELECT $period"}, false},
		{"SELECT $1$;", []string{"SELECT $1$"}, false},
		{"SELECT 'a;\nb", []string{"SELECT 'a;\nb"}, true},
		{"/* a;\n", []string{"/* a;\n"}, true},
		{"-- why\nSELECT 1;", []string{"-- why\nSELECT 1"}, false},
		{"é; é", []string{"é", "   é"}, true},
	} {
		got, open := duck.Split(c.text)
		var texts []string
		for _, statement := range got {
			texts = append(texts, statement.Text)
			if lines := strings.Count(statement.Text, "\n") - strings.Count(strings.TrimLeft(statement.Text, "\n"), "\n") + 1; lines != statement.Line {
				t.Errorf("%q: %q is said to begin on line %d", c.text, statement.Text, statement.Line)
			}
		}
		if !slices.Equal(texts, c.want) || open != c.open {
			t.Errorf("%q: %q, open %t", c.text, texts, open)
		}
	}
}

func TestSingleIsTheStatementWithoutItsSemicolon(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT 1 ; -- x": "SELECT 1 ", "SELECT 1": "SELECT 1", "SELECT 1; SELECT 2": "SELECT 1; SELECT 2", "": "", "SELECT ';'": "SELECT ';'",
	} {
		if got := duck.Single(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestCommentsAreLeftOut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"-- rated\nSELECT 1 -- usage": " \nSELECT 1  ", "SELECT '-- rated', \"/* x */\"": "SELECT '-- rated', \"/* x */\"", "SELECT 1 /*\n-- */ FROM rated": "SELECT 1   FROM rated",
		"/* a /* b */ c */ d": "  d", "x /* open": "x  ", "$$ -- $$ -- x": "$$ -- $$  ",
	} {
		if got := duck.WithoutComments(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestOneLineReadsTheSame(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"SELECT 1,\n  2\nFROM t;\n": {"SELECT 1,   2 FROM t;"},
		"SELECT 'a\nb';":            {"SELECT 'a", "b';"},
		"SELECT 1 -- one\n, 2;":     {"SELECT 1 -- one", ", 2;"},
		"SELECT 1; -- one":          {"SELECT 1; -- one"},
		".tables\n":                 {".tables"},
	} {
		if got := duck.OneLine(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// DuckDB's parser finds as many statements as Split in whatever it takes.
func TestSplitFindsWhatDuckDBFinds(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	pieces := []string{
		"SELECT 1", "SELECT 'a'", ";", ";", ";", "\n", " ", "'", "''", "\"", "$$", "$a$", "$period", "--", "/*", "*/", "E'", "\\", "\\'", "a", "1", "e", "é", "AS", ",", "x$y", " AS \"b;\"", " -- c;\n", "/* ; */", "$1", "U&'a'", "x'00'",
	}
	found := 0
	check := func(r *rapid.T, text string) {
		var answer string
		if err := s.Row(t.Context(), "SELECT CAST(json_serialize_sql("+duck.Literal(text)+") AS VARCHAR)").Scan(&answer); err != nil {
			return
		}
		var tree struct {
			Error      bool  `json:"error"`
			Statements []any `json:"statements"`
		}
		if json.Unmarshal([]byte(answer), &tree) != nil || tree.Error {
			return
		}
		statements, _ := duck.Split(text)
		if len(statements) != len(tree.Statements) {
			r.Fatalf("%q: %d statements, DuckDB has %d", text, len(statements), len(tree.Statements))
		}
		found += len(statements)
	}
	rapid.Check(t, func(r *rapid.T) {
		for range 5 {
			check(r, "SELECT 1"+strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 8).Draw(r, "pieces"), ""))
		}
	})
	if found < 20 {
		t.Errorf("%d statements in texts that DuckDB takes", found)
	}
}
