// Package invoice burns a period down and bills it: rated usage and account
// events become burns, ledger, balances, alerts, invoices, statements and
// revenue (SPEC section 7, steps 4 and 5).
//
// [Run] is a pure step: it reads the views that its caller made in the DuckDB
// session and writes Parquet files into scratch. It commits nothing, and what a
// crash leaves are files that no run names. Given the same views and the same
// Now it writes the same rows. The burn-down itself is Go, one account after the
// other (package account) over calls in burning order, which come out of parts in
// scratch, sorted one by one (calls). Memory does not grow with the number of calls,
// but for 16 bytes a call of the largest account; nor with the number of accounts,
// but for their names.
//
// Before Run returns, sql/checks has compared what it wrote: credits rated are
// credits burned, overage and denied; every bucket adds up, in credits and in
// money; invoices are the sum of their lines. A difference is an error.
package invoice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// An Input is one period to burn down. The session must have these views, with
// the columns of their tables where nothing else is said:
//
//	rated           the period's live rated calls; held ones may be among them, and only count as held
//	left_behind     rated rows that are not in rated: held ones, also those that the cut moved on
//	account_events  all live ones
//	prior_balances, prior_burns, prior_alerts   of the period before, empty in the first; prior_burns not with Kept
//	granted         bucket_id, granted DECIMAL(38,6): summed over the closed periods' balances
//	fixed_currency  account: those charged money in an earlier period
//	issued          number: of all documents so far
//	kept_topups     with Kept: account, number, starts_at, expires_at, granted, pack, units, unit_price, price, currency
//
// What apply published of the period itself must not be in the views of the
// period before: Run starts from closed periods alone.
type Input struct {
	Session *duck.Session
	// RatedFiles are local paths of the Parquet files that the view rated reads: the
	// calls are read from them directly, which is faster. Without any, a copy of the
	// view is.
	RatedFiles []string
	// Dealt are the view's calls as Deal has dealt them out, for a dry run by the prices
	// of the Draft-th draft, from 0; nil: Run deals them out itself.
	Dealt *Dealt
	Draft int

	Scratch       string // folder for the output files, which the session may read and write
	Period        period.Period
	Calendar      period.Calendar
	FirstPeriod   period.Period
	Catalog       *catalog.Catalog
	Currency      money.Currency // of accounts that name none
	AlertPercents []int
	UnknownPlan   string          // accounts: {unknown: {plan: P}}; empty: hold
	Now           time.Time       // invoices are issued then
	Numbers       config.Invoices // of which those of invoices are given
	Due           period.Duration // after Now
	// Kept is a replay of a period whose top-ups were charged: they stay, and what it
	// makes of alerts is nothing (SPEC section 14, 30 and 44).
	Kept bool
	// Dry is a replay that is compared and thrown away: ledger, balances, invoices and
	// their lines alone.
	Dry bool
	// Provisional is apply: ledger, balances and alerts as far as Until, no burns, no
	// invoices and nothing that follows from them.
	Provisional bool
	Until       time.Time               // provisional: how far time has come; zero is the period's end
	Progress    func(done, total int64) // calls; may be nil
}

// A Report is what Run made of a period.
type Report struct {
	// Outputs are the files by table, each once, also those without rows; and
	// account_events, whole, where the period judged any of them anew.
	Outputs []lake.Output
	Totals  Totals
	Held    []account.Held    // the period's events that make no sense, by account, in the order they are applied
	Missing []account.Missing // accounts that cannot go on, in their order; a provisional run leaves them out, any other fails
	Checks  []string          // identities that do not hold; Run fails unless empty
}

// ErrMissing is the failure of a run for good with accounts that the catalog cannot
// serve. The Report tells them all, and every held event besides.
var ErrMissing = errors.New("accounts cannot go on, for the catalog lacks what they need")

// Totals are the period's control totals, as a run's manifest records them.
type Totals struct {
	Calls    int64             // rated, without held ones
	Accounts int64             // with calls, buckets or events
	Invoices int64             // issued
	Credits  map[string]string // by who paid: a kind of bucket, overage or denied; zeros are left out
	Money    map[string]string // what the invoices come to with tax, by currency code
	Sums     map[string]Sums   // the same in parts
}

// Sums is what the invoices of one currency add up to.
type Sums struct{ Subtotal, Tax, Total, Paid, AmountDue money.Amount }

// Run burns the period down and, unless it is provisional, bills it. An error of
// an account names it and the instant. With accounts that the catalog cannot serve
// it fails with [ErrMissing]; a provisional run gives the rows of all others.
func Run(ctx context.Context, in Input) (report Report, err error) {
	dir, err := os.MkdirTemp(in.Scratch, "invoice-*")
	if err != nil {
		return Report{}, fmt.Errorf("scratch: %w", err)
	}
	work := filepath.Join(dir, "work") // what no output is
	if err := os.Mkdir(work, 0o700); err != nil {
		return Report{}, fmt.Errorf("scratch: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	r := &run{
		Input: in, outputs: dir, work: work,
		start: in.Calendar.Start(in.Period), end: in.Calendar.End(in.Period),
		report:  Report{Totals: Totals{Credits: map[string]string{}, Money: map[string]string{}, Sums: map[string]Sums{}}},
		credits: map[bucket.Kind]credit.Amount{},
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, step := range []func(context.Context) error{r.open, r.burn, r.writeTables, r.check} {
		if err := step(ctx); err != nil {
			return r.report, fmt.Errorf("period %s: %w", in.Period, err)
		}
	}
	if broken := r.report.Checks; len(broken) > 0 {
		return r.report, fmt.Errorf("period %s: what was written does not add up, nothing may be committed:\n%s",
			in.Period, strings.Join(broken, "\n"))
	}
	return r.report, nil
}

// A run is one call of Run.
type run struct {
	Input
	outputs, work string // folders
	start, end    time.Time
	report        Report

	calls    *calls
	events   *accountRows
	openings *accountRows
	alerts   *accountRows
	cycles   *accountRows // what was used of the running cycle
	fixed    *accountRows
	kept     *accountRows // nil: no replay
	numbers  *numbers     // nil: provisional

	burns     *burnStream // nil: provisional
	statement *statement
	burned    chan burned
	tables    tables
	judged    *rowWriter // changed account events
	done      int64      // calls
	told      int64      // of them to Progress
	credits   map[bucket.Kind]credit.Amount
}

func (r *run) close() error {
	var errs []error
	if r.calls != nil {
		errs = append(errs, r.calls.close())
	}
	for _, rows := range []*accountRows{r.events, r.openings, r.alerts, r.cycles, r.fixed, r.kept} {
		errs = append(errs, rows.close())
	}
	return errors.Join(errs...)
}
