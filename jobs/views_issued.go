package jobs

import (
	"context"

	"github.com/creditmill/creditmill/internal/lake"
)

// makeIssuedStatements makes issued_statements: the rows of statements that each month's
// close wrote, whatever a re-rate has put in their place since. They are what invoices
// say ([Mill.Documents]), and statements where nothing was re-rated.
func makeIssuedStatements(ctx context.Context, d *desk) error {
	return d.issuedView(ctx, lake.Statements)
}

// makeIssuedBalances makes issued_balances: balances as makeIssuedStatements has them.
func makeIssuedBalances(ctx context.Context, d *desk) error { return d.issuedView(ctx, lake.Balances) }

func (d *desk) issuedView(ctx context.Context, table lake.Table) error {
	return d.viewBy(ctx, "issued_"+table.Name, table, closeFiles(d.mill.Lake.State(), table), partitionColumn(table), partitionOf)
}
