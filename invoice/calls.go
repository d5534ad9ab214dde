package invoice

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/sql"
)

// The columns of the calls whose texts are carried as numbers.
var namedColumns = []string{"account", "source", "operation", "project", "key"}

// calls walks the period's calls in burning order (SPEC section 6, Calls). It
// holds a few row groups, and each distinct account, source, operation, project
// and key once.
type calls struct {
	reader *batchReader
	names  map[string][]string // by column, then number
	total  int64

	// The current batch, column by column, and the row of the next call.
	size                                     int
	row                                      int
	account, source, operation, project, key []int32
	postedAt                                 []arrow.Timestamp
	event                                    *array.String
	late                                     *array.Boolean
	credits                                  []decimal128.Num
	batch                                    arrow.RecordBatch
}

// openCalls sorts the view rated into scratch.
func openCalls(ctx context.Context, session *duck.Session, scratch string) (c *calls, err error) {
	types := map[string]string{}
	for _, column := range namedColumns {
		types[column] = "invoice_" + column
	}
	defer func() { err = errors.Join(err, dropTypes(ctx, session, types)) }()
	c = &calls{names: map[string][]string{}}
	for _, column := range namedColumns {
		data := map[string]string{"Type": types[column], "Column": column}
		if err := session.Exec(ctx, sql.Expand("duckdb/invoice_name_type", data)); err != nil {
			return nil, fmt.Errorf("names of %s: %w", column, err)
		}
		if c.names[column], err = texts(ctx, session, sql.Expand("duckdb/invoice_names", data)); err != nil {
			return nil, fmt.Errorf("names of %s: %w", column, err)
		}
	}
	path := filepath.Join(scratch, "calls.parquet")
	if err := sorted(ctx, session, sql.Expand("duckdb/invoice_calls", types), path); err != nil {
		return nil, fmt.Errorf("sort calls: %w", err)
	}
	if c.reader, err = readBatches(ctx, path); err != nil {
		return nil, err
	}
	c.total = c.reader.rows
	if err := c.load(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func dropTypes(ctx context.Context, session *duck.Session, types map[string]string) error {
	var errs []error
	for _, name := range types {
		errs = append(errs, session.Exec(ctx, "DROP TYPE IF EXISTS "+duck.Identifier(name)))
	}
	return errors.Join(errs...)
}

func texts(ctx context.Context, session *duck.Session, query string, args ...any) (all []string, err error) {
	rows, err := session.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// load reads the next batch; after the last, size is 0.
func (c *calls) load() error {
	if c.batch != nil {
		c.batch.Release()
	}
	c.row, c.size = 0, 0
	batch, err := c.reader.next()
	c.batch = batch
	if err != nil || batch == nil {
		return err
	}
	numbers := func(column int) []int32 { return as[*array.Int32](batch.Column(column)).Int32Values() }
	c.account, c.source = numbers(0), numbers(2)
	c.postedAt = as[*array.Timestamp](batch.Column(1)).TimestampValues()
	c.event = as[*array.String](batch.Column(3))
	c.operation, c.project, c.key = numbers(4), numbers(5), numbers(6)
	c.late = as[*array.Boolean](batch.Column(7))
	c.credits = as[*array.Decimal128](batch.Column(8)).Values()
	c.size = int(batch.NumRows())
	return nil
}

// peek returns the account of the next call; false at the end.
func (c *calls) peek() (string, bool) {
	if c.size == 0 {
		return "", false
	}
	return c.names["account"][c.account[c.row]], true
}

func (c *calls) close() error {
	if c.batch != nil {
		c.batch.Release()
	}
	return c.reader.close()
}

// name is the text that a number of the column stands for; empty for none.
func (c *calls) name(column string, number int32) string {
	if number < 0 {
		return ""
	}
	return c.names[column][number]
}
