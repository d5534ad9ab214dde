package report

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	statements "github.com/creditmill/creditmill/sql"
)

// Read sums up the view `differences` of a session.
func Read(ctx context.Context, session *duck.Session, o Options) (*Summary, error) {
	r := reader{session: session, summary: &Summary{Options: o}}
	if err := prepare(ctx, session, o); err != nil {
		return nil, fmt.Errorf("sum up the differences: %w", err)
	}
	for _, step := range []func(context.Context) error{r.drafts, r.groups, r.rankings, r.histograms, r.notes, r.lines} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("sum up the differences: %w", err)
		}
	}
	return r.summary, nil
}

func prepare(ctx context.Context, session *duck.Session, o Options) error {
	if err := session.Exec(ctx, statements.Expand("duckdb/differences_rows", map[string]any{"Account": o.Account})); err != nil {
		return err
	}
	return session.Exec(ctx, statements.Expand("duckdb/differences_accounts", map[string]any{"Through": o.Through.String()}))
}

// Parquet writes the differences that a summary was read from to w, as one Parquet
// file, and returns how many there are. Call it after [Read], with the same session.
func Parquet(ctx context.Context, session *duck.Session, w io.Writer) (rows int64, err error) {
	var scratch string // the one folder that the session writes to
	if err := session.Row(ctx, "SELECT current_setting('temp_directory')").Scan(&scratch); err != nil {
		return 0, fmt.Errorf("write the differences: %w", err)
	}
	path := filepath.Join(scratch, "differences-copy.parquet")
	if rows, err = session.WriteParquet(ctx, statements.Text("duckdb/differences_copy"), path, w); err != nil {
		return 0, fmt.Errorf("write the differences: %w", err)
	}
	return rows, nil
}

type reader struct {
	session *duck.Session
	summary *Summary
	places  map[string]int // of drafts, by name
}

// each runs a query and hands over its rows one by one.
func (r *reader) each(ctx context.Context, query string, take func(*sql.Rows) error, args ...any) error {
	rows, err := r.session.Rows(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// drafts are those that were asked for, in their order, also where they change
// nothing; what differences there are of others goes before them.
func (r *reader) drafts(ctx context.Context) error {
	var found []Draft
	err := r.each(ctx, statements.Text("duckdb/differences_drafts"), func(rows *sql.Rows) error {
		var d Draft
		err := rows.Scan(&d.Name, &d.Accounts, &d.More, &d.Less)
		found = append(found, d)
		return err
	})
	if err != nil {
		return err
	}
	names := r.summary.Options.Drafts
	if len(names) == 0 {
		names = []string{""}
	}
	var list []Draft
	for _, d := range found {
		if !slices.Contains(names, d.Name) {
			list = append(list, d)
		}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		draft := Draft{Name: name}
		if at := slices.IndexFunc(found, func(d Draft) bool { return d.Name == name }); at >= 0 {
			draft = found[at]
		}
		list = append(list, draft)
	}
	r.summary.Drafts, r.places = list, map[string]int{}
	for i, d := range list {
		r.places[d.Name] = i
	}
	return nil
}

func (r *reader) changes() []Change {
	list := make([]Change, len(r.summary.Drafts))
	for i := range list {
		list[i] = noChange()
	}
	return list
}

func parseChange(before, after string) (Change, error) {
	b, okBefore := new(big.Rat).SetString(before)
	a, okAfter := new(big.Rat).SetString(after)
	if !okBefore || !okAfter {
		return Change{}, fmt.Errorf("%q and %q are no decimals", before, after)
	}
	return Change{b, a}, nil
}

type rowKey struct{ name, measure, unit string }

// A fold adds up differences by name, measure and unit.
type fold map[rowKey]*Row

func (f fold) add(r *reader, key rowKey, draft int, calls int64, c Change) {
	row, ok := f[key]
	if !ok {
		row = &Row{Name: key.name, Measure: key.measure, Unit: key.unit, Calls: make([]int64, len(r.summary.Drafts)), Changes: r.changes()}
		f[key] = row
	}
	row.Calls[draft] += calls
	row.Changes[draft].add(c)
}

// sorted are the rows by name, then money before credits, then measure.
func (f fold) sorted(byName func(a, b string) int) []Row {
	var rows []Row
	for _, row := range f {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(byName(a.Name, b.Name), compareUnits(a.Unit, b.Unit), slices.Index(measures, a.Measure)-slices.Index(measures, b.Measure))
	})
	return rows
}

func compareUnits(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == Credits:
		return 1
	case b == Credits:
		return -1
	}
	return strings.Compare(a, b)
}

// compareCauses puts single causes first in the order of [Causes], then joined ones.
func compareCauses(a, b string) int {
	places := func(cause string) (list []int) {
		for word := range strings.SplitSeq(cause, ", ") {
			list = append(list, slices.Index(Causes, word))
		}
		return list
	}
	x, y := places(a), places(b)
	return cmp.Or(cmp.Compare(len(x), len(y)), slices.Compare(x, y), strings.Compare(a, b))
}

