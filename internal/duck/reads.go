package duck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"
)

// ErrNotLive is the refusal of a SELECT that reads something else than the
// session's tables and views.
var ErrNotLive = errors.New("a query reads the live tables and nothing else")

// A parsed is what DuckDB's parser makes of a text, as its json_serialize_sql says
// it: objects and lists, in which the names of tables and functions stand apart
// from the text that the user has put between quotes.
type parsed struct {
	Error      bool   `json:"error"`
	Type       string `json:"error_type"`
	Message    string `json:"error_message"`
	Position   string `json:"position"` // of an error in the text, in characters; "": it has none
	Statements []any  `json:"statements"`
}

// serialize parses a text, which is not bound and not run. A text that DuckDB's parser
// does not take is its error.
func (s *Session) serialize(ctx context.Context, text string) (*parsed, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the statement is not UTF-8")
	}
	var answer string
	if err := s.Row(ctx, "SELECT CAST(json_serialize_sql("+Literal(text)+") AS VARCHAR)").Scan(&answer); err != nil {
		return nil, fmt.Errorf("parse the statement: %w", err)
	}
	tree := &parsed{}
	if err := json.Unmarshal([]byte(answer), tree); err != nil {
		return nil, fmt.Errorf("parse the statement: %w", err)
	}
	if tree.Error && tree.Type == "parser" {
		message := "Parser Error: " + tree.Message
		if at, err := strconv.Atoi(tree.Position); err == nil {
			message += "\n\n" + pointed(text, at)
		}
		return nil, &duckdb.Error{Type: duckdb.ErrorTypeParser, Msg: message}
	}
	return tree, nil
}

// parse is [Session.serialize] of what must be exactly one SELECT, else it is
// ErrNotReadOnly.
func (s *Session) parse(ctx context.Context, text string) (*parsed, error) {
	tree, err := s.serialize(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case tree.Error && usesPivot(text):
		return nil, fmt.Errorf("a PIVOT needs its values listed, as in ON operation IN ('image.generate', 'chat.completion'): without them DuckDB makes it several statements, and %w", ErrNotReadOnly)
	case tree.Error || len(tree.Statements) != 1:
		return nil, ErrNotReadOnly
	}
	return tree, nil
}

func usesPivot(text string) bool { return strings.Contains(strings.ToLower(text), "pivot") }

// tableFunctions are those that a FROM may call: they make rows of their arguments.
// Every other one reads files, settings or memory, runs a text as a statement, or
// changes something.
var tableFunctions = []string{"generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest"}

// refusedFunctions are the functions of expressions that look at something else
// than their arguments, run a text or write.
var refusedFunctions = []string{
	"current_setting", "getenv", "getvariable", // settings and environment
	"json_serialize_plan",         // binds a text, which reads files
	"pg_get_viewdef",              // paths of files
	"write_log",                   // writes
	"nextval", "currval", "stats", // of sequences and of storage: there is nothing of it
}

// catalogViews tell what columns the live tables have.
var catalogViews = []string{"columns", "schemata", "tables"}

// reads looks for all that a statement reads.
type reads struct {
	tables  map[string]bool // of the session, in small letters
	catalog bool            // something tells what tables there are
}

// checkReads refuses a statement that reads something else than the session's tables;
// catalog reports whether it reads what tables there are.
func (s *Session) checkReads(ctx context.Context, tree *parsed) (catalog bool, err error) {
	rows, err := s.Rows(ctx, "SELECT view_name FROM duckdb_views() WHERE NOT internal UNION ALL SELECT table_name FROM duckdb_tables() WHERE NOT internal")
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }() // its error comes from Err
	r := &reads{tables: map[string]bool{}}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return false, err
		}
		r.tables[strings.ToLower(name)] = true
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	err = r.walk(tree.Statements, nil)
	return r.catalog, err
}

// A scope is a name that a WITH has given to a SELECT, and those given around it.
type scope struct {
	name  string
	outer *scope
}

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return true
		}
	}
	return false
}

