package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/rate/price"
	"github.com/creditmill/creditmill/sql"
)

// PriceWarnings lists what the price tables say but surely do not mean: see
// [price.Book.Warnings].
func (m *Mill) PriceWarnings() []yamlfile.Problem {
	return m.Prices.Warnings(m.Calendar.Start(m.Config.FirstPeriod), func(v price.VersionRef) bool { return m.PricesUsedBy(v) != 0 })
}

// PricesUsedBy is the first run that used a version of a price table; 0: none has. A
// draft is none that a run has used, whatever its number.
func (m *Mill) PricesUsedBy(v price.VersionRef) int64 {
	used, run := m.Lake.State().Used(lake.VersionRef{Kind: priceTable, Name: v.Table, Version: v.Version})
	if used != v.SHA256 {
		return 0
	}
	return run
}

// RatingSelect is the SELECT that rates the calls of the open period.
func (m *Mill) RatingSelect() (string, error) {
	state := m.Lake.State()
	open, _ := state.Open(m.Config.FirstPeriod)
	return m.Prices.Select(price.SelectOptions{
		Dynamic: state.Columns, OpenedBefore: m.Calendar.End(open), UnknownAccounts: m.Config.UnknownPlan != "",
	})
}

// ConfiguredPrices finds the version that TABLE@VERSION names.
func (m *Mill) ConfiguredPrices(ref string) (*price.Version, error) {
	if v := m.pricesNamed(ref); v != nil {
		return v, nil
	}
	return nil, m.noPrices("there is no price table or version " + ref)
}

// PriceVersion finds the version that ref names: TABLE@VERSION of the
// configuration, or the path of a price file, which need not be part of it and is
// checked as if it were.
func (m *Mill) PriceVersion(ref string) (*price.Version, error) {
	if v := m.pricesNamed(ref); v != nil {
		return v, nil
	}
	content, err := os.ReadFile(ref)
	if errors.Is(err, os.ErrNotExist) {
		return nil, m.noPrices(ref + " is neither TABLE@VERSION nor a price file")
	}
	if err != nil {
		return nil, ConfigError{fmt.Errorf("read a price file: %w", err)}
	}
	declared, err := source.Columns(nil, m.Sources...)
	if err != nil {
		return nil, ConfigError{err}
	}
	var problems yamlfile.Problems
	drafts := price.Parse([]price.File{{Name: ref, Content: content}}, declared, &problems).Versions()
	if err := problems.Err(); err != nil {
		return nil, ConfigError{err}
	}
	if len(drafts) == 0 {
		return nil, ConfigError{fmt.Errorf("%s holds no version of a price table", ref)}
	}
	return drafts[0], nil
}

// pricesNamed is the version that TABLE@VERSION names, or nil.
func (m *Mill) pricesNamed(ref string) *price.Version {
	at := strings.LastIndexByte(ref, '@')
	if at < 0 {
		return nil
	}
	number, err := strconv.Atoi(ref[at+1:])
	if err != nil {
		return nil
	}
	return m.Prices.Find(ref[:at], number)
}

// noPrices is the error of a version that there is not: what is wrong, and which
// there are.
func (m *Mill) noPrices(wrong string) error {
	var names []string
	for _, v := range m.Prices.Versions() {
		names = append(names, fmt.Sprintf("%s@%d", v.Table, v.Version))
	}
	if len(names) == 0 {
		return ConfigError{fmt.Errorf("%s; the configuration names no prices", wrong)}
	}
	return ConfigError{fmt.Errorf("%s; the versions are %s", wrong, strings.Join(names, ", "))}
}

// A PriceChange is what calls cost before and after a change of prices.
type PriceChange struct {
	Name           string // the operation or account; empty: of all
	Calls, Changed int64  // Changed: those whose credits differ
	Before, After  credit.Amount
}

// Difference is how much more the calls cost after the change.
func (c PriceChange) Difference() credit.Amount { return c.After.Sub(c.Before) }

// Percent is the difference in percent of before, to two digits, halves away from
// zero; false where nothing was paid before.
func (c PriceChange) Percent() (string, bool) {
	if c.Before.IsZero() {
		return "", false
	}
	share := new(big.Rat).Quo(c.Difference().Rat(), c.Before.Rat())
	text := share.Mul(share, big.NewRat(100, 1)).FloatString(2)
	if text == "-0.00" {
		text = "0.00"
	}
	return text, true
}

