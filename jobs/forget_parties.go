package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/document"
)

// parties writes, of every document of the account, what it prints of its customer: the
// table kept_parties. Documents that were kept before, under another pseudonym, are no
// documents of this name.
func (f *forgetting) parties(ctx context.Context) (out lake.Output, err error) {
	out = lake.Output{Table: lake.KeptParties, Path: filepath.Join(f.scratch, "parties.parquet")}
	if f.column != columnAccount {
		return out, nil // documents show the pseudonym of a key
	}
	documents, err := f.mill.Documents(ctx, document.Selection{Account: f.name})
	if err != nil {
		return out, fmt.Errorf("read the documents of the account: %w", err)
	}
	defer func() { err = errors.Join(err, documents.Close()) }()
	builder, err := duck.NewBuilder(lake.KeptParties.Columns)
	if err != nil {
		return out, err
	}
	for {
		d, err := documents.Next()
		if err != nil {
			return out, err
		}
		if d == nil {
			break
		}
		party, err := d.Kept()
		if err != nil {
			return out, err
		}
		builder.Append(d.Number, d.Account, party)
	}
	if f.report.Documents = documents.Count; documents.Count == 0 {
		return out, nil
	}
	if err := f.session.Load(ctx, "parties", builder); err != nil {
		return out, err
	}
	out.Rows, err = f.session.CopyParquet(ctx, "SELECT * FROM parties ORDER BY number", out.Path)
	return out, err
}
