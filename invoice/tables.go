package invoice

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/sql"
)

// tables are the writers of all tables but burns. Those that a provisional or a dry
// run does not write are nil.
type tables struct {
	ledger, balances, alerts             *rowWriter
	invoices, lines, statements, revenue *rowWriter

	stated []stated // of the account; used again
}

// statementColumns are those of statements as Go makes them: held calls are
// added in SQL, and so it is decided whether a row without an operation, of an
// account without calls, stays.
var statementColumns = []lake.Column{
	{Name: "account", Type: "VARCHAR"},
	{Name: "operation", Type: "VARCHAR"},
	{Name: "project", Type: "VARCHAR"},
	{Name: "key", Type: "VARCHAR"},
	{Name: "calls", Type: "BIGINT"},
	{Name: "credits", Type: "DECIMAL(38,6)"},
	{Name: "late_calls", Type: "BIGINT"},
	{Name: "value", Type: "DECIMAL(38,4)"},
	{Name: "currency", Type: "VARCHAR"},
	{Name: "listed", Type: "BOOLEAN"},
}

func (t *tables) open(scratch string, provisional, dry bool) (err error) {
	for _, table := range []struct {
		to      **rowWriter
		table   lake.Table
		columns []lake.Column
		left    bool
	}{
		{&t.ledger, lake.Ledger, lake.Ledger.Columns, false},
		{&t.balances, lake.Balances, lake.Balances.Columns, false},
		{&t.alerts, lake.Alerts, lake.Alerts.Columns, false},
		{&t.invoices, lake.Invoices, lake.Invoices.Columns, provisional},
		{&t.lines, lake.InvoiceLines, lake.InvoiceLines.Columns, provisional},
		{&t.statements, lake.Statements, statementColumns, provisional || dry},
		{&t.revenue, lake.Revenue, lake.Revenue.Columns, provisional || dry},
	} {
		if table.left {
			continue
		}
		if *table.to, err = newRowWriter(scratch, table.table.Name, table.columns); err != nil {
			return err
		}
	}
	return nil
}

// add writes what the period did to one account. Accounts come in order.
func (t *tables) add(r *run, b *burned) error {
	out := &b.out
	slices.SortFunc(out.Buckets, func(a, b *bucket.Bucket) int {
		return cmp.Or(a.Starts.Compare(b.Starts), cmp.Compare(a.ID, b.ID))
	})
	for i := range out.Ledger {
		e := &out.Ledger[i]
		t.ledger.text(out.Account).stamp(e.At).text(e.Entry).text(e.BucketID).credits(e.Credits).text(e.Detail).end()
	}
	for _, b := range out.Buckets {
		t.addBalance(out.Account, b)
	}
	for i := range out.Alerts {
		a := &out.Alerts[i]
		t.alerts.text(out.Account).text(a.Kind).credits(a.Threshold).instant(a.CycleStart).stamp(a.At).
			credits(a.Usage).credits(a.Balance).end()
	}
	if t.invoices == nil {
		return nil
	}
	if t.revenue != nil {
		for _, e := range makeRevenue(out) {
			t.revenue.text(out.Account).text(e.item).text(e.kind).amount(e.amount).text(out.Profile.Currency.String()).end()
		}
	}
	if t.statements != nil {
		if err := t.addStatement(r, out, b.usages); err != nil {
			return fmt.Errorf("account %q: %w", out.Account, err)
		}
	}
	if err := t.addInvoice(r, out); err != nil {
		return fmt.Errorf("account %q: %w", out.Account, err)
	}
	return nil
}

func (t *tables) addBalance(account string, b *bucket.Bucket) {
	t.balances.text(account).text(b.ID).text(string(b.Kind)).ordinal(b.Priority).instant(b.Starts).instant(b.Expires).
		credits(b.Opening).credits(b.GrantedNow).credits(b.Burned).credits(b.Expired).credits(b.Voided).
		credits(b.RolledOut).credits(b.Remaining).amount(b.Price).amount(b.Recognised).amount(b.Breakage).
		amount(b.Deferred).text(b.Currency.String()).end()
}

