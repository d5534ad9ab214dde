package invoice

import (
	"context"
	"errors"
	"fmt"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/account"
)

// The tables that Histories makes.
var (
	openedColumns = []lake.Column{
		{Name: "account", Type: "VARCHAR"},
		{Name: "name", Type: "VARCHAR"},
		{Name: "currency", Type: "VARCHAR"},
		{Name: "named", Type: "BOOLEAN"},
		{Name: "opened_at", Type: "TIMESTAMP"},
		{Name: "plan", Type: "VARCHAR"},
	}
	standingColumns = []lake.Column{
		{Name: "account", Type: "VARCHAR"},
		{Name: "plan", Type: "VARCHAR"},
		{Name: "plan_version", Type: "INTEGER"},
		{Name: "from_at", Type: "TIMESTAMP"},
		{Name: "to_at", Type: "TIMESTAMP"},
		{Name: "allowance", Type: "DECIMAL(38,6)"},
		{Name: "next_allowance", Type: "DECIMAL(38,6)"},
		{Name: "rolls_over", Type: "BOOLEAN"},
		{Name: "protection", Type: "BOOLEAN"},
		{Name: "topup", Type: "BOOLEAN"},
	}
	subscriptionColumns = []lake.Column{
		{Name: "account", Type: "VARCHAR"},
		{Name: "plan", Type: "VARCHAR"},
		{Name: "plan_version", Type: "INTEGER"},
		{Name: "from_at", Type: "TIMESTAMP"},
		{Name: "to_at", Type: "TIMESTAMP"},
		{Name: "rate_calls", Type: "BIGINT"},
		{Name: "rate_per", Type: "VARCHAR"},
	}
)

// historyTables are the rows on their way to the session.
type historyTables struct{ opened, standings, subscriptions *rowWriter }

func newHistoryTables(scratch string) (t *historyTables, err error) {
	t = &historyTables{}
	for _, table := range []struct {
		to      **rowWriter
		name    string
		columns []lake.Column
	}{
		{&t.opened, "opened", openedColumns}, {&t.standings, "standings", standingColumns}, {&t.subscriptions, "subscriptions", subscriptionColumns},
	} {
		if *table.to, err = newRowWriter(scratch, table.name, table.columns); err != nil {
			return nil, errors.Join(err, t.discard())
		}
	}
	return t, nil
}

func (t *historyTables) discard() error {
	var errs []error
	for _, w := range []*rowWriter{t.opened, t.standings, t.subscriptions} {
		if w != nil {
			errs = append(errs, w.discard())
		}
	}
	return errors.Join(errs...)
}

// add writes one account's rows.
func (t *historyTables) add(a *told) {
	if !a.opened {
		return
	}
	name := a.params.Account
	t.opened.text(name).text(a.until.Name).text(a.until.Currency.String()).flag(a.until.CurrencyNamed).instant(a.openedAt)
	if a.at.Plan != nil {
		t.opened.text(a.at.Plan.Name)
	} else {
		t.opened.null()
	}
	t.opened.end()
	if a.openedThen {
		t.standing(name, a.at)
	}
	for _, term := range a.terms {
		t.subscriptions.text(name).text(term.Plan.Name).ordinal(term.Plan.Version).instant(term.From).instant(term.To)
		limit := term.Plan.RateLimit
		switch {
		case limit == nil:
			t.subscriptions.null().null()
		case limit.Day:
			t.subscriptions.count(limit.Calls).text("day")
		default:
			t.subscriptions.count(limit.Calls).text("hour")
		}
		t.subscriptions.end()
	}
}

func (t *historyTables) standing(name string, s account.Standing) {
	w := t.standings
	w.text(name)
	if s.Plan == nil {
		w.null().null().null().null().null()
	} else {
		w.text(s.Plan.Name).ordinal(s.Plan.Version).instant(s.From).instant(s.To).credits(s.Allowance)
	}
	if s.Next == nil {
		w.null()
	} else {
		w.credits(*s.Next)
	}
	w.flag(s.Rolls).flag(s.Protection).flag(s.TopUp).end()
}

// make makes the tables.
func (t *historyTables) make(ctx context.Context, session *duck.Session) (err error) {
	defer func() { // its stream is gone: nobody may read it
		err = errors.Join(err, session.Exec(context.WithoutCancel(ctx), "DROP VIEW IF EXISTS history_rows"))
	}()
	for _, table := range []struct {
		name string
		rows **rowWriter
	}{{"opened", &t.opened}, {"standings", &t.standings}, {"subscriptions", &t.subscriptions}} {
		rows := *table.rows
		*table.rows = nil
		if err := rows.read(session, "history_rows", func() error {
			return session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE "+duck.Identifier(table.name)+" AS SELECT * FROM history_rows")
		}); err != nil {
			return errors.Join(fmt.Errorf("table %s: %w", table.name, err), t.discard())
		}
	}
	return nil
}
