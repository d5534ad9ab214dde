package sql_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/sql"
)

var name = regexp.MustCompile(`^(portable|duckdb|checks|views|questions|report)/[a-z0-9_]+$`)

// named returns the statement names in the string literals of the product's code.
func named(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && name.MatchString(text) {
					names[text] = path
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func files(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*/*.sql")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d statements, %v", len(paths), err)
	}
	return paths
}

func TestEveryStatementIsUsedAndEveryNameExists(t *testing.T) {
	names := named(t)
	for _, path := range files(t) {
		listed := slices.Contains([]string{"joins", "questions", "views"}, filepath.Dir(path)) // by sql.Names
		if _, ok := names[strings.TrimSuffix(path, ".sql")]; !ok && !listed {
			t.Errorf("%s is named nowhere", path)
		}
		delete(names, strings.TrimSuffix(path, ".sql"))
	}
	for missing, path := range names {
		t.Errorf("%s names %s, which does not exist", path, missing)
	}
}

func TestEveryStatementSaysWhy(t *testing.T) {
	for _, path := range files(t) {
		if text := sql.Text(strings.TrimSuffix(path, ".sql")); !strings.HasPrefix(text, "-- ") && !strings.HasPrefix(text, "{{- /*") {
			t.Errorf("%s starts with no comment", path)
		}
	}
}

// DuckDB 1.5 may fail a window over everything with "access index 0 within vector
// of size 0": two of its threads race (duckdb/duckdb#25713). A count over all rows
// is a scalar subquery instead.
func TestNoStatementHasAWindowOverEverything(t *testing.T) {
	everything := regexp.MustCompile(`(?i)\bOVER\s*\(\s*\)`)
	for _, path := range files(t) {
		if found := everything.FindString(sql.Text(strings.TrimSuffix(path, ".sql"))); found != "" {
			t.Errorf("%s: %s", path, found)
		}
	}
}