func (t *tables) addStatement(r *run, out *account.Outcome, usages []usage) error {
	currency := out.Profile.Currency
	t.stated = r.calls.inOrder(t.stated[:0], usages)
	for _, u := range t.stated {
		value, err := u.value(currency)
		if err != nil {
			return err
		}
		t.statements.text(out.Account).text(r.calls.operation.text(u.operation)).text(r.calls.project.text(u.project)).
			text(r.calls.keys.text(u.key)).count(u.calls).credits(u.credits.amount()).count(u.late).amount(value).
			text(currency.String()).flag(true).end()
	}
	if len(usages) == 0 {
		t.statements.text(out.Account).null().null().null().count(0).credits(credit.Amount{}).count(0).amount(money.Amount{}).
			text(currency.String()).flag(len(out.Buckets) > 0).end()
	}
	clear(t.stated)
	r.statement.give(usages)
	return nil
}

func (t *tables) addInvoice(r *run, out *account.Outcome) error {
	b, err := makeBill(out, describer{catalog: r.Catalog, calendar: r.Calendar}, r.start, r.end)
	if err != nil || len(b.lines) == 0 {
		return err
	}
	rate, taxed, err := taxRate(out.Profile.Tax)
	if err != nil {
		return err
	}
	number, currency := r.numbers.next(), out.Profile.Currency.String()
	for i, l := range b.lines {
		row := t.lines.text(number).ordinal(i + 1).text(out.Account).text(l.kind).text(l.item).text(l.description).
			credits(l.quantity).price(l.unitPrice).amount(l.amount)
		if taxed {
			row.price(rate)
		} else {
			row.null()
		}
		row.text(currency).instant(l.from).instant(l.to).null().end()
	}
	t.invoices.text(number).text("invoice").text(out.Account).text(currency).amount(b.subtotal).amount(b.tax).
		amount(b.total).amount(b.paid).amount(b.owed).stamp(r.Now).instant(r.Calendar.Add(r.Now, r.Due)).
		null().null().end()
	r.report.Totals.Invoices++
	sum := r.report.Totals.Sums[currency]
	sum.Subtotal, sum.Tax, sum.Total = sum.Subtotal.Add(b.subtotal), sum.Tax.Add(b.tax), sum.Total.Add(b.total)
	sum.Paid, sum.AmountDue = sum.Paid.Add(b.paid), sum.AmountDue.Add(b.owed)
	r.report.Totals.Sums[currency] = sum
	return nil
}

// writeTables writes the files of all tables but burns.
func (r *run) writeTables(ctx context.Context) error {
	t := &r.tables
	partition := r.Period.String()
	for _, w := range []struct {
		rows  *rowWriter
		table lake.Table
	}{
		{t.ledger, lake.Ledger},
		{t.balances, lake.Balances},
		{t.alerts, lake.Alerts},
		{t.invoices, lake.Invoices},
		{t.lines, lake.InvoiceLines},
		{t.revenue, lake.Revenue},
	} {
		if w.rows == nil {
			continue
		}
		out, err := w.rows.finish(ctx, r.Session, w.table, r.outputs, partition)
		if err != nil {
			return err
		}
		r.report.Outputs = append(r.report.Outputs, out)
	}
	if t.statements != nil {
		if err := r.writeStatements(ctx, partition); err != nil {
			return err
		}
	}
	if r.judged.rows == 0 {
		return r.judged.discard()
	}
	out, err := r.judged.copy(ctx, r.Session, sql.Text("duckdb/invoice_account_events"), lake.AccountEvents, r.outputs, "")
	if err != nil {
		return err
	}
	r.report.Outputs = append(r.report.Outputs, out)
	return nil
}

func (r *run) writeStatements(ctx context.Context, partition string) error {
	var held bool
	if err := r.Session.Row(ctx, sql.Text("duckdb/invoice_held")).Scan(&held); err != nil {
		return fmt.Errorf("held usage: %w", err)
	}
	query, args := sql.Text("duckdb/invoice_statements"), []any(nil)
	if held {
		query, args = sql.Text("duckdb/invoice_statements_held"), []any{r.Currency.String()}
	}
	out, err := r.tables.statements.copy(ctx, r.Session, query, lake.Statements, r.outputs, partition, args...)
	if err != nil {
		return err
	}
	r.report.Outputs = append(r.report.Outputs, out)
	return nil
}