func (r *reader) groups(ctx context.Context) error {
	totals, causes, periods := fold{}, fold{}, fold{}
	last := r.summary.Through.String()
	err := r.each(ctx, statements.Text("duckdb/differences_groups"), func(rows *sql.Rows) error {
		var draft, month, cause, part, unit, before, after string
		var calls int64
		if err := rows.Scan(&draft, &month, &cause, &part, &unit, &calls, &before, &after); err != nil {
			return err
		}
		change, err := parseChange(before, after)
		if err != nil {
			return err
		}
		at, measure := r.places[draft], part
		if unit != Credits {
			measure = Total
			for _, part := range []string{Subtotal, Tax} { // both, though one may be nothing
				totals.add(r, rowKey{"", part, unit}, at, 0, noChange())
			}
			totals.add(r, rowKey{"", part, unit}, at, 0, change)
		}
		if measure != Balance || month == last {
			totals.add(r, rowKey{"", measure, unit}, at, calls, change)
		}
		if measure == Total || measure == Rated {
			causes.add(r, rowKey{cause, measure, unit}, at, calls, change)
		}
		periods.add(r, rowKey{month, measure, unit}, at, calls, change)
		r.summary.Drafts[at].Calls += calls
		return nil
	})
	r.summary.Totals = totals.sorted(strings.Compare)
	r.summary.Causes = causes.sorted(compareCauses)
	r.summary.Periods = periods.sorted(strings.Compare)
	return err
}

func (r *reader) rankings(ctx context.Context) error {
	err := r.each(ctx, statements.Text("duckdb/differences_largest"), func(rows *sql.Rows) error {
		var unit, name, draft, before, after, heldBefore, heldAfter, causes string
		var of int64
		if err := rows.Scan(&unit, &of, &name, &draft, &before, &after, &heldBefore, &heldAfter, &causes); err != nil {
			return err
		}
		lists := r.summary.Rankings
		if len(lists) == 0 || lists[len(lists)-1].Unit != unit {
			lists = append(lists, Ranking{Unit: unit, Of: of})
			r.summary.Rankings = lists
		}
		list := &lists[len(lists)-1]
		if n := len(list.Accounts); n == 0 || list.Accounts[n-1].Name != name {
			list.Accounts = append(list.Accounts, Account{Name: name, Changes: r.changes(), Balances: r.changes()})
		}
		account := &list.Accounts[len(list.Accounts)-1]
		at := r.places[draft]
		var errChange, errBalance error
		account.Changes[at], errChange = parseChange(before, after)
		account.Balances[at], errBalance = parseChange(heldBefore, heldAfter)
		account.Causes = joinCauses(account.Causes, causes)
		return errors.Join(errChange, errBalance)
	}, r.summary.Limit)
	slices.SortStableFunc(r.summary.Rankings, func(a, b Ranking) int { return compareUnits(a.Unit, b.Unit) })
	return err
}

// joinCauses adds the words of joined causes to a list.
func joinCauses(list []string, causes string) []string {
	for word := range strings.SplitSeq(causes, ", ") {
		if !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	slices.SortFunc(list, compareCauses)
	return list
}

func (r *reader) histograms(ctx context.Context) error {
	counts := map[string]map[int][]int64{}
	err := r.each(ctx, statements.Text("duckdb/differences_histogram"), func(rows *sql.Rows) error {
		var draft, unit string
		var power int
		var accounts int64
		if err := rows.Scan(&draft, &unit, &power, &accounts); err != nil {
			return err
		}
		if counts[unit] == nil {
			counts[unit] = map[int][]int64{}
		}
		if counts[unit][power] == nil {
			counts[unit][power] = make([]int64, len(r.summary.Drafts))
		}
		counts[unit][power][r.places[draft]] = accounts
		return nil
	})
	for unit, bins := range counts {
		h := Histogram{Unit: unit}
		first, last := 0, 0
		for power := range bins {
			first, last = min(first, power), max(last, power)
		}
		for power := first; power <= last; power++ {
			switch at, ok := bins[power]; {
			case ok:
				h.Bins = append(h.Bins, Bin{power, at})
			case power != 0:
				h.Bins = append(h.Bins, Bin{power, make([]int64, len(r.summary.Drafts))})
			}
		}
		r.summary.Histograms = append(r.summary.Histograms, h)
	}
	slices.SortFunc(r.summary.Histograms, func(a, b Histogram) int { return compareUnits(a.Unit, b.Unit) })
	return err
}

func (r *reader) notes(ctx context.Context) error {
	return r.each(ctx, statements.Text("duckdb/differences_notes"), func(rows *sql.Rows) error {
		var draft, kind, currency, subtotal, tax string
		var count int64
		if err := rows.Scan(&draft, &kind, &currency, &count, &subtotal, &tax); err != nil {
			return err
		}
		sums, err := parseChange(subtotal, tax)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(r.summary.Notes, func(n Notes) bool { return n.Kind == kind && n.Currency == currency })
		if at < 0 {
			n := Notes{Kind: kind, Currency: currency, Counts: make([]int64, len(r.summary.Drafts))}
			for range r.summary.Drafts {
				n.Subtotal, n.Tax = append(n.Subtotal, new(big.Rat)), append(n.Tax, new(big.Rat))
			}
			at = len(r.summary.Notes)
			r.summary.Notes = append(r.summary.Notes, n)
		}
		n, place := r.summary.Notes[at], r.places[draft]
		n.Counts[place], n.Subtotal[place], n.Tax[place] = count, sums.Before, sums.After
		slices.SortFunc(r.summary.Notes, func(a, b Notes) int {
			return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Currency, b.Currency))
		})
		return nil
	})
}

func (r *reader) lines(ctx context.Context) error {
	if r.summary.Account == "" {
		return nil
	}
	return r.each(ctx, statements.Text("duckdb/differences_lines"), func(rows *sql.Rows) error {
		var line Line
		var draft, before, after string
		err := rows.Scan(&draft, &line.Period, &line.Measure, &line.Item, &line.Unit, &before, &after, &line.Calls, &line.Cause, &r.summary.AllLines)
		if err != nil {
			return err
		}
		line.Draft = r.places[draft]
		line.Change, err = parseChange(before, after)
		r.summary.Lines = append(r.summary.Lines, line)
		return err
	}, r.summary.Limit)
}
