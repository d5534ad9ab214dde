// Package duck is creditmill's one way to DuckDB: a session with bounded memory
// that sees only the folders it is given, Arrow record batches in and out, and
// the one place that quotes what SQL cannot bind.
//
// A session is one connection. It is not safe for concurrent use: DuckDB spreads
// each statement over its own threads.
package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Options bound a session.
type Options struct {
	Memory  string   // DuckDB's memory limit, such as "2GB"; empty: DuckDB's own default
	Threads int      // 0: one for each processor
	Scratch string   // folder DuckDB spills to; must exist
	Folders []string // further folders its statements may read; absolute
}

// A Session is one connection to an in-memory DuckDB.
type Session struct {
	db      *sql.DB
	conn    *sql.Conn
	beside  bool // db is another session's
	streams int  // registered and not released
}

// Open starts a session. Extensions are never loaded, and files outside Scratch
// and Folders are refused by DuckDB itself.
func Open(ctx context.Context, o Options) (*Session, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("start DuckDB: %w", err)
	}
	s := &Session{db: sql.OpenDB(connector)}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start DuckDB: %w", err), s.db.Close())
	}
	for _, statement := range o.settings() {
		if err := s.Exec(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("set up DuckDB: %w", err), s.Close())
		}
	}
	return s, nil
}

func (o Options) settings() []string {
	set := []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET GLOBAL TimeZone = 'UTC'",
		"SET preserve_insertion_order = true",
		"SET enable_progress_bar = false",
		"SET enable_external_file_cache = false", // it fills the memory that there is with files read once
	}
	if o.Memory != "" {
		set = append(set, "SET memory_limit = "+Literal(o.Memory))
	}
	if o.Threads > 0 {
		set = append(set, fmt.Sprintf("SET threads = %d", o.Threads))
	}
	folders := o.Folders
	if o.Scratch != "" {
		set = append(set, "SET temp_directory = "+Literal(o.Scratch))
		folders = append([]string{o.Scratch}, folders...)
	}
	return append(set,
		"SET allowed_directories = "+List(folders),
		"SET enable_external_access = false",
		"SET lock_configuration = true")
}

// Beside opens another session of the same database, for statements that run at the
// same time: it shares tables, memory and threads, and has temporary views and
// tables of its own. Close it before s.
func (s *Session) Beside(ctx context.Context) (*Session, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a session beside: %w", err)
	}
	return &Session{db: s.db, conn: conn, beside: true}, nil
}

// Close ends the session and frees what it holds.
func (s *Session) Close() error {
	if s.beside {
		return s.conn.Close()
	}
	return errors.Join(s.conn.Close(), s.db.Close())
}

// Exec runs statements and discards what they return. Arguments bind to ? or $1.
func (s *Session) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.conn.ExecContext(s.interruptible(ctx), statement, args...)
	return err
}

// Rows runs a query whose result is small enough to hold in memory.
func (s *Session) Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.conn.QueryContext(ctx, query, args...)
}

// Row runs a query of one row.
func (s *Session) Row(ctx context.Context, query string, args ...any) *sql.Row {
	return s.conn.QueryRowContext(ctx, query, args...)
}

// interruptible is ctx, without its end while a stream is registered: an
// interrupted statement returns while DuckDB's threads still pull from the stream,
// which would be gone. Such a statement ends when its stream does.
func (s *Session) interruptible(ctx context.Context) context.Context {
	if s.streams > 0 {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// CopyParquet writes the rows of query, in their order, to a new Parquet file
// and returns how many there were. Columns of many values are not put into
// dictionaries, which takes longer and saves nothing.
func (s *Session) CopyParquet(ctx context.Context, query, path string, args ...any) (rows int64, err error) {
	copyTo := "COPY (" + query + "\n) TO " + Literal(path) +
		" (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 5000)"
	result, err := s.conn.ExecContext(s.interruptible(ctx), copyTo, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// WriteParquet is CopyParquet to w, by way of a file at path that is removed again.
func (s *Session) WriteParquet(ctx context.Context, query, path string, w io.Writer, args ...any) (rows int64, err error) {
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	if rows, err = s.CopyParquet(ctx, query, path, args...); err != nil {
		return 0, err
	}
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	_, err = io.Copy(w, in)
	return rows, err
}

// Literal quotes text as a SQL string. With [Identifier] it is the one way that
// text from configuration or from a path gets into a statement. A NUL, which would
// end the statement, is spelled out.
func Literal(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, "\x00") {
		quoted = "(" + strings.ReplaceAll(quoted, "\x00", "' || chr(0) || '") + ")"
	}
	return quoted
}

// Identifier quotes a name of a column or table.
func Identifier(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// List quotes texts as a SQL list of strings.
func List(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = Literal(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
