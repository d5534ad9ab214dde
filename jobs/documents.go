package jobs

import (
	"context"
	"errors"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
)

// Documents are invoices and notes being read, one after the other, by number.
type Documents struct {
	*document.Reader

	desk *desk
}

// Documents opens the invoices and notes of a selection, each made of what was live when
// it was issued: what was re-rated since does not change it. Of the tables that hold what
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
	state := m.Lake.State()
	issued := state.Files(lake.Invoices)
	if !s.Period.IsZero() {
		issued = state.Partition(lake.Invoices, s.Period.String())
	}
	if err := d.issuedInvoices(ctx, issued); err != nil {
		return nil, err
	}
	picked, err := s.Pick(ctx, d.session)
	if err != nil {
		return nil, err
	}
	if err := d.documentViews(ctx, picked); err != nil {
		return nil, err
	}
	reader, err := picked.Open(ctx, d.scratch, m.Calendar, m.Config.Issuer)
	if err != nil {
		return nil, err
	}
	return &Documents{reader, d}, nil
}

// Close ends the reading.
func (d *Documents) Close() error { return errors.Join(d.Reader.Close(), d.desk.close()) }

// Notes are the notes that correct an invoice, in the order they were issued. It sees
// those of the selection's period alone, where it has one.
func (d *Documents) Notes(ctx context.Context, number string) ([]document.Note, error) {
	return document.Notes(ctx, d.desk.session, number)
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
// [ConfigError] that says which there are. The session has no further tables after it.
func (r *Reader) CheckAccount(ctx context.Context, name string) (err error) {
	defer func() {
		for _, view := range []string{"account_log", "account_calls"} {
			err = errors.Join(err, r.session.Exec(context.WithoutCancel(ctx), "DROP VIEW IF EXISTS "+view))
		}
	}()
	if known, err := r.knows(ctx, name); err != nil || known {
		return err
	}
	return r.errNoAccount(ctx, name)
}
