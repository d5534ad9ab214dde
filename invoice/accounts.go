package invoice

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/sql"
)

// open sorts everything that is read account by account.
func (r *run) open(ctx context.Context) (err error) {
	for _, stream := range []struct {
		to        **accountRows
		statement string
		args      []any
	}{
		{&r.openings, "duckdb/invoice_openings", []any{r.start}},
		{&r.events, "duckdb/invoice_events", []any{r.end}},
		{&r.alerts, "duckdb/invoice_prior_alerts", nil},
		{&r.fixed, "duckdb/invoice_fixed_currency", nil},
		{&r.kept, "duckdb/invoice_kept_topups", nil},
	} {
		if stream.to == &r.kept && !r.Kept {
			continue
		}
		file := filepath.Join(r.work, path.Base(stream.statement)+".parquet")
		if err := copyToScratch(ctx, r.Session, sql.Text(stream.statement), file, stream.args...); err != nil {
			return fmt.Errorf("%s: %w", stream.statement, err)
		}
		if *stream.to, err = openAccountRows(ctx, file); err != nil {
			return err
		}
	}
	if err := r.openCycles(ctx); err != nil {
		return fmt.Errorf("usage of running cycles: %w", err)
	}
	if r.calls, err = openCalls(ctx, r.work, &r.Input); err != nil {
		return err
	}
	if !r.Provisional {
		year := r.Now.In(r.Calendar.Location()).Year()
		if r.numbers, err = openNumbers(ctx, r.Session, r.Numbers.Number, year); err != nil {
			return err
		}
	}
	r.statement = newStatement()
	if err := r.tables.open(r.work, r.Provisional, r.Dry); err != nil {
		return err
	}
	r.judged, err = newRowWriter(r.work, "judged", lake.AccountEvents.Columns)
	return err
}

// openCycles finds the cycle that each account was in when the period began, and
// what it had used of it: alerts tell. In the first period, in a replay, and of an
// account without any kind of alert, nobody asks.
func (r *run) openCycles(ctx context.Context) (err error) {
	if r.Period == r.FirstPeriod || r.Kept {
		return nil
	}
	events, err := openAccountRows(ctx, filepath.Join(r.work, "invoice_events.parquet"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, events.close()) }()
	cycles, err := newRowWriter(r.work, "cycles", []lake.Column{{Name: "account", Type: "VARCHAR"}, {Name: "cycle_start", Type: "TIMESTAMP"}})
	if err != nil {
		return err
	}
	for {
		name, ok := events.peek()
		if !ok {
			break
		}
		p := r.params(name)
		if err := events.each(p.Account, func(row record) error {
			p.Events = append(p.Events, readEvent(row))
			return nil
		}); err != nil {
			return err
		}
		if len(r.AlertPercents) == 0 && !slices.ContainsFunc(p.Events, func(e account.Event) bool { return e.Type == "alert.set" }) {
			continue
		}
		if start := account.CycleStart(p); !start.IsZero() {
			cycles.text(p.Account).instant(start).end()
		}
	}
	path := filepath.Join(r.work, "cycle_usage.parquet")
	err = cycles.read(r.Session, "invoice_cycles", func() error {
		return copyToScratch(ctx, r.Session, sql.Text("duckdb/invoice_cycle_usage"), path)
	})
	if err != nil {
		return err
	}
	r.cycles, err = openAccountRows(ctx, path)
	return err
}

func (r *run) params(name string) account.Params {
	p := account.Params{
		Account: string([]byte(name)), Period: r.Period, Calendar: r.Calendar, FirstPeriod: r.FirstPeriod,
		Catalog: r.Catalog, DefaultCurrency: r.Currency, AlertPercents: r.AlertPercents, UnknownPlan: r.UnknownPlan,
	}
	if r.Provisional {
		p.Until = r.Until
	}
	return p
}

// burnAccounts takes every account that has calls, events or buckets through the
// period, in the order of their names.
func (r *run) burnAccounts(ctx context.Context) error {
	for {
		name, ok := r.calls.peek()
		for _, rows := range []*accountRows{r.events, r.openings, r.kept} {
			if other, has := rows.peek(); has && (!ok || other < name) {
				name, ok = other, true
			}
		}
		if !ok {
			break
		}
		if err := r.burnAccount(ctx, name); err != nil {
			return err
		}
	}
	if r.Progress != nil {
		r.Progress(r.done, r.calls.total)
	}
	if missing := r.report.Missing; len(missing) > 0 && !r.Provisional {
		return fmt.Errorf("%w: %d, the first is account %q at %s: %w", ErrMissing, len(missing), missing[0].Account,
			period.FormatInstant(missing[0].At), &missing[0])
	}
	return nil
}

