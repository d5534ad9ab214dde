package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// ErrNotReadOnly is the refusal of a text that is not exactly one SELECT or
// EXPLAIN of a SELECT.
var ErrNotReadOnly = errors.New("only one statement is run, a SELECT or an EXPLAIN of a SELECT")

// ErrNoStatement is the refusal of a text without a statement.
var ErrNoStatement = errors.New("there is no statement")

// A Query is what is known of a statement that may be run.
type Query struct {
	Text       string
	Explains   bool     // it is an EXPLAIN
	Catalog    bool     // it reads what tables there are
	Parameters []string // their names without the $, as they are written: of ? and of $1 the number
	Columns    []string // of its result, as it names them: two may have the same name; nil: not known before it runs
}

// ReadOnly refuses every text but one SELECT or one EXPLAIN of a SELECT that reads the
// session's own tables and views and nothing else (SPEC section 11), by what DuckDB's own
// parser takes it for. Nothing is run. A session sees only its folders but may read and
// write all that lies there: this is what keeps a user's query from it. Parameters may be
// there: they stand for values alone. The errors are [ErrNotReadOnly], [ErrNoStatement],
// [ErrNotLive], and DuckDB's own of a statement that is wrong in itself.
func (s *Session) ReadOnly(ctx context.Context, text string) (Query, error) {
	statement := text
	// The first word is looked at first, because DuckDB acts while it binds some
	// statements: EXPORT makes its folder then.
	word, rest := firstWord(text)
	explains := word == "explain"
	if explains {
		// EXPLAIN ANALYZE runs what it explains, a COPY too.
		statement = explained(rest)
		word, _ = firstWord(statement)
	}
	if !slices.Contains(reading, word) || strings.ContainsRune(text, 0) { // DuckDB reads as far as a NUL
		return Query{}, s.refusal(ctx, text)
	}
	tree, err := s.parse(ctx, statement)
	if explains && errors.As(err, new(*duckdb.Error)) { // it says where in the statement, not in the text
		err = s.refusal(ctx, text)
	}
	if err != nil {
		return Query{}, err
	}
	catalog, err := s.checkReads(ctx, tree)
	if err != nil {
		return Query{}, err
	}
	// Only now is it bound, for that looks into the files that it reads.
	kind, query, err := s.prepare(text)
	if err != nil {
		return Query{}, err
	}
	if kind != duckdb.STATEMENT_TYPE_SELECT && kind != duckdb.STATEMENT_TYPE_EXPLAIN {
		return Query{}, ErrNotReadOnly
	}
	query.Explains, query.Catalog = explains, catalog
	return query, ctx.Err()
}

// reading are the words that a SELECT of DuckDB begins with.
var reading = []string{"select", "with", "from", "values", "table", "describe", "show", "summarize", "pivot", "unpivot"}

var (
	blank   = regexp.MustCompile(`^(?:\s|--[^\n]*(?:\n|$)|/\*[^*/]*\*/|\()*`)
	words   = regexp.MustCompile(`^[A-Za-z]+`)
	options = regexp.MustCompile(`(?is)^\s*(?:ANALYZE\b)?\s*(?:\(\s*(?:ANALYZE|FORMAT)\b[^()]*\))?`)
)

// firstWord returns the first word of a statement in small letters, and what
// follows it. Blanks, comments and brackets before it do not count; a comment that
// is not plain gives no word.
func firstWord(text string) (word, rest string) {
	text = text[len(blank.FindString(text)):]
	word = words.FindString(text)
	return strings.ToLower(word), text[len(word):]
}

// explained is what follows the word EXPLAIN and its options.
func explained(rest string) string { return rest[len(options.FindString(rest)):] }

// refusal is why a text is refused that is not let through: DuckDB's own error where its
// parser does not take the text, which is all that is done with it.
func (s *Session) refusal(ctx context.Context, text string) error {
	if strings.ContainsRune(text, 0) {
		return ErrNotReadOnly
	}
	switch tree, err := s.serialize(ctx, text); {
	case err != nil:
		return err
	case !tree.Error && len(tree.Statements) == 0:
		return ErrNoStatement
	default:
		return ErrNotReadOnly
	}
}

// writing are the words that begin what takes tables elsewhere.
var writing = []string{"attach", "copy", "create", "export", "insert"}

// Writes reports whether a statement of a text would take tables elsewhere.
func Writes(text string) bool {
	statements, _ := Split(text)
	return slices.ContainsFunc(statements, func(statement Statement) bool {
		word, rest := firstWord(statement.Text)
		if word == "explain" {
			word, _ = firstWord(explained(rest))
		}
		return slices.Contains(writing, word)
	})
}

// prepare looks at the only statement of a text, which is parsed and bound, not run.
func (s *Session) prepare(text string) (kind duckdb.StmtType, query Query, err error) {
	err = s.conn.Raw(func(driverConn any) (err error) {
		conn, ok := driverConn.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("not a DuckDB connection: %T", driverConn)
		}
		// Prepare, not PrepareContext: that one runs all statements but the last.
		var prepared driver.Stmt
		prepared, err = conn.Prepare(text)
		if parsed := new(duckdb.Error); err != nil && !errors.As(err, &parsed) {
			return ErrNotReadOnly // the driver's refusal of several statements
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, prepared.Close()) }()
		statement, ok := prepared.(*duckdb.Stmt)
		if !ok {
			return fmt.Errorf("not a DuckDB statement: %T", prepared)
		}
		if kind, err = statement.StatementType(); err != nil {
			return err
		}
		query, err = described(statement)
		query.Text = text
		return err
	})
	return kind, query, err
}

func described(statement *duckdb.Stmt) (query Query, err error) {
	for i := 1; i <= statement.NumInput(); i++ {
		name, err := statement.ParamName(i)
		if err != nil {
			return query, err
		}
		query.Parameters = append(query.Parameters, name)
	}
	columns, err := statement.ColumnCount()
	if first, _ := statement.ColumnType(0); first == duckdb.TYPE_INVALID {
		return query, err // parameters leave it open
	}
	for i := 0; i < columns && err == nil; i++ {
		var name string
		name, err = statement.ColumnName(i)
		query.Columns = append(query.Columns, name)
	}
	return query, err
}
