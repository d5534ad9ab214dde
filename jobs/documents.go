package jobs

import (
	"context"
	"errors"
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
)

// Documents are invoices and notes being read, one after the other, by number.
type Documents struct {
	*document.Reader

	desk *desk
}

// Documents opens the invoices and notes of a selection. Of the tables that hold what
// stands in them, only the files of their periods are read. A number of nothing is a
// [document.NotFoundError]. Close what it returns.
func (m *Mill) Documents(ctx context.Context, s document.Selection) (_ *Documents, err error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	tables := document.Tables()
	var periods []string // all
	if !s.Period.IsZero() {
		periods = []string{s.Period.String()}
	}
	if err := d.viewOf(ctx, tables[0], periods); err != nil {
		return nil, err
	}
	picked, err := s.Pick(ctx, d.session)
	if err != nil {
		return nil, err
	}
	for _, table := range tables[1:] {
		if err := d.viewOf(ctx, table, picked.Periods); err != nil {
			return nil, err
		}
	}
	reader, err := picked.Open(ctx, d.scratch, m.Calendar, m.Config.Issuer)
	if err != nil {
		return nil, err
	}
	return &Documents{reader, d}, nil
}

// Close ends the reading.
func (d *Documents) Close() error { return errors.Join(d.Reader.Close(), d.desk.close()) }

// viewOf makes a table readable by its name; one with periods, those of some of them
// alone, nil for all.
func (d *desk) viewOf(ctx context.Context, table lake.Table, periods []string) error {
	files := d.mill.Lake.State().Files(table)
	if table.Partition == lake.ByPeriod && periods != nil {
		files = slices.DeleteFunc(files, func(f lake.File) bool { return !slices.Contains(periods, f.Partition) })
	}
	return d.viewBy(ctx, table.Name, table, files, partitionColumn(table), partitionOf)
}

// WriteDocuments writes the invoices and notes of a selection into a folder and returns
// how many there are. It changes nothing in the lake.
func (m *Mill) WriteDocuments(ctx context.Context, s document.Selection, to document.Files) (count int64, err error) {
	documents, err := m.Documents(ctx, s)
	if err != nil {
		return 0, err
	}
	to.Progress = m.progress("invoices")
	return documents.Count, errors.Join(document.Write(ctx, documents.Reader, to), documents.Close())
}

// CheckAccount is nil for an account that the lake knows; for another it is a
// [ConfigError] that says which there are.
func (r *Reader) CheckAccount(ctx context.Context, name string) error {
	if known, err := r.knows(ctx, name); err != nil || known {
		return err
	}
	return r.errNoAccount(ctx, name)
}
