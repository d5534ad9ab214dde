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

// Stream makes a stream of record batches readable as the view name while do runs,
// which reads it once and in one statement. Batches are pulled while the statement
// reads them: nothing is held.
//
// The statement must read every column of the stream: DuckDB takes a stream to
// leave out what is not asked for. It is not interrupted; whoever feeds the stream
// ends it, with an error, when the context ends. The batches' memory must not be
// Go's: allocate with arrow/memory/mallocator.
func (s *Session) Stream(name string, batches array.RecordReader, do func() error) error {
	var free func()
	err := s.raw(func(a *duckdb.Arrow) (err error) {
		free, err = a.RegisterView(batches, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	s.streams++
	defer func() {
		s.streams--
		free()
	}()
	return do()
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
