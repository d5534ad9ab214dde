//go:build duckdb_arrow

package duck

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"
)

// Arrow runs a query and returns its result as record batches. The driver holds
// the whole result in memory: read large tables from a file instead. The caller
// releases the reader.
func (s *Session) Arrow(ctx context.Context, query string, args ...any) (array.RecordReader, error) {
	var reader array.RecordReader
	err := s.raw(func(a *duckdb.Arrow) (err error) {
		reader, err = a.QueryContext(ctx, query, args...)
		return err
	})
	return reader, err
}

// Register makes a stream of record batches readable, once, as the view name.
// Batches are pulled while a statement reads them: nothing is held. Call release
// when that statement is done. The batches' memory must not be Go's: allocate
// with arrow/memory/mallocator.
func (s *Session) Register(name string, batches array.RecordReader) (release func(), err error) {
	err = s.raw(func(a *duckdb.Arrow) (err error) {
		release, err = a.RegisterView(batches, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	return release, nil
}

func (s *Session) raw(do func(*duckdb.Arrow) error) error {
	return s.conn.Raw(func(driverConn any) error {
		conn, ok := driverConn.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("not a DuckDB connection: %T", driverConn)
		}
		arrow, err := duckdb.NewArrowFromConn(conn)
		if err != nil {
			return err
		}
		return do(arrow)
	})
}
