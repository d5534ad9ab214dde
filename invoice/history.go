package invoice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/catalog"
	"github.com/creditmill/creditmill/sql"
)

// A HistoryInput is what accounts' histories are told from. The session must have the
// views account_events, of all live ones, and, with UnknownPlan, history_calls: the
// rated calls of the open period.
type HistoryInput struct {
	Session     *duck.Session
	Scratch     string // folder for what does not stay
	Calendar    period.Calendar
	FirstPeriod period.Period
	Catalog     *catalog.Catalog
	Currency    money.Currency // of accounts that name none
	UnknownPlan string         // accounts: {unknown: {plan: P}}; empty: hold
	At          time.Time      // of the standings
	Until       time.Time      // of the subscriptions; not before At
}

// Histories makes three tables in the session, each ordered by account: opened, of every
// account that has been opened by Until, as it stands then but for its plan, which is
// that of At; standings, of each as it stands at At, what happens at that instant
// included; and subscriptions, the plan versions in force up to Until.
func Histories(ctx context.Context, in HistoryInput) (err error) {
	last := in.Calendar.Of(in.Until)
	if last.Before(in.FirstPeriod) {
		last = in.FirstPeriod
	}
	end := in.Calendar.End(last)
	if in.Scratch, err = os.MkdirTemp(in.Scratch, "history-*"); err != nil {
		return fmt.Errorf("scratch: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(in.Scratch)) }()
	events, err := in.open(ctx, "duckdb/history_events", end)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, events.close()) }()
	var calls *accountRows
	if in.UnknownPlan != "" {
		if calls, err = in.open(ctx, "duckdb/history_first_calls", end); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, calls.close()) }()
	}
	tables, err := newHistoryTables(in.Scratch)
	if err != nil {
		return err
	}
	for {
		batch, err := in.next(events, calls, last)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return errors.Join(err, tables.discard())
		}
		if len(batch) == 0 {
			return tables.make(ctx, in.Session)
		}
		in.follow(batch)
		for i := range batch {
			tables.add(&batch[i])
		}
	}
}

// A told is one account and its history.
type told struct {
	params    account.Params
	firstCall time.Time // zero: none

	openedAt  time.Time
	at, until account.Standing
	terms     []account.Term
	// whether it is opened at At, and at Until
	openedThen, opened bool
}

// accountsAtOnce is how many accounts are read before they are followed.
const accountsAtOnce = 1 << 12

// next reads the next accounts, none at the end.
func (in *HistoryInput) next(events, calls *accountRows, last period.Period) (batch []told, err error) {
	for len(batch) < accountsAtOnce {
		name, ok := events.peek()
		if other, has := calls.peek(); has && (!ok || other < name) {
			name, ok = other, true
		}
		if !ok {
			break
		}
		t := told{params: account.Params{
			Account: string([]byte(name)), Period: last, Calendar: in.Calendar, FirstPeriod: in.FirstPeriod, Catalog: in.Catalog,
			DefaultCurrency: in.Currency, UnknownPlan: in.UnknownPlan,
		}}
		if err := events.each(t.params.Account, func(row record) error {
			t.params.Events = append(t.params.Events, readEvent(row))
			return nil
		}); err != nil {
			return nil, err
		}
		if err := calls.each(t.params.Account, func(row record) error {
			t.firstCall = row.instant(1)
			return nil
		}); err != nil {
			return nil, err
		}
		batch = append(batch, t)
	}
	return batch, nil
}

// follow follows accounts on all processors.
func (in *HistoryInput) follow(batch []told) {
	var group sync.WaitGroup
	for part := range slices.Chunk(batch, len(batch)/runtime.GOMAXPROCS(0)+1) {
		group.Go(func() {
			for i := range part {
				t := &part[i]
				history := account.Follow(t.params, t.firstCall)
				history.To(in.At)
				t.at, t.openedThen = history.Standing(), history.Opened()
				history.To(in.Until)
				t.until, t.opened = history.Standing(), history.Opened()
				t.openedAt, t.terms = history.OpenedAt(), history.Terms()
			}
		})
	}
	group.Wait()
}

// open sorts what a statement finds, account by account.
func (in *HistoryInput) open(ctx context.Context, statement string, end time.Time) (*accountRows, error) {
	file := filepath.Join(in.Scratch, path.Base(statement)+".parquet")
	if err := copyToScratch(ctx, in.Session, sql.Text(statement), file, end); err != nil {
		return nil, fmt.Errorf("%s: %w", statement, err)
	}
	return openAccountRows(ctx, file)
}
