package rate

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/rate/price"
	statements "github.com/creditmill/creditmill/sql"
)

// Try prices calls that stand in no lake, by the very SELECT that rates usage, and
// returns a verdict for each, in their order. Every account counts as opened.
// declared are the columns that the calls were read with. The session is left with
// a table usage_posted.
func Try(ctx context.Context, s *duck.Session, book *price.Book, declared []lake.Column, calls []price.Call) ([]price.Verdict, error) {
	builder, err := duck.NewBuilder(append(price.CallColumns(declared),
		lake.Column{Name: "event_id", Type: "VARCHAR"}, lake.Column{Name: "object", Type: "VARCHAR"}, lake.Column{Name: "line", Type: "BIGINT"},
		lake.Column{Name: "posted_at", Type: "TIMESTAMP"}, lake.Column{Name: "late", Type: "BOOLEAN"}))
	if err != nil {
		return nil, err
	}
	for i, call := range calls {
		values := call.Values()
		builder.Append(append(values[:len(values):len(values)], "", "", int64(i), time.Time{}, false)...)
	}
	if err := s.Load(ctx, "usage_posted", builder); err != nil {
		return nil, err
	}
	compiled, err := book.Select(price.SelectOptions{Dynamic: declared, UnknownAccounts: true})
	if err != nil {
		return nil, err
	}
	rows, err := s.Rows(ctx, statements.Expand("duckdb/try_calls", map[string]any{"Select": compiled}))
	if err != nil {
		return nil, fmt.Errorf("price %d calls: %w", len(calls), err)
	}
	defer rows.Close()
	verdicts := make([]price.Verdict, 0, len(calls))
	for rows.Next() {
		v, err := scanVerdict(rows)
		if err != nil {
			return nil, fmt.Errorf("price %d calls: %w", len(calls), err)
		}
		verdicts = append(verdicts, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("price %d calls: %w", len(calls), err)
	}
	if len(verdicts) != len(calls) {
		return nil, fmt.Errorf("price %d calls: %d have come back", len(calls), len(verdicts))
	}
	return verdicts, nil
}

func scanVerdict(rows *sql.Rows) (v price.Verdict, err error) {
	var table, held sql.NullString
	var version, rule sql.NullInt64
	var credits string
	if err := rows.Scan(&table, &version, &rule, &credits, &held); err != nil {
		return v, err
	}
	v = price.Verdict{Table: table.String, Version: int(version.Int64), Rule: int(rule.Int64), Held: held.String}
	v.Credits, err = credit.Parse(credits)
	return v, err
}