// A HeldChange is how many calls a reason holds before and after.
type HeldChange struct {
	Reason        string
	Before, After int64
}

// A PriceEffect is what a change of prices does to the rated calls of a period. Of
// lists, the first few are there, and how many there are.
type PriceEffect struct {
	Period            period.Period
	Total             PriceChange
	Accounts, Touched int64 // with calls; with calls whose credits change
	Operations        []PriceChange
	AllOperations     int64
	Held              []HeldChange
	More, Less        []PriceChange // the accounts that pay more, and less
	AllMore, AllLess  int64
}

// ComparePrices prices the rated calls of a period by two versions of price
// tables, each alone and as if it were in force for all time, where one of the two
// applies. Every account counts as opened: prices are compared, not accounts. Lists
// have at most limit entries. Nothing is changed.
func (m *Mill) ComparePrices(ctx context.Context, before, after *price.Version, p period.Period, limit int) (_ PriceEffect, err error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return PriceEffect{}, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return PriceEffect{}, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	state := m.Lake.State()
	if err := d.view(ctx, "period_rated", lake.Rated, state.Partition(lake.Rated, p.String())); err != nil {
		return PriceEffect{}, err
	}
	compare, err := m.Prices.CompareSelect(before, after, state.Columns)
	if err != nil {
		return PriceEffect{}, err
	}
	if err := d.session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE price_changes AS "+compare); err != nil {
		return PriceEffect{}, fmt.Errorf("price the calls of %s twice: %w", p, err)
	}
	effect := PriceEffect{Period: p}
	err = errors.Join(d.priceTotals(ctx, &effect), d.heldChanges(ctx, &effect))
	if err != nil {
		return PriceEffect{}, err
	}
	for _, list := range []struct {
		statement string
		to        *[]PriceChange
		all       *int64
	}{
		{sql.Text("duckdb/prices_operations"), &effect.Operations, &effect.AllOperations},
		{sql.Expand("duckdb/prices_accounts", map[string]any{"Less": false}), &effect.More, &effect.AllMore},
		{sql.Expand("duckdb/prices_accounts", map[string]any{"Less": true}), &effect.Less, &effect.AllLess},
	} {
		if *list.to, *list.all, err = d.priceChanges(ctx, list.statement, limit); err != nil {
			return PriceEffect{}, fmt.Errorf("sum up the calls of %s: %w", p, err)
		}
	}
	return effect, nil
}

func (d *desk) priceTotals(ctx context.Context, to *PriceEffect) error {
	var before, after string
	err := d.session.Row(ctx, sql.Text("duckdb/prices_totals")).Scan(&to.Total.Calls, &to.Total.Changed, &before, &after, &to.Accounts, &to.Touched)
	if err == nil {
		err = to.Total.parse(before, after)
	}
	if err != nil {
		return fmt.Errorf("sum up the calls of %s: %w", to.Period, err)
	}
	return nil
}

func (c *PriceChange) parse(before, after string) (err error) {
	if c.Before, err = credit.Parse(before); err != nil {
		return err
	}
	c.After, err = credit.Parse(after)
	return err
}

func (d *desk) heldChanges(ctx context.Context, to *PriceEffect) error {
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/prices_held"))
	if err != nil {
		return fmt.Errorf("held calls of %s: %w", to.Period, err)
	}
	defer rows.Close()
	for rows.Next() {
		var c HeldChange
		if err := rows.Scan(&c.Reason, &c.Before, &c.After); err != nil {
			return err
		}
		to.Held = append(to.Held, c)
	}
	return rows.Err()
}

func (d *desk) priceChanges(ctx context.Context, statement string, limit int) (list []PriceChange, all int64, err error) {
	rows, err := d.session.Rows(ctx, statement, limit)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var c PriceChange
		var before, after string
		if err := rows.Scan(&c.Name, &c.Calls, &c.Changed, &before, &after, &all); err != nil {
			return nil, 0, err
		}
		if err := c.parse(before, after); err != nil {
			return nil, 0, err
		}
		list = append(list, c)
	}
	return list, all, rows.Err()
}
