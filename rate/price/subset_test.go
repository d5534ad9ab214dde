package price

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the SELECT may call and say: it has to run on DuckDB and on Trino alike
// (SQL.md). Whoever adds a word here has looked it up for both.
var (
	allowedFunctions = words("CAST TRY_CAST DECIMAL COALESCE translate mod ceil IN array_position chr")
	// Words before a parenthesis that are no function.
	allowedBefore = words("AS FROM WHEN THEN ELSE AND OR NOT CASE BETWEEN LIKE WHERE SELECT IS")
	refusedWords  = words("QUALIFY ASOF PIVOT EXCLUDE ILIKE SIMILAR GLOB UNNEST LATERAL STRUCT MAP USING LIMIT")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

var token = regexp.MustCompile(`--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|\s+|<>|<=|>=|\|\||.`)

// outsideSubset lists what a statement has that the subset has not.
func outsideSubset(statement string) (bad []string) {
	var list []string
	for _, tok := range token.FindAllString(statement, -1) {
		if strings.TrimSpace(tok) != "" && !strings.HasPrefix(tok, "--") {
			list = append(list, tok)
		}
	}
	for i, tok := range list {
		next, before := "", ""
		if i > 0 {
			before = list[i-1]
		}
		if i+1 < len(list) {
			next = list[i+1]
		}
		switch {
		case strings.HasPrefix(tok, "'"), strings.HasPrefix(tok, `"`):
		case strings.ContainsAny(tok, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"):
			if refusedWords[strings.ToUpper(tok)] {
				bad = append(bad, tok)
			}
			if next == "(" && !allowedFunctions[tok] && !allowedBefore[tok] {
				bad = append(bad, tok+"(")
			}
		case tok == "[" && (before == "ARRAY" || before == "]" || before == ")"), tok == "]": // an array, or what stands at a place of one
		case slices.Contains(strings.Fields("( ) , . * + - = < > <> <= >= ||"), tok), strings.Trim(tok, "0123456789") == "":
		default:
			bad = append(bad, tok)
		}
	}
	return bad
}

func TestSelectStaysInTheSubset(t *testing.T) {
	for seed := range uint64(30) {
		r := random{rand.New(rand.NewPCG(seed, 5))}
		_, book := r.versions(t)
		for _, unknown := range []bool{false, true} {
			query, err := book.Select(SelectOptions{Dynamic: testColumns, OpenedBefore: november, UnknownAccounts: unknown})
			if err != nil {
				t.Fatal(err)
			}
			if bad := outsideSubset(query); len(bad) > 0 {
				t.Fatalf("seed %d: not in the subset: %q\n%s", seed, bad, query)
			}
		}
	}
}

func TestSubsetCheckSeesWhatIsOutside(t *testing.T) {
	for _, statement := range []string{
		"SELECT a / b FROM t", "SELECT a // b", "SELECT a::INTEGER", "SELECT * FROM t QUALIFY row_number() OVER () = 1", "SELECT greatest(a, b)",
		"SELECT list_value(1)", "SELECT a FROM t ASOF JOIN u", "SELECT {'a': 1}", "SELECT [1]", "SELECT regexp_matches(a, 'x')", "SELECT a % 2", "SELECT a; SELECT b",
	} {
		if len(outsideSubset(statement)) == 0 {
			t.Errorf("accepted: %s", statement)
		}
	}
	if bad := outsideSubset("SELECT \"select\", 'x / y; QUALIFY' -- a / b\nFROM t WHERE CAST(a AS DECIMAL(38,6)) <= 5"); len(bad) > 0 {
		t.Errorf("refused: %q", bad)
	}
}
