package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A Kept is the result of a query, of any size, as a table of the session: DuckDB puts
// into scratch what its memory does not hold, and every column has the type that it has in
// the query. There is one at a time. Close it.
type Kept struct {
	Columns []string // as the table has them: of two of one name the second has another
	Rows    int64
	session *Session
}

// keptTable is no name that a query can read: it is there while no query is run.
const keptTable = "kept result"

// Keep runs a query that [Session.ReadOnly] has let through, which is no EXPLAIN, and
// none of the catalog: that would see the result's own table.
func (s *Session) Keep(ctx context.Context, query Query, args ...any) (_ *Kept, err error) {
	if err := s.Exec(ctx, "CREATE OR REPLACE TEMP TABLE "+Identifier(keptTable)+" AS FROM "+within(query), args...); err != nil {
		return nil, above(err, 1)
	}
	k := &Kept{session: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Close())
		}
	}()
	columns, err := s.Describe(ctx, keptTable)
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		k.Columns = append(k.Columns, c.Name)
	}
	if err := s.Row(ctx, "SELECT count(*) FROM "+Identifier(keptTable)).Scan(&k.Rows); err != nil {
		return nil, err
	}
	return k, nil
}

// Slice reads up to count rows, in the order of the query, from the one of that number on,
// counted from 0.
func (k *Kept) Slice(ctx context.Context, from, count int64) (*sql.Rows, error) {
	return k.session.Rows(ctx, fmt.Sprintf("SELECT * FROM %s WHERE rowid >= %d AND rowid < %d", Identifier(keptTable), from, from+count))
}

// Close gives up the result.
func (k *Kept) Close() error {
	return k.session.Exec(context.Background(), "DROP TABLE IF EXISTS temp."+Identifier(keptTable))
}

// First runs a query that [Session.ReadOnly] has let through, which is no EXPLAIN, for its
// first rows alone.
func (s *Session) First(ctx context.Context, query Query, limit int, args ...any) (*sql.Rows, error) {
	rows, err := s.Rows(ctx, fmt.Sprintf("FROM %s LIMIT %d", within(query), limit), args...)
	return rows, above(err, 1)
}

// within is a query in brackets, on lines of its own: a comment may end it.
func within(query Query) string { return "(\n" + query.Text + "\n)" }

// Describe says which columns a table or view of the session has.
func (s *Session) Describe(ctx context.Context, name string) (columns []Column, err error) {
	rows, err := s.Rows(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+Identifier(name)+")")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Name, &c.Type); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}
