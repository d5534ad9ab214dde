package jobs

import (
	"context"
	stdsql "database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/sql"
)

// typeOpened is the account event that opens an account (SPEC section 5).
const typeOpened = "account.opened"

// An AccountState is an account as it stood at the end of a period, or as far as
// the open period has come.
type AccountState struct {
	Known    bool      // something in the lake is of it
	OpenedAt time.Time // zero: not opened
	Profile  account.Profile
}

// A Standing is how far a period has been burned down.
type Standing struct {
	Period  period.Period
	Closed  bool
	Applied bool // by an apply, provisionally
	until   time.Time
}

// Standing is that of a period or, for the zero period, of the newest one that was
// closed or applied, and the open one before there is any. Periods that are still
// to come, or were before the lake's first, are a [ConfigError].
func (m *Mill) Standing(p period.Period) (Standing, error) {
	state := m.Lake.State()
	open, _ := state.Open(m.Config.FirstPeriod)
	applied := state.Applied(open)
	if p.IsZero() {
		if p = open; applied == nil && m.Config.FirstPeriod.Before(open) {
			p = open.Add(-1)
		}
	}
	if p.Before(m.Config.FirstPeriod) || open.Before(p) {
		return Standing{}, ConfigError{fmt.Errorf("there are no balances of %s: the lake has those of %s", p, span(m.Config.FirstPeriod, open))}
	}
	s := Standing{Period: p, Closed: p.Before(open)}
	switch {
	case s.Closed:
	case applied != nil:
		s.Applied = true
		if applied.Now.Before(m.Calendar.End(p)) {
			s.until = applied.Now
		}
	default:
		s.until = m.until(p)
	}
	return s, nil
}

// span writes the periods from first to last, both included.
func span(first, last period.Period) string {
	if first == last {
		return first.String() + " alone"
	}
	return first.String() + " to " + last.String()
}

// Account says what became of an account by its events: opened or not, on which
// plan. An account that the lake does not know is a [ConfigError]; an error of one
// that it does (Known) is that the catalog no longer serves its subscription.
func (r *Reader) Account(ctx context.Context, name string, s Standing) (AccountState, error) {
	m := r.mill
	params := account.Params{
		Account: name, Period: s.Period, Calendar: m.Calendar, FirstPeriod: m.Config.FirstPeriod, Catalog: m.Catalog,
		DefaultCurrency: m.Config.Currency, UnknownPlan: m.Config.UnknownPlan, Until: s.until,
	}
	var state AccountState
	var err error
	if state.Known, err = r.knows(ctx, name); err == nil && !state.Known {
		err = r.errNoAccount(ctx, name)
	}
	if err != nil {
		return state, err
	}
	if params.Events, err = r.accountEvents(ctx, name, m.Calendar.End(s.Period)); err != nil {
		return state, err
	}
	machine, err := account.Open(params)
	if err != nil {
		return state, err
	}
	opened := slices.IndexFunc(params.Events, func(e account.Event) bool { return e.Type == typeOpened })
	if opened >= 0 {
		state.OpenedAt = params.Events[opened].At
	} else if params.UnknownPlan != "" {
		// Its first priced call opens it (SPEC section 14, 35); only a close keeps that as events.
		if state.OpenedAt, err = r.firstCall(ctx, name, s.Period); err != nil {
			return state, err
		}
		if !state.OpenedAt.IsZero() {
			if _, err := machine.Call(state.OpenedAt.UnixMicro(), 0); err != nil {
				return state, err
			}
		}
	}
	out, err := machine.Finish()
	state.Profile = out.Profile
	return state, err
}

// accountEvents are an account's events before an instant that are not held, in the
// order they were posted.
func (r *Reader) accountEvents(ctx context.Context, name string, before time.Time) ([]account.Event, error) {
	rows, err := r.session.Rows(ctx, sql.Text("duckdb/account_history"), name, before)
	if err != nil {
		return nil, fmt.Errorf("account events: %w", err)
	}
	defer rows.Close()
	var events []account.Event
	for rows.Next() {
		e := account.Event{Account: name}
		var payload string
		if err := rows.Scan(&e.ID, &e.Type, &e.At, &e.PostedAt, &payload); err != nil {
			return nil, fmt.Errorf("account events: %w", err)
		}
		e.Payload = json.RawMessage(payload)
		events = append(events, e)
	}
	return events, rows.Err()
}

// firstCall is when an account's first priced call of a period burns, the zero time
// if it has none.
func (r *Reader) firstCall(ctx context.Context, name string, p period.Period) (time.Time, error) {
	if err := r.view(ctx, "account_calls", lake.Rated, r.mill.Lake.State().Partition(lake.Rated, p.String())); err != nil {
		return time.Time{}, err
	}
	var first stdsql.NullTime
	err := r.session.Row(ctx, "SELECT min(posted_at) FROM account_calls WHERE account = $1 AND held IS NULL", name).Scan(&first)
	return first.Time, err
}

// knows reports whether anything in the lake is of an account: its events, or calls
// of an account that has none. Those are held, or post to a period that is not
// closed: a close keeps what a first call stands for as events. The session has the
// account events as account_log then.
func (d *desk) knows(ctx context.Context, name string) (known bool, err error) {
	state := d.mill.Lake.State()
	if err := d.view(ctx, "account_log", lake.AccountEvents, state.Files(lake.AccountEvents)); err != nil {
		return false, err
	}
	if known, err = d.has(ctx, "account_log", name); err != nil || known {
		return known, err
	}
	open, _ := state.Open(d.mill.Config.FirstPeriod)
	files := slices.DeleteFunc(state.Files(lake.Rated), func(f lake.File) bool {
		return heldRows(f) == 0 && f.Partition < open.String()
	})
	if err := d.view(ctx, "account_calls", lake.Rated, files); err != nil {
		return false, err
	}
	return d.has(ctx, "account_calls", name)
}

// has reports whether a view with a column account has rows of one.
func (d *desk) has(ctx context.Context, view, name string) (found bool, err error) {
	err = d.session.Row(ctx, sql.Expand("duckdb/account_known", view), name).Scan(&found)
	return found, err
}

// errNoAccount is the refusal of an account that the lake does not know; it says
// which there are. knows has looked before.
func (d *desk) errNoAccount(ctx context.Context, name string) error {
	const most = 10
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/account_names"), most)
	if err != nil {
		return fmt.Errorf("list accounts: %w", err)
	}
	defer rows.Close()
	var names []string
	var all int
	for rows.Next() {
		var name string
		if err := rows.Scan(&name, &all); err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list accounts: %w", err)
	}
	list := "there are none yet"
	switch {
	case all > most:
		list = fmt.Sprintf("there are %d, such as %s", all, strings.Join(names, ", "))
	case all > 0:
		list = "there are " + strings.Join(names, ", ")
	}
	return ConfigError{fmt.Errorf("there is no account %s: %s", name, list)}
}
