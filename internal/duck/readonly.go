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

// CheckReadOnly refuses every text but one SELECT or one EXPLAIN of a SELECT that
// reads the session's own tables and views and nothing else (SPEC section 11), by
// what DuckDB's own parser takes it for. Nothing is run. A session sees only its
// folders but may read and write all that lies there: this is what keeps a user's
// query from it. The errors are [ErrNotReadOnly], [ErrNotLive], and DuckDB's own
// of a statement that is wrong in itself.
func (s *Session) CheckReadOnly(ctx context.Context, text string) error {
	statement := text
	// The first word is looked at first, because DuckDB acts while it binds some
	// statements: EXPORT makes its folder then.
	word, rest := firstWord(text)
	if word == "explain" {
		// EXPLAIN ANALYZE runs what it explains, a COPY too.
		statement = explained(rest)
		word, _ = firstWord(statement)
	}
	if !slices.Contains(reading, word) || strings.ContainsRune(text, 0) { // DuckDB reads as far as a NUL
		return ErrNotReadOnly
	}
	tree, err := s.parse(ctx, statement)
	if err != nil {
		return err
	}
	if err := s.checkReads(ctx, tree); err != nil {
		return err
	}
	// Only now is it bound, for that looks into the files that it reads.
	kind, err := s.kind(text)
	if err != nil {
		return err
	}
	if kind != duckdb.STATEMENT_TYPE_SELECT && kind != duckdb.STATEMENT_TYPE_EXPLAIN {
		return ErrNotReadOnly
	}
	return ctx.Err()
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

// kind is the type of the only statement of a text, parsed and bound, not run.
func (s *Session) kind(text string) (kind duckdb.StmtType, err error) {
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
		kind, err = statement.StatementType()
		return err
	})
	return kind, err
}
