package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

// A Reader is a read-only session over the live tables, for `query` and for the
// commands that look things up.
type Reader struct {
	*desk
}

// Read opens a session in which every live table is a view of its name, with its
// partition (day or period) as the last column (SPEC section 11).
func (m *Mill) Read(ctx context.Context) (*Reader, error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, err
	}
	for _, table := range lake.Tables() {
		if err := d.liveView(ctx, table); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return &Reader{d}, nil
}

// Close ends the session.
func (r *Reader) Close() error { return r.close() }

// Session is the reader's DuckDB session.
func (r *Reader) Session() *duck.Session { return r.session }

func (d *desk) liveView(ctx context.Context, table lake.Table) error {
	scan, err := d.scan(ctx, table, nil)
	if err != nil {
		return err
	}
	switch table.Partition {
	case lake.ByDay:
		scan.Partition = "day"
	case lake.ByPeriod:
		scan.Partition = "period"
	case lake.Whole:
	}
	for _, file := range d.mill.Lake.State().Files(table) {
		path, err := d.mill.Lake.Path(ctx, file)
		if err != nil {
			return err
		}
		scan.AddTo(file.Partition, path, file.Columns)
	}
	return d.session.View(ctx, table.Name, scan)
}

// Files lists the live files of a table, of one partition or of all.
func (m *Mill) Files(table, partition string) ([]lake.File, error) {
	for _, t := range lake.Tables() {
		if t.Name != table {
			continue
		}
		if partition == "" {
			return m.Lake.State().Files(t), nil
		}
		return m.Lake.State().Partition(t, partition), nil
	}
	var names []string
	for _, t := range lake.Tables() {
		names = append(names, t.Name)
	}
	return nil, ConfigError{fmt.Errorf("there is no table %s; the tables are %s", table, strings.Join(names, ", "))}
}