// walk looks at a part of the tree and at all its parts. Which kind of part lies
// where is DuckDB's affair: whatever names a table or a function is looked at.
func (r *reads) walk(part any, in *scope) error {
	switch part := part.(type) {
	case []any:
		for _, inner := range part {
			if err := r.walk(inner, in); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := r.check(part, in); err != nil {
			return err
		}
		with, err := r.with(part, in)
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(part)) {
			inner := with
			switch recursive, ok := part["cte_name"].(string); {
			case key == "cte_map":
				continue
			case ok && key == "right": // the SELECT after the UNION sees the rows so far by its own name
				inner = &scope{strings.ToLower(recursive), with}
			}
			if err := r.walk(part[key], inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// with looks at the SELECTs of a WITH and returns the scope with their names. Each
// sees those before it, and not itself. Were it let see more, DuckDB, which finds no
// SELECT of the name there, would look for a file of that name.
func (r *reads) with(part map[string]any, in *scope) (*scope, error) {
	ctes, ok := part["cte_map"].(map[string]any)
	if !ok {
		return in, nil
	}
	entries, _ := ctes["map"].([]any)
	for _, entry := range entries {
		entry, ok := entry.(map[string]any)
		name, named := entry["key"].(string)
		if !ok || !named {
			return nil, fmt.Errorf("%w: a WITH that cannot be read", ErrNotLive)
		}
		if strings.ContainsAny(name, `./\:*?[`) {
			return nil, fmt.Errorf("WITH %q: %w: give it a name that is none of a file", name, ErrNotLive)
		}
		if err := r.walk(entry["value"], in); err != nil {
			return nil, err
		}
		in = &scope{strings.ToLower(name), in}
	}
	return in, nil
}

func (r *reads) check(part map[string]any, in *scope) error {
	text := func(key string) string {
		value, _ := part[key].(string)
		return strings.ToLower(value)
	}
	switch kind := text("type"); {
	case kind == "base_table":
		return r.table(text("catalog_name"), text("schema_name"), text("table_name"), in)
	case kind == "table_function":
		function, _ := part["function"].(map[string]any)
		name, _ := function["function_name"].(string)
		if !slices.Contains(tableFunctions, strings.ToLower(name)) {
			return fmt.Errorf("%s() in FROM: %w; what FROM may call is %s", name, ErrNotLive, strings.Join(tableFunctions, ", "))
		}
	case kind == "show_ref" && part["query"] == nil:
		// SHOW TABLES and SHOW ALL TABLES; others show databases or variables.
		if name := strings.Trim(text("table_name"), `"`); name != "tables" && name != "__show_tables_expanded" {
			return fmt.Errorf("SHOW: %w; SHOW TABLES and DESCRIBE TABLE say what there is", ErrNotLive)
		}
		r.catalog = true
	}
	if name := text("function_name"); slices.Contains(refusedFunctions, name) {
		return fmt.Errorf("%s(): %w", name, ErrNotLive)
	}
	return nil
}

// table takes a table, a view or a SELECT of a WITH by its name. DuckDB takes any
// other name for a file.
func (r *reads) table(catalog, schema, name string, in *scope) error {
	switch {
	case catalog == "" && schema == "" && (in.has(name) || r.tables[name]):
		return nil
	case catalog == "" && schema == "recurring" && in.has(name): // all rows of a recursive SELECT so far
		return nil
	case (catalog == "" || catalog == "temp") && (schema == "temp" || schema == "main") && r.tables[name]:
		return nil
	case catalog == "" && schema == "information_schema" && slices.Contains(catalogViews, name):
		r.catalog = true
		return nil
	}
	var names []string
	for _, part := range []string{catalog, schema, name} {
		if part != "" {
			names = append(names, part)
		}
	}
	return fmt.Errorf("%q is no live table: %w; SHOW TABLES lists them", strings.Join(names, "."), ErrNotLive)
}