func (r *run) burnAccount(ctx context.Context, name string) error {
	p := r.params(name)
	if err := r.readAccount(&p); err != nil {
		return fmt.Errorf("account %q: %w", p.Account, err)
	}
	done := r.done
	machine, err := account.Open(p)
	if err == nil {
		err = r.burnCalls(ctx, p.Account, machine)
	}
	b := burned{events: p.Events}
	if err == nil {
		b.out, err = machine.Finish()
	}
	b.usages = r.statement.take()
	if err != nil {
		r.done = done
		if b, err = r.leaveOut(p.Account, machine, err); err != nil {
			return err
		}
	}
	select {
	case r.burned <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaveOut leaves an account out that the catalog cannot serve: it gets no rows,
// and what is missing is told, and held. Any other error stops the run.
func (r *run) leaveOut(name string, machine *account.Machine, err error) (burned, error) {
	var missing *account.Missing
	if !errors.As(err, &missing) {
		return burned{}, err
	}
	r.report.Missing = append(r.report.Missing, *missing)
	b := burned{left: true}
	if machine != nil {
		b.out.Held = machine.Held()
	}
	if next, ok := r.calls.peek(); ok && next == name {
		return b, r.calls.each(func(call) error { return nil })
	}
	return b, nil
}

// readAccount reads what is known of the account from before the period, and its events.
func (r *run) readAccount(p *account.Params) error {
	if err := r.events.each(p.Account, func(row record) error {
		p.Events = append(p.Events, readEvent(row))
		return nil
	}); err != nil {
		return err
	}
	var from *origins // as seldom as there are buckets
	if err := r.openings.each(p.Account, func(row record) error {
		b, err := readBucket(row)
		if err != nil {
			return err
		}
		expired, _ := row.decimal(11)
		p.Opening.ExpiredAtStart = p.Opening.ExpiredAtStart.Add(expired)
		if !b.Remaining.IsZero() {
			if from == nil {
				from = originsOf(p.Events, r.UnknownPlan)
			}
			b.Item = from.item(b)
			p.Opening.Buckets = append(p.Opening.Buckets, b)
		}
		return nil
	}); err != nil {
		return err
	}
	var cycleStart time.Time
	if err := r.behind(r.cycles, p.Account, func(row record) error {
		cycleStart = row.instant(1)
		p.Opening.CycleUsage, _ = row.decimal(2)
		return nil
	}); err != nil {
		return err
	}
	if err := r.behind(r.alerts, p.Account, func(row record) error {
		p.Opening.Alerts = append(p.Opening.Alerts, readAlert(row))
		return nil
	}); err != nil {
		return err
	}
	p.Opening.Alerts = runningAlerts(p.Opening.Alerts, cycleStart)
	if err := r.behind(r.kept, p.Account, func(row record) error {
		k, err := readKept(row)
		p.Kept = append(p.Kept, k)
		return err
	}); err != nil {
		return err
	}
	return r.behind(r.fixed, p.Account, func(record) error {
		p.Opening.CurrencyFixed = true
		return nil
	})
}

// behind calls do for the account's rows of a stream that decides on no account
// of its own: rows of accounts that are gone are skipped.
func (r *run) behind(rows *accountRows, name string, do func(record) error) error {
	for {
		next, ok := rows.peek()
		if !ok || next > name {
			return nil
		}
		if next == name {
			return rows.each(name, do)
		}
		if err := rows.advance(); err != nil {
			return err
		}
	}
}

// burnCalls burns the account's calls.
func (r *run) burnCalls(ctx context.Context, name string, machine *account.Machine) error {
	if next, ok := r.calls.peek(); !ok || next != name {
		return nil
	}
	before := int64(math.MinInt64) // posted_at of the last call
	err := r.calls.each(func(c call) error {
		credits, postedAt := r.calls.credits(c), c.long(callPostedAt)
		if credits == heldCredits {
			return nil
		}
		if postedAt < before {
			return fmt.Errorf("account %q: call %q posts before the call that burns before it", name, c.event())
		}
		before = postedAt
		splits, err := machine.Call(postedAt, credits)
		if err != nil {
			return fmt.Errorf("call %q of source %q: %w", c.event(), r.calls.source.text(c.name(callSource)), err)
		}
		if r.burns != nil {
			for s := 0; s < len(splits); s++ {
				split := splits[s]
				for split.Bucket == nil && s+1 < len(splits) && splits[s+1].Kind == split.Kind {
					s++ // overage that crosses a step has a split for each, and one row
					split.Credits += splits[s].Credits
				}
				if err := r.burns.add(ctx, name, r.calls.source.text(c.name(callSource)), c, &split); err != nil {
					return err
				}
			}
			r.statement.add(usageKey{c.name(callOperation), c.name(callProject), c.name(callKey)}, c.late(), credits, splits)
		}
		r.done++
		return nil
	})
	if r.Progress != nil && r.done-r.told >= callsPerTelling {
		r.told = r.done
		r.Progress(r.done, r.calls.total)
	}
	return errors.Join(err, ctx.Err())
}

// callsPerTelling is after how many calls Progress is told.
const callsPerTelling = 100_000
